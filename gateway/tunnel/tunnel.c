/* SPDX-License-Identifier: Apache-2.0 */
#include "tunnel.h"
#include "cargo.h"
#include "dispatch.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/xmalloc.h"
#include "pump.h"
#include "role.h"
#include "watch.h"
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* Room for QUIC and HTTP around an inner packet; what path MTU discovery is to reach. */
constexpr size_t OVERHEAD = 64;
/* Where nobody answers there may be another edge to try. */
constexpr uint64_t HANDSHAKE_NS = 5'000'000'000;
constexpr size_t PAYLOAD_LEAST = 1472;

struct tunnel {
	sd_event *event;
	struct tunnel_events events;
	struct tunnel_config *config;
	const char *daemon;
	struct tun *tun;
	struct pump *pump;
	struct quic_endpoint *endpoint;
	struct roll *roll;
	struct troubles *troubles;
	struct watch_door door;
	const struct role *role;
	void *role_data;
	struct cargo *cargo;
	struct dispatch dispatch;
	struct losses losses;
};

/* Turns. */

/* A turn of the pump: what came in goes to the kernel; what waited for a window goes on. */
static void on_turned(void *arg, uint64_t now_ns)
{
	struct tunnel *t = arg;

	tun_flush(t->tun);
	cargo_turned(t->cargo, now_ns);
}

static void on_turn(void *arg)
{
	struct tunnel *t = arg;
	uint64_t now_ns = pump_now_ns();

	pump_begin(t->pump, now_ns);
	on_turned(t, now_ns);
	pump_write(t->pump, now_ns);
}

static void on_told(void *arg, struct lane *)
{
	struct tunnel *t = arg;

	t->events.changed(t->events.arg);
}

/* Life. */

static struct quic_identity identity_of(const struct tunnel_config *c, const struct pin_list *pins)
{
	return (struct quic_identity){.certificate = c->certificate,
		.key = c->key,
		.pins = (const uint8_t(*)[QUIC_KEY_DIGEST])pins->list,
		.n_pins = pins->n,
		.ca = c->ca,
		.groups = *c->groups ? c->groups : nullptr};
}

static struct quic_limits limits_of(const struct tunnel_limits *limits)
{
	return (struct quic_limits){.handshakes_per_prefix = limits->handshakes_per_prefix,
		.unauthenticated = limits->unauthenticated,
		.retry_above = limits->retry_above,
		.retry_always = limits->retry_above == 0,
		.connections = limits->connections};
}

static int make_endpoint(struct tunnel *t, struct err *err)
{
	const struct tunnel_config *c = t->config;
	struct pin_list pins = tunnel_config_pins(c);
	size_t payload = c->mtu + OVERHEAD;
	struct quic_setting *settings = xcalloc(c->dialect.n_settings, sizeof(*settings));

	for (size_t i = 0; i < c->dialect.n_settings; i++)
		settings[i] = (struct quic_setting){
			c->dialect.settings[i].id, c->dialect.settings[i].value};
	const struct quic_config config = {.accept = c->role == TUNNEL_EDGE,
		.identity = identity_of(c, &pins),
		.limits = limits_of(&c->edge.limits),
		.dialect = {.protocol = *c->dialect.protocol ? c->dialect.protocol : nullptr,
			.ignore_missing_connect_protocol =
				c->dialect.ignore_missing_connect_protocol,
			.settings = settings,
			.n_settings = c->dialect.n_settings},
		.keep_alive_ns = c->keepalive_ms * 1'000'000,
		.idle_ns = c->idle_ms * 1'000'000,
		.handshake_ns = HANDSHAKE_NS,
		.payload_max = payload > PAYLOAD_LEAST ? payload : PAYLOAD_LEAST};
	int r = quic_endpoint_new(
		&t->endpoint, &config, &dispatch_events, &t->dispatch, pump_now_ns(), err);
	free(pins.list);
	free(settings);
	return r < 0 ? err_ctx(err, "quic") : 0;
}

static void start_role(struct tunnel *t)
{
	const struct role_host host = {.event = t->event,
		.config = t->config,
		.pump = t->pump,
		.tun = t->tun,
		.endpoint = t->endpoint,
		.roll = t->roll,
		.daemon = t->daemon,
		.troubles = t->troubles,
		.losses = &t->losses,
		.lane_events = {.told = on_told, .turn = on_turn, .arg = t},
		.changed = t->events.changed,
		.arg = t->events.arg};

	t->role = t->config->role == TUNNEL_EDGE ? &edge_role : &connector_role;
	t->role_data = t->role->start(&host);
}

