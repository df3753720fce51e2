/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libexec/kmodsmith/signer: alone with the key.
 *
 *	signer sign HASH KEY-FD CERTIFICATE-FD	module on stdin, what to append on stdout
 *	signer show CERTIFICATE-FD [KEY-FD]	facts on stdout (core/module/wire.h)
 *	signer new SUBJECT KEY-FD CERTIFICATE-FD
 *
 * Runs as whoever may open the key, never as a build does: a process of the
 * build's identity could look into another of the same. It leaves no core dump,
 * cannot be traced, and needs no privilege once its descriptors are open.
 */
#include "core/sign/signer-worker.h"

#include <errno.h>
#include <linux/capability.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool drop_privileges(void)
{
	static const struct rlimit none;
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[2];

	memset(data, 0, sizeof(data));
	return setrlimit(RLIMIT_CORE, &none) == 0 &&
	       prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       syscall(SYS_capset, &header, data) == 0 &&
	       /* last: a change of credentials sets it again */
	       prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0;
}

static int sign(const char *hash, int key_fd, int certificate_fd)
{
	X509 *certificate = ks_signer_read_certificate(certificate_fd);
	EVP_PKEY *key = certificate ? ks_signer_read_key(key_fd) : NULL;
	bool ok = key &&
		  ks_signer_sign(hash, key, certificate, STDIN_FILENO, STDOUT_FILENO);

	EVP_PKEY_free(key);
	X509_free(certificate);
	return ok ? 0 : 1;
}

static int show(int certificate_fd, int key_fd)
{
	X509 *certificate = ks_signer_read_certificate(certificate_fd);
	EVP_PKEY *key = certificate && key_fd >= 0 ? ks_signer_read_key(key_fd) : NULL;
	bool ok = certificate && (key || key_fd < 0) && ks_signer_show(certificate, key);

	EVP_PKEY_free(key);
	X509_free(certificate);
	return ok ? 0 : 1;
}

int main(int argc, char **argv)
{
	if (!drop_privileges()) {
		fprintf(stderr, "cannot drop privileges: %s\n", strerror(errno));
		return 1;
	}
	if (argc == 5 && !strcmp(argv[1], "sign"))
		return sign(argv[2], atoi(argv[3]), atoi(argv[4]));
	if ((argc == 3 || argc == 4) && !strcmp(argv[1], "show"))
		return show(atoi(argv[2]), argc == 4 ? atoi(argv[3]) : -1);
	if (argc == 5 && !strcmp(argv[1], "new"))
		return ks_signer_make_pair(argv[2], atoi(argv[3]), atoi(argv[4])) ? 0 : 1;
	fprintf(stderr, "usage: signer sign HASH KEY-FD CERTIFICATE-FD |"
			" show CERTIFICATE-FD [KEY-FD] |"
			" new SUBJECT KEY-FD CERTIFICATE-FD\n");
	return 2;
}
