/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A package file, without rpmbuild: lead, signature header with digests, header,
 * gzipped cpio payload, as rpm's docs/manual/format.md has it for version 4
 * packages. Taken by rpm 4.16 to 6.1; rpmsign can sign it.
 */
#pragma once

#include "core/package/package.h"
#include "core/support/contract.h"
#include "plugins/rpm/header.h"

/*
 * Write it to fd, an empty file. The header's files are those of the package, with
 * more directories maybe; each content is read and checked against its digest. The
 * header's arrays are sorted in passing.
 */
KS_MUST_CHECK
bool ks_rpmfile_write(struct ks_header *header, const struct ks_package *package, int fd,
		      GError **error);
