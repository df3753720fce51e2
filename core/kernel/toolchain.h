/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The programs that build for a kernel: where they are looked for, which are taken, and
 * what they are known by. All paths are inside the tree; nothing is executed.
 */
#pragma once

#include "core/kernel/kernel.h"
#include "core/support/contract.h"

/*
 * PATH of environment (build_environment's, "NAME=value" and NULL at the end; may be
 * NULL), else the usual directories, after root's own of /usr/local. Free with g_free.
 */
KS_NONNULL(1)
char *ks_kernel_tool_path(const struct ks_system *system, const char *const *environment);

/*
 * The first executable of that name in path, an absolute name as it is; NULL when there
 * is none. Free with g_free.
 */
KS_NONNULL(1)
char *ks_kernel_find_program(const struct ks_system *system, const char *path,
			     const char *name);

struct ks_toolchain {
	char *wanted; /* what headers or configuration call the compiler; or NULL */
	bool exact;   /* the headers (Debian's .kernelvariables): no other is used */
	char *cc;     /* for CC: "gcc-12", "clang-19", "/usr/lib/llvm-19/bin/clang"; NULL
			 when there is none */
	char *ld;     /* for LD, of a kernel linked with lld; else NULL */
	char *strip;  /* never NULL */
	/* for LLVM: "1", "-19" or "/usr/lib/llvm-19/bin/"; NULL for a kernel of gcc */
	char *llvm;
	const char *arch; /* for ARCH: "arm64"; NULL for a kernel of the machine's */
	char *cross;	  /* for CROSS_COMPILE: "aarch64-linux-gnu-"; or NULL */
	char *unfit; /* a compiler that is there, and compiles for another; or NULL */
};

/*
 * For a kernel of gcc one that compiles for its architecture: for another machine's that is
 * a cross compiler. For a kernel of clang one LLVM that has all that is needed: plain "clang" unless that
 * is known to be another than the kernel's and the kernel's own is there, too.
 */
KS_NONNULL(1)
void ks_toolchain_find(const struct ks_system *system, const struct ks_kernel *kernel,
		       const char *path, struct ks_toolchain *toolchain);
/* cc is what the configuration names, and neither the headers nor their Makefile do. */
KS_NONNULL(1)
bool ks_toolchain_is_named(const struct ks_toolchain *toolchain);
/* ARCH=, CROSS_COMPILE= and LLVM=, those that there are, for every kbuild of a build. Free
 * with g_strfreev. */
KS_NONNULL(1)
char **ks_toolchain_variables(const struct ks_toolchain *toolchain);
void ks_toolchain_clear(struct ks_toolchain *toolchain);

/* What is missing ("no compiler 'gcc' in ..."), or NULL; names_compiler: CC is given. */
KS_NONNULL(1)
char *ks_toolchain_problem(const struct ks_system *system, const struct ks_kernel *kernel,
			   const char *path, bool names_compiler);

/*
 * A target may have others than its kernel: by build_environment's PATH, or by CC= and
 * the like there or in its MAKE.
 */
bool ks_toolchain_is_own(const char *const *environment, const char *make);
/* MAKE or environment says CC=, or CROSS_COMPILE=, and that compiler is there. */
KS_NONNULL(1)
bool ks_toolchain_names_compiler(const struct ks_system *system, const char *path,
				 const char *const *environment, const char *make);
/*
 * Paths and identities of all programs that such a build may use, wrappers and what they
 * may call. Free with g_free.
 */
KS_NONNULL(1)
char *ks_toolchain_identity(const struct ks_system *system,
			    const struct ks_kernel *kernel,
			    const char *const *environment, const char *make);
