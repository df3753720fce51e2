/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kmodsmith verify: do the installed files come from the build, and could it be
 * built again? */

#include "cli/change.h"
#include "cli/json-document.h"
#include "cli/selection.h"
#include "cli/message.h"
#include "cli/run.h"
#include "core/compile/build.h"
#include "core/engine/rebuild.h"
#include "core/platform/lock.h"

static char *kernel_option;
static gboolean rebuild_option;

static const GOptionEntry options[] = {
	{"kernel", 'k', 0, G_OPTION_ARG_STRING, &kernel_option, "only for this kernel",
	 "RELEASE"},
	{"rebuild", 0, 0, G_OPTION_ARG_NONE, &rebuild_option,
	 "build each once more and compare the bytes", NULL},
	{NULL},
};

struct verifying {
	struct ks_cli *cli;
	const struct ks_inventory *inventory;
	json_t *array; /* NULL: text */
	int code;
};

static const char *files_id(const struct ks_target *target)
{
	switch (target->installed) {
	case KS_INSTALLED_OK:
		return "as-built";
	case KS_INSTALLED_MISSING:
		return "missing";
	case KS_INSTALLED_CHANGED:
		return "changed";
	case KS_INSTALLED_NO:
		break;
	}
	return NULL;
}

static const char *files_words(const struct ks_target *target)
{
	switch (target->installed) {
	case KS_INSTALLED_OK:
		return "its files are as built";
	case KS_INSTALLED_MISSING:
		return "a file is missing";
	case KS_INSTALLED_CHANGED:
		return "a file was changed";
	case KS_INSTALLED_NO:
		break;
	}
	return NULL;
}

static void add_json(const struct verifying *verifying, const struct ks_target *target,
		     const struct ks_rebuild *rebuild)
{
	json_t *object = json_object();

	json_object_set_new(object, "module", ks_json_text(target->source->name));
	json_object_set_new(object, "version", ks_json_text(target->source->version));
	json_object_set_new(object, "kernel", ks_json_text(target->kernel->release));
	json_object_set_new(object, "arch", ks_json_text(target->kernel->arch));
	json_object_set_new(object, "files", ks_json_text(files_id(target)));
	json_object_set_new(
		object, "rebuild",
		ks_json_text(rebuild ? ks_rebuild_verdict_id(rebuild->verdict) : NULL));
	json_object_set_new(object, "detail",
			    ks_json_text(rebuild ? rebuild->detail : NULL));
	json_array_append_new(verifying->array, object);
}

static void print_line(const struct ks_target *target, const struct ks_rebuild *rebuild)
{
	static const char *const words[] = {
		[KS_REBUILD_SAME] = "built again: the same bytes",
		[KS_REBUILD_DIFFERS] = "built again: other bytes in ",
		[KS_REBUILD_FAILED] = "could not be built again: ",
		[KS_REBUILD_IMPOSSIBLE] = "cannot be compared: ",
	};
	g_autofree char *again = rebuild ? g_strconcat("; ", words[rebuild->verdict],
						       rebuild->detail, NULL)
					 : g_strdup("");
	g_autofree char *line = g_strdup_printf(
		"%s/%s on %s: %s%s", target->source->name, target->source->version,
		target->kernel->release, files_words(target), again);
	g_autofree char *clean = ks_message_clean(line);

	puts(clean);
	fflush(stdout);
}

static int get_code(const struct ks_target *target, const struct ks_rebuild *rebuild)
{
	if (target->installed != KS_INSTALLED_OK)
		return KS_EXIT_FAILED;
	if (!rebuild || rebuild->verdict == KS_REBUILD_SAME)
		return KS_EXIT_OK;
	return rebuild->verdict == KS_REBUILD_IMPOSSIBLE ? KS_EXIT_WAITING
							 : KS_EXIT_FAILED;
}

static bool verify(struct verifying *verifying, const struct ks_target *target,
		   GError **error)
{
	const struct ks_cli *cli = verifying->cli;
	ks_auto(ks_rebuild) rebuild = NULL;
	int code;

	if (rebuild_option) {
		rebuild = ks_rebuild_target(cli->system, cli->settings,
					    verifying->inventory, target, NULL, error);
		if (!rebuild)
			return false;
	}
	if (verifying->array)
		add_json(verifying, target, rebuild);
	else
		print_line(target, rebuild);
	code = get_code(target, rebuild);
	if (verifying->code != KS_EXIT_FAILED && code)
		verifying->code = code;
	return true;
}

static bool verify_all(struct verifying *verifying, const struct ks_selection *selection,
		       GError **error)
{
	for (guint i = 0; i < verifying->inventory->targets->len; i++) {
		const struct ks_target *target = verifying->inventory->targets->pdata[i];

		if (target->installed != KS_INSTALLED_NO &&
		    ks_selection_has(selection, target) &&
		    !verify(verifying, target, error))
			return false;
	}
	return true;
}

static void print_json(json_t *array)
{
	json_t *document = ks_json_document_new();

	json_object_set(document, "targets", array);
	ks_json_document_print(document);
}

static int verify_selection(struct ks_cli *cli, struct ks_selection *selection)
{
	ks_auto(ks_inventory) inventory = NULL;
	ks_auto(ks_plan) plan = NULL;
	g_autoptr(GError) error = NULL;
	struct verifying verifying = {.cli = cli};
	int code;

	code = ks_selection_look(cli, selection, &inventory, &plan);
	if (code)
		return code;
	verifying.inventory = inventory;
	verifying.array = cli->json ? json_array() : NULL;
	if (!verify_all(&verifying, selection, &error))
		verifying.code = ks_message_fail(error);
	else if (cli->json)
		print_json(verifying.array);
	if (verifying.array)
		json_decref(verifying.array);
	return verifying.code;
}

static int verify_selected(struct ks_cli *cli, struct ks_selection *selection)
{
	ks_auto(ks_lock) lock = NULL;
	g_autoptr(GError) error = NULL;

	if (rebuild_option) {
		if (ks_change_require_root("verify --rebuild", &error))
			lock = ks_change_lock(cli, "verify --rebuild", &error);
		if (!lock || !ks_build_sweep(cli->system, &error))
			return ks_message_fail(error);
	}
	return verify_selection(cli, selection);
}

static int run(struct ks_cli *cli, int argc, char **argv)
{
	return ks_selection_run(cli, argc > 1 ? argv[1] : NULL, kernel_option,
				verify_selected);
}

const struct ks_command ks_command_verify = {
	.name = "verify",
	.arguments = "[MODULE[/VERSION]]",
	.summary = "check that what is installed is what was built",
	.description =
		"Compares the installed files with what was built. With --rebuild each "
		"module is built\nonce more, privately, and must give the same bytes "
		"before signing and compression.",
	.options = options,
	.max_arguments = 1,
	.has_json = true,
	.run = run,
};
