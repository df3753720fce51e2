/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the engine's events to dkms's lines. */
#include "cli/dkms-words.h"

#include <stdarg.h>
#include <string.h>

#include "cli/dkms-debug.h"
#include "cli/message.h"
#include "cli/source.h"
#include "core/install/occupant.h"
#include "core/support/error.h"

#define TICKS_PER_DOT 3

struct chunk {
	bool is_error;
	char *text;
};

/* One target, or with an empty release a source. */
struct block {
	struct ks_dkms_done done;
	GPtrArray *chunks; /* struct chunk; live: stays empty */
	bool began;	   /* its first step was told */
	bool line_open;	   /* "Building module(s)..." has not ended */
	bool made;	   /* make's line was told */
	bool signs;	   /* and it has not been told yet */
	char *command;	   /* of the open line */
	char *script;	   /* the latest one that was run as root */
};

struct ks_dkms_words {
	const struct ks_dkms *dkms;
	bool kept;
	bool in_post_transaction; /* its line has not ended */
	bool began;		  /* a first step was told, or kept */
	bool moved;		  /* files were placed or taken away */
	bool in_depmod;		  /* its line has not ended */
	char *prologue;		  /* of signing; NULL: nothing is to be built */
	GHashTable *blocks;	  /* "NAME/VERSION RELEASE" -> struct block */
	GHashTable *depmod;	  /* release -> error text of its failure */
	struct block *ticking;
	unsigned int n_ticks;
};

static void chunk_free(gpointer data)
{
	struct chunk *chunk = data;

	g_free(chunk->text);
	g_free(chunk);
}

static void block_free(gpointer data)
{
	struct block *block = data;

	g_ptr_array_unref(block->chunks);
	g_free(block->done.error);
	g_free(block->command);
	g_free(block->script);
	g_free(block);
}

struct ks_dkms_words *ks_dkms_words_new(const struct ks_dkms *dkms, bool kept)
{
	struct ks_dkms_words *words = g_new0(struct ks_dkms_words, 1);

	words->dkms = dkms;
	words->kept = kept;
	words->blocks =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, block_free);
	words->depmod = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	return words;
}

void ks_dkms_words_free(struct ks_dkms_words *words)
{
	g_hash_table_unref(words->blocks);
	g_hash_table_unref(words->depmod);
	g_free(words->prologue);
	g_free(words);
}

static char *block_key(const char *name, const char *version, const char *release)
{
	return g_strdup_printf("%s/%s %s", name, version, release);
}

static struct block *find_block(const struct ks_dkms_words *words, const char *name,
				const char *version, const char *release)
{
	g_autofree char *key = block_key(name, version, release);

	return g_hash_table_lookup(words->blocks, key);
}

/* The block of an action, made when it is new; NULL for one of a whole kernel. */
static struct block *get_block(struct ks_dkms_words *words,
			       const struct ks_action *action)
{
	const struct ks_source *source = ks_source_of_action(action);
	const struct ks_kernel *kernel = ks_source_kernel_of_action(action);
	g_autofree char *key = NULL;
	struct block *block;

	if (!source)
		return NULL;
	key = block_key(source->name, source->version, kernel ? kernel->release : "");
	block = g_hash_table_lookup(words->blocks, key);
	if (block)
		return block;
	block = g_new0(struct block, 1);
	block->chunks = g_ptr_array_new_with_free_func(chunk_free);
	g_hash_table_insert(words->blocks, g_steal_pointer(&key), block);
	return block;
}

static void print(const char *text, bool is_error)
{
	/* the two may be one terminal: keep them in order */
	fflush(is_error ? stdout : stderr);
	fputs(text, is_error ? stderr : stdout);
	fflush(is_error ? stderr : stdout);
}

static void say_text(struct ks_dkms_words *words, struct block *block, bool is_error,
		     const char *text)
{
	struct chunk *chunk;

	if (!words->kept || !block) {
		print(text, is_error);
		return;
	}
	chunk = g_new0(struct chunk, 1);
	chunk->is_error = is_error;
	chunk->text = g_strdup(text);
	g_ptr_array_add(block->chunks, chunk);
}

