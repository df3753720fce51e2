/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The programs that bash gets, and their arguments. */
#include "core/shell/bash.h"
#include "core/shell/native.h"
#include "core/kernel/uname.h"

/* Arguments: descriptor, how many pairs, pairs of variable and value, then the rest. */
static const char script_pairs[] = "__ks_fd=$1 __ks_pairs=$2\n"
				   "shift 2\n"
				   "while ((__ks_pairs-- > 0)); do\n"
				   "	builtin printf -v \"$1\" %s \"$2\"\n"
				   "	shift 2\n"
				   "done\n";

/*
 * A conf asks for the kernel that it is read for. The names with a slash are only this
 * shell's; a script that it calls gets the others, when it is one of bash.
 */
static const char script_uname[] = "if [[ ${" KS_UNAME_ENV "-} ]]; then\n"
				   "	export " KS_UNAME_ENV "\n"
				   "	uname() (\n%s)\n"
				   "	arch() { uname -m; }\n"
				   "	/bin/uname() { uname \"$@\"; }\n"
				   "	/usr/bin/uname() { uname \"$@\"; }\n"
				   "	export -f uname arch\n"
				   "fi\n";

static const char script_names[] = "__ks_dump() {\n"
				   "	local __ks_name __ks_i\n"
				   "	for __ks_name in";

static const char script_dump[] = "; do\n"
				  "		local -n __ks_ref=$__ks_name\n"
				  "		for __ks_i in \"${!__ks_ref[@]}\"; do\n"
				  "			builtin printf '%s\\0%s\\0%s\\0' "
				  "\"$__ks_name\" \"$__ks_i\" "
				  "\"${__ks_ref[$__ks_i]}\"\n"
				  "		done\n"
				  "		unset -n __ks_ref\n"
				  "	done >&\"$__ks_fd\"\n"
				  "	builtin printf 'end\\0' >&\"$__ks_fd\"\n"
				  "}\n";

/*
 * One more: the file. Like dkms from inside a function, so that "local" and
 * "declare" in a conf do what they do there.
 */
static const char script_source[] = "__ks_file=$1\n"
				    "shift\n"
				    "if [[ ! -r $__ks_file ]]; then\n"
				    "	echo 'its user has no right to' >&2\n"
				    "	exit 77\n"
				    "fi\n"
				    "__ks_main() {\n"
				    "	. \"$__ks_file\"\n"
				    "	set +eu\n"
				    "	__ks_dump\n"
				    "}\n"
				    "__ks_main\n";

/* One more: the file, which is not a conf but of the administrator. */
static const char script_environment[] = "__ks_file=$1\n"
					 "if [[ ! -r $__ks_file ]]; then\n"
					 "	echo 'its user has no right to' >&2\n"
					 "	exit 77\n"
					 "fi\n"
					 "shift\n"
					 ". \"$__ks_file\"\n"
					 "exec env -0 >&\"$__ks_fd\"\n";

/*
 * Triples: NAME[i], whether to evaluate it or to keep it, the collapsed value.
 * One that cannot be evaluated (a syntax error) is kept as well.
 */
static const char script_again[] =
	"while (($#)); do\n"
	"	if [[ $2 == eval ]]; then\n"
	"		unset -v \"$1\"\n"
	"		builtin eval \"$1=\\\"$3\\\"\"\n"
	"		[[ -v $1 ]] || builtin printf 'kept\\0%s\\0\\0' \"$1\" "
	">&\"$__ks_fd\"\n"
	"	fi\n"
	"	[[ $2 == eval && -v $1 ]] || builtin printf -v \"$1\" %s \"$3\"\n"
	"	shift 3\n"
	"done\n"
	"__ks_dump\n";

/* Known ones are arrays, as they are after dkms has read them back. */
static char *target_of(const char *name, guint index, const char *const *known)
{
	return g_strv_contains(known, name) || index
		       ? g_strdup_printf("%s[%u]", name, index)
		       : g_strdup(name);
}

static guint add_pairs(GPtrArray *argv, const struct ks_vars *vars,
		       const char *const *known)
{
	g_autoptr(GPtrArray) names = ks_vars_names(vars);
	guint n_pairs = 0;

	for (guint i = 0; i < names->len; i++) {
		guint n_elements;
		const struct ks_vars_element *elements =
			ks_vars_elements(vars, names->pdata[i], &n_elements);

		for (guint j = 0; j < n_elements; j++) {
			g_ptr_array_add(argv, target_of(names->pdata[i],
							elements[j].index, known));
			g_ptr_array_add(argv, g_strdup(elements[j].value));
			n_pairs++;
		}
	}
	return n_pairs;
}

static GPtrArray *argv_new(const char *tail, const struct ks_vars *before,
			   const char *const *known, int fd)
{
	g_autofree char *names = g_strjoinv(" ", (char **)known);
	g_autofree char *functions = g_strdup_printf(script_uname, ks_uname_script);
	GPtrArray *argv = g_ptr_array_new();
	guint at;

	g_ptr_array_add(argv, g_strdup("bash"));
	g_ptr_array_add(argv, g_strdup("--norc"));
	g_ptr_array_add(argv, g_strdup("--noprofile"));
	g_ptr_array_add(argv, g_strdup("-c"));
	g_ptr_array_add(argv, g_strconcat(script_pairs, functions, script_names, " ",
					  names, script_dump, tail, NULL));
	g_ptr_array_add(argv, g_strdup("dkms"));
	g_ptr_array_add(argv, g_strdup_printf("%d", fd));
	at = argv->len;
	g_ptr_array_add(argv, NULL);
	argv->pdata[at] = g_strdup_printf("%u", add_pairs(argv, before, known));
	return argv;
}

char **ks_bash_source_argv(const char *file, const struct ks_vars *before,
			   const char *const *known, int fd)
{
	GPtrArray *argv = argv_new(script_source, before, known, fd);

	g_ptr_array_add(argv, g_strdup(file));
	g_ptr_array_add(argv, NULL);
	return (char **)g_ptr_array_free(argv, FALSE);
}

char **ks_bash_again_argv(const struct ks_vars *first, const struct ks_vars *before,
			  const char *const *known, int fd)
{
	GPtrArray *argv = argv_new(script_again, before, known, fd);

	for (size_t i = 0; known[i]; i++) {
		guint n_elements;
		const struct ks_vars_element *elements =
			ks_vars_elements(first, known[i], &n_elements);

		for (guint j = 0; j < n_elements; j++) {
			char *collapsed = ks_native_collapse(elements[j].value);
			bool keep = ks_native_is_kept(collapsed, before);

			g_ptr_array_add(argv,
					target_of(known[i], elements[j].index, known));
			g_ptr_array_add(argv, g_strdup(keep ? "keep" : "eval"));
			g_ptr_array_add(argv, collapsed);
		}
	}
	g_ptr_array_add(argv, NULL);
	return (char **)g_ptr_array_free(argv, FALSE);
}

char **ks_bash_environment_argv(const char *file, const struct ks_vars *before, int fd)
{
	static const char *const none[] = {NULL};
	GPtrArray *argv = argv_new(script_environment, before, none, fd);

	g_ptr_array_add(argv, g_strdup(file));
	g_ptr_array_add(argv, NULL);
	return (char **)g_ptr_array_free(argv, FALSE);
}
