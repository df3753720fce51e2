/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a .ko says about itself, checked against a kernel; and compression.
 *
 * The files are hostile: they are read by libexec/kmodsmith/inspect, an
 * unprivileged worker inside the sandbox, with libkmod. Its answer is bounded
 * and parsed with suspicion.
 */
#pragma once

#include "core/kernel/kernel.h"
#include "core/platform/system.h"
#include "core/support/contract.h"

struct ks_module_info {
	char *path; /* as asked for */
	char *name; /* from the file name */
	char *vermagic;
	char *version;	  /* modinfo version, or NULL */
	char *srcversion; /* or NULL */
	char *license;	  /* or NULL */
	char **aliases;	  /* modalias patterns */
	char **exports;	  /* "0xcrc name" */
	char **depends;
	char **missing; /* "0xcrc name": the symbols that an unresolved problem is about */
	char **gpl_only; /* imports that only modules under the GPL may use */
	char *problem;	 /* why it cannot be loaded on the kernel, or NULL */
	/* problem is nothing but symbols that no provider exports */
	bool is_unresolved;
};

void ks_module_info_free(struct ks_module_info *info);
KS_DEFINE_CLEANUP(ks_module_info, ks_module_info_free)

/*
 * Inspect the .ko files at paths (in the tree, compressed or not, at most 800)
 * as one set built together. They are opened here: the worker needs no right
 * to find them. With a kernel, check for each: it is a module of the kernel's
 * architecture, its vermagic begins with the release, and every symbol it
 * imports is exported by the kernel's Module.symvers, by extra_symvers
 * (Module.symvers of BUILD_DEPENDS; may be NULL) or by another of the set,
 * with equal CRC where both have one. A kernel without symvers_path gets no
 * check of symbols. Failing the check sets info->problem; only not being able
 * to inspect at all is an error: KS_ERROR_INVALID when the reason is in the
 * files, others when it is the machine.
 *
 * All strings come back as valid UTF-8 without control characters.
 *
 * Returns struct ks_module_info in the order of paths.
 */
KS_MUST_CHECK
KS_NONNULL(1)
GPtrArray *ks_module_inspect(const struct ks_system *system, const char *const *paths,
			     const struct ks_kernel *kernel,
			     const char *const *extra_symvers, GError **error);

/*
 * The same for modules of another kernel, which this one is to use as they are
 * (weak modules): the release in their vermagic may be another one, and every
 * symbol that they import must be one of the set's or of symvers_path (which
 * may be compressed), both with a CRC, and the same. Nothing else in the
 * vermagic is compared.
 */
KS_MUST_CHECK
KS_NONNULL(1)
GPtrArray *ks_module_inspect_weak(const struct ks_system *system,
				  const char *const *paths,
				  const struct ks_kernel *kernel,
				  const char *symvers_path, GError **error);

/* As the kernel decides it (Linux: include/linux/license.h). NULL is not compatible. */
bool ks_module_is_gpl_compatible(const char *license);

/*
 * Compress path (in the tree) to path + suffix as the kernel's loader wants
 * it: ".xz" (CRC32 check, 1 MiB dictionary), ".zst", ".gz"; mode 0644,
 * synced. level as in compress.h. The worker reads and writes descriptors only. path
 * itself stays.
 */
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_module_compress(const struct ks_system *system, const char *path,
			const char *suffix, unsigned int level, GError **error);

/* The reverse: path, which ends in suffix, to path without it. At most 512 MiB. */
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_module_decompress(const struct ks_system *system, const char *path,
			  const char *suffix, GError **error);

/*
 * The file of the kernel's module of that name ('-' and '_' are one), as a path inside
 * the tree that the caller frees. NULL when there is none on disk, or when it is built
 * in. Both look up the lists that depmod and the kernel's build keep, not the whole
 * tree: in_tree only what is below modules_dir/kernel, in modules.dep or modules.order;
 * indexed any module that depmod has seen, in modules.dep.
 */
KS_NONNULL(1)
char *ks_module_find_in_tree(const struct ks_system *system,
			     const struct ks_kernel *kernel, const char *name);
KS_NONNULL(1)
char *ks_module_find_indexed(const struct ks_system *system,
			     const struct ks_kernel *kernel, const char *name);
