/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Build again, and compare. */
#include "core/engine/rebuild.h"

#include "core/engine/depends-symvers.h"
#include "core/engine/solo.h"
#include "core/sandbox/sandbox.h"
#include "core/support/error.h"
#include "core/support/treeop.h"

void ks_rebuild_free(struct ks_rebuild *rebuild)
{
	if (!rebuild)
		return;
	g_free(rebuild->detail);
	g_free(rebuild);
}

const char *ks_rebuild_verdict_id(enum ks_rebuild_verdict verdict)
{
	static const char *const ids[] = {
		[KS_REBUILD_SAME] = "same",
		[KS_REBUILD_DIFFERS] = "differs",
		[KS_REBUILD_FAILED] = "failed",
		[KS_REBUILD_IMPOSSIBLE] = "impossible",
	};

	return ids[verdict];
}

/* Why another build would not be the same one, or NULL. */
static const char *find_obstacle(const struct ks_target *target)
{
	const struct ks_manifest *manifest =
		target->artifact ? target->artifact->manifest : NULL;

	if (!manifest)
		return "there is no manifest of what was built";
	if (!manifest->build_fingerprint)
		return "it was built by dkms";
	for (guint i = 0; i < manifest->files->len; i++)
		if (!((struct ks_manifest_file *)manifest->files->pdata[i])->built_sha256)
			return "its manifest does not say what was built";
	if (!target->conf || !target->source->path || !target->fingerprint)
		return "its source or the kernel's headers are not there";
	if (!g_str_equal(target->fingerprint, manifest->build_fingerprint))
		return "its source, the headers or the compiler changed since";
	return NULL;
}

static const char *find_built(const struct ks_manifest *manifest, const char *name)
{
	for (guint i = 0; i < manifest->files->len; i++) {
		const struct ks_manifest_file *file = manifest->files->pdata[i];

		if (g_str_equal(file->name, name))
			return file->built_sha256;
	}
	return NULL;
}

static void compare(struct ks_rebuild *rebuild, const struct ks_manifest *again)
{
	const struct ks_manifest *before = rebuild->target->artifact->manifest;
	g_autoptr(GString) names = g_string_new(NULL);

	for (guint i = 0; i < before->files->len; i++) {
		const struct ks_manifest_file *file = before->files->pdata[i];

		if (g_strcmp0(find_built(again, file->name), file->built_sha256) != 0)
			g_string_append_printf(names, "%s'%s'", names->len ? ", " : "",
					       file->name);
	}
	rebuild->verdict = names->len ? KS_REBUILD_DIFFERS : KS_REBUILD_SAME;
	if (names->len)
		rebuild->detail = g_strdup(names->str);
}

static void conclude(struct ks_rebuild *rebuild, const struct ks_system *system,
		     const struct ks_build_result *result)
{
	rebuild->duration_ms = result->duration_ms;
	if (result->ok) {
		compare(rebuild, result->manifest);
		ks_ignore(ks_treeop_remove(system->root, result->staged_dir, NULL));
		return;
	}
	rebuild->verdict = KS_REBUILD_FAILED;
	rebuild->detail = g_strdup_printf("%s%s%s", result->message,
					  result->first_error ? ": " : "",
					  result->first_error ? result->first_error : "");
}

static struct ks_build_result *build_again(const struct ks_system *system,
					   const struct ks_settings *settings,
					   const struct ks_inventory *inventory,
					   const struct ks_target *target,
					   const volatile sig_atomic_t *cancelled,
					   GError **error)
{
	g_auto(GStrv) symvers = ks_symvers_find(system, inventory, target);
	const struct ks_build_request request = {
		.module = target->source->name,
		.version = target->source->version,
		.source_dir = target->source->path,
		.kernel = target->kernel,
		.conf = target->conf,
		.fingerprint = target->fingerprint,
		.extra_symvers = (const char *const *)symvers,
		.private_build = ks_sandbox_can_mount(system),
		.is_trial = true,
	};

	return ks_solo_build(system, settings, &request, cancelled, error);
}

struct ks_rebuild *ks_rebuild_target(const struct ks_system *system,
				     const struct ks_settings *settings,
				     const struct ks_inventory *inventory,
				     const struct ks_target *target,
				     const volatile sig_atomic_t *cancelled,
				     GError **error)
{
	ks_auto(ks_rebuild) rebuild = g_new0(struct ks_rebuild, 1);
	const char *obstacle = find_obstacle(target);

	rebuild->target = target;
	if (obstacle) {
		rebuild->verdict = KS_REBUILD_IMPOSSIBLE;
		rebuild->detail = g_strdup(obstacle);
		return g_steal_pointer(&rebuild);
	}
	ks_auto(ks_build_result) result =
		build_again(system, settings, inventory, target, cancelled, error);
	if (!result)
		return NULL;
	conclude(rebuild, system, result);
	return g_steal_pointer(&rebuild);
}
