/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See view.h. */
#include "cli/view.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>

#include "core/support/error.h"

#define MOUNTINFO "/proc/self/mountinfo"

static bool make_private(GError **error)
{
	/* EINVAL: "/" is no mount point, as in a chroot into a plain directory; then the
	 * namespace outside would see what is mounted */
	if (unshare(CLONE_NEWNS) == 0 &&
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0)
		return true;
	ks_error_set(error, KS_ERROR_DENIED,
		     "cannot make a mount namespace in which the kernel is seen: %s",
		     g_strerror(errno));
	ks_error_hint(error,
		      "where mounts cannot be made, modules are checked only for kernels "
		      "whose headers are installed");
	return false;
}

/* proc(5): blanks and backslashes of a path are octal there. */
static char *unescape(const char *field)
{
	return g_strcompress(field);
}

static bool is_below(const char *path, const char *dir)
{
	const size_t length = strlen(dir);

	return g_str_has_prefix(path, dir) && path[length] == '/';
}

/* What is mounted there would be hidden: an overlay shows one file system. */
static bool check_mounts_below(const char *dir, GError **error)
{
	g_autofree char *text = NULL;
	g_auto(GStrv) lines = NULL;

	if (!g_file_get_contents(MOUNTINFO, &text, NULL, error))
		return false;
	lines = g_strsplit(text, "\n", -1);
	for (char **line = lines; *line; line++) {
		g_auto(GStrv) fields = g_strsplit(*line, " ", 6);
		g_autofree char *path =
			g_strv_length(fields) > 4 ? unescape(fields[4]) : NULL;

		if (!path || !is_below(path, dir))
			continue;
		ks_error_set(error, KS_ERROR_FAILED,
			     "cannot lay the kernel over '%s': '%s' is mounted there",
			     dir, path);
		return false;
	}
	return true;
}

/* Of a path in overlayfs's options. */
static char *escape(const char *path)
{
	g_autoptr(GString) text = g_string_new(NULL);

	for (; *path; path++) {
		if (strchr("\\:,", *path))
			g_string_append_c(text, '\\');
		g_string_append_c(text, *path);
	}
	return g_string_free(g_steal_pointer(&text), FALSE);
}

static bool lay_over(const struct ks_root *root, const char *covered, const char *cover,
		     GError **error)
{
	g_autofree char *target = ks_root_host_path(root, covered);
	g_autofree char *source = ks_root_host_path(root, cover);
	g_autofree char *upper = escape(source);
	g_autofree char *lower = escape(target);
	g_autofree char *options = g_strdup_printf("lowerdir=%s:%s", upper, lower);

	if (!check_mounts_below(target, error))
		return false;
	if (mount("overlay", target, "overlay", MS_RDONLY | MS_NODEV, options) == 0)
		return true;
	ks_error_set(error, KS_ERROR_DENIED, "cannot lay the kernel over '%s': %s",
		     target, g_strerror(errno));
	return false;
}

bool ks_view_enter(struct ks_system *system, const struct ks_incoming *incoming,
		   GError **error)
{
	g_auto(GStrv) covered = NULL;
	g_auto(GStrv) covers = NULL;

	if (!ks_incoming_list_covered(incoming, &covered, &covers, error) ||
	    !make_private(error))
		return false;
	for (guint i = 0; covered[i]; i++)
		if (!lay_over(system->root, covered[i], covers[i], error))
			return false;
	return ks_root_reopen(system->root, error);
}
