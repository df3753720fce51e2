/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which database pacman works on, and whether a pacman that waits for us holds its lock.
 *
 * A program that a hook has started does not learn the database's path:
 * neither --dbpath nor --root reach it, and pacman.conf may say something
 * else. But the waiting pacman has DBPath/db.lck open, so the ancestors'
 * descriptors (/proc/PID/fd) are searched for it. It is known by device and
 * inode, never by its name alone; the name only shows where to look. Where
 * /proc is not mounted KS_RECORD_DATABASE_ENV, which the hook sets,
 * is believed.
 *
 * Else it is DBPath of the tree's /etc/pacman.conf, or /var/lib/pacman ("Include" in
 * [options] is not followed).
 */
#pragma once

#include "core/record/record.h"
#include "core/support/contract.h"

struct ks_alpm {
	const struct ks_system *system;
	struct ks_root *db; /* DBPath as a tree of its own: "/local", "/db.lck" */
	char *path;	    /* DBPath inside the system's tree */
	bool is_locked_above;
};

/*
 * Find and open it. KS_ERROR_NOT_FOUND when there is none; KS_ERROR_PENDING
 * when the waiting pacman's database lies outside of the tree (--root with a
 * --dbpath elsewhere).
 */
KS_MUST_CHECK
struct ks_alpm *ks_alpm_open(const struct ks_system *system, GError **error);
void ks_alpm_close(struct ks_alpm *alpm);
KS_DEFINE_CLEANUP(ks_alpm, ks_alpm_close)

/*
 * Its format must be the one we know: version 9, in use since pacman 4.2 (alpm-db(7)).
 * KS_ERROR_INVALID otherwise: nothing may be read or written then.
 */
KS_MUST_CHECK
bool ks_alpm_check_version(const struct ks_alpm *alpm, GError **error);

/* The lock, whatever holds it, for messages: "/var/lib/pacman/db.lck". */
char *ks_alpm_lock_path(const struct ks_alpm *alpm);

/*
 * Must a program that a hook starts get KS_RECORD_DATABASE_ENV? True when the
 * database is not the one that pacman.conf names, or when nobody can see who
 * holds the lock.
 */
bool ks_alpm_needs_naming(const struct ks_alpm *alpm);
