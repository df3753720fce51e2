/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sections, strings and relocations of an object. */
#include "core/build/objects-elf.h"

#include <elf.h>
#include <string.h>

#define MAX_SECTIONS 65000

struct object {
	guint8 *data;
	size_t size;
	Elf64_Shdr *sections; /* a copy, aligned */
	guint n_sections;
	guint lines; /* .debug_line_str, or 0 */
};

static void object_clear(struct object *object)
{
	g_clear_pointer(&object->sections, g_free);
}

static bool is_inside(const struct object *object, guint64 offset, guint64 size)
{
	return offset <= object->size && size <= object->size - offset;
}

static const Elf64_Shdr *get_section(const struct object *object, guint index,
				     guint32 type)
{
	const Elf64_Shdr *section =
		index < object->n_sections ? &object->sections[index] : NULL;

	if (!section || section->sh_type != type ||
	    !is_inside(object, section->sh_offset, section->sh_size))
		return NULL;
	return section;
}

static const char *get_name(const struct object *object, const Elf64_Shdr *names,
			    guint index)
{
	guint32 offset = object->sections[index].sh_name;
	const char *text = (const char *)object->data + names->sh_offset;

	if (offset >= names->sh_size ||
	    !memchr(text + offset, '\0', names->sh_size - offset))
		return "";
	return text + offset;
}

/* False: not an object of the one kind that is known. */
static bool object_init(struct object *object, guint8 *data, size_t size)
{
	const Elf64_Shdr *names;
	Elf64_Ehdr header;

	*object = (struct object){.data = data, .size = size};
	if (size < sizeof(header))
		return false;
	memcpy(&header, data, sizeof(header));
	if (memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
	    header.e_ident[EI_CLASS] != ELFCLASS64 ||
	    header.e_ident[EI_DATA] != ELFDATA2LSB || header.e_type != ET_REL ||
	    header.e_machine != EM_X86_64 || header.e_shentsize != sizeof(Elf64_Shdr) ||
	    !header.e_shnum || header.e_shnum > MAX_SECTIONS ||
	    !is_inside(object, header.e_shoff, header.e_shnum * sizeof(Elf64_Shdr)))
		return false;
	object->n_sections = header.e_shnum;
	object->sections =
		g_memdup2(data + header.e_shoff, header.e_shnum * sizeof(Elf64_Shdr));
	names = get_section(object, header.e_shstrndx, SHT_STRTAB);
	for (guint i = 1; names && i < object->n_sections; i++) {
		const Elf64_Shdr *section = get_section(object, i, SHT_PROGBITS);

		if (strcmp(get_name(object, names, i), ".debug_line_str") != 0)
			continue;
		if (!section || object->lines || section->sh_flags & SHF_COMPRESSED ||
		    !section->sh_size || data[section->sh_offset + section->sh_size - 1])
			return false;
		object->lines = i;
	}
	return names != NULL;
}

static bool mentions(const guint8 *data, size_t size,
		     const struct ks_objects_scope *scope)
{
	for (const char *const *dir = scope->dirs; *dir; dir++)
		if (memmem(data, size, *dir, strlen(*dir)))
			return true;
	return memmem(data, size, scope->release, strlen(scope->release));
}

bool ks_objects_elf_is_plain(const guint8 *data, size_t size,
			     const struct ks_objects_scope *scope)
{
	struct object object;
	bool ok = object_init(&object, (guint8 *)data, size);

	if (ok && object.lines) {
		const Elf64_Shdr *lines = &object.sections[object.lines];
		size_t end = lines->sh_offset + lines->sh_size;

		ok = !mentions(data, lines->sh_offset, scope) &&
		     !mentions(data + end, size - end, scope);
	} else if (ok) {
		ok = !mentions(data, size, scope);
	}
	object_clear(&object);
	return ok;
}

static bool map_string(char *text, const struct ks_objects_scope *from,
		       const struct ks_objects_scope *to)
{
	for (guint i = 0; from->dirs[i]; i++) {
		if (!ks_objects_is_below(text, from->dirs[i], NULL))
			continue;
		if (strlen(from->dirs[i]) != strlen(to->dirs[i]))
			return false;
		memcpy(text, to->dirs[i], strlen(to->dirs[i]));
		break;
	}
	for (guint i = 0; from->dirs[i]; i++)
		if (strcmp(from->dirs[i], to->dirs[i]) && strstr(text, from->dirs[i]))
			return false;
	return !strstr(text, from->release);
}

