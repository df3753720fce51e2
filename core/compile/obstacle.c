/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether it is the sandbox, or that a build is not root, which a step has failed for, by
 * what its programs say of it: a line of the log with the system's words for the error,
 * and the path in it. A person who can list the file is not helped by "No such file".
 */
#include <errno.h>
#include <string.h>

#include "core/compile/compile-private.h"
#include "core/kernel/trees.h"

/* Messages of programs without a network; tools differ, the resolver's words do not. */
static const char *const network_words[] = {
	"Could not resolve host",
	"Could not resolve proxy",
	"Could not create a socket",
	"Failed to connect to",
	"Name or service not known",
	"Network is unreachable",
	"Temporary failure in name resolution",
	"Temporary failure resolving",
	"failed to lookup address information",
	"socket: Permission denied",
	"unable to resolve host address",
};

struct obstacle {
	const struct ks_build *build;
	bool off; /* the sandbox */
	const char *setting;
	char *hint;
};

static void report(struct obstacle *obstacle, const char *format, ...)
	G_GNUC_PRINTF(2, 3);

static void report(struct obstacle *obstacle, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	obstacle->hint = g_strdup_vprintf(format, args);
	va_end(args);
}

static void report_network(struct obstacle *obstacle)
{
	if (!obstacle->off)
		report(obstacle,
		       "it wants the network, which the sandbox keeps from a build "
		       "(layers net and seccomp): %s lets it",
		       obstacle->setting);
}

/* "/tmp/x" of "sh: 1: cannot open /tmp/x: ", "'/tmp/x': " and the like: the last one. */
static char *find_path(const char *line, size_t size)
{
	static const char *const delimiters = " \t:'\"`(=>\xe2\x80\x98";
	const char *end = line + size;

	for (const char *p = end; p-- > line;) {
		size_t length;

		if (*p != '/' || (p > line && !strchr(delimiters, p[-1])))
			continue;
		/* quotation marks of UTF-8 end it, too */
		for (length = 0;
		     p + length < end && !strchr(" \t:'\"`),;\xe2", p[length]);)
			length++;
		if (length > 1)
			return g_strndup(p, length);
	}
	return NULL;
}

static bool is_own(const struct obstacle *obstacle, const char *path)
{
	const char *entry = obstacle->build->entry_path;

	return g_str_has_prefix(path, entry) && strchr("/", path[strlen(entry)]);
}

static bool is_hidden(const struct obstacle *obstacle, const char *path)
{
	return !obstacle->off && ks_sandbox_covers(path);
}

static void report_absent(struct obstacle *obstacle, const char *path)
{
	if (is_hidden(obstacle, path) &&
	    ks_root_exists(obstacle->build->system->root, path))
		report(obstacle,
		       "'%s' is there, and a build has a /tmp and /run of its own (layer "
		       "tmp): put it elsewhere, or set %s",
		       path, obstacle->setting);
}

/* Could the build's user write there, if nothing were read-only? */
static bool may_write(const struct obstacle *obstacle, const char *path)
{
	const struct ks_build *build = obstacle->build;
	g_autofree char *dir = g_strdup(path);
	struct stat st;

	while (!ks_root_stat(build->system->root, dir, &st)) {
		char *slash = strrchr(dir, '/');

		if (!slash || slash == dir)
			return false;
		*slash = '\0';
	}
	return st.st_uid == build->uid || ks_kernel_may(&st, build->gid, 2);
}

static void report_read_only(struct obstacle *obstacle, const char *path)
{
	const char *entry = obstacle->build->entry_path;

	if (!obstacle->off && may_write(obstacle, path))
		report(obstacle,
		       "it wants to write to '%s', and a build may write below '%s' "
		       "alone (layers mount and landlock): %s lets it",
		       path, entry, obstacle->setting);
	else
		report(obstacle,
		       "it wants to write to '%s', which only root may, and a build is "
		       "not root: it may write below '%s'; what the system needs is for "
		       "POST_INSTALL, which root runs",
		       path, entry);
}

static void report_denied(struct obstacle *obstacle, const char *path)
{
	const struct ks_build *build = obstacle->build;
	g_autofree char *closed = ks_kernel_find_closed(build->system, path, build->gid);
	const char *what = closed ? closed : path;
	struct stat st;

	if (!ks_root_stat(build->system->root, what, &st) ||
	    (!closed && ks_kernel_may(&st, build->gid, S_ISDIR(st.st_mode) ? 5 : 4))) {
		report_read_only(obstacle, path);
		return;
	}
	report(obstacle,
	       "'%s' is closed to the user that builds (mode %04o, uid %u), in or "
	       "without the sandbox: 'chmod go+rX' opens it, or keep '%s' elsewhere",
	       what, (unsigned int)(st.st_mode & 07777), (unsigned int)st.st_uid, path);
}

static void report_not_permitted(struct obstacle *obstacle, const char *path)
{
	report(obstacle,
	       "it wants to do something to '%s' that only root may: a build is not "
	       "root, with or without the sandbox; POST_INSTALL is run by root",
	       path);
}

/* By the error's text, as libc has it in the C locale, in which builds run. */
static const struct {
	int err;
	void (*report)(struct obstacle *obstacle, const char *path);
} causes[] = {
	{EROFS, report_read_only},
	{EACCES, report_denied},
	{ENOENT, report_absent},
	{EPERM, report_not_permitted},
};

static const char *find_words(const char *line, size_t size, const char *words)
{
	return memmem(line, size, words, strlen(words));
}

static void look_at(struct obstacle *obstacle, const char *line, size_t size)
{
	for (size_t i = 0; i < G_N_ELEMENTS(network_words); i++) {
		if (find_words(line, size, network_words[i])) {
			report_network(obstacle);
			return;
		}
	}
	for (size_t i = 0; i < G_N_ELEMENTS(causes); i++) {
		const char *words = find_words(line, size, g_strerror(causes[i].err));
		g_autofree char *path =
			words ? find_path(line, (size_t)(words - line)) : NULL;

		if (path && !is_own(obstacle, path)) {
			causes[i].report(obstacle, path);
			return;
		}
	}
}

char *ks_build_find_obstacle(const struct ks_build *build, const char *log_text,
			     size_t size_bytes)
{
	const char *module = build->request->module;
	g_autofree char *setting =
		g_strdup_printf("'sandbox = off' in a section [module %s] of "
				"kmodsmith.conf",
				module);
	struct obstacle obstacle = {
		.build = build,
		.off = ks_settings_get_sandbox(build->settings, module) == KS_SANDBOX_OFF,
		.setting = setting,
	};
	const char *end = log_text + size_bytes;

	for (const char *line = log_text, *next; line && line < end && !obstacle.hint;
	     line = next) {
		const char *newline = memchr(line, '\n', (size_t)(end - line));

		next = newline ? newline + 1 : end;
		/* the command line itself in the log proves nothing */
		if (*line != '#')
			look_at(&obstacle, line,
				(size_t)((newline ? newline : end) - line));
	}
	return obstacle.hint;
}
