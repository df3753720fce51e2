/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A record as an entry of pacman's local database, format 9: the texts of "desc"
 * (alpm-db-descv1(5)), "files" and "changelog", and "mtree" (alpm-db-files(5)), about
 * files that lie in place.
 *
 * No dependency on the kernel's package: it would keep "pacman -Syu" from replacing it.
 * No reason of installation, which means explicit: else "pacman -Qdt" would call the
 * drivers orphans.
 */
#pragma once

#include "core/record/record.h"
#include "core/support/contract.h"

struct ks_alpm_contents {
	char *name, *version; /* of the package */
	char *dir;	      /* name of the entry: NAME-VERSION-RELEASE */
	char *desc, *files, *changelog;
	GByteArray *mtree;
	GPtrArray *paths; /* char *: what "files" lists but directories */
};

/* The real path of a record's file, as pacman spells it: "usr/lib/modules/K/x.ko". */
char *ks_alpm_contents_path(const struct ks_system *system, const char *path);

/*
 * KS_ERROR_INVALID when an installed file is not the recorded one, or the record's texts
 * cannot stand in the database.
 */
KS_MUST_CHECK
struct ks_alpm_contents *ks_alpm_contents_new(const struct ks_system *system,
					      const struct ks_record *record,
					      GError **error);
void ks_alpm_contents_free(struct ks_alpm_contents *contents);
KS_DEFINE_CLEANUP(ks_alpm_contents, ks_alpm_contents_free)

/* The name that the record's package has. */
char *ks_alpm_contents_name(const struct ks_record *record);
