/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs the planner over the worlds described in tests/spec/plan/ (see the
 * README there) and compares what it decides with what they expect. Prints TAP.
 *
 *	plan-runner [FILE...]	without FILE: all of tests/spec/plan
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/plan/plan.h"
#include "core/settings/framework.h"

struct world {
	const char *file;
	char *title;
	unsigned int line;
	char *trouble; /* first mistake of the spec, or NULL */
	struct ks_inventory inventory;
	struct ks_settings settings;
	struct ks_plan_request request;
	GPtrArray *keep;      /* strings the request points to */
	GPtrArray *artifacts; /* struct ks_artifact */
	GPtrArray *expected;  /* struct expectation */
	int record_needed;    /* -1: not said */
	char *lost; /* "NAME/VERSION RELEASE" of what the next boot costs; "": none */
};

struct expectation {
	unsigned int line;
	bool is_action;
	char *text;   /* as the plan would be printed */
	char *detail; /* part of the detail, or NULL */
};

static void G_GNUC_PRINTF(2, 3) complain(struct world *world, const char *format, ...)
{
	g_autofree char *what = NULL;
	va_list args;

	if (world->trouble)
		return;
	va_start(args, format);
	what = g_strdup_vprintf(format, args);
	va_end(args);
	world->trouble = g_strdup_printf("%s:%u: %s", world->file, world->line, what);
}

/* --- finding */

static struct ks_kernel *find_kernel(struct world *world, const char *release)
{
	for (guint i = 0; i < world->inventory.kernels->len; i++) {
		struct ks_kernel *kernel = world->inventory.kernels->pdata[i];

		if (g_str_equal(kernel->release, release))
			return kernel;
	}
	complain(world, "no kernel '%s'", release);
	return NULL;
}

static struct ks_source *find_source(struct world *world, const char *name_version)
{
	for (guint i = 0; i < world->inventory.sources->len; i++) {
		struct ks_source *source = world->inventory.sources->pdata[i];
		g_autofree char *both =
			g_strdup_printf("%s/%s", source->name, source->version);

		if (g_str_equal(both, name_version))
			return source;
	}
	complain(world, "no source '%s'", name_version);
	return NULL;
}

/* The value of "key=value" if word is that, or NULL. */
static const char *value_of(const char *word, const char *key)
{
	size_t length = strlen(key);

	return strncmp(word, key, length) == 0 && word[length] == '=' ? word + length + 1
								      : NULL;
}

/* --- the world */

static void read_world(struct world *world, char **words)
{
	for (; *words; words++) {
		if (g_str_equal(*words, "no-recorder"))
			world->inventory.has_recorder = false;
		else if (g_str_equal(*words, "no-source-tree"))
			world->inventory.source_tree_present = false;
		else if (g_str_equal(*words, "devices"))
			world->inventory.has_devices = true;
		else if (g_str_equal(*words, "records-stale"))
			world->inventory.records_are_stale = true;
		else
			complain(world, "unknown word '%s'", *words);
	}
}

static void set_unrenewed(struct ks_upkeep *upkeep, bool is_due)
{
	g_free(upkeep->unrenewed);
	upkeep->unrenewed = g_strdup("nothing makes its image");
	upkeep->unrenewed_is_due = upkeep->unrenewed_is_stale = is_due;
}

static bool read_upkeep_word(struct ks_upkeep *upkeep, const char *word)
{
	if (g_str_equal(word, "index-stale"))
		upkeep->index_is_stale = true;
	else if (g_str_equal(word, "image-stale"))
		upkeep->image_is_stale = true;
	else if (g_str_equal(word, "no-image"))
		upkeep->has_image = false;
	else if (g_str_equal(word, "unrenewed"))
		set_unrenewed(upkeep, false);
	else if (g_str_equal(word, "unrenewed-due"))
		set_unrenewed(upkeep, true);
	else if (g_str_equal(word, "prunable"))
		upkeep->is_prunable = upkeep->is_prunable_without_ours = true;
	else if (g_str_equal(word, "prunable-without-ours"))
		upkeep->is_prunable_without_ours = true;
	else
		return false;
	return true;
}

