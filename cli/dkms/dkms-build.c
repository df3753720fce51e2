/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dkms build and dkms install. */
#include "cli/dkms/dkms-engine.h"
#include "cli/dkms/dkms-sanity.h"
#include "cli/find.h"
#include "core/install/occupant.h"
#include "core/platform/lock.h"

static const char *command_name(bool install)
{
	return install ? "dkms install" : "dkms build";
}

static struct ks_plan_request make_request(const struct ks_dkms *dkms, bool install,
					   const char *release)
{
	const struct ks_dkms_options *options = &dkms->options;

	return (struct ks_plan_request){
		/*
		 * install installs a built module again, as dkms does; build
		 * builds it again
		 */
		.goal = !install	 ? KS_GOAL_BUILD
			: options->force ? KS_GOAL_REINSTALL
					 : KS_GOAL_INSTALL,
		.module = options->module,
		.version = options->version,
		.release = release,
		.force = options->force && !install,
		.ignore_depends = options->force,
		.retry_failed = true,
		/* what could not be signed is installed nevertheless, as dkms does */
		.keep_signature = true,
	};
}

/*
 * dkms removes a module again whose depmod failed. This does so too, but only
 * when none of it was installed before: a working module is not removed.
 */
static int roll_back(struct ks_dkms *dkms, const char *release, bool was_active)
{
	const struct ks_dkms_options *options = &dkms->options;
	const struct ks_plan_request request = {.module = options->module,
						.version = options->version,
						.release = release,
						.goal = KS_GOAL_UNINSTALL};
	ks_auto(ks_dkms_speech) speech = ks_dkms_speech_new(dkms, false);
	ks_auto(ks_outcome) outcome = NULL;

	if (was_active)
		return ks_dkms_fail(KS_DKMS_INSTALL_FAILED,
				    "Problems with depmod detected.\n"
				    "The module stays, as it was installed before.");
	ks_dkms_error_line(
		"Problems with depmod detected. Automatically uninstalling this "
		"module.");
	ks_dkms_run_engine(dkms, "dkms uninstall", &request, speech, &outcome);
	return ks_dkms_fail(
		KS_DKMS_INSTALL_FAILED,
		"Install Failed (depmod problems). Module rolled back to built "
		"state.");
}

/* One run of the engine; *done describes what it did. */
static int run_on(struct ks_dkms *dkms, bool install, const char *release,
		  struct ks_dkms_done *done)
{
	const struct ks_dkms_options *options = &dkms->options;
	const struct ks_plan_request request = make_request(dkms, install, release);
	ks_auto(ks_dkms_speech) speech = ks_dkms_speech_new(dkms, false);
	ks_auto(ks_outcome) outcome = NULL;
	const struct ks_verdict *verdict;
	const struct ks_dkms_done *told;
	g_autofree char *arch = ks_kernel_machine_arch(dkms->cli.system);
	const bool was_active =
		ks_dkms_is_any_active(dkms, options->module, release, arch);
	int code = ks_dkms_run_engine(dkms, command_name(install), &request, speech,
				      &outcome);

	if (!outcome)
		return code;
	verdict = ks_source_find_verdict(outcome->plan, options->module, options->version,
					 release);
	if (!verdict)
		return ks_dkms_fail_no_target(dkms, outcome->inventory, release);
	told = ks_dkms_speech_done(speech, options->module, options->version, release);
	if (told)
		*done = (struct ks_dkms_done){.built = told->built,
					      .installed = told->installed};
	code = ks_dkms_print_result(dkms, install, speech, verdict);
	if (!code && ks_dkms_speech_depmod_failed(speech, release))
		code = roll_back(dkms, release, was_active);
	return code;
}

static bool is_built(const struct ks_dkms *dkms, const char *release)
{
	g_autofree char *arch = ks_kernel_machine_arch(dkms->cli.system);
	g_autofree char *dir =
		ks_tree_artifact_path(dkms->cli.system, dkms->options.module,
				      dkms->options.version, release, arch);
	g_autofree char *module_dir = g_build_filename(dir, "module", NULL);

	return ks_root_exists(dkms->cli.system->root, module_dir);
}

int ks_dkms_build_on(struct ks_dkms *dkms, const char *release)
{
	g_autofree char *arch = ks_kernel_machine_arch(dkms->cli.system);
	struct ks_dkms_done done = {0};
	int code = run_on(dkms, false, release, &done);

	if (!code && !done.built)
		printf("Module %s/%s already built for kernel %s (%s), skip. You may "
		       "override by specifying --force.\n",
		       dkms->options.module, dkms->options.version, release, arch);
	return code;
}

