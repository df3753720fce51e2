/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How modules are signed, in the words of kmodsmith. */
#pragma once

#include "core/engine/engine.h"

/* Print what the event says of signing, if it is about that. quiet: warnings only. */
void ks_signing_text_print(const struct ks_event *event, bool quiet);
