/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether two files have the same bytes. */
#include "core/platform/same.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COMPARE_BYTES (64 * 1024)

/* For two files read once that is cheaper than their digests. */
static bool compare(int a, int b)
{
	char left[COMPARE_BYTES], right[COMPARE_BYTES];
	off_t offset = 0;

	for (;;) {
		ssize_t n = pread(a, left, sizeof(left), offset);

		if (n < 0 || pread(b, right, sizeof(right), offset) != n)
			return false;
		if (n == 0)
			return true;
		if (memcmp(left, right, (size_t)n) != 0)
			return false;
		offset += n;
	}
}

/* They were equal just now; is the digest still that of the one it was remembered of? */
static void pass_on(struct ks_digest_cache *cache, int known, int other,
		    const struct stat *other_before, const char *digest)
{
	g_autofree char *still = NULL;
	struct stat st;

	if (fstat(known, &st) < 0)
		return;
	still = ks_digest_recall(cache, &st);
	if (still && g_str_equal(still, digest))
		ks_digest_learn(cache, other, other_before, digest);
}

bool ks_same_bytes(struct ks_digest_cache *cache, int a, int b)
{
	g_autofree char *a_digest = NULL, *b_digest = NULL;
	struct stat a_st, b_st;

	if (fstat(a, &a_st) < 0 || fstat(b, &b_st) < 0)
		return false;
	/* a hard link, or a link to the other */
	if (a_st.st_dev == b_st.st_dev && a_st.st_ino == b_st.st_ino)
		return true;
	if (a_st.st_size != b_st.st_size)
		return false;
	a_digest = ks_digest_recall(cache, &a_st);
	b_digest = ks_digest_recall(cache, &b_st);
	if (a_digest && b_digest)
		return g_str_equal(a_digest, b_digest);
	if (!compare(a, b))
		return false;
	if (a_digest)
		pass_on(cache, a, b, &b_st, a_digest);
	else if (b_digest)
		pass_on(cache, b, a, &a_st, b_digest);
	return true;
}
