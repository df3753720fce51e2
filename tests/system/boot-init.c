// SPDX-License-Identifier: GPL-2.0-or-later
// The first process of the boot test: loads every module of /modules into the kernel that
// has just been upgraded to, says on the console how that went, and ends the machine.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

static void load(const char *name)
{
	char path[300];
	int fd;

	snprintf(path, sizeof(path), "/modules/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || syscall(SYS_finit_module, fd, "", 0) != 0)
		printf("BOOT: cannot load %s: %s\n", name, strerror(errno));
	else
		printf("BOOT: loaded %s\n", name);
}

static void print_modules(void)
{
	char line[256];
	FILE *file = fopen("/proc/modules", "re");

	while (file && fgets(line, sizeof(line), file))
		printf("BOOT: live %s", line);
	if (file)
		fclose(file);
}

int main(void)
{
	struct utsname uts;
	struct dirent *entry;
	DIR *dir;

	uname(&uts);
	printf("BOOT: running %s\n", uts.release);
	mount("proc", "/proc", "proc", 0, NULL);
	dir = opendir("/modules");
	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			load(entry->d_name);
	print_modules();
	printf("BOOT: end\n");
	fflush(stdout);
	sync();
	reboot(RB_AUTOBOOT);
	return 1;
}
