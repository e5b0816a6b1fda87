/* SPDX-License-Identifier: Apache-2.0 */
#include "tunnel.h"
#include "connip/stray.h"
#include "data/segment.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/xmalloc.h"
#include "pump.h"
#include "role.h"
#include "share.h"
#include "watch.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* So many packets in one turn are mostly answered by the kernel as soon as they are written: what
 * it says goes along with the acknowledgement. */
constexpr unsigned ANSWERED = 8;
/* Room for QUIC and HTTP around an inner packet; what path MTU discovery is to reach. */
constexpr size_t OVERHEAD = 64;
/* Where nobody answers there may be another edge to try. */
constexpr uint64_t HANDSHAKE_NS = 5'000'000'000;
/* Who is away for so long may be back before anybody has to know; TCP asks again after a second. */
constexpr uint64_t SHORT_NS = 3'000'000'000;
constexpr size_t PAYLOAD_LEAST = 1472;

/* What a super-packet's headers say is the same in all of its pieces: it is judged once. */
struct verdict {
	struct lane *lane; /* nullptr = none yet */
	size_t n;          /* no longer than that */
	bool over;         /* beyond its peer's share */
};

/* The super-packet under way. */
struct cargo {
	struct segment segment;
	struct segment_piece piece;
	struct lane *lane; /* that a piece waits for; nullptr = none waits */
	struct verdict verdict;
	uint8_t head[TUN_HEADROOM + SEGMENT_HEAD_MAX];
	uint8_t buffer[TUN_BUFFER];
};

struct tunnel_counters {
	uint64_t no_peer; /* packets of the kernel that nobody was there for */
	uint64_t too_big; /* before path MTU discovery was done */
	uint64_t full;    /* a peer's queue */
	uint64_t broken;  /* super-packets that made no sense */
};

struct tunnel {
	sd_event *event;
	struct tunnel_events events;
	struct tunnel_config *config;
	struct tun *tun;
	struct pump *pump;
	struct quic_endpoint *endpoint;
	struct roll *roll;
	struct troubles *troubles;
	struct watch_door door;
	const struct role *role;
	void *role_data;
	sd_event_source *source; /* of the TUN device */
	bool reading;
	bool room;        /* the window may be open again */
	unsigned arrived; /* packets of peers in this turn */
	struct share share;
	struct cargo cargo;
	struct bucket strays;    /* messages about packets that nobody is there for … */
	uint64_t strays_from_ns; /* … which may be only a moment, before this */
	struct tunnel_counters counters;
};

/* Out: packets of the kernel. */

static void set_reading(struct tunnel *t, bool reading)
{
	if (t->reading == reading)
		return;
	t->reading = reading;
	(void)sd_event_source_set_enabled(t->source, reading ? SD_EVENT_ON : SD_EVENT_OFF);
}

static struct packet_bytes piece_bytes(const struct segment_piece *p)
{
	return (struct packet_bytes){p->head, p->head_n, p->payload, p->payload_n};
}

/* The packet that was admitted to its lane. False: it has to wait. */
static bool send_piece(struct tunnel *t, uint64_t now_ns)
{
	const struct packet_bytes bytes = piece_bytes(&t->cargo.piece);
	struct lane *l = t->cargo.lane;
	int r = t->cargo.verdict.over ? -EAGAIN : lane_send(l, &bytes, pump_batch(t->pump), now_ns);

	if (r == -ENOBUFS) {
		pump_write(t->pump, now_ns);
		if (!t->cargo.lane) /* it has ended: on_ended() */
			return true;
		if (!pump_ready(t->pump)) {
			t->room = true; /* it is not the window that it waits for */
			return false;
		}
		r = lane_send(l, &bytes, pump_batch(t->pump), now_ns);
	}
	if (r == -EAGAIN && t->role->waits)
		return false;
	if (r == -EAGAIN)
		t->counters.full += lane_queue(l, &bytes) < 0;
	else
		t->counters.too_big += r == -EMSGSIZE;
	t->cargo.lane = nullptr;
	return true;
}

/* Nobody is there for it. */
static void refuse_stray(struct tunnel *t, const struct packet_bytes *bytes, uint64_t now_ns)
{
	struct connip_answer answer;

	t->counters.no_peer++;
	if (now_ns < t->strays_from_ns)
		return;
	stray_answer(&t->strays, bytes, now_ns, &answer);
	if (answer.n)
		tun_write(t->tun, answer.bytes, answer.n);
}

static struct lane *judge(struct tunnel *t, uint64_t now_ns)
{
	struct verdict *v = &t->cargo.verdict;
	const struct packet_bytes bytes = piece_bytes(&t->cargo.piece);
	size_t n = bytes.head_n + bytes.rest_n;

