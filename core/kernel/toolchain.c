/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which compiler a kernel wants, and whether it is installed.
 *
 * The name is the first word of CONFIG_CC_VERSION_TEXT, used when there is such
 * a program, else plain gcc or clang (dkms 3.4.3 does so). Debian's headers name
 * the compiler in .kernelvariables, which their Makefile includes: then make
 * runs exactly that one.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/kernel/arch.h"
#include "core/kernel/compiler.h"
#include "core/kernel/elf.h"
#include "core/kernel/kernel-private.h"
#include "core/kernel/toolchain.h"

#define MAX_VARIABLE_BYTES (64 * 1024)

static const char usual_path[] = "/usr/sbin:/usr/bin:/sbin:/bin";
static const char *const local_dirs[] = {"/usr/local/sbin", "/usr/local/bin"};

/* Newest and oldest LLVM that is looked for by its number. */
#define LLVM_NEWEST 99
#define LLVM_OLDEST 11

/* Where distributions keep one LLVM of several; %u is its number. */
static const char *const llvm_dirs[] = {"/usr/lib/llvm-%u/bin/", "/usr/lib/llvm%u/bin/",
					"/usr/lib64/llvm%u/bin/",
					"/usr/lib/llvm/%u/bin/"};

/* As dkms finds it in root's PATH; but not where others than root may put programs. */
static bool is_roots(const struct ks_system *system, const char *dir)
{
	struct stat st;

	return ks_root_stat(system->root, dir, &st) && S_ISDIR(st.st_mode) &&
	       (st.st_uid == 0 || st.st_uid == geteuid()) && !(st.st_mode & 022);
}

char *ks_kernel_tool_path(const struct ks_system *system, const char *const *environment)
{
	GString *path;

	for (; environment && *environment; environment++)
		if (g_str_has_prefix(*environment, "PATH="))
			return g_strdup(*environment + strlen("PATH="));
	path = g_string_new(NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(local_dirs); i++)
		if (is_roots(system, local_dirs[i]))
			g_string_append_printf(path, "%s:", local_dirs[i]);
	g_string_append(path, usual_path);
	return g_string_free(path, FALSE);
}

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

/* The one in the n-th directory that has it, counting from 0, or NULL. */
static char *find_nth(const struct ks_system *system, const char *path, const char *name,
		      guint n)
{
	g_auto(GStrv) dirs = NULL;

	if (!is_sane_name(name))
		return NULL;
	if (*name == '/')
		return !n && is_program(system, name) ? g_strdup(name) : NULL;
	if (strchr(name, '/'))
		return NULL;
	dirs = g_strsplit(path, ":", -1);
	for (char **dir = dirs; *dir; dir++) {
		g_autofree char *file = g_build_filename(*dir, name, NULL);

		if (**dir == '/' && is_program(system, file) && !n--)
			return g_steal_pointer(&file);
	}
	return NULL;
}

char *ks_kernel_find_program(const struct ks_system *system, const char *path,
			     const char *name)
{
	return find_nth(system, path, name, 0);
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

/* The compiler that Debian's headers demand, or NULL. */
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
};

static void read_facts(const struct ks_system *system, struct ks_kernel *kernel,
		       struct facts *facts)
{
	g_autofree char *text = ks_kernel_config_read(system, kernel);

