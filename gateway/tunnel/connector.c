/* SPDX-License-Identifier: Apache-2.0 */
/*
 * connector: dials an edge, asks for CONNECT-IP, and does so again whenever that ends. When it does
 * so, and whom it dials, is redial/redial.h's; here are the connections.
 */
#include "dial.h"
#include "lib/log.h"
#include "lib/xmalloc.h"
#include "peer.h"
#include "redial/redial.h"
#include "role.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* A connection and its request. */
struct tie {
	struct quic_connection *connection; /* nullptr = there is none */
	struct quic_stream *stream;
	struct peer peer; /* from the handshake on */
	char who[DIAL_WHO];
	bool named; /* by the configuration */
};

struct connector {
	struct role_host host;
	struct redial redial;
	enum redial_state shown; /* in the log and the report */
	sd_event_source *timer;
	sd_event_source *hold_timer;
	char error[128];       /* why there is no tunnel, or was none; "" once there is one */
	bool refused;          /* which says more than the end of the connection behind it */
	struct tie open, next; /* the tunnel; the one that is being dialled */
	struct lane **former;  /* of tunnels that are ending */
	size_t n_former, cap_former;
};

static uint64_t now_us(void)
{
	return pump_now_ns() / 1000;
}

static void turn(const struct connector *c)
{
	c->host.lane_events.turn(c->host.lane_events.arg);
}

/* What redial wants. */

/* Its events are nobody's from now on; its lane is freed when its stream has ended. */
static void abandon(struct connector *c, struct tie *tie, const char *why)
{
	if (!tie->connection)
		return;
	quic_connection_close(tie->connection, QUIC_H3_NO_ERROR, why);
	if (tie->peer.lane) {
		XGROW(c->former, c->n_former, c->cap_former);
		c->former[c->n_former++] = tie->peer.lane;
	}
	if (tie == &c->next)
		c->refused = false;
	else
		trouble_end(c->host.troubles, TROUBLE_SILENT, tie->who); /* nobody listens to it */
	*tie = (struct tie){};
}

static void show_state(struct connector *c, const char *why)
{
	enum redial_state state = c->redial.state;

	if (c->shown != state)
		log_info("connector", "%s -> %s (%s)", redial_state_str(c->shown),
			redial_state_str(state), why);
	c->shown = state;
	if (state == REDIAL_OPEN)
		c->error[0] = '\0';
	c->host.changed(c->host.arg);
}

static void set_timer(sd_event_source *timer, uint64_t us)
{
	(void)sd_event_source_set_time(timer, us);
	(void)sd_event_source_set_enabled(
		timer, us == UINT64_MAX ? SD_EVENT_OFF : SD_EVENT_ONESHOT);
}

/* Once redial has been told something. */
static void follow(struct connector *c, enum redial_order order, const char *why)
{
	if (order & REDIAL_CLOSE_NEXT)
		abandon(c, &c->next, why);
	if (order & REDIAL_CLOSE_OPEN)
		abandon(c, &c->open, why);
	set_timer(c->timer, c->redial.due_us);
	set_timer(c->hold_timer,
		redial_ready(&c->redial, now_us()) ? UINT64_MAX : c->redial.held_until_us);
	show_state(c, why);
}

static void dial(struct connector *c)
{
	struct err err = {};

	if (!c->open.connection)
		pump_close_retired(c->host.pump);
	c->next.named = dial_name(&c->host, c->redial.at, c->next.who);
	if (dial_edge(&c->host, c->redial.at, &c->next.stream, &err) < 0) {
		c->next = (struct tie){};
		snprintf(c->error, sizeof(c->error), "%.127s", err.msg);
		redial_failed(&c->redial, now_us());
		follow(c, REDIAL_NOTHING, err.msg);
		return;
	}
	c->next.connection = quic_stream_connection(c->next.stream);
	turn(c);
}

static void note_unanswered(struct connector *c)
{
	trouble_note(
		c->host.troubles, TROUBLE_REFUSED, c->next.who, "it does not answer the request");
	snprintf(c->error, sizeof(c->error), "no answer to the request");
}

