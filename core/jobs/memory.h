/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How many compilers the memory allows: what the kernel calls available
 * (MemAvailable), less where a cgroup of ours or above us allows less (version
 * 2: memory.max, of which page cache that is not in use counts as free).
 *
 * It is looked at once, before the first build: then the pool of jobs is made.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/*
 * n_jobs, or as many of mib_per_job MiB each as there is memory for; at least
 * one. mib_per_job 0: n_jobs.
 */
unsigned int ks_memory_limit_jobs(unsigned int n_jobs, unsigned int mib_per_job);

/*
 * The bytes available according to the files below root_dir ("" for the
 * system's own): proc/meminfo, proc/self/cgroup, sys/fs/cgroup. G_MAXUINT64 when
 * nothing can be read.
 */
guint64 ks_memory_available(const char *root_dir);
