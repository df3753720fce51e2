/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dkms add, build, install, uninstall, remove and autoinstall. */
#include <string.h>

#include "cli/add.h"
#include "cli/dkms.h"
#include "cli/message.h"
#include "cli/run.h"
#include "cli/source.h"
#include "core/support/error.h"
#include "core/support/lock.h"

static bool is_in_tree(const struct ks_dkms *dkms)
{
	g_autofree char *dir = ks_tree_entry_path(dkms->cli.system, dkms->options.module,
						  dkms->options.version);

	return ks_root_exists(dkms->cli.system->root, dir);
}

static char *source_path(const struct ks_dkms *dkms)
{
	return g_strdup_printf("%s/%s-%s", dkms->cli.system->source_tree,
			       dkms->options.module, dkms->options.version);
}

static int die_not_in_tree(const struct ks_dkms *dkms)
{
	return ks_dkms_die(KS_DKMS_NOT_IN_TREE,
			   "There are no instances of module: %s\n"
			   "%s is not located in the DKMS tree.",
			   dkms->options.module, dkms->options.version);
}

/* --- add */

static int add_directory(struct ks_dkms *dkms, const char *dir)
{
	ks_auto(ks_conf) conf = NULL;
	g_autofree char *placed = NULL;
	g_autofree char *entry = NULL;
	g_autoptr(GError) error = NULL;

	conf = ks_conf_load(dkms->cli.system, dkms->cli.settings, dir,
			    dkms->options.module, dkms->options.version, NULL, &error);
	if (!conf)
		return ks_dkms_die(g_error_matches(error, KS_ERROR, KS_ERROR_NOT_FOUND)
					   ? KS_DKMS_NO_CONF
					   : KS_DKMS_BAD_CONF,
				   "%s", error->message);
	/* what lies in the source tree is found by the run above */
	if (ks_run_queue_if_held_above(&dkms->cli, "dkms add"))
		return KS_DKMS_OK;
	entry = ks_tree_entry_path(dkms->cli.system, conf->package_name,
				   conf->package_version);
	if (!ks_add_source(&dkms->cli, dir, conf, false, &placed, &error))
		return ks_dkms_die(KS_DKMS_NOT_ALLOWED, "%s", error->message);
	printf("Creating symlink %s/source -> %s\n", entry, placed);
	return KS_DKMS_OK;
}

/* The directory may be given instead of the module, as a path of the caller. */
static int add_elsewhere(struct ks_dkms *dkms)
{
	g_autofree char *dir = g_canonicalize_filename(dkms->options.source_dir, NULL);

	return add_directory(dkms, dir);
}

int ks_dkms_add(struct ks_dkms *dkms)
{
	const struct ks_dkms_options *options = &dkms->options;
	g_autofree char *source = NULL;

	if (options->source_dir)
		return add_elsewhere(dkms);
	if (!options->module || !options->version)
		return ks_dkms_die(
			KS_DKMS_NOT_ALLOWED,
			"Arguments <module> and <module-version> are not specified.\n"
			"Usage: add <module>/<module-version> or\n"
			"       add -m <module>/<module-version> or\n"
			"       add -m <module> -v <module-version>");
	source = source_path(dkms);
	if (is_in_tree(dkms))
		return ks_dkms_die(
			KS_DKMS_NOT_IN_TREE,
			"DKMS tree already contains: %s/%s\n"
			"You cannot add the same module/version combo more than "
			"once.",
			options->module, options->version);
	if (!ks_root_exists(dkms->cli.system->root, source))
		return ks_dkms_die(KS_DKMS_NO_SOURCE,
				   "Could not find module source directory.\n"
				   "Directory: %s does not exist.",
				   source);
	return add_directory(dkms, source);
}

/* --- what the engine is asked for, and how its answer is told */

enum verb { VERB_BUILD, VERB_INSTALL, VERB_UNINSTALL };

static const char *const verb_names[] = {
	[VERB_BUILD] = "dkms build",
	[VERB_INSTALL] = "dkms install",
	[VERB_UNINSTALL] = "dkms uninstall",
};

static int run_engine(struct ks_dkms *dkms, const char *command,
		      const struct ks_plan_request *request, struct ks_outcome **outcome)
{
	struct ks_run run = {
		.command = command,
		.request = *request,
		.no_record = dkms->in_script,
		.no_depmod = dkms->options.no_depmod,
		.lock_timeout_ms = -1,
		.silent = true,
	};

	run.request.no_initramfs = dkms->in_script || !dkms->cli.settings->initramfs;
	return ks_run_engine(&dkms->cli, &run, outcome);
}

