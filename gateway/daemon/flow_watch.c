/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/flow_watch.h"
#include "conf/admits.h"
#include "daemon/clock.h"
#include "daemon/flow_cause.h"
#include "daemon/flow_store.h"
#include "lib/api.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/marks.h"
#include "lib/xmalloc.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

constexpr int64_t PRIORITY = SERVER_PRIORITY + 2;
constexpr unsigned READ_BUDGET = 4096; /* datagrams; more than the socket holds */
constexpr uint64_t FOR_EVER_US = 365ULL * 24 * 3600 * 1'000'000;

struct follower {
	struct flow_watch *watch;
	sd_varlink *link;
	void *client;
};

struct flow_watch {
	sd_event *event;
	struct server_context *context;
	struct ct_events *events; /* nullptr = it is not watching … */
	struct err why;           /* … for this reason */
	uint64_t entered;         /* the configuration that was looked at (struct gateway) */
	sd_event_source *io, *bunch, *tick;
	struct flow_track *track;
	struct flow_store *store;
	uint64_t next_cause_us;
	uint64_t overruns; /* of the events, that were noticed */
	bool loss_told;
	struct follower *followers[FLOW_WATCH_FOLLOWERS];
	size_t n_followers;
};

static const struct config *config_of(const struct flow_watch *w)
{
	const struct gateway *g = w->context->reload->gateway;
	return g->phase == GATEWAY_UP ? g->config : nullptr;
}

/* ---- rows ---- */

static sd_json_variant *row_json(const struct flow_row *row)
{
	struct flow flow = {.proto = row->proto, .target = row->target, .port = row->port};
	char target[FLOW_STRLEN], client[ADDR_STRLEN];
	sd_json_variant *v = nullptr;

	if (sd_json_buildo(&v, SD_JSON_BUILD_PAIR_STRING("target", flow_str(&flow, target)),
		    SD_JSON_BUILD_PAIR_STRING("code", code_str(row->code)),
		    SD_JSON_BUILD_PAIR_STRING("confidence", confidence_str(row->confidence)),
		    SD_JSON_BUILD_PAIR_STRING("summary", row->summary),
		    SD_JSON_BUILD_PAIR_UNSIGNED("count", row->count),
		    SD_JSON_BUILD_PAIR_UNSIGNED("firstSeen", row->first_us),
		    SD_JSON_BUILD_PAIR_UNSIGNED("lastSeen", row->last_us),
		    SD_JSON_BUILD_PAIR_STRING("client", addr_str(&row->last.flow.from, client))) <
		0)
		out_of_memory();
	return v;
}

sd_json_variant *flow_watch_rows(const struct flow_watch *w)
{
	sd_json_variant *list[FLOW_STORE_ROWS], *v = nullptr;
	size_t n = 0;

	if (!w || !w->events)
		return nullptr;
	for (size_t i = 0; i < FLOW_STORE_ROWS; i++)
		if (flow_row_is_shown(&w->store->rows[i]))
			list[n++] = row_json(&w->store->rows[i]);
	if (sd_json_variant_new_array(&v, list, n) < 0)
		out_of_memory();
	for (size_t i = 0; i < n; i++)
		sd_json_variant_unref(list[i]);
	return v;
}

/* ---- followers ---- */

static void forget_follower(struct flow_watch *w, struct follower *f)
{
	for (size_t i = 0; i < w->n_followers; i++)
		if (w->followers[i] == f)
			w->followers[i] = w->followers[--w->n_followers];
	sd_varlink_unref(f->link);
	free(f);
}

static void on_gone(void *arg)
{
	struct follower *f = arg;
	forget_follower(f->watch, f);
}

static void tell(const struct follower *f, const struct flow_row *row)
{
	if (server_drops(f->link))
		return;
	autojson sd_json_variant *v = row_json(row);
	(void)sd_varlink_notifybo(f->link, SD_JSON_BUILD_PAIR_VARIANT("flow", v));
}