/* Where a relocation leads, when that is into .debug_line_str. */
static bool find_addend(const struct object *object, const Elf64_Shdr *symbols,
			const Elf64_Rela *rela, bool *leads)
{
	guint64 index = ELF64_R_SYM(rela->r_info);
	Elf64_Sym symbol;

	*leads = false;
	if (index >= symbols->sh_size / sizeof(symbol))
		return false;
	memcpy(&symbol, object->data + symbols->sh_offset + index * sizeof(symbol),
	       sizeof(symbol));
	if (symbol.st_shndx != object->lines)
		return true;
	*leads = true;
	return ELF64_ST_TYPE(symbol.st_info) == STT_SECTION && symbol.st_value == 0;
}

/* The two strings have changed places: what leads to them follows. */
static bool turn_relocations(const struct object *object, const Elf64_Shdr *section,
			     size_t first, size_t second)
{
	const Elf64_Shdr *symbols = get_section(object, section->sh_link, SHT_SYMTAB);

	if (!symbols)
		return false;
	for (guint64 i = 0; i < section->sh_size / sizeof(Elf64_Rela); i++) {
		guint8 *place =
			object->data + section->sh_offset + i * sizeof(Elf64_Rela);
		Elf64_Rela rela;
		bool leads;

		memcpy(&rela, place, sizeof(rela));
		if (!find_addend(object, symbols, &rela, &leads))
			return false;
		if (!leads || rela.r_addend >= (gint64)(first + second))
			continue;
		if (rela.r_addend == 0)
			rela.r_addend = (gint64)second;
		else if (rela.r_addend == (gint64)first)
			rela.r_addend = 0;
		else
			return false;
		memcpy(place, &rela, sizeof(rela));
	}
	return true;
}

static bool turn(const struct object *object, char *text, size_t first, size_t second)
{
	g_autofree char *copy = g_memdup2(text, first);

	memmove(text, text + first, second);
	memcpy(text + second, copy, first);
	for (guint i = 1; i < object->n_sections; i++) {
		const Elf64_Shdr *section = &object->sections[i];

		if (section->sh_type == SHT_REL)
			return false;
		if (section->sh_type != SHT_RELA)
			continue;
		if (!get_section(object, i, SHT_RELA) ||
		    !turn_relocations(object, section, first, second))
			return false;
	}
	return true;
}

static bool map_lines(const struct object *object, const char *source, bool source_first,
		      const struct ks_objects_scope *from,
		      const struct ks_objects_scope *to)
{
	const Elf64_Shdr *lines = &object->sections[object->lines];
	char *text = (char *)object->data + lines->sh_offset;
	char *end = text + lines->sh_size;
	size_t first, second;
	bool was_first;

	for (char *p = text; p < end; p += strlen(p) + 1)
		if (!map_string(p, from, to))
			return false;
	first = strlen(text) + 1;
	if (text + first >= end)
		return false;
	second = strlen(text + first) + 1;
	was_first = strcmp(text, source) == 0;
	if (strcmp(was_first ? text : text + first, source) != 0 ||
	    strcmp(was_first ? text + first : text, to->dirs[0]) != 0)
		return false;
	return was_first == source_first || turn(object, text, first, second);
}

bool ks_objects_elf_map(guint8 *data, size_t size, const char *source, bool source_first,
			const struct ks_objects_scope *from,
			const struct ks_objects_scope *to)
{
	struct object object;
	bool ok = object_init(&object, data, size) &&
		  (!object.lines || map_lines(&object, source, source_first, from, to));

	object_clear(&object);
	return ok;
}

bool ks_objects_elf_read_order(const char *assembly, const char *directory,
			       const char *source, bool *source_first)
{
	const char *text = strstr(assembly, "\t.section\t.debug_line_str,");
	g_autofree char *a = g_strdup_printf("\t.string\t\"%s\"\n", directory);
	g_autofree char *b = g_strdup_printf("\t.string\t\"%s\"\n", source);
	const char *where_a = text ? strstr(text, a) : NULL;
	const char *where_b = text ? strstr(text, b) : NULL;
	guint n = 0;

	if (!where_a || !where_b || strpbrk(directory, "\"\\") || strpbrk(source, "\"\\"))
		return false;
	for (; (text = strstr(text, "\t.string\t")); text++)
		n++;
	*source_first = where_b < where_a;
	return n == 2;
}
