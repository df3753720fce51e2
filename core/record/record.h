/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The desired set of records, and the protocol to the recorders, version 1
 * (doc/record-protocol.md). One record owns the installed files of one target;
 * its name is kmod-NAME-K in every database.
 *
 * A recorder is a program libexec/kmodsmith/recorder-{rpm,dpkg,alpm}:
 *
 *	recorder-X [--root DIR] COMMAND
 *
 *	list		prints what the database holds of ours
 *	apply		reads the desired set, makes the database equal
 *	recover		heals what a killed apply left; cheap when there is nothing
 *	headers K	prints the package that would bring K's headers
 *	stamp		prints files whose change makes "list" out of date
 *	busy		exits with 75 when somebody else's run is under way
 *	owner PATH	prints the package that owns it, if that is not ours
 *	incoming	prints the kernels that an upgrade would install
 *
 * Exit codes: 0 done; 75 (EX_TEMPFAIL) cannot be done now, try later; others: error.
 */
#pragma once

#include "core/record/protocol.h"
#include "core/state/manifest.h"
#include "core/platform/system.h"
#include "core/support/contract.h"

/*
 * Set by a hook whose package manager can use another database than the
 * system's (pacman --dbpath): which one it works on. Recorders inherit it with
 * the rest of the environment; here it only prevents one database's cached list
 * from being taken for another's.
 */
#define KS_RECORD_DATABASE_ENV "KMODSMITH_DATABASE"

KS_DEFINE_CLEANUP(ks_record, ks_record_free)

/* "kmod-MODULE-RELEASE", the name of a record; free with g_free. */
char *ks_record_name(const char *module, const char *release);

/*
 * Databases allow few characters and fold the rest: give records (struct ks_record) whose
 * names would be one there names of their own, "kmod-MODULE-XXXXXX-RELEASE". A record that
 * the database has (entries: struct ks_record_entry, may be NULL) keeps its name; of new ones
 * the module that needs no folding, else the first, has the plain one. Digests stay.
 */
void ks_record_name_apart(GPtrArray *records, GPtrArray *entries);

/* A record for an installed artifact. */
KS_NONNULL(1)
struct ks_record *ks_record_new(const struct ks_manifest *manifest);

/* The digest that a right record of the artifact has; free with g_free. */
KS_NONNULL(1)
char *ks_record_digest(const struct ks_manifest *manifest);

/* The protocol's text for records (struct ks_record). Same records, same bytes. */
char *ks_record_format(GPtrArray *records);

/* Read it back (bounded, hostile input: fuzzed). KS_ERROR_INVALID for anything else. */
KS_MUST_CHECK
GPtrArray *ks_record_parse(const char *text, size_t size_bytes, const char *label,
			   GError **error);

/* Parse the output of "list": struct ks_record_entry. Errors as ks_record_parse(). */
KS_MUST_CHECK
GPtrArray *ks_record_parse_list(const char *text, size_t size_bytes, const char *label,
				GError **error);

/* The text of "list" for struct ks_record_entry. Same entries, same bytes. */
char *ks_record_format_list(GPtrArray *entries);

/* The recorder program of this system, as a path of the calling process; NULL
 * when none. */
KS_NONNULL(1)
char *ks_record_find_recorder(const struct ks_system *system);

/*
 * The records in the database: struct ks_record_entry. Cached in
 * state_dir/cache by the identity of the files that "stamp" names. NULL without
 * an error when there is no recorder.
 */
KS_MUST_CHECK
KS_NONNULL(1)
GPtrArray *ks_record_list(const struct ks_system *system, GError **error);

/*
 * Make it equal. KS_ERROR_PENDING when the recorder could not run now. *told is what it
 * has to say of what it left as it is, NULL when nothing; free with g_free.
 */
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_record_apply(const struct ks_system *system, GPtrArray *records, char **told,
		     GError **error);

/* Let the recorder heal what a killed one left. */
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_record_recover(const struct ks_system *system, GError **error);

/*
 * Is a run of the package manager under way that is not the one that called us?
 * What looks gone then may be between two versions.
 */
KS_NONNULL(1)
bool ks_record_is_busy(const struct ks_system *system);

/*
 * The package that would bring the headers of release, or NULL; *meta (may be NULL) becomes
 * the meta-package that brings those of later kernels, too, or NULL. Free both with g_free.
 * May be slow (package lists).
 */
KS_NONNULL(1)
char *ks_record_headers_package(const struct ks_system *system, const char *release,
				char **meta);

/*
 * The package that owns path, unless it is one of our records; NULL when none does or
 * the recorder does not know. May be slow: it looks at the files of all packages.
 */
KS_NONNULL(1)
char *ks_record_owner(const struct ks_system *system, const char *path);

/* What an upgrade of the system would install now, as far as kernels are concerned. */
struct ks_record_incoming {
	GPtrArray *releases; /* char * */
	GPtrArray *files;    /* char *: paths in the tree, of packages to build with */
	GPtrArray *missing;  /* char *: "PACKAGE=VERSION" of those not downloaded yet */
};

void ks_record_incoming_free(struct ks_record_incoming *incoming);
KS_DEFINE_CLEANUP(ks_record_incoming, ks_record_incoming_free)

/*
 * Ask the package manager, which decides as in an upgrade by hand. Slow (package lists).
 * KS_ERROR_NOT_FOUND: there is no recorder, or it does not know.
 */
KS_MUST_CHECK
KS_NONNULL(1)
struct ks_record_incoming *ks_record_list_incoming(const struct ks_system *system,
						   GError **error);
