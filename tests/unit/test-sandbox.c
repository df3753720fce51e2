/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Real commands in the real launcher, on the machine's own tree. As root all
 * layers are tried; as an ordinary user those that it can have.
 */
#include <errno.h>
#include <glib/gstdio.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/sandbox/filter.h"
#include "core/sandbox/sandbox.h"
#include "core/support/error.h"
#include "core/support/process.h"

struct fixture {
	struct ks_system *system;
	char *dir;   /* writable inside */
	char *other; /* not */
	struct ks_sandbox_policy policy;
	const char *writable[2];
	/* of the last run */
	int status;
	unsigned int layers;
	char *output;
	GError *error;
};

static const char *const env[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8",
				  "MARK=here", NULL};

static bool is_root(void)
{
	return geteuid() == 0;
}

/* Root in a user namespace may have no other user to become: then it stays root. */
static bool can_be_another(const struct fixture *f)
{
	uid_t uid;
	gid_t gid;

	return ks_sandbox_identity(f->system, &uid, &gid);
}

static void set_up(struct fixture *f, gconstpointer data)
{
	GError *error = NULL;

	f->system = ks_system_new("/", &error);
	g_assert_no_error(error);
	f->dir = g_dir_make_tmp("ks-sandbox-XXXXXX", &error);
	g_assert_no_error(error);
	f->other = g_dir_make_tmp("ks-other-XXXXXX", &error);
	g_assert_no_error(error);
	if (ks_sandbox_identity(f->system, &f->policy.uid, &f->policy.gid))
		g_assert_cmpint(chown(f->dir, f->policy.uid, f->policy.gid), ==, 0);
	g_chmod(f->other, 0777);
	f->writable[0] = f->dir;
	f->policy.cwd = f->dir;
	f->policy.env = env;
	f->policy.writable = f->writable;
	f->policy.stdin_fd = -1;
}

/* Limits of a uid also count the processes that others run as "nobody" at this moment. */
static void be_nobody_else(struct fixture *f)
{
	if (!can_be_another(f))
		return;
	f->policy.uid = 1000000000 + getpid();
	if (chown(f->dir, f->policy.uid, f->policy.gid) != 0)
		g_error("cannot give '%s' to %u", f->dir, f->policy.uid);
}

static void remove_tree(const char *path)
{
	const char *const argv[] = {"rm", "-rf", "--", path, NULL};
	struct ks_process_options options = KS_PROCESS_OPTIONS_INIT;
	int status;

	options.argv = argv;
	g_assert_true(ks_process_run(&options, &status, NULL));
}

static void tear_down(struct fixture *f, gconstpointer data)
{
	remove_tree(f->dir);
	remove_tree(f->other);
	ks_system_free(f->system);
	g_free(f->dir);
	g_free(f->other);
	g_free(f->output);
	g_clear_error(&f->error);
}

static char *output_path(struct fixture *f)
{
	return g_build_filename(f->other, "output", NULL);
}

static bool start(struct fixture *f, const char *script, struct ks_sandbox *sandbox)
{
	const char *const argv[] = {"sh", "-c", script, NULL};
	g_autofree char *path = output_path(f);
	ks_autofd int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	g_assert_cmpint(fd, >=, 0);
	g_clear_error(&f->error);
	f->policy.argv = argv;
	f->policy.stdout_fd = f->policy.stderr_fd = fd;
	return ks_sandbox_start(f->system, &f->policy, sandbox, &f->error);
}

static bool finish(struct fixture *f, struct ks_sandbox *sandbox)
{
	g_autofree char *path = output_path(f);
	bool ok = ks_sandbox_finish(sandbox, &f->status, &f->layers, &f->error);

	g_clear_pointer(&f->output, g_free);
	g_assert_true(g_file_get_contents(path, &f->output, NULL, NULL));
	return ok;
}

/* Run "sh -c script"; its exit status, or -1 when the sandbox failed. */
static int run(struct fixture *f, const char *script)
{
	struct ks_sandbox sandbox;

	if (!start(f, script, &sandbox) || !finish(f, &sandbox))
		return -1;
	g_assert_true(WIFEXITED(f->status));
	return WEXITSTATUS(f->status);
}

static void test_status_and_output(struct fixture *f, gconstpointer data)
{
	g_assert_cmpint(run(f, "echo \"$MARK\"; pwd; echo err >&2; exit 7"), ==, 7);
	g_assert_no_error(f->error);
	g_assert_true(strstr(f->output, "here\n") && strstr(f->output, f->dir) &&
		      strstr(f->output, "err\n"));
	g_assert_cmpint(f->layers & KS_SANDBOX_RLIMITS, !=, 0);
	g_assert_cmpint(f->layers & KS_SANDBOX_SECCOMP, !=, 0);
}

static void test_environment_is_given(struct fixture *f, gconstpointer data)
{
	g_setenv("KS_LEAK", "leaked", TRUE);
	g_assert_cmpint(run(f, "env"), ==, 0);
	g_assert_null(strstr(f->output, "KS_LEAK"));
}

static void test_only_writable_is_written(struct fixture *f, gconstpointer data)
{
	g_autofree char *script =
		g_strdup_printf("echo in > %s/in || exit 2; mkdir %s/d || exit 3; mv "
				"%s/in %s/d/ || exit 4\n"
				"if echo x > %s/out; then exit 5; fi\n"
				"if echo x > /etc/ks-sandbox-test; then exit 6; fi\n"
				"if echo x > /usr/ks-sandbox-test; then exit 7; fi\n"
				"echo x > /dev/null || exit 8\n",
				f->dir, f->dir, f->dir, f->dir, f->other);
	g_autofree char *in = g_build_filename(f->dir, "d", "in", NULL);
	g_autofree char *out = g_build_filename(f->other, "out", NULL);

	if (run(f, script) != 0)
		g_error("exit %d: %s", WEXITSTATUS(f->status), f->output);
	g_assert_true(g_file_test(in, G_FILE_TEST_EXISTS));
	g_assert_false(g_file_test(out, G_FILE_TEST_EXISTS));
	g_assert_false(g_file_test("/etc/ks-sandbox-test", G_FILE_TEST_EXISTS));
	g_remove(in);
}

