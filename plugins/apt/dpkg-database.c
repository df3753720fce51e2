/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See database.h. */
#include "plugins/apt/dpkg-database.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "core/support/error.h"
#include "core/support/process.h"

#define MAX_ANSWER_BYTES (32 * 1024 * 1024)
#define PATHS_AT_ONCE	 500
#define DIGEST_CHARS	 8

/* The order of fields[] in parse_package(). */
#define FIELD_FORMAT                                                                     \
	"${Package}\\t${Version}\\t${Depends}\\t${db:Status-Status}\\t"                  \
	"${db:Status-Eflag}\\t${X-Kmodsmith-Module}\\t${X-Kmodsmith-Version}\\t"         \
	"${X-Kmodsmith-Kernel}\\t${X-Kmodsmith-Digest}\\n"

static void package_free(gpointer data)
{
	ks_dpkg_package_free(data);
}

void ks_dpkg_package_free(struct ks_dpkg_package *package)
{
	if (!package)
		return;
	g_free(package->name);
	g_free(package->version);
	g_free(package->depends);
	g_free(package->status);
	g_free(package->module);
	g_free(package->module_version);
	g_free(package->release);
	g_free(package->digest);
	g_free(package);
}

static char *read_answer(int fd, GError **error)
{
	struct stat st;
	g_autofree char *answer = NULL;
	gint64 done = 0;

	if (fstat(fd, &st) < 0 || st.st_size > MAX_ANSWER_BYTES) {
		ks_error_set(error, KS_ERROR_INVALID, "dpkg-query said too much");
		return NULL;
	}
	answer = g_malloc0((gsize)st.st_size + 1);
	while (done < st.st_size) {
		ssize_t n = pread(fd, answer + done, (size_t)(st.st_size - done), done);

		if (n <= 0) {
			ks_error_set_errno(error, errno,
					   "cannot read what dpkg-query said");
			return NULL;
		}
		done += n;
	}
	return g_steal_pointer(&answer);
}

/*
 * Run dpkg-query with arguments and collect its output. It exits with 1 when a
 * package or path that was asked for does not exist: an answer like others
 * here. Any other failure is an error.
 */
static char *query(const struct ks_system *system, GPtrArray *arguments, GError **error)
{
	struct ks_process_options options = KS_PROCESS_OPTIONS_INIT;
	g_autoptr(GPtrArray) argv = g_ptr_array_new();
	g_autofree char *admindir = g_strconcat(
		"--admindir=", ks_root_prefix(system->root), "/var/lib/dpkg", NULL);
	g_autofree char *described = NULL;
	ks_autofd int answer_fd = memfd_create("dpkg-query", MFD_CLOEXEC);
	int wait_status;

	g_ptr_array_add(argv, (char *)"dpkg-query");
	g_ptr_array_add(argv, admindir);
	g_ptr_array_extend(argv, arguments, NULL, NULL);
	g_ptr_array_add(argv, NULL);
	options.argv = (const char *const *)argv->pdata;
	options.stdout_fd = answer_fd;
	if (answer_fd < 0) {
		ks_error_set_errno(error, errno, "cannot run 'dpkg-query'");
		return NULL;
	}
	if (!ks_process_run(&options, &wait_status, error))
		return NULL;
	if (WIFEXITED(wait_status) && WEXITSTATUS(wait_status) <= 1)
		return read_answer(answer_fd, error);
	described = ks_process_describe(wait_status);
	ks_error_set(error, KS_ERROR_FAILED, "'dpkg-query' failed: %s", described);
	return NULL;
}

static struct ks_dpkg_package *parse_package(const char *line)
{
	g_auto(GStrv) fields = g_strsplit(line, "\t", -1);
	struct ks_dpkg_package *package;

	/* a foreign field may hold more tabs, but then it is not one of ours */
	if (g_strv_length(fields) != 9 || strcmp(fields[3], "not-installed") == 0)
		return NULL;
	package = g_new0(struct ks_dpkg_package, 1);
	package->name = g_strdup(fields[0]);
	package->version = g_strdup(fields[1]);
	package->depends = g_strdup(fields[2]);
	package->status = g_strdup(fields[3]);
	package->reinstreq = strcmp(fields[4], "ok") != 0;
	package->module = g_strdup(fields[5]);
	package->module_version = g_strdup(fields[6]);
	package->release = g_strdup(fields[7]);
	package->digest = g_strdup(fields[8]);
	return package;
}

GPtrArray *ks_dpkg_list(const struct ks_system *system, GError **error)
{
	g_autoptr(GPtrArray) packages = g_ptr_array_new_with_free_func(package_free);
	g_autoptr(GPtrArray) arguments = g_ptr_array_new();
	g_autofree char *answer = NULL;
	g_auto(GStrv) lines = NULL;

	g_ptr_array_add(arguments, (char *)"-W");
	g_ptr_array_add(arguments, (char *)"-f=" FIELD_FORMAT);
	g_ptr_array_add(arguments, (char *)"kmod-*");
	answer = query(system, arguments, error);
	if (!answer)
		return NULL;
	lines = g_strsplit(answer, "\n", -1);
	for (char **line = lines; *line; line++) {
		struct ks_dpkg_package *package = parse_package(*line);

		if (package)
			g_ptr_array_add(packages, package);
	}
	return g_steal_pointer(&packages);
}

