/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Only root, who evaluates in the sandbox, can store; a plain user's "status"
 * uses root's results.
 */
#include <stdint.h>
#include <string.h>
#include <sys/utsname.h>

#include "core/shell/dump.h"
#include "core/shell/evaluate.h"
#include "core/platform/digest.h"
#include "core/support/durable.h"
#include "core/support/error.h"

/* Count up when the same inputs begin to give another result. */
#define CACHE_MAGIC	"kmodsmith-conf 1"
#define MAX_CACHE_BYTES (16u << 20)
/* Stands in the place of a result's first variable. */
#define FAILED "failed"

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

/* Files that a conf may read in its own directory: a VERSION file, a generated header. */
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
	const struct ks_vars *base = evaluation->base;
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

static const char *const remembered = " (remembered until the file changes)";

/*
 * FILE NUL MESSAGE NUL, the parts of FILE:MESSAGE: the label is the path of the
 * file for this process, which differs for one with another root directory.
 */
static bool parse_failure(const struct ks_evaluation *evaluation, const char *data,
			  size_t size_bytes, GError **error)
{
	size_t length = strnlen(data, size_bytes);
	const char *message = data + length + 1;
	guint64 index;

	/* the text has a NUL after it, wherever it was cut off */
	if (length + 1 >= size_bytes || data[size_bytes - 1] != '\0' ||
	    strlen(message) != size_bytes - length - 2 ||
	    !g_utf8_validate(message, -1, NULL) ||
	    !g_ascii_string_to_unsigned(data, 10, 0, evaluation->files->len - 1, &index,
					NULL))
		return false;
	const struct ks_conf_file *file = evaluation->files->pdata[index];
	ks_error_set(error, KS_ERROR_INVALID, "%s%s%s", file->label, message, remembered);
	return true;
}

/* The answer after the key. */
static bool parse_answer(struct ks_evaluation *evaluation, const char *data,
			 size_t size_bytes, GError **error)
{
	size_t length = sizeof(FAILED);

	if (size_bytes > length && memcmp(data, FAILED, length) == 0)
		return parse_failure(evaluation, data + length, size_bytes - length,
				     error);
	g_ptr_array_set_size(evaluation->kept, 0);
	g_ptr_array_set_size(evaluation->notes, 0);
	evaluation->vars = ks_dump_parse(data, size_bytes, evaluation->known,
					 evaluation->kept, evaluation->notes);
	return evaluation->vars != NULL;
}

bool ks_conf_cache_load(struct ks_evaluation *evaluation, GError **error)
{
	g_autofree char *path = make_path(evaluation);
	char *key = evaluation->cache_key = make_key(evaluation);
	g_autofree char *data = NULL;
	size_t size_bytes, length;

	data = ks_root_read_file(evaluation->system->root, path, MAX_CACHE_BYTES,
				 &size_bytes, NULL);
	if (!data)
		return false;
	length = strlen(key);
	if (size_bytes <= length || memcmp(data, key, length + 1) != 0)
		return false;
	return parse_answer(evaluation, data + length + 1, size_bytes - length - 1,
			    error);
}

static bool write_answer(const struct ks_evaluation *evaluation, const GString *data)
{
	const struct ks_system *system = evaluation->system;
	g_autofree char *path = make_path(evaluation);
	g_autofree char *dir = g_path_get_dirname(path);

	/* nothing is made where kmodsmith keeps no state yet */
	return ks_root_exists(system->root, system->state_dir) &&
	       ks_root_mkdir_p(system->root, dir, 0755, NULL) &&
	       ks_durable_write(system->root, path, data->str, data->len, 0644, NULL);
}

/* The key, and the NUL after it. */
static GString *begin_answer(const struct ks_evaluation *evaluation)
{
	GString *data = g_string_new(evaluation->cache_key);

	g_string_append_c(data, '\0');
	return data;
}

void ks_conf_cache_store(const struct ks_evaluation *evaluation)
{
	g_autoptr(GString) data = begin_answer(evaluation);

	ks_dump_append(data, evaluation->vars, evaluation->known, evaluation->kept,
		       evaluation->notes);
	write_answer(evaluation, data);
}

/* The file that message begins with; false when it begins with none. */
static bool find_file(const struct ks_evaluation *evaluation, const char *message,
		      guint *index)
{
	for (*index = 0; *index < evaluation->files->len; ++*index) {
		const struct ks_conf_file *file = evaluation->files->pdata[*index];

		if (g_str_has_prefix(message, file->label) &&
		    message[strlen(file->label)] == ':')
			return true;
	}
	return false;
}

void ks_conf_cache_store_failure(const struct ks_evaluation *evaluation, GError *failure)
{
	g_autoptr(GString) data = begin_answer(evaluation);
	const struct ks_conf_file *file;
	char *message;
	guint index;

	if (!find_file(evaluation, failure->message, &index))
		return;
	file = evaluation->files->pdata[index];
	g_string_append_len(data, FAILED, sizeof(FAILED));
	g_string_append_printf(data, "%u", index);
	g_string_append_c(data, '\0');
	g_string_append(data, failure->message + strlen(file->label));
	g_string_append_c(data, '\0');
	if (!write_answer(evaluation, data))
		return;
	message = g_strconcat(failure->message, remembered, NULL);
	g_free(failure->message);
	failure->message = message;
}
