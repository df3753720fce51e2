/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The texts of the wrapper, and putting them in place. */
#include "core/jobs/wrapper.h"

#include <string.h>

#include "core/kernel/toolchain.h"
#include "core/kernel/uname.h"
#include "core/support/durable.h"

#define MAX_BYTES 65536

/*
 * GNU make's options (make 4.3, main.c): N may be the next word; j may stand
 * behind other letters, as long as none of those takes an argument. Where the pool
 * is out of reach (a pipe, and a make that was called without $(MAKE) or '+' in its
 * recipe) -jN stays: without it that make would be alone with one job.
 * Where it is in reach, and somebody has cleared MAKEFLAGS or begun a pool of his own,
 * it is put back; only a make that asks for more than one job gets it.
 *
 * In reach is a pipe whose two ends are there and are of one pipe: a script may have
 * redirected or closed either, and a make that reads its jobs from a log dies. Then the
 * pool is taken out of MAKEFLAGS, and make goes on with one job. So does a make that
 * build_environment has put before the tree's, and that does not know a FIFO.
 */
static const char script[] =
	"#!/bin/sh\n"
	"# Written by kmodsmith; changes are lost.\n"
	"name=${0##*/} real=/usr/bin/${0##*/}\n"
	"set -f\n"
	"IFS=:\n"
	"for dir in $PATH; do\n"
	"\t[ \"$dir\" -ef \"${0%/*}\" ] || [ ! -f \"$dir/$name\" ] ||\n"
	"\t\t[ ! -x \"$dir/$name\" ] || { real=$dir/$name && break; }\n"
	"done\n"
	"unset IFS\n"
	"set +f\n"
	"pool=$KMODSMITH_JOBS\n"
	"case $real:$pool in\n"
	"/usr/bin/*) ;;\n"
	"*:fifo:*)\n"
	"\tcase $(\"$real\" --version) in\n"
	"\t'GNU Make 3.'* | 'GNU Make 4.'[0-3]*) pool= ;;\n"
	"\tesac\n"
	"\t;;\n"
	"esac\n"
	"fds=/proc/self/fd\n"
	"case $pool in\n"
	"fifo:*) [ -p \"${pool#fifo:}\" ] && [ -w \"${pool#fifo:}\" ] || pool= ;;\n"
	"*,*)\n"
	"\t[ ! -d $fds ] || { [ -p \"$fds/${pool%,*}\" ] &&\n"
	"\t\t[ \"$fds/${pool%,*}\" -ef \"$fds/${pool#*,}\" ]; } || pool=\n"
	"\t;;\n"
	"*) pool= ;;\n"
	"esac\n"
	"if [ -z \"$pool\" ]; then\n"
	"\tcase \"$MAKEFLAGS \" in\n"
	"\t*\" --jobserver-auth=$KMODSMITH_JOBS \"*)\n"
	"\t\tbefore=${MAKEFLAGS%% --jobserver-auth=*}\n"
	"\t\trest=${MAKEFLAGS#*\" --jobserver-auth=$KMODSMITH_JOBS\"}\n"
	"\t\tjobs=${before##* -j}\n"
	"\t\tcase $jobs in\n"
	"\t\t\"$before\") jobs= ;;\n"
	"\t\t*' '*) before=\"${before%\" -j$jobs\"} ${jobs#* }\" ;;\n"
	"\t\t*) before=${before%\" -j$jobs\"} ;;\n"
	"\t\tesac\n"
	"\t\texport MAKEFLAGS=\"$before$rest\"\n"
	"\t\t;;\n"
	"\tesac\n"
	"\tunset KMODSMITH_JOBS\n"
	"\texec \"$real\" \"$@\"\n"
	"fi\n"
	"left=$# drop_number= dropped=\n"
	"while [ \"$left\" -gt 0 ]; do\n"
	"\targ=$1\n"
	"\tshift\n"
	"\tleft=$((left - 1))\n"
	"\tif [ -n \"$drop_number\" ]; then\n"
	"\t\tdrop_number=\n"
	"\t\tcase $arg in\n"
	"\t\t'' | *[!0-9]*) ;;\n"
	"\t\t*) continue ;;\n"
	"\t\tesac\n"
	"\tfi\n"
	"\tcase $arg in\n"
	"\t--)\n"
	"\t\tset -- \"$@\" \"$arg\"\n"
	"\t\twhile [ \"$left\" -gt 0 ]; do\n"
	"\t\t\targ=$1\n"
	"\t\t\tshift\n"
	"\t\t\tset -- \"$@\" \"$arg\"\n"
	"\t\t\tleft=$((left - 1))\n"
	"\t\tdone\n"
	"\t\tbreak\n"
	"\t\t;;\n"
	"\t--jobs) drop_number=1 dropped=1 && continue ;;\n"
	"\t--jobs=*) dropped=1 && continue ;;\n"
	"\t--*) ;;\n"
	"\t-*j*)\n"
	"\t\tletters=${arg%%j*} number=${arg#*j}\n"
	"\t\tcase ${letters#-}$number in\n"
	"\t\t*[!bBdeikLmnpqrRsStvw0-9]*) ;;\n"
	"\t\t*)\n"
	"\t\t\tcase $number in\n"
	"\t\t\t*[!0-9]*) ;;\n"
	"\t\t\t*)\n"
	"\t\t\t\tdropped=1\n"
	"\t\t\t\t[ -n \"$number\" ] || drop_number=1\n"
	"\t\t\t\t[ \"$letters\" != - ] || continue\n"
	"\t\t\t\targ=$letters\n"
	"\t\t\t\t;;\n"
	"\t\t\tesac\n"
	"\t\t\t;;\n"
	"\t\tesac\n"
	"\t\t;;\n"
	"\tesac\n"
	"\tset -- \"$@\" \"$arg\"\n"
	"done\n"
	"case \" $MAKEFLAGS \" in\n"
	"*\" --jobserver-auth=$pool \"*) ;;\n"
	"*' --jobserver-auth='*)\n"
	"\trest=${MAKEFLAGS#*--jobserver-auth=}\n"
	"\tcase $rest in\n"
	"\t*' '*) rest=\" ${rest#* }\" ;;\n"
	"\t*) rest= ;;\n"
	"\tesac\n"
	"\texport MAKEFLAGS=\"${MAKEFLAGS%%--jobserver-auth=*}"
	"--jobserver-auth=$pool$rest\"\n"
	"\t;;\n"
	"*' -j'* | *' --jobs'*) dropped=2 ;;\n"
	"*) [ -z \"$dropped\" ] || dropped=2 ;;\n"
	"esac\n"
	"if [ \"$dropped\" = 2 ]; then\n"
	"\tcase ${MAKEFLAGS%% *} in\n"
	"\t'' | -* | *=*) ;;\n"
	"\t*) MAKEFLAGS=-$MAKEFLAGS ;;\n"
	"\tesac\n"
	"\texport MAKEFLAGS=\" --jobserver-auth=$pool $MAKEFLAGS\"\n"
	"fi\n"
	"exec \"$real\" \"$@\"\n";

