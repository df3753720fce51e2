/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The inspect worker's answer, read with suspicion: whoever wrote the module
 * may have taken the worker over.
 */
#pragma once

#include "core/module/inspect.h"
#include "core/support/contract.h"

/*
 * Fill infos (struct ks_module_info with path and name set, in the order of
 * the request) from text, which is cut up. Strings come out as valid UTF-8
 * without control characters. KS_ERROR_FAILED when the worker reports an
 * error, KS_ERROR_INVALID when the answer is not for these modules, is
 * incomplete or is no answer at all; infos may then be half filled.
 */
KS_MUST_CHECK
bool ks_answer_parse(char *text, GPtrArray *infos, GError **error);

/* Valid UTF-8 without control characters: fit to be printed. Free with g_free. */
char *ks_answer_clean(const char *text);

/* Likewise, cut to the length that a line of a message may have. */
char *ks_answer_excerpt(const char *text);
