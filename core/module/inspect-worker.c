/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libexec/kmodsmith/inspect: reads hostile module files, unprivileged.
 *
 *	inspect check		request on stdin, answer on stdout (wire.h)
 *	inspect compress .xz 0	module on stdin, compressed on stdout
 *	inspect decompress .xz	the reverse
 *
 * The request's first block describes the kernel (release or weak, arch, machine,
 * class, data, and symvers=FD LABEL lines, whose files may be compressed); one block
 * with fd=N for each module follows. The answer is one block for each module, in order,
 * then a block with end=COUNT; or a block with error=TEXT. Descriptors are inherited.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/module/compress.h"
#include "core/module/examine.h"
#include "core/module/wire.h"
#include "core/support/error.h"

#define MAX_REQUEST_BYTES (4 * 1024 * 1024)
#define MAX_MODULE_BYTES  (512ULL << 20)

/* the address sanitizer maps terabytes for itself */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define MAX_MEMORY_BYTES RLIM_INFINITY
/* and cannot look for leaks inside the sandbox */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}
#else
#define MAX_MEMORY_BYTES (4ULL << 30)
#endif

struct request {
	struct ks_examine_wanted wanted;
	GPtrArray *tables; /* struct ks_symvers */
	GArray *fds;	   /* int */
	GPtrArray *set;	   /* struct ks_examined */
};

static char *read_fd(int fd, size_t max_bytes, size_t *size_bytes, GError **error)
{
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	g_autofree guint8 *buffer = g_malloc(65536);
	ssize_t got;

	while ((got = read(fd, buffer, 65536)) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			ks_error_set_errno(error, errno, "cannot read");
			return NULL;
		}
		if (bytes->len + (size_t)got > max_bytes) {
			ks_error_set(error, KS_ERROR_INVALID, "more than %zu bytes",
				     max_bytes);
			return NULL;
		}
		g_byte_array_append(bytes, buffer, (guint)got);
	}
	*size_bytes = bytes->len;
	g_byte_array_append(bytes, (const guint8 *)"", 1);
	return (char *)g_byte_array_free(g_steal_pointer(&bytes), FALSE);
}

/* The name in a distribution's kernel package: /boot/symvers-K.gz. NULL: not readable. */
static char *read_symvers(int fd, size_t *size_bytes, GError **error)
{
	ks_autofd int plain = -1;
	unsigned char head[8];
	ssize_t n = pread(fd, head, sizeof(head), 0);
	const char *suffix = n > 0 ? ks_compress_sniff(head, (size_t)n) : NULL;

	if (!suffix)
		return read_fd(fd, KS_SYMVERS_MAX_BYTES, size_bytes, error);
	plain = memfd_create("symvers", MFD_CLOEXEC);
	if (plain < 0) {
		ks_error_set_errno(error, errno, "cannot make a memory file");
		return NULL;
	}
	if (!ks_decompress(fd, plain, suffix, KS_SYMVERS_MAX_BYTES, error))
		return NULL;
	if (lseek(plain, 0, SEEK_SET) < 0) {
		ks_error_set_errno(error, errno, "cannot read");
		return NULL;
	}
	return read_fd(plain, KS_SYMVERS_MAX_BYTES, size_bytes, error);
}

static bool load_table(struct request *request, const char *value, GError **error)
{
	const char *label = strchr(value, ' ');
	struct ks_symvers *table;
	g_autofree char *text = NULL;
	size_t size_bytes = 0;

	label = label ? label + 1 : "Module.symvers";
	text = read_symvers(atoi(value), &size_bytes, error);
	if (!text) {
		g_prefix_error(error, "'%s': ", label);
		return false;
	}
	table = ks_symvers_parse(text, size_bytes, label, error);
	if (!table)
		return false;
	g_ptr_array_add(request->tables, table);
	return true;
}

static bool take_line(struct request *request, const char *key, const char *value,
		      GError **error)
{
	struct ks_examine_wanted *wanted = &request->wanted;
	int fd;

	if (!strcmp(key, "symvers"))
		return load_table(request, value, error);
	if (!strcmp(key, "release")) {
		wanted->release = g_strdup(value);
	} else if (!strcmp(key, "weak")) {
		wanted->weak = true;
	} else if (!strcmp(key, "arch")) {
		wanted->arch = g_strdup(value);
	} else if (!strcmp(key, "machine")) {
		wanted->machine = (unsigned int)atoi(value);
	} else if (!strcmp(key, "class")) {
		wanted->elf_class = (unsigned int)atoi(value);
	} else if (!strcmp(key, "data")) {
		wanted->elf_data = (unsigned int)atoi(value);
	} else if (!strcmp(key, "fd")) {
		fd = atoi(value);
		g_array_append_val(request->fds, fd);
	}
	return true;
}

