/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The actions that go on beside the builds and the loop: KS_ACTION_DEPMOD, one process
 * of about a second for each kernel; KS_ACTION_INITRAMFS, one at a time, as the tools
 * lock each other out or fill /var/tmp together; KS_ACTION_SIGN, in a copy of the engine
 * that needs a job of the pool.
 */
#pragma once

#include "core/engine/action.h"

struct pollfd;
struct ks_asides;

/* context is held on to. */
struct ks_asides *ks_asides_new(const struct ks_action_context *context);
/* Waits for the running ones, except those that sign. */
void ks_asides_free(struct ks_asides *asides);
KS_DEFINE_CLEANUP(ks_asides, ks_asides_free)

bool ks_aside_is(const struct ks_action *action);
/* False of an initramfs while there is another one. */
bool ks_asides_have_room(const struct ks_asides *asides, const struct ks_action *action);

/*
 * Start action, the plan's index-th. *runs is false when there was nothing to do: it is
 * done already.
 */
bool ks_asides_start(struct ks_asides *asides, guint index,
		     const struct ks_action *action, bool *runs, GError **error);

guint ks_asides_count(const struct ks_asides *asides);
/* ks_asides_count() descriptors to poll. */
void ks_asides_poll(const struct ks_asides *asides, struct pollfd *fds);

/*
 * Finish one that has ended; with wait, wait until any has. False when there is
 * none; else its *index, and in *failure (to be freed) why it failed, or NULL.
 */
bool ks_asides_take(struct ks_asides *asides, bool wait, guint *index, GError **failure);

/*
 * Kill those that sign, which leaves the artifact as it was. Wait for the
 * others, as half an index is useless, and so is half an image; a ^C of the
 * terminal reaches them anyway.
 */
void ks_asides_cancel(struct ks_asides *asides);
