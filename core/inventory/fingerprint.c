/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Each input on a line of its own, named and escaped, then hashed. */
#include "core/inventory/fingerprint.h"

#include "core/platform/digest.h"

/*
 * Raise when the build environment changes in a way that changes modules
 * (environment variables, the wrapper around make): everything is rebuilt then.
 */
#define ENVIRONMENT_VERSION "2"

/* Escaped, so that no value can look like two lines. */
static void add(GString *text, const char *name, const char *value)
{
	g_autofree char *escaped = value ? g_strescape(value, NULL) : g_strdup("-");

	g_string_append_printf(text, "%s %s\n", name, escaped);
}

static void add_list(GString *text, const char *name, const char *const *values)
{
	for (; values && *values; values++)
		add(text, name, *values);
}

/*
 * "make -j8" of $(nproc) says how many processors there are, which is nothing
 * that a module consists of: -jN, -j N, --jobs=N become -j, and -kjN becomes -kj.
 */
static void add_command(GString *text, const char *name, const char *command)
{
	g_autoptr(GRegex) jobs = g_regex_new("(?<![^\\s;&|(])(?:-([bBdeikLmnpqrRsStvw]*)"
					     "j\\s*[0-9]*|--jobs(?:=|\\s+)[0-9]+|--jobs)"
					     "(?![^\\s;&|)])",
					     0, 0, NULL);
	g_autofree char *plain =
		command && g_utf8_validate(command, -1, NULL)
			? g_regex_replace(jobs, command, -1, 0, "-\\1j", 0, NULL)
			: g_strdup(command);

	add(text, name, plain);
}

/*
 * The text digest covers the conf as written. For a conf that is a program, its
 * result for this kernel goes in as well.
 */
static void add_conf(GString *text, const struct ks_conf *conf)
{
	add(text, "name", conf->package_name);
	add(text, "version", conf->package_version);
	add(text, "conf", conf->text_digest);
	add_command(text, "make", conf->make);
	add_command(text, "pre-build", conf->pre_build);
	add_command(text, "post-build", conf->post_build);
	add_list(text, "variable", (const char *const *)conf->environment);
	add_list(text, "patch", (const char *const *)conf->patches);
	for (guint i = 0; conf->modules && i < conf->modules->len; i++) {
		const struct ks_conf_module *module = conf->modules->pdata[i];

		add(text, "built-name", module->built_name);
		add(text, "built-location", module->built_location);
		add(text, "dest-name", module->dest_name);
		add(text, "dest-location", module->dest_location);
		add(text, "strip", module->strip ? "yes" : "no");
		add(text, "module-excluded", module->excluded);
	}
}

const char *ks_fingerprint_covers(void)
{
	return "environment:" ENVIRONMENT_VERSION
	       ",source,overrides,conf,variables,patches,release,arch,headers,config,"
	       "symvers,compiler,assembler,linker,make,depends";
}

char *ks_fingerprint_target(const struct ks_fingerprint_inputs *inputs)
{
	g_autoptr(GString) text = g_string_new(NULL);

	add(text, "environment", ENVIRONMENT_VERSION);
	add(text, "source", inputs->source_digest);
	add(text, "overrides", inputs->override_digest);
	add(text, "release", inputs->kernel->release);
	add(text, "arch", inputs->kernel->arch);
	add(text, "kernel", inputs->kernel_fingerprint);
	if (inputs->toolchain)
		add(text, "toolchain", inputs->toolchain);
	add_conf(text, inputs->conf);
	add_list(text, "depends", inputs->depends);
	return ks_digest_data(text->str, text->len);
}