static bool read_kernel_word(struct ks_kernel *kernel, const char *word)
{
	const char *value = value_of(word, "toolchain-problem");
	const char *closed = value_of(word, "headers-problem");

	if (value)
		kernel->toolchain_problem = g_strdup(value);
	else if (closed)
		kernel->headers_problem = g_strdup(closed);
	else if (g_str_equal(word, "dead"))
		kernel->alive = kernel->has_headers = kernel->has_image = false;
	else if (g_str_equal(word, "no-headers"))
		kernel->has_headers = false;
	else if (g_str_equal(word, "incoming"))
		kernel->incoming = true;
	else if (g_str_equal(word, "headers-only"))
		kernel->has_image = false;
	else if (g_str_equal(word, "foreign"))
		kernel->is_foreign = true;
	else if (g_str_equal(word, "newest"))
		kernel->newest = true;
	else if (g_str_equal(word, "running"))
		kernel->running = true;
	else if (g_str_equal(word, "default"))
		kernel->is_default = true;
	else
		return false;
	return true;
}

static void read_kernel(struct world *world, char **words)
{
	struct ks_kernel *kernel = g_new0(struct ks_kernel, 1);
	struct ks_upkeep *upkeep = g_new0(struct ks_upkeep, 1);

	g_ptr_array_add(world->inventory.kernels, kernel);
	g_ptr_array_add(world->inventory.upkeep, upkeep);
	upkeep->kernel = kernel;
	upkeep->has_image = true;
	kernel->release = g_strdup(*words ? *words++ : "");
	kernel->arch = g_strdup("x86_64");
	kernel->alive = kernel->has_headers = kernel->has_image = true;
	for (; *words; words++) {
		if (!read_kernel_word(kernel, *words) &&
		    !read_upkeep_word(upkeep, *words))
			complain(world, "unknown word '%s'", *words);
	}
}

static bool read_source_word(struct ks_source *source, const char *word)
{
	const char *value = value_of(word, "broken");

	if (value) {
		source->problem = g_strdup(value);
		source->present = false;
	} else if (g_str_equal(word, "autoinstall")) {
		source->autoinstall = true;
	} else if (g_str_equal(word, "asked")) {
		source->asked = true;
	} else if ((value = value_of(word, "asked-at"))) {
		source->asked = true;
		source->asked_at_us = g_ascii_strtoll(value, NULL, 10);
	} else if (g_str_equal(word, "dismissed")) {
		source->dismissed = true;
		source->present = false;
	} else if (g_str_equal(word, "removal-asked")) {
		source->removal_asked = true;
	} else if (g_str_equal(word, "gone")) {
		source->present = source->autoinstall = false;
	} else if (g_str_equal(word, "outside")) {
		source->outside = true;
	} else if (g_str_equal(word, "not-added")) {
		source->added = false;
	} else {
		return false;
	}
	return true;
}

static void add_target(struct world *world, struct ks_source *source,
		       struct ks_kernel *kernel)
{
	struct ks_target *target = g_new0(struct ks_target, 1);

	target->source = source;
	target->kernel = kernel;
	if (source->present && kernel->has_headers)
		target->fingerprint = g_strdup("f1");
	if (!world->inventory.has_recorder)
		target->recorded = KS_RECORDED_UNKNOWN;
	g_ptr_array_add(world->inventory.targets, target);
}

static void read_source(struct world *world, char **words)
{
	struct ks_source *source = g_new0(struct ks_source, 1);
	g_auto(GStrv) parts = g_strsplit(*words ? *words++ : "", "/", 2);

	g_ptr_array_add(world->inventory.sources, source);
	if (g_strv_length(parts) != 2) {
		complain(world, "not NAME/VERSION");
		return;
	}
	source->name = g_strdup(parts[0]);
	source->version = g_strdup(parts[1]);
	source->present = source->added = true;
	for (; *words; words++) {
		if (!read_source_word(source, *words))
			complain(world, "unknown word '%s'", *words);
	}
	for (guint i = 0; i < world->inventory.kernels->len; i++)
		add_target(world, source, world->inventory.kernels->pdata[i]);
}

