/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hints on missing headers. */
#include "cli/headers-hint.h"

#include "cli/message.h"
#include "core/record/record.h"

void ks_headers_init(struct ks_headers *headers)
{
	headers->releases = g_ptr_array_new_with_free_func(g_free);
}

void ks_headers_clear(struct ks_headers *headers)
{
	g_ptr_array_unref(headers->releases);
}

void ks_headers_add(struct ks_headers *headers, const struct ks_verdict *verdict)
{
	const char *release = verdict->target->kernel->release;

	if (verdict->state != KS_TARGET_WAITING ||
	    verdict->reason != KS_REASON_HEADERS_MISSING ||
	    g_ptr_array_find_with_equal_func(headers->releases, release, g_str_equal,
					     NULL))
		return;
	g_ptr_array_add(headers->releases, g_strdup(release));
}

void ks_headers_print_hints(const struct ks_headers *headers,
			    const struct ks_system *system)
{
	for (guint i = 0; i < headers->releases->len; i++) {
		const char *release = g_ptr_array_index(headers->releases, i);
		g_autofree char *meta = NULL;
		g_autofree char *package =
			ks_record_headers_package(system, release, &meta);

		if (package && meta)
			ks_message_hint("install the package '%s', or '%s', which "
					"brings those of later kernels, too; the rest "
					"happens by itself",
					package, meta);
		else if (package)
			ks_message_hint(
				"install the package '%s'; the rest happens by itself",
				package);
		else
			ks_message_hint(
				"no package with the headers of %s is known; install "
				"them, the rest happens by itself",
				release);
	}
}