static void start_cargo(struct tunnel *t)
{
	const struct cargo_setup setup = {.event = t->event,
		.tun = t->tun,
		.pump = t->pump,
		.role = t->role,
		.role_data = t->role_data,
		.losses = &t->losses,
		.broken = t->events.broken,
		.arg = t->events.arg};

	t->cargo = cargo_new(&setup);
	t->dispatch = (struct dispatch){t->role, t->role_data, t->cargo, t->pump};
}

static int add_sockets(struct tunnel *t, const int *sockets, unsigned n, struct err *err)
{
	int r = 0;

	for (unsigned i = 0; i < n; i++)
		if (r < 0)
			close(sockets[i]);
		else
			r = pump_add_socket(t->pump, sockets[i], err);
	return r;
}

/* Without it connections are not recorded; nothing else is worse. */
static void open_roll(struct tunnel *t, int take_memory)
{
	struct err err = {};

	if (take_memory >= 0 && roll_open(take_memory, &t->roll, &err) < 0)
		log_warn("tunnel", "%s", err.msg);
}

static int set_up(struct tunnel *t, const struct tunnel_given *given, struct err *err)
{
	const struct pump_events pump_events = {on_turned, t};

	open_roll(t, given->memory);
	t->pump = pump_new(t->event, t->config->role == TUNNEL_CONNECTOR, &pump_events);
	int of_sockets = add_sockets(t, given->sockets, given->n_sockets, err);
	int r = tun_new(given->tun, &t->tun, err);
	if (r < 0 || of_sockets < 0)
		return r < 0 ? r : of_sockets;
	r = make_endpoint(t, err);
	if (r < 0)
		return r;
	pump_set_endpoint(t->pump, t->endpoint);
	start_role(t);
	start_cargo(t);
	return 0;
}

int tunnel_check(const struct tunnel_config *config, struct err *err)
{
	struct pin_list pins = tunnel_config_pins(config);
	const struct quic_identity identity = identity_of(config, &pins);
	int r = quic_endpoint_check(&identity, err);

	free(pins.list);
	return r < 0 ? err_ctx(err, "quic") : 0;
}

int tunnel_new(sd_event *event, const struct tunnel_given *take, const struct tunnel_events *events,
	struct tunnel **out, struct err *err)
{
	struct tunnel *t = xcalloc(1, sizeof(*t));

	t->event = sd_event_ref(event);
	t->events = *events;
	t->troubles = troubles_new(events->changed, events->arg);
	t->config = take->config;
	t->daemon = take->daemon;
	int r = set_up(t, take, err);
	if (r < 0) {
		tunnel_free(t);
		return r;
	}
	*out = t;
	return 0;
}

void tunnel_free(struct tunnel *t)
{
	if (!t)
		return;
	if (t->endpoint) {
		uint64_t now_ns = pump_now_ns();
		quic_endpoint_shutdown(t->endpoint, now_ns);
		pump_write(t->pump, now_ns);
	}
	if (t->role)
		t->role->stop(t->role_data);
	roll_close(t->roll);
	pump_free(t->pump);
	cargo_free(t->cargo);
	tun_free(t->tun);
	tunnel_config_free(t->config);
	troubles_free(t->troubles);
	sd_event_unref(t->event);
	free(t);
}

const struct tunnel_config *tunnel_config(const struct tunnel *t)
{
	return t->config;
}

bool tunnel_has_device(const struct tunnel *t, int tun)
{
	return tun_is_same(t->tun, tun);
}

bool tunnel_has_sockets(const struct tunnel *t, const int *sockets, unsigned n)
{
	return pump_has_sockets(t->pump, sockets, n);
}

bool tunnel_may_move(const struct tunnel *t, const int *sockets, unsigned n)
{
	return pump_has_families(t->pump, sockets, n);
}

int tunnel_move(struct tunnel *t, const int *sockets, unsigned n, struct err *err)
{
	uint64_t now_ns = pump_now_ns();

	pump_retire_sockets(t->pump);
	int r = add_sockets(t, sockets, n, err);
	pump_begin(t->pump, now_ns);
	t->role->resocketed(t->role_data, now_ns);
	pump_write(t->pump, now_ns);
	return r;
}

unsigned tunnel_open(const struct tunnel *t, int *fds, unsigned max)
{
	fds[0] = tun_fd(t->tun);
	return 1 + pump_sockets(t->pump, fds + 1, max - 1);
}

