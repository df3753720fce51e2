/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Putting a module's files in place, and taking them away. */
#include "core/engine/action-private.h"

#include "core/engine/refusal.h"
#include "core/install/install.h"
#include "core/install/journal.h"
#include "core/install/original.h"
#include "core/install/weak.h"
#include "core/inventory/kernels-own.h"
#include "core/record/record.h"
#include "core/settings/framework.h"
#include "core/support/error.h"

/* The target of another version of the same module that is active on the same kernel. */
static struct ks_target *find_active_other(const struct ks_inventory *inventory,
					   const struct ks_target *target)
{
	for (guint i = 0; i < inventory->targets->len; i++) {
		struct ks_target *other = g_ptr_array_index(inventory->targets, i);

		if (other != target && other->kernel == target->kernel &&
		    other->artifact && other->artifact->active &&
		    g_str_equal(other->source->name, target->source->name))
			return other;
	}
	return NULL;
}

/* The artifact that is installed now: this very target's, or another version's. */
static const struct ks_artifact *find_installed(const struct ks_inventory *inventory,
						const struct ks_target *target)
{
	const struct ks_target *other;

	if (target->artifact && target->artifact->active)
		return target->artifact;
	other = find_active_other(inventory, target);
	return other ? other->artifact : NULL;
}

/* A build of this run may have replaced what the inventory saw: the older of the two. */
static struct ks_manifest *load_replaced(const struct ks_action_context *context,
					 const struct ks_artifact *artifact)
{
	return artifact ? ks_tree_load_installed(context->system, artifact->dir,
						 artifact->manifest)
			: NULL;
}

static bool store_installed_at(const struct ks_action_context *context,
			       const struct ks_target *target,
			       struct ks_manifest *manifest, gint64 installed_at_us,
			       GError **error)
{
	g_autofree char *dir = ks_action_artifact_path(context, target);
	g_autofree char *path = g_build_filename(dir, "manifest", NULL);

	manifest->installed_at_us = installed_at_us;
	return ks_manifest_store(context->system, manifest, path, error);
}

static void note_change(struct ks_outcome *outcome, const struct ks_kernel *kernel)
{
	if (!outcome->changed)
		outcome->changed = g_ptr_array_new_with_free_func(g_free);
	if (!ks_outcome_has_changed(outcome, kernel->release))
		g_ptr_array_add(outcome->changed, g_strdup(kernel->release));
}

static void report_weak(const struct ks_kernel *kernel, bool gone, const GError *problem,
			void *data)
{
	const struct ks_telling *telling = data;
	const struct ks_target *target = telling->action->target;
	const struct ks_action_context *context = telling->context;
	g_autoptr(GError) error = NULL;
	g_autoptr(GError) depmod_error = NULL;

	ks_error_set(&error, KS_ERROR_VERIFY_FAILED, "%s/%s on %s is linked to %s%s: %s",
		     target->source->name, target->source->version,
		     target->kernel->release, kernel->release,
		     gone ? " no more, which it does not fit"
			  : ", and whether it fits is not known",
		     problem->message);
	ks_action_warn(context, telling->action, error);
	if (gone && !context->options->no_depmod &&
	    !ks_install_depmod(context->system, kernel, &depmod_error))
		ks_action_warn(context, telling->action, depmod_error);
}

/* Its failure is only reported: on the module's own kernel everything is in place. */
static void link_weakly(const struct ks_action_context *context,
			const struct ks_action *action,
			const struct ks_manifest *manifest)
{
	const struct ks_target *target = action->target;
	const bool add = action->kind == KS_ACTION_INSTALL;
	struct ks_telling telling = {context, action};
	g_autoptr(GError) error = NULL;

	if (context->options->no_weak_modules ||
	    (target->conf && target->conf->no_weak_modules) ||
	    !ks_install_weak_tool(context->system))
		return;
	ks_action_notify(context, (struct ks_event){.kind = KS_EVENT_WEAK_MODULES,
						    .action = action});
	if (!ks_install_weak_modules(context->system, manifest, add, &error) ||
	    (add && !ks_install_check_weak(context->system, manifest, report_weak,
					   &telling, &error)))
		ks_action_warn(context, action, error);
}

