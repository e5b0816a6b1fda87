/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * session_int: the session's own state, for its files only.
 *
 * session.c holds life cycle and the two sets; session_receive.c reads capsules, session_send.c
 * writes them; session_packet.c judges packets; session_probe.c is the MTU probe. Lists that stand
 * for "the latest whole list" are replaced, never edited.
 */
#include "connip/bucket.h"
#include "connip/capsule.h"
#include "connip/idset.h"
#include "connip/routes.h"
#include "connip/session.h"

struct address_list {
	struct connip_address *list;
	size_t n, cap;
};

struct range_list {
	struct connip_range *list;
	size_t n, cap;
};

/* The capsule that is being read. */
struct session_capsule {
	uint8_t entry[RANGE_WIRE_MAX]; /* of the list, as far as it has come */
	size_t have;
	bool skip; /* unknown, too long, or beyond the policy */
	struct address_list addresses;
	struct range_list ranges;
	uint8_t *datagram; /* datagram_max bytes, allocated by the first DATAGRAM capsule */
	size_t datagram_n;
};

enum session_probe_state { PROBE_IDLE, PROBE_WAITING, PROBE_ANSWERED, PROBE_FAILED };

struct session_probe {
	enum session_probe_state state;
	unsigned sent;
	uint64_t due_ns;
	struct icmp_echo echo;
};

struct connip_session {
	enum connip_role role;
	struct connip_policy policy; /* its lists are ours */
	const struct connip_events *events;
	void *user;
	enum connip_fault fault;
	struct connip_counters counters;

	struct capsule_reader reader;
	struct session_capsule capsule;
	struct bucket control, unknown; /* capsules that are taken, and that are passed over */
	struct idset ids;               /* the peer's Request IDs */

	struct address_list assigned; /* by the peer to us, accepted */
	struct range_list accepted;   /* of the peer's routes */
	struct address_list given;    /* by us to the peer */
	struct address_list asked;    /* by the peer; the next list of ours answers them */
	struct address_list refusals; /* answers that are told once */
	struct address_list requests; /* ours that are not sent yet */
	uint64_t next_request;
	struct prefix expected[CONNIP_REQUESTS_MAX]; /* asked for at due, if none is assigned */
	size_t n_expected;
	uint64_t expected_due_ns;     /* UINT64_MAX = nothing is expected */
	struct range_list advertise;  /* what we would route, before scope and families */
	struct range_list advertised; /* what of it the peer is told */
	struct range_list accept;     /* the policy's prefixes, normal */
	struct range_list targets;
	bool must_assign, must_advertise;

	uint8_t *out; /* one capsule, or the rest of it */
	size_t out_n, out_at;

	struct routes mine, theirs;
	size_t mtu; /* 0 = not known yet */
	bool settled;
	struct session_probe probe;
	struct bucket icmp;
};

/* Takes the first reason only; returns -EPROTO. */
int session_fail(struct connip_session *s, enum connip_fault fault);
/* Builds both sets anew, and what follows from them. */
void session_rebuild(struct connip_session *s);
/* An address of ours of that family, for what we send ourselves; configured: only if the policy
 * names it. False: what is in *out only stands for one. */
bool session_self(const struct connip_session *s, uint8_t family, number *out, bool configured);
number session_link_local(const struct connip_session *s);
/* IPv6 is carried, or is to be. */
bool session_uses_ipv6(const struct connip_session *s);
/* After each change of what is carried or fits: IPv6 must fit, and is probed as soon as it is
 * there. */
int session_consider_mtu(struct connip_session *s);
/* Adds the parts of r inside a normal list. -E2BIG: more than any routes could be that are taken.
 * Ranges of one protocol fall into no more than that; those of 255 protocols would, and each of
 * these costs a peer ten bytes. */
[[nodiscard]] int session_add_within(const struct connip_session *s, struct range_list *out,
	const struct connip_range *r, const struct range_list *within);
/* The peer has been quiet for too long: what is expected is asked for. */
void session_ask(struct connip_session *s);
/* Is it the answer to the probe? Then it is noted. */
bool session_probe_take(
	struct connip_session *s, const struct packet_bytes *bytes, const struct packet *p);

void address_list_add(struct address_list *l, const struct connip_address *a);
void range_list_add(struct range_list *l, const struct connip_range *r);
