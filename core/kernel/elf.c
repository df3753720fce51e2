/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fields are fetched one by one: both sizes and both byte orders occur. */
#include "core/kernel/elf.h"

#include <elf.h>
#include <stddef.h>
#include <string.h>

/* Linkers put the program headers and the loader's name at the beginning. */
#define HEAD_BYTES  4096
#define MAX_HEADERS 64

struct head {
	char *bytes; /* HEAD_BYTES of them */
	bool is_wide, is_big;
};

static guint64 fetch(const struct head *head, guint64 offset, guint n_bytes)
{
	guint64 value = 0;

	if (offset > HEAD_BYTES - n_bytes)
		return 0;
	for (guint i = 0; i < n_bytes; i++) {
		const guint from = head->is_big ? i : n_bytes - 1 - i;

		value = value << 8 | (guint8)head->bytes[offset + from];
	}
	return value;
}

/* A field of either size of a header that begins at base. */
#define FETCH(head, base, Header, field)                                                 \
	((head)->is_wide ? fetch(head, (base) + offsetof(Elf64_##Header, field),         \
				 sizeof(((Elf64_##Header *)NULL)->field))                \
			 : fetch(head, (base) + offsetof(Elf32_##Header, field),         \
				 sizeof(((Elf32_##Header *)NULL)->field)))

static bool read_head(const struct ks_system *system, const char *path, struct head *head)
{
	head->bytes = ks_root_read_head(system->root, path, HEAD_BYTES);
	if (!head->bytes || memcmp(head->bytes, ELFMAG, SELFMAG) != 0) {
		g_clear_pointer(&head->bytes, g_free);
		return false;
	}
	head->is_wide = head->bytes[EI_CLASS] == ELFCLASS64;
	head->is_big = head->bytes[EI_DATA] == ELFDATA2MSB;
	return true;
}

const struct ks_arch *ks_elf_arch(const struct ks_system *system, const char *path)
{
	struct ks_arch_elf elf;
	struct head head;

	if (!read_head(system, path, &head))
		return NULL;
	elf = (struct ks_arch_elf){
		.machine = (unsigned int)FETCH(&head, 0, Ehdr, e_machine),
		.class = (unsigned char)head.bytes[EI_CLASS],
		.data = (unsigned char)head.bytes[EI_DATA],
	};
	g_free(head.bytes);
	return ks_arch_find_elf(&elf);
}

static char *read_interpreter(const struct head *head)
{
	const guint64 first = FETCH(head, 0, Ehdr, e_phoff);
	const guint64 size = FETCH(head, 0, Ehdr, e_phentsize);
	const guint64 n = FETCH(head, 0, Ehdr, e_phnum);

	for (guint64 i = 0; i < MIN(n, MAX_HEADERS); i++) {
		const guint64 at = first + i * size;
		const guint64 offset = FETCH(head, at, Phdr, p_offset);

		if (FETCH(head, at, Phdr, p_type) == PT_INTERP)
			return offset < HEAD_BYTES && head->bytes[offset] == '/'
				       ? g_strdup(head->bytes + offset)
				       : NULL;
	}
	return NULL;
}

char *ks_elf_interpreter(const struct ks_system *system, const char *path)
{
	struct head head;
	char *name;

	if (!read_head(system, path, &head))
		return NULL;
	name = read_interpreter(&head);
	g_free(head.bytes);
	return name;
}
