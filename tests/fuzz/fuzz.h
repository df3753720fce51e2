/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What libFuzzer calls with each input. An entry aborts when a promise of the
 * parser does not hold; returns 0 otherwise.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
