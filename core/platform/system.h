/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where things are: one system tree and the directories in it that the engine
 * works on. Made once by the command line, read by everything.
 *
 * All directories are paths inside the tree (see root.h), without a trailing
 * slash, except libexec_dir, which is a path of the calling process: the helper
 * programs always run from the installed kmodsmith, never from inside DIR.
 */
#pragma once

#include "core/support/contract.h"
#include "core/support/root.h"

struct ks_system {
	struct ks_root *root;
	char *dkms_tree;    /* /var/lib/dkms: dkms's own layout, plus manifests */
	char *source_tree;  /* /usr/src */
	char *install_tree; /* /lib/modules */
	/* "/DIR" below a kernel's directory for all modules, whatever the distribution
	 * and their confs say; or NULL */
	char *modules_dest;
	/*
	 * The caller has named install_tree for this run (--installtree): what it has
	 * made for a release there is a kernel's, also while it is empty.
	 */
	bool install_tree_is_given;
	/*
	 * The release that the caller has named for this run (-k), or NULL: its headers
	 * are enough to build for it, also where it has no image.
	 */
	char *named_release;
	/*
	 * Releases of the kernels whose packages are about to be installed, and which this
	 * process sees as if they were (core/incoming); or NULL.
	 */
	char **incoming;
	char *dkms_etc;	 /* /etc/dkms: overrides, framework.conf, no-autoinstall */
	char *etc_dir;	 /* /etc/kmodsmith */
	char *state_dir; /* /var/lib/kmodsmith: journal, spool, caches, known failures */
	char *run_dir;	 /* /run/kmodsmith: lock, marks */
	char *log_dir;	 /* /var/log/kmodsmith */
	char *libexec_dir; /* helper programs; KMODSMITH_LIBEXECDIR overrides (tests) */
};

/*
 * The standard directories below root_path ("/" for the machine itself).
 * The environment variable KMODSMITH_LIBEXECDIR is honoured only when the
 * process is not set-user-ID and names where an uninstalled build keeps the
 * helper programs.
 */
KS_MUST_CHECK
struct ks_system *ks_system_new(const char *root_path, GError **error);
/*
 * True when the tree is not, or not surely, the one that this machine runs: the DIR of
 * --root, or a chroot, recognised as in dkms 3.4.3 by a root other than process 1's, or
 * by the want of a /proc, without which no machine runs. A process that may not see that
 * root is taken to be outside a chroot.
 */
KS_NONNULL(1)
bool ks_system_is_chroot(const struct ks_system *system);
void ks_system_free(struct ks_system *system);
KS_DEFINE_CLEANUP(ks_system, ks_system_free)

/* state_dir/build: where builds and the recording of probes work; free with g_free. */
KS_NONNULL(1)
char *ks_system_work_root(const struct ks_system *system);
