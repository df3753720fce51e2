/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Everything that can change the bytes of a target, in one digest. */
#include <string.h>

#include "core/build/build.h"
#include "core/build/build-private.h"
#include "core/support/error.h"

/* Count up when the same inputs begin to give other bytes. */
#define BUILDER_VERSION "1"

static void put(GString *text, const char *key, const char *value)
{
	/* The length makes the text unambiguous whatever the value holds. */
	g_string_append_printf(text, "%s %zu %s\n", key, strlen(value), value);
}

/* Overrides below dkms_etc/M: patches and scripts; the conf's own are in text_digest. */
static bool put_overrides(GString *text, const struct ks_system *system,
			  struct ks_digest_cache *cache, const struct ks_conf *conf,
			  GError **error)
{
	g_autofree char *dir =
		g_build_filename(system->dkms_etc, conf->package_name, NULL);
	g_autofree char *digest = NULL;
	struct stat st;

	if (!ks_root_stat(system->root, dir, &st) || !S_ISDIR(st.st_mode))
		return true;
	digest = ks_digest_tree(cache, dir, error);
	if (!digest)
		return false;
	put(text, "overrides", digest);
	return true;
}

static bool put_symvers(GString *text, const struct ks_system *system,
			struct ks_digest_cache *cache, const char *const *paths,
			GError **error)
{
	for (; paths && *paths; paths++) {
		g_autofree char *digest = NULL;

		if (!ks_root_exists(system->root, *paths)) {
			put(text, "symvers", "absent");
			continue;
		}
		digest = ks_digest_file(cache, *paths, error);
		if (!digest)
			return false;
		put(text, "symvers", digest);
	}
	return true;
}

char *ks_build_fingerprint(const struct ks_system *system, struct ks_digest_cache *cache,
			   const char *source_dir, const struct ks_conf *conf,
			   struct ks_kernel *kernel, const char *const *extra_symvers,
			   GError **error)
{
	g_autoptr(GString) text = g_string_new(NULL);
	g_autofree char *source = ks_digest_tree(cache, source_dir, error);
	g_autofree char *kernel_text = NULL;

	if (!source)
		return NULL;
	kernel_text = ks_kernel_fingerprint(system, kernel, cache, error);
	if (!kernel_text)
		return NULL;
	put(text, "builder", BUILDER_VERSION);
	put(text, "epoch", KS_BUILD_EPOCH);
	put(text, "module", conf->package_name);
	put(text, "version", conf->package_version);
	put(text, "release", kernel->release);
	put(text, "arch", kernel->arch);
	put(text, "source", source);
	put(text, "conf", conf->text_digest ? conf->text_digest : "");
	put(text, "make", conf->make ? conf->make : "");
	put(text, "kernel", kernel_text);
	if (!put_overrides(text, system, cache, conf, error) ||
	    !put_symvers(text, system, cache, extra_symvers, error))
		return NULL;
	return ks_digest_data(text->str, text->len);
}
