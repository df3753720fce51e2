/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Placement: decide what is to be done and whether it is allowed, then do it by
 * the journal.
 */
#include "core/install/install.h"

#include <errno.h>
#include <string.h>
#include <sys/statvfs.h>

#include "core/install/apply.h"
#include "core/install/occupant.h"
#include "core/support/error.h"

#define SPACE_SLACK_BYTES (256 * 1024)

struct placement {
	const struct ks_system *system;
	const char *artifact_dir;
	const struct ks_manifest *manifest;
	const struct ks_manifest *old;
	struct ks_journal *journal;
};

/*
 * The kernel's directory as the manifest spells it: where /lib is a link, both
 * /lib/modules/K and /usr/lib/modules/K are right.
 */
static char *base_of(const struct ks_system *system, const struct ks_manifest *manifest)
{
	g_autofree char *base =
		g_build_filename(system->install_tree, manifest->release, NULL);
	g_autofree char *usr = g_strconcat("/usr", base, NULL);
	const struct ks_manifest_file *file =
		manifest->files->len ? g_ptr_array_index(manifest->files, 0) : NULL;

	if (file && file->dest_dir && g_str_has_prefix(file->dest_dir, usr))
		return g_steal_pointer(&usr);
	return g_steal_pointer(&base);
}

static bool check_path(const struct placement *p, const struct ks_manifest_file *file,
		       const char *path, GError **error)
{
	if (file->dest_dir && file->name && !strchr(file->name, '/') &&
	    ks_journal_is_path_below(path, p->journal->base))
		return true;
	ks_error_set(error, KS_ERROR_INVALID, "'%s' is no place for a module below '%s'",
		     path, p->journal->base);
	return false;
}

/* The same bytes or link, already as they should be: nothing to do. */
static bool is_in_place(const struct placement *p, const struct ks_manifest_file *file,
			const char *path)
{
	g_autofree char *sha256 = NULL;
	struct stat st;

	if (file->link)
		return ks_occupant_is_link(p->system, path, file->link);
	if (!file->sha256 || !ks_root_lstat(p->system->root, path, &st) ||
	    !S_ISREG(st.st_mode) || (st.st_mode & 07777) != 0644 ||
	    st.st_uid != geteuid() || st.st_nlink != 1)
		return false;
	sha256 = ks_apply_digest(p->system, path);
	return sha256 && !strcmp(sha256, file->sha256);
}

/* A link gives what it leads to, so that has to be right. */
static bool check_tree_file(const struct placement *p,
			    const struct ks_manifest_file *file, GError **error)
{
	g_autofree char *sha256 = ks_apply_digest(p->system, file->link);

	if (sha256 && file->sha256 && !strcmp(sha256, file->sha256))
		return true;
	ks_error_set(error, KS_ERROR_INVALID, "'%s' is not as its manifest says",
		     file->name);
	ks_error_hint(error, "build it again");
	return false;
}

static bool add_placement(struct placement *p, const struct ks_manifest_file *file,
			  const char *path, GError **error)
{
	if (is_in_place(p, file, path))
		return true;
	if (!file->link) {
		ks_journal_add(p->journal, KS_JOURNAL_PLACE, path, file->sha256);
		return true;
	}
	if (!check_tree_file(p, file, error))
		return false;
	ks_journal_add_link(p->journal, KS_JOURNAL_PLACE, path, file->link);
	return true;
}

static bool plan_new(struct placement *p, GError **error)
{
	for (guint i = 0; i < p->manifest->files->len; i++) {
		const struct ks_manifest_file *file =
			g_ptr_array_index(p->manifest->files, i);
		g_autofree char *path = ks_manifest_file_path(file);

		if (!check_path(p, file, path, error) ||
		    !ks_occupant_may_go(p->system, p->artifact_dir, p->manifest, p->old,
					file, p->journal->base, error) ||
		    !add_placement(p, file, path, error))
			return false;
	}
	return true;
}