/* --- targets */

static struct ks_artifact *need_artifact(struct world *world, struct ks_target *target)
{
	struct ks_artifact *artifact = target->artifact;

	if (artifact)
		return artifact;
	artifact = target->artifact = g_new0(struct ks_artifact, 1);
	artifact->release = g_strdup(target->kernel->release);
	artifact->manifest =
		ks_manifest_new(target->source->name, target->source->version,
				target->kernel->release, target->kernel->arch);
	g_ptr_array_add(world->artifacts, artifact);
	return artifact;
}

static void set_built(struct world *world, struct ks_target *target,
		      const char *fingerprint)
{
	need_artifact(world, target);
	target->built = true;
	g_free(target->built_fingerprint);
	target->built_fingerprint = g_strdup(fingerprint);
}

static void set_failure(struct ks_target *target, const char *fingerprint)
{
	target->failure = g_new0(struct ks_failure, 1);
	target->failure->fingerprint = g_strdup(fingerprint);
	target->failure->reason = KS_REASON_BUILD_FAILED;
	target->failure->first_error = g_strdup("foo.c:1: error: no such thing");
}

static bool set_exclusion(struct ks_target *target, const char *value)
{
	static const struct {
		const char *id;
		enum ks_conf_exclusion exclusion;
	} ids[] = {
		{"exclusive-kernel", KS_CONF_EXCLUDED_KERNEL},
		{"exclusive-kernel-min", KS_CONF_EXCLUDED_KERNEL_MIN},
		{"exclusive-kernel-max", KS_CONF_EXCLUDED_KERNEL_MAX},
		{"exclusive-arch", KS_CONF_EXCLUDED_ARCH},
		{"exclusive-config", KS_CONF_EXCLUDED_CONFIG},
		{"obsolete-by", KS_CONF_EXCLUDED_OBSOLETE_BY},
		{"excluded-by-conf", KS_CONF_EXCLUDED_BY_CONF},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(ids); i++) {
		if (g_str_equal(ids[i].id, value)) {
			target->exclusion = ids[i].exclusion;
			target->exclusion_text = g_strdup("the conf says so");
			return true;
		}
	}
	return false;
}

static bool set_installed(struct world *world, struct ks_target *target, const char *word)
{
	if (g_str_equal(word, "installed"))
		target->installed = KS_INSTALLED_OK;
	else if (g_str_equal(word, "files-missing"))
		target->installed = KS_INSTALLED_MISSING;
	else if (g_str_equal(word, "files-changed"))
		target->installed = KS_INSTALLED_CHANGED;
	else
		return false;
	if (!target->built)
		set_built(world, target, "f1");
	return true;
}

static bool set_recorded(struct ks_target *target, const char *word)
{
	if (g_str_equal(word, "recorded"))
		target->recorded = KS_RECORDED_OK;
	else if (g_str_equal(word, "record-stale"))
		target->recorded = KS_RECORDED_STALE;
	else if (g_str_equal(word, "record-foreign"))
		target->recorded = KS_RECORDED_FOREIGN;
	else
		return false;
	return true;
}

static bool read_target_pair(struct world *world, struct ks_target *target,
			     const char *word)
{
	const char *value;

	if ((value = value_of(word, "built")))
		set_built(world, target, value);
	else if (g_str_equal(word, "signature-stale"))
		target->signature_stale = true;
	else if ((value = value_of(word, "fingerprint"))) {
		g_free(target->fingerprint);
		target->fingerprint = g_strdup(value);
	} else if ((value = value_of(word, "failure")))
		set_failure(target, value);
	else if ((value = value_of(word, "exclusion")))
		return set_exclusion(target, value);
	else if ((value = value_of(word, "conf-problem")))
		target->conf_problem = g_strdup(value);
	else if ((value = value_of(word, "in-tree")))
		target->in_tree = g_strdup(value);
	else if ((value = value_of(word, "depends")))
		target->build_depends = g_strsplit(value, ",", -1);
	else if ((value = value_of(word, "depends-installed")))
		target->depends_installed = g_strsplit(value, ",", -1);
	else if ((value = value_of(word, "built-upon")))
		target->built_upon = g_strsplit(value, ",", -1);
	else if ((value = value_of(word, "makes")))
		target->makes = g_strsplit(value, ",", -1);
	else if ((value = value_of(word, "occupied")))
		target->occupied = g_strdup(value);
	else if ((value = value_of(word, "own-toolchain-problem"))) {
		target->own_toolchain = true;
		target->toolchain_problem = g_strdup(value);
	} else if ((value = value_of(word, "artifact-problem")))
		need_artifact(world, target)->problem = g_strdup(value);
	else
		return false;
	return true;
}

