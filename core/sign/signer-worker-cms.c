/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bytes appended to a signed module: a detached CMS message without
 * certificates and attributes, which names the signer by issuer and serial
 * number; struct module_signature; a marker. The same bytes as the kernel's
 * scripts/sign-file gives without options (Linux 6.1).
 */
#include <arpa/inet.h>
#include <openssl/cms.h>
#include <stdio.h>
#include <string.h>

#include "core/sign/signature.h"
#include "core/sign/signer-worker.h"

/* No attributes: no time, so that equal modules get equal signatures. */
#define SIGN_FLAGS   (CMS_NOCERTS | CMS_BINARY)
#define SIGNER_FLAGS (SIGN_FLAGS | CMS_NOSMIMECAP | CMS_NOATTR)

static CMS_ContentInfo *make_message(const EVP_MD *digest, EVP_PKEY *key,
				     X509 *certificate, BIO *module)
{
	CMS_ContentInfo *message =
		CMS_sign(NULL, NULL, NULL, NULL,
			 SIGN_FLAGS | CMS_PARTIAL | CMS_DETACHED | CMS_STREAM);

	if (message && CMS_add1_signer(message, certificate, key, digest, SIGNER_FLAGS) &&
	    CMS_final(message, module, NULL, SIGN_FLAGS))
		return message;
	fprintf(stderr, "%s\n", ks_signer_cause());
	CMS_ContentInfo_free(message);
	return NULL;
}

static bool write_signature(CMS_ContentInfo *message, BIO *out)
{
	struct ks_module_signature trailer = {.id_type = KS_SIGNATURE_ID_PKCS7};
	unsigned char *der = NULL;
	int size = i2d_CMS_ContentInfo(message, &der);
	bool ok;

	if (size <= 0) {
		fprintf(stderr, "%s\n", ks_signer_cause());
		return false;
	}
	trailer.sig_len = htonl((uint32_t)size);
	ok = BIO_write(out, der, size) == size &&
	     BIO_write(out, &trailer, sizeof(trailer)) == (int)sizeof(trailer) &&
	     BIO_puts(out, KS_SIGNATURE_MARKER) == (int)strlen(KS_SIGNATURE_MARKER) &&
	     BIO_flush(out) == 1;
	OPENSSL_free(der);
	if (!ok)
		fprintf(stderr, "cannot write the signature\n");
	return ok;
}

bool ks_signer_sign(const char *hash, EVP_PKEY *key, X509 *certificate, int module_fd,
		    int signature_fd)
{
	const EVP_MD *digest = EVP_get_digestbyname(hash);
	BIO *module = BIO_new_fd(module_fd, BIO_NOCLOSE);
	BIO *out = BIO_new_fd(signature_fd, BIO_NOCLOSE);
	CMS_ContentInfo *message = NULL;
	bool ok;

	if (!digest)
		fprintf(stderr, "no such hash algorithm: '%s'\n", hash);
	if (digest && module && out)
		message = make_message(digest, key, certificate, module);
	ok = message && write_signature(message, out);
	CMS_ContentInfo_free(message);
	BIO_free(out);
	BIO_free(module);
	return ok;
}
