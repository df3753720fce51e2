/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads what the inspect worker answered. */
#include "core/module/answer.h"

#include <stdlib.h>
#include <string.h>

#include "core/module/wire.h"
#include "core/support/error.h"

#define MAX_LIST_ENTRIES 250000
#define MAX_SHOWN_CHARS	 200

void ks_module_info_free(struct ks_module_info *info)
{
	if (!info)
		return;
	g_free(info->path);
	g_free(info->name);
	g_free(info->vermagic);
	g_free(info->version);
	g_free(info->srcversion);
	g_free(info->license);
	g_strfreev(info->aliases);
	g_strfreev(info->exports);
	g_strfreev(info->depends);
	g_strfreev(info->gpl_only);
	g_strfreev(info->missing);
	g_free(info->problem);
	g_free(info);
}

/* One block, before it is known to be good. */
struct block {
	char *vermagic, *version, *srcversion, *license, *problem;
	GPtrArray *aliases, *exports, *depends, *gpl_only, *missing;
	bool has_module, is_unresolved;
};

char *ks_answer_clean(const char *text)
{
	char *clean = g_utf8_make_valid(text, -1);

	/* C1 controls (U+0080..U+009F) are bytes C2 80..C2 9F */
	for (unsigned char *c = (unsigned char *)clean; *c; c++) {
		if (*c < 0x20 || *c == 0x7f)
			*c = '?';
		else if (c[0] == 0xc2 && c[1] >= 0x80 && c[1] <= 0x9f)
			c[0] = c[1] = '?';
	}
	return clean;
}

static GPtrArray *strings_new(void)
{
	return g_ptr_array_new_with_free_func(g_free);
}

static void block_begin(struct block *block)
{
	*block = (struct block){
		.aliases = strings_new(),
		.exports = strings_new(),
		.depends = strings_new(),
		.gpl_only = strings_new(),
		.missing = strings_new(),
	};
}

static void block_clear(struct block *block)
{
	g_free(block->vermagic);
	g_free(block->version);
	g_free(block->srcversion);
	g_free(block->license);
	g_free(block->problem);
	g_ptr_array_unref(block->aliases);
	g_ptr_array_unref(block->exports);
	g_ptr_array_unref(block->depends);
	g_ptr_array_unref(block->gpl_only);
	g_ptr_array_unref(block->missing);
}

static bool set(char **field, const char *value)
{
	if (*field)
		return false;
	*field = ks_answer_clean(value);
	return true;
}

static bool append(GPtrArray *list, const char *value)
{
	if (list->len >= MAX_LIST_ENTRIES)
		return false;
	g_ptr_array_add(list, ks_answer_clean(value));
	return true;
}

static bool is_number(const char *value, guint number)
{
	g_autofree char *text = g_strdup_printf("%u", number);

	return !strcmp(value, text);
}

/* False for a line that has no place in the block of module number index. */
static bool take_line(struct block *block, const char *key, const char *value,
		      guint index)
{
	if (!strcmp(key, "module")) {
		if (block->has_module || !is_number(value, index))
			return false;
		block->has_module = true;
		return true;
	}
	if (!block->has_module)
		return false;
	if (!strcmp(key, "vermagic"))
		return set(&block->vermagic, value);
	if (!strcmp(key, "version"))
		return set(&block->version, value);
	if (!strcmp(key, "srcversion"))
		return set(&block->srcversion, value);
	if (!strcmp(key, "license"))
		return set(&block->license, value);
	if (!strcmp(key, "problem") || !strcmp(key, "unresolved")) {
		block->is_unresolved = *key == 'u';
		return set(&block->problem, value);
	}
	if (!strcmp(key, "alias"))
		return append(block->aliases, value);
	if (!strcmp(key, "export"))
		return append(block->exports, value);
	if (!strcmp(key, "depends"))
		return append(block->depends, value);
	if (!strcmp(key, "gpl-only"))
		return append(block->gpl_only, value);
	if (!strcmp(key, "missing"))
		return append(block->missing, value);
	return false;
}

static char **to_strv(GPtrArray *list)
{
	char **strv = g_new0(char *, list->len + 1);

	for (guint i = 0; i < list->len; i++)
		strv[i] = g_strdup(g_ptr_array_index(list, i));
	return strv;
}

static void move_to_info(struct block *block, struct ks_module_info *info)
{
	info->vermagic = g_steal_pointer(&block->vermagic);
	info->version = g_steal_pointer(&block->version);
	info->srcversion = g_steal_pointer(&block->srcversion);
	info->license = g_steal_pointer(&block->license);
	info->problem = g_steal_pointer(&block->problem);
	info->is_unresolved = block->is_unresolved;
	info->aliases = to_strv(block->aliases);
	info->exports = to_strv(block->exports);
	info->depends = to_strv(block->depends);
	info->gpl_only = to_strv(block->gpl_only);
	info->missing = to_strv(block->missing);
}

char *ks_answer_excerpt(const char *text)
{
	char *clean = ks_answer_clean(text);

	if (g_utf8_strlen(clean, -1) > MAX_SHOWN_CHARS)
		*g_utf8_offset_to_pointer(clean, MAX_SHOWN_CHARS) = '\0';
	return clean;
}

static void refuse(const char *line, const char *why, GError **error)
{
	g_autofree char *excerpt = ks_answer_excerpt(line);

	ks_error_set(error, KS_ERROR_INVALID,
		     "cannot understand the module inspector: %s '%s'", why, excerpt);
}

/*
 * One block. False ends the reading: at the end of the answer (*ended), or
 * with an error.
 */
static bool read_block(struct ks_wire_reader *reader, GPtrArray *infos, guint index,
		       bool *ended, GError **error)
{
	enum ks_wire_token token;
	const char *key, *value;
	struct block block;
	bool ok = false;

	block_begin(&block);
	while ((token = ks_wire_read(reader, &key, &value)) == KS_WIRE_LINE) {
		if (!strcmp(key, "error")) {
			g_autofree char *clean = ks_answer_clean(value);

			ks_error_set(error, KS_ERROR_FAILED, "%s", clean);
			goto out;
		}
		if (!strcmp(key, "end") && index == infos->len &&
		    is_number(value, index)) {
			*ended = true;
			goto out;
		}
		if (index >= infos->len || !take_line(&block, key, value, index)) {
			refuse(key, "unexpected line", error);
			goto out;
		}
	}
	if (token == KS_WIRE_BAD) {
		refuse(reader->line, "malformed line", error);
	} else if (token == KS_WIRE_END || !block.has_module) {
		refuse("", "the answer is incomplete", error);
	} else {
		move_to_info(&block, g_ptr_array_index(infos, index));
		ok = true;
	}
out:
	block_clear(&block);
	return ok;
}

bool ks_answer_parse(char *text, GPtrArray *infos, GError **error)
{
	struct ks_wire_reader reader = {.next = text, .line = text};
	bool ended = false;
	guint index = 0;

	while (read_block(&reader, infos, index, &ended, error))
		index++;
	return ended;
}
