/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a conf to the commands, in dkms's order and words; and their environment. */
#include <string.h>

#include "core/compile/compile-private.h"
#include "core/jobs/wrapper.h"
#include "core/kernel/uname.h"

void ks_build_step_free(struct ks_build_step *step)
{
	if (!step)
		return;
	g_free(step->description);
	g_free(step->command);
	g_strfreev(step->argv);
	g_free(step->script);
	g_free(step);
}

/* script is run by bash -c; the log shows command, which people can paste. */
static struct ks_build_step *add_step(GPtrArray *steps, const char *name,
				      const char *description, const char *command,
				      const char *script, bool needs_token)
{
	struct ks_build_step *step = g_new0(struct ks_build_step, 1);
	const char *argv[] = {"bash", "-c", script, name, NULL};

	step->name = name;
	step->description = g_strdup(description);
	step->command = g_strdup(command);
	step->argv = g_strdupv((char **)argv);
	step->needs_token = needs_token;
	g_ptr_array_add(steps, step);
	return step;
}

static void add_patches(const struct ks_build *build, GPtrArray *steps)
{
	char **patches = build->request->conf->patches;

	for (; patches && *patches; patches++) {
		g_autofree char *path = g_strconcat("./patches/", *patches, NULL);
		g_autofree char *quoted = g_shell_quote(path);
		g_autofree char *command =
			ks_conf_is_inside(*patches)
				? g_strconcat("patch -p1 -i ", quoted, NULL)
				: g_strdup("echo 'it leads out of patches/'; false");
		g_autofree char *shown = g_strconcat("patch -p1 < ", path, NULL);
		g_autofree char *description =
			g_strdup_printf("Applying patch %s", *patches);

		add_step(steps, "patch", description, shown, command, false);
	}
}

/*
 * dkms: the line is a script and its arguments; /etc/dkms/M/SCRIPT replaces the
 * source's own; a script that cannot be executed is reported and passed over.
 * The build looks at it when its turn has come: make may have made the
 * post_build script.
 */
static void add_script(const struct ks_build *build, GPtrArray *steps, const char *name,
		       const char *line)
{
	const struct ks_system *system = build->system;
	g_autofree char *words = line ? g_strstrip(g_strdup(line)) : NULL;
	size_t length = words ? strcspn(words, " \t\n") : 0;
	g_autofree char *script = words ? g_strndup(words, length) : NULL;
	g_autofree char *override = NULL;
	g_autofree char *quoted = NULL;
	g_autofree char *command = NULL;
	g_autofree char *shown = NULL;
	g_autofree char *text = NULL;
	g_autofree char *description = g_strdup_printf("Running the %s script", name);
	bool is_overridden;

	if (!length)
		return;
	override =
		g_build_filename(system->dkms_etc, build->request->module, script, NULL);
	is_overridden = ks_root_exists(system->root, override);
	if (is_overridden)
		command = g_strconcat(override, words + length, NULL);
	else
		command = g_strconcat(build->build_path, "/", words, NULL);
	quoted = g_strndup(command, strlen(command) - strlen(words + length));
	g_autofree char *path = g_shell_quote(quoted);
	/* on a file system that is mounted noexec nothing is executable, whatever its
	   mode: to pass over what the source counts on would build something else */
	text = g_strdup_printf(
		"if [ -x %s ]; then %s\n"
		"elif (( 0$(stat -L -c %%a %s 2>/dev/null) & 0111 )); then\n"
		"echo %s': cannot be executed: its file system is mounted noexec'\n"
		"exit 126\n"
		"else echo 'Warning: The %s script is not executable.'; fi",
		path, command, path, path, name);
	shown = g_strdup_printf("cd %s/ && %s", build->build_path, command);
	add_step(steps, name, description, shown, text, true)->script =
		is_overridden ? g_steal_pointer(&override)
			      : g_build_filename(build->tree_path, script, NULL);
}

/* One make and its words, with nothing in them that is the shell's. */
static bool is_plain_make(const char *make)
{
	return g_str_has_prefix(make, "make") && strchr(" \t", make[4]) &&
	       !strpbrk(make, ";|&()<>#`$\n");
}

