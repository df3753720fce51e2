/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Make rpm's database equal to the desired set of records: records that are
 * wanted and missing, or there with another digest, are imported; those that
 * are there and not wanted are dropped. Idempotent, and nothing is written when
 * all is right.
 */
#pragma once

#include "core/record/protocol.h"
#include "plugins/rpm/rpm-tree.h"

#include <rpm/rpmts.h>

struct ks_reconcile {
	rpmts ts;			 /* its lock is held, or taken for the time */
	const struct ks_tree_root *tree; /* the files of its root */
	/*
	 * Drop also records of files that are in use: for the removal of
	 * kmodsmith itself.
	 */
	bool give_up_files;
	/*
	 * Called for each record that cannot be made or dropped, with a line
	 * without its end.
	 */
	void (*complain)(const char *line, void *data);
	void *data;
};

struct ks_reconciled {
	size_t n_kept, n_added, n_dropped;
	size_t n_failed; /* complained of */
};

/*
 * False when it could not be tried or went wrong altogether; changes made until
 * then stay. Records that fail alone are counted and leave the others alone.
 */
bool ks_reconcile(const struct ks_reconcile *options, const struct ks_record_set *set,
		  struct ks_reconciled *result, struct ks_why *why);
