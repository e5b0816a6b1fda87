/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * reply_field: what the tables of fields in reply*.c are made of. A field that may be absent may
 * also be null.
 */
#include "cli/reply.h"

#define TEXT(type, name, member)                                                              \
	{name, SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string, offsetof(type, member), \
		SD_JSON_MANDATORY}
#define TEXT_OR_NULL(type, name, member)                                                      \
	{name, SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string, offsetof(type, member), \
		SD_JSON_NULLABLE}
#define NUMBER(type, name, member)                                                        \
	{name, SD_JSON_VARIANT_UNSIGNED, sd_json_dispatch_uint64, offsetof(type, member), \
		SD_JSON_MANDATORY}
#define NUMBER_OR_NULL(type, name, member)                                             \
	{name, SD_JSON_VARIANT_UNSIGNED, reply_number_or_null, offsetof(type, member), \
		SD_JSON_NULLABLE}
#define TRUTH(type, name, member)                                                         \
	{name, SD_JSON_VARIANT_BOOLEAN, sd_json_dispatch_stdbool, offsetof(type, member), \
		SD_JSON_MANDATORY}
#define TRUTH_OR_NULL(type, name, member)                                                 \
	{name, SD_JSON_VARIANT_BOOLEAN, sd_json_dispatch_stdbool, offsetof(type, member), \
		SD_JSON_NULLABLE}

/* Leaves a number as it is that is null. */
int reply_number_or_null(
	const char *name, sd_json_variant *v, sd_json_dispatch_flags_t flags, void *to);

/* An array of objects as items of this size, in place of what *out has. 0 or -errno. */
[[nodiscard]] int reply_list_read(sd_json_variant *array, const sd_json_dispatch_field *fields,
	size_t size, struct list *out);
