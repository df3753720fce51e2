/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Log file, journal and message of the day. */
#include "cli/notify.h"

#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "cli/message.h"
#include "core/support/durable.h"
#include "core/support/process.h"

#define JOURNAL_SOCKET	 "/run/systemd/journal/socket"
#define MOTD_FRAGMENT	 "/run/motd.d/50-kmodsmith"
#define MOTD_MAX_TARGETS 10
#define MOTD_MAX_BYTES	 65536

void ks_notify_log(const struct ks_system *system, const char *format, ...)
{
	g_autofree char *path = g_build_filename(system->log_dir, "kmodsmith.log", NULL);
	g_autoptr(GDateTime) now = g_date_time_new_now_local();
	g_autofree char *time = g_date_time_format(now, "%Y-%m-%dT%H:%M:%S%z");
	g_autofree char *text = NULL;
	g_autofree char *clean = NULL;
	g_autofree char *line = NULL;
	ks_autofd int fd = -1;
	va_list args;

	if (geteuid() != 0 || !ks_root_mkdir_p(system->root, system->log_dir, 0755, NULL))
		return;
	fd = ks_root_openat(system->root, path, O_WRONLY | O_CREAT | O_APPEND, 0644,
			    NULL);
	if (fd < 0)
		return;
	va_start(args, format);
	text = g_strdup_vprintf(format, args);
	va_end(args);
	clean = ks_message_clean(text);
	line = g_strdup_printf("%s [%d] %s\n", time, (int)getpid(), clean);
	/* one write: lines of two processes do not mix */
	if (write(fd, line, strlen(line)) < 0)
		return;
}

/* systemd.journal-fields(7): one FIELD=value a line; cleaned values have no line end. */
static void add_field(GString *entry, const char *field, const char *value)
{
	g_autofree char *clean = ks_message_clean(value);

	if (clean)
		g_string_append_printf(entry, "%s=%s\n", field, clean);
}

static void send_entry(const struct ks_system *system, const GString *entry)
{
	static const char *const argv[] = {"logger", "--journald", NULL};
	struct ks_process_options options = KS_PROCESS_OPTIONS_INIT;
	g_autofree char *output = NULL;

	if (geteuid() != 0 || !ks_root_is_host(system->root) ||
	    access(JOURNAL_SOCKET, W_OK) != 0)
		return;
	options.argv = argv;
	output = ks_process_capture(&options, entry->str, 4096, NULL, NULL);
}

static GString *new_entry(const char *id, const char *priority, const char *text)
{
	GString *entry = g_string_new(NULL);
	g_autofree char *message = g_strdup_printf("kmodsmith: %s", text);

	add_field(entry, "MESSAGE_ID", id);
	add_field(entry, "PRIORITY", priority);
	add_field(entry, "SYSLOG_IDENTIFIER", "kmodsmith");
	add_field(entry, "MESSAGE", message);
	return entry;
}

void ks_notify_journal_failed(const struct ks_system *system,
			      const struct ks_verdict *verdict, const char *text)
{
	GString *entry = new_entry(KS_NOTIFY_ID_FAILED, "3", text);

	add_field(entry, "KMODSMITH_MODULE", verdict->target->source->name);
	add_field(entry, "KMODSMITH_VERSION", verdict->target->source->version);
	add_field(entry, "KMODSMITH_KERNEL", verdict->target->kernel->release);
	add_field(entry, "KMODSMITH_STATE", ks_target_state_id(verdict->state));
	add_field(entry, "KMODSMITH_REASON", ks_reason_id(verdict->reason));
	send_entry(system, entry);
	g_string_free(entry, TRUE);
}

void ks_notify_journal_done(const struct ks_system *system, const char *text)
{
	GString *entry = new_entry(KS_NOTIFY_ID_DONE, "6", text);

	send_entry(system, entry);
	g_string_free(entry, TRUE);
}

static void add_lost(GString *lines, const struct ks_plan *plan)
{
	guint n = 0;

	for (guint i = 0; i < plan->verdicts->len; i++) {
		g_autofree char *lost =
			ks_verdict_lost(g_ptr_array_index(plan->verdicts, i));
		g_autofree char *clean = lost ? ks_message_clean(lost) : NULL;

		if (clean && ++n <= MOTD_MAX_TARGETS)
			g_string_append_printf(lines, "  %s\n", clean);
	}
	if (n > MOTD_MAX_TARGETS)
		g_string_append_printf(lines, "  and %u more\n", n - MOTD_MAX_TARGETS);
}

static char *motd_text(const struct ks_plan *plan)
{
	g_autoptr(GString) lines = g_string_new(NULL);
	guint n = 0;

	for (guint i = 0; i < plan->verdicts->len; i++) {
		const struct ks_verdict *verdict = g_ptr_array_index(plan->verdicts, i);
		g_autofree char *name = NULL;
		g_autofree char *failure = NULL;
		g_autofree char *clean = NULL;

		if ((verdict->state != KS_TARGET_FAILED &&
		     verdict->state != KS_TARGET_BROKEN) ||
		    !ks_verdict_is_shown(verdict))
			continue;
		if (++n > MOTD_MAX_TARGETS)
			continue;
		name = ks_verdict_name(verdict);
		failure = ks_verdict_failure(verdict);
		clean = ks_message_clean(failure);
		g_string_append_printf(lines, "  %s: %s\n", name, clean);
	}
	if (n > MOTD_MAX_TARGETS)
		g_string_append_printf(lines, "  and %u more\n", n - MOTD_MAX_TARGETS);
	add_lost(lines, plan);
	if (!lines->len)
		return NULL;
	return g_strdup_printf("kmodsmith: kernel modules that could not be provided:\n%s"
			       "See 'kmodsmith explain MODULE'.\n",
			       lines->str);
}

void ks_notify_motd(const struct ks_system *system, const struct ks_plan *plan)
{
	g_autofree char *text = motd_text(plan);
	g_autofree char *former = NULL;

	if (geteuid() != 0)
		return;
	if (!text) {
		if (ks_root_exists(system->root, MOTD_FRAGMENT))
			ks_ignore(ks_durable_unlink(system->root, MOTD_FRAGMENT, NULL));
		return;
	}
	former = ks_root_read_file(system->root, MOTD_FRAGMENT, MOTD_MAX_BYTES, NULL,
				   NULL);
	if (g_strcmp0(text, former) != 0)
		ks_ignore(ks_durable_write(system->root, MOTD_FRAGMENT, text,
					   strlen(text), 0644, NULL));
}
