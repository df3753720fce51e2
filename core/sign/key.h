/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The pair that modules are signed with: which one, and making it.
 *
 * In this order: kmodsmith.conf's [sign] key and certificate; framework.conf's
 * mok_signing_key and mok_certificate; the distribution's (core/platform/distro.h);
 * dkms's /var/lib/dkms/mok.key and .pub (dkms 3.4.3; not below --dkmstree).
 *
 * Ubuntu's is /var/lib/shim-signed/mok/MOK.priv and .der, which update-secureboot-policy
 * makes; dkms's own is kept where it is all there is. Gentoo's is MODULES_SIGN_KEY and
 * MODULES_SIGN_CERT of /etc/portage/make.conf (not of the environment, as little as
 * framework.conf's; without the second the certificate is in the key's file), else
 * CONFIG_MODULE_SIG_KEY of the kernel, with certs/signing_key.x509, where both are
 * there; paths may be relative to the kernel's headers (linux-mod-r1.eclass).
 *
 * A pair is made on first need, and never when one of the two is there: it may
 * be the half of an enrolled one. Gentoo's is never made here.
 */
#pragma once

#include "core/settings/framework.h"
#include "core/settings/settings.h"
#include "core/platform/system.h"
#include "core/support/contract.h"

#define KS_KEY_PKCS11 "pkcs11:"

enum ks_key_origin {
	KS_KEY_FROM_SETTINGS,
	KS_KEY_FROM_FRAMEWORK,
	KS_KEY_FROM_UBUNTU,
	KS_KEY_FROM_GENTOO,
	KS_KEY_FROM_DKMS,
};

struct ks_key_pair {
	enum ks_key_origin origin;
	char *key;	   /* path in the tree, or "pkcs11:..." */
	char *certificate; /* path in the tree */
};

void ks_key_pair_free(struct ks_key_pair *pair);
KS_DEFINE_CLEANUP(ks_key_pair, ks_key_pair_free)

/* "kmodsmith.conf", "framework.conf", "ubuntu", "gentoo", "dkms": stable ids. */
const char *ks_key_origin_id(enum ks_key_origin origin);

/*
 * Which pair is to be used; its files may be missing. framework may be NULL; so may
 * kernel: then facts that only a kernel has are not asked for. Without effect.
 */
KS_NONNULL(1)
struct ks_key_pair *ks_key_locate(const struct ks_system *system,
				  const struct ks_settings *settings,
				  const struct ks_framework *framework,
				  struct ks_kernel *kernel);

enum ks_key_presence { KS_KEY_ABSENT, KS_KEY_PRESENT, KS_KEY_HALF };

/* KS_KEY_HALF: one of the two is there; *error, with a hint, names the missing one. */
KS_NONNULL(1)
enum ks_key_presence ks_key_look(const struct ks_system *system,
				 const struct ks_key_pair *pair, GError **error);

/* The program that would have to make the pair, when it is not there; else NULL. */
KS_NONNULL(1)
const char *ks_key_missing_maker(const struct ks_system *system,
				 const struct ks_key_pair *pair);

/*
 * Make the pair: the key 0600, the certificate 0644, both or none, also when the
 * power fails. With replace one that is there is replaced, by force also a half
 * one; without it, that is KS_ERROR_DENIED. Ubuntu's program makes its own pair, and
 * asks for its enrolment, on the terminal if there is one. Only under the lock.
 */
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_key_create(const struct ks_system *system, const struct ks_key_pair *pair,
		   bool replace, GError **error);

/* Finish what a ks_key_create() that died had begun. Costs a stat. Under the lock. */
KS_NONNULL(1)
void ks_key_settle(const struct ks_system *system, const struct ks_key_pair *pair);
