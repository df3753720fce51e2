/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dkms generate_mok. */
#include "cli/dkms.h"
#include "cli/marks.h"
#include "core/sign/key.h"
#include "core/support/error.h"
#include "core/support/lock.h"

static int make_pair(struct ks_dkms *dkms, const struct ks_key_pair *pair)
{
	g_autoptr(GError) error = NULL;
	ks_auto(ks_lock) lock = NULL;

	puts("Certificate or key are missing, generating self signed certificate for "
	     "MOK...");
	fflush(stdout);
	lock = ks_marks_lock(&dkms->cli, "dkms generate_mok", &error);
	if (lock && ks_key_create(dkms->cli.system, pair, false, &error))
		return KS_DKMS_OK;
	return ks_dkms_die(KS_DKMS_NOT_ALLOWED, "%s", error->message);
}

int ks_dkms_generate_mok(struct ks_dkms *dkms)
{
	const struct ks_settings *settings = dkms->cli.settings;
	ks_auto(ks_key_pair) pair =
		ks_key_locate(dkms->cli.system, settings, settings->framework);
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
	return ks_dkms_die(KS_DKMS_NOT_ALLOWED, "%s\n%s", error->message,
			   ks_error_get_hint(error));
}
