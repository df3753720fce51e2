/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/shell/bash.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "core/shell/dump.h"
#include "core/shell/native.h"
#include "core/kernel/toolchain.h"
#include "core/kernel/uname.h"
#include "core/sandbox/sandbox.h"
#include "core/support/error.h"
#include "core/support/process.h"

#define TIMEOUT_S      20
#define MAX_DUMP_BYTES (8u << 20)
#define MAX_NOTE_BYTES 4096
#define MAX_FILE_BYTES (1u << 20)
#define MAX_MEMORY     (1u << 30)
#define STATUS_DENIED  77 /* also in script_source */

/* One run: the two pipes that come out of the sandbox. */
struct run {
	const struct ks_bash_input *input;
	char **argv;
	char *path; /* "PATH=...", what builds have, too */
	struct ks_sandbox sandbox;
	int dump_fd, note_fd;
	GString *dump, *note;
	bool overflow;
};

static void run_clear(struct run *run)
{
	g_strfreev(run->argv);
	g_free(run->path);
	if (run->dump_fd >= 0)
		close(run->dump_fd);
	if (run->note_fd >= 0)
		close(run->note_fd);
	g_string_free(run->dump, TRUE);
	g_string_free(run->note, TRUE);
}

/* Read the available bytes. More than max_bytes is read and dropped; true when there
 * was more. */
static bool drain(int *fd, GString *text, size_t max_bytes)
{
	char buffer[16384];
	bool more = false;

	while (*fd >= 0) {
		ssize_t n = read(*fd, buffer, sizeof(buffer));
		size_t room = max_bytes - text->len;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n <= 0) {
			close(ks_steal_fd(fd));
			break;
		}
		more |= (size_t)n > room;
		g_string_append_len(text, buffer, MIN((size_t)n, room));
		if (more)
			break;
	}
	return more;
}

static void collect(struct run *run)
{
	bool ended = false;

	while (!ended) {
		struct pollfd fds[] = {
			{.fd = run->dump_fd, .events = POLLIN},
			{.fd = run->note_fd, .events = POLLIN},
			{.fd = run->sandbox.pidfd, .events = POLLIN},
		};

		if (poll(fds, G_N_ELEMENTS(fds), -1) < 0)
			continue;
		/* asked before draining: what it wrote before it ended is in the pipe */
		ended = fds[2].revents != 0;
		drain(&run->note_fd, run->note, MAX_NOTE_BYTES);
		if (!run->overflow && drain(&run->dump_fd, run->dump, MAX_DUMP_BYTES)) {
			run->overflow = true;
			ks_sandbox_kill(&run->sandbox);
			close(ks_steal_fd(&run->dump_fd));
		}
	}
}

static bool open_pipe(int *read_end, int *write_end, GError **error)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0) {
		ks_error_set_errno(error, errno, "cannot make a pipe");
		return false;
	}
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	*read_end = fds[0];
	*write_end = fds[1];
	return true;
}

static char **make_argv(const struct ks_bash_input *input, bool environment, int fd)
{
	if (environment)
		return ks_bash_environment_argv(input->file, input->before, fd);
	return input->file
		       ? ks_bash_source_argv(input->file, input->before, input->known, fd)
		       : ks_bash_again_argv(input->first, input->before, input->known,
					    fd);
}

static char *make_path(const struct ks_system *system)
{
	g_autofree char *path = ks_kernel_tool_path(system, NULL);

	return g_strconcat("PATH=", path, NULL);
}

static bool start(const struct ks_system *system, struct run *run, bool environment,
		  GError **error)
{
	const char *const env[] = {run->path, "LC_ALL=C.UTF-8", NULL};
	const struct ks_bash_input *input = run->input;
	ks_autofd int dump_fd = -1, note_fd = -1;
	struct ks_sandbox_policy policy = {
		.cwd = ks_conf_view_cwd(input->view),
		.binds = input->view->binds,
		.n_binds = input->view->n_binds,
		.env = env,
		.require = input->sandbox == KS_SANDBOX_REQUIRE,
		.off = input->sandbox == KS_SANDBOX_OFF,
		.timeout_s = TIMEOUT_S,
		.max_file_bytes = MAX_FILE_BYTES,
		.max_memory_bytes = MAX_MEMORY,
		.stdin_fd = -1,
		.stdout_fd = -1,
	};

	if (!open_pipe(&run->dump_fd, &dump_fd, error) ||
	    !open_pipe(&run->note_fd, &note_fd, error))
		return false;
	run->argv = make_argv(input, environment, dump_fd);
	policy.argv = (const char *const *)run->argv;
	policy.stderr_fd = note_fd;
	policy.pass_fds = &dump_fd;
	policy.n_pass_fds = 1;
	ks_sandbox_identity(system, &policy.uid, &policy.gid);
	return ks_sandbox_start(system, &policy, &run->sandbox, error);
}

/* The first line of bash's messages, fit for ours; NULL when there are none. */
static char *first_note(const struct run *run)
{
	g_autofree char *line = g_strndup(run->note->str, strcspn(run->note->str, "\n"));
	g_autofree char *plain = ks_conf_view_translate(run->input->view, line);
	char *valid = g_utf8_make_valid(plain, -1);

	for (char *p = valid; *p; p++)
		if (g_ascii_iscntrl(*p))
			*p = ' ';
	g_strstrip(valid);
	if (!*valid)
		g_clear_pointer(&valid, g_free);
	return valid;
}

