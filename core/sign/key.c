/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two files cannot be renamed at once. Both are staged and synced first, then
 * the certificate gets its name, then the key: an interruption leaves a staged
 * key that belongs to the certificate in place, and ks_key_settle() gives it
 * its name.
 */
#include "core/sign/key.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/sign/signer.h"
#include "core/support/assignment.h"
#include "core/platform/distro.h"
#include "core/support/durable.h"
#include "core/support/error.h"
#include "core/support/process.h"

#define SUBJECT "DKMS module signing key"

#define DKMS_KEY	   "/var/lib/dkms/mok.key"
#define DKMS_CERTIFICATE   "/var/lib/dkms/mok.pub"
#define UBUNTU_KEY	   "/var/lib/shim-signed/mok/MOK.priv"
#define UBUNTU_CERTIFICATE "/var/lib/shim-signed/mok/MOK.der"
#define UBUNTU_PROGRAM	   "/usr/sbin/update-secureboot-policy"
#define GENTOO_CONF	   "/etc/portage/make.conf"

#define MAX_GENTOO_CONF_BYTES (1u << 20)

void ks_key_pair_free(struct ks_key_pair *pair)
{
	if (!pair)
		return;
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
		[KS_KEY_FROM_GENTOO] = "gentoo",
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

static bool is_there(const struct ks_system *system, const char *key,
		     const char *certificate)
{
	return ks_root_exists(system->root, key) &&
	       ks_root_exists(system->root, certificate);
}

/* Without shim no tool of Ubuntu's makes or reads a pair: dkms's pair stays in use. */
static struct ks_key_pair *locate_ubuntu(const struct ks_system *system)
{
	if (!ks_root_exists(system->root, UBUNTU_KEY) &&
	    !ks_root_exists(system->root, UBUNTU_CERTIFICATE) &&
	    !ks_root_exists(system->root, UBUNTU_PROGRAM) &&
	    is_there(system, DKMS_KEY, DKMS_CERTIFICATE))
		return NULL;
	return pair_new(KS_KEY_FROM_UBUNTU, UBUNTU_KEY, UBUNTU_CERTIFICATE);
}

/* Names are relative to where the kernel was built. */
static char *kernel_path(const struct ks_kernel *kernel, const char *name)
{
	if (*name == '/' || g_str_has_prefix(name, KS_KEY_PKCS11))
		return g_strdup(name);
	return kernel ? g_build_filename(kernel->headers_dir, name, NULL) : NULL;
}

/* A value that needs a shell to expand counts as unset. */
static char *read_gentoo(const char *text, const char *name,
			 const struct ks_kernel *kernel)
{
	g_autofree char *value = ks_assignment_find(text, name);

	return value && *value && !strchr(value, '$') ? kernel_path(kernel, value) : NULL;
}

static struct ks_key_pair *locate_in_kernel(const struct ks_system *system,
					    struct ks_kernel *kernel)
{
	const char *name =
		kernel ? ks_kernel_config_get(system, kernel, "CONFIG_MODULE_SIG_KEY")
		       : NULL;
	g_autofree char *key = name && *name ? kernel_path(kernel, name) : NULL;
	g_autofree char *certificate =
		key ? kernel_path(kernel, "certs/signing_key.x509") : NULL;

	return key && is_there(system, key, certificate)
		       ? pair_new(KS_KEY_FROM_GENTOO, key, certificate)
		       : NULL;
}

/* One file, or a directory of them (portage(5)); "" when there is none. */
static char *read_gentoo_conf(const struct ks_system *system)
{
	g_autofree char *text = ks_root_read_file(system->root, GENTOO_CONF,
						  MAX_GENTOO_CONF_BYTES, NULL, NULL);
	g_autoptr(GPtrArray) names = NULL;
	g_autoptr(GString) all = NULL;

	if (text)
		return g_steal_pointer(&text);
	names = ks_root_list(system->root, GENTOO_CONF, NULL);
	all = g_string_new(NULL);
	for (guint i = 0; names && i < names->len; i++) {
		g_autofree char *path =
			g_build_filename(GENTOO_CONF, g_ptr_array_index(names, i), NULL);
		g_autofree char *part = ks_root_read_file(
			system->root, path, MAX_GENTOO_CONF_BYTES, NULL, NULL);

		g_string_append_printf(all, "%s\n", part ? part : "");
	}
	return g_string_free(g_steal_pointer(&all), FALSE);
}

static struct ks_key_pair *locate_gentoo(const struct ks_system *system,
					 struct ks_kernel *kernel)
{
	g_autofree char *text = read_gentoo_conf(system);
	g_autofree char *key = read_gentoo(text, "MODULES_SIGN_KEY", kernel);
	g_autofree char *certificate =
		key ? read_gentoo(text, "MODULES_SIGN_CERT", kernel) : NULL;

	return key ? pair_new(KS_KEY_FROM_GENTOO, key, certificate ? certificate : key)
		   : locate_in_kernel(system, kernel);
}

static struct ks_key_pair *locate_of_distribution(const struct ks_system *system,
						  struct ks_kernel *kernel)
{
	switch (ks_distro_find(system)->keys) {
	case KS_DISTRO_KEYS_UBUNTU:
		return locate_ubuntu(system);
	case KS_DISTRO_KEYS_GENTOO:
		return locate_gentoo(system, kernel);
	case KS_DISTRO_KEYS_DKMS:
		break;
	}
	return NULL;
}

struct ks_key_pair *ks_key_locate(const struct ks_system *system,
				  const struct ks_settings *settings,
				  const struct ks_framework *framework,
				  struct ks_kernel *kernel)
{
	struct ks_key_pair *pair;

	if (settings->sign_key && settings->sign_certificate)
		return pair_new(KS_KEY_FROM_SETTINGS, settings->sign_key,
				settings->sign_certificate);
	if (framework && (framework->mok_signing_key || framework->mok_certificate))
		return pair_new(KS_KEY_FROM_FRAMEWORK,
				framework->mok_signing_key ? framework->mok_signing_key
							   : DKMS_KEY,
				framework->mok_certificate ? framework->mok_certificate
							   : DKMS_CERTIFICATE);
	pair = locate_of_distribution(system, kernel);
	return pair ? pair : pair_new(KS_KEY_FROM_DKMS, DKMS_KEY, DKMS_CERTIFICATE);
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
		ks_ignore(ks_durable_unlink(system->root, key, NULL));
		ks_ignore(ks_durable_unlink(system->root, certificate, NULL));
		return false;
	}
	return ks_durable_rename(system->root, certificate, pair->certificate, error) &&
	       ks_durable_rename(system->root, key, pair->key, error);
}

