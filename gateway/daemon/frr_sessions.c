/* SPDX-License-Identifier: Apache-2.0 */
/*
 * frr_sessions: why a neighbour is not told what it should be told.
 */
#include "daemon/frr_conditions.h"
#include <linux/if.h>
#include <string.h>

const struct frr_session *frr_session_of(const struct frr_show *show, const struct addr *address)
{
	for (size_t i = 0; i < show->n_sessions; i++)
		if (!addr_cmp(&show->sessions[i].address, address))
			return &show->sessions[i];
	return nullptr;
}

/* ---- no session ---- */

/* NOTIFICATIONs (RFC 4271 section 4.5, RFC 4486) that name a cause. */
static const struct {
	uint8_t code, subcode;
	enum condition_code condition;
	const char *ours, *theirs; /* who sent it */
} notifications[] = {
	{2, 2, COND_BGP_WRONG_ASN, "its AS number is not the one that remote_as says",
		"it expects another AS number of us"},
	{6, 1, COND_BGP_MAX_PREFIX, "it announced more prefixes than maximum_prefix allows",
		"we announce more prefixes than it allows"},
	{6, 2, COND_BGP_ADMIN_SHUTDOWN, "the session is shut down here",
		"the neighbour's operator has shut the session down"},
};

/* Reasons in FRR's words (bgpd, peer_down_str). */
static const struct {
	const char *words;
	enum condition_code condition;
	const char *reason;
} words[] = {
	{"Waiting for NHT", COND_BGP_NEIGHBOUR_UNREACHABLE, "there is no route to it"},
	{"No path to specified Neighbor", COND_BGP_NEIGHBOUR_UNREACHABLE,
		"there is no route to it"},
	{"Interface down", COND_BGP_NEIGHBOUR_UNREACHABLE, "the interface to it is down"},
	{"Hold Timer Expired", COND_BGP_SESSION_DOWN, "it fell silent (hold timer expired)"},
	{"BFD down received", COND_BGP_SESSION_DOWN, "BFD lost it"},
};

static const char *notified(const struct frr_reset *r, enum condition_code *code)
{
	for (size_t i = 0; i < sizeof(notifications) / sizeof(notifications[0]); i++) {
		if (notifications[i].code != r->code || notifications[i].subcode != r->subcode)
			continue;
		*code = notifications[i].condition;
		return r->received ? notifications[i].theirs : notifications[i].ours;
	}
	return nullptr;
}

const char *frr_session_reason(const struct frr_session *n, enum condition_code *code)
{
	*code = COND_BGP_SESSION_DOWN;
	if (n->state == FRR_SESSION_ESTABLISHED)
		return nullptr;
	if (n->admin_down) {
		*code = COND_BGP_ADMIN_SHUTDOWN;
		return "FRRouting's configuration here shuts it down";
	}
	if (n->has_bfd && !n->bfd_up && n->state == FRR_SESSION_IDLE)
		return "BFD does not come up, and FRRouting waits for it: has the neighbour BFD?";
	const char *silence = n->has_bfd && !n->bfd_up ? "BFD does not hear it either" : nullptr;
	if (!n->reset.known || n->reset.age_ms > FRR_REASON_FRESH_MS)
		return silence;
	const char *reason = notified(&n->reset, code);
	for (size_t i = 0; !reason && i < sizeof(words) / sizeof(words[0]); i++)
		if (strstr(n->reset.due_to, words[i].words)) {
			*code = words[i].condition;
			reason = words[i].reason;
		}
	return reason ? reason : silence;
}

/* Sessions that wait for an answer, with or without a password. */
static size_t count_waiting(const struct frr_sync *s, bool password)
{
	const struct config_bgp *bgp = &s->config->bgp;
	size_t count = 0;
	for (size_t i = 0; i < bgp->n_neighbors; i++) {
		const struct frr_session *n = frr_session_of(
			&s->view.show, &bgp->neighbors[i].address);
		count += n && n->state != FRR_SESSION_ESTABLISHED && !n->admin_down &&
			 (bgp->neighbors[i].password_file != nullptr) == password;
	}
	return count;
}

/* The counters belong to no connection: where two sessions wait, they accuse neither. */
static const char *signature_reason(const struct frr_sync *s, const struct config_neighbor *to)
{
	bool password = to->password_file != nullptr;
	uint64_t grew_us = password ? s->md5_wrong_us : s->md5_unexpected_us;
	if (!grew_us || s->view_us > grew_us + FRR_REASON_FRESH_MS * 1000 ||
		count_waiting(s, password) != 1)
		return nullptr;
	return password ? "its segments carry no MD5 signature, or one of another password"
			: "its segments carry an MD5 signature, and no password_file is set";
}

