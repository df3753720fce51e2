/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/json-document.h"

#include <glib.h>
#include <stdio.h>

#define SCHEMA 1

json_t *ks_json_document_new(void)
{
	json_t *document = json_object();

	json_object_set_new(document, "schema", json_integer(SCHEMA));
	return document;
}

json_t *ks_json_text(const char *text)
{
	g_autofree char *valid = text ? g_utf8_make_valid(text, -1) : NULL;

	return valid ? json_string(valid) : json_null();
}

void ks_json_document_print(json_t *document)
{
	json_dumpf(document, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
	fputc('\n', stdout);
	fflush(stdout);
	json_decref(document);
}
