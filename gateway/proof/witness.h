/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * witness: a service in a network that is asked whether its answers find their way back to the
 * mesh, and what it said. Pure: no socket, no clock.
 *
 * Each is asked twice in a round: from the gateway's own address, which is what it sees of a
 * masqueraded flow, and from an address of the mesh range. Only the pair means something: silence
 * to the range of one that does not answer the gateway either says nothing about the way back.
 *
 * A BGP neighbour is never asked from the gateway's own address: to it that is a new connection of
 * a peer, which a router may take for the peer's restart (RFC 4724 section 4.2).
 *
 * The site's routers are no witnesses for the hosts behind them: one that keeps state sends its own
 * answers to where its routes say, and drops those of a service whose SYN it never saw. What they
 * say is weak.
 */
#include "conf/config.h"

/* What became of one probe. */
enum probe_result {
	PROBE_UNASKED,
	PROBE_COMPLETED, /* a SYN-ACK came back by the network's own interface */
	PROBE_REFUSED,   /* the host itself said no (RST, ICMP): its answers find their way */
	PROBE_ROUTER,    /* a router on the way said that it cannot or may not go on */
	PROBE_SILENT,
	PROBE_ASTRAY,   /* the answer came by another interface, or would not be led back */
	PROBE_FILTERED, /* something on this host kept it from leaving */
	PROBE_FAILED,   /* it could not be made */
	PROBE_SESSION,  /* not asked, because its BGP session with the gateway says that it answers
			 */
	PROBE_RESULTS,
};
const char *probe_result_str(enum probe_result result);

struct probe_pair {
	enum probe_result own, range;
};

enum witness_says {
	WITNESS_NOTHING,
	WITNESS_YES,    /* answers from there reach the range */
	WITNESS_WEAK,   /* a router's do */
	WITNESS_NO,     /* a masqueraded flow works, and one that shows its source does not */
	WITNESS_SILENT, /* answers nobody */
	WITNESS_FILTERED,
};
enum witness_says witness_says(struct probe_pair p);

enum witness_origin { WITNESS_CONFIGURED, WITNESS_LEARNED, WITNESS_NEIGHBOR };
const char *witness_origin_str(enum witness_origin origin);

struct witness {
	struct addr address;
	uint16_t port;
	enum witness_origin origin;
	bool router;     /* is one of the site's routers, or a BGP neighbour: weak */
	struct addr via; /* the router between; none: an ICMP error from there is its own */
	bool fixed;      /* the configuration gives this host a mode of its own */
	bool suspect;    /* a flow of the mesh to it stays without an answer */
	bool asked;      /* in the round that is under way */
	struct probe_pair asking, last;
	uint64_t asked_us, answered_us; /* last time; answered: from the range; 0 = never */
	uint64_t asked_round;           /* of its network; 0 = never */
	enum witness_says word;         /* its last yes or no; nothing once it answers nobody */
	uint64_t word_round;            /* that brought it */
	bool turned;                    /* it is no and was yes before */
	bool denied; /* it said no last while others said yes, also if it answers nobody now */
	unsigned silences;    /* rounds in a row in which it answered nobody */
	uint64_t silent_us;   /* the first of them */
	uint32_t denials;     /* WITNESS_NO while the network said yes; a bit a round, latest 0 */
	unsigned yes_row;     /* rounds in a row in which it said yes */
	bool excepted;        /* is masqueraded, whatever the network is */
	uint64_t excepted_us; /* since then */
	bool retired;         /* it was, until it had been silent for long: not to be forgotten */
	bool switched;        /* the last round made it an exception, or ended that */
};

struct witnesses {
	struct witness *list;
	size_t n, cap;
};

struct witness *witness_find(
	const struct witnesses *set, const struct addr *address, uint16_t port);
/* Adds one that is not there yet. Pointers into the list end here. */
struct witness *witness_add(struct witnesses *set, const struct addr *address, uint16_t port,
	enum witness_origin origin);
/* One that mesh flows reached. At most max learned ones are kept beside exceptions and retired
 * ones, and few of one host: a new one takes the place of one that has long been silent. nullptr =
 * no room. */
struct witness *witness_learn(
	struct witnesses *set, const struct addr *address, uint16_t port, size_t max);
/* Those of an origin that are not in the list go, others come. port is that of all of them. */
void witness_sync(struct witnesses *set, enum witness_origin origin, const struct addr *list,
	size_t n, uint16_t port);
bool witness_host_excepted(const struct witnesses *set, const struct addr *host);
void witnesses_clear(struct witnesses *set);
