/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A recorder on a scratch database below a temporary directory, by --root, as a GLib test
 * fixture. The file that includes this defines RELEASE, the kernel's, and DEST, the
 * directory of its modules with a slash at its end.
 */
#pragma once

#include <glib/gstdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "core/record/record.h"
#include "core/support/process.h"
#include "core/platform/system.h"

struct recorder {
	char *dir;
	char *program;
	struct ks_system *system;
	int status; /* of the last recorder run */
	char *out, *err;
	GString *set; /* the desired set, without its head */
	guint n_records;
	const char *const *env; /* of the recorder; NULL for a clean one */
};

static inline char *in_dir(struct recorder *f, const char *path)
{
	return g_strconcat(f->dir, path, NULL);
}

static inline void put(struct recorder *f, const char *path, const char *content)
{
	g_autofree char *host = in_dir(f, path);
	g_autofree char *parent = g_path_get_dirname(host);

	g_assert_cmpint(g_mkdir_with_parents(parent, 0755), ==, 0);
	g_assert_true(g_file_set_contents(host, content, -1, NULL));
	g_assert_cmpint(chmod(host, 0644), ==, 0);
}

static inline char *get(struct recorder *f, const char *path)
{
	g_autofree char *host = in_dir(f, path);
	char *content = NULL;

	g_file_get_contents(host, &content, NULL, NULL);
	return content;
}

static inline bool is_there(struct recorder *f, const char *path)
{
	g_autofree char *host = in_dir(f, path);

	return g_file_test(host, G_FILE_TEST_EXISTS);
}

static inline char *read_all(int fd)
{
	char buffer[16384];
	ssize_t n = pread(fd, buffer, sizeof(buffer) - 1, 0);

	g_assert_cmpint(n, >=, 0);
	buffer[n] = '\0';
	return g_strdup(buffer);
}

static inline void recorder_with(struct recorder *f, const char *const *command,
				 const char *input)
{
	const char *argv[] = {f->program, "--root", f->dir, command[0], command[1], NULL};
	struct ks_process_options options = KS_PROCESS_OPTIONS_INIT;
	ks_autofd int in = memfd_create("in", MFD_CLOEXEC);
	ks_autofd int out = memfd_create("out", MFD_CLOEXEC);
	ks_autofd int err = memfd_create("err", MFD_CLOEXEC);
	g_autoptr(GError) error = NULL;
	int wait_status;

	g_assert_cmpint(write(in, input, strlen(input)), ==, strlen(input));
	lseek(in, 0, SEEK_SET);
	options.argv = argv;
	options.env = f->env;
	options.stdin_fd = in;
	options.stdout_fd = out;
	options.stderr_fd = err;
	g_assert_true(ks_process_run(&options, &wait_status, &error));
	g_assert_true(WIFEXITED(wait_status));
	f->status = WEXITSTATUS(wait_status);
	g_free(f->out);
	g_free(f->err);
	f->out = read_all(out);
	f->err = read_all(err);
}

static inline void recorder(struct recorder *f, const char *command, const char *input)
{
	const char *const words[] = {command, NULL};

	recorder_with(f, words, input);
}

/* Add a record of one installed file to the desired set. */
static inline void want(struct recorder *f, const char *module, const char *file,
			const char *content, const char *digest)
{
	g_autofree char *sha256 =
		g_compute_checksum_for_string(G_CHECKSUM_SHA256, content, -1);

	f->n_records++;
	g_string_append_printf(
		f->set,
		"record=kmod-%s-" RELEASE "\nmodule=%s\nversion=1.0\nkernel=" RELEASE
		"\narch=x86_64\ndigest=%s\nfingerprint=f\nfile=" DEST "%s %s %zu 644\n\n",
		module, module, digest, file, sha256, strlen(content));
}

/* The same for an installed link. */
static inline void want_link(struct recorder *f, const char *module, const char *file,
			     const char *text, const char *digest)
{
	f->n_records++;
	g_string_append_printf(
		f->set,
		"record=kmod-%s-" RELEASE "\nmodule=%s\nversion=1.0\nkernel=" RELEASE
		"\narch=x86_64\ndigest=%s\nfingerprint=f\nlink=" DEST "%s %s\n\n",
		module, module, digest, file, text);
}

static inline void apply(struct recorder *f)
{
	g_autofree char *text = g_strdup_printf("protocol=1\nrecords=%u\n\n%s",
						f->n_records, f->set->str);

	recorder(f, "apply", text);
	g_string_truncate(f->set, 0);
	f->n_records = 0;
}

/* "PACKAGE DIGEST FLAGS\n" for what list says. */
static inline char *listed(struct recorder *f)
{
	g_autoptr(GPtrArray) entries = NULL;
	g_autoptr(GError) error = NULL;
	GString *out = g_string_new(NULL);

	recorder(f, "list", "");
	g_assert_cmpint(f->status, ==, 0);
	entries = ks_record_parse_list(f->out, strlen(f->out), "list", &error);
	g_assert_no_error(error);
	for (guint i = 0; i < entries->len; i++) {
		const struct ks_record_entry *entry = g_ptr_array_index(entries, i);

		g_string_append_printf(out, "%s %s%s%s\n", entry->package, entry->digest,
				       entry->complete ? " complete" : "",
				       entry->ours ? " ours" : "");
	}
	return g_string_free(out, FALSE);
}

static inline void recorder_set_up(struct recorder *f, const char *program)
{
	const char *libexec = g_getenv("KMODSMITH_LIBEXECDIR");

	f->dir = g_dir_make_tmp("kmodsmith-recorder-XXXXXX", NULL);
	f->program = g_canonicalize_filename(program, libexec ? libexec : "libexec");
	f->system = ks_system_new(f->dir, NULL);
	f->set = g_string_new(NULL);
}

static inline void recorder_tear_down(struct recorder *f, gconstpointer data)
{
	const char *argv[] = {"rm", "-rf", "--one-file-system", f->dir, NULL};
	struct ks_process_options options = KS_PROCESS_OPTIONS_INIT;
	int wait_status;

	options.argv = argv;
	g_assert_true(ks_process_run(&options, &wait_status, NULL));
	ks_system_free(f->system);
	g_string_free(f->set, TRUE);
	g_free(f->dir);
	g_free(f->program);
	g_free(f->out);
	g_free(f->err);
}
