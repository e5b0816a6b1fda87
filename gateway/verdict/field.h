/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * field: plain structs as JSON objects, by one table for writing, reading and "not told".
 *
 * A table describes members by type, place and size, and ends with an empty row. What is not told
 * (an empty text, no address, -1 where the row says so) is left out of the object, and what an
 * object leaves out is read as not told. Texts may hold any bytes; JSON cannot, so a byte that is
 * no UTF-8 is written as "?".
 *
 * Reading is strict: a wrong type, a text or number that does not fit, an unknown name or a missing
 * one of a closed list is an error. Keys that are not in the table mean nothing.
 */
#include "lib/err.h"
#include "lib/ip.h"
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-json.h>

enum field_type {
	FIELD_BOOL,
	FIELD_INT,    /* int64_t */
	FIELD_UINT,   /* unsigned of any size */
	FIELD_NAMED,  /* unsigned of any size, one of a list of names */
	FIELD_TEXT,   /* array of char */
	FIELD_ADDR,   /* any address, also those that addr_parse() refuses */
	FIELD_PREFIX, /* likewise, with or without host bits */
};

struct field {
	const char *name;
	enum field_type type;
	bool untold; /* FIELD_INT: -1 means "not told", and is what it begins with */
	size_t offset, size;
	const char *const *names; /* by value; nullptr where there is none */
	size_t n_names;
};

#define FIELD_TYPE_OF(expr)              \
	_Generic((expr),                 \
		bool: FIELD_BOOL,        \
		int64_t: FIELD_INT,      \
		uint64_t: FIELD_UINT,    \
		uint16_t: FIELD_UINT,    \
		char *: FIELD_TEXT,      \
		struct addr: FIELD_ADDR, \
		struct prefix: FIELD_PREFIX)

#define FIELD_AT(s, member) .offset = offsetof(s, member), .size = sizeof(((s *)nullptr)->member)

/* One member of struct s. */
#define FIELD(s, key, member) \
	{.name = (key), .type = FIELD_TYPE_OF(((s *)nullptr)->member), FIELD_AT(s, member)}
/* An int64_t that begins with -1. */
#define FIELD_OR_NONE(s, key, member)                          \
	{.name = (key),                                        \
		.type = FIELD_TYPE_OF(((s *)nullptr)->member), \
		.untold = true,                                \
		FIELD_AT(s, member)}
/* One of the array `list` of names. */
#define FIELD_ONE_OF(s, key, member, list) \
	{.name = (key),                    \
		.type = FIELD_NAMED,       \
		FIELD_AT(s, member),       \
		.names = (list),           \
		.n_names = sizeof(list) / sizeof((list)[0])}

/* Writes "not told" into every member of the table. */
void fields_init(const struct field *table, void *base);

/* The value as text, for a sentence or a command; nullptr when it is not told. */
constexpr size_t FIELD_STRLEN = 512;
const char *field_str(const struct field *field, const void *base, char buf[static FIELD_STRLEN]);
/* The row of this name, or nullptr. */
const struct field *field_find(const struct field *table, const char *name);

/* Appends to the object *v, which may be nullptr: a new one. -EINVAL for a value without a name. */
[[nodiscard]] int fields_to_json(const struct field *table, const void *base, sd_json_variant **v);
/* base is to be initialised; it is worth nothing after a failure. */
[[nodiscard]] int fields_from_json(
	const struct field *table, sd_json_variant *v, void *base, struct err *err);
