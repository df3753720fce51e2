/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The decision. */
#include "core/sign/sign.h"

#include <string.h>

#include "core/sign/enforce.h"
#include "core/platform/digest.h"
#include "core/support/error.h"

#define CERTIFICATE_MAX_BYTES (1u << 20)

void ks_signing_free(struct ks_signing *signing)
{
	if (!signing)
		return;
	g_free(signing->release);
	g_free(signing->program);
	g_free(signing->hash);
	ks_key_pair_free(signing->pair);
	g_free(signing->certificate_sha256);
	g_clear_error(&signing->problem);
	g_free(signing);
}

const char *ks_sign_verdict_id(enum ks_sign_verdict verdict)
{
	static const char *const ids[] = {
		[KS_SIGN_YES] = "yes",
		[KS_SIGN_DISABLED] = "disabled",
		[KS_SIGN_IN_CHROOT] = "chroot",
		[KS_SIGN_NO_CONFIG] = "no-config",
		[KS_SIGN_NO_FACILITY] = "no-facility",
		[KS_SIGN_NO_PROGRAM] = "no-program",
		[KS_SIGN_NO_KEY] = "no-key",
	};

	return ids[verdict];
}

/* --- whether */

/*
 * The file may be larger than any certificate, or gone: then nothing is known
 * about it.
 */
static void read_certificate(const struct ks_system *system, struct ks_signing *signing)
{
	size_t size_bytes;
	g_autofree char *bytes =
		ks_root_read_file(system->root, signing->pair->certificate,
				  CERTIFICATE_MAX_BYTES, &size_bytes, NULL);

	if (bytes)
		signing->certificate_sha256 = ks_digest_data(bytes, size_bytes);
}

static enum ks_sign_verdict find_key(const struct ks_system *system,
				     struct ks_signing *signing)
{
	const struct ks_key_pair *pair = signing->pair;

	if (g_str_has_prefix(pair->key, KS_KEY_PKCS11) && !signing->is_external) {
		ks_error_set(&signing->problem, KS_ERROR_INVALID,
			     "a key on a PKCS#11 token ('%s') needs a sign_file",
			     pair->key);
		ks_error_hint(&signing->problem,
			      "name the kernel's sign-file as sign_file in "
			      "/etc/dkms/framework.conf");
		return KS_SIGN_NO_KEY;
	}
	switch (ks_key_look(system, pair, &signing->problem)) {
	case KS_KEY_HALF:
		signing->missing_file = ks_root_exists(system->root, pair->key)
						? pair->certificate
						: pair->key;
		return KS_SIGN_NO_KEY;
	case KS_KEY_ABSENT:
		signing->must_create = true;
		break;
	case KS_KEY_PRESENT:
		read_certificate(system, signing);
		break;
	}
	return KS_SIGN_YES;
}

static bool find_program(const struct ks_system *system,
			 const struct ks_framework *framework, struct ks_signing *signing)
{
	g_free(signing->program);
	signing->program = g_strdup(framework->sign_file);
	signing->is_external = true;
	if (!ks_framework_check_trust(framework, "the sign_file of framework.conf",
				      &signing->problem))
		return false;
	if (ks_root_exists(system->root, signing->program))
		return true;
	ks_error_set(&signing->problem, KS_ERROR_NOT_FOUND,
		     "the sign_file '%s' is not there", signing->program);
	ks_error_hint(&signing->problem,
		      "correct sign_file in /etc/dkms/framework.conf, or leave it out: "
		      "none is needed");
	return false;
}

/* KS_SIGN_YES: nothing here and in its configuration is against it. */
static enum ks_sign_verdict ask_policy(const struct ks_system *system,
				       const struct ks_settings *settings,
				       const struct ks_framework *framework)
{
	if (settings->sign == KS_SIGN_SETTING_NO)
		return KS_SIGN_DISABLED;
	if (settings->sign == KS_SIGN_SETTING_YES)
		return KS_SIGN_YES;
	if (framework->try_sign_modules == KS_TRY_SIGN_NEVER)
		return KS_SIGN_DISABLED;
	if (framework->try_sign_modules == KS_TRY_SIGN_NOT_IN_CHROOT &&
	    ks_system_is_chroot(system))
		return KS_SIGN_IN_CHROOT;
	return KS_SIGN_YES;
}

