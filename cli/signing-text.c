/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reports of a key that was made, and of modules that are unsigned although
 * they should be signed.
 */
#include "cli/signing-text.h"

#include "cli/message.h"
#include "core/support/error.h"

static void print_created(const struct ks_signing *signing)
{
	ks_message_note("made the key '%s' to sign modules with", signing->pair->key);
	ks_message_hint("where Secure Boot is on, enrol it: mokutil --import %s",
			signing->pair->certificate);
}

static void print_problem(const struct ks_signing *signing)
{
	const char *hint = ks_error_get_hint(signing->problem);

	ks_message_warning("modules for %s are not signed: %s", signing->release,
			   signing->problem->message);
	if (hint)
		ks_message_hint("%s", hint);
}

void ks_signing_text_print(const struct ks_event *event, bool quiet)
{
	if (event->kind == KS_EVENT_SIGN_FAILED) {
		ks_message_warning("%s", event->text);
	} else if (event->kind == KS_EVENT_SIGNING && event->first) {
		if (event->signing->was_created && !quiet)
			print_created(event->signing);
		/* where signatures are enforced it is the action's failure */
		if (event->signing->problem && !ks_signing_is_fatal(event->signing, NULL))
			print_problem(event->signing);
	}
}
