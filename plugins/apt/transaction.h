/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What apt is about to do, as it says to programs of DPkg::Pre-Install-Pkgs in version 3 of
 * that protocol (apt.conf(5)): all of its configuration, an empty line, a line for each
 * package. libc alone: it is read in each transaction.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* More kernels or packages of headers than any transaction has; what is beyond is left out. */
#define KS_TRANSACTION_KERNELS 8
#define KS_TRANSACTION_FILES   64

struct ks_transaction {
	/* Nothing is to be done: a dry run (Debug::pkgDPkgPM), another tree's packages, or
	 * Kmodsmith::Preflight is off. */
	bool is_none_of_ours;
	char *releases[KS_TRANSACTION_KERNELS]; /* of kernels whose image is unpacked */
	size_t n_releases;
	char *files[KS_TRANSACTION_FILES]; /* packages of headers that are unpacked */
	size_t n_files;
};

/*
 * Read all of it. False when it is not version 3. Text in it is the caller's until
 * ks_transaction_clear().
 */
bool ks_transaction_read(FILE *file, struct ks_transaction *transaction);
void ks_transaction_clear(struct ks_transaction *transaction);
