/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the source of a module is, and in which state. */
#include "cli/dkms/dkms-source.h"

struct ks_dkms_job ks_dkms_job(const struct ks_dkms *dkms)
{
	const struct ks_dkms_options *options = dkms->options;

	return (struct ks_dkms_job){.module = options->module,
				    .version = options->version,
				    .force = options->force,
				    .force_version = options->force_version_override};
}

bool ks_dkms_is_in_tree(const struct ks_dkms *dkms, struct ks_dkms_job job)
{
	g_autofree char *dir = NULL;

	if (!job.module || !job.version)
		return false;
	dir = ks_tree_entry_path(dkms->cli.system, job.module, job.version);
	return ks_root_exists(dkms->cli.system->root, dir);
}

bool ks_dkms_is_added(const struct ks_dkms *dkms, struct ks_dkms_job job)
{
	g_autofree char *dir = NULL;
	g_autofree char *link = NULL;
	struct stat st;

	if (!ks_dkms_is_in_tree(dkms, job))
		return false;
	dir = ks_tree_entry_path(dkms->cli.system, job.module, job.version);
	link = g_build_filename(dir, "source", NULL);
	return ks_root_stat(dkms->cli.system->root, link, &st) && S_ISDIR(st.st_mode);
}

char *ks_dkms_source_path(const struct ks_dkms *dkms, struct ks_dkms_job job)
{
	return g_strdup_printf("%s/%s-%s", dkms->cli.system->source_tree, job.module,
			       job.version);
}

/* dkms 3.4.3, is_module_broken(): a dangling link, or none though there is a source. */
bool ks_dkms_is_broken(const struct ks_dkms *dkms, struct ks_dkms_job job)
{
	const struct ks_root *root = dkms->cli.system->root;
	g_autofree char *dir = NULL;
	g_autofree char *link = NULL;
	g_autofree char *source = NULL;
	struct stat st;

	if (!ks_dkms_is_in_tree(dkms, job) || ks_dkms_is_added(dkms, job))
		return false;
	dir = ks_tree_entry_path(dkms->cli.system, job.module, job.version);
	link = g_build_filename(dir, "source", NULL);
	source = ks_dkms_source_path(dkms, job);
	return (ks_root_lstat(root, link, &st) && S_ISLNK(st.st_mode)) ||
	       (ks_root_stat(root, source, &st) && S_ISDIR(st.st_mode));
}

bool ks_dkms_is_active(const struct ks_dkms *dkms, struct ks_dkms_job job,
		       const char *arch)
{
	const struct ks_system *system = dkms->cli.system;
	g_autofree char *link = ks_tree_link_path(system, job.module, job.release, arch);
	g_autofree char *built =
		ks_tree_artifact_path(system, job.module, job.version, job.release, arch);

	return ks_root_is_same(system->root, link, built);
}

static bool is_any_active(const struct ks_dkms *dkms, const char *module,
			  const char *release, const char *arch)
{
	const struct ks_system *system = dkms->cli.system;
	g_autofree char *link = ks_tree_link_path(system, module, release, arch);
	struct stat st;

	return ks_root_lstat(system->root, link, &st);
}

char *ks_dkms_depends_warning(const struct ks_dkms *dkms, const struct ks_target *target)
{
	const struct ks_kernel *kernel = target->kernel;
	g_autoptr(GString) missing = g_string_new(NULL);

	for (char **name = target->build_depends; name && *name; name++)
		if (!is_any_active(dkms, *name, kernel->release, kernel->arch))
			g_string_append_printf(missing, " %s", *name);
	if (!missing->len)
		return NULL;
	return g_strdup_printf("Warning: Trying to build module %s/%s for kernel %s (%s) "
			       "despite of missing BUILD_DEPENDS:%s.\n",
			       target->source->name, target->source->version,
			       kernel->release, kernel->arch, missing->str);
}

int ks_dkms_fail_no_source(const struct ks_dkms *dkms, struct ks_dkms_job job)
{
	g_autofree char *source = ks_dkms_source_path(dkms, job);

	return ks_dkms_fail(KS_DKMS_NO_SOURCE,
			    "Could not find module source directory.\n"
			    "Directory: %s does not exist.",
			    source);
}
