/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dkms uninstall, unbuild and remove. */
#include <string.h>

#include "cli/dkms/dkms-actions.h"
#include "cli/dkms/dkms-engine.h"
#include "cli/dkms/dkms-rpm.h"
#include "cli/dkms/dkms-source.h"

#define MAX_CONF_BYTES (1 << 20)

/* One kernel that the command is about. */
struct place {
	char *release, *arch;
};

static void place_free(gpointer data)
{
	struct place *place = data;

	g_free(place->release);
	g_free(place->arch);
	g_free(place);
}

static void add_place(GPtrArray *places, const char *release, const char *arch)
{
	struct place *place = g_new0(struct place, 1);

	place->release = g_strdup(release);
	place->arch = g_strdup(arch);
	g_ptr_array_add(places, place);
}

/* The kernels named, or with --all those that have it. */
static GPtrArray *list_places(const struct ks_dkms *dkms,
			      const struct ks_tree_entry *entry)
{
	const struct ks_dkms_options *options = dkms->options;
	GPtrArray *places = g_ptr_array_new_with_free_func(place_free);

	for (guint i = 0; entry && options->all && i < entry->artifacts->len; i++) {
		const struct ks_artifact *artifact =
			g_ptr_array_index(entry->artifacts, i);

		add_place(places, artifact->release, artifact->arch);
	}
	for (guint i = 0; i < options->kernels->len; i++) {
		g_autofree char *arch = ks_dkms_arch(dkms, i);

		add_place(places, g_ptr_array_index(options->kernels, i), arch);
	}
	return places;
}

/* dkms prints nothing about a module that may have been excluded there. */
static bool may_be_excluded(const struct ks_dkms *dkms, struct ks_dkms_job job)
{
	g_autofree char *entry =
		ks_tree_entry_path(dkms->cli.system, job.module, job.version);
	g_autofree char *path = g_build_filename(entry, "source", "dkms.conf", NULL);
	g_autofree char *text = ks_root_read_file(dkms->cli.system->root, path,
						  MAX_CONF_BYTES, NULL, NULL);
	g_auto(GStrv) lines = g_strsplit(text ? text : "", "\n", -1);

	for (char **line = lines; *line; line++)
		if (g_str_has_prefix(g_strchug(*line), "BUILD_EXCLUSIVE_"))
			return true;
	return false;
}

/* What is taken away: the installed files, what was built too, or the module altogether. */
enum extent { UNINSTALL, UNBUILD, REMOVE };

static const char *const commands[] = {"dkms uninstall", "dkms unbuild", "dkms remove"};

/* A missing module is reported, and is no failure. */
static void print_absent(const struct ks_dkms *dkms, struct ks_dkms_job job,
			 const char *arch, const struct ks_artifact *artifact,
			 enum extent extent)
{
	if ((!artifact || !artifact->active) && !may_be_excluded(dkms, job))
		printf("Module %s/%s is not installed for kernel %s (%s). Skipping...\n",
		       job.module, job.version, job.release, arch);
	if (extent != UNINSTALL && !artifact)
		printf("Module %s/%s is not built for kernel %s (%s). Skipping...\n",
		       job.module, job.version, job.release, arch);
	fflush(stdout);
}

static void print_originals(struct ks_dkms_job job, const char *arch,
			    const struct ks_dkms_speech *speech)
{
	const struct ks_dkms_done *done =
		ks_dkms_speech_done(speech, job.module, job.version, job.release);

	if (done && done->had_originals && done->uninstalled)
		printf("Removing original module(s) from DKMS tree for kernel %s (%s)\n",
		       job.release, arch);
}

/* Removing is for all kernels that have it: no release in the request. */
static struct ks_plan_request make_request(struct ks_dkms_job job, enum extent extent)
{
	return (struct ks_plan_request){
		.module = job.module,
		.version = job.version,
		.release = extent == REMOVE ? NULL : job.release,
		.goal = extent == REMOVE    ? KS_GOAL_KEEP_UP
			: extent == UNBUILD ? KS_GOAL_UNBUILD
					    : KS_GOAL_UNINSTALL,
	};
}

/* One run of the engine, on the job's kernel; arch NULL: it is about no kernel. */
static int take_off(struct ks_dkms *dkms, struct ks_dkms_job job, const char *arch,
		    enum extent extent)
{
	const struct ks_plan_request request = make_request(job, extent);
	ks_auto(ks_dkms_speech) speech = ks_dkms_speech_new(dkms, job, false);
	ks_auto(ks_outcome) outcome = NULL;
	int code = ks_dkms_run_engine(dkms, commands[extent], &request, speech, &outcome);

	if (!outcome)
		return code;
	if (arch) {
		print_originals(job, arch, speech);
		code = ks_dkms_speech_print_failure(speech, job.module, job.version,
						    job.release);
	}
	return code			   ? code
	       : outcome->n_failed_actions ? KS_DKMS_INSTALL_FAILED
					   : KS_DKMS_OK;
}

/* The module goes with its last kernel; it does not come back by itself. */
static int take_off_place(struct ks_dkms *dkms, struct ks_dkms_job job,
			  struct ks_tree_entry *entry, const struct place *place,
			  enum extent extent)
{
	const struct ks_artifact *artifact =
		entry ? ks_tree_find_artifact(entry, place->release, place->arch) : NULL;

	job.release = place->release;
	print_absent(dkms, job, place->arch, artifact, extent);
	if (extent != REMOVE && (!artifact || !(artifact->active || extent == UNBUILD)))
		return KS_DKMS_OK;
	return take_off(dkms, job, place->arch, extent);
}

