/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Collecting and printing what a run did. */
#include "cli/report.h"

#include <string.h>

#include "cli/headers-hint.h"
#include "cli/message.h"
#include "cli/notify.h"
#include "cli/find.h"
#include "core/record/record.h"
#include "core/support/durable.h"
#include "core/support/error.h"

#define REPORTED_MAX_BYTES (1024 * 1024)

/* Something that was done: "built, installed" to "evdi/1.12.0 on 6.1.0-56-amd64". */
struct item {
	char *name;
	GPtrArray *words; /* char * */
};

struct failure {
	char *name;
	enum ks_action_kind kind;
	GError *error;
};

struct ks_report {
	const struct ks_system *system;
	gint64 image_began_us;	     /* the latest initramfs */
	GPtrArray *items;	     /* struct item, in the order of events */
	GPtrArray *failures;	     /* struct failure */
	GHashTable *recorded_before; /* package name -> record digest */
	unsigned int n_recorded;
};

static void item_free(gpointer data)
{
	struct item *item = data;

	g_free(item->name);
	g_ptr_array_unref(item->words);
	g_free(item);
}

static void failure_free(gpointer data)
{
	struct failure *failure = data;

	g_free(failure->name);
	g_error_free(failure->error);
	g_free(failure);
}

static GHashTable *digests_of(GPtrArray *records)
{
	GHashTable *digests =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);

	for (guint i = 0; records && i < records->len; i++) {
		const struct ks_record_entry *entry = g_ptr_array_index(records, i);

		if (entry->ours)
			g_hash_table_insert(
				digests, g_strdup(entry->package),
				g_strdup(entry->complete ? entry->digest : ""));
	}
	return digests;
}

struct ks_report *ks_report_new(const struct ks_system *system)
{
	struct ks_report *report = g_new0(struct ks_report, 1);
	g_autoptr(GPtrArray) records = ks_record_list(system, NULL);

	report->system = system;
	report->items = g_ptr_array_new_with_free_func(item_free);
	report->failures = g_ptr_array_new_with_free_func(failure_free);
	report->recorded_before = digests_of(records);
	return report;
}

void ks_report_free(struct ks_report *report)
{
	if (!report)
		return;
	g_ptr_array_unref(report->items);
	g_ptr_array_unref(report->failures);
	g_hash_table_unref(report->recorded_before);
	g_free(report);
}

static void add_word(struct ks_report *report, const char *name, const char *word)
{
	struct item *item = NULL;

	for (guint i = 0; i < report->items->len && !item; i++) {
		struct item *other = g_ptr_array_index(report->items, i);

		if (g_str_equal(other->name, name))
			item = other;
	}
	if (!item) {
		item = g_new0(struct item, 1);
		item->name = g_strdup(name);
		item->words = g_ptr_array_new_with_free_func(g_free);
		g_ptr_array_add(report->items, item);
	}
	g_ptr_array_add(item->words, g_strdup(word));
}

static const char *const done_words[] = {
	[KS_ACTION_ADD] = "added",
	[KS_ACTION_BUILD] = "built",
	[KS_ACTION_SIGN] = "signed again",
	[KS_ACTION_INSTALL] = "installed",
	[KS_ACTION_UNINSTALL] = "uninstalled",
	[KS_ACTION_UNBUILD] = "build dropped",
	[KS_ACTION_REMOVE] = "removed",
	[KS_ACTION_DEPMOD] = NULL, /* follows from the others */
	[KS_ACTION_INITRAMFS] = "initramfs refreshed",
	[KS_ACTION_UNRENEWED] = NULL, /* printed as a warning */
	[KS_ACTION_DEVICES] = NULL,
	[KS_ACTION_RECORD] = NULL,	     /* read from what the database holds */
	[KS_ACTION_POST_TRANSACTION] = NULL, /* printed before it runs */
	[KS_ACTION_PRUNE] = NULL,
};

