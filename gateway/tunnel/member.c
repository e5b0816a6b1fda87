/* SPDX-License-Identifier: Apache-2.0 */
#include "hub.h"
#include "lib/log.h"
#include "lib/xmalloc.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One at work, and those that its owner has forgotten. */
constexpr unsigned PER_KEY_MAX = 4;
/* So often it is looked whether a replica has answered that was asked. */
constexpr uint64_t RELIEF_US = 50'000;
/* Of one connection; who is refused comes back with another one, and waits before. */
static const struct bucket request_budget = {.rate = 4, .burst = 32};

/* Nodes. */

void member_identify(struct member *m)
{
	const struct edge_replica *replica = nullptr;
	const struct edge_node *node = edge_identify(m->hub->edge, m->peer.key, &replica);

	m->peer.name = node ? node->name : nullptr;
	m->peer.replica = node ? replica->name : nullptr;
	if (node) {
		snprintf(m->who, sizeof(m->who), "%s/%s", node->name, replica->name);
		return;
	}
	const struct quic_path path = quic_connection_path(m->peer.connection);
	char address[QUIC_ADDRESS_LENGTH];
	snprintf(m->who, sizeof(m->who), "%s", quic_address_str(&path.remote, address));
}

const char *member_name(const struct member *m)
{
	return m && m->peer.name ? m->peer.name : "(unknown)";
}

static void on_activated(void *, const char *node, void *owner, enum edge_why why)
{
	const struct member *m = owner;

	log_info("edge", "active node=%s replica=%s why=%s", node, m ? m->peer.replica : "(none)",
		edge_why_str(why));
}

/* Its end comes from the connection. */
static void on_dismissed(void *, void *owner, enum edge_why why)
{
	struct member *m = owner;

	m->seat = nullptr;
	quic_connection_close(m->peer.connection, QUIC_H3_NO_ERROR,
		why == EDGE_WHY_RENEWED ? "superseded" : "no longer a node");
}

const struct edge_events hub_edge_events = {.activated = on_activated, .dismissed = on_dismissed};

/* Silence of an active replica: who else of its node answers? */

void hub_relieve(struct hub *h, bool ask)
{
	uint64_t now_ns = pump_now_ns();
	bool waits = false;

	for (struct member *m = h->members; m; m = m->next) {
		if (!m->seat || !m->peer.lane || !edge_could_relieve(m->seat))
			continue;
		const struct quic_figures f = quic_connection_figures(m->peer.connection);
		edge_relieve(m->seat, f.heard_ns, now_ns);
		if (edge_member_is_active(m->seat))
			h->host.changed(h->host.arg);
		else if (ask)
			lane_ask(m->peer.lane);
		waits |= edge_could_relieve(m->seat);
	}
	(void)sd_event_source_set_time_relative(h->relief_timer, RELIEF_US);
	(void)sd_event_source_set_enabled(h->relief_timer, waits ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
}

static int on_relief_timer(sd_event_source *, uint64_t, void *userdata)
{
	hub_relieve(userdata, false);
	return 0;
}

void hub_prepare_relief(struct hub *h)
{
	if (sd_event_add_time_relative(h->host.event, &h->relief_timer, CLOCK_MONOTONIC, 0, 1000,
		    on_relief_timer, h) < 0)
		out_of_memory();
}

void hub_silent(void *role, struct quic_connection *c, bool silent)
{
	const struct member *m = quic_connection_data(c);
	const struct hub *h = role;

	if (m && !silent) {
		trouble_end(h->host.troubles, TROUBLE_SILENT, m->who);
		h->host.changed(h->host.arg);
	}
	if (!m || !m->seat)
		return;
	edge_member_silent(m->seat, silent, pump_now_ns());
	hub_relieve(role, silent && edge_member_is_active(m->seat));
}

/* Who comes after it may be silent. */
void member_leave(struct member *m)
{
	if (!m->seat)
		return;
	edge_leave(m->seat, pump_now_ns());
	m->seat = nullptr;
	hub_relieve(m->hub, true);
}

/* Connections. */

/* Each costs some 80 KiB. The oldest goes: its owner is here with a newer one. */
static void limit_connections(const struct hub *h, const uint8_t key[static QUIC_KEY_DIGEST])
{
	unsigned n = 0;

	for (struct member *m = h->members; m; m = m->next)
		if (memcmp(m->peer.key, key, QUIC_KEY_DIGEST) == 0 && ++n > PER_KEY_MAX)
			quic_connection_close(
				m->peer.connection, QUIC_H3_NO_ERROR, "too many of this key");
}

/* For who comes after us. */
static void record(struct member *m)
{
	struct roll *roll = m->hub->host.roll;
	const struct quic_trace trace = quic_connection_trace(m->peer.connection);

	recall_heard(m->hub->recall, &trace.path);
	if (roll && m->line == ROLL_NONE)
		m->line = roll_enter(roll, &trace);
	else if (roll)
		roll_change(roll, m->line, &trace);
}

void hub_established(void *role, struct quic_connection *c, const struct quic_peer *peer)
{
	struct hub *h = role;
	struct member *m = xcalloc(1, sizeof(*m));

	m->hub = h;
	m->next = h->members;
	h->members = m;
	m->line = ROLL_NONE;
	m->requests = request_budget;
	peer_note(&m->peer, c, peer, pump_now_ns());
	member_identify(m);
	record(m);
	quic_connection_set_data(c, m);
	limit_connections(h, m->peer.key);
	log_info("edge", "established node=%s replica=%s group=%s resumed=%d", member_name(m),
		m->peer.replica ? m->peer.replica : "", peer->group, peer->resumed);
	h->host.changed(h->host.arg);
}

void hub_closed(void *role, struct quic_connection *c, const struct quic_closed *why)
{
	struct hub *h = role;
	struct member *m = quic_connection_data(c), **at = &h->members;

	if (!m)
		return;
	log_info("edge", "closed node=%s cause=%s code=0x%lx reason=\"%s\"", member_name(m),
		quic_cause_str(why->cause), (unsigned long)why->code, why->reason);
	while (*at != m)
		at = &(*at)->next;
	*at = m->next;
	trouble_end(h->host.troubles, TROUBLE_SILENT, m->who);
	if (why->cause == QUIC_CAUSE_DEAF)
		trouble_note(h->host.troubles, TROUBLE_DEAF, m->who,
			"it acknowledged nothing; its connection was ended");
	member_leave(m);
	member_unname(m);
	if (h->host.roll)
		roll_strike(h->host.roll, m->line);
	free(m);
	h->host.changed(h->host.arg);
}

void hub_traced(void *, struct quic_connection *c)
{
	struct member *m = quic_connection_data(c);

	if (m)
		record(m);
}

void hub_moved(void *role, struct quic_connection *c, const struct quic_path *path)
{
	const struct hub *h = role;
	const struct member *m = quic_connection_data(c);
	char to[QUIC_ADDRESS_LENGTH];

	hub_traced(role, c);
	h->host.changed(h->host.arg);

	if (!m)
		return;
	if (m->peer.name)
		log_info("edge", "moved node=%s to=%s", m->peer.name,
			quic_address_str(&path->remote, to));
}
