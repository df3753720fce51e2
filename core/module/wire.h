/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the engine and the inspect worker say to each other: blocks of
 * "key=value" lines, a blank line ends a block. In values '%', control
 * characters and DEL are written as %XX, so that no value can forge a line.
 */
#pragma once

#include <glib.h>

#include "core/support/contract.h"

void ks_wire_append(GString *text, const char *key, const char *value);
void ks_wire_append_format(GString *text, const char *key, const char *format, ...)
	G_GNUC_PRINTF(3, 4);
void ks_wire_end_block(GString *text);

enum ks_wire_token {
	KS_WIRE_LINE,
	KS_WIRE_BLOCK_END,
	KS_WIRE_END,
	KS_WIRE_BAD, /* no '=', no newline, a malformed escape or an escaped NUL */
};

struct ks_wire_reader {
	char *next; /* NUL-terminated; cut up and unescaped in place */
	char *line; /* the last line read, for messages */
};

/* *key and *value point into the text. */
KS_NONNULL(1)
enum ks_wire_token ks_wire_read(struct ks_wire_reader *reader, const char **key,
				const char **value);