/* What people wait for longest has its time, once it is worth a word. */
static char *time_image(const struct ks_report *report, const char *word)
{
	gint64 took_s =
		(g_get_monotonic_time() - report->image_began_us) / G_USEC_PER_SEC;

	return took_s > 0 ? g_strdup_printf("%s in %" G_GINT64_FORMAT " s", word, took_s)
			  : NULL;
}

static void add_done(struct ks_report *report, const struct ks_action *action)
{
	g_autofree char *name = ks_source_name_action(action);
	const char *word = done_words[action->kind];
	g_autofree char *timed = NULL;

	if (!word)
		return;
	if (action->kind == KS_ACTION_INITRAMFS)
		timed = time_image(report, word);
	add_word(report, name, timed ? timed : word);
	ks_notify_log(report->system, "%s: %s (%s)", name, timed ? timed : word,
		      ks_reason_id(action->reason));
}

static void add_failure(struct ks_report *report, const struct ks_event *event)
{
	struct failure *failure = g_new0(struct failure, 1);

	failure->name = ks_source_name_action(event->action);
	failure->kind = event->action->kind;
	failure->error = event->error ? g_error_copy(event->error)
				      : g_error_new(KS_ERROR, KS_ERROR_FAILED,
						    "it gave no reason");
	g_ptr_array_add(report->failures, failure);
	ks_notify_log(report->system, "error: %s: %s failed: %s%s%s", failure->name,
		      ks_action_kind_id(failure->kind), failure->error->message,
		      event->first_error ? ": " : "",
		      event->first_error ? event->first_error : "");
}

void ks_report_observe(struct ks_report *report, const struct ks_event *event)
{
	switch (event->kind) {
	case KS_EVENT_ACTION_START:
		if (event->action->kind == KS_ACTION_INITRAMFS)
			report->image_began_us = g_get_monotonic_time();
		break;
	case KS_EVENT_ACTION_DONE:
		add_done(report, event->action);
		break;
	case KS_EVENT_ACTION_FAILED:
		add_failure(report, event);
		break;
	case KS_EVENT_POST_TRANSACTION:
		ks_notify_log(report->system, "post_transaction: %s", event->text);
		break;
	case KS_EVENT_WARNING:
	case KS_EVENT_SIGN_FAILED:
		ks_notify_log(report->system, "warning: %s", event->text);
		break;
	case KS_EVENT_SANDBOX:
		ks_notify_log(report->system, "sandbox: %s", event->text);
		break;
	case KS_EVENT_RECOVERED:
		ks_notify_log(report->system, "%s", event->text);
		break;
	case KS_EVENT_WAITING_FOR_LOCK:
	case KS_EVENT_PLANNED:
	case KS_EVENT_SIGNING:
	case KS_EVENT_SIGNED:
	case KS_EVENT_ACTION_STEP:
	case KS_EVENT_ORIGINAL:
	case KS_EVENT_PLACED:
	case KS_EVENT_TAKEN:
	case KS_EVENT_REFUSED:
	case KS_EVENT_SCRIPT:
	case KS_EVENT_WEAK_MODULES:
	case KS_EVENT_NO_SCRIPT:
	case KS_EVENT_ACTION_PROGRESS:
	case KS_EVENT_TICK:
		break;
	}
}

/* --- the records that were made */

static char *name_of_record(const struct ks_record_entry *entry)
{
	if (!entry->module || !entry->version || !entry->release)
		return g_strdup(entry->package);
	return g_strdup_printf("%s/%s on %s", entry->module, entry->version,
			       entry->release);
}

static void add_recorded(struct ks_report *report, const struct ks_inventory *inventory)
{
	g_autoptr(GHashTable) after = digests_of(inventory->records);
	GHashTableIter iter;
	gpointer package;

	for (guint i = 0; inventory->records && i < inventory->records->len; i++) {
		const struct ks_record_entry *entry =
			g_ptr_array_index(inventory->records, i);
		g_autofree char *name = name_of_record(entry);
		g_autofree char *word = g_strdup_printf("recorded as %s", entry->package);

		if (!entry->ours || !entry->complete ||
		    g_strcmp0(entry->digest, g_hash_table_lookup(report->recorded_before,
								 entry->package)) == 0)
			continue;
		add_word(report, name, word);
		report->n_recorded++;
		ks_notify_log(report->system, "%s: %s", name, word);
	}
	g_hash_table_iter_init(&iter, report->recorded_before);
	while (g_hash_table_iter_next(&iter, &package, NULL)) {
		if (g_hash_table_contains(after, package))
			continue;
		add_word(report, package, "removed from the package database");
		ks_notify_log(report->system, "%s: removed from the package database",
			      (char *)package);
	}
}

