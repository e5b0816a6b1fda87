/* SPDX-License-Identifier: Apache-2.0 */
#include "dial.h"
#include "connip/template.h"
#include "lib/log.h"
#include "quic/connection.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

bool dial_name(const struct role_host *host, size_t at, char who[static DIAL_WHO])
{
	const struct tunnel_target *t = &host->config->connector.edges[at];
	char text[ADDR_STRLEN];

	if (t->name)
		snprintf(who, DIAL_WHO, "%s", t->name);
	else
		snprintf(who, DIAL_WHO, t->address.family == AF_INET6 ? "[%s]:%u" : "%s:%u",
			addr_str(&t->address, text), t->port);
	return t->name != nullptr;
}

static void quic_address_of(const struct tunnel_target *t, union quic_address *out)
{
	*out = (union quic_address){.sa.sa_family = t->address.family};
	if (t->address.family == AF_INET) {
		memcpy(&out->in.sin_addr, t->address.b, sizeof(out->in.sin_addr));
		out->in.sin_port = htons(t->port);
		return;
	}
	memcpy(&out->in6.sin6_addr, t->address.b, sizeof(out->in6.sin6_addr));
	out->in6.sin6_port = htons(t->port);
}

static int path_of_request(const struct tunnel_config *config, char path[TEMPLATE_TARGET_MAX])
{
	const struct template_values all = {.target = "*", .ipproto = "*"};
	struct template *t = nullptr;
	struct err err = {};

	if (*config->dialect.path) {
		memccpy(path, config->dialect.path, 0, TEMPLATE_TARGET_MAX);
		return 0;
	}
	int r = template_new(config->connector.template, TEMPLATE_OF_CLIENT, &t, &err);
	if (r < 0) {
		log_err("connector", "%s", err.msg);
		return r;
	}
	r = template_expand(t, &all, path);
	template_free(t);
	return r;
}

int dial_edge(const struct role_host *host, size_t at, struct quic_stream **stream, struct err *err)
{
	const struct tunnel_config *config = host->config;
	const struct tunnel_dialect *dialect = &config->dialect;
	char path[TEMPLATE_TARGET_MAX] = {};
	union quic_address remote;
	struct quic_dial dial = {.server_name = config->connector.server_name,
		.request = {.method = "CONNECT",
			.protocol = *dialect->protocol ? dialect->protocol : "connect-ip",
			.scheme = "https",
			.authority = *dialect->authority ? dialect->authority
							 : config->connector.authority,
			.path = path,
			.capsules = true}};

	quic_address_of(&config->connector.edges[at], &remote);
	if (path_of_request(config, path) < 0)
		return err_set(err, EINVAL, "the template cannot be used");
	int r = pump_path(host->pump, &remote, &dial.path);
	if (r < 0)
		return err_set(err, -r, "no socket of the edge's family");
	return quic_connect(host->endpoint, &dial, pump_now_ns(), stream, err);
}

static struct connip_prefixes prefixes(const struct prefix_list *l)
{
	return (struct connip_prefixes){l->list, l->n};
}

/* What the edge is to know and to give. */
static void open_session(const struct tunnel_config *config, struct connip_session *s)
{
	const struct prefix any[] = {{{.family = AF_INET}, 32}, {{.family = AF_INET6}, 128}};
	const struct connip_prefixes advertise = prefixes(&config->connector.advertise);

	connip_session_advertise(s, &advertise);
	if (config->connector.addresses.n == 0 && !config->dialect.static_only)
		connip_session_expect(s, any, 2, pump_now_ns());
}

struct lane *dial_open_lane(
	const struct role_host *host, struct quic_stream *stream, const char *who)
{
	const struct tunnel_config *config = host->config;
	const struct tunnel_connector *connector = &config->connector;
	const struct connip_policy policy = {
		.accept_addresses = prefixes(&connector->accept_addresses),
		.accept_routes = prefixes(&connector->accept_routes),
		.addresses = prefixes(&connector->addresses),
		.routes = prefixes(&connector->routes),
		.max_routes = connector->max_routes,
		.silent = config->dialect.static_only,
		.probe = config->dialect.static_only ? CONNIP_PROBE_OFF : CONNIP_PROBE_WATCH};
	const struct lane_setup setup = {.role = CONNIP_CLIENT,
		.policy = &policy,
		.stream = stream,
		.tun = host->tun,
		.mtu = config->mtu,
		.events = &host->lane_events,
		.event = host->event,
		.troubles = host->troubles,
		.who = who};
	struct lane *l = lane_new(&setup, pump_now_ns());

	quic_stream_set_data(stream, l);
	open_session(config, lane_session(l));
	lane_flush(l);
	return l;
}

/* RFC 9001 s4.8: 0x100 and an alert of TLS; those of RFC 8446 s6.2 that speak of a certificate. */
static bool is_about_certificate(const struct quic_closed *why)
{
	static const uint8_t alerts[] = {42, 43, 44, 45, 46, 48, 49, 116};

	for (size_t i = 0; i < sizeof(alerts); i++)
		if (!why->application && why->code == UINT64_C(0x100) + alerts[i])
			return true;
	return false;
}

void dial_complain(const struct role_host *host, const char *who, const struct quic_closed *why)
{
	struct troubles *t = host->troubles;

	if (why->cause == QUIC_CAUSE_HANDSHAKE)
		trouble_note(t, TROUBLE_UNREACHED, who, "it does not answer");
	else if (why->cause == QUIC_CAUSE_IDENTITY)
		trouble_note(t, TROUBLE_STRANGE, who, "%s", why->reason);
	else if (why->cause == QUIC_CAUSE_CERTIFICATE)
		trouble_note(
			t, TROUBLE_INVALID, who, "its certificate does not hold: %s", why->reason);
	else if (why->cause == QUIC_CAUSE_PEER && is_about_certificate(why))
		trouble_note(t, TROUBLE_UNWELCOME, who, "it does not accept our certificate: %s",
			why->reason);
}

void dial_content(const struct role_host *host, const char *who)
{
	for (int kind = TROUBLE_UNREACHED; kind <= TROUBLE_REFUSED; kind++)
		trouble_end(host->troubles, (enum trouble_kind)kind, who);
}
