/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dkms's command line (dkms 3.4.3, lines 3463-3598): an action word anywhere,
 * long options with a value matched as prefixes ("--moduleversion" is
 * "--module"), their values after "=" or as the next word, or none at all.
 */
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "cli/dkms/dkms-actions.h"
#include "core/shell/vars.h"
#include "core/support/name.h"

enum kind {
	OPTION_FLAG,   /* bool */
	OPTION_STRING, /* char * */
	OPTION_LIST,   /* GPtrArray of char * */
	OPTION_MODULE, /* M or M/V */
	OPTION_KERNEL, /* K or K/A */
	OPTION_QUIET,
	OPTION_DEPRECATED, /* swallowed by dkms, too */
};

#define FIELD(name) offsetof(struct ks_dkms_options, name)

/* In dkms's order of matching: the first match counts. */
static const struct option {
	char letter;	  /* 0: none */
	const char *name; /* without "--"; NULL: none */
	enum kind kind;
	size_t field;
	const char *value; /* NULL: takes none */
	const char *summary;
} options_table[] = {
	{'m', "module", OPTION_MODULE, 0, "M[/V]", "the module"},
	{'v', NULL, OPTION_STRING, FIELD(version), "V", "its version"},
	{'k', "kernelver", OPTION_KERNEL, 0, "K[/A]",
	 "the kernel; can be repeated [the running one]"},
	{0, "templatekernel", OPTION_STRING, FIELD(template_kernel), "K",
	 "match: the kernel to follow"},
	{'c', NULL, OPTION_STRING, FIELD(conf_path), "FILE",
	 "read this dkms.conf instead of the source's"},
	{'q', "quiet", OPTION_QUIET, 0, NULL, "print nothing from there on"},
	{'V', "version", OPTION_FLAG, FIELD(version_asked), NULL,
	 "print the version of dkms that this follows"},
	{0, "no-initrd", OPTION_DEPRECATED, 0, NULL, NULL},
	{0, "no-clean-kernel", OPTION_DEPRECATED, 0, NULL, NULL},
	{0, "no-prepare-kernel", OPTION_DEPRECATED, 0, NULL, NULL},
	{0, "binaries-only", OPTION_FLAG, FIELD(binaries_only), NULL,
	 "mktarball: leave the source out"},
	{0, "source-only", OPTION_FLAG, FIELD(source_only), NULL,
	 "mktarball: leave what was built out"},
	{0, "force", OPTION_FLAG, FIELD(force), NULL, "do it again although it is done"},
	{0, "force-version-override", OPTION_FLAG, FIELD(force_version_override), NULL,
	 "install over a newer module of the kernel"},
	{0, "all", OPTION_FLAG, FIELD(all), NULL, "for all kernels"},
	{0, "verbose", OPTION_FLAG, FIELD(verbose), NULL,
	 "print commands instead of what they are for"},
	{0, "rpm_safe_upgrade", OPTION_FLAG, FIELD(rpm_safe_upgrade), NULL,
	 "no removal by the rpm transaction that added it"},
	{0, "dkmstree", OPTION_STRING, FIELD(dkms_tree), "DIR",
	 "instead of /var/lib/dkms"},
	{0, "sourcetree", OPTION_STRING, FIELD(source_tree), "DIR",
	 "instead of /usr/src"},
	{0, "installtree", OPTION_STRING, FIELD(install_tree), "DIR",
	 "instead of /lib/modules"},
	{0, "root", OPTION_STRING, FIELD(root_path), "DIR",
	 "work on another system tree"},
	{0, "symlink-modules", OPTION_FLAG, FIELD(symlink_modules), NULL,
	 "install links instead of copies"},
	{0, "config", OPTION_STRING, FIELD(kernel_config), "FILE",
	 "the kernel's configuration"},
	{0, "archive", OPTION_STRING, FIELD(archive), "FILE",
	 "the archive of mktarball and ldtarball"},
	{'a', "arch", OPTION_LIST, FIELD(arches), "A",
	 "the architecture; can be repeated [that of the machine]"},
	{0, "kernelsourcedir", OPTION_STRING, FIELD(kernel_source_dir), "DIR",
	 "the kernel's headers"},
	{0, "directive", OPTION_LIST, FIELD(directives), "NAME=VALUE",
	 "set a directive of dkms.conf; can be repeated"},
	{0, "no-depmod", OPTION_FLAG, FIELD(no_depmod), NULL, "leave depmod to others"},
	{0, "modprobe-on-install", OPTION_FLAG, FIELD(modprobe_on_install), NULL,
	 "load what the devices of this machine ask for"},
	{0, "debug", OPTION_FLAG, FIELD(debug), NULL,
	 "print on stderr what is done and why"},
	{'j', NULL, OPTION_STRING, FIELD(n_jobs), "N", "jobs at a time [processors]"},
	{'h', "help", OPTION_FLAG, FIELD(help), NULL, "print this"},
};

