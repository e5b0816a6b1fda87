/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * config_read: the means to read a configuration from JSON. Private to this room.
 *
 * An object is read by a table of its keys: unknown and repeated keys are refused, a missing one
 * leaves the default that is in place. A reader function checks one value and writes it to its
 * slot; the message of a refusal begins with the path of the value and never quotes a secret.
 */
#include "route/config.h"
#include <stdatomic.h>

/* A configuration that is being made, and all memory that belongs to it. */
struct store {
	struct bridge_config config;
	atomic_uint refs;
	struct store_block *blocks;
};
/* n zeroed elements that live as long as the configuration, and are wiped when it goes. */
[[nodiscard, gnu::returns_nonnull]] void *store_keep(struct store *s, size_t n, size_t size);
[[nodiscard, gnu::returns_nonnull]] char *store_text(struct store *s, const char *text);
[[nodiscard, gnu::returns_nonnull, gnu::format(printf, 2, 3)]] char *store_printf(
	struct store *s, const char *fmt, ...);
void store_free(struct store *s);

struct reader {
	struct store *store;
	struct err *err;
	char path[160]; /* "bridge.routes[0].host" */
};

/* -EINVAL, with the path in front. */
[[gnu::format(printf, 2, 3)]] int reader_refuse(struct reader *r, const char *fmt, ...);

struct key;
typedef int key_reader(struct reader *r, const struct key *key, sd_json_variant *v, void *slot);

struct key {
	const char *name;
	key_reader *read;
	size_t offset;     /* of the slot in what is read */
	uint64_t min, max; /* of a number, of a text's length, of a list's */
	bool (*valid)(const char *text);
	const char *expects; /* in words, "a name without blanks" */
	size_t count;        /* of a list: where its length goes */
	size_t size;         /* of a list: of an element */
	key_reader *each;    /* of a list */
};

[[nodiscard]] int read_object(
	struct reader *r, const struct key *keys, size_t n, sd_json_variant *v, void *into);

/* Of one value: uint32_t, uint64_t, bool, const char *, and a list: a pointer at offset and its
 * length at count. The list's slot is the struct that has both. */
key_reader read_u32, read_u64, read_bool, read_text, read_list;