static bool is_installed(const struct ks_verdict *verdict)
{
	return verdict->state == KS_TARGET_INSTALLED ||
	       verdict->state == KS_TARGET_RECORDED;
}

static int tell_waiting(const struct ks_verdict *verdict)
{
	const struct ks_kernel *kernel = verdict->target->kernel;

	if (verdict->reason == KS_REASON_HEADERS_MISSING)
		return ks_dkms_die(
			KS_DKMS_HEADERS_MISSING,
			"Your kernel headers for kernel %s cannot be found at "
			"%s/build or %s/source.\n"
			"Please install the linux-headers-%s package or use the "
			"--kernelsourcedir option to tell DKMS where it's located.",
			kernel->release, kernel->modules_dir, kernel->modules_dir,
			kernel->release);
	return ks_dkms_die(
		verdict->reason == KS_REASON_DEPENDS_MISSING ? KS_DKMS_DEPENDS_MISSING
							     : KS_DKMS_INSTALL_FAILED,
		"%s",
		verdict->detail ? verdict->detail : ks_reason_words(verdict->reason));
}

static int tell_failed(const struct ks_dkms *dkms, const struct ks_verdict *verdict)
{
	const struct ks_target *target = verdict->target;
	g_autofree char *log = ks_source_log_path(dkms->cli.system, target);
	bool verified = verdict->reason == KS_REASON_VERIFY_FAILED;

	ks_dkms_die(0, "Bad return status for module build on kernel: %s (%s)",
		    target->kernel->release, target->kernel->arch);
	if (log)
		fprintf(stderr, "Consult %s for more information.\n", log);
	return verified ? KS_DKMS_INSTALL_FAILED : KS_DKMS_BUILD_FAILED;
}

/* dkms's exit code for the verdict after the run; what went wrong is told. */
static int tell(const struct ks_dkms *dkms, enum verb verb,
		const struct ks_verdict *verdict)
{
	switch (verdict->state) {
	case KS_TARGET_INSTALLED:
	case KS_TARGET_RECORDED:
	case KS_TARGET_SATISFIED:
		return KS_DKMS_OK;
	case KS_TARGET_BUILT:
		return verb == VERB_BUILD ? KS_DKMS_OK : KS_DKMS_INSTALL_FAILED;
	case KS_TARGET_FAILED:
		return tell_failed(dkms, verdict);
	case KS_TARGET_WAITING:
		return tell_waiting(verdict);
	case KS_TARGET_EXCLUDED:
		ks_dkms_warn("%s/%s on %s: %s%s%s", verdict->target->source->name,
			     verdict->target->source->version,
			     verdict->target->kernel->release,
			     ks_reason_words(verdict->reason),
			     verdict->detail ? ": " : "",
			     verdict->detail ? verdict->detail : "");
		return KS_DKMS_EXCLUDED;
	case KS_TARGET_BROKEN:
		return ks_dkms_die(KS_DKMS_BAD_CONF, "%s",
				   verdict->detail ? verdict->detail
						   : ks_reason_words(verdict->reason));
	case KS_TARGET_ADDED:
	case KS_TARGET_STALE:
		break;
	}
	return ks_dkms_die(KS_DKMS_INSTALL_FAILED, "%s",
			   ks_reason_words(verdict->reason));
}

static void print_files(const struct ks_target *target, const char *word)
{
	const struct ks_manifest *manifest =
		target->artifact ? target->artifact->manifest : NULL;

	for (guint i = 0; manifest && i < manifest->files->len; i++) {
		const struct ks_manifest_file *file =
			g_ptr_array_index(manifest->files, i);

		printf("%s %s/%s\n", word, file->dest_dir, file->name);
	}
}

static void print_done(const struct ks_dkms *dkms, enum verb verb,
		       const struct ks_outcome *outcome, const struct ks_verdict *verdict)
{
	const struct ks_target *target = verdict->target;

	if (outcome->n_built)
		puts("Building module(s)... done.");
	else if (verb == VERB_BUILD)
		printf("Module %s/%s already built for kernel %s (%s), skip. You may "
		       "override "
		       "by specifying --force.\n",
		       target->source->name, target->source->version,
		       target->kernel->release, target->kernel->arch);
	if (verb != VERB_INSTALL || !is_installed(verdict))
		return;
	if (outcome->n_installed) {
		print_files(target, "Installing");
		puts("Running depmod... done.");
	} else {
		printf("Module %s/%s already installed on kernel %s (%s), skip. You may "
		       "override by specifying --force.\n",
		       target->source->name, target->source->version,
		       target->kernel->release, target->kernel->arch);
	}
}

