/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Selections, lines and exit codes. */
#include "cli/verdict.h"

#include "cli/message.h"
#include "cli/options.h"
#include "core/support/error.h"
#include "core/support/name.h"

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
	return g_strdup(verdict->target->unresolved);
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
	if (verdict->reason == KS_REASON_UP_TO_DATE ||
	    verdict->reason == KS_REASON_UNRESOLVED)
		unresolved = ks_verdict_unresolved(verdict);
	if (unresolved)
		add_note(notes, unresolved);
	else if (verdict->reason != KS_REASON_UP_TO_DATE || verdict->detail)
		add_note(notes, ks_reason_words(verdict->reason));
	add_note(notes, verdict->detail);
	add_note(notes, is_bare ? "its kernel has headers and no image" : NULL);
	add_note(notes, kernel->alive && kernel->is_foreign
				? "its kernel cannot run this system"
				: NULL);
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

char *ks_verdict_lost(const struct ks_verdict *verdict)
{
	g_autofree char *failure = NULL;

	if (!verdict->lost_from)
		return NULL;
	failure = verdict->state == KS_TARGET_EXCLUDED && verdict->detail
			  ? g_strdup(verdict->detail)
			  : ks_verdict_failure(verdict);
	return g_strdup_printf("%s is on %s (running), and will not be on %s (booted "
			       "next): %s",
			       verdict->target->source->name, verdict->lost_from->release,
			       verdict->target->kernel->release, failure);
}

static bool is_in_place(const struct ks_target *target)
{
	return target->installed == KS_INSTALLED_OK ||
	       target->installed == KS_INSTALLED_CHANGED;
}

/* The table is in core/README.md; tests/cli/codes.bats goes through it. */
static int exit_code_of(const struct ks_verdict *verdict)
{
	switch (verdict->state) {
	case KS_TARGET_FAILED:
	case KS_TARGET_BROKEN:
		return KS_EXIT_FAILED;
	case KS_TARGET_WAITING:
		return verdict->wanted ? KS_EXIT_WAITING : KS_EXIT_OK;
	case KS_TARGET_BUILT:
	case KS_TARGET_STALE:
		if (verdict->reason == KS_REASON_READ_ONLY)
			return KS_EXIT_PENDING;
		return verdict->wanted && !is_in_place(verdict->target) ? KS_EXIT_WAITING
									: KS_EXIT_OK;
	case KS_TARGET_RECORDED:
		return verdict->reason == KS_REASON_UNRESOLVED ? KS_EXIT_WAITING
							       : KS_EXIT_OK;
	case KS_TARGET_INSTALLED:
		if (verdict->reason == KS_REASON_UNRESOLVED)
			return KS_EXIT_WAITING;
		return verdict->reason == KS_REASON_NOT_RECORDED ||
				       verdict->reason == KS_REASON_RECORD_STALE
			       ? KS_EXIT_PENDING
			       : KS_EXIT_OK;
	case KS_TARGET_ADDED:
	case KS_TARGET_EXCLUDED:
	case KS_TARGET_SATISFIED:
		break;
	}
	return KS_EXIT_OK;
}

/* What is worse comes first: a driver that failed, one that is not there, a record. */
static int get_rank(int code)
{
	static const int order[] = {KS_EXIT_OK, KS_EXIT_PENDING, KS_EXIT_WAITING,
				    KS_EXIT_FAILED};
	int rank = 0;

	while (order[rank] != code)
		rank++;
	return rank;
}

int ks_verdict_worse_code(int a, int b)
{
	return get_rank(a) >= get_rank(b) ? a : b;
}

/*
 * No driver is missing where nobody can boot: that a compiler for such a kernel is missing
 * is no failure, unless somebody has named it.
 */
static bool is_no_matter(const struct ks_verdict *verdict,
			 const struct ks_selection *selection)
{
	return verdict->state == KS_TARGET_WAITING &&
	       verdict->target->kernel->is_foreign && !selection->release;
}

static int get_exit_code(const struct ks_plan *plan, const struct ks_selection *selection,
			 bool in_place)
{
	int code = KS_EXIT_OK;

	for (guint i = 0; i < plan->verdicts->len; i++) {
		const struct ks_verdict *verdict = g_ptr_array_index(plan->verdicts, i);

		if (!ks_verdict_is_shown(verdict) ||
		    !ks_selection_has(selection, verdict->target) ||
		    is_no_matter(verdict, selection))
			continue;
		if (!in_place && (verdict->state == KS_TARGET_BUILT ||
				  verdict->state == KS_TARGET_STALE))
			continue;
		code = ks_verdict_worse_code(code, exit_code_of(verdict));
		if (in_place && verdict->lost_from)
			code = ks_verdict_worse_code(code, KS_EXIT_WAITING);
	}
	return code;
}

int ks_verdict_exit_code(const struct ks_plan *plan, const struct ks_selection *selection)
{
	return get_exit_code(plan, selection, true);
}

int ks_verdict_exit_code_out_of_place(const struct ks_plan *plan,
				      const struct ks_selection *selection)
{
	return get_exit_code(plan, selection, false);
}
