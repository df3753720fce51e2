/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SHA-256 of files and trees, and the cache of them
 * in state_dir/cache/digests:
 *
 *	kmodsmith digests 1
 *	f STAMP DIGEST		a file
 *	t STAMP DIGEST PATH	a tree; PATH is %-escaped
 *
 * A stamp is itself a SHA-256, over the results of stat(2) for the file, or
 * for every entry of the tree in order. A tree is one entry, however large
 * it is.
 */
#include "core/platform/digest.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/support/durable.h"
#include "core/support/error.h"
#include "core/support/leftover.h"
#include "core/support/openat2.h"

#define HEADER		"kmodsmith digests 1"
#define HEX_CHARS	64
#define MAX_CACHE_BYTES (16u << 20)
/* When there are more at the end, those that this run did not ask for are forgotten. */
#define MAX_REMEMBERED 5000
#define MAX_DEPTH      100
#define MAX_ENTRIES    200000
/*
 * A file that changed just now may change again with the same times (clock
 * ticks, 2 s on FAT), so it is not remembered yet.
 */
#define SETTLE_S 2

struct remembered {
	char *stamp;
	char *digest;
	bool used;
};

struct ks_digest_cache {
	const struct ks_system *system;
	bool loaded;
	bool changed;
	GHashTable *entries; /* "f STAMP" or "t PATH" -> struct remembered */
};

static void remembered_free(gpointer data)
{
	struct remembered *r = data;

	g_free(r->stamp);
	g_free(r->digest);
	g_free(r);
}

static char *cache_path(const struct ks_digest_cache *cache)
{
	return g_build_filename(cache->system->state_dir, "cache", "digests", NULL);
}

struct ks_digest_cache *ks_digest_cache_open(const struct ks_system *system)
{
	struct ks_digest_cache *cache = g_new0(struct ks_digest_cache, 1);

	cache->system = system;
	cache->entries =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, remembered_free);
	return cache;
}

/* ---- the cache file ---- */

static bool is_hex_digest(const char *text)
{
	return strspn(text, "0123456789abcdef") == HEX_CHARS && !text[HEX_CHARS];
}

static void remember(struct ks_digest_cache *cache, char *key, const char *stamp,
		     const char *digest, bool used)
{
	struct remembered *r = g_new0(struct remembered, 1);

	r->stamp = g_strdup(stamp);
	r->digest = g_strdup(digest);
	r->used = used;
	g_hash_table_replace(cache->entries, key, r);
}

static char *file_key(const char *stamp)
{
	return g_strconcat("f ", stamp, NULL);
}

static char *tree_key(const char *path)
{
	return g_strconcat("t ", path, NULL);
}

/* A line that makes no sense is as good as none. */
static void load_line(struct ks_digest_cache *cache, const char *line)
{
	g_auto(GStrv) words = g_strsplit(line, " ", 5);
	guint n = g_strv_length(words);
	g_autofree char *path = NULL;

	if (n < 3 || !is_hex_digest(words[1]) || !is_hex_digest(words[2]))
		return;
	if (n == 3 && !strcmp(words[0], "f")) {
		remember(cache, file_key(words[1]), words[1], words[2], false);
	} else if (n == 4 && !strcmp(words[0], "t")) {
		path = g_uri_unescape_string(words[3], NULL);
		if (path)
			remember(cache, tree_key(path), words[1], words[2], false);
	}
}

static void load(struct ks_digest_cache *cache)
{
	g_autofree char *path = cache_path(cache);
	g_autofree char *text = NULL;
	char *line, *end;

	if (cache->loaded)
		return;
	cache->loaded = true;
	text = ks_root_read_file(cache->system->root, path, MAX_CACHE_BYTES, NULL, NULL);
	if (!text || !g_str_has_prefix(text, HEADER "\n"))
		return;
	for (line = text + strlen(HEADER "\n"); *line; line = end) {
		end = line + strcspn(line, "\n");
		if (*end)
			*end++ = '\0';
		load_line(cache, line);
	}
}

