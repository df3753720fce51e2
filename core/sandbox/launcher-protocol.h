/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Between the engine and the launcher program. Private to this directory.
 *
 *	sandbox POLICY-FD REPORT-FD
 *
 * The policy is a file of NUL-terminated strings, read with pread(2) from its
 * start, at most KS_SANDBOX_POLICY_MAX bytes and KS_SANDBOX_STRINGS_MAX
 * strings:
 *
 *	kmodsmith-sandbox 1	the first string
 *	parent=PID		the engine; another parent means that it has died
 *	root=FD			directory that becomes "/"; absent on the host's own
 *	root-path=DIR		the same as a path: a descriptor stays in the mount
 *				namespace that it was opened in
 *	cwd=DIR
 *	arg=TEXT ...		absent: only set the layers up and report them
 *	env=NAME=VALUE ...
 *	write=DIR ...
 *	bind=DIR, then at=DIR	in pairs
 *	cover=FILE, then over=FILE	in pairs: what is seen in the place of another
 *	show=PATH, then as=PATH	in pairs: read-only, see sandbox.h
 *	fifo=PATH		a FIFO that may be read and written
 *	uid=N, gid=N		absent: no uid layer (the caller is not root)
 *	pass=FD ...		left open for the command
 *	filter=FD		the seccomp filter: an array of struct sock_filter
 *	timeout=SECONDS
 *	fsize=BYTES, memory=BYTES	of a file, of a process; 0 is no limit
 *	total-memory=BYTES, processes=N	of all of it together; 0 is no limit
 *	require=1, network=1, off=1
 *	end			the last string
 *
 * Numbers are decimal. Anything unknown, missing or after the end is an error:
 * both sides come from one build.
 *
 * The report is lines of text on REPORT-FD, each written with one write(2):
 *
 *	missing LAYER ERRNO	the layer is not available here, going on without
 *	layers BITS		everything is set up, the command is about to start
 *	status N		the command's wait status
 *	timeout			it was killed because its time limit was reached
 *	out-of-memory own	the kernel has killed a process of it for using up its memory limit
 *	out-of-memory machine	the same, but the machine's memory was used up by others
 *	refused TEXT		"require", and a layer is missing
 *	unusable ERRNO TEXT	all is set up, and the command's directory or program is missing or unusable
 *	error ERRNO TEXT	the command could not be set up or executed
 */
#pragma once

#define KS_SANDBOX_MAGIC       "kmodsmith-sandbox 1"
#define KS_SANDBOX_POLICY_MAX  (4u << 20)
#define KS_SANDBOX_STRINGS_MAX 16384
/* One for each module of the largest source, and some. */
#define KS_SANDBOX_FDS_MAX    1100
#define KS_SANDBOX_REPORT_MAX 8192

/* The launcher's own exit status when it has reported an error. */
#define KS_SANDBOX_EXIT_ERROR 125
