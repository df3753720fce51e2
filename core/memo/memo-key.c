/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the compiler's answers depend on: the kernel's fingerprint (headers,
 * programs by path, size and mtime), the programs' contents, and the files
 * that they load: gcc's cc1, and the libraries that as and ld consist of.
 */
#include <string.h>

#include "core/memo/memo-private.h"

/* Raise it when the fragment or the recorded questions change. */
#define FORMAT "1"

/* Below any of these directories; "*" and "?" as in a shell. */
static const char *const library_dirs[] = {"/usr/lib", "/usr/lib64",
					   "/usr/lib/*-linux-gnu*"};
static const char *const libraries[] = {"libbfd*.so*", "libopcodes*.so*",
					"libclang-cpp.so*", "libLLVM*.so*"};
static const char *const gcc_dirs[] = {"/usr/lib/gcc/*/*", "/usr/lib64/gcc/*/*",
				       "/usr/libexec/gcc/*/*"};
static const char *const gcc_files[] = {"cc1", "specs"};

static void add_identity(GString *text, const struct ks_system *system, const char *path)
{
	struct stat st;

	if (ks_root_stat(system->root, path, &st) && S_ISREG(st.st_mode))
		g_string_append_printf(text,
				       "%s %" G_GINT64_FORMAT " %" G_GINT64_FORMAT
				       ".%09ld %" G_GUINT64_FORMAT "\n",
				       path, (gint64)st.st_size,
				       (gint64)st.st_mtim.tv_sec, st.st_mtim.tv_nsec,
				       (guint64)st.st_ino);
}

static bool matches_any(const char *name, const char *const *patterns, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (g_pattern_match_simple(patterns[i], name))
			return true;
	return false;
}

/* dir is the path so far, rest the remaining pattern. */
static void add_matching(GString *text, const struct ks_system *system, const char *dir,
			 const char *rest, const char *const *patterns, size_t n)
{
	g_autofree char *part = g_strndup(rest, strcspn(rest, "/"));
	const char *next = rest + strlen(part);
	g_autoptr(GPtrArray) names = ks_root_list(system->root, dir, NULL);

	for (guint i = 0; names && i < names->len; i++) {
		const char *name = names->pdata[i];
		g_autofree char *path = g_build_filename(dir, name, NULL);

		if (!*rest && matches_any(name, patterns, n))
			add_identity(text, system, path);
		else if (*rest && g_pattern_match_simple(part, name))
			add_matching(text, system, path, next + (*next == '/'), patterns,
				     n);
	}
}

static void add_all(GString *text, const struct ks_system *system,
		    const char *const *dirs, size_t n_dirs, const char *const *patterns,
		    size_t n)
{
	for (size_t i = 0; i < n_dirs; i++)
		add_matching(text, system, "/usr", dirs[i] + strlen("/usr/"), patterns,
			     n);
}

static bool add_programs(GString *text, const struct ks_system *system,
			 const struct ks_kernel *kernel, struct ks_digest_cache *cache)
{
	g_auto(GStrv) paths = ks_kernel_list_programs(system, kernel);

	for (char **path = paths; *path; path++) {
		g_autofree char *digest = ks_digest_file(cache, *path, NULL);

		if (!digest)
			return false;
		g_string_append_printf(text, "%s %s\n", *path, digest);
	}
	return true;
}

static bool add_toolchain(GString *text, const struct ks_system *system,
			  const struct ks_kernel *kernel, struct ks_digest_cache *cache)
{
	if (!add_programs(text, system, kernel, cache))
		return false;
	add_all(text, system, gcc_dirs, G_N_ELEMENTS(gcc_dirs), gcc_files,
		G_N_ELEMENTS(gcc_files));
	add_all(text, system, library_dirs, G_N_ELEMENTS(library_dirs), libraries,
		G_N_ELEMENTS(libraries));
	return true;
}

char *ks_memo_key(const struct ks_system *system, struct ks_kernel *kernel,
		  struct ks_digest_cache *cache)
{
	g_autoptr(GString) text = g_string_new("probes " FORMAT "\n");
	g_autofree char *fingerprint =
		kernel->has_headers ? ks_kernel_fingerprint(system, kernel, cache, NULL)
				    : NULL;

	if (!fingerprint)
		return NULL;
	g_string_append_printf(text, "%s\n", fingerprint);
	if (!add_toolchain(text, system, kernel, cache))
		return NULL;
	return ks_digest_data(text->str, text->len);
}

char *ks_memo_toolchain_key(const struct ks_system *system,
			    const struct ks_kernel *kernel, struct ks_digest_cache *cache)
{
	g_autoptr(GString) text = g_string_new("toolchain " FORMAT "\n");

	/* a compiler of two architectures answers for one of them */
	g_string_append_printf(text, "%s\n", kernel->arch);
	if (!add_toolchain(text, system, kernel, cache))
		return NULL;
	return ks_digest_data(text->str, text->len);
}
