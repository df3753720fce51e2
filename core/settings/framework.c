/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/settings/framework.h"

#include <string.h>
#include <unistd.h>

#include "core/shell/evaluate.h"
#include "core/settings/settings.h"
#include "core/kernel/uname.h"
#include "core/support/error.h"

#define MAX_JOBS	  4096
#define MODULE_INIT_TOOLS "/etc/sysconfig/module-init-tools"

static const char *const framework_variables[] = {
	"source_tree",
	"dkms_tree",
	"install_tree",
	"tmp_location",
	"verbose",
	"symlink_modules",
	"autoinstall_all_kernels",
	"modprobe_on_install",
	"continue_on_error",
	"parallel_jobs",
	"compress_gzip_opts",
	"compress_xz_opts",
	"compress_zstd_opts",
	"build_environment",
	"post_transaction",
	"sign_file",
	"mok_signing_key",
	"mok_certificate",
	"try_sign_modules",
	NULL,
};

static const char *const module_init_tools_variables[] = {"ADDON_MODULES_DIR", NULL};

void ks_framework_free(struct ks_framework *framework)
{
	if (!framework)
		return;
	g_free(framework->dkms_tree);
	g_free(framework->source_tree);
	g_free(framework->install_tree);
	g_free(framework->tmp_location);
	g_free(framework->compress_gzip_opts);
	g_free(framework->compress_xz_opts);
	g_free(framework->compress_zstd_opts);
	g_free(framework->build_environment);
	if (framework->set_switches)
		g_hash_table_unref(framework->set_switches);
	g_free(framework->post_transaction);
	g_free(framework->sign_file);
	g_free(framework->mok_signing_key);
	g_free(framework->mok_certificate);
	g_free(framework->addon_modules_dir);
	g_free(framework->untrusted);
	g_clear_pointer(&framework->environments, g_hash_table_unref);
	g_clear_pointer(&framework->warnings, g_ptr_array_unref);
	g_free(framework);
}

/* --- values */

struct reading {
	struct ks_evaluation evaluation;
	enum ks_settings_reading how;
	struct ks_framework *framework;
};

static const char *get(const struct reading *reading, const char *name)
{
	const char *value = ks_vars_get(reading->evaluation.vars, name, 0);

	return value ? value : "";
}

G_GNUC_PRINTF(4, 5)
static bool fail(const struct reading *reading, const char *name, GError **error,
		 const char *format, ...)
{
	g_autofree char *message = NULL;
	const char *label;
	unsigned int line;
	va_list args;

	va_start(args, format);
	message = g_strdup_vprintf(format, args);
	va_end(args);
	ks_evaluation_locate(&reading->evaluation, name, 0, &label, &line);
	if (reading->how == KS_SETTINGS_LENIENT) {
		g_ptr_array_add(reading->framework->warnings,
				g_strdup_printf("%s:%u: %s; it is ignored", label, line,
						message));
		return true;
	}
	ks_error_set(error, KS_ERROR_INVALID, "%s:%u: %s", label, line, message);
	return false;
}

static bool is_plain(const char *value)
{
	for (const char *p = value; *p; p++) {
		if (g_ascii_iscntrl(*p))
			return false;
	}
	return g_utf8_validate(value, -1, NULL);
}

/* Bounded and printable, whatever it is for; "" is not set. */
static bool read_text(const struct reading *reading, const char *name, char **out,
		      GError **error)
{
	const char *value = get(reading, name);

	if (!is_plain(value))
		return fail(reading, name, error,
			    "%s has control characters, or is not UTF-8", name);
	if (*value)
		*out = g_strdup(value);
	return true;
}

static bool read_path(const struct reading *reading, const char *name, char **out,
		      GError **error)
{
	g_autofree char *value = NULL;

	if (!read_text(reading, name, &value, error))
		return false;
	if (!value)
		return true;
	if (*value != '/')
		return fail(reading, name, error, "%s is '%s', not an absolute path",
			    name, value);
	g_free(*out);
	/* two slashes before it would stay */
	*out = g_canonicalize_filename(value + strspn(value, "/") - 1, "/");
	return true;
}

/*
 * Without knowing where sources and modules are nothing can be done, so that there is no
 * lenient reading. A tree must not be the root directory: entries in it are removed by name.
 */
