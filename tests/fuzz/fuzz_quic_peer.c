/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A peer with a valid handshake that puts anything into streams and datagrams: HTTP/3 frames,
 * fields, settings, HTTP datagrams. In both roles.
 */
#include <string.h>

#include "quic_fuzz.h"
#include "quic_rude.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static struct rude *rude;
static int64_t ids[RUDE_STREAMS];
static size_t n_ids;

static size_t take(struct fuzz_input *in, uint8_t *bytes, size_t most)
{
	size_t n = fuzz_byte(in) % most;

	n = n < in->n ? n : in->n;
	memcpy(bytes, in->bytes, n);
	in->bytes += n;
	in->n -= n;
	return n;
}

static void open(struct world *, struct fuzz_input *in)
{
	bool one_way = fuzz_byte(in) % 2;

	int64_t id = n_ids < 8 ? rude_open(rude, one_way) : -1;

	if (id >= 0)
		ids[n_ids++] = id;
}

static void write(struct world *, struct fuzz_input *in)
{
	uint8_t bytes[256];
	size_t which = fuzz_byte(in);
	bool fin = fuzz_byte(in) % 16 == 0;
	size_t n = take(in, bytes, sizeof(bytes));

	if (n_ids)
		rude_try(rude, ids[which % n_ids], bytes, n, fin);
}

static void datagram(struct world *, struct fuzz_input *in)
{
	uint8_t bytes[256];
	size_t n = take(in, bytes, sizeof(bytes));

	rude_datagram(rude, bytes, n);
}

static void pass_time(struct world *w, struct fuzz_input *in)
{
	world_run(w, fuzz_byte(in) * MS);
}

static void act(struct world *w, struct fuzz_input *in)
{
	fuzz_act(w->client.endpoint ? &w->client : &w->server, in);
}

static void steps(struct world *w, struct fuzz_input *in)
{
	static void (*const table[])(struct world *, struct fuzz_input *) = {
		open,
		write,
		write,
		datagram,
		pass_time,
		act,
	};
	uint64_t code;

	for (int i = 0; in->n && i < 200 && !rude_closed(rude, &code); i++)
		table[fuzz_byte(in) % (sizeof(table) / sizeof(*table))](w, in);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct fuzz_input in = {.bytes = data, .n = n < 4096 ? n : 4096};
	bool server = fuzz_byte(&in) % 2;
	struct world *w = fuzz_world();

	n_ids = 0;
	world_start(w);
	rude = rude_new(server ? &w->server : &w->client, server, 65'535);
	if (server)
		world_dial(w);
	world_run(w, 200 * MS);
	if (rude_established(rude))
		steps(w, &in);
	world_run(w, SECOND);
	rude_free(rude);
	world_free(w);
	return 0;
}
