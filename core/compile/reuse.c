/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between a build and the store: taking an earlier build's files, keeping this one's. */
#include <string.h>

#include "core/compile/compile-private.h"
#include "core/support/error.h"

static const struct ks_store_file *find_file(const struct ks_store_entry *entry,
					     const char *dest_name)
{
	g_autofree char *path = g_strdup_printf("module/%s.ko", dest_name);

	for (guint i = 0; i < entry->files->len; i++) {
		const struct ks_store_file *file = entry->files->pdata[i];

		if (g_str_equal(file->path, path))
			return file;
	}
	return NULL;
}

/* One digest for each module that is wanted, in their order. */
static bool take_digests(struct ks_build *build, const struct ks_store_entry *entry)
{
	const GPtrArray *modules = build->request->conf->modules;

	for (guint i = 0; i < modules->len; i++) {
		const struct ks_conf_module *module = modules->pdata[i];
		const struct ks_store_file *file = find_file(entry, module->dest_name);

		if (module->excluded)
			continue;
		if (!file)
			return false;
		g_ptr_array_add(build->built_digests, g_strdup(file->sha256));
	}
	return true;
}

static struct ks_store_entry *fetch(struct ks_build *build, GError **error)
{
	const struct ks_build_request *request = build->request;
	struct ks_store_entry *entry =
		ks_store_fetch(build->system, request->fingerprint, build->system,
			       build->staged_dir, error);

	if (entry || !request->other_store)
		return entry;
	g_clear_error(error);
	return ks_store_fetch(request->other_store, request->fingerprint, build->system,
			      build->staged_dir, error);
}

bool ks_build_reuse(struct ks_build *build)
{
	g_autoptr(GError) error = NULL;

	if (!build->request->use_store || !build->request->fingerprint)
		return false;
	build->reused = fetch(build, &error);
	if (build->reused && take_digests(build, build->reused))
		return true;
	/* unusable: the module is built again, which replaces the entry */
	g_ptr_array_set_size(build->built_digests, 0);
	g_clear_pointer(&build->reused, ks_store_entry_free);
	ks_ignore(ks_treeop_remove(build->system->root, build->staged_dir, NULL));
	return false;
}

/* Without its files; NULL when nothing is to be stored. */
static struct ks_store_entry *entry_to_keep(const struct ks_build *build)
{
	const struct ks_build_request *request = build->request;
	struct ks_store_entry *entry;

	if (!request->keep_in_store || !request->fingerprint || build->reused)
		return NULL;
	entry = g_new0(struct ks_store_entry, 1);
	entry->fingerprint = g_strdup(request->fingerprint);
	entry->module = g_strdup(request->module);
	entry->version = g_strdup(request->version);
	entry->release = g_strdup(request->kernel->release);
	entry->arch = g_strdup(request->kernel->arch);
	entry->sandbox_layers = ks_sandbox_layers_to_string(build->layers);
	entry->duration_ms = build->used_us / 1000;
	return entry;
}

/* A failure to store (a full disk, for example) does not harm the artifact. */
void ks_build_store_begin(struct ks_build *build)
{
	ks_auto(ks_store_entry) entry = entry_to_keep(build);

	if (entry && ks_store_prepare(build->system, entry, build->staged_dir, NULL))
		build->to_store = g_steal_pointer(&entry);
}

void ks_build_store_end(struct ks_build *build, bool ok)
{
	if (!build->to_store)
		return;
	if (!ok || !ks_store_commit(build->system, build->to_store, NULL))
		ks_store_discard(build->system, build->to_store);
	g_clear_pointer(&build->to_store, ks_store_entry_free);
}

void ks_build_store_cancel(struct ks_build *build)
{
	ks_auto(ks_store_entry) entry = entry_to_keep(build);

	if (entry)
		ks_store_discard(build->system, entry);
}
