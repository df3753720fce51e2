/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See make.h. */
#include "core/package/make.h"

#include <string.h>

#include "core/record/manager.h"
#include "core/support/error.h"
#include "core/support/process.h"

#define MAX_ANSWER_BYTES 65536

static const struct ks_manager *find_manager(const char *format)
{
	for (const struct ks_manager *manager = ks_managers; manager->name; manager++)
		if (strcmp(manager->format, format) == 0)
			return manager;
	return NULL;
}

const char *ks_package_own_format(const struct ks_system *system)
{
	for (const struct ks_manager *manager = ks_managers; manager->name; manager++)
		if (ks_manager_is_used(manager, system))
			return manager->format;
	return NULL;
}

bool ks_package_is_format(const char *format)
{
	return find_manager(format) != NULL;
}

static char *find_writer(const struct ks_system *system, const char *format,
			 GError **error)
{
	g_autofree char *name = g_strdup_printf("package-%s", format);
	g_autofree char *program = g_build_filename(system->libexec_dir, name, NULL);
	const struct ks_manager *manager = find_manager(format);

	if (g_file_test(program, G_FILE_TEST_IS_EXECUTABLE))
		return g_steal_pointer(&program);
	ks_error_set(error, KS_ERROR_NOT_FOUND,
		     "cannot make packages of the format '%s': '%s' is not installed",
		     format, program);
	ks_error_hint(error, "install the part of kmodsmith that supports %s",
		      manager ? manager->name : format);
	return NULL;
}

char *ks_package_make(const struct ks_system *system, const char *format,
		      struct ks_package *package, const char *dir, GError **error)
{
	struct ks_process_options options = KS_PROCESS_OPTIONS_INIT;
	g_autofree char *program = find_writer(system, format, error);
	const char *const argv[] = {program, "--output", dir, NULL};
	g_autofree char *text = NULL;
	g_autofree char *answer = NULL;

	if (!program)
		return NULL;
	text = ks_package_format(package);
	options.argv = argv;
	answer = ks_process_capture(&options, text, MAX_ANSWER_BYTES, NULL, error);
	if (!answer) {
		g_prefix_error(error, "cannot package %s/%s: ", package->module,
			       package->version);
		return NULL;
	}
	g_strchomp(answer);
	if (*answer == '/')
		return g_steal_pointer(&answer);
	ks_error_set(error, KS_ERROR_FAILED, "cannot package %s/%s: '%s' named no file",
		     package->module, package->version, program);
	return NULL;
}
