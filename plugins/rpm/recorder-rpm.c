/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * recorder-rpm: makes rpm's database equal to the desired set of records, outside
 * of a transaction of rpm's. The commands and the exit codes are those of
 * doc/record-protocol.md; the work is the plugin's.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include <rpm/rpmlib.h>
#include <rpm/rpmlog.h>
#include <rpm/rpmmacro.h>

#include "plugins/recorder/enter.h"
#include "plugins/rpm/rpm-database.h"
#include "plugins/rpm/rpm-headers.h"
#include "plugins/rpm/reconcile.h"

#define MAX_SET_BYTES (64 * 1024 * 1024)

static int fail(const char *text)
{
	fprintf(stderr, "%s\n", text);
	return EXIT_FAILURE;
}

static int finish_output(void)
{
	return fflush(stdout) == 0 && !ferror(stdout) ? EXIT_SUCCESS
						      : fail("cannot write the answer");
}

/* --- list */

static void print_entry(const struct ks_db_entry *entry)
{
	ks_text_print_line(stdout, "record", entry->package);
	ks_text_print_line(stdout, "module", entry->module);
	ks_text_print_line(stdout, "version", entry->version);
	ks_text_print_line(stdout, "kernel", entry->release);
	ks_text_print_line(stdout, "digest", entry->digest);
	puts("complete=yes");
	printf("ours=%s\n\n", entry->ours ? "yes" : "no");
}

static int do_list(rpmts ts, const char *argument)
{
	struct ks_db_list list;
	struct ks_why why;
	bool ok = ks_db_load(ts, &list, &why);

	if (ok) {
		printf("protocol=1\nrecords=%zu\n\n", list.n_entries);
		for (size_t i = 0; i < list.n_entries; i++)
			print_entry(&list.entries[i]);
	}
	ks_db_clear(&list);
	return ok ? finish_output() : fail(why.text);
}

/* --- busy */

/*
 * The plugin names the process whose transaction is at its end: what looks gone is
 * gone, and its lock keeps others out.
 */
static long caller(void)
{
	const char *pid = getenv("KMODSMITH_RPM_PID");

	return pid ? strtol(pid, NULL, 10) : 0;
}

static int check_lock(rpmts ts, long excepted)
{
	long pid = 0;

	if (!ks_db_is_locked(ts, excepted, &pid))
		return EXIT_SUCCESS;
	fprintf(stderr, "rpm's lock is held by process %ld\n", pid);
	return EX_TEMPFAIL;
}

static int do_busy(rpmts ts, const char *argument)
{
	return check_lock(ts, caller());
}

/* --- apply */

