/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See tree.h. */
#include "plugins/rpm/rpm-tree.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/support/walk.h"
#include "plugins/rpm/compat.h"

#define MAX_PATH_BYTES 4096
#define CHUNK_BYTES    65536

bool ks_tree_open(struct ks_tree_root *tree, const char *root, struct ks_why *why)
{
	tree->fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (tree->fd < 0)
		return ks_why_set(why, "cannot open '%s': %s", root, strerror(errno));
	return true;
}

void ks_tree_close(struct ks_tree_root *tree)
{
	if (tree->fd >= 0)
		close(tree->fd);
	tree->fd = -1;
}

static int open_in(const struct ks_tree_root *tree, const char *path, int flags)
{
	struct open_how how = {.flags = (uint64_t)(flags | O_CLOEXEC),
			       .resolve = RESOLVE_IN_ROOT};
	int fd = (int)syscall(SYS_openat2, tree->fd, path, &how, sizeof(how));

	if (fd >= 0 || !ks_walk_is_needed(errno))
		return fd;
	return ks_walk_openat(tree->fd, path, flags, 0, RESOLVE_IN_ROOT);
}

int ks_tree_open_file(const struct ks_tree_root *tree, const char *path)
{
	return open_in(tree, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
}

/* The directory of path, opened; *name is the rest. */
static int open_parent(const struct ks_tree_root *tree, const char *path,
		       const char **name)
{
	const char *slash = strrchr(path, '/');
	char parent[MAX_PATH_BYTES];

	if (!slash || (size_t)(slash - path) >= sizeof(parent)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(parent, path, (size_t)(slash - path));
	parent[slash - path] = '\0';
	*name = slash + 1;
	return open_in(tree, *parent ? parent : "/", O_PATH | O_DIRECTORY);
}

bool ks_tree_lstat(const struct ks_tree_root *tree, const char *path, struct stat *st)
{
	int fd = open_in(tree, path, O_PATH | O_NOFOLLOW);
	bool ok = fd >= 0 && fstat(fd, st) == 0;

	if (fd >= 0)
		close(fd);
	return ok;
}

bool ks_tree_has(const struct ks_tree_root *tree, const char *path)
{
	struct stat st;

	return ks_tree_lstat(tree, path, &st);
}

static bool remove_entry(const struct ks_tree_root *tree, const char *path, int flags)
{
	const char *name;
	int fd = open_parent(tree, path, &name);
	bool ok = fd >= 0 && unlinkat(fd, name, flags) == 0;
	int saved = errno;

	if (fd >= 0)
		close(fd);
	errno = saved;
	return ok || saved == ENOENT || saved == ENOTDIR;
}

bool ks_tree_unlink(const struct ks_tree_root *tree, const char *path)
{
	return remove_entry(tree, path, 0);
}

bool ks_tree_rmdir(const struct ks_tree_root *tree, const char *path)
{
	return remove_entry(tree, path, AT_REMOVEDIR);
}

/*
 * The SHA-256 of the bytes read from the descriptor, which the caller frees;
 * NULL with errno.
 */
static char *digest_of(int fd)
{
	DIGEST_CTX digest = rpmDigestInit(KS_HASH_SHA256, 0);
	char *buffer = malloc(CHUNK_BYTES);
	void *text = NULL;
	ssize_t n = -1;
	int saved;

	while (buffer && digest) {
		n = read(fd, buffer, CHUNK_BYTES);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		rpmDigestUpdate(digest, buffer, (size_t)n);
	}
	saved = errno;
	free(buffer);
	if (digest)
		rpmDigestFinal(digest, &text, NULL, 1);
	if (n == 0)
		return text;
	free(text);
	errno = saved;
	return NULL;
}

bool ks_tree_check_file(const struct ks_tree_root *tree, const char *path,
			uint64_t size_bytes, const char *sha256, struct stat *st,
			struct ks_why *why)
{
	int fd = ks_tree_open_file(tree, path);
	char *digest = NULL;
	bool right;

	if (fd < 0)
		return ks_why_set(why, "cannot open '%s': %s", path, strerror(errno));
	right = fstat(fd, st) == 0 && S_ISREG(st->st_mode) &&
		(uint64_t)st->st_size == size_bytes;
	if (right) {
		digest = digest_of(fd);
		right = digest && strcmp(digest, sha256) == 0;
	}
	close(fd);
	free(digest);
	return right ||
	       ks_why_set(why, "'%s' is not the file that was to be recorded", path);
}

bool ks_tree_check_link(const struct ks_tree_root *tree, const char *path,
			const char *text, struct stat *st, struct ks_why *why)
{
	char there[MAX_PATH_BYTES];
	int fd = open_in(tree, path, O_PATH | O_NOFOLLOW);
	bool ok = false;

	if (fd >= 0 && fstat(fd, st) == 0 && S_ISLNK(st->st_mode)) {
		ssize_t n = readlinkat(fd, "", there, sizeof(there));

		ok = n >= 0 && (size_t)n == strlen(text) &&
		     memcmp(there, text, (size_t)n) == 0;
	}
	if (fd >= 0)
		close(fd);
	return ok ||
	       ks_why_set(why, "'%s' is not the link that was to be recorded", path);
}
