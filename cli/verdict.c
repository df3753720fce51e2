/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Selections, lines and exit codes. */
#include "cli/verdict.h"

#include "cli/message.h"
#include "cli/options.h"
#include "core/support/error.h"
#include "core/support/name.h"

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
		     int (*command)(struct ks_cli *cli,
				    const struct ks_selection *selection))
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

bool ks_selection_check(const struct ks_selection *selection,
			const struct ks_inventory *inventory, GError **error)
{
	if (selection->module && !has_module(selection, inventory)) {
		ks_error_set(error, KS_ERROR_NOT_FOUND, "there is no module '%s%s%s'",
			     selection->module, selection->version ? "/" : "",
			     selection->version ? selection->version : "");
		ks_error_hint(error,
			      "'kmodsmith status' lists those there are; a new one "
			      "goes to /usr/src/NAME-VERSION with a dkms.conf in it");
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

bool ks_verdict_is_shown(const struct ks_verdict *verdict)
{
	const struct ks_target *target = verdict->target;

	return target->kernel->alive || target->artifact;
}

char *ks_verdict_name(const struct ks_verdict *verdict)
{
	return g_strdup_printf("%s/%s on %s", verdict->target->source->name,
			       verdict->target->source->version,
			       verdict->target->kernel->release);
}

char *ks_verdict_unresolved(const struct ks_verdict *verdict)
{
	const struct ks_artifact *artifact = verdict->target->artifact;

	return artifact ? ks_manifest_unresolved(artifact->manifest) : NULL;
}

static void add_note(GString *notes, const char *text)
{
	if (text)
		g_string_append_printf(notes, "%s%s", notes->len ? "; " : "", text);
}

char *ks_verdict_line(const struct ks_verdict *verdict)
{
	g_autofree char *name = ks_verdict_name(verdict);
	const char *state = ks_target_state_id(verdict->state);
	const struct ks_kernel *kernel = verdict->target->kernel;
	const bool is_bare = kernel->alive && !kernel->has_image;
	g_autofree char *unresolved = NULL;
	g_autoptr(GString) notes = g_string_new(NULL);

	/* not everything is as it should be */
	if (verdict->reason == KS_REASON_UP_TO_DATE)
		unresolved = ks_verdict_unresolved(verdict);
	if (unresolved)
		add_note(notes, unresolved);
	else if (verdict->reason != KS_REASON_UP_TO_DATE || verdict->detail)
		add_note(notes, ks_reason_words(verdict->reason));
	add_note(notes, verdict->detail);
	add_note(notes, is_bare ? "its kernel has headers and no image" : NULL);
	return notes->len ? g_strdup_printf("%s: %s (%s)", name, state, notes->str)
			  : g_strdup_printf("%s: %s", name, state);
}

char *ks_verdict_failure(const struct ks_verdict *verdict)
{
	const struct ks_failure *failure = verdict->target->failure;
	const char *what;

	if (verdict->state == KS_TARGET_FAILED && failure) {
		what = failure->reason == KS_REASON_VERIFY_FAILED ? "verification"
								  : "build";
		return g_strdup_printf("%s failed at %s: %s", what,
				       failure->step ? failure->step : "some step",
				       failure->first_error ? failure->first_error
							    : "see the log");
	}
	if (verdict->detail)
		return g_strdup_printf("%s: %s", ks_reason_words(verdict->reason),
				       verdict->detail);
	return g_strdup(ks_reason_words(verdict->reason));
}

int ks_verdict_exit_code(const struct ks_plan *plan, const struct ks_selection *selection)
{
	int code = KS_EXIT_OK;

	for (guint i = 0; i < plan->verdicts->len; i++) {
		const struct ks_verdict *verdict = g_ptr_array_index(plan->verdicts, i);

		if (!ks_verdict_is_shown(verdict) ||
		    !ks_selection_has(selection, verdict->target))
			continue;
		if (verdict->state == KS_TARGET_FAILED ||
		    verdict->state == KS_TARGET_BROKEN)
			return KS_EXIT_FAILED;
		if (verdict->state == KS_TARGET_WAITING && verdict->wanted)
			code = KS_EXIT_WAITING;
	}
	return code;
}
