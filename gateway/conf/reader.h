/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * reader: a YAML node into a struct, by a table.
 *
 * A mapping is described by a table of struct field, a list by the one field that each of its
 * elements is. The reader checks types, unknown, repeated and missing keys and control characters,
 * keeps the path for messages, and goes on after every mistake. A read function gets a node of a
 * type that its row allows, adds a mistake or writes `to`, and leaves `to` zero when the value was
 * no good: later checks skip what is zero.
 *
 * Here is no word about what the keys mean; that is schema.c.
 */
#include "conf/config.h"
#include <yaml.h>

struct arena;
struct diag_list;

struct reader {
	yaml_document_t *doc;
	struct arena *arena;
	struct diag_list *diags;
	char path[sizeof(((struct config_diag *)nullptr)->path)];
	const struct field *field; /* the one whose read function is called */
	bool over_limit;           /* some list was longer than allowed, its tail was not read */
};

enum { TEXT = 1, LIST = 2, MAPPING = 4 };

/* The offsets count from the struct that the mapping is read into, or from the list's element. */
struct field {
	const char *key; /* nullptr: the element of a list */
	bool required;
	unsigned type;       /* any of TEXT, LIST, MAPPING */
	const char *expects; /* completes "expected ..." */
	size_t offset;       /* of the value */

	/* How it is read: by the table for a MAPPING and a LIST that has one, else by read. */
	const struct mapping *mapping; /* its struct begins at offset */
	const struct list *list;       /* the pointer to the elements lies at offset, ... */
	size_t count;                  /* ... their number, a size_t, here */
	void (*read)(struct reader *r, const yaml_node_t *node, void *to);
	uint64_t min, max;         /* bounds, for the functions of value_number.h */
	const struct words *words; /* what there is to choose from, for those of value_word.h */

	/* Filled in by the way unless 0. */
	size_t mark; /* of a struct config_mark: where the value stands, even one of a wrong type */
	size_t given; /* of a bool: there is a value, of the right type */
};

constexpr size_t MAPPING_MAX_KEYS = 16;

struct mapping {
	const struct field *fields; /* at most MAPPING_MAX_KEYS */
	size_t n;
};
#define FIELDS(table) {(table), sizeof(table) / sizeof((table)[0])}

struct list {
	size_t size; /* of an element */
	size_t max;
	const char *what;     /* plural noun */
	const char *if_empty; /* advice; nullptr: it may be empty */
	const void *initial;  /* an element before it is read; nullptr: zeros */
	struct field element;
};

/* Reads the node as the field says, into the struct at base. */
void reader_value(struct reader *r, const struct field *field, const yaml_node_t *node, void *base);
/* The elements, in the arena, and their number; nullptr and 0 for an empty list. */
void *reader_list(struct reader *r, const struct list *list, const yaml_node_t *node, size_t *n);

/* A mapping whose keys are free, as a list: each key is read as the field says, then its value as
 * the element of the list. */
void *reader_pairs(struct reader *r, const struct list *list, const struct field *key,
	const yaml_node_t *node, size_t *n);

struct config_mark reader_mark(const yaml_node_t *node);
/* The text of a scalar, free of control characters once reader_value() has seen it. */
const char *reader_text(const yaml_node_t *node);

/* A sentence about the node, at its position and the current path. */
#define MISTAKE(r, node, ...) diag_add((r)->diags, reader_mark(node), (r)->path, __VA_ARGS__)

/* For quoting what was written: escaped, shortened. */
struct shown {
	char text[64];
};
struct shown reader_shown(const yaml_node_t *node);