/*
 * Inside a package's maintainer script nothing is removed: it may be an
 * upgrade. At the end of the transaction /usr/src and /lib/modules show what
 * has to go.
 */
static int keep_to_end(struct ks_dkms *dkms, enum extent extent)
{
	const struct ks_dkms_options *options = dkms->options;
	const struct ks_system *system = dkms->cli.system;
	g_autoptr(GError) error = NULL;

	if (extent == REMOVE && options->all &&
	    !(ks_tree_set_removal_asked(system, options->module, options->version, true,
					&error) &&
	      /* its source stays where no package has put it: that proves nothing */
	      (!ks_tree_is_loaded(system, options->module, options->version) ||
	       ks_tree_set_dismissed(system, options->module, options->version, true,
				     &error))))
		return ks_dkms_fail(KS_DKMS_NOT_ALLOWED, "%s", error->message);
	printf("dkms: %s/%s: kept until the end of the transaction; kmodsmith, if it is "
	       "there then, removes it when its source or kernel is gone\n",
	       options->module, options->version);
	return KS_DKMS_OK;
}

/* Do the places have all that is built of it? */
static bool is_everything(const struct ks_tree_entry *entry, const GPtrArray *places)
{
	for (guint i = 0; entry && i < entry->artifacts->len; i++) {
		const struct ks_artifact *artifact =
			g_ptr_array_index(entry->artifacts, i);
		bool found = false;

		for (guint j = 0; j < places->len && !found; j++) {
			const struct place *place = g_ptr_array_index(places, j);

			found = g_str_equal(place->release, artifact->release) &&
				g_str_equal(place->arch, artifact->arch);
		}
		if (!found)
			return false;
	}
	return true;
}

/* An empty line: after each kernel for "remove", otherwise between them. */
static int take_off_places(struct ks_dkms *dkms, struct ks_dkms_job job,
			   struct ks_tree_entry *entry, const GPtrArray *places,
			   enum extent extent, bool removes_last)
{
	int code = KS_DKMS_OK;

	for (guint i = 0; i < places->len; i++) {
		const bool is_last = i + 1 == places->len;
		const bool removes = removes_last && is_last && !code;
		int one;

		if (i && extent != REMOVE)
			puts("");
		one = take_off_place(dkms, job, entry, g_ptr_array_index(places, i),
				     removes		? REMOVE
				     : extent == REMOVE ? UNBUILD
							: extent);
		if (extent == REMOVE)
			puts("");
		code = code ? code : one;
	}
	return !places->len && removes_last ? take_off(dkms, job, NULL, REMOVE) : code;
}

static int print_removed(const struct ks_dkms *dkms, struct ks_dkms_job job)
{
	if (ks_dkms_is_in_tree(dkms, job))
		return ks_dkms_fail(KS_DKMS_INSTALL_FAILED,
				    "%s/%s could not be removed altogether.", job.module,
				    job.version);
	printf("Deleting module %s/%s completely from the DKMS tree.\n", job.module,
	       job.version);
	return KS_DKMS_OK;
}

static int take_off_all(struct ks_dkms *dkms, enum extent extent)
{
	const struct ks_system *system = dkms->cli.system;
	const struct ks_dkms_job job = ks_dkms_job(dkms);
	g_autoptr(GPtrArray) entries = NULL;
	g_autoptr(GPtrArray) places = NULL;
	g_autoptr(GError) error = NULL;
	struct ks_tree_entry *entry;
	bool removes;
	int code;

	entries = ks_tree_scan(system, &error);
	if (!entries ||
	    !ks_tree_set_asked(system, job.module, job.version, false, &error))
		return ks_dkms_fail(KS_DKMS_NOT_ALLOWED, "%s", error->message);
	entry = ks_tree_find(entries, job.module, job.version);
	places = list_places(dkms, entry);
	removes = extent == REMOVE && is_everything(entry, places);
	if (removes &&
	    !ks_tree_set_dismissed(system, job.module, job.version, true, &error))
		return ks_dkms_fail(KS_DKMS_NOT_ALLOWED, "%s", error->message);
	code = take_off_places(dkms, job, entry, places, extent, removes);
	return code || !removes ? code : print_removed(dkms, job);
}

int ks_dkms_uninstall(struct ks_dkms *dkms)
{
	if (dkms->in_script)
		return keep_to_end(dkms, UNINSTALL);
	if (ks_run_queue_if_held_above(&dkms->cli, commands[UNINSTALL]))
		return KS_DKMS_OK;
	return take_off_all(dkms, UNINSTALL);
}

int ks_dkms_unbuild(struct ks_dkms *dkms)
{
	if (dkms->in_script)
		return keep_to_end(dkms, UNBUILD);
	if (ks_run_queue_if_held_above(&dkms->cli, commands[UNBUILD]))
		return KS_DKMS_OK;
	return take_off_all(dkms, UNBUILD);
}

int ks_dkms_remove(struct ks_dkms *dkms)
{
	if (ks_dkms_rpm_take(dkms, ks_dkms_job(dkms))) {
		ks_dkms_warn("Remove cancelled because --rpm_safe_upgrade scenario "
			     "detected.");
		return KS_DKMS_OK;
	}
	if (dkms->in_script)
		return keep_to_end(dkms, REMOVE);
	if (ks_run_queue_if_held_above(&dkms->cli, commands[REMOVE]))
		return KS_DKMS_OK;
	return take_off_all(dkms, REMOVE);
}