static bool pre_install(const struct ks_action_context *context,
			const struct ks_action *action, GError **error)
{
	const struct ks_target *target = action->target;
	g_autoptr(GError) local = NULL;

	if (!target->conf || ks_action_run_script(context, action, "pre_install",
						  target->conf->pre_install,
						  target->source, target->kernel, &local))
		return true;
	if (context->options->ignore_pre_install) {
		ks_action_warn(context, action, local);
		return true;
	}
	g_propagate_error(error, g_steal_pointer(&local));
	return false;
}

/*
 * The aliases for which udev gets events at the end, when depmod has indexed
 * the module.
 */
static void note_aliases(const struct ks_action_context *context,
			 const struct ks_kernel *kernel,
			 const struct ks_manifest *manifest)
{
	for (guint i = 0; kernel->running && i < manifest->files->len; i++) {
		const struct ks_manifest_file *file = manifest->files->pdata[i];

		for (char **alias = file->aliases; alias && *alias; alias++)
			g_ptr_array_add(context->outcome->aliases, g_strdup(*alias));
	}
}

static bool is_in_place(const struct ks_inventory *inventory,
			const struct ks_target *target)
{
	return (target->artifact && target->artifact->active) ||
	       find_active_other(inventory, target);
}

/*
 * Only the built module shows its version: a first installation that nobody
 * asked for by name stops here when the kernel itself has the same or a newer
 * one, and is satisfied.
 */
static bool is_satisfied(const struct ks_action_context *context,
			 const struct ks_action *action,
			 const struct ks_manifest *manifest)
{
	const struct ks_plan_request *request = &context->options->request;
	g_autofree char *own = NULL;

	if (request->force || request->module ||
	    is_in_place(context->inventory, action->target))
		return false;
	own = ks_in_tree_find(context->system, action->target->kernel, manifest);
	return own != NULL;
}

/*
 * A file where a module belongs that no state mentions is overwritten, as left
 * by a killed dkms; unless it belongs to a package.
 */
static bool nothing_is_owned(const struct ks_action_context *context,
			     const struct ks_kernel *kernel,
			     const struct ks_manifest *manifest,
			     const struct ks_manifest *old, GError **error)
{
	const struct ks_system *system = context->system;
	g_autofree char *kernels_own =
		g_build_filename(kernel->modules_dir, "kernel", NULL);

	for (guint i = 0; i < manifest->files->len; i++) {
		const struct ks_manifest_file *file =
			g_ptr_array_index(manifest->files, i);
		g_autofree char *path = ks_manifest_file_path(file);
		g_autofree char *owner = NULL;

		if (ks_manifest_has_path(old, path) ||
		    !ks_root_exists(system->root, path))
			continue;
		/* it is put aside */
		if (context->options->take_originals &&
		    ks_journal_is_path_below(path, kernels_own))
			continue;
		owner = ks_record_owner(system, path);
		if (!owner)
			continue;
		ks_error_set(error, KS_ERROR_DENIED, "'%s' belongs to package '%s'", path,
			     owner);
		ks_error_hint(error, "remove that package, or this module's source");
		return false;
	}
	return true;
}

static bool may_take_original(const char *path, void *data)
{
	const struct ks_telling *telling = data;
	g_autofree char *owner =
		telling->context->options->take_originals
			? NULL
			: ks_record_owner(telling->context->system, path);

	return !owner;
}

static void report_original(const char *path, void *data)
{
	const struct ks_telling *telling = data;

	ks_action_notify(telling->context, (struct ks_event){.kind = KS_EVENT_ORIGINAL,
							     .action = telling->action,
							     .text = path});
}

