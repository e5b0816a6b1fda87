/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * show: facts from FRR's show commands.
 *
 * frr_show_commands() writes everything that is asked for one look at FRR, the running
 * configuration included, as one script for vtysh; it costs one process and about a millisecond per
 * line. frr_show_read() takes what that call printed (any bytes) and gives what could be
 * understood; a part that is missing or no JSON leaves its facts unknown. Keys are those of
 * FRR 10.3.
 *
 * It judges nothing: whether a reason is fresh enough to be believed is the caller's decision.
 */
#include "frr/running.h"
#include "frr/transcript.h"

constexpr size_t FRR_REASON_LEN = 96;

enum frr_session_state {
	FRR_SESSION_UNKNOWN, /* FRR has no such neighbour, or did not say */
	FRR_SESSION_IDLE,
	FRR_SESSION_CONNECT,
	FRR_SESSION_ACTIVE,
	FRR_SESSION_OPENSENT,
	FRR_SESSION_OPENCONFIRM,
	FRR_SESSION_ESTABLISHED,
	FRR_SESSION_STATES, /* number of states */
};
const char *frr_session_state_str(enum frr_session_state state);

/* One address family of a session; IPv4 first. */
struct frr_session_family {
	bool active;            /* exchanged, or would be */
	bool policy_missing_in; /* RFC 8212: FRR drops everything for want of a policy */
	bool policy_missing_out;
	bool default_sent;       /* a default route goes out, past every policy */
	uint32_t accepted, sent; /* prefixes */
	uint32_t advertised;     /* of them, prefixes of the model */
};

/* The last end of the session, in FRR's words. They are stale by nature: FRR goes on giving the old
 * reason when the session fails for a new one. */
struct frr_reset {
	bool known;
	uint64_t age_ms;
	uint8_t code, subcode;             /* of a NOTIFICATION (RFC 4271 section 4.5), 0 = none */
	bool received;                     /* it came from the neighbour */
	char due_to[FRR_REASON_LEN];       /* "BGP Notification received" */
	char notification[FRR_REASON_LEN]; /* "OPEN Message Error/Bad Peer AS", "" = none */
};

struct frr_session {
	struct addr address;
	enum frr_session_state state;
	bool admin_down; /* `neighbor … shutdown` here */
	uint32_t remote_as;
	uint64_t uptime_ms; /* since it was established; 0 in other states */
	struct frr_session_family family[2];
	/* FRR has it by a `bgp listen range` alone, and takes no statement about it; 0 = not so */
	struct prefix listen_range;
	struct addr
		next_hop6; /* sent with IPv6 prefixes; link-local = the interface has no other */
	uint32_t established, dropped; /* how often */
	uint32_t notifications_sent, notifications_received;
	struct frr_reset reset;
	bool has_bfd, bfd_up;
};

/* A neighbour that is not of the model and is sent prefixes of it. */
struct frr_leak {
	char peer[64]; /* as FRR names it, safe to show */
	struct prefix prefix;
};

struct frr_prefix_state {
	struct prefix prefix;
	bool in_bgp; /* originated here and best: announced, if policy lets it out */
	bool in_rib; /* zebra has any route of exactly this prefix */
	bool static_ours, static_selected, static_installed; /* a static with our tag */
	bool static_foreign;                                 /* a static without it */
	char selected[16];  /* protocol of the best route: "static", "kernel" …; "" = none */
	char interface[16]; /* its first next hop's; "" = none */
};

struct frr_show {
	bool daemons_known;
	bool daemon[FRR_DAEMONS];         /* vtysh is connected to it */
	struct frr_answer running_config; /* points into the text read, as do the next */
	struct frr_answer bgpd_config, mgmtd_config;
	struct frr_session *sessions; /* of the model's neighbours, in their order */
	size_t n_sessions;
	struct frr_prefix_state *prefixes; /* of the model's statics, in their order */
	size_t n_prefixes;
	struct frr_leak *leaks; /* one per neighbour */
	size_t n_leaks, cap_leaks;
};

/* Without a model (nullptr): the daemons and the running configuration. */
void frr_show_commands(const struct frr_model *model, struct frr_script *out);

/* script: what frr_show_commands() wrote for the same model. *out is owned by the caller. */
void frr_show_read(const struct frr_model *model, const struct frr_script *script, const char *text,
	size_t len, struct frr_show *out);
void frr_show_clear(struct frr_show *show);

/* The running configuration out of it: frr_running_read(), confirmed by each daemon. */
[[nodiscard]] int frr_show_running(
	const struct frr_show *show, struct frr_running *out, struct err *err);