static int build_or_install_on(struct ks_dkms *dkms, enum verb verb, const char *release)
{
	const struct ks_dkms_options *options = &dkms->options;
	const struct ks_plan_request request = {
		.module = options->module,
		.version = options->version,
		.release = release,
		.force = options->force,
		.retry_failed = true,
		.build_only = verb == VERB_BUILD,
		.wanted = true,
	};
	ks_auto(ks_outcome) outcome = NULL;
	const struct ks_verdict *verdict;
	int code = run_engine(dkms, verb_names[verb], &request, &outcome);

	if (!outcome)
		return code;
	verdict = ks_source_find_verdict(outcome->plan, options->module, options->version,
					 release);
	if (!verdict)
		return ks_dkms_die(KS_DKMS_HEADERS_MISSING, "There is no kernel %s.",
				   release);
	print_done(dkms, verb, outcome, verdict);
	return tell(dkms, verb, verdict);
}

/* dkms adds what is not added; the engine does it, the words are dkms's. */
static int require_source(const struct ks_dkms *dkms)
{
	g_autofree char *source = source_path(dkms);

	if (is_in_tree(dkms) || ks_root_exists(dkms->cli.system->root, source))
		return KS_DKMS_OK;
	return ks_dkms_die(KS_DKMS_NO_SOURCE,
			   "Could not find module source directory.\n"
			   "Directory: %s does not exist.",
			   source);
}

static int build_or_install(struct ks_dkms *dkms, enum verb verb)
{
	const struct ks_dkms_options *options = &dkms->options;
	g_autofree char *what = g_strdup_printf("%s %s/%s", verb_names[verb],
						options->module, options->version);
	g_autoptr(GError) error = NULL;
	int code = require_source(dkms);

	if (code)
		return code;
	if (!ks_tree_set_asked(dkms->cli.system, options->module, options->version, true,
			       &error) ||
	    !ks_tree_set_dismissed(dkms->cli.system, options->module, options->version,
				   false, &error) ||
	    !ks_tree_set_removal_asked(dkms->cli.system, options->module,
				       options->version, false, &error))
		return ks_dkms_die(KS_DKMS_NOT_ALLOWED, "%s", error->message);
	if (ks_run_queue_if_held_above(&dkms->cli, what))
		return KS_DKMS_OK;
	/* the status is that of the first kernel that failed, not of the last one */
	for (guint i = 0; i < options->kernels->len; i++) {
		int one = build_or_install_on(dkms, verb,
					      g_ptr_array_index(options->kernels, i));

		code = code ? code : one;
	}
	return code;
}

int ks_dkms_build(struct ks_dkms *dkms)
{
	return build_or_install(dkms, VERB_BUILD);
}

int ks_dkms_install(struct ks_dkms *dkms)
{
	return build_or_install(dkms, VERB_INSTALL);
}

/* --- uninstall and remove */

static void print_removed(const struct ks_dkms *dkms, const struct ks_outcome *outcome,
			  const struct ks_artifact *artifact)
{
	const struct ks_manifest *manifest = artifact->manifest;

	printf("Module %s/%s for kernel %s (%s):\n", dkms->options.module,
	       dkms->options.version, artifact->release, artifact->arch);
	if (!artifact->active)
		return;
	puts("Before uninstall, this module version was ACTIVE on this kernel.");
	for (guint i = 0; manifest && i < manifest->files->len; i++) {
		const struct ks_manifest_file *file =
			g_ptr_array_index(manifest->files, i);

		printf("Deleting %s/%s\n", file->dest_dir, file->name);
	}
	if (!outcome->n_failed_actions)
		puts("Running depmod... done.\n");
}

/* Take it off one kernel. */
static int uninstall_from(struct ks_dkms *dkms, const struct ks_tree_entry *entry,
			  const char *release)
{
	const struct ks_plan_request request = {.module = dkms->options.module,
						.version = dkms->options.version,
						.release = release,
						.uninstall = true};
	const struct ks_artifact *found = NULL;
	ks_auto(ks_outcome) outcome = NULL;
	int code;

	for (guint i = 0; i < entry->artifacts->len; i++) {
		const struct ks_artifact *artifact =
			g_ptr_array_index(entry->artifacts, i);

		if (g_str_equal(artifact->release, release))
			found = artifact;
	}
	if (!found || !found->active) {
		printf("Module %s/%s is not installed for kernel %s. Skipping...\n",
		       dkms->options.module, dkms->options.version, release);
		return KS_DKMS_OK;
	}
	code = run_engine(dkms, "dkms uninstall", &request, &outcome);
	if (!outcome)
		return code;
	print_removed(dkms, outcome, found);
	return outcome->n_failed_actions ? KS_DKMS_INSTALL_FAILED : KS_DKMS_OK;
}

