/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kmodsmith key: the pair that modules are signed with. */
#include <string.h>

#include "cli/change.h"
#include "cli/json-document.h"
#include "cli/message.h"
#include "cli/run.h"
#include "core/sign/key.h"
#include "core/sign/signer.h"
#include "core/support/error.h"
#include "core/platform/lock.h"

static gboolean force;

static const GOptionEntry options[] = {
	{"force", 0, 0, G_OPTION_ARG_NONE, &force, "new: replace the pair that is there",
	 NULL},
	{NULL},
};

static void print_line(const char *name, const char *value)
{
	g_autofree char *clean = ks_message_clean(value);

	printf("%-12s %s\n", name, clean ? clean : "-");
}

static void print_text(const struct ks_key_pair *pair, const struct ks_key_facts *facts)
{
	print_line("key", pair->key);
	print_line("certificate", pair->certificate);
	print_line("from", ks_key_origin_id(pair->origin));
	print_line("subject", facts->subject);
	print_line("algorithm", facts->algorithm);
	print_line("serial", facts->serial);
	print_line("key id", facts->key_id);
	print_line("SHA-1", facts->sha1);
	print_line("SHA-256", facts->sha256);
	print_line("valid", facts->not_before);
	print_line("until", facts->not_after);
}

static void set_text(json_t *object, const char *name, const char *value)
{
	json_object_set_new(object, name, ks_json_text(value));
}

static void print_json(const struct ks_key_pair *pair, const struct ks_key_facts *facts)
{
	json_t *document = ks_json_document_new();
	json_t *key = json_object();

	set_text(key, "key", pair->key);
	set_text(key, "certificate", pair->certificate);
	set_text(key, "from", ks_key_origin_id(pair->origin));
	set_text(key, "subject", facts->subject);
	set_text(key, "algorithm", facts->algorithm);
	set_text(key, "serial", facts->serial);
	set_text(key, "key_id", facts->key_id);
	set_text(key, "sha1", facts->sha1);
	set_text(key, "sha256", facts->sha256);
	set_text(key, "not_before", facts->not_before);
	set_text(key, "not_after", facts->not_after);
	json_object_set_new(document, "key", key);
	ks_json_document_print(document);
}

static struct ks_key_pair *locate(const struct ks_cli *cli)
{
	return ks_key_locate(cli->system, cli->settings, cli->settings->framework, NULL);
}

/* Only a user who can read the key can check that it belongs to the certificate. */
static struct ks_key_facts *describe(const struct ks_cli *cli,
				     const struct ks_key_pair *pair, GError **error)
{
	bool readable = geteuid() == 0 && !g_str_has_prefix(pair->key, KS_KEY_PKCS11);
	struct ks_key_facts *facts = ks_signer_describe(
		cli->system, readable ? pair->key : NULL, pair->certificate, error);

	if (!facts || !readable)
		return facts;
	if (!facts->matches)
		ks_message_warning("the key '%s' does not belong to the certificate '%s'",
				   pair->key, pair->certificate);
	if (!facts->is_private)
		ks_message_warning("the key '%s' can be read by others than its owner",
				   pair->key);
	return facts;
}

static int print_pair(const struct ks_cli *cli, const struct ks_key_pair *pair)
{
	g_autoptr(GError) error = NULL;
	ks_auto(ks_key_facts) facts = describe(cli, pair, &error);

	if (!facts)
		return ks_message_fail(error);
	if (cli->json)
		print_json(pair, facts);
	else
		print_text(pair, facts);
	return KS_EXIT_OK;
}

static int show(struct ks_cli *cli)
{
	ks_auto(ks_key_pair) pair = locate(cli);
	g_autoptr(GError) error = NULL;

	switch (ks_key_look(cli->system, pair, &error)) {
	case KS_KEY_PRESENT:
		return print_pair(cli, pair);
	case KS_KEY_HALF:
		return ks_message_fail(error);
	case KS_KEY_ABSENT:
		break;
	}
	ks_message_error("there is no key yet: no '%s'", pair->key);
	ks_message_hint("one is made when it is first needed, or by 'kmodsmith key new'");
	return KS_EXIT_NOT_FOUND;
}

static int make(struct ks_cli *cli)
{
	ks_auto(ks_key_pair) pair = locate(cli);
	ks_auto(ks_lock) lock = NULL;
	g_autoptr(GError) error = NULL;

	if (ks_run_is_disabled(cli))
		return KS_EXIT_OK;
	if (!ks_change_require_root("make a key", &error))
		return ks_message_fail(error);
	lock = ks_change_lock(cli, "key new", &error);
	if (!lock)
		return ks_message_fail(error);
	ks_key_settle(cli->system, pair);
	if (!ks_key_create(cli->system, pair, force, &error)) {
		ks_error_hint(&error,
			      "--force replaces it: modules are then signed again, and "
			      "the new certificate has to be enrolled");
		return ks_message_fail(error);
	}
	if (!cli->quiet) {
		ks_message_note("made the key '%s'", pair->key);
		ks_message_hint("where Secure Boot is on, enrol it: mokutil --import %s; "
				"'kmodsmith sync' signs the modules with it",
				pair->certificate);
	}
	return print_pair(cli, pair);
}

static int run(struct ks_cli *cli, int argc, char **argv)
{
	if (strcmp(argv[1], "show") == 0 && !force)
		return show(cli);
	if (strcmp(argv[1], "new") == 0)
		return make(cli);
	ks_message_error(strcmp(argv[1], "show") == 0
				 ? "'show' takes no --force"
				 : "'%s' is neither 'show' nor 'new'",
			 argv[1]);
	return KS_EXIT_USAGE;
}

const struct ks_command ks_command_key = {
	.name = "key",
	.arguments = "show|new",
	.summary = "show the key that modules are signed with, or make one",
	.description =
		"Which key that is kmodsmith.conf(5) says. 'new' makes one where it is "
		"to be, and\nreplaces none without --force.",
	.options = options,
	.min_arguments = 1,
	.max_arguments = 1,
	.has_json = true,
	.run = run,
};
