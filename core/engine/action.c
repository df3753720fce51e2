/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The effect of each kind of action. */
#include "core/engine/action-private.h"

#include "core/engine/closing.h"
#include "core/install/install.h"
#include "core/install/original.h"

static bool add(const struct ks_action_context *context, const struct ks_action *action,
		GError **error)
{
	const struct ks_source *source = action->source;
	ks_auto(ks_conf) conf = NULL;

	if (!ks_tree_add(context->system, source->name, source->version, source->path,
			 error))
		return false;
	conf = ks_conf_load(context->system, context->settings, source->path,
			    source->name, source->version, NULL, NULL);
	if (conf)
		ks_action_try_script(context, action, "post_add", conf->post_add, source,
				     NULL);
	return true;
}

/* T/M/kernel-K-A is there: a version of the module is installed on the kernel. */
static bool is_active_anywhere(const struct ks_action_context *context,
			       const struct ks_target *target)
{
	g_autofree char *link = ks_action_link_path(context, target);
	struct stat st;

	return ks_root_lstat(context->system->root, link, &st);
}

static bool unbuild(const struct ks_action_context *context,
		    const struct ks_action *action, GError **error)
{
	const struct ks_target *target = action->target;
	const struct ks_source *source = target->source;
	const struct ks_kernel *kernel = target->kernel;
	/* an installation that died here has not recorded that it placed anything */
	ks_auto(ks_manifest) manifest = ks_action_load_manifest(context, target, NULL);

	if (!ks_action_is_replaced(context, target) &&
	    !ks_tree_deactivate(context->system, source->name, kernel->release,
				kernel->arch, error))
		return false;
	/* a dkms that died while it installed has moved the kernel's own away already */
	if (kernel->alive && !is_active_anywhere(context, target) &&
	    !ks_original_restore(context->system, manifest, source->name, kernel->release,
				 kernel->arch, NULL, error))
		return false;
	return ks_tree_unbuild(context->system, source->name, source->version,
			       kernel->release, kernel->arch, error) &&
	       ks_failure_clear(context->system, source->name, source->version,
				kernel->release, kernel->arch, error);
}

static bool remove_source(const struct ks_action_context *context,
			  const struct ks_action *action, GError **error)
{
	const struct ks_source *source = action->source;

	return ks_tree_remove(context->system, source->name, source->version, error) &&
	       ks_failure_clear(context->system, source->name, source->version, NULL,
				NULL, error) &&
	       ks_tree_set_asked(context->system, source->name, source->version, false,
				 error) &&
	       ks_tree_set_removal_asked(context->system, source->name, source->version,
					 false, error);
}

/* The images are looked at again: hooks of one program may have made another's. */
static enum ks_action_status report_unrenewed(const struct ks_action_context *context,
					      const struct ks_action *action,
					      GError **error)
{
	g_autofree char *what = NULL;

	if (!ks_install_note_unrenewed(context->system, action->kernel, &what, error))
		return KS_STATUS_FAILED;
	if (!what)
		return KS_STATUS_SKIPPED;
	ks_action_notify(context, (struct ks_event){.kind = KS_EVENT_WARNING,
						    .action = action,
						    .text = what});
	return KS_STATUS_DONE;
}

/* Those that act on one target or source. */
static enum ks_action_status change(const struct ks_action_context *context,
				    const struct ks_action *action, GError **error)
{
	switch (action->kind) {
	case KS_ACTION_ADD:
		return ks_action_done_or_failed(add(context, action, error));
	case KS_ACTION_INSTALL:
		return ks_action_install(context, action, error);
	case KS_ACTION_UNINSTALL:
		return ks_action_done_or_failed(
			ks_action_uninstall(context, action, error));
	case KS_ACTION_UNBUILD:
		return ks_action_done_or_failed(unbuild(context, action, error));
	case KS_ACTION_REMOVE:
		return ks_action_done_or_failed(remove_source(context, action, error));
	default:
		g_assert_not_reached();
	}
}

enum ks_action_status ks_action_run(const struct ks_action_context *context,
				    const struct ks_action *action, GError **error)
{
	switch (action->kind) {
	case KS_ACTION_UNRENEWED:
		return report_unrenewed(context, action, error);
	case KS_ACTION_DEVICES:
		return ks_closing_serve_devices(context);
	case KS_ACTION_RECORD:
		return ks_closing_record(context, error);
	case KS_ACTION_POST_TRANSACTION:
		return ks_closing_post_transaction(context, error);
	case KS_ACTION_PRUNE:
		return ks_closing_prune(context, action->kernel, error);
	default:
		return change(context, action, error);
	}
}
