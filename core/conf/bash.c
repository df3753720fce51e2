/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/conf/bash.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "core/conf/dump.h"
#include "core/conf/native.h"
#include "core/sandbox/sandbox.h"
#include "core/support/error.h"
#include "core/support/process.h"

#define TIMEOUT_S      20
#define MAX_DUMP_BYTES (8u << 20)
#define MAX_NOTE_BYTES 4096
#define MAX_FILE_BYTES (1u << 20)
#define MAX_MEMORY     (1u << 30)
#define STATUS_TIMEOUT 124
#define STATUS_DENIED  77 /* also in script_source */

/* Arguments: descriptor, how many pairs, pairs of variable and value, then the rest. */
static const char script_head[] = "__ks_fd=$1 __ks_pairs=$2\n"
				  "shift 2\n"
				  "while ((__ks_pairs-- > 0)); do\n"
				  "	builtin printf -v \"$1\" %s \"$2\"\n"
				  "	shift 2\n"
				  "done\n"
				  "__ks_dump() {\n"
				  "	local __ks_name __ks_i\n"
				  "	for __ks_name in";

static const char script_dump[] = "; do\n"
				  "		local -n __ks_ref=$__ks_name\n"
				  "		for __ks_i in \"${!__ks_ref[@]}\"; do\n"
				  "			builtin printf '%s\\0%s\\0%s\\0' "
				  "\"$__ks_name\" \"$__ks_i\" "
				  "\"${__ks_ref[$__ks_i]}\"\n"
				  "		done\n"
				  "		unset -n __ks_ref\n"
				  "	done >&\"$__ks_fd\"\n"
				  "	builtin printf 'end\\0' >&\"$__ks_fd\"\n"
				  "}\n";

/*
 * One more: the file. Like dkms from inside a function, so that "local" and
 * "declare" in a conf do what they do there.
 */
static const char script_source[] = "__ks_file=$1\n"
				    "shift\n"
				    "if [[ ! -r $__ks_file ]]; then\n"
				    "	echo 'its user has no right to' >&2\n"
				    "	exit 77\n"
				    "fi\n"
				    "__ks_main() {\n"
				    "	. \"$__ks_file\"\n"
				    "	set +eu\n"
				    "	__ks_dump\n"
				    "}\n"
				    "__ks_main\n";

/*
 * Triples: NAME[i], whether to evaluate it or to keep it, the collapsed value.
 * One that cannot be evaluated (a syntax error) is kept as well.
 */
static const char script_again[] =
	"while (($#)); do\n"
	"	if [[ $2 == eval ]]; then\n"
	"		unset -v \"$1\"\n"
	"		builtin eval \"$1=\\\"$3\\\"\"\n"
	"		[[ -v $1 ]] || builtin printf 'kept\\0%s\\0\\0' \"$1\" "
	">&\"$__ks_fd\"\n"
	"	fi\n"
	"	[[ $2 == eval && -v $1 ]] || builtin printf -v \"$1\" %s \"$3\"\n"
	"	shift 3\n"
	"done\n"
	"__ks_dump\n";

/* Known ones are arrays, as they are after dkms has read them back. */
static char *target_of(const char *name, guint index, const char *const *known)
{
	return g_strv_contains(known, name) || index
		       ? g_strdup_printf("%s[%u]", name, index)
		       : g_strdup(name);
}

static guint add_pairs(GPtrArray *argv, const struct ks_vars *vars,
		       const char *const *known)
{
	g_autoptr(GPtrArray) names = ks_vars_names(vars);
	guint n_pairs = 0;

	for (guint i = 0; i < names->len; i++) {
		guint n_elements;
		const struct ks_vars_element *elements =
			ks_vars_elements(vars, names->pdata[i], &n_elements);

		for (guint j = 0; j < n_elements; j++) {
			g_ptr_array_add(argv, target_of(names->pdata[i],
							elements[j].index, known));
			g_ptr_array_add(argv, g_strdup(elements[j].value));
			n_pairs++;
		}
	}
	return n_pairs;
}

static GPtrArray *argv_new(const char *tail, const struct ks_vars *before,
			   const char *const *known, int fd)
{
	g_autofree char *names = g_strjoinv(" ", (char **)known);
	GPtrArray *argv = g_ptr_array_new();
	guint at;

	g_ptr_array_add(argv, g_strdup("bash"));
	g_ptr_array_add(argv, g_strdup("--norc"));
	g_ptr_array_add(argv, g_strdup("--noprofile"));
	g_ptr_array_add(argv, g_strdup("-c"));
	g_ptr_array_add(argv,
			g_strconcat(script_head, " ", names, script_dump, tail, NULL));
	g_ptr_array_add(argv, g_strdup("dkms"));
	g_ptr_array_add(argv, g_strdup_printf("%d", fd));
	at = argv->len;
	g_ptr_array_add(argv, NULL);
	argv->pdata[at] = g_strdup_printf("%u", add_pairs(argv, before, known));
	return argv;
}

char **ks_bash_source_argv(const char *file, const struct ks_vars *before,
			   const char *const *known, int fd)
{
	GPtrArray *argv = argv_new(script_source, before, known, fd);

	g_ptr_array_add(argv, g_strdup(file));
	g_ptr_array_add(argv, NULL);
	return (char **)g_ptr_array_free(argv, FALSE);
}