/*
 * The file may be a link into the tree even where the manifest says a copy:
 * when it was built again, and the run died before installing it.
 */
static char *find_own_link(const struct ks_system *system, const struct ks_manifest *old,
			   const struct ks_manifest_file *file, const char *path)
{
	g_autofree char *dir = ks_tree_artifact_path(system, old->module, old->version,
						     old->release, old->arch);
	g_autofree char *own = g_build_filename(dir, "module", file->name, NULL);

	if (ks_occupant_is_link(system, path, file->link))
		return g_strdup(file->link);
	return ks_occupant_is_link(system, path, own) ? g_steal_pointer(&own) : NULL;
}

static bool plan_removals(struct placement *p, const struct ks_manifest *old,
			  GError **error)
{
	for (guint i = 0; old && i < old->files->len; i++) {
		const struct ks_manifest_file *file = g_ptr_array_index(old->files, i);
		g_autofree char *path = ks_manifest_file_path(file);
		g_autofree char *link = NULL;
		struct stat st;

		if (ks_manifest_has_path(p->manifest, path) ||
		    !ks_root_lstat(p->system->root, path, &st))
			continue;
		if (!check_path(p, file, path, error))
			return false;
		link = find_own_link(p->system, old, file, path);
		if (link)
			ks_journal_add_link(p->journal, KS_JOURNAL_REMOVE, path, link);
		else
			ks_journal_add(p->journal, KS_JOURNAL_REMOVE, path, file->sha256);
	}
	return true;
}

static guint64 bytes_to_place(const struct placement *p, guint64 block_bytes)
{
	guint64 needed = 0;

	for (guint i = 0; i < p->journal->steps->len; i++) {
		const struct ks_journal_step *step =
			g_ptr_array_index(p->journal->steps, i);
		g_autofree char *name = g_path_get_basename(step->path);
		g_autofree char *source =
			g_build_filename(p->artifact_dir, "module", name, NULL);
		struct stat st;

		if (step->kind == KS_JOURNAL_PLACE && !step->link &&
		    ks_root_lstat(p->system->root, source, &st))
			needed += ((guint64)st.st_size + block_bytes) / block_bytes *
				  block_bytes;
	}
	return needed;
}

static bool check_space(const struct placement *p, GError **error)
{
	ks_autofd int fd = ks_root_openat(p->system->root, p->journal->base,
					  O_RDONLY | O_DIRECTORY, 0, error);
	g_autofree char *needed_text = NULL;
	g_autofree char *free_text = NULL;
	guint64 needed, available;
	struct statvfs fs;

	if (fd < 0)
		return false;
	/* file systems without a notion of blocks say 0 */
	if (fstatvfs(fd, &fs) < 0 || fs.f_blocks == 0 || fs.f_frsize == 0)
		return true;
	needed = bytes_to_place(p, fs.f_frsize);
	available = (geteuid() == 0 ? fs.f_bfree : fs.f_bavail) * (guint64)fs.f_frsize;
	if (needed == 0 || needed + SPACE_SLACK_BYTES <= available)
		return true;
	needed_text = g_format_size(needed);
	free_text = g_format_size(available);
	ks_error_set(error, KS_ERROR_NO_SPACE, "%s needed below '%s', %s free",
		     needed_text, p->journal->base, free_text);
	return false;
}

static void undo_after_failure(const struct placement *p)
{
	/* what cannot be undone now is left to the journal and the next run */
	if (ks_apply_undo(p->system, p->journal, NULL))
		ks_ignore(ks_journal_close(p->system, NULL));
}

