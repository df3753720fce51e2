/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rpm's database through a transaction set: what it holds of ours, who owns a
 * path, adding and dropping records. Works on the set of a transaction that is
 * just ending as well as on one of our own.
 */
#pragma once

#include <stddef.h>

#include "plugins/rpm/compat.h"
#include "plugins/rpm/header.h"
#include "core/support/why.h"

/* What marks a package as ours: this vendor, and a cookie that can be read. */
#define KS_DATABASE_VENDOR "kmodsmith"

struct ks_db_entry {
	char *package; /* its name in the database */
	/* from the cookie; "" in a package that is not ours */
	char *module, *version, *release, *digest;
	char *nevra;
	unsigned int instance; /* of the header in the database */
	bool ours;
};

struct ks_db_list {
	struct ks_db_entry *entries;
	size_t n_entries;
};

/* All packages named kmod-*, in the order of the database. */
bool ks_db_load(rpmts ts, struct ks_db_list *list, struct ks_why *why);
void ks_db_clear(struct ks_db_list *list);

/* The header of an entry, linked; free with headerFree(). NULL when it is gone. */
Header ks_db_header(rpmts ts, unsigned int instance);

/*
 * Call func for every package that owns path in either spelling ("/lib/modules",
 * "/usr/lib/modules"), until it returns false. The header is valid in the call only.
 */
typedef bool (*ks_db_owner_func)(Header h, const char *spelled, void *data);
void ks_db_owners(rpmts ts, const char *path, ks_db_owner_func func, void *data);

/* Does a package provide "NAME = EVR", in exactly these letters? */
bool ks_db_provides(rpmts ts, const char *name, const char *evr);

/*
 * A path below one of the directories of modules, spelled with "/lib/modules" or
 * with "/usr/lib/modules"; as it is when it is elsewhere. To be freed.
 */
char *ks_db_spell(const char *path, bool usr);

/*
 * Is rpm's lock held by a process other than caller (0: by any)? *pid is that
 * process, 0 when unknown. Call it before this process takes a lock: closing
 * the file drops all locks that the process has on it.
 */
bool ks_db_is_locked(rpmts ts, long caller, long *pid);

/* Add a package that is on disk already. Inside a transaction (rpmtxn) of ts. */
bool ks_db_import(rpmtxn txn, Header h, struct ks_why *why);

/*
 * Drop packages from the database and leave their files. Nested: ts, whose lock
 * protects it, stays as it is.
 */
bool ks_db_drop(rpmts ts, const unsigned int *instances, size_t n_instances,
		struct ks_why *why);
