/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Is a kernel's initramfs older than its modules? If so, make it again, or report that
 * nobody here can.
 *
 * The mark's own time is compared with the image's: both come from the file
 * system's clock, and an image that somebody else has made meanwhile counts.
 */
#include "core/install/image.h"
#include "core/install/install.h"
#include "core/install/run-tool.h"
#include "core/support/durable.h"
#include "core/support/error.h"
#include "core/support/fork.h"

static char *mark_path(const struct ks_system *system, const char *release)
{
	return g_build_filename(system->state_dir, "changed", release, NULL);
}

/* The mark of changes whose image nobody renews, once that was reported. */
static char *reported_path(const struct ks_system *system, const char *release)
{
	return g_build_filename(system->state_dir, "unrenewed", release, NULL);
}

bool ks_install_mark_changed(const struct ks_system *system, const char *release,
			     GError **error)
{
	g_autofree char *path = mark_path(system, release);

	return ks_durable_write(system->root, path, "", 0, 0644, error);
}

struct ks_install_mark ks_install_get_mark(const struct ks_system *system,
					   const char *release)
{
	g_autofree char *path = mark_path(system, release);
	struct ks_install_mark mark = {0};
	struct stat st;

	mark.is_there = ks_root_lstat(system->root, path, &st);
	if (mark.is_there)
		mark.time = st.st_mtim;
	return mark;
}

void ks_install_put_mark_back(const struct ks_system *system, const char *release,
			      const struct ks_install_mark *mark)
{
	g_autofree char *path = mark_path(system, release);
	const struct timespec times[2] = {mark->time, mark->time};
	ks_autofd int parent = -1;
	const char *name;

	if (!mark->is_there) {
		ks_ignore(ks_durable_unlink(system->root, path, NULL));
		return;
	}
	parent = ks_root_open_parent(system->root, path, &name, NULL);
	/* too new a mark costs an image, too old a one a driver: it is left then */
	if (parent >= 0)
		(void)!utimensat(parent, name, times, AT_SYMLINK_NOFOLLOW);
}

static bool is_before(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec < b->tv_sec ||
	       (a->tv_sec == b->tv_sec && a->tv_nsec < b->tv_nsec);
}

/* Made in the same tick as the change: the order is unknown, so it counts as older. */
static bool is_older(const struct ks_system *system, const char *path, const char *mark)
{
	struct stat marked, made;

	return ks_root_stat(system->root, mark, &marked) &&
	       ks_root_stat(system->root, path, &made) &&
	       !is_before(&marked.st_mtim, &made.st_mtim);
}

static bool is_set_older(const struct ks_system *system, const struct ks_image_set *set,
			 const char *mark)
{
	for (guint i = 0; i < set->paths->len; i++)
		if (is_older(system, set->paths->pdata[i], mark))
			return true;
	return false;
}

/* --- what there is to do */

/* limine-mkinitcpio makes those of all kernels, so it is not run for one. */
static char *describe_orphans(const struct ks_system *system,
			      const struct ks_image_set *set, const char *release)
{
	g_autofree char *limine = ks_run_tool_find(system, "limine-mkinitcpio");
	GString *text = g_string_new("nothing that is known here makes ");

	for (guint i = 0; i < set->paths->len; i++)
		g_string_append_printf(text, "%s'%s'", i ? ", " : "",
				       (char *)set->paths->pdata[i]);
	g_string_append_printf(text, " of %s: renew it%s", release,
			       limine ? " with 'limine-mkinitcpio'" : " by hand");
	return g_string_free(text, FALSE);
}

