/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * GKeyFile reads the values, but accepts unknown names and gives no line
 * numbers: the lines are checked first.
 */
#include "core/settings/settings.h"

#include <string.h>

#include "core/settings/framework.h"
#include "core/support/error.h"
#include "core/support/name.h"
#include "core/support/suggest.h"

#define GROUP		  "kmodsmith"
#define SIGN_GROUP	  "sign"
#define MODULE_GROUP	  "module "
#define MAX_BYTES	  (1u << 20)
#define MAX_JOBS	  4096
#define MAX_TIMEOUT_S	  (7 * 24 * 3600)
#define DEFAULT_TIMEOUT_S 7200
#define MAX_MIB		  (1u << 30)

#define DEFAULT_BUILD_SIZE_MIB	 16384
#define DEFAULT_SCRIPT_TIMEOUT_S 3600

/* The memory of the larger files of zfs and nvidia; most need a quarter of it. */
#define DEFAULT_JOB_MIB	  512
#define DEFAULT_CACHE_MIB 1024

#define SANDBOX_EXPECTED "'auto', 'require' or 'off'"

static bool parse_bool(const char *value, bool *out)
{
	bool yes = strcmp(value, "true") == 0 || strcmp(value, "yes") == 0;

	if (!yes && strcmp(value, "false") != 0 && strcmp(value, "no") != 0)
		return false;
	*out = yes;
	return true;
}

static bool parse_number(const char *value, guint64 min, guint64 max, unsigned int *out)
{
	guint64 number;

	if (!g_ascii_string_to_unsigned(value, 10, min, max, &number, NULL))
		return false;
	*out = (unsigned int)number;
	return true;
}

static bool set_kernels(struct ks_settings *settings, const char *value)
{
	return ks_kernel_choice_parse(&settings->kernels, value);
}

static bool set_jobs(struct ks_settings *settings, const char *value)
{
	return parse_number(value, 0, MAX_JOBS, &settings->n_jobs);
}

static bool set_build_timeout(struct ks_settings *settings, const char *value)
{
	return parse_number(value, 1, MAX_TIMEOUT_S, &settings->build_timeout_s);
}

static bool set_script_timeout(struct ks_settings *settings, const char *value)
{
	return parse_number(value, 1, MAX_TIMEOUT_S, &settings->script_timeout_s);
}

static bool set_build_size(struct ks_settings *settings, const char *value)
{
	return parse_number(value, 0, MAX_MIB, &settings->build_size_mib);
}

static bool set_build_memory(struct ks_settings *settings, const char *value)
{
	return parse_number(value, 0, MAX_MIB, &settings->build_memory_mib);
}

static bool parse_sandbox(const char *value, enum ks_sandbox_setting *out)
{
	static const char *const words[] = {
		[KS_SANDBOX_AUTO] = "auto",
		[KS_SANDBOX_REQUIRE] = "require",
		[KS_SANDBOX_OFF] = "off",
	};

	for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
		if (strcmp(value, words[i]) != 0)
			continue;
		*out = i;
		return true;
	}
	return false;
}

static bool set_sandbox(struct ks_settings *settings, const char *value)
{
	return parse_sandbox(value, &settings->sandbox);
}

static bool set_root_scripts(struct ks_settings *settings, const char *value)
{
	bool skip = strcmp(value, "skip") == 0;

	if (!skip && strcmp(value, "run") != 0)
		return false;
	settings->root_scripts = skip ? KS_ROOT_SCRIPTS_SKIP : KS_ROOT_SCRIPTS_RUN;
	return true;
}

static bool set_on_failure(struct ks_settings *settings, const char *value)
{
	bool fail = strcmp(value, "fail") == 0;

	if (!fail && strcmp(value, "report") != 0)
		return false;
	settings->on_failure = fail ? KS_ON_FAILURE_FAIL : KS_ON_FAILURE_REPORT;
	return true;
}

static bool set_initramfs(struct ks_settings *settings, const char *value)
{
	return parse_bool(value, &settings->initramfs);
}

static bool set_keep_running_modules(struct ks_settings *settings, const char *value)
{
	return parse_bool(value, &settings->keep_running_modules);
}

