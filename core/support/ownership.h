/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Changing the owner of all files of a tree that somebody untrusted has written. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

/* Give the whole tree below dir_fd, itself included. */
bool ks_ownership_give(int dir_fd, uid_t uid, gid_t gid);
/* Take it for root; only what belongs to uid. Set-id bits go. */
bool ks_ownership_take(int dir_fd, uid_t uid);
