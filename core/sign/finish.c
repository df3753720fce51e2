/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the built file to the installed one, and back. */
#include "core/sign/finish.h"

#include <string.h>
#include <unistd.h>

#include "core/module/inspect.h"
#include "core/platform/digest.h"
#include "core/support/durable.h"
#include "core/support/error.h"

/* ".xz" of ".ko.xz"; "" when modules are not compressed. */
static const char *compression_of(const char *suffix)
{
	return suffix && g_str_has_prefix(suffix, ".ko") ? suffix + strlen(".ko") : "";
}

/* The same for a file's name, which may have another ".ko" in it. */
static const char *compression_of_file(const char *name)
{
	static const char *const known[] = {".xz", ".zst", ".gz"};

	for (size_t i = 0; i < G_N_ELEMENTS(known); i++)
		if (g_str_has_suffix(name, known[i]))
			return known[i];
	return "";
}

static bool compress(const struct ks_system *system, const char *path,
		     const char *compression, unsigned int level, GError **error)
{
	if (!*compression)
		return true;
	return ks_module_compress(system, path, compression, level, error) &&
	       ks_durable_unlink(system->root, path, error);
}

/* Digest and size of the file as it will be installed. */
static bool describe_file(const struct ks_system *system, const char *path,
			  struct ks_manifest_file *file, GError **error)
{
	g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
	ks_autofd int fd = ks_root_openat(system->root, path, O_RDONLY, 0, error);
	guint64 size_bytes = 0;
	guchar buffer[65536];
	ssize_t n;

	if (fd < 0)
		return false;
	while ((n = read(fd, buffer, sizeof(buffer))) > 0) {
		g_checksum_update(checksum, buffer, n);
		size_bytes += (guint64)n;
	}
	if (n < 0) {
		ks_error_set(error, KS_ERROR_FAILED, "cannot read '%s'", path);
		return false;
	}
	g_free(file->sha256);
	file->sha256 = g_strdup(g_checksum_get_string(checksum));
	file->size_bytes = size_bytes;
	return true;
}

bool ks_finish_file(const struct ks_system *system, const struct ks_kernel *kernel,
		    const struct ks_signing *signing, const char *path,
		    struct ks_manifest_file *file, GError **sign_error, GError **error)
{
	const char *compression = compression_of(kernel->module_suffix);
	g_autofree char *finished = g_strconcat(path, compression, NULL);

	if (signing && signing->verdict == KS_SIGN_YES)
		ks_ignore(ks_sign_file(system, signing, path, sign_error));
	return compress(system, path, compression, kernel->compression_level, error) &&
	       describe_file(system, finished, file, error);
}

char *ks_finish_undo(const struct ks_system *system, const char *module_dir,
		     const struct ks_manifest_file *file, GError **error)
{
	g_autofree char *path = g_build_filename(module_dir, file->name, NULL);
	const char *compression = compression_of_file(file->name);
	g_autofree char *built = g_strndup(path, strlen(path) - strlen(compression));

	if (!file->built_sha256) {
		ks_error_set(error, KS_ERROR_INVALID,
			     "'%s': its digest before signing is not known", file->name);
		return NULL;
	}
	if (*compression && (!ks_module_decompress(system, path, compression, error) ||
			     !ks_durable_unlink(system->root, path, error)))
		return NULL;
	if (!ks_sign_remove(system, built, file->built_sha256, error))
		return NULL;
	return g_steal_pointer(&built);
}

void ks_finish_describe(struct ks_manifest *manifest, const struct ks_signing *signing,
			bool failed)
{
	const char *id = signing ? ks_sign_verdict_id(signing->verdict) : NULL;
	bool is_signed = signing && signing->verdict == KS_SIGN_YES && !failed;

	g_free(manifest->signing);
	g_free(manifest->certificate_sha256);
	g_free(manifest->sign_hash);
	manifest->signing = g_strdup(failed ? KS_SIGN_FAILED_ID : id);
	manifest->certificate_sha256 =
		is_signed ? g_strdup(signing->certificate_sha256) : NULL;
	manifest->sign_hash = is_signed ? g_strdup(signing->hash) : NULL;
}

char *ks_finish_fingerprint(const struct ks_manifest *manifest,
			    const struct ks_kernel *kernel)
{
	g_autoptr(GString) text = g_string_new("finish 2\n");
	const char *suffix = kernel->module_suffix;

	g_string_append_printf(text, "build %s\nsuffix %s\n", manifest->build_fingerprint,
			       suffix ? suffix : ".ko");
	if (kernel->compression_level)
		g_string_append_printf(text, "level %u\n", kernel->compression_level);
	if (manifest->certificate_sha256)
		g_string_append_printf(text, "sign %s %s\n", manifest->sign_hash,
				       manifest->certificate_sha256);
	return ks_digest_data(text->str, text->len);
}
