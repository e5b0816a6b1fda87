/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * fact: one piece of evidence, as plain data.
 *
 * Everything a verdict rests on is a fact: something that was read, seen or tried, and never a
 * conclusion. A fact that is not there was not looked at or could not be; it is never "no". Each
 * kind is one struct and one table of fields (fact.c), from which its JSON is written and read, so
 * that a recorded diagnosis can be decided again. Each has a sentence for people and the shell
 * command that shows the same (fact_text.c).
 *
 * Strings in facts may come from anybody (names of interfaces and chains, comments, FRR's words);
 * they are kept as they are and escaped where they are shown. Addresses of family AF_UNSPEC, empty
 * strings and -1 mean "none" or "not told".
 */
#include "lib/err.h"
#include "verdict/fact_bgp.h"
#include "verdict/fact_node.h"
#include "verdict/fact_seen.h"
#include "verdict/fact_tried.h"
#include <systemd/sd-json.h>

enum fact_kind {
	FACT_LINK,
	FACT_SYSCTL,
	FACT_LOOKUP,
	FACT_NEIGHBOUR,
	FACT_PACKET,
	FACT_ICMP,
	FACT_DROP,
	FACT_CALL,
	FACT_TRACE,
	FACT_CHAIN,
	FACT_COUNTER,
	FACT_CONNTRACK,
	FACT_PROBE,
	FACT_L7,
	FACT_BGP,
	FACT_BGP_NEIGHBOUR,
	FACT_BGP_PREFIX,
	FACT_CONFIG,
	FACT_CONDITION,
	FACT_SOCKET,
	FACT_PLATFORM,
	FACT_MISSING,
	FACT_KINDS,
};

/* Something could not be looked at. */
enum fact_observer {
	OBSERVER_TRACE, /* meshgw-trace: packets, drops, injection */
	OBSERVER_DROPS, /* BPF of it */
	OBSERVER_PACKETS,
	OBSERVER_INJECTION,
	OBSERVER_NFT_TRACE,
	OBSERVER_RULESET,
	OBSERVER_ROUTES,
	OBSERVER_CONNTRACK,
	OBSERVER_COUNTERS,
	OBSERVER_FRR,
	OBSERVER_PROBES,
	OBSERVER_L7,
	OBSERVERS
};
struct fact_missing {
	enum fact_observer observer;
	char why[FACT_TEXT_LEN];
};

struct fact {
	enum fact_kind kind;
	union {
		struct fact_link link;
		struct fact_sysctl sysctl;
		struct fact_lookup lookup;
		struct fact_neighbour neighbour;
		struct fact_packet packet;
		struct fact_icmp icmp;
		struct fact_drop drop;
		struct fact_call call;
		struct fact_trace trace;
		struct fact_chain chain;
		struct fact_counter counter;
		struct fact_conntrack conntrack;
		struct fact_probe probe;
		struct fact_l7 l7;
		struct fact_bgp bgp;
		struct fact_bgp_neighbour bgp_neighbour;
		struct fact_bgp_prefix bgp_prefix;
		struct fact_config config;
		struct fact_condition condition;
		struct fact_socket socket;
		struct fact_platform platform;
		struct fact_missing missing;
	};
};

const char *fact_kind_str(enum fact_kind kind); /* "lookup" */
const char *fact_point_str(enum fact_point point);
const char *fact_packet_kind_str(enum fact_packet_kind packet);
const char *fact_probe_name_str(enum fact_probe_name probe);
const char *fact_outcome_str(enum fact_outcome outcome);
const char *fact_observer_str(enum fact_observer observer);

/* Nothing told but its kind. Counts, values, marks and errors begin with 0, the first of a list of
 * names stands for none chosen. */
void fact_init(struct fact *f, enum fact_kind kind);

/* {"kind":"lookup", …}. Reading refuses unknown kinds and names, wrong types and texts that do not
 * fit, ignores unknown fields, and leaves what is missing as "not told". 0 or -errno with a
 * sentence; *out is written on success only. */
[[nodiscard]] int fact_to_json(const struct fact *f, sd_json_variant **out);
[[nodiscard]] int fact_from_json(sd_json_variant *v, struct fact *out, struct err *err);

/* One sentence for people without a full stop, and the command that shows it ("" = none). Escaped
 * (lib/escape.h). Both return buf. */
constexpr size_t FACT_SAYS_LEN = 320;
const char *fact_says(const struct fact *f, char buf[static FACT_SAYS_LEN]);
const char *fact_command(const struct fact *f, char buf[static FACT_SAYS_LEN]);
/* The kind of source, as bundles and --json name it: "rtnetlink", "nft-trace", "bpf" … */
const char *fact_source(const struct fact *f);
