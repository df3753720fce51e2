/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Running the signer. */
#include "core/sign/signer.h"

#include <errno.h>
#include <string.h>

#include "core/module/wire.h"
#include "core/sign/signature.h"
#include "core/support/error.h"
#include "core/support/process.h"

#define MAX_ANSWER_BYTES    (1u << 16)
#define MAX_SIGNATURE_BYTES (1u << 20)

void ks_key_facts_free(struct ks_key_facts *facts)
{
	if (!facts)
		return;
	g_free(facts->subject);
	g_free(facts->algorithm);
	g_free(facts->serial);
	g_free(facts->key_id);
	g_free(facts->sha1);
	g_free(facts->sha256);
	g_free(facts->not_before);
	g_free(facts->not_after);
	g_free(facts);
}

static int open_regular(const struct ks_system *system, const char *path,
			const char *what, struct stat *st, GError **error)
{
	/* O_NONBLOCK: a FIFO must not stop us */
	ks_autofd int fd =
		ks_root_openat(system->root, path, O_RDONLY | O_NONBLOCK, 0, error);

	if (fd < 0) {
		g_prefix_error(error, "no %s: ", what);
		return -1;
	}
	if (fstat(fd, st) < 0 || !S_ISREG(st->st_mode)) {
		ks_error_set(error, KS_ERROR_INVALID, "the %s '%s' is not a regular file",
			     what, path);
		return -1;
	}
	return ks_steal_fd(&fd);
}

/* The signer, beside the engine and not in DIR; its output, NUL-terminated. */
static char *run(const struct ks_system *system, const char *const *arguments,
		 int stdin_fd, const int *fds, size_t n_fds, size_t max_bytes,
		 size_t *size_bytes, GError **error)
{
	g_autofree char *program = g_build_filename(system->libexec_dir, "signer", NULL);
	struct ks_process_options options = KS_PROCESS_OPTIONS_INIT;
	const char *argv[6] = {program};

	for (size_t i = 0; arguments[i]; i++)
		argv[i + 1] = arguments[i];
	options.argv = argv;
	options.env = ks_process_clean_env;
	options.stdin_fd = stdin_fd;
	options.pass_fds = fds;
	options.n_pass_fds = n_fds;
	options.die_with_parent = true;
	return ks_process_capture(&options, NULL, max_bytes, size_bytes, error);
}

static void take_fact(struct ks_key_facts *facts, const char *name, const char *value)
{
	const struct {
		const char *name;
		char **to;
	} texts[] = {
		{"subject", &facts->subject},
		{"algorithm", &facts->algorithm},
		{"serial", &facts->serial},
		{"key-id", &facts->key_id},
		{"sha1", &facts->sha1},
		{"sha256", &facts->sha256},
		{"not-before", &facts->not_before},
		{"not-after", &facts->not_after},
	};

	if (strcmp(name, "match") == 0)
		facts->matches = strcmp(value, "yes") == 0;
	for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
		if (strcmp(name, texts[i].name) != 0)
			continue;
		g_free(*texts[i].to);
		*texts[i].to = g_utf8_make_valid(value, -1);
	}
}

static bool parse_facts(char *answer, struct ks_key_facts *facts)
{
	struct ks_wire_reader reader = {.next = answer};
	const char *name, *value;
	enum ks_wire_token token;

	while ((token = ks_wire_read(&reader, &name, &value)) == KS_WIRE_LINE)
		take_fact(facts, name, value);
	return token == KS_WIRE_BLOCK_END && facts->subject && facts->sha256;
}

struct ks_key_facts *ks_signer_describe(const struct ks_system *system, const char *key,
					const char *certificate, GError **error)
{
	ks_auto(ks_key_facts) facts = g_new0(struct ks_key_facts, 1);
	struct stat st, key_st = {0};
	ks_autofd int certificate_fd =
		open_regular(system, certificate, "certificate", &st, error);
	ks_autofd int key_fd = -1;
	char numbers[2][16];
	g_autofree char *answer = NULL;

	if (certificate_fd < 0)
		return NULL;
	if (key)
		key_fd = open_regular(system, key, "private key", &key_st, error);
	if (key && key_fd < 0)
		return NULL;
	g_snprintf(numbers[0], sizeof(numbers[0]), "%d", certificate_fd);
	g_snprintf(numbers[1], sizeof(numbers[1]), "%d", key_fd);
	const int fds[] = {certificate_fd, key_fd};
	const char *const arguments[] = {"show", numbers[0], key ? numbers[1] : NULL,
					 NULL};
	answer = run(system, arguments, -1, fds, key ? 2 : 1, MAX_ANSWER_BYTES, NULL,
		     error);
	if (!answer) {
		g_prefix_error(error, "cannot use '%s': ", key ? key : certificate);
		return NULL;
	}
	if (!parse_facts(answer, facts)) {
		ks_error_set(error, KS_ERROR_INVALID, "the signer's answer is malformed");
		return NULL;
	}
	facts->is_private = key && !(key_st.st_mode & (S_IRWXG | S_IRWXO));
	return g_steal_pointer(&facts);
}

bool ks_signer_create(const struct ks_system *system, const char *subject, int key_fd,
		      int certificate_fd, GError **error)
{
	const int fds[] = {key_fd, certificate_fd};
	char numbers[2][16];
	const char *const arguments[] = {"new", subject, numbers[0], numbers[1], NULL};
	g_autofree char *answer = NULL;

	g_snprintf(numbers[0], sizeof(numbers[0]), "%d", key_fd);
	g_snprintf(numbers[1], sizeof(numbers[1]), "%d", certificate_fd);
	answer = run(system, arguments, -1, fds, G_N_ELEMENTS(fds), MAX_ANSWER_BYTES,
		     NULL, error);
	return answer != NULL;
}

/* Exactly one signature, nothing before or after it. */
static bool is_signature(const char *bytes, size_t size_bytes)
{
	return size_bytes &&
	       ks_signature_get_size((const guint8 *)bytes, size_bytes) == size_bytes;
}

GBytes *ks_signer_run(const struct ks_system *system, const char *hash, const char *key,
		      const char *certificate, int module_fd, GError **error)
{
	struct stat st;
	ks_autofd int key_fd = open_regular(system, key, "private key", &st, error);
	ks_autofd int certificate_fd = -1;
	char numbers[2][16];
	const char *const arguments[] = {"sign", hash, numbers[0], numbers[1], NULL};
	g_autofree char *answer = NULL;
	size_t size_bytes = 0;

	if (key_fd < 0)
		return NULL;
	certificate_fd = open_regular(system, certificate, "certificate", &st, error);
	if (certificate_fd < 0)
		return NULL;
	if (lseek(module_fd, 0, SEEK_SET) < 0) {
		ks_error_set_errno(error, errno, "cannot read the module");
		return NULL;
	}
	const int fds[] = {key_fd, certificate_fd};
	g_snprintf(numbers[0], sizeof(numbers[0]), "%d", key_fd);
	g_snprintf(numbers[1], sizeof(numbers[1]), "%d", certificate_fd);
	answer = run(system, arguments, module_fd, fds, G_N_ELEMENTS(fds),
		     MAX_SIGNATURE_BYTES, &size_bytes, error);
	if (!answer)
		return NULL;
	if (!is_signature(answer, size_bytes)) {
		ks_error_set(error, KS_ERROR_INVALID, "the signer's answer is malformed");
		return NULL;
	}
	return g_bytes_new_take(g_steal_pointer(&answer), size_bytes);
}
