/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Journalled placement of module files.
 *
 * Intent is written and synced to state_dir/journal; files are staged beside
 * their destination as ".NAME.kmodsmith-new" (depmod ignores them, they
 * inherit the directory's SELinux label), synced, renamed, the directory
 * synced; then the journal is closed. A run that dies leaves either the old
 * file or the new one at every path; ks_install_recover() finishes or undoes
 * the rest.
 *
 * A file that is not ours is never overwritten: ours are the files of the old
 * manifest that the caller gives, and what lies in updates/dkms, unless another
 * active artifact claims it (a killed dkms leaves files there that no state
 * knows). A file with the very bytes that are to be placed counts as in place.
 */
#pragma once

#include "core/conf/conf.h"
#include "core/kernel/kernel.h"
#include "core/state/tree.h"
#include "core/support/contract.h"

/* Where modules go on this distribution: "/updates/dkms", "/extra", "/updates", or NULL:
 * where the conf says. See core/platform/distro.h (dkms
 * 3.4.3, override_dest_module_location). */
KS_NONNULL(1)
const char *ks_install_dest_override(const struct ks_system *system);

/*
 * The directory in the tree where dkms has put file ("foo.ko.xz") on that
 * kernel: the distribution's, the one that the conf (which may be NULL) names,
 * else one of those that other distributions and older versions use; NULL when
 * it is in none. (dkms 3.4.3, find_actual_dest_module_location, looks in the
 * first two.)
 */
KS_NONNULL(1)
char *ks_install_find_dir(const struct ks_system *system, const char *release,
			  const struct ks_conf *conf, const char *file);
/* The directory of file by modules.dep, which dkms's depmod has written; or NULL. */
KS_NONNULL(1)
char *ks_install_find_indexed_dir(const struct ks_system *system, const char *release,
				  const char *file);
/* The conf of an artifact's source for its kernel; NULL when there is none or it cannot
 * be read. It costs a listing of the kernels, so ask only where the functions above need
 * it: where the distribution names no directory. */
KS_NONNULL(1)
struct ks_conf *ks_install_artifact_conf(const struct ks_system *system,
					 const struct ks_tree_entry *entry,
					 const struct ks_artifact *artifact);
/* The directory where dkms would put it. */
KS_NONNULL(1)
char *ks_install_expected_dir(const struct ks_system *system, const char *release,
			      const struct ks_conf *conf, const char *file);

/*
 * Place all files of the artifact's manifest, taken from artifact_dir/module;
 * then remove files of the old manifest (may be NULL) that the new one has
 * not, if they are still as it says. The files are 0644 and root's. Where the
 * manifest has a link, that is made instead of a copy, the same way.
 *
 * KS_ERROR_NO_SPACE before anything changed when they would not fit;
 * KS_ERROR_DENIED, naming the path, for a file that is not ours;
 * KS_ERROR_INVALID for a file that differs from its manifest. The old files
 * are in place after these. Another failure while names are being changed
 * leaves the journal open: the next placement or recovery finishes it.
 */
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_install_place(const struct ks_system *system, const char *artifact_dir,
		      const struct ks_manifest *manifest, const struct ks_manifest *old,
		      GError **error);

/* Remove the files of the manifest that are still as it says; prune empty directories. */
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_install_unplace(const struct ks_system *system,
			const struct ks_manifest *manifest, GError **error);

/*
 * Finish or undo what a killed run left. *n_recovered (may be NULL) is the
 * number of placements repaired. A journal that cannot be read is renamed to
 * state_dir/journal.broken, and counts. Costs one open(2) when there is none.
 */
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_install_recover(const struct ks_system *system, unsigned int *n_recovered,
			GError **error);

/* depmod -a K of the tree, inside it; nothing when the kernel is not alive. */
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_install_depmod(const struct ks_system *system, const struct ks_kernel *kernel,
		       GError **error);
/*
 * The same without waiting: *tool (core/install/run-tool.h) runs until
 * ks_install_depmod_finish(), which frees it; NULL when there is nothing to do.
 */
struct ks_tool;
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_install_depmod_start(const struct ks_system *system,
			     const struct ks_kernel *kernel, struct ks_tool **tool,
			     GError **error);
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_install_depmod_finish(const struct ks_kernel *kernel, struct ks_tool *tool,
			      GError **error);

/*
 * True when the kernel's modules.dep is older than the last change of its
 * module set, or missing after one: a run died before its depmod.
 */
KS_NONNULL(1)
bool ks_install_depmod_is_stale(const struct ks_system *system,
				const struct ks_kernel *kernel);

/* Remember that the module set of the kernel has changed now (state_dir/changed/K). */
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_install_mark_changed(const struct ks_system *system, const char *release,
			     GError **error);

/* The mark as it is, to be put back when nothing was changed after all. */
struct ks_install_mark {
	bool is_there;
	struct timespec time;
};
KS_NONNULL(1)
struct ks_install_mark ks_install_get_mark(const struct ks_system *system,
					   const char *release);
KS_NONNULL(1)
void ks_install_put_mark_back(const struct ks_system *system, const char *release,
			      const struct ks_install_mark *mark);

/* The images of a kernel (core/install/image.h), compared with that mark. */
struct ks_image_facts {
	bool has_image; /* there is one that a program here makes */
	bool is_stale;	/* such a one is older than the mark */
	bool is_left; /* older than a change, after which its program has left it as it was */
	/*
	 * Why an image is renewed by nobody, in words; NULL: all are renewed, or the
	 * kernel boots without one. The caller's.
	 */
	char *unrenewed;
	bool unrenewed_is_due; /* it is older than the mark, and that was not reported */
	bool unrenewed_is_stale; /* it is older than a change, reported or not */
};

/* Costs what ks_images_find() does. */
KS_NONNULL(1)
void ks_install_look_at_image(const struct ks_system *system, struct ks_kernel *kernel,
			      struct ks_image_facts *facts);
/* is_stale of these facts. */
KS_NONNULL(1)
bool ks_install_initramfs_is_stale(const struct ks_system *system,
				   struct ks_kernel *kernel);
/*
 * What nobody renews and was not reported yet, in words (free it), or NULL: from now on it
 * counts as reported, until the modules change again.
 */
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_install_note_unrenewed(const struct ks_system *system, struct ks_kernel *kernel,
			       char **what, GError **error);
/* The commands that would renew what is stale, as somebody would type them. Free with
 * g_strfreev. */
KS_NONNULL(1)
char **ks_install_list_image_commands(const struct ks_system *system,
				      const struct ks_kernel *kernel);
/*
 * Run the programs that own the stale images, one after another, until one fails; without
 * a stale one nothing is done. Output to log_fd (-1: none). Success takes the mark away,
 * unless there is something to report; a failure leaves it, and the next run tries again.
 * A program that ends well and leaves its images as they were (it is configured so, or does
 * not see where they are) gives KS_ERROR_PENDING, once for each change.
 */
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_install_initramfs_update(const struct ks_system *system, struct ks_kernel *kernel,
				 int log_fd, GError **error);
/*
 * The same without waiting: *initramfs goes on until ks_install_initramfs_finish(), which
 * frees it; NULL when there is nothing to do. system and kernel are held on to. One at a
 * time.
 */
struct ks_initramfs;
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_install_initramfs_start(const struct ks_system *system, struct ks_kernel *kernel,
				int log_fd, struct ks_initramfs **initramfs,
				GError **error);
/* Readable when it has ended: for poll(2). */
KS_NONNULL(1)
int ks_install_initramfs_fd(const struct ks_initramfs *initramfs);
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_install_initramfs_finish(struct ks_initramfs *initramfs, GError **error);

/*
 * May ks_install_prune_kernel() remove it, when the files whose paths are in ignored (may
 * be NULL) are gone?
 */
KS_NONNULL(1)
bool ks_install_can_prune_kernel(const struct ks_system *system,
				 const struct ks_kernel *kernel, GHashTable *ignored);

/*
 * A kernel directory that is not alive and holds only what depmod makes, empty
 * directories and dead "build" and "source" links: remove it, and its mark.
 */
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_install_prune_kernel(const struct ks_system *system,
			     const struct ks_kernel *kernel, GError **error);
