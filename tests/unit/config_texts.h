/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * config_texts: configurations of tests, which must be right, or must differ.
 */
#include "conf/config.h"

/* Fails the test on a mistake; config_free(). */
struct config *config_text(const char *text);
/* Each is equal to itself and to no other one. */
void config_texts_differ(const char *const *texts, size_t n);