/*
 * dkms: a leading "make" gets -jN and KERNELRELEASE; 'make' in quotes does not.
 * dkms puts LLVM=1 after any command; here it comes after a plain one, and
 * others have it in the environment.
 */
static void add_make(const struct ks_build *build, GPtrArray *steps)
{
	const struct ks_kernel *kernel = build->request->kernel;
	const char *make = build->request->conf->make;
	g_autofree char *fallback = NULL;
	g_autofree char *with_llvm = NULL;
	g_autofree char *command = NULL;
	g_autofree char *shown = NULL;

	if (!make || !*make)
		make = fallback = g_strdup_printf("make -C %s M=%s", kernel->headers_dir,
						  build->build_path);
	if (build->toolchain.llvm && is_plain_make(make))
		make = with_llvm =
			g_strconcat(make, " LLVM=", build->toolchain.llvm, NULL);
	if (g_str_has_prefix(make, "make") && strchr(" \t\n", make[4])) {
		unsigned int n_jobs = build->settings->n_jobs ? build->settings->n_jobs
							      : g_get_num_processors();

		/* The jobs come from MAKEFLAGS: -j would leave the shared pool. */
		command = g_strdup_printf("make KERNELRELEASE=%s%s", kernel->release,
					  make + 4);
		shown = g_strdup_printf("make -j%u KERNELRELEASE=%s%s", n_jobs,
					kernel->release, make + 4);
	}
	add_step(steps, "make", "Building module(s)", shown ? shown : make,
		 command ? command : make, true);
}

static void add_strip(const struct ks_build *build, GPtrArray *steps)
{
	const GPtrArray *modules = build->request->conf->modules;
	const char *strip = build->toolchain.strip;
	g_autoptr(GString) files = g_string_new(NULL);
	g_autofree char *command = NULL;
	g_autofree char *script = NULL;

	for (guint i = 0; i < modules->len; i++) {
		const struct ks_conf_module *module = modules->pdata[i];
		g_autofree char *path = g_strconcat("./", module->built_location,
						    module->built_name, ".ko", NULL);
		g_autofree char *quoted = g_shell_quote(path);

		if (module->strip && !module->excluded)
			g_string_append_printf(files, " %s", quoted);
	}
	if (!files->len)
		return;
	command = g_strdup_printf("%s -g%s", strip, files->str);
	/*
	 * A module that make did not produce is reported when the modules
	 * are collected.
	 */
	script = g_strdup_printf(
		"for f in%s; do [ ! -e \"$f\" ] || %s -g \"$f\" || exit; done",
		files->str, strip);
	add_step(steps, "strip", "Stripping module(s)", command, script, false);
}

/*
 * As dkms up to 3.1 did it before each build: it removes generated headers, too. Here it
 * runs after somebody's own make alone, and a failure is passed over: the makefile may
 * need what pre_build makes.
 */
static void add_clean(const struct ks_build *build, GPtrArray *steps)
{
	const struct ks_build_request *request = build->request;
	g_autofree char *usual = g_strdup_printf(
		"make -C %s M=%s clean", request->kernel->headers_dir, build->build_path);
	const char *clean = request->conf->clean ? request->conf->clean : usual;
	g_autofree char *script = g_strdup_printf("( %s\n) || true", clean);

	if (build->needs_clean)
		add_step(steps, "clean", "Cleaning build area", clean, script, true);
}

GPtrArray *ks_build_make_steps(const struct ks_build *build)
{
	const struct ks_conf *conf = build->request->conf;
	GPtrArray *steps =
		g_ptr_array_new_with_free_func((GDestroyNotify)ks_build_step_free);

	add_clean(build, steps);
	add_patches(build, steps);
	add_script(build, steps, "pre_build", conf->pre_build);
	add_make(build, steps);
	add_script(build, steps, "post_build", conf->post_build);
	add_strip(build, steps);
	return steps;
}

static void set(GPtrArray *env, const char *name, const char *value)
{
	g_ptr_array_add(env, g_strconcat(name, "=", value, NULL));
}

/* Replace the value that is set under that name. */
static void replace(GPtrArray *env, const char *variable)
{
	size_t length = strcspn(variable, "=") + 1;

	for (guint i = 0; i < env->len; i++) {
		if (strncmp(env->pdata[i], variable, length) == 0)
			g_free(g_ptr_array_remove_index(env, i--));
	}
	g_ptr_array_add(env, g_strdup(variable));
}

