/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kmodsmith explain: everything known of a module on a kernel, and what to do. */
#include "cli/json.h"
#include "cli/message.h"
#include "cli/run.h"
#include "cli/find.h"
#include "core/install/install.h"
#include "core/record/record.h"
#include "core/support/error.h"

static char *kernel_option;

static const GOptionEntry options[] = {
	{"kernel", 'k', 0, G_OPTION_ARG_STRING, &kernel_option, "only on this kernel",
	 "RELEASE"},
	{NULL},
};

/* What would change the verdict, and what to type; %M is MODULE/VERSION, %K
 * the kernel. */
static const struct advice {
	enum ks_reason reason;
	const char *change;
	const char *command;
} advices[] = {
	{KS_REASON_NOT_WANTED, "AUTOINSTALL=yes in its dkms.conf, or asking for it",
	 "kmodsmith install %M --kernel %K"},
	{KS_REASON_NEVER_BUILT, "the next sync builds it", "kmodsmith sync"},
	{KS_REASON_INPUT_CHANGED, "the next sync builds it again", "kmodsmith sync"},
	{KS_REASON_FILES_MISSING, "the next sync puts the files back", "kmodsmith sync"},
	{KS_REASON_FILES_CHANGED, "the next sync replaces the files", "kmodsmith sync"},
	{KS_REASON_NOT_INSTALLED, "the next sync installs it", "kmodsmith sync"},
	{KS_REASON_NOT_RECORDED, "the next sync records it", "kmodsmith sync"},
	{KS_REASON_RECORD_STALE, "the next sync records it again", "kmodsmith sync"},
	{KS_REASON_HEADERS_MISSING, "installing the kernel's headers", NULL},
	{KS_REASON_HEADERS_CLOSED, "letting the build user read the headers", NULL},
	{KS_REASON_TOOLCHAIN_MISSING, "installing what is missing", NULL},
	{KS_REASON_DEPENDS_MISSING,
	 "installing the module it depends on; --force builds without it",
	 "kmodsmith build --force %M --kernel %K"},
	{KS_REASON_EXCLUSIVE_KERNEL, "a version of it for this kernel", NULL},
	{KS_REASON_EXCLUSIVE_KERNEL_MIN,
	 "a newer kernel, or a version of it for this one", NULL},
	{KS_REASON_EXCLUSIVE_KERNEL_MAX, "a newer version of it", NULL},
	{KS_REASON_EXCLUSIVE_ARCH, "a version of it for this architecture", NULL},
	{KS_REASON_EXCLUSIVE_CONFIG, "a kernel with another configuration", NULL},
	{KS_REASON_OBSOLETE_BY, "nothing: the kernel has it", NULL},
	{KS_REASON_EXCLUDED_BY_CONF, "a version of it for this kernel", NULL},
	{KS_REASON_SUPERSEDED, "removing the higher version, or asking for this one",
	 "kmodsmith install %M --kernel %K"},
	{KS_REASON_KERNEL_NOT_SELECTED, "the setting 'kernels' in kmodsmith.conf(5)",
	 "kmodsmith install %M --kernel %K"},
	{KS_REASON_SKIPPED, "the setting 'skip' in kmodsmith.conf(5)", NULL},
	{KS_REASON_HELD, "the setting 'hold' in kmodsmith.conf(5)", NULL},
	{KS_REASON_NO_AUTOINSTALL, "removing /etc/dkms/no-autoinstall",
	 "kmodsmith install %M --kernel %K"},
	{KS_REASON_BUILD_FAILED,
	 "a change of its source, the headers, the compiler or packages; 'kmodsmith "
	 "sync' tries it now",
	 "kmodsmith log %M --kernel %K"},
	{KS_REASON_VERIFY_FAILED,
	 "a change of its source, the headers, the compiler or packages; 'kmodsmith "
	 "sync' tries it now",
	 "kmodsmith log %M --kernel %K"},
	{KS_REASON_IN_TREE, "a higher version of it, or asking for it",
	 "kmodsmith install %M --kernel %K"},
	{KS_REASON_SOURCE_BROKEN, "mending its dkms.conf or source directory", NULL},
	{KS_REASON_SOURCE_GONE, "the next sync removes it", "kmodsmith sync"},
	{KS_REASON_KERNEL_GONE, "the next sync removes it", "kmodsmith sync"},
	{KS_REASON_REPLACED, "the next sync removes it", "kmodsmith sync"},
	{KS_REASON_DISMISSED, "asking for it", "kmodsmith install %M --kernel %K"},
	{KS_REASON_FOREIGN, "removing the other file or package", NULL},
	{KS_REASON_RETRY_DUE, "the next sync tries it again", "kmodsmith sync"},
	{KS_REASON_RIVAL,
	 "removing the other source, or asking for this one, which then takes its place",
	 "kmodsmith install %M --kernel %K"},
	{KS_REASON_OCCUPIED, "removing the other file or its package", "kmodsmith sync"},
	{KS_REASON_NEWER_FAILED, "the higher version, as soon as it builds",
	 "kmodsmith sync"},
	{KS_REASON_UNRESOLVED, "installing the module that exports them", NULL},
	{KS_REASON_READ_ONLY, "mounting it writable", "kmodsmith sync"},
};