static void look_at_sets(const struct ks_system *system, const struct ks_images *images,
			 const char *release, struct ks_image_facts *facts)
{
	g_autofree char *mark = mark_path(system, release);
	g_autofree char *reported = reported_path(system, release);

	for (guint i = 0; i < images->sets->len; i++) {
		const struct ks_image_set *set = images->sets->pdata[i];
		const bool is_stale = is_set_older(system, set, mark);

		if (set->argv) {
			facts->has_image = true;
			facts->is_stale |= is_stale;
			facts->is_left |= !set->is_by_content &&
					  is_set_older(system, set, reported);
			continue;
		}
		facts->unrenewed = describe_orphans(system, set, release);
		facts->unrenewed_is_due = is_stale;
		facts->unrenewed_is_stale =
			is_stale || is_set_older(system, set, reported);
	}
}

/*
 * Which modules an image has is not asked: what it is made with decides that, and even a
 * driver that is loaded later must not be older in it. So the one question is whether
 * this kernel boots with an image at all.
 */
static void look_for_missing(const struct ks_system *system,
			     const struct ks_images *images, struct ks_kernel *kernel,
			     struct ks_image_facts *facts)
{
	g_autofree char *mark = mark_path(system, kernel->release);
	g_autofree char *reported = reported_path(system, kernel->release);

	if (images->sets->len || images->is_blind || !ks_images_are_usual(system, kernel))
		return;
	facts->unrenewed = g_strdup_printf("no initramfs of %s is found: if it boots "
					   "with one, renew it",
					   kernel->release);
	facts->unrenewed_is_due = ks_root_exists(system->root, mark);
	facts->unrenewed_is_stale =
		facts->unrenewed_is_due || ks_root_exists(system->root, reported);
}

void ks_install_look_at_image(const struct ks_system *system, struct ks_kernel *kernel,
			      struct ks_image_facts *facts)
{
	ks_auto(ks_images) images = ks_images_find(system, kernel);

	*facts = (struct ks_image_facts){0};
	look_at_sets(system, images, kernel->release, facts);
	look_for_missing(system, images, kernel, facts);
}

bool ks_install_initramfs_is_stale(const struct ks_system *system,
				   struct ks_kernel *kernel)
{
	struct ks_image_facts facts;

	ks_install_look_at_image(system, kernel, &facts);
	g_free(facts.unrenewed);
	return facts.is_stale;
}

static bool count_as_reported(const struct ks_system *system, const char *release,
			      GError **error)
{
	g_autofree char *mark = mark_path(system, release);
	g_autofree char *reported = reported_path(system, release);
	g_autofree char *dir = g_path_get_dirname(reported);

	return ks_root_mkdir_p(system->root, dir, 0755, error) &&
	       ks_durable_rename(system->root, mark, reported, error);
}

bool ks_install_note_unrenewed(const struct ks_system *system, struct ks_kernel *kernel,
			       char **what, GError **error)
{
	struct ks_image_facts facts;

	ks_install_look_at_image(system, kernel, &facts);
	*what = NULL;
	if (!facts.unrenewed_is_due) {
		g_free(facts.unrenewed);
		return true;
	}
	if (!count_as_reported(system, kernel->release, error)) {
		g_free(facts.unrenewed);
		return false;
	}
	*what = facts.unrenewed;
	return true;
}

char **ks_install_list_image_commands(const struct ks_system *system,
				      const struct ks_kernel *kernel)
{
	ks_auto(ks_images) images = ks_images_find(system, kernel);
	g_autofree char *mark = mark_path(system, kernel->release);
	GPtrArray *commands = g_ptr_array_new();

	for (guint i = 0; i < images->sets->len; i++) {
		const struct ks_image_set *set = images->sets->pdata[i];
		g_autofree char *program = NULL;
		g_autofree char *rest = NULL;

		if (!set->argv || !is_set_older(system, set, mark))
			continue;
		program = g_path_get_basename(set->argv[0]);
		rest = g_strjoinv(" ", set->argv + 1);
		g_ptr_array_add(commands, g_strdup_printf("%s %s", program, rest));
	}
	g_ptr_array_add(commands, NULL);
	return (char **)g_ptr_array_free(commands, FALSE);
}

