/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the arguments of a command to the sources and kernels that exist. */
#include "cli/selection.h"

#include <string.h>

#include "cli/find.h"
#include "cli/message.h"
#include "cli/options.h"
#include "cli/run.h"
#include "core/support/error.h"
#include "core/support/version.h"
#include "core/support/name.h"
#include "core/support/suggest.h"

void ks_selection_clear(struct ks_selection *selection)
{
	g_clear_pointer(&selection->module, g_free);
	g_clear_pointer(&selection->version, g_free);
	g_clear_pointer(&selection->release, g_free);
}

bool ks_selection_init(struct ks_selection *selection, const char *module_argument,
		       const char *release, GError **error)
{
	char *module = NULL, *version = NULL;

	if (release && !ks_name_is_plain(release)) {
		ks_error_set(error, KS_ERROR_INVALID, "'%s' is no kernel release",
			     release);
		return false;
	}
	if (module_argument &&
	    !ks_options_split_module(module_argument, &module, &version)) {
		ks_error_set(error, KS_ERROR_INVALID,
			     "'%s' is not MODULE or MODULE/VERSION", module_argument);
		return false;
	}
	*selection = (struct ks_selection){
		.module = module, .version = version, .release = g_strdup(release)};
	return true;
}

void ks_selection_name_kernel(struct ks_cli *cli, const struct ks_selection *selection)
{
	g_free(cli->system->named_release);
	cli->system->named_release = g_strdup(selection->release);
}

bool ks_selection_has_source(const struct ks_selection *selection,
			     const struct ks_source *source)
{
	return (!selection->module || g_str_equal(selection->module, source->name)) &&
	       (!selection->version || g_str_equal(selection->version, source->version));
}

int ks_selection_run(struct ks_cli *cli, const char *module_argument, const char *release,
		     int (*command)(struct ks_cli *cli, struct ks_selection *selection))
{
	struct ks_selection selection = {0};
	g_autoptr(GError) error = NULL;
	int code = KS_EXIT_USAGE;

	if (ks_selection_init(&selection, module_argument, release, &error)) {
		ks_selection_name_kernel(cli, &selection);
		code = command(cli, &selection);
	} else {
		ks_message_gerror(error);
	}
	ks_selection_clear(&selection);
	return code;
}

bool ks_selection_has(const struct ks_selection *selection,
		      const struct ks_target *target)
{
	return ks_selection_has_source(selection, target->source) &&
	       (!selection->release ||
		g_str_equal(selection->release, target->kernel->release));
}

static bool has_module(const struct ks_selection *selection,
		       const struct ks_inventory *inventory)
{
	for (guint i = 0; i < inventory->sources->len; i++)
		if (ks_selection_has_source(selection,
					    g_ptr_array_index(inventory->sources, i)))
			return true;
	return false;
}

/*
 * A directory without anything of a kernel does not count, unless something is
 * built there.
 */
static bool has_kernel(const char *release, const struct ks_inventory *inventory)
{
	const struct ks_kernel *kernel = ks_kernel_find(inventory->kernels, release);

	if (kernel && kernel->alive)
		return true;
	for (guint i = 0; kernel && i < inventory->targets->len; i++) {
		const struct ks_target *target = g_ptr_array_index(inventory->targets, i);

		if (target->kernel == kernel && target->artifact)
			return true;
	}
	return false;
}

static void hint_module(const struct ks_selection *selection,
			const struct ks_inventory *inventory, GError **error)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	const char *meant;

	for (guint i = 0; i < inventory->sources->len; i++) {
		const struct ks_source *source = g_ptr_array_index(inventory->sources, i);

		if (!g_str_equal(source->name, selection->module))
			g_ptr_array_add(names, source->name);
	}
	meant = ks_suggest(selection->module, (const char *const *)names->pdata,
			   names->len);
	if (meant)
		ks_error_hint(error, "did you mean '%s'? 'kmodsmith status' lists them",
			      meant);
	else
		ks_error_hint(error,
			      "'kmodsmith status' lists those there are; a new one "
			      "goes to /usr/src/NAME-VERSION with a dkms.conf in it");
}