static bool set_sign(struct ks_settings *settings, const char *value)
{
	bool yes = false;

	if (strcmp(value, "auto") == 0)
		settings->sign = KS_SIGN_SETTING_AUTO;
	else if (parse_bool(value, &yes))
		settings->sign = yes ? KS_SIGN_SETTING_YES : KS_SIGN_SETTING_NO;
	else
		return false;
	return true;
}

static bool set_path(char **path, const char *value)
{
	if (*value != '/')
		return false;
	g_free(*path);
	*path = g_strdup(value);
	return true;
}

static bool set_sign_key(struct ks_settings *settings, const char *value)
{
	return set_path(&settings->sign_key, value);
}

static bool set_sign_certificate(struct ks_settings *settings, const char *value)
{
	return set_path(&settings->sign_certificate, value);
}

static bool set_memory_per_job(struct ks_settings *settings, const char *value)
{
	return parse_number(value, 0, MAX_MIB, &settings->memory_per_job_mib);
}

static bool set_cache_size(struct ks_settings *settings, const char *value)
{
	return parse_number(value, 0, MAX_MIB, &settings->cache_size_mib);
}

static bool set_probe_memo(struct ks_settings *settings, const char *value)
{
	return parse_bool(value, &settings->probe_memo);
}

struct key {
	const char *name;
	bool (*set)(struct ks_settings *settings, const char *value);
	const char *expected;
	const char *careful; /* taken for a wrong value when reading leniently; or NULL */
};

#define KERNELS_EXPECTED                                                                 \
	"'all' or a list of 'newest', 'running', 'default', patterns such as "           \
	"'*-pve', and '!PATTERN'"

static const struct key sign_keys[] = {
	{"sign", set_sign, "'auto', 'yes' or 'no'"},
	{"key", set_sign_key, "an absolute path"},
	{"certificate", set_sign_certificate, "an absolute path"},
	{NULL},
};

static const struct key keys[] = {
	{"kernels", set_kernels, KERNELS_EXPECTED},
	{"jobs", set_jobs, "a number up to 4096, 0 for all processors"},
	{"build-timeout", set_build_timeout, "a number of seconds up to a week"},
	{"script-timeout", set_script_timeout, "a number of seconds up to a week"},
	{"build-size", set_build_size, "a number of MiB, 0 for no limit"},
	{"build-memory", set_build_memory,
	 "a number of MiB, 0 for three quarters of the machine's"},
	{"sandbox", set_sandbox, SANDBOX_EXPECTED},
	{"root-scripts", set_root_scripts, "'run' or 'skip'", "skip"},
	{"on-failure", set_on_failure, "'report' or 'fail'"},
	{"initramfs", set_initramfs, "'true' or 'false'"},
	{"keep-running-modules", set_keep_running_modules, "'true' or 'false'"},
	{"memory-per-job", set_memory_per_job, "a number of MiB, 0 for no limit"},
	{"cache-size", set_cache_size, "a number of MiB, 0 for none"},
	{"probe-memo", set_probe_memo, "'true' or 'false'"},
	{NULL},
};

/*
 * Settings of earlier versions, in [kmodsmith]: an administrator who has them
 * set must not be stopped.
 */
static const char *const retired_keys[] = {"reuse-objects", NULL};

static bool set_module_skip(struct ks_module_settings *module, const char *value)
{
	return parse_bool(value, &module->skip);
}

static bool set_module_hold(struct ks_module_settings *module, const char *value)
{
	return parse_bool(value, &module->hold);
}

static bool set_module_sandbox(struct ks_module_settings *module, const char *value)
{
	module->has_sandbox = true;
	return parse_sandbox(value, &module->sandbox);
}

static bool set_module_kernels(struct ks_module_settings *module, const char *value)
{
	return ks_kernel_choice_parse(&module->kernels, value);
}

static const struct {
	const char *name;
	bool (*set)(struct ks_module_settings *module, const char *value);
	const char *expected;
	const char *careful;
} module_keys[] = {
	{"skip", set_module_skip, "'true' or 'false'"},
	{"hold", set_module_hold, "'true' or 'false'", "true"},
	{"sandbox", set_module_sandbox, SANDBOX_EXPECTED},
	{"kernels", set_module_kernels, KERNELS_EXPECTED},
};

