/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two files cannot be renamed at once. Both are staged and synced first, then
 * the certificate gets its name, then the key: a staged key that belongs to the
 * certificate in place is what is left when that was interrupted, and is given
 * its name by ks_key_settle().
 */
#include "core/sign/key.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "core/sign/signer.h"
#include "core/support/durable.h"
#include "core/support/error.h"
#include "core/support/process.h"

#define SUBJECT "DKMS module signing key"

#define DKMS_KEY	   "/var/lib/dkms/mok.key"
#define DKMS_CERTIFICATE   "/var/lib/dkms/mok.pub"
#define UBUNTU_KEY	   "/var/lib/shim-signed/mok/MOK.priv"
#define UBUNTU_CERTIFICATE "/var/lib/shim-signed/mok/MOK.der"
#define UBUNTU_PROGRAM	   "/usr/sbin/update-secureboot-policy"

void ks_key_pair_free(struct ks_key_pair *pair)
{
	g_free(pair->key);
	g_free(pair->certificate);
	g_free(pair);
}

const char *ks_key_origin_id(enum ks_key_origin origin)
{
	static const char *const ids[] = {
		[KS_KEY_FROM_SETTINGS] = "kmodsmith.conf",
		[KS_KEY_FROM_FRAMEWORK] = "framework.conf",
		[KS_KEY_FROM_UBUNTU] = "ubuntu",
		[KS_KEY_FROM_DKMS] = "dkms",
	};

	return ids[origin];
}

static struct ks_key_pair *pair_new(enum ks_key_origin origin, const char *key,
				    const char *certificate)
{
	struct ks_key_pair *pair = g_new0(struct ks_key_pair, 1);

	pair->origin = origin;
	pair->key = g_strdup(key);
	pair->certificate = g_strdup(certificate);
	return pair;
}

static bool is_ubuntu(const struct ks_system *system)
{
	return ks_root_exists(system->root, UBUNTU_KEY) ||
	       ks_root_exists(system->root, UBUNTU_CERTIFICATE) ||
	       ks_root_exists(system->root, UBUNTU_PROGRAM);
}

struct ks_key_pair *ks_key_locate(const struct ks_system *system,
				  const struct ks_settings *settings,
				  const struct ks_framework *framework)
{
	if (settings->sign_key && settings->sign_certificate)
		return pair_new(KS_KEY_FROM_SETTINGS, settings->sign_key,
				settings->sign_certificate);
	if (framework && (framework->mok_signing_key || framework->mok_certificate))
		return pair_new(KS_KEY_FROM_FRAMEWORK,
				framework->mok_signing_key ? framework->mok_signing_key
							   : DKMS_KEY,
				framework->mok_certificate ? framework->mok_certificate
							   : DKMS_CERTIFICATE);
	if (is_ubuntu(system))
		return pair_new(KS_KEY_FROM_UBUNTU, UBUNTU_KEY, UBUNTU_CERTIFICATE);
	return pair_new(KS_KEY_FROM_DKMS, DKMS_KEY, DKMS_CERTIFICATE);
}

enum ks_key_presence ks_key_look(const struct ks_system *system,
				 const struct ks_key_pair *pair, GError **error)
{
	bool key = g_str_has_prefix(pair->key, KS_KEY_PKCS11) ||
		   ks_root_exists(system->root, pair->key);
	bool certificate = ks_root_exists(system->root, pair->certificate);

	if (key && certificate)
		return KS_KEY_PRESENT;
	if (!key && !certificate)
		return KS_KEY_ABSENT;
	ks_error_set(error, KS_ERROR_NOT_FOUND, "no %s at '%s', which '%s' needs",
		     key ? "certificate" : "private key",
		     key ? pair->certificate : pair->key,
		     key ? pair->key : pair->certificate);
	ks_error_hint(error,
		      "put the missing one back, or make a new pair with 'kmodsmith key "
		      "new --force'");
	return KS_KEY_HALF;
}

/* --- making one */

static char *staged_name(const char *path)
{
	g_autofree char *dir = g_path_get_dirname(path);
	g_autofree char *name = g_path_get_basename(path);

	return g_strdup_printf("%s/.%s.kmodsmith-new", dir, name);
}

static int open_staged(const struct ks_system *system, const char *path, mode_t mode,
		       GError **error)
{
	g_autofree char *dir = g_path_get_dirname(path);
	ks_autofd int fd = -1;

	if (!ks_root_mkdir_p(system->root, dir, 0755, error) ||
	    !ks_durable_unlink(system->root, path, error))
		return -1;
	fd = ks_root_openat(system->root, path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW,
			    0600, error);
	if (fd >= 0 && fchmod(fd, mode) < 0) {
		ks_error_set_errno(error, errno, "cannot create '%s'", path);
		return -1;
	}
	return ks_steal_fd(&fd);
}

