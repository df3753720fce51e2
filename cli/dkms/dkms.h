/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The personality "dkms": the command line of dkms 3.4.3. Words, formats and
 * exit codes are dkms's where somebody parses them; dkms(8) says what differs.
 *
 * dkms-actions.c is the table of actions, dkms-options.c that of options: the
 * parser, the checks before an action, the help and, by a test, completions and
 * man page follow from these two. To add an action: write cli/dkms-NAME.c, name
 * its function in the table, describe it in doc/dkms.8 and cli/completion.
 */
#pragma once

#include "cli/command.h"

enum ks_dkms_exit {
	KS_DKMS_OK = 0,
	KS_DKMS_NOT_ALLOWED = 1, /* not root, arguments missing */
	KS_DKMS_NO_SOURCE = 2,	 /* also: unknown option, -k with --all */
	KS_DKMS_NOT_IN_TREE = 3, /* or already in it; -a with --all */
	KS_DKMS_BROKEN = 4,	 /* also: one action, one kernel */
	KS_DKMS_NO_ALL = 5,	 /* the action does not take --all; a patch is missing */
	KS_DKMS_INSTALL_FAILED = 6, /* also: a patch did not apply */
	KS_DKMS_NOT_PRODUCED = 7,   /* make went well, and a module is not there */
	KS_DKMS_BAD_CONF = 8,
	KS_DKMS_NO_CONF = 9,
	KS_DKMS_BUILD_FAILED = 10, /* also: malformed conf in a directory to be added */
	KS_DKMS_AUTOINSTALL_FAILED = 11,
	KS_DKMS_NO_ARCH = 12, /* not an architecture that can be built for */
	KS_DKMS_DEPENDS_MISSING = 13,
	KS_DKMS_KERNEL_FAILED = 14, /* kernel_preinst, kernel_prerm */
	KS_DKMS_NO_KERNEL = 16,	    /* -k "" */
	KS_DKMS_HEADERS_MISSING = 21,
	KS_DKMS_EXCLUDED = 77,
	KS_DKMS_PRE_INSTALL_FAILED = 101,
};

/* The parsed command line. Strings that it does not give are NULL or "". */
struct ks_dkms_options {
	char *action;
	char *module, *version;
	char *source_dir;      /* a directory with a dkms.conf, as a path of the caller */
	char *archive;	       /* --archive, or a file given as a word */
	GPtrArray *kernels;    /* char * */
	GPtrArray *arches;     /* char * */
	GPtrArray *directives; /* char *: "NAME=value" */
	char *template_kernel; /* match */
	char *conf_path;       /* -c */
	char *kernel_config;   /* --config */
	char *kernel_source_dir; /* --kernelsourcedir */
	char *root_path;	 /* --root, which dkms has not */
	char *dkms_tree, *source_tree, *install_tree;
	char *n_jobs; /* -j, as written */
	bool all, force, force_version_override, no_depmod;
	bool symlink_modules, modprobe_on_install, rpm_safe_upgrade;
	bool no_weak_modules; /* of the environment */
	bool binaries_only, source_only;
	bool verbose, debug;
	bool help, version_asked;
	bool wants_usage; /* an option is not known */
};

struct ks_dkms_action;

struct ks_dkms {
	struct ks_cli cli;
	struct ks_dkms_options options;
	const struct ks_dkms_action *action;
	struct ks_conf_overrides overrides; /* what the options say over the confs */
	const char *const
		*leave_out; /* files the next installation leaves out; or NULL */
	GHashTable *read;   /* "NAME/VERSION" of the confs whose problems were printed */
	/* --dkmstree or --installtree: the package database is about other modules */
	bool is_private;
	bool in_script; /* of a package, of dpkg or rpm: the database is locked */
};

/* The checks before an action, in dkms's order (3.4.3, its last lines). */
enum ks_dkms_check {
	KS_DKMS_CHECK_END,
	KS_DKMS_CHECK_MODULE,	  /* M/V is given: 1 */
	KS_DKMS_CHECK_NOT_BROKEN, /* its source is there: 4 */
	KS_DKMS_CHECK_ADDED,	  /* it is in the tree: 3 */
	KS_DKMS_CHECK_NO_ALL,	  /* 5 */
	KS_DKMS_CHECK_ONE_KERNEL, /* no --all: 5; one kernel: 4 */
	KS_DKMS_CHECK_TREE,	  /* can write to T: 1 */
	KS_DKMS_CHECK_ROOT,	  /* 1 */
};

#define KS_DKMS_MAX_CHECKS 5

struct ks_dkms_action {
	const char *name;
	int (*run)(struct ks_dkms *dkms);
	const char *arguments; /* for the help */
	const char *summary;
	enum ks_dkms_check checks[KS_DKMS_MAX_CHECKS];
	bool takes_all;		/* --all is for all kernels, and modules */
	bool no_default_kernel; /* without -k it is not about the running one */
	bool needs_kernel;	/* -k is required: 4, before anything else */
	bool filters;		/* M, V, K and A are patterns, or a path: not names */
	bool changes;		/* does nothing with KMODSMITH=0 */
};

/* dkms-actions.c */
extern const struct ks_dkms_action ks_dkms_actions[]; /* ends with a NULL name */
const struct ks_dkms_action *ks_dkms_find_action(const char *name);
/* The checks of an action: KS_DKMS_OK, or the exit code after printing why not. */
int ks_dkms_check(const struct ks_dkms *dkms, const struct ks_dkms_action *action);

/* KS_DKMS_OK, or 1 after printing that the caller cannot write to T. */
int ks_dkms_check_tree(const struct ks_dkms *dkms);

