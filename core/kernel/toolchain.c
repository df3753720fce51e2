/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which compiler a kernel wants, and whether it is there.
 *
 * The name is the first word of CONFIG_CC_VERSION_TEXT, used when there is such
 * a program, else plain gcc or clang (dkms 3.4.3 does so). Debian's headers name
 * the compiler in .kernelvariables, which their Makefile includes: then make
 * runs exactly that one.
 */
#include <string.h>

#include "core/kernel/kernel-private.h"

#define MAX_VARIABLE_BYTES (64 * 1024)

static const char *const program_dirs[] = {"/usr/bin", "/usr/sbin", "/bin", "/sbin"};

static bool is_program(const struct ks_system *system, const char *path)
{
	struct stat st;

	return ks_root_stat(system->root, path, &st) && S_ISREG(st.st_mode) &&
	       (st.st_mode & 0111);
}

/* A configuration is input: what it calls a compiler must look like a program. */
static bool is_sane_name(const char *name)
{
	return *name && *name != '-' && strlen(name) < 256 &&
	       !name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				  "0123456789._+-/")];
}

char *ks_kernel_find_program(const struct ks_system *system, const char *name)
{
	if (!is_sane_name(name))
		return NULL;
	if (*name == '/')
		return is_program(system, name) ? g_strdup(name) : NULL;
	if (strchr(name, '/'))
		return NULL;
	for (guint i = 0; i < G_N_ELEMENTS(program_dirs); i++) {
		g_autofree char *path = g_build_filename(program_dirs[i], name, NULL);

		if (is_program(system, path))
			return g_steal_pointer(&path);
	}
	return NULL;
}

/* ---- .kernelvariables ---- */

struct variables {
	char *cc;
	char *cross_compile;
};

/* The value of "[override] NAME [:?]= VALUE", or NULL when line sets something else. */
static const char *value_of(const char *line, const char *name)
{
	line += strspn(line, " \t");
	if (g_str_has_prefix(line, "override "))
		line += strlen("override ");
	line += strspn(line, " \t");
	if (!g_str_has_prefix(line, name))
		return NULL;
	line += strlen(name);
	line += strspn(line, " \t:?");
	if (*line != '=')
		return NULL;
	line++;
	return line + strspn(line, " \t");
}

/*
 * "$(if $(USE_CCACHE),$(CCACHE)) $(CROSS_COMPILE)gcc-12": the last word, after
 * the prefix that this file sets. More of make's language than that is not read:
 * then nothing is known, and nothing is demanded.
 */
static char *expand_compiler(const struct variables *variables)
{
	static const char *const prefix = "$(CROSS_COMPILE)";
	const char *word = variables->cc;
	const char *cross = variables->cross_compile ? variables->cross_compile : "";
	g_autofree char *name = NULL;

	if (!word)
		return NULL;
	if (strrchr(word, ' '))
		word = strrchr(word, ' ') + 1;
	if (g_str_has_prefix(word, prefix))
		name = g_strconcat(cross, word + strlen(prefix), NULL);
	else
		name = g_strdup(word);
	return is_sane_name(name) ? g_steal_pointer(&name) : NULL;
}

/* What Debian's headers demand, or NULL. */
static char *read_demanded(const struct ks_system *system, const struct ks_kernel *kernel)
{
	g_autofree char *path =
		g_build_filename(kernel->headers_dir, ".kernelvariables", NULL);
	g_autofree char *text =
		ks_root_read_file(system->root, path, MAX_VARIABLE_BYTES, NULL, NULL);
	g_auto(GStrv) lines = g_strsplit(text ? text : "", "\n", -1);
	struct variables variables = {NULL, NULL};
	char *name;

	for (char **line = lines; *line; line++) {
		const char *cc = value_of(g_strchomp(*line), "CC");
		const char *cross = value_of(*line, "CROSS_COMPILE");

		if (cc) {
			g_free(variables.cc);
			variables.cc = g_strdup(cc);
		} else if (cross) {
			g_free(variables.cross_compile);
			variables.cross_compile = g_strdup(cross);
		}
	}
	name = expand_compiler(&variables);
	g_free(variables.cc);
	g_free(variables.cross_compile);
	return name;
}

/* ---- the configuration ---- */

struct facts {
	char *version_text;
	bool clang;
	bool lld;
};

