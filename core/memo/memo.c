/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memos: where they are, which is valid, and what one kernel's say for another. */
#include "core/memo/memo.h"

#include <string.h>

#include "core/memo/memo-private.h"
#include "core/jobs/wrapper.h"
#include "core/support/durable.h"
#include "core/support/treeop.h"

#define MAGIC	  "# kmodsmith probes "
#define MAX_BYTES (1u << 20)
/*
 * The memo was made from another kernel's: it does not have all questions of
 * its own headers.
 */
#define CARRIED "# from another kernel\n"

char *ks_memo_dir(const struct ks_system *system)
{
	return g_build_filename(system->state_dir, "probes", NULL);
}

static char *memo_path(const struct ks_system *system, const struct ks_kernel *kernel)
{
	return g_strdup_printf("%s/probes/%s-%s.mk", system->state_dir, kernel->release,
			       kernel->arch);
}

/* --- memos */

static char *make_header(const char *key, const char *body)
{
	g_autofree char *digest = ks_digest_data(body, strlen(body));

	return g_strdup_printf(MAGIC "%s %s\n", key, digest);
}

/* Only root can have written it: it decides how modules are compiled. */
static bool is_trusted(const struct ks_system *system, const char *path)
{
	struct stat st;

	return ks_root_lstat(system->root, path, &st) && S_ISREG(st.st_mode) &&
	       st.st_uid == geteuid() && !(st.st_mode & 022);
}

char *ks_memo_read(const struct ks_system *system, struct ks_kernel *kernel,
		   struct ks_digest_cache *cache)
{
	g_autofree char *path = memo_path(system, kernel);
	g_autofree char *text = NULL;
	g_autofree char *key = NULL;
	g_autofree char *header = NULL;
	const char *body;

	if (!is_trusted(system, path))
		return NULL;
	text = ks_root_read_file(system->root, path, MAX_BYTES, NULL, NULL);
	body = text ? strchr(text, '\n') : NULL;
	key = body ? ks_memo_key(system, kernel, cache) : NULL;
	if (!key)
		return NULL;
	header = make_header(key, body + 1);
	return g_str_has_prefix(text, header) ? g_strdup(body + 1) : NULL;
}

char *ks_memo_find(const struct ks_system *system, struct ks_kernel *kernel,
		   struct ks_digest_cache *cache, bool *is_whole)
{
	g_autofree char *text = ks_memo_read(system, kernel, cache);

	if (is_whole)
		*is_whole = text && !g_str_has_prefix(text, CARRIED);
	return text ? memo_path(system, kernel) : NULL;
}

bool ks_memo_write(const struct ks_system *system, const struct ks_kernel *kernel,
		   const char *key, const char *fragment, GError **error)
{
	g_autofree char *dir = ks_memo_dir(system);
	g_autofree char *path = memo_path(system, kernel);
	g_autofree char *header = make_header(key, fragment);
	g_autofree char *text = g_strconcat(header, fragment, NULL);

	return ks_root_mkdir_p(system->root, dir, 0755, error) &&
	       ks_durable_write(system->root, path, text, strlen(text), 0644, error);
}

/*
 * The answers of a valid memo of another kernel that the same programs compile,
 * or NULL.
 */
static char *find_answers(const struct ks_system *system, const struct ks_kernel *kernel,
			  GPtrArray *kernels, struct ks_digest_cache *cache)
{
	g_autofree char *key = ks_memo_toolchain_key(system, kernel, cache);

	for (guint i = 0; key && i < kernels->len; i++) {
		struct ks_kernel *other = kernels->pdata[i];
		g_autofree char *memo =
			other != kernel ? ks_memo_read(system, other, cache) : NULL;
		g_autofree char *other_key =
			memo ? ks_memo_toolchain_key(system, other, cache) : NULL;

		if (g_strcmp0(key, other_key) == 0)
			return ks_memo_text_carry(memo);
	}
	return NULL;
}

bool ks_memo_carry(const struct ks_system *system, struct ks_kernel *kernel,
		   GPtrArray *kernels, struct ks_digest_cache *cache)
{
	struct ks_memo_scope scope = {0};
	g_autofree char *answers = find_answers(system, kernel, kernels, cache);
	g_autofree char *key = answers ? ks_memo_key(system, kernel, cache) : NULL;
	g_autofree char *memo = NULL;
	g_autofree char *fragment = NULL;

	if (key && ks_memo_scope_find(system, kernel, &scope))
		memo = ks_memo_text_make(&scope, answers);
	ks_memo_scope_clear(&scope);
	fragment = memo ? g_strconcat(CARRIED, memo, NULL) : NULL;
	return fragment && ks_memo_write(system, kernel, key, fragment, NULL);
}

void ks_memo_sweep(const struct ks_system *system, GPtrArray *kernels)
{
	g_autofree char *dir = ks_memo_dir(system);
	g_autoptr(GPtrArray) names = ks_root_list(system->root, dir, NULL);

	for (guint i = 0; names && i < names->len; i++) {
		g_autofree char *path = g_build_filename(dir, names->pdata[i], NULL);
		bool is_known = false;

		for (guint j = 0; j < kernels->len && !is_known; j++) {
			g_autofree char *memo = memo_path(system, kernels->pdata[j]);

			is_known = g_str_equal(memo, path);
		}
		if (!is_known)
			ks_ignore(ks_treeop_remove(system->root, path, NULL));
	}
}

/* --- what the headers ask with */

bool ks_memo_is_plain_path(const char *path)
{
	for (const char *p = path; *p; p++)
		if (!g_ascii_isalnum(*p) && !strchr("/._+-:@~", *p))
			return false;
	return *path == '/';
}

static void add_directory(GPtrArray *directories, const struct ks_system *system,
			  const char *dir, const char *name)
{
	g_autofree char *path = g_build_filename(dir, name, NULL);
	g_autofree char *real = ks_root_realpath(system->root, path);

	if (real && ks_memo_is_plain_path(real) &&
	    !g_ptr_array_find_with_equal_func(directories, real, g_str_equal, NULL))
		g_ptr_array_add(directories, g_steal_pointer(&real));
}

static char *read_try_run(const struct ks_system *system, char **directories)
{
	static const char *const files[] = {"scripts/Makefile.compiler",
					    "scripts/Kbuild.include"};

	for (; *directories; directories++) {
		for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
			g_autofree char *path =
				g_build_filename(*directories, files[i], NULL);
			g_autofree char *text = ks_root_read_file(system->root, path,
								  MAX_BYTES, NULL, NULL);
			char *found = text ? ks_memo_text_find_try_run(text) : NULL;

			if (found)
				return found;
		}
	}
	return NULL;
}

bool ks_memo_scope_find(const struct ks_system *system, const struct ks_kernel *kernel,
			struct ks_memo_scope *scope)
{
	GPtrArray *directories = g_ptr_array_new();

	add_directory(directories, system, kernel->headers_dir, "");
	add_directory(directories, system, kernel->headers_dir, "source");
	add_directory(directories, system, kernel->modules_dir, "source");
	g_ptr_array_add(directories, NULL);
	scope->directories = (char **)g_ptr_array_free(directories, FALSE);
	scope->path = ks_wrapper_path(system, NULL);
	scope->try_run = read_try_run(system, scope->directories);
	return scope->try_run && ks_memo_is_plain_path(scope->path) &&
	       *scope->directories;
}

void ks_memo_scope_clear(struct ks_memo_scope *scope)
{
	g_strfreev(scope->directories);
	g_free(scope->path);
	g_free(scope->try_run);
}
