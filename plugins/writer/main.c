/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See writer.h. */
#include "plugins/writer/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "core/support/error.h"
#include "core/support/inherited.h"
#include "core/support/input.h"

#define MAX_TEXT_BYTES (64 * 1024 * 1024)

static struct ks_package *read_package(GError **error)
{
	size_t size_bytes = 0;
	g_autofree char *text = ks_input_read(STDIN_FILENO, MAX_TEXT_BYTES,
					      "the description", &size_bytes, error);

	return text ? ks_package_parse(text, size_bytes, "standard input", error) : NULL;
}

/* The complete file under its name, durably; what stands there is replaced. */
static bool finish(int fd, const char *temporary, const char *path, GError **error)
{
	if (fchmod(fd, 0644) == 0 && fsync(fd) == 0 && rename(temporary, path) == 0)
		return true;
	ks_error_set_errno(error, errno, "cannot write '%s'", path);
	return false;
}

static char *write_package(const struct ks_package *package, const char *dir,
			   GError **error)
{
	g_autofree char *name = ks_writer_format.file_name(package, error);
	g_autofree char *path = name ? g_build_filename(dir, name, NULL) : NULL;
	g_autofree char *temporary = g_build_filename(dir, ".kmodsmith-tmp-XXXXXX", NULL);
	ks_autofd int fd = -1;

	if (!path)
		return NULL;
	fd = g_mkstemp_full(temporary, O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0) {
		ks_error_set_errno(error, errno, "cannot write into '%s'", dir);
		return NULL;
	}
	if (ks_writer_format.write(package, fd, error) &&
	    finish(fd, temporary, path, error))
		return g_steal_pointer(&path);
	unlink(temporary);
	return NULL;
}

int main(int argc, char **argv)
{
	g_autoptr(GError) error = NULL;
	ks_auto(ks_package) package = NULL;
	g_autofree char *path = NULL;

	if (!ks_inherited_reset())
		return EX_OSERR;
	if (argc != 3 || strcmp(argv[1], "--output") != 0) {
		fprintf(stderr, "usage: %s --output DIR\n", ks_writer_format.program);
		return EX_USAGE;
	}
	package = read_package(&error);
	path = package ? write_package(package, argv[2], &error) : NULL;
	if (!path) {
		fprintf(stderr, "%s\n", error->message);
		return EXIT_FAILURE;
	}
	if (printf("%s\n", path) < 0 || fflush(stdout) != 0)
		return EXIT_FAILURE;
	return EXIT_SUCCESS;
}