static void read_target_word(struct world *world, struct ks_target *target,
			     const char *word)
{
	if (set_installed(world, target, word) || set_recorded(target, word) ||
	    read_target_pair(world, target, word))
		return;
	if (g_str_equal(word, "built")) {
		set_built(world, target, "f1");
	} else if (g_str_equal(word, "built-by-dkms")) {
		set_built(world, target, NULL);
	} else if (g_str_equal(word, "kernel-has-it")) {
		target->kernel_has_it = true;
	} else if (g_str_equal(word, "useless")) {
		target->is_useless = true;
	} else if (g_str_equal(word, "read-only")) {
		target->is_read_only = true;
	} else if (g_str_equal(word, "in-store")) {
		target->in_store = true;
	} else if (g_str_equal(word, "retry-due")) {
		target->is_retry_due = true;
	} else if (g_str_equal(word, "no-manifest")) {
		g_clear_pointer(&need_artifact(world, target)->manifest,
				ks_manifest_free);
	} else {
		complain(world, "unknown word '%s'", word);
	}
}

static void read_target(struct world *world, char **words)
{
	struct ks_source *source;
	struct ks_kernel *kernel;

	if (g_strv_length(words) < 2) {
		complain(world, "not NAME/VERSION KERNEL");
		return;
	}
	source = find_source(world, words[0]);
	kernel = find_kernel(world, words[1]);
	for (guint i = 0; source && kernel && i < world->inventory.targets->len; i++) {
		struct ks_target *target = world->inventory.targets->pdata[i];

		if (target->source != source || target->kernel != kernel)
			continue;
		for (char **word = words + 2; *word; word++)
			read_target_word(world, target, *word);
	}
}

static void read_record(struct world *world, char **words)
{
	struct ks_record_entry *entry = g_new0(struct ks_record_entry, 1);
	g_auto(GStrv) parts = NULL;

	g_ptr_array_add(world->inventory.records, entry);
	if (g_strv_length(words) < 2) {
		complain(world, "not NAME/VERSION KERNEL");
		return;
	}
	parts = g_strsplit(words[0], "/", 2);
	entry->module = g_strdup(parts[0]);
	entry->version = g_strdup(parts[1]);
	entry->release = g_strdup(words[1]);
	entry->package = g_strdup_printf("kmod-%s-%s", entry->module, entry->release);
	entry->complete = entry->ours = true;
	for (char **word = words + 2; *word; word++) {
		if (g_str_equal(*word, "incomplete"))
			entry->complete = false;
		else if (g_str_equal(*word, "foreign"))
			entry->ours = false;
		else
			complain(world, "unknown word '%s'", *word);
	}
}

/* --- settings and request */

static struct ks_module_settings *module_settings(struct world *world, const char *name)
{
	struct ks_module_settings *settings =
		g_hash_table_lookup(world->settings.modules, name);

	if (!settings) {
		settings = g_new0(struct ks_module_settings, 1);
		g_hash_table_insert(world->settings.modules, g_strdup(name), settings);
	}
	return settings;
}

static void set_kernels(struct world *world, const char *value)
{
	if (!ks_kernel_choice_parse(&world->settings.kernels, value))
		complain(world, "wrong kernels '%s'", value);
}

static char command[] = "true";
static struct ks_framework with_command = {.post_transaction = command};

