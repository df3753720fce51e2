/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A list of running depmods. */
#include "core/engine/indexing.h"

#include <poll.h>

#include "core/install/install.h"
#include "core/install/run-tool.h"

struct entry {
	guint index;
	const struct ks_kernel *kernel;
	struct ks_tool *tool;
};

struct ks_indexing {
	const struct ks_system *system;
	GArray *entries; /* struct entry */
};

struct ks_indexing *ks_indexing_new(const struct ks_system *system)
{
	struct ks_indexing *indexing = g_new0(struct ks_indexing, 1);

	indexing->system = system;
	indexing->entries = g_array_new(FALSE, FALSE, sizeof(struct entry));
	return indexing;
}

void ks_indexing_free(struct ks_indexing *indexing)
{
	GError *failure = NULL;
	guint index;

	while (ks_indexing_take(indexing, true, &index, &failure))
		g_clear_error(&failure);
	g_array_unref(indexing->entries);
	g_free(indexing);
}

bool ks_indexing_start(struct ks_indexing *indexing, guint index,
		       const struct ks_action *action, bool *runs, GError **error)
{
	struct entry entry = {.index = index, .kernel = action->kernel};

	if (!ks_install_depmod_start(indexing->system, action->kernel, &entry.tool,
				     error))
		return false;
	*runs = entry.tool != NULL;
	if (entry.tool)
		g_array_append_val(indexing->entries, entry);
	return true;
}

guint ks_indexing_count(const struct ks_indexing *indexing)
{
	return indexing->entries->len;
}

static struct pollfd make_pollfd(const struct ks_indexing *indexing, guint i)
{
	const struct entry *entry = &g_array_index(indexing->entries, struct entry, i);

	return (struct pollfd){.fd = ks_run_tool_fd(entry->tool), .events = POLLIN};
}

void ks_indexing_poll(const struct ks_indexing *indexing, struct pollfd *fds)
{
	for (guint i = 0; i < indexing->entries->len; i++)
		fds[i] = make_pollfd(indexing, i);
}

bool ks_indexing_take(struct ks_indexing *indexing, bool wait, guint *index,
		      GError **failure)
{
	for (guint i = 0; i < indexing->entries->len; i++) {
		const struct entry entry =
			g_array_index(indexing->entries, struct entry, i);
		struct pollfd pollfd = make_pollfd(indexing, i);

		if (!wait && poll(&pollfd, 1, 0) != 1)
			continue;
		g_array_remove_index(indexing->entries, i);
		ks_install_depmod_finish(entry.kernel, entry.tool, failure);
		*index = entry.index;
		return true;
	}
	return false;
}