/* Files in /usr/share/dkms/modules_to_force_install name modules. */
static void force_if_listed(struct ks_dkms *dkms)
{
	enum ks_sanity_force force = ks_sanity_is_forced(dkms);

	if (force == KS_SANITY_FORCE) {
		dkms->options.force = true;
		printf("Forcing installation of %s\n", dkms->options.module);
	} else if (force == KS_SANITY_FORCE_VERSION) {
		dkms->options.force_version_override = true;
		printf("Forcing version override of %s\n", dkms->options.module);
	}
	fflush(stdout);
}

static void print_taken_file(const struct ks_dkms *dkms, const char *release,
			     const struct ks_manifest *manifest,
			     const struct ks_manifest_file *file)
{
	g_autofree char *path = ks_manifest_file_path(file);

	if (ks_occupant_is_placed(dkms->cli.system, manifest, file))
		printf("Deleting %s\n", path);
	else
		printf("Module %s was not found within %s/%s/\n", file->name,
		       dkms->cli.system->install_tree, release);
}

/*
 * dkms uninstalls a module that it installs again. Here the new file replaces the old
 * one, so that there always is one; the lines are those that scripts know.
 */
static void print_replaced(const struct ks_dkms *dkms, const char *release,
			   const char *arch)
{
	const struct ks_dkms_options *options = &dkms->options;
	g_autoptr(GPtrArray) entries = ks_tree_scan(dkms->cli.system, NULL);
	struct ks_tree_entry *entry =
		entries ? ks_tree_find(entries, options->module, options->version) : NULL;
	const struct ks_artifact *artifact =
		entry ? ks_tree_find_artifact(entry, release, arch) : NULL;
	const struct ks_manifest *manifest = artifact ? artifact->manifest : NULL;

	if (!manifest)
		return;
	printf("Module %s/%s for kernel %s (%s):\n"
	       "Before uninstall, this module version was ACTIVE on this kernel.\n",
	       options->module, options->version, release, arch);
	for (guint i = 0; i < manifest->files->len; i++)
		print_taken_file(dkms, release, manifest,
				 g_ptr_array_index(manifest->files, i));
	if (!options->no_depmod)
		puts("Running depmod... done.");
	puts("");
	fflush(stdout);
}

/* Built, and checked against what the kernel has, before anything is in place. */
static int install_built(struct ks_dkms *dkms, const char *release, const char *arch,
			 bool *installed)
{
	g_autoptr(GPtrArray) refused = g_ptr_array_new_with_free_func(g_free);
	struct ks_dkms_done done = {0};
	int code = KS_DKMS_OK;

	force_if_listed(dkms);
	if (!ks_dkms_is_active(dkms, release, arch))
		code = ks_sanity_check(dkms, release, arch, refused);
	else if (dkms->options.force)
		print_replaced(dkms, release, arch);
	g_ptr_array_add(refused, NULL);
	dkms->leave_out = (const char *const *)refused->pdata;
	if (!code)
		code = run_on(dkms, true, release, &done);
	dkms->leave_out = NULL;
	if (!code && !done.installed)
		printf("Module %s/%s already installed on kernel %s (%s), skip. You may "
		       "override by specifying --force.\n",
		       dkms->options.module, dkms->options.version, release, arch);
	*installed = !code && done.installed;
	return code;
}

/* With --kernelsourcedir it can be built for a kernel that does not exist here. */
static int require_kernel(const struct ks_dkms *dkms, const char *release)
{
	const struct ks_system *system = dkms->cli.system;
	g_autofree char *dir = g_build_filename(system->install_tree, release, NULL);

	return ks_root_exists(system->root, dir) ? KS_DKMS_OK
						 : ks_dkms_fail_no_kernel(dkms, release);
}

static int rebuild_dependents(struct ks_dkms *dkms, const char *release);

int ks_dkms_install_on(struct ks_dkms *dkms, const char *release)
{
	g_autofree char *arch = ks_kernel_machine_arch(dkms->cli.system);
	bool force = dkms->options.force, installed = false;
	struct ks_dkms_done done = {0};
	int code = KS_DKMS_OK;

	if (dkms->options.rpm_safe_upgrade)
		dkms->options.force = true;
	if (!is_built(dkms, release))
		code = run_on(dkms, false, release, &done);
	if (!code)
		code = require_kernel(dkms, release);
	if (!code)
		code = install_built(dkms, release, arch, &installed);
	dkms->options.force = force;
	return installed && !force ? rebuild_dependents(dkms, release) : code;
}

/* As with --force: dkms builds it whether or not the result would differ. */
static int rebuild(struct ks_dkms *dkms, const char *name, const char *release)
{
	const bool force = dkms->options.force;
	int code;

	printf("\nRebuilding module %s due to updated dependencies\n\n", name);
	fflush(stdout);
	ks_dkms_options_set_module(&dkms->options, name);
	dkms->options.force = true;
	code = ks_dkms_build_on(dkms, release);
	code = code ? code : ks_dkms_install_on(dkms, release);
	dkms->options.force = force;
	return code;
}