bool ks_selection_check(const struct ks_selection *selection,
			const struct ks_inventory *inventory, GError **error)
{
	if (selection->module && !has_module(selection, inventory)) {
		ks_error_set(error, KS_ERROR_NOT_FOUND, "there is no module '%s%s%s'",
			     selection->module, selection->version ? "/" : "",
			     selection->version ? selection->version : "");
		hint_module(selection, inventory, error);
		return false;
	}
	if (selection->release && !has_kernel(selection->release, inventory)) {
		ks_error_set(error, KS_ERROR_NOT_FOUND, "there is no kernel '%s'",
			     selection->release);
		ks_error_hint(error, "kernels are the directories of /lib/modules that "
				     "have a kernel's modules or prepared headers");
		return false;
	}
	return true;
}

/* The kernel's name of a module: "foo_bar" for foo-bar.ko.xz, foo-bar and foo_bar. */
static char *kernel_name(const char *text)
{
	const char *suffix = strstr(text, ".ko");
	char *name = suffix && (!suffix[3] || suffix[3] == '.')
			     ? g_strndup(text, (size_t)(suffix - text))
			     : g_strdup(text);

	return g_strdelimit(name, "-", '_');
}

static bool is_called(const struct ks_source *source, const char *name)
{
	g_autofree char *own = kernel_name(source->name);

	return g_str_equal(own, name);
}

static bool makes(const struct ks_target *target, const char *name)
{
	const char *const *names = (const char *const *)target->makes;

	return names && g_strv_contains(names, name);
}

/* Of sources that make it the one that is installed, else the first. */
static const struct ks_source *find_maker(const struct ks_inventory *inventory,
					  const char *name)
{
	const struct ks_source *found = NULL;

	for (guint i = 0; i < inventory->targets->len; i++) {
		const struct ks_target *target = g_ptr_array_index(inventory->targets, i);

		if (!makes(target, name))
			continue;
		if (target->installed != KS_INSTALLED_NO)
			return target->source;
		if (!found)
			found = target->source;
	}
	return found;
}

/* lsmod, modinfo and dmesg know a driver by its .ko alone. */
static void take_source_name(struct ks_selection *selection,
			     const struct ks_inventory *inventory)
{
	g_autofree char *name = NULL;
	const struct ks_source *source = NULL;

	if (!selection->module || has_module(selection, inventory))
		return;
	name = kernel_name(selection->module);
	for (guint i = 0; i < inventory->sources->len && !source; i++)
		if (is_called(inventory->sources->pdata[i], name))
			source = inventory->sources->pdata[i];
	if (!source)
		source = find_maker(inventory, name);
	if (!source)
		return;
	g_free(selection->module);
	selection->module = g_strdup(source->name);
}

int ks_selection_look(struct ks_cli *cli, struct ks_selection *selection,
		      struct ks_inventory **inventory, struct ks_plan **plan)
{
	static const struct ks_plan_request everything;
	ks_auto(ks_inventory) taken = NULL;
	ks_auto(ks_plan) made = NULL;
	g_autoptr(GError) error = NULL;

	if (!ks_engine_look(cli->system, cli->settings, &everything, &taken, &made,
			    &error))
		return ks_message_fail(error);
	take_source_name(selection, taken);
	if (!ks_selection_check(selection, taken, &error)) {
		ks_message_gerror(error);
		return KS_EXIT_NOT_FOUND;
	}
	*inventory = g_steal_pointer(&taken);
	*plan = g_steal_pointer(&made);
	return KS_EXIT_OK;
}

int ks_selection_check_there(struct ks_cli *cli, struct ks_selection *selection)
{
	ks_auto(ks_inventory) inventory = NULL;
	ks_auto(ks_plan) plan = NULL;

	return ks_selection_look(cli, selection, &inventory, &plan);
}

const struct ks_source *ks_selection_pick(const struct ks_inventory *inventory,
					  const struct ks_selection *selection)
{
	const struct ks_source *best = NULL;

	for (guint i = 0; i < inventory->sources->len; i++) {
		const struct ks_source *source = g_ptr_array_index(inventory->sources, i);

		if (!ks_selection_has_source(selection, source))
			continue;
		if (!best || source->present > best->present ||
		    (source->present == best->present &&
		     ks_version_compare(source->version, best->version) > 0))
			best = source;
	}
	return best;
}

int ks_selection_resolve(struct ks_cli *cli, struct ks_selection *selection)
{
	ks_auto(ks_inventory) inventory = NULL;
	ks_auto(ks_plan) plan = NULL;
	int code = ks_selection_look(cli, selection, &inventory, &plan);

	if (code == KS_EXIT_OK && !selection->version)
		selection->version =
			g_strdup(ks_selection_pick(inventory, selection)->version);
	return code;
}