static const struct advice *find_advice(enum ks_reason reason)
{
	for (size_t i = 0; i < G_N_ELEMENTS(advices); i++)
		if (advices[i].reason == reason)
			return &advices[i];
	return NULL;
}

static void print_field(const char *name, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void print_field(const char *name, const char *format, ...)
{
	g_autofree char *text = NULL;
	g_autofree char *clean = NULL;
	va_list args;

	va_start(args, format);
	text = g_strdup_vprintf(format, args);
	va_end(args);
	clean = ks_message_clean(text);
	printf("  %-9s %s\n", name, clean);
}

static char *format_time(gint64 time_us)
{
	g_autoptr(GDateTime) time =
		g_date_time_new_from_unix_local(time_us / G_USEC_PER_SEC);

	return time ? g_date_time_format(time, "%Y-%m-%d %H:%M:%S") : g_strdup("?");
}

static void print_source(const struct ks_source *source)
{
	print_field("source", "%s (%s%s%s)", source->path ? source->path : "gone",
		    source->autoinstall ? "AUTOINSTALL" : "no AUTOINSTALL",
		    source->added ? ", added" : ", not added yet",
		    source->asked ? ", asked for" : "");
	if (source->problem)
		print_field("problem", "%s", source->problem);
}

static void print_kernel(const struct ks_kernel *kernel)
{
	const char *life = !kernel->alive      ? "gone"
			   : kernel->has_image ? "alive"
					       : "headers only, no image";

	print_field("kernel", "%s, %s%s, headers %s%s, compiler %s%s%s", life,
		    kernel->arch, kernel->is_foreign ? " (cannot run this system)" : "",
		    kernel->has_headers ? "at " : "not there",
		    kernel->has_headers ? kernel->headers_dir : "",
		    kernel->compiler ? kernel->compiler : "not known",
		    kernel->running ? ", running" : "",
		    kernel->is_default ? ", booted by default" : "");
	if (kernel->toolchain_problem)
		print_field("toolchain", "%s", kernel->toolchain_problem);
}

/* Of the kernel, whatever its modules do: what boots may have older ones. */
static void print_images(const struct ks_cli *cli, struct ks_kernel *kernel)
{
	struct ks_image_facts facts;

	if (!kernel->alive)
		return;
	ks_install_look_at_image(cli->system, kernel, &facts);
	if (facts.is_stale)
		print_field("initramfs", "older than the modules; %s",
			    cli->settings->initramfs
				    ? "the next sync renews it"
				    : "'initramfs = false' leaves it to you");
	if (facts.is_left)
		print_field("initramfs", "older than the modules; the program that makes "
					 "it has left it as it was");
	if (facts.unrenewed_is_stale)
		print_field("initramfs", "%s", facts.unrenewed);
	g_free(facts.unrenewed);
}

static const char *installed_words(enum ks_installed installed)
{
	switch (installed) {
	case KS_INSTALLED_OK:
		return "in place";
	case KS_INSTALLED_MISSING:
		return "gone";
	case KS_INSTALLED_CHANGED:
		return "changed by somebody else";
	case KS_INSTALLED_NO:
		break;
	}
	return "not installed";
}

static void print_artifact(const struct ks_target *target)
{
	const struct ks_manifest *manifest =
		target->artifact ? target->artifact->manifest : NULL;
	g_autofree char *built = NULL;

	if (target->artifact && target->artifact->problem)
		print_field("problem", "%s", target->artifact->problem);
	if (!target->built) {
		print_field("built", "no");
		return;
	}
	if (!manifest) {
		print_field("built", "by dkms");
		return;
	}
	built = format_time(manifest->built_at_us);
	print_field("built",
		    "%s in %" G_GINT64_FORMAT ".%" G_GINT64_FORMAT " s, sandbox: %s",
		    built, manifest->build_duration_ms / 1000,
		    manifest->build_duration_ms % 1000 / 100,
		    manifest->sandbox_layers ? manifest->sandbox_layers : "not known");
	print_field("inputs", "%s%s",
		    target->built_fingerprint ? target->built_fingerprint : "not known",
		    target->fingerprint && target->built_fingerprint &&
				    !g_str_equal(target->fingerprint,
						 target->built_fingerprint)
			    ? " (others now)"
			    : "");
	if (manifest->covers)
		print_field("inputs are", "%s", manifest->covers);
	for (guint i = 0; i < manifest->files->len; i++) {
		const struct ks_manifest_file *file =
			g_ptr_array_index(manifest->files, i);

		print_field("file", "%s/%s (%s)", file->dest_dir, file->name,
			    installed_words(target->installed));
	}
	if (target->unresolved)
		print_field("warning", "%s", target->unresolved);
}

static void print_failure(const struct ks_target *target)
{
	const struct ks_failure *failure = target->failure;
	g_autofree char *when = NULL;

	if (!failure)
		return;
	when = format_time(failure->failed_at_us);
	print_field("failed", "%s at %s: %s", when, failure->step ? failure->step : "?",
		    failure->first_error ? failure->first_error : "see the log");
	if (failure->log_path)
		print_field("log", "%s", failure->log_path);
	if (failure->hint)
		print_field("hint", "%s", failure->hint);
}

static char *fill_in(const char *command, const struct ks_target *target)
{
	GString *text = g_string_new(command);
	g_autofree char *module =
		g_strdup_printf("%s/%s", target->source->name, target->source->version);

	g_string_replace(text, "%M", module, 1);
	g_string_replace(text, "%K", target->kernel->release, 1);
	return g_string_free(text, FALSE);
}

static void print_advice(const struct ks_cli *cli, const struct ks_verdict *verdict)
{
	const struct advice *advice = find_advice(verdict->reason);
	g_autofree char *command = NULL;

	if (verdict->reason == KS_REASON_HEADERS_MISSING) {
		g_autofree char *package = ks_record_headers_package(
			cli->system, verdict->target->kernel->release, NULL);

		print_field("changes", "%s", advice->change);
		if (package)
			print_field("next", "install the package %s", package);
		return;
	}
	if (!advice)
		return;
	print_field("changes", "%s", advice->change);
	if (!advice->command)
		return;
	command = fill_in(advice->command, verdict->target);
	print_field("next", "%s", command);
}

static void explain(const struct ks_cli *cli, const struct ks_inventory *inventory,
		    const struct ks_verdict *verdict)
{
	const struct ks_target *target = verdict->target;
	const struct ks_record_entry *record = ks_source_find_record(inventory, target);
	g_autofree char *name = ks_verdict_name(verdict);

	printf("%s: %s\n", name, ks_target_state_id(verdict->state));
	print_field("why", "%s (%s)%s%s", ks_reason_words(verdict->reason),
		    ks_reason_id(verdict->reason), verdict->detail ? "; " : "",
		    verdict->detail ? verdict->detail : "");
	print_source(target->source);
	print_kernel(target->kernel);
	if (target->conf_problem)
		print_field("problem", "%s", target->conf_problem);
	if (target->exclusion_text)
		print_field("excluded", "%s", target->exclusion_text);
	if (target->in_tree)
		print_field("in-tree", "%s", target->in_tree);
	print_artifact(target);
	if (record)
		print_field("package", "%s%s", record->package,
			    target->recorded == KS_RECORDED_OK ? ""
							       : " (not as it is now)");
	print_images(cli, target->kernel);
	print_failure(target);
	print_advice(cli, verdict);
}

/* There is no kernel to build it for; only facts about the source are known. */
static void explain_sources(const struct ks_inventory *inventory,
			    const struct ks_selection *selection)
{
	for (guint i = 0; i < inventory->sources->len; i++) {
		const struct ks_source *source = g_ptr_array_index(inventory->sources, i);

		if (!ks_selection_has_source(selection, source))
			continue;
		printf("%s/%s: there is no kernel\n", source->name, source->version);
		print_source(source);
	}
}

static int explain_selected(struct ks_cli *cli, struct ks_selection *selection)
{
	ks_auto(ks_inventory) inventory = NULL;
	ks_auto(ks_plan) plan = NULL;
	guint n = 0;
	int code;

	code = ks_selection_look(cli, selection, &inventory, &plan);
	if (code)
		return code;
	if (cli->json) {
		ks_json_print_status(inventory, plan, selection);
		return ks_verdict_exit_code(plan, selection);
	}
	for (guint i = 0; i < plan->verdicts->len; i++) {
		const struct ks_verdict *verdict = g_ptr_array_index(plan->verdicts, i);

		if (!ks_verdict_is_shown(verdict) ||
		    !ks_selection_has(selection, verdict->target))
			continue;
		if (n++)
			putchar('\n');
		explain(cli, inventory, verdict);
	}
	if (!n)
		explain_sources(inventory, selection);
	return ks_verdict_exit_code(plan, selection);
}

static int run(struct ks_cli *cli, int argc, char **argv)
{
	return ks_selection_run(cli, argv[1], kernel_option, explain_selected);
}

const struct ks_command ks_command_explain = {
	.name = "explain",
	.arguments = "MODULE[/VERSION]",
	.summary = "print everything known about a module, and what to do next",
	.description =
		"For each kernel: the state and its reason, source, headers, build, "
		"files, package,\nlast failure, what would change the state, and the "
		"command to type next.",
	.options = options,
	.min_arguments = 1,
	.max_arguments = 1,
	.has_json = true,
	.run = run,
};
