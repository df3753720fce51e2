/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One entry for each kernel that is built for. */
#include "core/engine/memos.h"

#include <poll.h>

#include "core/memo/memo.h"

/* Recording costs what a memo saves in one and a half builds of small modules. */
#define MIN_BUILDS 3

struct entry {
	struct ks_kernel *kernel;
	guint n_builds;
	bool is_carried; /* what another kernel's memo knows has been looked for */
	bool is_tried;
	struct ks_memo_recording *recording; /* running, or NULL */
};

struct ks_memos {
	const struct ks_system *system;
	const struct ks_settings *settings;
	struct ks_jobserver *jobserver;
	struct ks_digest_cache *cache;
	GPtrArray *kernels; /* struct ks_kernel, the inventory's */
	GPtrArray *entries; /* struct entry */
};

static void entry_free(gpointer data)
{
	struct entry *entry = data;

	ks_memo_recording_free(entry->recording);
	g_free(entry);
}

static struct entry *find(const struct ks_memos *memos, const struct ks_kernel *kernel)
{
	for (guint i = 0; i < memos->entries->len; i++) {
		struct entry *entry = memos->entries->pdata[i];

		if (entry->kernel == kernel)
			return entry;
	}
	return NULL;
}

static void count_builds(struct ks_memos *memos, const struct ks_plan *plan)
{
	for (guint i = 0; i < plan->actions->len; i++) {
		const struct ks_action *action = plan->actions->pdata[i];
		struct entry *entry;

		if (action->kind != KS_ACTION_BUILD)
			continue;
		entry = find(memos, action->kernel);
		if (!entry) {
			entry = g_new0(struct entry, 1);
			entry->kernel = action->kernel;
			g_ptr_array_add(memos->entries, entry);
		}
		entry->n_builds++;
	}
}

struct ks_memos *ks_memos_new(const struct ks_system *system,
			      const struct ks_settings *settings,
			      struct ks_jobserver *jobserver,
			      struct ks_digest_cache *cache, const struct ks_plan *plan,
			      GPtrArray *kernels)
{
	struct ks_memos *memos = g_new0(struct ks_memos, 1);

	memos->system = system;
	memos->settings = settings;
	memos->jobserver = jobserver;
	memos->cache = cache;
	memos->kernels = kernels;
	memos->entries = g_ptr_array_new_with_free_func(entry_free);
	count_builds(memos, plan);
	ks_memo_sweep(system, kernels);
	return memos;
}

void ks_memos_free(struct ks_memos *memos)
{
	if (!memos)
		return;
	g_ptr_array_unref(memos->entries);
	g_free(memos);
}

/* No error is reported: a question without a memo is simply asked in each build. */
static void record(struct ks_memos *memos, struct entry *entry)
{
	if (!ks_jobserver_try_take(memos->jobserver))
		return;
	entry->is_tried = true;
	entry->recording =
		ks_memo_record(memos->system, memos->settings, memos->jobserver,
			       entry->kernel, memos->cache, NULL);
	if (!entry->recording)
		ks_jobserver_give(memos->jobserver);
}

char *ks_memos_find(const struct ks_memos *memos, struct ks_kernel *kernel)
{
	if (!memos->settings->probe_memo || !find(memos, kernel))
		return NULL;
	return ks_memo_find(memos->system, kernel, memos->cache, NULL);
}

void ks_memos_start(struct ks_memos *memos, struct ks_kernel *kernel)
{
	struct entry *entry = find(memos, kernel);
	g_autofree char *path = NULL;
	bool is_whole;

	if (!memos->settings->probe_memo || !entry || entry->is_tried)
		return;
	path = ks_memo_find(memos->system, kernel, memos->cache, &is_whole);
	if (!path && !entry->is_carried)
		ks_memo_carry(memos->system, kernel, memos->kernels, memos->cache);
	entry->is_carried = true;
	if (!is_whole && entry->n_builds >= MIN_BUILDS)
		record(memos, entry);
}

guint ks_memos_count(const struct ks_memos *memos)
{
	guint n = 0;

	for (guint i = 0; i < memos->entries->len; i++)
		n += ((struct entry *)memos->entries->pdata[i])->recording != NULL;
	return n;
}

guint ks_memos_poll(const struct ks_memos *memos, struct pollfd *fds, guint n_max)
{
	guint n = 0;

	for (guint i = 0; i < memos->entries->len && n < n_max; i++) {
		const struct entry *entry = memos->entries->pdata[i];

		if (!entry->recording)
			continue;
		fds[n].fd = ks_memo_recording_fd(entry->recording);
		fds[n++].events = POLLIN;
	}
	return n;
}

static bool has_ended(const struct entry *entry)
{
	struct pollfd pollfd = {.fd = ks_memo_recording_fd(entry->recording),
				.events = POLLIN};

	return poll(&pollfd, 1, 0) == 1;
}

void ks_memos_advance(struct ks_memos *memos)
{
	for (guint i = 0; i < memos->entries->len; i++) {
		struct entry *entry = memos->entries->pdata[i];

		if (!entry->recording || !has_ended(entry))
			continue;
		ks_ignore(ks_memo_recording_finish(entry->recording, NULL));
		ks_memo_recording_free(entry->recording);
		entry->recording = NULL;
		ks_jobserver_give(memos->jobserver);
	}
}