static bool run_by_journal(struct placement *p, GError **error)
{
	g_autofree char *module_dir =
		p->artifact_dir ? g_build_filename(p->artifact_dir, "module", NULL)
				: NULL;

	if (p->journal->steps->len == 0)
		return true;
	if (module_dir) {
		if (!ks_journal_store(p->system, p->journal, error)) {
			undo_after_failure(p);
			return false;
		}
		if (!ks_apply_stage(p->system, p->journal, module_dir, error)) {
			undo_after_failure(p);
			return false;
		}
	}
	p->journal->state = KS_JOURNAL_STAGED;
	if (!ks_journal_store(p->system, p->journal, error)) {
		/*
		 * either journal may be the one on the disk: only recovery can
		 * find out
		 */
		ks_ignore(ks_install_recover(p->system, NULL, NULL));
		return false;
	}
	return ks_apply_commit(p->system, p->journal, false, error) &&
	       ks_journal_close(p->system, error);
}

static struct ks_journal *journal_for(const struct ks_system *system,
				      const struct ks_manifest *manifest)
{
	g_autofree char *base = base_of(system, manifest);

	return ks_journal_new(base);
}

bool ks_install_place(const struct ks_system *system, const char *artifact_dir,
		      const struct ks_manifest *manifest, const struct ks_manifest *old,
		      GError **error)
{
	ks_auto(ks_journal) journal = journal_for(system, manifest);
	struct placement placement = {
		.system = system,
		.artifact_dir = artifact_dir,
		.manifest = manifest,
		.old = old,
		.journal = journal,
	};

	if (ks_install_recover(system, NULL, error) && plan_new(&placement, error) &&
	    plan_removals(&placement, old, error) && check_space(&placement, error) &&
	    run_by_journal(&placement, error))
		return true;
	g_prefix_error(error, "cannot install %s/%s on %s: ", manifest->module,
		       manifest->version, manifest->release);
	return false;
}

bool ks_install_unplace(const struct ks_system *system,
			const struct ks_manifest *manifest, GError **error)
{
	ks_auto(ks_journal) journal = journal_for(system, manifest);
	struct ks_manifest nothing = {.files = g_ptr_array_new()};
	struct placement placement = {
		.system = system,
		.manifest = &nothing,
		.journal = journal,
	};
	bool ok = ks_install_recover(system, NULL, error) &&
		  plan_removals(&placement, manifest, error) &&
		  run_by_journal(&placement, error);

	g_ptr_array_unref(nothing.files);
	if (!ok)
		g_prefix_error(error, "cannot uninstall %s/%s on %s: ", manifest->module,
			       manifest->version, manifest->release);
	return ok;
}

/* The journal is root's own, but nothing outside the kernels is its business. */
static bool is_of_a_kernel(const struct ks_system *system,
			   const struct ks_journal *journal)
{
	g_autofree char *parent = g_path_get_dirname(journal->base);
	const char *spelling =
		g_str_has_prefix(parent, "/usr/lib/") ? parent + 4 : parent;

	return !strcmp(parent, system->install_tree) ||
	       !strcmp(spelling, system->install_tree);
}

bool ks_install_recover(const struct ks_system *system, unsigned int *n_recovered,
			GError **error)
{
	g_autoptr(GError) local = NULL;
	ks_auto(ks_journal) journal = ks_journal_load(system, &local);

	if (g_error_matches(local, KS_ERROR, KS_ERROR_INVALID) ||
	    (journal && !is_of_a_kernel(system, journal))) {
		/* every path holds a whole file whatever it said: not worth
		 * stopping for */
		if (!ks_journal_set_aside(system, error))
			return false;
		if (n_recovered)
			*n_recovered = 1;
		return true;
	}
	if (local) {
		g_propagate_error(error, g_steal_pointer(&local));
		return false;
	}
	if (journal) {
		bool ok = journal->state == KS_JOURNAL_STAGED
				  ? ks_apply_commit(system, journal, true, error)
				  : ks_apply_undo(system, journal, error);

		if (!ok || !ks_journal_close(system, error))
			return false;
	}
	if (n_recovered)
		*n_recovered = journal != NULL;
	return true;
}
