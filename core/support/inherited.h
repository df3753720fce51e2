/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a program inherits besides its arguments and environment, set to what a
 * login shell would give it. A cron job, a daemon or a package manager's front
 * end may have ignored SIGCHLD, blocked signals, set timers, lowered limits or
 * closed descriptors, and all of that survives an exec.
 *
 * For main() only, before anything else: it changes the process. No GLib, for the
 * smallest of the programs.
 */
#pragma once

#include <stdbool.h>

/*
 * The standard descriptors are open; no signal is blocked; SIGCHLD has its default
 * action, and so have the signals that a program would never get from a terminal; no
 * timer runs; the soft limits of what a program may use are the hard ones; the umask is
 * 022. SIGINT, SIGQUIT, SIGTERM, SIGHUP and SIGPIPE stay ignored where they are: nohup(1)
 * and shells' background jobs mean it. False when there is no /dev/null to open.
 */
bool ks_inherited_reset(void);
