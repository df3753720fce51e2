/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Objects of one kernel for another whose headers compile alike. In the sandbox, as the
 * build's user, the helper program (worker-objects.c) takes what make has left, and puts
 * it into another build's tree before make, with Kbuild's own notes about it: so make
 * finds it up to date, or, when its command is another, compiles. After make it looks
 * whether anything that the objects were made from has changed meanwhile; then, and when
 * such a build fails, all of it is built once more, in full.
 *
 * One entry of the store for each module and flavour of kernels; its key is the digest of
 * the headers and of the compiler.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/build/build-private.h"
#include "core/build/objects-command.h"
#include "core/build/probe-private.h"
#include "core/build/wrapper.h"
#include "core/support/digest.h"
#include "core/support/error.h"

#define TIMEOUT_S  300
#define MAX_ANSWER 64

enum part {
	PART_NONE,
	PART_PLANT,
	PART_CHECK,
	PART_KEEP,
};

struct ks_build_objects {
	char *slot;
	char *key;	 /* looked for when there is need */
	char *toolchain; /* of the key, before make */
	gint64 begun_us; /* before make, by the clock of files */
	char **dirs;
	enum part running;
	bool is_begun;
	int in_fd, out_fd; /* of what runs, or -1 */
	int planted_fd;	   /* what was planted, or -1 */
	int kept_fd;	   /* what make has left, or -1 */
	guint n_used, n_all;
	struct ks_store_entry *to_store;
};

static char *get_slot(const struct ks_build_request *request)
{
	g_autoptr(GRegex) number = g_regex_new("[0-9]+", 0, 0, NULL);
	g_autofree char *flavour = g_regex_replace_literal(
		number, request->kernel->release, -1, 0, "#", 0, NULL);
	g_autofree char *text =
		g_strdup_printf("objects\n%s\n%s\n", request->objects_base, flavour);

	return ks_digest_data(text, strlen(text));
}