static int rebuild_dependents(struct ks_dkms *dkms, const char *release)
{
	g_autoptr(GPtrArray) names = ks_dkms_list_dependents(dkms, release);
	g_autofree char *own =
		g_strdup_printf("%s/%s", dkms->options.module, dkms->options.version);
	int code = KS_DKMS_OK;

	for (guint i = 0; i < names->len; i++) {
		int one = rebuild(dkms, g_ptr_array_index(names, i), release);

		code = code ? code : one;
	}
	ks_dkms_options_set_module(&dkms->options, own);
	return code;
}

/* dkms adds a module that is not added; the engine does it, the words are dkms's. */
static int require_source(const struct ks_dkms *dkms)
{
	g_autofree char *source = ks_dkms_source_path(dkms);
	g_autofree char *entry = ks_tree_entry_path(
		dkms->cli.system, dkms->options.module, dkms->options.version);
	g_autofree char *added = g_build_filename(entry, "source", NULL);
	g_autoptr(GPtrArray) names = NULL;

	if (!ks_dkms_is_added(dkms))
		return ks_root_exists(dkms->cli.system->root, source)
			       ? KS_DKMS_OK
			       : ks_dkms_fail_no_source(dkms);
	names = ks_root_list(dkms->cli.system->root, added, NULL);
	if (names && names->len >= 2)
		return ks_dkms_read_strict(dkms, added);
	return ks_dkms_fail(
		KS_DKMS_BAD_CONF,
		"The directory %s does not appear to have module source located within "
		"it.\nBuild halted.",
		added);
}

/* Only an architecture that can be built for makes a target. */
static int check_arches(const struct ks_dkms *dkms)
{
	g_autofree char *own = ks_kernel_machine_arch(dkms->cli.system);

	for (guint i = 0; i < dkms->options.arches->len; i++) {
		const char *arch = g_ptr_array_index(dkms->options.arches, i);

		if (!g_str_equal(arch, own))
			return ks_dkms_fail(KS_DKMS_NO_ARCH,
					    "Cannot build for the architecture %s on %s.",
					    arch, own);
	}
	return KS_DKMS_OK;
}

static bool set_marks(const struct ks_dkms *dkms, GError **error)
{
	const struct ks_system *system = dkms->cli.system;
	const char *module = dkms->options.module, *version = dkms->options.version;

	return ks_tree_set_asked(system, module, version, true, error) &&
	       ks_tree_set_dismissed(system, module, version, false, error) &&
	       ks_tree_set_removal_asked(system, module, version, false, error);
}

static int for_each_kernel(struct ks_dkms *dkms,
			   int (*run)(struct ks_dkms *, const char *))
{
	int code = KS_DKMS_OK;

	/* the status is that of the first kernel that failed, not of the last one */
	for (guint i = 0; i < dkms->options.kernels->len; i++) {
		int one = run(dkms, g_ptr_array_index(dkms->options.kernels, i));

		code = code ? code : one;
	}
	return code;
}

static int build_or_install(struct ks_dkms *dkms, bool install)
{
	const struct ks_dkms_options *options = &dkms->options;
	g_autofree char *what = NULL;
	g_autoptr(GError) error = NULL;
	int code = ks_dkms_add_given(dkms);

	if (code)
		return code;
	if (!options->module || !options->version)
		/* dkms says "add", which it tries first */
		return ks_dkms_fail_no_module("add");
	code = require_source(dkms);
	code = code ? code : check_arches(dkms);
	/* before it is left to a run that only builds what it finds by itself */
	if (!code && !ks_lock_is_held_above(dkms->cli.system))
		code = ks_dkms_add_found(dkms);
	if (code)
		return code;
	if (!set_marks(dkms, &error))
		return ks_dkms_fail(KS_DKMS_NOT_ALLOWED, "%s", error->message);
	what = g_strdup_printf("%s %s/%s", command_name(install), options->module,
			       options->version);
	if (ks_dkms_leave_to_end(what) || ks_run_queue_if_held_above(&dkms->cli, what))
		return KS_DKMS_OK;
	return for_each_kernel(dkms, install ? ks_dkms_install_on : ks_dkms_build_on);
}

int ks_dkms_build(struct ks_dkms *dkms)
{
	return dkms->options.all ? ks_dkms_build_all(dkms, false)
				 : build_or_install(dkms, false);
}

int ks_dkms_install(struct ks_dkms *dkms)
{
	return dkms->options.all ? ks_dkms_build_all(dkms, true)
				 : build_or_install(dkms, true);
}