int flow_watch_follow(struct flow_watch *w, sd_varlink *link, void *client, struct err *err)
{
	if (!w || !w->events)
		return err_set(err, ENOTCONN, "%s",
			w && w->why.msg[0] ? w->why.msg : "flows are not watched");
	if (w->n_followers == FLOW_WATCH_FOLLOWERS)
		return err_set(err, EBUSY, "too many follow already");
	struct follower *f = xcalloc(1, sizeof(*f));
	*f = (struct follower){w, sd_varlink_ref(link), client};
	w->followers[w->n_followers++] = f;
	server_takes(client, FOR_EVER_US);
	server_on_gone(client, on_gone, f);
	for (size_t i = 0; i < FLOW_STORE_ROWS; i++)
		if (flow_row_is_shown(&w->store->rows[i]))
			tell(f, &w->store->rows[i]);
	return 0;
}

/* Nobody waits for what may come when they ask. */
static void dismiss_followers(struct flow_watch *w, const char *error)
{
	while (w->n_followers) {
		struct follower *f = w->followers[0];
		server_on_gone(f->client, nullptr, nullptr);
		if (error)
			(void)sd_varlink_errorbo(
				f->link, error, SD_JSON_BUILD_PAIR_STRING("message", w->why.msg));
		forget_follower(w, f);
	}
}

static void tell_changes(struct flow_watch *w, uint64_t now_us)
{
	for (size_t i = 0; i < FLOW_STORE_ROWS; i++) {
		struct flow_row *row = &w->store->rows[i];
		if (!row->changed || !flow_row_is_shown(row) ||
			now_us < row->told_us + FLOW_WATCH_TELL_US)
			continue;
		row->changed = false;
		row->told_us = now_us;
		for (size_t j = 0; j < w->n_followers; j++)
			tell(w->followers[j], row);
	}
}

/* ---- time ---- */

static void arm(sd_event_source *timer, uint64_t in_us)
{
	if (sd_event_source_set_time_relative(timer, in_us) < 0 ||
		sd_event_source_set_enabled(timer, SD_EVENT_ONESHOT) < 0)
		abort();
}

static void on_failed(const struct flow_failure *f, void *arg)
{
	struct flow_watch *w = arg;
	flow_store_add(w->store, f, clock_monotonic_us(), clock_realtime_us());
}

static void log_row(const struct flow_row *row)
{
	struct flow flow = {.proto = row->proto, .target = row->target, .port = row->port};
	char target[FLOW_STRLEN], client[ADDR_STRLEN];

	log_info("watch", "a flow fails: flow=%s client=%s code=%s confidence=%s",
		flow_str(&flow, target), addr_str(&row->last.flow.from, client),
		code_str(row->code), confidence_str(row->confidence));
}

static void find_cause(struct flow_watch *w, uint64_t now_us)
{
	struct flow_row *row = now_us < w->next_cause_us ? nullptr : flow_store_next(w->store);
	const struct config *config = config_of(w);
	struct verdict v;

	if (!row || !config)
		return;
	flow_cause(w->context, config, &row->last, &v);
	uint64_t took_us = clock_monotonic_us() - now_us;
	uint64_t pause_us = took_us * FLOW_WATCH_SHARE;
	w->next_cause_us = now_us +
			   (pause_us > FLOW_WATCH_CAUSE_US ? pause_us : FLOW_WATCH_CAUSE_US);
	if (flow_store_decide(w->store, row, &v, now_us, &row))
		log_row(row);
}

static int on_tick(sd_event_source *, uint64_t, void *userdata)
{
	struct flow_watch *w = userdata;
	uint64_t now = clock_monotonic_us();

	flow_track_expire(w->track, now, on_failed, w);
	find_cause(w, now);
	tell_changes(w, now);
	arm(w->tick, FLOW_WATCH_TICK_US);
	return 0;
}

/* ---- events ---- */

/* Not what this host sends in the mesh's name to try something out. */
static bool is_meant(const struct config *config, const struct ct_entry *e)
{
	const struct addr *from = &e->flow.from;
	uint8_t proto = e->flow.proto;

	if ((e->state.mark & MARK_PROBE_MASK) == MARK_PROBE)
		return false;
	if (proto != IPPROTO_TCP && proto != IPPROTO_UDP && proto != IPPROTO_ICMP &&
		proto != IPPROTO_ICMPV6)
		return false;
	return config_range_of(config, from) && !config_is_trial_source(config, from);
}

static void on_event(enum ct_event what, const struct ct_entry *e, void *arg)
{
	struct flow_watch *w = arg;
	const struct config *config = config_of(w);

	if (config && is_meant(config, e))
		flow_track_event(w->track, what, e, clock_monotonic_us(), on_failed, w);
}

