/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See prebuild.h. */
#include "plugins/apt/prebuild.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <sys/wait.h>
#include <unistd.h>

#include "plugins/apt/transaction.h"

#define KMODSMITH SBINDIR "/kmodsmith"
/* --quiet preflight --kernel K --with FILE... NULL */
#define FIXED_ARGUMENTS 7

/* As the engine finds sources. */
static bool has_any_module(void)
{
	static const char *const patterns[] = {"/usr/src/*-*/dkms.conf",
					       "/var/lib/dkms/*/*/source"};
	bool found = false;

	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]) && !found; i++) {
		glob_t paths;

		found = glob(patterns[i], GLOB_NOSORT, NULL, &paths) == 0;
		globfree(&paths);
	}
	return found;
}

static void run_engine(const struct ks_transaction *transaction, size_t kernel)
{
	char *argv[KS_TRANSACTION_FILES + FIXED_ARGUMENTS] = {
		(char *)KMODSMITH, (char *)"--quiet", (char *)"preflight",
		(char *)"--kernel", transaction->releases[kernel]};
	size_t n = 5;

	if (transaction->n_files)
		argv[n++] = (char *)"--with";
	for (size_t i = 0; i < transaction->n_files; i++)
		argv[n++] = transaction->files[i];
	execv(KMODSMITH, argv);
	_exit(127);
}

/*
 * apt, and whoever reads what it prints, must not wait for it: it is a child of nobody here,
 * in a session of its own, without a descriptor of theirs.
 */
static void start(const struct ks_transaction *transaction, size_t kernel)
{
	pid_t pid = fork();
	int fd;

	if (pid > 0)
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			continue;
	if (pid != 0)
		return;
	if (setsid() < 0 || fork() != 0)
		_exit(0);
	fd = open("/dev/null", O_RDWR);
	if (fd < 0 || dup2(fd, 0) < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0 ||
	    chdir("/") != 0)
		_exit(1);
	if (fd > 2)
		close(fd);
	run_engine(transaction, kernel);
}

void ks_prebuild(void)
{
	struct ks_transaction transaction;

	/* one kernel after another: the engine's lock is held by one of them */
	if (ks_transaction_read(stdin, &transaction) && !transaction.is_none_of_ours &&
	    transaction.n_releases && has_any_module())
		for (size_t i = 0; i < transaction.n_releases; i++)
			start(&transaction, i);
	ks_transaction_clear(&transaction);
}
