/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Talking to the recorder programs, and remembering what "list" said for as
 * long as the database's own files have not changed.
 */
#include "core/record/record.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <sysexits.h>

#include "core/record/manager.h"
#include "core/support/durable.h"
#include "core/support/error.h"
#include "core/support/process.h"

#define MAX_ANSWER_BYTES (64 * 1024 * 1024)
#define CACHE_HEAD	 "kmodsmith-records 1"

char *ks_record_find_recorder(const struct ks_system *system)
{
	for (const struct ks_manager *manager = ks_managers; manager->name; manager++) {
		g_autofree char *program =
			g_build_filename(system->libexec_dir, manager->recorder, NULL);

		if (ks_manager_is_used(manager, system) &&
		    g_file_test(program, G_FILE_TEST_IS_EXECUTABLE))
			return g_steal_pointer(&program);
	}
	return NULL;
}

/* argv for "PROGRAM [--root DIR] COMMAND [ARGUMENT]". */
static char **recorder_argv(const struct ks_system *system, const char *program,
			    const char *command, const char *argument)
{
	GPtrArray *argv = g_ptr_array_new();

	g_ptr_array_add(argv, g_strdup(program));
	if (!ks_root_is_host(system->root)) {
		g_ptr_array_add(argv, g_strdup("--root"));
		g_ptr_array_add(argv, g_strdup(ks_root_prefix(system->root)));
	}
	g_ptr_array_add(argv, g_strdup(command));
	if (argument)
		g_ptr_array_add(argv, g_strdup(argument));
	g_ptr_array_add(argv, NULL);
	return (char **)g_ptr_array_free(argv, FALSE);
}

/*
 * The recorder runs the package manager inside its own transaction's
 * environment: DPKG_FRONTEND_LOCKED and its like must reach it,
 * so this environment is the caller's, with a fixed PATH and our mark.
 */
static char **recorder_env(void)
{
	char **env = g_get_environ();
	g_autofree char *pid = g_strdup_printf("%d", (int)getpid());

	env = g_environ_setenv(env, "PATH", "/usr/sbin:/usr/bin:/sbin:/bin", TRUE);
	env = g_environ_setenv(env, "LC_ALL", "C.UTF-8", TRUE);
	return g_environ_setenv(env, "KMODSMITH_LOCKED", pid, TRUE);
}

static char *ask(const struct ks_system *system, const char *program, const char *command,
		 const char *argument, size_t *size_bytes, GError **error)
{
	struct ks_process_options options = KS_PROCESS_OPTIONS_INIT;
	g_auto(GStrv) argv = recorder_argv(system, program, command, argument);
	g_auto(GStrv) env = recorder_env();

	options.argv = (const char *const *)argv;
	options.env = (const char *const *)env;
	return ks_process_capture(&options, NULL, MAX_ANSWER_BYTES, size_bytes, error);
}

/* "PATH dev ino size mtime ctime": changes whenever the file does. */
static char *stamp_line(const struct ks_system *system, const char *path)
{
	struct stat st;

	if (!ks_root_stat(system->root, path, &st))
		return g_strdup_printf("%s -", path);
	return g_strdup_printf(
		"%s %ju %ju %jd %jd.%09ld %jd.%09ld", path, (uintmax_t)st.st_dev,
		(uintmax_t)st.st_ino, (intmax_t)st.st_size, (intmax_t)st.st_mtim.tv_sec,
		st.st_mtim.tv_nsec, (intmax_t)st.st_ctim.tv_sec, st.st_ctim.tv_nsec);
}

static char *cache_path(const struct ks_system *system)
{
	return g_build_filename(system->state_dir, "cache", "records", NULL);
}

/* What distinguishes one database from another: the program, and the hook's variable. */
static char *database_line(const char *program)
{
	const char *database = g_getenv(KS_RECORD_DATABASE_ENV);

	return g_strdup_printf("%s %s", program, database ? database : "");
}

/* Lines are "HEAD", "PROGRAM DATABASE", stamp lines, "", then the list as it
 * was printed. */