static void test_not_root(struct fixture *f, gconstpointer data)
{
	g_autofree char *uid = g_strdup_printf("%u %u\n", (unsigned int)f->policy.uid,
					       (unsigned int)f->policy.gid);

	if (!can_be_another(f)) {
		g_test_skip("not root: there is nobody else to be");
		return;
	}
	g_assert_cmpint(run(f, "echo $(id -u) $(id -G)"), ==, 0);
	g_assert_cmpstr(f->output, ==, uid);
	g_assert_cmpint(f->layers & KS_SANDBOX_UID, !=, 0);
	g_assert_cmpint(run(f, "cat /etc/shadow"), !=, 0);
	g_assert_cmpint(
		run(f,
		    "grep -E '^(Cap(Inh|Prm|Eff|Bnd|Amb)|NoNewPrivs)' /proc/self/status"),
		==, 0);
	g_assert_cmpstr(f->output, ==,
			"CapInh:\t0000000000000000\nCapPrm:\t0000000000000000\n"
			"CapEff:\t0000000000000000\nCapBnd:\t0000000000000000\n"
			"CapAmb:\t0000000000000000\nNoNewPrivs:\t1\n");
}

static void test_root_is_refused(struct fixture *f, gconstpointer data)
{
	if (!is_root()) {
		g_test_skip("not root: nothing to refuse");
		return;
	}
	f->policy.uid = 0;
	g_assert_cmpint(run(f, "true"), ==, -1);
	g_assert_nonnull(strstr(f->error->message, "root"));
}

static void test_no_network(struct fixture *f, gconstpointer data)
{
	g_autofree char *perl = g_find_program_in_path("perl");

	if (!perl) {
		g_test_skip("no perl to open a socket with");
		return;
	}
	/* AF_INET, SOCK_DGRAM: neither Landlock nor the uid stops UDP */
	g_assert_cmpint(
		run(f, "perl -MSocket -e 'socket(S, AF_INET, SOCK_DGRAM, 0) and exit 0; "
		       "print $!+0; exit 3'"),
		==, 3);
	g_assert_cmpint(atoi(f->output), ==, EACCES);
	/* what listens on one need not be in the sandbox, nor below /run */
	g_assert_cmpint(
		run(f, "perl -MSocket -e 'socket(S, AF_UNIX, SOCK_STREAM, 0) and exit 0; "
		       "print $!+0; exit 3'"),
		==, 3);
	g_assert_cmpint(atoi(f->output), ==, EACCES);
	/* a pipe by another name */
	g_assert_cmpint(
		run(f, "perl -MSocket -e 'socketpair(S, T, AF_UNIX, SOCK_STREAM, 0) or "
		       "exit 3'"),
		==, 0);
	f->policy.network = true;
	g_assert_cmpint(
		run(f, "perl -MSocket -e 'socket(S, AF_INET, SOCK_DGRAM, 0) or exit 3'"),
		==, 0);
}

/* Whoever has a socket that keeps messages apart can send to any other by its name. */
static void test_no_messages(struct fixture *f, gconstpointer data)
{
	g_autofree char *perl = g_find_program_in_path("perl");
	struct sockaddr_un path = {.sun_family = AF_UNIX};
	g_autofree char *script = NULL;
	char byte;

	if (!perl) {
		g_test_skip("no perl to send with");
		return;
	}
	snprintf(path.sun_path, sizeof(path.sun_path), "%s/log", f->other);
	ks_autofd int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	g_assert_cmpint(bind(fd, (struct sockaddr *)&path, sizeof(path)), ==, 0);
	g_assert_cmpint(chmod(path.sun_path, 0777), ==, 0);
	script = g_strdup_printf(
		"perl -MSocket -e 'my $to = sockaddr_un(\"%s\"); my ($all, $n);"
		"for my $type (1 .. 10) {"
		"  socketpair(A, B, AF_UNIX, $type, 0) or next; $n++;"
		"  $all .= \" $type send\" if send(A, \"x\", 0, $to);"
		"  close B;"
		"  $all .= \" $type connect\" if connect(A, $to);"
		"  $all .= \" $type bind\" if bind(A, pack(\"Sxa*\", AF_UNIX, \"ks\"));"
		"} print \"$n pairs$all\"'",
		path.sun_path);
	g_assert_cmpint(run(f, script), ==, 0);
	g_assert_cmpstr(f->output, ==, "1 pairs");
	g_assert_cmpint(recv(fd, &byte, 1, 0), ==, -1);
	/* what it needs to be: a pipe */
	g_assert_cmpint(run(f,
			    "perl -MSocket -e 'socketpair(A, B, AF_UNIX, SOCK_STREAM, 0);"
			    "send(A, q(x), 0) and sysread(B, $x, 1) and print $x'"),
			==, 0);
	g_assert_cmpstr(f->output, ==, "x");
}

/* Made by one build they would be there for the next, and use up memory. */
static void test_no_ipc_outlives_a_build(struct fixture *f, gconstpointer data)
{
	const key_t key = 0x6b730000 + getpid() % 0x10000;
	g_autofree char *script =
		g_strdup_printf("perl -e 'shmget(%d, 4096, 0666 | 01000);"
				"semget(%d, 1, 0666 | 01000); msgget(%d, 0666 | 01000);'",
				key, key, key);

	run(f, script);
	g_assert_cmpint(shmget(key, 0, 0), ==, -1);
	g_assert_cmpint(semget(key, 0, 0), ==, -1);
	g_assert_cmpint(msgget(key, 0), ==, -1);
}

static void test_no_new_namespaces(struct fixture *f, gconstpointer data)
{
	g_assert_cmpint(run(f, "unshare -U true"), !=, 0);
	g_assert_cmpint(run(f, "unshare -m true"), !=, 0);
}

/* The kernel may be newer than what the filter was made from. */
static void test_unknown_system_calls(struct fixture *f, gconstpointer data)
{
	g_autofree char *perl = g_find_program_in_path("perl");
	g_autofree char *script = g_strdup_printf(
		"perl -e 'for my $n (4000, %d) { syscall($n) == -1 or exit 3; print "
		"$!+0, qq(\n) }'",
		SYS_io_uring_setup);
	g_autofree char *expected = g_strdup_printf("%d\n%d\n", ENOSYS, ENOSYS);

	if (!perl) {
		g_test_skip("no perl to make a system call with");
		return;
	}
	g_assert_cmpint(run(f, script), ==, 0);
	g_assert_cmpstr(f->output, ==, expected);
}