/*
 * A kernel's Makefile says CC = gcc, whatever is in the environment; its configuration
 * may name another one that has compiled it.
 *
 * make calls itself by the path that the wrapper executed. It adds what it
 * reads to MAKEFILE_LIST, in whose first word makefiles look for themselves.
 *
 * A -jN that a makefile adds to MAKEFLAGS makes a make leave the pool (main.c: "forced
 * in makefile: resetting jobserver mode"). When all makefiles are read, make expands
 * GNUMAKEFLAGS and then MAKEFLAGS, for what they have set (4.0 and later): there is
 * the moment to take -jN out again. Up to 4.3 the value is what the makefiles wrote;
 * since 4.4 it is make's own form, with -jN of the pool in it, and ends in
 * "-- $(MAKEOVERRIDES)", which stands for variables of the command line and comes
 * back by itself. An overridden MAKEFLAGS is handed down as it is, so it gets the
 * pool, too.
 */
static const char fragment[] =
	"# Written by kmodsmith; changes are lost.\n"
	"ifneq ($(filter /usr/bin/%make,$(MAKE_COMMAND)),)\n"
	"MAKE_COMMAND := $(notdir $(MAKE_COMMAND))\n"
	"endif\n"
	"ifneq ($(KMODSMITH_CC),)\n"
	"ifneq ($(origin CC),command line)\n"
	"override CC := $(KMODSMITH_CC)\n"
	"endif\n"
	"endif\n"
	"kmodsmith-served := $(filter -j%,$(MAKEFLAGS))\n"
	"kmodsmith-flags = $(if $(findstring $$(MAKEOVERRIDES),$(value "
	"MAKEFLAGS)),$(subst -- $$(MAKEOVERRIDES),,$(value MAKEFLAGS)),"
	"$(MAKEFLAGS))\n"
	"kmodsmith-jobs = $(filter -j% --jobs --jobs=%,$(1)) $(if "
	"$(findstring =,$(firstword $(1))),,$(filter j%,$(firstword "
	"$(1))))\n"
	"kmodsmith-numbers := 0% 1% 2% 3% 4% 5% 6% 7% 8% 9%\n"
	"kmodsmith-rest = $(filter-out $(call kmodsmith-jobs,$(1)) "
	"$(if $(filter -j --jobs,$(1)),$(kmodsmith-numbers)),$(1))\n"
	"kmodsmith-auth = $(if $(KMODSMITH_JOBS),"
	"--jobserver-auth=$(KMODSMITH_JOBS))\n"
	"kmodsmith-stay = $(eval $(if $(filter override command,"
	"$(origin MAKEFLAGS)),override MAKEFLAGS := $$(call "
	"kmodsmith-rest,$$(1)) $$(kmodsmith-auth),$(if $(findstring $$,"
	"$(1)),MAKEFLAGS = $(call kmodsmith-rest,$(1)),MAKEFLAGS := "
	"$$(call kmodsmith-rest,$$(1)))))\n"
	"override GNUMAKEFLAGS = $(if $(filter-out $(kmodsmith-served),"
	"$(call kmodsmith-jobs,$(kmodsmith-flags))),$(call "
	"kmodsmith-stay,$(kmodsmith-flags)))\n"
	"MAKEFILE_LIST :=\n";

