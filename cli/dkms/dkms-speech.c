/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the engine's events to dkms's lines. */
#include "cli/dkms/dkms-speech.h"

#include "cli/dkms/dkms-debug.h"
#include "cli/dkms/dkms-transcript.h"
#include "cli/message.h"

struct ks_dkms_words *ks_dkms_words_new(const struct ks_dkms *dkms, bool kept)
{
	struct ks_dkms_words *words = g_new0(struct ks_dkms_words, 1);

	words->dkms = dkms;
	words->kept = kept;
	words->blocks = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
					      ks_lines_block_free);
	words->depmod = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	return words;
}

void ks_dkms_words_free(struct ks_dkms_words *words)
{
	g_hash_table_unref(words->blocks);
	g_hash_table_unref(words->depmod);
	g_free(words->prologue);
	g_free(words);
}

/* --- events */

/* dkms runs it behind what it has placed or taken away. */
static void begin_depmod(struct ks_dkms_words *words, const struct ks_kernel *kernel)
{
	words->in_depmod = words->moved && !words->kept;
	if (!words->in_depmod)
		return;
	if (words->dkms->options.verbose)
		printf("do_depmod %s\n", kernel->release);
	else
		ks_lines_print("Running depmod...", false);
}

static void end_depmod(struct ks_dkms_words *words, const char *how)
{
	if (words->in_depmod)
		ks_lines_print(how, false);
	words->in_depmod = false;
}

static void on_start(struct ks_dkms_words *words, const struct ks_event *event)
{
	const struct ks_action *action = event->action;

	if (action->kind == KS_ACTION_BUILD || action->kind == KS_ACTION_INSTALL)
		ks_words_say_deprecated(words, event);
	if (action->kind == KS_ACTION_ADD)
		ks_words_say_adding(words, ks_lines_get(words, action), action->source);
	else if (action->kind == KS_ACTION_DEPMOD)
		begin_depmod(words, action->kernel);
}

static void on_done(struct ks_dkms_words *words, const struct ks_event *event)
{
	const struct ks_action *action = event->action;
	struct ks_lines_block *block = ks_lines_get(words, action);

	switch (action->kind) {
	case KS_ACTION_ADD:
		ks_lines_say(words, block, "\n");
		break;
	case KS_ACTION_BUILD:
		ks_lines_end(words, block, 0);
		block->done.built = true;
		break;
	case KS_ACTION_UNINSTALL:
		block->done.uninstalled = true;
		break;
	case KS_ACTION_DEPMOD:
		end_depmod(words, " done.\n");
		break;
	default:
		break;
	}
}

static void on_failed(struct ks_dkms_words *words, const struct ks_event *event)
{
	const struct ks_action *action = event->action;

	switch (action->kind) {
	case KS_ACTION_BUILD:
		ks_words_build_failed(words, event);
		break;
	case KS_ACTION_DEPMOD:
		g_hash_table_insert(words->depmod, g_strdup(action->kernel->release),
				    g_strdup(event->error->message));
		end_depmod(words, "(bad exit status: 1)\n");
		break;
	case KS_ACTION_INITRAMFS:
	case KS_ACTION_DEVICES:
	case KS_ACTION_RECORD:
	case KS_ACTION_POST_TRANSACTION:
	case KS_ACTION_PRUNE:
		break;
	default:
		ks_words_install_failed(words, event);
		break;
	}
}

static void begin_post_transaction(struct ks_dkms_words *words, const char *command)
{
	g_autofree char *clean = ks_message_clean(command);

	words->in_post_transaction = true;
	if (!words->dkms->options.verbose) {
		ks_lines_print("Executing post-transaction command...", false);
		return;
	}
	ks_lines_print(clean, false);
	ks_lines_print("\n", false);
}

