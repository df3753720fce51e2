/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every source on every kernel, with what is on disk and in the database. */
#include "core/inventory/inventory-private.h"

#include <string.h>

#include "core/inventory/fingerprint.h"
#include "core/inventory/kernels-own.h"
#include "core/kernel/surroundings.h"
#include "core/kernel/toolchain.h"
#include "core/module/inspect.h"
#include "core/support/version.h"

#define MAX_LIST_BYTES (1u << 20)

/* --- what the conf says for this kernel */

static const char *const *get_environment(const struct ks_target *target)
{
	return (const char *const *)target->conf->environment;
}

static void check_toolchain(const struct ks_system *system, struct ks_target *target)
{
	const struct ks_kernel *kernel = target->kernel;
	const char *make = target->conf->make;
	g_autofree char *path = NULL;

	target->own_toolchain = ks_toolchain_is_own(get_environment(target), make);
	if (!target->own_toolchain || !kernel->has_headers)
		return;
	path = ks_kernel_tool_path(system, get_environment(target));
	target->toolchain_problem = ks_toolchain_problem(
		system, kernel, path,
		ks_toolchain_names_compiler(system, path, get_environment(target), make));
}

static void read_conf(struct ks_inventory_taking *taking, struct ks_target *target)
{
	const struct ks_source *source = target->source;
	g_autoptr(GError) error = NULL;

	/* for a removed kernel there is nothing to ask */
	if (!source->present || !target->kernel->alive)
		return;
	target->conf =
		ks_conf_load(taking->system, taking->settings, source->path, source->name,
			     source->version, target->kernel, &error);
	if (!target->conf) {
		target->conf_problem = g_strdup(error->message);
		return;
	}
	target->exclusion = target->conf->exclusion;
	target->exclusion_text = g_strdup(target->conf->exclusion_text);
	target->build_depends = g_strdupv(target->conf->build_depends);
	check_toolchain(taking->system, target);
}

/* --- what exists */

/* All that the manifest lists, or for dkms's artifacts anything at all. */
static bool has_all_modules(const struct ks_artifact *artifact)
{
	const struct ks_manifest *manifest = artifact->manifest;

	if (!manifest)
		return artifact->module_files->len > 0;
	for (guint i = 0; i < manifest->files->len; i++) {
		const struct ks_manifest_file *file = manifest->files->pdata[i];

		if (!g_ptr_array_find_with_equal_func(artifact->module_files, file->name,
						      g_str_equal, NULL))
			return false;
	}
	return true;
}

static void read_artifact(struct ks_target *target)
{
	struct ks_artifact *artifact;

	if (!target->source->entry)
		return;
	artifact = ks_tree_find_artifact(target->source->entry, target->kernel->release,
					 target->kernel->arch);
	if (!artifact)
		return;
	target->artifact = artifact;
	target->built = has_all_modules(artifact);
	if (artifact->manifest)
		target->built_fingerprint =
			g_strdup(artifact->manifest->build_fingerprint);
}

/* "snd-foo.ko.xz" -> "snd_foo" */
static void add_module_name(GPtrArray *names, const char *file)
{
	const char *suffix = strstr(file, ".ko");
	char *name = suffix ? g_strndup(file, (size_t)(suffix - file)) : g_strdup(file);

	g_ptr_array_add(names, g_strdelimit(name, "-", '_'));
}

static void add_files(GPtrArray *names, const struct ks_artifact *artifact)
{
	const struct ks_manifest *manifest = artifact->manifest;

	for (guint i = 0; manifest && i < manifest->files->len; i++) {
		const struct ks_manifest_file *file = manifest->files->pdata[i];

		add_module_name(names, file->name);
	}
	for (guint i = 0; !manifest && i < artifact->module_files->len; i++)
		add_module_name(names, artifact->module_files->pdata[i]);
}

