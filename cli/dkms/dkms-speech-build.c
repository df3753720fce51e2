/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Adding, building and signing in dkms's words. */
#include <string.h>

#include "cli/dkms/dkms-sign.h"
#include "cli/dkms/dkms-source.h"
#include "cli/dkms/dkms-transcript.h"
#include "cli/message.h"
#include "cli/find.h"

static char *entry_path(const struct ks_dkms_speech *speech,
			const struct ks_source *source)
{
	return ks_tree_entry_path(speech->dkms->cli.system, source->name,
				  source->version);
}

void ks_speech_say_adding(struct ks_dkms_speech *speech,
			  struct ks_transcript_block *block,
			  const struct ks_source *source)
{
	g_autofree char *entry = entry_path(speech, source);

	ks_transcript_say(speech, block, "Creating symlink %s/source -> %s\n", entry,
			  source->path);
}

static bool is_dkms_step(const char *name)
{
	static const char *const names[] = {"patch", "pre_build", "make", "post_build",
					    NULL};

	return g_strv_contains(names, name);
}

/* The lines that dkms prints before the first step: about signing, and an empty one. */
void ks_speech_print_prologue(const struct ks_dkms_speech *speech)
{
	if (speech->prologue)
		ks_transcript_print(speech->prologue, false);
	ks_transcript_print("\n", false);
}

/* Once for each conf, on stderr, as dkms does when it reads one. */
void ks_speech_say_deprecated(struct ks_dkms_speech *speech, const struct ks_event *event)
{
	const struct ks_target *target = event->action->target;
	g_autofree char *entry = NULL;
	g_autofree char *path = NULL;

	if (!target || !target->conf)
		return;
	entry = entry_path(speech, target->source);
	path = speech->dkms->overrides.conf_path
		       ? g_strdup(speech->dkms->overrides.conf_path)
		       : g_build_filename(entry, "source", "dkms.conf", NULL);
	if (!ks_dkms_is_first_read(speech->dkms, target->source->name,
				   target->source->version))
		return;
	for (char **name = target->conf->deprecated; name && *name; name++) {
		g_autofree char *text =
			g_strdup_printf("Deprecated feature: %s (%s)\n", *name, path);

		ks_transcript_say_text(speech, ks_transcript_get(speech, event->action),
				       true, text);
	}
}

void ks_speech_begin_build(struct ks_dkms_speech *speech,
			   struct ks_transcript_block *block,
			   const struct ks_action *action)
{
	g_autofree char *warning = NULL;

	speech->began = true;
	if (block->began)
		return;
	block->began = true;
	if (!block->kept)
		ks_speech_print_prologue(speech);
	warning = ks_speech_is_forced(speech, action)
			  ? ks_dkms_depends_warning(speech->dkms, action->target)
			  : NULL;
	if (warning)
		ks_transcript_say_text(speech, block, true, warning);
}

void ks_speech_signing(struct ks_dkms_speech *speech, const struct ks_event *event)
{
	if (event->action->kind != KS_ACTION_BUILD)
		return;
	if (event->first && !speech->prologue)
		speech->prologue =
			ks_dkms_sign_prologue(event->signing, event->action->kernel);
	ks_transcript_get(speech, event->action)->signs =
		event->signing->verdict == KS_SIGN_YES;
}

/* Printed where dkms signs, after make; the engine signs at the very end. */
static void say_signing(struct ks_dkms_speech *speech, const struct ks_action *action)
{
	struct ks_transcript_block *block = ks_transcript_get(speech, action);
	const struct ks_conf *conf = action->target->conf;
	g_autofree char *entry = NULL;

	if (action->kind != KS_ACTION_BUILD || !block->signs || !conf)
		return;
	block->signs = false;
	entry = entry_path(speech, action->target->source);
	for (guint i = 0; i < conf->modules->len; i++) {
		const struct ks_conf_module *module = conf->modules->pdata[i];
		const char *location = module->built_location;

		if (!module->excluded)
			ks_transcript_say(speech, block,
					  "Signing module %s/build/%s%s.ko\n", entry,
					  location ? location : "", module->built_name);
	}
}

void ks_speech_sign_failed(struct ks_dkms_speech *speech, const struct ks_event *event)
{
	g_autofree char *clean = ks_message_clean(event->text);
	g_autofree char *text =
		g_strdup_printf("Warning: Failed to sign module: %s\n", clean);

	ks_transcript_say_text(speech, ks_transcript_get(speech, event->action), true,
			       text);
}

void ks_speech_step(struct ks_dkms_speech *speech, const struct ks_event *event)
{
	struct ks_transcript_block *block = ks_transcript_get(speech, event->action);

	ks_transcript_end(speech, block, 0);
	if (g_strcmp0(event->text, "post_build") == 0)
		say_signing(speech, event->action);
	if (!event->description || !is_dkms_step(event->text))
		return;
	ks_speech_begin_build(speech, block, event->action);
	ks_transcript_begin(speech, block, event->description, event->command);
	block->made |= g_str_equal(event->text, "make");
}

