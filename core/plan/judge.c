/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The verdict of each target, and what is to be done about it. */
#include "core/plan/planner.h"

static void decide(struct ks_plan_cell *cell, enum ks_target_state state,
		   enum ks_reason reason, const char *detail)
{
	cell->verdict->state = state;
	cell->verdict->reason = reason;
	g_free(cell->verdict->detail);
	cell->verdict->detail = g_strdup(detail);
}

static bool is_installed(const struct ks_plan_cell *cell)
{
	return cell->target->installed != KS_INSTALLED_NO;
}

/* Installing works from the manifest; an artifact without one must be built again. */
static bool has_manifest(const struct ks_target *target)
{
	return target->artifact && target->artifact->manifest;
}

static bool can_be_installed(const struct ks_target *target)
{
	return target->built && has_manifest(target);
}

/* --- installed, and to stay so */

static enum ks_target_state recorded_state(const struct ks_planner *planner,
					   const struct ks_target *target)
{
	if (!planner->inventory->has_recorder)
		return KS_TARGET_INSTALLED;
	return target->recorded == KS_RECORDED_OK ? KS_TARGET_RECORDED
						  : KS_TARGET_INSTALLED;
}

static enum ks_reason recorded_reason(const struct ks_planner *planner,
				      const struct ks_target *target)
{
	if (ks_planner_has_records(planner, target->kernel)) {
		if (target->recorded == KS_RECORDED_NO)
			return KS_REASON_NOT_RECORDED;
		if (target->recorded == KS_RECORDED_STALE)
			return KS_REASON_RECORD_STALE;
		if (target->recorded == KS_RECORDED_FOREIGN)
			return KS_REASON_FOREIGN;
	}
	if (target->is_useless)
		return KS_REASON_UNRESOLVED;
	return target->built_fingerprint ? KS_REASON_UP_TO_DATE : KS_REASON_ADOPTED;
}

/* Everything is as it should be, except perhaps its record. */
static void settle(struct ks_planner *planner, struct ks_plan_cell *cell,
		   const char *detail)
{
	decide(cell, recorded_state(planner, cell->target),
	       recorded_reason(planner, cell->target), detail);
}

/*
 * It stays although one would not install it today. Its missing files are put
 * back, unless the administrator wants it left alone.
 */
static void keep(struct ks_planner *planner, struct ks_plan_cell *cell,
		 enum ks_reason reason, const char *detail)
{
	const struct ks_target *target = cell->target;
	bool repairable = reason != KS_REASON_SKIPPED && can_be_installed(target);

	if (target->installed == KS_INSTALLED_MISSING) {
		decide(cell, KS_TARGET_BUILT, KS_REASON_FILES_MISSING, detail);
		cell->install = repairable && cell->in_scope &&
				!ks_goal_only_builds(planner->request->goal);
	} else if (target->installed == KS_INSTALLED_CHANGED) {
		decide(cell, KS_TARGET_INSTALLED, KS_REASON_FILES_CHANGED, detail);
	} else {
		decide(cell, recorded_state(planner, target), reason, detail);
	}
}

/* --- chosen: the version that is to be installed here */

/* Takes missing. */
static void wait_for_depends(struct ks_plan_cell *cell, char **missing)
{
	g_autofree char *names = g_strjoinv(", ", missing);
	g_autofree char *detail = g_strdup_printf("needs %s", names);

	decide(cell, KS_TARGET_WAITING, KS_REASON_DEPENDS_MISSING, detail);
	cell->verdict->missing_depends = missing;
}

static const char *why_unbuildable(const struct ks_target *target, enum ks_reason *reason)
{
	const struct ks_kernel *kernel = target->kernel;
	const char *problem = target->own_toolchain ? target->toolchain_problem
						    : kernel->toolchain_problem;

	if (!kernel->has_headers) {
		*reason = KS_REASON_HEADERS_MISSING;
		return "headers are gone; it cannot be rebuilt";
	}
	if (kernel->headers_problem) {
		*reason = KS_REASON_HEADERS_CLOSED;
		return kernel->headers_problem;
	}
	if (problem) {
		*reason = KS_REASON_TOOLCHAIN_MISSING;
		return problem;
	}
	return NULL;
}