/* The environment says what to print; where that was cleared, the program does. */
static const char uname_head[] = "#!/bin/sh\n"
				 "# Written by kmodsmith; changes are lost.\n"
				 "name=${0##*/}\n"
				 "[ -n \"${" KS_UNAME_ENV "-}\" ] || {\n"
				 "\t[ ! -x /usr/bin/$name ] || exec /usr/bin/$name "
				 "\"$@\"\n"
				 "\texec /bin/$name \"$@\"\n"
				 "}\n"
				 "[ \"$name\" != arch ] || set -- -m\n";

static char *wrapper_dir(const struct ks_system *system)
{
	return g_build_filename(system->state_dir, "make", NULL);
}

char *ks_wrapper_path(const struct ks_system *system, const char *const *environment)
{
	g_autofree char *path = ks_kernel_tool_path(system, environment);

	return g_strdup_printf("%s/make:%s", system->state_dir, path);
}

char *ks_wrapper_fragment(const struct ks_system *system)
{
	return g_build_filename(system->state_dir, "make", "base.mk", NULL);
}

static bool place(const struct ks_system *system, const char *name, const char *text,
		  mode_t mode, GError **error)
{
	g_autofree char *dir = wrapper_dir(system);
	g_autofree char *path = g_build_filename(dir, name, NULL);
	g_autofree char *there =
		ks_root_read_file(system->root, path, MAX_BYTES, NULL, NULL);
	struct stat st;

	if (g_strcmp0(there, text) == 0 && ks_root_lstat(system->root, path, &st) &&
	    S_ISREG(st.st_mode) && (st.st_mode & 07777) == mode && st.st_uid == geteuid())
		return true;
	return ks_durable_write(system->root, path, text, strlen(text), mode, error);
}

bool ks_wrapper_place(const struct ks_system *system, GError **error)
{
	g_autofree char *dir = wrapper_dir(system);
	g_autofree char *uname = g_strconcat(uname_head, ks_uname_script, NULL);

	return ks_root_mkdir_p(system->root, system->state_dir, 0755, error) &&
	       ks_root_mkdir_p(system->root, dir, 0755, error) &&
	       place(system, "make", script, 0755, error) &&
	       place(system, "gmake", script, 0755, error) &&
	       place(system, "uname", uname, 0755, error) &&
	       place(system, "arch", uname, 0755, error) &&
	       place(system, "base.mk", fragment, 0644, error);
}
