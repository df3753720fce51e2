/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Signing modules: whether, with what, and doing it.
 *
 *	strip -> sign -> compress -> digest -> install
 *
 * The rules are dkms's (3.4.3, prepare_signing): not when it is switched off,
 * not in a chroot unless asked to, not for a kernel that cannot check
 * signatures. The signature is made by libexec/kmodsmith/signer (see
 * signer.h), unless framework.conf names a program as sign_file.
 *
 * The unsigned bytes are what is reproducible: cutting the signature off gives
 * the file as it came from the build, whose digest the manifest has. Nothing
 * else needs to be kept to sign it again with another key.
 */
#pragma once

#include "core/settings/settings.h"
#include "core/kernel/kernel.h"
#include "core/sign/key.h"
#include "core/support/contract.h"

enum ks_sign_verdict {
	KS_SIGN_YES,
	KS_SIGN_DISABLED,    /* by kmodsmith.conf or framework.conf */
	KS_SIGN_IN_CHROOT,   /* the tree is not, or not surely, what this machine boots */
	KS_SIGN_NO_CONFIG,   /* the kernel's configuration is not there */
	KS_SIGN_NO_FACILITY, /* it has no CONFIG_MODULE_SIG_HASH */
	KS_SIGN_NO_PROGRAM,  /* the sign_file that is configured is not there */
	KS_SIGN_NO_KEY,	     /* half a pair, or one that cannot be made or used */
};

/* For one kernel. */
struct ks_signing {
	enum ks_sign_verdict verdict;
	char *release;
	char *program; /* of the tree when is_external, else the signer's own path */
	bool is_external;
	char *hash; /* "sha256"; NULL when the kernel was not asked */
	struct ks_key_pair *pair;
	bool must_create; /* the pair is not there yet: ks_signing_prepare() makes it */
	bool was_created;
	/* with NO_KEY: the file that is missing and cannot be made, a string of pair; the
	 * program that would make it, when that is missing; static */
	const char *missing_file, *missing_maker;
	char *certificate_sha256; /* SHA-256 of the certificate's file; NULL while there
	                           * is none */
	const char *enforced_by;  /* see enforce.h */
	GError *problem;	  /* of NO_PROGRAM and NO_KEY, with a hint */
};

void ks_signing_free(struct ks_signing *signing);
KS_DEFINE_CLEANUP(ks_signing, ks_signing_free)

/* "yes", "disabled", "chroot", "no-config", "no-facility", "no-program", "no-key",
 * "failed": stable ids, also of the manifest. The last is of no verdict. */
const char *ks_sign_verdict_id(enum ks_sign_verdict verdict);
#define KS_SIGN_FAILED_ID "failed"

/* Decide, without effect. */
KS_NONNULL(1)
struct ks_signing *ks_signing_decide(const struct ks_system *system,
				     const struct ks_settings *settings,
				     struct ks_kernel *kernel);

/*
 * The digest of the certificate that modules for the kernel are to be signed with;
 * NULL when they are not, or the pair is not there. Without ask_kernel its
 * configuration is not read, and it is taken to check signatures.
 */
KS_NONNULL(1)
char *ks_signing_certificate(const struct ks_system *system,
			     const struct ks_settings *settings, struct ks_kernel *kernel,
			     bool ask_kernel);

/* Make the pair if it is wanted and missing; a failure becomes the verdict NO_KEY. Only
 * under the lock. */
KS_NONNULL(1)
void ks_signing_prepare(const struct ks_system *system, struct ks_signing *signing);

/*
 * True when unsigned modules are no use here and signing is impossible: then
 * *error says why, with a hint. What an administrator has switched off is that
 * administrator's will, and no error.
 */
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_signing_is_fatal(const struct ks_signing *signing, GError **error);

/*
 * Sign the .ko file at path (in the tree, not compressed). After a failure it is
 * as it was. Only with the verdict YES, after ks_signing_prepare().
 */
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_sign_file(const struct ks_system *system, const struct ks_signing *signing,
		  const char *path, GError **error);

/*
 * Restore the .ko file at path to the bytes whose digest is built_sha256: as it
 * is, or by cutting off its last signature. KS_ERROR_INVALID, and the file as
 * it was, when neither gives that digest.
 */
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_sign_remove(const struct ks_system *system, const char *path,
		    const char *built_sha256, GError **error);
