/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The decision, and the file. */
#include "core/sign/sign.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/sign/enforce.h"
#include "core/sign/signature.h"
#include "core/sign/signer.h"
#include "core/support/digest.h"
#include "core/support/error.h"
#include "core/support/process.h"

#define CERTIFICATE_MAX_BYTES (1u << 20)

void ks_signing_free(struct ks_signing *signing)
{
	g_free(signing->release);
	g_free(signing->program);
	g_free(signing->hash);
	if (signing->pair)
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

/* The file may be larger than any certificate, or gone: then nothing is known of it. */
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
	ks_auto(ks_framework) framework =
		ks_framework_load(system, settings, kernel, &signing->problem);
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

/* --- the file */

static int open_module(const struct ks_system *system, const char *path, GError **error)
{
	return ks_root_openat(system->root, path, O_RDWR | O_NOFOLLOW | O_NONBLOCK, 0,
			      error);
}

/* SHA-256 of the first size_bytes; NULL when they cannot be read. */
static char *digest_head(int fd, guint64 size_bytes)
{
	g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
	guchar buffer[65536];
	guint64 at = 0;

	while (at < size_bytes) {
		size_t want = (size_t)MIN(sizeof(buffer), size_bytes - at);
		ssize_t got = pread(fd, buffer, want, (off_t)at);

		if (got <= 0)
			return NULL;
		g_checksum_update(checksum, buffer, got);
		at += (guint64)got;
	}
	return g_strdup(g_checksum_get_string(checksum));
}

static bool append(int fd, off_t at, GBytes *bytes)
{
	size_t size, done = 0;
	const char *data = g_bytes_get_data(bytes, &size);

	while (done < size) {
		ssize_t n = pwrite(fd, data + done, size - done, at + (off_t)done);

		if (n < 0 && errno != EINTR)
			return false;
		done += (size_t)MAX(n, 0);
	}
	return fsync(fd) == 0;
}

static bool sign_here(const struct ks_system *system, const struct ks_signing *signing,
		      int fd, const char *path, off_t size, GError **error)
{
	g_autoptr(GBytes) signature =
		ks_signer_run(system, signing->hash, signing->pair->key,
			      signing->pair->certificate, fd, error);

	if (!signature)
		return false;
	if (append(fd, size, signature))
		return true;
	ks_error_set_errno(error, errno, "cannot write '%s'", path);
	return false;
}

/* A program that an administrator has configured, where it belongs: in the tree. */
static bool run_sign_file(const struct ks_system *system,
			  const struct ks_signing *signing, const char *path,
			  GError **error)
{
	const char *const argv[] = {
		signing->program,	    signing->hash, signing->pair->key,
		signing->pair->certificate, path,	   NULL};
	struct ks_process_options options = KS_PROCESS_OPTIONS_INIT;
	g_autofree char *said = NULL;

	options.argv = argv;
	options.chroot = ks_root_is_host(system->root) ? NULL : system->root;
	options.die_with_parent = true;
	said = ks_process_capture(&options, NULL, CERTIFICATE_MAX_BYTES, NULL, error);
	return said != NULL;
}

static bool sign_outside(const struct ks_system *system, const struct ks_signing *signing,
			 int fd, const char *path, off_t size, GError **error)
{
	g_autofree char *before = digest_head(fd, (guint64)size);
	g_autofree char *after = NULL;
	ks_autofd int again = -1;
	guint64 unsigned_bytes = 0;

	if (!run_sign_file(system, signing, path, error))
		return false;
	/* it may have put another file there */
	again = open_module(system, path, error);
	if (again < 0 || !ks_signature_find(again, path, &unsigned_bytes, error))
		return false;
	after = digest_head(again, unsigned_bytes);
	if (unsigned_bytes == (guint64)size && before && g_strcmp0(before, after) == 0 &&
	    fsync(again) == 0)
		return true;
	ks_error_set(error, KS_ERROR_INVALID,
		     "'%s' did more to '%s' than to append a signature, or did not",
		     signing->program, path);
	return false;
}

bool ks_sign_file(const struct ks_system *system, const struct ks_signing *signing,
		  const char *path, GError **error)
{
	ks_autofd int fd = open_module(system, path, error);
	g_autofree char *name = g_path_get_basename(path);
	struct stat st = {0};
	bool ok = false;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		if (fd >= 0)
			ks_error_set(error, KS_ERROR_INVALID, "it is no regular file");
	} else if (signing->is_external) {
		ok = sign_outside(system, signing, fd, path, st.st_size, error);
	} else {
		ok = sign_here(system, signing, fd, path, st.st_size, error);
	}
	if (ok)
		return true;
	if (fd >= 0 && ftruncate(fd, st.st_size) == 0)
		(void)fsync(fd);
	g_prefix_error(error, "cannot sign '%s': ", name);
	return false;
}

bool ks_sign_remove(const struct ks_system *system, const char *path,
		    const char *built_sha256, GError **error)
{
	ks_autofd int fd = open_module(system, path, error);
	g_autofree char *whole = NULL;
	g_autofree char *cut = NULL;
	guint64 size_bytes;
	struct stat st;

	if (fd < 0)
		return false;
	if (fstat(fd, &st) == 0)
		whole = digest_head(fd, (guint64)st.st_size);
	if (g_strcmp0(whole, built_sha256) == 0)
		return true;
	if (!ks_signature_find(fd, path, &size_bytes, error))
		return false;
	cut = digest_head(fd, size_bytes);
	if (g_strcmp0(cut, built_sha256) != 0) {
		ks_error_set(error, KS_ERROR_INVALID,
			     "'%s' is not what was built, signed or not", path);
		return false;
	}
	if (ftruncate(fd, (off_t)size_bytes) == 0 && fsync(fd) == 0)
		return true;
	ks_error_set_errno(error, errno, "cannot write '%s'", path);
	return false;
}
