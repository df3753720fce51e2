/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ids and words of target states and reasons: one table each. */
#include "core/state/target.h"

#include <glib.h>

struct words {
	const char *id;
	const char *text;
};

static const char *const state_ids[] = {
	[KS_TARGET_ADDED] = "added",	   [KS_TARGET_EXCLUDED] = "excluded",
	[KS_TARGET_WAITING] = "waiting",   [KS_TARGET_FAILED] = "failed",
	[KS_TARGET_BUILT] = "built",	   [KS_TARGET_INSTALLED] = "installed",
	[KS_TARGET_RECORDED] = "recorded", [KS_TARGET_SATISFIED] = "satisfied",
	[KS_TARGET_STALE] = "stale",	   [KS_TARGET_BROKEN] = "broken",
};

static const struct words reasons[] = {
	[KS_REASON_UP_TO_DATE] = {"up-to-date", "everything is as it should be"},
	[KS_REASON_SIGNATURE_CHANGED] = {"signature-changed",
					 "it is not signed with the key in use"},
	[KS_REASON_NOT_WANTED] = {"not-wanted",
				  "it has no AUTOINSTALL and nobody asked for it"},
	[KS_REASON_NEVER_BUILT] = {"never-built", "it has not been built yet"},
	[KS_REASON_INPUT_CHANGED] = {"input-changed",
				     "its source, the headers or the compiler changed"},
	[KS_REASON_FILES_MISSING] = {"files-missing", "an installed file is gone"},
	[KS_REASON_FILES_CHANGED] = {"files-changed",
				     "an installed file was changed by somebody else"},
	[KS_REASON_NOT_INSTALLED] = {"not-installed", "it is built but not installed"},
	[KS_REASON_NOT_RECORDED] = {"not-recorded",
				    "no package owns its installed files yet"},
	[KS_REASON_RECORD_STALE] = {"record-stale",
				    "its package is not about the files installed now"},
	[KS_REASON_HEADERS_MISSING] = {"headers-missing",
				       "the kernel's headers are not installed"},
	[KS_REASON_TOOLCHAIN_MISSING] = {"toolchain-missing",
					 "the programs to build it are not installed"},
	[KS_REASON_DEPENDS_MISSING] = {"depends-missing",
				       "a module it depends on is not installed there"},
	[KS_REASON_EXCLUSIVE_KERNEL] = {"exclusive-kernel",
					"its dkms.conf does not want this kernel"},
	[KS_REASON_EXCLUSIVE_KERNEL_MIN] = {"exclusive-kernel-min",
					    "its dkms.conf wants a newer kernel"},
	[KS_REASON_EXCLUSIVE_KERNEL_MAX] = {"exclusive-kernel-max",
					    "its dkms.conf wants an older kernel"},
	[KS_REASON_EXCLUSIVE_ARCH] = {"exclusive-arch",
				      "its dkms.conf does not want this architecture"},
	[KS_REASON_EXCLUSIVE_CONFIG] = {"exclusive-config",
					"the kernel's configuration does not suit it"},
	[KS_REASON_OBSOLETE_BY] = {"obsolete-by",
				   "its dkms.conf says this kernel has it already"},
	[KS_REASON_EXCLUDED_BY_CONF] = {"excluded-by-conf",
					"its dkms.conf refuses this kernel"},
	[KS_REASON_SUPERSEDED] = {"superseded",
				  "a higher version is used on this kernel"},
	[KS_REASON_KERNEL_NOT_SELECTED] =
		{"kernel-not-selected", "the setting 'kernels' leaves this kernel out"},
	[KS_REASON_SKIPPED] = {"skipped", "the setting 'skip' is on for this module"},
	[KS_REASON_HELD] = {"held", "the setting 'hold' is on for this module"},
	[KS_REASON_NO_AUTOINSTALL] = {"no-autoinstall",
				      "/etc/dkms/no-autoinstall is there"},
	[KS_REASON_BUILD_FAILED] = {"build-failed",
				    "its build failed, and nothing changed since"},
	[KS_REASON_VERIFY_FAILED] = {"verify-failed",
				     "what was built does not fit this kernel"},
	[KS_REASON_IN_TREE] = {"in-tree", "the kernel's own module is the same or newer"},
	[KS_REASON_SOURCE_BROKEN] = {"source-broken", "its source cannot be used"},
	[KS_REASON_SOURCE_GONE] = {"source-gone", "its source was removed"},
	[KS_REASON_KERNEL_GONE] = {"kernel-gone", "the kernel was removed"},
	[KS_REASON_REPLACED] = {"replaced", "another version takes its place"},
	[KS_REASON_KEPT] = {"kept", "it works and nothing better is in place"},
	[KS_REASON_REQUESTED] = {"requested", "it was asked for"},
	[KS_REASON_FOREIGN] = {"foreign",
			       "a file or package of that name belongs to another"},
	[KS_REASON_ADOPTED] = {"adopted", "dkms built it; it is taken over as it is"},
	[KS_REASON_DISMISSED] = {"dismissed", "it was removed by hand"},
	[KS_REASON_INDEX_STALE] = {"index-stale",
				   "its module index is older than its modules"},
	[KS_REASON_IMAGE_STALE] = {"image-stale",
				   "its initramfs is older than its modules"},
	[KS_REASON_IMAGE_LEFT] = {"image-left", "nobody here renews its initramfs"},
	[KS_REASON_RETRY_DUE] = {"retry-due",
				 "it failed, and packages or headers changed since"},
	[KS_REASON_RIVAL] = {"rival", "another source brings the same module"},
	[KS_REASON_HEADERS_CLOSED] = {"headers-closed",
				      "the build user cannot read the kernel's headers"},
	[KS_REASON_OCCUPIED] = {"occupied", "a file of that name belongs to another"},
	[KS_REASON_NEWER_FAILED] = {"newer-failed",
				    "a higher version cannot be provided on this kernel"},
	[KS_REASON_UNRESOLVED] = {"unresolved",
				  "it needs symbols that no module exports yet"},
	[KS_REASON_READ_ONLY] = {"read-only", "where it belongs is mounted read-only"},
	[KS_REASON_DEPENDS_CHANGED] =
		{"depends-changed",
		 "another version of what it was built upon is installed"},
	[KS_REASON_IN_STORE] = {"in-store", "it is built, for when the kernel comes"},
};

const char *ks_target_state_id(enum ks_target_state state)
{
	g_return_val_if_fail((size_t)state < G_N_ELEMENTS(state_ids), "broken");
	return state_ids[state];
}

bool ks_target_state_from_id(const char *id, enum ks_target_state *state)
{
	for (size_t i = 0; i < G_N_ELEMENTS(state_ids); i++) {
		if (g_str_equal(state_ids[i], id)) {
			*state = (enum ks_target_state)i;
			return true;
		}
	}
	return false;
}

const char *ks_reason_id(enum ks_reason reason)
{
	g_return_val_if_fail((size_t)reason < G_N_ELEMENTS(reasons), "source-broken");
	return reasons[reason].id;
}

bool ks_reason_from_id(const char *id, enum ks_reason *reason)
{
	for (size_t i = 0; i < G_N_ELEMENTS(reasons); i++) {
		if (g_str_equal(reasons[i].id, id)) {
			*reason = (enum ks_reason)i;
			return true;
		}
	}
	return false;
}

const char *ks_reason_words(enum ks_reason reason)
{
	g_return_val_if_fail((size_t)reason < G_N_ELEMENTS(reasons), "");
	return reasons[reason].text;
}