/* Of what was never built the words of the reason say that headers are missing. */
static char *describe_unbuildable(const struct ks_kernel *kernel, enum ks_reason reason,
				  const char *why)
{
	if (reason != KS_REASON_HEADERS_MISSING)
		return g_strdup(why);
	return kernel->has_unprepared
		       ? g_strdup_printf("'%s' is not prepared", kernel->headers_dir)
		       : NULL;
}

static enum ks_reason build_reason(const struct ks_target *target, bool forced)
{
	if (forced)
		return KS_REASON_REQUESTED;
	if (target->is_retry_due)
		return KS_REASON_RETRY_DUE;
	if (!target->built)
		return target->installed == KS_INSTALLED_MISSING ? KS_REASON_FILES_MISSING
								 : KS_REASON_NEVER_BUILT;
	if (!ks_planner_is_fresh(target))
		return KS_REASON_INPUT_CHANGED;
	if (target->installed == KS_INSTALLED_MISSING)
		return KS_REASON_FILES_MISSING;
	if (target->installed == KS_INSTALLED_CHANGED)
		return KS_REASON_FILES_CHANGED;
	return KS_REASON_NEVER_BUILT;
}

/*
 * What it is built upon has to be where its makefile looks for it meanwhile: what the store
 * has is put there.
 */
static void want_depends_in_place(struct ks_planner *planner,
				  const struct ks_plan_cell *cell)
{
	char **depends = cell->target->build_depends;

	for (; cell->in_scope && depends && *depends; depends++) {
		struct ks_plan_group *group =
			ks_planner_find_depend(planner, cell, *depends);

		if (group && group->chosen && !group->chosen->build &&
		    ks_planner_is_prepared(planner, group->chosen)) {
			group->chosen->build = true;
			want_depends_in_place(planner, group->chosen);
		}
	}
}

static void want_build(struct ks_planner *planner, struct ks_plan_cell *cell, bool forced)
{
	const struct ks_target *target = cell->target;
	const char *detail = target->artifact && !ks_planner_is_fresh(target)
				     ? target->artifact->problem
				     : NULL;

	decide(cell, KS_TARGET_STALE, build_reason(target, forced), detail);
	cell->build = cell->in_scope;
	want_depends_in_place(planner, cell);
	cell->install = cell->in_scope && !ks_goal_only_builds(planner->request->goal);
}

/* It cannot be built now. The result of the last good build is better than nothing. */
static void fall_back(struct ks_planner *planner, struct ks_plan_cell *cell)
{
	const struct ks_target *target = cell->target;

	cell->install = target->installed == KS_INSTALLED_MISSING &&
			can_be_installed(target) && cell->in_scope &&
			!ks_goal_only_builds(planner->request->goal);
}

static void judge_unbuilt(struct ks_planner *planner, struct ks_plan_cell *cell,
			  bool forced)
{
	const struct ks_target *target = cell->target;
	enum ks_reason reason = KS_REASON_HEADERS_MISSING;
	const char *why = why_unbuildable(target, &reason);
	g_auto(GStrv) missing = NULL;
	g_autofree char *unbuildable = NULL;

	if (why) {
		unbuildable = describe_unbuildable(target->kernel, reason, why);
		decide(cell, KS_TARGET_WAITING, reason, unbuildable);
		fall_back(planner, cell);
		return;
	}
	/* first: a failure with another set of dependencies means little */
	missing = ks_planner_find_missing_depends(planner, cell);
	if (missing && !(planner->request->ignore_depends && cell->matched)) {
		wait_for_depends(cell, g_steal_pointer(&missing));
		fall_back(planner, cell);
		return;
	}
	if (ks_planner_is_known_failure(planner, cell)) {
		decide(cell, KS_TARGET_FAILED, target->failure->reason,
		       target->failure->first_error);
		fall_back(planner, cell);
		return;
	}
	want_build(planner, cell, forced);
}

static void want_install(struct ks_planner *planner, struct ks_plan_cell *cell,
			 bool requested)
{
	enum ks_reason reason = KS_REASON_NOT_INSTALLED;

	if (requested)
		reason = KS_REASON_REQUESTED;
	else if (cell->target->installed == KS_INSTALLED_MISSING)
		reason = KS_REASON_FILES_MISSING;
	else if (cell->target->installed == KS_INSTALLED_CHANGED)
		reason = KS_REASON_FILES_CHANGED;
	decide(cell, KS_TARGET_BUILT, reason, NULL);
	cell->install = cell->in_scope && !ks_goal_only_builds(planner->request->goal);
}

