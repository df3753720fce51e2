/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The parts of a kernel that go into a module's bytes.
 *
 * Headers are thousands of files; they change only with the package that
 * brings them, whose version is in the generated version headers. The copy of
 * the configuration in /boot is left out: it comes with the image, and a build
 * before the image is there gives the same bytes.
 */
#include <string.h>

#include "core/kernel/arch.h"
#include "core/kernel/kernel-private.h"
#include "core/kernel/toolchain.h"
#include "core/support/error.h"

/* Raise it when the list below changes: every module is then built again. */
#define FINGERPRINT_VERSION "2"

/* Below headers_dir; a missing file is part of the fingerprint as missing. */
static const char *const header_files[] = {
	"Makefile",
	".kernelvariables",
	".config",
	"Module.symvers",
	"include/config/auto.conf",
	"include/generated/autoconf.h",
	"include/generated/compile.h",
	"include/generated/package.h",
	"include/generated/uapi/linux/version.h",
	"include/generated/utsrelease.h",
	"include/generated/utsversion.h",
	"include/linux/version.h",
	"scripts/Makefile.build",
};

/* By identity, as the compiler: they are programs of the headers' package. */
static const char *const header_programs[] = {
	"scripts/mod/modpost",
	"scripts/genksyms/genksyms",
	"tools/objtool/objtool",
	"scripts/module.lds",
};

static const char *const tools[] = {"as", "ld", "make", "pahole"};

static void add(GString *text, const char *label, const char *value)
{
	g_string_append_printf(text, "%s=%s\n", label, value ? value : "-");
}

static bool add_file(GString *text, struct ks_digest_cache *cache,
		     const struct ks_root *root, const char *dir, const char *name,
		     GError **error)
{
	g_autofree char *path = g_build_filename(dir, name, NULL);
	g_autofree char *digest = NULL;
	struct stat st;

	if (ks_root_stat(root, path, &st) && S_ISREG(st.st_mode)) {
		digest = ks_digest_file(cache, path, error);
		if (!digest)
			return false;
	}
	add(text, name, digest);
	return true;
}

static void add_program(GString *text, const struct ks_system *system, const char *label,
			const char *path)
{
	g_autofree char *identity =
		path ? ks_kernel_program_identity(system, path) : NULL;

	add(text, label, identity);
}

/* Without a cross compiler nothing, not even that there is none. */
static void add_cross_program(GString *text, const struct ks_system *system,
			      const char *cross, const char *name)
{
	g_autofree char *path = ks_kernel_tool_path(system, NULL);
	g_autofree char *full = cross ? g_strconcat(cross, name, NULL) : NULL;
	g_autofree char *tool = full ? ks_kernel_find_program(system, path, full) : NULL;

	if (tool)
		add_program(text, system, full, tool);
}

static void add_toolchain(GString *text, const struct ks_system *system,
			  const struct ks_kernel *kernel)
{
	g_autofree char *path = ks_kernel_tool_path(system, NULL);
	g_autofree char *compiler = NULL, *linker = NULL;
	g_autofree char *cross = NULL;
	struct ks_toolchain toolchain;

	ks_toolchain_find(system, kernel, path, &toolchain);
	cross = g_strdup(toolchain.cross);
	if (toolchain.cc)
		compiler = ks_kernel_find_program(system, path, toolchain.cc);
	if (toolchain.ld)
		linker = ks_kernel_find_program(system, path, toolchain.ld);
	ks_toolchain_clear(&toolchain);
	add_program(text, system, "compiler", compiler);
	add_program(text, system, "linker", linker);
	for (guint i = 0; i < G_N_ELEMENTS(tools); i++) {
		g_autofree char *tool = ks_kernel_find_program(system, path, tools[i]);

		add_cross_program(text, system, cross, tools[i]);
		add_program(text, system, tools[i], tool);
	}
	for (guint i = 0; i < G_N_ELEMENTS(header_programs); i++) {
		g_autofree char *program =
			g_build_filename(kernel->headers_dir, header_programs[i], NULL);

		add_program(text, system, header_programs[i], program);
	}
}

static void add_real_path(GPtrArray *paths, const struct ks_system *system, char *path)
{
	char *real = path ? ks_root_realpath(system->root, path) : NULL;

	g_free(path);
	if (real)
		g_ptr_array_add(paths, real);
}

char **ks_kernel_list_programs(const struct ks_system *system,
			       const struct ks_kernel *kernel)
{
	static const char *const binutils[] = {"as", "ld", "nm"};
	g_autofree char *path = ks_kernel_tool_path(system, NULL);
	GPtrArray *paths = g_ptr_array_new();
	struct ks_toolchain toolchain;

	ks_toolchain_find(system, kernel, path, &toolchain);
	if (toolchain.cc)
		add_real_path(paths, system,
			      ks_kernel_find_program(system, path, toolchain.cc));
	if (toolchain.ld)
		add_real_path(paths, system,
			      ks_kernel_find_program(system, path, toolchain.ld));
	for (guint i = 0; i < G_N_ELEMENTS(binutils); i++) {
		g_autofree char *name = g_strconcat(
			toolchain.cross ? toolchain.cross : "", binutils[i], NULL);

		add_real_path(paths, system, ks_kernel_find_program(system, path, name));
	}
	ks_toolchain_clear(&toolchain);
	g_ptr_array_add(paths, NULL);
	return (char **)g_ptr_array_free(paths, FALSE);
}

char *ks_kernel_fingerprint(const struct ks_system *system, struct ks_kernel *kernel,
			    struct ks_digest_cache *cache, GError **error)
{
	g_autoptr(GString) text = g_string_new("kernel " FINGERPRINT_VERSION "\n");
	g_autofree char *source = g_build_filename(kernel->modules_dir, "source", NULL);
	const struct ks_arch *arch = ks_arch_find(kernel->arch);

	if (!kernel->has_headers) {
		ks_error_set(error, KS_ERROR_HEADERS_MISSING,
			     "no headers of kernel '%s' at '%s%s'", kernel->release,
			     ks_root_prefix(system->root), kernel->headers_dir);
		return NULL;
	}
	add(text, "release", kernel->release);
	add(text, "arch", arch ? arch->names[0] : kernel->arch);
	for (guint i = 0; i < G_N_ELEMENTS(header_files); i++)
		if (!add_file(text, cache, system->root, kernel->headers_dir,
			      header_files[i], error))
			return NULL;
	if (!add_file(text, cache, system->root, source, "Makefile", error))
		return NULL;
	add_toolchain(text, system, kernel);
	return ks_digest_data(text->str, text->len);
}