static void read_settings(struct world *world, char **words)
{
	const char *value;

	for (; *words; words++) {
		if ((value = value_of(*words, "skip")))
			module_settings(world, value)->skip = true;
		else if ((value = value_of(*words, "hold")))
			module_settings(world, value)->hold = true;
		else if ((value = value_of(*words, "kernels")))
			set_kernels(world, value);
		else if (g_str_equal(*words, "no-autoinstall"))
			world->settings.no_autoinstall = true;
		else if (g_str_equal(*words, "no-initramfs"))
			world->settings.initramfs = false;
		else if (g_str_equal(*words, "post-transaction"))
			world->settings.framework = &with_command;
		else
			complain(world, "unknown word '%s'", *words);
	}
}

static const char *keep_string(struct world *world, const char *text)
{
	char *copy = g_strdup(text);

	g_ptr_array_add(world->keep, copy);
	return copy;
}

static const struct {
	const char *word;
	enum ks_goal goal;
} goals[] = {
	{"build", KS_GOAL_BUILD},	  {"install", KS_GOAL_INSTALL},
	{"reinstall", KS_GOAL_REINSTALL}, {"uninstall", KS_GOAL_UNINSTALL},
	{"unbuild", KS_GOAL_UNBUILD},	  {"prepare", KS_GOAL_PREPARE},
};

static void read_request(struct world *world, char **words)
{
	struct ks_plan_request *request = &world->request;
	const struct {
		const char *word;
		bool *flag;
	} flags[] = {
		{"force", &request->force},
		{"ignore-depends", &request->ignore_depends},
		{"rebuild-dependents", &request->rebuild_dependents},
		{"retry-failed", &request->retry_failed},
		{"keep-signature", &request->keep_signature},
		{"no-shared-build", &request->no_shared_build},
		{"no-initramfs", &request->no_initramfs},
		{"no-depmod", &request->no_depmod},
		{"no-record", &request->no_record},
		{"keep-all", &request->keep_all},
		{"keep-gone", &request->keep_gone},
	};

	for (; *words; words++) {
		const char *value;
		bool known = false;

		for (size_t i = 0; i < G_N_ELEMENTS(flags); i++) {
			if (g_str_equal(flags[i].word, *words))
				known = *flags[i].flag = true;
		}
		for (size_t i = 0; i < G_N_ELEMENTS(goals); i++) {
			if (!g_str_equal(goals[i].word, *words))
				continue;
			request->goal = goals[i].goal;
			known = true;
		}
		if ((value = value_of(*words, "module")))
			request->module = keep_string(world, value);
		else if ((value = value_of(*words, "version")))
			request->version = keep_string(world, value);
		else if ((value = value_of(*words, "release")))
			request->release = keep_string(world, value);
		else if (!known)
			complain(world, "unknown word '%s'", *words);
	}
}

/* --- the expected lines */

static void add_expectation(struct world *world, bool is_action, char **words)
{
	struct expectation *expectation = g_new0(struct expectation, 1);
	guint n = g_strv_length(words);

	expectation->line = world->line;
	expectation->is_action = is_action;
	g_ptr_array_add(world->expected, expectation);
	if (n > 1 && value_of(words[n - 1], "detail")) {
		expectation->detail = g_strdup(value_of(words[n - 1], "detail"));
		g_clear_pointer(&words[n - 1], g_free);
	}
	expectation->text = g_strjoinv(" ", words);
}

static void read_expect(struct world *world, char **words)
{
	if (words[0] && g_str_equal(words[0], "verdict"))
		add_expectation(world, false, words + 1);
	else if (words[0] && g_ascii_isdigit(words[0][0]))
		add_expectation(world, true, words);
	else if (words[0] && g_str_equal(words[0], "lost"))
		world->lost = g_strjoinv(" ", words + 1);
	else if (words[0] && g_str_equal(words[0], "record-needed"))
		world->record_needed = g_strcmp0(words[1], "yes") == 0;
	else
		complain(world, "'%s' is no expectation", words[0] ? words[0] : "");
}

/* --- reading a spec */

