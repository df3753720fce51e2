/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The real recorder-alpm on a scratch database below a temporary directory, by --root;
 * looked at with the real pacman where there is one.
 */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#define RELEASE	 "6.1.2-arch1-1"
#define DEST	 "/lib/modules/" RELEASE "/updates/dkms/"
#define USR_DEST "/usr" DEST
#define LOCAL	 "/var/lib/pacman/local/"
#define FOO	 LOCAL "kmod-foo-" RELEASE "-1.0-1"

#include "tests/unit/recorder-fixture.h"

static void set_up(struct recorder *f, gconstpointer data)
{
	g_autofree char *link = NULL;

	recorder_set_up(f, "recorder-alpm");
	put(f, LOCAL "ALPM_DB_VERSION", "9\n");
	put(f, LOCAL "linux-6.1.2-1/desc",
	    "%NAME%\nlinux\n\n%VERSION%\n6.1.2-1\n\n%ARCH%\nany\n\n");
	put(f, LOCAL "linux-6.1.2-1/files",
	    "%FILES%\nusr/\nusr/lib/\nusr/lib/modules/\nusr/lib/modules/" RELEASE
	    "/\nusr/lib/modules/" RELEASE "/modules.order\n\n");
	put(f, "/usr/lib/modules/" RELEASE "/modules.order", "");
	put(f, USR_DEST "foo.ko", "foo");
	put(f, USR_DEST "bar.ko", "bar");
	link = in_dir(f, "/lib");
	g_assert_cmpint(symlink("usr/lib", link), ==, 0);
}

static void take_away(struct recorder *f, const char *path)
{
	g_autofree char *host = in_dir(f, path);

	g_assert_cmpint(unlink(host), ==, 0);
}

/* Output of pacman with these arguments, and its status; NULL, and skipped,
 * without it. */
static char *pacman(struct recorder *f, int *status, const char *option,
		    const char *argument)
{
	g_autofree char *program = g_find_program_in_path("pacman");
	g_autofree char *db = in_dir(f, "/var/lib/pacman");
	const char *argv[] = {program,	  "--root",    f->dir, "--dbpath", db,
			      "--config", "/dev/null", option, argument,   NULL};
	struct ks_process_options options = KS_PROCESS_OPTIONS_INIT;
	ks_autofd int out = memfd_create("out", MFD_CLOEXEC);
	int wait_status;

	if (!program) {
		g_test_skip("no pacman here");
		return NULL;
	}
	options.argv = argv;
	options.stdout_fd = out;
	options.stderr_fd = out;
	g_assert_true(ks_process_run(&options, &wait_status, NULL));
	if (status)
		*status = WEXITSTATUS(wait_status);
	return read_all(out);
}

static void record_foo_and_bar(struct recorder *f)
{
	want(f, "foo", "foo.ko", "foo", "d1");
	want(f, "bar", "bar.ko", "bar", "d2");
	apply(f);
	g_assert_cmpstr(f->err, ==, "");
	g_assert_cmpint(f->status, ==, 0);
}

static void assert_listed(struct recorder *f, const char *expected)
{
	g_autofree char *list = listed(f);

	g_assert_cmpstr(list, ==, expected);
}

#define FOO_LISTED "kmod-foo-" RELEASE " d1 complete ours\n"
#define BAR_LISTED "kmod-bar-" RELEASE " d2 complete ours\n"

static void test_an_empty_database_lists_nothing(struct recorder *f, gconstpointer data)
{
	assert_listed(f, "");
}

static void test_wanted_modules_get_an_owner(struct recorder *f, gconstpointer data)
{
	g_autofree char *desc = NULL, *files = NULL, *owner = NULL, *checked = NULL;
	g_autofree char *path = in_dir(f, DEST "foo.ko");
	int status = -1;

	record_foo_and_bar(f);
	assert_listed(f, BAR_LISTED FOO_LISTED);
	desc = get(f, FOO "/desc");
	g_assert_nonnull(
		strstr(desc, "%NAME%\nkmod-foo-" RELEASE "\n\n%VERSION%\n1.0-1\n"));
	g_assert_nonnull(strstr(desc, "\n%SIZE%\n3\n"));
	g_assert_null(strstr(desc, "%REASON%"));
	g_assert_null(strstr(desc, "%DEPENDS%"));
	files = get(f, FOO "/files");
	g_assert_cmpstr(
		files, ==,
		"%FILES%\nusr/\nusr/lib/\nusr/lib/modules/\nusr/lib/modules/" RELEASE
		"/\nusr/lib/modules/" RELEASE "/updates/\nusr/lib/modules/" RELEASE
		"/updates/dkms/\nusr/lib/modules/" RELEASE "/updates/dkms/foo.ko\n\n");
	g_assert_false(is_there(f, "/var/lib/pacman/db.lck"));
	owner = pacman(f, &status, "-Qo", path);
	if (!owner)
		return;
	g_assert_cmpint(status, ==, 0);
	g_assert_nonnull(strstr(owner, "is owned by kmod-foo-" RELEASE " 1.0-1\n"));
	checked = pacman(f, &status, "-Qkk", "kmod-foo-" RELEASE);
	g_assert_cmpint(status, ==, 0);
	g_assert_nonnull(strstr(checked, " 7 total files, 0 altered files"));
}

