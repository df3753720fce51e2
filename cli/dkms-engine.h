/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the personality dkms asks the engine for, and how the answer is told. */
#pragma once

#include "cli/dkms.h"
#include "cli/run.h"

/* Run it for a command ("dkms build"). *outcome is NULL after a failure. */
int ks_dkms_run_engine(struct ks_dkms *dkms, const char *command,
		       const struct ks_plan_request *request,
		       struct ks_outcome **outcome);

/*
 * True, and told, in a transaction at whose end the engine runs anyway: what is
 * registered now is done then.
 */
bool ks_dkms_leave_to_end(const char *what);

bool ks_dkms_is_installed(const struct ks_verdict *verdict);

/* dkms's exit code for the verdict after the run; what went wrong is told. */
int ks_dkms_tell(const struct ks_dkms *dkms, bool install,
		 const struct ks_verdict *verdict);