char **ks_bash_again_argv(const struct ks_vars *first, const struct ks_vars *before,
			  const char *const *known, int fd)
{
	GPtrArray *argv = argv_new(script_again, before, known, fd);

	for (size_t i = 0; known[i]; i++) {
		guint n_elements;
		const struct ks_vars_element *elements =
			ks_vars_elements(first, known[i], &n_elements);

		for (guint j = 0; j < n_elements; j++) {
			char *collapsed = ks_native_collapse(elements[j].value);
			bool keep = ks_native_is_kept(collapsed, before);

			g_ptr_array_add(argv,
					target_of(known[i], elements[j].index, known));
			g_ptr_array_add(argv, g_strdup(keep ? "keep" : "eval"));
			g_ptr_array_add(argv, collapsed);
		}
	}
	g_ptr_array_add(argv, NULL);
	return (char **)g_ptr_array_free(argv, FALSE);
}

/* One run: the two pipes that come out of the sandbox. */
struct run {
	const struct ks_bash_input *input;
	struct ks_sandbox sandbox;
	int dump_fd, note_fd;
	GString *dump, *note;
	bool overflow;
};

static void run_clear(struct run *run)
{
	if (run->dump_fd >= 0)
		close(run->dump_fd);
	if (run->note_fd >= 0)
		close(run->note_fd);
	g_string_free(run->dump, TRUE);
	g_string_free(run->note, TRUE);
}

/* What is there now. More than max_bytes is read and dropped; true when there was more.
 */
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

static bool start(const struct ks_system *system, struct run *run, GError **error)
{
	static const char *const env[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin",
					  "LC_ALL=C.UTF-8", NULL};
	const struct ks_bash_input *input = run->input;
	ks_autofd int dump_fd = -1, note_fd = -1;
	g_auto(GStrv) argv = NULL;
	struct ks_sandbox_policy policy = {
		.cwd = input->cwd,
		.env = env,
		.require = input->require_sandbox,
		.timeout_s = TIMEOUT_S,
		.max_file_bytes = MAX_FILE_BYTES,
		.max_memory_bytes = MAX_MEMORY,
		.stdin_fd = -1,
		.stdout_fd = -1,
	};

	if (!open_pipe(&run->dump_fd, &dump_fd, error) ||
	    !open_pipe(&run->note_fd, &note_fd, error))
		return false;
	argv = input->file ? ks_bash_source_argv(input->file, input->before, input->known,
						 dump_fd)
			   : ks_bash_again_argv(input->first, input->before, input->known,
						dump_fd);
	policy.argv = (const char *const *)argv;
	policy.stderr_fd = note_fd;
	policy.pass_fds = &dump_fd;
	policy.n_pass_fds = 1;
	ks_sandbox_identity(system, &policy.uid, &policy.gid);
	return ks_sandbox_start(system, &policy, &run->sandbox, error);
}

/* The first line of what bash said, fit for a message; NULL when it said nothing. */
static char *first_note(const struct run *run)
{
	g_autofree char *line = g_strndup(run->note->str, strcspn(run->note->str, "\n"));
	char *valid = g_utf8_make_valid(line, -1);

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
 * Not when it may have come from outside, as a shutdown's SIGTERM and the SIGKILL
 * of a system short of memory do. SIGSEGV is what endless recursion ends in.
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

static struct ks_vars *finish(struct run *run, int wait_status, GPtrArray *kept,
			      GPtrArray *notes, GError **error)
{
	const char *label = run->input->label;
	g_autofree char *note = first_note(run);
	g_autofree char *status = ks_process_describe(wait_status);
	ks_auto(ks_vars) read = NULL;

	if (run->overflow) {
		ks_error_set(error, KS_ERROR_INVALID, "%s:1: its values grow too large",
			     label);
		return NULL;
	}
	if (WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == STATUS_TIMEOUT) {
		ks_error_set(error, KS_ERROR_INVALID,
			     "%s:1: bash did not come to its end in %d seconds", label,
			     TIMEOUT_S);
		return NULL;
	}
	read = ks_dump_parse(run->dump->str, run->dump->len, run->input->known, kept,
			     notes);
	if (!read) {
		ks_error_set(error, KS_ERROR_INVALID, "%s:1: bash cannot read it: %s",
			     label, note ? note : status);
		return NULL;
	}
	if (note)
		g_ptr_array_add(notes, g_steal_pointer(&note));
	return merge(run->input->before, read, run->input->known);
}

struct ks_vars *ks_bash_run(const struct ks_system *system,
			    const struct ks_bash_input *input, GPtrArray *kept,
			    GPtrArray *notes, bool *failure_lasts, GError **error)
{
	struct ks_vars *vars;
	__attribute__((cleanup(run_clear))) struct run run = {
		.input = input,
		.dump_fd = -1,
		.note_fd = -1,
		.dump = g_string_new(NULL),
		.note = g_string_new(NULL),
	};
	int wait_status;

	if (!start(system, &run, error)) {
		g_prefix_error(error, "%s:1: ", input->label);
		return NULL;
	}
	collect(&run);
	if (!ks_sandbox_finish(&run.sandbox, &wait_status, NULL, error)) {
		g_prefix_error(error, "%s:1: cannot read it with bash: ", input->label);
		return NULL;
	}
	vars = finish(&run, wait_status, kept, notes, error);
	*failure_lasts = !vars && (run.overflow || comes_of_the_inputs(wait_status));
	return vars;
}
