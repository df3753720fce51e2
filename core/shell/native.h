/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The native reader: the assignments of a dkms.conf, read exactly as bash
 * reads them, or not at all. It has no effect but its result, so a text that it
 * cannot read to the end costs nothing but the time.
 *
 *	text  := { blank | '#'... | [test] assignments [blank '#'...] (newline | ';') }
 *	test  := ('[' ... ']' | '[[' ... ']]') ('&&' | '||'), with -z, -n, =, ==, !=, the
 *		 comparisons of numbers and, in [[ ]], =~
 *	assignments := assignment { blank assignment } | "export" blank NAME=word
 *	assignment := NAME [ '[' decimal ']' ] ('=' | '+=') word
 *		    | NAME ('=' | '+=') '(' { word | '#'... | newline } ')'
 *	word  := literals, \c, '...', "...", $NAME, ${NAME}, ${NAME[n]},
 *		 ${NAME[:]-word}, ${NAME[:]+word}, ${NAME#p} ## % %% with * and ?,
 *		 $(nproc) $(uname -r) $(uname -m) $(arch), also in backquotes
 *
 * What bash does besides with any of it (tilde, brace, pathname expansion,
 * splitting, its own variables) makes the text KS_NATIVE_UNSURE. No recursion
 * deeper than 8, no more than 64 MiB moved around for one text.
 *
 * dkms evaluates a conf twice: it sources the file, prints the variables that
 * it knows as NAME[i]="VALUE" lines, blanks collapsed and a carriage return at
 * the end dropped, and sources those. ks_native_again() is that second time.
 */
#pragma once

#include "core/shell/vars.h"
#include "core/support/contract.h"

enum ks_native {
	KS_NATIVE_READ,
	KS_NATIVE_UNSURE,   /* bash has to read it */
	KS_NATIVE_BROKEN,   /* not one word (second evaluation only), or bash decides */
	KS_NATIVE_TOO_MUCH, /* beyond the limits: bash must not read it either */
};

struct ks_native_report {
	enum ks_native verdict;
	unsigned int line; /* where it stopped; 0 in the second evaluation */
	const char *why;   /* static; NULL when read */
};

/*
 * Source text (NUL-terminated, without other NULs) in a shell that has the
 * variables of before. Returns those after it, or NULL.
 */
struct ks_vars *ks_native_source(const char *text, const struct ks_vars *before,
				 struct ks_native_report *report);

/*
 * The second evaluation of the known variables (NULL at the end) in first, in
 * a shell that has those of before. A value that is no longer one word then
 * (dkms loses the directive: it had quotes around a blank) stays as the first
 * evaluation gave it, blanks collapsed, and its "NAME[i]" is added to kept.
 */
KS_NONNULL(1)
struct ks_vars *ks_native_again(const struct ks_vars *first, const struct ks_vars *before,
				const char *const *known, GPtrArray *kept,
				struct ks_native_report *report);

/* The text that dkms prints between the quotes: see above. Free with g_free. */
char *ks_native_collapse(const char *value);

/* Would the second evaluation of this collapsed value keep it as it is, not being one
 * word? */
bool ks_native_is_kept(const char *collapsed, const struct ks_vars *before);
