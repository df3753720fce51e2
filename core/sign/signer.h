/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The engine's side of libexec/kmodsmith/signer: opens the files, so that the
 * signer needs no right to find them, and takes its answer. Nothing here reads
 * a private key.
 *
 * All paths are inside the tree. Errors name the file.
 */
#pragma once

#include "core/platform/system.h"
#include "core/support/contract.h"

struct ks_key_facts {
	char *subject;	 /* "CN=DKMS module signing key" */
	char *algorithm; /* "RSA 2048" */
	char *serial;	 /* hex */
	char *key_id;	 /* subject key identifier, hex; NULL when it has none */
	char *sha1;	 /* of the certificate, as mokutil shows it */
	char *sha256;
	char *not_before, *not_after; /* ISO 8601 */
	bool matches;	 /* the key belongs to the certificate; false when not asked */
	bool is_private; /* only its owner can read the key */
};

void ks_key_facts_free(struct ks_key_facts *facts);
KS_DEFINE_CLEANUP(ks_key_facts, ks_key_facts_free)

/*
 * What the certificate says. key may be NULL: then the facts are the
 * certificate's alone.
 */
KS_MUST_CHECK
KS_NONNULL(1)
struct ks_key_facts *ks_signer_describe(const struct ks_system *system, const char *key,
					const char *certificate, GError **error);

/* Write a new pair into two open, empty files. */
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_signer_create(const struct ks_system *system, const char *subject, int key_fd,
		      int certificate_fd, GError **error);

/*
 * The bytes to append to the module at module_fd, read from its beginning to
 * its end, so that the kernel finds it signed.
 */
KS_MUST_CHECK
GBytes *ks_signer_run(const struct ks_system *system, const char *hash, const char *key,
		      const char *certificate, int module_fd, GError **error);
