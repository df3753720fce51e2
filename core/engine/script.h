/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The four dkms.conf scripts that need root by their purpose, POST_ADD,
 * PRE_INSTALL, POST_INSTALL, POST_REMOVE. They run only from a source tree
 * that nobody but root can write, with a clean environment, without a shell,
 * and the caller reports them to the observer.
 */
#pragma once

#include "core/engine/engine.h"
#include "core/support/contract.h"

struct ks_script_options {
	bool to_stdout; /* what it prints goes to our standard output, not to the log */
	/*
	 * Called before a script runs, or when it cannot be executed and is
	 * passed over.
	 */
	void (*report)(const char *what, bool is_executable, void *data);
	void *data;
};

/*
 * Run command (a conf's value: script name and arguments, split at blanks)
 * in source_dir, by the name of T/M/V/source when that leads there (dkms; a script may
 * look at $0 and $PWD). /etc/dkms/MODULE/SCRIPT takes the place of the script when it
 * exists (dkms 3.4.3). NULL command: nothing, true. Output goes to the log
 * below log_dir unless options (may be NULL) say otherwise. KS_ERROR_DENIED when
 * the source tree is not root's alone. *exit_status (may be NULL) is that of a
 * script that failed, 128 + signal; 0 when it did not run. One that takes longer
 * than the setting script-timeout is killed, and has failed.
 */
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_script_run(const struct ks_system *system, const struct ks_settings *settings,
		   const char *what, const char *command, const char *source_dir,
		   const char *module, const char *version,
		   const struct ks_kernel *kernel,
		   const struct ks_script_options *options, int *exit_status,
		   GError **error);