/*
 * Signing again replaces the artifact, and so goes together with installing it:
 * "build" of something that is installed leaves it as it is.
 */
static bool wants_signature(const struct ks_planner *planner,
			    const struct ks_plan_cell *cell)
{
	return cell->target->signature_stale && can_be_installed(cell->target) &&
	       !ks_goal_only_builds(planner->request->goal) &&
	       !planner->request->keep_signature;
}

static void want_signature(struct ks_plan_cell *cell)
{
	decide(cell, KS_TARGET_STALE, KS_REASON_SIGNATURE_CHANGED, NULL);
	cell->sign = cell->install = cell->in_scope;
}

/* Whether or not the result would differ, as dkms does. */
static bool judge_dependent(struct ks_planner *planner, struct ks_plan_cell *cell)
{
	g_autofree char *detail = ks_planner_find_changed_depend(planner, cell);

	if (!detail)
		return false;
	decide(cell, KS_TARGET_STALE, KS_REASON_DEPENDS_CHANGED, detail);
	cell->in_scope = cell->build = cell->install = true;
	return true;
}

static void judge_chosen(struct ks_planner *planner, struct ks_plan_cell *cell)
{
	const struct ks_target *target = cell->target;
	bool forced = planner->request->force && cell->matched;
	enum ks_reason reason;
	const char *why = why_unbuildable(target, &reason);

	cell->verdict->wanted = true;
	if (!why && judge_dependent(planner, cell))
		return;
	if (target->in_tree && !cell->group->incumbent &&
	    !ks_planner_is_requested(planner, cell)) {
		decide(cell, KS_TARGET_SATISFIED, KS_REASON_IN_TREE, target->in_tree);
		return;
	}
	if (planner->request->goal == KS_GOAL_REINSTALL && cell->matched &&
	    ks_planner_is_fresh(target) && can_be_installed(target)) {
		want_install(planner, cell, true);
		return;
	}
	/* somebody who asks for it by name meets the error itself */
	if (!forced && target->occupied && ks_planner_is_fresh(target) &&
	    !ks_planner_is_requested(planner, cell)) {
		decide(cell, KS_TARGET_FAILED, KS_REASON_OCCUPIED, target->occupied);
		return;
	}
	/* A module that works is not called stale while nothing can be done about it. */
	if (!forced && wants_signature(planner, cell) &&
	    (ks_planner_is_fresh(target) ||
	     (why && target->installed == KS_INSTALLED_OK)))
		want_signature(cell);
	else if (!forced && target->installed == KS_INSTALLED_OK &&
		 (ks_planner_is_fresh(target) || why))
		settle(planner, cell, why);
	else if (!forced && ks_planner_is_fresh(target) && can_be_installed(target))
		want_install(planner, cell, false);
	else if (!forced && ks_planner_is_prepared(planner, cell))
		decide(cell, KS_TARGET_BUILT, KS_REASON_IN_STORE, NULL);
	else
		judge_unbuilt(planner, cell, forced);
}

/* --- not chosen */

static enum ks_reason exclusion_reason(enum ks_conf_exclusion exclusion)
{
	switch (exclusion) {
	case KS_CONF_EXCLUDED_KERNEL:
		return KS_REASON_EXCLUSIVE_KERNEL;
	case KS_CONF_EXCLUDED_KERNEL_MIN:
		return KS_REASON_EXCLUSIVE_KERNEL_MIN;
	case KS_CONF_EXCLUDED_KERNEL_MAX:
		return KS_REASON_EXCLUSIVE_KERNEL_MAX;
	case KS_CONF_EXCLUDED_ARCH:
		return KS_REASON_EXCLUSIVE_ARCH;
	case KS_CONF_EXCLUDED_CONFIG:
		return KS_REASON_EXCLUSIVE_CONFIG;
	case KS_CONF_EXCLUDED_OBSOLETE_BY:
		return KS_REASON_OBSOLETE_BY;
	case KS_CONF_EXCLUDED_BY_CONF:
	case KS_CONF_NOT_EXCLUDED:
		break;
	}
	return KS_REASON_EXCLUDED_BY_CONF;
}

static void drop(struct ks_plan_cell *cell, enum ks_reason reason)
{
	const struct ks_target *target = cell->target;

	if (!cell->in_scope)
		return;
	/* without a manifest nobody knows which files are its */
	cell->uninstall = is_installed(cell) && has_manifest(target);
	cell->unbuild = target->artifact || target->failure;
	cell->removal_reason = reason;
}

