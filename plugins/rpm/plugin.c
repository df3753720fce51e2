/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The plugin of rpm: kmodsmith.so, loaded into rpm, dnf, zypper, PackageKit and
 * whatever else installs packages.
 *
 *	init		  remember the root; let "rpm -e kernel" take records along
 *	tsm_pre		  does the transaction touch kernels or sources of modules?
 *	scriptlet_fork_post  tell a dkms that a scriptlet calls to leave it to us
 *	scriptlet_pre	  before the first scriptlet of the end of the transaction, where
 *			  dracut runs: all files are there, so build and install
 *	tsm_post	  the same for what is left, then make the database right
 *
 * A plugin that cannot be loaded, or whose init fails, breaks every installation
 * on the machine: it links librpm, librpmio and libc, every hook returns
 * RPMRC_OK, and the work is done in a child process. On success nothing is logged
 * above the level of debugging: dnf 4 takes any message of this stage for output of
 * a scriptlet and marks the transaction.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <rpm/rpmlog.h>

#include "plugins/rpm/abi.h"
#include "plugins/rpm/child.h"
#include "plugins/rpm/detect.h"
#include "plugins/rpm/follow.h"
#include "plugins/rpm/names.h"
#include "plugins/rpm/reconcile.h"
#include "plugins/rpm/rpm-tree.h"

#define ENGINE	   SBINDIR "/kmodsmith"
#define LEAVE_MARK "/run/kmodsmith/rpm-leave"

/* Flags of transactions that change nothing on disk. */
#define NOT_FOR_REAL                                                                     \
	(RPMTRANS_FLAG_TEST | RPMTRANS_FLAG_JUSTDB | RPMTRANS_FLAG_BUILD_PROBS)

static struct {
	dev_t root_dev; /* of "/" as it was at first: shows whether rpm is in a chroot */
	ino_t root_ino;
	bool real;  /* the transaction is no test, and we are switched on */
	bool hit;   /* it is of interest */
	bool built; /* the engine has run at the stage of scriptlets */
	char engine[1024];
	char root[4096];
	char *messages; /* the engine's of that stage, to be logged at the end */
	char **removed; /* packages that may be records, and go in this transaction */
	size_t n_removed;
} state;

static bool is_in_chroot(void)
{
	struct stat st;

	return stat("/", &st) == 0 &&
	       (st.st_dev != state.root_dev || st.st_ino != state.root_ino);
}

/* The path of the transaction's tree, for this process now. */
static const char *root_now(void)
{
	return is_in_chroot() ? "/" : state.root;
}

static bool is_host(const char *root)
{
	return root[strspn(root, "/")] == '\0';
}

/* --- what the engine says */

/*
 * dnf sends rpm's log to /var/log/dnf.rpm.log, where nobody sees a failure: for
 * its user we print it directly. The programs of rpm print their log, and
 * zypper prints what they print.
 */
static bool prints_its_log(void)
{
	return strcmp(program_invocation_short_name, "rpm") == 0 ||
	       strcmp(program_invocation_short_name, "zypp-rpm") == 0;
}

static void report(const char *subject, const char *cause)
{
	const char *colon = *subject && *cause ? ": " : "";

	rpmlog(RPMLOG_WARNING, "kmodsmith: %s%s%s\n", subject, colon, cause);
	if (!prints_its_log())
		dprintf(STDERR_FILENO, "kmodsmith: %s%s%s\n", subject, colon, cause);
}

/*
 * Errors, warnings and hints, for which rpm has a prefix of its own; everything else is
 * for debugging. Never an error of rpm's: the transaction has succeeded.
 */
static void log_line(const char *line)
{
	static const char own[] = "kmodsmith: ";
	static const char *const levels[] = {"error: ", "warning: "};
	const char *text = line;

	if (strncmp(text, own, strlen(own)) == 0)
		text += strlen(own);
	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		if (strncmp(text, levels[i], strlen(levels[i])) != 0)
			continue;
		report(text + strlen(levels[i]), "");
		return;
	}
	if (strncmp(text, "hint: ", 6) == 0)
		report(text, "");
	else
		rpmlog(RPMLOG_DEBUG, "kmodsmith: %s\n", text);
}

static void log_lines(char *text)
{
	char *rest = NULL;

	for (char *line = strtok_r(text, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest))
		log_line(line);
}

static void warn(const char *text, const char *why)
{
	report(text, why);
}

static void on_complaint(const char *line, void *data)
{
	report(line, "");
}

/* --- running the engine */

static bool is_engine_there(void)
{
	struct ks_tree_root tree = {.fd = -1};
	struct ks_why why;
	bool there =
		ks_tree_open(&tree, root_now(), &why) && ks_tree_has(&tree, state.engine);

	ks_tree_close(&tree);
	return there;
}

