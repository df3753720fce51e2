/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/shell/view.h"

#include <string.h>
#include <unistd.h>

#include "core/support/durable.h"
#include "core/support/error.h"
#include "core/support/treeop.h"

#define MAX_BYTES      (4ULL << 30)
#define MAX_FILE_BYTES (1u << 20)
#define MAX_ENTRIES    200000
#define MAX_DEPTH      100
/* An evaluation ends within a minute: an older directory was left by a killed run. */
#define MAX_AGE_S 3600

struct reader {
	const struct ks_root *root;
	uid_t uid;
	gid_t gid;
	guint n_entries;
};

/* Judged by the mode alone. An ACL may allow more: then one copy too many is made. */
static bool may(const struct reader *reader, const struct stat *st, mode_t bits)
{
	if (st->st_uid == reader->uid)
		return (st->st_mode >> 6 & bits) == bits;
	if (st->st_gid == reader->gid)
		return (st->st_mode >> 3 & bits) == bits;
	return (st->st_mode & bits) == bits;
}

/* Every directory on the way to path, whose links are resolved. */
static bool may_reach(const struct reader *reader, const char *path)
{
	g_autofree char *real = ks_root_realpath(reader->root, path);
	struct stat st;

	/* a missing file fails by itself */
	for (char *slash = real ? strchr(real + 1, '/') : NULL; slash;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (!ks_root_stat(reader->root, real, &st) || !may(reader, &st, 1))
			return false;
		*slash = '/';
	}
	return true;
}

static bool may_read_tree(struct reader *reader, const char *path, guint depth)
{
	g_autoptr(GPtrArray) names = NULL;
	struct stat st;

	if (++reader->n_entries > MAX_ENTRIES || depth > MAX_DEPTH)
		return true;
	if (depth ? !ks_root_lstat(reader->root, path, &st)
		  : !ks_root_stat(reader->root, path, &st))
		return true;
	if (S_ISREG(st.st_mode))
		return may(reader, &st, 4);
	if (!S_ISDIR(st.st_mode))
		return true;
	if (!may(reader, &st, 5))
		return false;
	names = ks_root_list(reader->root, path, NULL);
	for (guint i = 0; names && i < names->len; i++) {
		g_autofree char *below = g_build_filename(path, names->pdata[i], NULL);

		if (!may_read_tree(reader, below, depth + 1))
			return false;
	}
	return true;
}

/* --- the copies */

static char *views_dir(const struct ks_system *system)
{
	return g_build_filename(system->state_dir, "view", NULL);
}

static void sweep(const struct ks_system *system, const char *views)
{
	g_autoptr(GPtrArray) names = ks_root_list(system->root, views, NULL);
	const gint64 now_s = g_get_real_time() / G_USEC_PER_SEC;

	for (guint i = 0; names && i < names->len; i++) {
		g_autofree char *path = g_build_filename(views, names->pdata[i], NULL);
		struct stat st;

		if (ks_root_lstat(system->root, path, &st) &&
		    now_s - st.st_ctim.tv_sec > MAX_AGE_S)
			ks_ignore(ks_treeop_remove(system->root, path, NULL));
	}
}

static void add_bind(struct ks_conf_view *view, const char *source, const char *target)
{
	view->binds[view->n_binds++] =
		(struct ks_sandbox_bind){.source = source, .target = target};
}

/* Bash's user may be "nobody": other processes of that user cannot find the name. */
static char *make_name(GError **error)
{
	guint64 random;

	if (getentropy(&random, sizeof(random)) == 0)
		return g_strdup_printf("%016" G_GINT64_MODIFIER "x", random);
	ks_error_set_errno(error, errno, "cannot get random bytes");
	return NULL;
}

static bool give_dir(const struct ks_root *root, const char *dir,
		     const struct reader *reader, GError **error)
{
	ks_autofd int fd =
		ks_root_openat(root, dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, error);

	if (fd < 0)
		return false;
	if (fchown(fd, reader->uid, reader->gid) == 0)
		return true;
	ks_error_set_errno(error, errno, "cannot give '%s' to the build user", dir);
	return false;
}

/* The directory of the copies, once. */
static bool make_dir(struct ks_conf_view *view, const struct reader *reader,
		     GError **error)
{
	const struct ks_system *system = view->system;
	g_autofree char *views = views_dir(system);
	g_autofree char *name = NULL;

	if (view->dir)
		return true;
	name = make_name(error);
	if (!name || !ks_root_mkdir_p(system->root, system->state_dir, 0755, error) ||
	    !ks_root_mkdir_p(system->root, views, 0711, error))
		return false;
	sweep(system, views);
	view->dir = g_build_filename(views, name, NULL);
	/* wherever state_dir is: the sandbox has a /tmp of its own */
	if (ks_sandbox_covers(view->dir) && ks_sandbox_can_mount(system))
		add_bind(view, view->dir, view->dir);
	return ks_root_mkdir_p(system->root, view->dir, 0700, error) &&
	       give_dir(system->root, view->dir, reader, error);
}

