/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Installing and uninstalling in dkms's words. */
#include <string.h>

#include "cli/dkms/dkms-transcript.h"
#include "core/engine/refusal.h"
#include "core/install/occupant.h"

void ks_speech_placed(struct ks_dkms_speech *speech, const struct ks_event *event)
{
	struct ks_transcript_block *block = ks_transcript_get(speech, event->action);

	for (guint i = 0; i < event->manifest->files->len; i++) {
		const struct ks_manifest_file *file =
			g_ptr_array_index(event->manifest->files, i);

		ks_transcript_say(speech, block, "Installing %s/%s\n", file->dest_dir,
				  file->name);
	}
	block->done.installed = true;
	speech->moved = true;
}

/* A file that differs from the installed one is somebody else's by now, and stays. */
static void say_taken(struct ks_dkms_speech *speech, struct ks_transcript_block *block,
		      const struct ks_kernel *kernel, const struct ks_manifest *manifest,
		      const struct ks_manifest_file *file)
{
	const struct ks_system *system = speech->dkms->cli.system;
	g_autofree char *path = ks_manifest_file_path(file);

	if (ks_occupant_is_placed(system, manifest, file))
		ks_transcript_say(speech, block, "Deleting %s\n", path);
	else
		ks_transcript_say(speech, block, "Module %s was not found within %s/\n",
				  file->name, kernel->modules_dir);
}

static void say_all_taken(struct ks_dkms_speech *speech,
			  struct ks_transcript_block *block,
			  const struct ks_target *target,
			  const struct ks_manifest *manifest)
{
	ks_transcript_say(speech, block, "Module %s/%s for kernel %s (%s):\n",
			  target->source->name, target->source->version,
			  target->kernel->release, target->kernel->arch);
	ks_transcript_say(
		speech, block,
		"Before uninstall, this module version was ACTIVE on this kernel.\n");
	for (guint i = 0; i < manifest->files->len; i++)
		say_taken(speech, block, target->kernel, manifest,
			  g_ptr_array_index(manifest->files, i));
}

void ks_speech_taken(struct ks_dkms_speech *speech, const struct ks_event *event)
{
	const struct ks_target *target = event->action->target;
	const struct ks_system *system = speech->dkms->cli.system;
	struct ks_transcript_block *block = ks_transcript_get(speech, event->action);
	g_autofree char *originals = g_build_filename(
		system->dkms_tree, target->source->name, "original_module",
		target->kernel->release, target->kernel->arch, NULL);

	speech->moved = true;
	block->done.had_originals = ks_root_exists(system->root, originals);
	say_all_taken(speech, block, target, event->manifest);
}

/*
 * dkms uninstalls a module that it installs again. Here the new file replaces the old
 * one, so that there always is one; the lines are those that scripts know.
 */
void ks_speech_replaced(struct ks_dkms_speech *speech, const struct ks_action *action)
{
	const struct ks_artifact *artifact = action->target->artifact;
	struct ks_transcript_block *block = ks_transcript_get(speech, action);

	if (!artifact || !artifact->active || !artifact->manifest)
		return;
	say_all_taken(speech, block, action->target, artifact->manifest);
	if (!speech->dkms->options->no_depmod)
		ks_transcript_say(speech, block, "Running depmod... done.\n");
	ks_transcript_say(speech, block, "\n");
}

static void say_not_newer(struct ks_dkms_speech *speech,
			  struct ks_transcript_block *block,
			  const struct ks_refusal *refusal, const char *release)
{
	g_autofree char *text = g_strdup_printf(
		"\nError! Module version %s for %s\n"
		"is not newer than what is already found in kernel %s (%s).\n"
		"You may override by specifying --force.\n",
		refusal->ours, refusal->file, release, refusal->theirs);

	ks_transcript_say_text(speech, block, true, text);
}

static void say_same(struct ks_dkms_speech *speech, struct ks_transcript_block *block,
		     const struct ks_refusal *refusal)
{
	g_autofree char *version =
		refusal->ours ? g_strconcat("at version ", refusal->ours, NULL)
			      : g_strdup("(unversioned module)");
	g_autofree char *text = g_strdup_printf(
		"Module %s already installed %s, override by specifying --force\n",
		refusal->path, version);

	ks_transcript_say_text(speech, block, true, text);
}

static void say_unclear(struct ks_dkms_speech *speech, struct ks_transcript_block *block,
			const struct ks_refusal *refusal, const char *release)
{
	g_autofree char *text = g_strdup_printf(
		"Warning: Cannot do version sanity checking because multiple %s "
		"modules were found in kernel %s.\n",
		refusal->file, release);

	ks_transcript_say_text(speech, block, true, text);
}

void ks_speech_refused(struct ks_dkms_speech *speech, const struct ks_event *event)
{
	struct ks_transcript_block *block = ks_transcript_get(speech, event->action);
	const char *release = event->action->target->kernel->release;

	switch (event->refusal->kind) {
	case KS_REFUSAL_NOT_NEWER:
		say_not_newer(speech, block, event->refusal, release);
		break;
	case KS_REFUSAL_SAME:
		say_same(speech, block, event->refusal);
		break;
	case KS_REFUSAL_UNCLEAR:
		say_unclear(speech, block, event->refusal, release);
		break;
	case KS_REFUSAL_ALL:
		block->done.code = KS_DKMS_INSTALL_FAILED;
		block->done.error = g_strdup("Installation aborted.");
		break;
	}
}

void ks_speech_original(struct ks_dkms_speech *speech, const struct ks_event *event)
{
	struct ks_transcript_block *block = ks_transcript_get(speech, event->action);

	if (event->action->kind == KS_ACTION_UNINSTALL)
		ks_transcript_say(speech, block,
				  "Restoring archived original module %s\n", event->text);
	else
		ks_transcript_say(speech, block,
				  "Found pre-existing %s, archiving for uninstallation\n",
				  event->text);
}

void ks_speech_script(struct ks_dkms_speech *speech, const struct ks_event *event)
{
	struct ks_transcript_block *block = ks_transcript_get(speech, event->action);

	g_free(block->script);
	block->script = g_strdup(event->text);
	ks_transcript_say(speech, block, "Running the %s script:\n", event->text);
}

void ks_speech_no_script(struct ks_dkms_speech *speech, const struct ks_event *event)
{
	struct ks_transcript_block *block = ks_transcript_get(speech, event->action);
	g_autofree char *text = g_strdup_printf(
		"Warning: The %s script is not executable.\n", event->text);

	if (event->action->kind == KS_ACTION_BUILD)
		ks_speech_begin_build(speech, block, event->action);
	ks_transcript_say(speech, block, "\n");
	ks_transcript_say_text(speech, block, true, text);
}

void ks_speech_install_failed(struct ks_dkms_speech *speech, const struct ks_event *event)
{
	struct ks_transcript_block *block = ks_transcript_get(speech, event->action);

	block->done.code = KS_DKMS_INSTALL_FAILED;
	if (g_strcmp0(block->script, "pre_install") == 0 && !block->done.installed) {
		block->done.code = KS_DKMS_PRE_INSTALL_FAILED;
		block->done.error = g_strdup("pre_install failed, aborting install.\n"
					     "You may override by specifying --force.");
		return;
	}
	block->done.error = g_strdup(event->error->message);
}
