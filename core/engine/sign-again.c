/* SPDX-License-Identifier: GPL-2.0-or-later */
/* As a build does it: staged beside the artifact, published in one exchange. */
#include "core/engine/sign-again.h"

#include <string.h>
#include <unistd.h>

#include "core/sign/finish.h"
#include "core/support/error.h"
#include "core/support/fork.h"
#include "core/support/treeop.h"

#define MAX_ARTIFACT_BYTES   (4ULL << 30)
#define MAX_ARTIFACT_ENTRIES 10000

/* T/M/V/K/.tmp_A_PID: the next run removes its remains when it starts. */
static char *staged_path(const struct ks_action_context *context,
			 const struct ks_target *target)
{
	return g_strdup_printf("%s/%s/%s/%s/.tmp_%s_%d", context->system->dkms_tree,
			       target->source->name, target->source->version,
			       target->kernel->release, target->kernel->arch,
			       (int)getpid());
}

/* "foo.ko" of T/.../foo.ko, with the suffix that the kernel's modules have today. */
static char *finished_name(const struct ks_kernel *kernel, const char *built)
{
	g_autofree char *name = g_path_get_basename(built);

	name[strlen(name) - strlen(".ko")] = '\0';
	return g_strconcat(name, kernel->module_suffix ? kernel->module_suffix : ".ko",
			   NULL);
}

static bool finish_again(const struct ks_action_context *context,
			 const struct ks_kernel *kernel, const struct ks_signing *signing,
			 const char *module_dir, struct ks_manifest_file *file,
			 GError **error)
{
	g_autofree char *built = ks_finish_undo(context->system, module_dir, file, error);
	GError *sign_error = NULL;

	if (!built)
		return false;
	g_free(file->name);
	file->name = finished_name(kernel, built);
	if (!ks_finish_file(context->system, kernel, signing, built, file, &sign_error,
			    error)) {
		g_clear_error(&sign_error);
		return false;
	}
	if (!sign_error)
		return true;
	g_propagate_error(error, sign_error);
	return false;
}

static bool finish_all(const struct ks_action_context *context,
		       const struct ks_kernel *kernel, const struct ks_signing *signing,
		       const char *staged, struct ks_manifest *manifest, GError **error)
{
	g_autofree char *module_dir = g_build_filename(staged, "module", NULL);
	g_autofree char *path = g_build_filename(staged, "manifest", NULL);

	for (guint i = 0; i < manifest->files->len; i++)
		if (!finish_again(context, kernel, signing, module_dir,
				  g_ptr_array_index(manifest->files, i), error))
			return false;
	ks_finish_describe(manifest, signing, false);
	g_free(manifest->finish_fingerprint);
	manifest->finish_fingerprint = ks_finish_fingerprint(manifest, kernel);
	return ks_manifest_store(context->system, manifest, path, error);
}

struct ks_sign_again {
	const struct ks_action_context *context;
	const struct ks_action *action;
	const struct ks_signing *signing;
	char *staged;
	struct ks_fork *fork;
};

static void resigning_free(struct ks_sign_again *again)
{
	g_free(again->staged);
	g_free(again);
}

static bool stage(const struct ks_sign_again *again, GError **error)
{
	const struct ks_treeop_copy_options options = {
		.max_bytes = MAX_ARTIFACT_BYTES, .max_entries = MAX_ARTIFACT_ENTRIES};
	const struct ks_action_context *context = again->context;
	const struct ks_system *system = context->system;
	const struct ks_target *target = again->action->target;
	const struct ks_kernel *kernel = target->kernel;
	g_autofree char *dir = ks_tree_artifact_path(system, target->source->name,
						     target->source->version,
						     kernel->release, kernel->arch);
	g_autofree char *path = g_build_filename(dir, "manifest", NULL);
	ks_auto(ks_manifest) manifest = ks_manifest_load(system, path, error);

	return manifest && ks_treeop_remove(system->root, again->staged, error) &&
	       ks_treeop_copy(system->root, dir, again->staged, &options, error) &&
	       finish_all(context, kernel, again->signing, again->staged, manifest,
			  error);
}

/* An error, or none. */
static GVariant *stage_in_copy(void *data)
{
	g_autoptr(GError) error = NULL;

	return g_variant_new("m@" KS_ERROR_VARIANT,
			     stage(data, &error) ? NULL : ks_error_to_variant(error));
}

static void notify(const struct ks_action_context *context, struct ks_event event)
{
	if (context->options->observer)
		context->options->observer(&event, context->options->observer_data);
}

struct ks_sign_again *ks_sign_again_start(const struct ks_action_context *context,
					  const struct ks_action *action, GError **error)
{
	struct ks_sign_again *again = NULL;
	bool first;
	const struct ks_signing *signing =
		ks_signings_get(context->signings, action->target->kernel, &first);

	notify(context, (struct ks_event){.kind = KS_EVENT_SIGNING,
					  .action = action,
					  .signing = signing,
					  .first = first});
	if (signing->verdict != KS_SIGN_YES) {
		ks_error_set(error, KS_ERROR_FAILED, "cannot sign it again: %s",
			     signing->problem ? signing->problem->message
					      : ks_sign_verdict_id(signing->verdict));
		return NULL;
	}
	again = g_new0(struct ks_sign_again, 1);
	again->context = context;
	again->action = action;
	again->signing = signing;
	again->staged = staged_path(context, action->target);
	again->fork = ks_fork_start(stage_in_copy, again, error);
	if (again->fork)
		return again;
	g_prefix_error(error, "cannot sign it again: ");
	resigning_free(again);
	return NULL;
}

int ks_sign_again_fd(const struct ks_sign_again *again)
{
	return ks_fork_fd(again->fork);
}

static bool take_answer(struct ks_sign_again *again, GError **error)
{
	g_autoptr(GVariant) answer =
		ks_fork_finish(g_steal_pointer(&again->fork),
			       G_VARIANT_TYPE("m" KS_ERROR_VARIANT), error);
	g_autoptr(GVariant) failure = answer ? g_variant_get_maybe(answer) : NULL;

	if (failure)
		g_propagate_error(error, ks_error_from_variant(failure));
	return answer && !failure;
}

static bool publish(const struct ks_sign_again *again, struct ks_manifest **result,
		    GError **error)
{
	const struct ks_system *system = again->context->system;
	const struct ks_target *target = again->action->target;
	g_autofree char *path = g_build_filename(again->staged, "manifest", NULL);
	ks_auto(ks_manifest) manifest = ks_manifest_load(system, path, error);

	if (!manifest ||
	    !ks_tree_publish(system, target->source->name, target->source->version,
			     target->kernel->release, target->kernel->arch, again->staged,
			     error))
		return false;
	*result = g_steal_pointer(&manifest);
	return true;
}

bool ks_sign_again_finish(struct ks_sign_again *again, GError **error)
{
	const struct ks_action_context *context = again->context;
	ks_auto(ks_manifest) manifest = NULL;
	bool ok = take_answer(again, error) && publish(again, &manifest, error);

	if (ok) {
		notify(context, (struct ks_event){.kind = KS_EVENT_SIGNED,
						  .action = again->action,
						  .signing = again->signing,
						  .manifest = manifest});
	} else {
		ks_ignore(ks_treeop_remove(context->system->root, again->staged, NULL));
		g_prefix_error(error, "cannot sign it again: ");
	}
	resigning_free(again);
	return ok;
}

void ks_sign_again_cancel(struct ks_sign_again *again)
{
	ks_fork_kill(again->fork);
	ks_ignore(ks_treeop_remove(again->context->system->root, again->staged, NULL));
	resigning_free(again);
}