bool ks_install_depmod_is_stale(const struct ks_system *system,
				const struct ks_kernel *kernel)
{
	g_autofree char *index =
		g_build_filename(kernel->modules_dir, "modules.dep", NULL);
	g_autofree char *mark = mark_path(system, kernel->release);
	struct stat marked, made;

	/* depmod is quick: made in the same tick, it was made after the change */
	if (ks_root_stat(system->root, index, &made))
		return ks_root_stat(system->root, mark, &marked) &&
		       is_before(&made.st_mtim, &marked.st_mtim);
	/* a tree that the caller has named and that never had one does not get one */
	return !system->install_tree_is_given && ks_root_exists(system->root, mark);
}

/* --- making them */

struct ks_initramfs {
	const struct ks_system *system;
	struct ks_kernel *kernel;
	int log_fd;
	struct ks_fork *fork;
};

/*
 * Looked at again after each command: hooks of update-initramfs copy the new image to
 * where others are. What comes after a failure may be a copy of what was not made.
 */
static struct ks_image_set *find_next(const struct ks_initramfs *initramfs,
				      const struct ks_images *images, guint *index)
{
	const struct ks_system *system = initramfs->system;
	g_autofree char *mark = mark_path(system, initramfs->kernel->release);

	while (*index < images->sets->len) {
		struct ks_image_set *set = images->sets->pdata[(*index)++];

		if (set->argv && is_set_older(system, set, mark))
			return set;
	}
	return NULL;
}

static GArray *stat_all(const struct ks_system *system, const struct ks_image_set *set)
{
	GArray *stats = g_array_new(FALSE, FALSE, sizeof(struct stat));

	for (guint i = 0; i < set->paths->len; i++) {
		struct stat st = {0};

		(void)!ks_root_stat(system->root, set->paths->pdata[i], &st);
		g_array_append_val(stats, st);
	}
	return stats;
}

/* Not by the mark: the times of a FAT are cut to two seconds. */
static bool is_any_changed(const GArray *before, const GArray *after)
{
	for (guint i = 0; i < before->len; i++) {
		const struct stat *a = &g_array_index(before, struct stat, i);
		const struct stat *b = &g_array_index(after, struct stat, i);

		if (a->st_ino != b->st_ino || a->st_size != b->st_size ||
		    is_before(&a->st_mtim, &b->st_mtim) ||
		    is_before(&a->st_ctim, &b->st_ctim))
			return true;
	}
	return false;
}

/* *left: it ended well, and its images are as they were. */
static bool make_set(const struct ks_initramfs *initramfs, const struct ks_image_set *set,
		     bool *left, GError **error)
{
	const struct ks_system *system = initramfs->system;
	g_autoptr(GArray) before = stat_all(system, set);
	g_autoptr(GArray) after = NULL;

	if (!ks_run_tool(system, (const char *const *)set->argv, initramfs->log_fd,
			 error))
		return false;
	after = stat_all(system, set);
	*left = !set->is_by_content && !is_any_changed(before, after);
	if (*left)
		ks_error_set(error, KS_ERROR_PENDING,
			     "'%s' has left '%s' as it was: renew it by hand",
			     set->argv[0], (char *)set->paths->pdata[0]);
	return !*left;
}

/* What one has left does not keep the others from being made: the first is reported. */
static bool make_all(const struct ks_initramfs *initramfs, bool *left, GError **error)
{
	ks_auto(ks_images) images = ks_images_find(initramfs->system, initramfs->kernel);
	g_autoptr(GError) first = NULL;
	struct ks_image_set *set;
	guint index = 0;

	while ((set = find_next(initramfs, images, &index))) {
		g_autoptr(GError) local = NULL;
		bool is_left = false;

		if (make_set(initramfs, set, &is_left, &local))
			continue;
		if (!is_left) {
			g_propagate_error(error, g_steal_pointer(&local));
			return false;
		}
		if (!first)
			first = g_steal_pointer(&local);
	}
	*left = first != NULL;
	if (first)
		g_propagate_error(error, g_steal_pointer(&first));
	return !*left;
}

