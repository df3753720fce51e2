/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An artifact of ours that was signed with another key than the one in use, or
 * could not be signed when it was built and could be now. Artifacts that dkms
 * built are left as they are, and nothing is stale because a key is missing:
 * one is made for a build only.
 */
#include "core/inventory/inventory-private.h"
#include "core/sign/sign.h"

static bool can_be_signed_again(const struct ks_manifest *manifest)
{
	for (guint i = 0; i < manifest->files->len; i++) {
		const struct ks_manifest_file *file = manifest->files->pdata[i];

		if (!file->built_sha256)
			return false;
	}
	return manifest->build_fingerprint && manifest->files->len;
}

/*
 * For a module that was signed only the certificate is compared: its kernel is
 * known to check signatures, and its configuration need not be read.
 */
static const char *get_certificate(struct ks_inventory_taking *taking,
				   const struct ks_target *target, bool is_signed)
{
	struct ks_kernel *kernel = target->kernel;
	g_autofree char *key =
		g_strdup_printf("%s %s", kernel->release, is_signed ? "signed" : "");
	const char *known = g_hash_table_lookup(taking->certificates, key);
	char *digest;

	if (known)
		return known;
	digest = ks_signing_certificate(taking->system, taking->settings, kernel,
					!is_signed);
	if (!digest)
		digest = g_strdup("");
	g_hash_table_insert(taking->certificates, g_steal_pointer(&key), digest);
	return digest;
}

bool ks_inventory_is_signature_stale(struct ks_inventory_taking *taking,
				     const struct ks_target *target)
{
	const struct ks_manifest *manifest =
		target->artifact ? target->artifact->manifest : NULL;
	bool is_signed = manifest && g_strcmp0(manifest->signing, "yes") == 0;
	const char *certificate;

	if (!manifest || !target->kernel->alive || !can_be_signed_again(manifest) ||
	    g_strcmp0(manifest->signing, ks_sign_verdict_id(KS_SIGN_NO_FACILITY)) == 0)
		return false;
	certificate = get_certificate(taking, target, is_signed);
	return *certificate && g_strcmp0(manifest->certificate_sha256, certificate) != 0;
}
