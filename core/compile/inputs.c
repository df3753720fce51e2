/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Is a build made from the same inputs as the fingerprint? That was computed
 * when the run began; since then a package manager may have unpacked another
 * source in the same place, or other headers for the same release. If they
 * were built all the same, the result would be taken for the old fingerprint's
 * wherever that occurs again.
 *
 * Unchanged inputs cost only stats: the digest cache has them.
 */
#include <string.h>

#include "core/compile/compile-private.h"
#include "core/support/error.h"

static bool set_changed(GError **error, const char *what)
{
	ks_error_set(error, KS_ERROR_FAILED, "'%s' was changed meanwhile", what);
	ks_error_hint(error, "the next run builds it as it is then");
	return false;
}

static bool check_tree(const struct ks_build *build, const char *path,
		       const char *expected, GError **error)
{
	g_autoptr(GError) cause = NULL;
	g_autofree char *digest = ks_digest_tree(build->request->digests, path, &cause);

	if (g_strcmp0(digest, expected) == 0)
		return true;
	if (digest || g_error_matches(cause, KS_ERROR, KS_ERROR_NOT_FOUND))
		return set_changed(error, path);
	g_propagate_error(error, g_steal_pointer(&cause));
	return false;
}

static bool check_override(const struct ks_build *build, GError **error)
{
	const struct ks_build_request *request = build->request;
	g_autofree char *path =
		g_build_filename(build->system->dkms_etc, request->module, NULL);
	struct stat st;

	if (request->override_digest)
		return check_tree(build, path, request->override_digest, error);
	if (!ks_root_stat(build->system->root, path, &st) || !S_ISDIR(st.st_mode))
		return true;
	return set_changed(error, path);
}

bool ks_build_check_source(const struct ks_build *build, GError **error)
{
	const struct ks_build_request *request = build->request;

	return !request->source_digest ||
	       (check_tree(build, request->source_dir, request->source_digest, error) &&
		check_override(build, error));
}

bool ks_build_check_kernel(const struct ks_build *build, GError **error)
{
	const struct ks_build_request *request = build->request;
	g_autofree char *now = NULL;

	if (!request->kernel_fingerprint)
		return true;
	now = ks_kernel_fingerprint(build->system, request->kernel, request->digests,
				    NULL);
	return g_strcmp0(now, request->kernel_fingerprint) == 0 ||
	       set_changed(error, request->kernel->headers_dir);
}
