/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See ready.h. */
#include "core/engine/ready.h"

/* From an action to one that waits for its end. */
struct edge {
	guint to;
	bool is_need; /* which is in vain unless this one succeeds */
};

struct node {
	guint n_unmet; /* edges to it from actions that have not ended */
	bool is_vain;
	bool was_listed;
	GArray *edges; /* struct edge */
};

struct ks_ready {
	struct node *nodes;
	guint n_nodes;
	GArray *list; /* guint, ascending */
};

static void list(struct ks_ready *ready, guint index)
{
	guint at = ready->list->len;

	ready->nodes[index].was_listed = true;
	while (at && g_array_index(ready->list, guint, at - 1) > index)
		at--;
	g_array_insert_val(ready->list, at, index);
}

static void add_edges(struct ks_ready *ready, const GArray *inputs, guint to,
		      bool is_need)
{
	const struct edge edge = {to, is_need};

	for (guint i = 0; inputs && i < inputs->len; i++)
		g_array_append_val(ready->nodes[g_array_index(inputs, guint, i)].edges,
				   edge);
	ready->nodes[to].n_unmet += inputs ? inputs->len : 0;
}

struct ks_ready *ks_ready_new(const struct ks_plan *plan)
{
	struct ks_ready *ready = g_new0(struct ks_ready, 1);

	ready->n_nodes = plan->actions->len;
	ready->nodes = g_new0(struct node, ready->n_nodes);
	ready->list = g_array_new(FALSE, FALSE, sizeof(guint));
	for (guint i = 0; i < ready->n_nodes; i++)
		ready->nodes[i].edges = g_array_new(FALSE, FALSE, sizeof(struct edge));
	for (guint i = 0; i < ready->n_nodes; i++) {
		const struct ks_action *action = g_ptr_array_index(plan->actions, i);

		add_edges(ready, action->needs, i, true);
		add_edges(ready, action->after, i, false);
		if (!ready->nodes[i].n_unmet)
			list(ready, i);
	}
	return ready;
}

void ks_ready_free(struct ks_ready *ready)
{
	if (!ready)
		return;
	for (guint i = 0; i < ready->n_nodes; i++)
		g_array_unref(ready->nodes[i].edges);
	g_free(ready->nodes);
	g_array_unref(ready->list);
	g_free(ready);
}

const GArray *ks_ready_list(const struct ks_ready *ready)
{
	return ready->list;
}

bool ks_ready_is_vain(const struct ks_ready *ready, guint index)
{
	return ready->nodes[index].is_vain;
}

void ks_ready_take(struct ks_ready *ready, guint index)
{
	guint at = 0;

	while (g_array_index(ready->list, guint, at) != index)
		at++;
	g_array_remove_index(ready->list, at);
}

static void meet(struct ks_ready *ready, const struct edge *edge, bool ok)
{
	struct node *node = &ready->nodes[edge->to];

	node->n_unmet--;
	node->is_vain |= edge->is_need && !ok;
	if (!node->was_listed && (!node->n_unmet || node->is_vain))
		list(ready, edge->to);
}

void ks_ready_end(struct ks_ready *ready, guint index, bool ok)
{
	const GArray *edges = ready->nodes[index].edges;

	for (guint i = 0; i < edges->len; i++)
		meet(ready, &g_array_index(edges, struct edge, i), ok);
}