static void no_session(const struct frr_sync *s, const struct config_neighbor *to,
	const struct frr_session *n, const char *address, struct conditions *out)
{
	enum condition_code code;
	const char *reason = frr_session_reason(n, &code);
	const char *signature = reason ? nullptr : signature_reason(s, to);
	if (signature) {
		code = COND_BGP_AUTH_MISMATCH;
		reason = signature;
	}
	if (!reason && s->view_us < s->watch_until_us)
		return; /* it takes a while until a session comes up */
	conditions_add(out, code, address, "no BGP session with %s (%s)%s%s", address,
		frr_session_state_str(n->state), reason ? ": " : "", reason ? reason : "");
}

/* ---- a session that does not carry what it should ---- */

/* Prefixes of ours of a family that are ready to be sent. */
static uint32_t count_ready(const struct frr_show *show, uint8_t family)
{
	uint32_t n = 0;
	for (size_t i = 0; i < show->n_prefixes; i++)
		n += show->prefixes[i].prefix.addr.family == family && show->prefixes[i].in_bgp;
	return n;
}

/* How many of them are held back. */
static uint32_t held_back(
	const struct frr_sync *s, const struct config_neighbor *to, const struct frr_session *n)
{
	const bool wanted[] = {to->ipv4, to->ipv6};
	uint32_t missing = 0;
	for (size_t i = 0; i < 2; i++) {
		uint32_t ready = count_ready(&s->view.show, i ? AF_INET6 : AF_INET);
		if (wanted[i] && n->family[i].active && n->family[i].advertised < ready)
			missing += ready - n->family[i].advertised;
	}
	return missing;
}

static void judge_policy(const struct frr_sync *s, const struct config_neighbor *to,
	const struct frr_session *n, const char *address, struct conditions *out)
{
	if (n->family[0].policy_missing_out || n->family[1].policy_missing_out) {
		conditions_add(out, COND_BGP_NO_EXPORT_POLICY, address,
			"FRRouting sends %s nothing, because there is no policy for it", address);
		return;
	}
	uint32_t missing = n->uptime_ms >= FRR_SESSION_NEW_MS ? held_back(s, to, n) : 0;
	if (missing)
		conditions_add(out, COND_BGP_PREFIX_FILTERED_LOCALLY, address,
			"%u of the ranges in FRRouting's table %s not sent to %s", missing,
			missing == 1 ? "is" : "are", address);
}

static void judge_neighbors(const struct frr_sync *s, struct conditions *out)
{
	const struct config_bgp *bgp = &s->config->bgp;
	for (size_t i = 0; i < bgp->n_neighbors; i++) {
		char address[ADDR_STRLEN];
		const struct config_neighbor *to = &bgp->neighbors[i];
		const struct frr_session *n = frr_session_of(&s->view.show, &to->address);
		addr_str(&to->address, address);
		if (!n || n->state == FRR_SESSION_UNKNOWN || n->listen_range.addr.family)
			continue; /* it is not there yet, or not ours: that is another condition */
		if (n->state == FRR_SESSION_ESTABLISHED)
			judge_policy(s, to, n, address, out);
		else
			no_session(s, to, n, address, out);
	}
}

/* ---- what is not announced at all ---- */

static void judge_prefixes(const struct frr_sync *s, struct conditions *out)
{
	const struct frr_show *show = &s->view.show;
	for (size_t i = 0; i < show->n_prefixes; i++) {
		char text[PREFIX_STRLEN];
		const struct frr_prefix_state *p = &show->prefixes[i];
		bool usable = i < s->routes.n && s->routes.usable[i];
		prefix_str(&p->prefix, text);
		if (!usable)
			conditions_add(out, COND_BGP_PREFIX_NOT_ORIGINATED, text,
				"%s is not announced: the kernel has no usable route for it", text);
		else if (s->in_place && s->view.running.asn == s->config->bgp.asn && !p->in_bgp)
			conditions_add(out, COND_BGP_PREFIX_NOT_ORIGINATED, text,
				"%s is not announced: FRRouting has no valid route for it%s%s",
				text, *p->selected ? "; its best is from " : "", p->selected);
	}
}

/* What was seen to go out, whatever the policies seemed to say. */
static void judge_leaks(const struct frr_sync *s, struct conditions *out)
{
	const struct frr_show *show = &s->view.show;
	for (size_t i = 0; !s->config->bgp.announce_to_others && i < show->n_leaks; i++) {
		char text[PREFIX_STRLEN];
		conditions_add(out, COND_RANGES_LEAK_TO_FOREIGN_NEIGHBOUR, show->leaks[i].peer,
			"neighbour %s is not in meshgw.yaml and is sent %s", show->leaks[i].peer,
			prefix_str(&show->leaks[i].prefix, text));
	}
}

void frr_sessions_collect(const struct frr_sync *s, struct conditions *out)
{
	if (!s->view.show.daemon[FRR_BGPD])
		return;
	judge_neighbors(s, out);
	judge_prefixes(s, out);
	judge_leaks(s, out);
}
