/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The pair that modules are signed with: which one, and making it.
 *
 * In this order: kmodsmith.conf's [sign] key and certificate; framework.conf's
 * mok_signing_key and mok_certificate; Ubuntu's /var/lib/shim-signed/mok/MOK.priv
 * and .der, where there are any or update-secureboot-policy can make them; dkms's
 * /var/lib/dkms/mok.key and .pub (dkms 3.4.3; not below --dkmstree).
 *
 * A pair is made on first need, and never when one of the two is there: it may
 * be the half of an enrolled one.
 */
#pragma once

#include "core/conf/framework.h"
#include "core/conf/settings.h"
#include "core/support/system.h"

#define KS_KEY_PKCS11 "pkcs11:"

enum ks_key_origin {
	KS_KEY_FROM_SETTINGS,
	KS_KEY_FROM_FRAMEWORK,
	KS_KEY_FROM_UBUNTU,
	KS_KEY_FROM_DKMS,
};

struct ks_key_pair {
	enum ks_key_origin origin;
	char *key;	   /* path in the tree, or "pkcs11:..." */
	char *certificate; /* path in the tree */
};

void ks_key_pair_free(struct ks_key_pair *pair);
KS_DEFINE_CLEANUP(ks_key_pair, ks_key_pair_free)

/* "kmodsmith.conf", "framework.conf", "ubuntu", "dkms": stable ids. */
const char *ks_key_origin_id(enum ks_key_origin origin);

/* Which pair is to be used; it may not be there. framework may be NULL. Without effect.
 */
struct ks_key_pair *ks_key_locate(const struct ks_system *system,
				  const struct ks_settings *settings,
				  const struct ks_framework *framework);

enum ks_key_presence { KS_KEY_ABSENT, KS_KEY_PRESENT, KS_KEY_HALF };

/* KS_KEY_HALF: one of the two is there; *error, with a hint, names the missing one. */
enum ks_key_presence ks_key_look(const struct ks_system *system,
				 const struct ks_key_pair *pair, GError **error);

/*
 * Make the pair: the key 0600, the certificate 0644, both or none, also when the
 * power fails. With replace one that is there is replaced, by force also a half
 * one; without it, that is KS_ERROR_DENIED. Only under the lock.
 */
bool ks_key_create(const struct ks_system *system, const struct ks_key_pair *pair,
		   bool replace, GError **error);

/* Finish what a ks_key_create() that died had begun. Costs a stat. Under the lock. */
void ks_key_settle(const struct ks_system *system, const struct ks_key_pair *pair);
