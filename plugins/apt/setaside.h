/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Second names for files that dpkg is about to delete with a package, so that
 * they are there again afterwards: purging is the only cure for some packages,
 * and their modules work.
 *
 * The names are ".NAME.kmodsmith-kept", beside the files; depmod takes no notice
 * of them. One that is left by a kill is garbage, and the next run installs the
 * module from the state tree.
 */
#pragma once

#include "core/platform/system.h"

struct ks_setaside;

struct ks_setaside *ks_setaside_new(const struct ks_system *system);

/* The regular files that dpkg says package owns. What cannot be kept is not. */
void ks_setaside_add(struct ks_setaside *aside, const char *package);

/* Put back the files that are gone, drop the other names, free. */
void ks_setaside_finish(struct ks_setaside *aside);
KS_DEFINE_CLEANUP(ks_setaside, ks_setaside_finish)
