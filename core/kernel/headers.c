/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All of a kernel's headers as one digest, without what names this kernel alone. */
#include <string.h>

#include "core/kernel/kernel.h"
#include "core/support/error.h"

#define MAX_FILE_BYTES (64u << 20)
#define MAX_ENTRIES    200000
#define MAX_DEPTH      32

/* Below headers_dir: whatever they say, no two kernels say the same. */
static const char *const own_files[] = {
	"Module.symvers",
	"System.map",
	"include/generated/compile.h",
	"include/generated/package.h",
	"include/generated/rustc_cfg",
	"include/generated/utsrelease.h",
	"include/generated/utsversion.h",
};

/* Likewise, with the kernel's release and directories taken out. */
static const char *const named_files[] = {
	".config",
	".kernelvariables",
	"Makefile",
	"include/config/auto.conf",
	"include/config/kernel.release",
	"include/generated/autoconf.h",
};

/* What compiles, of the programs and scripts that come with headers. */
static const char *const programs[] = {
	"scripts/basic/fixdep",
	"scripts/genksyms/genksyms",
	"scripts/recordmcount",
	"tools/objtool/objtool",
};

struct digesting {
	const struct ks_system *system;
	const struct ks_kernel *kernel;
	char **dirs;
	GChecksum *checksum; /* NULL: only the times are asked for */
	guint n_entries;
	gint64 changed_us;
};