/* Where the conf decides where modules go, the kernel may have its own there. */
static bool place(const struct ks_action_context *context, const struct ks_action *action,
		  const struct ks_manifest *manifest, const struct ks_manifest *old,
		  const char *dir, GError **error)
{
	struct ks_telling telling = {context, action};
	const struct ks_original_options options = {may_take_original, report_original,
						    &telling};
	g_autoptr(GPtrArray) others = g_ptr_array_new_with_free_func(g_free);

	return ks_original_put_aside(context->system, dir, manifest, old, &options,
				     others, error) &&
	       ks_install_place(context->system, dir, manifest, old, error) &&
	       ks_original_remove(context->system, manifest, others, error);
}

/* After these errors nothing was changed: core/install/install.h. */
static bool has_changed_nothing(const GError *error)
{
	return g_error_matches(error, KS_ERROR, KS_ERROR_DENIED) ||
	       g_error_matches(error, KS_ERROR, KS_ERROR_NO_SPACE) ||
	       g_error_matches(error, KS_ERROR, KS_ERROR_INVALID);
}

/* Marked on both sides: a run that dies between them has left word that it began. */
static bool place_marked(const struct ks_action_context *context,
			 const struct ks_action *action,
			 const struct ks_manifest *manifest,
			 const struct ks_manifest *old, const char *dir, GError **error)
{
	const struct ks_system *system = context->system;
	const char *release = action->target->kernel->release;
	const struct ks_install_mark before = ks_install_get_mark(system, release);
	g_autoptr(GError) local = NULL;

	if (ks_install_mark_changed(system, release, &local) &&
	    place(context, action, manifest, old, dir, &local))
		return ks_install_mark_changed(system, release, error);
	/* an index and an image are made only after a change */
	if (has_changed_nothing(local))
		ks_install_put_mark_back(system, release, &before);
	g_propagate_error(error, g_steal_pointer(&local));
	return false;
}

/* Say in the manifest whether its files are links into the tree, or copies. */
static void choose_links(const struct ks_action_context *context,
			 struct ks_manifest *manifest, const char *dir)
{
	const struct ks_framework *framework = context->settings->framework;
	const bool links = context->options->symlink_modules ||
			   (framework && framework->symlink_modules);

	for (guint i = 0; i < manifest->files->len; i++) {
		struct ks_manifest_file *file = g_ptr_array_index(manifest->files, i);

		g_free(file->link);
		file->link =
			links ? g_build_filename(dir, "module", file->name, NULL) : NULL;
	}
}

static bool is_asked_for(const struct ks_action_context *context,
			 const struct ks_target *target)
{
	const struct ks_plan_request *request = &context->options->request;

	return g_strcmp0(request->module, target->source->name) == 0 &&
	       (!request->version ||
		g_str_equal(request->version, target->source->version));
}

static void report_refusal(const struct ks_refusal *refusal, void *data)
{
	const struct ks_telling *telling = data;

	ks_action_notify(telling->context, (struct ks_event){.kind = KS_EVENT_REFUSED,
							     .action = telling->action,
							     .refusal = refusal});
}

/*
 * What was refused once stays left out until it is asked for by name. False when nothing
 * is left to be installed.
 */
static bool leave_out_refused(const struct ks_action_context *context,
			      const struct ks_action *action,
			      struct ks_manifest *manifest, const char *dir)
{
	const struct ks_target *target = action->target;
	struct ks_telling telling = {context, action};
	g_autoptr(GPtrArray) refused = NULL;

	if (!is_asked_for(context, target))
		return true;
	ks_manifest_leave_out(manifest, NULL);
	if (!context->options->compare_with_kernel ||
	    (target->artifact && target->artifact->active))
		return true;
	refused =
		ks_refusal_find(context->system, manifest, dir, report_refusal, &telling);
	if (refused->len && refused->len == manifest->files->len)
		return false;
	g_ptr_array_add(refused, NULL);
	ks_manifest_leave_out(manifest, (const char *const *)refused->pdata);
	return true;
}

