/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The real recorder-dpkg and the real dpkg on a scratch database below a
 * temporary directory, by --root.
 */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#define RELEASE "6.1.0-99-amd64"
#define DEST	"/lib/modules/" RELEASE "/updates/dkms/"
#define IN_STATUS(name)                                                                  \
	"Package: " name "\nStatus: install ok installed\n"                              \
	"Maintainer: nobody <nobody@localhost>\nArchitecture: all\nVersion: 1\n"         \
	"Description: a kernel\n\n"
#define KERNEL_PACKAGE IN_STATUS("linux-image-" RELEASE)

#include "tests/unit/recorder-fixture.h"

static void set_up(struct recorder *f, gconstpointer data)
{
	recorder_set_up(f, "recorder-dpkg");
	put(f, "/var/lib/dpkg/status", KERNEL_PACKAGE);
	put(f, "/var/lib/dpkg/info/linux-image-" RELEASE ".list",
	    "/.\n/lib\n/lib/modules\n/lib/modules/" RELEASE "\n/lib/modules/" RELEASE
	    "/modules.builtin\n");
	put(f, "/var/lib/dpkg/updates/.keep", "");
	put(f, "/var/lib/dpkg/triggers/File", "");
	put(f, "/var/log/.keep", "");
	put(f, "/lib/modules/" RELEASE "/modules.builtin", "");
	put(f, DEST "foo.ko", "foo");
	put(f, DEST "bar.ko", "bar");
}

static void test_an_empty_database_lists_nothing(struct recorder *f, gconstpointer data)
{
	g_autofree char *list = listed(f);

	g_assert_cmpstr(list, ==, "");
}

static void test_wanted_modules_get_an_owner(struct recorder *f, gconstpointer data)
{
	g_autofree char *list = NULL, *owned = NULL, *content = NULL, *status = NULL;

	want(f, "foo_x", "foo.ko", "foo", "0123456789");
	want(f, "bar", "bar.ko", "bar", "abcdef0123");
	apply(f);
	g_assert_cmpstr(f->err, ==, "");
	g_assert_cmpint(f->status, ==, 0);
	list = listed(f);
	g_assert_cmpstr(list, ==,
			"kmod-bar-" RELEASE " abcdef0123 complete ours\n"
			"kmod-foo-x-" RELEASE " 0123456789 complete ours\n");
	owned = get(f, "/var/lib/dpkg/info/kmod-foo-x-" RELEASE ".list");
	g_assert_nonnull(strstr(owned, DEST "foo.ko\n"));
	content = get(f, DEST "foo.ko");
	g_assert_cmpstr(content, ==, "foo");
	status = get(f, "/var/lib/dpkg/status");
	g_assert_nonnull(strstr(status, "\nDepends: linux-image-" RELEASE "\n"));
	g_assert_nonnull(strstr(status, "\nVersion: 1.0+k01234567\n"));
	g_assert_false(
		is_there(f, "/var/lib/kmodsmith/spool/kmod-foo-x-" RELEASE ".deb"));
}

/* The lists are also what headers need, and may outlive the modules. */
static void test_of_a_split_kernel_the_modules_are_depended_on(struct recorder *f,
							       gconstpointer data)
{
	static const char dir[] = "/.\n/lib\n/lib/modules\n/lib/modules/" RELEASE "\n";
	g_autofree char *lists =
		g_strconcat(dir, "/lib/modules/" RELEASE "/modules.builtin\n", NULL);
	g_autofree char *modules =
		g_strconcat(dir, "/lib/modules/" RELEASE "/kernel\n", NULL);
	g_autofree char *status = NULL;

	put(f, "/var/lib/dpkg/status",
	    KERNEL_PACKAGE IN_STATUS("linux-base-" RELEASE)
		    IN_STATUS("linux-modules-" RELEASE));
	put(f, "/var/lib/dpkg/info/linux-image-" RELEASE ".list", "/.\n");
	put(f, "/var/lib/dpkg/info/linux-base-" RELEASE ".list", lists);
	put(f, "/var/lib/dpkg/info/linux-modules-" RELEASE ".list", modules);
	want(f, "foo", "foo.ko", "foo", "0123456789");
	apply(f);
	g_assert_cmpint(f->status, ==, 0);
	status = get(f, "/var/lib/dpkg/status");
	g_assert_nonnull(strstr(status, "\nDepends: linux-modules-" RELEASE "\n"));
}