/* Another version is installed here, or is about to be: this one goes once that
 * is done. */
static void judge_replaced(struct ks_planner *planner, struct ks_plan_cell *cell)
{
	const struct ks_plan_cell *chosen = cell->group->chosen;
	const char *version = chosen->target->source->version;
	bool gone = ks_planner_is_gone(cell->target->source);
	g_autofree char *detail = NULL;

	if (!chosen->install && chosen->target->installed != KS_INSTALLED_OK) {
		detail = g_strdup_printf("version %s is %s: %s", version,
					 ks_target_state_id(chosen->verdict->state),
					 ks_reason_words(chosen->verdict->reason));
		keep(planner, cell, KS_REASON_KEPT, detail);
		return;
	}
	detail = g_strdup_printf("version %s takes its place", version);
	decide(cell, KS_TARGET_EXCLUDED, gone ? KS_REASON_REPLACED : KS_REASON_SUPERSEDED,
	       detail);
	cell->uninstall = true;
	cell->unbuild = gone && cell->in_scope &&
			ks_planner_is_removable(planner, cell->target->source);
	cell->removal_reason = KS_REASON_REPLACED;
}

static void judge_gone(struct ks_planner *planner, struct ks_plan_cell *cell)
{
	const struct ks_source *source = cell->target->source;
	bool removable = ks_planner_is_removable(planner, source);
	bool stays = ks_planner_stays_gone(planner, cell);

	if (source->dismissed) {
		decide(cell, KS_TARGET_ADDED, KS_REASON_DISMISSED, NULL);
		drop(cell, KS_REASON_REQUESTED);
		return;
	}
	if (is_installed(cell) && stays) {
		keep(planner, cell, removable ? KS_REASON_KEPT : KS_REASON_SOURCE_GONE,
		     removable ? "its source was removed" : NULL);
	} else if (!removable) {
		decide(cell, KS_TARGET_BROKEN, KS_REASON_SOURCE_GONE, NULL);
	} else {
		decide(cell, KS_TARGET_EXCLUDED, KS_REASON_SOURCE_GONE,
		       "the next sync removes it");
		drop(cell, KS_REASON_SOURCE_GONE);
	}
}

/* "foo.ko is brought by bar/1.0, which is recorded": both are named. */
static char *describe_rival(const struct ks_plan_cell *cell)
{
	const struct ks_plan_cell *rival = cell->group->rival;
	const struct ks_source *source = rival->target->source;
	char **names = cell->target->makes;
	const char *const *others = (const char *const *)rival->target->makes;

	while (names && *names && !g_strv_contains(others, *names))
		names++;
	return g_strdup_printf("%s.ko is brought by %s/%s",
			       names && *names ? *names : "a module", source->name,
			       source->version);
}

/* Installed, and somebody has asked for another source's module of that name. */
static void judge_beaten(struct ks_planner *planner, struct ks_plan_cell *cell)
{
	const struct ks_plan_cell *rival = cell->group->rival;
	g_autofree char *detail = describe_rival(cell);

	if (!rival->install) {
		keep(planner, cell, KS_REASON_KEPT, detail);
		return;
	}
	decide(cell, KS_TARGET_EXCLUDED, KS_REASON_RIVAL, detail);
	cell->uninstall = has_manifest(cell->target);
	cell->removal_reason = KS_REASON_RIVAL;
}

static void judge_incumbent(struct ks_planner *planner, struct ks_plan_cell *cell)
{
	const struct ks_target *target = cell->target;
	const char *detail = NULL;

	if (cell->group->rival && !cell->group->blocked) {
		judge_beaten(planner, cell);
		return;
	}
	if (cell->group->blocked && cell->group->block != KS_REASON_REQUESTED) {
		keep(planner, cell, cell->group->block, NULL);
		return;
	}
	if (target->exclusion != KS_CONF_NOT_EXCLUDED)
		detail = target->exclusion_text
				 ? target->exclusion_text
				 : ks_reason_words(exclusion_reason(target->exclusion));
	else if (!ks_planner_is_wanted(planner, cell))
		detail = ks_reason_words(KS_REASON_NOT_WANTED);
	keep(planner, cell, KS_REASON_KEPT, detail);
}

