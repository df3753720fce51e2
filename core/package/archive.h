/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libarchive, loaded when a tarball is read or written and not before: it brings a dozen
 * other libraries with it, among them an XML parser and its character tables, for which
 * every "dkms status" would wait.
 *
 * Packages of kmodsmith depend on it nevertheless: package-deb and package-pacman link
 * it.
 */
#pragma once

#include <archive.h>
#include <archive_entry.h>
#include <glib.h>

#include "core/support/contract.h"

/* clang-format off */
#define KS_ARCHIVE_FUNCTIONS(F) \
	F(archive_entry_filetype) F(archive_entry_free) F(archive_entry_hardlink) \
	F(archive_entry_mtime) F(archive_entry_new) F(archive_entry_pathname) \
	F(archive_entry_perm) F(archive_entry_set_filetype) F(archive_entry_set_gname) \
	F(archive_entry_set_mtime) F(archive_entry_set_pathname) \
	F(archive_entry_set_perm) F(archive_entry_set_size) \
	F(archive_entry_set_symlink) F(archive_entry_set_uname) F(archive_entry_size) \
	F(archive_entry_size_is_set) F(archive_entry_symlink) F(archive_errno) \
	F(archive_error_string) F(archive_filter_bytes) F(archive_read_data) \
	F(archive_read_free) F(archive_read_new) F(archive_read_next_header) \
	F(archive_read_open_fd) F(archive_read_support_filter_bzip2) \
	F(archive_read_support_filter_gzip) F(archive_read_support_filter_xz) \
	F(archive_read_support_filter_zstd) F(archive_read_support_format_tar) \
	F(archive_write_add_filter_bzip2) F(archive_write_add_filter_gzip) \
	F(archive_write_add_filter_xz) F(archive_write_add_filter_zstd) \
	F(archive_write_close) F(archive_write_data) F(archive_write_free) \
	F(archive_write_header) F(archive_write_new) F(archive_write_open_fd) \
	F(archive_write_set_filter_option) F(archive_write_set_format_gnutar)
/* clang-format on */

struct ks_archive {
#define KS_ARCHIVE_SLOT(name) __typeof__(name) *name;
	KS_ARCHIVE_FUNCTIONS(KS_ARCHIVE_SLOT)
#undef KS_ARCHIVE_SLOT
};

/* Loaded once for the process. NULL, KS_ERROR_FAILED: it is not there or
 * lacks something. */
KS_MUST_CHECK
const struct ks_archive *ks_archive_load(GError **error);
