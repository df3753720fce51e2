/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Inside the native parser: what its parts share. Every reading function
 * returns false when it cannot go on, with verdict and why set.
 */
#pragma once

#include "core/shell/native.h"
#include "core/support/contract.h"

/* Bytes moved around for one text: the work, whatever the text makes of itself. */
#define KS_READER_MAX_WORK (64u << 20)

struct ks_reader {
	const char *p; /* ends with NUL, and has none before */
	unsigned int line;
	struct ks_vars *vars;
	size_t work; /* the rest of KS_READER_MAX_WORK */
	unsigned int depth;
	bool discards; /* assignments are read and dropped */
	enum ks_native verdict;
	const char *why; /* static */
};

/* The place of a word decides what else the shell would do with it. */
enum ks_word {
	KS_WORD_ASSIGNED, /* NAME=word: tilde expansion only */
	KS_WORD_EXPORTED, /* export NAME=word: brace expansion, too */
	KS_WORD_LISTED,	  /* NAME=(word ...): all expansions, splitting, globbing */
	KS_WORD_TESTED,	  /* [ word ...: likewise, but a plain value may stand alone */
};

KS_NONNULL(1)
bool ks_reader_refuse(struct ks_reader *reader, enum ks_native verdict, const char *why);
KS_NONNULL(1)
bool ks_reader_spend(struct ks_reader *reader, size_t size_bytes);

bool ks_reader_is_name(char c, bool first);
KS_NONNULL(1)
void ks_reader_skip_blanks(struct ks_reader *reader);
/* Read NAME; a name of unusual length is refused. */
KS_NONNULL(1)
bool ks_reader_name(struct ks_reader *reader, GString *name);
/* Read "N]" after '['. */
KS_NONNULL(1)
bool ks_reader_index(struct ks_reader *reader, guint *index);
/* A variable that the shell itself sets or that changes how it works. */
bool ks_reader_is_shell_variable(const char *name);

/* word.c: append the value of the word that begins here. */
KS_NONNULL(1)
bool ks_reader_word(struct ks_reader *reader, enum ks_word kind, GString *value);

/* word.c: at a quote, up to its end. */
KS_NONNULL(1)
bool ks_reader_quoted(struct ks_reader *reader, GString *value);

/*
 * condition.c: at "[ ... ] &&" and its relatives, read up to the assignment
 * after it; *applies: the assignment is carried out.
 */
KS_NONNULL(1)
bool ks_reader_is_condition(const struct ks_reader *reader);
KS_NONNULL(1)
bool ks_reader_condition(struct ks_reader *reader, bool *applies);

/* expand.c: after '$'. quoted: inside double quotes. */
KS_NONNULL(1)
bool ks_reader_expand(struct ks_reader *reader, bool quoted, GString *value);
/* expand.c: at '`'. */
KS_NONNULL(1)
bool ks_reader_backquote(struct ks_reader *reader, GString *value);
