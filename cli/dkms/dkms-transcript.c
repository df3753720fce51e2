/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The lines of each target, printed at once or put aside. */
#include "cli/dkms/dkms-transcript.h"

#include <stdarg.h>

#include "cli/message.h"
#include "cli/find.h"

#define TICKS_PER_DOT 3

static void chunk_free(gpointer data)
{
	struct ks_lines_chunk *chunk = data;

	g_free(chunk->text);
	g_free(chunk);
}

void ks_lines_block_free(gpointer data)
{
	struct ks_lines_block *block = data;

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

struct ks_lines_block *ks_lines_find(const struct ks_dkms_words *words, const char *name,
				     const char *version, const char *release)
{
	g_autofree char *key = block_key(name, version, release);

	return g_hash_table_lookup(words->blocks, key);
}

struct ks_lines_block *ks_lines_get(struct ks_dkms_words *words,
				    const struct ks_action *action)
{
	const struct ks_source *source = ks_source_of_action(action);
	const struct ks_kernel *kernel = ks_source_kernel_of_action(action);
	g_autofree char *key = NULL;
	struct ks_lines_block *block;

	if (!source)
		return NULL;
	key = block_key(source->name, source->version, kernel ? kernel->release : "");
	block = g_hash_table_lookup(words->blocks, key);
	if (block)
		return block;
	block = g_new0(struct ks_lines_block, 1);
	block->chunks = g_ptr_array_new_with_free_func(chunk_free);
	g_hash_table_insert(words->blocks, g_steal_pointer(&key), block);
	return block;
}

void ks_lines_print(const char *text, bool is_error)
{
	/* the two may be one terminal: keep them in order */
	fflush(is_error ? stdout : stderr);
	fputs(text, is_error ? stderr : stdout);
	fflush(is_error ? stderr : stdout);
}

void ks_lines_say_text(struct ks_dkms_words *words, struct ks_lines_block *block,
		       bool is_error, const char *text)
{
	struct ks_lines_chunk *chunk;

	if (!words->kept || !block) {
		ks_lines_print(text, is_error);
		return;
	}
	chunk = g_new0(struct ks_lines_chunk, 1);
	chunk->is_error = is_error;
	chunk->text = g_strdup(text);
	g_ptr_array_add(block->chunks, chunk);
}

void ks_lines_say(struct ks_dkms_words *words, struct ks_lines_block *block,
		  const char *format, ...)
{
	g_autofree char *text = NULL;
	va_list args;

	va_start(args, format);
	text = g_strdup_vprintf(format, args);
	va_end(args);
	ks_lines_say_text(words, block, false, text);
}

/* --- lines that end when the work ends */

void ks_lines_begin(struct ks_dkms_words *words, struct ks_lines_block *block,
		    const char *description, const char *command)
{
	g_free(block->command);
	block->command = ks_message_clean(command);
	block->line_open = true;
	words->ticking = block;
	words->n_ticks = 0;
	if (words->dkms->options.verbose)
		ks_lines_say(words, block, "%s\n", block->command);
	else
		ks_lines_say(words, block, "%s...", description);
}

void ks_lines_end(struct ks_dkms_words *words, struct ks_lines_block *block,
		  int exit_status)
{
	if (!block || !block->line_open)
		return;
	block->line_open = false;
	words->ticking = NULL;
	if (!exit_status)
		ks_lines_say(words, block, " done.\n");
	else if (words->dkms->options.verbose)
		ks_lines_say(words, block, "(bad exit status: %d)", exit_status);
	else
		ks_lines_say(words, block, "(bad exit status: %d)\nFailed command:\n%s\n",
			     exit_status, block->command);
}

void ks_lines_tick(struct ks_dkms_words *words)
{
	if (words->kept || !words->ticking || words->dkms->options.verbose ||
	    ++words->n_ticks % TICKS_PER_DOT)
		return;
	ks_lines_print(".", false);
}
