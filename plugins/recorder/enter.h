/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A recorder for another tree works inside it: what a package manager writes goes where
 * the tree's links lead in the tree, and never to the machine that it runs on. Plain C.
 */
#pragma once

#include "plugins/recorder/recorder.h"

/*
 * Make root "/". Returns the root to go on with: "/" when that was done or is not
 * needed, root itself when it cannot be done and does no harm, NULL after printing why
 * not. program is what is run there, or NULL: without it the machine's own is run from
 * outside, and only in a tree without a link that leads anywhere else.
 */
const char *ks_recorder_enter(const char *root, const char *program,
			      enum ks_recorder_verb verb);
