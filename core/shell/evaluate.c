/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/shell/evaluate.h"

#include <string.h>

#include "core/shell/bash.h"
#include "core/shell/native.h"
#include "core/support/error.h"

static void file_free(struct ks_conf_file *file)
{
	g_free(file->path);
	g_free(file->label);
	g_free(file->text);
	g_free(file);
}

static char *make_label(const struct ks_evaluation *evaluation, const char *path)
{
	g_autofree char *host = ks_root_host_path(evaluation->system->root, path);
	char *label = g_utf8_make_valid(host, -1);

	for (char *p = label; *p; p++)
		if (g_ascii_iscntrl(*p))
			*p = '?';
	return label;
}

static bool check_text(const struct ks_conf_file *file, size_t size_bytes, GError **error)
{
	const char *nul = memchr(file->text, '\0', size_bytes);
	unsigned int line = 1;

	if (size_bytes == 0) {
		ks_error_set(error, KS_ERROR_INVALID, "%s:1: it is empty", file->label);
		return false;
	}
	if (!nul)
		return true;
	for (const char *p = file->text; p < nul; p++)
		line += *p == '\n';
	ks_error_set(error, KS_ERROR_INVALID, "%s:%u: it is not text: a zero byte",
		     file->label, line);
	return false;
}

/* "cannot read 'PATH': CAUSE": the message has the path as its label already. */
static const char *without_path(const struct ks_evaluation *evaluation, const char *path,
				const char *message)
{
	g_autofree char *host = ks_root_host_path(evaluation->system->root, path);
	g_autofree char *head = g_strdup_printf("cannot read '%s': ", host);

	return g_str_has_prefix(message, head) ? message + strlen(head) : message;
}

bool ks_evaluation_add_file(struct ks_evaluation *evaluation, const char *path,
			    GError **error)
{
	struct ks_conf_file *file = g_new0(struct ks_conf_file, 1);
	g_autoptr(GError) cause = NULL;
	size_t size_bytes;

	if (!evaluation->files)
		evaluation->files =
			g_ptr_array_new_with_free_func((GDestroyNotify)file_free);
	g_ptr_array_add(evaluation->files, file);
	file->path = g_strdup(path);
	file->label = make_label(evaluation, path);
	file->text = ks_root_read_file(evaluation->system->root, path, KS_CONF_MAX_BYTES,
				       &size_bytes, &cause);
	if (file->text)
		return check_text(file, size_bytes, error);
	if (g_error_matches(cause, KS_ERROR, KS_ERROR_INVALID))
		ks_error_set(error, KS_ERROR_INVALID, "%s:1: %s", file->label,
			     without_path(evaluation, path, cause->message));
	else
		g_propagate_error(error, g_steal_pointer(&cause));
	return false;
}

static bool too_much(struct ks_evaluation *evaluation, const struct ks_conf_file *file,
		     const struct ks_native_report *report, GError **error)
{
	evaluation->failure_lasts = true;
	ks_error_set(error, KS_ERROR_INVALID, "%s:%u: %s", file->label,
		     report->line ? report->line : 1, report->why);
	return false;
}

/* The source as bash's user can read it, and the file in it. */
static bool show_to_bash(struct ks_evaluation *evaluation,
			 const struct ks_conf_file *file, struct ks_bash_input *input,
			 char **path, GError **error)
{
	if (!evaluation->view)
		evaluation->view =
			evaluation->is_plain_dir
				? ks_conf_view_open_plain(evaluation->system,
							  evaluation->source_dir)
				: ks_conf_view_open(evaluation->system,
						    evaluation->source_dir, error);
	if (evaluation->view && !*path)
		*path = ks_conf_view_file(evaluation->view, file->path, file->text,
					  error);
	if (!evaluation->view || !*path) {
		g_prefix_error(error, "%s:1: ", file->label);
		return false;
	}
	input->view = evaluation->view;
	return true;
}

/*
 * One file, both evaluations; *vars is replaced. Where bash is needed and not
 * allowed, false without an error.
 */
static bool evaluate_file(struct ks_evaluation *evaluation,
			  const struct ks_conf_file *file, bool allow_bash,
			  struct ks_vars **vars, GError **error)
{
	const struct ks_system *system = evaluation->system;
	struct ks_bash_input input = {.label = file->label,
				      .sandbox = evaluation->sandbox,
				      .before = *vars,
				      .known = evaluation->known};
	struct ks_native_report report;
	guint n_kept = evaluation->kept->len;
	g_autofree char *path = NULL;
	ks_auto(ks_vars) first = ks_native_source(file->text, *vars, &report);
	struct ks_vars *second;

