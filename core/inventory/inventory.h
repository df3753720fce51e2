/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One read-only picture of the system: sources, kernels, and for every
 * source on every kernel a target with what is on disk and in the package
 * database. Taking it changes nothing but caches. The planner works on this
 * and nothing else.
 */
#pragma once

#include "core/conf/conf.h"
#include "core/settings/settings.h"
#include "core/kernel/kernel.h"
#include "core/record/record.h"
#include "core/state/failure.h"
#include "core/state/target.h"
#include "core/state/tree.h"
#include "core/platform/digest.h"
#include "core/support/contract.h"

struct ks_source {
	char *name, *version;
	char *path;	    /* the source directory; NULL when gone */
	bool present;	    /* path has a usable dkms.conf */
	bool added;	    /* T/M/V is there, and leads to path when that is present */
	bool asked;	    /* an administrator asked for it */
	gint64 asked_at_us; /* when, the last time */
	bool removal_asked; /* a package's prerm asked for its removal */
	bool outside; /* not below source_tree: when gone, maybe on a disk not mounted */
	bool dismissed; /* an administrator removed it: as if it were gone */
	bool autoinstall;
	char *problem; /* why it cannot be used, "FILE:LINE: ..."; NULL when fine */
	struct ks_tree_entry *entry; /* NULL when not in T; owned by the inventory */
};

enum ks_installed {
	KS_INSTALLED_NO,
	KS_INSTALLED_OK, /* all files in place, with the manifest's sizes and digests */
	KS_INSTALLED_MISSING, /* active, but a file is gone */
	KS_INSTALLED_CHANGED, /* active, but a file differs */
};

enum ks_recorded {
	KS_RECORDED_NO,
	KS_RECORDED_OK,	     /* by our record, for these very files */
	KS_RECORDED_STALE,   /* our record is of another artifact or half installed */
	KS_RECORDED_FOREIGN, /* a package not ours has the record's name */
	KS_RECORDED_UNKNOWN, /* no recorder on this system */
};

struct ks_target {
	struct ks_source *source;
	struct ks_kernel *kernel;
	enum ks_conf_exclusion exclusion;
	char *exclusion_text;
	char *conf_problem; /* the conf cannot be read for this kernel; NULL when fine */
	char *fingerprint;  /* wanted build fingerprint; NULL when it is not known */
	/* what the fingerprint was made of; override NULL: there was none */
	char *source_digest, *override_digest, *kernel_fingerprint;
	/* It has other programs than its kernel (see toolchain.h): then what is missing
	 * of them, or NULL. */
	bool own_toolchain;
	char *toolchain_problem;
	char **build_depends;
	char **depends_installed; /* those of which a module file is in place; or NULL */
	/*
	 * "NAME/VERSION" of those that its artifact is marked to be built upon: all that
	 * want to be built again for another version have marks (BUILD_DEPENDS_REBUILD);
	 * or NULL.
	 */
	char **built_upon;
	/*
	 * The names of its modules as the kernel has them, without suffix and with '_'
	 * for '-': of what is installed, else of what its conf says.
	 */
	char **makes;
	struct ks_conf *conf; /* NULL in specs of the planner */
	/* what exists */
	struct ks_artifact *artifact; /* NULL: nothing built */
	bool built;		      /* artifact has all its modules */
	bool signature_stale;	      /* ours, and not signed with the key that would be
	                       * used now */
	char *built_fingerprint;      /* from the manifest; NULL when built by dkms */
	/*
	 * Which symbols its modules need that no module on the kernel exports, in words, or
	 * NULL; is_useless: each of them needs one, so that none can be loaded.
	 */
	char *unresolved;
	bool is_useless;
	enum ks_installed installed;
	/*
	 * Whose file lies where one of its modules belongs, in words: "'PATH'
	 * belongs to X"; or NULL. Asked only while its artifact is of the
	 * present inputs and not installed.
	 */
	char *occupied;
	/* Excluded, and the kernel has modules of all of its names itself, or built in */
	bool kernel_has_it;
	bool is_read_only; /* the kernel's directory cannot be written to */
	/*
	 * Of an incoming kernel: the store has a build with this fingerprint. Filled in by
	 * the engine.
	 */
	bool in_store;
	enum ks_recorded recorded;
	struct ks_failure *failure; /* NULL: no known failure */
	/* Its surroundings changed since: a run that nobody asked for tries it again */
	bool is_retry_due;
	/*
	 * Path of the kernel's own module if that is the same or newer, or NULL
	 * (see in-tree.h). Looked for only while ours is built from the present
	 * inputs and not installed.
	 */
	char *in_tree;
};

