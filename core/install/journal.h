/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The journal of a placement: state_dir/journal, a small text that says what
 * is being done, so that the next run can undo it or finish it.
 *
 *	absent	nothing is under way
 *	intent	files are being staged beside their destinations: undo
 *	staged	all are staged and synced, names are being changed: finish
 *
 * It is only ever replaced as a whole, synced (core/support/durable.h), and
 * removed when all is done and synced.
 *
 *	kmodsmith-journal 1
 *	state staged
 *	base /lib/modules/6.1.0-56-amd64
 *	place SHA256 /lib/modules/6.1.0-56-amd64/updates/dkms/foo.ko
 *	remove SHA256 /lib/modules/6.1.0-56-amd64/updates/dkms/bar.ko
 *	place-link TEXT /lib/modules/6.1.0-56-amd64/updates/dkms/baz.ko
 *	remove-link TEXT /lib/modules/6.1.0-56-amd64/updates/dkms/old.ko
 *	end
 *
 * SHA256 is of the file that is placed, or that may be removed; "-" is not
 * known. TEXT is where a symbolic link leads that is placed, or may be removed. In
 * paths '%' and control characters are written as %XX, in TEXT blanks as well.
 */
#pragma once

#include "core/platform/system.h"
#include "core/support/contract.h"

#define KS_JOURNAL_MAX_BYTES (4 * 1024 * 1024)
#define KS_JOURNAL_MAX_STEPS 10000

enum ks_journal_state { KS_JOURNAL_INTENT, KS_JOURNAL_STAGED };
enum ks_journal_kind { KS_JOURNAL_PLACE, KS_JOURNAL_REMOVE };

struct ks_journal_step {
	enum ks_journal_kind kind;
	char *path;   /* in the tree, below base */
	char *sha256; /* of a file, lower case hex; or NULL */
	char *link;   /* of a symbolic link its text; NULL: a file */
};

struct ks_journal {
	enum ks_journal_state state;
	char *base;	  /* the kernel's directory of modules */
	GPtrArray *steps; /* struct ks_journal_step */
};

struct ks_journal *ks_journal_new(const char *base);
void ks_journal_free(struct ks_journal *journal);
KS_DEFINE_CLEANUP(ks_journal, ks_journal_free)

KS_NONNULL(1)
void ks_journal_add(struct ks_journal *journal, enum ks_journal_kind kind,
		    const char *path, const char *sha256);
KS_NONNULL(1)
void ks_journal_add_link(struct ks_journal *journal, enum ks_journal_kind kind,
			 const char *path, const char *link);

/*
 * KS_ERROR_INVALID, with the line, for anything that ks_journal_format() does
 * not write: also for a path that is not below base, is not in its shortest
 * form or names a hidden file.
 */
KS_MUST_CHECK
struct ks_journal *ks_journal_parse(const char *text, size_t size_bytes,
				    const char *label, GError **error);
KS_NONNULL(1)
char *ks_journal_format(const struct ks_journal *journal);

/* NULL without an error when there is no journal. */
KS_MUST_CHECK
KS_NONNULL(1)
struct ks_journal *ks_journal_load(const struct ks_system *system, GError **error);
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_journal_store(const struct ks_system *system, const struct ks_journal *journal,
		      GError **error);
KS_MUST_CHECK
bool ks_journal_close(const struct ks_system *system, GError **error);

/* Put a journal that cannot be read out of the way: state_dir/journal.broken. */
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_journal_set_aside(const struct ks_system *system, GError **error);

/* Is path absolute, in its shortest form, below base, and no hidden file? */
bool ks_journal_is_path_below(const char *path, const char *base);
