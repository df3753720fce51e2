/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/engine/action-private.h"

#include "core/engine/script.h"

void ks_action_warn(const struct ks_action_context *context,
		    const struct ks_action *action, const GError *error)
{
	struct ks_event event = {.kind = KS_EVENT_WARNING,
				 .action = action,
				 .text = error->message,
				 .error = error};

	if (context->options->observer)
		context->options->observer(&event, context->options->observer_data);
}

void ks_action_notify(const struct ks_action_context *context, struct ks_event event)
{
	if (context->options->observer)
		context->options->observer(&event, context->options->observer_data);
}

static void report_script(const char *what, bool is_executable, void *data)
{
	const struct ks_telling *telling = data;

	ks_action_notify(telling->context,
			 (struct ks_event){.kind = is_executable ? KS_EVENT_SCRIPT
								 : KS_EVENT_NO_SCRIPT,
					   .action = telling->action,
					   .text = what});
}

bool ks_action_run_script(const struct ks_action_context *context,
			  const struct ks_action *action, const char *what,
			  const char *command, const struct ks_source *source,
			  const struct ks_kernel *kernel, GError **error)
{
	struct ks_telling telling = {context, action};
	const struct ks_script_options options = {
		.to_stdout = context->options->scripts_to_stdout,
		.report = report_script,
		.data = &telling,
	};

	if (!source->path)
		return true;
	if (command && *command)
		g_hash_table_add(context->scripted, (gpointer)source);
	return ks_script_run(context->system, context->settings, what, command,
			     source->path, source->name, source->version, kernel,
			     &options, NULL, error);
}

/* Like ks_action_run_script(), for the scripts whose failure dkms ignores. */
void ks_action_try_script(const struct ks_action_context *context,
			  const struct ks_action *action, const char *what,
			  const char *command, const struct ks_source *source,
			  const struct ks_kernel *kernel)
{
	g_autoptr(GError) error = NULL;

	if (!ks_action_run_script(context, action, what, command, source, kernel, &error))
		ks_action_warn(context, action, error);
}

char *ks_action_artifact_path(const struct ks_action_context *context,
			      const struct ks_target *target)
{
	return ks_tree_artifact_path(context->system, target->source->name,
				     target->source->version, target->kernel->release,
				     target->kernel->arch);
}

/* Read from disk: a build of this run may have replaced the one in the inventory. */
struct ks_manifest *ks_action_load_manifest(const struct ks_action_context *context,
					    const struct ks_target *target,
					    GError **error)
{
	g_autofree char *dir = ks_action_artifact_path(context, target);
	g_autofree char *path = g_build_filename(dir, "manifest", NULL);

	return ks_manifest_load(context->system, path, error);
}

char *ks_action_link_path(const struct ks_action_context *context,
			  const struct ks_target *target)
{
	return ks_tree_link_path(context->system, target->source->name,
				 target->kernel->release, target->kernel->arch);
}

/* True when T/M/kernel-K-A leads to another version than target's. */
bool ks_action_is_replaced(const struct ks_action_context *context,
			   const struct ks_target *target)
{
	g_autofree char *link = ks_action_link_path(context, target);
	g_autofree char *text = ks_root_readlink(context->system->root, link);
	g_autofree char *own = g_strdup_printf("%s/", target->source->version);
	g_autofree char *absolute = g_strdup_printf(
		"%s/%s/%s", context->system->dkms_tree, target->source->name, own);

	return text && !g_str_has_prefix(text, own) && !g_str_has_prefix(text, absolute);
}