static void test_a_changed_module_is_seen_by_pacman(struct recorder *f,
						    gconstpointer data)
{
	g_autofree char *checked = NULL;
	int status = -1;

	record_foo_and_bar(f);
	put(f, USR_DEST "foo.ko", "fox");
	checked = pacman(f, &status, "-Qkk", "kmod-foo-" RELEASE);
	if (!checked)
		return;
	g_assert_cmpint(status, ==, 1);
	g_assert_nonnull(strstr(checked, "1 altered file"));
}

static void test_pacman_finds_no_fault(struct recorder *f, gconstpointer data)
{
	g_autofree char *faults = NULL;
	int status = -1;

	record_foo_and_bar(f);
	faults = pacman(f, &status, "-Dk", NULL);
	if (!faults)
		return;
	g_assert_cmpint(status, ==, 0);
	g_assert_nonnull(strstr(faults, "No database errors"));
}

/* pacman finds no fault, but with a link that leads elsewhere. */
static void test_a_link_gets_an_owner(struct recorder *f, gconstpointer data)
{
	g_autofree char *path = in_dir(f, USR_DEST "foo.ko");
	g_autofree char *out = NULL, *fault = NULL;
	int status = 0;

	g_assert_cmpint(unlink(path), ==, 0);
	g_assert_cmpint(symlink("/var/lib/dkms/foo/x/foo.ko", path), ==, 0);
	want_link(f, "foo", "foo.ko", "/var/lib/dkms/foo/x/foo.ko", "d1");
	apply(f);
	g_assert_cmpstr(f->err, ==, "");
	g_assert_cmpint(f->status, ==, 0);
	out = pacman(f, &status, "-Qkk", "kmod-foo-" RELEASE);
	if (!out)
		return;
	g_assert_cmpint(status, ==, 0);
	g_assert_cmpint(unlink(path), ==, 0);
	g_assert_cmpint(symlink("/elsewhere/foo.ko", path), ==, 0);
	fault = pacman(f, &status, "-Qkk", "kmod-foo-" RELEASE);
	g_assert_cmpint(status, !=, 0);
}

static void test_what_is_recorded_already_is_left_alone(struct recorder *f,
							gconstpointer data)
{
	g_autofree char *host = in_dir(f, FOO "/desc");
	struct stat before, after;

	record_foo_and_bar(f);
	g_assert_cmpint(stat(host, &before), ==, 0);
	record_foo_and_bar(f);
	g_assert_cmpint(stat(host, &after), ==, 0);
	g_assert_cmpint(before.st_ino, ==, after.st_ino);
}

static void test_another_build_takes_the_place_of_the_record(struct recorder *f,
							     gconstpointer data)
{
	g_autofree char *list = NULL;
	int status = -1;

	record_foo_and_bar(f);
	put(f, USR_DEST "foo.ko", "new");
	want(f, "foo", "foo.ko", "new", "d3");
	want(f, "bar", "bar.ko", "bar", "d2");
	apply(f);
	g_assert_cmpint(f->status, ==, 0);
	assert_listed(f, BAR_LISTED "kmod-foo-" RELEASE " d3 complete ours\n");
	list = pacman(f, &status, "-Qkk", "kmod-foo-" RELEASE);
	g_assert_true(!list || status == 0);
}

