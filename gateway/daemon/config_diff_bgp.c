/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/defaults.h"
#include "conf/duration.h"
#include "daemon/config_diff_int.h"

/* ---- The proof of the way back ---- */

void config_state_witnesses(const struct config_network *network, struct config_changes *out)
{
	char text[PREFIX_STRLEN];
	if (!network->learn_witnesses)
		config_state(out, CHANGE_WITNESS, &network->prefix, "%s: none",
			prefix_str(&network->prefix, text));
	for (size_t i = 0; i < network->n_witnesses; i++) {
		const struct config_witness *witness = &network->witnesses[i];
		config_state(out, CHANGE_WITNESS, &network->prefix, "%s port %u",
			addr_str(&witness->address, text), witness->port);
	}
}

static void state_duration(
	struct config_changes *out, const char *what, uint64_t us, uint64_t unless)
{
	char text[DURATION_STRLEN];
	if (us != unless)
		config_state(out, CHANGE_PROBE, nullptr, "%s %s", what, duration_str(us, text));
}

static void state_number(struct config_changes *out, const char *what, uint32_t n, uint32_t unless)
{
	if (n != unless)
		config_state(out, CHANGE_PROBE, nullptr, "%s %u", what, n);
}

void config_state_probe(const struct config_probe *probe, struct config_changes *out)
{
	const struct config_probe *d = &default_probe;
	char text[ADDR_STRLEN];
	for (size_t i = 0; i < sizeof(probe->source) / sizeof(probe->source[0]); i++)
		if (probe->source[i].family != AF_UNSPEC)
			config_state(out, CHANGE_PROBE, nullptr, "source %s",
				addr_str(&probe->source[i], text));
	state_duration(out, "interval", probe->interval_us, d->interval_us);
	state_duration(out, "after_event", probe->after_event_us, d->after_event_us);
	state_duration(out, "timeout", probe->timeout_us, d->timeout_us);
	state_number(out, "lost_after", probe->lost_rounds, d->lost_rounds);
	state_number(out, "lost_of", probe->lost_of, d->lost_of);
	state_number(out, "proven_after", probe->proven_rounds, d->proven_rounds);
	state_duration(out, "proven_hold", probe->proven_hold_us, d->proven_hold_us);
	state_number(out, "witnesses", probe->max_witnesses, d->max_witnesses);
	if (probe->accept_neighbor)
		config_state(out, CHANGE_PROBE, nullptr, "accept_neighbor");
}

void config_state_remedies(uint32_t remedies, struct config_changes *out)
{
	for (enum remedy remedy = 0; remedy < REMEDIES; remedy++)
		if (remedies & 1U << remedy)
			config_state(out, CHANGE_REMEDY, nullptr, "%s", remedy_str(remedy));
}

/* ---- BGP ---- */

/* One neighbour; each statement begins with its address, which it is sorted by too. */
struct speaker {
	const struct config_neighbor *neighbor;
	struct config_changes *out;
	struct prefix about;
	char name[ADDR_STRLEN];
};

#define STATE(speaker, fmt, ...)                                                   \
	config_state((speaker)->out, CHANGE_NEIGHBOR, &(speaker)->about, "%s" fmt, \
		(speaker)->name __VA_OPT__(, ) __VA_ARGS__)

static void state_peer(const struct speaker *s)
{
	static const char *const families[] = {"no family", "IPv4", "IPv6", "IPv4 and IPv6"};
	static const char *const words[] = {
		[REMOTE_AS_EXTERNAL] = "external",
		[REMOTE_AS_INTERNAL] = "internal",
	};
	const struct config_neighbor *n = s->neighbor;
	const char *family = families[n->ipv4 + 2 * n->ipv6];
	if (n->remote_as == REMOTE_AS_NUMBER)
		STATE(s, ": AS %u, %s", n->asn, family);
	else
		STATE(s, ": %s, %s", words[n->remote_as], family);
}

static void state_times(const struct speaker *s)
{
	const struct config_neighbor *n = s->neighbor;
	char a[DURATION_STRLEN], b[DURATION_STRLEN];
	if (n->bfd)
		STATE(s, ": BFD %u misses, receive %s, transmit %s", n->bfd_multiplier,
			duration_str(n->bfd_receive_ms * USEC_PER_MS, a),
			duration_str(n->bfd_transmit_ms * USEC_PER_MS, b));
	if (n->timers_own)
		STATE(s, ": keepalive %s, hold %s", duration_str(n->keepalive_s * USEC_PER_S, a),
			duration_str(n->hold_s * USEC_PER_S, b));
	if (n->connect_s)
		STATE(s, ": connect %s", duration_str(n->connect_s * USEC_PER_S, a));
}

static void state_session(const struct speaker *s)
{
	const struct config_neighbor *n = s->neighbor;
	if (n->description)
		STATE(s, ": description %s", n->description);
	if (n->password_file)
		STATE(s, ": password from %s", n->password_file);
	if (n->update_source)
		STATE(s, ": from %s", n->update_source);
	if (n->ebgp_multihop)
		STATE(s, ": ebgp_multihop %u", n->ebgp_multihop);
	if (n->ttl_security_hops)
		STATE(s, ": ttl_security %u", n->ttl_security_hops);
	if (n->adopt)
		STATE(s, ": adopted");
}

static void state_policy(const struct speaker *s)
{
	const struct config_neighbor *n = s->neighbor;
	char text[PREFIX_STRLEN];
	for (size_t i = 0; i < n->n_communities; i++)
		STATE(s, ": community %s", n->communities[i]);
	if (n->maximum_prefix)
		STATE(s, ": maximum_prefix %u", n->maximum_prefix);
	for (size_t i = 0; i < n->n_accept; i++) {
		const struct config_accept *accept = &n->accept[i];
		prefix_str(&accept->prefix, text);
		if (accept->le == accept->prefix.len)
			STATE(s, ": accepts %s", text);
		else
			STATE(s, ": accepts %s up to /%u", text, accept->le);
	}
}

static void state_neighbor(const struct config_neighbor *neighbor, struct config_changes *out)
{
	struct speaker speaker = {
		.neighbor = neighbor, .out = out, .about = prefix_of(&neighbor->address)};
	addr_str(&neighbor->address, speaker.name);
	state_peer(&speaker);
	state_session(&speaker);
	state_times(&speaker);
	state_policy(&speaker);
}

void config_state_bgp(const struct config_bgp *bgp, struct config_changes *out)
{
	char text[ADDR_STRLEN];
	if (!bgp->configured)
		return;
	config_state(out, CHANGE_BGP, nullptr, "AS %u", bgp->asn);
	if (bgp->router_id.family != AF_UNSPEC)
		config_state(
			out, CHANGE_BGP, nullptr, "router ID %s", addr_str(&bgp->router_id, text));
	if (bgp->announce_to_others)
		config_state(out, CHANGE_BGP, nullptr, "announce_to_others");
	for (size_t i = 0; i < bgp->n_neighbors; i++)
		state_neighbor(&bgp->neighbors[i], out);
}