/*
 * A newly allocated value, or NULL. A search, because parsing ten thousand lines
 * for each kernel would be most of what listing the kernels costs; over the
 * whole text, because auto.conf is in no order.
 */
static char *search_symbol(const char *text, const char *symbol)
{
	g_autofree char *start = g_strconcat("\n", symbol, "=", NULL);
	const char *found = strstr(text, start);
	g_autofree char *copy = NULL;
	char *line, *value;

	if (found)
		found++;
	else if (g_str_has_prefix(text, start + 1))
		found = text;
	else
		return NULL;
	copy = g_strndup(found, strcspn(found, "\n"));
	line = copy;
	return ks_kernel_config_parse_line(&line, &value) ? g_strdup(value) : NULL;
}

static bool is_set(const char *text, const char *symbol)
{
	g_autofree char *value = search_symbol(text, symbol);

	return !g_strcmp0(value, "y");
}

static void read_facts(const struct ks_system *system, const struct ks_kernel *kernel,
		       struct facts *facts)
{
	g_autofree char *text = NULL;

	if (kernel->config_path)
		text = ks_root_read_file(system->root, kernel->config_path,
					 KS_KERNEL_MAX_CONFIG_BYTES, NULL, NULL);
	if (!text)
		return;
	facts->version_text = search_symbol(text, "CONFIG_CC_VERSION_TEXT");
	facts->clang = is_set(text, "CONFIG_CC_IS_CLANG");
	facts->lld = is_set(text, "CONFIG_LD_IS_LLD");
}

/* "gcc-12 (Debian ...", "clang version 17", but also "Ubuntu clang version 15". */
static char *name_compiler(const struct facts *facts)
{
	g_autofree char *word = NULL;

	if (facts->version_text)
		word = g_strndup(facts->version_text,
				 strcspn(facts->version_text, " \t"));
	if (facts->clang && (!word || !strstr(word, "clang")))
		return g_strdup("clang");
	return word && is_sane_name(word) ? g_steal_pointer(&word) : NULL;
}

static const char *plain_compiler(const struct ks_kernel *kernel)
{
	return kernel->clang ? "clang" : "gcc";
}

char *ks_kernel_find_compiler(const struct ks_system *system,
			      const struct ks_kernel *kernel, char **wanted, bool *exact)
{
	char *demanded = read_demanded(system, kernel);
	char *found;

	*exact = demanded != NULL;
	*wanted = demanded ? demanded : g_strdup(kernel->compiler);
	found = *wanted ? ks_kernel_find_program(system, *wanted) : NULL;
	if (!found && !demanded)
		found = ks_kernel_find_program(system, plain_compiler(kernel));
	return found;
}

static char *describe_problem(const struct ks_system *system,
			      const struct ks_kernel *kernel, bool lld)
{
	const char *prefix = ks_root_prefix(system->root);
	g_autofree char *make = ks_kernel_find_program(system, "make");
	g_autofree char *wanted = NULL;
	g_autofree char *compiler = NULL;
	g_autofree char *linker = NULL;
	const char *plain = plain_compiler(kernel);
	bool exact;

	if (!make)
		return g_strdup_printf("no 'make' in '%s/usr/bin'", prefix);
	compiler = ks_kernel_find_compiler(system, kernel, &wanted, &exact);
	if (!compiler && (exact || !g_strcmp0(wanted, plain)))
		return g_strdup_printf("no compiler '%s' in '%s/usr/bin'", wanted,
				       prefix);
	if (!compiler && wanted)
		return g_strdup_printf("no compiler '%s' or '%s' in '%s/usr/bin'", wanted,
				       plain, prefix);
	if (!compiler)
		return g_strdup_printf("no compiler '%s' in '%s/usr/bin'", plain, prefix);
	linker = lld ? ks_kernel_find_program(system, "ld.lld") : NULL;
	if (lld && !linker)
		return g_strdup_printf("no linker 'ld.lld' in '%s/usr/bin'", prefix);
	return NULL;
}

void ks_kernel_probe_toolchain(const struct ks_system *system, struct ks_kernel *kernel)
{
	struct facts facts = {NULL, false, false};

	read_facts(system, kernel, &facts);
	kernel->clang = facts.clang;
	kernel->compiler = name_compiler(&facts);
	if (kernel->has_headers)
		kernel->toolchain_problem = describe_problem(system, kernel, facts.lld);
	g_free(facts.version_text);
}
