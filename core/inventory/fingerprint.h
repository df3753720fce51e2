/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The build fingerprint of a target: one hash over every input that can change
 * the compiled bytes. Two builds with equal fingerprints give equal modules,
 * so nothing is built twice; a known failure is tried again when it changes.
 *
 * A BUILD_DEPENDS contributes its own fingerprint, not the Module.symvers that
 * its build will leave: the fingerprint is known before anything is built, so
 * that a module that depends on a new one is rebuilt in the same run and not
 * in the next one.
 */
#pragma once

#include "core/conf/conf.h"
#include "core/support/contract.h"

struct ks_fingerprint_inputs {
	const char *source_digest; /* ks_digest_tree() of the source directory */
	const char
		*override_digest; /* likewise of dkms_etc/NAME; NULL when there is none */
	const char *kernel_fingerprint; /* ks_kernel_fingerprint() */
	const char *toolchain;		/* ks_toolchain_identity(), NULL: the kernel's */
	const struct ks_kernel *kernel;
	const struct ks_conf *conf; /* evaluated for that kernel */
	const char *const
		*depends; /* "NAME=FINGERPRINT" in the conf's order; may be NULL */
};

/* The names of its inputs, for the manifest: "environment:2,source,...". Static. */
const char *ks_fingerprint_covers(void);

/* Hex. Cannot fail; free with g_free. */
KS_NONNULL(1)
char *ks_fingerprint_target(const struct ks_fingerprint_inputs *inputs);
