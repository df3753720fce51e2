/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "rpm -e kernel" takes the records of that kernel along. They require the kernel,
 * and dnf and zypper remove what requires it by themselves; plain rpm refuses.
 */
#pragma once

#include <rpm/rpmts.h>

/*
 * Watch what is added to the set, in the program rpm only: the set has one place for
 * a callback, and libdnf5 uses it. Does nothing before rpm 4.17.
 */
void ks_follow_start(rpmts ts);