static char *load_cache(const struct ks_system *system, const char *program,
			size_t *size_bytes)
{
	g_autofree char *path = cache_path(system);
	g_autofree char *database = database_line(program);
	g_autofree char *text = NULL;
	g_auto(GStrv) lines = NULL;
	size_t size;
	char *body;

	text = ks_root_read_file(system->root, path, MAX_ANSWER_BYTES, &size, NULL);
	if (!text)
		return NULL;
	body = strstr(text, "\n\n");
	if (!body)
		return NULL;
	*body = '\0';
	body += 2;
	lines = g_strsplit(text, "\n", 64);
	if (g_strv_length(lines) < 3 || strcmp(lines[0], CACHE_HEAD) != 0 ||
	    strcmp(lines[1], database) != 0)
		return NULL;
	for (size_t i = 2; lines[i]; i++) {
		g_autofree char *file = g_strndup(lines[i], strcspn(lines[i], " "));
		g_autofree char *now = stamp_line(system, file);

		if (strcmp(now, lines[i]) != 0)
			return NULL;
	}
	*size_bytes = size - (size_t)(body - text);
	return g_memdup2(body, *size_bytes + 1);
}

/* head was taken before the list was read: a change in between only spoils the cache. */
static void store_cache(const struct ks_system *system, const char *head,
			const char *list, size_t size_bytes)
{
	g_autofree char *path = cache_path(system);
	g_autoptr(GString) text = g_string_new(head);

	if (geteuid() != 0)
		return;
	g_string_append_len(text, list, (gssize)size_bytes);
	/* an optimisation only: not having it is no error */
	ks_ignore(ks_durable_write(system->root, path, text->str, text->len, 0644, NULL));
}

static char *make_head(const struct ks_system *system, const char *program,
		       GError **error)
{
	g_autofree char *answer = ask(system, program, "stamp", NULL, NULL, error);
	g_autofree char *database = database_line(program);
	g_autoptr(GString) head = NULL;
	g_auto(GStrv) files = NULL;

	if (!answer)
		return NULL;
	head = g_string_new(CACHE_HEAD "\n");
	g_string_append_printf(head, "%s\n", database);
	files = g_strsplit(g_strchomp(answer), "\n", 60);
	for (size_t i = 0; files[i]; i++) {
		g_autofree char *line = stamp_line(system, files[i]);

		g_string_append_printf(head, "%s\n", line);
	}
	g_string_append_c(head, '\n');
	return g_string_free(g_steal_pointer(&head), FALSE);
}

GPtrArray *ks_record_list(const struct ks_system *system, GError **error)
{
	g_autofree char *program = ks_record_find_recorder(system);
	g_autofree char *head = NULL;
	g_autofree char *list = NULL;
	size_t size_bytes = 0;

	if (!program)
		return NULL;
	list = load_cache(system, program, &size_bytes);
	if (list)
		return ks_record_parse_list(list, size_bytes, program, error);
	head = make_head(system, program, error);
	if (!head)
		return NULL;
	list = ask(system, program, "list", NULL, &size_bytes, error);
	if (!list)
		return NULL;
	store_cache(system, head, list, size_bytes);
	return ks_record_parse_list(list, size_bytes, program, error);
}

static int memfd_with(const char *text, GError **error)
{
	ks_autofd int fd = memfd_create("records", MFD_CLOEXEC);
	size_t left = strlen(text);

	while (fd >= 0 && left) {
		ssize_t n = write(fd, text, left);

		if (n < 0)
			break;
		text += n;
		left -= (size_t)n;
	}
	if (fd < 0 || left || lseek(fd, 0, SEEK_SET) < 0) {
		ks_error_set_errno(error, errno, "cannot hand the records over");
		return -1;
	}
	return ks_steal_fd(&fd);
}

/* The recorder's stderr, its lines joined into one, for the message. */
static char *read_back(int fd)
{
	char buffer[2048];
	ssize_t n = pread(fd, buffer, sizeof(buffer) - 1, 0);
	g_auto(GStrv) lines = NULL;

	buffer[MAX(n, 0)] = '\0';
	lines = g_strsplit(g_strchomp(buffer), "\n", -1);
	return g_strjoinv("; ", lines);
}

/* *told (may be NULL) is what it said although it has done all. */
static bool run_recorder(const struct ks_system *system, const char *program,
			 const char *command, int stdin_fd, char **told, GError **error)
{
	struct ks_process_options options = KS_PROCESS_OPTIONS_INIT;
	g_auto(GStrv) argv = recorder_argv(system, program, command, NULL);
	g_auto(GStrv) env = recorder_env();
	ks_autofd int stderr_fd = memfd_create("recorder-errors", MFD_CLOEXEC);
	g_autofree char *said = NULL;
	g_autofree char *described = NULL;
	int wait_status;

	options.argv = (const char *const *)argv;
	options.env = (const char *const *)env;
	options.stdin_fd = stdin_fd;
	options.stderr_fd = stderr_fd;
	if (!ks_process_run(&options, &wait_status, error))
		return false;
	said = read_back(stderr_fd);
	if (WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == 0) {
		if (told && *said)
			*told = g_steal_pointer(&said);
		return true;
	}
	if (WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == EX_TEMPFAIL) {
		ks_error_set(error, KS_ERROR_PENDING,
			     "the package database cannot be written now: %s", said);
		return false;
	}
	described = ks_process_describe(wait_status);
	ks_error_set(error, KS_ERROR_FAILED, "cannot record the modules: %s: %s",
		     described, said);
	return false;
}

