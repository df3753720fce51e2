/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What kmodsmith knows of one artifact besides what dkms's layout shows:
 * T/M/V/K/A/manifest, a key file (fields in core/README.md). An artifact that
 * dkms built has none.
 */
#pragma once

#include "core/platform/system.h"
#include "core/support/contract.h"

struct ks_manifest_file {
	char *name;	/* "foo.ko.xz": file name in module/ and below dest_dir */
	char *dest_dir; /* absolute in the tree: /lib/modules/K/updates/dkms */
	/* a symbolic link with this text was installed, not a copy; or NULL */
	char *link;
	char *built_sha256; /* of the .ko as it came from the build, stripped */
	char *sha256;	    /* of the file as installed (compressed) */
	guint64 size_bytes;
	char *version;	  /* of its modinfo; NULL: none, or built by a version that did
	                   * not record it */
	char *srcversion; /* likewise */
	char **aliases;	  /* modalias patterns, as libkmod gives them */
	char **exports;	  /* exported symbols "crc name" for dependants; may be empty */
	/* which symbols it needs that nothing exported when it was built; or NULL */
	char *unresolved;
	char **missing; /* these, "0xcrc name"; NULL: built before that was kept */
};

struct ks_manifest {
	char *module, *version, *release, *arch;
	char *build_fingerprint;
	char *finish_fingerprint;
	char *covers; /* what build_fingerprint was made of, by name; may be NULL */
	char *sandbox_layers;
	/*
	 * How it was signed, an id (core/README.md); NULL: built by a version
	 * that did not record it
	 */
	char *signing;
	char *certificate_sha256; /* of the file, when signing is "yes" */
	char *sign_hash;	  /* likewise: "sha256" */
	gint64 built_at_us;	  /* real time */
	gint64 installed_at_us;	  /* 0 = not installed */
	gint64 build_duration_ms;
	GPtrArray *files; /* struct ks_manifest_file */
	/* Built, and not to be installed with the others; marked so on disk */
	GPtrArray *left_out;
};

struct ks_manifest *ks_manifest_new(const char *module, const char *version,
				    const char *release, const char *arch);
void ks_manifest_free(struct ks_manifest *manifest);
KS_DEFINE_CLEANUP(ks_manifest, ks_manifest_free)

/*
 * Leave out the files of these names (NULL-terminated; NULL: none) and no
 * others, whatever was set before.
 */
KS_NONNULL(1)
void ks_manifest_leave_out(struct ks_manifest *manifest, const char *const *names);

/* "'a.ko': symbol 'b' is exported by nothing; ..." of all its files, or NULL. */
char *ks_manifest_unresolved(const struct ks_manifest *manifest);
void ks_manifest_file_free(struct ks_manifest_file *file);

/* The path where it is installed: dest_dir and name. Free with g_free. */
KS_NONNULL(1)
char *ks_manifest_file_path(const struct ks_manifest_file *file);
/* Is path that of one of its files? manifest may be NULL: no. */
bool ks_manifest_has_path(const struct ks_manifest *manifest, const char *path);

/*
 * Read it from memory (fuzzed) or from a file of the tree; write it to a file, durably.
 */
KS_MUST_CHECK
struct ks_manifest *ks_manifest_parse(const char *text, size_t size_bytes,
				      const char *label, GError **error);
KS_MUST_CHECK
KS_NONNULL(1)
struct ks_manifest *ks_manifest_load(const struct ks_system *system, const char *path,
				     GError **error);
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_manifest_store(const struct ks_system *system, const struct ks_manifest *manifest,
		       const char *path, GError **error);
