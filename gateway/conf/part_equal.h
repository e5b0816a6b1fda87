/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * part_equal: do parts that several sections have mean the same? Marks are not compared.
 */
#include "conf/config_bridge.h"

/* Either may be nullptr. */
bool text_equal(const char *a, const char *b);
bool texts_equal(const struct config_text *a, size_t n_a, const struct config_text *b, size_t n_b);
bool sources_equal(
	const struct config_source *a, size_t n_a, const struct config_source *b, size_t n_b);
bool listens_equal(
	const struct config_listen *a, size_t n_a, const struct config_listen *b, size_t n_b);
