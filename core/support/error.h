/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Errors: one domain, codes that a caller can act on, and a hint that travels
 * with the error.
 *
 * The message says what failed first, the subject in single quotes, the cause
 * last, in lower case and without a full stop. The hint says what to do; it is
 * printed on a line of its own and is never part of the message.
 */
#pragma once

#include <glib.h>

#define KS_ERROR (ks_error_quark())
GQuark ks_error_quark(void);

enum ks_error {
	KS_ERROR_FAILED = 1,	    /* only the message says what happened */
	KS_ERROR_INVALID,	    /* malformed or hostile input; names file and line */
	KS_ERROR_NOT_FOUND,	    /* module, kernel or file is not there */
	KS_ERROR_DENIED,	    /* no permission, or refused by policy */
	KS_ERROR_HEADERS_MISSING,   /* the kernel has no usable headers */
	KS_ERROR_TOOLCHAIN_MISSING, /* no make, or not the kernel's compiler */
	KS_ERROR_BUILD_FAILED,	    /* a step of the build failed; its log says why */
	KS_ERROR_VERIFY_FAILED,	    /* built, but not loadable on its kernel */
	KS_ERROR_LOCKED,	    /* another process holds the lock */
	KS_ERROR_NO_SPACE,	    /* the disk is full, or would be */
	KS_ERROR_PENDING,	    /* could not be done now; kept for the next run */
	KS_ERROR_CANCELLED,	    /* interrupted by a signal */
};

/* Set *error (which may be NULL) to a printf-style message. */
void ks_error_set(GError **error, enum ks_error code, const char *format, ...)
	G_GNUC_PRINTF(3, 4);

/*
 * Set *error to a printf-style message followed by ": " and strerror(err).
 * ENOENT and ENOTDIR give KS_ERROR_NOT_FOUND, EACCES and EPERM
 * KS_ERROR_DENIED, ENOSPC and EDQUOT KS_ERROR_NO_SPACE, others
 * KS_ERROR_FAILED.
 */
void ks_error_set_errno(GError **error, int err, const char *format, ...)
	G_GNUC_PRINTF(3, 4);

/* Attach a hint to *error if it is set and has none yet. */
void ks_error_hint(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* The hint of an error of this domain, or NULL. Owned by the error. */
const char *ks_error_get_hint(const GError *error);

/*
 * An error on its way to another process (see fork.h): code, message and hint.
 * An error of another domain arrives as KS_ERROR_FAILED.
 */
#define KS_ERROR_VARIANT "(uaymay)"
GVariant *ks_error_to_variant(const GError *error);
GError *ks_error_from_variant(GVariant *variant);