/* One file. */
struct reading {
	struct ks_settings *settings;
	const char *label;
	enum ks_settings_reading how;
	GError **error;
};

/* A line is wrong: true when the reading goes on after it. */
G_GNUC_PRINTF(3, 4)
static bool fail(const struct reading *reading, unsigned int line, const char *format,
		 ...)
{
	g_autofree char *message = NULL;
	g_autofree char *valid = NULL;
	va_list args;

	va_start(args, format);
	message = g_strdup_vprintf(format, args);
	va_end(args);
	valid = g_utf8_make_valid(message, -1);
	for (char *p = valid; *p; p++)
		if (g_ascii_iscntrl(*p))
			*p = '?';
	if (reading->how == KS_SETTINGS_LENIENT) {
		g_ptr_array_add(reading->settings->warnings,
				g_strdup_printf("%s:%u: %s; the line is ignored",
						reading->label, line, valid));
		return true;
	}
	ks_error_set(reading->error, KS_ERROR_INVALID, "%s:%u: %s", reading->label, line,
		     valid);
	return false;
}

/* Names that the file may have, to suggest one of them. */
static bool fail_unknown(const struct reading *reading, unsigned int line,
			 const char *what, const char *key, const GPtrArray *names)
{
	const char *meant =
		ks_suggest(key, (const char *const *)names->pdata, names->len);

	return fail(reading, line, "unknown setting '%s'%s%s%s%s", key, what,
		    meant ? "; did you mean '" : "", meant ? meant : "",
		    meant ? "'?" : "");
}

static void free_module(gpointer data)
{
	struct ks_module_settings *module = data;

	ks_kernel_choice_clear(&module->kernels);
	g_free(module);
}

static struct ks_module_settings *get_module(struct ks_settings *settings,
					     const char *name)
{
	struct ks_module_settings *module = g_hash_table_lookup(settings->modules, name);

	if (!module) {
		module = g_new0(struct ks_module_settings, 1);
		g_hash_table_insert(settings->modules, g_strdup(name), module);
	}
	return module;
}

static bool set_key(const struct reading *reading, unsigned int line,
		    const struct key *known, const char *key, const char *value)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new();

	for (; known->name; known++) {
		g_ptr_array_add(names, (gpointer)known->name);
		if (strcmp(key, known->name) != 0)
			continue;
		if (known->set(reading->settings, value))
			return true;
		if (reading->how == KS_SETTINGS_LENIENT && known->careful)
			known->set(reading->settings, known->careful);
		return fail(reading, line, "'%s' is '%s', and has to be %s", key, value,
			    known->expected);
	}
	return fail_unknown(reading, line, "", key, names);
}

static void warn_retired(const struct reading *reading, unsigned int line,
			 const char *key)
{
	g_ptr_array_add(reading->settings->warnings,
			g_strdup_printf("%s:%u: '%s' has no effect any more",
					reading->label, line, key));
}

static bool set_general_key(const struct reading *reading, unsigned int line,
			    const char *key, const char *value)
{
	if (!g_strv_contains(retired_keys, key))
		return set_key(reading, line, keys, key, value);
	warn_retired(reading, line, key);
	return true;
}

static bool set_module_key(const struct reading *reading, unsigned int line,
			   const char *module, const char *key, const char *value)
{
	struct ks_module_settings *settings = get_module(reading->settings, module);
	g_autoptr(GPtrArray) names = g_ptr_array_new();

	for (size_t i = 0; i < G_N_ELEMENTS(module_keys); i++) {
		g_ptr_array_add(names, (gpointer)module_keys[i].name);
		if (strcmp(key, module_keys[i].name) != 0)
			continue;
		if (module_keys[i].set(settings, value))
			return true;
		if (reading->how == KS_SETTINGS_LENIENT && module_keys[i].careful)
			module_keys[i].set(settings, module_keys[i].careful);
		return fail(reading, line, "'%s' is '%s', and has to be %s", key, value,
			    module_keys[i].expected);
	}
	return fail_unknown(reading, line, " of a module", key, names);
}