static int on_timer(sd_event_source *, uint64_t, void *userdata)
{
	struct connector *c = userdata;

	pump_listen(c->host.pump, pump_now_ns());
	enum redial_order order = redial_expire(&c->redial, now_us());
	if (order & REDIAL_CLOSE_NEXT)
		note_unanswered(c);
	follow(c, order, order & REDIAL_DIAL ? "dial" : "no answer to the request");
	if (order & REDIAL_DIAL)
		dial(c);
	else
		turn(c);
	return 0;
}

static int on_held(sd_event_source *, uint64_t, void *userdata)
{
	turn(userdata);
	return 0;
}

static bool connector_ready(const void *role)
{
	const struct connector *c = role;

	return c->open.peer.lane || redial_ready(&c->redial, now_us());
}

/* Silence. */

static void connector_silent(void *role, struct quic_connection *connection, bool silent)
{
	struct connector *c = role;

	if (connection != c->open.connection)
		return;
	log_info("connector", "the edge %s", silent ? "does not answer" : "answers again");
	if (!silent)
		trouble_end(c->host.troubles, TROUBLE_SILENT, c->open.who);
	follow(c, redial_silent(&c->redial, silent, now_us()), silent ? "silence" : "heard again");
}

/* Another address of this host. */

enum way { NO_WAY, MOVES, STAYS };

/* Who keeps its socket stays where it is: those of the other family are others. */
static enum way move(struct connector *c, uint64_t now_ns)
{
	const struct quic_path before = quic_connection_path(c->open.connection);
	struct quic_path path;

	if (pump_path(c->host.pump, &before.remote, &path) < 0 ||
		quic_connection_migrate(c->open.connection, &path, now_ns) < 0)
		return NO_WAY;
	if (!quic_address_equal(&before.local, &path.local))
		return MOVES;
	pump_close_retired(c->host.pump);
	return STAYS;
}

static void connector_resocketed(void *role, uint64_t now_ns)
{
	struct connector *c = role;
	enum way way = c->open.connection ? move(c, now_ns) : NO_WAY;

	if (way == STAYS && c->redial.state == REDIAL_OPEN)
		return;
	follow(c, redial_moving(&c->redial, way != NO_WAY, now_ns / 1000), "another address");
}

static void connector_moved(
	void *role, struct quic_connection *connection, const struct quic_path *path)
{
	struct connector *c = role;
	char from[QUIC_ADDRESS_LENGTH], to[QUIC_ADDRESS_LENGTH];

	log_info("connector", "moved local=%s remote=%s", quic_address_str(&path->local, from),
		quic_address_str(&path->remote, to));
	if (connection != c->open.connection)
		return;
	pump_close_retired(c->host.pump);
	follow(c, redial_moved(&c->redial), "moved");
}

static void connector_stranded(void *role, struct quic_connection *connection)
{
	struct connector *c = role;

	if (connection == c->open.connection)
		follow(c, redial_stranded(&c->redial, now_us()),
			"nobody answers to the new address");
}

/* Events. */

static void connector_established(
	void *role, struct quic_connection *connection, const struct quic_peer *peer)
{
	struct connector *c = role;

	if (connection != c->next.connection)
		return;
	peer_note(&c->next.peer, connection, peer, pump_now_ns());
	log_info("connector", "established group=%s cipher=%s resumed=%d", peer->group,
		peer->cipher, peer->resumed);
	redial_established(&c->redial, now_us());
	follow(c, REDIAL_NOTHING, "established");
}

