/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What in a source directory is no part of the source: the files of version control and
 * of editors, and what a developer's own make has left there.
 */
#pragma once

#include <stdbool.h>

/* By its name alone: ".git", "x.c~", ".x.c.swp". */
bool ks_leftover_is_of_tools(const char *name);

/*
 * Kbuild has made it: it is ".NAME.cmd", or that is beside it, says how it was made, and
 * the source that it says it was made from is there. An object that a package ships has
 * no such file, or no source. dir_fd is the directory that name is in.
 */
bool ks_leftover_is_built(int dir_fd, const char *name);

/*
 * Remove from the tree at dir_fd what kbuild has made, with the lists and directories
 * beside that kbuild keeps for itself; returns how many files. has_others: there are
 * objects and libraries in it that kbuild's own clean would remove, too.
 * Nobody else may write there.
 */
unsigned int ks_leftover_remove(int dir_fd, bool *has_others);