/* The answer of the filter's beginning, which knows numbers only, to one call. */
static bool is_refused_as_unknown(guint32 number)
{
	struct sock_filter program[16] = {{0}};
	int fd = ks_sandbox_filter(false, NULL);
	guint i = 1;

	g_assert_cmpint(pread(fd, program, sizeof(program), 0), >, 0);
	/* up to libseccomp's own, which begins with a load */
	while (BPF_CLASS(program[i].code) == BPF_JMP) {
		const struct sock_filter *jump = &program[i];
		bool is_true = BPF_OP(jump->code) == BPF_JGT ? number > jump->k
							     : number >= jump->k;

		i += 1 + (is_true ? jump->jt : jump->jf);
	}
	if (BPF_CLASS(program[i].code) != BPF_RET)
		return false;
	g_assert_cmpuint(program[i].k, ==, SECCOMP_RET_ERRNO | ENOSYS);
	return true;
}

/* No program begins without those of its architecture. */
static void test_system_calls_of_other_architectures(struct fixture *f,
						     gconstpointer data)
{
	g_assert_cmpuint(ks_sandbox_filter_last_known(SCMP_ARCH_MIPSEL), >, 4300);
	g_assert_cmpuint(ks_sandbox_filter_last_known(SCMP_ARCH_MIPSEL64), >, 5300);
	g_assert_cmpuint(ks_sandbox_filter_last_known(SCMP_ARCH_ARM), >, 400);
	g_assert_cmpuint(ks_sandbox_filter_last_known(SCMP_ARCH_ARM), <, 1000);
	g_assert_false(is_refused_as_unknown(SYS_read));
	g_assert_false(is_refused_as_unknown(0x0f0002)); /* ARM: cacheflush */
	g_assert_false(is_refused_as_unknown(0x0f0005)); /* ARM: set_tls */
	g_assert_true(is_refused_as_unknown(0x0effff));
	g_assert_true(is_refused_as_unknown(0x0f0800));
	g_assert_true(is_refused_as_unknown(0x40000000)); /* x32 */
}

static void test_sees_only_itself(struct fixture *f, gconstpointer data)
{
	g_assert_cmpint(run(f, "ls -d /proc/[0-9]* | wc -l; ls /tmp"), ==, 0);
	if (!(f->layers & KS_SANDBOX_PID) || !(f->layers & KS_SANDBOX_MOUNT)) {
		g_test_skip("no pid namespace to be had here");
		return;
	}
	/* the warden, sh, and the processes of the pipe */
	g_assert_cmpint(atoi(f->output), <=, 5);
	/* a private /tmp, with nothing but our own files */
	g_assert_nonnull(strstr(f->output, strrchr(f->dir, '/') + 1));
	g_assert_null(strstr(f->output, strrchr(f->other, '/') + 1));
	g_assert_cmpint(run(f, "ls -A /dev | wc -l"), ==, 0);
	g_assert_cmpint(atoi(f->output), <=, 12);
	g_assert_cmpint(run(f, "mktemp && test -w /dev/shm && test -c /dev/urandom"), ==,
			0);
}

/* A socket on a read-only mount can be connected to all the same. */
static void test_run_is_hidden(struct fixture *f, gconstpointer data)
{
	g_autofree char *dir = g_strdup("/run/ks-sandbox-XXXXXX");
	g_autofree char *script = NULL;

	if (!is_root() || !ks_sandbox_can_mount(f->system)) {
		g_test_skip("no mounts to be had");
		return;
	}
	g_assert_nonnull(g_mkdtemp_full(dir, 0755));
	script = g_strdup_printf("test -d /run && ! test -e %s && ! touch /run/x", dir);
	g_assert_cmpint(run(f, script), ==, 0);
	g_assert_cmpint(g_rmdir(dir), ==, 0);
}

/* But paths that the policy names stay. */
static void test_writable_below_run(struct fixture *f, gconstpointer data)
{
	g_autofree char *dir = g_strdup("/run/ks-sandbox-XXXXXX");
	g_autofree char *file = NULL;

	if (!can_be_another(f) || !ks_sandbox_can_mount(f->system)) {
		g_test_skip("no mounts to be had");
		return;
	}
	g_assert_nonnull(g_mkdtemp_full(dir, 0755));
	g_assert_cmpint(chown(dir, f->policy.uid, f->policy.gid), ==, 0);
	file = g_build_filename(dir, "made", NULL);
	f->writable[0] = f->policy.cwd = dir;
	g_assert_cmpint(run(f, "echo x > made"), ==, 0);
	g_assert_true(g_file_test(file, G_FILE_TEST_IS_REGULAR));
	remove_tree(dir);
}

static void test_bind(struct fixture *f, gconstpointer data)
{
	g_autofree char *source = g_build_filename(f->dir, "private", NULL);
	g_autofree char *target = g_build_filename(f->other, "build", NULL);
	g_autofree char *made = g_build_filename(source, "made", NULL);
	struct ks_sandbox_bind bind = {source, target};

	if (!ks_sandbox_can_mount(f->system)) {
		g_test_skip("no mount namespace to be had here");
		return;
	}
	g_assert_cmpint(g_mkdir(source, 0755), ==, 0);
	g_assert_cmpint(g_mkdir(target, 0755), ==, 0);
	if (can_be_another(f))
		g_assert_cmpint(chown(source, f->policy.uid, f->policy.gid), ==, 0);
	f->policy.binds = &bind;
	f->policy.n_binds = 1;
	f->writable[0] = f->policy.cwd = target;
	g_assert_cmpint(run(f, "pwd > made"), ==, 0);
	g_free(f->output);
	g_assert_true(g_file_get_contents(made, &f->output, NULL, NULL));
	g_assert_true(g_str_has_prefix(f->output, target));
}

static void test_bind_needs_mounts(struct fixture *f, gconstpointer data)
{
	struct ks_sandbox_bind bind = {f->dir, f->other};

	if (ks_sandbox_can_mount(f->system)) {
		g_test_skip("mounts can be had here");
		return;
	}
	f->policy.binds = &bind;
	f->policy.n_binds = 1;
	g_assert_cmpint(run(f, "true"), ==, -1);
	g_assert_nonnull(strstr(f->error->message, "without mounts"));
}

/* A process of this mark in its environment is ours; anywhere on the machine. */
static bool marked_process_lives(const char *mark)
{
	g_autoptr(GDir) proc = g_dir_open("/proc", 0, NULL);
	const char *name;

	while ((name = g_dir_read_name(proc))) {
		g_autofree char *path = g_build_filename("/proc", name, "cmdline", NULL);
		g_autofree char *text = NULL;
		gsize size = 0;

		if (!g_ascii_isdigit(*name) ||
		    !g_file_get_contents(path, &text, &size, NULL))
			continue;
		if (memmem(text, size, mark, strlen(mark)))
			return true;
	}
	return false;
}