static void say(struct ks_dkms_words *words, struct block *block, const char *format, ...)
	G_GNUC_PRINTF(3, 4);
static void say(struct ks_dkms_words *words, struct block *block, const char *format, ...)
{
	g_autofree char *text = NULL;
	va_list args;

	va_start(args, format);
	text = g_strdup_vprintf(format, args);
	va_end(args);
	say_text(words, block, false, text);
}

/* --- lines that end when the work ends */

static void begin_line(struct ks_dkms_words *words, struct block *block,
		       const char *description, const char *command)
{
	g_free(block->command);
	block->command = ks_message_clean(command);
	block->line_open = true;
	words->ticking = block;
	words->n_ticks = 0;
	if (words->dkms->options.verbose)
		say(words, block, "%s\n", block->command);
	else
		say(words, block, "%s...", description);
}

static void end_line(struct ks_dkms_words *words, struct block *block, int exit_status)
{
	if (!block || !block->line_open)
		return;
	block->line_open = false;
	words->ticking = NULL;
	if (!exit_status)
		say(words, block, " done.\n");
	else if (words->dkms->options.verbose)
		say(words, block, "(bad exit status: %d)", exit_status);
	else
		say(words, block, "(bad exit status: %d)\nFailed command:\n%s\n",
		    exit_status, block->command);
}

static void tick(struct ks_dkms_words *words)
{
	if (words->kept || !words->ticking || words->dkms->options.verbose ||
	    ++words->n_ticks % TICKS_PER_DOT)
		return;
	print(".", false);
}

/* --- adding, building */

static char *entry_path(const struct ks_dkms_words *words, const struct ks_source *source)
{
	return ks_tree_entry_path(words->dkms->cli.system, source->name, source->version);
}

static void say_adding(struct ks_dkms_words *words, struct block *block,
		       const struct ks_source *source)
{
	g_autofree char *entry = entry_path(words, source);

	say(words, block, "Creating symlink %s/source -> %s\n", entry, source->path);
}

static bool is_dkms_step(const char *name)
{
	static const char *const names[] = {"patch", "pre_build", "make", "post_build",
					    NULL};

	return g_strv_contains(names, name);
}

/* What dkms tells before the first step: of signing, and an empty line. */
static void print_prologue(const struct ks_dkms_words *words)
{
	if (words->prologue)
		print(words->prologue, false);
	print("\n", false);
}

/* As dkms reads the conf: once for each, on stderr. */
static void say_deprecated(struct ks_dkms_words *words, const struct ks_event *event)
{
	const struct ks_target *target = event->action->target;
	g_autofree char *entry = NULL;
	g_autofree char *path = NULL;

	if (!target || !target->conf)
		return;
	entry = entry_path(words, target->source);
	path = words->dkms->overrides.conf_path
		       ? g_strdup(words->dkms->overrides.conf_path)
		       : g_build_filename(entry, "source", "dkms.conf", NULL);
	if (!ks_dkms_is_first_read(words->dkms, target->source->name,
				   target->source->version))
		return;
	for (char **name = target->conf->deprecated; name && *name; name++) {
		g_autofree char *text =
			g_strdup_printf("Deprecated feature: %s (%s)\n", *name, path);

		say_text(words, get_block(words, event->action), true, text);
	}
}

static void begin_build(struct ks_dkms_words *words, struct block *block,
			const struct ks_action *action)
{
	g_autofree char *warning = NULL;

	words->began = true;
	if (block->began)
		return;
	block->began = true;
	if (!words->kept)
		print_prologue(words);
	warning = words->dkms->options.force
			  ? ks_dkms_depends_warning(words->dkms, action->target)
			  : NULL;
	if (warning)
		say_text(words, block, true, warning);
}

static void on_signing(struct ks_dkms_words *words, const struct ks_event *event)
{
	if (event->action->kind != KS_ACTION_BUILD)
		return;
	if (event->first && !words->prologue)
		words->prologue =
			ks_dkms_sign_prologue(event->signing, event->action->kernel);
	get_block(words, event->action)->signs = event->signing->verdict == KS_SIGN_YES;
}

