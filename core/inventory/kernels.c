/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernels of the picture. */
#include "core/settings/framework.h"
#include "core/inventory/inventory-private.h"
#include "core/kernel/trees.h"
#include "core/sandbox/sandbox.h"
#include "core/support/version.h"

/* Removed altogether, but T still has an artifact for it: to be seen, and dropped. */
static struct ks_kernel *kernel_remembered(const struct ks_system *system,
					   const struct ks_artifact *artifact)
{
	struct ks_kernel *kernel = g_new0(struct ks_kernel, 1);

	kernel->release = g_strdup(artifact->release);
	kernel->arch = g_strdup(artifact->arch);
	kernel->modules_dir =
		g_build_filename(system->install_tree, artifact->release, NULL);
	kernel->headers_dir = g_build_filename(kernel->modules_dir, "build", NULL);
	kernel->module_suffix = g_strdup(".ko");
	return kernel;
}

static void insert_newest_first(GPtrArray *kernels, struct ks_kernel *kernel)
{
	guint position = 0;

	while (position < kernels->len &&
	       ks_version_compare(((struct ks_kernel *)kernels->pdata[position])->release,
				  kernel->release) > 0)
		position++;
	g_ptr_array_insert(kernels, (int)position, kernel);
}

static void add_remembered(struct ks_inventory_taking *taking,
			   const struct ks_tree_entry *entry)
{
	GPtrArray *kernels = taking->inventory->kernels;

	for (guint i = 0; i < entry->artifacts->len; i++) {
		const struct ks_artifact *artifact = entry->artifacts->pdata[i];

		if (!ks_kernel_find(kernels, artifact->release))
			insert_newest_first(kernels,
					    kernel_remembered(taking->system, artifact));
	}
}

/* With headers from elsewhere the kernel need not be in install_tree at all. */
static void add_named(struct ks_inventory_taking *taking)
{
	const struct ks_conf_overrides *overrides = taking->settings->overrides;
	const char *release = taking->system->named_release;
	GPtrArray *kernels = taking->inventory->kernels;

	if (release && overrides && overrides->kernel_source_dir &&
	    !ks_kernel_find(kernels, release))
		insert_newest_first(kernels, ks_kernel_probe(taking->system, release));
}

static void apply_overrides(struct ks_inventory_taking *taking)
{
	const struct ks_conf_overrides *overrides = taking->settings->overrides;
	GPtrArray *kernels = taking->inventory->kernels;

	for (guint i = 0; overrides && i < kernels->len; i++) {
		struct ks_kernel *kernel = kernels->pdata[i];

		if (overrides->kernel_source_dir)
			ks_kernel_use_headers(taking->system, kernel,
					      overrides->kernel_source_dir);
		if (overrides->kernel_config)
			ks_kernel_use_config(taking->system, kernel,
					     overrides->kernel_config);
	}
}

static void set_compression(struct ks_inventory_taking *taking)
{
	const struct ks_framework *framework = taking->settings->framework;
	GPtrArray *kernels = taking->inventory->kernels;

	for (guint i = 0; framework && i < kernels->len; i++) {
		struct ks_kernel *kernel = kernels->pdata[i];

		kernel->compression_level =
			ks_framework_level(framework, kernel->module_suffix);
	}
}

/* Where mounts can be made, a build sees what its user could not go to. */
static void find_closed_headers(struct ks_inventory_taking *taking)
{
	const struct ks_system *system = taking->system;
	GPtrArray *kernels = taking->inventory->kernels;
	uid_t uid;
	gid_t gid;

	if (!ks_sandbox_identity(system, &uid, &gid))
		return;
	for (guint i = 0; i < kernels->len; i++) {
		struct ks_kernel *kernel = kernels->pdata[i];
		g_autofree char *problem =
			kernel->has_headers
				? ks_kernel_describe_closed(system, kernel, gid)
				: NULL;

		if (problem && !ks_sandbox_can_mount(system))
			kernel->headers_problem = g_steal_pointer(&problem);
	}
}

bool ks_inventory_find_kernels(struct ks_inventory_taking *taking, GError **error)
{
	struct ks_inventory *inventory = taking->inventory;

	inventory->kernels = ks_kernel_list(taking->system, error);
	if (!inventory->kernels)
		return false;
	add_named(taking);
	apply_overrides(taking);
	ks_kernel_settle(taking->system, inventory->kernels);
	set_compression(taking);
	find_closed_headers(taking);
	for (guint i = 0; i < inventory->entries->len; i++)
		add_remembered(taking, inventory->entries->pdata[i]);
	return true;
}