/* Print "Error! ..." on stderr and return code. */
int ks_dkms_fail(int code, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* The same where the exit code is decided elsewhere. */
void ks_dkms_error_line(const char *format, ...) G_GNUC_PRINTF(1, 2);
void ks_dkms_warn(const char *format, ...) G_GNUC_PRINTF(1, 2);
/*
 * True once for each: then the caller prints its conf's "Deprecated feature:
 * ..." lines.
 */
bool ks_dkms_is_first_read(const struct ks_dkms *dkms, const char *name,
			   const char *version);
/* "dkms.conf: Error! TEXT", on stderr. */
void ks_dkms_complain(const char *text);

/*
 * dkms-options.c: KS_DKMS_OK, or the exit code after printing why not. Stops at
 * --help and --version, as dkms does. wants_usage is set when the usage belongs after
 * what was printed.
 */
int ks_dkms_options_parse(struct ks_dkms_options *options, int argc, char **argv,
			  bool (*is_action)(const char *word));
void ks_dkms_options_clear(struct ks_dkms_options *options);
/*
 * Check that the options fit together, in the order in which dkms checks.
 * KS_DKMS_OK, or the exit code after printing the first problem.
 */
int ks_dkms_options_check(const struct ks_dkms_options *options,
			  const struct ks_dkms_action *action);
/* "NAME" or "NAME/VERSION" (the rest of a line of dkms's, too). */
void ks_dkms_options_set_module(struct ks_dkms_options *options, const char *text);
/* One line of help for each option. */
void ks_dkms_options_describe(FILE *to);

/* dkms-environment.c: what framework.conf and the command line leave open. */
void ks_dkms_take_environment(struct ks_dkms *dkms);

/* dkms-actions.c: usage, and lists of the actions and options, from the two tables. */
void ks_dkms_print_usage(FILE *to);

/* dkms-source.c: where the module of the command line is. */
bool ks_dkms_is_in_tree(const struct ks_dkms *dkms); /* T/M/V is there */
bool ks_dkms_is_added(const struct ks_dkms *dkms);   /* and leads to a source */
bool ks_dkms_is_broken(const struct ks_dkms *dkms);
/* T/M/kernel-K-A leads to this version. */
bool ks_dkms_is_active(const struct ks_dkms *dkms, const char *release, const char *arch);
/* Is any version of the module active there? */
bool ks_dkms_is_any_active(const struct ks_dkms *dkms, const char *module,
			   const char *release, const char *arch);
/*
 * "Warning: ..." naming the dependencies that a forced build lacks; NULL: none
 * is missing.
 */
char *ks_dkms_depends_warning(const struct ks_dkms *dkms, const struct ks_target *target);
char *ks_dkms_source_path(const struct ks_dkms *dkms);
int ks_dkms_fail_no_source(const struct ks_dkms *dkms);
int ks_dkms_fail_no_module(const char *action);

/* The actions, each in the file of its name. */
int ks_dkms_status(struct ks_dkms *dkms);
int ks_dkms_add(struct ks_dkms *dkms);
int ks_dkms_build(struct ks_dkms *dkms);
int ks_dkms_install(struct ks_dkms *dkms);
int ks_dkms_uninstall(struct ks_dkms *dkms);
int ks_dkms_remove(struct ks_dkms *dkms);
int ks_dkms_autoinstall(struct ks_dkms *dkms);
int ks_dkms_mktarball(struct ks_dkms *dkms);
int ks_dkms_ldtarball(struct ks_dkms *dkms);
int ks_dkms_mkdeb(struct ks_dkms *dkms);
int ks_dkms_mkbmdeb(struct ks_dkms *dkms);
int ks_dkms_mkrpm(struct ks_dkms *dkms);
int ks_dkms_generate_mok(struct ks_dkms *dkms);
int ks_dkms_ltdk(struct ks_dkms *dkms);
int ks_dkms_mktree(struct ks_dkms *dkms);
int ks_dkms_unmktree(struct ks_dkms *dkms);
int ks_dkms_unbuild(struct ks_dkms *dkms);
int ks_dkms_match(struct ks_dkms *dkms);
int ks_dkms_kernel_preinst(struct ks_dkms *dkms);
int ks_dkms_kernel_prerm(struct ks_dkms *dkms);

/* dkms-sign.c: the lines before a build that say how its modules are signed. */
char *ks_dkms_sign_prologue(const struct ks_signing *signing,
			    const struct ks_kernel *kernel);

/*
 * Add what the command line gives instead of a module, a directory or an archive,
 * and make it the module that the rest is about. Nothing when it gives none.
 */
int ks_dkms_add_given(struct ks_dkms *dkms);
/*
 * Read dir/dkms.conf as strictly as dkms does before it changes anything;
 * prints errors and oddities. KS_DKMS_BAD_CONF for an invalid conf,
 * KS_DKMS_BROKEN for none.
 */
int ks_dkms_read_strict(const struct ks_dkms *dkms, const char *dir);
/*
 * The first thing that "dkms build" does: add the module of the command line
 * when it is not added, its source is there and has a valid conf; when others
 * can change the source, use it as it is now.
 */
int ks_dkms_add_found(struct ks_dkms *dkms);

/* The conf of dir as the command line has it, read for no kernel; or NULL. */
struct ks_conf *ks_dkms_load_conf(const struct ks_dkms *dkms, const char *dir,
				  GError **error);
/* Print why it cannot be used; the exit code. */
int ks_dkms_fail_conf(const struct ks_dkms *dkms, const char *dir, const GError *error,
		      bool elsewhere);

/* Register dir, whose conf this is, copying it to its place; prints dkms's words. */
int ks_dkms_add_directory(struct ks_dkms *dkms, const char *dir,
			  const struct ks_conf *conf);
