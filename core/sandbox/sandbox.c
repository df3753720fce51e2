/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The engine's side: hand the policy over, read the report. */
#include "core/sandbox/sandbox.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "core/sandbox/filter.h"
#include "core/sandbox/launcher-protocol.h"
#include "core/support/error.h"
#include "core/support/process.h"
#include "core/support/write-all.h"

#define STATUS_TIMEOUT (124 << 8)

static void put(GString *text, const char *key, const char *value)
{
	g_string_append_printf(text, "%s=%s", key, value);
	g_string_append_c(text, '\0');
}

static void put_number(GString *text, const char *key, unsigned long long value)
{
	g_string_append_printf(text, "%s=%llu", key, value);
	g_string_append_c(text, '\0');
}

static void put_list(GString *text, const char *key, const char *const *values)
{
	for (; values && *values; values++)
		put(text, key, *values);
}

static GString *policy_encode(const struct ks_system *system,
			      const struct ks_sandbox_policy *policy, int filter_fd)
{
	GString *text = g_string_new(KS_SANDBOX_MAGIC);

	g_string_append_c(text, '\0');
	put_number(text, "parent", getpid());
	if (!ks_root_is_host(system->root)) {
		put_number(text, "root", ks_root_fd(system->root));
		put(text, "root-path", ks_root_prefix(system->root));
	}
	put(text, "cwd", policy->cwd ? policy->cwd : "/");
	put_list(text, "arg", policy->argv);
	put_list(text, "env", policy->env);
	put_list(text, "write", policy->writable);
	for (size_t i = 0; i < policy->n_binds; i++) {
		put(text, "bind", policy->binds[i].source);
		put(text, "at", policy->binds[i].target);
	}
	for (size_t i = 0; i < policy->n_covers; i++) {
		put(text, "cover", policy->covers[i].source);
		put(text, "over", policy->covers[i].target);
	}
	for (size_t i = 0; i < policy->n_shown; i++) {
		put(text, "show", policy->shown[i].source);
		put(text, "as", policy->shown[i].target);
	}
	if (policy->fifo)
		put(text, "fifo", policy->fifo);
	if (geteuid() == 0) {
		put_number(text, "gid", policy->gid);
		put_number(text, "uid", policy->uid);
	}
	for (size_t i = 0; i < policy->n_pass_fds; i++)
		put_number(text, "pass", policy->pass_fds[i]);
	put_number(text, "filter", filter_fd);
	put_number(text, "timeout", policy->timeout_s);
	put_number(text, "fsize", policy->max_file_bytes);
	put_number(text, "memory", policy->max_memory_bytes);
	put_number(text, "total-memory", policy->max_total_bytes);
	put_number(text, "processes", policy->max_processes);
	put_number(text, "require", policy->require);
	put_number(text, "off", policy->off);
	put_number(text, "network", policy->network || policy->off);
	g_string_append(text, "end");
	g_string_append_c(text, '\0');
	return text;
}

static int policy_file(const struct ks_system *system,
		       const struct ks_sandbox_policy *policy, int filter_fd,
		       GError **error)
{
	g_autoptr(GString) text = policy_encode(system, policy, filter_fd);
	ks_autofd int fd = -1;

	if (text->len > KS_SANDBOX_POLICY_MAX) {
		ks_error_set(error, KS_ERROR_INVALID,
			     "sandbox: arguments and environment are too long");
		return -1;
	}
	fd = memfd_create("kmodsmith-policy", MFD_CLOEXEC);
	if (fd >= 0 && ks_write_all(fd, text->str, text->len))
		return ks_steal_fd(&fd);
	ks_error_set_errno(error, errno, "sandbox: cannot write the policy");
	return -1;
}

static bool policy_is_valid(const struct ks_sandbox_policy *policy, GError **error)
{
	if (geteuid() == 0 &&
	    (policy->uid == 0 || policy->uid == (uid_t)-1 || policy->gid == (gid_t)-1)) {
		ks_error_set(error, KS_ERROR_INVALID, "sandbox: refusing to run as root");
		return false;
	}
	if (policy->n_pass_fds > KS_SANDBOX_FDS_MAX) {
		ks_error_set(error, KS_ERROR_INVALID, "sandbox: too many descriptors");
		return false;
	}
	return true;
}

bool ks_sandbox_start(const struct ks_system *system,
		      const struct ks_sandbox_policy *policy, struct ks_sandbox *sandbox,
		      GError **error)
{
	g_autofree char *program = g_build_filename(system->libexec_dir, "sandbox", NULL);
	g_autofree char *policy_arg = NULL, *report_arg = NULL;
	int pass_fds[KS_SANDBOX_FDS_MAX + 4], report[2], pidfd = -1, filter_fd;
	size_t n_pass_fds = 0;
	pid_t pid;

	if (!policy_is_valid(policy, error))
		return false;

	filter_fd = ks_sandbox_filter(policy->network, error);
	if (filter_fd < 0)
		return false;
	ks_autofd int policy_fd = policy_file(system, policy, filter_fd, error);
	if (policy_fd < 0)
		return false;
	if (pipe2(report, O_CLOEXEC) != 0) {
		ks_error_set_errno(error, errno, "sandbox: cannot make a pipe");
		return false;
	}
	ks_autofd int report_read = report[0], report_write = report[1];

	pass_fds[n_pass_fds++] = policy_fd;
	pass_fds[n_pass_fds++] = report_write;
	pass_fds[n_pass_fds++] = filter_fd;
	if (!ks_root_is_host(system->root))
		pass_fds[n_pass_fds++] = ks_root_fd(system->root);
	for (size_t i = 0; i < policy->n_pass_fds; i++)
		pass_fds[n_pass_fds++] = policy->pass_fds[i];
	policy_arg = g_strdup_printf("%d", policy_fd);
	report_arg = g_strdup_printf("%d", report_write);

	const char *const argv[] = {program, policy_arg, report_arg, NULL};
	struct ks_process_options options = {
		.argv = argv,
		.stdin_fd = policy->stdin_fd,
		.stdout_fd = policy->stdout_fd,
		.stderr_fd = policy->stderr_fd,
		.pass_fds = pass_fds,
		.n_pass_fds = n_pass_fds,
		.new_session = true,
	};
	pid = ks_process_spawn(&options, &pidfd, error);
	if (pid < 0) {
		g_prefix_error(error, "sandbox: ");
		return false;
	}
	*sandbox = (struct ks_sandbox){
		.pid = pid,
		.pidfd = pidfd,
		.report_fd = ks_steal_fd(&report_read),
	};
	return true;
}

