/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One module file, as libkmod reads it. */
#include "core/module/examine.h"

#include <errno.h>
#include <libkmod.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/module/compress.h"
#include "core/support/error.h"
#include "core/support/write-all.h"

#define MAX_MODULE_BYTES     (1024ULL << 20)
#define MAX_LIST_ENTRIES     200000
#define MAX_VALUE_BYTES	     4096
#define COPY_BUFFER_BYTES    (128 * 1024)
#define ELF_HEAD_BYTES	     20
#define NOT_A_MODULE	     "it has no module information, it is not a kernel module"
#define ELF_TYPE_RELOCATABLE 1

struct ks_examined *ks_examined_new(void)
{
	struct ks_examined *examined = g_new0(struct ks_examined, 1);

	examined->aliases = g_ptr_array_new_with_free_func(g_free);
	examined->depends = g_ptr_array_new_with_free_func(g_free);
	examined->missing = g_ptr_array_new_with_free_func(g_free);
	examined->gpl_only = g_ptr_array_new(); /* names of imports */
	examined->exports = g_array_new(FALSE, FALSE, sizeof(struct ks_kmod_symbol));
	examined->imports = g_array_new(FALSE, FALSE, sizeof(struct ks_kmod_symbol));
	return examined;
}

static void free_symbols(GArray *symbols)
{
	for (guint i = 0; i < symbols->len; i++)
		g_free(g_array_index(symbols, struct ks_kmod_symbol, i).name);
	g_array_unref(symbols);
}

void ks_examined_free(struct ks_examined *examined)
{
	if (!examined)
		return;
	g_free(examined->vermagic);
	g_free(examined->version);
	g_free(examined->srcversion);
	g_free(examined->license);
	g_ptr_array_unref(examined->aliases);
	g_ptr_array_unref(examined->depends);
	g_ptr_array_unref(examined->gpl_only);
	g_ptr_array_unref(examined->missing);
	free_symbols(examined->exports);
	free_symbols(examined->imports);
	g_free(examined->problem);
	g_free(examined);
}

static bool copy_bytes(int from, int to, GError **error)
{
	g_autofree char *buffer = g_malloc(COPY_BUFFER_BYTES);
	guint64 total = 0;
	ssize_t got;

	while ((got = pread(from, buffer, COPY_BUFFER_BYTES, (off_t)total)) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			ks_error_set_errno(error, errno, "cannot read the module file");
			return false;
		}
		total += (guint64)got;
		if (total > MAX_MODULE_BYTES) {
			ks_error_set(error, KS_ERROR_INVALID, "more than %llu bytes",
				     MAX_MODULE_BYTES);
			return false;
		}
		if (!ks_write_all(to, buffer, (size_t)got)) {
			ks_error_set_errno(error, errno, "cannot copy the module file");
			return false;
		}
	}
	return true;
}

/*
 * A private copy: libkmod wants a path, and /proc/self/fd/N of the original
 * would need the worker's permission to open it again, and could change
 * between two reads. Decompressed here, with a bound that libkmod has not.
 */
static int snapshot(int fd, GError **error)
{
	ks_autofd int copy = memfd_create("module", MFD_CLOEXEC);
	unsigned char head[8];
	const char *suffix;
	ssize_t n;

	if (copy < 0) {
		ks_error_set_errno(error, errno, "cannot make a memory file");
		return -1;
	}
	n = pread(fd, head, sizeof(head), 0);
	if (n < 0) {
		ks_error_set_errno(error, errno, "cannot read the module file");
		return -1;
	}
	suffix = ks_compress_sniff(head, (size_t)n);
	if (suffix) {
		if (lseek(fd, 0, SEEK_SET) < 0 ||
		    !ks_decompress(fd, copy, suffix, MAX_MODULE_BYTES, error))
			return -1;
	} else if (!copy_bytes(fd, copy, error)) {
		return -1;
	}
	return ks_steal_fd(&copy);
}

/* libkmod reports everything but the machine, which the first 20 bytes have. */
static bool is_wanted_elf(int fd, const struct ks_examine_wanted *wanted)
{
	unsigned char head[ELF_HEAD_BYTES];
	unsigned int type, machine;
	bool big_endian;

	if (pread(fd, head, sizeof(head), 0) != sizeof(head) ||
	    memcmp(head, "\177ELF", 4))
		return false;
	big_endian = head[5] == 2;
	type = big_endian ? head[16] << 8 | head[17] : head[17] << 8 | head[16];
	machine = big_endian ? head[18] << 8 | head[19] : head[19] << 8 | head[18];
	return type == ELF_TYPE_RELOCATABLE &&
	       (!wanted->machine || machine == wanted->machine) &&
	       (!wanted->elf_class || head[4] == wanted->elf_class) &&
	       (!wanted->elf_data || head[5] == wanted->elf_data);
}

static void discard_log(void *data, int priority, const char *file, int line,
			const char *fn, const char *format, va_list args)
{
}

static char *bounded(const char *value)
{
	return g_strndup(value, MAX_VALUE_BYTES);
}

/* The first of a key that should be there once. */
static void set_once(char **field, const char *value)
{
	if (!*field)
		*field = bounded(value);
}

static void take_depends(struct ks_examined *examined, const char *value)
{
	g_auto(GStrv) names = g_strsplit(value, ",", MAX_LIST_ENTRIES);

	for (char **name = names; *name; name++)
		if (**name)
			g_ptr_array_add(examined->depends, bounded(*name));
}

