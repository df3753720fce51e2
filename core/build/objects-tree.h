/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The helper's picture of the build tree that it runs in, and how it reads and answers.
 * The tree is what a build has made of it: everything is bounded.
 */
#pragma once

#include <sys/stat.h>

#include "core/build/objects-command.h"

#define KS_OBJECTS_MAX	    4000
#define KS_OBJECTS_MAX_TEXT (1u << 20)	/* bytes of a ".X.o.cmd" */
#define KS_OBJECTS_MAX_FILE (64u << 20) /* bytes of anything else */

/* What "keep" prints: format, release, names, directories, objects. */
#define KS_OBJECTS_FORMAT "objects 1"
#define KS_OBJECTS_TYPE	  "(sssasa(ssa(ss)ay))"
/* One of them: path, command, the files it was made from and their digests, bytes. */
#define KS_OBJECT_TYPE "(ssa(ss)ay)"
/* What "plant" prints: names, objects: path, digest, files. */
#define KS_OBJECTS_PLANTED_TYPE "(sa(ssa(ss)))"

struct ks_objects_tree {
	struct ks_objects_scope scope;
	char *path;	     /* the working directory */
	GPtrArray *names;    /* char *: what may be included */
	GPtrArray *commands; /* char *: relative paths of ".X.o.cmd" */
	GHashTable *own;     /* options whose value names the release */
};

/* Of the working directory. False when the kernel's configuration cannot be read. */
bool ks_objects_tree_init(struct ks_objects_tree *tree, const char *release,
			  const char *compiler, const char *const *dirs);
/* Of the names of all that is there but for what make leaves. */
char *ks_objects_tree_digest_names(struct ks_objects_tree *tree);
/* True when the command depends on an option whose value names the release. */
bool ks_objects_tree_has_own_option(const struct ks_objects_tree *tree,
				    const struct ks_objects_command *command);

/* "dir/.X.o.cmd" for "dir/X.o". */
char *ks_objects_command_path(const char *object);

/* Of a regular file of bounded size; NULL otherwise. */
char *ks_objects_read_file(const char *path, size_t max_bytes, size_t *size,
			   struct stat *st);
/* Likewise, and UTF-8. */
char *ks_objects_read_text(const char *path, size_t max_bytes, struct stat *st);
char *ks_objects_digest_file(const char *path);
/* Of what a compilation reads; NULL also when that may read more than it tells. */
char *ks_objects_digest_input(const char *path);
/* files is "a(ss)", paths and digests. */
bool ks_objects_are_files_same(GVariant *files);

/* On standard output: an exit status. From standard input: NULL when it is not that. */
int ks_objects_print(GVariant *variant);
GVariant *ks_objects_read(const char *type);
