/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading the policy: NUL-terminated strings, as protocol.h says. */
#include "core/sandbox/launcher.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool strings_add(struct strings *strings, char *text)
{
	char **v = realloc(strings->v, (strings->n + 2) * sizeof(*v));

	if (!v)
		return false;
	v[strings->n++] = text;
	v[strings->n] = NULL;
	strings->v = v;
	return true;
}

static bool number_read(const char *text, unsigned long long max,
			unsigned long long *value)
{
	unsigned long long n;
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	n = strtoull(text, &end, 10);
	if (errno || *end || n > max)
		return false;
	*value = n;
	return true;
}

typedef bool (*field_func)(struct policy *policy, char *value);

#define FIELD_STRINGS(name)                                                              \
	static bool field_##name(struct policy *policy, char *value)                     \
	{                                                                                \
		return strings_add(&policy->name, value);                                \
	}
FIELD_STRINGS(argv)
FIELD_STRINGS(env)
FIELD_STRINGS(writable)
FIELD_STRINGS(bind_source)
FIELD_STRINGS(bind_target)
FIELD_STRINGS(cover_source)
FIELD_STRINGS(cover_target)
FIELD_STRINGS(show_source)
FIELD_STRINGS(show_target)

#define FIELD_NUMBER(name, max)                                                          \
	static bool field_##name(struct policy *policy, char *value)                     \
	{                                                                                \
		unsigned long long n;                                                    \
                                                                                         \
		if (!number_read(value, max, &n))                                        \
			return false;                                                    \
		policy->name = n;                                                        \
		return true;                                                             \
	}
FIELD_NUMBER(parent, 0x7fffffff)
FIELD_NUMBER(root_fd, 0x7fffffff)
FIELD_NUMBER(filter_fd, 0x7fffffff)
FIELD_NUMBER(timeout_s, 0x7fffffff)
FIELD_NUMBER(max_file_bytes, (unsigned long long)-1)
FIELD_NUMBER(max_memory_bytes, (unsigned long long)-1)
FIELD_NUMBER(max_total_bytes, (unsigned long long)-1)
FIELD_NUMBER(max_processes, 0x7fffffff)
FIELD_NUMBER(require, 1)
FIELD_NUMBER(network, 1)
FIELD_NUMBER(off, 1)
FIELD_NUMBER(gid, 0xfffffffe)

static bool field_uid(struct policy *policy, char *value)
{
	unsigned long long n;

	if (!number_read(value, 0xfffffffe, &n) || n == 0)
		return false;
	policy->uid = n;
	policy->drop = true;
	return true;
}

static bool field_cwd(struct policy *policy, char *value)
{
	policy->cwd = value;
	return *value == '/';
}

static bool field_fifo(struct policy *policy, char *value)
{
	policy->fifo = value;
	return *value == '/';
}

static bool field_root_path(struct policy *policy, char *value)
{
	policy->root_path = value;
	return *value == '/';
}

static bool field_pass(struct policy *policy, char *value)
{
	unsigned long long n;

	if (policy->n_pass_fds == KS_SANDBOX_FDS_MAX ||
	    !number_read(value, 0x7fffffff, &n))
		return false;
	policy->pass_fds[policy->n_pass_fds++] = n;
	return true;
}

static const struct {
	const char *key;
	field_func func;
} fields[] = {
	{"arg", field_argv},
	{"env", field_env},
	{"write", field_writable},
	{"bind", field_bind_source},
	{"at", field_bind_target},
	{"cover", field_cover_source},
	{"over", field_cover_target},
	{"show", field_show_source},
	{"as", field_show_target},
	{"cwd", field_cwd},
	{"fifo", field_fifo},
	{"parent", field_parent},
	{"root", field_root_fd},
	{"root-path", field_root_path},
	{"uid", field_uid},
	{"gid", field_gid},
	{"pass", field_pass},
	{"filter", field_filter_fd},
	{"timeout", field_timeout_s},
	{"fsize", field_max_file_bytes},
	{"memory", field_max_memory_bytes},
	{"total-memory", field_max_total_bytes},
	{"processes", field_max_processes},
	{"require", field_require},
	{"network", field_network},
	{"off", field_off},
};

static bool string_take(struct policy *policy, char *text)
{
	char *value = strchr(text, '=');

	if (!value)
		return false;
	*value++ = '\0';
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (strcmp(fields[i].key, text) == 0)
			return fields[i].func(policy, value);
	}
	return false;
}

/* The whole file, with a NUL after it; never freed, the strings point into it. */
static char *file_read(int fd, size_t *size)
{
	struct stat st;
	size_t done = 0;
	char *text;

	if (fstat(fd, &st) != 0 || st.st_size <= 0 || st.st_size > KS_SANDBOX_POLICY_MAX)
		return NULL;
	text = malloc(st.st_size + 1);
	while (text && done < (size_t)st.st_size) {
		ssize_t n = pread(fd, text + done, st.st_size - done, done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return NULL;
		done += n;
	}
	if (!text || text[done - 1] != '\0')
		return NULL;
	*size = done;
	return text;
}

static const char *policy_check(const struct policy *policy)
{
	if (policy->bind_source.n != policy->bind_target.n)
		return "'bind' without 'at'";
	if (policy->cover_source.n != policy->cover_target.n)
		return "'cover' without 'over'";
	if (policy->show_source.n != policy->show_target.n)
		return "'show' without 'as'";
	if (!policy->cwd)
		return "no 'cwd'";
	if (policy->off && policy->require)
		return "'off' and 'require'";
	if (policy->filter_fd < 0)
		return "no 'filter'";
	if ((policy->root_fd >= 0) != (policy->root_path != NULL))
		return "'root' without 'root-path'";
	for (size_t i = 0; i < policy->writable.n; i++) {
		if (policy->writable.v[i][0] != '/')
			return "a writable directory that is not absolute";
	}
	for (size_t i = 0; i < policy->bind_source.n; i++) {
		if (policy->bind_source.v[i][0] != '/' ||
		    policy->bind_target.v[i][0] != '/')
			return "a bind that is not absolute";
	}
	for (size_t i = 0; i < policy->show_source.n; i++) {
		if (policy->show_source.v[i][0] != '/' ||
		    policy->show_target.v[i][0] != '/')
			return "something shown that is not absolute";
	}
	return NULL;
}

const char *policy_read(struct policy *policy, int fd)
{
	size_t size = 0, n = 0;
	char *text = file_read(fd, &size);
	char *const end = text + size;

	*policy = (struct policy){.root_fd = -1, .filter_fd = -1};
	if (!text)
		return "cannot be read";
	/* So that v is an array, even when there is no such string. */
	if (!strings_add(&policy->env, NULL) || !strings_add(&policy->argv, NULL))
		return "out of memory";
	policy->env.n = policy->argv.n = 0;

	for (char *p = text, *next; p < end; p = next, n++) {
		next = p + strlen(p) + 1;
		if (n == 0) {
			if (strcmp(p, KS_SANDBOX_MAGIC) != 0)
				return "of another version";
		} else if (strcmp(p, "end") == 0) {
			return next == end ? policy_check(policy) : "text after its end";
		} else if (n > KS_SANDBOX_STRINGS_MAX || !string_take(policy, p)) {
			return "malformed";
		}
	}
	return "truncated";
}
