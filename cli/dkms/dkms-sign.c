/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dkms generate_mok, and what dkms says of signing. */
#include <string.h>

#include "cli/dkms/dkms-sign.h"
#include "cli/dkms/dkms-actions.h"
#include "cli/change.h"
#include "core/sign/sign.h"
#include "core/support/error.h"
#include "core/platform/lock.h"

static int make_pair(struct ks_dkms *dkms, const struct ks_key_pair *pair)
{
	g_autoptr(GError) error = NULL;
	ks_auto(ks_lock) lock = NULL;

	puts("Certificate or key are missing, generating self signed certificate for "
	     "MOK...");
	fflush(stdout);
	lock = ks_change_lock(&dkms->cli, "dkms generate_mok", &error);
	if (lock && ks_key_create(dkms->cli.system, pair, false, &error))
		return KS_DKMS_OK;
	return ks_dkms_fail(KS_DKMS_NOT_ALLOWED, "%s", error->message);
}

int ks_dkms_generate_mok(struct ks_dkms *dkms)
{
	const struct ks_settings *settings = dkms->cli.settings;
	ks_auto(ks_key_pair) pair =
		ks_key_locate(dkms->cli.system, settings, settings->framework, NULL);
	g_autoptr(GError) error = NULL;

	printf("Signing key: %s\nPublic certificate (MOK): %s\n", pair->key,
	       pair->certificate);
	switch (ks_key_look(dkms->cli.system, pair, &error)) {
	case KS_KEY_PRESENT:
		return KS_DKMS_OK;
	case KS_KEY_ABSENT:
		return make_pair(dkms, pair);
	case KS_KEY_HALF:
		break;
	}
	/* dkms overwrites the one that is there, which may be enrolled */
	return ks_dkms_fail(KS_DKMS_NOT_ALLOWED, "%s\n%s", error->message,
			    ks_error_get_hint(error));
}

static void add_not_found(GString *text, const char *program)
{
	const char *slash = strrchr(program, '/');

	/* for programs that are looked up dkms prints the name only */
	g_string_append_printf(text, "Binary %s not found, modules won't be signed\n",
			       slash ? slash + 1 : program);
}

static void add_pair(GString *text, const struct ks_signing *signing)
{
	const struct ks_key_pair *pair = signing->pair;

	if (!pair)
		return;
	g_string_append_printf(text, "Signing key: %s\nPublic certificate (MOK): %s\n",
			       pair->key, pair->certificate);
	if (signing->was_created)
		g_string_append(text, "Certificate or key are missing, generating self "
				      "signed certificate for MOK...\n");
	else if (signing->missing_maker)
		add_not_found(text, signing->missing_maker);
	else if (signing->missing_file)
		g_string_append_printf(text,
				       "%s file %s not found and can't be generated, "
				       "modules won't be signed\n",
				       signing->missing_file == pair->key ? "Key"
									  : "Certificate",
				       signing->missing_file);
	else if (signing->problem)
		g_string_append_printf(text, "%s, modules won't be signed\n",
				       signing->problem->message);
}

char *ks_dkms_sign_prologue(const struct ks_signing *signing,
			    const struct ks_kernel *kernel)
{
	g_autoptr(GString) text = g_string_new(NULL);

	switch (signing->verdict) {
	case KS_SIGN_DISABLED:
		return g_strdup("Module signing is disabled by policy, modules won't be "
				"signed\n");
	case KS_SIGN_IN_CHROOT:
		return g_strdup("Running in chroot, modules won't be signed\n");
	case KS_SIGN_NO_CONFIG:
		return g_strdup_printf("Kernel config %s/include/config/auto.conf not "
				       "found, modules won't be signed\n",
				       kernel->headers_dir);
	case KS_SIGN_NO_FACILITY:
		return g_strdup("The kernel is built without module signing facility, "
				"modules won't be signed\n");
	case KS_SIGN_NO_PROGRAM:
		if (!g_error_matches(signing->problem, KS_ERROR, KS_ERROR_NOT_FOUND))
			return g_strdup_printf("Sign command: %s\n%s, modules won't be "
					       "signed\n",
					       signing->program,
					       signing->problem->message);
		return g_strdup_printf("Sign command: %s\nBinary %s not found, modules "
				       "won't be signed\n",
				       signing->program, signing->program);
	case KS_SIGN_YES:
	case KS_SIGN_NO_KEY:
		break;
	}
	g_string_append_printf(text, "Sign command: %s\n", signing->program);
	add_pair(text, signing);
	return g_string_free(g_steal_pointer(&text), FALSE);
}