static void add_conf_modules(GPtrArray *names, const struct ks_conf *conf)
{
	for (guint i = 0; conf->modules && i < conf->modules->len; i++) {
		const struct ks_conf_module *module = conf->modules->pdata[i];

		if (!module->excluded)
			add_module_name(names, module->dest_name);
	}
}

/* "kernel/drivers/a/foo.ko" in modules.builtin */
static bool is_built_in(const struct ks_inventory_taking *taking,
			const struct ks_kernel *kernel, const char *name)
{
	g_autofree char *path =
		g_build_filename(kernel->modules_dir, "modules.builtin", NULL);
	g_autofree char *list =
		ks_root_read_file(taking->system->root, path, MAX_LIST_BYTES, NULL, NULL);
	g_autofree char *file = g_strdup_printf("/%s.ko\n", name);

	return list && strstr(g_strdelimit(list, "-", '_'), file);
}

/* What was taken into the kernel is often excluded there by its old conf. */
static void fill_kernel_has_it(const struct ks_inventory_taking *taking,
			       struct ks_target *target)
{
	char **names = target->makes;

	if (target->exclusion == KS_CONF_NOT_EXCLUDED ||
	    target->installed != KS_INSTALLED_NO)
		return;
	for (; *names; names++) {
		g_autofree char *path =
			ks_module_find_in_tree(taking->system, target->kernel, *names);

		if (!path && !is_built_in(taking, target->kernel, *names))
			return;
	}
	target->kernel_has_it = names != target->makes;
}

static void fill_makes(struct ks_target *target)
{
	GPtrArray *names = g_ptr_array_new();

	if (target->artifact && target->artifact->active)
		add_files(names, target->artifact);
	else if (target->conf)
		add_conf_modules(names, target->conf);
	g_ptr_array_add(names, NULL);
	target->makes = (char **)g_ptr_array_free(names, FALSE);
}

static struct ks_target *add_target(struct ks_inventory_taking *taking,
				    struct ks_source *source, struct ks_kernel *kernel)
{
	struct ks_target *target = g_new0(struct ks_target, 1);

	target->source = source;
	target->kernel = kernel;
	g_ptr_array_add(taking->inventory->targets, target);
	read_conf(taking, target);
	read_artifact(target);
	fill_makes(target);
	ks_inventory_find_depends(taking, target);
	target->is_read_only = kernel->alive && ks_root_is_read_only(taking->system->root,
								     kernel->modules_dir);
	target->installed = ks_inventory_check_installed(taking, target);
	fill_kernel_has_it(taking, target);
	target->signature_stale = ks_inventory_is_signature_stale(taking, target);
	target->recorded = ks_inventory_check_recorded(taking, target);
	target->failure = ks_failure_load(taking->system, source->name, source->version,
					  kernel->release, kernel->arch);
	return target;
}

/* --- fingerprints */

/*
 * A digest asked for once per source and once per kernel; NULL when it is
 * not available.
 */
static const char *remember(struct ks_inventory_taking *taking, const char *key,
			    char *digest)
{
	if (!digest)
		digest = g_strdup("");
	g_hash_table_insert(taking->digests, g_strdup(key), digest);
	return *digest ? digest : NULL;
}

static const char *tree_digest(struct ks_inventory_taking *taking, const char *path)
{
	const char *known = g_hash_table_lookup(taking->digests, path);

	if (known)
		return *known ? known : NULL;
	return remember(taking, path, ks_digest_tree(taking->cache, path, NULL));
}

static const char *kernel_fingerprint(struct ks_inventory_taking *taking,
				      struct ks_kernel *kernel)
{
	const char *known = g_hash_table_lookup(taking->digests, kernel->release);

	if (known)
		return *known ? known : NULL;
	return remember(
		taking, kernel->release,
		ks_kernel_fingerprint(taking->system, kernel, taking->cache, NULL));
}

