/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dkms takes every variable of framework.conf from its environment when the
 * files do not set it (3.4.3). Here those that change how much is printed, how
 * fast it goes and in what form the result is installed; none that names a
 * program, a key or a tree, or decides whether to sign: whoever sets the
 * environment must not choose what root runs and trusts.
 */
#include "cli/dkms/dkms-options.h"
#include "core/settings/framework.h"

#define MAX_JOBS 4096

static bool is_on(const struct ks_framework *framework, const char *name)
{
	const char *value = g_getenv(name);

	return value && !g_hash_table_contains(framework->set_switches, name) &&
	       ks_framework_is_on(value);
}

static void take_text(const char *name, char **text)
{
	const char *value = g_getenv(name);

	if (!*text && value && *value)
		*text = g_strdup(value);
}

void ks_dkms_take_environment(struct ks_dkms_options *options,
			      struct ks_settings *settings)
{
	struct ks_framework *framework = settings->framework;
	const char *jobs = g_getenv("parallel_jobs");
	guint64 n_jobs;

	options->verbose |= is_on(framework, "verbose");
	options->symlink_modules |= is_on(framework, "symlink_modules");
	options->modprobe_on_install |= is_on(framework, "modprobe_on_install");
	/* of a conf, and dkms unsets it nowhere: anything but nothing */
	options->no_weak_modules =
		g_getenv("NO_WEAK_MODULES") && *g_getenv("NO_WEAK_MODULES");
	if (!settings->n_jobs && jobs &&
	    g_ascii_string_to_unsigned(jobs, 10, 0, MAX_JOBS, &n_jobs, NULL))
		settings->n_jobs = (unsigned int)n_jobs;
	take_text("compress_gzip_opts", &framework->compress_gzip_opts);
	take_text("compress_xz_opts", &framework->compress_xz_opts);
	take_text("compress_zstd_opts", &framework->compress_zstd_opts);
}
