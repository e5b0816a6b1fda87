/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Datagrams from anywhere: both endpoints of a world get what the input says, beside packets of
 * their own that are lost, doubled, changed and sent again from elsewhere. Time goes on in between,
 * owners do at any moment what they may, and callbacks of the library fail. Randomness comes from a
 * generator with a fixed seed, so that an input does the same each time.
 */
#include <stdlib.h>
#include <string.h>

#include "quic_failing.h"
#include "quic_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static struct {
	size_t n;
	struct world_side *to;
	uint8_t bytes[1500];
} seen;

static void remember(struct world *w, const struct world_side *from, const struct quic_run *one)
{
	if (one->length > sizeof(seen.bytes))
		return;
	seen.to = from == &w->client ? &w->server : &w->client;
	seen.n = one->length;
	memcpy(seen.bytes, one->bytes, one->length);
}

static void inject(struct world *w, struct fuzz_input *in)
{
	struct world_side *to = fuzz_byte(in) % 2 ? &w->client : &w->server;
	union quic_address from = to == &w->client ? w->server.address : w->client.address;
	uint8_t bytes[256 * 6] = {};
	size_t n = fuzz_byte(in) * 6U;
	size_t given = n < in->n ? n : in->n;

	from.in.sin_addr.s_addr ^= fuzz_byte(in);
	if (n == 0)
		return;
	given = given < in->n ? given : in->n;
	memcpy(bytes, in->bytes, given);
	in->bytes += given;
	in->n -= given;
	world_inject(to, &from, bytes, n);
}

static void change(struct world *w, struct fuzz_input *in)
{
	union quic_address from = seen.to == &w->server ? w->client.address : w->server.address;
	size_t at = fuzz_byte(in) * 6U;

	if (!seen.n)
		return;
	from.in.sin_port ^= fuzz_byte(in);
	seen.bytes[at % seen.n] ^= fuzz_byte(in);
	world_inject(seen.to, &from, seen.bytes, seen.n);
}

static void migrate(struct world *w, struct fuzz_input *in)
{
	struct quic_path path = {.remote = w->server.address, .socket = fuzz_byte(in)};

	w->client.address.in.sin_port ^= fuzz_byte(in);
	path.local = w->client.address;
	if (w->client.connection)
		(void)!quic_connection_migrate(w->client.connection, &path, w->now);
}

static void network(struct world *w, struct fuzz_input *in)
{
	w->net.loss = fuzz_byte(in);
	w->net.duplicate = fuzz_byte(in);
	w->net.mtu = 1200 + fuzz_byte(in);
	w->net.jitter_ns = fuzz_byte(in) * MS;
}

static void dial(struct world *w, struct fuzz_input *)
{
	if (!w->client.connection && !w->client.stream)
		world_dial(w);
}

static void pass_time(struct world *w, struct fuzz_input *in)
{
	uint64_t n = fuzz_byte(in);

	world_run(w, n < 250 ? n * MS : (n - 249) * 10 * SECOND);
}

static void restart(struct world *w, struct fuzz_input *)
{
	world_stop_side(&w->server);
	world_start_side(&w->server);
}

static void act(struct world *w, struct fuzz_input *in)
{
	uint8_t who = fuzz_byte(in);

	if (who < 0xe0) {
		fuzz_act(who % 2 ? &w->client : &w->server, in);
		return;
	}
	failing_set(who % FAILING_KINDS, fuzz_byte(in));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static void (*const steps[])(struct world *, struct fuzz_input *) = {
		inject,
		change,
		migrate,
		network,
		dial,
		pass_time,
		restart,
		act,
		pass_time,
	};
	struct fuzz_input in = {.bytes = data, .n = n < 4096 ? n : 4096};
	struct world *w = fuzz_world();

	seen.n = 0;
	failing_set(FAILING_NONE, 0);
	w->tap = remember;
	world_start(w);
	for (int i = 0; in.n && i < 200; i++)
		steps[fuzz_byte(&in) % (sizeof(steps) / sizeof(*steps))](w, &in);
	world_run(w, SECOND);
	world_free(w);
	return 0;
}
