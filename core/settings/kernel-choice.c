/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/settings/kernel-choice.h"

#include <fnmatch.h>
#include <string.h>

/* A release has a number in it: what has neither that nor a '*' is a word with a typo. */
static bool is_pattern(const char *word)
{
	return strpbrk(word, "*?[0123456789") && !strchr(word, '/') && !strchr(word, '!');
}

static bool add_word(struct ks_kernel_choice *choice, GPtrArray *patterns,
		     GPtrArray *refused, const char *word)
{
	if (!strcmp(word, "all"))
		return choice->all = true;
	if (!strcmp(word, "newest"))
		return choice->newest = true;
	if (!strcmp(word, "running"))
		return choice->running = true;
	if (!strcmp(word, "default"))
		return choice->is_default = true;
	if (*word == '!' ? !is_pattern(word + 1) : !is_pattern(word))
		return false;
	g_ptr_array_add(*word == '!' ? refused : patterns,
			g_strdup(*word == '!' ? word + 1 : word));
	return true;
}

static char **take_words(GPtrArray *words)
{
	char **list = NULL;

	if (words->len) {
		g_ptr_array_add(words, NULL);
		list = g_strdupv((char **)words->pdata);
	}
	g_ptr_array_unref(words);
	return list;
}

static bool read_words(struct ks_kernel_choice *choice, const char *value)
{
	g_auto(GStrv) words = g_strsplit_set(value, ", \t", -1);
	GPtrArray *patterns = g_ptr_array_new_with_free_func(g_free);
	GPtrArray *refused = g_ptr_array_new_with_free_func(g_free);
	bool ok = true, is_list;

	for (char **word = words; *word && ok; word++)
		ok = !**word || add_word(choice, patterns, refused, *word);
	is_list =
		choice->newest || choice->running || choice->is_default || patterns->len;
	ok = ok && (choice->all || is_list || refused->len) && !(choice->all && is_list);
	choice->all = !is_list;
	choice->patterns = take_words(patterns);
	choice->refused = take_words(refused);
	return ok;
}

bool ks_kernel_choice_parse(struct ks_kernel_choice *choice, const char *value)
{
	struct ks_kernel_choice read = {.is_set = true};

	if (!read_words(&read, value)) {
		ks_kernel_choice_clear(&read);
		return false;
	}
	ks_kernel_choice_clear(choice);
	*choice = read;
	return true;
}

void ks_kernel_choice_clear(struct ks_kernel_choice *choice)
{
	g_strfreev(choice->patterns);
	g_strfreev(choice->refused);
	*choice = (struct ks_kernel_choice){0};
}

static bool matches(char **patterns, const char *release)
{
	for (; patterns && *patterns; patterns++)
		if (fnmatch(*patterns, release, 0) == 0)
			return true;
	return false;
}

/* A kernel that comes as the newest is the one that boots then. */
static bool will_be_default(const struct ks_kernel *kernel)
{
	return kernel->is_default || (kernel->incoming && kernel->newest);
}

bool ks_kernel_choice_has(const struct ks_kernel_choice *choice,
			  const struct ks_kernel *kernel)
{
	if (!choice->is_set)
		return true;
	if (matches(choice->refused, kernel->release))
		return false;
	return choice->all || (choice->newest && kernel->newest) ||
	       (choice->running && kernel->running) ||
	       (choice->is_default && will_be_default(kernel)) ||
	       matches(choice->patterns, kernel->release);
}
