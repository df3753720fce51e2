/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A build that asks for the running kernel gets the one that it is for: also
 * when it calls uname by an absolute path, with an environment of its own, or
 * reads /proc. A program that calls uname(2) itself gets the machine's kernel:
 * no namespace changes that.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/compile/compile-private.h"
#include "core/kernel/uname.h"
#include "core/support/error.h"
#include "core/support/write-all.h"

static const struct {
	const char *name; /* in work_dir */
	mode_t mode;
	const char *targets[5];
} files[] = {
	{"uname",
	 0755,
	 {"/usr/bin/uname", "/bin/uname", "/usr/bin/arch", "/bin/arch", NULL}},
	{"osrelease", 0644, {"/proc/sys/kernel/osrelease", NULL}},
	{"version", 0644, {"/proc/sys/kernel/version", NULL}},
	{"proc-version", 0644, {"/proc/version", NULL}},
};
G_STATIC_ASSERT(G_N_ELEMENTS(files) == KS_BUILD_UNAME_FILES);

static char *make_text(const struct ks_build *build, size_t i)
{
	const struct ks_system *system = build->system;
	struct ks_kernel *kernel = build->request->kernel;
	g_autofree char *quoted = NULL;

	switch (i) {
	case 0:
		quoted = g_shell_quote(ks_kernel_uname(system, kernel));
		return g_strdup_printf("#!/bin/sh\n" KS_UNAME_ENV "=%s\n"
				       "[ \"${0##*/}\" != arch ] || set -- -m\n%s",
				       quoted, ks_uname_script);
	case 1:
		return g_strconcat(kernel->release, "\n", NULL);
	case 2:
		return g_strconcat(ks_kernel_uname_version(system, kernel), "\n", NULL);
	default:
		return ks_kernel_proc_version(system, kernel);
	}
}

/* In a work directory: the file need not survive a power cut. */
static bool write_file(const struct ks_build *build, const char *path, const char *text,
		       mode_t mode, GError **error)
{
	ks_autofd int fd = ks_root_openat(build->system->root, path,
					  O_WRONLY | O_CREAT | O_EXCL, mode, error);

	if (fd < 0)
		return false;
	if (fchmod(fd, mode) == 0 && ks_write_all(fd, text, strlen(text)))
		return true;
	ks_error_set_errno(error, errno, "cannot write '%s'", path);
	return false;
}

bool ks_build_write_uname(struct ks_build *build, GError **error)
{
	if (!build->request->private_build)
		return true; /* nothing can be covered */
	for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
		g_autofree char *text = make_text(build, i);

		g_free(build->uname_files[i]);
		build->uname_files[i] =
			g_build_filename(build->work_dir, files[i].name, NULL);
		if (!write_file(build, build->uname_files[i], text, files[i].mode, error))
			return false;
	}
	return true;
}

size_t ks_build_cover_uname(const struct ks_build *build, struct ks_sandbox_cover *covers)
{
	size_t n = 0;

	for (size_t i = 0; i < G_N_ELEMENTS(files) && build->uname_files[i]; i++)
		for (const char *const *target = files[i].targets; *target; target++)
			covers[n++] =
				(struct ks_sandbox_cover){build->uname_files[i], *target};
	return n;
}
