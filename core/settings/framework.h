/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * framework.conf: what dkms takes from /etc/dkms/framework.conf, then from
 * /etc/dkms/framework.conf.d/ *.conf in byte order, later ones winning (dkms
 * 3.4.3). They are bash like a dkms.conf and are read the same way, both
 * evaluations included: natively, else by bash in the sandbox.
 *
 * Not taken from the environment, which dkms does for every variable that the
 * files do not set: what signs a module or runs at the end as root has to be
 * written where only root can. The personality dkms takes the harmless
 * ones (cli/dkms/dkms-environment.c).
 *
 * sign_file, mok_signing_key, mok_certificate, try_sign_modules and
 * post_transaction may use $kernelver and $arch: they are right in a struct
 * that was read for that kernel. The one in ks_settings was read for
 * no kernel.
 */
#pragma once

#include "core/kernel/kernel.h"
#include "core/platform/system.h"
#include "core/settings/reading.h"
#include "core/support/contract.h"

struct ks_settings;

enum ks_try_sign {
	KS_TRY_SIGN_NOT_IN_CHROOT, /* the default, as in dkms */
	KS_TRY_SIGN_ALWAYS,	   /* "true" */
	KS_TRY_SIGN_NEVER,	   /* "false" */
};

struct ks_framework {
	char *dkms_tree, *source_tree, *install_tree; /* absolute; NULL: not set */
	char *tmp_location;			      /* absolute; "/tmp" */
	/*
	 * For dkms anything but "" is on. Here "0", "n", "no", "off" and
	 * "false", in any case, are off as well.
	 */
	bool verbose;
	bool symlink_modules;
	bool autoinstall_all_kernels;
	bool modprobe_on_install;
	bool continue_on_error; /* only Debian's common.postinst asks for it */
	/* Names of the switches above that the files set, even to the empty string. */
	GHashTable *set_switches;
	unsigned int n_jobs; /* parallel_jobs; 0: not set */
	/* Options of gzip, xz and zstd as written in the file; NULL: not set */
	char *compress_gzip_opts;
	char *compress_xz_opts;
	char *compress_zstd_opts;
	char *build_environment; /* absolute path of a shell file; NULL: not set */
	char *post_transaction;	 /* a command line for a shell; NULL: not set */
	/* Absolute paths or "pkcs11:..." (the key); NULL: not set */
	char *sign_file;
	char *mok_signing_key;
	char *mok_certificate;
	enum ks_try_sign try_sign_modules;
	/*
	 * From /etc/sysconfig/module-init-tools, which dkms sources, too: a
	 * directory below the kernel's that replaces the distribution's, "" or
	 * relative; NULL: not set.
	 */
	char *addon_modules_dir;
	/* release -> char **, what build_environment exports: once a run, see conf.h */
	GHashTable *environments;
	GPtrArray *warnings; /* char *: what bash complained of */
	/*
	 * The first of its files, or their directories, that others than root can write
	 * to; NULL: none, or we are not root. Then what it names must not be run:
	 * ks_framework_check_trust().
	 */
	char *untrusted;
};

/* Whether what the files name may be run as root; KS_ERROR_DENIED, with the path. */
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_framework_check_trust(const struct ks_framework *framework, const char *what,
			      GError **error);

/*
 * Read it. kernel may be NULL, then $kernelver and $arch are empty. settings
 * (for the sandbox) may be NULL. A value that cannot be what it should (jobs that are no
 * number) is KS_ERROR_INVALID with file and line, or by how a warning; a tree that is not an
 * absolute path always is the error. A file that is not there says nothing, nor does one that a user other than
 * root must not read (it may hold the PIN of a key).
 */
KS_MUST_CHECK
KS_NONNULL(1)
struct ks_framework *ks_framework_load(const struct ks_system *system,
				       const struct ks_settings *settings,
				       struct ks_kernel *kernel,
				       enum ks_settings_reading how, GError **error);
void ks_framework_free(struct ks_framework *framework);
KS_DEFINE_CLEANUP(ks_framework, ks_framework_free)

/*
 * The level that compress_*_opts ask for in modules with that suffix (".ko.xz"): -N,
 * --fast or --best; 0: the usual one. Other options have no meaning here: the kernel's
 * loader wants of the rest what dkms's defaults say.
 */
KS_NONNULL(1)
unsigned int ks_framework_level(const struct ks_framework *framework, const char *suffix);

/* Does value mean on? See struct ks_framework. */
bool ks_framework_is_on(const char *value);

/*
 * Put its trees and addon_modules_dir into system; options of the command line go over
 * them afterwards.
 */
KS_NONNULL(1, 2)
void ks_framework_apply(const struct ks_framework *framework, struct ks_system *system);
