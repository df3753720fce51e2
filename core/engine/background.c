/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A list of running things; each kind has its start, its descriptor and its end. */
#include "core/engine/background.h"

#include <fcntl.h>
#include <poll.h>

#include "core/engine/sign-again.h"
#include "core/install/install.h"
#include "core/install/run-tool.h"

struct entry {
	guint index;
	const struct ks_action *action;
	struct ks_tool *tool;		/* of depmod */
	struct ks_initramfs *initramfs; /* of initramfs */
	struct ks_sign_again *again;	/* of sign */
};

struct ks_background {
	const struct ks_action_context *context;
	GArray *entries; /* struct entry */
};

struct ks_background *ks_background_new(const struct ks_action_context *context)
{
	struct ks_background *background = g_new0(struct ks_background, 1);

	background->context = context;
	background->entries = g_array_new(FALSE, FALSE, sizeof(struct entry));
	return background;
}

void ks_background_free(struct ks_background *background)
{
	if (!background)
		return;
	GError *failure = NULL;
	guint index;

	ks_background_cancel(background);
	while (ks_background_take(background, true, &index, &failure))
		g_clear_error(&failure);
	g_array_unref(background->entries);
	g_free(background);
}

bool ks_background_is(const struct ks_action *action)
{
	return action->kind == KS_ACTION_DEPMOD || action->kind == KS_ACTION_INITRAMFS ||
	       action->kind == KS_ACTION_SIGN;
}

bool ks_background_have_room(const struct ks_background *background,
			     const struct ks_action *action)
{
	for (guint i = 0; i < background->entries->len; i++)
		if (g_array_index(background->entries, struct entry, i).action->kind ==
			    KS_ACTION_INITRAMFS &&
		    action->kind == KS_ACTION_INITRAMFS)
			return false;
	return true;
}

static int open_initramfs_log(const struct ks_system *system)
{
	g_autofree char *path = g_build_filename(system->log_dir, "initramfs.log", NULL);

	if (!ks_root_mkdir_p(system->root, system->log_dir, 0755, NULL))
		return -1;
	return ks_root_openat(system->root, path, O_WRONLY | O_CREAT | O_APPEND, 0640,
			      NULL);
}

static bool start_initramfs(const struct ks_system *system, struct ks_kernel *kernel,
			    struct ks_initramfs **initramfs, GError **error)
{
	ks_autofd int log_fd = -1;

	log_fd = open_initramfs_log(system);
	return ks_install_initramfs_start(system, kernel, log_fd, initramfs, error);
}

bool ks_background_start(struct ks_background *background, guint index,
			 const struct ks_action *action, bool *runs, GError **error)
{
	const struct ks_action_context *context = background->context;
	struct entry entry = {.index = index, .action = action};
	bool ok = true;

	if (action->kind == KS_ACTION_SIGN) {
		entry.again = ks_sign_again_start(context, action, error);
		ok = entry.again != NULL;
	} else if (action->kind == KS_ACTION_INITRAMFS) {
		ok = start_initramfs(context->system, action->kernel, &entry.initramfs,
				     error);
	} else if (!context->options->no_depmod) {
		ok = ks_install_depmod_start(context->system, action->kernel, &entry.tool,
					     error);
	}
	*runs = entry.tool || entry.initramfs || entry.again;
	if (*runs)
		g_array_append_val(background->entries, entry);
	return ok;
}

guint ks_background_count(const struct ks_background *background)
{
	return background->entries->len;
}

static int fd_of(const struct entry *entry)
{
	if (entry->tool)
		return ks_run_tool_fd(entry->tool);
	return entry->initramfs ? ks_install_initramfs_fd(entry->initramfs)
				: ks_sign_again_fd(entry->again);
}

static struct pollfd make_pollfd(const struct entry *entry)
{
	return (struct pollfd){.fd = fd_of(entry), .events = POLLIN};
}

void ks_background_poll(const struct ks_background *background, struct pollfd *fds)
{
	for (guint i = 0; i < background->entries->len; i++)
		fds[i] =
			make_pollfd(&g_array_index(background->entries, struct entry, i));
}

static void finish(const struct entry *entry, GError **failure)
{
	/* whichever fails sets *failure, which is the answer */
	if (entry->again)
		ks_ignore(ks_sign_again_finish(entry->again, failure));
	else if (entry->initramfs)
		ks_ignore(ks_install_initramfs_finish(entry->initramfs, failure));
	else
		ks_ignore(ks_install_depmod_finish(entry->action->kernel, entry->tool,
						   failure));
}

bool ks_background_take(struct ks_background *background, bool wait, guint *index,
			GError **failure)
{
	for (guint i = 0; i < background->entries->len; i++) {
		const struct entry entry =
			g_array_index(background->entries, struct entry, i);
		struct pollfd pollfd = make_pollfd(&entry);

		if (!wait && poll(&pollfd, 1, 0) != 1)
			continue;
		g_array_remove_index(background->entries, i);
		finish(&entry, failure);
		*index = entry.index;
		return true;
	}
	return false;
}

void ks_background_cancel(struct ks_background *background)
{
	for (guint i = background->entries->len; i-- > 0;) {
		const struct entry *entry =
			&g_array_index(background->entries, struct entry, i);

		if (!entry->again)
			continue;
		ks_sign_again_cancel(entry->again);
		g_array_remove_index(background->entries, i);
	}
}