static void test_of_several_packages_with_modules_the_kernel_s_is_depended_on(
	struct recorder *f, gconstpointer data)
{
	static const char dir[] = "/.\n/lib\n/lib/modules\n/lib/modules/" RELEASE "\n";
	g_autofree char *kernel =
		g_strconcat(dir, "/lib/modules/" RELEASE "/kernel\n",
			    "/lib/modules/" RELEASE "/modules.order\n", NULL);
	g_autofree char *more =
		g_strconcat(dir, "/lib/modules/" RELEASE "/kernel\n", NULL);
	g_autofree char *status = NULL;

	put(f, "/var/lib/dpkg/status",
	    IN_STATUS("a-driver-" RELEASE) KERNEL_PACKAGE IN_STATUS("z-driver-" RELEASE));
	put(f, "/var/lib/dpkg/info/linux-image-" RELEASE ".list", kernel);
	put(f, "/var/lib/dpkg/info/a-driver-" RELEASE ".list", more);
	put(f, "/var/lib/dpkg/info/z-driver-" RELEASE ".list", more);
	want(f, "foo", "foo.ko", "foo", "0123456789");
	apply(f);
	g_assert_cmpint(f->status, ==, 0);
	status = get(f, "/var/lib/dpkg/status");
	g_assert_nonnull(strstr(status, "\nDepends: linux-image-" RELEASE "\n"));
}

/* Its target does not exist: only the link is the record's. */
static void test_a_link_gets_an_owner(struct recorder *f, gconstpointer data)
{
	g_autofree char *path = in_dir(f, DEST "foo.ko");
	g_autofree char *list = NULL, *owned = NULL, *text = NULL;

	g_assert_cmpint(unlink(path), ==, 0);
	g_assert_cmpint(symlink("/var/lib/dkms/foo/x/foo.ko", path), ==, 0);
	want_link(f, "foo", "foo.ko", "/var/lib/dkms/foo/y/foo.ko", "d1");
	apply(f);
	g_assert_cmpint(f->status, ==, 1);
	g_assert_nonnull(strstr(f->err, "foo.ko' is not the link"));
	want_link(f, "foo", "foo.ko", "/var/lib/dkms/foo/x/foo.ko", "d1");
	apply(f);
	g_assert_cmpstr(f->err, ==, "");
	g_assert_cmpint(f->status, ==, 0);
	list = listed(f);
	g_assert_cmpstr(list, ==, "kmod-foo-" RELEASE " d1 complete ours\n");
	owned = get(f, "/var/lib/dpkg/info/kmod-foo-" RELEASE ".list");
	g_assert_nonnull(strstr(owned, DEST "foo.ko\n"));
	text = g_file_read_link(path, NULL);
	g_assert_cmpstr(text, ==, "/var/lib/dkms/foo/x/foo.ko");
}

static void test_what_is_recorded_already_is_left_alone(struct recorder *f,
							gconstpointer data)
{
	g_autofree char *before = NULL, *after = NULL;

	want(f, "foo", "foo.ko", "foo", "d1");
	apply(f);
	before = get(f, "/var/log/kmodsmith/dpkg.log");
	want(f, "foo", "foo.ko", "foo", "d1");
	apply(f);
	g_assert_cmpint(f->status, ==, 0);
	after = get(f, "/var/log/kmodsmith/dpkg.log");
	g_assert_cmpstr(after, ==, before);
}

static void test_a_changed_file_is_not_recorded_and_the_others_are(struct recorder *f,
								   gconstpointer data)
{
	g_autofree char *list = NULL;

	put(f, DEST "foo.ko", "oof");
	want(f, "foo", "foo.ko", "foo", "d1");
	want(f, "bar", "bar.ko", "bar", "d2");
	apply(f);
	g_assert_cmpint(f->status, ==, 1);
	g_assert_nonnull(strstr(f->err, "cannot record foo/1.0 on " RELEASE ": '" DEST
					"foo.ko' is not the file"));
	list = listed(f);
	g_assert_cmpstr(list, ==, "kmod-bar-" RELEASE " d2 complete ours\n");
}

static void take_away(struct recorder *f, const char *path)
{
	g_autofree char *host = in_dir(f, path);

	g_assert_cmpint(unlink(host), ==, 0);
}