	if (!first && report.verdict == KS_NATIVE_TOO_MUCH)
		return too_much(evaluation, file, &report, error);
	if (!first && allow_bash &&
	    show_to_bash(evaluation, file, &input, &path, error)) {
		input.file = path;
		first = ks_bash_run(system, &input, NULL, evaluation->notes,
				    &evaluation->failure_lasts, error);
	}
	if (!first)
		return false;
	second = ks_native_again(first, *vars, evaluation->known, evaluation->kept,
				 &report);
	if (!second && report.verdict == KS_NATIVE_TOO_MUCH)
		return too_much(evaluation, file, &report, error);
	if (!second && allow_bash &&
	    show_to_bash(evaluation, file, &input, &path, error)) {
		g_ptr_array_set_size(evaluation->kept, n_kept);
		input.file = NULL;
		input.first = first;
		second = ks_bash_run(system, &input, evaluation->kept, evaluation->notes,
				     &evaluation->failure_lasts, error);
	}
	if (!second)
		return false;
	ks_vars_free(*vars);
	*vars = second;
	return true;
}

static bool evaluate_all(struct ks_evaluation *evaluation, bool allow_bash,
			 GError **error)
{
	ks_auto(ks_vars) vars = ks_vars_copy(evaluation->base);

	g_ptr_array_set_size(evaluation->kept, 0);
	g_ptr_array_set_size(evaluation->notes, 0);
	for (guint i = 0; i < evaluation->files->len; i++) {
		if (!evaluate_file(evaluation, evaluation->files->pdata[i], allow_bash,
				   &vars, error))
			return false;
	}
	evaluation->vars = g_steal_pointer(&vars);
	return true;
}

bool ks_evaluation_run(struct ks_evaluation *evaluation, GError **error)
{
	g_autoptr(GError) cause = NULL;

	evaluation->kept = g_ptr_array_new_with_free_func(g_free);
	evaluation->notes = g_ptr_array_new_with_free_func(g_free);
	if (evaluate_all(evaluation, false, &cause))
		return true;
	if (cause) {
		g_propagate_error(error, g_steal_pointer(&cause));
		return false;
	}
	if (ks_conf_cache_load(evaluation, error))
		return evaluation->vars != NULL;
	if (!evaluate_all(evaluation, true, &cause)) {
		if (evaluation->failure_lasts)
			ks_conf_cache_store_failure(evaluation, cause);
		g_propagate_error(error, g_steal_pointer(&cause));
		return false;
	}
	ks_conf_cache_store(evaluation);
	return true;
}

void ks_evaluation_clear(struct ks_evaluation *evaluation)
{
	g_clear_pointer(&evaluation->base, ks_vars_free);
	g_clear_pointer(&evaluation->files, g_ptr_array_unref);
	g_clear_pointer(&evaluation->vars, ks_vars_free);
	g_clear_pointer(&evaluation->kept, g_ptr_array_unref);
	g_clear_pointer(&evaluation->notes, g_ptr_array_unref);
	g_clear_pointer(&evaluation->view, ks_conf_view_close);
	g_clear_pointer(&evaluation->cache_key, g_free);
}

/* Does an assignment to NAME[index] begin here? */
static bool is_assignment(const char *p, const char *name, guint index)
{
	size_t length = strlen(name);
	char *end;

	if (strncmp(p, name, length) != 0)
		return false;
	p += length;
	if (*p == '[') {
		if (strtoul(p + 1, &end, 10) != index || end == p + 1 || *end != ']')
			return false;
		p = end + 1;
	} else if (index && p[0] != '=' && p[1] != '(') {
		return false;
	}
	return *p == '=' || (p[0] == '+' && p[1] == '=');
}

void ks_evaluation_locate(const struct ks_evaluation *evaluation, const char *name,
			  guint index, const char **label, unsigned int *line)
{
	const struct ks_conf_file *first = evaluation->files->pdata[0];

	*label = first->label;
	*line = 1;
	for (guint i = 0; i < evaluation->files->len; i++) {
		const struct ks_conf_file *file = evaluation->files->pdata[i];
		unsigned int n = 1;

		for (const char *p = file->text; *p; p++) {
			bool begins = p == file->text || strchr(" \t\n;", p[-1]);

			if (begins && is_assignment(p, name, index)) {
				*label = file->label;
				*line = n;
			}
			n += *p == '\n';
		}
	}
}
