/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * gather: sightings of packets and drops, made into facts.
 *
 * Alike sightings are one fact with a count, so that an answer stays small however much traffic
 * the flow has; the number of facts is bounded, and what is left out is told in one of them. It
 * does no I/O: whoever captures hands in bytes, and the time.
 */
#include "trace/whose.h"

/* A packet at one of the observation points. */
struct sighting {
	const uint8_t *data; /* begins with the IP header */
	size_t len;
	bool outgoing;
	const char *interface;
	bool mesh;             /* it is the mesh's */
	const uint8_t *lladdr; /* of an Ethernet sender, six bytes, or nullptr */
	bool unfinished;       /* its checksums are for the network card to write */
	bool verified;         /* ... or were found right by it */
	uint64_t at_us;        /* since the first reply */
};

/* What the kernel says about a packet that it let go. */
struct dropped {
	const uint8_t *data; /* as above */
	size_t len;
	const char *reason, *function, *interface;
};

struct gather;

struct gather *gather_new(const struct request *request);
void gather_free(struct gather *g);

void gather_packet(struct gather *g, const struct sighting *s);
void gather_drop(struct gather *g, const struct dropped *d);
/* Said once of each observer. */
void gather_missing(struct gather *g, enum fact_observer observer, const char *why);

/* Has anything come since gather_facts()? */
bool gather_is_changed(const struct gather *g);
/* The facts so far, as a JSON array. 0 or -errno. */
[[nodiscard]] int gather_facts(struct gather *g, sd_json_variant **out);
