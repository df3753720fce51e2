/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See canary.h. */
#include "core/engine/canary.h"

#include <string.h>

#include "core/engine/solo.h"
#include "core/sandbox/sandbox.h"
#include "core/support/durable.h"
#include "core/support/error.h"
#include "core/support/treeop.h"

#define CANARY_NAME    "kmodsmith-canary"
#define CANARY_VERSION "1"

/* Only what every kernel since 2.6 has; it is never loaded. */
static const struct {
	const char *name, *text;
} files[] = {
	{"dkms.conf", "PACKAGE_NAME=\"" CANARY_NAME "\"\n"
		      "PACKAGE_VERSION=\"" CANARY_VERSION "\"\n"
		      "BUILT_MODULE_NAME[0]=\"kmodsmith_canary\"\n"
		      "DEST_MODULE_LOCATION[0]=\"/updates/dkms\"\n"},
	{"Makefile", "obj-m := kmodsmith_canary.o\n"},
	{"kmodsmith_canary.c", "#include <linux/module.h>\n"
			       "#include <linux/slab.h>\n"
			       "\n"
			       "static void *memory;\n"
			       "\n"
			       "static int __init canary_init(void)\n"
			       "{\n"
			       "	memory = kmalloc(16, GFP_KERNEL);\n"
			       "	return memory ? 0 : -ENOMEM;\n"
			       "}\n"
			       "\n"
			       "static void __exit canary_exit(void)\n"
			       "{\n"
			       "	kfree(memory);\n"
			       "}\n"
			       "\n"
			       "module_init(canary_init);\n"
			       "module_exit(canary_exit);\n"
			       "MODULE_LICENSE(\"GPL\");\n"},
};

static bool write_source(const struct ks_system *system, const char *dir, GError **error)
{
	if (!ks_root_mkdir_p(system->root, dir, 0755, error))
		return false;
	for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
		g_autofree char *path = g_build_filename(dir, files[i].name, NULL);

		if (!ks_durable_write(system->root, path, files[i].text,
				      strlen(files[i].text), 0644, error))
			return false;
	}
	return true;
}

static bool judge(const struct ks_build_result *result, GError **error)
{
	if (result->ok)
		return true;
	if (result->outside)
		g_propagate_error(error, g_error_copy(result->outside));
	else
		ks_error_set(error, KS_ERROR_BUILD_FAILED, "%s%s%s", result->message,
			     result->first_error ? ": " : "",
			     result->first_error ? result->first_error : "");
	return false;
}

static bool build(const struct ks_system *system, const struct ks_settings *settings,
		  const char *dir, struct ks_kernel *kernel,
		  const volatile sig_atomic_t *cancelled, GError **error)
{
	ks_auto(ks_conf) conf = ks_conf_load(system, settings, dir, CANARY_NAME,
					     CANARY_VERSION, kernel, error);
	const struct ks_build_request request = {
		.module = CANARY_NAME,
		.version = CANARY_VERSION,
		.source_dir = dir,
		.kernel = kernel,
		.conf = conf,
		.private_build = ks_sandbox_can_mount(system),
		.is_trial = true,
	};
	ks_auto(ks_build_result) result = NULL;

	if (!conf)
		return false;
	result = ks_solo_build(system, settings, &request, cancelled, error);
	if (result && result->staged_dir)
		ks_ignore(ks_treeop_remove(system->root, result->staged_dir, NULL));
	return result && judge(result, error);
}

/* It is no module of this system. */
static void forget(const struct ks_system *system, const char *dir)
{
	g_autofree char *entry = g_build_filename(system->dkms_tree, CANARY_NAME, NULL);

	ks_ignore(ks_treeop_remove(system->root, dir, NULL));
	ks_ignore(ks_treeop_remove(system->root, entry, NULL));
}

bool ks_canary_build(const struct ks_system *system, const struct ks_settings *settings,
		     struct ks_kernel *kernel, const volatile sig_atomic_t *cancelled,
		     GError **error)
{
	g_autofree char *dir = g_build_filename(system->state_dir, "canary", NULL);
	bool ok = write_source(system, dir, error) &&
		  build(system, settings, dir, kernel, cancelled, error);

	forget(system, dir);
	return ok;
}
