/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What apt says before it installs, as it says it. */
#include "plugins/apt/transaction.h"

#include <glib.h>
#include <string.h>

#define SETTINGS                                                                         \
	"VERSION 3\n"                                                                    \
	"APT::Architecture=amd64\n"                                                      \
	"Dir=/\n"                                                                        \
	"Dir::State=var/lib/apt/\n"                                                      \
	"RootDir=\n"                                                                     \
	"Debug::pkgDPkgPM=\n"                                                            \
	"DPkg::Pre-Install-Pkgs::=/usr/libexec/x linux-image-1 - -\n"
#define CACHE "/var/cache/apt/archives/"
#define KERNEL                                                                           \
	"linux-headers-6.1.0-57-amd64 - - none < 6.1.192-3 amd64 none " CACHE            \
	"linux-headers-6.1.0-57-amd64_6.1.192-3_amd64.deb\n"                             \
	"linux-headers-6.1.0-57-common - - none < 6.1.192-3 all foreign " CACHE          \
	"linux-headers-6.1.0-57-common_6.1.192-3_all.deb\n"                              \
	"linux-kbuild-6.1 6.1.176-1 amd64 foreign < 6.1.192-3 amd64 foreign " CACHE      \
	"linux-kbuild-6.1_6.1.192-3_amd64.deb\n"                                         \
	"linux-image-6.1.0-57-amd64 - - none < 6.1.192-3 amd64 none " CACHE              \
	"linux-image-6.1.0-57-amd64_6.1.192-3_amd64.deb\n"                               \
	"linux-image-amd64 6.1.176-1 amd64 none < 6.1.192-3 amd64 none " CACHE           \
	"linux-image-amd64_6.1.192-3_amd64.deb\n"                                        \
	"linux-image-6.1.0-57-amd64 - - none < 6.1.192-3 amd64 none **CONFIGURE**\n"

static bool read_text(const char *text, struct ks_transaction *transaction)
{
	FILE *file = fmemopen((char *)text, strlen(text), "r");
	bool ok = ks_transaction_read(file, transaction);

	fclose(file);
	return ok;
}

static void test_a_kernel_and_its_headers_are_found(void)
{
	struct ks_transaction transaction;

	g_assert_true(read_text(SETTINGS "\n" KERNEL, &transaction));
	g_assert_false(transaction.is_none_of_ours);
	g_assert_cmpuint(transaction.n_releases, ==, 1);
	g_assert_cmpstr(transaction.releases[0], ==, "6.1.0-57-amd64");
	g_assert_cmpuint(transaction.n_files, ==, 3);
	g_assert_cmpstr(transaction.files[2], ==,
			CACHE "linux-kbuild-6.1_6.1.192-3_amd64.deb");
	ks_transaction_clear(&transaction);
}

static void test_names_of_kernels(void)
{
	static const struct {
		const char *package, *release;
	} cases[] = {
		{"linux-image-6.8.0-50-generic", "6.8.0-50-generic"},
		{"linux-image-unsigned-6.8.0-50-generic", "6.8.0-50-generic"},
		{"linux-image-6.1.0-57-amd64-unsigned", "6.1.0-57-amd64"},
		{"proxmox-kernel-6.8.12-4-pve-signed", "6.8.12-4-pve"},
		{"pve-kernel-5.15.0-1-pve", "5.15.0-1-pve"},
		{"linux-image-6.1.0-57-amd64-dbg", NULL},
		{"linux-image-amd64", NULL},
		{"linux-image-rpi-2712", NULL},
		{"linux-modules-6.8.0-50-generic", NULL},
		{"memtest86+", NULL},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *text = g_strdup_printf(
			SETTINGS "\n%s - - none < 1 amd64 none /a b.deb\n",
			cases[i].package);
		struct ks_transaction transaction;

		g_assert_true(read_text(text, &transaction));
		g_assert_cmpuint(transaction.n_releases, ==, cases[i].release != NULL);
		if (transaction.n_releases)
			g_assert_cmpstr(transaction.releases[0], ==, cases[i].release);
		ks_transaction_clear(&transaction);
	}
}