static int uninstall_selected(struct ks_dkms *dkms, const struct ks_tree_entry *entry)
{
	const struct ks_dkms_options *options = &dkms->options;
	int code = KS_DKMS_OK;

	for (guint i = 0; options->all && i < entry->artifacts->len; i++) {
		const struct ks_artifact *artifact =
			g_ptr_array_index(entry->artifacts, i);
		int one = uninstall_from(dkms, entry, artifact->release);

		code = code ? code : one;
	}
	for (guint i = 0; i < options->kernels->len; i++) {
		int one = uninstall_from(dkms, entry,
					 g_ptr_array_index(options->kernels, i));

		code = code ? code : one;
	}
	return code;
}

/*
 * Inside a package's maintainer script nothing is taken away: it may be an
 * upgrade. What is to go shows at the end of the transaction, by what is then
 * still in /usr/src and /lib/modules.
 */
static int leave_to_end(struct ks_dkms *dkms)
{
	const struct ks_dkms_options *options = &dkms->options;
	g_autoptr(GError) error = NULL;

	if (options->all && !ks_tree_set_removal_asked(dkms->cli.system, options->module,
						       options->version, true, &error))
		return ks_dkms_die(KS_DKMS_NOT_ALLOWED, "%s", error->message);
	printf("dkms: %s/%s: kept until the end of the transaction, removed then if its "
	       "source or kernel is gone\n",
	       options->module, options->version);
	return KS_DKMS_OK;
}

static int prepare_removal(struct ks_dkms *dkms, bool *done)
{
	*done = true;
	if (!is_in_tree(dkms))
		return die_not_in_tree(dkms);
	if (dkms->in_script)
		return leave_to_end(dkms);
	*done = false;
	return KS_DKMS_OK;
}

int ks_dkms_uninstall(struct ks_dkms *dkms)
{
	const struct ks_dkms_options *options = &dkms->options;
	g_autoptr(GPtrArray) entries = NULL;
	g_autoptr(GError) error = NULL;
	bool done;
	int code = prepare_removal(dkms, &done);

	if (done)
		return code;
	if (ks_run_queue_if_held_above(&dkms->cli, "dkms uninstall"))
		return KS_DKMS_OK;
	entries = ks_tree_scan(dkms->cli.system, &error);
	if (!entries || !ks_tree_set_asked(dkms->cli.system, options->module,
					   options->version, false, &error))
		return ks_dkms_die(KS_DKMS_NOT_ALLOWED, "%s", error->message);
	return uninstall_selected(
		dkms, ks_tree_find(entries, options->module, options->version));
}

/* Is there an artifact of a kernel that is not named? */
static bool is_built_elsewhere(const struct ks_dkms *dkms,
			       const struct ks_tree_entry *entry)
{
	for (guint i = 0; i < entry->artifacts->len; i++) {
		const struct ks_artifact *artifact =
			g_ptr_array_index(entry->artifacts, i);

		if (!g_ptr_array_find_with_equal_func(
			    dkms->options.kernels, artifact->release, g_str_equal, NULL))
			return true;
	}
	return false;
}

static int remove_altogether(struct ks_dkms *dkms, const struct ks_tree_entry *entry)
{
	const struct ks_dkms_options *options = &dkms->options;
	const struct ks_plan_request request = {.module = options->module};
	ks_auto(ks_outcome) outcome = NULL;
	g_autoptr(GError) error = NULL;
	int code;

	if (!ks_tree_set_dismissed(dkms->cli.system, options->module, options->version,
				   true, &error) ||
	    !ks_tree_set_asked(dkms->cli.system, options->module, options->version, false,
			       &error))
		return ks_dkms_die(KS_DKMS_NOT_ALLOWED, "%s", error->message);
	if (ks_run_queue_if_held_above(&dkms->cli, "dkms remove"))
		return KS_DKMS_OK;
	code = run_engine(dkms, "dkms remove", &request, &outcome);
	if (!outcome)
		return code;
	for (guint i = 0; i < entry->artifacts->len; i++)
		print_removed(dkms, outcome, g_ptr_array_index(entry->artifacts, i));
	if (is_in_tree(dkms))
		return ks_dkms_die(KS_DKMS_INSTALL_FAILED,
				   "%s/%s could not be removed altogether.",
				   options->module, options->version);
	printf("Deleting module %s/%s completely from the DKMS tree.\n", options->module,
	       options->version);
	return KS_DKMS_OK;
}

