/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The progress line. */
#include "cli/progress.h"

#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/message.h"
#include "cli/find.h"

#define DEFAULT_COLUMNS 80

/* Where there is no terminal a line is printed so often while something runs. */
#define PLAIN_INTERVAL_US (10 * G_USEC_PER_SEC)

struct activity {
	const struct ks_action *action;
	char *step;
	gint64 started_us;
	gint64 estimate_ms;
	unsigned int files_done, files_known;
	unsigned int number;
};

struct ks_progress {
	bool terminal;
	bool quiet;
	bool verbose;
	bool drawn;
	GPtrArray *activities; /* struct activity, the longest running first */
	unsigned int total;
	gint64 printed_at_us; /* a plain line */
};

/* Any code may print a message; the line must be off the terminal then. */
static struct ks_progress *current;

static void erase(void)
{
	if (!current || !current->drawn)
		return;
	fputs("\r\033[K", stderr);
	fflush(stderr);
	current->drawn = false;
}

static void activity_free(gpointer data)
{
	struct activity *activity = data;

	g_free(activity->step);
	g_free(activity);
}

struct ks_progress *ks_progress_new(bool quiet, bool verbose)
{
	struct ks_progress *progress = g_new0(struct ks_progress, 1);
	const char *terminal_type = g_getenv("TERM");

	progress->terminal = isatty(STDERR_FILENO) && terminal_type && *terminal_type &&
			     strcmp(terminal_type, "dumb") != 0;
	progress->quiet = quiet;
	progress->verbose = verbose;
	progress->activities = g_ptr_array_new_with_free_func(activity_free);
	current = progress;
	ks_message_set_prepare(erase);
	return progress;
}

void ks_progress_free(struct ks_progress *progress)
{
	if (!progress)
		return;
	erase();
	ks_message_set_prepare(NULL);
	current = NULL;
	g_ptr_array_unref(progress->activities);
	g_free(progress);
}

static guint terminal_columns(void)
{
	struct winsize size;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		return size.ws_col;
	return DEFAULT_COLUMNS;
}

/* More than the last build had says that this is another one. */
static void append_files(GString *line, const struct activity *activity)
{
	bool is_known = activity->files_known >= activity->files_done;
	guint last = is_known ? activity->files_known : activity->files_done;

	if (!activity->files_done)
		return;
	g_string_append_printf(line, ", %u", activity->files_done);
	if (is_known)
		g_string_append_printf(line, " of %u", last);
	g_string_append(line, last == 1 ? " file" : " files");
}

static void append_time(GString *line, const struct activity *activity, gint64 elapsed_s)
{
	gint64 left_ms = activity->estimate_ms - elapsed_s * 1000;

	if (activity->estimate_ms >= 1000 && left_ms > 0)
		g_string_append_printf(line,
				       " (%" G_GINT64_FORMAT " s, about %" G_GINT64_FORMAT
				       " s left)",
				       elapsed_s, (left_ms + 999) / 1000);
	else if (elapsed_s > 0)
		g_string_append_printf(line, " (%" G_GINT64_FORMAT " s)", elapsed_s);
}

static char *describe(const struct ks_progress *progress)
{
	const struct activity *activity = g_ptr_array_index(progress->activities, 0);
	g_autofree char *name = ks_source_name_action(activity->action);
	gint64 elapsed_s =
		(g_get_monotonic_time() - activity->started_us) / G_USEC_PER_SEC;
	GString *line = g_string_new(NULL);

	if (activity->number)
		g_string_printf(line, "[%u/%u] ", activity->number, progress->total);
	g_string_append_printf(line, "%s: %s", name, activity->step);
	append_files(line, activity);
	append_time(line, activity, elapsed_s);
	if (progress->activities->len > 1)
		g_string_append_printf(line, " +%u", progress->activities->len - 1);
	return g_string_free(line, FALSE);
}

static void draw(struct ks_progress *progress)
{
	g_autofree char *line = NULL;
	g_autofree char *clean = NULL;
	g_autofree char *cut = NULL;

	if (!progress->activities->len) {
		erase();
		return;
	}
	line = describe(progress);
	clean = ks_message_clean(line);
	/* a line that wraps could not be redrawn */
	cut = g_utf8_substring(
		clean, 0, MIN(g_utf8_strlen(clean, -1), (glong)terminal_columns() - 1));
	fprintf(stderr, "\r%s\033[K", cut);
	fflush(stderr);
	progress->drawn = true;
}

