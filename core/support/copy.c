/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/support/copy.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/support/error.h"
#include "core/support/write-all.h"

bool ks_copy_fd(int from, int to, guint64 max_bytes, char **sha256, const char *label,
		GError **error)
{
	g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
	const size_t size = 256 << 10;
	g_autofree char *buffer = g_malloc(size);
	guint64 total = 0;
	ssize_t n;

	while ((n = read(from, buffer, size)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			ks_error_set_errno(error, errno, "cannot read '%s'", label);
			return false;
		}
		total += n;
		if (total > max_bytes) {
			ks_error_set(error, KS_ERROR_INVALID,
				     "'%s' is larger than %" G_GUINT64_FORMAT " bytes",
				     label, max_bytes);
			return false;
		}
		g_checksum_update(checksum, (guchar *)buffer, n);
		if (!ks_write_all(to, buffer, (size_t)n)) {
			ks_error_set_errno(error, errno, "cannot copy '%s'", label);
			return false;
		}
	}
	if (fchmod(to, 0644) != 0 || fsync(to) != 0) {
		ks_error_set_errno(error, errno, "cannot copy '%s'", label);
		return false;
	}
	if (sha256)
		*sha256 = g_strdup(g_checksum_get_string(checksum));
	return true;
}