static enum ks_sign_verdict ask_kernel(const struct ks_system *system,
				       struct ks_kernel *kernel,
				       struct ks_signing *signing)
{
	signing->enforced_by = ks_sign_enforced_by(system, kernel);
	if (!kernel->config_path) {
		ks_error_set(&signing->problem, KS_ERROR_NOT_FOUND,
			     "the configuration of kernel %s is not there",
			     kernel->release);
		return KS_SIGN_NO_CONFIG;
	}
	signing->hash =
		g_strdup(ks_kernel_config_get(system, kernel, "CONFIG_MODULE_SIG_HASH"));
	return signing->hash ? KS_SIGN_YES : KS_SIGN_NO_FACILITY;
}

static enum ks_sign_verdict decide(const struct ks_system *system,
				   const struct ks_settings *settings,
				   struct ks_kernel *kernel, struct ks_signing *signing,
				   bool ask)
{
	/* its variables may depend on the kernel */
	ks_auto(ks_framework) framework = ks_framework_load(
		system, settings, kernel, KS_SETTINGS_LENIENT, &signing->problem);
	enum ks_sign_verdict verdict;

	if (!framework)
		return KS_SIGN_NO_KEY;
	verdict = ask_policy(system, settings, framework);
	if (verdict == KS_SIGN_YES && ask)
		verdict = ask_kernel(system, kernel, signing);
	if (verdict != KS_SIGN_YES)
		return verdict;
	if (framework->sign_file && !find_program(system, framework, signing))
		return KS_SIGN_NO_PROGRAM;
	signing->pair = ks_key_locate(system, settings, framework, kernel);
	return find_key(system, signing);
}

static struct ks_signing *signing_new(const struct ks_system *system,
				      const struct ks_settings *settings,
				      struct ks_kernel *kernel, bool ask)
{
	struct ks_signing *signing = g_new0(struct ks_signing, 1);

	signing->release = g_strdup(kernel->release);
	signing->program = g_build_filename(system->libexec_dir, "signer", NULL);
	signing->verdict = decide(system, settings, kernel, signing, ask);
	return signing;
}

struct ks_signing *ks_signing_decide(const struct ks_system *system,
				     const struct ks_settings *settings,
				     struct ks_kernel *kernel)
{
	return signing_new(system, settings, kernel, true);
}

char *ks_signing_certificate(const struct ks_system *system,
			     const struct ks_settings *settings, struct ks_kernel *kernel,
			     bool ask)
{
	ks_auto(ks_signing) signing = signing_new(system, settings, kernel, ask);

	return signing->verdict == KS_SIGN_YES
		       ? g_steal_pointer(&signing->certificate_sha256)
		       : NULL;
}

void ks_signing_prepare(const struct ks_system *system, struct ks_signing *signing)
{
	if (!signing->pair)
		return;
	ks_key_settle(system, signing->pair);
	if (signing->verdict != KS_SIGN_YES || !signing->must_create)
		return;
	if (!ks_key_create(system, signing->pair, false, &signing->problem)) {
		signing->verdict = KS_SIGN_NO_KEY;
		signing->missing_file = signing->pair->key;
		signing->missing_maker = ks_key_missing_maker(system, signing->pair);
		return;
	}
	signing->must_create = false;
	signing->was_created = true;
	read_certificate(system, signing);
}

bool ks_signing_is_fatal(const struct ks_signing *signing, GError **error)
{
	switch (signing->verdict) {
	case KS_SIGN_YES:
	case KS_SIGN_DISABLED:
	case KS_SIGN_IN_CHROOT:
	case KS_SIGN_NO_FACILITY:
		return false;
	case KS_SIGN_NO_CONFIG:
	case KS_SIGN_NO_PROGRAM:
	case KS_SIGN_NO_KEY:
		break;
	}
	if (!signing->enforced_by)
		return false;
	if (error) {
		const char *hint = ks_error_get_hint(signing->problem);

		ks_error_set(error, KS_ERROR_DENIED,
			     "cannot sign modules for %s, and only signed ones can be "
			     "loaded here (%s): %s",
			     signing->release, signing->enforced_by,
			     signing->problem->message);
		if (hint)
			ks_error_hint(error, "%s", hint);
	}
	return true;
}