/* False when it could not be run, or ended badly; that is in *why. */
static bool run_engine(const char *const *arguments, struct ks_child_output *output,
		       struct ks_why *why)
{
	char pid[64];
	const char *const env[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8",
				   "HOME=/", pid, NULL};
	const char *argv[8] = {state.engine};
	struct ks_child child = {.argv = argv, .env = env};
	const char *root = root_now();

	/* so that the engine's recorder does not take this transaction for another's */
	snprintf(pid, sizeof(pid), "KMODSMITH_RPM_PID=%ld", (long)getpid());
	for (size_t i = 0; arguments[i]; i++)
		argv[i + 1] = arguments[i];
	child.root = is_host(root) ? NULL : root;
	if (!ks_child_run(&child, output, why))
		return false;
	if (output->status == 0)
		return true;
	ks_child_describe(output->status, why);
	return false;
}

/* Build, install and take away; the messages are kept, for now is not the time. */
static void sync_now(const char *const *arguments)
{
	struct ks_child_output output;
	struct ks_why why;
	char *messages = NULL;
	bool ok = run_engine(arguments, &output, &why);

	if (asprintf(&messages, "%s%s%s%s%s", state.messages ? state.messages : "",
		     output.err ? output.err : "",
		     ok ? "" : "kmodsmith: warning: the engine did not end well: ",
		     ok ? "" : why.text, ok ? "" : "\n") >= 0) {
		free(state.messages);
		state.messages = messages;
	}
	ks_child_clear(&output);
}

/* --- records */

static void reconcile_with(rpmts ts, const struct ks_record_set *set, bool give_up_files)
{
	struct ks_tree_root tree = {.fd = -1};
	struct ks_reconcile options = {.ts = ts,
				       .tree = &tree,
				       .give_up_files = give_up_files,
				       .complain = on_complaint};
	struct ks_reconciled result;
	struct ks_why why;

	if (!ks_tree_open(&tree, root_now(), &why) ||
	    !ks_reconcile(&options, set, &result, &why))
		warn("the modules are not recorded", why.text);
	else
		rpmlog(RPMLOG_DEBUG,
		       "kmodsmith: records: %zu right, %zu added, %zu dropped\n",
		       result.n_kept, result.n_added, result.n_dropped);
	ks_tree_close(&tree);
}

static bool is_removed(const char *package)
{
	for (size_t i = 0; i < state.n_removed; i++)
		if (strcmp(state.removed[i], package) == 0)
			return true;
	return false;
}

/*
 * A user who removes a record and keeps the module's source and the kernel gets
 * it back, and should learn so now.
 */
static void report_of_returned(const struct ks_record_set *set)
{
	for (size_t i = 0; state.n_removed && i < set->n_records; i++) {
		const struct ks_record *record = &set->records[i];
		char *package = ks_rpm_name(record->name);
		struct ks_why line;

		if (package && is_removed(package)) {
			ks_why_set(&line,
				   "'%s' was removed and is there again: %s/%s is still "
				   "to be built",
				   package, record->module, record->version);
			report(line.text, "");
			report("hint: remove its source, or set 'skip' for it in "
			       "kmodsmith.conf(5)",
			       "");
		}
		free(package);
	}
}

static void record(rpmts ts)
{
	static const char *const arguments[] = {"records", NULL};
	struct ks_child_output output;
	struct ks_record_set set = {0};
	struct ks_why why;

	if (!run_engine(arguments, &output, &why)) {
		if (output.err)
			log_lines(output.err);
		warn("the modules are not recorded: cannot ask the engine", why.text);
	} else if (!ks_record_set_read(output.out, output.out_bytes,
				       "the engine's answer", &set, &why)) {
		warn("the modules are not recorded", why.text);
	} else {
		reconcile_with(ts, &set, false);
		report_of_returned(&set);
	}
	ks_record_set_clear(&set);
	ks_child_clear(&output);
}

/*
 * The plugin is being removed, and its package wants the records removed:
 * nobody would keep them right. zypper removes one package after another, so
 * that the engine may still be there. True when that is the case.
 */
static bool leave(rpmts ts)
{
	const struct ks_record_set nothing = {0};
	struct ks_tree_root tree = {.fd = -1};
	struct ks_why why;
	bool asked =
		ks_tree_open(&tree, root_now(), &why) && ks_tree_has(&tree, LEAVE_MARK);

	if (asked) {
		reconcile_with(ts, &nothing, true);
		ks_tree_unlink(&tree, LEAVE_MARK);
	}
	ks_tree_close(&tree);
	return asked;
}

/* --- hooks */