static char *format(struct ks_digest_cache *cache, gsize *size_bytes)
{
	bool all = g_hash_table_size(cache->entries) <= MAX_REMEMBERED;
	GString *text = g_string_new(HEADER "\n");
	g_autoptr(GList) keys = g_hash_table_get_keys(cache->entries);

	keys = g_list_sort(keys, (GCompareFunc)strcmp);
	for (GList *l = keys; l; l = l->next) {
		const char *key = l->data;
		const struct remembered *r = g_hash_table_lookup(cache->entries, key);

		if (!all && !r->used)
			continue;
		g_string_append_printf(text, "%c %s %s", *key, r->stamp, r->digest);
		if (*key == 't') {
			g_string_append_c(text, ' ');
			g_string_append_uri_escaped(text, key + 2, "/", FALSE);
		}
		g_string_append_c(text, '\n');
	}
	*size_bytes = text->len;
	return g_string_free(text, FALSE);
}

static void store(struct ks_digest_cache *cache)
{
	g_autofree char *path = cache_path(cache);
	g_autofree char *text = NULL;
	gsize size_bytes;

	/* Where nothing has been done yet, a question alone creates no state. */
	if (!ks_root_exists(cache->system->root, cache->system->state_dir))
		return;
	text = format(cache, &size_bytes);
	ks_ignore(ks_durable_write(cache->system->root, path, text, size_bytes, 0644,
				   NULL));
}

void ks_digest_cache_close(struct ks_digest_cache *cache)
{
	if (!cache)
		return;
	if (cache->changed && !cache->system->incoming)
		store(cache);
	g_hash_table_unref(cache->entries);
	g_free(cache);
}

/* The remembered digest, if its stamp is still the same. */
static char *recall(struct ks_digest_cache *cache, const char *key, const char *stamp)
{
	struct remembered *r;

	load(cache);
	r = g_hash_table_lookup(cache->entries, key);
	if (!r || strcmp(r->stamp, stamp))
		return NULL;
	r->used = true;
	return g_strdup(r->digest);
}

/* ---- files ---- */

static void stamp_stat(GChecksum *stamp, const struct stat *st)
{
	const gint64 values[] = {
		(gint64)st->st_dev,  (gint64)st->st_ino,  st->st_size,
		st->st_mtim.tv_sec,  st->st_mtim.tv_nsec, st->st_ctim.tv_sec,
		st->st_ctim.tv_nsec, (gint64)st->st_mode,
	};

	g_checksum_update(stamp, (const guchar *)values, sizeof(values));
}

static bool is_settled(const struct stat *st)
{
	time_t newest = MAX(st->st_mtim.tv_sec, st->st_ctim.tv_sec);

	return newest + SETTLE_S < time(NULL);
}

