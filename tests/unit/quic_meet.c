/* SPDX-License-Identifier: Apache-2.0 */
#include "quic_meet.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

void rude_begin(struct rude *r, const uint8_t *control, size_t n)
{
	rude_write(r, rude_open(r, true), control, n, false);
}

struct rude *rude_client(struct world *w)
{
	struct rude *r;

	world_start(w);
	r = rude_new(&w->client, false, 65'535);
	world_run(w, SECOND);
	assert_true(rude_established(r));
	return r;
}

struct rude *rude_server(struct world *w, uint64_t datagrams)
{
	struct rude *r;

	world_start(w);
	r = rude_new(&w->server, true, datagrams);
	world_dial(w);
	world_run(w, SECOND);
	assert_true(rude_established(r));
	return r;
}

static void write_fields(struct rude *r, int64_t id, const char *const *fields, bool fin)
{
	static uint8_t bytes[16'384];

	rude_write(r, id, bytes, rude_headers(bytes, sizeof(bytes), fields), fin);
}

int64_t rude_ask(struct rude *r, const char *const *fields, bool fin)
{
	int64_t id = rude_open(r, false);

	write_fields(r, id, fields, fin);
	return id;
}

int64_t rude_ask_tunnel(struct rude *r, bool fin)
{
	static const char *const fields[] = REQUEST(":protocol", "connect-ip", nullptr);

	return rude_ask(r, fields, fin);
}

void rude_answer(struct rude *r, const char *const *fields)
{
	write_fields(r, 0, fields, false);
}
