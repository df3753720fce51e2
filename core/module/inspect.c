/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The engine's side of the inspect worker: opens the files, so that the
 * worker needs no right to find them, and runs it in the sandbox.
 */
#include "core/module/inspect.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "core/kernel/arch.h"
#include "core/module/answer.h"
#include "core/module/wire.h"
#include "core/sandbox/sandbox.h"
#include "core/support/error.h"
#include "core/support/process.h"
#include "core/support/write-all.h"

#define MAX_MODULES	 800 /* below the usual limit of 1024 descriptors */
#define MAX_ANSWER_BYTES (64 * 1024 * 1024)
#define TIMEOUT_S	 600

/* "snd-foo.ko.xz" -> "snd_foo": the kernel's name for it. */
static char *module_name(const char *path)
{
	char *name = g_path_get_basename(path);
	char *suffix = strstr(name, ".ko");

	if (suffix)
		*suffix = '\0';
	return g_strdelimit(name, "-", '_');
}

/* A run of the worker. */
struct session {
	struct ks_system host; /* the worker lives beside the engine, not in DIR */
	struct ks_root *host_root;
	GArray *fds; /* int: opened for the worker */
	GString *request;
	bool weak; /* the modules are another kernel's */
};

static void session_clear(struct session *session)
{
	for (guint i = 0; session->fds && i < session->fds->len; i++)
		close(g_array_index(session->fds, int, i));
	if (session->fds)
		g_array_unref(session->fds);
	if (session->request)
		g_string_free(session->request, TRUE);
	if (session->host_root)
		ks_root_close(session->host_root);
}

static bool session_init(struct session *session, const struct ks_system *system,
			 GError **error)
{
	*session = (struct session){.host = *system};
	session->fds = g_array_new(FALSE, FALSE, sizeof(int));
	session->request = g_string_new(NULL);
	session->host_root = ks_root_open("/", error);
	session->host.root = session->host_root;
	return session->host_root != NULL;
}

static int open_regular(const struct ks_system *system, const char *path, GError **error)
{
	/* a FIFO must not stop us; a link of a build must not lead us */
	ks_autofd int fd = ks_root_openat(system->root, path,
					  O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0, error);
	struct stat st;

	if (fd < 0)
		return -1;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		ks_error_set(error, KS_ERROR_INVALID, "'%s' is not a regular file", path);
		return -1;
	}
	return ks_steal_fd(&fd);
}

static bool add_symvers(struct session *session, const struct ks_system *system,
			const char *path, GError **error)
{
	/* may be a link of the header package: followed */
	int fd = ks_root_openat(system->root, path, O_RDONLY | O_NONBLOCK, 0, error);

	if (fd < 0)
		return false;
	g_array_append_val(session->fds, fd);
	ks_wire_append_format(session->request, "symvers", "%d %s", fd, path);
	return true;
}

static bool describe_kernel(struct session *session, const struct ks_system *system,
			    const struct ks_kernel *kernel,
			    const char *const *extra_symvers, GError **error)
{
	const struct ks_arch *arch = kernel->arch ? ks_arch_find(kernel->arch) : NULL;

	if (session->weak)
		ks_wire_append(session->request, "weak", "yes");
	else
		ks_wire_append(session->request, "release", kernel->release);
	if (arch) {
		ks_wire_append(session->request, "arch", kernel->arch);
		ks_wire_append_format(session->request, "machine", "%u",
				      arch->elf.machine);
		ks_wire_append_format(session->request, "class", "%u", arch->elf.class);
		ks_wire_append_format(session->request, "data", "%u", arch->elf.data);
	}
	/* with the dependencies' tables alone, everything of the kernel would
	 * be missing */
	if (!kernel->symvers_path)
		return true;
	for (const char *const *path = extra_symvers; path && *path; path++)
		if (!add_symvers(session, system, *path, error))
			return false;
	return add_symvers(session, system, kernel->symvers_path, error);
}