/* --- failures and waits that were reported already */

static bool is_told(const struct ks_verdict *verdict)
{
	return ks_verdict_is_shown(verdict) &&
	       (verdict->state == KS_TARGET_FAILED ||
		verdict->state == KS_TARGET_BROKEN || verdict->target->unresolved ||
		(verdict->state == KS_TARGET_WAITING && verdict->wanted));
}

/* One line; a failure that happens again after a change has another time. */
static char *key_of(const struct ks_verdict *verdict)
{
	const struct ks_failure *failure = verdict->target->failure;
	g_autofree char *name = ks_verdict_name(verdict);
	g_autofree char *detail = ks_message_clean(verdict->detail);

	return g_strdup_printf("%s %s %s %" G_GINT64_FORMAT " %s", name,
			       ks_target_state_id(verdict->state),
			       ks_reason_id(verdict->reason),
			       failure ? failure->failed_at_us : 0, detail ? detail : "");
}

static char *key_of_problem(const char *problem)
{
	g_autofree char *clean = ks_message_clean(problem);

	return g_strdup_printf("problem %s", clean);
}

static char *key_of_lost(const struct ks_verdict *verdict)
{
	g_autofree char *lost = ks_verdict_lost(verdict);
	g_autofree char *clean = ks_message_clean(lost);

	return g_strdup_printf("lost %s", clean);
}

static char *reported_path(const struct ks_system *system)
{
	return g_build_filename(system->run_dir, "reported", NULL);
}

static char *load_reported(const struct ks_system *system)
{
	g_autofree char *path = reported_path(system);

	return ks_root_read_file(system->root, path, REPORTED_MAX_BYTES, NULL, NULL);
}

static void store_reported(const struct ks_system *system,
			   const struct ks_outcome *outcome, const char *former)
{
	const struct ks_plan *plan = outcome->plan;
	g_autofree char *path = reported_path(system);
	g_autoptr(GString) text = g_string_new(NULL);

	for (guint i = 0; i < plan->verdicts->len; i++) {
		const struct ks_verdict *verdict = g_ptr_array_index(plan->verdicts, i);
		g_autofree char *key = is_told(verdict) ? key_of(verdict) : NULL;

		if (key)
			g_string_append_printf(text, "%s\n", key);
		if (verdict->lost_from) {
			g_autofree char *lost = key_of_lost(verdict);

			g_string_append_printf(text, "%s\n", lost);
		}
	}
	for (guint i = 0; i < outcome->inventory->problems->len; i++) {
		g_autofree char *key = key_of_problem(
			g_ptr_array_index(outcome->inventory->problems, i));

		g_string_append_printf(text, "%s\n", key);
	}
	if (g_strcmp0(text->str, former ? former : "") != 0)
		ks_ignore(ks_durable_write(system->root, path, text->str, text->len, 0644,
					   NULL));
}

/* --- printing */

struct printing {
	const struct ks_report *report;
	const struct ks_outcome *outcome;
	const struct ks_run_options *options;
	const struct ks_selection *selection;
	char **told_before;	   /* lines of run_dir/reported; NULL: nothing */
	struct ks_headers headers; /* those that are missed */
	enum ks_report_what what;
	guint n_lines;
};

static bool is_told_before(const struct printing *printing, const char *key)
{
	return printing->told_before &&
	       g_strv_contains((const char *const *)printing->told_before, key);
}

static bool is_new(const struct printing *printing, const struct ks_verdict *verdict)
{
	g_autofree char *key = key_of(verdict);

	return !is_told_before(printing, key);
}

