/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See database.h. */
#include "plugins/alpm/alpm-database.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/support/error.h"
#include "plugins/alpm/ancestor.h"

#define DEFAULT_PATH   "/var/lib/pacman"
#define CONF_PATH      "/etc/pacman.conf"
#define MAX_CONF_BYTES (1024 * 1024)
#define LOCK_NAME      "/db.lck"
#define VERSION_FILE   "/local/ALPM_DB_VERSION"
#define KNOWN_VERSION  "9"

/* --- where it is */

/* The value of "DBPath = VALUE", or NULL for another line. */
static const char *value_of_line(char *line)
{
	char *equals = strchr(line, '=');

	if (!equals || *line == '#')
		return NULL;
	*equals = '\0';
	return strcmp(g_strstrip(line), "DBPath") == 0 ? g_strstrip(equals + 1) : NULL;
}

static char *configured_path(const struct ks_system *system)
{
	g_autofree char *text =
		ks_root_read_file(system->root, CONF_PATH, MAX_CONF_BYTES, NULL, NULL);
	g_auto(GStrv) lines = text ? g_strsplit(text, "\n", -1) : NULL;
	bool in_options = false;

	for (char **line = lines; line && *line; line++) {
		const char *value;

		g_strstrip(*line);
		if (**line == '[')
			in_options = strcmp(*line, "[options]") == 0;
		value = in_options ? value_of_line(*line) : NULL;
		if (value && *value == '/')
			return g_strdup(value);
	}
	return g_strdup(DEFAULT_PATH);
}

/* --- opening */

static struct ks_alpm *open_at(const struct ks_system *system, const char *path)
{
	g_autofree char *real = ks_root_realpath(system->root, path);
	g_autofree char *host = real ? ks_root_host_path(system->root, real) : NULL;
	struct ks_root *db = host ? ks_root_open(host, NULL) : NULL;
	struct ks_alpm *alpm;

	if (!db)
		return NULL;
	alpm = g_new0(struct ks_alpm, 1);
	alpm->system = system;
	alpm->db = db;
	alpm->path = g_steal_pointer(&real);
	return alpm;
}

void ks_alpm_close(struct ks_alpm *alpm)
{
	if (!alpm)
		return;
	ks_root_close(alpm->db);
	g_free(alpm->path);
	g_free(alpm);
}

/* --- the lock that an ancestor holds */

struct held {
	struct ks_alpm *alpm; /* the database to confirm, or the one found */
	const struct ks_system *system;
	char *outside; /* an ancestor's lock that is not in our tree */
};

static bool is_lock_of(const struct ks_alpm *alpm, const struct stat *open_file)
{
	struct stat st;

	return ks_root_lstat(alpm->db, LOCK_NAME, &st) && S_ISREG(st.st_mode) &&
	       st.st_dev == open_file->st_dev && st.st_ino == open_file->st_ino;
}

static bool holds_this(const struct ks_ancestor_file *file, void *data)
{
	const struct held *held = data;

	return is_lock_of(held->alpm, &file->st);
}

/* A user who may write to the directory decides what root would write there. */
static bool is_trustworthy(const struct ks_alpm *alpm)
{
	struct stat st;

	return fstat(ks_root_fd(alpm->db), &st) == 0 && st.st_uid == geteuid() &&
	       !(st.st_mode & S_IWOTH) && ks_root_exists(alpm->db, VERSION_FILE);
}

static bool holds_any(const struct ks_ancestor_file *file, void *data)
{
	struct held *held = data;
	g_autofree char *dir = NULL;
	struct ks_alpm *alpm;

	if (!S_ISREG(file->st.st_mode) || file->st.st_size != 0 ||
	    !g_str_has_suffix(file->path, LOCK_NAME))
		return false;
	dir = g_path_get_dirname(file->path);
	alpm = open_at(held->system, dir);
	if (alpm && is_lock_of(alpm, &file->st) && is_trustworthy(alpm)) {
		held->alpm = alpm;
		return true;
	}
	ks_alpm_close(alpm);
	g_free(held->outside);
	held->outside = g_steal_pointer(&dir);
	return false;
}

static bool is_held_by_word(const struct ks_alpm *alpm)
{
	const char *word = g_getenv(KS_RECORD_DATABASE_ENV);

	return word && !ks_ancestors_can_be_seen() && strcmp(word, alpm->path) == 0 &&
	       ks_root_exists(alpm->db, LOCK_NAME);
}

struct ks_alpm *ks_alpm_open(const struct ks_system *system, GError **error)
{
	const char *word = g_getenv(KS_RECORD_DATABASE_ENV);
	g_autofree char *path = word && !ks_ancestors_can_be_seen()
					? g_strdup(word)
					: configured_path(system);
	ks_auto(ks_alpm) alpm = open_at(system, path);
	struct held held = {.system = system, .alpm = alpm};

	if (alpm && (ks_ancestor_find_file(holds_this, &held) || is_held_by_word(alpm))) {
		alpm->is_locked_above = true;
		return g_steal_pointer(&alpm);
	}
	held.alpm = NULL;
	if (ks_root_is_host(system->root) && ks_ancestor_find_file(holds_any, &held)) {
		g_free(held.outside);
		held.alpm->is_locked_above = true;
		return held.alpm;
	}
	if (held.outside && !alpm) {
		ks_error_set(error, KS_ERROR_PENDING,
			     "pacman's database '%s' is not in this tree", held.outside);
		g_free(held.outside);
		return NULL;
	}
	g_free(held.outside);
	if (!alpm)
		ks_error_set(error, KS_ERROR_NOT_FOUND, "no package database in '%s%s'",
			     ks_root_prefix(system->root), path);
	return g_steal_pointer(&alpm);
}

bool ks_alpm_check_version(const struct ks_alpm *alpm, GError **error)
{
	g_autofree char *text =
		ks_root_read_file(alpm->db, VERSION_FILE, 64, NULL, error);

	if (!text) {
		g_prefix_error(error,
			       "cannot find out the format of the package database: ");
		return false;
	}
	g_strstrip(text);
	if (strcmp(text, KNOWN_VERSION) == 0)
		return true;
	ks_error_set(error, KS_ERROR_INVALID,
		     "the package database '%s' has an unknown format: '%s%s' does not "
		     "say " KNOWN_VERSION,
		     alpm->path, ks_root_prefix(alpm->db), VERSION_FILE);
	return false;
}

char *ks_alpm_lock_path(const struct ks_alpm *alpm)
{
	return ks_root_host_path(alpm->db, LOCK_NAME);
}

bool ks_alpm_needs_naming(const struct ks_alpm *alpm)
{
	g_autofree char *path = configured_path(alpm->system);
	g_autofree char *real = ks_root_realpath(alpm->system->root, path);

	return !ks_ancestors_can_be_seen() || g_strcmp0(real, alpm->path) != 0;
}