static bool has_prefix(char **variables, const char *prefix)
{
	for (; variables && *variables; variables++)
		if (g_str_has_prefix(*variables, prefix))
			return true;
	return false;
}

static void remove_variable(GPtrArray *env, const char *variable)
{
	for (guint i = 0; i < env->len; i++) {
		if (strcmp(env->pdata[i], variable) == 0)
			g_free(g_ptr_array_remove_index(env, i--));
	}
}

/*
 * dkms follows the name of the kernel's compiler when there is such a command. Every
 * kbuild of the build has LLVM=, ARCH= and CROSS_COMPILE= from here, however it is called.
 */
static void set_compiler(const struct ks_build *build, GPtrArray *env)
{
	const struct ks_toolchain *toolchain = &build->toolchain;
	g_auto(GStrv) variables = ks_toolchain_variables(toolchain);

	for (char **variable = variables; *variable; variable++)
		g_ptr_array_add(env, g_strdup(*variable));
	if (toolchain->cc) {
		set(env, "CC", toolchain->cc);
		set(env, "KERNEL_CC", toolchain->cc);
	}
	if (toolchain->ld) {
		set(env, "LD", toolchain->ld);
		set(env, "KERNEL_LD", toolchain->ld);
	}
	if (ks_toolchain_is_named(toolchain) &&
	    !has_prefix(build->request->conf->environment, "CC="))
		set(env, KS_WRAPPER_CC_ENV, toolchain->cc);
}

/* A makefile that is not there is no error to make. */
static void set_make(const struct ks_build *build, GPtrArray *env)
{
	const char *memo = build->memo;
	g_autofree char *path = ks_wrapper_path(
		build->system, (const char *const *)build->request->conf->environment);
	g_autofree char *fragment = ks_wrapper_fragment(build->system);
	g_autofree char *fragments =
		g_strconcat(fragment, memo ? " " : "", memo ? memo : "", NULL);

	set(env, "PATH", path);
	set(env, "MAKEFILES", fragments);
	set(env, "MAKEFLAGS", ks_jobserver_makeflags(build->jobserver));
	set(env, KS_WRAPPER_JOBS_ENV, ks_jobserver_auth(build->jobserver));
}

char **ks_build_make_env(const struct ks_build *build)
{
	const struct ks_build_request *request = build->request;
	GPtrArray *env = g_ptr_array_new();

	set_make(build, env);
	set(env, "LC_ALL", "C.UTF-8");
	set(env, "HOME", build->home_path);
	set(env, "SHELL", "/bin/sh");
	set(env, "SOURCE_DATE_EPOCH", KS_BUILD_EPOCH);
	set(env, "KBUILD_BUILD_TIMESTAMP", KS_BUILD_EPOCH_TIMESTAMP);
	set(env, "KBUILD_BUILD_USER", "kmodsmith");
	set(env, "KBUILD_BUILD_HOST", "localhost");
	set(env, "module", request->module);
	set(env, "module_version", request->version);
	set(env, "kernelver", request->kernel->release);
	set(env, "arch", request->kernel->arch);
	set(env, KS_UNAME_ENV, ks_kernel_uname(build->system, request->kernel));
	set(env, "kernel_source_dir", request->kernel->headers_dir);
	set(env, "dkms_tree", build->system->dkms_tree);
	set(env, "source_tree", build->system->source_tree);
	set(env, "install_tree", build->system->install_tree);
	set_compiler(build, env);
	/* its cache would go with the build; of use is one that the
	 * administrator names */
	set(env, "CCACHE_DISABLE", "1");
	/* what the administrator exports wins; its PATH is in ours */
	for (char **p = request->conf->environment; p && *p; p++)
		if (!g_str_has_prefix(*p, "PATH="))
			replace(env, *p);
	if (has_prefix(request->conf->environment, "CCACHE_"))
		remove_variable(env, "CCACHE_DISABLE=1");
	if (!request->private_build) {
		g_autofree char *tmp = g_build_filename(build->build_path, ".tmp", NULL);

		set(env, "TMPDIR", tmp);
	}
	g_ptr_array_add(env, NULL);
	return (char **)g_ptr_array_free(env, FALSE);
}
