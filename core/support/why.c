/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See why.h. */
#include "core/support/why.h"

#include <stdarg.h>
#include <stdio.h>

bool ks_why_set(struct ks_why *why, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why->text, sizeof(why->text), format, args);
	va_end(args);
	/* what others wrote may be in it: one line, nothing that a terminal obeys */
	for (unsigned char *p = (unsigned char *)why->text; *p; p++)
		if (*p < 0x20 || *p == 0x7f)
			*p = ' ';
	return false;
}

bool ks_why_no_memory(struct ks_why *why)
{
	return ks_why_set(why, "out of memory");
}
