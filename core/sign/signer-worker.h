/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The parts of libexec/kmodsmith/signer: the one program that reads private
 * keys. Key, certificate and module come as descriptors that the engine has
 * opened; the key's bytes are in no other process.
 */
#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdbool.h>

/* The last thing libcrypto complained of, as text; static, until the next call. */
const char *ks_signer_cause(void);

/* worker-key.c: read a PEM key without a passphrase; a certificate in DER or PEM. NULL
 * after printing an error on stderr. */
EVP_PKEY *ks_signer_read_key(int fd);
X509 *ks_signer_read_certificate(int fd);

/* Make a pair for signing modules: the key as PEM, the certificate as DER. */
bool ks_signer_make_pair(const char *subject, int key_fd, int certificate_fd);

/* worker-cms.c: read a module from one descriptor, and write to the other the bytes to
 * append to it. */
bool ks_signer_sign(const char *hash, EVP_PKEY *key, X509 *certificate, int module_fd,
		    int signature_fd);

/* worker-show.c: "key=value" lines (wire.h) about a certificate; key may be NULL. */
bool ks_signer_show(X509 *certificate, EVP_PKEY *key);
