/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * redial: when a connector dials which of its edges.
 *
 *      ┌──────────── pause over ────────────┐
 *      ▼                                    │
 *   DIALING ──established──▶ ASKED ──2xx──▶ OPEN ──silent──▶ PAUSE …
 *      └──────────── closed ─┴──────────────┴──▶ PAUSE
 *
 * After a failure the next edge of the list is tried, after a pause that grows and has jitter, so
 * that many connectors do not come back at the same moment. A stateless reset says that the edge
 * lives and has forgotten us: it is dialled again at once, or soon if that comes again and again.
 *
 * Where nobody answers pauses do not grow: what is lost by asking is a packet every second or two,
 * and what is gained is that an outage is over when it is over. An open tunnel that falls silent is
 * kept while another one is dialled beside it; whichever is heard first goes on.
 *
 * When this host's address changes an open tunnel moves (RFC 9000 s9); what cannot move is dialled
 * again at once.
 *
 * Pure: no sockets, no clock (now_us never goes backwards), no connections. The owner tells what
 * happened, does what it is told in return, and calls redial_expire() at due_us.
 */
#include <stddef.h>
#include <stdint.h>

/* Of the attempt; REDIAL_OPEN when there is a tunnel and nothing is dialled. */
enum redial_state { REDIAL_DIALING, REDIAL_ASKED, REDIAL_OPEN, REDIAL_PAUSE };
const char *redial_state_str(enum redial_state state);

/* What the owner is to do at once, in this order. */
enum redial_order : unsigned {
	REDIAL_NOTHING = 0,
	REDIAL_CLOSE_OPEN = 1 << 0, /* the tunnel */
	REDIAL_CLOSE_NEXT = 1 << 1, /* the attempt, of which there may be none (yet) */
	REDIAL_DIAL = 1 << 2,       /* edges[at]; redial_failed() if that cannot even begin */
};

/* How a connection ended. */
enum redial_end {
	REDIAL_END_RESET,   /* a stateless reset: the edge lives and has forgotten us */
	REDIAL_END_UNHEARD, /* nobody answered, or does any more */
	REDIAL_END_DEAF,    /* it talked, and acknowledged nothing */
	REDIAL_END_OTHER,
};

/* Read by the owner, written by redial_…(). */
struct redial {
	enum redial_state state;
	bool open;              /* there is a tunnel, perhaps a silent one */
	bool heard;             /* … that is not silent any more; while another one was ASKED for */
	size_t at, edges;       /* which of how many */
	uint64_t due_us;        /* redial_expire(); UINT64_MAX = never */
	uint64_t held_until_us; /* the kernel's packets wait until then, or for a tunnel */
	uint64_t pause_us, opened_us;
	uint64_t random;
};

/* Begins at once. Connectors with another seed have other pauses. */
void redial_init(struct redial *r, size_t edges, uint64_t seed, uint64_t now_us);
[[nodiscard]] enum redial_order redial_expire(struct redial *r, uint64_t now_us);

/* Of the attempt. */
void redial_failed(struct redial *r, uint64_t now_us);
void redial_established(struct redial *r, uint64_t now_us);
/* With 2xx: the attempt is the tunnel from now on. A refusal is told by the end of its connection.
 */
[[nodiscard]] enum redial_order redial_answered(struct redial *r, uint64_t now_us);
void redial_next_closed(struct redial *r, enum redial_end end, uint64_t now_us);

/* Of the tunnel. */
[[nodiscard]] enum redial_order redial_silent(struct redial *r, bool silent, uint64_t now_us);
void redial_open_closed(struct redial *r, enum redial_end end, uint64_t now_us);
/* It has begun to move to this host's other address, or cannot; then it did, or got no answer. */
[[nodiscard]] enum redial_order redial_moving(struct redial *r, bool moving, uint64_t now_us);
[[nodiscard]] enum redial_order redial_moved(struct redial *r);
[[nodiscard]] enum redial_order redial_stranded(struct redial *r, uint64_t now_us);

/* Another configuration with the same edges (with others all begins anew): who was refused may be
 * welcome now. */
void redial_reload(struct redial *r, uint64_t now_us);
/* Is there a tunnel, or has one been waited for long enough? */
bool redial_ready(const struct redial *r, uint64_t now_us);
