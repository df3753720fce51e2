/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keys and certificates: reading and making them. */
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "core/sign/signer-worker.h"

/* As dkms's: RSA, because every kernel with signatures knows it; for ever, because
 * nothing would renew an enrolled key in time. */
#define KEY_BITS      2048
#define LIFETIME_DAYS 36500
#define SERIAL_BITS   159 /* positive, at most 20 octets: RFC 5280, 4.1.2.2 */

/* Nobody is there to be asked. */
static int refuse_passphrase(char *buffer, int size, int writing, void *data)
{
	return -1;
}

EVP_PKEY *ks_signer_read_key(int fd)
{
	BIO *bio = BIO_new_fd(fd, BIO_NOCLOSE);
	EVP_PKEY *key =
		bio ? PEM_read_bio_PrivateKey(bio, NULL, refuse_passphrase, NULL) : NULL;

	if (!key)
		fprintf(stderr,
			"the private key is not a PEM key without a passphrase\n");
	BIO_free(bio);
	return key;
}

X509 *ks_signer_read_certificate(int fd)
{
	BIO *bio = BIO_new_fd(fd, BIO_NOCLOSE);
	X509 *certificate = bio ? d2i_X509_bio(bio, NULL) : NULL;

	if (!certificate && bio && BIO_seek(bio, 0) >= 0)
		certificate = PEM_read_bio_X509(bio, NULL, refuse_passphrase, NULL);
	if (!certificate)
		fprintf(stderr, "the certificate is neither DER nor PEM\n");
	BIO_free(bio);
	return certificate;
}

static bool set_serial(X509 *certificate)
{
	BIGNUM *number = BN_new();
	bool ok = number &&
		  BN_rand(number, SERIAL_BITS, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) &&
		  BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate));

	BN_free(number);
	return ok;
}

static bool set_name(X509 *certificate, const char *subject)
{
	X509_NAME *name = X509_get_subject_name(certificate);

	return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
					  (const unsigned char *)subject, -1, -1, 0) &&
	       X509_set_issuer_name(certificate, name);
}

/*
 * The extensions that firmware, shim and the kernel check in a machine
 * owner's certificate.
 */
static bool add_extensions(X509 *certificate)
{
	static const struct {
		int nid;
		const char *value;
	} extensions[] = {
		{NID_basic_constraints, "critical,CA:FALSE"},
		{NID_key_usage, "digitalSignature"},
		{NID_ext_key_usage, "codeSigning"},
		{NID_subject_key_identifier, "hash"},
		{NID_authority_key_identifier, "keyid"},
	};
	X509V3_CTX context;

	X509V3_set_ctx(&context, certificate, certificate, NULL, NULL, 0);
	for (size_t i = 0; i < sizeof(extensions) / sizeof(*extensions); i++) {
		X509_EXTENSION *extension = X509V3_EXT_conf_nid(
			NULL, &context, extensions[i].nid, extensions[i].value);
		bool ok = extension && X509_add_ext(certificate, extension, -1);

		X509_EXTENSION_free(extension);
		if (!ok)
			return false;
	}
	return true;
}

static X509 *make_certificate(EVP_PKEY *key, const char *subject)
{
	X509 *certificate = X509_new();

	if (certificate && X509_set_version(certificate, X509_VERSION_3) &&
	    set_serial(certificate) && set_name(certificate, subject) &&
	    X509_gmtime_adj(X509_getm_notBefore(certificate), 0) &&
	    X509_time_adj_ex(X509_getm_notAfter(certificate), LIFETIME_DAYS, 0, NULL) &&
	    X509_set_pubkey(certificate, key) && add_extensions(certificate) &&
	    X509_sign(certificate, key, EVP_sha256()))
		return certificate;
	X509_free(certificate);
	return NULL;
}

static bool write_pair(EVP_PKEY *key, X509 *certificate, int key_fd, int certificate_fd)
{
	BIO *key_bio = BIO_new_fd(key_fd, BIO_NOCLOSE);
	BIO *certificate_bio = BIO_new_fd(certificate_fd, BIO_NOCLOSE);
	bool ok =
		key_bio && certificate_bio &&
		PEM_write_bio_PKCS8PrivateKey(key_bio, key, NULL, NULL, 0, NULL, NULL) &&
		i2d_X509_bio(certificate_bio, certificate);

	BIO_free(certificate_bio);
	BIO_free(key_bio);
	return ok;
}

bool ks_signer_make_pair(const char *subject, int key_fd, int certificate_fd)
{
	EVP_PKEY *key = EVP_RSA_gen(KEY_BITS);
	X509 *certificate = key ? make_certificate(key, subject) : NULL;
	bool ok = certificate && write_pair(key, certificate, key_fd, certificate_fd);

	if (!ok)
		fprintf(stderr, "%s\n", ks_signer_cause());
	X509_free(certificate);
	EVP_PKEY_free(key);
	return ok;
}
