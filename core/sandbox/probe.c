/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The abilities of this machine: mounts, and a user to run as instead of root. */
#include "core/sandbox/sandbox.h"

#include <stdio.h>
#include <string.h>

#define IDENTITY_USER	  "kmodsmith"
#define IDENTITY_FALLBACK "nobody"
#define IDENTITY_LAST	  65534
#define PASSWD_MAX	  (4u << 20)

/* As launcher-mounts.c covers them. */
bool ks_sandbox_covers(const char *path)
{
	return g_str_has_prefix(path, "/tmp/") || g_str_has_prefix(path, "/run/");
}

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

/* user_namespaces(7): lines of "first-inside first-outside count". */
static bool is_mapped(const char *map, guint64 id)
{
	g_autofree char *text = NULL;
	g_auto(GStrv) lines = NULL;

	if (!g_file_get_contents(map, &text, NULL, NULL))
		return true; /* no /proc: nothing says otherwise */
	lines = g_strsplit(text, "\n", -1);
	for (char **line = lines; *line; line++) {
		guint64 inside, outside, count;

		if (sscanf(*line,
			   "%" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT
			   " %" G_GUINT64_FORMAT,
			   &inside, &outside, &count) == 3 &&
		    id >= inside && id - inside < count)
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
	return is_mapped("/proc/self/uid_map", *uid) &&
	       is_mapped("/proc/self/gid_map", *gid);
}

/* A line of subuid(5): user:first:count. The uid of slot in it, or 0. */
static uid_t subuid_find(char **lines, unsigned int slot)
{
	for (; *lines; lines++) {
		g_auto(GStrv) fields = g_strsplit(*lines, ":", 4);
		guint64 first, count;

		if (g_strv_length(fields) == 3 && strcmp(fields[0], IDENTITY_USER) == 0 &&
		    number(fields[1], &first) && number(fields[2], &count) &&
		    slot < count && first + slot < G_MAXUINT32)
			return first + slot;
	}
	return 0;
}

bool ks_sandbox_identity_of(const struct ks_system *system, unsigned int slot, uid_t *uid,
			    gid_t *gid)
{
	g_autofree char *text = NULL;
	g_auto(GStrv) lines = NULL;
	uid_t own;

	if (!ks_sandbox_identity(system, uid, gid))
		return false;
	text = ks_root_read_file(system->root, "/etc/subuid", PASSWD_MAX, NULL, NULL);
	lines = g_strsplit(text ? text : "", "\n", -1);
	own = subuid_find(lines, slot);
	if (own && is_mapped("/proc/self/uid_map", own))
		*uid = own;
	return true;
}
