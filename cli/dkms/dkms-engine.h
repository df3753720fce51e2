/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How the personality dkms runs the engine, and prints what came of it. */
#pragma once

#include "cli/dkms/dkms-speech.h"
#include "cli/run.h"

/*
 * Run it for a command ("dkms build"); speech gets its events, and has the job. *outcome is
 * NULL after a failure, which was printed then.
 */
int ks_dkms_run_engine(struct ks_dkms *dkms, const char *command,
		       const struct ks_plan_request *request,
		       struct ks_dkms_speech *speech, struct ks_outcome **outcome);

/*
 * Inside a package transaction, which ends with a run of the engine: print that
 * the work is left to it and return true.
 */
bool ks_dkms_leave_to_end(const char *what);

bool ks_dkms_is_installed(const struct ks_verdict *verdict);

/*
 * dkms's exit code for a target after the run that was to build, or install,
 * it; prints what went wrong.
 */
int ks_dkms_print_result(const struct ks_dkms *dkms, bool install,
			 const struct ks_dkms_speech *speech,
			 const struct ks_verdict *verdict);
/* The code alone. */
int ks_dkms_code(bool install, const struct ks_dkms_speech *speech,
		 const struct ks_verdict *verdict);

/*
 * Print that the kernel has no headers, or does not exist.
 * Returns KS_DKMS_HEADERS_MISSING.
 */
int ks_dkms_fail_no_headers(const struct ks_dkms *dkms, const char *release);
/* The words and the code for a kernel that has no directory; dkms's. */
int ks_dkms_fail_no_kernel(const struct ks_dkms *dkms, const char *release);
/* Why the job's module is no target on its kernel: its source, or headers. */
int ks_dkms_fail_no_target(const struct ks_dkms *dkms, struct ks_dkms_job job,
			   const struct ks_inventory *inventory);

/* "x86_64": -a, or that of the kernel, or this machine's. Free with g_free. */
char *ks_dkms_arch(const struct ks_dkms *dkms, guint kernel_index);

/* Build, or install, the job's module on its kernel, in one run; the code (dkms-build.c). */
int ks_dkms_build_on(struct ks_dkms *dkms, struct ks_dkms_job job);
int ks_dkms_install_on(struct ks_dkms *dkms, struct ks_dkms_job job);
/* Is it built there? Then print that it is not built again. */
bool ks_dkms_is_built(const struct ks_dkms *dkms, struct ks_dkms_job job);
void ks_dkms_print_built(const struct ks_dkms *dkms, struct ks_dkms_job job);

/* Every module, or the one given, on every kernel (dkms-autoinstall.c). */
int ks_dkms_build_all(struct ks_dkms *dkms, bool install);