static void test_another_version_leaves_one_record(struct recorder *f, gconstpointer data)
{
	g_autofree char *text = NULL;

	record_foo_and_bar(f);
	want(f, "foo", "foo.ko", "foo", "d4");
	text = g_strdup(strstr(f->set->str, "version=1.0"));
	g_string_truncate(f->set, f->set->len - strlen(text));
	g_string_append_printf(f->set, "version=2.0-rc1%s", text + strlen("version=1.0"));
	want(f, "bar", "bar.ko", "bar", "d2");
	apply(f);
	g_assert_cmpint(f->status, ==, 0);
	assert_listed(f, BAR_LISTED "kmod-foo-" RELEASE " d4 complete ours\n");
	g_assert_false(is_there(f, FOO));
	g_assert_true(is_there(f, LOCAL "kmod-foo-" RELEASE "-2.0_rc1-1/desc"));
}

static void test_a_changed_file_is_not_recorded_and_the_others_are(struct recorder *f,
								   gconstpointer data)
{
	put(f, USR_DEST "foo.ko", "oof");
	want(f, "foo", "foo.ko", "foo", "d1");
	want(f, "bar", "bar.ko", "bar", "d2");
	apply(f);
	g_assert_cmpint(f->status, ==, 1);
	g_assert_nonnull(strstr(f->err, "cannot record foo/1.0 on " RELEASE ": '" USR_DEST
					"foo.ko' is not the file"));
	assert_listed(f, BAR_LISTED);
}

static void test_a_file_of_another_package_stays_its(struct recorder *f,
						     gconstpointer data)
{
	put(f, LOCAL "vendor-1-1/desc", "%NAME%\nvendor\n\n%VERSION%\n1-1\n\n");
	put(f, LOCAL "vendor-1-1/files",
	    "%FILES%\nusr/lib/modules/" RELEASE "/updates/dkms/foo.ko\n\n");
	want(f, "foo", "foo.ko", "foo", "d1");
	want(f, "bar", "bar.ko", "bar", "d2");
	apply(f);
	g_assert_cmpint(f->status, ==, 1);
	g_assert_nonnull(
		strstr(f->err, "'" USR_DEST "foo.ko' belongs to package 'vendor'"));
	assert_listed(f, BAR_LISTED);
}

static void test_a_foreign_package_keeps_its_name(struct recorder *f, gconstpointer data)
{
	put(f, FOO "/desc", "%NAME%\nkmod-foo-" RELEASE "\n\n%VERSION%\n1.0-1\n\n");
	put(f, FOO "/files", "%FILES%\n\n");
	put(f, FOO "/mtree", "");
	want(f, "foo", "foo.ko", "foo", "d1");
	apply(f);
	g_assert_cmpint(f->status, ==, 1);
	g_assert_nonnull(strstr(f->err, "a package of another maker has its name"));
	assert_listed(f, "kmod-foo-" RELEASE "  complete\n");
}

static void test_a_record_whose_file_was_taken_away_goes(struct recorder *f,
							 gconstpointer data)
{
	record_foo_and_bar(f);
	take_away(f, USR_DEST "foo.ko");
	want(f, "bar", "bar.ko", "bar", "d2");
	apply(f);
	g_assert_cmpint(f->status, ==, 0);
	assert_listed(f, BAR_LISTED);
	g_assert_true(is_there(f, USR_DEST "bar.ko"));
}

static void test_what_a_removed_kernel_left_goes_with_its_record(struct recorder *f,
								 gconstpointer data)
{
	record_foo_and_bar(f);
	take_away(f, "/usr/lib/modules/" RELEASE "/modules.order");
	apply(f);
	g_assert_cmpint(f->status, ==, 0);
	assert_listed(f, "");
	g_assert_false(is_there(f, "/usr/lib/modules/" RELEASE));
	g_assert_true(is_there(f, "/usr/lib/modules"));
}

static void test_a_driver_that_the_state_forgot_is_never_deleted(struct recorder *f,
								 gconstpointer data)
{
	record_foo_and_bar(f);
	want(f, "bar", "bar.ko", "bar", "d2");
	apply(f);
	g_assert_cmpint(f->status, ==, 0);
	g_assert_nonnull(strstr(f->err, "'" USR_DEST "foo.ko' is kept with its record"));
	assert_listed(f, BAR_LISTED FOO_LISTED);
	g_assert_true(is_there(f, USR_DEST "foo.ko"));
}

static void test_a_hostile_entry_leads_no_removal_astray(struct recorder *f,
							 gconstpointer data)
{
	record_foo_and_bar(f);
	put(f, "/etc/passwd", "root");
	put(f, FOO "/files",
	    "%FILES%\netc/passwd\nusr/lib/modules/../../../etc/passwd\n\n");
	take_away(f, "/usr/lib/modules/" RELEASE "/modules.order");
	apply(f);
	g_assert_cmpint(f->status, ==, 0);
	g_assert_true(is_there(f, "/etc/passwd"));
}

