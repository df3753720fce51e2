/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See lint.h. */
#include "cli/lint.h"

#include <string.h>

#define MAX_TEXT_BYTES (1024 * 1024)

void ks_lint_finding_free(gpointer data)
{
	struct ks_lint_finding *finding = data;

	g_free(finding->text);
	g_free(finding);
}

void ks_lint_add(GPtrArray *findings, bool is_error, char *text)
{
	struct ks_lint_finding *finding = g_new0(struct ks_lint_finding, 1);

	finding->is_error = is_error;
	finding->text = text;
	g_ptr_array_add(findings, finding);
}

struct lint {
	const struct ks_root *root;
	const char *dir;
	char **conf_lines;
	GPtrArray *findings;
};

/* The line of dkms.conf that sets a directive, for the eye: 1 when none is seen. */
static guint line_of(const struct lint *lint, const char *directive)
{
	for (guint i = 0; lint->conf_lines && lint->conf_lines[i]; i++) {
		const char *at = strstr(lint->conf_lines[i], directive);

		if (at && strchr("=[+", at[strlen(directive)]) && at[strlen(directive)])
			return i + 1;
	}
	return 1;
}

static void find(const struct lint *lint, bool is_error, const char *directive,
		 const char *format, ...) G_GNUC_PRINTF(4, 5);
static void find(const struct lint *lint, bool is_error, const char *directive,
		 const char *format, ...)
{
	g_autofree char *what = NULL;
	va_list args;

	va_start(args, format);
	what = g_strdup_vprintf(format, args);
	va_end(args);
	ks_lint_add(lint->findings, is_error,
		    g_strdup_printf("%s/dkms.conf:%u: %s", lint->dir,
				    line_of(lint, directive), what));
}

static bool stat_below(const struct lint *lint, const char *name, struct stat *st)
{
	g_autofree char *path = g_build_filename(lint->dir, name, NULL);

	return ks_root_stat(lint->root, path, st);
}

static void check_script(const struct lint *lint, const char *directive,
			 const char *command)
{
	g_autofree char *name = NULL;
	struct stat st;

	if (!command || !*command)
		return;
	name = g_strndup(command, strcspn(command, " \t"));
	if (!stat_below(lint, name, &st))
		find(lint, true, directive, "%s names '%s', which is not there",
		     directive, name);
	else if (!(st.st_mode & 0111))
		find(lint, true, directive,
		     "%s names '%s', which is not executable: it is not run", directive,
		     name);
}

static void check_scripts(const struct lint *lint, const struct ks_conf *conf)
{
	check_script(lint, "POST_ADD", conf->post_add);
	check_script(lint, "PRE_BUILD", conf->pre_build);
	check_script(lint, "POST_BUILD", conf->post_build);
	check_script(lint, "PRE_INSTALL", conf->pre_install);
	check_script(lint, "POST_INSTALL", conf->post_install);
	check_script(lint, "POST_REMOVE", conf->post_remove);
}

/* A file that a patch makes does not exist yet: PRE_BUILD may even write the Makefile. */
static void check_makefile(const struct lint *lint, const struct ks_conf *conf)
{
	struct stat st;

	if (conf->pre_build || conf->patches[0] || stat_below(lint, "Makefile", &st) ||
	    stat_below(lint, "Kbuild", &st) || line_of(lint, "MAKE") > 1)
		return;
	find(lint, true, "MAKE",
	     "there is neither a MAKE directive nor a Makefile or Kbuild file");
}

static void check_leftovers(const struct lint *lint)
{
	static const char *const suffixes[] = {".ko", ".o", ".mod.c", ".cmd",
					       "Module.symvers"};
	g_autoptr(GPtrArray) names = ks_root_list(lint->root, lint->dir, NULL);

	for (guint i = 0; names && i < names->len; i++)
		for (size_t s = 0; s < G_N_ELEMENTS(suffixes); s++) {
			if (!g_str_has_suffix(names->pdata[i], suffixes[s]))
				continue;
			ks_lint_add(lint->findings, false,
				    g_strdup_printf("%s/%s: left over from a build: it "
						    "may be taken for up to date",
						    lint->dir, (char *)names->pdata[i]));
		}
}

