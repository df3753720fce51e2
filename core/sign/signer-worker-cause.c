/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <openssl/err.h>

#include "core/sign/signer-worker.h"

const char *ks_signer_cause(void)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());

	return reason ? reason : "no reason given";
}
