/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two orders of version strings: ours, and dkms's. */
#include "core/support/version.h"

#include <glib.h>
#include <string.h>

/* dkms pads shorter runs to this */
#define DKMS_DIGITS 3

static size_t digits_at(const char *s)
{
	return strspn(s, "0123456789");
}

/* Compare the digit runs at *a and *b by value, and step over them. */
static int compare_numbers(const char **a, const char **b)
{
	size_t n_a, n_b;
	int order;

	*a += strspn(*a, "0");
	*b += strspn(*b, "0");
	n_a = digits_at(*a);
	n_b = digits_at(*b);
	if (n_a != n_b)
		return n_a < n_b ? -1 : 1;
	order = strncmp(*a, *b, n_a);
	*a += n_a;
	*b += n_b;
	return order;
}

/* '~' before the end, the end before everything else. */
static int weight(char c)
{
	if (c == '~')
		return -1;
	return (unsigned char)c;
}

int ks_version_compare(const char *a, const char *b)
{
	int order;

	while (*a || *b) {
		if (g_ascii_isdigit(*a) && g_ascii_isdigit(*b)) {
			order = compare_numbers(&a, &b);
			if (order)
				return order < 0 ? -1 : 1;
			continue;
		}
		if (*a != *b)
			return weight(*a) < weight(*b) ? -1 : 1;
		a++;
		b++;
	}
	return 0;
}

static char *pad_numbers(const char *s)
{
	GString *padded = g_string_new(NULL);

	while (*s) {
		size_t n = digits_at(s);

		for (size_t i = n; n && i < DKMS_DIGITS; i++)
			g_string_append_c(padded, '0');
		if (!n)
			n = 1;
		g_string_append_len(padded, s, n);
		s += n;
	}
	return g_string_free(padded, FALSE);
}

int ks_version_compare_dkms(const char *a, const char *b)
{
	g_autofree char *padded_a = pad_numbers(a);
	g_autofree char *padded_b = pad_numbers(b);
	int order = strcmp(padded_a, padded_b);

	return order < 0 ? -1 : order > 0;
}