static void judge_unwanted(struct ks_planner *planner, struct ks_plan_cell *cell)
{
	bool autoinstall = cell->target->source->autoinstall;

	decide(cell, cell->target->built ? KS_TARGET_BUILT : KS_TARGET_ADDED,
	       autoinstall ? KS_REASON_NO_AUTOINSTALL : KS_REASON_NOT_WANTED, NULL);
}

/* Present, readable, not chosen, not installed: it only needs a reason. */
static void judge_idle(struct ks_planner *planner, struct ks_plan_cell *cell)
{
	const struct ks_plan_group *group = cell->group;
	const struct ks_target *target = cell->target;
	const struct ks_plan_cell *used =
		group->chosen ? group->chosen : group->incumbent;
	g_autofree char *detail = NULL;

	if (group->blocked && group->block == KS_REASON_SKIPPED) {
		decide(cell, KS_TARGET_EXCLUDED, KS_REASON_SKIPPED, NULL);
	} else if (target->exclusion != KS_CONF_NOT_EXCLUDED) {
		decide(cell, KS_TARGET_EXCLUDED, exclusion_reason(target->exclusion),
		       target->exclusion_text);
	} else if (!ks_planner_is_wanted(planner, cell)) {
		judge_unwanted(planner, cell);
	} else if (group->blocked && group->block == KS_REASON_KERNEL_NOT_SELECTED) {
		decide(cell, target->built ? KS_TARGET_BUILT : KS_TARGET_ADDED,
		       KS_REASON_KERNEL_NOT_SELECTED, NULL);
	} else if (group->blocked && group->block == KS_REASON_REQUESTED) {
		decide(cell, target->built ? KS_TARGET_BUILT : KS_TARGET_ADDED,
		       KS_REASON_REQUESTED, NULL);
	} else if (group->rival && group->rival->second_choice &&
		   ks_planner_is_known_failure(planner, cell)) {
		decide(cell, KS_TARGET_FAILED, target->failure->reason,
		       target->failure->first_error);
	} else if (group->rival) {
		detail = describe_rival(cell);
		decide(cell, KS_TARGET_EXCLUDED, KS_REASON_RIVAL, detail);
	} else if (used && !(group->blocked && group->block == KS_REASON_HELD)) {
		detail = g_strdup_printf("version %s is used",
					 used->target->source->version);
		decide(cell, KS_TARGET_EXCLUDED, KS_REASON_SUPERSEDED, detail);
	} else {
		decide(cell, KS_TARGET_EXCLUDED, KS_REASON_HELD, NULL);
	}
}

static void judge_other(struct ks_planner *planner, struct ks_plan_cell *cell)
{
	const struct ks_target *target = cell->target;
	const struct ks_source *source = target->source;

	if (is_installed(cell) && cell->group->chosen && !source->dismissed)
		judge_replaced(planner, cell);
	else if (ks_planner_is_gone(source))
		judge_gone(planner, cell);
	else if (source->problem)
		decide(cell, KS_TARGET_BROKEN, KS_REASON_SOURCE_BROKEN, source->problem);
	else if (target->conf_problem)
		decide(cell, KS_TARGET_BROKEN, KS_REASON_SOURCE_BROKEN,
		       target->conf_problem);
	else if (is_installed(cell))
		judge_incumbent(planner, cell);
	else
		judge_idle(planner, cell);
}

/* "uninstall": the request is about this one. */
static void judge_uninstall(const struct ks_planner *planner, struct ks_plan_cell *cell)
{
	bool unbuild = planner->request->goal == KS_GOAL_UNBUILD;

	decide(cell, cell->target->built && !unbuild ? KS_TARGET_BUILT : KS_TARGET_ADDED,
	       KS_REASON_REQUESTED, NULL);
	cell->unbuild = unbuild && (cell->target->artifact || cell->target->failure);
	cell->uninstall = is_installed(cell) && has_manifest(cell->target);
	cell->removal_reason = KS_REASON_REQUESTED;
}

/*
 * Without any live kernel it is install_tree that is missing, not the kernels:
 * nothing is removed then.
 */
static void judge_dead(struct ks_planner *planner, struct ks_plan_cell *cell)
{
	decide(cell, KS_TARGET_ADDED, KS_REASON_KERNEL_GONE, NULL);
	if (planner->any_alive)
		drop(cell, KS_REASON_KERNEL_GONE);
}