static void close_events(struct flow_watch *w)
{
	w->io = sd_event_source_disable_unref(w->io);
	w->bunch = sd_event_source_disable_unref(w->bunch);
	w->tick = sd_event_source_disable_unref(w->tick);
	ct_events_close(w->events);
	w->events = nullptr;
	flow_track_free(w->track);
	w->track = nullptr;
	flow_store_clear(w->store);
	dismiss_followers(w, API_ERROR_NOT_WATCHING);
}

/* Whoever lost an answer would call a flow silent that came about. */
static void notice_losses(struct flow_watch *w)
{
	uint64_t overruns = ct_events_overruns(w->events);

	if (overruns == w->overruns)
		return;
	size_t n = flow_track_count(w->track);
	w->overruns = overruns;
	flow_track_forget(w->track);
	if (!w->loss_told)
		log_warn("watch",
			"more flows than can be followed: %zu under way are not judged, and further "
			"losses are only counted",
			n);
	w->loss_told = true;
}

static int on_io(sd_event_source *, int, uint32_t, void *userdata)
{
	struct flow_watch *w = userdata;
	int r = ct_events_read(w->events, READ_BUDGET, on_event, w);

	if (r < 0) {
		log_warn("watch", "flows are heard no more: %s", strerror(-r));
		(void)err_set(&w->why, -r, "connection tracking events: %s", strerror(-r));
		close_events(w);
		return 0;
	}
	if ((unsigned)r < READ_BUDGET)
		notice_losses(w);
	arm(w->bunch, FLOW_WATCH_BUNCH_US);
	return 0;
}

static int on_bunch(sd_event_source *, uint64_t, void *userdata)
{
	struct flow_watch *w = userdata;
	return sd_event_source_set_enabled(w->io, SD_EVENT_ONESHOT);
}

/* ---- the whole ---- */

static int add_timer(struct flow_watch *w, sd_event_source **out, sd_event_time_handler_t handler)
{
	int r = sd_event_add_time_relative(
		w->event, out, CLOCK_MONOTONIC, FLOW_WATCH_TICK_US, 1, handler, w);
	return r < 0 ? r : sd_event_source_set_priority(*out, PRIORITY);
}

static int open_events(struct flow_watch *w)
{
	int r = ct_events_open(0, &w->events, &w->why);

	if (r < 0) {
		log_warn("watch", "%s", w->why.msg);
		return r;
	}
	w->track = flow_track_new();
	w->overruns = 0;
	w->loss_told = false;
	r = sd_event_add_io(w->event, &w->io, ct_events_fd(w->events), EPOLLIN, on_io, w);
	if (r >= 0)
		r = sd_event_source_set_priority(w->io, PRIORITY);
	if (r >= 0)
		r = sd_event_source_set_enabled(w->io, SD_EVENT_ONESHOT);
	if (r >= 0)
		r = add_timer(w, &w->bunch, on_bunch);
	if (r >= 0)
		r = add_timer(w, &w->tick, on_tick);
	if (r < 0)
		abort();
	return 0;
}

void flow_watch_step(struct flow_watch *w)
{
	const struct gateway *g = w->context->reload->gateway;
	const struct config *config = config_of(w);
	bool wanted = config && config_watches(config);

	if (wanted && !w->events && w->entered != g->entered)
		(void)open_events(w);
	if (!wanted) {
		(void)err_set(&w->why, ENOTCONN, "%s",
			config ? "flows are not watched: watch: true in meshgw.yaml switches it on"
			       : "flows are not watched while no configuration is in force");
		if (w->events)
			close_events(w);
	}
	w->entered = g->entered;
}

struct flow_watch *flow_watch_new(sd_event *event, struct server_context *context)
{
	struct flow_watch *w = xcalloc(1, sizeof(*w));

	w->event = sd_event_ref(event);
	w->context = context;
	w->store = xcalloc(1, sizeof(*w->store));
	return w;
}

void flow_watch_free(struct flow_watch *w)
{
	if (!w)
		return;
	dismiss_followers(w, nullptr);
	close_events(w);
	free(w->store);
	sd_event_unref(w->event);
	free(w);
}
