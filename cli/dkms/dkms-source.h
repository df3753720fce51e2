/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The source of a job's module: where it is, in which state, and adding it. */
#pragma once

#include "cli/dkms/dkms.h"

bool ks_dkms_is_in_tree(const struct ks_dkms *dkms, struct ks_dkms_job job); /* T/M/V */
/* It is in the tree and leads to a source. */
bool ks_dkms_is_added(const struct ks_dkms *dkms, struct ks_dkms_job job);
/* It is in the tree, and what it leads to is gone (dkms 3.4.3, is_module_broken()). */
bool ks_dkms_is_broken(const struct ks_dkms *dkms, struct ks_dkms_job job);
/* T/M/kernel-K-A leads to this version. */
bool ks_dkms_is_active(const struct ks_dkms *dkms, struct ks_dkms_job job,
		       const char *arch);
/*
 * "Warning: ..." naming the dependencies that a forced build lacks; NULL: none
 * is missing.
 */
char *ks_dkms_depends_warning(const struct ks_dkms *dkms, const struct ks_target *target);
/* SOURCE_TREE/NAME-VERSION; free with g_free. */
char *ks_dkms_source_path(const struct ks_dkms *dkms, struct ks_dkms_job job);
int ks_dkms_fail_no_source(const struct ks_dkms *dkms, struct ks_dkms_job job);

/*
 * Add what the command line gives instead of a module, a directory or an archive, and make
 * it the job's module. Nothing when it gives none.
 */
int ks_dkms_add_given(struct ks_dkms *dkms, struct ks_dkms_job *job);
/* dkms-ldtarball.c: the same for an archive. */
int ks_dkms_add_archive(struct ks_dkms *dkms, struct ks_dkms_job *job);
/*
 * The first thing that "dkms build" does: add the job's module when it is not added, its
 * source is there and has a valid conf; when others can change the source, use it as it
 * is now.
 */
int ks_dkms_add_found(struct ks_dkms *dkms, struct ks_dkms_job job);
/* Register dir, whose conf this is, copying it to its place; prints dkms's words. */
int ks_dkms_add_directory(struct ks_dkms *dkms, const char *dir,
			  const struct ks_conf *conf);

/*
 * Read dir/dkms.conf as strictly as dkms does before it changes anything;
 * prints errors and oddities. KS_DKMS_BAD_CONF for an invalid conf,
 * KS_DKMS_BROKEN for none.
 */
int ks_dkms_read_strict(const struct ks_dkms *dkms, struct ks_dkms_job job,
			const char *dir);
/* The conf of dir as the command line has it, read for no kernel; or NULL. */
struct ks_conf *ks_dkms_load_conf(const struct ks_dkms *dkms, struct ks_dkms_job job,
				  const char *dir, GError **error);
/* Print why it cannot be used; the exit code. */
int ks_dkms_fail_conf(const struct ks_dkms *dkms, const char *dir, const GError *error,
		      bool elsewhere);