/*
 * What a kernel's index, image and directory need, whatever its modules do. Filled in by
 * ks_install_look_at_upkeep(), since core/install knows how these are made.
 */
struct ks_upkeep {
	const struct ks_kernel *kernel;
	bool index_is_stale; /* older than the last change of the kernel's modules */
	bool has_image;	     /* there is an initramfs of it that a program here makes */
	bool image_is_stale; /* likewise older */
	/* Why an image of it is renewed by nobody, in words; NULL: there is none such. */
	char *unrenewed;
	bool unrenewed_is_due; /* it is older than that change, which was not reported */
	bool unrenewed_is_stale; /* it is older than a change, whether reported or not */
	bool is_prunable; /* its directory holds only what depmod and others left */
	bool is_prunable_without_ours; /* likewise once our modules are gone */
};

void ks_upkeep_free(gpointer upkeep);

struct ks_inventory {
	GPtrArray *kernels; /* struct ks_kernel, newest first; also those that only T
			       remembers */
	GPtrArray *sources; /* struct ks_source, by name then version */
	GPtrArray *targets; /* struct ks_target: every source on every kernel directory */
	GPtrArray *entries; /* struct ks_tree_entry */
	GPtrArray *problems; /* char *: directories in source_tree that were ignored, and
				why */
	GPtrArray *records;  /* struct ks_record_entry: what the package database holds of
				ours */
	bool source_tree_present; /* false: source_tree is not there; nothing
	                           * is removed */
	bool has_recorder;
	/* what it has of ours is not what is installed, on whatever kernel; filled in by the engine */
	bool records_are_stale;
	bool has_devices; /* it is about this machine, whose devices may wait for a module */
	GPtrArray
		*upkeep; /* struct ks_upkeep, one for each kernel; NULL: not looked at */
};

/* Narrowed are the targets and the records; sources and kernels are all there. */
struct ks_inventory_options {
	const char *module;  /* narrow to one module name and its BUILD_DEPENDS; NULL for
				all */
	const char *release; /* narrow to one kernel; NULL for all */
	/*
	 * Whose file is in the manifest's way, other than our own modules': in
	 * words, or NULL. The layers that know are below this one. NULL: nobody
	 * is asked.
	 */
	char *(*find_occupant)(const struct ks_system *system,
			       const struct ks_manifest *manifest);
};

/*
 * Take the picture; it is the caller's. records is what core/record read (may be NULL: no
 * recorder); it is the inventory's from here on, also when this fails. system and settings
 * outlive the inventory, whose kernels are read by them later (ks_kernel_config_get()
 * fills a cache in struct ks_kernel, which is why functions that only look at a kernel take
 * it without const); cache and options are not kept.
 */
KS_MUST_CHECK
KS_NONNULL(1)
struct ks_inventory *ks_inventory_take(const struct ks_system *system,
				       const struct ks_settings *settings,
				       struct ks_digest_cache *cache, GPtrArray *records,
				       const struct ks_inventory_options *options,
				       GError **error);
void ks_inventory_free(struct ks_inventory *inventory);
KS_DEFINE_CLEANUP(ks_inventory, ks_inventory_free)

/*
 * What is known of the kernel's upkeep. Where nobody has looked: there is an image, and
 * nothing is stale. The inventory's, or static.
 */
KS_NONNULL(1)
const struct ks_upkeep *ks_inventory_get_upkeep(const struct ks_inventory *inventory,
						const struct ks_kernel *kernel);

KS_NONNULL(1)
struct ks_target *ks_inventory_find_target(const struct ks_inventory *inventory,
					   const char *name, const char *version,
					   const char *release);
