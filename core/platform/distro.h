/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of distributions: everything that one of them does differently and
 * that only its name reveals. One row each, in distro.c.
 *
 * Not in the table, since the tree itself shows it, whatever its name:
 *
 * - compression: how the kernel's own modules are, else its configuration
 *   (core/kernel/suffix.c)
 * - compiler: CONFIG_CC_VERSION_TEXT, and .kernelvariables where the headers have it:
 *   make includes it (core/kernel/toolchain.c)
 * - architecture: uname -m everywhere (core/kernel/kernel.h)
 * - sign-file, kmodsign: none is needed, since the signer makes the signature; the
 *   sign_file of framework.conf is heeded everywhere
 * - initramfs: whichever program owns it (core/install/image.h)
 * - hooks: the package of each distribution brings its own (hooks/). Kernel postinst.d,
 *   apt and dpkg on Debian's; the rpm plugin and kernel-install on Fedora's, RHEL's and
 *   SUSE's; libalpm on Arch's; kernel-install and the boot unit elsewhere
 */
#pragma once

#include "core/support/root.h"
#include "core/platform/system.h"
#include "core/support/contract.h"

/*
 * The program that links one kernel's modules to others that they fit, and its
 * arguments (dkms 3.4.3: weak_modules_add, weak_modules_remove).
 */
struct ks_distro_weak {
	const char *path;
	const char *add[3], *remove[3]; /* its arguments */
	bool takes_release;		/* the kernel's release is the last one */
};

/* Where the key pair is when no configuration names one. */
enum ks_distro_keys {
	KS_DISTRO_KEYS_DKMS,   /* /var/lib/dkms/mok.key and .pub */
	KS_DISTRO_KEYS_UBUNTU, /* /var/lib/shim-signed/mok, shared with its other tools */
	KS_DISTRO_KEYS_GENTOO, /* make.conf's or the kernel's, where they name one */
};

struct ks_distro {
	const char *prefix; /* its name begins with that */
	/* Where modules go below /lib/modules/K; NULL: where each conf says */
	const char *dest;
	const struct ks_distro_weak *weak; /* NULL: it has no such program */
	enum ks_distro_keys keys;
};

/*
 * The row of the tree's distribution, by its os-release(5); never NULL: a
 * distribution that is not in the table gets an empty row. The name is the one
 * that dkms 3.4.3 uses (running_distribution): ID for Ubuntu, else the whole
 * ID_LIKE, else ID; besides, ID for RHEL, whose ID_LIKE is Fedora's. Costs the
 * reading of a small file.
 */
KS_NONNULL(1)
const struct ks_distro *ks_distro_find(const struct ks_system *system);
