/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * --rpm_safe_upgrade: in one rpm transaction the new package's script adds a
 * module, and then the old package's removes it, which is of the same version when
 * the package was only released again. The removal is not carried out then.
 *
 * dkms 3.4.3 leaves a file with a predictable name in a directory that everybody
 * can write to; here it is in run_dir, which is root's.
 */
#pragma once

#include "cli/dkms/dkms.h"

/* Note that the rpm above has added the module. Nothing without the option. */
void ks_dkms_rpm_remember(const struct ks_dkms *dkms, struct ks_dkms_job job);

/* True, once, when the same rpm has added the module that is to be removed. */
bool ks_dkms_rpm_take(const struct ks_dkms *dkms, struct ks_dkms_job job);
