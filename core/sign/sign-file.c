/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Adding a signature to the file, or removing it. */
#include <errno.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/sign/sign.h"
#include "core/sign/signature.h"
#include "core/sign/signer.h"
#include "core/support/durable.h"
#include "core/support/error.h"
#include "core/support/process.h"

#define ANSWER_MAX_BYTES (1u << 20)

static int open_module(const struct ks_system *system, const char *path, GError **error)
{
	return ks_root_openat(system->root, path, O_RDWR | O_NOFOLLOW | O_NONBLOCK, 0,
			      error);
}

/* SHA-256 of the first size_bytes; NULL when they cannot be read. */
static char *digest_head(int fd, guint64 size_bytes)
{
	g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
	guchar buffer[65536];
	guint64 at = 0;

	while (at < size_bytes) {
		size_t want = (size_t)MIN(sizeof(buffer), size_bytes - at);
		ssize_t got = pread(fd, buffer, want, (off_t)at);

		if (got <= 0)
			return NULL;
		g_checksum_update(checksum, buffer, got);
		at += (guint64)got;
	}
	return g_strdup(g_checksum_get_string(checksum));
}

static bool append(int fd, off_t at, GBytes *bytes)
{
	size_t size, done = 0;
	const char *data = g_bytes_get_data(bytes, &size);

	while (done < size) {
		ssize_t n = pwrite(fd, data + done, size - done, at + (off_t)done);

		if (n < 0 && errno != EINTR)
			return false;
		done += (size_t)MAX(n, 0);
	}
	return fsync(fd) == 0;
}

static bool sign_here(const struct ks_system *system, const struct ks_signing *signing,
		      int fd, const char *path, off_t size, GError **error)
{
	g_autoptr(GBytes) signature =
		ks_signer_run(system, signing->hash, signing->pair->key,
			      signing->pair->certificate, fd, error);

	if (!signature)
		return false;
	if (append(fd, size, signature))
		return true;
	ks_error_set_errno(error, errno, "cannot write '%s'", path);
	return false;
}

/* A program that an administrator has configured, where it belongs: in the tree. */
static bool run_sign_file(const struct ks_system *system,
			  const struct ks_signing *signing, const char *path,
			  GError **error)
{
	const char *const argv[] = {
		signing->program,	    signing->hash, signing->pair->key,
		signing->pair->certificate, path,	   NULL};
	struct ks_process_options options = KS_PROCESS_OPTIONS_INIT;
	g_autofree char *said = NULL;

	options.argv = argv;
	options.chroot = ks_root_is_host(system->root) ? NULL : system->root;
	options.die_with_parent = true;
	said = ks_process_capture(&options, NULL, ANSWER_MAX_BYTES, NULL, error);
	return said != NULL;
}

static bool has_only_gained(const struct ks_system *system,
			    const struct ks_signing *signing, const char *path,
			    const char *before, off_t size, GError **error)
{
	/* the program may have put another file there */
	ks_autofd int fd = open_module(system, path, error);
	g_autofree char *after = NULL;
	guint64 unsigned_bytes = 0;
	struct stat st;

	if (fd < 0 || !ks_signature_find(fd, path, &unsigned_bytes, error))
		return false;
	after = digest_head(fd, unsigned_bytes);
	if (unsigned_bytes == (guint64)size && g_strcmp0(before, after) == 0 &&
	    fstat(fd, &st) == 0 && st.st_size > size && fsync(fd) == 0)
		return true;
	ks_error_set(error, KS_ERROR_INVALID,
		     "'%s' did more to '%s' than to append a signature, or did not",
		     signing->program, path);
	return false;
}

/* The old file, under another name: nobody knows what the program writes. */
static bool keep_aside(const struct ks_system *system, int fd, off_t size,
		       const char *path, GError **error)
{
	ks_autofd int kept =
		ks_root_openat(system->root, path,
			       O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600, error);
	off_t at = 0;

	if (kept < 0)
		return false;
	while (at < size) {
		ssize_t n = sendfile(kept, fd, &at, (size_t)(size - at));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
	}
	if (at == size && fchmod(kept, 0644) == 0 && fsync(kept) == 0)
		return true;
	ks_error_set_errno(error, errno, "cannot write '%s'", path);
	return false;
}

static bool sign_outside(const struct ks_system *system, const struct ks_signing *signing,
			 int fd, const char *path, off_t size, GError **error)
{
	g_autofree char *before = digest_head(fd, (guint64)size);
	g_autofree char *kept = g_strconcat(path, ".kmodsmith-unsigned", NULL);
	bool ok = before && keep_aside(system, fd, size, kept, error);

	if (!ok) {
		if (!before)
			ks_error_set(error, KS_ERROR_FAILED, "it cannot be read");
		ks_ignore(ks_durable_unlink(system->root, kept, NULL));
		return false;
	}
	if (run_sign_file(system, signing, path, error) &&
	    has_only_gained(system, signing, path, before, size, error))
		return ks_durable_unlink(system->root, kept, error);
	ks_ignore(ks_durable_rename(system->root, kept, path, NULL));
	return false;
}

static bool sign_file(const struct ks_system *system, const struct ks_signing *signing,
		      const char *path, GError **error)
{
	ks_autofd int fd = open_module(system, path, error);
	struct stat st;

	if (fd < 0)
		return false;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		ks_error_set(error, KS_ERROR_INVALID, "it is no regular file");
		return false;
	}
	if (signing->is_external)
		return sign_outside(system, signing, fd, path, st.st_size, error);
	if (sign_here(system, signing, fd, path, st.st_size, error))
		return true;
	if (ftruncate(fd, st.st_size) == 0)
		(void)fsync(fd);
	return false;
}

bool ks_sign_file(const struct ks_system *system, const struct ks_signing *signing,
		  const char *path, GError **error)
{
	g_autofree char *name = g_path_get_basename(path);

	if (sign_file(system, signing, path, error))
		return true;
	g_prefix_error(error, "cannot sign '%s': ", name);
	return false;
}

bool ks_sign_remove(const struct ks_system *system, const char *path,
		    const char *built_sha256, GError **error)
{
	ks_autofd int fd = open_module(system, path, error);
	g_autofree char *whole = NULL;
	g_autofree char *cut = NULL;
	guint64 size_bytes;
	struct stat st;

	if (fd < 0)
		return false;
	if (fstat(fd, &st) == 0)
		whole = digest_head(fd, (guint64)st.st_size);
	if (g_strcmp0(whole, built_sha256) == 0)
		return true;
	if (!ks_signature_find(fd, path, &size_bytes, error))
		return false;
	cut = digest_head(fd, size_bytes);
	if (g_strcmp0(cut, built_sha256) != 0) {
		ks_error_set(error, KS_ERROR_INVALID,
			     "'%s' is not what was built, signed or not", path);
		return false;
	}
	if (ftruncate(fd, (off_t)size_bytes) == 0 && fsync(fd) == 0)
		return true;
	ks_error_set_errno(error, errno, "cannot write '%s'", path);
	return false;
}
