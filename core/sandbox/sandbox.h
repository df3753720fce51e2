/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Running third-party code: policy as data, handed to the launcher program
 * (libexec/kmodsmith/sandbox) on a descriptor; the launcher sets the layers up
 * and executes the command.
 *
 * Always: an unprivileged uid and gid, no supplementary groups, no
 * capabilities, no_new_privs, seccomp, Landlock where the kernel has it,
 * rlimits. When the system allows: mount, pid, net, ipc and uts namespaces with
 * everything read-only except policy.writable, a private /tmp, an empty
 * /run, a minimal /dev. Which of them were active is reported. A layer that is
 * missing is not an error here; policy.require makes it one.
 *
 * When the command ends, or the launcher is killed, no process of it is left
 * (pid namespace with PR_SET_PDEATHSIG; without one, subreaper and a walk over
 * the descendants, which does not survive SIGKILL of the launcher itself).
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "core/sandbox/layer.h"
#include "core/platform/system.h"
#include "core/support/contract.h"

/* How much sandbox a run asks for: kmodsmith.conf(5), sandbox. */
enum ks_sandbox_setting {
	KS_SANDBOX_AUTO,
	KS_SANDBOX_REQUIRE,
	KS_SANDBOX_OFF, /* of a module's settings, too: still never as root */
};

/* One directory shown to the command at another place. */
struct ks_sandbox_bind {
	const char *source; /* path inside the tree */
	const char *target; /* path inside the tree; must exist */
};

/* One file that the command sees in the place of another. */
struct ks_sandbox_cover {
	const char *source; /* path inside the tree */
	/*
	 * Absolute, may be in /proc. Where it does not exist, or its name leads
	 * to a file of another name (one program with many names), nothing is
	 * covered: no error.
	 */
	const char *target;
};

struct ks_sandbox_policy {
	const char *cwd;	 /* inside the tree, after the binds */
	const char *const *argv; /* empty: only set the layers up (a probe) */
	const char *const *env;	 /* complete */
	const char *const
		*writable; /* directories the command may write; NULL for none */
	const struct ks_sandbox_bind
		*binds; /* writable ones are also named in writable */
	size_t n_binds;
	/* Where mounts are available; read-only, and executable on any file system. */
	const struct ks_sandbox_cover *covers;
	size_t n_covers;
	/*
	 * Directories or files that the command is to see at their targets, read-only,
	 * whatever is in the way there: a private /tmp, a bind, a directory above that
	 * its user may not enter. Of the latter nothing else is seen then. A target that
	 * is not there is passed over; without mounts all are.
	 */
	const struct ks_sandbox_bind *shown;
	size_t n_shown;
	/* of a jobserver: may be opened to read and write, where its mode lets the uid;
	   or NULL */
	const char *fifo;
	uid_t uid; /* 0 is refused; without effect when we are not root */
	gid_t gid;
	bool require; /* fail rather than run with a layer missing */
	/*
	 * Only the identity, the limits, the binds and the certain end: the command
	 * writes what its user may write, and has the network. Not with require.
	 */
	bool off;
	bool network;		/* false: no sockets but pairs of AF_UNIX */
	unsigned int timeout_s; /* 0 = none; on expiry everything is killed, status 124 */
	unsigned long long max_file_bytes; /* RLIMIT_FSIZE; 0 = no limit */
	/* RLIMIT_AS, so of each process by itself; 0 = no limit */
	unsigned long long max_memory_bytes;
	/*
	 * Of all its processes together, in a cgroup of its own; 0 = only the
	 * limit of the caller's cgroup. The number of processes is limited by
	 * the uid, too.
	 */
	unsigned long long max_total_bytes;
	unsigned int max_processes;
	int stdin_fd; /* -1 is /dev/null */
	int stdout_fd;
	int stderr_fd;
	const int *pass_fds; /* a jobserver's pipe: same numbers inside */
	size_t n_pass_fds;
};

/* Whose memory was used up; known only with a cgroup. */
enum ks_sandbox_oom {
	KS_SANDBOX_OOM_NONE,
	KS_SANDBOX_OOM_OWN,	/* what the command may have: max_total_bytes, or the
				   lower limit of the caller's cgroup */
	KS_SANDBOX_OOM_MACHINE, /* any command may be killed then */
};

struct ks_sandbox {
	pid_t pid;     /* the launcher */
	int pidfd;     /* readable when it has ended */
	int report_fd; /* the launcher's report; read by ks_sandbox_finish */
	bool is_killed;
	/* After ks_sandbox_finish(): killed because policy.timeout_s was over. A command
	 * may also end with that status by itself. */
	bool is_timed_out;
	/* After ks_sandbox_finish(): why the kernel has killed processes of it. */
	enum ks_sandbox_oom out_of_memory;
	/* Set when ks_sandbox_finish() returned false: the sandbox was ready, but the
	 * command's directory or program is missing or unusable; an earlier step may have
	 * removed it. */
	bool is_unusable;
};

/* Start the command. KS_ERROR_DENIED when policy.require cannot be met is
 * reported by ks_sandbox_finish, not here. */
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_sandbox_start(const struct ks_system *system,
		      const struct ks_sandbox_policy *policy, struct ks_sandbox *sandbox,
		      GError **error);

/* Kill all of it now (SIGTERM to the launcher, which kills the tree). */
KS_NONNULL(1)
void ks_sandbox_kill(struct ks_sandbox *sandbox);

/*
 * Reap it and close the descriptors. *wait_status is the command's own, or that
 * of SIGKILL after ks_sandbox_kill(); *layers (may be NULL) the active layers.
 * False when the launcher could not set it up, or was killed by somebody else:
 * then nothing is known about the command.
 */
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_sandbox_finish(struct ks_sandbox *sandbox, int *wait_status, unsigned int *layers,
		       GError **error);

/* "uid,rlimits,seccomp,landlock,mount,pid,net,tmp,dev"; free with g_free. */
char *ks_sandbox_layers_to_string(unsigned int layers);

/*
 * Does a command with mounts of its own see something else there: is path below /tmp or
 * /run? Not their own names.
 */
bool ks_sandbox_covers(const char *path);

/*
 * Can this machine give a private mount namespace here? Tried once. When it
 * cannot, two targets of one module version must not build at the same time
 * (no_shared_build of a plan's request).
 */
KS_NONNULL(1)
bool ks_sandbox_can_mount(const struct ks_system *system);

/*
 * The unprivileged identity for third-party code: the system user "kmodsmith"
 * of the tree's own /etc/passwd, else "nobody", else 65534. False when the
 * caller cannot become it, not being root or being in a user namespace without
 * it; then everything runs as the caller.
 */
KS_NONNULL(1)
bool ks_sandbox_identity(const struct ks_system *system, uid_t *uid, gid_t *gid);

/*
 * An identity for one of several commands that run at the same time, slot
 * counting from 0: a uid of its own out of the range that the tree's
 * /etc/subuid (subuid(5)) has for the user "kmodsmith", so that they can
 * neither signal nor trace each other nor use up each other's processes. Where
 * there is no such range, or it is used up, the one identity for all.
 */
KS_NONNULL(1)
bool ks_sandbox_identity_of(const struct ks_system *system, unsigned int slot, uid_t *uid,
			    gid_t *gid);
