/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names, versions and bytes of the packages that own modules on dpkg systems. */
#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/support/error.h"
#include "plugins/apt/debname.h"
#include "plugins/apt/headers-name.h"
#include "plugins/apt/debwriter.h"

#define CONTROL "Package: kmod-foo-1\nVersion: 1+k00000000\n"
#define MTIME	1700000000

static void test_names_become_what_dpkg_allows(void)
{
	static const struct {
		const char *from, *to;
	} cases[] = {
		{"kmod-foo-6.1.0-56-amd64", "kmod-foo-6.1.0-56-amd64"},
		{"kmod-tp_smapi-6.1.0", "kmod-tp-smapi-6.1.0"},
		{"kmod-VBox-6.1.0", "kmod-vbox-6.1.0"},
		{"kmod-foo-6.12~rc1", "kmod-foo-6.12.rc1"},
		{"kmod-a b@c-1", "kmod-a-b-c-1"},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *name = ks_deb_package_name(cases[i].from);

		g_assert_cmpstr(name, ==, cases[i].to);
	}
}

static void test_versions_become_what_dpkg_allows(void)
{
	static const struct {
		const char *from, *to;
	} cases[] = {
		{"1.2.2", "1.2.2+k01234567"},
		{"v1.2_3", "0~v1.2.3+k01234567"},
		{"git123", "0~git123+k01234567"},
		{"1:2 3", "1.2.3+k01234567"},
		{"0~20220829+git", "0~20220829+git+k01234567"},
		{"1.0-2", "1.0-2+k01234567"},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *version =
			ks_deb_version(cases[i].from, "0123456789abcdef");

		g_assert_cmpstr(version, ==, cases[i].to);
	}
}

static void file_free(gpointer data)
{
	ks_deb_file_free(data);
}

static void add_file(GPtrArray *files, const char *path, const char *content)
{
	struct ks_deb_file *file = g_new0(struct ks_deb_file, 1);

	file->path = g_strdup(path);
	file->fd = memfd_create("file", MFD_CLOEXEC);
	g_assert_cmpint(write(file->fd, content, strlen(content)), ==, strlen(content));
	file->sha256 = g_compute_checksum_for_string(G_CHECKSUM_SHA256, content, -1);
	file->size_bytes = strlen(content);
	file->mode = 0644;
	file->mtime = MTIME;
	g_ptr_array_add(files, file);
}

static GBytes *write_deb(GPtrArray *files, GError **error)
{
	const struct ks_deb deb = {.control = CONTROL, .files = files};
	int fd = memfd_create("deb", MFD_CLOEXEC);
	GBytes *bytes = NULL;
	off_t size;

	if (ks_deb_write(&deb, fd, error)) {
		size = lseek(fd, 0, SEEK_END);
		char *data = g_malloc((gsize)size);

		g_assert_cmpint(pread(fd, data, (size_t)size, 0), ==, size);
		bytes = g_bytes_new_take(data, (gsize)size);
	}
	close(fd);
	return bytes;
}

static GPtrArray *two_files(void)
{
	GPtrArray *files = g_ptr_array_new_with_free_func(file_free);

	add_file(files, "/lib/modules/1/updates/dkms/foo.ko", "foo\n");
	add_file(files, "/lib/modules/1/updates/dkms/bar.ko", "bar bar\n");
	return files;
}

/* "NAME:SIZE " of every entry; the content of the entry called want goes to *content. */
static char *list_archive(const void *data, size_t size_bytes, const char *want,
			  GBytes **content)
{
	struct archive *archive = archive_read_new();
	struct archive_entry *entry;
	GString *out = g_string_new(NULL);

	archive_read_support_format_all(archive);
	g_assert_cmpint(archive_read_open_memory(archive, data, size_bytes), ==,
			ARCHIVE_OK);
	while (archive_read_next_header(archive, &entry) == ARCHIVE_OK) {
		gsize size = (gsize)archive_entry_size(entry);

		g_assert_cmpint(archive_entry_mtime(entry), ==, MTIME);
		g_assert_cmpint(archive_entry_uid(entry), ==, 0);
		g_string_append_printf(out, "%s:%zu ", archive_entry_pathname(entry),
				       size);
		if (strcmp(archive_entry_pathname(entry), want) == 0) {
			char *bytes = g_malloc(size);

			g_assert_cmpint(archive_read_data(archive, bytes, size), ==,
					size);
			*content = g_bytes_new_take(bytes, size);
		}
	}
	archive_read_free(archive);
	return g_string_free(out, FALSE);
}

static char *list_bytes(GBytes *bytes, const char *want, GBytes **content)
{
	gsize size;
	const void *data = g_bytes_get_data(bytes, &size);

	return list_archive(data, size, want, content);
}

