/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * print: the canonical YAML of a config. Defaults are written out, comments are not kept;
 * parsing the output gives a config that config_equal() accepts, and printing that gives the
 * same bytes.
 */
#include <stdio.h>

struct config;

/* 0, or -EIO when the stream reports an error. */
[[nodiscard]] int config_print(const struct config *config, FILE *out);