/* Told where dkms does it, behind make; it is done at the very end. */
static void say_signing(struct ks_dkms_words *words, const struct ks_action *action)
{
	struct block *block = get_block(words, action);
	const struct ks_conf *conf = action->target->conf;
	g_autofree char *entry = NULL;

	if (action->kind != KS_ACTION_BUILD || !block->signs || !conf)
		return;
	block->signs = false;
	entry = entry_path(words, action->target->source);
	for (guint i = 0; i < conf->modules->len; i++) {
		const struct ks_conf_module *module = conf->modules->pdata[i];
		const char *location = module->built_location;

		if (!module->excluded)
			say(words, block, "Signing module %s/build/%s%s.ko\n", entry,
			    location ? location : "", module->built_name);
	}
}

static void on_sign_failed(struct ks_dkms_words *words, const struct ks_event *event)
{
	g_autofree char *clean = ks_message_clean(event->text);
	g_autofree char *text =
		g_strdup_printf("Warning: Failed to sign module: %s\n", clean);

	say_text(words, get_block(words, event->action), true, text);
}

static void on_step(struct ks_dkms_words *words, const struct ks_event *event)
{
	struct block *block = get_block(words, event->action);

	end_line(words, block, 0);
	if (g_strcmp0(event->text, "post_build") == 0)
		say_signing(words, event->action);
	if (!event->description || !is_dkms_step(event->text))
		return;
	begin_build(words, block, event->action);
	begin_line(words, block, event->description, event->command);
	block->made |= g_str_equal(event->text, "make");
}

/* What the store had is told of as built. */
static void on_signed(struct ks_dkms_words *words, const struct ks_event *event)
{
	const struct ks_action *action = event->action;
	struct block *block = get_block(words, action);

	end_line(words, block, 0);
	if (action->kind == KS_ACTION_BUILD && !block->made) {
		begin_build(words, block, action);
		begin_line(words, block, "Building module(s)", "make");
		end_line(words, block, 0);
		block->made = true;
	}
	/* when no POST_BUILD came behind make */
	say_signing(words, action);
}

/* As its conf names it; gone with the build directory, so it is looked for in both. */
static bool has_patch(const struct ks_dkms_words *words, const struct ks_source *source,
		      const char *name)
{
	const struct ks_system *system = words->dkms->cli.system;
	g_autofree char *own = g_build_filename(source->path, "patches", name, NULL);
	g_autofree char *override =
		g_build_filename(system->dkms_etc, source->name, "patches", name, NULL);

	return ks_root_exists(system->root, own) ||
	       ks_root_exists(system->root, override);
}

/* "patch -p1 < ./patches/NAME" */
static const char *patch_name(const struct block *block)
{
	static const char before[] = "./patches/";
	const char *found = block->command ? strstr(block->command, before) : NULL;

	return found ? found + strlen(before) : "";
}

static void fail_patch(struct ks_dkms_words *words, const struct ks_source *source,
		       struct block *block, const char *log)
{
	const char *name = patch_name(block);
	g_autofree char *entry = entry_path(words, source);

	if (has_patch(words, source, name)) {
		block->done.code = KS_DKMS_INSTALL_FAILED;
		block->done.error = g_strdup_printf("Application of patch %s failed.\n"
						    "Consult %s for more information.",
						    name, log);
		return;
	}
	block->done.code = KS_DKMS_NO_ALL;
	block->done.error =
		g_strdup_printf("Patch %s as specified in dkms.conf cannot be\nfound in "
				"%s/build/patches/.",
				name, entry);
}

/* "foo/bar.ko" of what the collecting of the build's products says; NULL: all are there.
 */
static char *missing_product(const char *message)
{
	static const char before[] = "the build did not produce '";
	const char *name = message + strlen(before);

	return g_str_has_prefix(message, before) && *name
		       ? g_strndup(name, strlen(name) - 1)
		       : NULL;
}

/* Its modules are not there, or do not fit the kernel, which dkms does not look at. */
static void fail_product(const struct ks_action *action, struct block *block,
			 const struct ks_build_result *result, const char *log)
{
	const struct ks_kernel *kernel = ks_source_kernel_of_action(action);
	g_autofree char *missing = missing_product(result->message);

	block->done.code = KS_DKMS_NOT_PRODUCED;
	block->done.error = g_strdup_printf(
		"Build of %s failed for: %s (%s)\n%s%s"
		"Make sure the name and location of the generated module are "
		"correct,\nor consult %s for more information.",
		missing ? missing : action->target->source->name, kernel->release,
		kernel->arch, missing ? "" : result->message, missing ? "" : "\n", log);
}