/* The manifest says which files, where. */
static bool install_files(const struct ks_action_context *context,
			  const struct ks_action *action, struct ks_manifest *manifest,
			  const char *dir, GError **error)
{
	const struct ks_system *system = context->system;
	const struct ks_target *target = action->target;
	const struct ks_source *source = target->source;
	const struct ks_kernel *kernel = target->kernel;
	const struct ks_artifact *installed = find_installed(context->inventory, target);
	ks_auto(ks_manifest) replaced = load_replaced(context, installed);
	const struct ks_manifest *old = replaced    ? replaced
					: installed ? installed->manifest
						    : NULL;

	choose_links(context, manifest, dir);
	if (!nothing_is_owned(context, kernel, manifest, old, error) ||
	    !pre_install(context, action, error))
		return false;
	if (!place_marked(context, action, manifest, old, dir, error) ||
	    !store_installed_at(context, target, manifest, g_get_real_time(), error) ||
	    !ks_tree_activate(system, source->name, source->version, kernel->release,
			      kernel->arch, error))
		return false;
	ks_action_notify(context, (struct ks_event){.kind = KS_EVENT_PLACED,
						    .action = action,
						    .manifest = manifest});
	link_weakly(context, action, manifest);
	if (target->conf)
		ks_action_try_script(context, action, "post_install",
				     target->conf->post_install, source, kernel);
	context->outcome->has_installed_for_running |= kernel->running;
	note_aliases(context, kernel, manifest);
	context->outcome->n_installed++;
	note_change(context->outcome, kernel);
	return true;
}

enum ks_action_status ks_action_install(const struct ks_action_context *context,
					const struct ks_action *action, GError **error)
{
	g_autofree char *dir = ks_action_artifact_path(context, action->target);
	ks_auto(ks_manifest) manifest =
		ks_action_load_manifest(context, action->target, error);

	if (!manifest)
		return KS_STATUS_FAILED;
	if (is_satisfied(context, action, manifest))
		return KS_STATUS_DONE;
	if (!leave_out_refused(context, action, manifest, dir))
		return KS_STATUS_SKIPPED;
	return ks_action_done_or_failed(
		install_files(context, action, manifest, dir, error));
}

bool ks_action_uninstall(const struct ks_action_context *context,
			 const struct ks_action *action, GError **error)
{
	const struct ks_system *system = context->system;
	const struct ks_target *target = action->target;
	const struct ks_kernel *kernel = target->kernel;
	struct ks_telling telling = {context, action};
	const struct ks_original_options options = {.report = report_original,
						    .data = &telling};
	ks_auto(ks_manifest) manifest = NULL;
	ks_auto(ks_manifest) replaced = NULL;
	const struct ks_manifest *placed;

	/* the replacement's installation has taken the old files away already, and
	 * may have put its own under the same names */
	if (ks_action_is_replaced(context, target))
		return true;
	manifest = ks_action_load_manifest(context, target, error);
	if (!manifest)
		return false;
	replaced = load_replaced(context, target->artifact);
	placed = replaced ? replaced : manifest;
	ks_action_notify(context, (struct ks_event){.kind = KS_EVENT_TAKEN,
						    .action = action,
						    .manifest = placed});
	link_weakly(context, action, placed);
	if (!ks_install_mark_changed(system, kernel->release, error) ||
	    /*
	     * first: a file whose path has its original back is not ours any
	     * more, and stays
	     */
	    (kernel->alive &&
	     !ks_original_restore(system, placed, target->source->name, kernel->release,
				  kernel->arch, &options, error)) ||
	    !ks_install_unplace(system, placed, error) ||
	    !ks_install_mark_changed(system, kernel->release, error) ||
	    !ks_tree_deactivate(system, target->source->name, kernel->release,
				kernel->arch, error) ||
	    !store_installed_at(context, target, manifest, 0, error))
		return false;
	if (target->conf)
		ks_action_try_script(context, action, "post_remove",
				     target->conf->post_remove, target->source, kernel);
	context->outcome->n_removed++;
	note_change(context->outcome, kernel);
	return true;
}
