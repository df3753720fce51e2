/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dkms ldtarball, and what "dkms add" does with an archive. */
#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/dkms/dkms-actions.h"
#include "cli/dkms/dkms-source.h"
#include "cli/change.h"
#include "core/package/tarball.h"
#include "core/support/durable.h"
#include "core/support/error.h"
#include "core/platform/lock.h"
#include "core/support/process.h"
#include "core/support/treeop.h"

#define MAX_CONF_BYTES (1 << 20)

static int fail_unusable(const char *archive, const GError *error)
{
	if (g_error_matches(error, KS_ERROR, KS_ERROR_NOT_FOUND))
		return ks_dkms_fail(
			KS_DKMS_NOT_IN_TREE,
			"Tarball does not appear to be a correctly formed DKMS "
			"archive. No dkms.conf found within it.\n%s",
			error->message);
	return ks_dkms_fail(KS_DKMS_NOT_PRODUCED, "%s is not a valid DKMS tarball.\n%s",
			    archive, error->message);
}

/* --- the source */

/* T/M/V/source is a directory then, with nothing but the conf (dkms 3.4.3). */
static int add_stub(struct ks_dkms *dkms, const struct ks_tarball *tarball)
{
	const struct ks_system *system = dkms->cli.system;
	const struct ks_conf *conf = tarball->conf;
	g_autofree char *entry =
		ks_tree_entry_path(system, conf->package_name, conf->package_version);
	g_autofree char *source = g_build_filename(entry, "source", NULL);
	g_autofree char *build = g_build_filename(entry, "build", NULL);
	g_autofree char *from = g_build_filename(tarball->source_dir, "dkms.conf", NULL);
	g_autofree char *to = g_build_filename(source, "dkms.conf", NULL);
	g_autofree char *text = NULL;
	size_t size_bytes = 0;
	g_autoptr(GError) error = NULL;
	ks_auto(ks_lock) lock = ks_change_lock(&dkms->cli, "ldtarball", &error);

	printf("Creating %s\nCopying dkms.conf to %s ...\n", source, source);
	if (lock)
		text = ks_root_read_file(system->root, from, MAX_CONF_BYTES, &size_bytes,
					 &error);
	if (text && ks_root_mkdir_p(system->root, build, 0755, &error) &&
	    ks_treeop_remove(system->root, source, &error) &&
	    ks_root_mkdir_p(system->root, source, 0755, &error) &&
	    ks_durable_write(system->root, to, text, size_bytes, 0644, &error) &&
	    /* whoever loads it wants it back */
	    ks_tree_set_dismissed(system, conf->package_name, conf->package_version,
				  false, &error) &&
	    ks_tree_set_removal_asked(system, conf->package_name, conf->package_version,
				      false, &error))
		return KS_DKMS_OK;
	return ks_dkms_fail(KS_DKMS_NOT_ALLOWED, "%s", error->message);
}

static int load_source(struct ks_dkms *dkms, struct ks_dkms_job job,
		       const struct ks_tarball *tarball)
{
	const struct ks_conf *conf = tarball->conf;
	g_autofree char *source = ks_dkms_source_path(dkms, job);

	if (!tarball->binaries_only)
		return ks_dkms_add_directory(dkms, tarball->source_dir, conf);
	return ks_dkms_is_added(dkms, job) ? KS_DKMS_OK
					   : ks_dkms_add_directory(dkms, source, conf);
}

/* --- the builds */

static char *build_path(const struct ks_dkms *dkms, struct ks_dkms_job job,
			const struct ks_tarball_build *build)
{
	return ks_tree_artifact_path(dkms->cli.system, job.module, job.version,
				     build->release, build->arch);
}

/*
 * Printed before the source is added, as in dkms; here the builds are loaded
 * after it, so that there are none without a source. True for those that are to
 * be loaded.
 */
static GArray *print_builds(const struct ks_dkms *dkms, struct ks_dkms_job job,
			    const struct ks_tarball *tarball)
{
	GArray *wanted = g_array_new(FALSE, TRUE, sizeof(bool));

	for (guint i = 0; i < tarball->builds->len; i++) {
		g_autofree char *dest =
			build_path(dkms, job, g_ptr_array_index(tarball->builds, i));
		bool load = job.force || !ks_root_exists(dkms->cli.system->root, dest);

		if (load)
			printf("Loading %s...\n", dest);
		else
			ks_dkms_warn("%s already exists. Skipping...", dest);
		g_array_append_val(wanted, load);
	}
	fflush(stdout);
	return wanted;
}

static int load_builds(struct ks_dkms *dkms, struct ks_dkms_job job,
		       const struct ks_tarball *tarball, const GArray *wanted)
{
	const struct ks_system *system = dkms->cli.system;
	g_autoptr(GError) error = NULL;
	ks_auto(ks_lock) lock = ks_change_lock(&dkms->cli, "ldtarball", &error);

	for (guint i = 0; lock && i < tarball->builds->len; i++) {
		const struct ks_tarball_build *build =
			g_ptr_array_index(tarball->builds, i);

		if (g_array_index(wanted, bool, i) &&
		    !ks_tree_publish(system, job.module, job.version, build->release,
				     build->arch, build->dir, &error))
			break;
	}
	return error ? ks_dkms_fail(KS_DKMS_NOT_ALLOWED, "%s", error->message)
		     : KS_DKMS_OK;
}