const char *ks_key_missing_maker(const struct ks_system *system,
				 const struct ks_key_pair *pair)
{
	return pair->origin == KS_KEY_FROM_UBUNTU &&
			       !ks_root_exists(system->root, UBUNTU_PROGRAM)
		       ? UBUNTU_PROGRAM
		       : NULL;
}

/* ask: it may have a question, which debconf asks the way that is set. */
static bool run_ubuntu(const struct ks_system *system, const char *option, bool ask,
		       int *status, GError **error)
{
	const char *frontend = g_getenv("DEBIAN_FRONTEND");
	g_autofree char *assignment =
		frontend ? g_strconcat("DEBIAN_FRONTEND=", frontend, NULL) : NULL;
	/* its triggers would call dkms again */
	const char *const environment[] = {
		"SHIM_NOTRIGGER=y", "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
		"LC_ALL=C.UTF-8",   "HOME=/",
		assignment,	    NULL};
	const char *const argv[] = {UBUNTU_PROGRAM, option, NULL};
	struct ks_process_options options = KS_PROCESS_OPTIONS_INIT;

	options.argv = argv;
	options.env = environment;
	options.chroot = ks_root_is_host(system->root) ? NULL : system->root;
	if (ask && isatty(STDIN_FILENO)) {
		options.stdin_fd = STDIN_FILENO;
		options.stdout_fd = STDERR_FILENO;
		options.stderr_fd = STDERR_FILENO;
	}
	return ks_process_run(&options, status, error);
}

/*
 * Ubuntu's own tool: its other tools find the key by the configuration that
 * this one writes. Modules can be signed with the key before it is enrolled.
 */
static bool make_ubuntu_pair(const struct ks_system *system,
			     const struct ks_key_pair *pair, GError **error)
{
	const char *missing = ks_key_missing_maker(system, pair);
	g_autofree char *described = NULL;
	int status;

	if (missing) {
		ks_error_set(error, KS_ERROR_NOT_FOUND, "there is no '%s'", missing);
		ks_error_hint(error, "install shim-signed, or name a key in "
				     "/etc/kmodsmith/kmodsmith.conf");
		return false;
	}
	if (!run_ubuntu(system, "--new-key", false, &status, error))
		return false;
	if (ks_key_look(system, pair, NULL) == KS_KEY_PRESENT) {
		(void)run_ubuntu(system, "--enroll-key", true, &status, NULL);
		return true;
	}
	described = ks_process_describe(status);
	ks_error_set(error, KS_ERROR_FAILED, "'%s --new-key' made no key: %s",
		     UBUNTU_PROGRAM, described);
	return false;
}

/* The file that make.conf names may be the only one of a token or of a whole fleet. */
static bool refuse_gentoo(const struct ks_key_pair *pair, GError **error)
{
	ks_error_set(error, KS_ERROR_NOT_FOUND, "there is no '%s', which '%s' names",
		     pair->key, GENTOO_CONF);
	ks_error_hint(error, "make one, or correct MODULES_SIGN_KEY there");
	return false;
}

static bool make_as_usual(const struct ks_system *system, const struct ks_key_pair *pair,
			  enum ks_key_presence presence, GError **error)
{
	switch (pair->origin) {
	case KS_KEY_FROM_GENTOO:
		return refuse_gentoo(pair, error);
	case KS_KEY_FROM_UBUNTU:
		if (presence == KS_KEY_ABSENT)
			return make_ubuntu_pair(system, pair, error);
		break;
	case KS_KEY_FROM_SETTINGS:
	case KS_KEY_FROM_FRAMEWORK:
	case KS_KEY_FROM_DKMS:
		break;
	}
	return make_pair(system, pair, error);
}

static bool check_replace(const struct ks_key_pair *pair, enum ks_key_presence presence,
			  bool replace, GError **error)
{
	if (g_str_has_prefix(pair->key, KS_KEY_PKCS11)) {
		ks_error_set(error, KS_ERROR_DENIED, "'%s' is not a file", pair->key);
		return false;
	}
	if (presence == KS_KEY_HALF && !replace)
		return false; /* ks_key_look() reports it */
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
	ok = make_as_usual(system, pair, presence, error);
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
		ks_ignore(ks_durable_rename(system->root, key, pair->key, NULL));
		return;
	}
	ks_ignore(ks_durable_unlink(system->root, key, NULL));
	ks_ignore(ks_durable_unlink(system->root, certificate, NULL));
}
