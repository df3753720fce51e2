/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * apt-hook: what apt and dpkg run (hooks/apt, hooks/dpkg).
 *
 *	apt-hook transaction  DPkg::Pre-Install-Pkgs: what apt is about to install
 *	apt-hook post	    DPkg::Post-Invoke: apt's last dpkg has ended
 *	apt-hook recover    APT::Update::Pre-Invoke: also reached when apt is blocked
 *	apt-hook dpkg	    dpkg's post-invoke
 *
 * It decides whether to call the engine, and nothing else: the engine looks for
 * itself what there is to do. Always exits with 0, since anything else breaks
 * the transaction of the package manager or skips other vendors' hooks; what
 * went wrong is printed by the engine and kept in its state.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/support/inherited.h"
#include "plugins/apt/prebuild.h"

#define KMODSMITH	   SBINDIR "/kmodsmith"
#define RECORDER	   PKGLIBEXECDIR "/recorder-dpkg"
#define FIRST_INSTALL_MARK "/run/kmodsmith/first-install"
#define DPKG_HOOK	   "/etc/dpkg/dpkg.cfg.d/kmodsmith"
#define FIRST_INSTALL_HOOK "/etc/dpkg/dpkg.cfg.d/kmodsmith-first-install"
#define DPKG_ADMINDIR	   "/var/lib/dpkg"

static bool env_is(const char *name, const char *value)
{
	const char *now = getenv(name);

	return now && strcmp(now, value) == 0;
}

/* "dpkg --root=DIR": DIR's packages are the business of the kmodsmith in DIR. */
static bool is_of_another_tree(void)
{
	const char *root = getenv("DPKG_ROOT");
	const char *admindir = getenv("DPKG_ADMINDIR");

	return (root && *root && strcmp(root, "/") != 0) ||
	       (admindir && strcmp(admindir, DPKG_ADMINDIR) != 0);
}

/*
 * apt has read its hooks before it installs us, so that Post-Invoke does not
 * come in the run that installs kmodsmith itself, perhaps with modules. dpkg
 * reads its own at every start: until apt's comes, it stands in. The mark is made
 * by our postinst; dpkg's file by our preinst, since the real one is a conffile,
 * not in place before we are configured.
 */
static bool is_first_install(void)
{
	return access(FIRST_INSTALL_MARK, F_OK) == 0;
}

static void end_first_install(void)
{
	unlink(FIRST_INSTALL_MARK);
	unlink(FIRST_INSTALL_HOOK);
}

static bool is_dpkg_run_for_us(void)
{
	/* between unpacking and configuring, headers and sources are half there */
	if (is_of_another_tree() || env_is("DPKG_HOOK_ACTION", "unpack"))
		return false;
	if (access(DPKG_HOOK, F_OK) == 0)
		unlink(FIRST_INSTALL_HOOK);
	if (getenv("DPKG_FRONTEND_LOCKED"))
		return is_first_install();
	end_first_install();
	return true;
}

static bool is_apt_run_for_us(void)
{
	end_first_install();
	return true;
}

static void run(const char *const *argv)
{
	pid_t pid = fork();

	if (pid == 0) {
		execv(argv[0], (char *const *)argv);
		_exit(127);
	}
	if (pid < 0) {
		perror("kmodsmith: warning: cannot run the engine");
		return;
	}
	/* ^C is for the engine, which ends in order; we still have to exit with 0 */
	signal(SIGINT, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		continue;
}

static const struct mode {
	const char *name;
	const char *argv[5];
	bool (*applies)(void);
} modes[] = {
	{"post", {KMODSMITH, "sync", "--trigger=apt"}, is_apt_run_for_us},
	{"recover", {RECORDER, "recover"}, NULL},
	{"dpkg", {KMODSMITH, "sync", "--trigger=dpkg"}, is_dpkg_run_for_us},
};

int main(int argc, char **argv)
{
	/* nothing can be run without it either */
	if (!ks_inherited_reset())
		return 0;
	/* the recorder's own dpkg, one run without us, or a user in a private root */
	if (argc != 2 || getenv("KMODSMITH_NESTED") || env_is("KMODSMITH", "0") ||
	    geteuid() != 0)
		return 0;
	if (strcmp(argv[1], "transaction") == 0) {
		ks_prebuild();
		return 0;
	}
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (strcmp(argv[1], modes[i].name) == 0 &&
		    (!modes[i].applies || modes[i].applies()))
			run(modes[i].argv);
	return 0;
}