static int load(struct ks_dkms *dkms, struct ks_dkms_job *given,
		const struct ks_tarball *tarball)
{
	const struct ks_conf *conf = tarball->conf;
	g_autofree char *source = NULL;
	struct ks_dkms_job job;
	g_autoptr(GArray) wanted = NULL;
	g_autoptr(GError) error = NULL;
	bool is_stub;
	int code;

	given->module = g_intern_string(conf->package_name);
	given->version = g_intern_string(conf->package_version);
	job = *given;
	source = ks_dkms_source_path(dkms, job);
	is_stub =
		tarball->binaries_only && !ks_root_exists(dkms->cli.system->root, source);
	if (ks_dkms_is_added(dkms, job) && !job.force)
		return ks_dkms_fail(KS_DKMS_BAD_CONF,
				    "%s/%s is already added!\nAborting.", job.module,
				    job.version);
	/* for a tarball that mktarball has not made dkms prints nothing */
	if (tarball->made_by_mktarball)
		printf("\nLoading tarball for %s/%s\n", job.module, job.version);
	code = is_stub ? add_stub(dkms, tarball) : KS_DKMS_OK;
	if (code)
		return code;
	wanted = print_builds(dkms, job, tarball);
	if (!is_stub)
		code = load_source(dkms, job, tarball);
	code = code ? code : load_builds(dkms, job, tarball, wanted);
	if (!code && dkms->in_script &&
	    !ks_tree_set_loaded(dkms->cli.system, job.module, job.version, true, &error))
		return ks_dkms_fail(KS_DKMS_NOT_ALLOWED, "%s", error->message);
	return code;
}

/* --- the archive */

/* dkms hands an .rpm to rpm, and installs the modules that came with it. */
static int load_rpm(struct ks_dkms *dkms, const char *archive)
{
	struct ks_process_options options = KS_PROCESS_OPTIONS_INIT;
	g_autofree char *path = g_canonicalize_filename(archive, NULL);
	const char *const argv[] = {"rpm", "-Uvh", path, NULL};
	int wait_status = -1;

	options.argv = argv;
	options.stdout_fd = STDOUT_FILENO;
	options.stderr_fd = STDERR_FILENO;
	if (ks_process_run(&options, &wait_status, NULL) && WIFEXITED(wait_status) &&
	    WEXITSTATUS(wait_status) == 0)
		return ks_dkms_autoinstall(dkms);
	return ks_dkms_fail(KS_DKMS_NO_CONF,
			    "Unable to install %s using rpm.\n"
			    "Check to ensure that your system can install .rpm files.",
			    archive);
}

/* A file that is not there was taken for a module, and cut at its first slash. */
static char *archive_of(const struct ks_dkms_options *options)
{
	const char *module = options->module ? options->module : "";

	if (options->archive || !(options->module || options->version))
		return g_strdup(options->archive);
	return options->version ? g_strconcat(module, "/", options->version, NULL)
				: g_strdup(module);
}

static int load_file(struct ks_dkms *dkms, struct ks_dkms_job *job, const char *archive)
{
	ks_autofd int fd = open(archive, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct ks_tarball *tarball;
	g_autoptr(GError) error = NULL;
	int code;

	if (fd < 0 && errno == ENOENT)
		return ks_dkms_fail(KS_DKMS_NO_SOURCE, "%s does not exist.", archive);
	if (fd < 0)
		return ks_dkms_fail(KS_DKMS_NO_SOURCE, "%s cannot be read: %s", archive,
				    g_strerror(errno));
	code = ks_dkms_check_tree(dkms);
	if (code)
		return code;
	tarball = ks_tarball_open(dkms->cli.system, dkms->cli.settings, fd, archive,
				  &error);
	if (!tarball)
		return fail_unusable(archive, error);
	code = load(dkms, job, tarball);
	ks_tarball_close(dkms->cli.system, tarball);
	return code;
}

int ks_dkms_add_archive(struct ks_dkms *dkms, struct ks_dkms_job *job)
{
	g_autofree char *archive = archive_of(dkms->options);

	if (job->force && geteuid() != 0)
		return ks_dkms_fail(KS_DKMS_NOT_ALLOWED,
				    "You must be root to use this command with the "
				    "--force option.");
	if (!archive)
		return ks_dkms_fail(KS_DKMS_NO_SOURCE, "No archive is given.");
	/* waiting for it would be for ever, and its later part knows no archive */
	if (ks_lock_is_held_above(dkms->cli.system))
		return ks_dkms_fail(
			KS_DKMS_NOT_ALLOWED,
			"An archive cannot be loaded from inside another run.");
	if (g_str_has_suffix(archive, ".rpm") && g_file_test(archive, G_FILE_TEST_EXISTS))
		return load_rpm(dkms, archive);
	return load_file(dkms, job, archive);
}

int ks_dkms_ldtarball(struct ks_dkms *dkms)
{
	struct ks_dkms_job job = ks_dkms_job(dkms);

	return ks_dkms_add_archive(dkms, &job);
}