static void read_line(struct world *world, char *line)
{
	static const struct {
		const char *word;
		void (*read)(struct world *world, char **words);
	} readers[] = {
		{"world", read_world},	   {"kernel", read_kernel},
		{"source", read_source},   {"target", read_target},
		{"record", read_record},   {"settings", read_settings},
		{"request", read_request}, {"expect", read_expect},
	};
	g_auto(GStrv) words = NULL;
	g_autoptr(GError) error = NULL;

	g_strstrip(line);
	if (line[0] == '#' && !world->title)
		world->title = g_strdup(g_strstrip(line + 1));
	if (line[0] == '#' || line[0] == '\0')
		return;
	if (!g_shell_parse_argv(line, NULL, &words, &error)) {
		complain(world, "%s", error->message);
		return;
	}
	for (size_t i = 0; i < G_N_ELEMENTS(readers); i++) {
		if (g_str_equal(readers[i].word, words[0])) {
			readers[i].read(world, words + 1);
			return;
		}
	}
	complain(world, "unknown line '%s'", words[0]);
}

static void read_spec(struct world *world)
{
	g_autofree char *text = NULL;
	g_auto(GStrv) lines = NULL;
	g_autoptr(GError) error = NULL;

	if (!g_file_get_contents(world->file, &text, NULL, &error)) {
		complain(world, "%s", error->message);
		return;
	}
	lines = g_strsplit(text, "\n", -1);
	for (char **line = lines; *line; line++) {
		world->line++;
		read_line(world, *line);
	}
}

/* --- comparing */

static char *verdict_text(const struct ks_verdict *verdict)
{
	return g_strdup_printf(
		"%s/%s %s %s %s", verdict->target->source->name,
		verdict->target->source->version, verdict->target->kernel->release,
		ks_target_state_id(verdict->state), ks_reason_id(verdict->reason));
}

static void append_indices(GString *text, const char *word, const GArray *indices)
{
	for (guint i = 0; i < indices->len; i++)
		g_string_append_printf(text, "%s%u", i ? "," : word,
				       g_array_index(indices, guint, i) + 1);
}

static char *action_text(const struct ks_action *action, guint index)
{
	GString *text = g_string_new(NULL);

	g_string_append_printf(text, "%u %s", index + 1, ks_action_kind_id(action->kind));
	if (action->target)
		g_string_append_printf(text, " %s/%s", action->target->source->name,
				       action->target->source->version);
	if (action->source)
		g_string_append_printf(text, " %s/%s", action->source->name,
				       action->source->version);
	if (action->kernel)
		g_string_append_printf(text, " %s", action->kernel->release);
	/* these have the reason of another action */
	if (action->target)
		g_string_append_printf(text, " %s", ks_reason_id(action->reason));
	append_indices(text, " needs=", action->needs);
	/* what closes a run comes after everything, which says nothing */
	if (action->kind != KS_ACTION_RECORD && action->kind != KS_ACTION_DEVICES &&
	    action->kind != KS_ACTION_POST_TRANSACTION && action->kind != KS_ACTION_PRUNE)
		append_indices(text, " after=", action->after);
	return g_string_free(text, FALSE);
}

static void check_verdict(struct world *world, const struct ks_plan *plan,
			  const struct expectation *expected)
{
	g_auto(GStrv) words = g_strsplit(expected->text, " ", 3);

	world->line = expected->line;
	for (guint i = 0; i < plan->verdicts->len; i++) {
		const struct ks_verdict *verdict = plan->verdicts->pdata[i];
		g_autofree char *text = verdict_text(verdict);
		g_auto(GStrv) got = g_strsplit(text, " ", 3);

		if (g_strv_length(words) != 3 || !g_str_equal(words[0], got[0]) ||
		    !g_str_equal(words[1], got[1]))
			continue;
		if (!g_str_equal(words[2], got[2]))
			complain(world, "verdict is %s (%s)", text,
				 verdict->detail ? verdict->detail : "");
		else if (expected->detail &&
			 !strstr(verdict->detail ? verdict->detail : "",
				 expected->detail))
			complain(world, "detail is '%s'",
				 verdict->detail ? verdict->detail : "");
		return;
	}
	complain(world, "no verdict for '%s'", expected->text);
}

