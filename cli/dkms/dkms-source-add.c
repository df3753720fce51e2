/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A source directory becomes a module: its conf is read strictly, and it is registered. */
#include "cli/add.h"
#include "cli/dkms/dkms-rpm.h"
#include "cli/dkms/dkms-source.h"
#include "cli/run.h"
#include "core/support/error.h"

int ks_dkms_fail_conf(const struct ks_dkms *dkms, const char *dir, const GError *error,
		      bool elsewhere)
{
	const char *given = dkms->overrides.conf_path;
	g_autofree char *path =
		given ? g_strdup(given) : g_build_filename(dir, "dkms.conf", NULL);

	if (g_error_matches(error, KS_ERROR, KS_ERROR_NOT_FOUND) && elsewhere && !given)
		return ks_dkms_fail(KS_DKMS_NO_CONF, "%s must contain a dkms.conf file!",
				    dir);
	if (g_error_matches(error, KS_ERROR, KS_ERROR_NOT_FOUND))
		return ks_dkms_fail(KS_DKMS_BROKEN,
				    "Could not locate dkms.conf file.\n"
				    "File: %s does not exist.",
				    path);
	ks_dkms_complain(error->message);
	if (ks_error_get_hint(error))
		ks_dkms_warn("%s", ks_error_get_hint(error));
	return ks_dkms_fail(KS_DKMS_BAD_CONF,
			    "Bad conf file.\n"
			    "File: %s does not represent a valid dkms.conf file.",
			    path);
}

/* Print the oddities of the conf that are no errors. */
static void print_odd(const struct ks_conf *conf)
{
	if (conf->modules->len)
		return;
	fflush(stdout);
	fputs("dkms.conf: Warning! Zero modules specified.\n", stderr);
}

static void print_added(void *data)
{
	puts(data);
	fflush(stdout);
}

static void print_copied(const char *reason, void *data)
{
	(void)data;
	ks_dkms_warn("%s: a copy that only root can change is used, as it is now",
		     reason);
}

static int use_snapshot(const struct ks_dkms *dkms, struct ks_dkms_job job)
{
	g_autofree char *reason = NULL;
	g_autoptr(GError) error = NULL;

	if (!ks_add_snapshot(&dkms->cli, job.module, job.version, &reason, &error))
		return ks_dkms_fail(KS_DKMS_NOT_ALLOWED, "%s", error->message);
	if (reason)
		print_copied(reason, NULL);
	return KS_DKMS_OK;
}

static void print_script(const char *what, bool is_executable, void *data)
{
	(void)data;
	if (is_executable)
		printf("Running the %s script:\n", what);
	else
		putchar('\n');
	fflush(stdout);
	if (!is_executable)
		ks_dkms_warn("The %s script is not executable.", what);
}

static void print_deprecated(const struct ks_dkms *dkms, const char *dir,
			     const struct ks_conf *conf)
{
	if (!ks_dkms_is_first_read(dkms, conf->package_name, conf->package_version))
		return;
	for (char **name = conf->deprecated; name && *name; name++)
		fprintf(stderr, "Deprecated feature: %s (%s/dkms.conf)\n", *name, dir);
}

static void print_forced(const struct ks_dkms *dkms, const char *dir,
			 const struct ks_conf *conf)
{
	const struct ks_root *root = dkms->cli.system->root;
	g_autofree char *place =
		g_strdup_printf("%s/%s-%s", dkms->cli.system->source_tree,
				conf->package_name, conf->package_version);

	if (!dkms->options->force || !ks_root_exists(root, place) ||
	    g_str_equal(place, dir))
		return;
	fflush(stdout);
	fputs("\n", stderr);
	printf("Forcing install of %s/%s\n", conf->package_name, conf->package_version);
	fflush(stdout);
}

int ks_dkms_add_directory(struct ks_dkms *dkms, const char *dir,
			  const struct ks_conf *conf)
{
	g_autofree char *placed = NULL;
	g_autofree char *entry = ks_tree_entry_path(dkms->cli.system, conf->package_name,
						    conf->package_version);
	g_autofree char *line = g_strdup_printf(
		"Creating symlink %s/source -> %s/%s-%s", entry,
		dkms->cli.system->source_tree, conf->package_name, conf->package_version);
	struct ks_add_options options = {
		.replace = dkms->options->force,
		.added = print_added,
		.copied = print_copied,
		.data = line,
		.script = {.to_stdout = true, .report = print_script},
	};
	g_autoptr(GError) error = NULL;

	/* what lies in the source tree is found by the run above */
	if (ks_run_queue_if_held_above(&dkms->cli, "dkms add"))
		return KS_DKMS_OK;
	print_deprecated(dkms, dir, conf);
	print_odd(conf);
	print_forced(dkms, dir, conf);
	if (!ks_add_source(&dkms->cli, dir, conf, &options, &placed, &error))
		return ks_dkms_fail(KS_DKMS_NOT_ALLOWED,
				    "%s\nYou may override by specifying --force.",
				    error->message);
	return options.script_status;
}

struct ks_conf *ks_dkms_load_conf(const struct ks_dkms *dkms, struct ks_dkms_job job,
				  const char *dir, GError **error)
{
	return ks_conf_load(dkms->cli.system, dkms->cli.settings, dir, job.module,
			    job.version, NULL, error);
}

int ks_dkms_read_strict(const struct ks_dkms *dkms, struct ks_dkms_job job,
			const char *dir)
{
	g_autoptr(GError) error = NULL;
	ks_auto(ks_conf) conf = ks_dkms_load_conf(dkms, job, dir, &error);

	if (!conf)
		return ks_dkms_fail_conf(dkms, dir, error, false);
	print_odd(conf);
	return KS_DKMS_OK;
}

int ks_dkms_add_found(struct ks_dkms *dkms, struct ks_dkms_job job)
{
	g_autofree char *source = ks_dkms_source_path(dkms, job);
	g_autoptr(GError) error = NULL;
	ks_auto(ks_conf) conf = NULL;
	int code;

	if (ks_dkms_is_added(dkms, job))
		return use_snapshot(dkms, job);
	conf = ks_dkms_load_conf(dkms, job, source, &error);
	if (!conf)
		return ks_dkms_fail_conf(dkms, source, error, false);
	code = ks_dkms_add_directory(dkms, source, conf);
	/* dkms has an empty line between this and the build */
	puts("");
	fflush(stdout);
	return code;
}
