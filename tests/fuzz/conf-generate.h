/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A dkms.conf that nobody wrote: by the grammar of the native reader and somewhat beyond
 * it, with the traps of bash's quoting in it. The same seed gives the same text.
 * Harmless to run: its commands are nproc, uname, echo, true and false.
 */
#pragma once

#include <glib.h>

/* Free with g_free. */
char *conf_generate(guint32 seed);