static void print_items(struct printing *printing)
{
	for (guint i = 0; i < printing->report->items->len; i++) {
		const struct item *item = g_ptr_array_index(printing->report->items, i);
		g_autofree char *words = NULL;

		g_ptr_array_add(item->words, NULL);
		words = g_strjoinv(", ", (char **)item->words->pdata);
		g_ptr_array_set_size(item->words, (int)item->words->len - 1);
		printing->n_lines++;
		if (printing->what == KS_REPORT_ALL)
			ks_message_info("%s: %s", item->name, words);
	}
}

static void print_waiting(struct printing *printing, const struct ks_verdict *verdict)
{
	g_autofree char *line = ks_verdict_line(verdict);

	ks_message_warning("%s", line);
	ks_headers_add(&printing->headers, verdict);
}

static void print_failed(const struct ks_verdict *verdict)
{
	const struct ks_source *source = verdict->target->source;
	g_autofree char *name = ks_verdict_name(verdict);
	g_autofree char *failure = ks_verdict_failure(verdict);

	ks_message_error("%s: %s", name, failure);
	if (verdict->state == KS_TARGET_FAILED && verdict->target->failure &&
	    verdict->target->failure->hint)
		ks_message_hint("%s", verdict->target->failure->hint);
	if (verdict->reason == KS_REASON_OCCUPIED)
		ks_message_hint("remove that file or its package, or 'kmodsmith remove "
				"%s/%s'; the next run does the rest",
				source->name, source->version);
	else if (verdict->state == KS_TARGET_FAILED)
		ks_message_hint(
			"'kmodsmith log %s/%s --kernel %s' shows the whole log; it is "
			"tried again when an input, a package or the headers change, "
			"or with 'kmodsmith sync'",
			source->name, source->version, verdict->target->kernel->release);
	else
		ks_message_hint("see 'kmodsmith explain %s/%s'", source->name,
				source->version);
}

static bool is_failed(const struct ks_verdict *verdict)
{
	return verdict->state == KS_TARGET_FAILED || verdict->state == KS_TARGET_BROKEN;
}

static void print_verdicts(struct printing *printing, bool failed)
{
	const struct ks_plan *plan = printing->outcome->plan;

	for (guint i = 0; i < plan->verdicts->len; i++) {
		const struct ks_verdict *verdict = g_ptr_array_index(plan->verdicts, i);
		bool fresh;

		if (!is_told(verdict) || is_failed(verdict) != failed ||
		    !ks_selection_has(printing->selection, verdict->target))
			continue;
		fresh = is_new(printing, verdict);
		if (fresh && failed && !printing->options->no_record) {
			g_autofree char *name = ks_verdict_name(verdict);
			g_autofree char *failure = ks_verdict_failure(verdict);
			g_autofree char *text = g_strdup_printf("%s: %s", name, failure);

			ks_notify_journal_failed(printing->report->system, verdict, text);
		}
		if (printing->options->trigger && !fresh)
			continue;
		printing->n_lines++;
		if (failed && printing->what != KS_REPORT_OTHERS)
			print_failed(verdict);
		else if (!failed && printing->what == KS_REPORT_ALL)
			print_waiting(printing, verdict);
	}
}

/* The last lines: nobody may boot without having been told. */
static void print_lost(struct printing *printing)
{
	const struct ks_plan *plan = printing->outcome->plan;

	for (guint i = 0; i < plan->verdicts->len; i++) {
		const struct ks_verdict *verdict = g_ptr_array_index(plan->verdicts, i);
		g_autofree char *lost = ks_verdict_lost(verdict);
		g_autofree char *key = lost ? key_of_lost(verdict) : NULL;

		if (!lost ||
		    (printing->options->trigger && is_told_before(printing, key)))
			continue;
		printing->n_lines++;
		if (printing->what == KS_REPORT_OTHERS)
			continue;
		ks_message_warning("%s", lost);
		ks_notify_log(printing->report->system, "warning: %s", lost);
	}
}