	if (v->lane && n <= v->n) {
		if (t->role->again && !t->role->again(t->role_data, v->lane, n, now_ns))
			return nullptr;
		lane_admit_again(v->lane);
		return v->lane;
	}
	struct lane *l = t->role->find(t->role_data, &bytes, now_ns);
	if (!l)
		refuse_stray(t, &bytes, now_ns);
	if (!l || !lane_admit(l, &bytes, now_ns))
		return nullptr;
	*v = (struct verdict){
		l, n, !t->role->waits && share_is_over(&t->share, lane_part(l), now_ns)};
	return l;
}

/* The rest of the super-packet. False: it has to wait. */
static bool send_cargo(struct tunnel *t, uint64_t now_ns)
{
	struct cargo *c = &t->cargo;

	c->verdict = (struct verdict){}; /* what waited may have waited long */
	if (c->lane && !send_piece(t, now_ns))
		return false;
	while (segment_next(&c->segment, c->head + TUN_HEADROOM, &c->piece)) {
		c->lane = judge(t, now_ns);
		if (c->lane && !send_piece(t, now_ns))
			return false;
	}
	return true;
}

/* False: nothing more can be done now. */
static bool carry(struct tunnel *t, uint64_t now_ns)
{
	struct virtio_net_hdr vnet;
	int n = tun_read(t->tun, &vnet, t->cargo.buffer);

	if (n == -EAGAIN || n == -EINTR)
		return false;
	if (n < 0) {
		set_reading(t, false);
		t->events.broken(t->events.arg, strerror(-n));
		return false;
	}
	share_read(&t->share, (size_t)n);
	if (segment_begin(&t->cargo.segment, &vnet, t->cargo.buffer + TUN_HEADROOM, (size_t)n) <
		0) {
		t->counters.broken++;
		t->cargo.segment = (struct segment){};
		return true;
	}
	return send_cargo(t, now_ns);
}

/* Reads as much as a turn takes. Whoever cannot send stops reading until `room`. */
static void send_packets(struct tunnel *t, uint64_t now_ns)
{
	bool go_on = pump_ready(t->pump) && t->role->ready(t->role_data) && send_cargo(t, now_ns);

	set_reading(t, go_on);
	share_begin(&t->share);
	while (go_on && share_may_read(&t->share, now_ns)) {
		go_on = carry(t, now_ns);
		if (t->cargo.lane)
			set_reading(t, false);
	}
}

static int on_tun(sd_event_source *, int, uint32_t, void *userdata)
{
	struct tunnel *t = userdata;
	uint64_t now_ns = pump_now_ns();

	pump_begin(t->pump, now_ns);
	send_packets(t, now_ns);
	tun_flush(t->tun); /* what is answered by ICMP */
	pump_write(t->pump, now_ns);
	return 0;
}

