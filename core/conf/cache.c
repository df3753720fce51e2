/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Only root, who evaluates in the sandbox, can store; a plain user's "status"
 * takes what root left.
 */
#include <stdint.h>
#include <string.h>
#include <sys/utsname.h>

#include "core/conf/dump.h"
#include "core/conf/evaluate.h"
#include "core/support/digest.h"
#include "core/support/durable.h"

/* Count up when the same inputs begin to give another result. */
#define CACHE_MAGIC	"kmodsmith-conf 1"
#define MAX_CACHE_BYTES (16u << 20)

static void put(GString *text, const char *key, const char *value)
{
	g_string_append_printf(text, "%s %zu %s\n", key, strlen(value), value);
}

static void put_stat(GString *text, const struct ks_root *root, const char *path)
{
	struct stat st;

	if (!ks_root_stat(root, path, &st)) {
		g_string_append_printf(text, "none %s\n", path);
		return;
	}
	g_string_append_printf(text, "stat %s %ju %ju %jd %jd.%09ld %jd.%09ld\n", path,
			       (uintmax_t)st.st_dev, (uintmax_t)st.st_ino,
			       (intmax_t)st.st_size, (intmax_t)st.st_mtim.tv_sec,
			       st.st_mtim.tv_nsec, (intmax_t)st.st_ctim.tv_sec,
			       st.st_ctim.tv_nsec);
}

/* What a conf may read in its own directory: a VERSION file, a generated header. */
static void put_source(GString *text, const struct ks_evaluation *evaluation)
{
	const struct ks_root *root = evaluation->system->root;
	g_autoptr(GPtrArray) names = ks_root_list(root, evaluation->source_dir, NULL);

	for (guint i = 0; names && i < names->len; i++) {
		g_autofree char *path =
			g_build_filename(evaluation->source_dir, names->pdata[i], NULL);

		put_stat(text, root, path);
	}
}

static void put_kernel(GString *text, const struct ks_evaluation *evaluation)
{
	const struct ks_root *root = evaluation->system->root;
	const struct ks_kernel *kernel = evaluation->kernel;
	g_autofree char *dot_config = NULL, *auto_conf = NULL, *boot = NULL;
	struct utsname names;

	/* $(uname -r), $(uname -m) */
	if (uname(&names) == 0) {
		put(text, "running", names.release);
		put(text, "machine", names.machine);
	}
	if (!kernel)
		return;
	dot_config = g_build_filename(kernel->headers_dir, ".config", NULL);
	auto_conf =
		g_build_filename(kernel->headers_dir, "include/config/auto.conf", NULL);
	boot = g_strconcat("/boot/config-", kernel->release, NULL);
	put_stat(text, root, kernel->headers_dir);
	put_stat(text, root, dot_config);
	put_stat(text, root, auto_conf);
	put_stat(text, root, boot);
	if (kernel->config_path)
		put_stat(text, root, kernel->config_path);
}

static char *make_key(const struct ks_evaluation *evaluation)
{
	g_autoptr(GString) text = g_string_new(CACHE_MAGIC "\n");
	ks_auto(ks_vars) base = ks_evaluation_base(evaluation);
	g_autoptr(GPtrArray) names = ks_vars_names(base);

	for (guint i = 0; i < names->len; i++) {
		put(text, "name", names->pdata[i]);
		put(text, "value", ks_vars_get(base, names->pdata[i], 0));
	}
	for (guint i = 0; i < evaluation->files->len; i++) {
		const struct ks_conf_file *file = evaluation->files->pdata[i];

		put(text, "path", file->path);
		put(text, "text", file->text);
	}
	put_source(text, evaluation);
	put_kernel(text, evaluation);
	return ks_digest_data(text->str, text->len);
}

/* One place for a source and a kernel: an edited conf takes over its predecessor's. */
static char *make_path(const struct ks_evaluation *evaluation)
{
	const struct ks_kernel *kernel = evaluation->kernel;
	g_autofree char *slot = g_strdup_printf(
		"%s\n%s\n%s\n%s\n%s", evaluation->source_dir, evaluation->name,
		evaluation->version, kernel ? kernel->release : "", evaluation->arch);
	g_autofree char *digest = ks_digest_data(slot, strlen(slot));

	return g_build_filename(evaluation->system->state_dir, "cache/conf", digest,
				NULL);
}

bool ks_conf_cache_load(struct ks_evaluation *evaluation)
{
	g_autofree char *path = make_path(evaluation);
	char *key = evaluation->cache_key = make_key(evaluation);
	g_autofree char *data = NULL;
	ks_auto(ks_vars) read = NULL;
	size_t size_bytes, length;

	data = ks_root_read_file(evaluation->system->root, path, MAX_CACHE_BYTES,
				 &size_bytes, NULL);
	if (!data)
		return false;
	length = strlen(key);
	if (size_bytes <= length || memcmp(data, key, length + 1) != 0)
		return false;
	g_ptr_array_set_size(evaluation->kept, 0);
	g_ptr_array_set_size(evaluation->notes, 0);
	read = ks_dump_parse(data + length + 1, size_bytes - length - 1, evaluation->kept,
			     evaluation->notes);
	if (!read)
		return false;
	evaluation->vars = g_steal_pointer(&read);
	return true;
}

void ks_conf_cache_store(const struct ks_evaluation *evaluation)
{
	const struct ks_system *system = evaluation->system;
	g_autofree char *path = make_path(evaluation);
	g_autofree char *dir = g_path_get_dirname(path);
	g_autoptr(GString) data = NULL;

	/* nothing is made where kmodsmith keeps no state yet */
	if (!ks_root_exists(system->root, system->state_dir) ||
	    !ks_root_mkdir_p(system->root, dir, 0755, NULL))
		return;
	data = g_string_new(evaluation->cache_key);
	g_string_append_c(data, '\0');
	ks_dump_append(data, evaluation->vars, evaluation->kept, evaluation->notes);
	ks_durable_write(system->root, path, data->str, data->len, 0644, NULL);
}
