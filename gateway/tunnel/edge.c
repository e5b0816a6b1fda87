/* SPDX-License-Identifier: Apache-2.0 */
/*
 * edge: answers connectors. Who they are, which of a node's replicas is active and whose an address
 * is the room edge knows (edge/edge.h); here it meets connections, lanes and packets.
 */
#include "connip/template.h"
#include "edge_report.h"
#include "hub.h"
#include "lib/log.h"
#include "lib/xmalloc.h"
#include "resolver.h"
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <stdlib.h>
#include <string.h>

/* Packets of the kernel. */

struct ends {
	uint8_t family;
	number from, to;
};

static bool read_ends(const struct packet_bytes *packet, struct ends *out)
{
	const uint8_t *p = packet->head;

	if (packet->head_n >= sizeof(struct iphdr) && p[0] >> 4 == 4) {
		*out = (struct ends){AF_INET, number_read(p + offsetof(struct iphdr, saddr), 4),
			number_read(p + offsetof(struct iphdr, daddr), 4)};
		return true;
	}
	if (packet->head_n < sizeof(struct ip6_hdr) || p[0] >> 4 != 6)
		return false;
	*out = (struct ends){AF_INET6, number_read(p + offsetof(struct ip6_hdr, ip6_src), 16),
		number_read(p + offsetof(struct ip6_hdr, ip6_dst), 16)};
	return true;
}

static bool hub_ready(const void *)
{
	return true;
}

static struct lane *hub_find(void *role, const struct packet_bytes *packet, uint64_t, bool *taken)
{
	struct hub *h = role;
	struct ends ends;
	bool known;

	if (!read_ends(packet, &ends))
		return nullptr;
	const struct member *m = edge_find(h->edge, ends.family, ends.to, &known);
	if (m)
		return m->peer.lane;
	*taken = known && !recall_is_over(h->recall);
	if (*taken && !waiting_keep(&h->waiting, packet))
		h->host.losses->full++;
	return nullptr;
}

static bool deliver(void *arg, const struct packet_bytes *packet)
{
	struct member *m = arg;
	struct ends ends;
	bool known;

	if (!read_ends(packet, &ends) || edge_find(m->hub->edge, ends.family, ends.to, &known) != m)
		return false;
	if (lane_admit(m->peer.lane, packet, pump_now_ns()) && lane_queue(m->peer.lane, packet) < 0)
		m->hub->host.losses->full++;
	return true;
}

void member_deliver(struct member *m)
{
	waiting_offer(&m->hub->waiting, deliver, m);
}

/* Who is not back now is somebody who is not there. */
static void on_recalled(void *arg)
{
	struct hub *h = arg;

	h->host.losses->no_peer += waiting_clear(&h->waiting);
}

static bool on_departs(void *, struct lane *l, const struct packet_bytes *packet, uint64_t now_ns)
{
	const struct member *m = lane_data(l);

	return m->seat &&
	       edge_admit(m->seat, EDGE_TO_NODE, packet->head_n + packet->rest_n, now_ns);
}

static bool hub_again(void *, struct lane *l, size_t bytes, uint64_t now_ns)
{
	const struct member *m = lane_data(l);

	return m->seat && edge_admit(m->seat, EDGE_TO_NODE, bytes, now_ns);
}

/* What passed the session is from its node's networks; but another node's may lie inside them. */
static bool on_arrived(void *, struct lane *l, const struct packet_bytes *packet, uint64_t now_ns)
{
	struct member *m = lane_data(l);
	struct ends ends;

	if (!m->seat || !read_ends(packet, &ends))
		return false;
	if (edge_is_foreign(m->seat, ends.family, ends.from)) {
		m->peer.foreign++;
		return false;
	}
	return edge_admit(m->seat, EDGE_FROM_NODE, packet->head_n + packet->rest_n, now_ns);
}

/* Life. */

