/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See enter.h. */
#include "plugins/recorder/enter.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#define MAX_OPEN_DIRS 16

/* --- inside */

static bool has_program(const char *program)
{
	return !program || access(program, X_OK) == 0;
}

static bool enter(const char *root, const char *program)
{
	const int outside = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	bool entered = false;

	if (outside >= 0 && chroot(root) == 0) {
		entered = chdir("/") == 0 && has_program(program);
		if (!entered && (fchdir(outside) != 0 || chroot(".") != 0))
			_exit(EX_OSERR);
	}
	if (outside >= 0)
		close(outside);
	return entered;
}

/* --- from outside */

static bool changes(enum ks_recorder_verb verb)
{
	return verb == KS_RECORDER_APPLY || verb == KS_RECORDER_RECOVER;
}

/* "usr/lib", not "/usr/lib" or "../../etc". */
static bool is_plain_link(const char *path)
{
	char text[PATH_MAX];
	const ssize_t n = readlink(path, text, sizeof(text) - 1);

	if (n < 0)
		return false;
	text[n] = '\0';
	return *text != '/' && !strstr(text, "..");
}

/* No part of path below root is a link that may leave it. */
static bool is_plain(const char *root, const char *path)
{
	char whole[PATH_MAX];
	struct stat st;

	for (const char *end = path; end; end = strchr(end + 1, '/')) {
		const char *next = strchr(end + 1, '/');
		const int length = next ? (int)(next - path) : (int)strlen(path);

		if (snprintf(whole, sizeof(whole), "%s%.*s", root, length, path) >=
		    (int)sizeof(whole))
			return false;
		if (lstat(whole, &st) == 0 && S_ISLNK(st.st_mode) &&
		    !is_plain_link(whole))
			return false;
	}
	return true;
}

static int refuse_link(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)ftw;
	return type == FTW_SL && !is_plain_link(path);
}

/*
 * A module that is a link is replaced, not followed, and nobody goes through a kernel's
 * links to its headers.
 */
static int refuse_directory_link(const char *path, const struct stat *st, int type,
				 struct FTW *ftw)
{
	const char *name = path + ftw->base;
	struct stat target;

	if (ftw->level == 2 && (!strcmp(name, "build") || !strcmp(name, "source")))
		return 0;
	return refuse_link(path, st, type, ftw) && stat(path, &target) == 0 &&
	       S_ISDIR(target.st_mode);
}

static bool all_below_pass(const char *root, const char *path,
			   int (*look_at)(const char *, const struct stat *, int,
					  struct FTW *))
{
	char whole[PATH_MAX];

	return snprintf(whole, sizeof(whole), "%s%s/", root, path) < (int)sizeof(whole) &&
	       (access(whole, F_OK) != 0 ||
		nftw(whole, look_at, MAX_OPEN_DIRS, FTW_PHYS) == 0);
}

static bool leads_nowhere_else(const char *root)
{
	static const char *const paths[] = {
		"/lib/modules",	     "/usr/lib/modules",
		"/var/log/dpkg.log", "/var/lib/kmodsmith/spool",
		"/var/lib/dpkg",     "/var/lib/apt",
		"/var/cache/apt",    "/etc/apt",
	};

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		if (!is_plain(root, paths[i]))
			return false;
	return all_below_pass(root, "/lib/modules", refuse_directory_link) &&
	       all_below_pass(root, "/var/lib/dpkg", refuse_link) &&
	       all_below_pass(root, "/var/lib/apt", refuse_link);
}

/* --- either */

const char *ks_recorder_enter(const char *root, const char *program,
			      enum ks_recorder_verb verb)
{
	if (strcmp(root, "/") == 0)
		return root;
	if (enter(root, program))
		return "/";
	if (!changes(verb) || (program && leads_nowhere_else(root)))
		return root;
	fprintf(stderr,
		"cannot work inside '%s', and its links may lead out of it: nothing is "
		"recorded\n",
		root);
	return NULL;
}