static void test_an_unknown_format_is_not_touched(struct recorder *f, gconstpointer data)
{
	put(f, LOCAL "ALPM_DB_VERSION", "10\n");
	want(f, "foo", "foo.ko", "foo", "d1");
	apply(f);
	g_assert_cmpint(f->status, ==, 1);
	g_assert_nonnull(strstr(f->err, "unknown format"));
	g_assert_false(is_there(f, FOO));
}

static void test_a_locked_database_is_left_for_later(struct recorder *f,
						     gconstpointer data)
{
	put(f, "/var/lib/pacman/db.lck", "");
	want(f, "foo", "foo.ko", "foo", "d1");
	apply(f);
	g_assert_cmpint(f->status, ==, EX_TEMPFAIL);
	g_assert_false(is_there(f, FOO));
	recorder(f, "busy", "");
	g_assert_cmpint(f->status, ==, EX_TEMPFAIL);
	take_away(f, "/var/lib/pacman/db.lck");
	recorder(f, "busy", "");
	g_assert_cmpint(f->status, ==, 0);
}

static void test_the_lock_of_a_waiting_pacman_is_ours(struct recorder *f,
						      gconstpointer data)
{
	g_autofree char *lock = in_dir(f, "/var/lib/pacman/db.lck");
	ks_autofd int fd = open(lock, O_CREAT | O_EXCL | O_CLOEXEC | O_WRONLY, 0);

	g_assert_cmpint(fd, >=, 0);
	recorder(f, "busy", "");
	g_assert_cmpint(f->status, ==, 0);
	record_foo_and_bar(f);
	assert_listed(f, BAR_LISTED FOO_LISTED);
	g_assert_true(is_there(f, "/var/lib/pacman/db.lck"));
}

static void test_headers_are_named_after_the_kernel(struct recorder *f,
						    gconstpointer data)
{
	const char *argv[] = {f->program, "--root", f->dir, "headers", RELEASE, NULL};
	struct ks_process_options options = KS_PROCESS_OPTIONS_INIT;
	g_autofree char *none = NULL, *name = NULL;

	options.argv = argv;
	none = ks_process_capture(&options, NULL, 4096, NULL, NULL);
	g_assert_cmpstr(none, ==, "");
	put(f, "/usr/lib/modules/" RELEASE "/pkgbase", "linux-lts\n");
	name = ks_process_capture(&options, NULL, 4096, NULL, NULL);
	g_assert_cmpstr(name, ==, "linux-lts-headers\n");
}

/* --- killed at each of its changes */

static bool is_killed_at(struct recorder *f, const char *call, int when)
{
	g_autofree char *text = g_strdup_printf("protocol=1\nrecords=%u\n\n%s",
						f->n_records, f->set->str);
	g_autofree char *trace = g_strdup_printf("trace=%s", call);
	g_autofree char *inject =
		g_strdup_printf("inject=%s:signal=KILL:when=%d", call, when);
	const char *argv[] = {"strace", "-qq",	 "-o",	 "/dev/null", "-e",
			      trace,	"-e",	 inject, f->program,  "--root",
			      f->dir,	"apply", NULL};
	struct ks_process_options options = KS_PROCESS_OPTIONS_INIT;
	ks_autofd int in = memfd_create("in", MFD_CLOEXEC);
	int wait_status;

	g_assert_cmpint(write(in, text, strlen(text)), ==, strlen(text));
	lseek(in, 0, SEEK_SET);
	options.argv = argv;
	options.stdin_fd = in;
	g_assert_true(ks_process_run(&options, &wait_status, NULL));
	return WIFSIGNALED(wait_status) || WEXITSTATUS(wait_status) == 128 + 9;
}

static bool can_trace(void)
{
	const char *argv[] = {"strace", "-qq", "-o", "/dev/null", "true", NULL};
	struct ks_process_options options = KS_PROCESS_OPTIONS_INIT;
	int wait_status;

	options.argv = argv;
	return ks_process_run(&options, &wait_status, NULL) && wait_status == 0;
}