/* A turn of the pump: what came in goes to the kernel; what waited for a window goes on. */
static void on_turned(void *arg, uint64_t now_ns)
{
	struct tunnel *t = arg;

	tun_flush(t->tun);
	bool goes_on = !t->reading && (t->room || !t->cargo.lane);
	bool many = t->reading && t->arrived >= ANSWERED;
	t->arrived = 0;
	if (pump_ready(t->pump) && (goes_on || many)) {
		t->room = false;
		send_packets(t, now_ns);
		tun_flush(t->tun);
	}
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

/* Events of the endpoint. */

static void on_established(void *user, struct quic_connection *c, const struct quic_peer *peer)
{
	struct tunnel *t = user;

	t->role->established(t->role_data, c, peer);
}

static void on_closed(void *user, struct quic_connection *c, const struct quic_closed *why)
{
	struct tunnel *t = user;

	t->role->closed(t->role_data, c, why);
}

static void on_moved(void *user, struct quic_connection *c, const struct quic_path *path)
{
	struct tunnel *t = user;

	t->role->moved(t->role_data, c, path);
}

static void on_silent(void *user, struct quic_connection *c, bool silent)
{
	struct tunnel *t = user;

	if (t->role->silent)
		t->role->silent(t->role_data, c, silent);
}

static void on_stranded(void *user, struct quic_connection *c)
{
	struct tunnel *t = user;

	if (t->role->stranded)
		t->role->stranded(t->role_data, c);
}

static void on_traced(void *user, struct quic_connection *c)
{
	struct tunnel *t = user;

	if (t->role->traced)
		t->role->traced(t->role_data, c);
}

static void on_request(void *user, struct quic_stream *s, const struct quic_request *request)
{
	struct tunnel *t = user;

	if (t->role->request)
		t->role->request(t->role_data, s, request);
}

static void on_response(void *user, struct quic_stream *s, const struct quic_response *response)
{
	struct tunnel *t = user;

	if (t->role->response)
		t->role->response(t->role_data, s, response);
}

static void on_bytes(void *, struct quic_stream *s, const uint8_t *bytes, size_t n)
{
	struct lane *l = quic_stream_data(s);

	if (l)
		lane_bytes(l, bytes, n, false, pump_now_ns());
}

static void on_finished(void *, struct quic_stream *s)
{
	struct lane *l = quic_stream_data(s);

	if (l)
		lane_bytes(l, nullptr, 0, true, pump_now_ns());
	else
		quic_stream_finish(s);
}

static void on_writable(void *, struct quic_stream *s)
{
	struct lane *l = quic_stream_data(s);

	if (l)
		lane_flush(l);
}

/* A packet that waited for this lane has nobody to go to any more. */
static void on_ended(void *user, struct quic_stream *s, enum quic_end end, uint64_t code)
{
	struct tunnel *t = user;
	const struct lane *l = quic_stream_data(s);

	if (l && t->cargo.verdict.lane == l)
		t->cargo.verdict = (struct verdict){};
	if (l && t->cargo.lane == l) {
		t->cargo.lane = nullptr;
		t->counters.no_peer++;
	}
	if (l)
		t->strays_from_ns = pump_now_ns() + SHORT_NS;
	t->role->ended(t->role_data, s, end, code);
	t->room = true;
}

static void on_datagram(void *user, struct quic_stream *s, const uint8_t *bytes, size_t n)
{
	struct tunnel *t = user;
	struct lane *l = quic_stream_data(s);

	t->arrived++;
	if (l)
		lane_datagram(l, bytes, n, pump_turn_ns(t->pump));
}

static void on_datagram_max(void *, struct quic_stream *s, size_t max)
{
	struct lane *l = quic_stream_data(s);

	if (l)
		lane_max(l, max);
}

static void on_room(void *user, struct quic_connection *)
{
	struct tunnel *t = user;

	t->room = true;
}

static const struct quic_events endpoint_events = {
	.established = on_established,
	.closed = on_closed,
	.moved = on_moved,
	.silent = on_silent,
	.stranded = on_stranded,
	.traced = on_traced,
	.request = on_request,
	.response = on_response,
	.bytes = on_bytes,
	.finished = on_finished,
	.writable = on_writable,
	.ended = on_ended,
	.datagram = on_datagram,
	.datagram_max = on_datagram_max,
	.datagram_room = on_room,
};

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
	int r = quic_endpoint_new(&t->endpoint, &config, &endpoint_events, t, pump_now_ns(), err);
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
		.troubles = t->troubles,
		.lane_events = {.told = on_told, .turn = on_turn, .arg = t},
		.changed = t->events.changed,
		.arg = t->events.arg};

	t->role = t->config->role == TUNNEL_EDGE ? &edge_role : &connector_role;
	t->role_data = t->role->start(&host);
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
	t->reading = true;
	if (sd_event_add_io(t->event, &t->source, tun_fd(t->tun), EPOLLIN, on_tun, t) < 0)
		out_of_memory();
	return 0;
}

int tunnel_new(sd_event *event, const struct tunnel_given *take, const struct tunnel_events *events,
	struct tunnel **out, struct err *err)
{
	struct tunnel *t = xcalloc(1, sizeof(*t));

	t->strays = STRAY_BUDGET;
	t->strays_from_ns = pump_now_ns() + SHORT_NS;
	t->event = sd_event_ref(event);
	t->events = *events;
	t->troubles = troubles_new(events->changed, events->arg);
	t->config = take->config;
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
	sd_event_source_disable_unref(t->source);
	if (t->endpoint) {
		uint64_t now_ns = pump_now_ns();
		quic_endpoint_shutdown(t->endpoint, now_ns);
		pump_write(t->pump, now_ns);
	}
	if (t->role)
		t->role->stop(t->role_data);
	roll_close(t->roll);
	pump_free(t->pump);
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

const struct lane_told *tunnel_told(const struct tunnel *t)
{
	return t->role->told(t->role_data);
}

static int counters_report(const struct tunnel *t, sd_json_variant **out)
{
	const struct quic_counters *q = quic_endpoint_counters(t->endpoint);
	const struct tun_counters *k = tun_counters(t->tun);
	const struct udp_counters u = pump_counters(t->pump);

	return sd_json_buildo(out, SD_JSON_BUILD_PAIR_UNSIGNED("noPeer", t->counters.no_peer),
		SD_JSON_BUILD_PAIR_UNSIGNED("tooBig", t->counters.too_big),
		SD_JSON_BUILD_PAIR_UNSIGNED("queueFull", t->counters.full),
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