static bool read_tree(const struct reading *lenient, const char *name, char **out,
		      GError **error)
{
	struct reading reading = *lenient;

	reading.how = KS_SETTINGS_STRICT;
	if (!read_path(&reading, name, out, error))
		return false;
	if (*out && strcmp(*out, "/") == 0)
		return fail(&reading, name, error, "%s is '/'", name);
	return true;
}

bool ks_framework_is_on(const char *value)
{
	static const char *const off[] = {"", "0", "n", "no", "off", "false"};

	for (size_t i = 0; i < G_N_ELEMENTS(off); i++) {
		if (g_ascii_strcasecmp(value, off[i]) == 0)
			return false;
	}
	return true;
}

static bool read_switch(const struct reading *reading, const char *name)
{
	if (ks_vars_get(reading->evaluation.vars, name, 0))
		g_hash_table_add(reading->framework->set_switches, (char *)name);
	return ks_framework_is_on(get(reading, name));
}

static bool read_jobs(const struct reading *reading, unsigned int *n_jobs, GError **error)
{
	g_autofree char *value = NULL;
	guint64 number;

	if (!read_text(reading, "parallel_jobs", &value, error))
		return false;
	if (!value)
		return true;
	if (!g_ascii_string_to_unsigned(value, 10, 0, MAX_JOBS, &number, NULL))
		return fail(reading, "parallel_jobs", error,
			    "parallel_jobs is '%s', and has to be a number up to %d",
			    value, MAX_JOBS);
	*n_jobs = (unsigned int)number;
	return true;
}

static bool read_try_sign(const struct reading *reading, enum ks_try_sign *try_sign,
			  GError **error)
{
	g_autofree char *value = NULL;

	if (!read_text(reading, "try_sign_modules", &value, error))
		return false;
	if (!value || strcmp(value, "not_in_chroot") == 0)
		*try_sign = KS_TRY_SIGN_NOT_IN_CHROOT;
	else if (strcmp(value, "true") == 0)
		*try_sign = KS_TRY_SIGN_ALWAYS;
	else if (strcmp(value, "false") == 0)
		*try_sign = KS_TRY_SIGN_NEVER;
	else
		return fail(reading, "try_sign_modules", error,
			    "try_sign_modules is '%s', and has to be 'true', 'false' or "
			    "'not_in_chroot'",
			    value);
	return true;
}

/* A key may be in a token. */
static bool read_key(const struct reading *reading, char **out, GError **error)
{
	if (g_str_has_prefix(get(reading, "mok_signing_key"), "pkcs11:"))
		return read_text(reading, "mok_signing_key", out, error);
	return read_path(reading, "mok_signing_key", out, error);
}

static bool read_values(const struct reading *reading, GError **error)
{
	struct ks_framework *framework = reading->framework;

	framework->verbose = read_switch(reading, "verbose");
	framework->symlink_modules = read_switch(reading, "symlink_modules");
	framework->autoinstall_all_kernels =
		read_switch(reading, "autoinstall_all_kernels");
	framework->modprobe_on_install = read_switch(reading, "modprobe_on_install");
	framework->continue_on_error = read_switch(reading, "continue_on_error");
	return read_tree(reading, "dkms_tree", &framework->dkms_tree, error) &&
	       read_tree(reading, "source_tree", &framework->source_tree, error) &&
	       read_tree(reading, "install_tree", &framework->install_tree, error) &&
	       read_path(reading, "tmp_location", &framework->tmp_location, error) &&
	       read_jobs(reading, &framework->n_jobs, error) &&
	       read_text(reading, "compress_gzip_opts", &framework->compress_gzip_opts,
			 error) &&
	       read_text(reading, "compress_xz_opts", &framework->compress_xz_opts,
			 error) &&
	       read_text(reading, "compress_zstd_opts", &framework->compress_zstd_opts,
			 error) &&
	       read_path(reading, "build_environment", &framework->build_environment,
			 error) &&
	       read_text(reading, "post_transaction", &framework->post_transaction,
			 error) &&
	       read_path(reading, "sign_file", &framework->sign_file, error) &&
	       read_key(reading, &framework->mok_signing_key, error) &&
	       read_path(reading, "mok_certificate", &framework->mok_certificate,
			 error) &&
	       read_try_sign(reading, &framework->try_sign_modules, error);
}

