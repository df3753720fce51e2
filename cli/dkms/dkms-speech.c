/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the engine's events to dkms's lines. */
#include "cli/dkms/dkms-speech.h"

#include "cli/dkms/dkms-debug.h"
#include "cli/dkms/dkms-transcript.h"
#include "cli/message.h"

struct ks_dkms_speech *ks_dkms_speech_new(const struct ks_dkms *dkms,
					  struct ks_dkms_job job, bool kept)
{
	struct ks_dkms_speech *speech = g_new0(struct ks_dkms_speech, 1);

	speech->dkms = dkms;
	speech->job = job;
	speech->kept = kept;
	speech->dependents = g_ptr_array_new_with_free_func(g_free);
	speech->blocks = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
					       ks_transcript_block_free);
	speech->depmod = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	return speech;
}

void ks_dkms_speech_free(struct ks_dkms_speech *speech)
{
	if (!speech)
		return;
	g_hash_table_unref(speech->blocks);
	g_hash_table_unref(speech->depmod);
	g_ptr_array_unref(speech->dependents);
	g_free(speech->prologue);
	g_free(speech->preface);
	g_free(speech);
}

/* --- events */

/* dkms runs it after it has placed or removed files. */
static void begin_depmod(struct ks_dkms_speech *speech, const struct ks_kernel *kernel)
{
	speech->in_depmod = speech->moved && !speech->kept;
	if (!speech->in_depmod)
		return;
	if (speech->dkms->options->verbose)
		printf("do_depmod %s\n", kernel->release);
	else
		ks_transcript_print("Running depmod...", false);
}

static void end_depmod(struct ks_dkms_speech *speech, const char *how)
{
	if (speech->in_depmod)
		ks_transcript_print(how, false);
	speech->in_depmod = false;
}

static void begin_install(struct ks_dkms_speech *speech, const struct ks_action *action)
{
	ks_dkms_speech_print_preface(speech);
	if (ks_speech_is_forced(speech, action))
		ks_speech_replaced(speech, action);
}

static void on_start(struct ks_dkms_speech *speech, const struct ks_event *event)
{
	const struct ks_action *action = event->action;

	if (action->kind == KS_ACTION_BUILD || action->kind == KS_ACTION_INSTALL)
		ks_speech_say_deprecated(speech, event);
	if (action->kind == KS_ACTION_ADD)
		ks_speech_say_adding(speech, ks_transcript_get(speech, action),
				     action->source);
	else if (action->kind == KS_ACTION_DEPMOD)
		begin_depmod(speech, action->kernel);
	else if (action->kind == KS_ACTION_INSTALL)
		begin_install(speech, action);
	else if (action->kind == KS_ACTION_UNINSTALL && g_hash_table_size(speech->depmod))
		ks_dkms_error_line("Problems with depmod detected. Automatically "
				   "uninstalling this module.");
}

static void on_done(struct ks_dkms_speech *speech, const struct ks_event *event)
{
	const struct ks_action *action = event->action;
	struct ks_transcript_block *block = ks_transcript_get(speech, action);

	switch (action->kind) {
	case KS_ACTION_ADD:
		ks_transcript_say(speech, block, "\n");
		break;
	case KS_ACTION_BUILD:
		ks_transcript_end(speech, block, 0);
		block->done.built = true;
		break;
	case KS_ACTION_UNINSTALL:
		block->done.uninstalled = true;
		break;
	case KS_ACTION_DEPMOD:
		end_depmod(speech, " done.\n");
		break;
	default:
		break;
	}
}

static void on_failed(struct ks_dkms_speech *speech, const struct ks_event *event)
{
	const struct ks_action *action = event->action;

	switch (action->kind) {
	case KS_ACTION_BUILD:
		ks_speech_build_failed(speech, event);
		break;
	case KS_ACTION_DEPMOD:
		g_hash_table_insert(speech->depmod, g_strdup(action->kernel->release),
				    g_strdup(event->error->message));
		end_depmod(speech, "(bad exit status: 1)\n");
		break;
	case KS_ACTION_INITRAMFS:
	case KS_ACTION_UNRENEWED:
	case KS_ACTION_DEVICES:
	case KS_ACTION_RECORD:
	case KS_ACTION_POST_TRANSACTION:
	case KS_ACTION_PRUNE:
		break;
	default:
		ks_speech_install_failed(speech, event);
		break;
	}
}

static void begin_post_transaction(struct ks_dkms_speech *speech, const char *command)
{
	g_autofree char *clean = ks_message_clean(command);

	speech->in_post_transaction = true;
	if (!speech->dkms->options->verbose) {
		ks_transcript_print("Executing post-transaction command...", false);
		return;
	}
	ks_transcript_print(clean, false);
	ks_transcript_print("\n", false);
}