static bool read_request(struct request *request, GError **error)
{
	size_t size_bytes = 0;
	g_autofree char *text =
		read_fd(STDIN_FILENO, MAX_REQUEST_BYTES, &size_bytes, error);
	struct ks_wire_reader reader = {.next = text};
	const char *key, *value;
	enum ks_wire_token token;

	if (!text)
		return false;
	while ((token = ks_wire_read(&reader, &key, &value)) != KS_WIRE_END) {
		if (token == KS_WIRE_BAD) {
			ks_error_set(error, KS_ERROR_INVALID, "malformed request");
			return false;
		}
		if (token == KS_WIRE_LINE && !take_line(request, key, value, error))
			return false;
	}
	return true;
}

static void put_field(GString *answer, const char *key, const char *value)
{
	if (value)
		ks_wire_append(answer, key, value);
}

static void put_module(GString *answer, const struct ks_examined *examined, guint index)
{
	ks_wire_append_format(answer, "module", "%u", index);
	put_field(answer, "vermagic", examined->vermagic);
	put_field(answer, "version", examined->version);
	put_field(answer, "srcversion", examined->srcversion);
	put_field(answer, "license", examined->license);
	for (guint i = 0; i < examined->aliases->len; i++)
		put_field(answer, "alias", g_ptr_array_index(examined->aliases, i));
	for (guint i = 0; i < examined->depends->len; i++)
		put_field(answer, "depends", g_ptr_array_index(examined->depends, i));
	for (guint i = 0; i < examined->exports->len; i++) {
		const struct ks_kmod_symbol *symbol =
			&g_array_index(examined->exports, struct ks_kmod_symbol, i);

		ks_wire_append_format(answer, "export", "0x%08x %s", symbol->crc,
				      symbol->name);
	}
	for (guint i = 0; i < examined->gpl_only->len; i++)
		put_field(answer, "gpl-only", g_ptr_array_index(examined->gpl_only, i));
	for (guint i = 0; i < examined->missing->len; i++)
		put_field(answer, "missing", g_ptr_array_index(examined->missing, i));
	put_field(answer, examined->is_unresolved ? "unresolved" : "problem",
		  examined->problem);
	ks_wire_end_block(answer);
}

static bool examine_all(struct request *request, GString *answer, GError **error)
{
	if (!read_request(request, error))
		return false;
	for (guint i = 0; i < request->fds->len; i++) {
		struct ks_examined *examined = ks_examined_new();

		g_ptr_array_add(request->set, examined);
		if (!ks_examine(g_array_index(request->fds, int, i), &request->wanted,
				examined, error))
			return false;
	}
	ks_examine_check(request->set, request->tables, &request->wanted);
	for (guint i = 0; i < request->set->len; i++)
		put_module(answer, g_ptr_array_index(request->set, i), i);
	ks_wire_append_format(answer, "end", "%u", request->set->len);
	ks_wire_end_block(answer);
	return true;
}

/* Otherwise messages of libraries would appear among the lines of the answer. */
static void silence_stderr(void)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	if (null >= 0) {
		dup2(null, STDERR_FILENO);
		close(null);
	}
}

static int check(void)
{
	struct request request = {
		.tables = g_ptr_array_new_with_free_func((GDestroyNotify)ks_symvers_free),
		.fds = g_array_new(FALSE, FALSE, sizeof(int)),
		.set = g_ptr_array_new_with_free_func((GDestroyNotify)ks_examined_free),
	};
	g_autoptr(GString) answer = g_string_new(NULL);
	g_autoptr(GError) error = NULL;

	silence_stderr();
	if (!examine_all(&request, answer, &error)) {
		g_string_truncate(answer, 0);
		ks_wire_append(answer, "error", error->message);
		ks_wire_end_block(answer);
	}
	g_ptr_array_unref(request.tables);
	g_ptr_array_unref(request.set);
	g_array_unref(request.fds);
	g_free(request.wanted.release);
	g_free(request.wanted.arch);
	if (fwrite(answer->str, 1, answer->len, stdout) != answer->len || fflush(stdout))
		return 1;
	return 0;
}

static int recode(const char *suffix, unsigned int level, bool back)
{
	g_autoptr(GError) error = NULL;

	if (back ? ks_decompress(STDIN_FILENO, STDOUT_FILENO, suffix, MAX_MODULE_BYTES,
				 &error)
		 : ks_compress(STDIN_FILENO, STDOUT_FILENO, suffix, level, &error))
		return 0;
	fprintf(stderr, "%s\n", error->message);
	return 1;
}

int main(int argc, char **argv)
{
	const struct rlimit memory = {MAX_MEMORY_BYTES, MAX_MEMORY_BYTES};

	/* a file that makes a library want all memory ends the worker, not the machine */
	if (setrlimit(RLIMIT_DATA, &memory) < 0)
		return 1;
	if (argc == 2 && !strcmp(argv[1], "check"))
		return check();
	if (argc == 4 && !strcmp(argv[1], "compress"))
		return recode(argv[2], (unsigned int)atoi(argv[3]), false);
	if (argc == 3 && !strcmp(argv[1], "decompress"))
		return recode(argv[2], 0, true);
	fprintf(stderr, "usage: inspect check | inspect compress SUFFIX LEVEL | inspect "
			"decompress SUFFIX\n");
	return 2;
}