/* Something that tries to survive: its own session, no parent, deaf. */
#define DAEMON                                                                           \
	"setsid sh -c 'trap \"\" TERM HUP INT; echo up > up; sleep 86399.%s & wait' "    \
	">/dev/null 2>&1 </dev/null &\n"                                                 \
	"while ! test -s up; do sleep 0.01; done\n"

static void test_daemons_die(struct fixture *f, gconstpointer data)
{
	g_autofree char *mark = g_strdup_printf("%d1", getpid());
	g_autofree char *script = g_strdup_printf(DAEMON, mark);
	g_autofree char *full = g_strdup_printf("86399.%s", mark);

	g_assert_cmpint(run(f, script), ==, 0);
	g_assert_false(marked_process_lives(full));
}

static void test_timeout(struct fixture *f, gconstpointer data)
{
	g_autofree char *mark = g_strdup_printf("%d2", getpid());
	g_autofree char *script =
		g_strdup_printf(DAEMON "exec sleep 86399.%s", mark, mark);
	g_autofree char *full = g_strdup_printf("86399.%s", mark);
	struct ks_sandbox sandbox;

	f->policy.timeout_s = 1;
	g_assert_true(start(f, script, &sandbox));
	g_assert_true(finish(f, &sandbox));
	g_assert_cmpint(f->status, ==, 124 << 8);
	g_assert_true(sandbox.is_timed_out);
	g_assert_false(marked_process_lives(full));
	f->policy.timeout_s = 60;
	g_assert_true(start(f, "exit 124", &sandbox));
	g_assert_true(finish(f, &sandbox));
	g_assert_cmpint(f->status, ==, 124 << 8);
	g_assert_false(sandbox.is_timed_out);
}

static void test_kill(struct fixture *f, gconstpointer data)
{
	g_autofree char *mark = g_strdup_printf("%d3", getpid());
	g_autofree char *script =
		g_strdup_printf(DAEMON "exec sleep 86399.%s", mark, mark);
	g_autofree char *full = g_strdup_printf("86399.%s", mark);
	g_autofree char *up = g_build_filename(f->dir, "up", NULL);
	struct ks_sandbox sandbox;

	g_assert_true(start(f, script, &sandbox));
	for (int i = 0; i < 1000 && !g_file_test(up, G_FILE_TEST_EXISTS); i++)
		g_usleep(10000);
	g_assert_true(marked_process_lives(full));
	ks_sandbox_kill(&sandbox);
	g_assert_true(finish(f, &sandbox));
	g_assert_true(WIFSIGNALED(f->status));
	g_assert_cmpint(WTERMSIG(f->status), ==, SIGKILL);
	g_assert_false(marked_process_lives(full));
}

/* An end of a connection that the sandbox must not reach. */
static int listen_on(int family, const struct sockaddr *address, socklen_t size)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	g_assert_cmpint(fd, >=, 0);
	g_assert_cmpint(bind(fd, address, size), ==, 0);
	g_assert_cmpint(listen(fd, 1), ==, 0);
	return fd;
}

