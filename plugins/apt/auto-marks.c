/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See marks.h. */
#include "plugins/apt/auto-marks.h"

#include <stdlib.h>
#include <string.h>

#include "core/support/error.h"
#include "plugins/apt/aptshim.h"

struct mark {
	const char *package;
	char *kernel_package; /* "" when no package owns the kernel */
	bool was_auto;
	bool is_auto;
};

static void mark_free(gpointer data)
{
	struct mark *mark = data;

	g_free(mark->kernel_package);
	g_free(mark);
}

/* Our packages that apt knows, with what their flags are now. */
static GPtrArray *read_marks(struct ks_apt *apt, GPtrArray *packages)
{
	GPtrArray *marks = g_ptr_array_new_with_free_func(mark_free);

	for (guint i = 0; i < packages->len; i++) {
		const struct ks_dpkg_package *package = g_ptr_array_index(packages, i);
		struct ks_apt_state state;
		struct mark *mark;

		if (!ks_dpkg_is_ours(package) || !ks_dpkg_is_complete(package) ||
		    !ks_apt_query(apt, package->name, &state))
			continue;
		mark = g_new0(struct mark, 1);
		mark->package = package->name;
		mark->kernel_package =
			g_strndup(package->depends, strcspn(package->depends, " ,:"));
		mark->was_auto = mark->is_auto = state.is_auto;
		g_ptr_array_add(marks, mark);
	}
	return marks;
}

static void set_mark(struct ks_apt *apt, struct mark *mark, bool automatic)
{
	if (mark->is_auto != automatic && ks_apt_mark(apt, mark->package, automatic))
		mark->is_auto = automatic;
}

static void follow_kernel(struct ks_apt *apt, struct mark *mark)
{
	struct ks_apt_state kernel;
	bool known =
		*mark->kernel_package && ks_apt_query(apt, mark->kernel_package, &kernel);

	set_mark(apt, mark, known && kernel.installed && kernel.is_auto);
}

static void rescue(struct ks_apt *apt, struct mark *mark)
{
	struct ks_apt_state state, kernel;

	if (ks_apt_query(apt, mark->package, &state) && state.is_garbage &&
	    ks_apt_query(apt, mark->kernel_package, &kernel) && !kernel.is_garbage)
		set_mark(apt, mark, false);
}

static bool have_changed(GPtrArray *marks)
{
	for (guint i = 0; i < marks->len; i++) {
		const struct mark *mark = g_ptr_array_index(marks, i);

		if (mark->is_auto != mark->was_auto)
			return true;
	}
	return false;
}

static bool has_ours(GPtrArray *packages)
{
	for (guint i = 0; i < packages->len; i++)
		if (ks_dpkg_is_ours(g_ptr_array_index(packages, i)))
			return true;
	return false;
}

bool ks_marks_update(const struct ks_system *system, GPtrArray *packages, GError **error)
{
	g_autoptr(GPtrArray) marks = NULL;
	char *message = NULL;
	struct ks_apt *apt;
	bool ok;

	/* dpkg without apt has no such flags */
	if (!has_ours(packages) || !ks_root_exists(system->root, "/etc/apt"))
		return true;
	apt = ks_apt_open(ks_root_prefix(system->root), KS_APT_STATUS_ONLY, &message);
	ok = apt != NULL;
	if (apt) {
		marks = read_marks(apt, packages);
		for (guint i = 0; i < marks->len; i++)
			follow_kernel(apt, g_ptr_array_index(marks, i));
		for (guint i = 0; i < marks->len; i++)
			rescue(apt, g_ptr_array_index(marks, i));
		ok = !have_changed(marks) || ks_apt_store(apt, &message);
		ks_apt_close(apt);
	}
	if (!ok)
		ks_error_set(error, KS_ERROR_FAILED,
			     "cannot mark modules as automatic: %s", message);
	free(message);
	return ok;
}
