/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Unpacking a tarball of unknown origin into an empty directory, by descriptor:
 * whatever it says, nothing outside that directory is made, changed or, later,
 * reached through a link in it.
 *
 * Refused with KS_ERROR_INVALID, naming the member: absolute names and "..";
 * links that lead outside, or into what another link may make outside; members
 * below a file or a link; devices, FIFOs and sockets; the same name twice; names
 * with control characters; and a tarball that holds too much, too many, or
 * too much for its size. Set-id bits and owners are dropped, files get 644 or 755.
 */
#pragma once

#include <stdbool.h>

#include <glib.h>

#include "core/support/contract.h"

struct ks_unpack_limits {
	guint64 max_bytes;
	guint max_entries;
	/* Bytes unpacked for each byte read, looked at beyond some megabytes. */
	guint max_ratio;
};

/* 4 GiB, 200000 entries, 300 to 1: text and modules stay below 50. */
extern const struct ks_unpack_limits ks_unpack_default_limits;

/*
 * archive_fd is read from its present position: tar in any dialect, plain or
 * compressed with gzip, bzip2, xz or zstd. label names it in errors. After a
 * failure the directory holds some of it, which the caller removes.
 */
KS_MUST_CHECK
bool ks_unpack(int archive_fd, const char *label, int dir_fd,
	       const struct ks_unpack_limits *limits, GError **error);

/*
 * Where a member goes: a plain name to be freed, or NULL to pass it over.
 * name is plain: without "./" and "..".
 */
typedef char *(*ks_unpack_place)(const char *name, void *data);

/*
 * Likewise, of some members, at the places that place gives them. The directory may hold
 * other tarballs' members: only what stands twice is refused. Links may have any text:
 * nothing here follows one, and who reads the directory must know where they lead.
 */
KS_MUST_CHECK
bool ks_unpack_some(int archive_fd, const char *label, int dir_fd,
		    const struct ks_unpack_limits *limits, ks_unpack_place place,
		    void *data, GError **error);

/*
 * Does a link at name (relative, plain) with this text lead inside the directory
 * that name is relative to, whatever other such links there are?
 */
bool ks_unpack_link_stays_inside(const char *name, const char *target);