static bool is_group(const char *group)
{
	return strcmp(group, GROUP) == 0 || strcmp(group, SIGN_GROUP) == 0 ||
	       (g_str_has_prefix(group, MODULE_GROUP) &&
		ks_name_is_plain(group + strlen(MODULE_GROUP)));
}

static bool check_group(const struct reading *reading, unsigned int line,
			const char *group)
{
	if (is_group(group))
		return true;
	if (!g_str_has_prefix(group, MODULE_GROUP))
		return fail(reading, line, "unknown group '%s'", group);
	return fail(reading, line, "'%s' is not a module name",
		    group + strlen(MODULE_GROUP));
}

/* A key and its value as GKeyFile understands it: its escapes, its encoding. */
static bool read_value(const struct reading *reading, unsigned int line,
		       const char *group, const char *text)
{
	g_autoptr(GKeyFile) file = g_key_file_new();
	g_autofree char *whole = g_strdup_printf("[%s]\n%s\n", group, text);
	g_autoptr(GError) cause = NULL;
	g_auto(GStrv) names = NULL;
	g_autofree char *value = NULL;

	if (!g_key_file_load_from_data(file, whole, strlen(whole), G_KEY_FILE_NONE, NULL))
		return fail(reading, line, "'%s' is not a setting, a group or a comment",
			    text);
	names = g_key_file_get_keys(file, group, NULL, NULL);
	if (!names || !names[0])
		return fail(reading, line, "'%s' is not a setting, a group or a comment",
			    text);
	value = g_key_file_get_string(file, group, names[0], &cause);
	if (!value)
		return fail(reading, line, "%s", cause->message);
	g_strchomp(value);
	if (strcmp(group, GROUP) == 0)
		return set_general_key(reading, line, names[0], value);
	if (strcmp(group, SIGN_GROUP) == 0)
		return set_key(reading, line, sign_keys, names[0], value);
	return set_module_key(reading, line, group + strlen(MODULE_GROUP), names[0],
			      value);
}

static bool read_line(const struct reading *reading, unsigned int line, char *text,
		      char **group)
{
	size_t length;

	g_strstrip(text);
	length = strlen(text);
	if (!length || *text == '#')
		return true;
	if (*text == '[' && text[length - 1] == ']') {
		g_free(*group);
		*group = g_strndup(text + 1, length - 2);
		return check_group(reading, line, *group);
	}
	if (!*group)
		return fail(reading, line, "'%s' is before the first group", text);
	/* which was reported */
	if (!is_group(*group))
		return true;
	return read_value(reading, line, *group, text);
}

static bool read_text(const struct reading *reading, const char *text, size_t size_bytes)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	g_autofree char *group = NULL;
	unsigned int line = 1;

	for (char **p = lines; *p; p++, line++) {
		if (!read_line(reading, line, *p, &group))
			return false;
	}
	if (strlen(text) != size_bytes)
		return fail(reading, line - 1, "it is not text: a zero byte");
	return true;
}

static bool read_file(const struct ks_system *system, struct ks_settings *settings,
		      const char *path, enum ks_settings_reading how, GError **error)
{
	size_t size_bytes;
	g_autofree char *text =
		ks_root_read_file(system->root, path, MAX_BYTES, &size_bytes, error);
	g_autofree char *label = ks_root_host_path(system->root, path);
	struct reading reading = {settings, label, how, error};

	return text && read_text(&reading, text, size_bytes);
}

static bool read_dir(const struct ks_system *system, struct ks_settings *settings,
		     enum ks_settings_reading how, GError **error)
{
	g_autofree char *dir =
		g_build_filename(system->etc_dir, "kmodsmith.conf.d", NULL);
	g_autoptr(GPtrArray) names = ks_root_list(system->root, dir, error);

	for (guint i = 0; names && i < names->len; i++) {
		g_autofree char *path = g_build_filename(dir, names->pdata[i], NULL);

		if (g_str_has_suffix(path, ".conf") &&
		    !read_file(system, settings, path, how, error))
			return false;
	}
	return names != NULL;
}

