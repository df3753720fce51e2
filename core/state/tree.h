/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * T = dkms_tree (/var/lib/dkms) in dkms's own layout (dkms 3.4.3), so that
 * dkms and kmodsmith can take turns on it:
 *
 *	T/M/V/source -> source directory	added
 *	T/M/V/build/				build area; kept after a failure
 *	T/M/V/K/A/module/NAME.ko[.xz]		built
 *	T/M/V/K/A/log/make.log
 *	T/M/V/K/A/manifest			ours
 *	T/M/V/K/A/installed			the manifest of what is installed, where
 *						the artifact is a newer one
 *	T/M/kernel-K-A -> V/K/A			installed
 *
 * Half-made trees of a killed dkms are read without harm: what does not fit
 * is reported as a problem of that entry.
 */
#pragma once

#include "core/state/manifest.h"
#include "core/platform/system.h"
#include "core/support/contract.h"

struct ks_artifact {
	char *release, *arch;
	char *dir;		 /* T/M/V/K/A */
	GPtrArray *module_files; /* char *: names in module/, sorted; empty = not built */
	bool has_symvers;	 /* module/Module.symvers */
	bool active;		 /* T/M/kernel-K-A leads here */
	struct ks_manifest *manifest; /* NULL: built by dkms, or unreadable */
	char *problem;		      /* unreadable manifest or similar, or NULL */
};

enum ks_tree_source {
	KS_TREE_SOURCE_OK,   /* T/M/V/source leads to a directory with dkms.conf */
	KS_TREE_SOURCE_GONE, /* a link to nothing: the package was removed */
	KS_TREE_SOURCE_NONE, /* no link, nothing added (left over or half made) */
};

struct ks_tree_entry {
	char *name, *version;
	enum ks_tree_source source;
	char *source_dir; /* what the link says, absolute; NULL for NONE */
	bool asked;	  /* mark: an administrator asked for it (add, build, install) */
	gint64 asked_at_us;   /* when that was, the last time */
	bool removal_asked;   /* mark: a package's prerm asked for its removal */
	GPtrArray *artifacts; /* struct ks_artifact */
};

/* Everything in T, sorted by name, then version. */
KS_MUST_CHECK
KS_NONNULL(1)
GPtrArray *ks_tree_scan(const struct ks_system *system, GError **error);
struct ks_tree_entry *ks_tree_find(GPtrArray *entries, const char *name,
				   const char *version);
/*
 * The artifact of entry for release and arch, or NULL. One below another name
 * of arch ("amd64") is taken when there is none below this one.
 */
KS_NONNULL(1)
struct ks_artifact *ks_tree_find_artifact(struct ks_tree_entry *entry,
					  const char *release, const char *arch);

/*
 * Move artifacts below another name of a kernel's architecture, as "dkms build
 * -a amd64" of dkms's leaves them, to the name that uname(2) has; also the
 * links that make them active, and modules put aside. Of two artifacts the
 * active one stays.
 */
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_tree_settle_arches(const struct ks_system *system, GError **error);

/* Paths; free with g_free. */
KS_NONNULL(1)
char *ks_tree_entry_path(const struct ks_system *system, const char *name,
			 const char *version);
KS_NONNULL(1)
char *ks_tree_artifact_path(const struct ks_system *system, const char *name,
			    const char *version, const char *release, const char *arch);
/* T/M/kernel-K-A, which leads to the version that is installed there. */
KS_NONNULL(1)
char *ks_tree_link_path(const struct ks_system *system, const char *name,
			const char *release, const char *arch);

/*
 * In an artifact: what its build has put into T/M/V/K and into T/M/V. The
 * copies there stay as long as an artifact that has them.
 */
#define KS_TREE_BESIDE_RELEASE ".beside/release"
#define KS_TREE_BESIDE_ENTRY   ".beside/entry"

/* T/M/V with its source link and empty build/. Already there with the same source:
 * success. */
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_tree_add(const struct ks_system *system, const char *name, const char *version,
		 const char *source_dir, GError **error);

/*
 * Move a finished, staged artifact directory (anywhere on the same file
 * system as T) to T/M/V/K/A, replacing what is there in one exchange
 * (renameat2 RENAME_EXCHANGE); the old one is removed afterwards. When that one
 * is installed, its manifest stays as "installed" until ks_tree_activate(). After a
 * failure the staged directory is removed, too.
 */
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_tree_publish(const struct ks_system *system, const char *name,
		     const char *version, const char *release, const char *arch,
		     const char *staged_dir, GError **error);

/* T/M/kernel-K-A -> V/K/A, or without version: remove the link. */
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_tree_activate(const struct ks_system *system, const char *name,
		      const char *version, const char *release, const char *arch,
		      GError **error);
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_tree_deactivate(const struct ks_system *system, const char *name,
			const char *release, const char *arch, GError **error);

/*
 * The manifest of the installed files of the active artifact in dir, whose own
 * manifest is own (may be NULL); NULL when own is the installed one. Costs a
 * stat(2) then.
 */
KS_NONNULL(1)
struct ks_manifest *ks_tree_load_installed(const struct ks_system *system,
					   const char *dir,
					   const struct ks_manifest *own);

/* Remove one artifact, and an emptied K directory. */
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_tree_unbuild(const struct ks_system *system, const char *name,
		     const char *version, const char *release, const char *arch,
		     GError **error);

/* Remove T/M/V altogether, and an emptied T/M. Never touches the source itself. */
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_tree_remove(const struct ks_system *system, const char *name, const char *version,
		    GError **error);

/* The marks "asked" and "removal-asked", kept in state_dir/marks/M/V/. */
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_tree_set_asked(const struct ks_system *system, const char *name,
		       const char *version, bool on, GError **error);
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_tree_set_removal_asked(const struct ks_system *system, const char *name,
			       const char *version, bool on, GError **error);

/*
 * The mark "loaded": a package's script has unpacked its source from an archive, so that
 * it is no package's, and goes with the next removal that a package asks for.
 */
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_tree_set_loaded(const struct ks_system *system, const char *name,
			const char *version, bool on, GError **error);
KS_NONNULL(1)
bool ks_tree_is_loaded(const struct ks_system *system, const char *name,
		       const char *version);

/*
 * The mark "dismissed": an administrator has removed it, and does not want it
 * back although its source may still be there. It outlives ks_tree_remove().
 */
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_tree_set_dismissed(const struct ks_system *system, const char *name,
			   const char *version, bool on, GError **error);
KS_NONNULL(1)
bool ks_tree_is_dismissed(const struct ks_system *system, const char *name,
			  const char *version);
/* Drop that mark of modules with neither a directory in source_tree nor an entry in T:
 * the package was removed, and is to work when it comes back. */
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_tree_forget_dismissed(const struct ks_system *system, GError **error);
