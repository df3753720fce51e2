/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dkms's version sanity (3.4.3, check_version_sanity): a built module is not put beside one
 * that the kernel's directory has already, if that is the same or newer. Only the built
 * module shows its version, so this is asked between the build and the installation.
 */
#pragma once

#include "core/platform/system.h"
#include "core/state/manifest.h"
#include "core/support/contract.h"

enum ks_refusal_kind {
	KS_REFUSAL_NOT_NEWER, /* theirs has the same version or a higher one */
	KS_REFUSAL_SAME,      /* theirs is the same module */
	KS_REFUSAL_UNCLEAR,   /* no refusal: there are several of that name */
	KS_REFUSAL_ALL,	      /* every file was refused: nothing is installed */
};

struct ks_refusal {
	enum ks_refusal_kind kind;
	const char *file;	   /* the built one, "foo.ko.xz"; ALL: NULL */
	const char *path;	   /* theirs; UNCLEAR, ALL: NULL */
	const char *ours, *theirs; /* modinfo's versions; NULL: none */
};

typedef void (*ks_refusal_report)(const struct ks_refusal *refusal, void *data);

/*
 * The files of the manifest that are refused (char *, without directory; may be empty),
 * each reported. dir is the artifact's. What a killed installation of these very files has
 * left is no obstacle, nor is what cannot be read. Free with g_ptr_array_unref.
 */
KS_NONNULL(1)
GPtrArray *ks_refusal_find(const struct ks_system *system,
			   const struct ks_manifest *manifest, const char *dir,
			   ks_refusal_report report, void *data);
