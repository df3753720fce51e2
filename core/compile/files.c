/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How far make has come, by what Kbuild prints: "  CC [M]  /path/file.o". */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "core/compile/compile-private.h"

/* Of the output since the last look, at most this much is read at once. */
#define CHUNK_BYTES (256u << 10)

guint ks_build_count_files(const char *log_text, size_t size_bytes)
{
	const char *end = log_text + size_bytes;
	guint n = 0;

	for (const char *line = log_text; line && line < end;) {
		const char *next = memchr(line, '\n', (size_t)(end - line));
		const char *stop = next ? next : end;
		const char *p = line;

		while (p < stop && *p == ' ')
			p++;
		if (p == line + 2) {
			while (p < stop && g_ascii_isupper(*p))
				p++;
			while (p < stop && *p == ' ')
				p++;
			n += stop - p > 4 && memcmp(p, "[M] ", 4) == 0;
		}
		line = next ? next + 1 : NULL;
	}
	return n;
}

/* Whole lines only: the rest of the last one comes with the next look. */
guint ks_build_files_done(struct ks_build *build)
{
	g_autofree char *text = NULL;
	ssize_t n;

	if (build->log_fd < 0)
		return 0;
	text = g_malloc(CHUNK_BYTES);
	n = pread(build->log_fd, text, CHUNK_BYTES, build->counted_offset);
	if (n <= 0)
		return build->n_files;
	while (n && text[n - 1] != '\n' && n < (ssize_t)CHUNK_BYTES)
		n--;
	build->n_files += ks_build_count_files(text, (size_t)n);
	build->counted_offset += n;
	return build->n_files;
}
