/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * --debug: what the engine does, and why, on standard error. dkms traces its shell
 * there (set -x); the lines begin with "+ " like those, and nobody can parse them.
 */
#pragma once

#include "core/engine/engine.h"

void ks_dkms_debug_print(const struct ks_event *event);