void ks_dkms_speech_observe(const struct ks_event *event, void *data)
{
	struct ks_dkms_speech *speech = data;

	if (speech->dkms->options->debug)
		ks_dkms_debug_print(event);
	switch (event->kind) {
	case KS_EVENT_ACTION_START:
		on_start(speech, event);
		break;
	case KS_EVENT_ACTION_STEP:
		ks_speech_step(speech, event);
		break;
	case KS_EVENT_ACTION_DONE:
		on_done(speech, event);
		break;
	case KS_EVENT_ACTION_FAILED:
		on_failed(speech, event);
		break;
	case KS_EVENT_ORIGINAL:
		ks_speech_original(speech, event);
		break;
	case KS_EVENT_REFUSED:
		ks_speech_refused(speech, event);
		break;
	case KS_EVENT_PLACED:
		ks_speech_placed(speech, event);
		break;
	case KS_EVENT_TAKEN:
		ks_speech_taken(speech, event);
		break;
	case KS_EVENT_WEAK_MODULES:
		ks_transcript_say(speech, ks_transcript_get(speech, event->action),
				  "%s linked weak modules...\n",
				  event->action->kind == KS_ACTION_INSTALL ? "Adding"
									   : "Removing");
		break;
	case KS_EVENT_SCRIPT:
		ks_speech_script(speech, event);
		break;
	case KS_EVENT_NO_SCRIPT:
		ks_speech_no_script(speech, event);
		break;
	case KS_EVENT_ACTION_PROGRESS:
	case KS_EVENT_TICK:
		ks_transcript_tick(speech);
		break;
	case KS_EVENT_POST_TRANSACTION:
		begin_post_transaction(speech, event->text);
		break;
	case KS_EVENT_WARNING:
		/* its own failure is the only one that can come then */
		if (speech->in_post_transaction)
			ks_transcript_print("(bad exit status: 1)\n", false);
		speech->in_post_transaction = false;
		break;
	case KS_EVENT_SIGNING:
		ks_speech_signing(speech, event);
		break;
	case KS_EVENT_SIGNED:
		ks_speech_signed(speech, event);
		break;
	case KS_EVENT_SIGN_FAILED:
		ks_speech_sign_failed(speech, event);
		break;
	case KS_EVENT_WAITING_FOR_LOCK:
	case KS_EVENT_RECOVERED:
	case KS_EVENT_PLANNED:
	case KS_EVENT_SANDBOX:
		break;
	}
}

void ks_dkms_speech_end(struct ks_dkms_speech *speech)
{
	if (speech->in_post_transaction)
		ks_transcript_print(" done.\n", false);
	speech->in_post_transaction = false;
}

void ks_dkms_speech_set_preface(struct ks_dkms_speech *speech, const char *text)
{
	g_free(speech->preface);
	speech->preface = g_strdup(text);
}

void ks_dkms_speech_print_preface(struct ks_dkms_speech *speech)
{
	if (speech->preface)
		ks_transcript_print(speech->preface, false);
	g_clear_pointer(&speech->preface, g_free);
}

/* --- afterwards */

const GPtrArray *ks_dkms_speech_dependents(const struct ks_dkms_speech *speech)
{
	return speech->dependents;
}

struct ks_dkms_job ks_dkms_speech_job(const struct ks_dkms_speech *speech)
{
	return speech->job;
}

bool ks_dkms_speech_is_kept(const struct ks_dkms_speech *speech)
{
	return speech->kept;
}

void ks_dkms_speech_print_prologue(const struct ks_dkms_speech *speech)
{
	if (speech->began)
		ks_speech_print_prologue(speech);
}

const struct ks_dkms_done *ks_dkms_speech_done(const struct ks_dkms_speech *speech,
					       const char *name, const char *version,
					       const char *release)
{
	const struct ks_transcript_block *block =
		ks_transcript_find(speech, name, version, release);

	return block ? &block->done : NULL;
}

int ks_dkms_speech_print_failure(const struct ks_dkms_speech *speech, const char *name,
				 const char *version, const char *release)
{
	const struct ks_transcript_block *block =
		ks_transcript_find(speech, name, version, release);

	if (!block || !block->done.code)
		return KS_DKMS_OK;
	if (block->done.error)
		ks_dkms_error_line("%s", block->done.error);
	return block->done.code;
}

bool ks_dkms_speech_depmod_failed(const struct ks_dkms_speech *speech,
				  const char *release)
{
	return g_hash_table_contains(speech->depmod, release);
}

void ks_dkms_speech_print_depmod(const struct ks_dkms_speech *speech, const char *release)
{
	const char *error = g_hash_table_lookup(speech->depmod, release);

	if (!error)
		ks_transcript_print("Running depmod... done.\n", false);
	else
		printf("Running depmod...(bad exit status: 1)\nFailed command:\n"
		       "depmod -a %s\n%s\n",
		       release, error);
}

void ks_dkms_speech_print(const struct ks_dkms_speech *speech, const char *name,
			  const char *version, const char *release, bool with_depmod)
{
	const struct ks_transcript_block *block =
		ks_transcript_find(speech, name, version, release);

	for (guint i = 0; block && i < block->chunks->len; i++) {
		const struct ks_transcript_chunk *chunk =
			g_ptr_array_index(block->chunks, i);

		ks_transcript_print(chunk->text, chunk->is_error);
	}
	if (!block || !(block->done.installed || block->done.uninstalled))
		return;
	if (with_depmod)
		ks_dkms_speech_print_depmod(speech, release);
}
