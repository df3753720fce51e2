/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The only thing in an object that tells where the kernel's headers were: the
 * paths of its debug information. They end in the module's build ID, although
 * they are stripped from it, so they have to be as the compiler would write them.
 *
 * gcc writes two strings into .debug_line_str, the directory it ran in and the
 * source's name, in an order that depends on both; the assembler adds its own
 * paths behind. x86-64 and its relocations only. The object is what a build left:
 * everything is checked against its size.
 */
#pragma once

#include "core/build/objects-command.h"

/*
 * True when nothing but .debug_line_str mentions the kernel: its release or one of its
 * directories.
 */
bool ks_objects_elf_is_plain(const guint8 *data, size_t size,
			     const struct ks_objects_scope *scope);

/*
 * Put the directories of one kernel, whose paths are as long, in the place of the
 * other's, in memory. source_first says in which order gcc writes the two strings
 * now. False, and data is of no use then, when anything is not as it should be.
 */
bool ks_objects_elf_map(guint8 *data, size_t size, const char *source, bool source_first,
			const struct ks_objects_scope *from,
			const struct ks_objects_scope *to);

/*
 * The same order in what "gcc -S" printed. False when it has not exactly these two
 * strings.
 */
bool ks_objects_elf_read_order(const char *assembly, const char *directory,
			       const char *source, bool *source_first);
