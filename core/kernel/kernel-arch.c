/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The architecture of a kernel: its own, which need not be that of the machine. A 32-bit
 * system runs on a 64-bit kernel, and has kernels of both beside each other (Raspberry Pi
 * OS; i386 on amd64).
 */
#include <sys/utsname.h>

#include "core/kernel/arch.h"
#include "core/kernel/elf.h"
#include "core/kernel/kernel-private.h"

/* Of two symbols both have to be set. Which ones: arch/x/Kconfig. */
static const struct {
	const char *symbol, *and, *arch;
} configurations[] = {
	{"CONFIG_X86_64", NULL, "x86_64"},
	{"CONFIG_X86_32", NULL, "i686"},
	{"CONFIG_ARM64", "CONFIG_CPU_BIG_ENDIAN", "aarch64_be"},
	{"CONFIG_ARM64", NULL, "aarch64"},
	{"CONFIG_ARM", "CONFIG_CPU_V7", "armv7l"},
	{"CONFIG_ARM", "CONFIG_CPU_V6", "armv6l"},
	{"CONFIG_ARM", "CONFIG_CPU_V6K", "armv6l"},
	{"CONFIG_ARM", "CONFIG_CPU_32v5", "armv5tel"},
	{"CONFIG_ARM", NULL, "armv7l"},
	{"CONFIG_PPC64", "CONFIG_CPU_LITTLE_ENDIAN", "ppc64le"},
	{"CONFIG_PPC64", NULL, "ppc64"},
	{"CONFIG_PPC32", NULL, "ppc"},
	{"CONFIG_RISCV", "CONFIG_64BIT", "riscv64"},
	{"CONFIG_RISCV", NULL, "riscv32"},
	{"CONFIG_S390", NULL, "s390x"},
	{"CONFIG_LOONGARCH", NULL, "loongarch64"},
	{"CONFIG_MIPS", "CONFIG_64BIT", "mips64"},
	{"CONFIG_MIPS", NULL, "mips"},
	{"CONFIG_SPARC64", NULL, "sparc64"},
	{"CONFIG_PARISC", "CONFIG_64BIT", "parisc64"},
	{"CONFIG_PARISC", NULL, "parisc"},
	{"CONFIG_ALPHA", NULL, "alpha"},
	{"CONFIG_M68K", NULL, "m68k"},
	{"CONFIG_IA64", NULL, "ia64"},
	{"CONFIG_SUPERH", NULL, "sh4"},
};

static const char *ask_config(const struct ks_system *system,
			      const struct ks_kernel *kernel)
{
	g_autofree char *text = ks_kernel_config_read(system, kernel);

	for (guint i = 0; text && i < G_N_ELEMENTS(configurations); i++)
		if (ks_kernel_config_is_set(text, configurations[i].symbol) &&
		    (!configurations[i].and ||
		     ks_kernel_config_is_set(text, configurations[i].and)))
			return configurations[i].arch;
	return NULL;
}

/* Its UTS_MACHINE is uname -m, or the directory of the kernel's source. */
static const char *ask_headers(const struct ks_system *system,
			       const struct ks_kernel *kernel)
{
	g_autofree char *name =
		ks_kernel_read_define(system, kernel, "compile.h", "UTS_MACHINE");
	const struct ks_arch *arch = name ? ks_arch_find(name) : NULL;

	return arch ? arch->names[0] : NULL;
}

/* What is compressed is not an ELF file, and says nothing. */
static const char *ask_modules(const struct ks_system *system,
			       const struct ks_kernel *kernel)
{
	g_autofree char *path = ks_kernel_find_module(system, kernel);
	const struct ks_arch *arch = path ? ks_elf_arch(system, path) : NULL;

	return arch ? arch->names[0] : NULL;
}

/* That of the shell. Which loaders there are says less: several may be installed. */
static char *get_system_arch(const struct ks_system *system, const char *machine)
{
	const struct ks_arch *arch = ks_elf_arch(system, "/bin/sh");

	return g_strdup(arch && !ks_arch_is_same(arch->names[0], machine) ? arch->names[0]
									  : machine);
}

static char *get_machine(void)
{
	struct utsname name;

	return g_strdup(uname(&name) == 0 ? name.machine : "unknown");
}

char *ks_kernel_programs_arch(const struct ks_system *system)
{
	g_autofree char *machine = get_machine();

	return get_system_arch(system, machine);
}

char *ks_kernel_machine_arch(const struct ks_system *system)
{
	g_autofree char *machine = get_machine();
	g_autofree char *own = get_system_arch(system, machine);

	/* setarch(8) calls a machine by the name of its half */
	return g_strdup(ks_arch_can_run(machine, own) || ks_arch_can_run(own, machine)
				? machine
				: own);
}

/*
 * Of one architecture's names the machine's, as dkms has it. A 32-bit kernel beside a
 * 64-bit system has no program that it could boot with.
 */
void ks_kernel_probe_arch(const struct ks_system *system, struct ks_kernel *kernel)
{
	g_autofree char *machine = ks_kernel_machine_arch(system);
	g_autofree char *programs = ks_kernel_programs_arch(system);
	const char *own = ask_config(system, kernel);

	if (!own)
		own = ask_headers(system, kernel);
	if (!own)
		own = ask_modules(system, kernel);
	g_free(kernel->arch);
	kernel->arch = g_strdup(!own || ks_arch_is_same(own, machine) ? machine : own);
	kernel->is_foreign = !ks_arch_can_run(kernel->arch, programs);
}
