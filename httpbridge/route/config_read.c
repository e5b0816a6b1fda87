/* SPDX-License-Identifier: Apache-2.0 */
#include "route/config_read.h"
#include "lib/xmalloc.h"
#include <assert.h>
#include <errno.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct store_block {
	struct store_block *next;
	size_t size;
	alignas(max_align_t) unsigned char bytes[];
};

void *store_keep(struct store *s, size_t n, size_t size)
{
	struct store_block *b = xcalloc(1, sizeof(*b) + n * size);

	b->next = s->blocks;
	b->size = n * size;
	s->blocks = b;
	return b->bytes;
}

char *store_text(struct store *s, const char *text)
{
	size_t len = strlen(text);

	return memcpy(store_keep(s, len + 1, 1), text, len);
}

char *store_printf(struct store *s, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	char *made = xvasprintf(fmt, ap, nullptr);
	va_end(ap);
	char *kept = store_text(s, made);
	free(made);
	return kept;
}

void store_free(struct store *s)
{
	for (struct store_block *b = s->blocks, *next; b; b = next) {
		next = b->next;
		explicit_bzero(b->bytes, b->size);
		free(b);
	}
	free(s);
}

int reader_refuse(struct reader *r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	char *text = xvasprintf(fmt, ap, nullptr);
	va_end(ap);
	err_set(r->err, EINVAL, "%s: %s", r->path, text);
	free(text);
	return -EINVAL;
}

/* Adds a part to the path; a very long one is cut in the message. Returns where the part begins. */
[[gnu::format(printf, 2, 3)]] static size_t path_enter(struct reader *r, const char *fmt, ...)
{
	size_t at = strlen(r->path);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(r->path + at, sizeof(r->path) - at, fmt, ap);
	va_end(ap);
	return at;
}

static const struct key *key_find(const struct key *keys, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(keys[i].name, name) == 0)
			return &keys[i];
	return nullptr;
}

int read_object(struct reader *r, const struct key *keys, size_t n, sd_json_variant *v, void *into)
{
	uint64_t seen = 0;

	assert(n <= 64);
	if (!sd_json_variant_is_object(v))
		return reader_refuse(r, "not an object");
	for (size_t i = 0; i + 1 < sd_json_variant_elements(v); i += 2) {
		const char *name = sd_json_variant_string(sd_json_variant_by_index(v, i));
		const struct key *key = key_find(keys, n, name);
		if (!key)
			return reader_refuse(r, "unknown key \"%.40s\"", name);
		uint64_t bit = UINT64_C(1) << (key - keys);
		if (seen & bit)
			return reader_refuse(r, "%s is there twice", name);
		seen |= bit;

		size_t at = path_enter(r, ".%s", name);
		int e = key->read(
			r, key, sd_json_variant_by_index(v, i + 1), (char *)into + key->offset);
		if (e < 0)
			return e;
		r->path[at] = '\0';
	}
	return 0;
}

int read_u64(struct reader *r, const struct key *key, sd_json_variant *v, void *slot)
{
	if (!sd_json_variant_is_unsigned(v))
		return reader_refuse(r, "not a number");
	uint64_t n = sd_json_variant_unsigned(v);
	if (n < key->min || n > key->max)
		return reader_refuse(
			r, "not between %ju and %ju", (uintmax_t)key->min, (uintmax_t)key->max);
	memcpy(slot, &n, sizeof(n));
	return 0;
}

int read_u32(struct reader *r, const struct key *key, sd_json_variant *v, void *slot)
{
	uint64_t wide;

	assert(key->max <= UINT32_MAX);
	int e = read_u64(r, key, v, &wide);
	if (e < 0)
		return e;
	memcpy(slot, &(uint32_t){(uint32_t)wide}, sizeof(uint32_t));
	return 0;
}

int read_bool(struct reader *r, const struct key *, sd_json_variant *v, void *slot)
{
	if (!sd_json_variant_is_boolean(v))
		return reader_refuse(r, "not a boolean");
	*(bool *)slot = sd_json_variant_boolean(v);
	return 0;
}

int read_text(struct reader *r, const struct key *key, sd_json_variant *v, void *slot)
{
	if (!sd_json_variant_is_string(v))
		return reader_refuse(r, "not a string");
	const char *text = sd_json_variant_string(v);
	size_t len = strlen(text);
	if (len < key->min || len > key->max)
		return reader_refuse(r, "not between %ju and %ju bytes long", (uintmax_t)key->min,
			(uintmax_t)key->max);
	if (!key->valid(text))
		return reader_refuse(r, "not %s", key->expects);
	const char *kept = store_text(r->store, text);
	memcpy(slot, &kept, sizeof(kept));
	return 0;
}

int read_list(struct reader *r, const struct key *key, sd_json_variant *v, void *slot)
{
	if (!sd_json_variant_is_array(v))
		return reader_refuse(r, "not an array");
	size_t n = sd_json_variant_elements(v);
	if (n < key->min || n > key->max)
		return reader_refuse(r, "not between %ju and %ju elements", (uintmax_t)key->min,
			(uintmax_t)key->max);

	char *list = store_keep(r->store, n, key->size);
	for (size_t i = 0; i < n; i++) {
		size_t at = path_enter(r, "[%zu]", i);
		int e = key->each(r, key, sd_json_variant_by_index(v, i), list + i * key->size);
		if (e < 0)
			return e;
		r->path[at] = '\0';
	}
	memcpy(slot, &list, sizeof(list));
	memcpy((char *)slot - key->offset + key->count, &n, sizeof(n));
	return 0;
}