/* Whatever there is, is whole; and no more than one of each. */
static void assert_database_is_whole(struct recorder *f)
{
	g_autofree char *list = listed(f);
	g_autofree char *said = NULL;
	const char *foo = strstr(list, "kmod-foo-");
	int status = -1;

	g_assert_true(!foo || !strstr(foo + 1, "kmod-foo-"));
	for (const char *line = list; *line; line = strchr(line, '\n') + 1)
		g_assert_true(
			g_str_has_prefix(strchr(line, '\n') - 14, " complete ours"));
	said = pacman(f, &status, "-Q", NULL);
	g_assert_true(!said || (status == 0 && !strstr(said, "error")));
}

static void want_second(struct recorder *f)
{
	want(f, "foo", "foo.ko", "foo", "e1"); /* replaced in place */
	want(f, "baz", "bar.ko", "bar", "e2"); /* a new one, and bar goes */
}

static void test_killed_at_any_step(struct recorder *f, gconstpointer data)
{
	static const char *const calls[] = {"renameat", "renameat2", "unlinkat",
					    "mkdirat",	"linkat",    "fsync"};
	guint n_kills = 0;

	if (!can_trace()) {
		g_test_skip("strace cannot trace here");
		return;
	}
	for (size_t i = 0; i < G_N_ELEMENTS(calls); i++) {
		bool killed = true;

		for (int when = 1; killed; when++) {
			record_foo_and_bar(f);
			want_second(f);
			killed = is_killed_at(f, calls[i], when);
			n_kills += killed;
			assert_database_is_whole(f);
			recorder(f, "recover", "");
			g_assert_cmpint(f->status, ==, 0);
			g_assert_false(is_there(f, "/var/lib/pacman/db.lck"));
			apply(f);
			g_assert_cmpint(f->status, ==, 0);
			assert_listed(f, "kmod-baz-" RELEASE " e2 complete ours\n"
					 "kmod-foo-" RELEASE " e1 complete ours\n");
		}
	}
	g_test_message("%u kills", n_kills);
	g_assert_cmpuint(n_kills, >, 15);
}

static void add(const char *path, void (*test)(struct recorder *f, gconstpointer data))
{
	g_test_add(path, struct recorder, NULL, set_up, test, recorder_tear_down);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_set_nonfatal_assertions();
	add("/recorder-alpm/an empty database lists nothing",
	    test_an_empty_database_lists_nothing);
	add("/recorder-alpm/wanted modules get an owner",
	    test_wanted_modules_get_an_owner);
	add("/recorder-alpm/a changed module is seen by pacman -Qkk",
	    test_a_changed_module_is_seen_by_pacman);
	add("/recorder-alpm/pacman -Dk finds no fault", test_pacman_finds_no_fault);
	add("/recorder-alpm/a link gets an owner", test_a_link_gets_an_owner);
	add("/recorder-alpm/what is recorded already is left alone",
	    test_what_is_recorded_already_is_left_alone);
	add("/recorder-alpm/another build takes the place of the record",
	    test_another_build_takes_the_place_of_the_record);
	add("/recorder-alpm/another version leaves one record",
	    test_another_version_leaves_one_record);
	add("/recorder-alpm/a changed file is not recorded and the others are",
	    test_a_changed_file_is_not_recorded_and_the_others_are);
	add("/recorder-alpm/a file of another package stays its",
	    test_a_file_of_another_package_stays_its);
	add("/recorder-alpm/a foreign package keeps its name",
	    test_a_foreign_package_keeps_its_name);
	add("/recorder-alpm/a record whose file was taken away goes",
	    test_a_record_whose_file_was_taken_away_goes);
	add("/recorder-alpm/what a removed kernel left goes with its record",
	    test_what_a_removed_kernel_left_goes_with_its_record);
	add("/recorder-alpm/a driver that the state forgot is never deleted",
	    test_a_driver_that_the_state_forgot_is_never_deleted);
	add("/recorder-alpm/a hostile entry leads no removal astray",
	    test_a_hostile_entry_leads_no_removal_astray);
	add("/recorder-alpm/an unknown format is not touched",
	    test_an_unknown_format_is_not_touched);
	add("/recorder-alpm/a locked database is left for later",
	    test_a_locked_database_is_left_for_later);
	add("/recorder-alpm/the lock of a waiting pacman is ours",
	    test_the_lock_of_a_waiting_pacman_is_ours);
	add("/recorder-alpm/headers are named after the kernel",
	    test_headers_are_named_after_the_kernel);
	add("/recorder-alpm/killed at any step, the database is whole and the next run "
	    "heals",
	    test_killed_at_any_step);
	return g_test_run();
}
