/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * meter: how much memory the library holds for one connection.
 *
 * ngtcp2 keeps what came too early: every gap between two pieces of CRYPTO or STREAM data is an
 * object, and packets that cannot be read yet are kept whole. Its own limits count bytes of the
 * stream, of which one in two is enough to cost fifty times as much. So its allocations go through
 * here, and the owner of a meter looks at it after each packet and ends who is too dear.
 *
 * The figure is what malloc(3) took for them, its own few bytes an object included. A meter
 * outlives the library's object and does not move. No memory at all aborts, as everywhere
 * (lib/xmalloc.h): nothing is refused by the meter itself, so the library's paths for that case are
 * never taken.
 */
#include <ngtcp2/ngtcp2.h>

struct quic_meter {
	ngtcp2_mem memory; /* for ngtcp2_conn_*_new() */
	size_t used;
	size_t sent; /* of it, what packets of our own took; its pools keep that */
};

void quic_meter_init(struct quic_meter *m);
/* A packet was written, and so much was in use before. */
void quic_meter_sent(struct quic_meter *m, size_t before);
/* In use for anything but packets of our own. */
size_t quic_meter_kept(struct quic_meter *m);