/* The state that it has left says so as well. */
static bool is_told_by_verdict(const struct printing *printing,
			       const struct failure *failure)
{
	const struct ks_plan *plan = printing->outcome->plan;

	if (failure->kind != KS_ACTION_INSTALL)
		return false;
	for (guint i = 0; i < plan->verdicts->len; i++) {
		const struct ks_verdict *verdict = g_ptr_array_index(plan->verdicts, i);
		g_autofree char *name = ks_verdict_name(verdict);

		if (verdict->reason == KS_REASON_OCCUPIED &&
		    g_str_equal(name, failure->name))
			return true;
	}
	return false;
}

/* Actions that failed; a failed build is reported by its target's verdict. */
static void print_failures(struct printing *printing)
{
	for (guint i = 0; i < printing->report->failures->len; i++) {
		const struct failure *failure =
			g_ptr_array_index(printing->report->failures, i);
		const char *hint = ks_error_get_hint(failure->error);

		if (g_error_matches(failure->error, KS_ERROR, KS_ERROR_BUILD_FAILED) ||
		    g_error_matches(failure->error, KS_ERROR, KS_ERROR_VERIFY_FAILED) ||
		    is_told_by_verdict(printing, failure))
			continue;
		if (printing->what == KS_REPORT_OTHERS &&
		    failure->kind != KS_ACTION_INITRAMFS &&
		    failure->kind != KS_ACTION_RECORD && failure->kind != KS_ACTION_PRUNE)
			continue;
		printing->n_lines++;
		ks_message_error("%s: %s failed: %s", failure->name,
				 ks_action_kind_id(failure->kind),
				 failure->error->message);
		if (hint)
			ks_message_hint("%s", hint);
	}
}

/* Directories in source_tree that are no usable sources. */
static void print_problems(struct printing *printing)
{
	const GPtrArray *problems = printing->outcome->inventory->problems;

	if (printing->what == KS_REPORT_OTHERS && printing->selection->module)
		return;
	for (guint i = 0; i < problems->len; i++) {
		const char *problem = g_ptr_array_index(problems, i);
		g_autofree char *key = key_of_problem(problem);

		if (printing->options->trigger && is_told_before(printing, key))
			continue;
		printing->n_lines++;
		ks_message_error("%s", problem);
	}
}

static void print_pending(struct printing *printing)
{
	if (!printing->outcome->record_busy)
		return;
	printing->n_lines++;
	ks_message_warning("%s; the modules are in place, and the next run records them",
			   printing->outcome->record_busy);
}

static void notify_done(const struct ks_report *report, const struct ks_outcome *outcome)
{
	g_autofree char *text = NULL;

	if (!report->items->len)
		return;
	text = g_strdup_printf(
		"%u built, %u installed, %u removed, %u recorded, %u failed (%.1f s)",
		outcome->n_built, outcome->n_installed, outcome->n_removed,
		report->n_recorded, outcome->n_failed,
		(double)outcome->duration_ms / 1000.0);
	ks_notify_log(report->system, "done: %s", text);
	ks_notify_journal_done(report->system, text);
}

void ks_report_print(struct ks_report *report, const struct ks_outcome *outcome,
		     const struct ks_run_options *options,
		     const struct ks_selection *selection, enum ks_report_what what)
{
	g_autofree char *former = load_reported(report->system);
	struct printing printing = {
		.report = report,
		.outcome = outcome,
		.options = options,
		.selection = selection,
		.told_before = former ? g_strsplit(former, "\n", -1) : NULL,
		.what = what,
	};

	ks_headers_init(&printing.headers);
	add_recorded(report, outcome->inventory);
	print_problems(&printing);
	print_items(&printing);
	print_verdicts(&printing, false);
	ks_headers_print_hints(&printing.headers, report->system);
	print_pending(&printing);
	print_failures(&printing);
	print_verdicts(&printing, true);
	print_lost(&printing);
	if (!printing.n_lines && !options->trigger && what == KS_REPORT_ALL)
		ks_message_info("nothing to do");
	notify_done(report, outcome);
	ks_notify_motd(report->system, outcome->plan);
	if (!options->no_record)
		store_reported(report->system, outcome, former);
	ks_headers_clear(&printing.headers);
	g_strfreev(printing.told_before);
}
