/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/support/suggest.h"

#include <glib.h>
#include <stdbool.h>
#include <string.h>

/* Longer names are nobody's typing error, and cost the square of their length. */
#define MAX_LENGTH 64

static bool is_same(char a, char b)
{
	return a == b || ((a == '-' || a == '_') && (b == '-' || b == '_'));
}

/* Damerau and Levenshtein's distance, without more than one change of one place. */
static unsigned int distance(const char *a, const char *b)
{
	const size_t la = strlen(a), lb = strlen(b);
	unsigned int d[MAX_LENGTH + 1][MAX_LENGTH + 1];

	for (size_t i = 0; i <= la; i++)
		d[i][0] = (unsigned int)i;
	for (size_t j = 0; j <= lb; j++)
		d[0][j] = (unsigned int)j;
	for (size_t i = 1; i <= la; i++) {
		for (size_t j = 1; j <= lb; j++) {
			unsigned int best = MIN(d[i - 1][j], d[i][j - 1]) + 1;

			best = MIN(best, d[i - 1][j - 1] + !is_same(a[i - 1], b[j - 1]));
			if (i > 1 && j > 1 && is_same(a[i - 1], b[j - 2]) &&
			    is_same(a[i - 2], b[j - 1]))
				best = MIN(best, d[i - 2][j - 2] + 1);
			d[i][j] = best;
		}
	}
	return d[la][lb];
}

const char *ks_suggest(const char *typed, const char *const *names, size_t n)
{
	const char *nearest = NULL;
	unsigned int least = 0;

	if (strlen(typed) > MAX_LENGTH)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		unsigned int steps;

		if (!names[i] || strlen(names[i]) > MAX_LENGTH)
			continue;
		steps = distance(typed, names[i]);
		if (steps > MAX(strlen(typed) / 3, 1) || (nearest && steps >= least))
			continue;
		nearest = names[i];
		least = steps;
	}
	return nearest;
}