static bool stage(const struct ks_system *system, const char *key,
		  const char *certificate, GError **error)
{
	ks_autofd int key_fd = open_staged(system, key, 0600, error);
	ks_autofd int certificate_fd = -1;

	if (key_fd < 0)
		return false;
	certificate_fd = open_staged(system, certificate, 0644, error);
	if (certificate_fd < 0 ||
	    !ks_signer_create(system, SUBJECT, key_fd, certificate_fd, error))
		return false;
	if (fsync(key_fd) < 0 || fsync(certificate_fd) < 0) {
		ks_error_set_errno(error, errno, "cannot write '%s'", key);
		return false;
	}
	return true;
}

static bool make_pair(const struct ks_system *system, const struct ks_key_pair *pair,
		      GError **error)
{
	g_autofree char *key = staged_name(pair->key);
	g_autofree char *certificate = staged_name(pair->certificate);

	if (!stage(system, key, certificate, error)) {
		ks_durable_unlink(system->root, key, NULL);
		ks_durable_unlink(system->root, certificate, NULL);
		return false;
	}
	return ks_durable_rename(system->root, certificate, pair->certificate, error) &&
	       ks_durable_rename(system->root, key, pair->key, error);
}

/* Ubuntu's own tool: its other tools find the key by what this one has set up. */
static bool make_ubuntu_pair(const struct ks_system *system,
			     const struct ks_key_pair *pair, GError **error)
{
	static const char *const argv[] = {UBUNTU_PROGRAM, "--new-key", NULL};
	struct ks_process_options options = KS_PROCESS_OPTIONS_INIT;
	g_autofree char *described = NULL;
	int status;

	options.argv = argv;
	options.chroot = ks_root_is_host(system->root) ? NULL : system->root;
	if (!ks_process_run(&options, &status, error))
		return false;
	if (ks_key_look(system, pair, NULL) == KS_KEY_PRESENT)
		return true;
	described = ks_process_describe(status);
	ks_error_set(error, KS_ERROR_FAILED, "'%s --new-key' made no key: %s",
		     UBUNTU_PROGRAM, described);
	return false;
}

static bool check_replace(const struct ks_key_pair *pair, enum ks_key_presence presence,
			  bool replace, GError **error)
{
	if (g_str_has_prefix(pair->key, KS_KEY_PKCS11)) {
		ks_error_set(error, KS_ERROR_DENIED, "'%s' is not a file", pair->key);
		return false;
	}
	if (presence == KS_KEY_HALF && !replace)
		return false; /* told by ks_key_look() */
	if (presence != KS_KEY_PRESENT || replace)
		return true;
	ks_error_set(error, KS_ERROR_DENIED, "there is a key at '%s' already", pair->key);
	return false;
}

bool ks_key_create(const struct ks_system *system, const struct ks_key_pair *pair,
		   bool replace, GError **error)
{
	g_autoptr(GError) half = NULL;
	enum ks_key_presence presence = ks_key_look(system, pair, &half);
	bool ok;

	if (!check_replace(pair, presence, replace, error)) {
		if (half)
			g_propagate_error(error, g_steal_pointer(&half));
		return false;
	}
	if (pair->origin == KS_KEY_FROM_UBUNTU && presence == KS_KEY_ABSENT &&
	    ks_root_exists(system->root, UBUNTU_PROGRAM))
		ok = make_ubuntu_pair(system, pair, error);
	else
		ok = make_pair(system, pair, error);
	if (!ok)
		g_prefix_error(error, "cannot make the key '%s': ", pair->key);
	return ok;
}

void ks_key_settle(const struct ks_system *system, const struct ks_key_pair *pair)
{
	g_autofree char *key = NULL;
	g_autofree char *certificate = NULL;
	ks_auto(ks_key_facts) facts = NULL;

	if (g_str_has_prefix(pair->key, KS_KEY_PKCS11))
		return;
	key = staged_name(pair->key);
	if (!ks_root_exists(system->root, key))
		return;
	certificate = staged_name(pair->certificate);
	facts = ks_signer_describe(system, key, pair->certificate, NULL);
	if (facts && facts->matches) {
		ks_durable_rename(system->root, key, pair->key, NULL);
		return;
	}
	ks_durable_unlink(system->root, key, NULL);
	ks_durable_unlink(system->root, certificate, NULL);
}