static int take_info(struct kmod_module *mod, struct ks_examined *examined)
{
	struct kmod_list *list = NULL, *entry;
	int err = kmod_module_get_info(mod, &list);

	if (err < 0)
		return err;
	kmod_list_foreach(entry, list)
	{
		const char *key = kmod_module_info_get_key(entry);
		const char *value = kmod_module_info_get_value(entry);

		if (!strcmp(key, "vermagic"))
			set_once(&examined->vermagic, value);
		else if (!strcmp(key, "version"))
			set_once(&examined->version, value);
		else if (!strcmp(key, "srcversion"))
			set_once(&examined->srcversion, value);
		else if (!strcmp(key, "license"))
			set_once(&examined->license, value);
		else if (!strcmp(key, "depends"))
			take_depends(examined, value);
		else if (!strcmp(key, "alias") &&
			 examined->aliases->len < MAX_LIST_ENTRIES)
			g_ptr_array_add(examined->aliases, bounded(value));
	}
	kmod_module_info_free_list(list);
	return 0;
}

static void take_exports(struct kmod_module *mod, struct ks_examined *examined)
{
	struct kmod_list *list = NULL, *entry;

	/* a module that exports nothing gives an error as well as an empty list */
	if (kmod_module_get_symbols(mod, &list) < 0)
		return;
	kmod_list_foreach(entry, list)
	{
		struct ks_kmod_symbol symbol = {
			.name = bounded(kmod_module_symbol_get_symbol(entry)),
			.crc = (guint32)kmod_module_symbol_get_crc(entry),
		};

		g_array_append_val(examined->exports, symbol);
		if (examined->exports->len == MAX_LIST_ENTRIES)
			break;
	}
	kmod_module_symbols_free_list(list);
}

static int take_imports(struct kmod_module *mod, struct ks_examined *examined)
{
	struct kmod_list *list = NULL, *entry;
	int err = kmod_module_get_dependency_symbols(mod, &list);

	if (err < 0)
		return err;
	kmod_list_foreach(entry, list)
	{
		int bind = kmod_module_dependency_symbol_get_bind(entry);
		struct ks_kmod_symbol symbol = {
			.name = bounded(kmod_module_dependency_symbol_get_symbol(entry)),
			.crc = (guint32)kmod_module_dependency_symbol_get_crc(entry),
			.weak = bind == KMOD_SYMBOL_WEAK,
		};

		g_array_append_val(examined->imports, symbol);
		if (examined->imports->len == MAX_LIST_ENTRIES)
			break;
	}
	kmod_module_dependency_symbols_free_list(list);
	return 0;
}

static void take_all(struct kmod_module *mod, struct ks_examined *examined)
{
	int err = take_info(mod, examined);

	if (err == -ENOENT || err == -ENODATA) {
		examined->problem = g_strdup(NOT_A_MODULE);
		return;
	}
	if (err < 0) {
		examined->problem = g_strdup_printf(
			"it has no readable module information: %s", g_strerror(-err));
		return;
	}
	take_exports(mod, examined);
	err = take_imports(mod, examined);
	if (err < 0)
		examined->problem = g_strdup_printf("it has no readable symbol table: %s",
						    g_strerror(-err));
}

static sigjmp_buf crash_return;

static void on_crash(int signal_number)
{
	siglongjmp(crash_return, signal_number);
}

/*
 * libkmod asserts on some malformed files, and may fail in other ways: the file
 * is to blame then, and the others of the set are still read. The memory after
 * such a crash stays in this worker, which nobody trusts anyway.
 */
static void take_all_guarded(struct kmod_module *mod, struct ks_examined *examined)
{
	static const int signals[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE};
	const struct sigaction guard = {.sa_handler = on_crash};
	struct sigaction before[G_N_ELEMENTS(signals)];
	int crash;

	for (size_t i = 0; i < G_N_ELEMENTS(signals); i++)
		sigaction(signals[i], &guard, &before[i]);
	crash = sigsetjmp(crash_return, 1);
	if (crash == 0)
		take_all(mod, examined);
	else
		examined->problem = g_strdup_printf(
			"it cannot be read without a crash (%s)", strsignal(crash));
	for (size_t i = 0; i < G_N_ELEMENTS(signals); i++)
		sigaction(signals[i], &before[i], NULL);
}

bool ks_examine(int fd, const struct ks_examine_wanted *wanted,
		struct ks_examined *examined, GError **error)
{
	static const char *const no_config[] = {NULL};
	g_autoptr(GError) local = NULL;
	struct kmod_module *mod = NULL;
	struct kmod_ctx *ctx;
	char path[64];
	int err;
	ks_autofd int copy = snapshot(fd, &local);

	if (copy < 0 && g_error_matches(local, KS_ERROR, KS_ERROR_INVALID)) {
		examined->problem = g_strdup(local->message);
		return true;
	}
	if (copy < 0) {
		g_propagate_error(error, g_steal_pointer(&local));
		return false;
	}
	if (!is_wanted_elf(copy, wanted)) {
		examined->problem = wanted->arch
					    ? g_strdup_printf("not an ELF object for %s",
							      wanted->arch)
					    : g_strdup("not an ELF object");
		return true;
	}

	/*
	 * A context per file: two files of one name in a context give EEXIST. No
	 * configuration and no directory: nothing but the file is looked at. The
	 * module's name comes out as the descriptor's number; nobody asks for it.
	 */
	ctx = kmod_new("/nonexistent", no_config);
	if (!ctx) {
		ks_error_set(error, KS_ERROR_FAILED, "cannot start libkmod");
		return false;
	}
	kmod_set_log_fn(ctx, discard_log, NULL);
	g_snprintf(path, sizeof(path), "/proc/self/fd/%d", copy);
	err = kmod_module_new_from_path(ctx, path, &mod);
	if (err < 0) {
		ks_error_set_errno(error, -err, "cannot open '%s'", path);
	} else {
		take_all_guarded(mod, examined);
		kmod_module_unref(mod);
	}
	kmod_unref(ctx);
	return err >= 0;
}
