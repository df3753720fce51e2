/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See fit.h. */
#include "cli/fit.h"

static const struct {
	const char *id, *words;
} names[] = {
	[KS_FIT_FITS] = {"fits", "fits"},
	[KS_FIT_DOES_NOT_BUILD] = {"does-not-build", "does not build"},
	[KS_FIT_UNKNOWN] = {"cannot-be-checked", "cannot be checked"},
	[KS_FIT_NOT_CONCERNED] = {"not-concerned", "not for this kernel"},
};

const char *ks_fit_id(enum ks_fit fit)
{
	return names[fit].id;
}

const char *ks_fit_words(enum ks_fit fit)
{
	return names[fit].words;
}

enum ks_fit ks_fit_of(const struct ks_verdict *verdict)
{
	switch (verdict->state) {
	case KS_TARGET_BUILT:
	case KS_TARGET_INSTALLED:
	case KS_TARGET_RECORDED:
	case KS_TARGET_SATISFIED:
		return KS_FIT_FITS;
	case KS_TARGET_FAILED:
		return KS_FIT_DOES_NOT_BUILD;
	case KS_TARGET_WAITING:
	case KS_TARGET_STALE:
	case KS_TARGET_BROKEN:
		return KS_FIT_UNKNOWN;
	case KS_TARGET_ADDED:
	case KS_TARGET_EXCLUDED:
		break;
	}
	return KS_FIT_NOT_CONCERNED;
}

static char *join(const char *words, const char *detail)
{
	return detail ? g_strdup_printf("%s; %s", words, detail) : g_strdup(words);
}

char *ks_fit_reason(const struct ks_verdict *verdict, const char *unsound)
{
	switch (ks_fit_of(verdict)) {
	case KS_FIT_DOES_NOT_BUILD:
		return ks_verdict_failure(verdict);
	case KS_FIT_UNKNOWN:
		if (unsound && verdict->state == KS_TARGET_STALE)
			return g_strdup_printf("no module can be built for it now: %s",
					       unsound);
		return join(ks_reason_words(verdict->reason), verdict->detail);
	case KS_FIT_FITS:
	case KS_FIT_NOT_CONCERNED:
		break;
	}
	return join(ks_reason_words(verdict->reason), verdict->detail);
}

static int rank(enum ks_fit fit)
{
	static const int ranks[] = {
		[KS_FIT_FITS] = 1,
		[KS_FIT_DOES_NOT_BUILD] = 3,
		[KS_FIT_UNKNOWN] = 2,
		[KS_FIT_NOT_CONCERNED] = 0,
	};

	return ranks[fit];
}

enum ks_fit ks_fit_of_kernel(const struct ks_plan *plan, const char *release)
{
	enum ks_fit worst = KS_FIT_FITS;

	for (guint i = 0; i < plan->verdicts->len; i++) {
		const struct ks_verdict *verdict = plan->verdicts->pdata[i];

		if (g_str_equal(verdict->target->kernel->release, release) &&
		    rank(ks_fit_of(verdict)) > rank(worst))
			worst = ks_fit_of(verdict);
	}
	return worst;
}

int ks_fit_exit_code(enum ks_fit fit)
{
	if (fit == KS_FIT_DOES_NOT_BUILD)
		return KS_EXIT_FAILED;
	return fit == KS_FIT_UNKNOWN ? KS_EXIT_WAITING : KS_EXIT_OK;
}
