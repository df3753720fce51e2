/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dkms's command line (dkms 3.4.3, lines 3463-3598): an action word anywhere,
 * long options matched as prefixes ("--moduleversion" is "--module"), values
 * of long options after "=" or as the next word.
 */
#include "cli/dkms.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "cli/options.h"

enum kind {
	OPTION_MODULE,
	OPTION_VERSION,
	OPTION_KERNEL,
	OPTION_ARCH,
	OPTION_ROOT,
	OPTION_DKMS_TREE,
	OPTION_SOURCE_TREE,
	OPTION_INSTALL_TREE,
	OPTION_FORCE,
	OPTION_ALL,
	OPTION_NO_DEPMOD,
	OPTION_QUIET,
	OPTION_HELP,
	OPTION_PRINT_VERSION,
	OPTION_IGNORED,	    /* without effect on the result */
	OPTION_DEPRECATED,  /* swallowed by dkms, too */
	OPTION_UNSUPPORTED, /* would change the result: refused */
};

/* In dkms's order of matching: the first that fits counts. */
static const struct option {
	const char *name;
	bool prefix;
	bool has_value;
	enum kind kind;
} options_table[] = {
	{"-q", false, false, OPTION_QUIET},
	{"--quiet", true, false, OPTION_QUIET},
	{"-V", false, false, OPTION_PRINT_VERSION},
	{"--version", true, false, OPTION_PRINT_VERSION},
	{"-h", false, false, OPTION_HELP},
	{"--help", true, false, OPTION_HELP},
	{"-m", false, true, OPTION_MODULE},
	{"--module", true, true, OPTION_MODULE},
	{"-v", false, true, OPTION_VERSION},
	{"--kernelver", true, true, OPTION_KERNEL},
	{"-k", false, true, OPTION_KERNEL},
	{"--templatekernel", true, true, OPTION_UNSUPPORTED},
	{"-c", false, true, OPTION_UNSUPPORTED},
	{"--config", true, true, OPTION_UNSUPPORTED},
	{"--archive", true, true, OPTION_UNSUPPORTED},
	{"-a", false, true, OPTION_ARCH},
	{"--arch", true, true, OPTION_ARCH},
	{"--kernelsourcedir", true, true, OPTION_UNSUPPORTED},
	{"--directive", true, true, OPTION_UNSUPPORTED},
	{"--symlink-modules", false, false, OPTION_UNSUPPORTED},
	{"--binaries-only", false, false, OPTION_UNSUPPORTED},
	{"--source-only", false, false, OPTION_UNSUPPORTED},
	{"--root", true, true, OPTION_ROOT},
	{"--dkmstree", true, true, OPTION_DKMS_TREE},
	{"--sourcetree", true, true, OPTION_SOURCE_TREE},
	{"--installtree", true, true, OPTION_INSTALL_TREE},
	{"--force-version-override", false, false, OPTION_IGNORED},
	{"--force", false, false, OPTION_FORCE},
	{"--all", false, false, OPTION_ALL},
	{"--no-depmod", false, false, OPTION_NO_DEPMOD},
	{"--modprobe-on-install", false, false, OPTION_IGNORED},
	{"--rpm_safe_upgrade", false, false, OPTION_IGNORED},
	{"-j", false, true, OPTION_IGNORED},
	{"--verbose", false, false, OPTION_IGNORED},
	{"--debug", false, false, OPTION_IGNORED},
	{"--no-initrd", false, false, OPTION_DEPRECATED},
	{"--no-clean-kernel", false, false, OPTION_DEPRECATED},
	{"--no-prepare-kernel", false, false, OPTION_DEPRECATED},
};

static const char *const action_words[] = {
	"add",	     "remove",	     "build",	       "unbuild",	  "install",
	"uninstall", "match",	     "autoinstall",    "mktarball",	  "ldtarball",
	"status",    "generate_mok", "kernel_preinst", "kernel_postinst", "kernel_prerm",
	NULL,
};

static const struct option *find_option(const char *word)
{
	for (size_t i = 0; i < G_N_ELEMENTS(options_table); i++) {
		const struct option *option = &options_table[i];

		if (option->prefix ? g_str_has_prefix(word, option->name)
				   : g_str_equal(word, option->name))
			return option;
	}
	return NULL;
}

/* As "read -r" reads it: the first line, without blanks around it. */
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

/* Everything from here on is for nobody. */
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

static void apply_value(struct ks_dkms_options *options, enum kind kind, char *value)
{
	switch (kind) {
	case OPTION_MODULE:
		set_module(options, value);
		break;
	case OPTION_KERNEL:
		add_kernel(options, value);
		break;
	case OPTION_ARCH:
		g_ptr_array_add(options->arches, g_strdup(value));
		break;
	case OPTION_VERSION:
		set(&options->version, g_strdup(value));
		break;
	case OPTION_ROOT:
		set(&options->root_path, g_strdup(value));
		break;
	case OPTION_DKMS_TREE:
		set(&options->dkms_tree, g_strdup(value));
		break;
	case OPTION_SOURCE_TREE:
		set(&options->source_tree, g_strdup(value));
		break;
	case OPTION_INSTALL_TREE:
		set(&options->install_tree, g_strdup(value));
		break;
	default:
		break;
	}
}

