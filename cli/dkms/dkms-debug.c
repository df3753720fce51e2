/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the engine's events to a trace. */
#include "cli/dkms/dkms-debug.h"

#include <stdio.h>

#include "cli/message.h"
#include "cli/find.h"

static void trace(const char *what, const struct ks_event *event, const char *text)
{
	const struct ks_action *action = event->action;
	const struct ks_source *source = action ? ks_source_of_action(action) : NULL;
	const struct ks_kernel *kernel =
		action ? ks_source_kernel_of_action(action) : NULL;
	g_autofree char *clean = text ? ks_message_clean(text) : NULL;

	/* the two may be one terminal: keep them in order */
	fflush(stdout);
	fprintf(stderr, "+ %s", what);
	if (source)
		fprintf(stderr, " %s/%s", source->name, source->version);
	if (kernel)
		fprintf(stderr, " on %s", kernel->release);
	fprintf(stderr, "%s%s\n", clean ? ": " : "", clean ? clean : "");
}

static void trace_action(const struct ks_event *event)
{
	const struct ks_action *action = event->action;

	trace(ks_action_kind_id(action->kind), event,
	      action->detail ? action->detail : ks_reason_words(action->reason));
}

void ks_dkms_debug_print(const struct ks_event *event)
{
	switch (event->kind) {
	case KS_EVENT_ACTION_START:
		trace_action(event);
		break;
	case KS_EVENT_ACTION_STEP:
		trace(event->text, event, event->command);
		break;
	case KS_EVENT_ACTION_FAILED:
		trace("failed", event, event->error ? event->error->message : NULL);
		break;
	case KS_EVENT_SANDBOX:
		trace("sandbox", event, event->text);
		break;
	case KS_EVENT_SCRIPT:
		trace("script", event, event->text);
		break;
	default:
		break;
	}
}