/* Half a pair of keys is no pair. */
static bool check_keys(struct ks_settings *settings, const char *path,
		       enum ks_settings_reading how, GError **error)
{
	g_autofree char *text = NULL;

	if (!settings->sign_key == !settings->sign_certificate)
		return true;
	text = g_strdup_printf("%s: [sign] has a '%s' without a '%s'", path,
			       settings->sign_key ? "key" : "certificate",
			       settings->sign_key ? "certificate" : "key");
	if (how == KS_SETTINGS_STRICT) {
		ks_error_set(error, KS_ERROR_INVALID, "%s", text);
		return false;
	}
	g_ptr_array_add(settings->warnings, g_steal_pointer(&text));
	g_clear_pointer(&settings->sign_key, g_free);
	g_clear_pointer(&settings->sign_certificate, g_free);
	return true;
}

struct ks_settings *ks_settings_load(const struct ks_system *system,
				     enum ks_settings_reading how, GError **error)
{
	ks_auto(ks_settings) settings = g_new0(struct ks_settings, 1);
	g_autofree char *path = g_build_filename(system->etc_dir, "kmodsmith.conf", NULL);
	g_autofree char *mark =
		g_build_filename(system->dkms_etc, "no-autoinstall", NULL);

	settings->modules =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_module);
	settings->warnings = g_ptr_array_new_with_free_func(g_free);
	settings->build_timeout_s = DEFAULT_TIMEOUT_S;
	settings->build_size_mib = DEFAULT_BUILD_SIZE_MIB;
	settings->script_timeout_s = DEFAULT_SCRIPT_TIMEOUT_S;
	settings->initramfs = true;
	settings->probe_memo = true;
	settings->memory_per_job_mib = DEFAULT_JOB_MIB;
	settings->cache_size_mib = DEFAULT_CACHE_MIB;
	if (ks_root_exists(system->root, path) &&
	    !read_file(system, settings, path, how, error))
		return NULL;
	if (!read_dir(system, settings, how, error) ||
	    !check_keys(settings, path, how, error))
		return NULL;
	settings->disabled = g_strcmp0(g_getenv("KMODSMITH"), "0") == 0;
	settings->no_autoinstall = ks_root_exists(system->root, mark);
	settings->framework = ks_framework_load(system, settings, NULL, how, error);
	if (!settings->framework)
		return NULL;
	if (!settings->n_jobs)
		settings->n_jobs = settings->framework->n_jobs;
	return g_steal_pointer(&settings);
}

void ks_settings_free(struct ks_settings *settings)
{
	if (!settings)
		return;
	ks_kernel_choice_clear(&settings->kernels);
	g_hash_table_unref(settings->modules);
	g_ptr_array_unref(settings->warnings);
	ks_framework_free(settings->framework);
	g_free(settings->sign_key);
	g_free(settings->sign_certificate);
	g_free(settings);
}

static const struct ks_module_settings *find_module(const struct ks_settings *settings,
						    const char *module)
{
	return settings->modules ? g_hash_table_lookup(settings->modules, module) : NULL;
}

bool ks_settings_is_skipped(const struct ks_settings *settings, const char *module)
{
	const struct ks_module_settings *found = find_module(settings, module);

	return found && found->skip;
}

bool ks_settings_is_held(const struct ks_settings *settings, const char *module)
{
	const struct ks_module_settings *found = find_module(settings, module);

	return found && found->hold;
}

enum ks_sandbox_setting ks_settings_get_sandbox(const struct ks_settings *settings,
						const char *module)
{
	const struct ks_module_settings *found = find_module(settings, module);

	return found && found->has_sandbox ? found->sandbox : settings->sandbox;
}

bool ks_settings_wants_kernel(const struct ks_settings *settings, const char *module,
			      const struct ks_kernel *kernel)
{
	const struct ks_module_settings *found = find_module(settings, module);

	return ks_kernel_choice_has(found && found->kernels.is_set ? &found->kernels
								   : &settings->kernels,
				    kernel);
}