static void connector_response(
	void *role, struct quic_stream *s, const struct quic_response *response)
{
	struct connector *c = role;

	if (quic_stream_connection(s) != c->next.connection)
		return;
	if (response->status < 200 || response->status > 299) {
		log_warn("connector", "the edge refused status=%u", response->status);
		trouble_note(c->host.troubles, TROUBLE_REFUSED, c->next.who,
			"it refuses the request with status %u", response->status);
		snprintf(c->error, sizeof(c->error), "the edge refuses with status %u",
			response->status);
		c->refused = true;
		for (size_t i = 0; i < response->n_fields; i++)
			if (strcmp(response->fields[i].name, "proxy-status") == 0)
				log_warn(
					"connector", "proxy-status: %s", response->fields[i].value);
		return;
	}
	if (redial_answered(&c->redial, now_us()) & REDIAL_CLOSE_OPEN)
		abandon(c, &c->open, "superseded");
	pump_close_retired(c->host.pump);
	c->open = c->next;
	c->next = (struct tie){};
	c->open.peer.lane = dial_open_lane(&c->host, c->open.stream, c->open.who);
	c->open.peer.active = true;
	dial_content(&c->host, c->open.who);
	follow(c, REDIAL_NOTHING, "answered");
}

static void forget_lane(struct connector *c, const struct lane *l)
{
	if (c->open.peer.lane == l)
		c->open.peer.lane = nullptr;
	for (size_t i = 0; i < c->n_former; i++)
		if (c->former[i] == l)
			c->former[i--] = c->former[--c->n_former];
}

/* The request is all that the connection is for. */
static void connector_ended(void *role, struct quic_stream *s, enum quic_end end, uint64_t code)
{
	struct connector *c = role;
	struct lane *l = quic_stream_data(s);

	if (l) {
		forget_lane(c, l);
		if (end == QUIC_END_PEER)
			lane_ended(l);
		lane_free(l);
	}
	if (end == QUIC_END_CLOSED)
		return;
	log_info("connector", "request ended how=%s code=0x%lx", quic_end_str(end),
		(unsigned long)code);
	quic_connection_close(quic_stream_connection(s), QUIC_H3_NO_ERROR, "the request ended");
}

static enum redial_end end_of(enum quic_cause cause)
{
	switch (cause) {
	case QUIC_CAUSE_RESET:
		return REDIAL_END_RESET;
	case QUIC_CAUSE_HANDSHAKE:
	case QUIC_CAUSE_IDLE:
		return REDIAL_END_UNHEARD;
	case QUIC_CAUSE_DEAF:
		return REDIAL_END_DEAF;
	default:
		return REDIAL_END_OTHER;
	}
}

static void open_closed(struct connector *c, const struct quic_closed *why)
{
	trouble_end(c->host.troubles, TROUBLE_SILENT, c->open.who);
	if (why->cause == QUIC_CAUSE_DEAF)
		trouble_note(c->host.troubles, TROUBLE_DEAF, c->open.who,
			"it acknowledged nothing; its connection was ended");
	c->open = (struct tie){};
	redial_open_closed(&c->redial, end_of(why->cause), now_us());
}

static void next_closed(struct connector *c, const struct quic_closed *why)
{
	dial_complain(&c->host, c->next.who, why);
	c->next = (struct tie){};
	redial_next_closed(&c->redial, end_of(why->cause), now_us());
}

static void note_end(struct connector *c, const struct quic_connection *connection,
	const struct quic_closed *why)
{
	if (connection != c->open.connection && connection != c->next.connection)
		return;
	if (!c->refused)
		snprintf(c->error, sizeof(c->error), "%s%s%.100s", quic_cause_str(why->cause),
			*why->reason ? ": " : "", why->reason);
	c->refused = false;
}

static void connector_closed(
	void *role, struct quic_connection *connection, const struct quic_closed *why)
{
	struct connector *c = role;

	log_warn("connector", "closed cause=%s code=0x%lx reason=\"%s\"",
		quic_cause_str(why->cause), (unsigned long)why->code, why->reason);
	note_end(c, connection, why);
	if (connection == c->open.connection)
		open_closed(c, why);
	else if (connection == c->next.connection)
		next_closed(c, why);
	else
		return;
	follow(c, REDIAL_NOTHING, quic_cause_str(why->cause));
}

/* Life. */

/* We have no addresses to give: each is refused (RFC 9484 4.7.2). */
static void on_requested(void *, struct lane *l, const struct connip_address *, size_t)
{
	connip_session_assign(lane_session(l), nullptr, 0);
}

static uint64_t random_seed(void)
{
	uint64_t seed = 0;

	if (getrandom(&seed, sizeof(seed), 0) < 0)
		seed = pump_now_ns();
	return seed;
}

