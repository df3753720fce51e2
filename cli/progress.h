/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The progress of a run, on stderr: one line that is redrawn on a terminal
 * ("[2/8] evdi/1.12.0 on 6.1.0-56-amd64: make (12 s of about 30 s)"), a line
 * for each build elsewhere, nothing when quiet.
 */
#pragma once

#include "core/engine/engine.h"

struct ks_progress;

struct ks_progress *ks_progress_new(bool quiet, bool verbose);
void ks_progress_free(struct ks_progress *progress);
KS_DEFINE_CLEANUP(ks_progress, ks_progress_free)

void ks_progress_observe(struct ks_progress *progress, const struct ks_event *event);