static void test_cannot_connect(struct fixture *f, gconstpointer data)
{
	g_autofree char *perl = g_find_program_in_path("perl");
	struct sockaddr_in tcp = {.sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_un path = {.sun_family = AF_UNIX}, abstract = path;
	socklen_t tcp_size = sizeof(tcp);

	if (!perl) {
		g_test_skip("no perl to connect with");
		return;
	}
	snprintf(path.sun_path, sizeof(path.sun_path), "%s/socket", f->other);
	snprintf(abstract.sun_path + 1, sizeof(abstract.sun_path) - 1, "ks-%d", getpid());
	ks_autofd int tcp_fd = listen_on(AF_INET, (struct sockaddr *)&tcp, sizeof(tcp));
	ks_autofd int path_fd =
		listen_on(AF_UNIX, (struct sockaddr *)&path, sizeof(path));
	ks_autofd int abstract_fd = listen_on(AF_UNIX, (struct sockaddr *)&abstract,
					      offsetof(struct sockaddr_un, sun_path) + 1 +
						      strlen(abstract.sun_path + 1));

	g_assert_cmpint(chmod(path.sun_path, 0777), ==, 0);
	g_assert_cmpint(getsockname(tcp_fd, (struct sockaddr *)&tcp, &tcp_size), ==, 0);
	g_autofree char *script = g_strdup_printf(
		"perl -MSocket -e '"
		"socket(A, AF_INET, SOCK_STREAM, 0) and "
		"connect(A, sockaddr_in(%d, INADDR_LOOPBACK)) and exit 3;"
		"socket(B, AF_UNIX, SOCK_STREAM, 0) and "
		"connect(B, sockaddr_un(\"%s\")) and exit 4;"
		"socket(C, AF_UNIX, SOCK_STREAM, 0) and "
		"connect(C, pack(\"Sxa*\", AF_UNIX, \"%s\")) and exit 5;'",
		ntohs(tcp.sin_port), path.sun_path, abstract.sun_path + 1);
	g_assert_cmpint(run(f, script), ==, 0);
	/* the same from outside, so that it is not the script that fails */
	const char *const argv[] = {"sh", "-c", script, NULL};
	struct ks_process_options options = KS_PROCESS_OPTIONS_INIT;
	int status;

	options.argv = argv;
	g_assert_true(ks_process_run(&options, &status, NULL));
	g_assert_cmpint(WEXITSTATUS(status), ==, 3);
}

/* The capabilities and rights of the machine's root. */
static void test_cannot_be_root(struct fixture *f, gconstpointer data)
{
	static const char *const attempts[] = {
		"mount -t tmpfs x .",
		"mknod dev c 1 3",
		"mknod /tmp/dev b 8 0",
		"chroot . /bin/true",
		"echo 1 > /proc/sys/kernel/printk",
		"cat /proc/kcore",
		"dmesg",
		"perl -e '$< = $> = 0; exit($> != 0)'",
		"perl -e 'chown 0, 0, q(mine) or exit 1'",
		"setpriv --reuid 0 true",
		"nice -n -5 true && test $(nice -n -5 nice) -lt 0",
		"ln /etc/shadow shadow",
		"cat /root/.profile /root/.bashrc",
	};

	if (!can_be_another(f)) {
		g_test_skip("not root: nothing to be kept from");
		return;
	}
	for (size_t i = 0; i < G_N_ELEMENTS(attempts); i++) {
		g_autofree char *script =
			g_strdup_printf("touch mine; (%s) 2>/dev/null", attempts[i]);

		if (run(f, script) == 0)
			g_error("inside, '%s' succeeds", attempts[i]);
	}
}

/* A key that is root's alone, wherever it is. */
static void test_cannot_read_a_key(struct fixture *f, gconstpointer data)
{
	g_autofree char *key = g_build_filename(f->other, "mok.key", NULL);
	g_autofree char *script = g_strdup_printf("cat %s 2>/dev/null && exit 3; ln %s "
						  "key 2>/dev/null && cat key && exit 4; "
						  "exit 0",
						  key, key);

	if (!can_be_another(f)) {
		g_test_skip("not root: there is nothing that is not ours");
		return;
	}
	g_assert_true(g_file_set_contents(key, "secret", -1, NULL));
	g_assert_cmpint(g_chmod(key, 0600), ==, 0);
	g_assert_cmpint(run(f, script), ==, 0);
	g_assert_null(strstr(f->output, "secret"));
}

/* A process of the same user outside, which the uid alone does not protect. */
static void test_cannot_reach_processes(struct fixture *f, gconstpointer data)
{
	g_autofree char *script = NULL;
	int status, err = 0;
	pid_t pid = fork();

	if (pid == 0) {
		if (can_be_another(f) &&
		    (setgid(f->policy.gid) != 0 || setuid(f->policy.uid) != 0))
			_exit(1);
		execlp("sleep", "sleep", "86399", NULL);
		_exit(1);
	}
	g_assert_cmpint(pid, >, 0);
	script = g_strdup_printf(
		"kill -0 %d 2>/dev/null && exit 3; kill -TERM %d 2>/dev/null; "
		"perl -e 'syscall(%d, 16, %d, 0, 0) == 0 and exit 5' && "
		"! cat /proc/%d/environ >/dev/null 2>&1",
		pid, pid, SYS_ptrace, pid, pid);
	status = run(f, script);
	if (!(f->layers & KS_SANDBOX_PID) && status == 3)
		err = status; /* signals to the same user need a pid namespace
		               * or Landlock */
	kill(pid, SIGKILL);
	g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
	g_assert_true(WIFSIGNALED(status));
	if (err)
		g_test_skip("no pid namespace to be had here");
	else
		g_assert_cmpint(WTERMSIG(status), ==, SIGKILL);
}

/* Processes without end: the machine's others go on, and all of it is ended. */
static void test_fork_bomb(struct fixture *f, gconstpointer data)
{
	g_autofree char *mark = g_strdup_printf("%d5", getpid());
	g_autofree char *script =
		g_strdup_printf("perl -e '$0 = q(86399.%s); while (1) { fork() }'", mark);
	g_autofree char *full = g_strdup_printf("86399.%s", mark);

	if (!can_be_another(f)) {
		g_test_skip("not root: the limit would be of all our processes");
		return;
	}
	f->policy.timeout_s = 1;
	be_nobody_else(f);
	f->policy.max_processes = 64;
	g_assert_cmpint(run(f, script), ==, 124);
	g_assert_false(marked_process_lives(full));
}

/* A set-id file that it makes gives nothing to anybody in there. */
static void test_set_id_files_have_no_effect(struct fixture *f, gconstpointer data)
{
	if (!can_be_another(f)) {
		g_test_skip("not root: there is nobody else to be");
		return;
	}
	g_autofree char *path = g_build_filename(f->dir, "id", NULL);
	g_autofree char *id = g_find_program_in_path("id");
	const char *const argv[] = {"cp", id, path, NULL};
	struct ks_process_options options = KS_PROCESS_OPTIONS_INIT;
	int status;

	options.argv = argv;
	g_assert_true(ks_process_run(&options, &status, NULL));
	g_assert_cmpint(chmod(path, 04755), ==, 0);
	g_assert_cmpint(run(f, "./id -u"), ==, 0);
	g_assert_cmpint(atoi(f->output), ==, (int)f->policy.uid);
}

static void test_off(struct fixture *f, gconstpointer data)
{
	g_autofree char *mark = g_strdup_printf("%d6", getpid());
	g_autofree char *script = g_strdup_printf(
		"echo x > %s/out && perl -MSocket -e "
		"'socket(S, AF_INET, SOCK_DGRAM, 0) or exit 3' && id -u\n" DAEMON,
		f->other, mark);
	g_autofree char *full = g_strdup_printf("86399.%s", mark);
	g_autofree char *out = g_build_filename(f->other, "out", NULL);

	f->policy.off = true;
	g_assert_cmpint(run(f, script), ==, 0);
	g_assert_true(g_file_test(out, G_FILE_TEST_EXISTS));
	if (can_be_another(f))
		g_assert_cmpint(atoi(f->output), ==, (int)f->policy.uid);
	g_assert_cmpint(f->layers & (KS_SANDBOX_SECCOMP | KS_SANDBOX_LANDLOCK |
				     KS_SANDBOX_MOUNT | KS_SANDBOX_NET),
			==, 0);
	g_assert_false(marked_process_lives(full));
}

/* The engine is killed: nobody can give the launcher a command any more. */
static void test_engine_is_killed(struct fixture *f, gconstpointer data)
{
	g_autofree char *mark = g_strdup_printf("%d7", getpid());
	g_autofree char *script =
		g_strdup_printf(DAEMON "exec sleep 86399.%s", mark, mark);
	g_autofree char *full = g_strdup_printf("86399.%s", mark);
	g_autofree char *up = g_build_filename(f->dir, "up", NULL);
	struct ks_sandbox sandbox;
	int status;
	pid_t engine = fork();

	if (engine == 0) {
		if (start(f, script, &sandbox))
			pause();
		_exit(1);
	}
	for (int i = 0; i < 1000 && !g_file_test(up, G_FILE_TEST_EXISTS); i++)
		g_usleep(10000);
	g_assert_true(marked_process_lives(full));
	kill(engine, SIGKILL);
	g_assert_cmpint(waitpid(engine, &status, 0), ==, engine);
	for (int i = 0; i < 1000 && marked_process_lives(full); i++)
		g_usleep(10000);
	g_assert_false(marked_process_lives(full));
}

/*
 * tests/unit/sandbox-environments runs all of this in containers of several
 * kinds and prints which layers are available there.
 */
/* Killed by somebody else: nothing is known about the command. */
static void test_launcher_is_killed(struct fixture *f, gconstpointer data)
{
	struct ks_sandbox sandbox;

	g_assert_true(start(f, "exec sleep 60", &sandbox));
	g_assert_cmpint(kill(sandbox.pid, SIGKILL), ==, 0);
	g_assert_false(finish(f, &sandbox));
	g_assert_nonnull(strstr(f->error->message, "the launcher was killed"));
	g_assert_false(sandbox.is_unusable);
}

static void test_expected_layers(struct fixture *f, gconstpointer data)
{
	const char *expected = g_getenv("KS_TEST_LAYERS");
	g_autofree char *layers = NULL;

	if (!expected) {
		g_test_skip("KS_TEST_LAYERS does not say which");
		return;
	}
	g_assert_cmpint(run(f, "true"), ==, 0);
	layers = ks_sandbox_layers_to_string(f->layers & ~KS_SANDBOX_LAYERS_OPTIONAL);
	g_assert_cmpstr(layers, ==, expected);
}

static void test_signal_is_told(struct fixture *f, gconstpointer data)
{
	struct ks_sandbox sandbox;

	g_assert_true(start(f, "kill -SEGV $$", &sandbox));
	g_assert_true(finish(f, &sandbox));
	g_assert_true(WIFSIGNALED(f->status));
	g_assert_cmpint(WTERMSIG(f->status), ==, SIGSEGV);
}

static void test_file_size_limit(struct fixture *f, gconstpointer data)
{
	f->policy.max_file_bytes = 1 << 20;
	g_assert_cmpint(run(f, "trap '' XFSZ; dd if=/dev/zero of=big bs=65536 count=32"),
			!=, 0);
}

/* dd has one buffer of its block size. */
static void test_memory_limit(struct fixture *f, gconstpointer data)
{
	const char *script = "dd if=/dev/zero of=/dev/null bs=64M count=1";

	g_assert_cmpint(run(f, script), ==, 0);
	f->policy.max_memory_bytes = 32 << 20;
	g_assert_cmpint(run(f, script), !=, 0);
	g_assert_no_error(f->error);
	g_assert_cmpint(run(f, "ulimit -v"), ==, 0);
	g_assert_cmpstr(f->output, ==, "32768\n");
}

/* The v2 hierarchy of this machine, or NULL when we cannot make a cgroup there. */
static char *find_cgroups(void)
{
	static const char *const mounts[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};

	for (size_t i = 0; i < G_N_ELEMENTS(mounts); i++) {
		g_autofree char *procs =
			g_build_filename(mounts[i], "cgroup.procs", NULL);

		if (is_root() && access(procs, W_OK) == 0)
			return g_strdup(mounts[i]);
	}
	return NULL;
}

static void test_cgroup(struct fixture *f, gconstpointer data)
{
	g_autofree char *mount = find_cgroups();
	g_autofree char *seen = NULL;

	if (!mount) {
		g_test_skip("no cgroup v2 that can be written to");
		return;
	}
	be_nobody_else(f);
	f->policy.max_processes = 64;
	g_assert_cmpint(run(f, "sed -n 's/^0:://p' /proc/self/cgroup"), ==, 0);
	g_assert_cmpint(f->layers & KS_SANDBOX_CGROUP, !=, 0);
	g_assert_nonnull(strstr(f->output, "/kmodsmith-build."));
	g_strstrip(f->output);
	seen = g_build_filename(mount, f->output, NULL);
	g_assert_false(g_file_test(seen, G_FILE_TEST_EXISTS));
}

/* Does it have that file, in sight of the command? Its contents are in f->output. */
static bool has_cgroup_file(struct fixture *f, const char *mount, const char *name)
{
	g_autofree char *script = g_strdup_printf(
		"cat %s$(sed -n 's/^0:://p' /proc/self/cgroup)/%s 2>/dev/null", mount,
		name);

	return run(f, script) == 0;
}

/* tests/system/cgroup.bats runs this where cgroup v2 has all controllers. */
static void test_cgroup_limits(struct fixture *f, gconstpointer data)
{
	const char *script =
		"dd if=/dev/zero of=/dev/null bs=64M count=1 2>/dev/null & "
		"dd if=/dev/zero of=/dev/null bs=64M count=1 2>/dev/null; wait";
	const char *forks = "i=0; while [ $i -lt 64 ]; do sleep 60 & i=$((i+1)); done";
	g_autofree char *mount = find_cgroups();

	f->policy.max_total_bytes = 96 << 20;
	be_nobody_else(f);
	f->policy.max_processes = 32;
	if (!mount || !has_cgroup_file(f, mount, "memory.max")) {
		g_test_skip("no cgroup v2 with a controller of memory");
		return;
	}
	g_assert_cmpint(atoi(f->output), ==, 96 << 20);
	g_assert_true(has_cgroup_file(f, mount, "pids.max"));
	g_assert_cmpint(atoi(f->output), ==, 32);
	/* together too much; all processes are killed, not only the last one */
	struct ks_sandbox sandbox;
	g_assert_true(start(f, script, &sandbox));
	g_assert_true(finish(f, &sandbox));
	g_assert_true(WIFSIGNALED(f->status));
	g_assert_cmpint(sandbox.out_of_memory, ==, KS_SANDBOX_OOM_OWN);
	/* killed for another reason, it does not say so */
	g_assert_true(start(f, "kill -9 $$", &sandbox));
	g_assert_true(finish(f, &sandbox));
	g_assert_cmpint(sandbox.out_of_memory, ==, KS_SANDBOX_OOM_NONE);
	g_assert_cmpint(run(f, forks), !=, 0);
	f->policy.max_total_bytes = 512 << 20;
	f->policy.max_processes = 100;
	g_assert_cmpint(run(f, script), ==, 0);
	g_assert_cmpint(run(f, forks), ==, 0);
}

/* A launcher that was killed with SIGKILL leaves an empty cgroup. */
static void test_cgroup_is_swept(struct fixture *f, gconstpointer data)
{
	g_autofree char *mount = find_cgroups();
	g_autofree char *left =
		mount ? g_build_filename(mount, "kmodsmith-build.99999999", NULL) : NULL;

	if (!mount) {
		g_test_skip("no cgroup v2 that can be written to");
		return;
	}
	g_assert_cmpint(g_mkdir(left, 0755), ==, 0);
	g_assert_cmpint(run(f, "true"), ==, 0);
	g_assert_false(g_file_test(left, G_FILE_TEST_EXISTS));
}

static void test_passed_descriptors(struct fixture *f, gconstpointer data)
{
	int fds[2];

	g_assert_cmpint(pipe2(fds, O_CLOEXEC), ==, 0);
	f->policy.pass_fds = fds;
	f->policy.n_pass_fds = 2;
	g_autofree char *script = g_strdup_printf(
		"bash -c 'echo through >&%d'; ls /proc/self/fd | wc -l", fds[1]);
	g_assert_cmpint(run(f, script), ==, 0);
	/* 0 1 2, the two, and ls's own */
	g_assert_cmpint(atoi(f->output), ==, 6);
	char text[16] = "";
	g_assert_cmpint(read(fds[0], text, sizeof(text) - 1), ==, 8);
	g_assert_cmpstr(text, ==, "through\n");
	close(fds[0]);
	close(fds[1]);
}

/* It works where a private /tmp hides it and where it is in sight; a second one beside it
 * stays closed. */
static void test_fifo(struct fixture *f, gconstpointer data)
{
	static const char *const parents[] = {"/tmp", "/var/tmp"};

	for (size_t i = 0; i < G_N_ELEMENTS(parents); i++) {
		g_autofree char *dir = g_strdup_printf("%s/ks-fifo-XXXXXX", parents[i]);
		g_autofree char *script = NULL;
		char text[16] = "";
		int fd, other_fd;

		g_assert_nonnull(g_mkdtemp_full(dir, 0711));
		g_autofree char *path = g_build_filename(dir, "jobs", NULL);
		g_autofree char *other = g_build_filename(dir, "other", NULL);
		g_assert_cmpint(mkfifo(path, 0600), ==, 0);
		g_assert_cmpint(mkfifo(other, 0600), ==, 0);
		g_assert_cmpint(chmod(path, 0660), ==, 0);
		g_assert_cmpint(chmod(other, 0660), ==, 0);
		if (can_be_another(f)) {
			g_assert_cmpint(chown(path, 0, f->policy.gid), ==, 0);
			g_assert_cmpint(chown(other, 0, f->policy.gid), ==, 0);
			g_assert_cmpint(chmod(dir, 0711), ==, 0);
		}
		fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
		other_fd = open(other, O_RDWR | O_NONBLOCK | O_CLOEXEC);
		g_assert_cmpint(write(fd, "ab", 2), ==, 2);
		f->policy.fifo = path;
		script =
			g_strdup_printf("test -w %s && head -c 1 <%s && echo through >%s",
					path, path, path);
		if (run(f, script) != 0)
			g_error("%s: %s", path, f->output);
		g_assert_cmpint(f->output[0], ==, 'a');
		g_assert_cmpint(read(fd, text, sizeof(text) - 1), ==, 9);
		g_assert_cmpstr(text, ==, "bthrough\n");
		g_free(script);
		script = g_strdup_printf("echo x >%s; rm -f %s %s; mkdir %s/new", other,
					 path, other, dir);
		if (f->layers & KS_SANDBOX_LANDLOCK ||
		    (f->layers & KS_SANDBOX_TMP && i == 0)) {
			g_autofree char *new = g_build_filename(dir, "new", NULL);

			run(f, script);
			g_assert_cmpint(read(other_fd, text, sizeof(text)), <, 0);
			g_assert_true(g_file_test(path, G_FILE_TEST_EXISTS));
			g_assert_true(g_file_test(other, G_FILE_TEST_EXISTS));
			g_assert_false(g_file_test(new, G_FILE_TEST_EXISTS));
		}
		close(fd);
		close(other_fd);
		remove_tree(dir);
	}
}

static void test_missing_program_and_directory(struct fixture *f, gconstpointer data)
{
	const char *const argv[] = {"/nonexistent/program", NULL};
	struct ks_sandbox sandbox;
	int status;

	f->policy.argv = argv;
	f->policy.stdout_fd = f->policy.stderr_fd = -1;
	g_assert_true(ks_sandbox_start(f->system, &f->policy, &sandbox, &f->error));
	g_assert_false(ks_sandbox_finish(&sandbox, &status, NULL, &f->error));
	g_assert_nonnull(strstr(f->error->message, "'/nonexistent/program'"));
	g_assert_true(sandbox.is_unusable);

	f->policy.cwd = "/nonexistent";
	g_assert_true(start(f, "true", &sandbox));
	g_assert_false(finish(f, &sandbox));
	g_assert_nonnull(strstr(f->error->message, "'/nonexistent'"));
	g_assert_true(sandbox.is_unusable);

	f->policy.cwd = "/";
	f->writable[0] = "/nonexistent/writable";
	g_assert_true(start(f, "true", &sandbox));
	g_assert_false(finish(f, &sandbox));
	g_assert_nonnull(f->error);
	g_assert_false(sandbox.is_unusable);
}

static void test_require(struct fixture *f, gconstpointer data)
{
	f->policy.require = true;
	if (can_be_another(f) && ks_sandbox_can_mount(f->system)) {
		g_test_skip("nothing is missing here");
		return;
	}
	g_assert_cmpint(run(f, "true"), ==, -1);
	g_assert_error(f->error, KS_ERROR, KS_ERROR_DENIED);
	g_assert_nonnull(ks_error_get_hint(f->error));
}

static void test_layer_names(void)
{
	g_autofree char *all = ks_sandbox_layers_to_string(KS_SANDBOX_LAYERS_ALL);
	g_autofree char *two =
		ks_sandbox_layers_to_string(KS_SANDBOX_UID | KS_SANDBOX_DEV);
	g_autofree char *none = ks_sandbox_layers_to_string(0);

	g_assert_cmpstr(all, ==,
			"uid,rlimits,seccomp,landlock,mount,pid,net,tmp,dev,cgroup");
	g_assert_cmpstr(two, ==, "uid,dev");
	g_assert_cmpstr(none, ==, "");
}

static void test_identities_at_the_same_time(void)
{
	g_autofree char *dir = g_dir_make_tmp("ks-identity-XXXXXX", NULL);
	g_autofree char *etc = g_build_filename(dir, "etc", NULL);
	g_autofree char *subuid = g_build_filename(etc, "subuid", NULL);
	ks_auto(ks_system) system = ks_system_new(dir, NULL);
	uid_t one, first, second, third;
	gid_t gid;

	if (!ks_sandbox_identity(system, &one, &gid)) {
		g_test_skip("there is nobody else to be");
		return;
	}
	g_assert_cmpint(g_mkdir(etc, 0755), ==, 0);
	g_assert_true(ks_sandbox_identity_of(system, 0, &first, &gid));
	g_assert_cmpuint(first, ==, one);
	g_assert_true(g_file_set_contents(
		subuid, "me:1:2\nkmodsmith:x:2\nkmodsmith:700000:2\n", -1, NULL));
	g_assert_true(ks_sandbox_identity_of(system, 0, &first, &gid));
	g_assert_true(ks_sandbox_identity_of(system, 1, &second, &gid));
	g_assert_true(ks_sandbox_identity_of(system, 2, &third, &gid));
	g_assert_cmpuint(first, ==, 700000);
	g_assert_cmpuint(second, ==, 700001);
	g_assert_cmpuint(third, ==, one);
	g_remove(subuid);
	g_rmdir(etc);
	g_rmdir(dir);
}

static void test_identity_of_a_tree(void)
{
	static const struct {
		const char *passwd;
		unsigned int uid, gid;
	} cases[] = {
		{"root:x:0:0::/:/bin/sh\nkmodsmith:x:901:902::/:/"
		 "x\nnobody:x:65534:65534\n",
		 901, 902},
		{"nobody:x:99:98:Nobody:/:/sbin/nologin\n", 99, 98},
		{"kmodsmith:x:0:0::/:\n", 65534, 65534},
		{"kmodsmith:x:\nkmodsmith\n::::\n", 65534, 65534},
		{"kmodsmith:x:99999999999:1:\n", 65534, 65534},
		{"", 65534, 65534},
	};
	g_autofree char *dir = g_dir_make_tmp("ks-identity-XXXXXX", NULL);
	g_autofree char *etc = g_build_filename(dir, "etc", NULL);
	g_autofree char *passwd = g_build_filename(etc, "passwd", NULL);
	ks_auto(ks_system) system = ks_system_new(dir, NULL);
	uid_t uid;
	gid_t gid;

	g_assert_nonnull(system);
	g_assert_cmpint(g_mkdir(etc, 0755), ==, 0);
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_assert_true(g_file_set_contents(passwd, cases[i].passwd, -1, NULL));
		ks_sandbox_identity(system, &uid, &gid);
		g_assert_cmpint(uid, ==, is_root() ? cases[i].uid : geteuid());
		g_assert_cmpint(gid, ==, is_root() ? cases[i].gid : getegid());
	}
	g_remove(passwd);
	g_rmdir(etc);
	g_rmdir(dir);
}

