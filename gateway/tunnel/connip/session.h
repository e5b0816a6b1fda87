/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * session: one CONNECT-IP request (RFC 9484), from its successful response to the end of its
 * stream.
 *
 *   stream bytes ──▶ connip_session_receive ──▶ events        packets of the peer ──▶
 * connip_packet_in stream bytes ◀── connip_session_pending ◀── assign, request, advertise packets
 * to the peer ──▶ connip_packet_out
 *
 * Both roles are nearly the same, since either end may assign addresses and advertise routes. Each
 * end knows two sets: *mine*, the addresses that may be on its side (assigned by the peer, static,
 * advertised by itself), and *theirs* (assigned to the peer, static, accepted routes). A packet
 * goes out from mine to theirs and comes in the other way; all else is dropped, counted, and
 * answered by ICMP where that is proper (7.2.1, icmp.h). No packet allocates memory; a lookup is
 * O(log n).
 *
 * TTL and Hop Limit are left alone: a kernel behind the TUN has taken one off what it forwards, and
 * takes none off what it sends itself, which is what RFC 9484 7.2 asks for.
 *
 * Pure: no sockets, no clock (now_ns is CLOCK_MONOTONIC and never goes backwards), no transport. It
 * does not decide what to assign or advertise, does not resolve names, and does not open or close
 * the stream: after a fault it takes nothing more, and the owner aborts with connip_fault_code().
 * Memory is bounded by the policy whatever the peer sends.
 */
#include "connip/address.h"
#include "connip/icmp.h"
#include "connip/policy.h"
#include "connip/range.h"
#include "connip/reason.h"
#include <sys/types.h>

enum connip_role { CONNIP_CLIENT, CONNIP_PROXY };

/* The peer's whole list of what is assigned to us; each entry is in one of the three. */
struct connip_assigned {
	const struct connip_address *accepted, *denied /* by our policy */,
		*refused /* by the peer */;
	size_t n_accepted, n_denied, n_refused;
};

/* The peer's whole list of routes, as far as it is accepted. */
struct connip_advertised {
	const struct connip_range *accepted; /* normal (range.h), scope and policy applied */
	size_t n_accepted;
	size_t announced; /* ranges in the capsule */
	size_t narrowed;  /* of these: in part or wholly outside of what is accepted */
};

/* What is called during connip_session_receive(). Handlers may call anything but
 * connip_session_free(); nullptr = of no interest. What they get is borrowed. */
struct connip_events {
	void (*assigned)(void *user, const struct connip_assigned *what);
	void (*advertised)(void *user, const struct connip_advertised *what);
	/* Entries of one ADDRESS_REQUEST. The next connip_session_assign() answers them: each that
	 * is not in its list by its request ID is refused. */
	void (*requested)(void *user, const struct connip_address *list, size_t n);
	/* A capsule with more entries than the policy allows, or one whose routes fall into too
	 * many parts, was passed over; what held before holds. */
	void (*exceeded)(void *user, enum connip_excess what, size_t most);
	/* A DATAGRAM capsule's payload, to be treated as one that came in a QUIC datagram. */
	void (*datagram)(void *user, const uint8_t *payload, size_t n);
	/* The MTU probe was answered, or was not (connip_session_expire() tells, too). */
	void (*probed)(void *user, bool answered);
};

struct connip_counters {
	uint64_t out[CONNIP_PASS_MAX], in[CONNIP_PASS_MAX]; /* packets by what became of them */
	uint64_t answers, answers_limited;                  /* ICMP, written and not written */
	uint64_t capsules, capsules_unknown, datagrams_too_long;
};

struct connip_session;

/* The policy is copied, the events are borrowed. */
[[nodiscard]] struct connip_session *connip_session_new(enum connip_role role,
	const struct connip_policy *policy, const struct connip_events *events, void *user);
void connip_session_free(struct connip_session *s);

/* Bytes of the request stream, in any pieces; fin: nothing follows. 0, or -EPROTO: the stream is to
 * be aborted, for connip_session_fault(). */
[[nodiscard]] int connip_session_receive(
	struct connip_session *s, const uint8_t *p, size_t n, bool fin, uint64_t now_ns);
enum connip_fault connip_session_fault(const struct connip_session *s);

/* Bytes to be sent on the stream, valid until the next call; *n is 0 when there are none. Lists
 * that change faster than they can be sent are sent in their latest state. */
const uint8_t *connip_session_pending(struct connip_session *s, size_t *n);
void connip_session_sent(struct connip_session *s, size_t n);

/* Whole lists that replace the former ones. An assignment that answers a request keeps its ID for
 * as long as it lasts. */
void connip_session_assign(struct connip_session *s, const struct connip_address *list, size_t n);
void connip_session_advertise(struct connip_session *s, const struct connip_prefixes *routes);
/* What is assigned now, valid until that changes; returns how many there are. */
size_t connip_session_given(const struct connip_session *s, const struct connip_address **list);
/* Other routes of the peer, static and accepted ones alike. What it has advertised counts as far as
 * it lies inside; what lay outside before does not come back until it is advertised again, and
 * neither does any of it if it falls into too many parts. */
void connip_session_set_routes(struct connip_session *s, const struct connip_prefixes *routes);
/* Asks for addresses, without preference where all bits are zero; n is at most CONNIP_REQUESTS_MAX.
 * The request IDs are *first and those behind it. -EAGAIN: an earlier request is not sent yet. */
[[nodiscard]] int connip_session_request(
	struct connip_session *s, const struct prefix *list, size_t n, uint64_t *first);

/* The same, but only if the peer assigns none by itself within CONNIP_UNPROMPTED_NS: many do so at
 * once (4.7.1 allows it), and some of them know no other way. */
constexpr uint64_t CONNIP_UNPROMPTED_NS = 300'000'000;
void connip_session_expect(
	struct connip_session *s, const struct prefix *list, size_t n, uint64_t now_ns);

/* The largest packet that a datagram holds now; settled: path MTU discovery found its end. -EPROTO:
 * IPv6 is carried and does not fit (RFC 9484 7.2). */
[[nodiscard]] int connip_session_set_mtu(struct connip_session *s, size_t mtu, bool settled);
/* When connip_session_expire() is to be called; UINT64_MAX = never. */
uint64_t connip_session_expiry_ns(const struct connip_session *s);
/* The size of a packet in out that is to be sent to the peer as it is, 0 = none; -EPROTO. */
[[nodiscard]] ssize_t connip_session_expire(
	struct connip_session *s, uint64_t now_ns, uint8_t out[static ICMP_MESSAGE_MAX]);

/* May this packet of the TUN go to the peer? An answer goes back into the TUN. */
enum connip_pass connip_packet_out(struct connip_session *s, const struct packet_bytes *bytes,
	uint64_t now_ns, struct connip_answer *answer);
/* One more with the same addresses, protocol and TTL, no longer than one that passed just now. */
void connip_packet_out_again(struct connip_session *s);
/* May this packet of the peer go to the TUN? An answer goes back to the peer. */
enum connip_pass connip_packet_in(struct connip_session *s, const struct packet_bytes *bytes,
	uint64_t now_ns, struct connip_answer *answer);

const struct connip_counters *connip_session_counters(const struct connip_session *s);
