/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The journal's text, and its one file. */
#include "core/install/journal.h"

#include <errno.h>
#include <string.h>

#include "core/install/fault.h"
#include "core/support/durable.h"
#include "core/support/error.h"

#define MAGIC	   "kmodsmith-journal 1"
#define SHA256_HEX 64

ks_install_fault_func ks_install_fault;

static void step_free(gpointer data)
{
	struct ks_journal_step *step = data;

	g_free(step->path);
	g_free(step->sha256);
	g_free(step->link);
	g_free(step);
}

struct ks_journal *ks_journal_new(const char *base)
{
	struct ks_journal *journal = g_new0(struct ks_journal, 1);

	journal->state = KS_JOURNAL_INTENT;
	journal->base = g_strdup(base);
	journal->steps = g_ptr_array_new_with_free_func(step_free);
	return journal;
}

void ks_journal_free(struct ks_journal *journal)
{
	if (!journal)
		return;
	g_free(journal->base);
	g_ptr_array_unref(journal->steps);
	g_free(journal);
}

void ks_journal_add(struct ks_journal *journal, enum ks_journal_kind kind,
		    const char *path, const char *sha256)
{
	struct ks_journal_step *step = g_new0(struct ks_journal_step, 1);

	step->kind = kind;
	step->path = g_strdup(path);
	step->sha256 = g_strdup(sha256);
	g_ptr_array_add(journal->steps, step);
}

void ks_journal_add_link(struct ks_journal *journal, enum ks_journal_kind kind,
			 const char *path, const char *link)
{
	struct ks_journal_step *step;

	ks_journal_add(journal, kind, path, NULL);
	step = g_ptr_array_index(journal->steps, journal->steps->len - 1);
	step->link = g_strdup(link);
}

/* "/a/b": no empty, "." or ".." component, no slash at the end. */
static bool is_plain_path(const char *path)
{
	if (*path != '/')
		return false;
	while (*path) {
		size_t n = strcspn(++path, "/");

		if (n == 0 || (n == 1 && path[0] == '.') ||
		    (n == 2 && !strncmp(path, "..", 2)))
			return false;
		path += n;
	}
	return true;
}

bool ks_journal_is_path_below(const char *path, const char *base)
{
	size_t n = strlen(base);
	const char *name = strrchr(path, '/');

	return is_plain_path(base) && is_plain_path(path) && !strncmp(path, base, n) &&
	       path[n] == '/' && name[1] != '.';
}

static void append_escaped(GString *text, const char *path, char end)
{
	for (; *path; path++) {
		unsigned char c = (unsigned char)*path;

		if (c < 0x20 || c == 0x7f || c == '%' || *path == end)
			g_string_append_printf(text, "%%%02X", c);
		else
			g_string_append_c(text, *path);
	}
	g_string_append_c(text, end);
}

/* NULL for a malformed escape or an escaped NUL. */
static char *unescape(const char *text)
{
	g_autofree char *path = g_malloc(strlen(text) + 1);
	char *to = path;

	for (; *text; text++) {
		int high, low;

		if (*text != '%') {
			*to++ = *text;
			continue;
		}
		high = g_ascii_xdigit_value(text[1]);
		low = high < 0 ? -1 : g_ascii_xdigit_value(text[2]);
		if (low < 0 || (high == 0 && low == 0))
			return NULL;
		*to++ = (char)(high << 4 | low);
		text += 2;
	}
	*to = '\0';
	return g_steal_pointer(&path);
}

char *ks_journal_format(const struct ks_journal *journal)
{
	GString *text = g_string_new(MAGIC "\n");

	g_string_append_printf(text, "state %s\nbase ",
			       journal->state == KS_JOURNAL_STAGED ? "staged" : "intent");
	append_escaped(text, journal->base, '\n');
	for (guint i = 0; i < journal->steps->len; i++) {
		const struct ks_journal_step *step = g_ptr_array_index(journal->steps, i);

		g_string_append_printf(text, "%s%s ",
				       step->kind == KS_JOURNAL_PLACE ? "place"
								      : "remove",
				       step->link ? "-link" : "");
		append_escaped(text,
			       step->link     ? step->link
			       : step->sha256 ? step->sha256
					      : "-",
			       ' ');
		append_escaped(text, step->path, '\n');
	}
	g_string_append(text, "end\n");
	return g_string_free(text, FALSE);
}

static const char *parse_state(struct ks_journal *journal, const char *line)
{
	if (!strcmp(line, "state intent"))
		journal->state = KS_JOURNAL_INTENT;
	else if (!strcmp(line, "state staged"))
		journal->state = KS_JOURNAL_STAGED;
	else
		return "no state";
	return NULL;
}

static const char *parse_base(struct ks_journal *journal, const char *line)
{
	if (!g_str_has_prefix(line, "base "))
		return "no base";
	journal->base = unescape(line + strlen("base "));
	return journal->base && is_plain_path(journal->base) ? NULL : "malformed base";
}

static bool is_digest(const char *text)
{
	return strlen(text) == SHA256_HEX &&
	       strspn(text, "0123456789abcdef") == SHA256_HEX;
}