static bool add_module(struct session *session, const struct ks_system *system,
		       const char *path, GError **error)
{
	int fd = open_regular(system, path, error);

	if (fd < 0)
		return false;
	g_array_append_val(session->fds, fd);
	ks_wire_append_format(session->request, "fd", "%d", fd);
	ks_wire_end_block(session->request);
	return true;
}

/*
 * The worker by a descriptor: below a home directory that nobody else may
 * enter (an uninstalled build), the unprivileged identity could not reach it.
 */
static char *open_program(struct session *session, GError **error)
{
	g_autofree char *path =
		g_build_filename(session->host.libexec_dir, "inspect", NULL);
	int fd = open(path, O_PATH | O_CLOEXEC);

	if (fd < 0) {
		ks_error_set_errno(error, errno, "cannot open the module inspector '%s'",
				   path);
		return NULL;
	}
	g_array_append_val(session->fds, fd);
	return g_strdup_printf("/proc/self/fd/%d", fd);
}

static bool start_worker(struct session *session, const char *const *arguments,
			 int stdin_fd, int stdout_fd, int stderr_fd,
			 struct ks_sandbox *sandbox, GError **error)
{
	g_autofree char *program = open_program(session, error);
	const char *argv[5] = {program};
	struct ks_sandbox_policy policy = {
		.cwd = "/",
		.argv = argv,
		.env = ks_process_clean_env,
		.timeout_s = TIMEOUT_S,
		.stdin_fd = stdin_fd,
		.stdout_fd = stdout_fd,
		.stderr_fd = stderr_fd,
		.pass_fds = (const int *)(const void *)session->fds->data,
		.n_pass_fds = session->fds->len,
	};

	if (!program)
		return false;
	for (size_t i = 0; arguments[i]; i++)
		argv[i + 1] = arguments[i];
	ks_sandbox_identity(&session->host, &policy.uid, &policy.gid);
	if (ks_sandbox_start(&session->host, &policy, sandbox, error))
		return true;
	g_prefix_error(error, "cannot start the module inspector: ");
	return false;
}

/*
 * Ends that a hostile file can cause: a crash, an endless loop. Not SIGKILL,
 * which comes from a machine without memory, nor SIGBUS, from one without
 * memory for a memory file.
 */
static bool comes_of_the_files(const struct ks_sandbox *sandbox, int wait_status)
{
	if (WIFEXITED(wait_status))
		return sandbox->is_timed_out;
	switch (WTERMSIG(wait_status)) {
	case SIGABRT:
	case SIGFPE:
	case SIGILL:
	case SIGSEGV:
	case SIGSYS:
	case SIGTRAP: /* GLib's, when it gets no memory: the worker has a limit of
	               * its own */
		return true;
	default:
		return false;
	}
}

static bool finish_worker(struct ks_sandbox *sandbox, const char *said, GError **error)
{
	g_autofree char *how = NULL, *excerpt = NULL;
	int status = 0;

	if (!ks_sandbox_finish(sandbox, &status, NULL, error)) {
		g_prefix_error(error, "cannot run the module inspector: ");
		return false;
	}
	if (status == 0)
		return true;
	how = ks_process_describe(status);
	excerpt = ks_answer_excerpt(said);
	ks_error_set(error,
		     comes_of_the_files(sandbox, status) ? KS_ERROR_INVALID
							 : KS_ERROR_FAILED,
		     "the module inspector failed: %s%s%s", how, *excerpt ? ": " : "",
		     excerpt);
	return false;
}

/* Everything until the end of the pipe, NUL-terminated; NULL when it is too much. */
static char *drain(int fd, struct ks_sandbox *sandbox, GError **error)
{
	g_autoptr(GString) text = g_string_new(NULL);
	g_autofree char *buffer = g_malloc(65536);
	ssize_t got;

	while ((got = read(fd, buffer, 65536)) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			ks_error_set_errno(error, errno,
					   "cannot read from the module inspector");
			break;
		}
		g_string_append_len(text, buffer, got);
		if (text->len > MAX_ANSWER_BYTES) {
			ks_error_set(
				error, KS_ERROR_INVALID,
				"the module inspector's answer has more than %d bytes",
				MAX_ANSWER_BYTES);
			break;
		}
	}
	if (got != 0) {
		ks_sandbox_kill(sandbox);
		return NULL;
	}
	/* a NUL in it ends it early, and it is then found to be incomplete */
	return g_string_free(g_steal_pointer(&text), FALSE);
}