static void record_foo_and_bar(struct recorder *f)
{
	want(f, "foo", "foo.ko", "foo", "d1");
	want(f, "bar", "bar.ko", "bar", "d2");
	apply(f);
	g_assert_cmpint(f->status, ==, 0);
}

static void test_a_record_whose_file_was_taken_away_goes(struct recorder *f,
							 gconstpointer data)
{
	g_autofree char *list = NULL;

	record_foo_and_bar(f);
	take_away(f, DEST "foo.ko");
	want(f, "bar", "bar.ko", "bar", "d2");
	apply(f);
	g_assert_cmpint(f->status, ==, 0);
	list = listed(f);
	g_assert_cmpstr(list, ==, "kmod-bar-" RELEASE " d2 complete ours\n");
	g_assert_true(is_there(f, DEST "bar.ko"));
}

static void test_what_a_removed_kernel_left_goes_with_its_record(struct recorder *f,
								 gconstpointer data)
{
	g_autofree char *list = NULL;

	record_foo_and_bar(f);
	take_away(f, "/lib/modules/" RELEASE "/modules.builtin");
	apply(f);
	g_assert_cmpint(f->status, ==, 0);
	list = listed(f);
	g_assert_cmpstr(list, ==, "");
	g_assert_false(is_there(f, DEST "foo.ko"));
	g_assert_false(is_there(f, DEST "bar.ko"));
}

static void test_a_driver_that_the_state_forgot_is_never_deleted(struct recorder *f,
								 gconstpointer data)
{
	g_autofree char *list = NULL;

	record_foo_and_bar(f);
	want(f, "bar", "bar.ko", "bar", "d2");
	apply(f);
	g_assert_cmpint(f->status, ==, 0);
	g_assert_nonnull(strstr(f->err, "'" DEST "foo.ko' is kept with its record"));
	list = listed(f);
	g_assert_cmpstr(list, ==,
			"kmod-bar-" RELEASE " d2 complete ours\n"
			"kmod-foo-" RELEASE " d1 complete ours\n");
	g_assert_true(is_there(f, DEST "foo.ko"));
}

static void test_a_record_that_something_depends_on_is_not_forced_away(struct recorder *f,
								       gconstpointer data)
{
	g_autofree char *status = NULL, *more = NULL, *list = NULL;

	want(f, "foo", "foo.ko", "foo", "d1");
	apply(f);
	status = get(f, "/var/lib/dpkg/status");
	more = g_strconcat(status,
			   "Package: user\nStatus: install ok installed\n"
			   "Maintainer: nobody <nobody@localhost>\nArchitecture: all\n"
			   "Version: 1\nDepends: kmod-foo\nDescription: wants foo\n\n",
			   NULL);
	put(f, "/var/lib/dpkg/status", more);
	put(f, "/var/lib/dpkg/info/user.list", "/.\n");
	take_away(f, DEST "foo.ko");
	apply(f);
	g_assert_cmpint(f->status, ==, 1);
	g_assert_nonnull(
		strstr(f->err, "1 records that are not wanted could not be removed"));
	list = listed(f);
	g_assert_cmpstr(list, ==, "kmod-foo-" RELEASE " d1 complete ours\n");
}

static void test_a_file_that_changes_its_record_is_never_deleted(struct recorder *f,
								 gconstpointer data)
{
	g_autofree char *list = NULL, *content = NULL;

	want(f, "foo", "foo.ko", "foo", "d1");
	apply(f);
	put(f, DEST "foo.ko", "newer");
	want(f, "renamed", "foo.ko", "newer", "d2");
	apply(f);
	g_assert_cmpint(f->status, ==, 0);
	list = listed(f);
	g_assert_cmpstr(list, ==, "kmod-renamed-" RELEASE " d2 complete ours\n");
	content = get(f, DEST "foo.ko");
	g_assert_cmpstr(content, ==, "newer");
}

static void test_names_that_collide_are_an_error_for_the_second(struct recorder *f,
								gconstpointer data)
{
	g_autofree char *list = NULL;

	want(f, "foo_x", "foo.ko", "foo", "d1");
	want(f, "foo-x", "bar.ko", "bar", "d2");
	apply(f);
	g_assert_cmpint(f->status, ==, 1);
	g_assert_nonnull(strstr(f->err,
				"cannot record foo-x/1.0 on " RELEASE
				": another module's record has the same package name"));
	list = listed(f);
	g_assert_cmpstr(list, ==, "kmod-foo-x-" RELEASE " d1 complete ours\n");
}

