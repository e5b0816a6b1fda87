/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * json_make: what replies and the workers' sections of the configuration are made of, besides
 * sd_json_buildo(). Out of memory is all that can go wrong here, and ends the program.
 */
#include "conf/config.h"
#include "lib/ip.h"
#include "lib/json.h"
#include "lib/xmalloc.h"

/* An object of the pairs into out, which is nullptr before. */
#define JSON_OBJECT(out, ...)                                \
	do {                                                 \
		if (sd_json_buildo(&(out), __VA_ARGS__) < 0) \
			out_of_memory();                     \
	} while (0)

/* An empty array; a new reference. */
sd_json_variant *json_array(void);
void json_append_text(sd_json_variant **array, const char *text);
void json_append_prefix(sd_json_variant **array, const struct prefix *p);
/* Arrays of prefixes; new references. */
sd_json_variant *json_prefixes(const struct prefix *list, size_t n);
sd_json_variant *json_sources(const struct config_source *list, size_t n);
/* A text that is not shown when it is dumped, and wiped when it is freed; nullptr = "". */
sd_json_variant *json_secret(const char *text);