static int memory_file(const GString *text, GError **error)
{
	ks_autofd int fd = memfd_create("request", MFD_CLOEXEC);

	if (fd < 0 || !ks_write_all(fd, text->str, text->len) ||
	    lseek(fd, 0, SEEK_SET) < 0) {
		ks_error_set_errno(error, errno,
				   "cannot write the module inspector's request");
		return -1;
	}
	return ks_steal_fd(&fd);
}

/* Run the worker over the request; its answer, or NULL. */
static char *ask(struct session *session, GError **error)
{
	static const char *const arguments[] = {"check", NULL};
	ks_autofd int request_fd = memory_file(session->request, error);
	ks_autofd int read_fd = -1;
	ks_autofd int write_fd = -1;
	g_autofree char *answer = NULL;
	struct ks_sandbox sandbox;
	int ends[2];

	if (request_fd < 0)
		return NULL;
	if (pipe2(ends, O_CLOEXEC) < 0) {
		ks_error_set_errno(error, errno, "cannot make a pipe");
		return NULL;
	}
	read_fd = ends[0];
	write_fd = ends[1];
	/* what it says on stderr is no line of an answer: it ends up in the message */
	if (!start_worker(session, arguments, request_fd, write_fd, write_fd, &sandbox,
			  error))
		return NULL;
	close(ks_steal_fd(&write_fd));
	answer = drain(read_fd, &sandbox, error);
	if (!answer) {
		ks_ignore(ks_sandbox_finish(&sandbox, &ends[0], NULL, NULL));
		return NULL;
	}
	if (!finish_worker(&sandbox, answer, error))
		return NULL;
	return g_steal_pointer(&answer);
}

static GPtrArray *infos_new(const char *const *paths)
{
	GPtrArray *infos =
		g_ptr_array_new_with_free_func((GDestroyNotify)ks_module_info_free);

	for (; *paths; paths++) {
		struct ks_module_info *info = g_new0(struct ks_module_info, 1);

		info->path = g_strdup(*paths);
		info->name = module_name(*paths);
		g_ptr_array_add(infos, info);
	}
	return infos;
}

static bool inspect(struct session *session, const struct ks_system *system,
		    const char *const *paths, const struct ks_kernel *kernel,
		    const char *const *extra_symvers, GPtrArray *infos, GError **error)
{
	g_autofree char *answer = NULL;

	if (infos->len > MAX_MODULES) {
		ks_error_set(error, KS_ERROR_INVALID, "more than %d modules at once",
			     MAX_MODULES);
		return false;
	}
	if (kernel && !describe_kernel(session, system, kernel, extra_symvers, error))
		return false;
	ks_wire_end_block(session->request);
	for (; *paths; paths++)
		if (!add_module(session, system, *paths, error))
			return false;
	answer = ask(session, error);
	return answer && ks_answer_parse(answer, infos, error);
}

static GPtrArray *run_inspect(const struct ks_system *system, const char *const *paths,
			      const struct ks_kernel *kernel,
			      const char *const *extra_symvers, bool weak, GError **error)
{
	g_autoptr(GPtrArray) infos = infos_new(paths);
	struct session session;
	bool ok = true;

	if (infos->len == 0)
		return g_steal_pointer(&infos);
	ok = session_init(&session, system, error);
	session.weak = weak;
	ok = ok && inspect(&session, system, paths, kernel, extra_symvers, infos, error);
	session_clear(&session);
	return ok ? g_steal_pointer(&infos) : NULL;
}

GPtrArray *ks_module_inspect(const struct ks_system *system, const char *const *paths,
			     const struct ks_kernel *kernel,
			     const char *const *extra_symvers, GError **error)
{
	return run_inspect(system, paths, kernel, extra_symvers, false, error);
}

