/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/support/input.h"

#include <errno.h>
#include <unistd.h>

#include "core/support/error.h"

char *ks_input_read(int fd, size_t max_bytes, const char *label, size_t *size_bytes,
		    GError **error)
{
	g_autoptr(GString) text = g_string_new(NULL);
	char buffer[65536];
	ssize_t n;

	while ((n = read(fd, buffer, sizeof(buffer))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			ks_error_set_errno(error, errno, "cannot read %s", label);
			return NULL;
		}
		if (text->len + (size_t)n > max_bytes) {
			ks_error_set(error, KS_ERROR_INVALID, "%s is too long", label);
			return NULL;
		}
		g_string_append_len(text, buffer, n);
	}
	*size_bytes = text->len;
	return g_string_free(g_steal_pointer(&text), FALSE);
}