void ks_sandbox_kill(struct ks_sandbox *sandbox)
{
	if (sandbox->pid > 0)
		sandbox->is_killed = kill(sandbox->pid, SIGTERM) == 0;
}

/* The launcher's report. */
struct report {
	unsigned int layers;
	int status;
	bool has_status;
	bool is_timed_out;
	bool is_unusable;
	enum ks_sandbox_oom out_of_memory;
};

static bool report_line(struct report *report, char *line, GError **error)
{
	char *rest = strchr(line, ' ');
	int err;

	if (rest)
		*rest++ = '\0';
	if (strcmp(line, "timeout") == 0) {
		report->status = STATUS_TIMEOUT;
		report->has_status = report->is_timed_out = true;
	} else if (!rest) {
		return true; /* of no meaning to us */
	} else if (strcmp(line, "out-of-memory") == 0) {
		report->out_of_memory = strcmp(rest, "own") == 0 ? KS_SANDBOX_OOM_OWN
								 : KS_SANDBOX_OOM_MACHINE;
	} else if (strcmp(line, "layers") == 0) {
		report->layers = strtoul(rest, NULL, 10) & KS_SANDBOX_LAYERS_ALL;
	} else if (strcmp(line, "status") == 0) {
		report->status = atoi(rest);
		report->has_status = true;
	} else if (strcmp(line, "refused") == 0) {
		ks_error_set(error, KS_ERROR_DENIED, "sandbox: %s", rest);
		ks_error_hint(
			error,
			"set 'sandbox = auto' in kmodsmith.conf to build without it");
		return false;
	} else if (strcmp(line, "error") == 0 || strcmp(line, "unusable") == 0) {
		report->is_unusable = *line == 'u';
		err = strtol(rest, &rest, 10);
		ks_error_set_errno(error, err, "sandbox: %s", g_strchug(rest));
		return false;
	}
	return true;
}

static bool report_read_all(int fd, struct report *report, GError **error)
{
	char text[KS_SANDBOX_REPORT_MAX + 1];
	size_t size = 0;
	g_auto(GStrv) lines = NULL;

	while (size < KS_SANDBOX_REPORT_MAX) {
		ssize_t n = read(fd, text + size, KS_SANDBOX_REPORT_MAX - size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		size += n;
	}
	text[size] = '\0';
	lines = g_strsplit(text, "\n", -1);
	for (char **line = lines; *line; line++) {
		if (!report_line(report, *line, error))
			return false;
	}
	return true;
}

/* No word of the command's end. */
static bool is_lost(const struct ks_sandbox *sandbox, int launcher_status, GError **error)
{
	if (!WIFSIGNALED(launcher_status))
		ks_error_set(error, KS_ERROR_FAILED,
			     "sandbox: the launcher ended without a report");
	else if (!sandbox->is_killed)
		ks_error_set(error, KS_ERROR_FAILED,
			     "sandbox: the launcher was killed by signal %d",
			     WTERMSIG(launcher_status));
	else
		return false; /* by us, before it could take the signal */
	return true;
}

bool ks_sandbox_finish(struct ks_sandbox *sandbox, int *wait_status, unsigned int *layers,
		       GError **error)
{
	struct report report = {0};
	int launcher_status = ks_process_wait(sandbox->pid);
	bool ok;

	/* Never wait for a writer: the launcher, the last one of them, has ended. */
	fcntl(sandbox->report_fd, F_SETFL, O_NONBLOCK);
	ok = report_read_all(sandbox->report_fd, &report, error);
	close(sandbox->report_fd);
	if (sandbox->pidfd >= 0)
		close(sandbox->pidfd);
	if (ok && !report.has_status)
		ok = !is_lost(sandbox, launcher_status, error);
	*sandbox = (struct ks_sandbox){
		.pid = -1,
		.pidfd = -1,
		.report_fd = -1,
		.is_timed_out = report.is_timed_out,
		.out_of_memory = report.out_of_memory,
		.is_unusable = report.is_unusable,
	};
	if (!ok)
		return false;
	*wait_status = report.has_status ? report.status : SIGKILL;
	if (layers)
		*layers = report.layers;
	return true;
}

char *ks_sandbox_layers_to_string(unsigned int layers)
{
	GString *text = g_string_new(NULL);

	for (unsigned int bit = 1; bit & KS_SANDBOX_LAYERS_ALL; bit <<= 1) {
		if (layers & bit)
			g_string_append_printf(text, "%s%s", text->len ? "," : "",
					       ks_sandbox_layer_name(bit));
	}
	return g_string_free(text, FALSE);
}