static void judge_cell(struct ks_planner *planner, struct ks_plan_cell *cell)
{
	if (!cell->group->kernel->alive)
		judge_dead(planner, cell);
	else if (ks_goal_takes_away(planner->request->goal) && cell->matched)
		judge_uninstall(planner, cell);
	else if (cell != cell->group->chosen && !cell->passed_over)
		judge_other(planner, cell);
}

/* --- the highest version cannot be provided here, a lower one may */

static bool is_provided_now(const struct ks_plan_cell *cell)
{
	return cell->build || cell->install ||
	       cell->verdict->reason == KS_REASON_IN_STORE ||
	       cell->target->installed == KS_INSTALLED_OK ||
	       cell->verdict->state == KS_TARGET_SATISFIED;
}

/* A lower version may have what this one waits for: its own programs, or a build. */
static bool is_hopeless(const struct ks_plan_cell *cell)
{
	const enum ks_target_state state = cell->verdict->state;

	return !is_provided_now(cell) &&
	       (state == KS_TARGET_FAILED || state == KS_TARGET_WAITING);
}

static void explain_lower(struct ks_plan_cell *cell, const struct ks_plan_cell *highest)
{
	struct ks_verdict *verdict = cell->verdict;

	if (verdict->reason != KS_REASON_UP_TO_DATE &&
	    verdict->reason != KS_REASON_NEVER_BUILT &&
	    verdict->reason != KS_REASON_NOT_INSTALLED &&
	    verdict->reason != KS_REASON_IN_STORE)
		return;
	verdict->reason = KS_REASON_NEWER_FAILED;
	g_free(verdict->detail);
	verdict->detail =
		g_strdup_printf("version %s is %s: %s", highest->target->source->version,
				ks_target_state_id(highest->verdict->state),
				ks_reason_words(highest->verdict->reason));
}

static void forget_verdict(struct ks_plan_cell *cell)
{
	cell->build = cell->sign = cell->install = false;
	cell->verdict->wanted = false;
}

/*
 * No driver at all is worse than an older one. Nothing that is in place is replaced by a
 * lower version, and what was asked for by its version is not something else.
 */
static void try_lower(struct ks_planner *planner, struct ks_plan_group *group)
{
	struct ks_plan_cell *highest = group->chosen;
	struct ks_plan_cell *lower = highest;

	if (!is_hopeless(highest) || group->incumbent == highest ||
	    (planner->request->version && ks_planner_is_requested(planner, highest)))
		return;
	while ((lower = ks_planner_find_lower(planner, group, lower))) {
		lower->in_scope |= highest->in_scope;
		group->chosen = lower;
		judge_chosen(planner, lower);
		if (is_provided_now(lower)) {
			highest->passed_over = true;
			lower->second_choice = true;
			explain_lower(lower, highest);
			return;
		}
		forget_verdict(lower);
	}
	group->chosen = highest;
}

/* What can be built is built meanwhile; nothing can be put in place or taken away. */
static void withhold_read_only(const struct ks_planner *planner,
			       struct ks_plan_cell *cell)
{
	struct ks_verdict *verdict = cell->verdict;

	if (!cell->target->is_read_only || ks_planner_is_requested(planner, cell) ||
	    ks_goal_takes_away(planner->request->goal))
		return;
	if (cell->install && verdict->state == KS_TARGET_BUILT)
		decide(cell, KS_TARGET_BUILT, KS_REASON_READ_ONLY, NULL);
	cell->install = cell->sign = cell->uninstall = false;
	cell->unbuild &= !is_installed(cell);
}

void ks_planner_judge(struct ks_planner *planner, struct ks_plan_group *group)
{
	char **depends = group->chosen ? group->chosen->target->build_depends : NULL;

	if (group->progress != KS_PLAN_UNJUDGED)
		return;
	group->progress = KS_PLAN_JUDGING;
	for (; depends && *depends; depends++) {
		struct ks_plan_group *other =
			ks_planner_find_depend(planner, group->chosen, *depends);

		if (other)
			ks_planner_judge(planner, other);
	}
	if (group->rival)
		ks_planner_judge(planner, group->rival->group);
	if (group->chosen) {
		judge_chosen(planner, group->chosen);
		try_lower(planner, group);
	}
	for (guint i = 0; i < group->cells->len; i++)
		judge_cell(planner, group->cells->pdata[i]);
	for (guint i = 0; i < group->cells->len; i++)
		withhold_read_only(planner, group->cells->pdata[i]);
	group->progress = KS_PLAN_JUDGED;
	g_ptr_array_add(planner->judged, group);
}
