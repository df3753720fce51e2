/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Installing and uninstalling in dkms's words. */
#include <string.h>

#include "cli/dkms/dkms-transcript.h"
#include "core/install/occupant.h"

void ks_words_placed(struct ks_dkms_words *words, const struct ks_event *event)
{
	struct ks_lines_block *block = ks_lines_get(words, event->action);

	for (guint i = 0; i < event->manifest->files->len; i++) {
		const struct ks_manifest_file *file =
			g_ptr_array_index(event->manifest->files, i);

		ks_lines_say(words, block, "Installing %s/%s\n", file->dest_dir,
			     file->name);
	}
	block->done.installed = true;
	words->moved = true;
}

/* A file that is not what was installed is somebody else's by now, and stays. */
static void say_taken(struct ks_dkms_words *words, struct ks_lines_block *block,
		      const struct ks_kernel *kernel, const struct ks_manifest *manifest,
		      const struct ks_manifest_file *file)
{
	const struct ks_system *system = words->dkms->cli.system;
	g_autofree char *path = ks_manifest_file_path(file);

	if (ks_occupant_is_placed(system, manifest, file))
		ks_lines_say(words, block, "Deleting %s\n", path);
	else
		ks_lines_say(words, block, "Module %s was not found within %s/\n",
			     file->name, kernel->modules_dir);
}

void ks_words_taken(struct ks_dkms_words *words, const struct ks_event *event)
{
	const struct ks_target *target = event->action->target;
	const struct ks_system *system = words->dkms->cli.system;
	struct ks_lines_block *block = ks_lines_get(words, event->action);
	g_autofree char *originals = g_build_filename(
		system->dkms_tree, target->source->name, "original_module",
		target->kernel->release, target->kernel->arch, NULL);

	words->moved = true;
	block->done.had_originals = ks_root_exists(system->root, originals);
	ks_lines_say(words, block, "Module %s/%s for kernel %s (%s):\n",
		     target->source->name, target->source->version,
		     target->kernel->release, target->kernel->arch);
	ks_lines_say(
		words, block,
		"Before uninstall, this module version was ACTIVE on this kernel.\n");
	for (guint i = 0; i < event->manifest->files->len; i++)
		say_taken(words, block, target->kernel, event->manifest,
			  g_ptr_array_index(event->manifest->files, i));
}

void ks_words_original(struct ks_dkms_words *words, const struct ks_event *event)
{
	struct ks_lines_block *block = ks_lines_get(words, event->action);

	if (event->action->kind == KS_ACTION_UNINSTALL)
		ks_lines_say(words, block, "Restoring archived original module %s\n",
			     event->text);
	else
		ks_lines_say(words, block,
			     "Found pre-existing %s, archiving for uninstallation\n",
			     event->text);
}

void ks_words_script(struct ks_dkms_words *words, const struct ks_event *event)
{
	struct ks_lines_block *block = ks_lines_get(words, event->action);

	g_free(block->script);
	block->script = g_strdup(event->text);
	ks_lines_say(words, block, "Running the %s script:\n", event->text);
}

void ks_words_no_script(struct ks_dkms_words *words, const struct ks_event *event)
{
	struct ks_lines_block *block = ks_lines_get(words, event->action);
	g_autofree char *text = g_strdup_printf(
		"Warning: The %s script is not executable.\n", event->text);

	if (event->action->kind == KS_ACTION_BUILD)
		ks_words_begin_build(words, block, event->action);
	ks_lines_say(words, block, "\n");
	ks_lines_say_text(words, block, true, text);
}

void ks_words_install_failed(struct ks_dkms_words *words, const struct ks_event *event)
{
	struct ks_lines_block *block = ks_lines_get(words, event->action);

	block->done.code = KS_DKMS_INSTALL_FAILED;
	if (g_strcmp0(block->script, "pre_install") == 0 && !block->done.installed) {
		block->done.code = KS_DKMS_PRE_INSTALL_FAILED;
		block->done.error = g_strdup("pre_install failed, aborting install.\n"
					     "You may override by specifying --force.");
		return;
	}
	block->done.error = g_strdup(event->error->message);
}
