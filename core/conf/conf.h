/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dkms.conf as a typed struct.
 *
 * A dkms.conf is a bash file that dkms evaluates twice. What the native parser
 * can prove that it reads exactly as dkms does is read natively; anything else
 * goes to real bash in the sandbox, unprivileged and without write access, and
 * the result, a failure too, is cached by its inputs. Overrides in dkms_etc are
 * read after the conf, the same way (dkms 3.4.3 read order).
 */
#pragma once

#include "core/kernel/kernel.h"
#include "core/platform/system.h"
#include "core/support/contract.h"

struct ks_settings;

struct ks_conf_module {
	char *built_name;     /* without .ko */
	char *built_location; /* relative to the build directory; "" or "sub/dir/" */
	char *dest_name;
	char *dest_location; /* as written, validated: begins /kernel, /updates
	                      * or /extra */
	bool strip;
	/* Why this one is not built here, or NULL: BUILD_EXCLUSIVE_*[n], n > 0 */
	char *excluded;
};

enum ks_conf_exclusion {
	KS_CONF_NOT_EXCLUDED,
	KS_CONF_EXCLUDED_KERNEL, /* BUILD_EXCLUSIVE_KERNEL */
	KS_CONF_EXCLUDED_KERNEL_MIN,
	KS_CONF_EXCLUDED_KERNEL_MAX,
	KS_CONF_EXCLUDED_ARCH,
	KS_CONF_EXCLUDED_CONFIG,
	KS_CONF_EXCLUDED_OBSOLETE_BY,
	KS_CONF_EXCLUDED_BY_CONF, /* build_exclude set by the conf itself */
};

struct ks_conf {
	/* what the caller calls it, else what the conf does */
	char *package_name;
	char *package_version;
	/* PACKAGE_NAME and PACKAGE_VERSION as they are written, names or not */
	char *written_name;
	char *written_version;
	GPtrArray *modules; /* struct ks_conf_module */
	char *clean;	    /* CLEAN; NULL when not set */
	char *make;	    /* the command for this kernel, "make ..." or the default */
	/* names below patches/, those that match this kernel, in order; one that leads
	 * out of it is for the build to refuse (ks_conf_is_inside) */
	char **patches;
	char *post_add; /* the scripts: command lines, NULL when absent */
	char *pre_build;
	char *post_build;
	char *pre_install;
	char *post_install;
	char *post_remove;
	bool autoinstall;
	char **build_depends; /* PACKAGE_NAMEs */
	bool build_depends_rebuild;
	bool no_weak_modules;
	enum ks_conf_exclusion exclusion;
	/* "NAME=value": for the build, besides what it always has; NULL: none */
	char **environment;
	char *exclusion_text; /* "needs CONFIG_USB, which this kernel does not have" */
	char *text_digest;    /* hex: conf, overrides, patches; modules as read */
	/* Names of the deprecated directives that it has, in dkms's order, CLEAN among
	 * them unless it is "true"; NULL at the end */
	char **deprecated;
	GPtrArray *warnings; /* char *: "FILE:LINE: deprecated ..." */
};

void ks_conf_free(struct ks_conf *conf);
KS_DEFINE_CLEANUP(ks_conf, ks_conf_free)

/*
 * Read source_dir/dkms.conf for one kernel. settings may be NULL: the defaults. kernel
 * may be NULL: then only names, version and whether it wants to be installed are
 * meaningful (the conf sees kernelver="" as in "dkms add").
 *
 * name and version are what the caller calls it (T/M/V, /usr/src/M-V), or NULL
 * when not known yet. What they say goes before what the conf says (dkms 3.4.3),
 * which may be a template that nobody has filled in. KS_ERROR_INVALID, with file and
 * line, for a conf that is empty, binary, larger than 1 MiB, lacks PACKAGE_NAME or
 * PACKAGE_VERSION, or has a malformed one ('/', "..", blanks, control characters,
 * leading '-' or '.') where the caller does not say it,
 * has a hole in its modules, or a name or location that leads out of the tree.
 */
KS_MUST_CHECK
KS_NONNULL(1)
struct ks_conf *ks_conf_load(const struct ks_system *system,
			     const struct ks_settings *settings, const char *source_dir,
			     const char *name, const char *version,
			     struct ks_kernel *kernel, GError **error);

/*
 * True for a text that stands for a version or name which somebody was to fill in:
 * "#MODULE_VERSION#", "@VERSION@".
 */
bool ks_conf_is_template(const char *text);

/* A relative path that stays below where it begins, without control characters. */
bool ks_conf_is_inside(const char *path);