int tunnel_reload(struct tunnel *t, struct tunnel_config *take_config, struct err *err)
{
	struct pin_list pins = tunnel_config_pins(take_config);
	const struct quic_identity identity = identity_of(take_config, &pins);
	uint64_t now_ns = pump_now_ns();

	int r = quic_endpoint_reload(t->endpoint, &identity, now_ns, err);
	free(pins.list);
	if (r < 0)
		return r;
	const struct quic_limits limits = limits_of(&take_config->edge.limits);
	quic_endpoint_limit(t->endpoint, &limits);
	t->role->reload(t->role_data, take_config);
	tunnel_config_free(t->config);
	t->config = take_config;
	pump_write(t->pump, now_ns);
	return 0;
}

void tunnel_ping(struct tunnel *t)
{
	quic_endpoint_ping(t->endpoint);
	pump_write(t->pump, pump_now_ns());
}

const struct lane_told *tunnel_told(const struct tunnel *t)
{
	return t->role->told(t->role_data);
}

static int counters_report(const struct tunnel *t, sd_json_variant **out)
{
	const struct quic_counters *q = quic_endpoint_counters(t->endpoint);
	const struct tun_counters *k = tun_counters(t->tun);
	const struct udp_counters u = pump_counters(t->pump);

	return sd_json_buildo(out, SD_JSON_BUILD_PAIR_UNSIGNED("noPeer", t->losses.no_peer),
		SD_JSON_BUILD_PAIR_UNSIGNED("tooBig", t->losses.too_big),
		SD_JSON_BUILD_PAIR_UNSIGNED("queueFull", t->losses.full),
		SD_JSON_BUILD_PAIR_UNSIGNED("tunRead", k->read),
		SD_JSON_BUILD_PAIR_UNSIGNED("tunWritten", k->written),
		SD_JSON_BUILD_PAIR_UNSIGNED("tunLost", k->lost),
		SD_JSON_BUILD_PAIR_UNSIGNED("udpSent", u.sent),
		SD_JSON_BUILD_PAIR_UNSIGNED("udpSendCalls", u.send_calls),
		SD_JSON_BUILD_PAIR_UNSIGNED("udpReceived", u.received),
		SD_JSON_BUILD_PAIR_UNSIGNED("udpReceiveCalls", u.receive_calls),
		SD_JSON_BUILD_PAIR_UNSIGNED("udpLost", u.lost),
		SD_JSON_BUILD_PAIR_UNSIGNED("datagramsIn", q->datagrams_in),
		SD_JSON_BUILD_PAIR_UNSIGNED("datagramsOut", q->datagrams_out),
		SD_JSON_BUILD_PAIR_UNSIGNED("retries", q->retries),
		SD_JSON_BUILD_PAIR_UNSIGNED("resets", q->resets),
		SD_JSON_BUILD_PAIR_UNSIGNED("refused", q->over_budget + q->over_cap),
		SD_JSON_BUILD_PAIR_UNSIGNED("handshakesFailed", q->handshakes_failed));
}

int tunnel_promote(struct tunnel *t, const char *node, const char *replica)
{
	if (!t->role->promote)
		return -EOPNOTSUPP;
	int r = t->role->promote(t->role_data, node, replica);
	pump_write(t->pump, pump_now_ns());
	return r;
}

int tunnel_report(struct tunnel *t, sd_json_variant **out)
{
	const char *role = t->config->role == TUNNEL_EDGE ? "edge" : "connector";
	autojson sd_json_variant *peers = nullptr, *counters = nullptr, *own = nullptr,
				 *troubles = nullptr;
	int r = sd_json_variant_new_array(&peers, nullptr, 0);

	pump_listen(t->pump, pump_now_ns());
	if (r >= 0)
		r = t->role->report(t->role_data, &peers);
	if (r >= 0)
		r = counters_report(t, &counters);
	watch_strangers(&t->door, quic_endpoint_counters(t->endpoint), t->troubles);
	if (r >= 0)
		r = troubles_report(t->troubles, &troubles);
	if (r >= 0 && t->role->status)
		r = t->role->status(t->role_data, &own);
	if (r < 0)
		return r;
	return sd_json_buildo(out, SD_JSON_BUILD_PAIR_STRING("role", role),
		SD_JSON_BUILD_PAIR_CONDITION(own != nullptr, role, SD_JSON_BUILD_VARIANT(own)),
		SD_JSON_BUILD_PAIR_VARIANT("peers", peers),
		SD_JSON_BUILD_PAIR_VARIANT("counters", counters),
		SD_JSON_BUILD_PAIR_VARIANT("troubles", troubles));
}
