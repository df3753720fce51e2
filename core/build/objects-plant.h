/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "objects plant": another kernel's objects, from standard input, into this tree. */
#pragma once

#include "core/build/objects-tree.h"

/* Prints what it has planted; an exit status, KS_OBJECTS_NONE when nothing was. */
int ks_objects_plant(struct ks_objects_tree *tree);
