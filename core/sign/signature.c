/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The end of a module file is somebody else's bytes: lengths are checked. */
#include "core/sign/signature.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/support/error.h"

#define MARKER_BYTES  (sizeof(KS_SIGNATURE_MARKER) - 1)
#define TRAILER_BYTES (sizeof(struct ks_module_signature) + MARKER_BYTES)

G_STATIC_ASSERT(sizeof(struct ks_module_signature) == 12);

static bool has_marker(const guint8 *end, size_t end_bytes)
{
	return end_bytes >= MARKER_BYTES &&
	       memcmp(end + end_bytes - MARKER_BYTES, KS_SIGNATURE_MARKER,
		      MARKER_BYTES) == 0;
}

guint64 ks_signature_get_size(const guint8 *end, size_t end_bytes)
{
	struct ks_module_signature trailer;

	if (!has_marker(end, end_bytes) || end_bytes < TRAILER_BYTES)
		return 0;
	memcpy(&trailer, end + end_bytes - TRAILER_BYTES, sizeof(trailer));
	if (trailer.id_type != KS_SIGNATURE_ID_PKCS7 || !trailer.sig_len)
		return 0;
	return TRAILER_BYTES + (guint64)ntohl(trailer.sig_len);
}

bool ks_signature_find(int fd, const char *label, guint64 *size_bytes, GError **error)
{
	guint8 end[TRAILER_BYTES];
	struct stat st;
	guint64 size, signature;
	size_t n;

	if (fstat(fd, &st) < 0) {
		ks_error_set_errno(error, errno, "cannot read '%s'", label);
		return false;
	}
	size = (guint64)st.st_size;
	n = (size_t)MIN(size, sizeof(end));
	if (pread(fd, end, n, (off_t)(size - n)) != (ssize_t)n) {
		ks_error_set(error, KS_ERROR_FAILED, "cannot read the end of '%s'",
			     label);
		return false;
	}
	if (!has_marker(end, n)) {
		*size_bytes = size;
		return true;
	}
	signature = ks_signature_get_size(end, n);
	if (!signature || signature > size) {
		ks_error_set(error, KS_ERROR_INVALID,
			     "'%s' ends like a signed module and is none", label);
		return false;
	}
	*size_bytes = size - signature;
	return true;
}
