/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Three files and one line of a configuration. */
#include "core/sign/enforce.h"

#include <string.h>
#include <unistd.h>

#define SIG_ENFORCE "/sys/module/module/parameters/sig_enforce"
#define LOCKDOWN    "/sys/kernel/security/lockdown"
#define SECURE_BOOT                                                                      \
	"/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"

/* Files of sysfs and efivarfs; their sizes say nothing. */
static ssize_t read_head(const struct ks_system *system, const char *path, char *buffer,
			 size_t size)
{
	ks_autofd int fd =
		ks_root_openat(system->root, path, O_RDONLY | O_NONBLOCK, 0, NULL);

	return fd < 0 ? -1 : read(fd, buffer, size);
}

static bool is_sig_enforced(const struct ks_system *system)
{
	char value = 'N';

	return read_head(system, SIG_ENFORCE, &value, 1) == 1 && value == 'Y';
}

/* "none [integrity] confidentiality" */
static bool is_locked_down(const struct ks_system *system)
{
	char text[128] = "";

	return read_head(system, LOCKDOWN, text, sizeof(text) - 1) > 0 &&
	       (strstr(text, "[integrity]") || strstr(text, "[confidentiality]"));
}

static bool is_secure_boot(const struct ks_system *system)
{
	char variable[5];

	return read_head(system, SECURE_BOOT, variable, sizeof(variable)) == 5 &&
	       variable[4] == 1;
}

const char *ks_sign_enforced_by(const struct ks_system *system, struct ks_kernel *kernel)
{
	if (is_sig_enforced(system))
		return "module.sig_enforce";
	if (is_locked_down(system))
		return "lockdown";
	if (is_secure_boot(system))
		return "Secure Boot";
	if (g_strcmp0(ks_kernel_config_get(system, kernel, "CONFIG_MODULE_SIG_FORCE"),
		      "y") == 0)
		return "CONFIG_MODULE_SIG_FORCE";
	return NULL;
}
