/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dkms's tarballs (dkms 3.4.3, mktarball and ldtarball):
 *
 *	./dkms_source_tree/		   the source
 *	./dkms_binaries_only/		   or this: PACKAGE_{NAME,VERSION}, dkms.conf
 *	./dkms_main_tree/K/A/{module,log}  what was built for K and A
 *
 * and, for "dkms add TARBALL", any other tarball with a dkms.conf in it. What dkms
 * writes is read here, and what is written here, dkms reads.
 */
#pragma once

#include "core/conf/conf.h"
#include "core/settings/settings.h"
#include "core/package/unpack.h"
#include "core/state/tree.h"
#include "core/support/contract.h"

/* --- reading */

struct ks_tarball_build {
	char *release, *arch;
	char *dir; /* in the tree, ready for ks_tree_publish() */
};

struct ks_tarball {
	char *dir;		/* private, below T */
	struct ks_conf *conf;	/* of the source or of dkms_binaries_only */
	char *source_dir;	/* in the tree: where dkms.conf is */
	bool binaries_only;	/* there is no source beside it */
	bool made_by_mktarball; /* false: some tarball with a dkms.conf in it */
	GPtrArray *builds;	/* struct ks_tarball_build, by release and arch */
};

/*
 * Unpack it into a private directory below T and check all of it; nothing else
 * is changed. label names it in errors. KS_ERROR_INVALID for what unpack.h
 * refuses, for a conf that ks_conf_load() refuses, for names in dkms_main_tree
 * that can be no kernel or architecture, and for builds with anything but
 * plain files in module/ and log/; KS_ERROR_NOT_FOUND when there is no
 * dkms.conf in a tarball that is not mktarball's. Manifests in it are dropped:
 * they are another machine's.
 */
KS_MUST_CHECK
KS_NONNULL(1)
struct ks_tarball *ks_tarball_open(const struct ks_system *system,
				   const struct ks_settings *settings, int archive_fd,
				   const char *label, GError **error);
/* Removes the private directory. */
void ks_tarball_close(const struct ks_system *system, struct ks_tarball *tarball);

/* --- writing */

struct ks_tarball_contents {
	const char *module, *version;
	const char *source_dir; /* in the tree; NULL without the source */
	const char *conf_path;	/* in the tree; for one without the source */
	GPtrArray *artifacts;	/* const struct ks_artifact *; may be empty */
};

/*
 * Write it to fd, compressed as its name says (.gz and .tgz, .bz2, .xz, .zst;
 * not at all otherwise, as "tar -a" does). The same contents and times give
 * the same bytes. *outside, unless NULL, is set to the first link of the
 * source that leads out of it (free with g_free): ks_tarball_open() refuses
 * such a tarball.
 */
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_tarball_write(const struct ks_system *system,
		      const struct ks_tarball_contents *contents, const char *name,
		      int fd, char **outside, GError **error);