static bool has_name(const struct option *option, const char *word)
{
	size_t length = option->name ? strlen(option->name) : 0;

	if (!g_str_has_prefix(word, "--"))
		return option->letter && word[1] == option->letter && !word[2];
	/* dkms matches "--arch*": what takes a value is matched as a prefix */
	return length && strncmp(word + 2, option->name, length) == 0 &&
	       (option->value || !word[2 + length]);
}

static const struct option *find_option(const char *word)
{
	for (size_t i = 0; i < G_N_ELEMENTS(options_table); i++)
		if (has_name(&options_table[i], word))
			return &options_table[i];
	return NULL;
}

/* The first line, without blanks around it, as "read -r" reads it. */
static char *first_line(const char *text)
{
	char *line = g_strndup(text, strcspn(text, "\n"));

	return g_strstrip(line);
}

static void set(char **to, char *value)
{
	g_free(*to);
	*to = value;
}

static void set_module(struct ks_dkms_options *options, const char *text)
{
	const char *slash = strchr(text, '/');

	if (!slash) {
		set(&options->module, g_strdup(text));
		return;
	}
	set(&options->module, g_strndup(text, (size_t)(slash - text)));
	set(&options->version, g_strdup(slash + 1));
}

/* "K" or "K/A" */
static void add_kernel(struct ks_dkms_options *options, const char *text)
{
	const char *slash = strchr(text, '/');

	if (!slash) {
		g_ptr_array_add(options->kernels, g_strdup(text));
		return;
	}
	g_ptr_array_add(options->kernels, g_strndup(text, (size_t)(slash - text)));
	g_ptr_array_add(options->arches, g_strdup(slash + 1));
}

/* Everything printed from here on is dropped. */
static void silence(void)
{
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

	fflush(NULL);
	if (fd < 0)
		return;
	dup2(fd, STDOUT_FILENO);
	dup2(fd, STDERR_FILENO);
	close(fd);
}

static void apply(struct ks_dkms_options *options, const struct option *option,
		  const char *value)
{
	void *field = (char *)options + option->field;

	switch (option->kind) {
	case OPTION_FLAG:
		*(bool *)field = true;
		break;
	case OPTION_STRING:
		set(field, g_strdup(value));
		break;
	case OPTION_LIST:
		g_ptr_array_add(*(GPtrArray **)field, g_strdup(value));
		break;
	case OPTION_MODULE:
		set_module(options, value);
		break;
	case OPTION_KERNEL:
		add_kernel(options, value);
		break;
	case OPTION_QUIET:
		silence();
		break;
	case OPTION_DEPRECATED:
		fprintf(stderr, "Deprecated feature: --%s\n", option->name);
		break;
	}
}

/* Returns how many words were used, 0 for an error with *code set. */
static int parse_option(struct ks_dkms_options *options, char **words, int n_words,
			int *code)
{
	const struct option *option = find_option(words[0]);
	const char *equals =
		g_str_has_prefix(words[0], "--") ? strchr(words[0], '=') : NULL;
	g_autofree char *value = NULL;

	if (!option) {
		*code = ks_dkms_fail(KS_DKMS_NO_SOURCE, "Unknown option: %s", words[0]);
		options->wants_usage = true;
		return 0;
	}
	/* without a word after it the value is empty */
	if (option->value)
		value = first_line(equals ? equals + 1 : n_words > 1 ? words[1] : "");
	apply(options, option, value);
	return option->value && !equals ? 2 : 1;
}

static bool is_source_dir(const char *word)
{
	g_autofree char *conf = g_build_filename(word, "dkms.conf", NULL);

	return g_file_test(conf, G_FILE_TEST_IS_REGULAR);
}

static void parse_word(struct ks_dkms_options *options, const char *word)
{
	bool is_file = g_file_test(word, G_FILE_TEST_IS_REGULAR);

	if (is_file && g_str_has_suffix(word, "dkms.conf"))
		set(&options->source_dir, g_path_get_dirname(word));
	else if (is_source_dir(word))
		set(&options->source_dir, g_strdup(word));
	else if (is_file)
		set(&options->archive, g_strdup(word));
	else if (!options->module || !*options->module)
		set_module(options, word);
	else
		ks_dkms_warn("I do not know how to handle %s.", word);
}

/* An empty value is as good as none. */
static void drop_empty(char **text)
{
	if (*text && !**text)
		g_clear_pointer(text, g_free);
}

int ks_dkms_options_parse(struct ks_dkms_options *options, int argc, char **argv,
			  bool (*is_action)(const char *word))
{
	int code = KS_DKMS_OK;

	options->kernels = g_ptr_array_new_with_free_func(g_free);
	options->arches = g_ptr_array_new_with_free_func(g_free);
	options->directives = g_ptr_array_new_with_free_func(g_free);
	for (int i = 1; i < argc && !options->help && !options->version_asked;) {
		if (argv[i][0] == '-') {
			int used = parse_option(options, argv + i, argc - i, &code);

			if (!used)
				return code;
			i += used;
			continue;
		}
		if (!is_action(argv[i]))
			parse_word(options, argv[i]);
		else if (options->action)
			return ks_dkms_fail(KS_DKMS_BROKEN,
					    "Cannot specify more than one action.");
		else
			options->action = g_strdup(argv[i]);
		i++;
	}
	drop_empty(&options->module);
	drop_empty(&options->version);
	return KS_DKMS_OK;
}