static void check_action(struct world *world, const struct ks_plan *plan, guint index,
			 const struct expectation *expected)
{
	g_autofree char *text = NULL;

	world->line = expected->line;
	if (index >= plan->actions->len) {
		complain(world, "no such action");
		return;
	}
	text = action_text(plan->actions->pdata[index], index);
	if (!g_str_equal(text, expected->text))
		complain(world, "action is '%s'", text);
}

/* What every plan must satisfy, whatever the system. */
static void check_invariants(struct world *world, const struct ks_plan *plan)
{
	for (guint i = 0; i < plan->actions->len; i++) {
		const struct ks_action *action = plan->actions->pdata[i];

		for (guint j = 0; j < action->needs->len; j++) {
			if (g_array_index(action->needs, guint, j) >= i)
				complain(world, "action %u needs a later one", i + 1);
		}
		for (guint j = 0; j < action->after->len; j++) {
			if (g_array_index(action->after, guint, j) >= i)
				complain(world, "action %u is after a later one", i + 1);
		}
	}
	if (plan->verdicts->len != world->inventory.targets->len)
		complain(world, "not one verdict per target");
}

static bool has_record(const struct ks_plan *plan)
{
	for (guint i = 0; i < plan->actions->len; i++) {
		const struct ks_action *action = plan->actions->pdata[i];

		if (action->kind == KS_ACTION_RECORD)
			return true;
	}
	return false;
}

static void check_lost(struct world *world, const struct ks_plan *plan)
{
	g_autoptr(GString) text = g_string_new(NULL);

	for (guint i = 0; i < plan->verdicts->len; i++) {
		const struct ks_verdict *verdict = plan->verdicts->pdata[i];

		if (verdict->lost_from)
			g_string_append_printf(text, "%s%s/%s %s", text->len ? " " : "",
					       verdict->target->source->name,
					       verdict->target->source->version,
					       verdict->target->kernel->release);
	}
	if (world->lost && !g_str_equal(world->lost, text->str))
		complain(world, "lost on the next boot is '%s'", text->str);
}

static void compare(struct world *world, const struct ks_plan *plan)
{
	guint n_actions = 0;

	for (guint i = 0; i < world->expected->len; i++) {
		const struct expectation *expected = world->expected->pdata[i];

		if (expected->is_action)
			check_action(world, plan, n_actions++, expected);
		else
			check_verdict(world, plan, expected);
	}
	if (plan->actions->len > n_actions) {
		g_autofree char *text =
			action_text(plan->actions->pdata[n_actions], n_actions);

		complain(world, "unexpected action '%s'", text);
	}
	if (world->record_needed >= 0 && has_record(plan) != world->record_needed)
		complain(world, "record-needed is %s", has_record(plan) ? "yes" : "no");
	check_lost(world, plan);
	if (!world->expected->len && world->record_needed < 0 && !world->lost)
		complain(world, "nothing is expected");
	check_invariants(world, plan);
}

/* --- running */

static void source_free(gpointer data)
{
	struct ks_source *source = data;

	g_free(source->name);
	g_free(source->version);
	g_free(source->problem);
	g_free(source);
}

static void kernel_free(gpointer data)
{
	struct ks_kernel *kernel = data;

	g_free(kernel->release);
	g_free(kernel->arch);
	g_free(kernel->toolchain_problem);
	g_free(kernel->headers_problem);
	g_free(kernel);
}

static void target_free(gpointer data)
{
	struct ks_target *target = data;

	g_free(target->exclusion_text);
	g_free(target->conf_problem);
	g_free(target->fingerprint);
	g_strfreev(target->build_depends);
	g_strfreev(target->depends_installed);
	g_free(target->built_fingerprint);
	ks_failure_free(target->failure);
	g_free(target->in_tree);
	g_free(target->occupied);
	g_strfreev(target->makes);
	g_free(target->toolchain_problem);
	g_free(target);
}

