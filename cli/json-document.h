/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What all JSON that commands print has in common. */
#pragma once

#include <jansson.h>

/* An object with "schema": 1; within a schema fields are only added. */
json_t *ks_json_document_new(void);
/* A string; null for NULL. jansson refuses invalid UTF-8, which file names and compilers give. */
json_t *ks_json_text(const char *text);
/* Print the document on stdout and free it. */
void ks_json_document_print(json_t *document);