void ks_build_objects_begin(struct ks_build *build)
{
	const struct ks_build_request *request = build->request;
	struct ks_build_objects *objects;
	char **dirs;

	if (!request->objects_base || !request->kernel->compiler ||
	    request->kernel->clang || !ks_root_is_host(build->system->root))
		return;
	dirs = ks_kernel_list_headers(build->system, request->kernel);
	if (!dirs)
		return;
	objects = build->objects = g_new0(struct ks_build_objects, 1);
	objects->dirs = dirs;
	objects->slot = get_slot(request);
	objects->in_fd = objects->out_fd = -1;
	objects->planted_fd = objects->kept_fd = -1;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void ks_build_objects_free(struct ks_build *build)
{
	struct ks_build_objects *objects = g_steal_pointer(&build->objects);

	if (!objects)
		return;
	close_fd(&objects->in_fd);
	close_fd(&objects->out_fd);
	close_fd(&objects->planted_fd);
	close_fd(&objects->kept_fd);
	if (objects->to_store)
		ks_store_entry_free(objects->to_store);
	g_strfreev(objects->dirs);
	g_free(objects->slot);
	g_free(objects->key);
	g_free(objects->toolchain);
	g_free(objects);
}

/* What a file that is changed now gets as its time: that of the last tick. */
static gint64 get_file_time_us(void)
{
	struct timespec now = {0};

	clock_gettime(CLOCK_REALTIME_COARSE, &now);
	return now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000;
}

static const char *get_key(const struct ks_build *build)
{
	struct ks_build_objects *objects = build->objects;

	if (!objects->key && objects->toolchain) {
		g_autofree char *headers = ks_kernel_headers_digest(
			build->system, build->request->kernel, NULL);

		if (headers)
			objects->key =
				g_strconcat(headers, " ", objects->toolchain, NULL);
	}
	return objects->key;
}

/*
 * The key of what make has left, or NULL when the headers or the compiler may have been
 * replaced since it began: most of what they consist of is in no fingerprint.
 */
static const char *get_kept_key(const struct ks_build *build)
{
	const struct ks_build_objects *objects = build->objects;
	struct ks_kernel *kernel = build->request->kernel;
	const char *key = get_key(build);
	g_autofree char *toolchain = NULL;

	if (!key ||
	    ks_kernel_headers_changed_us(build->system, kernel) >= objects->begun_us)
		return NULL;
	toolchain =
		ks_probe_toolchain_key(build->system, kernel, build->request->digests);
	return g_strcmp0(toolchain, objects->toolchain) == 0 ? key : NULL;
}

/* --- running the helper */

static char **make_argv(const struct ks_build *build, const char *mode)
{
	const struct ks_build_objects *objects = build->objects;
	const struct ks_kernel *kernel = build->request->kernel;
	GPtrArray *argv = g_ptr_array_new();

	g_ptr_array_add(argv,
			g_build_filename(build->system->libexec_dir, "objects", NULL));
	g_ptr_array_add(argv, g_strdup(mode));
	g_ptr_array_add(argv, g_strdup(kernel->release));
	g_ptr_array_add(argv, g_strdup(kernel->compiler));
	for (char **dir = objects->dirs; *dir; dir++)
		g_ptr_array_add(argv, g_strdup(*dir));
	g_ptr_array_add(argv, NULL);
	return (char **)g_ptr_array_free(argv, FALSE);
}

static bool run(struct ks_build *build, enum part part, const char *mode)
{
	struct ks_build_objects *objects = build->objects;
	g_auto(GStrv) argv = make_argv(build, mode);
	g_autofree char *tmp = g_strconcat("TMPDIR=", build->build_path, "/.tmp", NULL);
	const char *const env[] = {"PATH=" KS_WRAPPER_TOOL_PATH, "LC_ALL=C.UTF-8",
				   build->request->private_build ? NULL : tmp, NULL};
	struct ks_build_confinement confinement;
	struct ks_sandbox_policy *policy = &confinement.policy;

	ks_build_confine(build, &confinement);
	policy->argv = (const char *const *)argv;
	policy->env = env;
	policy->timeout_s = TIMEOUT_S;
	policy->stdin_fd = objects->in_fd;
	policy->stdout_fd = objects->out_fd;
	if (objects->out_fd < 0 ||
	    !ks_sandbox_start(build->system, policy, &build->sandbox, NULL)) {
		close_fd(&objects->in_fd);
		close_fd(&objects->out_fd);
		return false;
	}
	build->step_started_us = g_get_monotonic_time();
	build->is_running = true;
	objects->running = part;
	return true;
}

bool ks_build_objects_is_running(const struct ks_build *build)
{
	return build->objects && build->objects->running != PART_NONE;
}

/* --- before make */

bool ks_build_objects_plant(struct ks_build *build)
{
	struct ks_build_objects *objects = build->objects;

	if (!objects || objects->is_begun)
		return false;
	objects->is_begun = true;
	objects->begun_us = get_file_time_us();
	objects->toolchain = ks_probe_toolchain_key(build->system, build->request->kernel,
						    build->request->digests);
	if (!build->request->use_store || !ks_store_has(build->system, objects->slot) ||
	    !get_key(build))
		return false;
	objects->in_fd =
		ks_store_open_objects(build->system, objects->slot, objects->key);
	if (objects->in_fd < 0)
		return false;
	objects->out_fd = memfd_create("planted", MFD_CLOEXEC);
	return run(build, PART_PLANT, "plant");
}

/* --- after make */

static bool check(struct ks_build *build)
{
	struct ks_build_objects *objects = build->objects;

	if (lseek(objects->planted_fd, 0, SEEK_SET) != 0)
		return false;
	objects->in_fd = ks_steal_fd(&objects->planted_fd);
	objects->out_fd = memfd_create("answer", MFD_CLOEXEC);
	return run(build, PART_CHECK, "check");
}

static char *kept_dir(const struct ks_build *build)
{
	return g_build_filename(build->work_dir, "kept", NULL);
}

static bool keep(struct ks_build *build)
{
	struct ks_build_objects *objects = build->objects;
	const struct ks_root *root = build->system->root;
	g_autofree char *dir = kept_dir(build);
	g_autofree char *below = g_build_filename(dir, "objects", NULL);
	g_autofree char *path = g_build_filename(below, "objects", NULL);

	if (!build->request->keep_in_store ||
	    (objects->n_all && objects->n_used == objects->n_all) ||
	    !ks_root_mkdir_p(root, dir, 0700, NULL) ||
	    !ks_root_mkdir_p(root, below, 0700, NULL))
		return false;
	objects->out_fd =
		ks_root_openat(root, path, O_WRONLY | O_CREAT | O_EXCL, 0600, NULL);
	return run(build, PART_KEEP, "keep");
}

enum ks_build_objects_next ks_build_objects_after_make(struct ks_build *build)
{
	if (!build->objects)
		return KS_BUILD_OBJECTS_DONE;
	/* what was planted and cannot be looked at is not trusted */
	if (build->objects->planted_fd >= 0)
		return check(build) ? KS_BUILD_OBJECTS_WAIT : KS_BUILD_OBJECTS_AGAIN;
	return keep(build) ? KS_BUILD_OBJECTS_WAIT : KS_BUILD_OBJECTS_DONE;
}

static bool read_answer(struct ks_build_objects *objects)
{
	char text[MAX_ANSWER + 1];
	ssize_t n = pread(objects->out_fd, text, MAX_ANSWER, 0);

	text[MAX(n, 0)] = '\0';
	return sscanf(text, "%u %u", &objects->n_used, &objects->n_all) == 2;
}

enum ks_build_objects_next ks_build_objects_end(struct ks_build *build)
{
	struct ks_build_objects *objects = build->objects;
	enum part part = objects->running;
	int status = 0;
	bool ok = ks_sandbox_finish(&build->sandbox, &status, NULL, NULL) &&
		  WIFEXITED(status) && WEXITSTATUS(status) == 0 && !build->stopped;

	build->is_running = false;
	objects->running = PART_NONE;
	/* it was this that took the disk's last, not the step */
	g_clear_error(&build->stopped);
	build->used_us += g_get_monotonic_time() - build->step_started_us;
	close_fd(&objects->in_fd);
	switch (part) {
	case PART_PLANT:
		if (WIFEXITED(status) && WEXITSTATUS(status) == KS_OBJECTS_NONE) {
			close_fd(&objects->out_fd);
			return KS_BUILD_OBJECTS_MAKE;
		}
		if (ok)
			objects->planted_fd = ks_steal_fd(&objects->out_fd);
		close_fd(&objects->out_fd);
		/* what is half planted is not to be told from what a build left */
		return ok ? KS_BUILD_OBJECTS_MAKE : KS_BUILD_OBJECTS_AGAIN;
	case PART_CHECK:
		ok = ok && read_answer(objects);
		close_fd(&objects->out_fd);
		if (!ok)
			return KS_BUILD_OBJECTS_AGAIN;
		ks_build_log_line(build, "# objects reused: %u of %u", objects->n_used,
				  objects->n_all);
		return keep(build) ? KS_BUILD_OBJECTS_WAIT : KS_BUILD_OBJECTS_DONE;
	default:
		if (ok)
			objects->kept_fd = ks_steal_fd(&objects->out_fd);
		close_fd(&objects->out_fd);
		return KS_BUILD_OBJECTS_DONE;
	}
}

bool ks_build_objects_are_used(const struct ks_build *build)
{
	const struct ks_build_objects *objects = build->objects;

	return objects && (objects->planted_fd >= 0 || objects->n_used);
}

void ks_build_objects_count(const struct ks_build *build, guint *n_used, guint *n_all)
{
	*n_used = build->objects ? build->objects->n_used : 0;
	*n_all = build->objects ? build->objects->n_all : 0;
}

void ks_build_objects_drop(struct ks_build *build)
{
	if (build->objects)
		ks_store_remove(build->system, build->objects->slot, NULL);
	ks_build_objects_free(build);
}

/* --- keeping them */

static struct ks_store_entry *entry_to_keep(const struct ks_build *build)
{
	const struct ks_build_objects *objects = build->objects;
	struct ks_store_entry *entry;

	if (!objects || objects->kept_fd < 0)
		return NULL;
	entry = ks_build_store_entry(build, objects->slot);
	/* that they are objects is told by it, when it is not known yet, too */
	entry->objects_key = g_strdup(objects->key ? objects->key : "");
	return entry;
}

/* In the copy that concludes: reading all the headers takes a second. */
void ks_build_objects_store_begin(struct ks_build *build)
{
	g_autofree char *dir = kept_dir(build);
	ks_auto(ks_store_entry) entry = NULL;

	if (build->objects && build->objects->kept_fd >= 0 && get_kept_key(build))
		entry = entry_to_keep(build);
	if (entry && ks_store_prepare(build->system, entry, dir, NULL))
		build->objects->to_store = g_steal_pointer(&entry);
}

void ks_build_objects_store_end(struct ks_build *build, bool ok)
{
	struct ks_build_objects *objects = build->objects;

	if (!objects || !objects->to_store)
		return;
	if (!ok || !ks_store_commit(build->system, objects->to_store, NULL))
		ks_store_discard(build->system, objects->to_store);
	g_clear_pointer(&objects->to_store, ks_store_entry_free);
}

void ks_build_objects_store_cancel(struct ks_build *build)
{
	ks_auto(ks_store_entry) entry = entry_to_keep(build);

	if (entry)
		ks_store_discard(build->system, entry);
}