bool ks_record_apply(const struct ks_system *system, GPtrArray *records, char **told,
		     GError **error)
{
	g_autofree char *program = ks_record_find_recorder(system);
	g_autofree char *text = ks_record_format(records);
	ks_autofd int fd = -1;

	*told = NULL;
	if (!program) {
		ks_error_set(error, KS_ERROR_NOT_FOUND, "no recorder for this system");
		return false;
	}
	fd = memfd_with(text, error);
	return fd >= 0 && run_recorder(system, program, "apply", fd, told, error);
}

bool ks_record_recover(const struct ks_system *system, GError **error)
{
	g_autofree char *program = ks_record_find_recorder(system);

	return !program || run_recorder(system, program, "recover", -1, NULL, error);
}

bool ks_record_is_busy(const struct ks_system *system)
{
	g_autofree char *program = ks_record_find_recorder(system);
	g_autoptr(GError) error = NULL;

	return program && !run_recorder(system, program, "busy", -1, NULL, &error) &&
	       g_error_matches(error, KS_ERROR, KS_ERROR_PENDING);
}

/* The text that answers a question about argument (NULL: there is none), or NULL. */
static char *ask_one(const struct ks_system *system, const char *command,
		     const char *argument)
{
	g_autofree char *program = ks_record_find_recorder(system);
	g_autofree char *answer = NULL;

	if (!program)
		return NULL;
	answer = ask(system, program, command, argument, NULL, NULL);
	if (!answer)
		return NULL;
	g_strstrip(answer);
	return *answer ? g_steal_pointer(&answer) : NULL;
}

char *ks_record_headers_package(const struct ks_system *system, const char *release,
				char **meta)
{
	char *answer = ask_one(system, "headers", release);
	char *blank = answer ? strchr(answer, ' ') : NULL;

	if (meta)
		*meta = blank ? g_strdup(blank + 1) : NULL;
	if (blank)
		*blank = '\0';
	return answer;
}

char *ks_record_owner(const struct ks_system *system, const char *path)
{
	return ask_one(system, "owner", path);
}

void ks_record_incoming_free(struct ks_record_incoming *incoming)
{
	if (!incoming)
		return;
	g_ptr_array_unref(incoming->releases);
	g_ptr_array_unref(incoming->files);
	g_ptr_array_unref(incoming->missing);
	g_free(incoming);
}

static struct ks_record_incoming *incoming_new(void)
{
	struct ks_record_incoming *incoming = g_new0(struct ks_record_incoming, 1);

	incoming->releases = g_ptr_array_new_with_free_func(g_free);
	incoming->files = g_ptr_array_new_with_free_func(g_free);
	incoming->missing = g_ptr_array_new_with_free_func(g_free);
	return incoming;
}

/* Lines of a later version that say something else are left out. */
static void read_incoming(struct ks_record_incoming *incoming, const char *line)
{
	const struct {
		const char *key;
		GPtrArray *values;
	} keys[] = {{"kernel ", incoming->releases},
		    {"file ", incoming->files},
		    {"missing ", incoming->missing}};

	for (size_t i = 0; i < G_N_ELEMENTS(keys); i++)
		if (g_str_has_prefix(line, keys[i].key))
			g_ptr_array_add(keys[i].values,
					g_strdup(line + strlen(keys[i].key)));
}

struct ks_record_incoming *ks_record_list_incoming(const struct ks_system *system,
						   GError **error)
{
	g_autofree char *answer = ask_one(system, "incoming", NULL);
	g_auto(GStrv) lines = g_strsplit(answer ? answer : "", "\n", -1);
	struct ks_record_incoming *incoming;

	if (g_strcmp0(*lines, "incoming") != 0) {
		ks_error_set(
			error, KS_ERROR_NOT_FOUND,
			"the package manager cannot be asked which kernel comes next");
		return NULL;
	}
	incoming = incoming_new();
	for (char **line = lines + 1; *line; line++)
		read_incoming(incoming, *line);
	return incoming;
}