/* dkms_etc/NAME holds an administrator's patches and scripts, if it is there. */
static bool get_override_digest(struct ks_inventory_taking *taking, const char *name,
				const char **digest)
{
	g_autofree char *path = g_build_filename(taking->system->dkms_etc, name, NULL);
	struct stat st;

	*digest = NULL;
	if (!ks_root_stat(taking->system->root, path, &st) || !S_ISDIR(st.st_mode))
		return true;
	*digest = tree_digest(taking, path);
	return *digest != NULL;
}

/* The version of a dependency that would be used on this kernel. */
static struct ks_target *find_provider(const struct ks_inventory *inventory,
				       const char *name, const struct ks_kernel *kernel)
{
	struct ks_target *best = NULL;

	for (guint i = 0; i < inventory->targets->len; i++) {
		struct ks_target *target = inventory->targets->pdata[i];

		if (target->kernel != kernel || !target->conf ||
		    target->exclusion != KS_CONF_NOT_EXCLUDED ||
		    !g_str_equal(target->source->name, name) ||
		    !(target->source->autoinstall || target->source->asked))
			continue;
		if (!best || ks_version_compare(target->source->version,
						best->source->version) > 0)
			best = target;
	}
	return best;
}

struct fingerprinting {
	struct ks_inventory_taking *taking;
	GHashTable *visited; /* targets: done, or being done (a circle) */
};

static void fill_fingerprint(struct fingerprinting *state, struct ks_target *target);

/* "NAME=FINGERPRINT" for each BUILD_DEPENDS. */
static char **list_depends(struct fingerprinting *state, const struct ks_target *target)
{
	GPtrArray *depends = g_ptr_array_new();

	for (char **name = target->build_depends; name && *name; name++) {
		struct ks_target *provider =
			find_provider(state->taking->inventory, *name, target->kernel);

		if (provider)
			fill_fingerprint(state, provider);
		g_ptr_array_add(depends, g_strdup_printf("%s=%s", *name,
							 provider && provider->fingerprint
								 ? provider->fingerprint
								 : "none"));
	}
	g_ptr_array_add(depends, NULL);
	return (char **)g_ptr_array_free(depends, FALSE);
}

static void fill_fingerprint(struct fingerprinting *state, struct ks_target *target)
{
	struct ks_inventory_taking *taking = state->taking;
	struct ks_fingerprint_inputs inputs = {.kernel = target->kernel,
					       .conf = target->conf};
	g_auto(GStrv) depends = NULL;
	g_autofree char *toolchain = NULL;

	if (!g_hash_table_add(state->visited, target) || !target->conf ||
	    !target->kernel->has_headers)
		return;
	depends = list_depends(state, target);
	inputs.depends = (const char *const *)depends;
	inputs.source_digest = tree_digest(taking, target->source->path);
	inputs.kernel_fingerprint = kernel_fingerprint(taking, target->kernel);
	if (!inputs.source_digest || !inputs.kernel_fingerprint ||
	    !get_override_digest(taking, target->source->name, &inputs.override_digest))
		return;
	if (target->own_toolchain)
		toolchain = ks_toolchain_identity(taking->system, target->kernel,
						  get_environment(target),
						  target->conf->make);
	inputs.toolchain = toolchain;
	target->source_digest = g_strdup(inputs.source_digest);
	target->override_digest = g_strdup(inputs.override_digest);
	target->kernel_fingerprint = g_strdup(inputs.kernel_fingerprint);
	target->fingerprint = ks_fingerprint_target(&inputs);
}

/* Built of the inputs as they are, and waiting to be put in place. */
static bool is_to_be_placed(const struct ks_target *target)
{
	const struct ks_artifact *artifact = target->artifact;

	return artifact && artifact->manifest && !artifact->active && target->built &&
	       target->fingerprint &&
	       g_strcmp0(target->fingerprint, target->built_fingerprint) == 0;
}

/*
 * Look for the kernel's own module only while ours is built and not installed:
 * an installed one was wanted.
 */
