/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the launcher reports to the engine, and how it ends when it cannot go on. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/sandbox/launcher.h"

static void report_write(const struct launch *launch, const char *text, int size, int max)
{
	/* One write: the pipe keeps lines of several processes whole. */
	if (size > 0 && write(launch->report_fd, text, size < max ? size : max) < 0)
		return; /* the engine is gone; we are about to be, too */
}

void launch_report(const struct launch *launch, const char *format, ...)
{
	char line[512];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(line, sizeof(line) - 1, format, args);
	va_end(args);
	if (n > (int)sizeof(line) - 2)
		n = sizeof(line) - 2;
	line[n++] = '\n';
	report_write(launch, line, n, sizeof(line));
}

_Noreturn void launch_fail(const struct launch *launch, int err, const char *format, ...)
{
	char text[400];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	launch_report(launch, "error %d %s", err, text);
	_exit(KS_SANDBOX_EXIT_ERROR);
}

_Noreturn void launch_fail_command(const struct launch *launch, int err, const char *what,
				   const char *path)
{
	switch (err) {
	case EACCES:
	case ELOOP:
	case ENOENT:
	case ENOTDIR:
		launch_report(launch, "unusable %d cannot %s '%s'", err, what, path);
		_exit(KS_SANDBOX_EXIT_ERROR);
	default: /* no memory, no process, a broken disk */
		launch_fail(launch, err, "cannot %s '%s'", what, path);
	}
}

void launch_missing(const struct launch *launch, unsigned int layer, int err)
{
	const char *name = ks_sandbox_layer_name(layer);

	if (!launch->policy.require) {
		launch_report(launch, "missing %s %d", name, err);
		return;
	}
	launch_report(launch, "refused the layer '%s' is not available: %s", name,
		      strerror(err));
	_exit(KS_SANDBOX_EXIT_ERROR);
}

bool launch_is_unavailable(int err)
{
	switch (err) {
	case EPERM:  /* no CAP_SYS_ADMIN, or a container's filter */
	case EACCES: /* AppArmor */
	case EINVAL: /* not configured into the kernel; "/" is no mount point */
	case ENOSYS:
	case EOPNOTSUPP:
	case ENOSPC: /* limits of namespaces and mounts */
	case EUSERS:
	case E2BIG: /* Landlock: nested too deeply */
		return true;
	default:
		return false;
	}
}