static char *read_set(size_t *size_bytes)
{
	char *text = NULL;
	size_t size = 0, room = 0;

	for (;;) {
		ssize_t n;

		if (size == room) {
			char *grown = realloc(text, room = room ? 2 * room : 65536);

			if (!grown)
				break;
			text = grown;
		}
		n = read(STDIN_FILENO, text + size, room - size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			break;
		if (n == 0) {
			*size_bytes = size;
			return text;
		}
		size += (size_t)n;
		if (size > MAX_SET_BYTES)
			break;
	}
	free(text);
	return NULL;
}

static void on_complaint(const char *line, void *data)
{
	fprintf(stderr, "%s\n", line);
}

/* If its standard input is a terminal, rpm waits for its lock. */
static bool leave_terminal(void)
{
	int fd = open("/dev/null", O_RDONLY);

	if (fd > STDIN_FILENO) {
		dup2(fd, STDIN_FILENO);
		close(fd);
	}
	return !isatty(STDIN_FILENO);
}

static int report(const struct ks_reconciled *result, const struct ks_record_set *set)
{
	if (!result->n_failed)
		return EXIT_SUCCESS;
	fprintf(stderr, "%zu problem(s) with %zu record(s)\n", result->n_failed,
		set->n_records);
	return EXIT_FAILURE;
}

static int apply_set(rpmts ts, const struct ks_record_set *set)
{
	struct ks_tree_root tree = {.fd = -1};
	struct ks_reconcile options = {.ts = ts, .tree = &tree, .complain = on_complaint};
	struct ks_reconciled result;
	struct ks_why why;
	bool ok;

	/* rpm would say so too, but not who */
	if (check_lock(ts, 0) != EXIT_SUCCESS)
		return EX_TEMPFAIL;
	ok = ks_tree_open(&tree, rpmtsRootDir(ts), &why) &&
	     ks_reconcile(&options, set, &result, &why);
	ks_tree_close(&tree);
	if (ok)
		return report(&result, set);
	return check_lock(ts, 0) != EXIT_SUCCESS ? EX_TEMPFAIL : fail(why.text);
}

static int do_apply(rpmts ts, const char *argument)
{
	size_t size_bytes = 0;
	char *text = read_set(&size_bytes);
	struct ks_record_set set = {0};
	struct ks_why why;
	int code;

	if (!text || !leave_terminal()) {
		free(text);
		return fail("cannot read the desired set");
	}
	code = ks_record_set_read(text, size_bytes, "standard input", &set, &why)
		       ? apply_set(ts, &set)
		       : fail(why.text);
	ks_record_set_clear(&set);
	free(text);
	return code;
}

/* --- headers, stamp */

static int do_headers(rpmts ts, const char *argument)
{
	char *name = ks_headers_package(ts, argument);

	if (name)
		puts(name);
	free(name);
	return finish_output();
}

/* The files of all back ends; a missing one is part of the stamp too. */
static int do_stamp(rpmts ts, const char *argument)
{
	static const char *const files[] = {"rpmdb.sqlite", "rpmdb.sqlite-wal",
					    "Packages.db", "Packages"};
	char *directory = rpmExpand("%{_dbpath}", NULL);

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		printf("%s/%s\n", directory, files[i]);
	free(directory);
	return finish_output();
}

/* --- owner */

static bool print_foreign(Header h, const char *spelled, void *data)
{
	const char *vendor = headerGetString(h, RPMTAG_VENDOR);

	if (vendor && strcmp(vendor, KS_DATABASE_VENDOR) == 0)
		return true;
	puts(headerGetString(h, RPMTAG_NAME));
	return false;
}

static int do_owner(rpmts ts, const char *argument)
{
	ks_db_owners(ts, argument, print_foreign, NULL);
	return finish_output();
}

static int (*const verbs[KS_RECORDER_N_VERBS])(rpmts ts, const char *argument) = {
	[KS_RECORDER_LIST] = do_list,	[KS_RECORDER_APPLY] = do_apply,
	[KS_RECORDER_RECOVER] = NULL,	[KS_RECORDER_HEADERS] = do_headers,
	[KS_RECORDER_STAMP] = do_stamp, [KS_RECORDER_BUSY] = do_busy,
	[KS_RECORDER_OWNER] = do_owner,
};

static int run(const char *root, enum ks_recorder_verb verb, const char *argument)
{
	rpmts ts;
	int code;

	/* rpm's database recovers when it is opened, and an import is one step */
	if (!verbs[verb])
		return EXIT_SUCCESS;
	if (rpmReadConfigFiles(NULL, NULL) != 0)
		return fail("cannot read rpm's configuration");
	/* librpm goes where links lead; its configuration is the machine's own */
	root = ks_recorder_enter(root, NULL, verb);
	if (!root)
		return EXIT_FAILURE;
	ts = rpmtsCreate();
	rpmtsSetRootDir(ts, root);
	code = verbs[verb](ts, argument);
	rpmtsFree(ts);
	rpmFreeRpmrc();
	rpmFreeMacros(NULL);
	return code;
}

const struct ks_recorder ks_recorder = {.program = "recorder-rpm", .run = run};