static void fail_step(struct ks_dkms_words *words, const struct ks_action *action,
		      struct block *block, const struct ks_build_result *result)
{
	const struct ks_kernel *kernel = ks_source_kernel_of_action(action);
	g_autofree char *entry = entry_path(words, ks_source_of_action(action));
	g_autofree char *fallback = g_strconcat(entry, "/build/make.log", NULL);
	const char *log = result->log_path ? result->log_path : fallback;

	if (g_str_equal(result->step, "patch")) {
		fail_patch(words, ks_source_of_action(action), block, log);
	} else if (g_str_equal(result->step, "pre_build") ||
		   g_str_equal(result->step, "post_build")) {
		/* the script's own status is dkms's */
		block->done.code = result->exit_status;
		say(words, block, "Consult %s for more information.\n", log);
	} else if (g_str_equal(result->step, "make")) {
		block->done.code = KS_DKMS_BUILD_FAILED;
		block->done.error = g_strdup_printf(
			"Bad return status for module build on kernel: %s (%s)\n"
			"Consult %s for more information.",
			kernel->release, kernel->arch, log);
	} else {
		fail_product(action, block, result, log);
	}
}

static void on_build_failed(struct ks_dkms_words *words, const struct ks_event *event)
{
	struct block *block = get_block(words, event->action);
	const struct ks_build_result *result = event->result;

	end_line(words, block, result ? result->exit_status : 0);
	if (result && !result->outside && result->step) {
		fail_step(words, event->action, block, result);
		return;
	}
	block->done.code = KS_DKMS_BUILD_FAILED;
	block->done.error =
		g_strdup(event->error ? event->error->message : "interrupted");
}

/* --- installing, uninstalling */

static void on_placed(struct ks_dkms_words *words, const struct ks_event *event)
{
	struct block *block = get_block(words, event->action);

	for (guint i = 0; i < event->manifest->files->len; i++) {
		const struct ks_manifest_file *file =
			g_ptr_array_index(event->manifest->files, i);

		say(words, block, "Installing %s/%s\n", file->dest_dir, file->name);
	}
	block->done.installed = true;
	words->moved = true;
}

/* A file that is not what was installed is somebody else's by now, and stays. */
static void say_taken(struct ks_dkms_words *words, struct block *block,
		      const struct ks_kernel *kernel, const struct ks_manifest *manifest,
		      const struct ks_manifest_file *file)
{
	const struct ks_system *system = words->dkms->cli.system;
	g_autofree char *path = g_build_filename(file->dest_dir, file->name, NULL);

	if (ks_occupant_is_placed(system, manifest, file))
		say(words, block, "Deleting %s\n", path);
	else
		say(words, block, "Module %s was not found within %s/\n", file->name,
		    kernel->modules_dir);
}

static void on_taken(struct ks_dkms_words *words, const struct ks_event *event)
{
	const struct ks_target *target = event->action->target;
	const struct ks_system *system = words->dkms->cli.system;
	struct block *block = get_block(words, event->action);
	g_autofree char *originals = g_build_filename(
		system->dkms_tree, target->source->name, "original_module",
		target->kernel->release, target->kernel->arch, NULL);

	words->moved = true;
	block->done.had_originals = ks_root_exists(system->root, originals);
	say(words, block, "Module %s/%s for kernel %s (%s):\n", target->source->name,
	    target->source->version, target->kernel->release, target->kernel->arch);
	say(words, block,
	    "Before uninstall, this module version was ACTIVE on this kernel.\n");
	for (guint i = 0; i < event->manifest->files->len; i++)
		say_taken(words, block, target->kernel, event->manifest,
			  g_ptr_array_index(event->manifest->files, i));
}

