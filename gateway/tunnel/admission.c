/* SPDX-License-Identifier: Apache-2.0 */
#include "connip/request.h"
#include "hub.h"
#include "lib/log.h"
#include <assert.h>

constexpr size_t ANSWERS_MAX = 64; /* addresses in one ADDRESS_ASSIGN */

static void assign(struct member *m, const struct connip_address *asked, size_t n_asked)
{
	struct connip_address list[ANSWERS_MAX];

	connip_session_assign(lane_session(m->peer.lane), list,
		edge_member_addresses(m->seat, asked, n_asked, list, ANSWERS_MAX));
}

void hub_requested(void *, struct lane *l, const struct connip_address *list, size_t n)
{
	struct member *m = lane_data(l);

	if (m->seat)
		assign(m, list, n);
}

static void open_lane(struct member *m, struct quic_stream *s, const struct admission *a)
{
	const struct role_host *host = &m->hub->host;
	const struct connip_prefixes advertise = roster_prefixes(&m->hub->roster->advertise);
	bool scoped = a->scope->kind != SCOPE_ANY;
	const struct edge_node *node;
	uint64_t now_ns = pump_now_ns();

	m->seat = edge_join(m->hub->edge, m->peer.key, m, now_ns);
	assert(m->seat); /* it has a name, or it would be refused */
	node = edge_member_node(m->seat);
	const struct connip_policy policy = {.accept_routes = node->routes,
		.routes = node->routes,
		.addresses = scoped ? (struct connip_prefixes){} : m->hub->roster->nodes.own,
		.scoped = scoped,
		.targets = a->targets,
		.ipproto = a->scope->ipproto,
		.silent = host->config->dialect.static_only,
		.probe = host->config->dialect.static_only ? CONNIP_PROBE_OFF : CONNIP_PROBE_WATCH};
	const struct lane_setup setup = {.role = CONNIP_PROXY,
		.policy = &policy,
		.stream = s,
		.tun = host->tun,
		.mtu = host->config->mtu,
		.events = &m->hub->lane_events,
		.event = host->event,
		.troubles = host->troubles,
		.who = m->who};

	m->peer.lane = lane_new(&setup, now_ns);
	lane_set_data(m->peer.lane, m);
	quic_stream_set_data(s, m->peer.lane);
	assign(m, nullptr, 0);
	connip_session_advertise(lane_session(m->peer.lane), &advertise);
	lane_flush(m->peer.lane);
	member_deliver(m);
	const struct quic_path path = quic_connection_path(m->peer.connection);
	recall_found(m->hub->recall, &path);
	hub_relieve(m->hub, false);
}

/* Each that is judged is worth a line in the log, and a report. */
static bool asks_too_often(struct member *m)
{
	if (!m || bucket_take(&m->requests, 1, pump_now_ns()))
		return false;
	trouble_note(m->hub->host.troubles, TROUBLE_BREACH, m->who,
		"it asks for tunnels again and again, and is refused");
	return true;
}

static enum request_verdict judge(const struct hub *h, const struct member *m,
	const struct quic_request *r, struct scope *scope)
{
	const struct request_head head = {.method = r->method,
		.protocol = r->protocol,
		.scheme = r->scheme,
		.authority = r->authority,
		.path = r->path};
	const struct tunnel_dialect *dialect = &h->host.config->dialect;
	const struct request_rules rules = {.template = h->template,
		.path = *dialect->path ? dialect->path : nullptr,
		.protocol = *dialect->protocol ? dialect->protocol : nullptr};
	enum request_verdict verdict = request_read(&head, &rules, scope);

	if (verdict != REQUEST_ACCEPTED)
		return verdict;
	if (!m || !m->peer.name)
		return REQUEST_FORBIDDEN;
	return m->peer.lane || m->naming ? REQUEST_TOO_MANY : REQUEST_ACCEPTED;
}

void hub_admit(struct hub *h, struct member *m, struct quic_stream *s, const struct admission *a)
{
	char status[REQUEST_PROXY_STATUS_MAX];

	if (a->verdict == REQUEST_ACCEPTED) {
		if (quic_stream_respond(s, 200, nullptr, 0) == 0) {
			open_lane(m, s, a);
			h->host.changed(h->host.arg);
		}
		return;
	}
	const struct quic_field field = {
		"proxy-status", request_proxy_status(a->verdict, "meshgw", a->detail, status)};
	if (a->verdict != REQUEST_TOO_OFTEN)
		log_info("edge", "refused node=%s status=%u", member_name(m),
			request_status(a->verdict));
	(void)quic_stream_respond(s, request_status(a->verdict), &field, 1);
}

void hub_request(void *role, struct quic_stream *s, const struct quic_request *r)
{
	struct hub *h = role;
	struct member *m = quic_connection_data(quic_stream_connection(s));
	struct scope scope = {};
	struct admission a = {.scope = &scope};

	a.verdict = asks_too_often(m) ? REQUEST_TOO_OFTEN : judge(h, m, r, &scope);
	if (a.verdict == REQUEST_ACCEPTED && scope.kind == SCOPE_NAME &&
		member_name_first(m, s, &a))
		return;
	if (scope.kind == SCOPE_PREFIX)
		a.targets = (struct connip_prefixes){&scope.prefix, 1};
	hub_admit(h, m, s, &a);
}

void hub_ended(void *role, struct quic_stream *s, enum quic_end end, uint64_t code)
{
	struct hub *h = role;
	struct lane *l = quic_stream_data(s);
	struct member *m = l ? lane_data(l) : nullptr;

	if (!m) {
		hub_unname(s);
		return;
	}
	log_info("edge", "request ended node=%s how=%s code=0x%lx", member_name(m),
		quic_end_str(end), (unsigned long)code);
	m->peer.lane = nullptr;
	if (end == QUIC_END_PEER)
		lane_ended(l);
	lane_free(l);
	member_leave(m);
	h->host.changed(h->host.arg);
}

/* What a session holds of the configuration. Only what has changed is told. */
void member_refresh(struct member *m, bool advertises)
{
	struct connip_session *session = lane_session(m->peer.lane);
	const struct connip_prefixes advertise = roster_prefixes(&m->hub->roster->advertise);
	struct connip_address list[ANSWERS_MAX];
	const struct connip_address *given;
	size_t n = edge_member_addresses(m->seat, nullptr, 0, list, ANSWERS_MAX);
	bool same = connip_session_given(session, &given) == n;

	connip_session_set_routes(session, &edge_member_node(m->seat)->routes);
	for (size_t i = 0; same && i < n; i++)
		same = prefix_cmp(&given[i].prefix, &list[i].prefix) == 0;
	if (!same)
		connip_session_assign(session, list, n);
	if (advertises)
		connip_session_advertise(session, &advertise);
	lane_flush(m->peer.lane);
}
