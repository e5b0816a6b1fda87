/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * model: what meshgw wants FRR to do, as plain data.
 *
 * Static routes of the mesh ranges and sites by the mesh interface, which of them are announced
 * now, and the neighbours with their policy. A caller builds it from its configuration; every
 * pointer is borrowed and must live as long as the model is used. Each value carries the place in
 * the configuration file it came from, so that a line which FRR refuses is reported there.
 *
 * A prefix that the kernel lacks is withdrawn by announce = false; its static stays. Passwords are
 * the only secrets: nothing here prints one, and there is no frr_model_str().
 */
#include "lib/ip.h"
#include <stddef.h>
#include <stdint.h>

/* Where in the configuration file; line and column count from 1, 0 = nowhere. */
struct frr_mark {
	uint32_t line, column;
};

/* FRR's daemons that we need. */
enum frr_daemon { FRR_MGMTD, FRR_ZEBRA, FRR_STATICD, FRR_BGPD, FRR_BFDD, FRR_DAEMONS };
const char *frr_daemon_str(enum frr_daemon daemon);

struct frr_static {
	struct prefix prefix;
	bool announce;
	struct frr_mark mark;
};

enum frr_remote_as { FRR_REMOTE_NUMBER, FRR_REMOTE_EXTERNAL, FRR_REMOTE_INTERNAL };

/* What a neighbour may announce to us: prefix, and more specific ones up to length le. */
struct frr_accept {
	struct prefix prefix;
	uint8_t le; /* prefix.len .. 32 or 128 */
	struct frr_mark mark;
};

/* 0, empty or nullptr leaves a value to FRR. */
struct frr_neighbor {
	struct addr address;
	enum frr_remote_as remote_as;
	uint32_t asn;            /* FRR_REMOTE_NUMBER */
	bool ipv4, ipv6;         /* families announced there */
	const char *description; /* one line of printable ASCII */
	const char *password;    /* secret */
	bool bfd;
	uint32_t bfd_multiplier, bfd_receive_ms, bfd_transmit_ms;
	bool timers_own; /* keepalive and hold are set, perhaps to 0: never */
	uint32_t keepalive_s, hold_s, connect_s;
	const char *update_source;                /* address or interface */
	uint8_t ebgp_multihop, ttl_security_hops; /* at most one of them */
	char *const *communities; /* "65010:100", large "65010:1:2", FRR's well-known names */
	size_t n_communities;
	uint32_t maximum_prefix;
	const struct frr_accept *accept; /* none = nothing is accepted */
	size_t n_accept;
	bool adopt; /* a neighbour that others configured at this address becomes ours */
	/* mark is the address's; the others may be nowhere, then it stands for them. */
	struct frr_mark mark, remote_as_mark, description_mark, password_mark, bfd_mark,
		timers_mark, update_source_mark, hops_mark, communities_mark;
};

struct frr_model {
	const char *interface; /* the mesh interface */
	uint32_t asn;
	struct addr router_id; /* AF_UNSPEC = FRR's choice */
	const struct frr_static *statics;
	size_t n_statics;
	const struct frr_neighbor *neighbors;
	size_t n_neighbors;
	bool announce_to_others; /* consent: no finding about a leak */
	struct frr_mark mark, asn_mark, router_id_mark;
};

/* Can FRR take the text as a line of its own (a description), as a word, as a password? Printable
 * ASCII; a line has no two blanks in a row, and none behind a '|', which vtysh takes for a filter
 * of its output; a password has 1 to 80 bytes and no blank. */
bool frr_line_ok(const char *text);
bool frr_word_ok(const char *text);
bool frr_password_ok(const char *text);
