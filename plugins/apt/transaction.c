/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See transaction.h. */
#include "plugins/apt/transaction.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "plugins/apt/kernel-name.h"

/* PACKAGE OLD-VERSION ARCH MULTI-ARCH DIRECTION NEW-VERSION ARCH MULTI-ARCH ACTION */
#define FIELDS_BEFORE_ACTION 8

static bool is_off(const char *value)
{
	static const char *const words[] = {"off",     "false",	  "no",
					    "without", "disable", "0"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcasecmp(value, words[i]) == 0)
			return true;
	return false;
}

static bool is_elsewhere(const char *value)
{
	return *value && strcmp(value, "/") != 0;
}

/* Empty and unset are the same to apt. */
static bool is_on(const char *value)
{
	return *value && !is_off(value);
}

static const struct {
	const char *name;
	bool (*forbids)(const char *value);
} settings[] = {
	{"Debug::pkgDPkgPM", is_on},
	{"Kmodsmith::Preflight", is_off},
	{"Dir", is_elsewhere},
	{"RootDir", is_elsewhere},
	{"DPkg::Chroot-Directory", is_elsewhere},
};

static void read_setting(struct ks_transaction *transaction, char *line)
{
	char *value = strchr(line, '=');

	if (!value)
		return;
	*value++ = '\0';
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
		if (strcasecmp(line, settings[i].name) == 0 && settings[i].forbids(value))
			transaction->is_none_of_ours = true;
}

static void add_release(struct ks_transaction *transaction, char *release)
{
	if (release && transaction->n_releases < KS_TRANSACTION_KERNELS)
		transaction->releases[transaction->n_releases++] = release;
	else
		free(release);
}

/* The path is last, and may have blanks. */
static char *find_action(char *line)
{
	char *action = line;

	for (int i = 0; i < FIELDS_BEFORE_ACTION && action; i++) {
		action = strchr(action, ' ');
		if (action)
			*action++ = '\0';
	}
	return action;
}

static void read_package(struct ks_transaction *transaction, char *line)
{
	const char *path = find_action(line);

	/* else it is configured or removed */
	if (!path || *path != '/')
		return;
	add_release(transaction, ks_kernel_name_release(line));
	if (ks_kernel_name_is_headers(line) &&
	    transaction->n_files < KS_TRANSACTION_FILES)
		transaction->files[transaction->n_files++] = strdup(path);
}

bool ks_transaction_read(FILE *file, struct ks_transaction *transaction)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t length;
	bool is_known = false, is_of_packages = false;

	memset(transaction, 0, sizeof(*transaction));
	while ((length = getline(&line, &size, file)) > 0) {
		if (line[length - 1] == '\n')
			line[length - 1] = '\0';
		if (!is_known && strcmp(line, "VERSION 3") != 0)
			break;
		if (!is_known)
			is_known = true;
		else if (!*line)
			is_of_packages = true;
		else if (is_of_packages)
			read_package(transaction, line);
		else
			read_setting(transaction, line);
	}
	free(line);
	return is_known;
}

void ks_transaction_clear(struct ks_transaction *transaction)
{
	for (size_t i = 0; i < transaction->n_releases; i++)
		free(transaction->releases[i]);
	for (size_t i = 0; i < transaction->n_files; i++)
		free(transaction->files[i]);
	memset(transaction, 0, sizeof(*transaction));
}
