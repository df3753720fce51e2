/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What can be had on this machine: mounts, and somebody to be instead of root. */
#include "core/sandbox/sandbox.h"

#include <string.h>

#define IDENTITY_USER	  "kmodsmith"
#define IDENTITY_FALLBACK "nobody"
#define IDENTITY_LAST	  65534
#define PASSWD_MAX	  (4u << 20)

bool ks_sandbox_can_mount(const struct ks_system *system)
{
	/* One tree per process in practice; another one is probed again. */
	static char *probed_prefix;
	static bool probed_result;
	const char *prefix = ks_root_prefix(system->root);
	struct ks_sandbox_policy policy = {
		.cwd = "/", .stdin_fd = -1, .stdout_fd = -1, .stderr_fd = -1};
	struct ks_sandbox sandbox;
	unsigned int layers = 0;
	int status;

	if (probed_prefix && strcmp(probed_prefix, prefix) == 0)
		return probed_result;
	/* Without arguments the launcher sets the layers up and ends. */
	ks_sandbox_identity(system, &policy.uid, &policy.gid);
	if (!ks_sandbox_start(system, &policy, &sandbox, NULL) ||
	    !ks_sandbox_finish(&sandbox, &status, &layers, NULL))
		layers = 0;
	g_free(probed_prefix);
	probed_prefix = g_strdup(prefix);
	probed_result = layers & KS_SANDBOX_MOUNT;
	return probed_result;
}

static bool number(const char *text, guint64 *value)
{
	return g_ascii_string_to_unsigned(text, 10, 1, G_MAXUINT32 - 1, value, NULL);
}

/* A line of passwd(5): name:password:uid:gid:... */
static bool passwd_find(char **lines, const char *user, uid_t *uid, gid_t *gid)
{
	for (; *lines; lines++) {
		g_auto(GStrv) fields = g_strsplit(*lines, ":", 5);
		guint64 user_id, group_id;

		if (g_strv_length(fields) < 4 || strcmp(fields[0], user) != 0)
			continue;
		if (!number(fields[2], &user_id) || !number(fields[3], &group_id))
			return false;
		*uid = user_id;
		*gid = group_id;
		return true;
	}
	return false;
}

bool ks_sandbox_identity(const struct ks_system *system, uid_t *uid, gid_t *gid)
{
	g_autofree char *text = NULL;
	g_auto(GStrv) lines = NULL;

	if (geteuid() != 0) {
		*uid = geteuid();
		*gid = getegid();
		return false;
	}
	text = ks_root_read_file(system->root, "/etc/passwd", PASSWD_MAX, NULL, NULL);
	lines = g_strsplit(text ? text : "", "\n", -1);
	if (!passwd_find(lines, IDENTITY_USER, uid, gid) &&
	    !passwd_find(lines, IDENTITY_FALLBACK, uid, gid))
		*uid = *gid = IDENTITY_LAST;
	return true;
}