/* The words in which the kernel that runs is asked for. */
static const char *asks_uname(const char *line, const char **word)
{
	static const char *const words[] = {"uname -r", "uname --kernel-release",
					    "/proc/sys/kernel/osrelease", "os.uname()"};

	for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
		*word = words[i];
		if (strstr(line, words[i]))
			return strstr(line, words[i]);
	}
	return NULL;
}

/* Only in our builds that prints the kernel that is built for. */
static void check_uname(const struct lint *lint, const char *file)
{
	g_autofree char *path = g_build_filename(lint->dir, file, NULL);
	g_autofree char *text =
		ks_root_read_file(lint->root, path, MAX_TEXT_BYTES, NULL, NULL);
	g_auto(GStrv) lines = text ? g_strsplit(text, "\n", -1) : NULL;

	for (guint i = 0; lines && lines[i]; i++) {
		const char *word, *at = asks_uname(lines[i], &word);
		const char *comment = strchr(lines[i], '#');

		/* KERNELRELEASE ?= and its like are for a call by hand */
		if (!at || (comment && comment < at) || strstr(lines[i], "?="))
			continue;
		ks_lint_add(lint->findings, false,
			    g_strdup_printf("%s:%u: '%s' is the running kernel wherever "
					    "kmodsmith does not answer it: use "
					    "$kernelver, or KERNELRELEASE in a makefile",
					    path, i + 1, word));
	}
}

/* What a script of a build downloads with, or installs packages. */
static const char *find_downloader(const char *line)
{
	static const char *const programs[] = {"apt-get",   "curl",	 "dnf",
					       "git clone", "git fetch", "pip install",
					       "wget"};

	for (size_t i = 0; i < G_N_ELEMENTS(programs); i++) {
		const char *at = strstr(line, programs[i]);
		const char *comment = strchr(line, '#');

		if (at && (at == line || !g_ascii_isalnum(at[-1])) &&
		    !g_ascii_isalnum(at[strlen(programs[i])]) &&
		    !(comment && comment < at))
			return programs[i];
	}
	return NULL;
}

static void check_network(const struct lint *lint, const char *command)
{
	g_autofree char *name =
		command ? g_strndup(command, strcspn(command, " \t\n")) : NULL;
	g_autofree char *path = name ? g_build_filename(lint->dir, name, NULL) : NULL;
	g_autofree char *text =
		path ? ks_root_read_file(lint->root, path, MAX_TEXT_BYTES, NULL, NULL)
		     : NULL;
	g_auto(GStrv) lines = text ? g_strsplit(text, "\n", -1) : NULL;

	for (guint i = 0; lines && lines[i]; i++) {
		const char *program = find_downloader(lines[i]);

		if (program)
			ks_lint_add(
				lint->findings, false,
				g_strdup_printf("%s:%u: '%s' wants the network, which "
						"a build has only with 'sandbox = "
						"off' for its module, or root, which "
						"it never is",
						path, i + 1, program));
	}
}

static void check_modules(const struct lint *lint, const struct ks_conf *conf)
{
	if (!conf->modules->len)
		find(lint, true, "BUILT_MODULE_NAME", "it builds no module");
	if (!conf->autoinstall)
		find(lint, false, "AUTOINSTALL",
		     "without AUTOINSTALL=\"yes\" nothing is built by itself");
}

void ks_lint_source(const struct ks_cli *cli, const char *dir, const struct ks_conf *conf,
		    GPtrArray *findings)
{
	struct lint lint = {.root = cli->system->root, .dir = dir, .findings = findings};
	g_autofree char *path = g_build_filename(dir, "dkms.conf", NULL);
	g_autofree char *text =
		ks_root_read_file(lint.root, path, MAX_TEXT_BYTES, NULL, NULL);

	lint.conf_lines = text ? g_strsplit(text, "\n", -1) : NULL;
	for (guint i = 0; i < conf->warnings->len; i++)
		ks_lint_add(findings, false,
			    g_strdup(g_ptr_array_index(conf->warnings, i)));
	check_modules(&lint, conf);
	check_scripts(&lint, conf);
	check_makefile(&lint, conf);
	check_leftovers(&lint);
	check_network(&lint, conf->pre_build);
	check_network(&lint, conf->post_build);
	check_network(&lint, "Makefile");
	check_uname(&lint, "dkms.conf");
	check_uname(&lint, "Makefile");
	g_strfreev(lint.conf_lines);
}