#define ANSWER "(bm" KS_ERROR_VARIANT ")"

/* In a copy of the process: several programs may have to run one after another. */
static GVariant *make_in_copy(void *data)
{
	g_autoptr(GError) error = NULL;
	bool left = false;
	GVariant *failure =
		make_all(data, &left, &error) ? NULL : ks_error_to_variant(error);

	return g_variant_new("(bm@" KS_ERROR_VARIANT ")", left, failure);
}

static bool explain(const struct ks_kernel *kernel, bool ok, GError **error)
{
	if (!ok)
		g_prefix_error(error,
			       "cannot make the initramfs of %s: ", kernel->release);
	return ok;
}

bool ks_install_initramfs_start(const struct ks_system *system, struct ks_kernel *kernel,
				int log_fd, struct ks_initramfs **initramfs,
				GError **error)
{
	struct ks_initramfs *started;

	*initramfs = NULL;
	if (!ks_install_initramfs_is_stale(system, kernel))
		return true;
	started = g_new0(struct ks_initramfs, 1);
	*started = (struct ks_initramfs){system, kernel, log_fd, NULL};
	started->fork = ks_fork_start(make_in_copy, started, error);
	if (!started->fork) {
		g_free(started);
		return explain(kernel, false, error);
	}
	*initramfs = started;
	return true;
}

int ks_install_initramfs_fd(const struct ks_initramfs *initramfs)
{
	return ks_fork_fd(initramfs->fork);
}

static bool take_answer(struct ks_initramfs *initramfs, bool *left, GError **error)
{
	g_autoptr(GVariant) answer =
		ks_fork_finish(initramfs->fork, G_VARIANT_TYPE(ANSWER), error);
	g_autoptr(GVariant) failure = NULL;
	gboolean is_left = FALSE;

	if (!answer)
		return false;
	g_variant_get(answer, "(bm@" KS_ERROR_VARIANT ")", &is_left, &failure);
	*left = is_left;
	if (failure)
		g_propagate_error(error, ks_error_from_variant(failure));
	return !failure;
}

/* Where an image is left that nobody makes, the mark is needed until that was reported. */
static bool take_mark_away(const struct ks_system *system, struct ks_kernel *kernel,
			   GError **error)
{
	g_autofree char *mark = mark_path(system, kernel->release);
	g_autofree char *reported = reported_path(system, kernel->release);
	struct ks_image_facts facts;

	ks_install_look_at_image(system, kernel, &facts);
	g_free(facts.unrenewed);
	return facts.unrenewed_is_due ||
	       (ks_durable_unlink(system->root, mark, error) &&
		(facts.unrenewed_is_stale ||
		 ks_durable_unlink(system->root, reported, error)));
}

bool ks_install_initramfs_finish(struct ks_initramfs *initramfs, GError **error)
{
	const struct ks_system *system = initramfs->system;
	struct ks_kernel *kernel = initramfs->kernel;
	bool left = false;
	const bool is_made = take_answer(initramfs, &left, error);

	g_free(initramfs);
	if (is_made)
		return take_mark_away(system, kernel, error);
	ks_error_hint(error, "its output is in '%s/initramfs.log'%s", system->log_dir,
		      left ? "" : "; 'kmodsmith sync' tries it again");
	/* it would be left again, and again */
	if (left)
		ks_ignore(count_as_reported(system, kernel->release, NULL));
	return explain(kernel, false, error);
}

bool ks_install_initramfs_update(const struct ks_system *system, struct ks_kernel *kernel,
				 int log_fd, GError **error)
{
	struct ks_initramfs *initramfs = NULL;

	return ks_install_initramfs_start(system, kernel, log_fd, &initramfs, error) &&
	       (!initramfs || ks_install_initramfs_finish(initramfs, error));
}
