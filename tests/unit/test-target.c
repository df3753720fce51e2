/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/state/target.h"

#include <glib.h>

static void test_every_state_has_an_id_that_leads_back(void)
{
	for (int i = KS_TARGET_ADDED; i <= KS_TARGET_BROKEN; i++) {
		const char *id = ks_target_state_id((enum ks_target_state)i);
		enum ks_target_state back = KS_TARGET_ADDED;

		g_assert_nonnull(id);
		g_assert_true(ks_target_state_from_id(id, &back));
		g_assert_cmpint(back, ==, i);
	}
}

static void test_every_reason_has_an_id_and_words(void)
{
	for (int i = KS_REASON_UP_TO_DATE; i <= KS_REASON_ADOPTED; i++) {
		const char *id = ks_reason_id((enum ks_reason)i);
		enum ks_reason back = KS_REASON_UP_TO_DATE;

		g_assert_nonnull(id);
		g_assert_true(ks_reason_from_id(id, &back));
		g_assert_cmpint(back, ==, i);
		g_assert_nonnull(ks_reason_words((enum ks_reason)i));
		g_assert_false(g_str_has_suffix(ks_reason_words((enum ks_reason)i), "."));
	}
}

static void test_an_unknown_id_leaves_the_output_alone(void)
{
	enum ks_target_state state = KS_TARGET_STALE;
	enum ks_reason reason = KS_REASON_HELD;

	g_assert_false(ks_target_state_from_id("fine", &state));
	g_assert_false(ks_reason_from_id("", &reason));
	g_assert_cmpint(state, ==, KS_TARGET_STALE);
	g_assert_cmpint(reason, ==, KS_REASON_HELD);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/target/every state has an id that leads back",
			test_every_state_has_an_id_that_leads_back);
	g_test_add_func("/target/every reason has an id and words",
			test_every_reason_has_an_id_and_words);
	g_test_add_func("/target/an unknown id leaves the output alone",
			test_an_unknown_id_leaves_the_output_alone);
	return g_test_run();
}
