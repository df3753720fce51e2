/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The caller's open file description is shared with all of its makes: nothing
 * is set on it, and reading must not block. So it is opened again, by /proc or
 * by its path.
 */
#include "core/jobs/caller-pool.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct ks_caller_pool {
	int fds[2]; /* read, write: ours, non-blocking */
	GByteArray *borrowed;
};

/* The value of the last such option, or NULL. */
static char *find_auth(const char *makeflags)
{
	static const char *const options[] = {"--jobserver-auth=", "--jobserver-fds="};
	g_auto(GStrv) words = g_strsplit_set(makeflags, " \t", -1);
	const char *auth = NULL;

	for (char **word = words; *word && strcmp(*word, "--") != 0; word++) {
		for (size_t i = 0; i < G_N_ELEMENTS(options); i++) {
			if (g_str_has_prefix(*word, options[i]))
				auth = *word + strlen(options[i]);
		}
	}
	return g_strdup(auth);
}

/* Are they two ends of one pipe? Other descriptors may happen to have these numbers. */
static bool is_pipe(int read_fd, int write_fd)
{
	const int read_flags = fcntl(read_fd, F_GETFL);
	const int write_flags = fcntl(write_fd, F_GETFL);
	struct stat read_st, write_st;

	return read_flags >= 0 && write_flags >= 0 &&
	       (read_flags & O_ACCMODE) != O_WRONLY &&
	       (write_flags & O_ACCMODE) != O_RDONLY && fstat(read_fd, &read_st) == 0 &&
	       fstat(write_fd, &write_st) == 0 && S_ISFIFO(read_st.st_mode) &&
	       read_st.st_dev == write_st.st_dev && read_st.st_ino == write_st.st_ino;
}

static bool open_pipe(struct ks_caller_pool *pool, const char *auth)
{
	g_autofree char *read_path = NULL;
	g_autofree char *write_path = NULL;
	int read_fd, write_fd, length = 0;

	if (sscanf(auth, "%d,%d%n", &read_fd, &write_fd, &length) != 2 || auth[length] ||
	    read_fd < 0 || write_fd < 0 || !is_pipe(read_fd, write_fd))
		return false;
	read_path = g_strdup_printf("/proc/self/fd/%d", read_fd);
	write_path = g_strdup_printf("/proc/self/fd/%d", write_fd);
	pool->fds[0] = open(read_path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	pool->fds[1] = open(write_path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	return pool->fds[0] >= 0 && pool->fds[1] >= 0;
}

/*
 * Open it for writing first: that fails when nobody has it open to read, so
 * that nobody owns the pool.
 */
static bool open_fifo(struct ks_caller_pool *pool, const char *path)
{
	struct stat read_st, write_st;

	pool->fds[1] = open(path, O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
	pool->fds[0] =
		pool->fds[1] < 0
			? -1
			: open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
	return pool->fds[0] >= 0 && fstat(pool->fds[0], &read_st) == 0 &&
	       fstat(pool->fds[1], &write_st) == 0 && S_ISFIFO(read_st.st_mode) &&
	       read_st.st_ino == write_st.st_ino && read_st.st_dev == write_st.st_dev &&
	       read_st.st_uid == geteuid();
}

struct ks_caller_pool *ks_caller_pool_open(const char *makeflags)
{
	g_autofree char *auth = makeflags ? find_auth(makeflags) : NULL;
	ks_auto(ks_caller_pool) pool = NULL;

	if (!auth)
		return NULL;
	pool = g_new0(struct ks_caller_pool, 1);
	pool->fds[0] = pool->fds[1] = -1;
	pool->borrowed = g_byte_array_new();
	if (g_str_has_prefix(auth, "fifo:/") ? !open_fifo(pool, auth + strlen("fifo:"))
					     : !open_pipe(pool, auth))
		return NULL;
	return g_steal_pointer(&pool);
}

void ks_caller_pool_free(struct ks_caller_pool *pool)
{
	if (!pool)
		return;
	while (ks_caller_pool_return(pool))
		;
	for (size_t i = 0; i < G_N_ELEMENTS(pool->fds); i++) {
		if (pool->fds[i] >= 0)
			close(pool->fds[i]);
	}
	g_byte_array_unref(pool->borrowed);
	g_free(pool);
}

bool ks_caller_pool_borrow(struct ks_caller_pool *pool)
{
	guint8 token;
	ssize_t n;

	do {
		n = read(pool->fds[0], &token, 1);
	} while (n < 0 && errno == EINTR);
	if (n == 1)
		g_byte_array_append(pool->borrowed, &token, 1);
	return n == 1;
}

bool ks_caller_pool_return(struct ks_caller_pool *pool)
{
	ssize_t n;

	if (!pool->borrowed->len)
		return false;
	do {
		n = write(pool->fds[1], &pool->borrowed->data[pool->borrowed->len - 1],
			  1);
	} while (n < 0 && errno == EINTR);
	/*
	 * There was room for the bytes that were taken out: only a broken pool
	 * has none.
	 */
	if (n == 1)
		g_byte_array_set_size(pool->borrowed, pool->borrowed->len - 1);
	return n == 1;
}

unsigned int ks_caller_pool_count(const struct ks_caller_pool *pool)
{
	return pool->borrowed->len;
}

int ks_caller_pool_fd(const struct ks_caller_pool *pool)
{
	return pool->fds[0];
}
