/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * recorder-alpm: makes pacman's local database equal to the desired set of records.
 * The commands and the exit codes are those of doc/record-protocol.md.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "core/record/protocol.h"
#include "core/support/error.h"
#include "core/support/input.h"
#include "plugins/alpm/apply.h"
#include "plugins/alpm/contents.h"
#include "plugins/alpm/entry.h"
#include "plugins/alpm/lock.h"
#include "plugins/alpm/owners.h"
#include "plugins/alpm/store.h"

#define MAX_SET_BYTES	  (64 * 1024 * 1024)
#define MAX_PKGBASE_BYTES 256

static bool print(const char *text, GError **error)
{
	if (fputs(text, stdout) >= 0 && fflush(stdout) == 0)
		return true;
	ks_error_set_errno(error, errno, "cannot write the answer");
	return false;
}

/* The entry borrows its texts. */
static struct ks_record_entry *describe(const struct ks_alpm_entry *from)
{
	struct ks_record_entry *entry = g_new0(struct ks_record_entry, 1);

	if (from->said)
		*entry = *from->said;
	entry->package = from->name;
	entry->complete = from->complete;
	entry->ours = from->said != NULL;
	return entry;
}

static bool do_list(const struct ks_alpm *alpm, const char *argument, GError **error)
{
	g_autoptr(GPtrArray) found = NULL;
	g_autoptr(GPtrArray) entries = g_ptr_array_new_with_free_func(g_free);
	g_autofree char *text = NULL;

	if (!ks_alpm_check_version(alpm, error))
		return false;
	found = ks_alpm_entries(alpm, error);
	for (guint i = 0; found && i < found->len; i++)
		g_ptr_array_add(entries, describe(g_ptr_array_index(found, i)));
	text = found ? ks_record_format_list(entries) : NULL;
	return text && print(text, error);
}

static bool do_apply(const struct ks_alpm *alpm, const char *argument, GError **error)
{
	size_t size_bytes = 0;
	g_autofree char *text = ks_input_read(STDIN_FILENO, MAX_SET_BYTES,
					      "the desired set", &size_bytes, error);
	g_autoptr(GPtrArray) records = NULL;

	if (!text)
		return false;
	records = ks_record_parse(text, size_bytes, "standard input", error);
	return records && ks_alpm_apply(alpm, records, error);
}

static bool do_recover(const struct ks_alpm *alpm, const char *argument, GError **error)
{
	return ks_alpm_lock_heal(alpm, error) && ks_alpm_store_sweep(alpm, error);
}

/* Arch names the headers' package after the kernel's, which left its name in the tree. */
static bool do_headers(const struct ks_alpm *alpm, const char *argument, GError **error)
{
	const struct ks_system *system = alpm->system;
	g_autofree char *path =
		g_build_filename(system->install_tree, argument, "pkgbase", NULL);
	g_autofree char *name =
		ks_root_read_file(system->root, path, MAX_PKGBASE_BYTES, NULL, NULL);
	g_autofree char *line = NULL;

	if (!name || strchr(argument, '/') || !*g_strstrip(name) || strpbrk(name, " \n"))
		return true;
	line = g_strconcat(name, "-headers\n", NULL);
	return print(line, error);
}

/* Of a path as the kernel's files are spelled; a record of ours is no answer. */
static bool do_owner(const struct ks_alpm *alpm, const char *argument, GError **error)
{
	g_autoptr(GPtrArray) entries = NULL;
	g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GHashTable) ours = g_hash_table_new(g_str_hash, g_str_equal);
	g_autoptr(GHashTable) owners = NULL;
	g_autofree char *line = NULL;

	entries =
		ks_alpm_check_version(alpm, error) ? ks_alpm_entries(alpm, error) : NULL;
	for (guint i = 0; entries && i < entries->len; i++) {
		const struct ks_alpm_entry *entry = g_ptr_array_index(entries, i);

		if (entry->said)
			g_hash_table_add(ours, entry->name);
	}
	g_ptr_array_add(paths, ks_alpm_contents_path(alpm->system, argument));
	owners = entries ? ks_alpm_owners(alpm, paths, ours, error) : NULL;
	if (!owners)
		return false;
	if (!g_hash_table_size(owners))
		return true;
	line = g_strconcat(g_hash_table_lookup(owners, g_ptr_array_index(paths, 0)), "\n",
			   NULL);
	return print(line, error);
}

static bool do_stamp(const struct ks_alpm *alpm, const char *argument, GError **error)
{
	g_autofree char *line = g_strconcat(alpm->path, KS_ALPM_LOCAL "\n", NULL);

	return print(line, error);
}

static bool do_busy(const struct ks_alpm *alpm, const char *argument, GError **error)
{
	return ks_alpm_lock_check(alpm, error);
}

static const struct command {
	const char *name;
	int n_arguments;
	bool (*run)(const struct ks_alpm *alpm, const char *argument, GError **error);
} commands[] = {
	{"list", 0, do_list},	    {"apply", 0, do_apply}, {"recover", 0, do_recover},
	{"headers", 1, do_headers}, {"stamp", 0, do_stamp}, {"busy", 0, do_busy},
	{"owner", 1, do_owner},
};

static const struct command *find_command(int argc, char **argv)
{
	for (size_t i = 0; argc >= 1 && i < G_N_ELEMENTS(commands); i++)
		if (strcmp(argv[0], commands[i].name) == 0 &&
		    argc == 1 + commands[i].n_arguments)
			return &commands[i];
	return NULL;
}

/* ^C, a closed terminal or a closed pipe must not stop it between two steps. */
static void ignore_signals(void)
{
	static const int signals[] = {SIGINT, SIGHUP, SIGQUIT, SIGPIPE, SIGTERM};

	for (size_t i = 0; i < G_N_ELEMENTS(signals); i++)
		signal(signals[i], SIG_IGN);
}

static bool run(const char *root, const struct command *command, const char *argument,
		GError **error)
{
	ks_auto(ks_system) system = ks_system_new(root, error);
	ks_auto(ks_alpm) alpm = system ? ks_alpm_open(system, error) : NULL;

	return alpm && command->run(alpm, argument, error);
}

int main(int argc, char **argv)
{
	const char *root = "/";
	const struct command *command;
	g_autoptr(GError) error = NULL;

	argc--;
	argv++;
	if (argc >= 2 && strcmp(argv[0], "--root") == 0) {
		root = argv[1];
		argc -= 2;
		argv += 2;
	}
	command = find_command(argc, argv);
	if (!command) {
		fputs("usage: recorder-alpm [--root DIR] list|apply|recover|headers "
		      "RELEASE|stamp|busy|owner PATH\n",
		      stderr);
		return EX_USAGE;
	}
	ignore_signals();
	umask(022);
	if (run(root, command, argc > 1 ? argv[1] : NULL, &error))
		return EXIT_SUCCESS;
	fprintf(stderr, "%s\n", error->message);
	return g_error_matches(error, KS_ERROR, KS_ERROR_PENDING) ||
			       g_error_matches(error, KS_ERROR, KS_ERROR_LOCKED)
		       ? EX_TEMPFAIL
		       : EXIT_FAILURE;
}
