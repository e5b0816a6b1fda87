/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_state: bytes as state.json. What is read from it and written back reads the same, and what
 * cannot be read is set aside and not obeyed. The first @boot@ stands for the running boot's id,
 * without which no sysctl is read.
 */
#include "daemon/store.h"
#include "lib/own.h"
#include "world.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-id128.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char placeholder[] = "@boot@";

static void put(const char *path, const uint8_t *data, size_t size)
{
	constexpr size_t len = sizeof(placeholder) - 1;
	const uint8_t *at = memmem(data, size, placeholder, len);
	size_t head = at ? (size_t)(at - data) : size;
	char boot[SD_ID128_STRING_MAX] = "";
	sd_id128_t id;
	FILE *out = fopen(path, "we");

	if (!out || sd_id128_get_boot(&id) < 0)
		abort();
	fwrite(data, 1, head, out);
	if (at) {
		fputs(sd_id128_to_string(id, boot), out);
		fwrite(at + len, 1, size - head - len, out);
	}
	if (fclose(out) != 0)
		abort();
}

static void load(struct store *store, struct state *out)
{
	struct err err = {};
	if (store_load(store, out, &err) < 0)
		abort();
}

static bool same_frr(const struct frr_memory *a, const struct frr_memory *b)
{
	return a->touched == b->touched && a->router == b->router && a->bfd == b->bfd &&
	       a->n_begun == b->n_begun &&
	       !memcmp(a->begun, b->begun, a->n_begun * sizeof(*a->begun));
}

static bool is_same(const struct state *a, const struct state *b)
{
	size_t bytes = a->records.n * sizeof(*a->records.list);
	return same_frr(&a->frr, &b->frr) && a->down == b->down && a->down_since == b->down_since &&
	       a->applying == b->applying && a->pending == b->pending &&
	       a->rolled_back == b->rolled_back && a->undone == b->undone &&
	       a->records.n == b->records.n &&
	       (!bytes || !memcmp(a->records.list, b->records.list, bytes));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world w;
	struct state first = {}, second = {};
	struct err err = {};
	char path[sizeof(w.state_dir) + 16];

	world_init(&w, world_host);
	snprintf(path, sizeof(path), "%s/state.json", w.state_dir);
	put(path, data, size);
	load(w.store, &first);
	if (access(path, F_OK) < 0)
		assert(!first.down && !first.applying && !first.pending && !first.records.n);
	if (store_save(w.store, &first, &err) < 0)
		abort();
	load(w.store, &second);
	assert(is_same(&first, &second));
	state_clear(&first);
	state_clear(&second);
	world_clear(&w);
	return 0;
}
