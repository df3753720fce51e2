/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the parts that make a struct ks_conf of the variables. */
#pragma once

#include "core/conf/conf.h"
#include "core/shell/evaluate.h"
#include "core/support/contract.h"

#define KS_CONF_MAX_MODULES 1024

struct ks_conf_parse {
	struct ks_evaluation evaluation;
	const struct ks_settings *settings; /* may be NULL */
	struct ks_conf *conf;
	/* what the caller calls it, else what the conf does */
	const char *name, *version;
};

/* The value, or "". */
KS_NONNULL(1)
const char *ks_conf_parse_get(const struct ks_conf_parse *parse, const char *name,
			      guint index);

/* KS_ERROR_INVALID "FILE:LINE: MESSAGE", the line being where NAME[index] is. Returns
 * false. */
G_GNUC_PRINTF(5, 6)
KS_NONNULL(1)
bool ks_conf_parse_fail(const struct ks_conf_parse *parse, const char *name, guint index,
			GError **error, const char *format, ...);
G_GNUC_PRINTF(4, 5)
KS_NONNULL(1)
void ks_conf_parse_warn(const struct ks_conf_parse *parse, const char *name, guint index,
			const char *format, ...);

/* A value as messages show it: at most 80 characters, all of them printable. */
char *ks_conf_parse_show(const char *value);

/* Does the POSIX extended expression NAME[index] match text? One that is bad matches
 * nothing. */
KS_NONNULL(1)
bool ks_conf_parse_matches(const struct ks_conf_parse *parse, const char *name,
			   guint index, const char *text);

/* conf-inputs.c: the files of a conf, and the variables that it sees. */
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_conf_add_files(struct ks_evaluation *evaluation,
		       const struct ks_settings *settings, GError **error);
KS_NONNULL(1)
struct ks_vars *ks_conf_base_vars(const struct ks_evaluation *evaluation,
				  const struct ks_settings *settings);
/* environment.c: over the variables; beside them. */
KS_NONNULL(1)
void ks_conf_apply_directives(struct ks_conf_parse *parse);
KS_NONNULL(1)
void ks_conf_digest_directives(const struct ks_conf_parse *parse, GString *text);
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_conf_read_environment(struct ks_conf_parse *parse, GError **error);
/* modules.c: the modules and the checks on them. */
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_conf_parse_modules(struct ks_conf_parse *parse, GError **error);
/* exclusive.c: needs the modules. */
KS_NONNULL(1)
void ks_conf_parse_exclusions(struct ks_conf_parse *parse);
