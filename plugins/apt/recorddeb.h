/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A record as a .deb: kmod-NAME-K, with the files as they are installed now,
 * X-Kmodsmith-{Module,Version,Kernel,Digest,Fingerprint}, no scripts, and a
 * dependency on the package that owns the kernel, so that the one is removed
 * with the other.
 */
#pragma once

#include "core/record/record.h"
#include "core/support/contract.h"

struct ks_record_deb {
	const struct ks_system *system;
	const struct ks_record *record;
	const char *name; /* ks_deb_package_name() of the record's */
	const char *architecture;
	const char *kernel_package; /* NULL: no package owns the kernel */
	const char *modules_dir; /* "/lib/modules" or "/usr/lib/modules", as the kernel's
				    package spells it */
	GPtrArray *replaces; /* const char *: other records of ours that own one of the
				files */
};

/* False, with an error, for a record whose texts cannot stand in a control file. */
KS_MUST_CHECK
bool ks_record_deb_is_sound(const struct ks_record *record, GError **error);

/* A path of the record as the package spells it. */
char *ks_record_deb_spell(const char *path, const char *modules_dir);

/*
 * Write it to fd; data is a struct ks_record_deb (a ks_spool_write_func).
 * KS_ERROR_INVALID when an installed file is not the recorded one.
 */
KS_MUST_CHECK
bool ks_record_deb_write(int fd, void *data, GError **error);