static void reset(void)
{
	state.real = state.hit = state.built = false;
	free(state.messages);
	state.messages = NULL;
	while (state.n_removed)
		free(state.removed[--state.n_removed]);
	free(state.removed);
	state.removed = NULL;
}

/* "%__transaction_kmodsmith PATH [ENGINE]": another engine than the installed one. */
static void choose_engine(rpmPlugin plugin)
{
	const char *options = rpmPluginOpts(plugin);

	snprintf(state.engine, sizeof(state.engine), "%s",
		 options && options[0] == '/' ? options : ENGINE);
}

static rpmRC on_init(rpmPlugin plugin, rpmts ts)
{
	struct stat st;

	reset();
	choose_engine(plugin);
	if (stat("/", &st) == 0) {
		state.root_dev = st.st_dev;
		state.root_ino = st.st_ino;
	}
	ks_follow_start(ts);
	return RPMRC_OK;
}

static void on_cleanup(rpmPlugin plugin)
{
	reset();
}

/* One run without us, or a user in a private root, where the engine could do nothing. */
static bool is_switched_off(void)
{
	const char *value = getenv("KMODSMITH");

	return geteuid() != 0 || (value && strcmp(value, "0") == 0);
}

static void note_removed(rpmte te)
{
	const char *name = rpmteN(te);
	char **grown;

	if (rpmteType(te) != TR_REMOVED || !name || strncmp(name, "kmod-", 5) != 0)
		return;
	grown = reallocarray(state.removed, state.n_removed + 1, sizeof(*grown));
	if (!grown)
		return;
	state.removed = grown;
	grown[state.n_removed] = strdup(name);
	if (grown[state.n_removed])
		state.n_removed++;
}

/* dnf tests and runs one and the same set: everything starts again here. */
static rpmRC on_tsm_pre(rpmPlugin plugin, rpmts ts)
{
	const char *root = rpmtsRootDir(ts);
	rpmtsi elements;
	rpmte te;

	reset();
	if (rpmtsFlags(ts) & NOT_FOR_REAL || is_switched_off())
		return RPMRC_OK;
	if ((size_t)snprintf(state.root, sizeof(state.root), "%s", root ? root : "/") >=
	    sizeof(state.root))
		return RPMRC_OK;
	state.real = true;
	elements = rpmtsiInit(ts);
	while ((te = rpmtsiNext(elements, 0))) {
		state.hit = state.hit || ks_detect_element(te);
		note_removed(te);
	}
	rpmtsiFree(elements);
	return RPMRC_OK;
}

/* Runs in the child that becomes the scriptlet. */
static rpmRC on_scriptlet_fork_post(rpmPlugin plugin, const char *path, int type)
{
	if (state.hit)
		setenv("KMODSMITH_TRANSACTION", "rpm", 1);
	return RPMRC_OK;
}

/*
 * The scriptlets of the end: "%posttrans(NAME)". %triggerin and %filetriggerin are
 * of one package, too early. The root is the right one here, also with --root.
 */
static bool is_of_the_end(const char *name)
{
	static const char *const stages[] = {"%posttrans", "%postuntrans",
					     "%transfiletriggerin",
					     "%transfiletriggerpostun"};

	for (size_t i = 0; name && i < sizeof(stages) / sizeof(stages[0]); i++)
		if (strncmp(name, stages[i], strlen(stages[i])) == 0)
			return true;
	return false;
}

static rpmRC on_scriptlet_pre(rpmPlugin plugin, const char *name, int type)
{
	/* the image is made by such a scriptlet, or else in tsm_post */
	static const char *const arguments[] = {"sync", "--caller-records",
						"--no-initramfs", "--trigger=rpm", NULL};

	if (!state.hit || state.built || !is_of_the_end(name))
		return RPMRC_OK;
	state.built = true;
	if (is_engine_there())
		sync_now(arguments);
	return RPMRC_OK;
}

/* The result: 0 is good; below 0 some element failed, and others are installed. */
static rpmRC on_tsm_post(rpmPlugin plugin, rpmts ts, int result)
{
	static const char *const arguments[] = {"sync", "--caller-records",
						"--trigger=rpm", NULL};

	if (state.real && result <= 0) {
		if (!leave(ts) && state.hit && is_engine_there()) {
			sync_now(arguments);
			record(ts);
		}
		if (state.messages)
			log_lines(state.messages);
	}
	reset();
	return RPMRC_OK;
}

extern struct rpmPluginHooks_s kmodsmith_hooks __attribute__((visibility("default")));
struct rpmPluginHooks_s kmodsmith_hooks = {
	.init = on_init,
	.cleanup = on_cleanup,
	.tsm_pre = on_tsm_pre,
	.tsm_post = on_tsm_post,
	.scriptlet_pre = on_scriptlet_pre,
	.scriptlet_fork_post = on_scriptlet_fork_post,
};