static void apply_flag(struct ks_dkms_options *options, enum kind kind)
{
	switch (kind) {
	case OPTION_QUIET:
		silence();
		break;
	case OPTION_HELP:
		options->help = true;
		break;
	case OPTION_PRINT_VERSION:
		options->version_asked = true;
		break;
	case OPTION_FORCE:
		options->force = true;
		break;
	case OPTION_ALL:
		options->all = true;
		break;
	case OPTION_NO_DEPMOD:
		options->no_depmod = true;
		break;
	default:
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

	if (!option || (equals && !option->has_value)) {
		*code = ks_dkms_die(KS_DKMS_NO_SOURCE, "Unknown option: %s", words[0]);
		return 0;
	}
	if (option->kind == OPTION_UNSUPPORTED) {
		*code = ks_dkms_die(KS_DKMS_NOT_ALLOWED,
				    "The option %s is not in this version of kmodsmith.",
				    words[0]);
		return 0;
	}
	if (option->kind == OPTION_DEPRECATED)
		fprintf(stderr, "Deprecated feature: %s\n", words[0]);
	if (!option->has_value) {
		apply_flag(options, option->kind);
		return 1;
	}
	if (!equals && n_words < 2) {
		*code = ks_dkms_die(KS_DKMS_NO_SOURCE, "The option %s needs a value.",
				    words[0]);
		return 0;
	}
	value = first_line(equals ? equals + 1 : words[1]);
	apply_value(options, option->kind, value);
	return equals ? 1 : 2;
}

static bool is_source_dir(const char *word)
{
	g_autofree char *conf = g_build_filename(word, "dkms.conf", NULL);

	return g_file_test(conf, G_FILE_TEST_IS_REGULAR);
}

static void parse_word(struct ks_dkms_options *options, const char *word)
{
	if (g_str_has_suffix(word, "dkms.conf") && g_file_test(word, G_FILE_TEST_EXISTS))
		set(&options->source_dir, g_path_get_dirname(word));
	else if (is_source_dir(word))
		set(&options->source_dir, g_strdup(word));
	else if (!options->module)
		set_module(options, word);
	else
		ks_dkms_warn("I do not know how to handle %s.", word);
}

/* What becomes part of a path must be a name. */
static int check_names(const struct ks_dkms_options *options)
{
	bool is_status = g_strcmp0(options->action, "status") == 0; /* filters: globs */

	if (is_status)
		return KS_DKMS_OK;
	if ((options->module && !ks_conf_is_name(options->module)) ||
	    (options->version && !ks_conf_is_name(options->version)))
		return ks_dkms_die(KS_DKMS_NOT_ALLOWED,
				   "'%s/%s' is no module and version.",
				   options->module ? options->module : "",
				   options->version ? options->version : "");
	for (guint i = 0; i < options->kernels->len; i++) {
		const char *kernel = g_ptr_array_index(options->kernels, i);

		if (!ks_conf_is_name(kernel))
			return ks_dkms_die(KS_DKMS_NOT_ALLOWED,
					   "'%s' is no kernel version.", kernel);
	}
	return KS_DKMS_OK;
}

int ks_dkms_options_parse(struct ks_dkms_options *options, int argc, char **argv)
{
	int code = KS_DKMS_OK;

	options->kernels = g_ptr_array_new_with_free_func(g_free);
	options->arches = g_ptr_array_new_with_free_func(g_free);
	for (int i = 1; i < argc && !options->help && !options->version_asked;) {
		if (argv[i][0] == '-') {
			int used = parse_option(options, argv + i, argc - i, &code);

			if (!used)
				return code;
			i += used;
			continue;
		}
		if (!g_strv_contains(action_words, argv[i])) {
			parse_word(options, argv[i]);
		} else if (options->action) {
			return ks_dkms_die(KS_DKMS_SEVERAL_ACTIONS,
					   "Cannot specify more than one action.");
		} else {
			options->action = g_strdup(argv[i]);
		}
		i++;
	}
	return check_names(options);
}

void ks_dkms_options_clear(struct ks_dkms_options *options)
{
	g_free(options->action);
	g_free(options->module);
	g_free(options->version);
	g_free(options->source_dir);
	g_free(options->root_path);
	g_free(options->dkms_tree);
	g_free(options->source_tree);
	g_free(options->install_tree);
	g_ptr_array_unref(options->kernels);
	g_ptr_array_unref(options->arches);
}
