/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * apt's automatic flags of our packages: automatic exactly when the kernel's
 * package is, so that autoremove takes both or neither. Where it would still
 * take ours alone (the kernel stays for another reason than apt's kernel
 * rule), ours is made manual.
 */
#pragma once

#include "core/support/contract.h"
#include "plugins/apt/dpkg-database.h"

/* packages as ks_dpkg_list() gave them. Nothing is written when all are right. */
KS_MUST_CHECK
bool ks_marks_update(const struct ks_system *system, GPtrArray *packages, GError **error);
