/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading entries of pacman's local database (alpm-db(7), alpm-db-files(5)), a directory
 * DBPath/local/NAME-VERSION-RELEASE each.
 *
 * What the recorder has to know of its own entries stands in the file "changelog" of the
 * entry, which belongs to the format and which pacman shows ("pacman -Qc") but never
 * reads: a list of the recorder protocol with that one entry. (pacman 6.1 warns of keys
 * in "desc" that it does not know, and "pacman -D" rewrites that file.)
 */
#pragma once

#include "core/record/record.h"
#include "core/support/contract.h"
#include "plugins/alpm/alpm-database.h"

#define KS_ALPM_LOCAL "/local"

struct ks_alpm_entry {
	char *dir;			    /* its name below /local */
	char *name, *version;		    /* as pacman calls it */
	const struct ks_record_entry *said; /* in its changelog; NULL: not ours */
	GPtrArray *changelog;		    /* owns the changelog's texts */
	bool complete;			    /* has all the files of an entry */
};

/* All entries named "kmod-...", by name of directory. Needs no lock. */
KS_MUST_CHECK
GPtrArray *ks_alpm_entries(const struct ks_alpm *alpm, GError **error);

/* The first of that package name, or NULL. */
struct ks_alpm_entry *ks_alpm_entry_find(GPtrArray *entries, const char *name);

/*
 * The files of an entry as "files" lists them: "usr/lib/modules/", no leading slash,
 * directories with a trailing one. Hostile names (absolute, with "..") are left out.
 */
KS_MUST_CHECK
GPtrArray *ks_alpm_entry_files(const struct ks_alpm *alpm, const char *dir,
			       GError **error);
