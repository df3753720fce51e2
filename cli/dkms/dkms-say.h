/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Exit codes, and what is printed on stderr in dkms's words. */
#pragma once

#include <glib.h>
#include <stdbool.h>

struct ks_dkms;

enum ks_dkms_exit {
	KS_DKMS_OK = 0,
	KS_DKMS_NOT_ALLOWED = 1, /* not root, arguments missing */
	KS_DKMS_NO_SOURCE = 2,	 /* also: unknown option, -k with --all */
	KS_DKMS_NOT_IN_TREE = 3, /* or already in it; -a with --all */
	KS_DKMS_BROKEN = 4,	 /* also: one action, one kernel */
	KS_DKMS_NO_ALL = 5,	 /* the action does not take --all; a patch is missing */
	KS_DKMS_INSTALL_FAILED = 6, /* also: a patch did not apply */
	KS_DKMS_NOT_PRODUCED = 7,   /* make went well, and a module is not there */
	KS_DKMS_BAD_CONF = 8,
	KS_DKMS_NO_CONF = 9,
	KS_DKMS_BUILD_FAILED = 10, /* also: malformed conf in a directory to be added */
	KS_DKMS_AUTOINSTALL_FAILED = 11,
	KS_DKMS_NO_ARCH = 12, /* not an architecture that can be built for */
	KS_DKMS_DEPENDS_MISSING = 13,
	KS_DKMS_KERNEL_FAILED = 14, /* kernel_preinst, kernel_prerm */
	KS_DKMS_NO_KERNEL = 16,	    /* -k "" */
	KS_DKMS_HEADERS_MISSING = 21,
	KS_DKMS_EXCLUDED = 77,
	KS_DKMS_PRE_INSTALL_FAILED = 101,
};

/* Print "Error! ..." on stderr and return code. */
int ks_dkms_fail(int code, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* The same where the exit code is decided elsewhere. */
void ks_dkms_error_line(const char *format, ...) G_GNUC_PRINTF(1, 2);
void ks_dkms_warn(const char *format, ...) G_GNUC_PRINTF(1, 2);
/* "dkms.conf: Error! TEXT", on stderr. */
void ks_dkms_complain(const char *text);
/* Print that the command line names no module; action is what the usage calls the action. */
int ks_dkms_fail_no_module(const char *action);
/*
 * True once for each: then the caller prints its conf's "Deprecated feature:
 * ..." lines.
 */
bool ks_dkms_is_first_read(const struct ks_dkms *dkms, const char *name,
			   const char *version);
