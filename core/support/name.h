/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names that become part of paths, of package names and of command lines that a shell
 * reads: of modules, versions, kernel releases and architectures.
 */
#pragma once

#include <stdbool.h>

/*
 * Is text plain in all of these places? Letters, digits and "._+~:@=,%^-" only, no ".." in
 * it, no '.' or '-' at its beginning, neither empty nor longer than 128 bytes.
 */
bool ks_name_is_plain(const char *text);