static void artifact_free(gpointer data)
{
	struct ks_artifact *artifact = data;

	g_free(artifact->release);
	g_free(artifact->problem);
	ks_manifest_free(artifact->manifest);
	g_free(artifact);
}

static void record_free(gpointer data)
{
	struct ks_record_entry *entry = data;

	g_free(entry->package);
	g_free(entry->module);
	g_free(entry->version);
	g_free(entry->release);
	g_free(entry);
}

static void expectation_free(gpointer data)
{
	struct expectation *expectation = data;

	g_free(expectation->text);
	g_free(expectation->detail);
	g_free(expectation);
}

static void world_init(struct world *world, const char *file)
{
	*world = (struct world){.file = file, .record_needed = -1};
	world->inventory.kernels = g_ptr_array_new_with_free_func(kernel_free);
	world->inventory.upkeep = g_ptr_array_new_with_free_func(ks_upkeep_free);
	world->inventory.sources = g_ptr_array_new_with_free_func(source_free);
	world->inventory.targets = g_ptr_array_new_with_free_func(target_free);
	world->inventory.records = g_ptr_array_new_with_free_func(record_free);
	world->inventory.source_tree_present = true;
	world->inventory.has_recorder = true;
	world->settings.initramfs = true;
	world->settings.modules =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	world->keep = g_ptr_array_new_with_free_func(g_free);
	world->artifacts = g_ptr_array_new_with_free_func(artifact_free);
	world->expected = g_ptr_array_new_with_free_func(expectation_free);
}

static void world_clear(struct world *world)
{
	g_ptr_array_unref(world->inventory.targets);
	g_ptr_array_unref(world->inventory.sources);
	g_ptr_array_unref(world->inventory.upkeep);
	g_ptr_array_unref(world->inventory.kernels);
	g_ptr_array_unref(world->inventory.records);
	g_hash_table_unref(world->settings.modules);
	g_ptr_array_unref(world->keep);
	g_ptr_array_unref(world->artifacts);
	g_ptr_array_unref(world->expected);
	g_free(world->title);
	g_free(world->lost);
	g_free(world->trouble);
}

static bool run_spec(const char *file, unsigned int number)
{
	struct world world;
	struct ks_plan *plan;
	bool ok;

	world_init(&world, file);
	read_spec(&world);
	if (!world.title)
		complain(&world, "no title");
	plan = ks_plan_make(&world.inventory, &world.settings, &world.request);
	compare(&world, plan);
	ok = !world.trouble;
	printf("%sok %u - %s\n", ok ? "" : "not ", number,
	       world.title ? world.title : file);
	if (!ok)
		printf("# %s\n", world.trouble);
	for (guint i = 0; !ok && i < plan->actions->len; i++) {
		g_autofree char *text = action_text(plan->actions->pdata[i], i);

		printf("#   expect %s\n", text);
	}
	ks_plan_free(plan);
	world_clear(&world);
	return ok;
}

static gint compare_names(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* automake gives the tests the source directory in "srcdir". */
static GPtrArray *list_specs(void)
{
	GPtrArray *files = g_ptr_array_new_with_free_func(g_free);
	const char *srcdir = g_getenv("srcdir");
	g_autofree char *path =
		g_build_filename(srcdir ? srcdir : ".", "tests", "spec", "plan", NULL);
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	const char *name;

	while (dir && (name = g_dir_read_name(dir))) {
		if (g_str_has_suffix(name, ".spec"))
			g_ptr_array_add(files, g_build_filename(path, name, NULL));
	}
	g_ptr_array_sort(files, compare_names);
	return files;
}

int main(int argc, char **argv)
{
	g_autoptr(GPtrArray) files = argc > 1 ? g_ptr_array_new() : list_specs();
	bool ok = true;

	for (int i = 1; i < argc; i++)
		g_ptr_array_add(files, argv[i]);
	if (!files->len) {
		printf("Bail out! no specs found: set srcdir to the top of the source\n");
		return EXIT_FAILURE;
	}
	printf("1..%u\n", files->len);
	for (guint i = 0; i < files->len; i++)
		ok &= run_spec(files->pdata[i], i + 1);
	return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
