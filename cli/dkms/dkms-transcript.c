/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The lines of each target, printed at once or put aside. */
#include "cli/dkms/dkms-transcript.h"

#include <stdarg.h>

#include "cli/message.h"
#include "cli/find.h"

#define TICKS_PER_DOT 3

static void chunk_free(gpointer data)
{
	struct ks_transcript_chunk *chunk = data;

	g_free(chunk->text);
	g_free(chunk);
}

void ks_transcript_block_free(gpointer data)
{
	struct ks_transcript_block *block = data;

	g_ptr_array_unref(block->chunks);
	g_free(block->done.error);
	g_free(block->command);
	g_free(block->script);
	g_free(block);
}

static char *block_key(const char *name, const char *version, const char *release)
{
	return g_strdup_printf("%s/%s %s", name, version, release);
}

struct ks_transcript_block *ks_transcript_find(const struct ks_dkms_speech *speech,
					       const char *name, const char *version,
					       const char *release)
{
	g_autofree char *key = block_key(name, version, release);

	return g_hash_table_lookup(speech->blocks, key);
}

static bool is_of_dependent(const struct ks_action *action)
{
	return action->reason == KS_REASON_DEPENDS_CHANGED;
}

bool ks_speech_is_forced(const struct ks_dkms_speech *speech,
			 const struct ks_action *action)
{
	return is_of_dependent(action) || speech->job.force;
}

struct ks_transcript_block *ks_transcript_get(struct ks_dkms_speech *speech,
					      const struct ks_action *action)
{
	const struct ks_source *source = ks_source_of_action(action);
	const struct ks_kernel *kernel = ks_source_kernel_of_action(action);
	g_autofree char *key = NULL;
	struct ks_transcript_block *block;

	if (!source)
		return NULL;
	key = block_key(source->name, source->version, kernel ? kernel->release : "");
	block = g_hash_table_lookup(speech->blocks, key);
	if (block)
		return block;
	block = g_new0(struct ks_transcript_block, 1);
	block->kept = speech->kept || is_of_dependent(action);
	if (is_of_dependent(action))
		g_ptr_array_add(speech->dependents,
				g_strconcat(source->name, "/", source->version, NULL));
	block->chunks = g_ptr_array_new_with_free_func(chunk_free);
	g_hash_table_insert(speech->blocks, g_steal_pointer(&key), block);
	return block;
}

void ks_transcript_print(const char *text, bool is_error)
{
	/* the two may be one terminal: keep them in order */
	fflush(is_error ? stdout : stderr);
	fputs(text, is_error ? stderr : stdout);
	fflush(is_error ? stderr : stdout);
}

void ks_transcript_say_text(struct ks_dkms_speech *speech,
			    struct ks_transcript_block *block, bool is_error,
			    const char *text)
{
	struct ks_transcript_chunk *chunk;

	(void)speech;
	if (!block || !block->kept) {
		ks_transcript_print(text, is_error);
		return;
	}
	chunk = g_new0(struct ks_transcript_chunk, 1);
	chunk->is_error = is_error;
	chunk->text = g_strdup(text);
	g_ptr_array_add(block->chunks, chunk);
}

void ks_transcript_say(struct ks_dkms_speech *speech, struct ks_transcript_block *block,
		       const char *format, ...)
{
	g_autofree char *text = NULL;
	va_list args;

	va_start(args, format);
	text = g_strdup_vprintf(format, args);
	va_end(args);
	ks_transcript_say_text(speech, block, false, text);
}

/* --- lines that end when the work ends */

void ks_transcript_begin(struct ks_dkms_speech *speech, struct ks_transcript_block *block,
			 const char *description, const char *command)
{
	g_free(block->command);
	block->command = ks_message_clean(command);
	block->line_open = true;
	speech->ticking = block;
	speech->n_ticks = 0;
	if (speech->dkms->options->verbose)
		ks_transcript_say(speech, block, "%s\n", block->command);
	else
		ks_transcript_say(speech, block, "%s...", description);
}

void ks_transcript_end(struct ks_dkms_speech *speech, struct ks_transcript_block *block,
		       int exit_status)
{
	if (!block || !block->line_open)
		return;
	block->line_open = false;
	speech->ticking = NULL;
	if (!exit_status)
		ks_transcript_say(speech, block, " done.\n");
	else if (speech->dkms->options->verbose)
		ks_transcript_say(speech, block, "(bad exit status: %d)", exit_status);
	else
		ks_transcript_say(speech, block,
				  "(bad exit status: %d)\nFailed command:\n%s\n",
				  exit_status, block->command);
}

void ks_transcript_tick(struct ks_dkms_speech *speech)
{
	if (!speech->ticking || speech->ticking->kept || speech->dkms->options->verbose ||
	    ++speech->n_ticks % TICKS_PER_DOT)
		return;
	ks_transcript_print(".", false);
}