static bool read_addon_dir(const struct reading *reading, GError **error)
{
	char **dir = &reading->framework->addon_modules_dir;

	g_autofree char *below = NULL;

	if (!read_text(reading, "ADDON_MODULES_DIR", dir, error))
		return false;
	if (!*dir)
		return true;
	while (**dir == '/')
		memmove(*dir, *dir + 1, strlen(*dir));
	below = g_strconcat("/", *dir, "/", NULL);
	if (strstr(below, "/../")) {
		g_clear_pointer(dir, g_free);
		return fail(reading, "ADDON_MODULES_DIR", error,
			    "ADDON_MODULES_DIR leads out of the kernel's directory");
	}
	return true;
}

/* --- files */

/* A file that counts as absent: missing, empty, or not readable by this user. */
static bool is_read(const struct ks_system *system, const char *path)
{
	struct stat st;

	if (!ks_root_stat(system->root, path, &st) || st.st_size == 0)
		return false;
	if (geteuid() != 0) {
		g_autoptr(GError) error = NULL;
		ks_autofd int fd =
			ks_root_openat(system->root, path, O_RDONLY, 0, &error);

		return fd >= 0 || !g_error_matches(error, KS_ERROR, KS_ERROR_DENIED);
	}
	return true;
}

/* A group of root's alone is root: so is what a umask of 002 leaves. */
static bool is_roots_alone(const struct ks_system *system, const char *path)
{
	struct stat st;

	/* who is not root has nothing to give away */
	if (geteuid() != 0)
		return true;
	return ks_root_stat(system->root, path, &st) && st.st_uid == 0 &&
	       !(st.st_mode & S_IWOTH) && (!(st.st_mode & S_IWGRP) || st.st_gid == 0);
}

static void note_trust(struct reading *reading, const char *path)
{
	const struct ks_system *system = reading->evaluation.system;
	char **untrusted = &reading->framework->untrusted;
	/* where it really is, if that is elsewhere */
	g_autofree char *real = ks_root_realpath(system->root, path);
	g_autofree char *dir = g_path_get_dirname(real ? real : path);

	if (*untrusted || (is_roots_alone(system, path) && is_roots_alone(system, dir)))
		return;
	*untrusted =
		is_roots_alone(system, path) ? g_steal_pointer(&dir) : g_strdup(path);
}

bool ks_framework_check_trust(const struct ks_framework *framework, const char *what,
			      GError **error)
{
	if (!framework->untrusted)
		return true;
	ks_error_set(error, KS_ERROR_DENIED,
		     "cannot run %s: others than root can write to '%s'", what,
		     framework->untrusted);
	ks_error_hint(error, "make it root's: chown root:root '%s'; chmod go-w '%s'",
		      framework->untrusted, framework->untrusted);
	return false;
}

static bool add_file(struct reading *reading, const char *path, GError **error)
{
	if (!is_read(reading->evaluation.system, path))
		return true;
	note_trust(reading, path);
	return ks_evaluation_add_file(&reading->evaluation, path, error);
}

static bool add_files(struct reading *reading, GError **error)
{
	const struct ks_system *system = reading->evaluation.system;
	g_autofree char *path =
		g_build_filename(system->dkms_etc, "framework.conf", NULL);
	g_autofree char *dir =
		g_build_filename(system->dkms_etc, "framework.conf.d", NULL);
	g_autoptr(GPtrArray) names = NULL;

	if (!add_file(reading, path, error))
		return false;
	names = ks_root_list(system->root, dir, error);
	for (guint i = 0; names && i < names->len; i++) {
		g_autofree char *part = g_build_filename(dir, names->pdata[i], NULL);

		if (g_str_has_suffix(part, ".conf") && !add_file(reading, part, error))
			return false;
	}
	return names != NULL;
}

static struct ks_vars *base_vars(const struct ks_system *system, struct ks_kernel *kernel)
{
	struct ks_vars *vars = ks_vars_new();
	const char *const values[][2] = {
		{"kernelver", kernel ? kernel->release : ""},
		{"arch", kernel ? kernel->arch : ""},
		{"dkms_tree", system->dkms_tree},
		{"source_tree", system->source_tree},
		{"install_tree", system->install_tree},
		{"tmp_location", "/tmp"},
		{KS_UNAME_ENV, kernel ? ks_kernel_uname(system, kernel) : ""},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(values); i++)
		ks_vars_set(vars, values[i][0], 0, values[i][1]);
	return vars;
}

static void take_notes(const struct reading *reading)
{
	const GPtrArray *notes = reading->evaluation.notes;

	for (guint i = 0; i < notes->len; i++)
		g_ptr_array_add(reading->framework->warnings,
				g_strdup_printf("framework.conf: bash: %s",
						(char *)notes->pdata[i]));
}

