/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Module.symvers as a hash table whose keys point into one copy of the text. */
#include "core/module/symvers.h"

#include <string.h>

#include "core/support/error.h"

struct ks_symvers {
	char *text;
	GHashTable *gpl_only; /* symbols, in text */
	GHashTable *crcs;     /* symbol, in text -> GUINT_TO_POINTER(crc) */
};

/* "0x12345678", of 1 to 8 digits. */
static bool parse_crc(const char *text, guint32 *crc)
{
	guint32 value = 0;
	size_t n = 0;

	if (text[0] != '0' || (text[1] != 'x' && text[1] != 'X'))
		return false;
	for (text += 2; g_ascii_isxdigit(*text) && n < 8; text++, n++)
		value = value << 4 | (guint32)g_ascii_xdigit_value(*text);
	if (n == 0 || *text)
		return false;
	*crc = value;
	return true;
}

static bool is_symbol(const char *text)
{
	size_t n = strlen(text);

	if (n == 0 || n >= KS_SYMVERS_MAX_NAME_BYTES)
		return false;
	for (; *text; text++)
		if (!g_ascii_isgraph(*text))
			return false;
	return true;
}

/* "MODULE <tab> EXPORT_SYMBOL_GPL [<tab> NAMESPACE]" */
static bool is_gpl_type(const char *rest)
{
	const char *type = strchr(rest, '\t');
	g_autofree char *word = NULL;

	if (!type)
		return false;
	word = g_strndup(type + 1, strcspn(type + 1, "\t "));
	return g_str_has_suffix(word, "_GPL");
}

/* line is NUL-terminated and cut up. */
static const char *parse_line(struct ks_symvers *symvers, char *line)
{
	char *symbol = strchr(line, '\t'), *end;
	guint32 crc;

	if (!symbol)
		return "no tab after the CRC";
	*symbol++ = '\0';
	end = strchr(symbol, '\t');
	if (!end)
		return "no tab after the symbol";
	*end = '\0';
	if (!parse_crc(line, &crc))
		return "the CRC is not '0x' and up to 8 hexadecimal digits";
	if (!is_symbol(symbol))
		return "malformed symbol name";
	g_hash_table_insert(symvers->crcs, symbol, GUINT_TO_POINTER(crc));
	if (is_gpl_type(end + 1))
		g_hash_table_add(symvers->gpl_only, symbol);
	else
		g_hash_table_remove(symvers->gpl_only, symbol);
	return NULL;
}

struct ks_symvers *ks_symvers_parse(const char *text, size_t size_bytes,
				    const char *label, GError **error)
{
	ks_auto(ks_symvers) symvers = g_new0(struct ks_symvers, 1);
	struct ks_symvers *result;
	unsigned int n_line = 0;

	symvers->crcs = g_hash_table_new(g_str_hash, g_str_equal);
	symvers->gpl_only = g_hash_table_new(g_str_hash, g_str_equal);
	if (size_bytes > KS_SYMVERS_MAX_BYTES) {
		ks_error_set(error, KS_ERROR_INVALID, "'%s' has more than %d bytes",
			     label, KS_SYMVERS_MAX_BYTES);
		return NULL;
	}
	symvers->text = g_malloc(size_bytes + 1);
	if (size_bytes)
		memcpy(symvers->text, text, size_bytes);
	symvers->text[size_bytes] = '\0';

	for (char *line = symvers->text, *next; line < symvers->text + size_bytes;
	     line = next) {
		size_t left = (size_t)(symvers->text + size_bytes - line);
		char *end = memchr(line, '\n', left);
		const char *problem;

		n_line++;
		if (!end)
			end = line + left;
		next = end + 1;
		*end = '\0';
		if (memchr(line, '\0', (size_t)(end - line)))
			problem = "a NUL byte";
		else
			problem = parse_line(symvers, line);
		if (problem) {
			ks_error_set(error, KS_ERROR_INVALID, "'%s' line %u: %s", label,
				     n_line, problem);
			return NULL;
		}
	}
	result = symvers;
	symvers = NULL;
	return result;
}

void ks_symvers_free(struct ks_symvers *symvers)
{
	if (!symvers)
		return;
	g_hash_table_unref(symvers->crcs);
	g_hash_table_unref(symvers->gpl_only);
	g_free(symvers->text);
	g_free(symvers);
}

bool ks_symvers_find(const struct ks_symvers *symvers, const char *symbol, guint32 *crc)
{
	gpointer value;

	if (!g_hash_table_lookup_extended(symvers->crcs, symbol, NULL, &value))
		return false;
	*crc = GPOINTER_TO_UINT(value);
	return true;
}

bool ks_symvers_is_gpl_only(const struct ks_symvers *symvers, const char *symbol)
{
	return g_hash_table_contains(symvers->gpl_only, symbol);
}

size_t ks_symvers_get_size(const struct ks_symvers *symvers)
{
	return g_hash_table_size(symvers->crcs);
}