static bool is_one_of(const char *name, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

static void note_time(struct digesting *digesting, const struct stat *st)
{
	const gint64 changed_us =
		st->st_ctim.tv_sec * G_USEC_PER_SEC + st->st_ctim.tv_nsec / 1000;

	digesting->changed_us = MAX(digesting->changed_us, changed_us);
}

static void add(struct digesting *digesting, const char *what, const char *data,
		size_t size)
{
	g_autofree char *head = NULL;

	if (!digesting->checksum)
		return;
	head = g_strdup_printf("%s %zu\n", what, size);
	g_checksum_update(digesting->checksum, (const guchar *)head,
			  (gssize)strlen(head));
	g_checksum_update(digesting->checksum, (const guchar *)data, (gssize)size);
}

static char *take_names_out(const struct digesting *digesting, const char *text)
{
	g_autoptr(GString) plain = g_string_new(text);

	for (char **dir = digesting->dirs; *dir; dir++)
		g_string_replace(plain, *dir, "@DIRECTORY@", 0);
	g_string_replace(plain, digesting->kernel->release, "@RELEASE@", 0);
	return g_string_free(g_steal_pointer(&plain), FALSE);
}

static bool add_file(struct digesting *digesting, const char *path, const char *name,
		     bool is_named, GError **error)
{
	size_t size;
	g_autofree char *data = NULL;
	g_autofree char *plain = NULL;

	if (!digesting->checksum)
		return true;
	data = ks_root_read_file(digesting->system->root, path, MAX_FILE_BYTES, &size,
				 error);
	if (!data)
		return false;
	plain = is_named ? take_names_out(digesting, data) : NULL;
	add(digesting, name, plain ? plain : data, plain ? strlen(plain) : size);
	return true;
}

static bool add_tree(struct digesting *digesting, const char *dir, const char *below,
		     bool is_own, guint depth, GError **error);

static bool add_entry(struct digesting *digesting, const char *dir, const char *name,
		      bool is_own, guint depth, GError **error)
{
	g_autofree char *path = g_build_filename(dir, name, NULL);
	struct stat st;

	if (is_own && is_one_of(name, own_files, G_N_ELEMENTS(own_files)))
		return true;
	if (++digesting->n_entries > MAX_ENTRIES ||
	    !ks_root_lstat(digesting->system->root, path, &st)) {
		ks_error_set(error, KS_ERROR_INVALID,
			     "'%s' cannot be read, or has too many files", path);
		return false;
	}
	note_time(digesting, &st);
	if (S_ISREG(st.st_mode))
		return add_file(
			digesting, path, name,
			is_own && is_one_of(name, named_files, G_N_ELEMENTS(named_files)),
			error);
	if (S_ISLNK(st.st_mode)) {
		g_autofree char *text = ks_root_readlink(digesting->system->root, path);
		g_autofree char *plain = take_names_out(digesting, text ? text : "");

		add(digesting, name, plain, strlen(plain));
		return true;
	}
	add(digesting, name, "/", 1);
	return !S_ISDIR(st.st_mode) ||
	       add_tree(digesting, dir, name, is_own, depth + 1, error);
}

/* below is the part of the path that is told: "" at the top. */
static bool add_tree(struct digesting *digesting, const char *dir, const char *below,
		     bool is_own, guint depth, GError **error)
{
	g_autofree char *full = g_build_filename(dir, below, NULL);
	g_autoptr(GPtrArray) names = ks_root_list(digesting->system->root, full, error);
	struct stat st;

	if (!names)
		return false;
	/* what was removed is told by the directory alone */
	if (ks_root_stat(digesting->system->root, full, &st))
		note_time(digesting, &st);
	if (depth > MAX_DEPTH) {
		ks_error_set(error, KS_ERROR_INVALID, "'%s' lies too deep", full);
		return false;
	}
	for (guint i = 0; i < names->len; i++) {
		g_autofree char *name =
			*below ? g_build_filename(below, names->pdata[i], NULL)
			       : g_strdup(names->pdata[i]);

		if (!add_entry(digesting, dir, name, is_own, depth, error))
			return false;
	}
	return true;
}

static bool add_program(struct digesting *digesting, const char *path, const char *name,
			GError **error)
{
	struct stat st;

	if (!ks_root_stat(digesting->system->root, path, &st) || !S_ISREG(st.st_mode))
		return true;
	note_time(digesting, &st);
	return add_file(digesting, path, name, false, error);
}

/* Debian's lie behind a link, and are those of all kernels of a series. */
static bool add_programs(struct digesting *digesting, GError **error)
{
	const struct ks_root *root = digesting->system->root;
	g_autofree char *scripts = g_build_filename(digesting->dirs[0], "scripts", NULL);
	g_autoptr(GPtrArray) names = ks_root_list(root, scripts, error);

	for (guint i = 0; names && i < names->len; i++) {
		g_autofree char *path = g_build_filename(scripts, names->pdata[i], NULL);

		if (!add_program(digesting, path, names->pdata[i], error))
			return false;
	}
	for (size_t i = 0; names && i < G_N_ELEMENTS(programs); i++) {
		g_autofree char *path =
			g_build_filename(digesting->dirs[0], programs[i], NULL);

		if (!add_program(digesting, path, programs[i], error))
			return false;
	}
	return names != NULL;
}

char **ks_kernel_list_headers(const struct ks_system *system,
			      const struct ks_kernel *kernel)
{
	g_autofree char *build = g_build_filename(kernel->modules_dir, "build", NULL);
	g_autofree char *source = g_build_filename(kernel->modules_dir, "source", NULL);
	g_autofree char *real = ks_root_realpath(system->root, build);
	g_autofree char *real_source = ks_root_realpath(system->root, source);
	GPtrArray *dirs;

	if (!real || strcmp(build, kernel->headers_dir) != 0)
		return NULL;
	dirs = g_ptr_array_new();
	g_ptr_array_add(dirs, g_strdup(real));
	g_ptr_array_add(dirs, g_strdup(real_source ? real_source : real));
	g_ptr_array_add(dirs, g_steal_pointer(&build));
	g_ptr_array_add(dirs, g_steal_pointer(&source));
	g_ptr_array_add(dirs, NULL);
	return (char **)g_ptr_array_free(dirs, FALSE);
}

static bool add_all(struct digesting *digesting, GError **error)
{
	char *const *dirs = digesting->dirs;
	g_autofree char *image = dirs ? g_build_filename(dirs[0], "vmlinux", NULL) : NULL;

	if (!dirs || ks_root_exists(digesting->system->root, image)) {
		ks_error_set(error, KS_ERROR_INVALID,
			     "the headers of '%s' are not of a known kind",
			     digesting->kernel->release);
		return false;
	}
	return add_tree(digesting, dirs[0], "", true, 0, error) &&
	       (strcmp(dirs[0], dirs[1]) == 0 ||
		add_tree(digesting, dirs[1], "", false, 0, error)) &&
	       add_programs(digesting, error);
}

char *ks_kernel_headers_digest(const struct ks_system *system,
			       const struct ks_kernel *kernel, GError **error)
{
	g_auto(GStrv) dirs = ks_kernel_list_headers(system, kernel);
	g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
	struct digesting digesting = {
		.system = system, .kernel = kernel, .dirs = dirs, .checksum = checksum};

	return add_all(&digesting, error) ? g_strdup(g_checksum_get_string(checksum))
					  : NULL;
}

gint64 ks_kernel_headers_changed_us(const struct ks_system *system,
				    const struct ks_kernel *kernel)
{
	g_auto(GStrv) dirs = ks_kernel_list_headers(system, kernel);
	struct digesting digesting = {.system = system, .kernel = kernel, .dirs = dirs};

	return add_all(&digesting, NULL) ? digesting.changed_us : G_MAXINT64;
}