/* before, and over it what bash handed back. */
static struct ks_vars *merge(const struct ks_vars *before, const struct ks_vars *read,
			     const char *const *known)
{
	struct ks_vars *vars = ks_vars_copy(before);

	for (size_t i = 0; known[i]; i++) {
		guint n_elements;
		const struct ks_vars_element *elements =
			ks_vars_elements(read, known[i], &n_elements);

		for (guint j = 0; j < n_elements; j++)
			ks_vars_set(vars, known[i], elements[j].index, elements[j].value);
	}
	return vars;
}

/*
 * Not for signals that may have come from outside, as a shutdown's SIGTERM and the
 * SIGKILL of a system short of memory do. Endless recursion ends in SIGSEGV.
 */
static bool comes_of_the_inputs(int wait_status)
{
	if (WIFEXITED(wait_status))
		return WEXITSTATUS(wait_status) != STATUS_DENIED;
	switch (WTERMSIG(wait_status)) {
	case SIGSEGV:
	case SIGABRT:
	case SIGXFSZ:
	case SIGSYS:
		return true;
	default:
		return false;
	}
}

/* Failures that both kinds of answer share. */
static bool check_end(const struct run *run, GError **error)
{
	const char *label = run->input->label;

	if (run->overflow) {
		ks_error_set(error, KS_ERROR_INVALID, "%s:1: its values grow too large",
			     label);
		return false;
	}
	if (run->sandbox.is_timed_out) {
		ks_error_set(error, KS_ERROR_INVALID,
			     "%s:1: bash did not come to its end in %d seconds", label,
			     TIMEOUT_S);
		return false;
	}
	return true;
}

static void fail(const struct run *run, const char *note, int wait_status, GError **error)
{
	g_autofree char *status = ks_process_describe(wait_status);

	ks_error_set(error, KS_ERROR_INVALID, "%s:1: bash cannot read it: %s",
		     run->input->label, note ? note : status);
}

static struct ks_vars *finish(struct run *run, int wait_status, GPtrArray *kept,
			      GPtrArray *notes, GError **error)
{
	g_autofree char *note = first_note(run);
	ks_auto(ks_vars) read = NULL;

	if (!check_end(run, error))
		return NULL;
	read = ks_dump_parse(run->dump->str, run->dump->len, run->input->known, kept,
			     notes);
	if (!read) {
		fail(run, note, wait_status, error);
		return NULL;
	}
	if (note)
		g_ptr_array_add(notes, g_steal_pointer(&note));
	return merge(run->input->before, read, run->input->known);
}

static struct run run_new(const struct ks_bash_input *input)
{
	return (struct run){
		.input = input,
		.dump_fd = -1,
		.note_fd = -1,
		.dump = g_string_new(NULL),
		.note = g_string_new(NULL),
	};
}

static bool run_to_end(const struct ks_system *system, struct run *run, bool environment,
		       int *wait_status, GError **error)
{
	const char *label = run->input->label;

	run->path = make_path(system);
	if (!start(system, run, environment, error)) {
		g_prefix_error(error, "%s:1: ", label);
		return false;
	}
	collect(run);
	if (ks_sandbox_finish(&run->sandbox, wait_status, NULL, error))
		return true;
	g_prefix_error(error, "%s:1: cannot read it with bash: ", label);
	return false;
}

struct ks_vars *ks_bash_run(const struct ks_system *system,
			    const struct ks_bash_input *input, GPtrArray *kept,
			    GPtrArray *notes, bool *failure_lasts, GError **error)
{
	struct ks_vars *vars;
	__attribute__((cleanup(run_clear))) struct run run = run_new(input);
	int wait_status;

	if (!run_to_end(system, &run, false, &wait_status, error))
		return NULL;
	vars = finish(&run, wait_status, kept, notes, error);
	*failure_lasts = !vars && (run.overflow || comes_of_the_inputs(wait_status));
	return vars;
}

/* Not the shell's own, the jobserver's, nor a function. */
static bool is_wanted(const char *variable, const char *path)
{
	static const char *const own[] = {
		"_=",	   "SHLVL=",	 "PWD=",	  "OLDPWD=",
		"LC_ALL=", "MAKEFLAGS=", KS_UNAME_ENV "="};

	for (size_t i = 0; i < G_N_ELEMENTS(own); i++) {
		if (g_str_has_prefix(variable, own[i]))
			return false;
	}
	return ks_vars_is_assignment(variable) && strcmp(variable, path) != 0;
}

static gint compare(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

char **ks_bash_environment(const struct ks_system *system,
			   const struct ks_bash_input *input, GPtrArray *notes,
			   GError **error)
{
	__attribute__((cleanup(run_clear))) struct run run = run_new(input);
	g_autoptr(GPtrArray) variables = NULL;
	g_autofree char *note = NULL;
	int wait_status;

	if (!run_to_end(system, &run, true, &wait_status, error) ||
	    !check_end(&run, error))
		return NULL;
	note = first_note(&run);
	if (!WIFEXITED(wait_status) || WEXITSTATUS(wait_status) != 0) {
		fail(&run, note, wait_status, error);
		return NULL;
	}
	variables = g_ptr_array_new();
	for (const char *p = run.dump->str; p < run.dump->str + run.dump->len;
	     p += strlen(p) + 1) {
		if (is_wanted(p, run.path))
			g_ptr_array_add(variables, g_strdup(p));
	}
	g_ptr_array_sort(variables, compare);
	g_ptr_array_add(variables, NULL);
	if (note)
		g_ptr_array_add(notes, g_steal_pointer(&note));
	return (char **)g_ptr_array_free(g_steal_pointer(&variables), FALSE);
}