static void test_a_package_of_another_maker_is_never_touched(struct recorder *f,
							     gconstpointer data)
{
	g_autofree char *list = NULL;

	put(f, "/var/lib/dpkg/status",
	    KERNEL_PACKAGE "Package: kmod-foo-" RELEASE "\nStatus: install ok installed\n"
			   "Maintainer: nobody <nobody@localhost>\nArchitecture: all\n"
			   "Version: 1\nDescription: of a vendor\n\n");
	put(f, "/var/lib/dpkg/info/kmod-foo-" RELEASE ".list", "/.\n");
	want(f, "foo", "foo.ko", "foo", "d1");
	apply(f);
	g_assert_cmpint(f->status, ==, 1);
	g_assert_nonnull(strstr(f->err, "a package of another maker has its name"));
	list = listed(f);
	g_assert_cmpstr(list, ==, "kmod-foo-" RELEASE "  complete\n");
}

static void test_a_file_of_another_package_is_never_taken(struct recorder *f,
							  gconstpointer data)
{
	g_autofree char *list = NULL;

	put(f, "/var/lib/dpkg/info/linux-image-" RELEASE ".list", DEST "foo.ko\n");
	want(f, "foo", "foo.ko", "foo", "d1");
	apply(f);
	g_assert_cmpint(f->status, ==, 1);
	g_assert_nonnull(strstr(f->err, "belongs to package 'linux-image-" RELEASE "'"));
	list = listed(f);
	g_assert_cmpstr(list, ==, "");
}

/* The engine asks so that it does not put a module over it. */
static void test_owner_names_packages_of_others(struct recorder *f, gconstpointer data)
{
	const char *const ours[] = {"owner", DEST "bar.ko", NULL};
	const char *const merged[] = {"owner", DEST "foo.ko", NULL};
	const char *const nobodys[] = {"owner", DEST "none.ko", NULL};

	record_foo_and_bar(f);
	put(f, "/var/lib/dpkg/info/linux-image-" RELEASE ".list",
	    "/.\n/usr" DEST "foo.ko\n" DEST "in-tree.ko\n");
	recorder_with(f, (const char *const[]){"owner", DEST "in-tree.ko", NULL}, "");
	g_assert_cmpstr(f->out, ==, "linux-image-" RELEASE "\n");
	recorder_with(f, merged, "");
	g_assert_cmpstr(f->out, ==, "linux-image-" RELEASE "\n");
	recorder_with(f, ours, "");
	g_assert_cmpint(f->status, ==, 0);
	g_assert_cmpstr(f->out, ==, "");
	recorder_with(f, nobodys, "");
	g_assert_cmpint(f->status, ==, 0);
	g_assert_cmpstr(f->out, ==, "");
}

static void test_a_set_that_was_cut_off_removes_nothing(struct recorder *f,
							gconstpointer data)
{
	g_autofree char *list = NULL;

	want(f, "foo", "foo.ko", "foo", "d1");
	apply(f);
	recorder(f, "apply", "");
	g_assert_cmpint(f->status, ==, 1);
	recorder(f, "apply", "protocol=1\nrecords=1\n\n");
	g_assert_cmpint(f->status, ==, 1);
	list = listed(f);
	g_assert_cmpstr(list, ==, "kmod-foo-" RELEASE " d1 complete ours\n");
}

static void lock_for_test(struct recorder *f, const char *path, int *fd)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	g_autofree char *host = in_dir(f, path);

	*fd = open(host, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
	g_assert_cmpint(fcntl(*fd, F_SETLK, &lock), ==, 0);
}

