/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The facts in a certificate, for 'kmodsmith key show'. */
#include <glib.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "core/module/wire.h"
#include "core/sign/signer-worker.h"

static void put_bio(GString *answer, const char *name, BIO *bio)
{
	char *data = NULL;
	long size = BIO_get_mem_data(bio, &data);
	g_autofree char *text = g_strndup(data, (size_t)MAX(size, 0));

	ks_wire_append(answer, name, text);
	BIO_free(bio);
}

static void put_subject(GString *answer, X509 *certificate)
{
	BIO *bio = BIO_new(BIO_s_mem());

	X509_NAME_print_ex(bio, X509_get_subject_name(certificate), 0,
			   XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
	put_bio(answer, "subject", bio);
}

static void put_time(GString *answer, const char *name, const ASN1_TIME *when)
{
	BIO *bio = BIO_new(BIO_s_mem());

	ASN1_TIME_print_ex(bio, when, ASN1_DTFLGS_ISO8601);
	put_bio(answer, name, bio);
}

static void put_hex(GString *answer, const char *name, const unsigned char *bytes,
		    size_t size)
{
	g_autoptr(GString) hex = g_string_new(NULL);

	for (size_t i = 0; i < size; i++)
		g_string_append_printf(hex, "%02x", bytes[i]);
	ks_wire_append(answer, name, hex->str);
}

static void put_identity(GString *answer, X509 *certificate)
{
	const ASN1_OCTET_STRING *id = X509_get0_subject_key_id(certificate);
	const ASN1_INTEGER *serial = X509_get0_serialNumber(certificate);
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned int size;

	put_hex(answer, "serial", ASN1_STRING_get0_data(serial),
		(size_t)ASN1_STRING_length(serial));
	if (id)
		put_hex(answer, "key-id", ASN1_STRING_get0_data(id),
			(size_t)ASN1_STRING_length(id));
	/* SHA-1 is what mokutil --list-enrolled shows */
	if (X509_digest(certificate, EVP_sha1(), digest, &size))
		put_hex(answer, "sha1", digest, size);
	if (X509_digest(certificate, EVP_sha256(), digest, &size))
		put_hex(answer, "sha256", digest, size);
}

bool ks_signer_show(X509 *certificate, EVP_PKEY *key)
{
	EVP_PKEY *public_key = X509_get0_pubkey(certificate);
	g_autoptr(GString) answer = g_string_new(NULL);

	put_subject(answer, certificate);
	put_identity(answer, certificate);
	put_time(answer, "not-before", X509_get0_notBefore(certificate));
	put_time(answer, "not-after", X509_get0_notAfter(certificate));
	if (public_key) {
		const char *name = EVP_PKEY_get0_type_name(public_key);

		ks_wire_append_format(answer, "algorithm", "%s %d", name ? name : "?",
				      EVP_PKEY_get_bits(public_key));
	}
	if (key)
		ks_wire_append(answer, "match",
			       X509_check_private_key(certificate, key) == 1 ? "yes"
									     : "no");
	ks_wire_end_block(answer);
	return fwrite(answer->str, 1, answer->len, stdout) == answer->len &&
	       fflush(stdout) == 0;
}