static void *connector_start(const struct role_host *host)
{
	struct connector *c = xcalloc(1, sizeof(*c));

	c->host = *host;
	c->host.lane_events.requested = on_requested;
	redial_init(&c->redial, host->config->connector.n_edges, random_seed(), now_us());
	c->shown = c->redial.state;
	if (sd_event_add_time(host->event, &c->timer, CLOCK_MONOTONIC, UINT64_MAX, 1, on_timer, c) <
			0 ||
		sd_event_add_time(host->event, &c->hold_timer, CLOCK_MONOTONIC, UINT64_MAX, 1,
			on_held, c) < 0)
		out_of_memory();
	follow(c, REDIAL_NOTHING, "start");
	return c;
}

static void connector_stop(void *role)
{
	struct connector *c = role;

	sd_event_source_disable_unref(c->timer);
	sd_event_source_disable_unref(c->hold_timer);
	lane_free(c->open.peer.lane);
	for (size_t i = 0; i < c->n_former; i++)
		lane_free(c->former[i]);
	free(c->former);
	free(c);
}

/* Who was refused may be welcome now. */
static void connector_reload(void *role, const struct tunnel_config *config)
{
	struct connector *c = role;
	const struct prefix_list *list = &config->connector.advertise;
	struct lane *lane = c->open.peer.lane;
	bool tells = lane && !prefix_list_equal(list, &c->host.config->connector.advertise);
	const struct connip_prefixes advertise = {list->list, list->n};

	c->host.config = config;
	redial_reload(&c->redial, now_us());
	follow(c, REDIAL_NOTHING, "another configuration");
	if (!tells)
		return;
	connip_session_advertise(lane_session(lane), &advertise);
	lane_flush(lane);
}

static struct lane *connector_find(void *role, const struct packet_bytes *, uint64_t, bool *)
{
	const struct connector *c = role;

	return c->open.peer.lane;
}

static int connector_report(void *role, sd_json_variant **out)
{
	struct connector *c = role;
	struct tie *tie = c->open.connection ? &c->open : &c->next;
	const struct watch_terms terms = {
		tie->who, c->host.config->mtu, c->host.config->keepalive_ms * 1'000'000};

	if (!tie->peer.connection)
		return 0;
	tie->peer.name = tie->named ? tie->who : nullptr;
	watch_peer(&tie->peer, &terms, c->host.troubles);
	return peer_report(&tie->peer, pump_now_ns(), out);
}

static int connector_status(void *role, sd_json_variant **out)
{
	const struct connector *c = role;
	const struct tie *tie = c->open.connection ? &c->open : &c->next;
	const struct redial *r = &c->redial;
	uint64_t now = now_us();
	bool pauses = r->state == REDIAL_PAUSE && r->due_us > now;

	return sd_json_buildo(out, SD_JSON_BUILD_PAIR_STRING("state", redial_state_str(r->state)),
		SD_JSON_BUILD_PAIR_CONDITION(
			*tie->who != '\0', "edge", SD_JSON_BUILD_STRING(tie->who)),
		SD_JSON_BUILD_PAIR_CONDITION(
			*c->error != '\0', "error", SD_JSON_BUILD_STRING(c->error)),
		SD_JSON_BUILD_PAIR_UNSIGNED("pauseMs", pauses ? (r->due_us - now) / 1000 : 0));
}

static const struct lane_told *connector_told(void *role)
{
	const struct connector *c = role;

	return c->open.peer.lane ? lane_told(c->open.peer.lane) : nullptr;
}

const struct role connector_role = {
	.waits = true,
	.start = connector_start,
	.stop = connector_stop,
	.reload = connector_reload,
	.resocketed = connector_resocketed,
	.ready = connector_ready,
	.find = connector_find,
	.established = connector_established,
	.closed = connector_closed,
	.moved = connector_moved,
	.stranded = connector_stranded,
	.silent = connector_silent,
	.response = connector_response,
	.ended = connector_ended,
	.report = connector_report,
	.status = connector_status,
	.told = connector_told,
};