/* A module from the store is reported as built. */
void ks_speech_signed(struct ks_dkms_speech *speech, const struct ks_event *event)
{
	const struct ks_action *action = event->action;
	struct ks_transcript_block *block = ks_transcript_get(speech, action);

	ks_transcript_end(speech, block, 0);
	if (action->kind == KS_ACTION_BUILD && !block->made) {
		ks_speech_begin_build(speech, block, action);
		ks_transcript_begin(speech, block, "Building module(s)", "make");
		ks_transcript_end(speech, block, 0);
		block->made = true;
	}
	/* when there was no POST_BUILD after make */
	say_signing(speech, action);
}

/*
 * The patch that the conf names; with the build directory it is gone, so both
 * places are tried.
 */
static bool has_patch(const struct ks_dkms_speech *speech, const struct ks_source *source,
		      const char *name)
{
	const struct ks_system *system = speech->dkms->cli.system;
	g_autofree char *own = g_build_filename(source->path, "patches", name, NULL);
	g_autofree char *override =
		g_build_filename(system->dkms_etc, source->name, "patches", name, NULL);

	return ks_conf_is_inside(name) && (ks_root_exists(system->root, own) ||
					   ks_root_exists(system->root, override));
}

/* "patch -p1 < ./patches/NAME" */
static const char *patch_name(const struct ks_transcript_block *block)
{
	static const char before[] = "./patches/";
	const char *found = block->command ? strstr(block->command, before) : NULL;

	return found ? found + strlen(before) : "";
}

static void fail_patch(struct ks_dkms_speech *speech, const struct ks_source *source,
		       struct ks_transcript_block *block, const char *log)
{
	const char *name = patch_name(block);
	g_autofree char *entry = entry_path(speech, source);

	if (has_patch(speech, source, name)) {
		block->done.code = KS_DKMS_INSTALL_FAILED;
		block->done.error = g_strdup_printf("Application of patch %s failed.\n"
						    "Consult %s for more information.",
						    name, log);
		return;
	}
	block->done.code = KS_DKMS_NO_ALL;
	if (!ks_conf_is_inside(name)) {
		block->done.error = g_strdup_printf("Patch %s as specified in dkms.conf "
						    "contains '..' path component.",
						    name);
		return;
	}
	block->done.error =
		g_strdup_printf("Patch %s as specified in dkms.conf cannot be\nfound in "
				"%s/build/patches/.",
				name, entry);
}

/* Its modules are missing, or do not fit the kernel, which dkms does not check. */
static void fail_product(const struct ks_action *action,
			 struct ks_transcript_block *block,
			 const struct ks_build_result *result, const char *log)
{
	const struct ks_kernel *kernel = ks_source_kernel_of_action(action);
	const char *missing = result->missing_output;

	block->done.code = KS_DKMS_NOT_PRODUCED;
	block->done.error = g_strdup_printf(
		"Build of %s failed for: %s (%s)\n%s%s"
		"Make sure the name and location of the generated module are "
		"correct,\nor consult %s for more information.",
		missing ? missing : action->target->source->name, kernel->release,
		kernel->arch, missing ? "" : result->message, missing ? "" : "\n", log);
}

static void fail_step(struct ks_dkms_speech *speech, const struct ks_action *action,
		      struct ks_transcript_block *block,
		      const struct ks_build_result *result)
{
	const struct ks_kernel *kernel = ks_source_kernel_of_action(action);
	g_autofree char *entry = entry_path(speech, ks_source_of_action(action));
	g_autofree char *fallback = g_strconcat(entry, "/build/make.log", NULL);
	const char *log = result->log_path ? result->log_path : fallback;

	if (g_str_equal(result->step, "patch")) {
		fail_patch(speech, ks_source_of_action(action), block, log);
	} else if (g_str_equal(result->step, "pre_build") ||
		   g_str_equal(result->step, "post_build")) {
		/* the script's own status is dkms's */
		block->done.code = result->exit_status;
		ks_transcript_say(speech, block, "Consult %s for more information.\n",
				  log);
	} else if (g_str_equal(result->step, "make")) {
		block->done.code = KS_DKMS_BUILD_FAILED;
		block->done.error = g_strdup_printf(
			"Bad return status for module build on kernel: %s (%s)\n"
			"Consult %s for more information.",
			kernel->release, kernel->arch, log);
	} else {
		fail_product(action, block, result, log);
	}
}

void ks_speech_build_failed(struct ks_dkms_speech *speech, const struct ks_event *event)
{
	struct ks_transcript_block *block = ks_transcript_get(speech, event->action);
	const struct ks_build_result *result = event->result;

	ks_transcript_end(speech, block, result ? result->exit_status : 0);
	if (result && !result->outside && result->step) {
		fail_step(speech, event->action, block, result);
		return;
	}
	block->done.code = KS_DKMS_BUILD_FAILED;
	block->done.error =
		g_strdup(event->error ? event->error->message : "interrupted");
}
