/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of actions, the checks before them, and the usage. */
#include <string.h>
#include <unistd.h>

#include "cli/dkms/dkms-actions.h"

#define MODULE	   KS_DKMS_CHECK_MODULE
#define NOT_BROKEN KS_DKMS_CHECK_NOT_BROKEN
#define ADDED	   KS_DKMS_CHECK_ADDED
#define NO_ALL	   KS_DKMS_CHECK_NO_ALL
#define ONE_KERNEL KS_DKMS_CHECK_ONE_KERNEL
#define TREE	   KS_DKMS_CHECK_TREE
#define ROOT	   KS_DKMS_CHECK_ROOT

/* clang-format off */
const struct ks_dkms_action ks_dkms_actions[] = {
	{"status", ks_dkms_status, "[M[/V]]", "list modules and where they are installed",
	 .no_default_kernel = true, .filters = true},
	{"add", ks_dkms_add, "M/V | DIR | CONF | TARBALL", "register a source",
	 {NO_ALL, TREE}, .changes = true},
	{"build", ks_dkms_build, "M/V", "build a module, adding it if need be",
	 {NOT_BROKEN, TREE}, .changes = true, .takes_all = true},
	{"unbuild", ks_dkms_unbuild, "M/V", "uninstall a module and forget its build",
	 {MODULE, NOT_BROKEN, ADDED, TREE}, .changes = true},
	{"install", ks_dkms_install, "M/V", "install a module, building it if need be",
	 {NOT_BROKEN, ROOT}, .changes = true, .takes_all = true},
	{"uninstall", ks_dkms_uninstall, "M/V", "take a module off a kernel",
	 {MODULE, NOT_BROKEN, ADDED, ROOT}, .changes = true},
	{"remove", ks_dkms_remove, "M/V", "uninstall, unbuild and forget a module",
	 {MODULE, NOT_BROKEN, ADDED, TREE}, .changes = true},
	{"autoinstall", ks_dkms_autoinstall, "", "install all that is wanted on a kernel",
	 {ONE_KERNEL, ROOT}, .changes = true, .takes_all = true},
	{"match", ks_dkms_match, "--templatekernel K [M]", "install what another kernel has",
	 {ROOT, ONE_KERNEL}, .changes = true},
	{"mktarball", ks_dkms_mktarball, "M/V", "write an archive of a module",
	 {MODULE, NOT_BROKEN, ADDED}, .takes_all = true},
	{"ldtarball", ks_dkms_ldtarball, "TARBALL", "load an archive of a module",
	 .changes = true, .no_default_kernel = true, .filters = true},
	{"mkdeb", ks_dkms_mkdeb, "M/V", "make a .deb of the source",
	 {MODULE, NOT_BROKEN, ADDED}, .takes_all = true},
	{"mkbmdeb", ks_dkms_mkbmdeb, "M/V", "make a .deb of what is built",
	 {MODULE, NOT_BROKEN, ADDED}, .takes_all = true},
	{"mkrpm", ks_dkms_mkrpm, "M/V", "make an .rpm of the source",
	 {MODULE, NOT_BROKEN, ADDED}, .takes_all = true},
	{"generate_mok", ks_dkms_generate_mok, "", "make a key to sign modules with",
	 .changes = true},
	{"ltdk", ks_dkms_ltdk, "M/V", "say whether what was built can be loaded as GPL",
	 {MODULE, ADDED}},
	{"mktree", ks_dkms_mktree, "M/V [DIR]", "make a source to begin with, or from DIR",
	 {MODULE, NO_ALL, ROOT}, .changes = true},
	{"unmktree", ks_dkms_unmktree, "M/V", "remove what mktree has made",
	 {MODULE, NO_ALL, ROOT}, .changes = true},
	{"kernel_preinst", ks_dkms_kernel_preinst, "-k K", "print what is built for a kernel to be unpacked; it is kept",
	 {ROOT, ONE_KERNEL}, .needs_kernel = true, .changes = true},
	{"kernel_postinst", ks_dkms_autoinstall, "-k K", "autoinstall",
	 {ROOT, ONE_KERNEL}, .needs_kernel = true, .changes = true},
	{"kernel_prerm", ks_dkms_kernel_prerm, "-k K", "take everything off a kernel to be removed",
	 {ROOT, ONE_KERNEL}, .needs_kernel = true, .changes = true},
	{NULL},
};
/* clang-format on */

const struct ks_dkms_action *ks_dkms_find_action(const char *name)
{
	for (const struct ks_dkms_action *action = ks_dkms_actions; name && action->name;
	     action++)
		if (strcmp(action->name, name) == 0)
			return action;
	return NULL;
}

void ks_dkms_print_usage(FILE *to)
{
	fputs("Usage: dkms [action] [options]\n\nActions:\n", to);
	for (const struct ks_dkms_action *action = ks_dkms_actions; action->name;
	     action++) {
		g_autofree char *left =
			g_strdup_printf("%s %s", action->name, action->arguments);

		fprintf(to, "  %-34s %s\n", left, action->summary);
	}
	fputs("\nOptions:\n", to);
	ks_dkms_options_describe(to);
	fputs("\nThis is kmodsmith " PACKAGE_VERSION
	      " in the place of dkms, see dkms(8).\n",
	      to);
}