static void test_root_of_a_tree(void)
{
	g_autofree char *dir = g_dir_make_tmp("ks-root-XXXXXX", NULL);
	ks_auto(ks_system) host = ks_system_new("/", NULL);
	ks_auto(ks_system) tree = ks_system_new(dir, NULL);

	/* A plain directory, no mount point: it is made one. */
	g_assert_cmpint(g_chmod(dir, 0755), ==, 0);
	g_assert_cmpint(ks_sandbox_can_mount(tree), ==, ks_sandbox_can_mount(host));
	g_rmdir(dir);
}

#define ADD(name, func)                                                                  \
	g_test_add("/sandbox/" name, struct fixture, NULL, set_up, func, tear_down)

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ADD("the status and the output are the command's", test_status_and_output);
	ADD("the environment is what was given", test_environment_is_given);
	ADD("only the writable directory can be written", test_only_writable_is_written);
	ADD("the command is not root and has no capability", test_not_root);
	ADD("running as root is refused", test_root_is_refused);
	ADD("there is no network", test_no_network);
	ADD("namespaces cannot be made inside", test_no_new_namespaces);
	ADD("system calls newer than the filter, and io_uring, do not exist",
	    test_unknown_system_calls);
	ADD("what programs of other architectures cannot begin without is let through",
	    test_system_calls_of_other_architectures);
	ADD("the command sees only its own processes and files", test_sees_only_itself);
	ADD("no message reaches a socket outside", test_no_messages);
	ADD("no shared memory, semaphore or queue outlives it",
	    test_no_ipc_outlives_a_build);
	ADD("sockets and the like below /run are out of sight", test_run_is_hidden);
	ADD("a writable directory below /run is there", test_writable_below_run);
	ADD("a directory is shown at another place", test_bind);
	ADD("a bind without mounts is an error", test_bind_needs_mounts);
	ADD("a daemonised child does not survive", test_daemons_die);
	ADD("a time limit kills everything and gives 124", test_timeout);
	ADD("killing the launcher's command leaves nothing", test_kill);
	ADD("killing the engine leaves nothing", test_engine_is_killed);
	ADD("a launcher that somebody killed is no end of the command",
	    test_launcher_is_killed);
	ADD("nothing that listens outside can be reached", test_cannot_connect);
	ADD("what takes root cannot be done", test_cannot_be_root);
	ADD("a key of root's cannot be read", test_cannot_read_a_key);
	ADD("processes outside cannot be reached", test_cannot_reach_processes);
	ADD("a fork bomb ends with its time", test_fork_bomb);
	ADD("set-id files have no effect", test_set_id_files_have_no_effect);
	ADD("switched off, it still is not root and ends", test_off);
	ADD("the layers are those that are expected here", test_expected_layers);
	ADD("death by signal is reported", test_signal_is_told);
	ADD("files are limited in size", test_file_size_limit);
	ADD("the memory of a process is limited", test_memory_limit);
	ADD("the command is in a cgroup of its own, which goes with it", test_cgroup);
	ADD("a cgroup limits memory and processes of all together", test_cgroup_limits);
	ADD("a cgroup that a killed launcher left is removed", test_cgroup_is_swept);
	ADD("passed descriptors keep their numbers and nothing else leaks",
	    test_passed_descriptors);
	ADD("a FIFO can be opened, wherever it is, and nothing beside it", test_fifo);
	ADD("a missing program or directory is an error that names it",
	    test_missing_program_and_directory);
	ADD("requiring all layers fails when one is missing", test_require);
	g_test_add_func("/sandbox/layers have names", test_layer_names);
	g_test_add_func("/sandbox/a plain directory becomes the root with all layers",
			test_root_of_a_tree);
	g_test_add_func("/sandbox/the identity comes from the tree's passwd",
			test_identity_of_a_tree);
	g_test_add_func("/sandbox/builds at the same time have users of their own",
			test_identities_at_the_same_time);
	return g_test_run();
}
