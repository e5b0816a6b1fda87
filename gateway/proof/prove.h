/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * prove: decides for each network in mode `auto` whether flows of the mesh show their source.
 *
 *                proven_rounds good in a row, proven_hold since the last loss
 *   masquerade ──────────────────────────────────────────────────────────────▶ route
 *        ▲                                                                      │
 *        └──────────────────────────────────────────────────────────────────────┘
 *                        lost_rounds bad of the last lost_of
 *
 * Proof is an answer, never a protocol's state: a round asks each of its witnesses twice
 * (witness.h). One does not speak for a network, and neither do those who happen to be asked: each
 * round weighs what is known of all hosts, asked in it or not (prove_known.c). More noes than yeses
 * are a loss, or no proof; else those that said no, which a masqueraded flow reaches and one with
 * its own source does not, are masqueraded alone, as exceptions, until they answer. Exceptions say
 * no as others do, but what is known of them takes nothing back: a loss begins with a no that is
 * new. A round in which nobody answers at all, or in which the questions could not leave this host,
 * changes nothing.
 *
 * Pure: rounds are begun by whoever owns the clock and the sockets (prober.h), which writes the
 * results into the witnesses; what follows from the decisions is the gateway's. Time is
 * CLOCK_MONOTONIC in microseconds. Each decision is logged once, with its evidence.
 */
#include "conf/config.h"
#include "proof/witness.h"

constexpr uint64_t PROVE_NEVER = UINT64_MAX;
constexpr uint16_t PROVE_BGP_PORT = 179;
constexpr size_t PROVE_EXCEPTIONS_MAX = 256; /* of one network */
/* An exception ends when its host has been silent for so long, and others have been heard for so
 * long now: it may be gone for good. */
constexpr uint64_t PROVE_EXCEPTION_SILENT_US = 24ULL * 3600 * 1'000'000;
constexpr uint64_t PROVE_EXCEPTION_HEARD_US = 3600ULL * 1'000'000;
constexpr size_t PROVE_RETIRED_MAX = 32; /* of those, how many stay known in any case */

/* What one round says about a network. */
enum prove_verdict {
	PROVE_NOTHING,  /* no witness, or nothing that could be asked */
	PROVE_GOOD,     /* answers find their way back */
	PROVE_WEAK,     /* only those of the site's routers, who do not speak for their hosts */
	PROVE_BAD,      /* by most hosts the gateway is answered and the range is not */
	PROVE_OPEN,     /* those who were not asked yet may turn the scale */
	PROVE_SILENT,   /* nobody answers either way */
	PROVE_FILTERED, /* the questions do not leave this host */
	PROVE_VERDICTS,
};
const char *prove_verdict_str(enum prove_verdict verdict);

/* How many witnesses said what in a round; exceptions are counted as no only in `excepted`. */
struct prove_tally {
	unsigned asked, yes, no, silent, filtered, excepted;
	unsigned weak_yes, weak_no; /* routers */
	unsigned astray;            /* of those that said no: answers came back elsewhere */
	unsigned healed;            /* of those that said yes: their word was no before */
};

/* What hosts are known to say, whenever they were asked; with many services a host is still one. */
struct prove_known {
	unsigned yes, no;
	unsigned excepted; /* of the noes */
	unsigned unasked;  /* nobody knows yet */
};

struct prove_network {
	struct prefix prefix;
	char interface[IFNAMSIZ];
	bool learn;                /* witnesses are also those that mesh flows reached */
	struct config_host *hosts; /* of the configuration, borrowed */
	size_t n_hosts;
	struct witnesses witnesses;

	bool route;        /* proven; else masquerade */
	bool adopted;      /* as it was found at start, not yet proven by this process */
	uint64_t since_us; /* of route or masquerade, 0 = always */
	uint64_t lost_us;  /* when the proof was lost last, 0 = never */
	unsigned row;      /* good rounds in a row */
	uint32_t window;   /* the last good (0) and bad (1) rounds, bit 0 the latest */

	uint64_t due_us;          /* of the next round; PROVE_NEVER while one is under way */
	bool asking;              /* a round is under way */
	unsigned hurried;         /* rounds that are to follow each other soon */
	uint64_t asked_us;        /* when the last round began */
	uint64_t rounds;          /* since start */
	struct prove_tally tally; /* of the last round */
	struct prove_known known; /* after it */
	uint64_t heard_us;   /* since when there is always somebody who speaks, 0 = nobody does */
	uint64_t news_round; /* words from before this round are of another time */
	enum prove_verdict verdict;
};

/* A BGP neighbour with an established session, and whether it was sent ranges of each family. */
struct prove_session {
	struct addr neighbor;
	bool sent4, sent6;
	char interface[IFNAMSIZ]; /* that leads to it; "" = not asked yet */
};

struct prove {
	struct config_probe probe;
	struct prove_network *networks; /* in the order of the configuration */
	size_t n;
	struct prove_session *sessions; /* for showing that they are not enough */
	size_t n_sessions;
	uint64_t generation; /* counts prove_configure(): rounds under way before it are void */
};

/* Takes over a configuration; nullptr = none. A network that was there before, in mode auto and on
 * the same interface, keeps what is known of it. The configuration is borrowed. */
void prove_configure(struct prove *p, const struct config *config);
void prove_clear(struct prove *p);
struct prove_network *prove_find(
	const struct prove *p, const char *interface, const struct prefix *prefix);

/* At start, before any round: what the table says is what is. A network that is not masqueraded
 * there has been proven by the process before. */
void prove_adopt(struct prove_network *n, bool route);
void prove_adopt_exception(struct prove_network *n, const struct addr *host);

/* All of them; where they change, a round follows soon. */
void prove_set_sessions(
	struct prove *p, const struct prove_session *list, size_t n, uint64_t now_us);

/* Something happened that may have changed the way back: a round soon. Or that is about to change
 * it: a few rounds at a quick pace, the first of them at once; false: so it is already. */
void prove_event(struct prove *p, uint64_t now_us);
bool prove_hurry(struct prove *p, uint64_t now_us);
uint64_t prove_pace_us(const struct prove *p);

/* Who is asked: what mesh flows reached, and who the site's routers are. */
void prove_learn(struct prove *p, struct prove_network *n, const struct addr *a, uint16_t port);
void prove_set_neighbors(struct prove_network *n, const struct addr *list, size_t count);
void prove_set_routers(struct prove_network *n, const struct addr *list, size_t count);
/* A target that answered before and does not now: it is asked at once. */
void prove_suspect(struct prove_network *n, const struct addr *a, uint16_t port, uint64_t now_us);

/* When the next round of any network is due. */
uint64_t prove_due_us(const struct prove *p);
/* Begins a round: witnesses with `asked` are to be asked, into `asking`. */
void prove_begin(struct prove *p, struct prove_network *n, uint64_t now_us);
/* Ends it and decides. The answer says what is to be done: bits of enum prove_change. */
enum prove_change {
	PROVE_TO_ROUTE = 1 << 0,
	PROVE_TO_MASQUERADE = 1 << 1,
	PROVE_HOSTS = 1 << 2, /* exceptions came or went */
};
unsigned prove_end(struct prove *p, struct prove_network *n, uint64_t now_us);

/* "proven", "unproven", "lost", or "adopted": as it was found at start. */
const char *prove_network_state(const struct prove_network *n);
/* Why it is not proven, or what happens to the proof, in one sentence without a full stop. */
constexpr size_t PROVE_WHY_LEN = 160;
const char *prove_why(
	const struct prove *p, const struct prove_network *n, char buf[static PROVE_WHY_LEN]);