GPtrArray *ks_module_inspect_weak(const struct ks_system *system,
				  const char *const *paths,
				  const struct ks_kernel *kernel,
				  const char *symvers_path, GError **error)
{
	struct ks_kernel with_symvers = *kernel;

	with_symvers.symvers_path = (char *)symvers_path;
	return run_inspect(system, paths, &with_symvers, NULL, true, error);
}

/* "compress" or "decompress" */
static bool run_compressor(struct session *session, const char *verb, const char *suffix,
			   const char *level, int in_fd, int out_fd, GError **error)
{
	const char *const arguments[] = {verb, suffix, level, NULL};
	g_autofree char *said = NULL;
	struct ks_sandbox sandbox;
	ks_autofd int read_fd = -1;
	ks_autofd int write_fd = -1;
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0) {
		ks_error_set_errno(error, errno, "cannot make a pipe");
		return false;
	}
	read_fd = ends[0];
	write_fd = ends[1];
	if (!start_worker(session, arguments, in_fd, out_fd, write_fd, &sandbox, error))
		return false;
	close(ks_steal_fd(&write_fd));
	said = drain(read_fd, &sandbox, error);
	if (!said) {
		ks_ignore(ks_sandbox_finish(&sandbox, &ends[0], NULL, NULL));
		return false;
	}
	g_strchomp(said);
	return finish_worker(&sandbox, said, error);
}

static bool recode(struct session *session, const struct ks_system *system,
		   const char *verb, const char *path, const char *to, const char *suffix,
		   const char *level, GError **error)
{
	ks_autofd int in_fd = open_regular(system, path, error);
	ks_autofd int directory = -1;
	ks_autofd int out_fd = -1;
	const char *name;

	if (in_fd < 0)
		return false;
	directory = ks_root_open_parent(system->root, to, &name, error);
	if (directory < 0)
		return false;
	if (unlinkat(directory, name, 0) < 0 && errno != ENOENT) {
		ks_error_set_errno(error, errno, "cannot replace '%s'", to);
		return false;
	}
	out_fd = openat(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (out_fd < 0) {
		ks_error_set_errno(error, errno, "cannot create '%s'", to);
		return false;
	}
	if (!run_compressor(session, verb, suffix, level, in_fd, out_fd, error)) {
		unlinkat(directory, name, 0);
		return false;
	}
	if (fchmod(out_fd, 0644) < 0 || fsync(out_fd) < 0) {
		ks_error_set_errno(error, errno, "cannot write '%s'", to);
		unlinkat(directory, name, 0);
		return false;
	}
	return true;
}

static bool run_recode(const struct ks_system *system, const char *verb, const char *path,
		       const char *to, const char *suffix, const char *level,
		       GError **error)
{
	struct session session;
	bool ok;

	if (strcmp(suffix, ".xz") && strcmp(suffix, ".zst") && strcmp(suffix, ".gz")) {
		ks_error_set(error, KS_ERROR_INVALID, "no such compression: '%s'",
			     suffix);
		return false;
	}
	ok = session_init(&session, system, error) &&
	     recode(&session, system, verb, path, to, suffix, level, error);
	if (!ok)
		g_prefix_error(error, "cannot %s '%s': ", verb, path);
	session_clear(&session);
	return ok;
}

bool ks_module_compress(const struct ks_system *system, const char *path,
			const char *suffix, unsigned int level, GError **error)
{
	g_autofree char *to = g_strconcat(path, suffix, NULL);
	g_autofree char *level_arg = g_strdup_printf("%u", level);

	return run_recode(system, "compress", path, to, suffix, level_arg, error);
}

bool ks_module_decompress(const struct ks_system *system, const char *path,
			  const char *suffix, GError **error)
{
	g_autofree char *to = NULL;

	if (!g_str_has_suffix(path, suffix)) {
		ks_error_set(error, KS_ERROR_INVALID, "'%s' does not end in '%s'", path,
			     suffix);
		return false;
	}
	to = g_strndup(path, strlen(path) - strlen(suffix));
	return run_recode(system, "decompress", path, to, suffix, NULL, error);
}