static void test_a_locked_database_leaves_the_package_spooled(struct recorder *f,
							      gconstpointer data)
{
	g_autofree char *list = NULL, *later = NULL;
	int fd;

	lock_for_test(f, "/var/lib/dpkg/lock", &fd);
	want(f, "foo", "foo.ko", "foo", "d1");
	apply(f);
	g_assert_cmpint(f->status, ==, EX_TEMPFAIL);
	list = listed(f);
	g_assert_cmpstr(list, ==, "");
	g_assert_true(is_there(f, "/var/lib/kmodsmith/spool/kmod-foo-" RELEASE ".deb"));
	recorder(f, "busy", "");
	g_assert_cmpint(f->status, ==, EX_TEMPFAIL);
	close(fd);
	recorder(f, "busy", "");
	g_assert_cmpint(f->status, ==, 0);
	want(f, "foo", "foo.ko", "foo", "d1");
	apply(f);
	g_assert_cmpint(f->status, ==, 0);
	later = listed(f);
	g_assert_cmpstr(later, ==, "kmod-foo-" RELEASE " d1 complete ours\n");
}

static const char *const env_below_apt[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin",
					    "DPKG_FRONTEND_LOCKED=true", NULL};

static void test_apt_above_us_holds_the_frontend_lock_for_us(struct recorder *f,
							     gconstpointer data)
{
	int fd;

	/* this process is the recorder's ancestor, as apt is in Post-Invoke */
	lock_for_test(f, "/var/lib/dpkg/lock-frontend", &fd);
	want(f, "foo", "foo.ko", "foo", "d1");
	f->env = env_below_apt;
	apply(f);
	g_assert_cmpstr(f->err, ==, "");
	g_assert_cmpint(f->status, ==, 0);
	close(fd);
}

static void test_a_frontend_lock_that_is_not_for_us_is_respected(struct recorder *f,
								 gconstpointer data)
{
	int fd;

	lock_for_test(f, "/var/lib/dpkg/lock-frontend", &fd);
	want(f, "foo", "foo.ko", "foo", "d1");
	apply(f);
	g_assert_cmpint(f->status, ==, EX_TEMPFAIL);
	g_assert_nonnull(strstr(f->err, "the package database is locked by process "));
	close(fd);
}

static void test_an_apt_that_was_killed_holds_nothing_for_us(struct recorder *f,
							     gconstpointer data)
{
	/* a hook that outlived apt: the lock is free, the environment says otherwise */
	want(f, "foo", "foo.ko", "foo", "d1");
	f->env = env_below_apt;
	apply(f);
	g_assert_cmpint(f->status, ==, 0);
	/* dpkg took the lock itself, and so made its file */
	g_assert_true(is_there(f, "/var/lib/dpkg/lock-frontend"));
}

static void test_a_package_half_installed_is_cured_from_the_spool(struct recorder *f,
								  gconstpointer data)
{
	g_autofree char *half = NULL, *list = NULL;
	int fd;

	lock_for_test(f, "/var/lib/dpkg/lock", &fd);
	want(f, "foo", "foo.ko", "foo", "d1d1d1d1d1");
	apply(f);
	close(fd);
	/* what dpkg leaves when it is killed while unpacking */
	put(f, "/var/lib/dpkg/updates/0000",
	    "Package: kmod-foo-" RELEASE "\nStatus: install reinstreq half-installed\n"
	    "Architecture: all\nVersion: 1.0+kd1d1d1d1\n");
	half = listed(f);
	g_assert_cmpstr(half, ==, "kmod-foo-" RELEASE "  ours\n");
	recorder(f, "recover", "");
	g_assert_cmpstr(f->err, ==, "");
	g_assert_cmpint(f->status, ==, 0);
	list = listed(f);
	g_assert_cmpstr(list, ==, "kmod-foo-" RELEASE " d1d1d1d1d1 complete ours\n");
	g_assert_false(is_there(f, "/var/lib/dpkg/updates/0000"));
	g_assert_false(is_there(f, "/var/lib/kmodsmith/spool/kmod-foo-" RELEASE ".deb"));
}

static void test_only_the_record_of_a_package_beyond_repair_goes(struct recorder *f,
								 gconstpointer data)
{
	g_autofree char *list = NULL, *content = NULL;

	put(f, "/var/lib/dpkg/status",
	    KERNEL_PACKAGE "Package: kmod-foo-" RELEASE
			   "\nStatus: install reinstreq half-installed\n"
			   "Architecture: all\nVersion: 1.0+kd1d1d1d1\n\n");
	put(f, "/var/lib/dpkg/info/kmod-foo-" RELEASE ".list",
	    "/.\n/lib\n/lib/modules\n/lib/modules/" RELEASE "\n/lib/modules/" RELEASE
	    "/updates\n/lib/modules/" RELEASE "/updates/dkms\n" DEST "foo.ko\n");
	recorder(f, "recover", "");
	g_assert_cmpint(f->status, ==, 0);
	list = listed(f);
	g_assert_cmpstr(list, ==, "");
	content = get(f, DEST "foo.ko");
	g_assert_cmpstr(content, ==, "foo");
	g_assert_false(is_there(f, DEST ".foo.ko.kmodsmith-kept"));
}

