/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a test can make an effect fail, or the process die: called before each
 * change to the disk that a placement makes. Only tests set it.
 */
#pragma once

#include <stddef.h>

/* Returns 0 to go on, or the errno that the effect shall fail with. */
typedef int (*ks_install_fault_func)(const char *effect);
extern ks_install_fault_func ks_install_fault;

/* True, with errno set, when the effect is to fail. */
#define KS_INSTALL_FAULT(effect)                                                         \
	(ks_install_fault != NULL && (errno = ks_install_fault(effect)) != 0)
