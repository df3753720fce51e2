/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The states of a target (one source on one kernel) and the reasons for them.
 * The ids are an interface: they appear in JSON, in the journal and in
 * manifests, are never renamed, and are listed in core/README.md.
 */
#pragma once

#include <stdbool.h>

enum ks_target_state {
	KS_TARGET_ADDED,     /* known, and not wanted on this kernel */
	KS_TARGET_EXCLUDED,  /* BUILD_EXCLUSIVE_*, OBSOLETE_BY, a higher
	                      * version, settings */
	KS_TARGET_WAITING,   /* cannot be built yet: headers, toolchain, BUILD_DEPENDS */
	KS_TARGET_FAILED,    /* built and failed; not retried until an input changes */
	KS_TARGET_BUILT,     /* artifact there, not installed */
	KS_TARGET_INSTALLED, /* files in place, not yet owned by a package */
	KS_TARGET_RECORDED,  /* files in place and owned: done */
	KS_TARGET_SATISFIED, /* the kernel ships the same or a newer module */
	KS_TARGET_STALE, /* wanted, and its artifact is absent or older than its inputs */
	KS_TARGET_BROKEN, /* state or source cannot be read */
};

enum ks_reason {
	KS_REASON_UP_TO_DATE,
	KS_REASON_NOT_WANTED, /* no AUTOINSTALL and nobody asked */
	KS_REASON_NEVER_BUILT,
	KS_REASON_INPUT_CHANGED, /* build fingerprint differs */
	KS_REASON_FILES_MISSING, /* installed files gone */
	KS_REASON_FILES_CHANGED, /* installed files altered by somebody else */
	KS_REASON_NOT_INSTALLED, /* built, to be put in place */
	KS_REASON_NOT_RECORDED,	 /* in place, to be recorded */
	KS_REASON_RECORD_STALE,	 /* recorded, but not as it is now */
	KS_REASON_HEADERS_MISSING,
	KS_REASON_TOOLCHAIN_MISSING,
	KS_REASON_DEPENDS_MISSING, /* a BUILD_DEPENDS is not installed on this kernel */
	KS_REASON_EXCLUSIVE_KERNEL,
	KS_REASON_EXCLUSIVE_KERNEL_MIN,
	KS_REASON_EXCLUSIVE_KERNEL_MAX,
	KS_REASON_EXCLUSIVE_ARCH,
	KS_REASON_EXCLUSIVE_CONFIG,
	KS_REASON_OBSOLETE_BY,
	KS_REASON_EXCLUDED_BY_CONF,
	KS_REASON_SUPERSEDED,	       /* a higher version is used on this kernel */
	KS_REASON_KERNEL_NOT_SELECTED, /* the setting "kernels" leaves it out */
	KS_REASON_SKIPPED,	       /* settings: skip */
	KS_REASON_HELD,		       /* settings: hold */
	KS_REASON_NO_AUTOINSTALL,      /* /etc/dkms/no-autoinstall */
	KS_REASON_BUILD_FAILED,	       /* and the inputs are still the same */
	KS_REASON_VERIFY_FAILED,
	KS_REASON_IN_TREE,	 /* the kernel's own is the same or newer */
	KS_REASON_SOURCE_BROKEN, /* the conf or the source directory is unusable */
	KS_REASON_SOURCE_GONE,
	KS_REASON_KERNEL_GONE,
	KS_REASON_REPLACED,  /* an old version whose replacement is in place */
	KS_REASON_KEPT,	     /* unwanted, kept until its replacement is in place */
	KS_REASON_REQUESTED, /* the command line asked for exactly this */
	KS_REASON_FOREIGN,   /* a file or package of that name belongs to another */
	KS_REASON_ADOPTED,   /* built by dkms; taken over as it is */
	KS_REASON_SIGNATURE_CHANGED, /* built right, but not signed with the key in use */
	KS_REASON_HEADERS_CLOSED, /* they are there, and the build user may not read them */
	KS_REASON_DISMISSED,	/* an administrator removed it; its source may be there */
	KS_REASON_RETRY_DUE,	/* it failed, and its surroundings changed since */
	KS_REASON_RIVAL,	/* another source brings a module of the same name */
	KS_REASON_OCCUPIED,	/* a file that is not ours is where its module belongs */
	KS_REASON_NEWER_FAILED, /* used, since a higher version cannot be built here */
	KS_REASON_UNRESOLVED,	/* in place, and needs symbols that nothing exports yet */
	KS_REASON_READ_ONLY,	/* nothing can be put where its module belongs */
	KS_REASON_INDEX_STALE,	/* the kernel's module index is older than its modules */
	KS_REASON_IMAGE_STALE,	/* likewise its initramfs */
	KS_REASON_IMAGE_LEFT,	/* likewise, and nobody makes it */
	KS_REASON_DEPENDS_CHANGED, /* another version of what it was built upon comes */
	KS_REASON_IN_STORE, /* the store has its build, for a kernel that is to come */
};

/* "recorded", "exclusive-config": the id, and the reverse (false when unknown). */
const char *ks_target_state_id(enum ks_target_state state);
bool ks_target_state_from_id(const char *id, enum ks_target_state *state);
const char *ks_reason_id(enum ks_reason reason);
bool ks_reason_from_id(const char *id, enum ks_reason *reason);

/* A short sentence for people: "the kernel's headers are not installed". */
const char *ks_reason_words(enum ks_reason reason);