int ks_dkms_remove(struct ks_dkms *dkms)
{
	const struct ks_dkms_options *options = &dkms->options;
	const struct ks_tree_entry *entry;
	g_autoptr(GPtrArray) entries = NULL;
	g_autoptr(GError) error = NULL;
	bool done;
	int code = prepare_removal(dkms, &done);

	if (done)
		return code;
	entries = ks_tree_scan(dkms->cli.system, &error);
	if (!entries)
		return ks_dkms_die(KS_DKMS_NOT_ALLOWED, "%s", error->message);
	entry = ks_tree_find(entries, options->module, options->version);
	if (!entry)
		return die_not_in_tree(dkms);
	if (options->all || !is_built_elsewhere(dkms, entry))
		return remove_altogether(dkms, entry);
	if (ks_run_queue_if_held_above(&dkms->cli, "dkms remove"))
		return KS_DKMS_OK;
	return uninstall_selected(dkms, entry);
}

/* --- autoinstall */

static void collect(const struct ks_verdict *verdict, GString *succeeded,
		    GString *skipped, GString *failed)
{
	const char *name = verdict->target->source->name;

	if (is_installed(verdict))
		g_string_append_printf(succeeded, " %s", name);
	else if (verdict->state == KS_TARGET_FAILED)
		g_string_append_printf(failed, " %s(%d)", name, KS_DKMS_BUILD_FAILED);
	else if (verdict->state == KS_TARGET_BROKEN)
		g_string_append_printf(failed, " %s(%d)", name, KS_DKMS_BAD_CONF);
	else if (verdict->state == KS_TARGET_WAITING && verdict->wanted)
		g_string_append_printf(failed, " %s(%d)", name,
				       verdict->reason == KS_REASON_HEADERS_MISSING
					       ? KS_DKMS_HEADERS_MISSING
					       : KS_DKMS_DEPENDS_MISSING);
	else if (verdict->state == KS_TARGET_EXCLUDED &&
		 verdict->target->exclusion != KS_CONF_NOT_EXCLUDED)
		g_string_append_printf(skipped, " %s", name);
}

static int print_summary(const struct ks_outcome *outcome, const char *release)
{
	g_autoptr(GString) succeeded = g_string_new(NULL);
	g_autoptr(GString) skipped = g_string_new(NULL);
	g_autoptr(GString) failed = g_string_new(NULL);

	for (guint i = 0; i < outcome->plan->verdicts->len; i++) {
		const struct ks_verdict *verdict =
			g_ptr_array_index(outcome->plan->verdicts, i);

		if (g_str_equal(verdict->target->kernel->release, release))
			collect(verdict, succeeded, skipped, failed);
	}
	if (succeeded->len)
		printf("Autoinstall on %s succeeded for module(s)%s.\n", release,
		       succeeded->str);
	if (skipped->len)
		printf("Autoinstall on %s was skipped for module(s)%s.\n", release,
		       skipped->str);
	if (!failed->len)
		return KS_DKMS_OK;
	printf("Autoinstall on %s failed for module(s)%s.\n", release, failed->str);
	return ks_dkms_die(KS_DKMS_AUTOINSTALL_FAILED,
			   "One or more modules failed to install during autoinstall.\n"
			   "Refer to previous errors for more information.");
}

int ks_dkms_autoinstall(struct ks_dkms *dkms)
{
	struct ks_plan_request request = {0};
	ks_auto(ks_outcome) outcome = NULL;
	int code;

	if (dkms->options.kernels->len != 1)
		return ks_dkms_die(KS_DKMS_SEVERAL_ACTIONS,
				   "The action autoinstall takes one kernel.");
	if (dkms->cli.settings->no_autoinstall) {
		puts("Automatic installation of modules has been disabled.");
		return KS_DKMS_OK;
	}
	if (ks_run_queue_if_held_above(&dkms->cli, "dkms autoinstall"))
		return KS_DKMS_OK;
	request.release = g_ptr_array_index(dkms->options.kernels, 0);
	code = run_engine(dkms, "dkms autoinstall", &request, &outcome);
	if (!outcome)
		return code;
	return print_summary(outcome, request.release);
}
