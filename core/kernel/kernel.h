/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernels of a system tree: which are alive, what headers and what
 * compiler they have.
 *
 * Listing costs a few dozen system calls and the reading of one configuration
 * for each kernel; nothing is executed.
 */
#pragma once

#include "core/platform/digest.h"
#include "core/platform/system.h"
#include "core/support/contract.h"

struct ks_kernel {
	char *release; /* "6.1.0-56-amd64" */
	char *arch; /* its own, as its uname -m says it, which is that of the machine for
		       one of the machine's architecture */
	bool is_foreign; /* it cannot run this system's programs: nobody boots it here */
	char *modules_dir; /* install_tree/release */
	bool alive;	   /* it is built for: it has an image, or its headers do, see
			       ks_kernel_settle() */
	bool incoming;	   /* a transaction is about to install it: ks_system's */
	bool has_image;	   /* has kernel/, modules.order or modules.builtin; not merely a
			       directory */
	bool has_headers;  /* build/ leads to a prepared header tree */
	bool has_unprepared; /* without headers: build leads to a source tree that
	                      * nobody prepared */
	char *headers_dir;   /* modules_dir/build as dkms names it; never resolved from
			       outside */
	char *config_path;   /* /boot/config-K, modules_dir/config, headers' .config or
			       auto.conf;  NULL when none */
	char *symvers_path;  /* headers' Module.symvers; NULL when none */
	char *module_suffix; /* ".ko", ".ko.xz", ".ko.zst", ".ko.gz": as its own modules
				are; when it has none, as its configuration says */
	/* for it: framework.conf's, set by the inventory; 0: the usual one */
	unsigned int compression_level;
	char *compiler; /* first word of CONFIG_CC_VERSION_TEXT: "gcc-12"; NULL unknown */
	bool clang;	/* CONFIG_CC_IS_CLANG */
	unsigned int clang_major; /* 19 for "clang version 19.1.7"; 0: unknown */
	bool lld;		  /* CONFIG_LD_IS_LLD */
	char *toolchain_problem;  /* what is missing ("no 'make' ..."), or NULL; NULL also
				    without headers, which then are the first thing
				    missing */
	char *uname;		  /* see uname.h; NULL until it is asked for */
	char *headers_problem; /* why the build user cannot use its headers, or NULL; set
				    by the inventory */
	bool running;	       /* uname -r, only when the tree is the host's own */
	bool is_default; /* /vmlinuz or /boot/vmlinuz leads to it; false when unknown */
	bool newest;	 /* highest release among the alive ones with headers, else alive
			    ones; one with an image before one without; a foreign one
			    last */
	GHashTable
		*config; /* "CONFIG_X" -> "y"/"m"/text; loaded on first use, see below */
};

void ks_kernel_free(struct ks_kernel *kernel);
KS_DEFINE_CLEANUP(ks_kernel, ks_kernel_free)

/*
 * All directories of install_tree that look like a kernel release (a digit
 * first), alive or not, newest first. Elements are owned by the array.
 */
KS_MUST_CHECK
KS_NONNULL(1)
GPtrArray *ks_kernel_list(const struct ks_system *system, GError **error);

/*
 * A kernel of this release whether its directory is there or not, as an element of
 * ks_kernel_list(). Free with ks_kernel_free().
 */
KS_NONNULL(1)
struct ks_kernel *ks_kernel_probe(const struct ks_system *system, const char *release);

/*
 * Decide which of them are alive: those that are incoming; those with an image; those with prepared
 * headers that the caller has named for this run; and those that were named in an
 * earlier one. Call it again after headers were replaced.
 */
KS_NONNULL(1)
void ks_kernel_settle(const struct ks_system *system, GPtrArray *kernels);

/*
 * Remember the kernels that are alive without an image: what is installed for
 * them stays when a later run does not name them. Forget those that have an
 * image now, or are gone.
 */
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_kernel_remember(const struct ks_system *system, GPtrArray *kernels,
			GError **error);

/*
 * Use another directory of headers, or another configuration, than the kernel's
 * own (dkms's --kernelsourcedir and --config); what was found from them is
 * looked up again.
 */
KS_NONNULL(1)
void ks_kernel_use_headers(const struct ks_system *system, struct ks_kernel *kernel,
			   const char *headers_dir);
KS_NONNULL(1)
void ks_kernel_use_config(const struct ks_system *system, struct ks_kernel *kernel,
			  const char *config_path);

/* Find by release, or NULL. */
struct ks_kernel *ks_kernel_find(GPtrArray *kernels, const char *release);

/* A value of the kernel's configuration ("CONFIG_USB" -> "m"), or NULL when unset. */
KS_NONNULL(1)
const char *ks_kernel_config_get(const struct ks_system *system, struct ks_kernel *kernel,
				 const char *symbol);

/*
 * Hex digest of the parts of the kernel that can change a module's bytes:
 * release, top Makefiles, generated version and autoconf headers, config,
 * Module.symvers, compiler, assembler, linker and make (by identity of the
 * programs: path without links, size, mtime). Not the image: a build before it
 * is there gives the same bytes. NULL with KS_ERROR_HEADERS_MISSING when there
 * are no headers. Costs some stats when cached.
 */
KS_MUST_CHECK
KS_NONNULL(1)
char *ks_kernel_fingerprint(const struct ks_system *system, struct ks_kernel *kernel,
			    struct ks_digest_cache *cache, GError **error);

/*
 * Paths without links of the programs that compile for it and are there:
 * compiler, assembler, linker, nm. Free with g_strfreev.
 */
KS_NONNULL(1)
char **ks_kernel_list_programs(const struct ks_system *system,
			       const struct ks_kernel *kernel);

/*
 * The architecture of this machine as dkms names it in the tree's distribution:
 * uname -m. (On rpm distributions dkms asks for the architecture of the package
 * that owns the kernel, which is the same word.) For a tree whose programs this machine
 * does not run by itself, as qemu-user does, it is that of its programs.
 */
KS_NONNULL(1)
char *ks_kernel_machine_arch(const struct ks_system *system);
