/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table that rpm looks up in a plugin. Its header is installed from rpm 4.20
 * on; before that it is rpm's own. The table has not changed between 4.12 and
 * 6.1 (lib/rpmplugin.h in rpm's sources): twelve pointers, no version, no size. Only
 * fsm_file_prepare got another argument in 4.18; none of the fsm hooks is used here.
 */
#pragma once

#include <stddef.h>

#include <rpm/rpmte.h>
#include <rpm/rpmts.h>
#include <rpm/rpmtypes.h>

#if __has_include(<rpm/rpmplugin.h>) && !defined(KS_OWN_RPMPLUGIN_H)
#include <rpm/rpmplugin.h>
#else
struct rpmPluginHooks_s {
	rpmRC (*init)(rpmPlugin plugin, rpmts ts);
	void (*cleanup)(rpmPlugin plugin);
	rpmRC (*tsm_pre)(rpmPlugin plugin, rpmts ts);
	rpmRC (*tsm_post)(rpmPlugin plugin, rpmts ts, int res);
	rpmRC (*psm_pre)(rpmPlugin plugin, rpmte te);
	rpmRC (*psm_post)(rpmPlugin plugin, rpmte te, int res);
	rpmRC (*scriptlet_pre)(rpmPlugin plugin, const char *name, int type);
	rpmRC (*scriptlet_fork_post)(rpmPlugin plugin, const char *path, int type);
	rpmRC (*scriptlet_post)(rpmPlugin plugin, const char *name, int type, int res);
	void (*fsm_file_pre)(void);
	void (*fsm_file_post)(void);
	void (*fsm_file_prepare)(void);
};
const char *rpmPluginOpts(rpmPlugin plugin);
#endif

#define KS_ABI_SLOT(hook, index)                                                         \
	_Static_assert(offsetof(struct rpmPluginHooks_s, hook) ==                        \
			       (index) * sizeof(void (*)(void)),                         \
		       "another rpm plugin interface than the one this was written for")
KS_ABI_SLOT(init, 0);
KS_ABI_SLOT(cleanup, 1);
KS_ABI_SLOT(tsm_pre, 2);
KS_ABI_SLOT(tsm_post, 3);
KS_ABI_SLOT(psm_pre, 4);
KS_ABI_SLOT(psm_post, 5);
KS_ABI_SLOT(scriptlet_pre, 6);
KS_ABI_SLOT(scriptlet_fork_post, 7);
KS_ABI_SLOT(scriptlet_post, 8);
KS_ABI_SLOT(fsm_file_pre, 9);
KS_ABI_SLOT(fsm_file_post, 10);
KS_ABI_SLOT(fsm_file_prepare, 11);
_Static_assert(sizeof(struct rpmPluginHooks_s) == 12 * sizeof(void (*)(void)),
	       "another rpm plugin interface than the one this was written for");
#undef KS_ABI_SLOT