static void on_original(struct ks_dkms_words *words, const struct ks_event *event)
{
	struct block *block = get_block(words, event->action);

	if (event->action->kind == KS_ACTION_UNINSTALL)
		say(words, block, "Restoring archived original module %s\n", event->text);
	else
		say(words, block, "Found pre-existing %s, archiving for uninstallation\n",
		    event->text);
}

static void on_script(struct ks_dkms_words *words, const struct ks_event *event)
{
	struct block *block = get_block(words, event->action);

	g_free(block->script);
	block->script = g_strdup(event->text);
	say(words, block, "Running the %s script:\n", event->text);
}

static void on_no_script(struct ks_dkms_words *words, const struct ks_event *event)
{
	struct block *block = get_block(words, event->action);
	g_autofree char *text = g_strdup_printf(
		"Warning: The %s script is not executable.\n", event->text);

	if (event->action->kind == KS_ACTION_BUILD)
		begin_build(words, block, event->action);
	say(words, block, "\n");
	say_text(words, block, true, text);
}

static void on_install_failed(struct ks_dkms_words *words, const struct ks_event *event)
{
	struct block *block = get_block(words, event->action);

	block->done.code = KS_DKMS_INSTALL_FAILED;
	if (g_strcmp0(block->script, "pre_install") == 0 && !block->done.installed) {
		block->done.code = KS_DKMS_PRE_INSTALL_FAILED;
		block->done.error = g_strdup("pre_install failed, aborting install.\n"
					     "You may override by specifying --force.");
		return;
	}
	block->done.error = g_strdup(event->error->message);
}

/* --- events */

/* dkms runs it behind what it has placed or taken away. */
static void begin_depmod(struct ks_dkms_words *words, const struct ks_kernel *kernel)
{
	words->in_depmod = words->moved && !words->kept;
	if (!words->in_depmod)
		return;
	if (words->dkms->options.verbose)
		printf("do_depmod %s\n", kernel->release);
	else
		print("Running depmod...", false);
}

static void end_depmod(struct ks_dkms_words *words, const char *how)
{
	if (words->in_depmod)
		print(how, false);
	words->in_depmod = false;
}

static void on_start(struct ks_dkms_words *words, const struct ks_event *event)
{
	const struct ks_action *action = event->action;

	if (action->kind == KS_ACTION_BUILD || action->kind == KS_ACTION_INSTALL)
		say_deprecated(words, event);
	if (action->kind == KS_ACTION_ADD)
		say_adding(words, get_block(words, action), action->source);
	else if (action->kind == KS_ACTION_DEPMOD)
		begin_depmod(words, action->kernel);
}

static void on_done(struct ks_dkms_words *words, const struct ks_event *event)
{
	const struct ks_action *action = event->action;
	struct block *block = get_block(words, action);

	switch (action->kind) {
	case KS_ACTION_ADD:
		say(words, block, "\n");
		break;
	case KS_ACTION_BUILD:
		end_line(words, block, 0);
		block->done.built = true;
		break;
	case KS_ACTION_UNINSTALL:
		block->done.uninstalled = true;
		break;
	case KS_ACTION_DEPMOD:
		end_depmod(words, " done.\n");
		break;
	default:
		break;
	}
}

static void on_failed(struct ks_dkms_words *words, const struct ks_event *event)
{
	const struct ks_action *action = event->action;

	switch (action->kind) {
	case KS_ACTION_BUILD:
		on_build_failed(words, event);
		break;
	case KS_ACTION_DEPMOD:
		g_hash_table_insert(words->depmod, g_strdup(action->kernel->release),
				    g_strdup(event->error->message));
		end_depmod(words, "(bad exit status: 1)\n");
		break;
	case KS_ACTION_INITRAMFS:
	case KS_ACTION_RECORD:
		break;
	default:
		on_install_failed(words, event);
		break;
	}
}

static void begin_post_transaction(struct ks_dkms_words *words, const char *command)
{
	g_autofree char *clean = ks_message_clean(command);

	words->in_post_transaction = true;
	if (!words->dkms->options.verbose) {
		print("Executing post-transaction command...", false);
		return;
	}
	print(clean, false);
	print("\n", false);
}

