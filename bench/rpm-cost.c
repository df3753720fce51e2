/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the rpm plugin costs: its look at a transaction that is not its business, and
 * recording. Run by bench/rpm-plugin.
 *
 *	rpm-cost PLUGIN DIR
 *
 * DIR is an empty scratch directory. Prints "unrelated_ms N" and "record_ms N" for
 * each round, in milliseconds of processor and of wall time.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <rpm/rpmlib.h>
#include <rpm/rpmmacro.h>

#include "plugins/rpm/abi.h"
#include "plugins/rpm/rpm-database.h"
#include "plugins/rpm/header.h"
#include "plugins/rpm/reconcile.h"

#define N_FILES	   50000
#define N_DIRS	   500
#define N_MODULES  10
#define ROUNDS	   20
#define HOOK_LOOPS 1000
#define FILE_BYTES 100000
#define RELEASE	   "6.5.6-300.fc39.x86_64"

static void die(const char *what)
{
	fprintf(stderr, "rpm-cost: %s\n", what);
	exit(1);
}

static double now_ms(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* --- a package of many files that touches nothing of interest */

static Header big_header(void)
{
	struct ks_header header = {.name = "big",
				   .version = "1",
				   .release = "1",
				   .arch = "noarch",
				   .summary = "big",
				   .description = "big",
				   .licence = "none"};
	struct ks_why why;
	Header h;

	for (int i = 0; i < N_FILES; i++) {
		char path[64];
		struct ks_header_file file = {.path = path, .mode = S_IFREG | 0644};

		snprintf(path, sizeof(path), "/usr/share/big/%03d/%05d", i % N_DIRS, i);
		if (!ks_header_add_file(&header, &file))
			die("out of memory");
	}
	h = ks_header_build(&header, &why);
	ks_header_clear(&header);
	if (!h)
		die(why.text);
	return h;
}

static void measure_unrelated(const char *plugin)
{
	void *library = dlopen(plugin, RTLD_LAZY);
	struct rpmPluginHooks_s *hooks =
		library ? dlsym(library, "kmodsmith_hooks") : NULL;
	rpmts ts = rpmtsCreate();
	Header h = big_header();

	if (!hooks)
		die(dlerror());
	/* not the plugins of this machine: ours is called by hand */
	rpmtsSetFlags(ts, RPMTRANS_FLAG_NOPLUGINS);
	rpmtsSetRootDir(ts, "/");
	if (rpmtsAddInstallElement(ts, h, NULL, 0, NULL) != 0)
		die("rpm does not take the package");
	for (int round = 0; round < ROUNDS; round++) {
		double begun = now_ms(CLOCK_PROCESS_CPUTIME_ID);

		for (int i = 0; i < HOOK_LOOPS; i++) {
			hooks->tsm_pre(NULL, ts);
			hooks->scriptlet_pre(NULL, "%posttrans(big)", 0);
			hooks->tsm_post(NULL, ts, 0);
		}
		printf("unrelated_ms %.6f\n",
		       (now_ms(CLOCK_PROCESS_CPUTIME_ID) - begun) / HOOK_LOOPS);
	}
	headerFree(h);
	rpmtsFree(ts);
}

/* --- recording */

static void make_file(const char *dir, int number)
{
	char path[4096], content[FILE_BYTES];
	int fd;

	memset(content, 'a' + number, sizeof(content));
	snprintf(path, sizeof(path), "%s/lib/modules/" RELEASE "/extra/m%d.ko", dir,
		 number);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	if (fd < 0 || write(fd, content, sizeof(content)) != sizeof(content))
		die("cannot write a module");
	close(fd);
}

static char *digest_of(int number)
{
	char content[FILE_BYTES];
	DIGEST_CTX digest = rpmDigestInit(KS_HASH_SHA256, 0);
	void *text = NULL;

	memset(content, 'a' + number, sizeof(content));
	rpmDigestUpdate(digest, content, sizeof(content));
	rpmDigestFinal(digest, &text, NULL, 1);
	return text;
}

/* Each round has other digests: all records are made again, and the old ones dropped. */
static char *desired_set(int round)
{
	char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);

	fprintf(to, "protocol=1\nrecords=%d\n\n", N_MODULES);
	for (int i = 0; i < N_MODULES; i++) {
		char *sha256 = digest_of(i);

		fprintf(to,
			"record=kmod-m%d-" RELEASE "\nmodule=m%d\nversion=1\n"
			"kernel=" RELEASE "\narch=x86_64\ndigest=%08d%d\nfingerprint=\n"
			"file=/lib/modules/" RELEASE "/extra/m%d.ko %s %d 644\n",
			i, i, round, i, i, sha256, FILE_BYTES);
		for (int j = 0; j < 20; j++)
			fprintf(to, "provides=modalias(pci:v%08Xd%08X*)\n", i, j);
		fputs("\n", to);
		free(sha256);
	}
	fclose(to);
	return text;
}

static void on_complaint(const char *line, void *data)
{
	die(line);
}

static double reconcile(rpmts ts, const struct ks_tree_root *tree, const char *text)
{
	struct ks_reconcile options = {.ts = ts, .tree = tree, .complain = on_complaint};
	struct ks_reconciled result;
	struct ks_record_set set;
	struct ks_why why;
	double begun = now_ms(CLOCK_MONOTONIC);

	if (!ks_record_set_read(text, strlen(text), "set", &set, &why) ||
	    !ks_reconcile(&options, &set, &result, &why))
		die(why.text);
	ks_record_set_clear(&set);
	return now_ms(CLOCK_MONOTONIC) - begun;
}

static void make_tree(const char *dir)
{
	static const char *const dirs[] = {"/lib", "/lib/modules",
					   "/lib/modules/" RELEASE,
					   "/lib/modules/" RELEASE "/extra"};
	char path[4096];

	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		snprintf(path, sizeof(path), "%s%s", dir, dirs[i]);
		if (mkdir(path, 0755) != 0)
			die("the scratch directory is not empty");
	}
	for (int i = 0; i < N_MODULES; i++)
		make_file(dir, i);
}

/*
 * As the plugin finds it at the end of a transaction: the database is open, and its
 * lock held. Every round is of a database without records.
 */
static void measure_record(const char *dir)
{
	struct ks_tree_root tree;
	struct ks_why why;

	make_tree(dir);
	if (!ks_tree_open(&tree, dir, &why))
		die(why.text);
	for (int round = 0; round < ROUNDS; round++) {
		char database[64];
		char *text = desired_set(round);
		rpmts ts;
		rpmtxn txn;

		snprintf(database, sizeof(database), "/rpmdb-%d", round);
		rpmPushMacro(NULL, "_dbpath", NULL, database, 0);
		ts = rpmtsCreate();
		rpmtsSetRootDir(ts, dir);
		txn = rpmtxnBegin(ts, RPMTXN_WRITE);
		if (!txn || rpmtsOpenDB(ts, O_RDWR | O_CREAT) != 0)
			die("cannot open a database");
		printf("record_ms %.3f\n", reconcile(ts, &tree, text));
		printf("again_ms %.3f\n", reconcile(ts, &tree, text));
		rpmtxnEnd(txn);
		rpmtsFree(ts);
		rpmPopMacro(NULL, "_dbpath");
		free(text);
	}
	ks_tree_close(&tree);
}

int main(int argc, char **argv)
{
	if (argc != 3)
		die("usage: rpm-cost PLUGIN DIR");
	if (rpmReadConfigFiles(NULL, NULL) != 0)
		die("cannot read rpm's configuration");
	measure_unrelated(argv[1]);
	measure_record(argv[2]);
	return 0;
}
