/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dkms uninstall, unbuild and remove. */
#include <string.h>

#include "cli/dkms/dkms-engine.h"
#include "cli/dkms/dkms-rpm.h"

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
	const struct ks_dkms_options *options = &dkms->options;
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
static bool may_be_excluded(const struct ks_dkms *dkms)
{
	g_autofree char *entry = ks_tree_entry_path(
		dkms->cli.system, dkms->options.module, dkms->options.version);
	g_autofree char *path = g_build_filename(entry, "source", "dkms.conf", NULL);
	g_autofree char *text = ks_root_read_file(dkms->cli.system->root, path,
						  MAX_CONF_BYTES, NULL, NULL);
	g_auto(GStrv) lines = g_strsplit(text ? text : "", "\n", -1);

	for (char **line = lines; *line; line++)
		if (g_str_has_prefix(g_strchug(*line), "BUILD_EXCLUSIVE_"))
			return true;
	return false;
}

/* A missing module is reported, and is no failure. */
static void print_absent(const struct ks_dkms *dkms, const struct place *place,
			 const struct ks_artifact *artifact, bool unbuild)
{
	const struct ks_dkms_options *options = &dkms->options;

	if ((!artifact || !artifact->active) && !may_be_excluded(dkms))
		printf("Module %s/%s is not installed for kernel %s (%s). Skipping...\n",
		       options->module, options->version, place->release, place->arch);
	if (unbuild && !artifact)
		printf("Module %s/%s is not built for kernel %s (%s). Skipping...\n",
		       options->module, options->version, place->release, place->arch);
	fflush(stdout);
}

static void print_originals(const struct ks_dkms *dkms, const struct place *place,
			    const struct ks_dkms_speech *speech)
{
	const struct ks_dkms_options *options = &dkms->options;
	const struct ks_dkms_done *done = ks_dkms_speech_done(
		speech, options->module, options->version, place->release);

	if (done && done->had_originals && done->uninstalled)
		printf("Removing original module(s) from DKMS tree for kernel %s (%s)\n",
		       place->release, place->arch);
}

/* Uninstall it from one kernel; with unbuild, delete its artifact, too. */
static int take_off(struct ks_dkms *dkms, struct ks_tree_entry *entry,
		    const struct place *place, bool unbuild)
{
	const struct ks_dkms_options *options = &dkms->options;
	const struct ks_plan_request request = {.module = options->module,
						.version = options->version,
						.release = place->release,
						.goal = unbuild ? KS_GOAL_UNBUILD
								: KS_GOAL_UNINSTALL};
	const struct ks_artifact *artifact =
		entry ? ks_tree_find_artifact(entry, place->release, place->arch) : NULL;
	ks_auto(ks_dkms_speech) speech = ks_dkms_speech_new(dkms, false);
	ks_auto(ks_outcome) outcome = NULL;
	int code;

	print_absent(dkms, place, artifact, unbuild);
	if (!artifact || !(artifact->active || unbuild))
		return KS_DKMS_OK;
	code = ks_dkms_run_engine(dkms, unbuild ? "dkms unbuild" : "dkms uninstall",
				  &request, speech, &outcome);
	if (!outcome)
		return code;
	print_originals(dkms, place, speech);
	code = ks_dkms_speech_print_failure(speech, options->module, options->version,
					    place->release);
	return code			   ? code
	       : outcome->n_failed_actions ? KS_DKMS_INSTALL_FAILED
					   : KS_DKMS_OK;
}

/*
 * Inside a package's maintainer script nothing is removed: it may be an
 * upgrade. At the end of the transaction /usr/src and /lib/modules show what
 * has to go.
 */
static int keep_to_end(struct ks_dkms *dkms, bool removes)
{
	const struct ks_dkms_options *options = &dkms->options;
	g_autoptr(GError) error = NULL;

	const struct ks_system *system = dkms->cli.system;

	if (removes && options->all &&
	    !(ks_tree_set_removal_asked(system, options->module, options->version, true,
					&error) &&
	      /* its source stays where no package has put it: that tells nothing */
	      (!ks_tree_is_loaded(system, options->module, options->version) ||
	       ks_tree_set_dismissed(system, options->module, options->version, true,
				     &error))))
		return ks_dkms_fail(KS_DKMS_NOT_ALLOWED, "%s", error->message);
	printf("dkms: %s/%s: kept until the end of the transaction; kmodsmith, if it is "
	       "there then, removes it when its source or kernel is gone\n",
	       options->module, options->version);
	return KS_DKMS_OK;
}