void ks_dkms_words_observe(const struct ks_event *event, void *data)
{
	struct ks_dkms_words *words = data;

	if (words->dkms->options.debug)
		ks_dkms_debug_tell(event);
	switch (event->kind) {
	case KS_EVENT_ACTION_START:
		on_start(words, event);
		break;
	case KS_EVENT_ACTION_STEP:
		on_step(words, event);
		break;
	case KS_EVENT_ACTION_DONE:
		on_done(words, event);
		break;
	case KS_EVENT_ACTION_FAILED:
		on_failed(words, event);
		break;
	case KS_EVENT_ORIGINAL:
		on_original(words, event);
		break;
	case KS_EVENT_PLACED:
		on_placed(words, event);
		break;
	case KS_EVENT_TAKEN:
		on_taken(words, event);
		break;
	case KS_EVENT_WEAK_MODULES:
		say(words, get_block(words, event->action), "%s linked weak modules...\n",
		    event->action->kind == KS_ACTION_INSTALL ? "Adding" : "Removing");
		break;
	case KS_EVENT_SCRIPT:
		on_script(words, event);
		break;
	case KS_EVENT_NO_SCRIPT:
		on_no_script(words, event);
		break;
	case KS_EVENT_ACTION_PROGRESS:
	case KS_EVENT_TICK:
		tick(words);
		break;
	case KS_EVENT_POST_TRANSACTION:
		begin_post_transaction(words, event->text);
		break;
	case KS_EVENT_WARNING:
		/* its own failure is the only one that can come then */
		if (words->in_post_transaction)
			print("(bad exit status: 1)\n", false);
		words->in_post_transaction = false;
		break;
	case KS_EVENT_SIGNING:
		on_signing(words, event);
		break;
	case KS_EVENT_SIGNED:
		on_signed(words, event);
		break;
	case KS_EVENT_SIGN_FAILED:
		on_sign_failed(words, event);
		break;
	case KS_EVENT_WAITING_FOR_LOCK:
	case KS_EVENT_RECOVERED:
	case KS_EVENT_PLANNED:
	case KS_EVENT_SANDBOX:
		break;
	}
}

void ks_dkms_words_end(struct ks_dkms_words *words)
{
	if (words->in_post_transaction)
		print(" done.\n", false);
	words->in_post_transaction = false;
}

/* --- afterwards */

bool ks_dkms_words_is_kept(const struct ks_dkms_words *words)
{
	return words->kept;
}

void ks_dkms_words_print_prologue(const struct ks_dkms_words *words)
{
	if (words->began)
		print_prologue(words);
}

const struct ks_dkms_done *ks_dkms_words_done(const struct ks_dkms_words *words,
					      const char *name, const char *version,
					      const char *release)
{
	const struct block *block = find_block(words, name, version, release);

	return block ? &block->done : NULL;
}

int ks_dkms_words_tell_failure(const struct ks_dkms_words *words, const char *name,
			       const char *version, const char *release)
{
	const struct block *block = find_block(words, name, version, release);

	if (!block || !block->done.code)
		return KS_DKMS_OK;
	if (block->done.error)
		ks_dkms_die(0, "%s", block->done.error);
	return block->done.code;
}

bool ks_dkms_words_depmod_failed(const struct ks_dkms_words *words, const char *release)
{
	return g_hash_table_contains(words->depmod, release);
}

void ks_dkms_words_print_depmod(const struct ks_dkms_words *words, const char *release)
{
	const char *error = g_hash_table_lookup(words->depmod, release);

	if (!error)
		print("Running depmod... done.\n", false);
	else
		printf("Running depmod...(bad exit status: 1)\nFailed command:\n"
		       "depmod -a %s\n%s\n",
		       release, error);
}

void ks_dkms_words_print(const struct ks_dkms_words *words, const char *name,
			 const char *version, const char *release, bool with_depmod)
{
	const struct block *block = find_block(words, name, version, release);

	for (guint i = 0; block && i < block->chunks->len; i++) {
		const struct chunk *chunk = g_ptr_array_index(block->chunks, i);

		print(chunk->text, chunk->is_error);
	}
	if (!block || !(block->done.installed || block->done.uninstalled))
		return;
	if (with_depmod)
		ks_dkms_words_print_depmod(words, release);
}
