/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * show: facts from FRR's show commands.
 *
 * frr_show_commands() writes the commands for one call, `vtysh -E -c … -c …`, which echoes each
 * command in front of its output: that is how the outputs are told apart. frr_show_read() takes
 * everything that call printed (any bytes) and gives what could be understood; a part that is
 * missing or no JSON leaves its facts unknown. Keys are those of FRR 10.3.
 *
 * It judges nothing: whether a reason is fresh enough to be believed is the caller's decision.
 */
#include "frr/model.h"
#include "frr/script.h"

constexpr size_t FRR_REASON_LEN = 96;

enum frr_session_state {
	FRR_SESSION_UNKNOWN, /* FRR knows no such neighbour, or did not say */
	FRR_SESSION_IDLE,
	FRR_SESSION_CONNECT,
	FRR_SESSION_ACTIVE,
	FRR_SESSION_OPENSENT,
	FRR_SESSION_OPENCONFIRM,
	FRR_SESSION_ESTABLISHED,
	FRR_SESSION_STATES, /* number of states */
};
const char *frr_session_state_str(enum frr_session_state state);

/* One address family of a session. */
struct frr_session_family {
	bool active;            /* negotiated, or configured while the session is down */
	bool policy_missing_in; /* RFC 8212: FRR drops everything for want of a policy */
	bool policy_missing_out;
	uint32_t accepted, sent; /* prefixes */
};

struct frr_session {
	struct addr address;
	enum frr_session_state state;
	bool admin_down; /* shut down in the configuration here */
	uint32_t remote_as;
	uint64_t uptime_ms; /* in the state Established */
	struct frr_session_family ipv4, ipv6;
	bool has_reset; /* the next four are about the last reset */
	uint64_t reset_age_ms;
	uint8_t reset_code, reset_subcode; /* of a NOTIFICATION (RFC 4271 section 4.5), 0 = none */
	bool reset_received;               /* that NOTIFICATION came from the neighbour */
	char reset_reason[FRR_REASON_LEN]; /* FRR's words, safe to show; stale by nature */
	bool has_bfd, bfd_up;
	struct prefix *advertised; /* what we send there now, both families; sorted */
	size_t n_advertised;
};

/* A prefix of ours. */
struct frr_prefix_state {
	struct prefix prefix;
	bool in_bgp, bgp_valid; /* originated here, and with a valid next hop */
	bool static_ours, static_selected, static_installed; /* in zebra's RIB with our tag */
	bool static_foreign;  /* a static of that prefix without our tag */
	bool other_selected;  /* another protocol's route is best */
	char selected_by[16]; /* "kernel", "bgp" …; "" = no route at all */
};

struct frr_show {
	bool bgp_answered, zebra_answered; /* the daemon said anything that makes sense */
	uint32_t asn;                      /* of the running BGP instance, 0 = none */
	struct addr router_id;
	struct frr_session *sessions; /* those asked for, in the order of the model */
	size_t n_sessions;
	struct frr_prefix_state *prefixes; /* those asked for, in the order of the model */
	size_t n_prefixes;
};

/* The commands for one vtysh call, about the neighbours and statics of the model. */
void frr_show_commands(const struct frr_model *model, struct frr_script *out);

/* Always gives a result for every neighbour and prefix of the model; *out owned by the caller. */
void frr_show_read(
	const struct frr_model *model, const char *text, size_t len, struct frr_show *out);
void frr_show_clear(struct frr_show *show);
