/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The signature at the end of a module file:
 *
 *	module | CMS message | struct ks_module_signature | KS_SIGNATURE_MARKER
 *
 * (Linux: include/linux/module_signature.h, kernel/module/signing.c.) The
 * marker and the structure are no part of what is signed, so that cutting them
 * and the message off gives the module as it was.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/support/contract.h"

#define KS_SIGNATURE_MARKER   "~Module signature appended~\n"
#define KS_SIGNATURE_ID_PKCS7 2

struct ks_module_signature {
	uint8_t algo, hash; /* 0 with PKCS#7: the message has them */
	uint8_t id_type;
	uint8_t signer_len, key_id_len; /* 0 with PKCS#7 */
	uint8_t pad[3];
	uint32_t sig_len; /* of the message, big-endian */
};

/*
 * How long the module at fd is without its last signature: in *size_bytes, the
 * whole file's length when it has none. KS_ERROR_INVALID, naming label, for a
 * marker without a signature before it. The position of fd does not change.
 */
KS_MUST_CHECK
bool ks_signature_find(int fd, const char *label, guint64 *size_bytes, GError **error);

/*
 * The length of the signature that such an end, held in memory, gives for
 * itself; 0: it is not a signature.
 */
guint64 ks_signature_get_size(const guint8 *end, size_t end_bytes);
