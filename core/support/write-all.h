/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Plain C: processes that know no GLib use it as well. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "core/support/contract.h"

/*
 * Write all of it, however often a write is interrupted or short. False with errno; a part
 * may be written then. Not for a descriptor that does not block.
 */
KS_MUST_CHECK
bool ks_write_all(int fd, const void *data, size_t size_bytes);