static void test_a_package_holds_control_md5sums_and_sorted_files(void)
{
	g_autoptr(GPtrArray) files = two_files();
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) deb = write_deb(files, &error);
	g_autoptr(GBytes) control = NULL;
	g_autoptr(GBytes) data = NULL;
	g_autoptr(GBytes) md5sums = NULL;
	g_autoptr(GBytes) bar = NULL;
	g_autofree char *members = NULL, *again = NULL, *inner = NULL, *outer = NULL;

	g_assert_no_error(error);
	members = list_bytes(deb, "control.tar", &control);
	g_assert_true(g_str_has_prefix(members, "debian-binary:4 control.tar:"));
	again = list_bytes(deb, "data.tar", &data);
	inner = list_bytes(control, "./md5sums", &md5sums);
	g_assert_cmpstr(inner, ==, "./:0 ./control:41 ./md5sums:136 ");
	g_assert_cmpmem(
		g_bytes_get_data(md5sums, NULL), g_bytes_get_size(md5sums),
		"7e6f897cb88be8a4a236b6a284b77660  lib/modules/1/updates/dkms/bar.ko\n"
		"d3b07384d113edec49eaa6238ad5ff00  lib/modules/1/updates/dkms/foo.ko\n",
		136);
	outer = list_bytes(data, "./lib/modules/1/updates/dkms/bar.ko", &bar);
	g_assert_cmpstr(outer, ==,
			"./:0 ./lib/:0 ./lib/modules/:0 ./lib/modules/1/:0 "
			"./lib/modules/1/updates/:0 ./lib/modules/1/updates/dkms/:0 "
			"./lib/modules/1/updates/dkms/bar.ko:8 "
			"./lib/modules/1/updates/dkms/foo.ko:4 ");
	g_assert_cmpmem(g_bytes_get_data(bar, NULL), g_bytes_get_size(bar), "bar bar\n",
			8);
}

static void test_the_same_files_give_the_same_bytes(void)
{
	g_autoptr(GPtrArray) once = two_files();
	g_autoptr(GPtrArray) twice = two_files();
	g_autoptr(GBytes) first = write_deb(once, NULL);
	g_autoptr(GBytes) second = NULL;

	/* also when they are given in another order */
	g_ptr_array_add(twice, g_ptr_array_steal_index(twice, 0));
	second = write_deb(twice, NULL);
	g_assert_true(g_bytes_equal(first, second));
}

static void test_a_file_that_differs_from_its_digest_is_refused(void)
{
	g_autoptr(GPtrArray) files = two_files();
	struct ks_deb_file *file = g_ptr_array_index(files, 0);
	g_autoptr(GError) error = NULL;

	g_assert_cmpint(pwrite(file->fd, "F", 1, 0), ==, 1);
	g_assert_null(write_deb(files, &error));
	g_assert_error(error, KS_ERROR, KS_ERROR_INVALID);
}

static void test_a_file_that_became_shorter_is_refused(void)
{
	g_autoptr(GPtrArray) files = two_files();
	struct ks_deb_file *file = g_ptr_array_index(files, 0);
	g_autoptr(GError) error = NULL;

	g_assert_cmpint(ftruncate(file->fd, 2), ==, 0);
	g_assert_null(write_deb(files, &error));
	g_assert_error(error, KS_ERROR, KS_ERROR_INVALID);
}

static void test_a_full_disk_is_told_as_such(void)
{
	g_autoptr(GPtrArray) files = two_files();
	const struct ks_deb deb = {.control = CONTROL, .files = files};
	g_autoptr(GError) error = NULL;
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

	g_assert_false(ks_deb_write(&deb, fd, &error));
	g_assert_error(error, KS_ERROR, KS_ERROR_NO_SPACE);
	close(fd);
}

static void test_headers_are_called_after_their_kernel(void)
{
	static const struct {
		const char *kernel, *headers;
	} cases[] = {
		{"linux-image-6.1.0-50-amd64", "linux-headers-6.1.0-50-amd64"},
		{"linux-image-unsigned-6.8.0-31-generic",
		 "linux-headers-6.8.0-31-generic"},
		{"linux-modules-6.8.0-31-generic", "linux-headers-6.8.0-31-generic"},
		{"proxmox-kernel-6.8.12-4-pve-signed", "proxmox-headers-6.8.12-4-pve"},
		{"proxmox-kernel-6.8", "proxmox-headers-6.8"},
		{"pve-kernel-5.15.30-2-pve", "pve-headers-5.15.30-2-pve"},
		{"linux-image-current-rockchip64", "linux-headers-current-rockchip64"},
		{"linux-image-6.12.25+rpt-rpi-2712",
		 "linux-headers-6.12.25+rpt-rpi-2712"},
		{"bash", NULL},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *name = ks_headers_name_of(cases[i].kernel);

		g_assert_cmpstr(name, ==, cases[i].headers);
	}
	g_auto(GStrv) kernels = ks_headers_kernel_names("linux-headers-rpi-2712");
	g_assert_true(
		g_strv_contains((const char *const *)kernels, "linux-image-rpi-2712"));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/deb/names become what dpkg allows",
			test_names_become_what_dpkg_allows);
	g_test_add_func("/deb/versions become what dpkg allows",
			test_versions_become_what_dpkg_allows);
	g_test_add_func("/deb/a package holds control, md5sums and sorted files",
			test_a_package_holds_control_md5sums_and_sorted_files);
	g_test_add_func("/deb/the same files give the same bytes",
			test_the_same_files_give_the_same_bytes);
	g_test_add_func("/deb/a file that differs from its digest is refused",
			test_a_file_that_differs_from_its_digest_is_refused);
	g_test_add_func("/deb/a file that became shorter is refused",
			test_a_file_that_became_shorter_is_refused);
	g_test_add_func("/deb/headers are called after their kernel",
			test_headers_are_called_after_their_kernel);
	g_test_add_func("/deb/a full disk is told as such",
			test_a_full_disk_is_told_as_such);
	return g_test_run();
}
