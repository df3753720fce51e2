/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kmodsmith cache: the store of built modules. */
#include <string.h>

#include "cli/change.h"
#include "cli/json-document.h"
#include "cli/message.h"
#include "cli/run.h"
#include "core/store/store.h"
#include "core/support/error.h"
#include "core/platform/lock.h"

#define SHORT_HASH 12

static json_t *entry_object(const struct ks_store_entry *entry)
{
	json_t *object = json_object();

	json_object_set_new(object, "fingerprint", ks_json_text(entry->fingerprint));
	json_object_set_new(object, "module", ks_json_text(entry->module));
	json_object_set_new(object, "version", ks_json_text(entry->version));
	json_object_set_new(object, "kernel", ks_json_text(entry->release));
	json_object_set_new(object, "arch", ks_json_text(entry->arch));
	json_object_set_new(object, "size_bytes",
			    json_integer((json_int_t)entry->size_bytes));
	json_object_set_new(object, "stored_at_us", json_integer(entry->stored_at_us));
	json_object_set_new(object, "used_at_us", json_integer(entry->used_at_us));
	json_object_set_new(object, "build_duration_ms",
			    json_integer(entry->duration_ms));
	json_object_set_new(object, "problem", ks_json_text(entry->problem));
	return object;
}

static guint64 total_size(const GPtrArray *entries)
{
	guint64 total = 0;

	for (guint i = 0; i < entries->len; i++)
		total += ((const struct ks_store_entry *)entries->pdata[i])->size_bytes;
	return total;
}

static void print_json(const struct ks_cli *cli, const GPtrArray *entries)
{
	json_t *document = ks_json_document_new();
	json_t *array = json_array();

	for (guint i = 0; i < entries->len; i++)
		json_array_append_new(array, entry_object(entries->pdata[i]));
	json_object_set_new(document, "size_bytes",
			    json_integer((json_int_t)total_size(entries)));
	json_object_set_new(
		document, "limit_bytes",
		json_integer((json_int_t)cli->settings->cache_size_mib << 20));
	json_object_set_new(document, "entries", array);
	ks_json_document_print(document);
}

static char *describe(const struct ks_store_entry *entry)
{
	g_autofree char *size =
		g_format_size_full(entry->size_bytes, G_FORMAT_SIZE_IEC_UNITS);
	g_autofree char *name = entry->module
					? g_strdup_printf("%s/%s on %s", entry->module,
							  entry->version, entry->release)
					: g_strdup("?");
	g_autofree char *line = g_strdup_printf(
		"%.*s %s: %s%s%s", SHORT_HASH, entry->fingerprint, name, size,
		entry->is_damaged ? ", damaged: "
		: entry->problem  ? ", not to be read now: "
				  : "",
		entry->problem ? entry->problem : "");

	return ks_message_clean(line);
}

static void print_text(const struct ks_cli *cli, const GPtrArray *entries)
{
	g_autofree char *size =
		g_format_size_full(total_size(entries), G_FORMAT_SIZE_IEC_UNITS);

	for (guint i = 0; i < entries->len; i++) {
		g_autofree char *line = describe(entries->pdata[i]);

		puts(line);
	}
	if (!cli->quiet)
		printf("%u of at most %u MiB: %s\n", entries->len,
		       cli->settings->cache_size_mib, size);
}

static int list(struct ks_cli *cli, bool check)
{
	g_autoptr(GPtrArray) entries = NULL;
	g_autoptr(GError) error = NULL;
	bool has_problem = false;

	/* the store is root's alone */
	if (!ks_change_require_root("read the cache", &error))
		return ks_message_fail(error);
	entries = ks_store_list(cli->system, &error);
	if (!entries)
		return ks_message_fail(error);
	for (guint i = 0; i < entries->len; i++) {
		struct ks_store_entry *entry = entries->pdata[i];

		if (check)
			ks_store_check(cli->system, entry);
		has_problem = has_problem || entry->problem;
	}
	if (cli->json)
		print_json(cli, entries);
	else
		print_text(cli, entries);
	return check && has_problem ? KS_EXIT_FAILED : KS_EXIT_OK;
}

static int clean(struct ks_cli *cli)
{
	ks_auto(ks_lock) lock = NULL;
	g_autoptr(GError) error = NULL;
	guint n_removed = 0;

	if (ks_run_is_disabled(cli))
		return KS_EXIT_OK;
	if (!ks_change_require_root("clean the cache", &error))
		return ks_message_fail(error);
	lock = ks_lock_acquire(cli->system, "cache clean", -1, NULL, NULL, &error);
	if (!lock || !ks_store_trim(cli->system, 0, &n_removed, &error))
		return ks_message_fail(error);
	if (!cli->quiet && !cli->json)
		ks_message_info("%u removed", n_removed);
	return cli->json ? list(cli, false) : KS_EXIT_OK;
}

static int run(struct ks_cli *cli, int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "list";

	if (strcmp(what, "list") == 0)
		return list(cli, false);
	if (strcmp(what, "verify") == 0)
		return list(cli, true);
	if (strcmp(what, "clean") == 0)
		return clean(cli);
	ks_message_error("'%s' is not 'list', 'verify' or 'clean'", what);
	return KS_EXIT_USAGE;
}

const struct ks_command ks_command_cache = {
	.name = "cache",
	.arguments = "[list|verify|clean]",
	.summary = "list, verify or empty the store of built modules",
	.description = "What was built is kept, so that nothing is built twice. 'list' "
		       "shows it, longest\nunused first, 'verify' reads all of it and "
		       "says what is damaged, 'clean' removes it.",
	.max_arguments = 1,
	.has_json = true,
	.run = run,
};