static void test_what_is_only_removed_or_configured_is_nothing(void)
{
	struct ks_transaction transaction;

	g_assert_true(read_text(
		SETTINGS "\n"
			 "linux-image-6.1.0-50-amd64 6.1.176-1 amd64 none > - - none "
			 "**REMOVE**\n"
			 "linux-image-6.1.0-57-amd64 - - none < 6 amd64 none "
			 "**CONFIGURE**\n"
			 "linux-image-6.1.0-58-amd64 - -\n",
		&transaction));
	g_assert_cmpuint(transaction.n_releases, ==, 0);
	g_assert_cmpuint(transaction.n_files, ==, 0);
	ks_transaction_clear(&transaction);
}

static void test_dry_runs_other_trees_and_who_wants_none(void)
{
	static const char *const lines[] = {
		"Debug::pkgDPkgPM=1",
		"debug::pkgdpkgpm=true",
		"Kmodsmith::Preflight=off",
		"Kmodsmith::Preflight=false",
		"Dir=/mnt/",
		"RootDir=/mnt",
		"DPkg::Chroot-Directory=/mnt",
	};
	static const char *const harmless[] = {
		"Kmodsmith::Preflight=on", "Kmodsmith::Preflight=",
		"Debug::pkgDPkgPM=false",  "DPkg::Chroot-Directory=/",
		"Dir::Cache=/mnt",
	};
	struct ks_transaction transaction;

	for (size_t i = 0; i < G_N_ELEMENTS(lines); i++) {
		g_autofree char *text =
			g_strdup_printf(SETTINGS "%s\n\n" KERNEL, lines[i]);

		g_assert_true(read_text(text, &transaction));
		g_assert_true(transaction.is_none_of_ours);
		ks_transaction_clear(&transaction);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(harmless); i++) {
		g_autofree char *text =
			g_strdup_printf(SETTINGS "%s\n\n" KERNEL, harmless[i]);

		g_assert_true(read_text(text, &transaction));
		g_assert_false(transaction.is_none_of_ours);
		ks_transaction_clear(&transaction);
	}
}

static void test_what_is_not_version_3_is_left_alone(void)
{
	static const char *const texts[] = {
		CACHE "linux-image-6.1.0-57-amd64_6.1.192-3_amd64.deb\n",
		"VERSION 4\n\n" KERNEL,
		"\n" KERNEL,
		"x",
	};
	struct ks_transaction transaction;

	for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
		g_assert_false(read_text(texts[i], &transaction));
		g_assert_cmpuint(transaction.n_releases, ==, 0);
		ks_transaction_clear(&transaction);
	}
}

static void test_more_than_there_is_room_for(void)
{
	g_autoptr(GString) text = g_string_new(SETTINGS "\n");
	struct ks_transaction transaction;

	for (int i = 0; i < 100; i++)
		g_string_append_printf(text,
				       "linux-image-%d - - none < 1 amd64 none /i\n"
				       "linux-headers-%d - - none < 1 amd64 none /h\n",
				       i, i);
	g_assert_true(read_text(text->str, &transaction));
	g_assert_cmpuint(transaction.n_releases, ==, KS_TRANSACTION_KERNELS);
	g_assert_cmpuint(transaction.n_files, ==, KS_TRANSACTION_FILES);
	ks_transaction_clear(&transaction);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_set_nonfatal_assertions();
	g_test_add_func("/transaction/kernel", test_a_kernel_and_its_headers_are_found);
	g_test_add_func("/transaction/names", test_names_of_kernels);
	g_test_add_func("/transaction/others",
			test_what_is_only_removed_or_configured_is_nothing);
	g_test_add_func("/transaction/none",
			test_dry_runs_other_trees_and_who_wants_none);
	g_test_add_func("/transaction/version", test_what_is_not_version_3_is_left_alone);
	g_test_add_func("/transaction/many", test_more_than_there_is_room_for);
	return g_test_run();
}