enum spacing { EMPTY_LINE_BETWEEN, EMPTY_LINE_AFTER };

static int take_off_all(struct ks_dkms *dkms, bool unbuild, enum spacing spacing)
{
	const struct ks_dkms_options *options = &dkms->options;
	g_autoptr(GPtrArray) entries = NULL;
	g_autoptr(GPtrArray) places = NULL;
	g_autoptr(GError) error = NULL;
	struct ks_tree_entry *entry;
	int code = KS_DKMS_OK;

	entries = ks_tree_scan(dkms->cli.system, &error);
	if (!entries || !ks_tree_set_asked(dkms->cli.system, options->module,
					   options->version, false, &error))
		return ks_dkms_fail(KS_DKMS_NOT_ALLOWED, "%s", error->message);
	entry = ks_tree_find(entries, options->module, options->version);
	places = list_places(dkms, entry);
	for (guint i = 0; i < places->len; i++) {
		int one;

		if (i && spacing == EMPTY_LINE_BETWEEN)
			puts("");
		one = take_off(dkms, entry, g_ptr_array_index(places, i), unbuild);
		if (spacing == EMPTY_LINE_AFTER)
			puts("");
		code = code ? code : one;
	}
	return code;
}

int ks_dkms_uninstall(struct ks_dkms *dkms)
{
	if (dkms->in_script)
		return keep_to_end(dkms, false);
	if (ks_run_queue_if_held_above(&dkms->cli, "dkms uninstall"))
		return KS_DKMS_OK;
	return take_off_all(dkms, false, EMPTY_LINE_BETWEEN);
}

int ks_dkms_unbuild(struct ks_dkms *dkms)
{
	if (dkms->in_script)
		return keep_to_end(dkms, false);
	if (ks_run_queue_if_held_above(&dkms->cli, "dkms unbuild"))
		return KS_DKMS_OK;
	return take_off_all(dkms, true, EMPTY_LINE_BETWEEN);
}

/* Does a kernel still have it? */
static bool is_built_somewhere(const struct ks_dkms *dkms)
{
	g_autoptr(GPtrArray) entries = ks_tree_scan(dkms->cli.system, NULL);
	const struct ks_tree_entry *entry =
		entries ? ks_tree_find(entries, dkms->options.module,
				       dkms->options.version)
			: NULL;

	return entry && entry->artifacts->len;
}

/* It has no kernel left: remove it from the tree, and let it not come back by itself. */
static int forget(struct ks_dkms *dkms)
{
	const struct ks_dkms_options *options = &dkms->options;
	const struct ks_plan_request request = {.module = options->module,
						.version = options->version};
	ks_auto(ks_dkms_speech) speech = ks_dkms_speech_new(dkms, true);
	ks_auto(ks_outcome) outcome = NULL;
	g_autoptr(GError) error = NULL;
	int code;

	if (!ks_tree_set_dismissed(dkms->cli.system, options->module, options->version,
				   true, &error))
		return ks_dkms_fail(KS_DKMS_NOT_ALLOWED, "%s", error->message);
	code = ks_dkms_run_engine(dkms, "dkms remove", &request, speech, &outcome);
	if (!outcome)
		return code;
	if (ks_dkms_is_in_tree(dkms))
		return ks_dkms_fail(KS_DKMS_INSTALL_FAILED,
				    "%s/%s could not be removed altogether.",
				    options->module, options->version);
	printf("Deleting module %s/%s completely from the DKMS tree.\n", options->module,
	       options->version);
	return KS_DKMS_OK;
}

int ks_dkms_remove(struct ks_dkms *dkms)
{
	int code;

	if (ks_dkms_rpm_take(dkms)) {
		ks_dkms_warn("Remove cancelled because --rpm_safe_upgrade scenario "
			     "detected.");
		return KS_DKMS_OK;
	}
	if (dkms->in_script)
		return keep_to_end(dkms, true);
	if (ks_run_queue_if_held_above(&dkms->cli, "dkms remove"))
		return KS_DKMS_OK;
	code = take_off_all(dkms, true, EMPTY_LINE_AFTER);
	if (code || is_built_somewhere(dkms))
		return code;
	return forget(dkms);
}