static void test_stamp_names_the_status_file(struct recorder *f, gconstpointer data)
{
	recorder(f, "stamp", "");
	g_assert_cmpint(f->status, ==, 0);
	g_assert_true(g_str_has_prefix(f->out, "/var/lib/dpkg/status\n"));
}

static void test_a_wrong_command_is_a_usage_error(struct recorder *f, gconstpointer data)
{
	recorder(f, "aply", "");
	g_assert_cmpint(f->status, ==, EX_USAGE);
}

static const struct {
	const char *name;
	void (*run)(struct recorder *f, gconstpointer data);
} tests[] = {
	{"an empty database lists nothing", test_an_empty_database_lists_nothing},
	{"wanted modules get an owner", test_wanted_modules_get_an_owner},
	{"of a split kernel the modules are depended on",
	 test_of_a_split_kernel_the_modules_are_depended_on},
	{"of several packages with modules the kernel's is depended on",
	 test_of_several_packages_with_modules_the_kernel_s_is_depended_on},
	{"a link gets an owner", test_a_link_gets_an_owner},
	{"what is recorded already is left alone",
	 test_what_is_recorded_already_is_left_alone},
	{"a changed file is not recorded and the others are",
	 test_a_changed_file_is_not_recorded_and_the_others_are},
	{"a record whose file was taken away goes",
	 test_a_record_whose_file_was_taken_away_goes},
	{"what a removed kernel left goes with its record",
	 test_what_a_removed_kernel_left_goes_with_its_record},
	{"a driver that the state forgot is never deleted",
	 test_a_driver_that_the_state_forgot_is_never_deleted},
	{"a record that something depends on is not forced away",
	 test_a_record_that_something_depends_on_is_not_forced_away},
	{"a file that changes its record is never deleted",
	 test_a_file_that_changes_its_record_is_never_deleted},
	{"names that collide are an error for the second",
	 test_names_that_collide_are_an_error_for_the_second},
	{"a package of another maker is never touched",
	 test_a_package_of_another_maker_is_never_touched},
	{"a file of another package is never taken",
	 test_a_file_of_another_package_is_never_taken},
	{"the owner of a file is a package of others",
	 test_owner_names_packages_of_others},
	{"a set that was cut off removes nothing",
	 test_a_set_that_was_cut_off_removes_nothing},
	{"a locked database leaves the package spooled",
	 test_a_locked_database_leaves_the_package_spooled},
	{"apt above us holds the frontend lock for us",
	 test_apt_above_us_holds_the_frontend_lock_for_us},
	{"a frontend lock that is not for us is respected",
	 test_a_frontend_lock_that_is_not_for_us_is_respected},
	{"an apt that was killed holds nothing for us",
	 test_an_apt_that_was_killed_holds_nothing_for_us},
	{"a package half installed is cured from the spool",
	 test_a_package_half_installed_is_cured_from_the_spool},
	{"only the record of a package beyond repair goes",
	 test_only_the_record_of_a_package_beyond_repair_goes},
	{"stamp names the status file", test_stamp_names_the_status_file},
	{"a wrong command is a usage error", test_a_wrong_command_is_a_usage_error},
};

static void skip(void)
{
	g_test_skip("dpkg changes a database for root only");
}

int main(int argc, char **argv)
{
	g_autofree char *dpkg = g_find_program_in_path("dpkg");

	g_test_init(&argc, &argv, NULL);
	if (geteuid() != 0 || !dpkg) {
		g_test_add_func("/dpkg-recorder/needs root and dpkg", skip);
		return g_test_run();
	}
	for (size_t i = 0; i < G_N_ELEMENTS(tests); i++) {
		g_autofree char *path =
			g_strconcat("/dpkg-recorder/", tests[i].name, NULL);

		g_test_add(path, struct recorder, NULL, set_up, tests[i].run,
			   recorder_tear_down);
	}
	return g_test_run();
}