/* A value that becomes part of a path must be a name. */
static int check_names(const struct ks_dkms_options *options)
{
	if ((options->module && !ks_name_is_plain(options->module)) ||
	    (options->version && !ks_name_is_plain(options->version)))
		return ks_dkms_fail(KS_DKMS_NOT_ALLOWED,
				    "'%s/%s' is no module and version.",
				    options->module ? options->module : "",
				    options->version ? options->version : "");
	for (guint i = 0; i < options->kernels->len; i++) {
		const char *kernel = g_ptr_array_index(options->kernels, i);

		if (!*kernel)
			return ks_dkms_fail(KS_DKMS_NO_KERNEL, "Empty kernelver[%u]", i);
		if (!ks_name_is_plain(kernel))
			return ks_dkms_fail(KS_DKMS_NOT_ALLOWED,
					    "'%s' is no kernel version.", kernel);
	}
	for (guint i = 0; i < options->directives->len; i++) {
		const char *directive = g_ptr_array_index(options->directives, i);

		if (!ks_vars_is_assignment(directive))
			return ks_dkms_fail(KS_DKMS_NO_SOURCE,
					    "'%s' is no directive: NAME=value.",
					    directive);
	}
	for (guint i = 0; i < options->arches->len; i++) {
		const char *arch = g_ptr_array_index(options->arches, i);

		if (!*arch)
			return ks_dkms_fail(KS_DKMS_NO_KERNEL, "Empty arch[%u]", i);
		if (!ks_name_is_plain(arch))
			return ks_dkms_fail(KS_DKMS_NO_ARCH, "'%s' is no architecture.",
					    arch);
	}
	return KS_DKMS_OK;
}

int ks_dkms_options_check(const struct ks_dkms_options *options,
			  const struct ks_dkms_action *action)
{
	guint n_kernels = options->kernels->len, n_arches = options->arches->len;

	if (options->binaries_only && options->source_only)
		return ks_dkms_fail(
			KS_DKMS_BAD_CONF,
			"You have specified both --binaries-only and --source-only.\n"
			"You cannot do this.");
	if (n_kernels != n_arches && n_arches > 1)
		return ks_dkms_fail(
			KS_DKMS_NOT_ALLOWED,
			"If more than one arch is specified on the command line, then "
			"there\n"
			"must be an equal number of kernel versions also specified (1:1 "
			"relationship).");
	if (options->all && n_kernels)
		return ks_dkms_fail(
			KS_DKMS_NO_SOURCE,
			"You cannot specify a kernel version and also specify\n"
			"--all on the command line.");
	if (options->all && n_arches)
		return ks_dkms_fail(KS_DKMS_NOT_IN_TREE,
				    "You cannot specify an arch and also specify\n"
				    "--all on the command line.");
	if (!action || action->filters)
		return KS_DKMS_OK;
	if (action->needs_kernel && options->all)
		return ks_dkms_fail(KS_DKMS_NO_ALL,
				    "The action %s does not support the --all parameter.",
				    action->name);
	if (action->needs_kernel && n_kernels != 1)
		return ks_dkms_fail(KS_DKMS_BROKEN,
				    "The action %s requires exactly one kernel version "
				    "parameter on the command line.",
				    action->name);
	return check_names(options);
}

void ks_dkms_options_describe(FILE *to)
{
	for (size_t i = 0; i < G_N_ELEMENTS(options_table); i++) {
		const struct option *option = &options_table[i];
		g_autoptr(GString) left = g_string_new(NULL);

		if (!option->summary)
			continue;
		if (option->letter)
			g_string_append_printf(left, "-%c", option->letter);
		if (option->name)
			g_string_append_printf(left, "%s--%s", left->len ? ", " : "",
					       option->name);
		if (option->value)
			g_string_append_printf(left, " %s", option->value);
		fprintf(to, "  %-34s %s\n", left->str, option->summary);
	}
}

void ks_dkms_options_clear(struct ks_dkms_options *options)
{
	for (size_t i = 0; i < G_N_ELEMENTS(options_table); i++) {
		const struct option *option = &options_table[i];
		char **field = (char **)((char *)options + option->field);

		if (option->kind == OPTION_STRING)
			g_clear_pointer(field, g_free);
	}
	g_free(options->action);
	g_free(options->module);
	g_free(options->source_dir);
	g_clear_pointer(&options->archive, g_free);
	g_ptr_array_unref(options->kernels);
	g_ptr_array_unref(options->arches);
	g_ptr_array_unref(options->directives);
}