static void *hub_start(const struct role_host *host)
{
	struct hub *h = xcalloc(1, sizeof(*h));
	struct err err = {};

	h->host = *host;
	h->lane_events = host->lane_events;
	h->lane_events.requested = hub_requested;
	h->lane_events.arrived = on_arrived;
	h->lane_events.departs = on_departs;
	h->roster = roster_new(&host->config->edge);
	h->edge = edge_new(&h->roster->nodes, &hub_edge_events, h);
	if (*host->config->edge.template && template_new(host->config->edge.template,
						    TEMPLATE_OF_PROXY, &h->template, &err) < 0)
		log_err("edge", "every path is taken for its own: %s", err.msg);
	h->resolver = resolver_new(host->event, host->daemon, RESOLVER_US);
	hub_prepare_relief(h);
	if (host->roll)
		h->recall = recall_new(
			host->event, host->roll, host->pump, host->endpoint, on_recalled, h);
	return h;
}

static void hub_stop(void *role)
{
	struct hub *h = role;

	for (struct member *m = h->members, *next; m; m = next) {
		next = m->next;
		lane_free(m->peer.lane);
		member_unname(m);
		free(m);
	}
	sd_event_source_disable_unref(h->relief_timer);
	recall_free(h->recall);
	resolver_free(h->resolver);
	waiting_clear(&h->waiting);
	template_free(h->template);
	edge_free(h->edge);
	roster_free(h->roster);
	free(h);
}

/* Strangers have no name, or an address. */
static bool is_node_or_stranger(void *arg, const char *who)
{
	const struct hub *h = arg;

	return !strchr(who, '/') || roster_knows(h->roster, who);
}

static void hub_reload(void *role, const struct tunnel_config *config)
{
	struct hub *h = role;
	struct roster *former = h->roster;
	bool advertises = !prefix_list_equal(
		&config->edge.advertise, &h->host.config->edge.advertise);

	h->roster = roster_new(&config->edge);
	edge_configure(h->edge, &h->roster->nodes, pump_now_ns());
	roster_free(former);
	h->host.config = config;
	for (struct member *m = h->members; m; m = m->next) {
		member_identify(m);
		if (m->seat && m->peer.lane)
			member_refresh(m, advertises);
	}
	hub_relieve(h, true);
	troubles_keep(h->host.troubles, is_node_or_stranger, h);
	h->host.changed(h->host.arg);
}

static int hub_report(void *role, sd_json_variant **out)
{
	struct hub *h = role;
	int r = 0;

	for (struct member *m = h->members; m && r >= 0; m = m->next) {
		const struct watch_terms terms = {
			m->who, h->host.config->mtu, h->host.config->keepalive_ms * 1'000'000};
		watch_peer(&m->peer, &terms, h->host.troubles);
		m->peer.active = m->seat && edge_member_is_active(m->seat);
		r = peer_report(&m->peer, pump_now_ns(), out);
	}
	return r;
}

static int hub_status(void *role, sd_json_variant **out)
{
	const struct hub *h = role;

	return edge_report(h->edge, &h->roster->nodes, pump_now_ns(), out);
}

static int hub_promote(void *role, const char *node, const char *replica)
{
	struct hub *h = role;
	int r = edge_promote(h->edge, node, replica, pump_now_ns());

	hub_relieve(h, true);
	return r;
}

static const struct lane_told *hub_told(void *)
{
	return nullptr;
}

const struct role edge_role = {
	.start = hub_start,
	.stop = hub_stop,
	.reload = hub_reload,
	.ready = hub_ready,
	.find = hub_find,
	.again = hub_again,
	.established = hub_established,
	.closed = hub_closed,
	.moved = hub_moved,
	.traced = hub_traced,
	.silent = hub_silent,
	.request = hub_request,
	.early = hub_early,
	.ended = hub_ended,
	.report = hub_report,
	.status = hub_status,
	.promote = hub_promote,
	.told = hub_told,
};
