/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libapt-pkg in C, as little of it as the recorder needs: automatic flags, the
 * packages that autoremove would take, and those that the lists have. Packages
 * are never installed through it (that would fire every vendor's apt
 * hooks again).
 *
 * Opening costs 8 to 28 ms with KS_APT_STATUS_ONLY, and 100 to 400 ms with the
 * package lists. libapt-pkg keeps its configuration in globals: one root and
 * one mode per process.
 */
#pragma once

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

enum ks_apt_mode {
	KS_APT_STATUS_ONLY, /* dpkg's status and apt's extended_states, nothing written */
	KS_APT_WITH_LISTS,  /* candidates too */
};

struct ks_apt;

/*
 * root is "" or the DIR of --root. NULL on failure; *message is then a text from
 * malloc(3).
 */
struct ks_apt *ks_apt_open(const char *root, enum ks_apt_mode mode, char **message);
void ks_apt_close(struct ks_apt *apt);

struct ks_apt_state {
	bool installed;
	bool has_candidate;
	bool is_auto;
	bool is_garbage; /* "apt autoremove" would take it */
};

/* False when the package is not known at all. */
bool ks_apt_query(struct ks_apt *apt, const char *package, struct ks_apt_state *state);

/*
 * Call found with each package whose candidate depends on that one, until it returns false.
 * Names are valid during the call.
 */
void ks_apt_dependents(struct ks_apt *apt, const char *package,
		       bool (*found)(const char *name, void *data), void *data);

/* A package that would be installed. Texts are valid during the call. */
struct ks_apt_package {
	const char *name, *version;
	const char *
		file; /* in apt's archives, with the digest that the lists have; or NULL */
};

/*
 * What "apt dist-upgrade" would install now, by apt's own resolver and nothing changed: call
 * found with each package that wants says yes to. *message as for ks_apt_open(). With
 * KS_APT_WITH_LISTS.
 */
bool ks_apt_upgrade(struct ks_apt *apt, bool (*wants)(const char *name),
		    void (*found)(const struct ks_apt_package *package, void *data),
		    void *data, char **message);

/* Change the automatic flag in memory; is_garbage of every package follows. */
bool ks_apt_mark(struct ks_apt *apt, const char *package, bool automatic);

/* Write the flags to extended_states. *message as for ks_apt_open(). */
bool ks_apt_store(struct ks_apt *apt, char **message);

#ifdef __cplusplus
}
#endif