static void fill_place(const struct ks_inventory_taking *taking, struct ks_target *target)
{
	const struct ks_inventory_options *options = taking->options;

	if (!is_to_be_placed(target))
		return;
	target->in_tree = ks_in_tree_find(taking->system, target->kernel,
					  target->artifact->manifest);
	if (options->find_occupant)
		target->occupied = options->find_occupant(taking->system,
							  target->artifact->manifest);
}

static const char *surroundings(struct ks_inventory_taking *taking,
				const struct ks_kernel *kernel)
{
	g_autofree char *key = g_strdup_printf("surroundings %s", kernel->release);
	const char *known = g_hash_table_lookup(taking->digests, key);

	return known ? known
		     : remember(taking, key,
				ks_kernel_surroundings(taking->system, kernel));
}

/* Only for targets that failed with the present inputs. */
static void fill_retry(struct ks_inventory_taking *taking, struct ks_target *target)
{
	const struct ks_failure *failure = target->failure;

	if (!failure || !target->kernel->alive || !target->fingerprint ||
	    g_strcmp0(failure->fingerprint, target->fingerprint) != 0)
		return;
	/* somebody has changed the setting for it */
	target->is_retry_due =
		failure->without_sandbox !=
		(ks_settings_get_sandbox(taking->settings, target->source->name) ==
		 KS_SANDBOX_OFF);
	if (target->is_retry_due)
		return;
	target->is_retry_due = ks_failure_may_retry(failure, g_get_real_time()) &&
			       g_strcmp0(failure->surroundings,
					 surroundings(taking, target->kernel)) != 0;
}

static void fill_fingerprints(struct ks_inventory_taking *taking)
{
	struct fingerprinting state = {.taking = taking,
				       .visited = g_hash_table_new(NULL, NULL)};

	for (guint i = 0; i < taking->inventory->targets->len; i++)
		fill_fingerprint(&state, taking->inventory->targets->pdata[i]);
	for (guint i = 0; i < taking->inventory->targets->len; i++) {
		fill_place(taking, taking->inventory->targets->pdata[i]);
		ks_inventory_fill_unresolved(taking,
					     taking->inventory->targets->pdata[i]);
		fill_retry(taking, taking->inventory->targets->pdata[i]);
	}
	g_hash_table_unref(state.visited);
}

/* --- all of them */

static bool is_asked_for(const struct ks_inventory_taking *taking,
			 const struct ks_kernel *kernel)
{
	return !taking->options->release ||
	       g_str_equal(taking->options->release, kernel->release);
}

static void add_source(struct ks_inventory_taking *taking, struct ks_source *source,
		       GPtrArray *names)
{
	for (guint i = 0; i < taking->inventory->kernels->len; i++) {
		struct ks_kernel *kernel = taking->inventory->kernels->pdata[i];
		struct ks_target *target;

		if (!is_asked_for(taking, kernel))
			continue;
		target = add_target(taking, source, kernel);
		for (char **name = target->build_depends; name && *name; name++) {
			if (!g_ptr_array_find_with_equal_func(names, *name, g_str_equal,
							      NULL))
				g_ptr_array_add(names, g_strdup(*name));
		}
	}
}

/* One module, and what it is built upon: the list of names grows while it is read. */
static void add_named_sources(struct ks_inventory_taking *taking, GPtrArray *names)
{
	GPtrArray *sources = taking->inventory->sources;

	for (guint i = 0; i < names->len; i++) {
		for (guint j = 0; j < sources->len; j++) {
			struct ks_source *source = sources->pdata[j];

			if (g_str_equal(source->name, names->pdata[i]))
				add_source(taking, source, names);
		}
	}
}

void ks_inventory_fill_targets(struct ks_inventory_taking *taking)
{
	GPtrArray *sources = taking->inventory->sources;
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);

	if (taking->options->module) {
		g_ptr_array_add(names, g_strdup(taking->options->module));
		add_named_sources(taking, names);
	} else {
		for (guint i = 0; i < sources->len; i++)
			add_source(taking, sources->pdata[i], names);
	}
	fill_fingerprints(taking);
}
