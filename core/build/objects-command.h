/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What Kbuild noted of an object in .X.o.cmd (scripts/basic/fixdep.c), read as
 * what somebody else may have written: only the one form that a C file's
 * compilation has is taken, with options that are known to read nothing but
 * what the dependencies list. Whatever else there is makes it unusable, which
 * costs a compilation.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "core/support/cleanup.h"

/* The helper's exit status when none of the objects is of use. */
#define KS_OBJECTS_NONE 3

/* Where and with what an object was, or is to be, compiled. */
struct ks_objects_scope {
	const char *release;
	const char *compiler; /* the word in commands: "gcc-12" */
	const char *tree;     /* the build directory, absolute */
	/*
	 * Directories of the kernel's headers, NULL-terminated: the first is where make
	 * runs. Those of two kernels are told in the same order.
	 */
	const char *const *dirs;
};

struct ks_objects_command {
	char *object; /* absolute, as all paths here */
	char *source;
	GPtrArray *files;   /* char *: dependencies outside the kernel's headers */
	GPtrArray *options; /* char *: configuration it depends on, without CONFIG_ */
	GPtrArray *debug;   /* char *: the options that choose debug information */
};

/* NULL: it is not to be used. */
struct ks_objects_command *ks_objects_command_parse(const char *text,
						    const struct ks_objects_scope *scope);
void ks_objects_command_free(struct ks_objects_command *command);
KS_DEFINE_CLEANUP(ks_objects_command, ks_objects_command_free)

/*
 * text with each directory of one kernel put in the place of the other's; NULL when
 * it still mentions the old kernel then.
 */
char *ks_objects_command_map(const char *text, const struct ks_objects_scope *from,
			     const struct ks_objects_scope *to);

/* True when path is dir or below it; *rest (may be NULL) is what follows "dir/". */
bool ks_objects_is_below(const char *path, const char *dir, const char **rest);