static bool copy_source(struct ks_conf_view *view, const struct reader *reader,
			GError **error)
{
	const struct ks_treeop_copy_options options = {
		.chown = true,
		.uid = reader->uid,
		.gid = reader->gid,
		.max_bytes = MAX_BYTES,
		.max_entries = MAX_ENTRIES,
	};
	const struct ks_root *root = view->system->root;
	g_autofree char *copy = NULL;

	if (!make_dir(view, reader, error))
		return false;
	copy = g_build_filename(view->dir, "source", NULL);
	if (!ks_treeop_copy(root, view->source_dir, copy, &options, error) ||
	    !give_dir(root, copy, reader, error))
		return false;
	view->copy = g_steal_pointer(&copy);
	view->is_bound =
		may_reach(reader, view->source_dir) && ks_sandbox_can_mount(view->system);
	if (view->is_bound)
		add_bind(view, view->copy, view->source_dir);
	return true;
}

/* False when bash runs as the caller, who reads what it can. */
static bool find_reader(const struct ks_system *system, struct reader *reader)
{
	*reader = (struct reader){.root = system->root};
	return ks_sandbox_identity(system, &reader->uid, &reader->gid);
}

static struct ks_conf_view *view_new(const struct ks_system *system,
				     const char *source_dir)
{
	struct ks_conf_view *view = g_new0(struct ks_conf_view, 1);

	view->system = system;
	view->source_dir = g_strdup(source_dir);
	return view;
}

struct ks_conf_view *ks_conf_view_open_plain(const struct ks_system *system,
					     const char *dir)
{
	struct ks_conf_view *view = view_new(system, dir);
	struct reader reader;
	struct stat st;

	view->is_closed =
		find_reader(system, &reader) &&
		(!may_reach(&reader, dir) || !ks_root_stat(system->root, dir, &st) ||
		 !may(&reader, &st, 1));
	return view;
}

struct ks_conf_view *ks_conf_view_open(const struct ks_system *system,
				       const char *source_dir, GError **error)
{
	ks_auto(ks_conf_view) view = view_new(system, source_dir);
	struct reader reader;

	if (find_reader(system, &reader) &&
	    (!may_reach(&reader, source_dir) || !may_read_tree(&reader, source_dir, 0)) &&
	    !copy_source(view, &reader, error)) {
		g_prefix_error(error, "cannot show '%s' to bash: ", source_dir);
		return NULL;
	}
	return g_steal_pointer(&view);
}

void ks_conf_view_close(struct ks_conf_view *view)
{
	if (!view)
		return;
	if (view->dir)
		ks_ignore(ks_treeop_remove(view->system->root, view->dir, NULL));
	g_free(view->source_dir);
	g_free(view->dir);
	g_free(view->copy);
	g_free(view);
}

const char *ks_conf_view_cwd(const struct ks_conf_view *view)
{
	if (view->is_closed)
		return "/";
	return view->copy && !view->is_bound ? view->copy : view->source_dir;
}

/* path seen from dir, or NULL. */
static const char *below(const char *path, const char *dir)
{
	size_t length = strlen(dir);

	return strncmp(path, dir, length) == 0 && path[length] == '/' ? path + length + 1
								      : NULL;
}

static char *copy_text(struct ks_conf_view *view, const struct reader *reader,
		       const char *path, const char *text, GError **error)
{
	const struct ks_root *root = view->system->root;
	g_autofree char *base = g_path_get_basename(path);
	g_autofree char *dir = NULL;
	g_autofree char *copy = NULL;
	g_autofree char *read =
		text ? NULL : ks_root_read_file(root, path, MAX_FILE_BYTES, NULL, error);

	if (!text && !read)
		return NULL;
	text = text ? text : read;
	if (!make_dir(view, reader, error))
		return NULL;
	dir = g_strdup_printf("%s/%u", view->dir, view->n_files++);
	copy = g_build_filename(dir, base, NULL);
	if (!ks_root_mkdir_p(root, dir, 0755, error) ||
	    !ks_durable_write(root, copy, text, strlen(text), 0644, error))
		return NULL;
	return g_steal_pointer(&copy);
}

char *ks_conf_view_file(struct ks_conf_view *view, const char *path, const char *text,
			GError **error)
{
	const char *name = below(path, view->source_dir);
	struct reader reader;
	struct stat st;

	if (name && view->copy)
		return g_build_filename(ks_conf_view_cwd(view), name, NULL);
	if (!find_reader(view->system, &reader) ||
	    !ks_root_stat(reader.root, path, &st) ||
	    ((name || !ks_sandbox_covers(path)) && may_reach(&reader, path) &&
	     may(&reader, &st, 4)))
		return g_strdup(path);
	return copy_text(view, &reader, path, text, error);
}

char *ks_conf_view_translate(const struct ks_conf_view *view, const char *text)
{
	GString *plain = g_string_new(text);

	if (view->copy)
		g_string_replace(plain, view->copy, view->source_dir, 0);
	return g_string_free(plain, FALSE);
}
