/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One module file read with libkmod, and a set of them checked against a
 * kernel. Runs only inside the inspect worker: the files are hostile.
 */
#pragma once

#include "core/module/symvers.h"
#include "core/support/contract.h"

struct ks_kmod_symbol {
	char *name;
	guint32 crc; /* 0: none */
	bool weak;
};

struct ks_examined {
	char *vermagic, *version, *srcversion, *license;
	GPtrArray *aliases;  /* char * */
	GPtrArray *depends;  /* char * */
	GArray *exports;     /* struct ks_kmod_symbol */
	GArray *imports;     /* struct ks_kmod_symbol */
	GPtrArray *gpl_only; /* const char *: imports for modules under the GPL only */
	char *problem;	     /* why it cannot be loaded; NULL so far */
	GPtrArray *missing;  /* char *: "0xcrc name" of the imports that problem names */
	bool is_unresolved;  /* which is symbols that nothing exports, and no more */
};

/* What a module has to be; a member that is zero or NULL is not checked. */
struct ks_examine_wanted {
	char *release;
	char *arch; /* for messages */
	unsigned int machine, elf_class, elf_data;
	/* built for another release: every import has to have a CRC, and that one */
	bool weak;
};

struct ks_examined *ks_examined_new(void);
void ks_examined_free(struct ks_examined *examined);
KS_DEFINE_CLEANUP(ks_examined, ks_examined_free)

/*
 * Read the file at fd, compressed or not. Anything wrong with the file itself
 * becomes its problem; false with an error only when it could not be looked at.
 */
KS_MUST_CHECK
bool ks_examine(int fd, const struct ks_examine_wanted *wanted,
		struct ks_examined *examined, GError **error);

/*
 * Check vermagic and imports of each (struct ks_examined); tables are struct
 * ks_symvers, the kernel's own last. With no tables symbols are not checked.
 */
void ks_examine_check(GPtrArray *set, GPtrArray *tables,
		      const struct ks_examine_wanted *wanted);