static void reading_begin(struct reading *reading, struct ks_framework *framework,
			  const struct ks_system *system,
			  const struct ks_settings *settings, struct ks_kernel *kernel,
			  enum ks_settings_reading how)
{
	*reading = (struct reading){
		.evaluation = {.system = system,
			       .name = "",
			       .version = "",
			       .kernel = kernel,
			       .arch = kernel ? kernel->arch : "",
			       .sandbox = settings ? settings->sandbox : KS_SANDBOX_AUTO,
			       .base = base_vars(system, kernel)},
		.how = how,
		.framework = framework,
	};
}

static bool read_framework(struct reading *reading, GError **error)
{
	struct ks_evaluation *evaluation = &reading->evaluation;

	evaluation->source_dir = evaluation->system->dkms_etc;
	evaluation->is_plain_dir = true;
	evaluation->known = framework_variables;
	if (!add_files(reading, error))
		return false;
	if (!evaluation->files)
		return true;
	if (!ks_evaluation_run(evaluation, error))
		return false;
	take_notes(reading);
	return read_values(reading, error);
}

static bool read_module_init_tools(struct reading *reading, GError **error)
{
	struct ks_evaluation *evaluation = &reading->evaluation;

	evaluation->source_dir = "/etc/sysconfig";
	evaluation->is_plain_dir = true;
	evaluation->known = module_init_tools_variables;
	if (!add_file(reading, MODULE_INIT_TOOLS, error))
		return false;
	if (!evaluation->files)
		return true;
	return ks_evaluation_run(evaluation, error) && read_addon_dir(reading, error);
}

struct ks_framework *ks_framework_load(const struct ks_system *system,
				       const struct ks_settings *settings,
				       struct ks_kernel *kernel,
				       enum ks_settings_reading how, GError **error)
{
	ks_auto(ks_framework) framework = g_new0(struct ks_framework, 1);
	struct reading reading;
	bool ok;

	framework->tmp_location = g_strdup("/tmp");
	framework->warnings = g_ptr_array_new_with_free_func(g_free);
	framework->set_switches = g_hash_table_new(g_str_hash, g_str_equal);
	framework->environments = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
							(GDestroyNotify)g_strfreev);
	reading_begin(&reading, framework, system, settings, kernel, how);
	ok = read_framework(&reading, error);
	ks_evaluation_clear(&reading.evaluation);
	if (!ok)
		return NULL;
	reading_begin(&reading, framework, system, settings, kernel, how);
	ok = read_module_init_tools(&reading, error);
	ks_evaluation_clear(&reading.evaluation);
	return ok ? g_steal_pointer(&framework) : NULL;
}

static unsigned int parse_level(const char *options)
{
	g_auto(GStrv) words = g_strsplit_set(options, " \t", -1);
	unsigned int level = 0;
	guint64 number;

	for (char **word = words; *word; word++) {
		if (strcmp(*word, "--best") == 0)
			level = 9;
		else if (strcmp(*word, "--fast") == 0)
			level = 1;
		else if (**word == '-' &&
			 g_ascii_string_to_unsigned(*word + 1, 10, 0, 99, &number, NULL))
			level = (unsigned int)number;
	}
	return level;
}

unsigned int ks_framework_level(const struct ks_framework *framework, const char *suffix)
{
	const char *options = NULL;

	if (g_strcmp0(suffix, ".ko.xz") == 0)
		options = framework->compress_xz_opts;
	else if (g_strcmp0(suffix, ".ko.zst") == 0)
		options = framework->compress_zstd_opts;
	else if (g_strcmp0(suffix, ".ko.gz") == 0)
		options = framework->compress_gzip_opts;
	return options ? parse_level(options) : 0;
}

static void replace(char **path, const char *with)
{
	if (!with)
		return;
	g_free(*path);
	*path = g_strdup(with);
}

void ks_framework_apply(const struct ks_framework *framework, struct ks_system *system)
{
	replace(&system->dkms_tree, framework->dkms_tree);
	replace(&system->source_tree, framework->source_tree);
	replace(&system->install_tree, framework->install_tree);
	if (framework->addon_modules_dir && *framework->addon_modules_dir) {
		g_free(system->modules_dest);
		system->modules_dest =
			g_strconcat("/", framework->addon_modules_dir, NULL);
	}
}
