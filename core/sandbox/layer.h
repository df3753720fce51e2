/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The layers of the sandbox, as bits of what was active. Apart from sandbox.h
 * because the launcher, which links no GLib, shares it.
 */
#pragma once

enum ks_sandbox_layer {
	KS_SANDBOX_UID = 1 << 0,
	KS_SANDBOX_RLIMITS = 1 << 1,
	KS_SANDBOX_SECCOMP = 1 << 2,
	KS_SANDBOX_LANDLOCK = 1 << 3,
	KS_SANDBOX_MOUNT = 1 << 4,
	KS_SANDBOX_PID = 1 << 5,
	KS_SANDBOX_NET = 1 << 6,
	KS_SANDBOX_TMP = 1 << 7,
	KS_SANDBOX_DEV = 1 << 8,
	KS_SANDBOX_CGROUP = 1 << 9,
};

#define KS_SANDBOX_LAYERS_ALL ((1u << 10) - 1)
/* Missing ones are not reported: other layers do the same, less precisely. */
#define KS_SANDBOX_LAYERS_OPTIONAL ((unsigned int)KS_SANDBOX_CGROUP)

/* "uid", "rlimits", ... for one bit; NULL for an unknown bit. */
const char *ks_sandbox_layer_name(unsigned int bit);