static struct activity *find(const struct ks_progress *progress,
			     const struct ks_action *action)
{
	for (guint i = 0; i < progress->activities->len; i++) {
		struct activity *activity = g_ptr_array_index(progress->activities, i);

		if (activity->action == action)
			return activity;
	}
	return NULL;
}

static void begin(struct ks_progress *progress, const struct ks_event *event)
{
	struct activity *activity = g_new0(struct activity, 1);

	activity->action = event->action;
	activity->step = g_strdup(event->text ? event->text
					      : ks_action_kind_id(event->action->kind));
	activity->started_us = g_get_monotonic_time();
	activity->number = event->number;
	g_ptr_array_add(progress->activities, activity);
}

static bool is_long(const struct ks_action *action)
{
	return action->kind == KS_ACTION_BUILD || action->kind == KS_ACTION_INITRAMFS;
}

static void print_begun(struct ks_progress *progress, const struct ks_event *event)
{
	g_autofree char *name = NULL;

	if (event->kind != KS_EVENT_ACTION_START &&
	    !(event->kind == KS_EVENT_ACTION_STEP && progress->verbose))
		return;
	if (!is_long(event->action) && !progress->verbose)
		return;
	name = ks_source_name_action(event->action);
	fputs("kmodsmith: ", stderr);
	if (event->number)
		fprintf(stderr, "[%u/%u] ", event->number, event->total);
	fprintf(stderr, "%s: %s\n", name,
		event->kind == KS_EVENT_ACTION_START
			? ks_action_kind_id(event->action->kind)
			: event->text);
	progress->printed_at_us = g_get_monotonic_time();
}

/* Not a terminal: long work is reported when it begins, and how far it is now and then. */
static void print_plainly(struct ks_progress *progress, const struct ks_event *event)
{
	const gint64 now_us = g_get_monotonic_time();
	g_autofree char *line = NULL;
	g_autofree char *clean = NULL;

	if (event->kind != KS_EVENT_TICK && event->kind != KS_EVENT_ACTION_PROGRESS) {
		print_begun(progress, event);
		return;
	}
	if (!progress->activities->len ||
	    now_us - progress->printed_at_us < PLAIN_INTERVAL_US)
		return;
	line = describe(progress);
	clean = ks_message_clean(line);
	fprintf(stderr, "kmodsmith: %s\n", clean);
	progress->printed_at_us = now_us;
}

static void follow(struct ks_progress *progress, const struct ks_event *event)
{
	struct activity *activity;

	progress->total = event->total;
	if (event->kind == KS_EVENT_ACTION_START) {
		begin(progress, event);
		return;
	}
	activity = event->action ? find(progress, event->action) : NULL;
	if (!activity)
		return;
	if (event->kind == KS_EVENT_ACTION_PROGRESS) {
		activity->files_done = event->files_done;
		activity->files_known = event->files_known;
		activity->estimate_ms = event->estimate_ms;
	} else if (event->kind == KS_EVENT_ACTION_STEP) {
		g_free(activity->step);
		activity->step = g_strdup(event->text);
	} else {
		g_ptr_array_remove(progress->activities, activity);
	}
}

void ks_progress_observe(struct ks_progress *progress, const struct ks_event *event)
{
	if (progress->quiet)
		return;
	switch (event->kind) {
	case KS_EVENT_ACTION_START:
	case KS_EVENT_ACTION_STEP:
	case KS_EVENT_ACTION_DONE:
	case KS_EVENT_ACTION_FAILED:
	case KS_EVENT_ACTION_PROGRESS:
	case KS_EVENT_TICK:
		follow(progress, event);
		if (progress->terminal)
			draw(progress);
		else
			print_plainly(progress, event);
		break;
	case KS_EVENT_WAITING_FOR_LOCK:
	case KS_EVENT_RECOVERED:
	case KS_EVENT_PLANNED:
	case KS_EVENT_SIGNING:
	case KS_EVENT_SIGNED:
	case KS_EVENT_SIGN_FAILED:
	case KS_EVENT_ORIGINAL:
	case KS_EVENT_PLACED:
	case KS_EVENT_TAKEN:
	case KS_EVENT_REFUSED:
	case KS_EVENT_SCRIPT:
	case KS_EVENT_WEAK_MODULES:
	case KS_EVENT_NO_SCRIPT:
	case KS_EVENT_WARNING:
	case KS_EVENT_SANDBOX:
	case KS_EVENT_POST_TRANSACTION:
		break;
	}
}