void ks_dkms_words_observe(const struct ks_event *event, void *data)
{
	struct ks_dkms_words *words = data;

	if (words->dkms->options.debug)
		ks_dkms_debug_tell(event);
	switch (event->kind) {
	case KS_EVENT_ACTION_START:
		on_start(words, event);
		break;
	case KS_EVENT_ACTION_STEP:
		ks_words_step(words, event);
		break;
	case KS_EVENT_ACTION_DONE:
		on_done(words, event);
		break;
	case KS_EVENT_ACTION_FAILED:
		on_failed(words, event);
		break;
	case KS_EVENT_ORIGINAL:
		ks_words_original(words, event);
		break;
	case KS_EVENT_PLACED:
		ks_words_placed(words, event);
		break;
	case KS_EVENT_TAKEN:
		ks_words_taken(words, event);
		break;
	case KS_EVENT_WEAK_MODULES:
		ks_lines_say(words, ks_lines_get(words, event->action),
			     "%s linked weak modules...\n",
			     event->action->kind == KS_ACTION_INSTALL ? "Adding"
								      : "Removing");
		break;
	case KS_EVENT_SCRIPT:
		ks_words_script(words, event);
		break;
	case KS_EVENT_NO_SCRIPT:
		ks_words_no_script(words, event);
		break;
	case KS_EVENT_ACTION_PROGRESS:
	case KS_EVENT_TICK:
		ks_lines_tick(words);
		break;
	case KS_EVENT_POST_TRANSACTION:
		begin_post_transaction(words, event->text);
		break;
	case KS_EVENT_WARNING:
		/* its own failure is the only one that can come then */
		if (words->in_post_transaction)
			ks_lines_print("(bad exit status: 1)\n", false);
		words->in_post_transaction = false;
		break;
	case KS_EVENT_SIGNING:
		ks_words_signing(words, event);
		break;
	case KS_EVENT_SIGNED:
		ks_words_signed(words, event);
		break;
	case KS_EVENT_SIGN_FAILED:
		ks_words_sign_failed(words, event);
		break;
	case KS_EVENT_WAITING_FOR_LOCK:
	case KS_EVENT_RECOVERED:
	case KS_EVENT_PLANNED:
	case KS_EVENT_SANDBOX:
		break;
	}
}

void ks_dkms_words_end(struct ks_dkms_words *words)
{
	if (words->in_post_transaction)
		ks_lines_print(" done.\n", false);
	words->in_post_transaction = false;
}

/* --- afterwards */

bool ks_dkms_words_is_kept(const struct ks_dkms_words *words)
{
	return words->kept;
}

void ks_dkms_words_print_prologue(const struct ks_dkms_words *words)
{
	if (words->began)
		ks_words_print_prologue(words);
}

const struct ks_dkms_done *ks_dkms_words_done(const struct ks_dkms_words *words,
					      const char *name, const char *version,
					      const char *release)
{
	const struct ks_lines_block *block = ks_lines_find(words, name, version, release);

	return block ? &block->done : NULL;
}

int ks_dkms_words_tell_failure(const struct ks_dkms_words *words, const char *name,
			       const char *version, const char *release)
{
	const struct ks_lines_block *block = ks_lines_find(words, name, version, release);

	if (!block || !block->done.code)
		return KS_DKMS_OK;
	if (block->done.error)
		ks_dkms_error_line("%s", block->done.error);
	return block->done.code;
}

bool ks_dkms_words_depmod_failed(const struct ks_dkms_words *words, const char *release)
{
	return g_hash_table_contains(words->depmod, release);
}

void ks_dkms_words_print_depmod(const struct ks_dkms_words *words, const char *release)
{
	const char *error = g_hash_table_lookup(words->depmod, release);

	if (!error)
		ks_lines_print("Running depmod... done.\n", false);
	else
		printf("Running depmod...(bad exit status: 1)\nFailed command:\n"
		       "depmod -a %s\n%s\n",
		       release, error);
}

void ks_dkms_words_print(const struct ks_dkms_words *words, const char *name,
			 const char *version, const char *release, bool with_depmod)
{
	const struct ks_lines_block *block = ks_lines_find(words, name, version, release);

	for (guint i = 0; block && i < block->chunks->len; i++) {
		const struct ks_lines_chunk *chunk = g_ptr_array_index(block->chunks, i);

		ks_lines_print(chunk->text, chunk->is_error);
	}
	if (!block || !(block->done.installed || block->done.uninstalled))
		return;
	if (with_depmod)
		ks_dkms_words_print_depmod(words, release);
}
