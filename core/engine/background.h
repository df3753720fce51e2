/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The actions that go on beside the builds and the loop: KS_ACTION_DEPMOD, one process
 * of about a second for each kernel; KS_ACTION_INITRAMFS, the programs of one kernel's
 * images one after another, and one kernel at a time, as the tools lock each other out or
 * fill /var/tmp together; KS_ACTION_SIGN, in a copy of the engine
 * that needs a job of the pool.
 */
#pragma once

#include "core/engine/action.h"
#include "core/support/contract.h"

struct pollfd;
struct ks_background;

/* context is held on to. */
KS_NONNULL(1)
struct ks_background *ks_background_new(const struct ks_action_context *context);
/* Waits for the running ones, except those that sign. */
void ks_background_free(struct ks_background *background);
KS_DEFINE_CLEANUP(ks_background, ks_background_free)

KS_NONNULL(1)
bool ks_background_is(const struct ks_action *action);
/* False of an initramfs while there is another one. */
KS_NONNULL(1)
bool ks_background_have_room(const struct ks_background *background,
			     const struct ks_action *action);

/*
 * Start action, the plan's index-th. *runs is false when there was nothing to do: it is
 * done already.
 */
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_background_start(struct ks_background *background, guint index,
			 const struct ks_action *action, bool *runs, GError **error);

KS_NONNULL(1)
guint ks_background_count(const struct ks_background *background);
/* ks_background_count() descriptors to poll. */
KS_NONNULL(1)
void ks_background_poll(const struct ks_background *background, struct pollfd *fds);

/*
 * Finish one that has ended; with wait, wait until any has. False when there is
 * none; else its *index, and in *failure (to be freed) why it failed, or NULL. An image
 * that its program has left as it was is KS_ERROR_PENDING.
 */
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_background_take(struct ks_background *background, bool wait, guint *index,
			GError **failure);

/*
 * Kill those that sign, which leaves the artifact as it was. Wait for the
 * others, as half an index is useless, and so is half an image; a ^C of the
 * terminal reaches them anyway.
 */
KS_NONNULL(1)
void ks_background_cancel(struct ks_background *background);
