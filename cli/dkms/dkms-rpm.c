/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The modules that the rpm above this process has added. */
#include "cli/dkms/dkms-rpm.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/support/durable.h"

#define MAX_NOTE_BYTES 4096

/* The fields of /proc/PID/stat after the name, which may contain anything; or NULL. */
static char **stat_fields(pid_t pid)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/stat", (int)pid);
	g_autofree char *text = NULL;
	const char *behind;

	if (!g_file_get_contents(path, &text, NULL, NULL))
		return NULL;
	behind = strrchr(text, ')');
	return behind ? g_strsplit(behind + 1, " ", -1) : NULL;
}

/* proc_pid_stat(5), counted from the state: 2 is the parent, 20 the start time. */
#define FIELD_PARENT 2
#define FIELD_START  20

/* "PID START" of the grandparent: the parent is the scriptlet's shell; or NULL. */
static char *identify_rpm(void)
{
	g_auto(GStrv) shell = stat_fields(getppid());
	g_auto(GStrv) rpm = NULL;
	int pid = shell && g_strv_length(shell) > FIELD_PARENT ? atoi(shell[FIELD_PARENT])
							       : 0;

	rpm = pid > 0 ? stat_fields(pid) : NULL;
	if (!rpm || g_strv_length(rpm) <= FIELD_START)
		return NULL;
	return g_strdup_printf("%d %s", pid, rpm[FIELD_START]);
}

static char *note_path(const struct ks_dkms *dkms, struct ks_dkms_job job)
{
	g_autofree char *name = g_strdup_printf("%s-%s", job.module, job.version);

	return g_build_filename(dkms->cli.system->run_dir, "rpm-added", name, NULL);
}

void ks_dkms_rpm_remember(const struct ks_dkms *dkms, struct ks_dkms_job job)
{
	g_autofree char *path = NULL;
	g_autofree char *rpm = NULL;

	if (!dkms->options->rpm_safe_upgrade || geteuid() != 0)
		return;
	path = note_path(dkms, job);
	rpm = identify_rpm();
	if (rpm)
		ks_ignore(ks_durable_write(dkms->cli.system->root, path, rpm, strlen(rpm),
					   0600, NULL));
}

bool ks_dkms_rpm_take(const struct ks_dkms *dkms, struct ks_dkms_job job)
{
	g_autofree char *path = NULL;
	g_autofree char *rpm = NULL;
	g_autofree char *note = NULL;

	if (!dkms->options->rpm_safe_upgrade || geteuid() != 0)
		return false;
	path = note_path(dkms, job);
	note = ks_root_read_file(dkms->cli.system->root, path, MAX_NOTE_BYTES, NULL,
				 NULL);
	if (!note)
		return false;
	rpm = identify_rpm();
	ks_ignore(ks_durable_unlink(dkms->cli.system->root, path, NULL));
	return rpm && g_str_equal(rpm, note);
}