struct ks_dpkg_package *ks_dpkg_find(GPtrArray *packages, const char *name)
{
	for (guint i = 0; i < packages->len; i++) {
		struct ks_dpkg_package *package = g_ptr_array_index(packages, i);

		if (strcmp(package->name, name) == 0)
			return package;
	}
	return NULL;
}

bool ks_dpkg_is_complete(const struct ks_dpkg_package *package)
{
	return strcmp(package->status, "installed") == 0 && !package->reinstreq;
}

bool ks_dpkg_is_ours(const struct ks_dpkg_package *package)
{
	const char *mark = strrchr(package->version, '+');

	if (*package->digest)
		return true;
	return strcmp(package->status, "half-installed") == 0 && mark && mark[1] == 'k' &&
	       strlen(mark + 2) == DIGEST_CHARS &&
	       strspn(mark + 2, "0123456789abcdef") == DIGEST_CHARS;
}

/* "a:amd64, b: /path" -> path and "a,b"; a line about a diversion is skipped. */
static void take_owner_line(GHashTable *owners, const char *line)
{
	const char *colon = strstr(line, ": /");
	g_autoptr(GString) names = g_string_new(NULL);
	g_autofree char *left = NULL;
	g_auto(GStrv) packages = NULL;

	if (!colon || g_str_has_prefix(line, "diversion by ") ||
	    g_str_has_prefix(line, "local diversion "))
		return;
	left = g_strndup(line, (size_t)(colon - line));
	packages = g_strsplit(left, ", ", -1);
	for (char **package = packages; *package; package++)
		g_string_append_printf(names, "%s%.*s", names->len ? "," : "",
				       (int)strcspn(*package, ":"), *package);
	g_hash_table_insert(owners, g_strdup(colon + 2),
			    g_string_free(g_steal_pointer(&names), FALSE));
}

static bool add_owners(const struct ks_system *system, GHashTable *owners,
		       GPtrArray *paths, guint first, GError **error)
{
	g_autoptr(GPtrArray) arguments = g_ptr_array_new();
	g_autofree char *answer = NULL;
	g_auto(GStrv) lines = NULL;

	g_ptr_array_add(arguments, (char *)"-S");
	for (guint i = first; i < paths->len && i < first + PATHS_AT_ONCE; i++)
		g_ptr_array_add(arguments, g_ptr_array_index(paths, i));
	answer = query(system, arguments, error);
	if (!answer)
		return false;
	lines = g_strsplit(answer, "\n", -1);
	for (char **line = lines; *line; line++)
		take_owner_line(owners, *line);
	return true;
}

GHashTable *ks_dpkg_owners(const struct ks_system *system, GPtrArray *paths,
			   GError **error)
{
	g_autoptr(GHashTable) owners =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);

	for (guint i = 0; i < paths->len; i += PATHS_AT_ONCE)
		if (!add_owners(system, owners, paths, i, error))
			return NULL;
	return g_steal_pointer(&owners);
}

GPtrArray *ks_dpkg_files(const struct ks_system *system, const char *package,
			 GError **error)
{
	g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GPtrArray) arguments = g_ptr_array_new();
	g_autofree char *answer = NULL;
	g_auto(GStrv) lines = NULL;

	g_ptr_array_add(arguments, (char *)"-L");
	g_ptr_array_add(arguments, (char *)package);
	answer = query(system, arguments, error);
	if (!answer)
		return NULL;
	lines = g_strsplit(answer, "\n", -1);
	for (char **line = lines; *line; line++)
		if (**line == '/')
			g_ptr_array_add(files, g_strdup(*line));
	return g_steal_pointer(&files);
}

/* dpkg's own, asked for once: it is the same for every package of a run. */
static char *own_architecture(GError **error)
{
	static const char *const argv[] = {"dpkg", "--print-architecture", NULL};
	static char *answer;
	struct ks_process_options options = KS_PROCESS_OPTIONS_INIT;

	options.argv = argv;
	if (!answer)
		answer = ks_process_capture(&options, NULL, 1024, NULL, error);
	return answer ? g_strdup(g_strstrip(answer)) : NULL;
}

char *ks_dpkg_architecture(const struct ks_system *system, const char *package,
			   GError **error)
{
	g_autoptr(GPtrArray) arguments = g_ptr_array_new();
	g_autofree char *answer = NULL;

	if (!package)
		return own_architecture(error);
	g_ptr_array_add(arguments, (char *)"-W");
	g_ptr_array_add(arguments, (char *)"-f=${Architecture}\\n");
	g_ptr_array_add(arguments, (char *)package);
	answer = query(system, arguments, error);
	if (!answer)
		return NULL;
	answer[strcspn(answer, "\n")] = '\0';
	/* "all" says nothing about the modules beside it */
	if (!*answer || strcmp(answer, "all") == 0)
		return own_architecture(error);
	return g_steal_pointer(&answer);
}