static const char *parse_step(struct ks_journal *journal, const char *line)
{
	g_auto(GStrv) fields = g_strsplit(line, " ", 3);
	g_autofree char *path = NULL;
	g_autofree char *link = NULL;
	enum ks_journal_kind kind;
	bool is_link;

	if (g_strv_length(fields) != 3)
		return "not a step";
	is_link = g_str_has_suffix(fields[0], "-link");
	if (!strcmp(fields[0], "place") || !strcmp(fields[0], "place-link"))
		kind = KS_JOURNAL_PLACE;
	else if (!strcmp(fields[0], "remove") || !strcmp(fields[0], "remove-link"))
		kind = KS_JOURNAL_REMOVE;
	else
		return "unknown step";
	if (!is_link && strcmp(fields[1], "-") && !is_digest(fields[1]))
		return "malformed digest";
	link = is_link ? unescape(fields[1]) : NULL;
	if (is_link && (!link || !is_plain_path(link)))
		return "malformed link";
	path = unescape(fields[2]);
	if (!path || !ks_journal_is_path_below(path, journal->base))
		return "a path that is not below the base";
	if (journal->steps->len >= KS_JOURNAL_MAX_STEPS)
		return "too many steps";
	if (is_link)
		ks_journal_add_link(journal, kind, path, link);
	else
		ks_journal_add(journal, kind, path,
			       is_digest(fields[1]) ? fields[1] : NULL);
	return NULL;
}

static const char *parse_line(struct ks_journal *journal, unsigned int n,
			      const char *line, bool *ended)
{
	if (*ended)
		return "text after the end";
	switch (n) {
	case 1:
		return strcmp(line, MAGIC) ? "not a journal of this version" : NULL;
	case 2:
		return parse_state(journal, line);
	case 3:
		return parse_base(journal, line);
	}
	if (!strcmp(line, "end")) {
		*ended = true;
		return NULL;
	}
	return parse_step(journal, line);
}

struct ks_journal *ks_journal_parse(const char *text, size_t size_bytes,
				    const char *label, GError **error)
{
	ks_auto(ks_journal) journal = ks_journal_new(NULL);
	const char *problem = NULL;
	struct ks_journal *result;
	unsigned int n = 0;
	bool ended = false;

	if (size_bytes > KS_JOURNAL_MAX_BYTES) {
		ks_error_set(error, KS_ERROR_INVALID, "'%s' has more than %d bytes",
			     label, KS_JOURNAL_MAX_BYTES);
		return NULL;
	}
	while (size_bytes > 0 && !problem) {
		const char *newline = memchr(text, '\n', size_bytes);
		size_t len = newline ? (size_t)(newline - text) : size_bytes;
		g_autofree char *line = g_strndup(text, len);

		n++;
		if (!newline)
			problem = "it is cut off";
		else if (strlen(line) != len)
			problem = "a NUL byte";
		else
			problem = parse_line(journal, n, line, &ended);
		text += len + (newline != NULL);
		size_bytes -= len + (newline != NULL);
	}
	if (!problem && !ended)
		problem = "it is cut off";
	if (problem) {
		ks_error_set(error, KS_ERROR_INVALID, "'%s' line %u: %s", label, n,
			     problem);
		return NULL;
	}
	result = journal;
	journal = NULL;
	return result;
}

static char *journal_path(const struct ks_system *system)
{
	return g_build_filename(system->state_dir, "journal", NULL);
}

struct ks_journal *ks_journal_load(const struct ks_system *system, GError **error)
{
	g_autofree char *path = journal_path(system);
	g_autofree char *text = NULL;
	g_autoptr(GError) local = NULL;
	size_t size_bytes;

	text = ks_root_read_file(system->root, path, KS_JOURNAL_MAX_BYTES, &size_bytes,
				 &local);
	if (g_error_matches(local, KS_ERROR, KS_ERROR_NOT_FOUND))
		return NULL;
	if (!text) {
		g_propagate_error(error, g_steal_pointer(&local));
		return NULL;
	}
	return ks_journal_parse(text, size_bytes, path, error);
}

bool ks_journal_store(const struct ks_system *system, const struct ks_journal *journal,
		      GError **error)
{
	g_autofree char *path = journal_path(system);
	g_autofree char *text = ks_journal_format(journal);

	if (KS_INSTALL_FAULT("journal-write")) {
		ks_error_set_errno(error, errno, "cannot write '%s'", path);
		return false;
	}
	return ks_durable_write(system->root, path, text, strlen(text), 0600, error);
}

bool ks_journal_close(const struct ks_system *system, GError **error)
{
	g_autofree char *path = journal_path(system);

	if (KS_INSTALL_FAULT("journal-unlink")) {
		ks_error_set_errno(error, errno, "cannot remove '%s'", path);
		return false;
	}
	return ks_durable_unlink(system->root, path, error);
}

bool ks_journal_set_aside(const struct ks_system *system, GError **error)
{
	g_autofree char *path = journal_path(system);
	g_autofree char *aside = g_strconcat(path, ".broken", NULL);

	return ks_durable_rename(system->root, path, aside, error);
}
