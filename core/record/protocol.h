/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The text that the engine and the recorders exchange, version 1. The grammar,
 * the keys and the exit codes are described in doc/record-protocol.md; the
 * records themselves in core/record/record.h.
 *
 *	protocol=1
 *	records=1
 *
 *	record=kmod-foo-6.1.0-56-amd64
 *	module=foo
 *	...
 *	file=/lib/modules/6.1.0-56-amd64/updates/dkms/foo.ko 9f86... 12345 644
 *
 * Every block, the last one too, ends with an empty line, and the head says
 * how many follow: a text that was cut off anywhere is refused, so that a
 * writer that died is never mistaken for an empty desired set.
 *
 * ks_record_parse() and ks_record_format() are declared in core/record/record.h.
 * A text is bounded to 64 MiB, 20000 records and 64 KiB a line.
 */
#pragma once

#include "core/record/record.h"

/* What "list" printed: struct ks_record_entry. Errors as ks_record_parse(). */
GPtrArray *ks_record_parse_list(const char *text, size_t size_bytes, const char *label,
				GError **error);

/* The text of "list" for struct ks_record_entry. Same entries, same bytes. */
char *ks_record_format_list(GPtrArray *entries);