	if (!text)
		return;
	facts->version_text = ks_kernel_config_search(text, "CONFIG_CC_VERSION_TEXT");
	facts->clang = ks_kernel_config_is_set(text, "CONFIG_CC_IS_CLANG");
	kernel->lld = ks_kernel_config_is_set(text, "CONFIG_LD_IS_LLD");
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

/* For "clang version 19.1.7" and "clang-19 ...": 19; 0 when there is no number. */
static unsigned int read_clang_major(const char *version_text)
{
	const char *p = version_text ? strstr(version_text, "clang") : NULL;

	if (!p)
		return 0;
	p += strlen("clang");
	if (*p == '-')
		p++;
	else if (g_str_has_prefix(p, " version "))
		p += strlen(" version ");
	return g_ascii_isdigit(*p) ? strtoul(p, NULL, 10) : 0;
}

static const char *plain_compiler(const struct ks_kernel *kernel)
{
	return kernel->clang ? "clang" : "gcc";
}

bool ks_toolchain_is_named(const struct ks_toolchain *toolchain)
{
	return toolchain->cc && !toolchain->exact && !toolchain->llvm &&
	       !g_str_equal(toolchain->cc, "gcc");
}

void ks_toolchain_clear(struct ks_toolchain *toolchain)
{
	g_free(toolchain->wanted);
	g_free(toolchain->cc);
	g_free(toolchain->ld);
	g_free(toolchain->strip);
	g_free(toolchain->llvm);
	g_free(toolchain->cross);
	g_free(toolchain->unfit);
	*toolchain = (struct ks_toolchain){NULL};
}

/* ---- LLVM ---- */

struct search {
	const struct ks_system *system;
	const struct ks_kernel *kernel;
	const char *path;
	struct ks_toolchain *toolchain;
	/* the kernel's family of architectures is not that of the system's programs */
	bool is_other_family;
};

static bool is_there(const struct search *search, const char *name)
{
	g_autofree char *found =
		ks_kernel_find_program(search->system, search->path, name);

	return found != NULL;
}

/* All that the kernel needs of one LLVM: "clang-19" and "ld.lld-19", or none of it. */
static bool try_llvm(const struct search *search, const char *prefix, const char *suffix)
{
	struct ks_toolchain *toolchain = search->toolchain;
	g_autofree char *cc = g_strconcat(prefix, "clang", suffix, NULL);
	g_autofree char *ld = g_strconcat(prefix, "ld.lld", suffix, NULL);
	g_autofree char *strip = g_strconcat(prefix, "llvm-strip", suffix, NULL);

	if (!is_there(search, cc) || (search->kernel->lld && !is_there(search, ld)))
		return false;
	toolchain->cc = g_steal_pointer(&cc);
	toolchain->ld = search->kernel->lld ? g_steal_pointer(&ld) : NULL;
	toolchain->strip =
		is_there(search, strip) ? g_steal_pointer(&strip) : g_strdup("strip");
	toolchain->llvm = g_strdup(*prefix ? prefix : *suffix ? suffix : "1");
	return true;
}

static bool try_llvm_of(const struct search *search, unsigned int major)
{
	g_autofree char *suffix = g_strdup_printf("-%u", major);

	if (!major)
		return false;
	if (try_llvm(search, "", suffix))
		return true;
	for (size_t i = 0; i < G_N_ELEMENTS(llvm_dirs); i++) {
		g_auto(GStrv) halves = g_strsplit(llvm_dirs[i], "%u", 2);
		g_autofree char *number = g_strdup_printf("%u", major);
		g_autofree char *prefix = g_strjoinv(number, halves);

		if (try_llvm(search, prefix, ""))
			return true;
	}
	return false;
}

/* The target of plain clang, "/usr/lib/llvm-14/bin/clang", shows its version. */
static bool is_plain_another(const struct search *search, unsigned int major)
{
	g_autofree char *plain =
		ks_kernel_find_program(search->system, search->path, "clang");
	g_autofree char *real =
		plain ? ks_root_realpath(search->system->root, plain) : NULL;
	const char *p = real ? strstr(real, "llvm") : NULL;

	if (!p || !major)
		return false;
	p += strcspn(p, "0123456789/");
	return g_ascii_isdigit(*p) && strtoul(p, NULL, 10) != major;
}

/* The kernel's own version, the plain one, or the newest: whatever is complete. */
static bool find_llvm(const struct search *search)
{
	const unsigned int major = search->kernel->clang_major;

	if (!is_plain_another(search, major) && try_llvm(search, "", ""))
		return true;
	if (try_llvm_of(search, major) || try_llvm(search, "", ""))
		return true;
	for (unsigned int n = LLVM_NEWEST; n >= LLVM_OLDEST; n--)
		if (try_llvm_of(search, n))
			return true;
	return false;
}

/* ---- gcc ---- */

/* It is there and compiles for the kernel. */
static bool try_gcc(const struct search *search, const char *prefix, const char *name)
{
	struct ks_toolchain *toolchain = search->toolchain;
	g_autofree char *full = g_strconcat(prefix, name, NULL);
	g_autofree char *file =
		ks_kernel_find_program(search->system, search->path, full);

	if (!file)
		return false;
	if (!ks_compiler_serves(search->system, file, search->kernel->arch)) {
		if (!toolchain->unfit)
			toolchain->unfit = g_steal_pointer(&file);
		return false;
	}
	if (*prefix || search->is_other_family)
		toolchain->cross = ks_compiler_prefix(full);
	toolchain->cc = g_steal_pointer(&full);
	return true;
}

/* Its own, the plain one, and then those of the same names for another machine. */
static void find_gcc(const struct search *search)
{
	const struct ks_toolchain *toolchain = search->toolchain;
	g_autofree char *prefix =
		toolchain->wanted ? ks_compiler_prefix(toolchain->wanted) : NULL;
	const char *wanted = toolchain->wanted ? toolchain->wanted : "gcc";
	const char *plain = toolchain->exact ? wanted : "gcc";
	g_auto(GStrv) prefixes = NULL;

	if (try_gcc(search, "", wanted) || try_gcc(search, "", plain) ||
	    strchr(wanted, '/') || (prefix && toolchain->exact))
		return;
	if (prefix)
		wanted += strlen(prefix);
	prefixes = ks_compiler_list_prefixes(search->kernel->arch);
	for (char **p = prefixes; *p; p++)
		if (try_gcc(search, *p, wanted) || try_gcc(search, *p, plain))
			return;
}

static void find_clang(const struct search *search)
{
	struct ks_toolchain *toolchain = search->toolchain;

	if (!toolchain->exact && find_llvm(search))
		return;
	if (toolchain->wanted && is_there(search, toolchain->wanted))
		toolchain->cc = g_strdup(toolchain->wanted);
	else if (!toolchain->exact && is_there(search, "clang"))
		toolchain->cc = g_strdup("clang");
	toolchain->llvm = g_strdup("1");
}

/* The kernel's makefiles take both from the machine when nobody says them. */
static void find_machine(struct search *search)
{
	const struct ks_kernel *kernel = search->kernel;
	const struct ks_arch *arch = ks_arch_find(kernel->arch);
	g_autofree char *machine = ks_kernel_machine_arch(search->system);
	g_autofree char *programs = ks_kernel_programs_arch(search->system);

	if (arch && !ks_arch_is_same(kernel->arch, machine))
		search->toolchain->arch = arch->kbuild;
	search->is_other_family = !ks_arch_is_family(kernel->arch, programs);
}

void ks_toolchain_find(const struct ks_system *system, const struct ks_kernel *kernel,
		       const char *path, struct ks_toolchain *toolchain)
{
	struct search search = {system, kernel, path, toolchain, false};
	char *demanded = read_demanded(system, kernel);

	*toolchain = (struct ks_toolchain){
		.wanted = demanded ? demanded : g_strdup(kernel->compiler),
		.exact = demanded != NULL,
	};
	find_machine(&search);
	if (kernel->clang)
		find_clang(&search);
	else
		find_gcc(&search);
	if (!toolchain->strip)
		toolchain->strip = g_strconcat(toolchain->cross ? toolchain->cross : "",
					       "strip", NULL);
	if (kernel->lld && !toolchain->ld && is_there(&search, "ld.lld"))
		toolchain->ld = g_strdup("ld.lld");
}

char **ks_toolchain_variables(const struct ks_toolchain *toolchain)
{
	GPtrArray *variables = g_ptr_array_new();

	if (toolchain->arch)
		g_ptr_array_add(variables, g_strconcat("ARCH=", toolchain->arch, NULL));
	if (toolchain->cross)
		g_ptr_array_add(variables,
				g_strconcat("CROSS_COMPILE=", toolchain->cross, NULL));
	if (toolchain->llvm)
		g_ptr_array_add(variables, g_strconcat("LLVM=", toolchain->llvm, NULL));
	g_ptr_array_add(variables, NULL);
	return (char **)g_ptr_array_free(variables, FALSE);
}

/* ---- what is missing ---- */

/* dpkg's names have no '_'. The half of a family comes with gcc-multilib, too. */
static char *name_cross_package(const struct ks_kernel *kernel)
{
	const struct ks_arch *arch = ks_arch_find(kernel->arch);

	return arch ? g_strdelimit(g_strconcat("gcc-", arch->triplet, NULL), "_", '-')
		    : NULL;
}

static char *describe_unfit(const struct search *search, const char *where)
{
	const struct ks_toolchain *toolchain = search->toolchain;
	const struct ks_arch *makes =
		toolchain->unfit ? ks_compiler_arch(search->system, toolchain->unfit)
				 : NULL;
	g_autofree char *package = name_cross_package(search->kernel);
	const char *arch = search->kernel->arch;

	if (!makes)
		return g_strdup_printf("no compiler for %s in %s; '%s' has one", arch,
				       where, package);
	return g_strdup_printf(
		"no compiler for %s in %s ('%s' compiles for %s); '%s'%s "
		"has one",
		arch, where, toolchain->unfit, makes->names[0], package,
		ks_arch_is_family(makes->names[0], arch) ? " or 'gcc-multilib'" : "");
}

static char *describe_compiler(const struct search *search, const char *where)
{
	const struct ks_toolchain *toolchain = search->toolchain;
	const char *plain = plain_compiler(search->kernel);

	if (toolchain->unfit || (search->is_other_family && !search->kernel->clang))
		return describe_unfit(search, where);
	if (!toolchain->wanted || g_str_equal(toolchain->wanted, plain))
		return g_strdup_printf("no compiler '%s' in %s", plain, where);
	if (toolchain->exact)
		return g_strdup_printf("no compiler '%s' in %s", toolchain->wanted,
				       where);
	return g_strdup_printf("no compiler '%s' or '%s' in %s", toolchain->wanted, plain,
			       where);
}

/*
 * The headers have programs that every build runs: they are for the machine that the
 * package was made for, and need its loader.
 */
static char *describe_header_programs(const struct ks_system *system,
				      const struct ks_kernel *kernel)
{
	g_autofree char *fixdep =
		g_build_filename(kernel->headers_dir, "scripts/basic/fixdep", NULL);
	g_autofree char *loader = ks_elf_interpreter(system, fixdep);
	const struct ks_arch *arch = loader ? ks_elf_arch(system, fixdep) : NULL;

	if (!loader || ks_root_exists(system->root, loader))
		return NULL;
	return g_strdup_printf("the programs of its headers are for %s and need '%s%s' "
			       "('%s' is one)",
			       arch ? arch->names[0] : "another machine",
			       ks_root_prefix(system->root), loader, fixdep);
}

char *ks_toolchain_problem(const struct ks_system *system, const struct ks_kernel *kernel,
			   const char *path, bool names_compiler)
{
	struct ks_toolchain toolchain;
	struct search search = {system, kernel, path, &toolchain, false};
	g_autofree char *make = ks_kernel_find_program(system, path, "make");
	g_autofree char *usual = ks_kernel_tool_path(system, NULL);
	g_autofree char *where =
		g_str_equal(path, usual)
			? g_strdup_printf("'%s/usr/bin'", ks_root_prefix(system->root))
			: g_strdup("the PATH of build_environment");
	char *problem = NULL;

	if (!make)
		return g_strdup_printf("no 'make' in %s", where);
	ks_toolchain_find(system, kernel, path, &toolchain);
	find_machine(&search);
	if (!toolchain.cc && !names_compiler)
		problem = describe_compiler(&search, where);
	else if (kernel->lld && !toolchain.ld)
		problem = g_strdup_printf("no linker 'ld.lld' in %s", where);
	else
		problem = describe_header_programs(system, kernel);
	ks_toolchain_clear(&toolchain);
	return problem;
}

void ks_kernel_probe_toolchain(const struct ks_system *system, struct ks_kernel *kernel)
{
	g_autofree char *path = ks_kernel_tool_path(system, NULL);
	struct facts facts = {NULL, false};

	kernel->lld = false;
	read_facts(system, kernel, &facts);
	kernel->clang = facts.clang;
	kernel->clang_major = facts.clang ? read_clang_major(facts.version_text) : 0;
	kernel->compiler = name_compiler(&facts);
	if (kernel->has_headers)
		kernel->toolchain_problem =
			ks_toolchain_problem(system, kernel, path, false);
	g_free(facts.version_text);
}

/* ---- what a target has of its own ---- */

static const char *const compiler_variables[] = {"CC", "HOSTCC",	"LD",
						 "AS", "CROSS_COMPILE", "LLVM"};

/* The value that a command of MAKE sets by name: the word after "CC=", unquoted. */
static char *value_in_make(const char *make, const char *name)
{
	g_autofree char *pattern = g_strdup_printf(
		"(?:^|[\\s;&|(])%s=(?:\"([^\"]*)\"|'([^']*)'|([^\\s;&|()\"']*))", name);
	g_autoptr(GRegex) regex = g_regex_new(pattern, 0, 0, NULL);
	g_autoptr(GMatchInfo) match = NULL;

	if (!make || !regex || !g_utf8_validate(make, -1, NULL) ||
	    !g_regex_match(regex, make, 0, &match))
		return NULL;
	for (int i = 1; i <= 3; i++) {
		g_autofree char *value = g_match_info_fetch(match, i);

		if (value && *value)
			return g_steal_pointer(&value);
	}
	return NULL;
}

static const char *value_in_environment(const char *const *environment, const char *name)
{
	const size_t length = strlen(name);

	for (; environment && *environment; environment++)
		if (!strncmp(*environment, name, length) && (*environment)[length] == '=')
			return *environment + length + 1;
	return NULL;
}

bool ks_toolchain_is_own(const char *const *environment, const char *make)
{
	if (value_in_environment(environment, "PATH"))
		return true;
	for (size_t i = 0; i < G_N_ELEMENTS(compiler_variables); i++) {
		const char *name = compiler_variables[i];
		g_autofree char *value = value_in_make(make, name);

		if (value || value_in_environment(environment, name))
			return true;
	}
	return false;
}

/* make's command line wins over the environment. */
static char *find_value(const char *const *environment, const char *make,
			const char *name)
{
	char *value = value_in_make(make, name);

	return value ? value : g_strdup(value_in_environment(environment, name));
}

bool ks_toolchain_names_compiler(const struct ks_system *system, const char *path,
				 const char *const *environment, const char *make)
{
	g_autofree char *cross = find_value(environment, make, "CROSS_COMPILE");
	g_autofree char *value = find_value(environment, make, "CC");
	g_auto(GStrv) words = g_strsplit(value ? value : "", " ", -1);
	g_autofree char *name =
		*words ? g_strdup(*words) : g_strconcat(cross ? cross : "", "gcc", NULL);
	g_autofree char *found = ks_kernel_find_program(system, path, name);

	return found && (*words || cross);
}

/* Every one of that name: the first may be a wrapper that calls the next. */
static void add_identities(GString *text, const struct search *search, const char *name)
{
	char *file;

	for (guint n = 0; (file = find_nth(search->system, search->path, name, n)); n++) {
		g_autofree char *identity =
			ks_kernel_program_identity(search->system, file);

		g_string_append_printf(text, "%s %s\n", file, identity ? identity : "-");
		g_free(file);
	}
}

char *ks_toolchain_identity(const struct ks_system *system,
			    const struct ks_kernel *kernel,
			    const char *const *environment, const char *make)
{
	static const char *const names[] = {"gcc", "clang",  "as",   "ld",
					    "nm",  "ld.lld", "make", "pahole"};
	g_autofree char *path = ks_kernel_tool_path(system, environment);
	struct ks_toolchain toolchain;
	const struct search search = {system, kernel, path, NULL, false};
	GString *text = g_string_new(NULL);

	ks_toolchain_find(system, kernel, path, &toolchain);
	if (toolchain.cc)
		add_identities(text, &search, toolchain.cc);
	ks_toolchain_clear(&toolchain);
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
		add_identities(text, &search, names[i]);
	for (size_t i = 0; i < G_N_ELEMENTS(compiler_variables); i++) {
		g_autofree char *value = value_in_make(make, compiler_variables[i]);
		g_auto(GStrv) words = value ? g_strsplit(value, " ", -1) : NULL;

		for (char **word = words; word && *word; word++)
			add_identities(text, &search, *word);
	}
	return g_string_free(text, FALSE);
}
