/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The output of uname(1) for a kernel that does not run. */
#include "core/kernel/uname.h"

#include <string.h>
#include <sys/utsname.h>

#include "core/kernel/kernel-private.h"

/* The generated headers have a dozen lines; uname(2) has 64 bytes for a text. */
#define HEAD_BYTES 4096
#define MAX_TEXT   64

/*
 * GNU's options, its long ones also abbreviated. The processor and the platform, which
 * Debian does not know, are what the machine is; -a leaves them out as it does there.
 */
const char ks_uname_script[] =
	"ks_machine=${KMODSMITH_UNAME%% *} ks_rest=${KMODSMITH_UNAME#* }\n"
	"ks_release=${ks_rest%% *} ks_version=${ks_rest#* }\n"
	"ks_wanted= ks_line= ks_long= ks_letters= ks_word= ks_node=\n"
	"for ks_word in \"$@\"; do\n"
	"\tks_letters=\n"
	"\tcase $ks_word in\n"
	"\t--?*)\n"
	"\t\tfor ks_long in all=a kernel-name=s sysname=s nodename=n kernel-release=r "
	"release=r kernel-version=v machine=m processor=p hardware-platform=i "
	"operating-system=o; do\n"
	"\t\t\tcase --${ks_long%=*} in\n"
	"\t\t\t\"$ks_word\"*) ks_letters=${ks_long#*=} && break ;;\n"
	"\t\t\tesac\n"
	"\t\tdone\n"
	"\t\t;;\n"
	"\t--) continue ;;\n"
	"\t-?*) ks_letters=${ks_word#-} ;;\n"
	"\tesac\n"
	"\tcase $ks_letters in\n"
	"\t'' | *[!asnrvmpio]*)\n"
	"\t\tprintf \"uname: '%s' is of no meaning\\n\" \"$ks_word\" >&2\n"
	"\t\texit 1\n"
	"\t\t;;\n"
	"\t*a*) ks_letters=${ks_letters}snrvmo ;;\n"
	"\tesac\n"
	"\tks_wanted=$ks_wanted$ks_letters\n"
	"done\n"
	"for ks_long in s n r v m p i o; do\n"
	"\tcase ${ks_wanted:-s} in\n"
	"\t*$ks_long*) ;;\n"
	"\t*) continue ;;\n"
	"\tesac\n"
	"\tcase $ks_long in\n"
	"\ts) ks_word=Linux ;;\n"
	"\tn)\n"
	"\t\tread -r ks_node 2>/dev/null </proc/sys/kernel/hostname || :\n"
	"\t\tks_word=${ks_node:-localhost}\n"
	"\t\t;;\n"
	"\tr) ks_word=$ks_release ;;\n"
	"\tv) ks_word=$ks_version ;;\n"
	"\to) ks_word=GNU/Linux ;;\n"
	"\t*) ks_word=$ks_machine ;;\n"
	"\tesac\n"
	"\tks_line=\"$ks_line${ks_line:+ }$ks_word\"\n"
	"done\n"
	"printf '%s\\n' \"$ks_line\"\n";

char *ks_kernel_read_define(const struct ks_system *system,
			    const struct ks_kernel *kernel, const char *header,
			    const char *name)
{
	g_autofree char *path =
		g_build_filename(kernel->headers_dir, "include/generated", header, NULL);
	g_autofree char *text = ks_root_read_head(system->root, path, HEAD_BYTES);
	g_autofree char *head = g_strdup_printf("#define %s", name);
	const char *p = text ? strstr(text, head) : NULL;
	const char *end;

	if (!p)
		return NULL;
	p += strlen(head);
	p += strspn(p, " \t");
	end = *p == '"' ? strpbrk(p + 1, "\"\n") : NULL;
	return end && *end == '"' ? g_strndup(p + 1, (size_t)(end - p - 1)) : NULL;
}

/* Whatever is in those headers, it is one line. */
static char *make_line(char *text)
{
	for (char *p = text; p && *p; p++)
		if (g_ascii_iscntrl(*p))
			*p = ' ';
	return text;
}

static char *read_version(const struct ks_system *system, const struct ks_kernel *kernel)
{
	g_autofree char *version =
		ks_kernel_read_define(system, kernel, "utsversion.h", "UTS_VERSION");
	struct utsname names;

	if (!version)
		version =
			ks_kernel_read_define(system, kernel, "compile.h", "UTS_VERSION");
	if (!version && kernel->running && uname(&names) == 0)
		version = g_strdup(names.version);
	if (!version || !*version)
		return g_strdup("#1 SMP");
	return make_line(g_strndup(version, MAX_TEXT));
}

const char *ks_kernel_uname(const struct ks_system *system, struct ks_kernel *kernel)
{
	g_autofree char *version = kernel->uname ? NULL : read_version(system, kernel);

	if (!kernel->uname)
		kernel->uname = g_strdup_printf("%s %s %s", kernel->arch, kernel->release,
						version);
	return kernel->uname;
}

static char *name_compiler(const struct ks_system *system, struct ks_kernel *kernel)
{
	char *compiler =
		ks_kernel_read_define(system, kernel, "compile.h", "LINUX_COMPILER");

	if (!compiler)
		compiler = g_strdup(
			ks_kernel_config_get(system, kernel, "CONFIG_CC_VERSION_TEXT"));
	return make_line(compiler ? compiler : g_strdup("gcc"));
}

static char *name_builder(const struct ks_system *system, const struct ks_kernel *kernel)
{
	g_autofree char *by =
		ks_kernel_read_define(system, kernel, "compile.h", "LINUX_COMPILE_BY");
	g_autofree char *host =
		ks_kernel_read_define(system, kernel, "compile.h", "LINUX_COMPILE_HOST");

	return make_line(
		g_strdup_printf("%s@%s", by ? by : "nobody", host ? host : "localhost"));
}

char *ks_kernel_proc_version(const struct ks_system *system, struct ks_kernel *kernel)
{
	g_autofree char *builder = name_builder(system, kernel);
	g_autofree char *compiler = name_compiler(system, kernel);

	return g_strdup_printf("Linux version %s (%s) (%s) %s\n", kernel->release,
			       builder, compiler,
			       ks_kernel_uname_version(system, kernel));
}

const char *ks_kernel_uname_version(const struct ks_system *system,
				    struct ks_kernel *kernel)
{
	/* the machine and the release have no blanks */
	return strchr(strchr(ks_kernel_uname(system, kernel), ' ') + 1, ' ') + 1;
}
