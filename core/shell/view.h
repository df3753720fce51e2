/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A source as bash's user sees it, where root can read it and that user cannot:
 * a directory that is closed to others (umask 077), or lies in one that is
 * (/root, a home), or has files that are. Root copies it to a directory that
 * only this user can enter, for as long as the evaluation lasts; the command
 * sees the copy in the source's place where the sandbox can mount it there,
 * else in its own.
 */
#pragma once

#include "core/sandbox/sandbox.h"
#include "core/platform/system.h"
#include "core/support/contract.h"

struct ks_conf_view {
	const struct ks_system *system;
	char *source_dir; /* as it was given */
	char *dir;	  /* of the copies; NULL: nothing had to be copied */
	char *copy;	  /* of source_dir; NULL: it can be read where it is */
	bool is_closed;	  /* no source, and the user cannot enter source_dir */
	bool is_bound;	  /* the copy is mounted at source_dir */
	struct ks_sandbox_bind binds[2];
	guint n_binds;
	guint n_files;
};

/* The view of source_dir. Nothing is copied for a caller whose own user bash runs as. */
KS_MUST_CHECK
KS_NONNULL(1)
struct ks_conf_view *ks_conf_view_open(const struct ks_system *system,
				       const char *source_dir, GError **error);
/* The same for a directory of which only the files that are asked for are copied. */
KS_NONNULL(1)
struct ks_conf_view *ks_conf_view_open_plain(const struct ks_system *system,
					     const char *dir);
void ks_conf_view_close(struct ks_conf_view *view);
KS_DEFINE_CLEANUP(ks_conf_view, ks_conf_view_close)

/* The directory in which bash reads. */
KS_NONNULL(1)
const char *ks_conf_view_cwd(const struct ks_conf_view *view);

/*
 * The path by which bash reads the file path: that very path, in the copy, or a
 * copy of its own, made from text (NULL: the file is read here). Free with
 * g_free; NULL when it cannot be copied.
 */
KS_MUST_CHECK
KS_NONNULL(1)
char *ks_conf_view_file(struct ks_conf_view *view, const char *path, const char *text,
			GError **error);

/* The text with the source's own path for that of the copy; free with g_free. */
KS_NONNULL(1)
char *ks_conf_view_translate(const struct ks_conf_view *view, const char *text);
