/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libexec/kmodsmith/sandbox: runs one command in the sandbox. Called only by
 * the engine; protocol.h has its interface, launcher.h its parts.
 */
#include "core/sandbox/launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* The warden's exit status when its mount namespace is of no use. */
#define EXIT_NO_MOUNT 96

/* --- the command's process --- */

/* The layers that "off" leaves out. */
#define LAYERS_OF_FILES_AND_CALLS                                                        \
	((unsigned int)(KS_SANDBOX_LANDLOCK | KS_SANDBOX_SECCOMP))

static const struct {
	unsigned int layer; /* 0: nothing optional */
	const char *name;
	int (*apply)(const struct launch *);
} command_layers[] = {
	{KS_SANDBOX_RLIMITS, "rlimits", rlimits_apply},
	{0, "bounding set", bounding_set_drop},
	{0, "new privileges", no_new_privs_apply},
	/* Before the uid: its rules name directories below others of root alone. */
	{KS_SANDBOX_LANDLOCK, "landlock", landlock_apply},
	{KS_SANDBOX_UID, "uid", uid_apply},
	{0, "capabilities", capabilities_drop},
	{KS_SANDBOX_SECCOMP, "seccomp", seccomp_apply},
	{0, "memory", memory_limit_apply},
};

static void signals_reset(void)
{
	sigset_t none;

	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void passed_fds_open(const struct launch *launch)
{
	const struct policy *policy = &launch->policy;

	for (size_t i = 0; i < policy->n_pass_fds; i++) {
		if (fcntl(policy->pass_fds[i], F_SETFD, 0) != 0)
			launch_fail(launch, errno, "descriptor %d is not open",
				    policy->pass_fds[i]);
	}
}

_Noreturn static void command_run(struct launch *launch)
{
	const struct policy *policy = &launch->policy;

	for (size_t i = 0; i < sizeof(command_layers) / sizeof(command_layers[0]); i++) {
		int err;

		if (policy->off && command_layers[i].layer & LAYERS_OF_FILES_AND_CALLS)
			continue;
		err = command_layers[i].apply(launch);
		if (!err)
			launch->layers |= command_layers[i].layer;
		else if (!command_layers[i].layer || !launch_is_unavailable(err))
			launch_fail(launch, err, "cannot restrict the command (%s)",
				    command_layers[i].name);
		/* An ordinary user has nothing to drop: not missing, not active. */
		else if (command_layers[i].layer != KS_SANDBOX_UID || policy->drop)
			launch_missing(launch, command_layers[i].layer, err);
	}
	/* After the identity changed: the change clears it. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (chdir(policy->cwd) != 0)
		launch_fail_command(launch, errno, "change to", policy->cwd);
	passed_fds_open(launch);
	signals_reset();
	launch_report(launch, "layers %u", launch->layers);
	if (policy->argv.n == 0)
		_exit(0);
	environ = policy->env.v;
	execvp(policy->argv.v[0], policy->argv.v);
	launch_fail_command(launch, errno, "execute", policy->argv.v[0]);
}

/* --- the warden --- */

/* Without a mount namespace: only the plain change of root. */
static void root_enter(const struct launch *launch)
{
	const struct policy *policy = &launch->policy;

	if (policy->bind_source.n)
		launch_fail(launch, ENOTSUP, "cannot show '%s' at '%s' without mounts",
			    policy->bind_source.v[0], policy->bind_target.v[0]);
	if (policy->root_fd < 0)
		return;
	if (fchdir(policy->root_fd) != 0 || chroot(".") != 0)
		launch_fail(launch, errno, "cannot change the root directory");
}

_Noreturn static void warden_run(struct launch *launch)
{
	pid_t command;

	/* SIGKILL of the supervisor must not leave the command running. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	cgroup_join(launch); /* before /sys is read-only */
	if (launch->layers & KS_SANDBOX_MOUNT) {
		int err = mounts_setup(launch);

		if (err) {
			launch_missing(launch, KS_SANDBOX_MOUNT, err);
			_exit(EXIT_NO_MOUNT);
		}
	} else {
		root_enter(launch);
	}

	command = fork();
	if (command < 0)
		launch_fail(launch, errno, "cannot fork");
	if (command == 0)
		command_run(launch);
	for (;;) {
		int status;
		pid_t pid = waitpid(-1, &status, 0);

		if (pid < 0 && errno != EINTR)
			launch_fail(launch, errno, "cannot wait");
		if (pid != command)
			continue;
		launch_report(launch, "status %d", status);
		_exit(0);
	}
}

/* --- the supervisor --- */

#define NS_OTHERS (CLONE_NEWIPC | CLONE_NEWUTS)

/* From most to least protection; the last always works. */
static const struct attempt {
	unsigned long flags;
	unsigned int layers;
} attempts[] = {
	{CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | NS_OTHERS,
	 KS_SANDBOX_MOUNT | KS_SANDBOX_PID | KS_SANDBOX_NET},
	{CLONE_NEWNS | CLONE_NEWPID | NS_OTHERS, KS_SANDBOX_MOUNT | KS_SANDBOX_PID},
	{CLONE_NEWPID | CLONE_NEWNET | NS_OTHERS, KS_SANDBOX_PID | KS_SANDBOX_NET},
	{CLONE_NEWPID, KS_SANDBOX_PID},
	{0, 0},
};
#define N_ATTEMPTS (sizeof(attempts) / sizeof(attempts[0]))

/* clone(2) as fork: clone3 is refused with ENOSYS in some containers anyway. */
static pid_t clone_plain(unsigned long flags)
{
#if defined(__s390__)
	return syscall(SYS_clone, NULL, flags | SIGCHLD, NULL, NULL, 0);
#else
	return syscall(SYS_clone, flags | SIGCHLD, NULL, NULL, NULL, 0);
#endif
}

enum outcome { OUTCOME_ENDED, OUTCOME_TIMEOUT, OUTCOME_KILLED };

static long long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* Wait for the warden, or kill it. *status is its wait status. */
static enum outcome supervise(pid_t warden, const sigset_t *signals,
			      long long deadline_ms, int *status)
{
	enum outcome outcome = OUTCOME_ENDED;

	for (;;) {
		struct timespec wait = {.tv_sec = 3600};
		long long left_ms = deadline_ms ? deadline_ms - now_ms() : 3600000;
		pid_t pid;
		int sig, pid_status;

		while ((pid = waitpid(-1, &pid_status, WNOHANG)) > 0) {
			if (pid != warden)
				continue;
			*status = pid_status;
			return outcome;
		}
		if (left_ms < 0)
			left_ms = 0;
		wait.tv_sec = left_ms / 1000;
		wait.tv_nsec = left_ms % 1000 * 1000000;
		sig = sigtimedwait(signals, NULL,
				   outcome == OUTCOME_ENDED ? &wait : NULL);
		if (sig == SIGCHLD || (sig < 0 && errno == EINTR))
			continue;
		if (sig < 0 && deadline_ms && now_ms() >= deadline_ms)
			outcome = OUTCOME_TIMEOUT;
		else if (sig > 0)
			outcome = OUTCOME_KILLED;
		else
			continue;
		kill(warden, SIGKILL);
	}
}

/* True when the next attempt has to be made. */
static bool attempt_run(struct launch *launch, const struct attempt *attempt, bool last,
			const sigset_t *signals, long long deadline_ms)
{
	unsigned long flags = attempt->flags;
	const char *out_of_memory;
	enum outcome outcome;
	int status = 0;
	pid_t warden;

	launch->layers = attempt->layers;
	launch->shares_ipc = !(flags & CLONE_NEWIPC);
	if (launch->policy.network) {
		flags &= ~(unsigned long)CLONE_NEWNET;
		launch->layers &= ~(unsigned int)KS_SANDBOX_NET;
	}
	warden = clone_plain(flags);
	if (warden == 0)
		warden_run(launch);
	if (warden < 0 && launch_is_unavailable(errno) && !last) {
		launch_missing(launch, KS_SANDBOX_MOUNT, errno);
		return true;
	}
	if (warden < 0)
		launch_fail(launch, errno, "cannot fork");

	outcome = supervise(warden, signals, deadline_ms, &status);
	out_of_memory =
		outcome == OUTCOME_ENDED ? cgroup_find_out_of_memory(launch) : NULL;
	if (out_of_memory)
		launch_report(launch, "out-of-memory %s", out_of_memory);
	cgroup_kill(launch);
	if (!(launch->layers & KS_SANDBOX_PID))
		descendants_kill();
	if (outcome == OUTCOME_TIMEOUT)
		launch_report(launch, "timeout");
	else if (outcome == OUTCOME_KILLED || WIFSIGNALED(status))
		launch_report(launch, "status %d", SIGKILL);
	else if (WEXITSTATUS(status) == EXIT_NO_MOUNT)
		launch->no_mount = true;
	return outcome == OUTCOME_ENDED && WIFEXITED(status) &&
	       WEXITSTATUS(status) == EXIT_NO_MOUNT;
}

static int fd_argument(const char *text)
{
	char *end;
	long fd = strtol(text, &end, 10);

	return *text && !*end && fd > 2 && fd < 1 << 20 ? (int)fd : -1;
}

/* Everything but the standard three is for us alone, until the command's turn. */
static void fds_hide(void)
{
	/* CLOSE_RANGE_CLOEXEC, Linux 5.11 */
#ifdef SYS_close_range
	if (syscall(SYS_close_range, 3, ~0u, 4) == 0)
		return;
#endif
	for (int fd = 3; fd < 4096; fd++)
		fcntl(fd, F_SETFD, FD_CLOEXEC);
}

int main(int argc, char **argv)
{
	static struct launch launch; /* never freed: it lives as long as we do */
	long long deadline_ms = 0;
	const char *problem;
	sigset_t signals;
	int policy_fd = argc == 3 ? fd_argument(argv[1]) : -1;

	launch.report_fd = argc == 3 ? fd_argument(argv[2]) : -1;
	if (policy_fd < 0 || launch.report_fd < 0) {
		static const char text[] = "this program is run by kmodsmith only\n";

		return write(2, text, sizeof(text) - 1) < 0 ? 1 : 2;
	}
	umask(022);
	fds_hide();
	/* Without uid layer the command has our uid: keep it out of our memory. */
	prctl(PR_SET_DUMPABLE, 0);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGHUP);
	sigaddset(&signals, SIGCHLD);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	prctl(PR_SET_PDEATHSIG, SIGTERM);

	problem = policy_read(&launch.policy, policy_fd);
	if (problem)
		launch_fail(&launch, EINVAL, "the policy is not usable: %s", problem);
	if (getppid() != launch.policy.parent)
		return KS_SANDBOX_EXIT_ERROR; /* the parent died before prctl(2) */
	if (launch.policy.timeout_s)
		deadline_ms = now_ms() + launch.policy.timeout_s * 1000LL;
	cgroup_make(&launch);
	for (size_t i = 0; i < N_ATTEMPTS; i++) {
		if (launch.no_mount && attempts[i].layers & KS_SANDBOX_MOUNT)
			continue;
		if (!attempt_run(&launch, &attempts[i], i + 1 == N_ATTEMPTS, &signals,
				 deadline_ms))
			break;
	}
	cgroup_remove(&launch);
	return 0;
}
