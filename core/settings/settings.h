/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kmodsmith.conf(5): etc_dir/kmodsmith.conf, then etc_dir/kmodsmith.conf.d/
 * *.conf in byte order, later ones winning key by key. A key file with a
 * [kmodsmith] and a [sign] group and [module NAME] groups.
 */
#pragma once

#include "core/settings/overrides.h"
#include "core/settings/reading.h"
#include "core/kernel/kernel.h"
#include "core/sandbox/sandbox.h"
#include "core/platform/system.h"
#include "core/settings/kernel-choice.h"
#include "core/support/contract.h"

struct ks_framework;

enum ks_root_scripts_setting { KS_ROOT_SCRIPTS_RUN, KS_ROOT_SCRIPTS_SKIP };
enum ks_sign_setting { KS_SIGN_SETTING_AUTO, KS_SIGN_SETTING_YES, KS_SIGN_SETTING_NO };
enum ks_on_failure_setting { KS_ON_FAILURE_REPORT, KS_ON_FAILURE_FAIL };

struct ks_settings {
	struct ks_kernel_choice kernels; /* for modules that have none of their own */
	/* jobs = N, else framework.conf; 0 (default) = number of processors */
	unsigned int n_jobs;
	unsigned int build_timeout_s; /* build-timeout; default 7200 */
	unsigned int build_size_mib;  /* build-size; default 16384; 0 = no limit */
	/* build-memory; 0 (default) = 3/4 of the machine's */
	unsigned int build_memory_mib;
	unsigned int script_timeout_s;		   /* script-timeout; default 3600 */
	enum ks_sandbox_setting sandbox;	   /* sandbox = auto | require | off */
	enum ks_root_scripts_setting root_scripts; /* root-scripts = run | skip */
	enum ks_on_failure_setting on_failure;	   /* on-failure = report | fail */
	bool initramfs;				   /* initramfs = true | false */
	unsigned int memory_per_job_mib; /* memory-per-job; default 512, 0 = no limit */
	unsigned int cache_size_mib;	 /* cache-size; default 1024, 0 = keep nothing */
	bool probe_memo;		 /* probe-memo = true | false */
	bool keep_running_modules;	 /* keep-running-modules = true | false */
	bool disabled;			 /* KMODSMITH=0 in the environment */
	bool no_autoinstall;		 /* dkms_etc/no-autoinstall is there */
	enum ks_sign_setting sign;	 /* [sign] sign = auto | yes | no */
	char *sign_key; /* [sign] key and certificate: paths in the tree, both or none */
	char *sign_certificate;
	struct ks_framework *framework; /* framework.conf, read for no kernel */
	/* of the command line; NULL: none. The caller's, as long as the settings */
	const struct ks_conf_overrides *overrides;
	GHashTable *modules; /* NAME -> struct ks_module_settings */
	GPtrArray *warnings; /* char *: lines that have no effect, and why */
};

struct ks_module_settings {
	bool skip; /* never build or install it; what is installed stays */
	bool hold; /* keep what is installed as it is: no rebuild, no other version */
	bool has_sandbox;
	enum ks_sandbox_setting sandbox; /* when has_sandbox */
	struct ks_kernel_choice kernels;
};

/* Reads framework.conf as well. A setting that earlier versions had is a warning. */
KS_MUST_CHECK
KS_NONNULL(1)
struct ks_settings *ks_settings_load(const struct ks_system *system,
				     enum ks_settings_reading how, GError **error);
void ks_settings_free(struct ks_settings *settings);
KS_DEFINE_CLEANUP(ks_settings, ks_settings_free)

KS_NONNULL(1)
bool ks_settings_is_skipped(const struct ks_settings *settings, const char *module);
KS_NONNULL(1)
bool ks_settings_is_held(const struct ks_settings *settings, const char *module);

/* The module's own setting, else the one for all. */
KS_NONNULL(1)
enum ks_sandbox_setting ks_settings_get_sandbox(const struct ks_settings *settings,
						const char *module);

/* Does the setting "kernels", the module's own or that of all, select this one? */
KS_NONNULL(1)
bool ks_settings_wants_kernel(const struct ks_settings *settings, const char *module,
			      const struct ks_kernel *kernel);