static bool is_same_state(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
	       a->st_size == b->st_size && a->st_mode == b->st_mode &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
	       a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
	       a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

static char *stamp_of(const struct stat *st)
{
	g_autoptr(GChecksum) stamp = g_checksum_new(G_CHECKSUM_SHA256);

	stamp_stat(stamp, st);
	return g_strdup(g_checksum_get_string(stamp));
}

char *ks_digest_recall(struct ks_digest_cache *cache, const struct stat *st)
{
	g_autofree char *stamp = stamp_of(st);
	g_autofree char *key = file_key(stamp);

	return recall(cache, key, stamp);
}

void ks_digest_learn(struct ks_digest_cache *cache, int fd, const struct stat *before,
		     const char *digest)
{
	g_autofree char *stamp = stamp_of(before);
	struct stat after;

	if (!is_settled(before) || fstat(fd, &after) < 0 ||
	    !is_same_state(before, &after))
		return;
	load(cache);
	remember(cache, file_key(stamp), stamp, digest, true);
	cache->changed = true;
}

/* Feed an open file to sum. False with errno. */
static bool sum_content(GChecksum *sum, int fd)
{
	guchar buffer[65536];

	for (;;) {
		ssize_t n = read(fd, buffer, sizeof(buffer));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n == 0;
		g_checksum_update(sum, buffer, n);
	}
}

char *ks_digest_file(struct ks_digest_cache *cache, const char *path, GError **error)
{
	const char *prefix = ks_root_prefix(cache->system->root);
	g_autoptr(GChecksum) sum = NULL;
	struct stat before;
	char *digest;
	ks_autofd int fd = ks_root_openat(cache->system->root, path,
					  O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, error);

	if (fd < 0)
		return NULL;
	if (fstat(fd, &before) < 0) {
		ks_error_set_errno(error, errno, "cannot read '%s%s'", prefix, path);
		return NULL;
	}
	if (!S_ISREG(before.st_mode)) {
		ks_error_set(error, KS_ERROR_INVALID,
			     "cannot read '%s%s': not a regular file", prefix, path);
		return NULL;
	}
	digest = ks_digest_recall(cache, &before);
	if (digest)
		return digest;
	sum = g_checksum_new(G_CHECKSUM_SHA256);
	if (!sum_content(sum, fd)) {
		ks_error_set_errno(error, errno, "cannot read '%s%s'", prefix, path);
		return NULL;
	}
	digest = g_strdup(g_checksum_get_string(sum));
	ks_digest_learn(cache, fd, &before, digest);
	return digest;
}

/* ---- trees ---- */

struct entry {
	char *name; /* relative to the tree */
	struct stat st;
};

struct walk {
	const char *prefix; /* of the root, for messages */
	const char *path;   /* of the tree */
	GArray *entries;    /* struct entry */
	GError **error;
};

static void entry_clear(gpointer data)
{
	g_free(((struct entry *)data)->name);
}

static int compare_entries(gconstpointer a, gconstpointer b)
{
	return strcmp(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

static bool walk_fail(struct walk *walk, const char *name)
{
	if (errno == EXDEV)
		ks_error_set(walk->error, KS_ERROR_INVALID,
			     "cannot read '%s%s/%s': something is mounted there",
			     walk->prefix, walk->path, name);
	else
		ks_error_set_errno(walk->error, errno, "cannot read '%s%s/%s'",
				   walk->prefix, walk->path, name);
	return false;
}

static bool walk_refuse(struct walk *walk, const char *name, const char *why)
{
	ks_error_set(walk->error, KS_ERROR_INVALID, "cannot read '%s%s/%s': %s",
		     walk->prefix, walk->path, name, why);
	return false;
}

static bool walk_directory(struct walk *walk, int fd, const char *name, int depth);

static bool walk_entry(struct walk *walk, int dir_fd, const char *dir_name,
		       const char *base, int depth)
{
	struct entry entry = {
		.name = *dir_name ? g_strconcat(dir_name, "/", base, NULL)
				  : g_strdup(base),
	};
	const char *name = entry.name;
	int fd;

	if (ks_leftover_is_of_tools(base) || ks_leftover_is_built(dir_fd, base)) {
		g_free(entry.name);
		return true;
	}
	if (fstatat(dir_fd, base, &entry.st, AT_SYMLINK_NOFOLLOW) < 0) {
		walk_fail(walk, name);
		g_free(entry.name);
		return false;
	}
	/* owned by the array from here on; name stays valid */
	g_array_append_val(walk->entries, entry);
	if (walk->entries->len > MAX_ENTRIES)
		return walk_refuse(walk, name, "the tree has too many entries");
	if (S_ISREG(entry.st.st_mode) || S_ISLNK(entry.st.st_mode))
		return true;
	if (!S_ISDIR(entry.st.st_mode))
		return walk_refuse(walk, name, "not a file, directory or link");
	if (depth >= MAX_DEPTH)
		return walk_refuse(walk, name, "the tree is too deep");
	fd = ks_openat2(dir_fd, base, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0,
			KS_RESOLVE_PLAIN);
	return fd < 0 ? walk_fail(walk, name) : walk_directory(walk, fd, name, depth + 1);
}

/* Takes fd. */
static bool walk_directory(struct walk *walk, int fd, const char *name, int depth)
{
	DIR *dir = fdopendir(fd);
	struct dirent *dirent;
	bool ok = true;

	if (!dir) {
		walk_fail(walk, name);
		close(fd);
		return false;
	}
	while (ok && (errno = 0, dirent = readdir(dir)))
		if (strcmp(dirent->d_name, ".") && strcmp(dirent->d_name, ".."))
			ok = walk_entry(walk, dirfd(dir), name, dirent->d_name, depth);
	if (ok && errno)
		ok = walk_fail(walk, name);
	closedir(dir);
	return ok;
}

/* Also decides whether the tree may be remembered. */
static char *stamp_entries(const GArray *entries, bool *settled)
{
	g_autoptr(GChecksum) stamp = g_checksum_new(G_CHECKSUM_SHA256);

	*settled = true;
	for (guint i = 0; i < entries->len; i++) {
		const struct entry *entry = &g_array_index(entries, struct entry, i);

		g_checksum_update(stamp, (const guchar *)entry->name,
				  strlen(entry->name) + 1);
		stamp_stat(stamp, &entry->st);
		*settled = *settled && is_settled(&entry->st);
	}
	return g_strdup(g_checksum_get_string(stamp));
}

static bool sum_file(struct walk *walk, int tree_fd, const struct entry *entry,
		     GChecksum *sum, bool *settled)
{
	g_autoptr(GChecksum) content = g_checksum_new(G_CHECKSUM_SHA256);
	struct stat st;
	ks_autofd int fd =
		ks_openat2(tree_fd, entry->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0,
			   KS_RESOLVE_PLAIN);

	if (fd < 0 || !sum_content(content, fd) || fstat(fd, &st) < 0)
		return walk_fail(walk, entry->name);
	if (!S_ISREG(st.st_mode))
		return walk_refuse(walk, entry->name, "it changes while it is read");
	*settled = *settled && is_same_state(&st, &entry->st);
	g_checksum_update(sum, (const guchar *)g_checksum_get_string(content), HEX_CHARS);
	return true;
}

static bool sum_link(struct walk *walk, int tree_fd, const struct entry *entry,
		     GChecksum *sum)
{
	char text[PATH_MAX];
	ks_autofd int fd = ks_openat2(tree_fd, entry->name, O_PATH | O_NOFOLLOW, 0,
				      RESOLVE_BENEATH | RESOLVE_NO_XDEV);
	ssize_t n = fd < 0 ? -1 : readlinkat(fd, "", text, sizeof(text) - 1);

	if (n < 0)
		return walk_fail(walk, entry->name);
	text[n] = '\0';
	g_checksum_update(sum, (const guchar *)text, n + 1);
	return true;
}

/* Each field ends in a way that it cannot contain, so that no two trees look alike. */
static char *sum_entries(struct walk *walk, int tree_fd, bool *settled)
{
	g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);

	for (guint i = 0; i < walk->entries->len; i++) {
		const struct entry *entry =
			&g_array_index(walk->entries, struct entry, i);
		mode_t mode = entry->st.st_mode;
		g_autofree char *head = g_strdup_printf(
			"%c %04o %s",
			S_ISDIR(mode)	? 'd'
			: S_ISLNK(mode) ? 'l'
					: 'f',
			S_ISLNK(mode) ? 0777u : (unsigned int)mode & 07777, entry->name);

		g_checksum_update(sum, (const guchar *)head, strlen(head) + 1);
		if (S_ISREG(mode) && !sum_file(walk, tree_fd, entry, sum, settled))
			return NULL;
		if (S_ISLNK(mode) && !sum_link(walk, tree_fd, entry, sum))
			return NULL;
	}
	return g_strdup(g_checksum_get_string(sum));
}

char *ks_digest_tree(struct ks_digest_cache *cache, const char *path, GError **error)
{
	g_autoptr(GArray) entries = g_array_new(FALSE, FALSE, sizeof(struct entry));
	struct walk walk = {
		.prefix = ks_root_prefix(cache->system->root),
		.path = path,
		.entries = entries,
		.error = error,
	};
	g_autofree char *key = tree_key(path);
	g_autofree char *stamp = NULL;
	bool settled;
	char *digest;
	int walk_fd;
	ks_autofd int fd = ks_root_openat(cache->system->root, path,
					  O_RDONLY | O_DIRECTORY, 0, error);

	if (fd < 0)
		return NULL;
	g_array_set_clear_func(entries, entry_clear);
	walk_fd = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (walk_fd < 0) {
		walk_fail(&walk, "");
		return NULL;
	}
	if (!walk_directory(&walk, walk_fd, "", 0))
		return NULL;
	g_array_sort(entries, compare_entries);
	stamp = stamp_entries(entries, &settled);
	digest = recall(cache, key, stamp);
	if (digest)
		return digest;
	digest = sum_entries(&walk, fd, &settled);
	if (digest && settled) {
		remember(cache, g_steal_pointer(&key), stamp, digest, true);
		cache->changed = true;
	}
	return digest;
}

/* ---- memory ---- */

char *ks_digest_data(const void *data, size_t size_bytes)
{
	g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);

	g_checksum_update(sum, data, size_bytes);
	return g_strdup(g_checksum_get_string(sum));
}
