/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which actions may begin, by what has ended. */
#include "core/engine/ready.h"

#define NONE G_MAXUINT

/* Each action's inputs, ended by NONE. */
struct inputs {
	guint needs[4], after[4];
};

static GArray *indices(const guint *inputs)
{
	GArray *array = g_array_new(FALSE, FALSE, sizeof(guint));

	for (; *inputs != NONE; inputs++)
		g_array_append_val(array, *inputs);
	return array;
}

static void action_free(gpointer data)
{
	struct ks_action *action = data;

	g_array_unref(action->needs);
	g_clear_pointer(&action->after, g_array_unref);
	g_free(action);
}

static struct ks_plan make_plan(const struct inputs *inputs, size_t n)
{
	GPtrArray *actions = g_ptr_array_new_with_free_func(action_free);

	for (size_t i = 0; i < n; i++) {
		struct ks_action *action = g_new0(struct ks_action, 1);

		action->needs = indices(inputs[i].needs);
		/* most have none at all */
		action->after =
			inputs[i].after[0] == NONE ? NULL : indices(inputs[i].after);
		g_ptr_array_add(actions, action);
	}
	return (struct ks_plan){.actions = actions};
}

static void assert_ready(const struct ks_ready *ready, const char *expected)
{
	const GArray *list = ks_ready_list(ready);
	g_autoptr(GString) text = g_string_new(NULL);

	for (guint i = 0; i < list->len; i++) {
		guint index = g_array_index(list, guint, i);

		g_string_append_printf(text, "%s%u%s", i ? " " : "", index,
				       ks_ready_is_vain(ready, index) ? "!" : "");
	}
	g_assert_cmpstr(text->str, ==, expected);
}

static void end(struct ks_ready *ready, guint index, bool ok)
{
	ks_ready_take(ready, index);
	ks_ready_end(ready, index, ok);
}

static void test_an_action_waits_for_all_its_inputs(void)
{
	static const struct inputs inputs[] = {
		{{NONE}, {NONE}},
		{{NONE}, {NONE}},
		{{0, 1, NONE}, {NONE}},
		{{NONE}, {2, NONE}},
	};
	struct ks_plan plan = make_plan(inputs, G_N_ELEMENTS(inputs));
	ks_auto(ks_ready) ready = ks_ready_new(&plan);

	assert_ready(ready, "0 1");
	/* what runs is no longer listed, and holds back what waits for it */
	ks_ready_take(ready, 0);
	assert_ready(ready, "1");
	end(ready, 1, true);
	assert_ready(ready, "");
	ks_ready_end(ready, 0, true);
	assert_ready(ready, "2");
	end(ready, 2, true);
	assert_ready(ready, "3");
	end(ready, 3, true);
	assert_ready(ready, "");
	g_ptr_array_unref(plan.actions);
}

static void test_a_failed_need_makes_it_vain_at_once(void)
{
	static const struct inputs inputs[] = {
		{{NONE}, {NONE}},    {{NONE}, {NONE}},	     {{0, 1, NONE}, {NONE}},
		{{2, NONE}, {NONE}}, {{NONE}, {0, 2, NONE}},
	};
	struct ks_plan plan = make_plan(inputs, G_N_ELEMENTS(inputs));
	ks_auto(ks_ready) ready = ks_ready_new(&plan);

	end(ready, 0, false);
	assert_ready(ready, "1 2!");
	/* and what needs that one, too; what only comes after it does not mind */
	end(ready, 2, false);
	assert_ready(ready, "1 3! 4");
	end(ready, 1, true);
	assert_ready(ready, "3! 4");
	g_ptr_array_unref(plan.actions);
}

static void test_they_are_in_the_order_of_the_plan(void)
{
	static const struct inputs inputs[] = {
		{{NONE}, {NONE}},	   {{0, NONE}, {NONE}}, {{NONE}, {NONE}},
		{{0, 2, NONE}, {0, NONE}}, {{NONE}, {2, NONE}},
	};
	struct ks_plan plan = make_plan(inputs, G_N_ELEMENTS(inputs));
	ks_auto(ks_ready) ready = ks_ready_new(&plan);

	end(ready, 2, true);
	assert_ready(ready, "0 4");
	end(ready, 0, true);
	assert_ready(ready, "1 3 4");
	g_ptr_array_unref(plan.actions);
}

static void test_a_long_plan_comes_to_its_end(void)
{
	const guint n = 20000;
	g_autofree struct inputs *inputs = g_new(struct inputs, n);
	struct ks_plan plan;
	guint n_ended = 0;

	for (guint i = 0; i < n; i++)
		inputs[i] = (struct inputs){{i >= 100 ? i - 100 : NONE, NONE}, {NONE}};
	plan = make_plan(inputs, n);
	ks_auto(ks_ready) ready = ks_ready_new(&plan);
	for (const GArray *list = ks_ready_list(ready); list->len; n_ended++) {
		g_assert_cmpuint(list->len, <=, 100);
		end(ready, g_array_index(list, guint, 0), true);
	}
	g_assert_cmpuint(n_ended, ==, n);
	g_ptr_array_unref(plan.actions);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/ready/an action waits for all its inputs",
			test_an_action_waits_for_all_its_inputs);
	g_test_add_func("/ready/a failed need makes it vain at once",
			test_a_failed_need_makes_it_vain_at_once);
	g_test_add_func("/ready/they are in the order of the plan",
			test_they_are_in_the_order_of_the_plan);
	g_test_add_func("/ready/a long plan comes to its end",
			test_a_long_plan_comes_to_its_end);
	return g_test_run();
}
