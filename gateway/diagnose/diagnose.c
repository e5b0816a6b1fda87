/* SPDX-License-Identifier: Apache-2.0 */
#include "diagnose/diagnose.h"
#include "conf/admits.h"
#include "diagnose/asks.h"
#include "diagnose/callers.h"
#include "diagnose/collect.h"
#include "diagnose/probe_link.h"
#include "diagnose/trace_link.h"
#include "lib/log.h"
#include "lib/xmalloc.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-id128.h>
#include <time.h>

/* A socket-activated program is there after some 50 ms. */
constexpr uint64_t READY_US = 1'000'000;
constexpr uint64_t TICK_US = 10'000;
/* A first packet that was lost is repeated after a second; ARP gives up after three, and is asked
 * after half a one (HOPS_US). */
constexpr uint64_t ANSWERS_US = 1'250'000;
constexpr uint64_t HOPS_US = 500'000;
constexpr uint64_t NEIGHBOUR_US = 3'800'000;
constexpr uint64_t PASSIVE_US = 4'000'000;
constexpr uint64_t SEEN_US = 1'500'000;   /* passive: after the first packet of a flow */
constexpr uint64_t TALK_US = 1'800'000;   /* a service that is silent for so long is silent */
constexpr uint64_t TALKED_US = 3'200'000; /* with a second attempt, and the program's start */
constexpr uint64_t ON_TIME_US = 50'000;   /* an injection may be so late */
constexpr uint64_t END_US = 100'000;      /* kept for the end */

enum phase { PHASE_READY, PHASE_ASKING, PHASE_TALKING };

struct diagnosis {
	sd_event *event;
	struct diagnose_options o;
	char trace_socket[108], probe_socket[108];
	struct evidence e;
	struct prefix *ranges;
	struct injections injections, reserved; /* reserved: as they were planned */
	struct collect *collect;
	struct trace_link *trace;
	struct asks asks;
	bool hops_asked;
	struct probe_link *probe;
	sd_event_source *timer;
	bool observing;
	uint64_t began_us, asked_us, seen_us, talked_us;
	enum phase phase;
};

static struct diagnosis *running[DIAGNOSE_MAX];

static uint64_t now_of(const struct diagnosis *d)
{
	uint64_t now = 0;
	if (sd_event_now(d->event, CLOCK_MONOTONIC, &now) < 0)
		abort();
	return now;
}

static uint64_t clock_us(clockid_t clock)
{
	struct timespec t = {};
	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1'000'000 + (uint64_t)t.tv_nsec / 1000;
}

static void add_missing(struct diagnosis *d, enum fact_observer observer, const char *why)
{
	struct fact_missing *m = &evidence_add(&d->e, FACT_MISSING)->missing;
	m->observer = observer;
	snprintf(m->why, sizeof(m->why), "%.*s", (int)sizeof(m->why) - 1, why);
}

/* ---- the end ---- */

/* Where there is room for one more; nullptr = nowhere. */
static struct diagnosis **free_place(void)
{
	for (size_t i = 0; i < DIAGNOSE_MAX; i++)
		if (!running[i])
			return &running[i];
	return nullptr;
}

static void release(struct diagnosis *d)
{
	sd_event_source_disable_unref(d->timer);
	trace_link_free(d->trace);
	probe_link_free(d->probe);
	asks_clear(&d->asks);
	collect_free(d->collect);
	evidence_clear(&d->e);
	free(d->ranges);
	sd_event_unref(d->event);
	for (size_t i = 0; i < DIAGNOSE_MAX; i++)
		if (running[i] == d)
			running[i] = nullptr;
	free(d);
}

void diagnose_cancel(struct diagnosis *d)
{
	if (d)
		release(d);
}

static bool is_missing(const struct evidence *e, enum fact_observer observer)
{
	for (size_t i = 0; i < e->n; i++)
		if (e->facts[i].kind == FACT_MISSING && e->facts[i].missing.observer == observer)
			return true;
	return false;
}

/* Those whose time had come, if there was somebody to send them. */
static uint32_t sent_packets(const struct diagnosis *d)
{
	uint64_t asked = clock_us(CLOCK_MONOTONIC) - d->asked_us;
	uint32_t sent = 0;

	if (d->asks.range)
		return d->asks.range_sent;
	if (!d->observing || is_missing(trace_link_facts(d->trace), OBSERVER_INJECTION))
		return 0;
	for (size_t i = 0; i < d->injections.n; i++)
		if (asked > d->injections.list[i].at_ms * 1000ULL + ON_TIME_US)
			sent |= 1U << i;
	return sent;
}

static void finish(struct diagnosis *d)
{
	struct diagnose_options o = d->o;

	asks_tell(&d->asks, &d->e);
	if (d->trace) {
		evidence_take(&d->e, trace_link_facts(d->trace));
		/* What it saw before it failed is true, and silence after that is not. */
		if (d->observing && trace_link_why(d->trace)[0])
			add_missing(d, OBSERVER_TRACE, trace_link_why(d->trace));
	}
	collect_poll(d->collect);
	collect_forget_drops(d->collect, &d->e);
	collect_end(d->collect, sent_packets(d), &d->e);
	o.tell(o.arg, &d->e);
	d->e.took_us = clock_us(CLOCK_MONOTONIC) - d->began_us;
	struct evidence e = d->e;
	d->e = (struct evidence){};
	release(d);
	o.done(o.arg, &e);
}

/* ---- the service's own words ---- */

static void on_said(void *arg, const struct evidence *facts, const struct probe_addresses *)
{
	struct diagnosis *d = arg;
	evidence_take(&d->e, facts);
	d->talked_us = 0;
}

static bool begin_talking(struct diagnosis *d, uint64_t now)
{
	struct err err = {};
	struct probe_options o = {.socket = d->probe_socket,
		.flow = &d->e.flow,
		.interface = d->e.lan,
		.tls = d->o.tls,
		.timeout_us = TALK_US,
		.done = on_said,
		.arg = d};

	if (d->o.passive || d->e.flow.scheme == SCHEME_NONE || !asks_answered(&d->asks))
		return false;
	if (probe_link_ask(d->event, &o, &d->probe, &err) < 0) {
		add_missing(d, OBSERVER_L7, err.msg);
		return false;
	}
	d->talked_us = now;
	d->phase = PHASE_TALKING;
	return true;
}

/* ---- asking ---- */

static const struct fact_link *mesh_link(const struct diagnosis *d)
{
	size_t at = 0;
	for (const struct fact *f; (f = evidence_next(&d->e, FACT_LINK, &at));)
		if (f->link.role == ROLE_MESH)
			return &f->link;
	return nullptr;
}

/* A mesh interface that is not there takes no packets, and nobody's answers either. */
static bool needs_sockets(const struct diagnosis *d)
{
	const struct fact_link *mesh = mesh_link(d);

	return (!d->observing || is_missing(trace_link_facts(d->trace), OBSERVER_INJECTION)) &&
	       mesh && mesh->exists && mesh->up;
}

static void send_first(struct diagnosis *d)
{
	asks_begin(&d->asks, &d->e.flow, d->e.lan, d->asked_us);
	if (!needs_sockets(d))
		return;
	injections_from_sockets(&d->injections);
	asks_range(&d->asks, &d->injections);
}

static void begin_asking(struct diagnosis *d)
{
	d->asked_us = now_of(d);
	d->phase = PHASE_ASKING;
	if (!d->o.passive)
		send_first(d);
}

static void on_ready(void *arg, bool observing)
{
	struct diagnosis *d = arg;

	if (d->phase != PHASE_READY)
		return;
	d->observing = observing;
	if (!observing)
		add_missing(d, OBSERVER_TRACE, trace_link_why(d->trace));
	begin_asking(d);
}

static bool is_real(const struct fact *f)
{
	return f->kind == FACT_PACKET && f->packet.origin == ORIGIN_REAL && f->packet.count > 0;
}

static void on_trace(void *arg)
{
	struct diagnosis *d = arg;
	const struct evidence *facts = trace_link_facts(d->trace);

	for (size_t i = 0; i < facts->n && !d->seen_us; i++)
		if (is_real(&facts->facts[i]))
			d->seen_us = now_of(d);
}

/* Nothing came back of anything that was sent to the target, by whomever. */
static bool is_silent(const struct diagnosis *d)
{
	return !asks_heard(&d->asks) && !collect_heard(d->collect) &&
	       !(d->observing && callers_heard(trace_link_facts(d->trace)));
}

/* Where packets end is worth knowing when nothing answers them. */
static void check_asks(struct diagnosis *d, uint64_t now)
{
	asks_check(&d->asks, now);
	if (d->phase != PHASE_ASKING || d->o.passive || d->hops_asked ||
		now - d->asked_us < HOPS_US)
		return;
	d->hops_asked = true;
	if (collect_is_routed(d->collect) && !collect_answered(d->collect, PROBE_INJECTED))
		asks_hops(&d->asks, now);
	if (is_silent(d))
		collect_verify_neighbour(d->collect);
}

/* Whatever is answered at once: a caller's trouble takes its time to show. */
static bool is_settled(const struct diagnosis *d, uint64_t now)
{
	uint64_t asked = now - d->asked_us;

	if (d->o.passive)
		return asked >= PASSIVE_US || (d->seen_us && now - d->seen_us >= SEEN_US);
	if (asked >= NEIGHBOUR_US)
		return true;
	if (asked < ANSWERS_US || collect_waits_for_neighbour(d->collect))
		return false;
	return !d->observing ||
	       !callers_are_new(trace_link_facts(d->trace), &d->e.flow, (int64_t)asked);
}

static bool is_over(const struct diagnosis *d, uint64_t now)
{
	return now - d->began_us + END_US >= d->o.limit_us;
}

static int on_tick(sd_event_source *source, uint64_t, void *userdata)
{
	struct diagnosis *d = userdata;
	uint64_t now = now_of(d);

	collect_poll(d->collect);
	check_asks(d, now);
	if (d->phase == PHASE_READY && now - d->began_us >= READY_US) {
		add_missing(d, OBSERVER_TRACE, "meshgw-trace does not answer");
		begin_asking(d);
	}
	bool settled = d->phase == PHASE_ASKING && is_settled(d, now);
	bool said = d->phase == PHASE_TALKING && (!d->talked_us || now - d->talked_us >= TALKED_US);
	if (said && d->talked_us)
		add_missing(d, OBSERVER_L7, "meshgw-probe does not answer");
	if (is_over(d, now) || said || (settled && !begin_talking(d, now))) {
		finish(d);
		return 0;
	}
	if (sd_event_source_set_time_relative(source, TICK_US) < 0)
		abort();
	return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

/* ---- the beginning ---- */

int diagnose_client(const struct config *config, struct flow *flow, struct err *err)
{
	const char *name = flow->from[0] ? flow->from : "workers";

	if (flow->client.family != AF_UNSPEC) {
		if (flow->target.family != AF_UNSPEC && flow->client.family != flow->target.family)
			return err_set(err, EINVAL, "the two addresses are not of the same family");
		snprintf(flow->from, sizeof(flow->from), "address");
		return 0;
	}
	for (size_t i = 0; i < config->n_ranges; i++) {
		const struct config_range *r = &config->ranges[i];
		if (strcmp(range_class_str(r->class), name) != 0 ||
			r->prefix.addr.family != flow->target.family)
			continue;
		flow->client = config_trial_source(config, r);
		if (!flow->from[0])
			snprintf(flow->from, sizeof(flow->from), "workers");
		return 0;
	}
	return err_set(err, EADDRNOTAVAIL, "the configuration has no %s range of %s",
		flow->target.family == AF_INET ? "IPv4" : "IPv6", name);
}

void diagnose_identify(struct evidence *e)
{
	sd_id128_t id;
	if (sd_id128_randomize(&id) < 0)
		abort();
	snprintf(e->id, sizeof(e->id), SD_ID128_FORMAT_STR, SD_ID128_FORMAT_VAL(id));
	e->at_us = clock_us(CLOCK_REALTIME);
}

static void place(struct diagnosis *d)
{
	const struct config *c = d->o.config;
	struct config_place at = config_place_of(c, &d->e.flow.target);

	snprintf(d->e.mesh, sizeof(d->e.mesh), "%s", c->mesh_interface);
	if (at.lan)
		snprintf(d->e.lan, sizeof(d->e.lan), "%s", at.lan->interface);
	d->ranges = xcalloc(c->n_ranges, sizeof(*d->ranges));
	for (size_t i = 0; i < c->n_ranges; i++)
		d->ranges[i] = c->ranges[i].prefix;
}

static void plan(struct diagnosis *d)
{
	const struct injections *others[DIAGNOSE_MAX];
	size_t n = 0;

	for (size_t i = 0; i < DIAGNOSE_MAX; i++)
		if (running[i])
			others[n++] = &running[i]->reserved;
	injections_plan_beside(&d->e.flow, (uint32_t)d->began_us, others, n, &d->injections);
	d->reserved = d->injections;
}

static void begin_trace(struct diagnosis *d)
{
	struct err err = {};
	struct trace_options o = {.socket = d->trace_socket,
		.flow = d->e.flow,
		.own = collect_own_address(d->collect),
		.prober = d->o.prober,
		.ranges = d->ranges,
		.n_ranges = d->o.config->n_ranges,
		.mesh = d->e.mesh,
		.lan = d->e.lan,
		.egress = collect_egress(d->collect),
		.injections = d->o.passive ? nullptr : &d->injections,
		.duration_us = d->o.limit_us,
		.ready = on_ready,
		.changed = on_trace,
		.arg = d};

	if (trace_link_new(d->event, &o, &d->trace, &err) == 0)
		return;
	add_missing(d, OBSERVER_TRACE, err.msg);
	begin_asking(d);
}

int diagnose_start(sd_event *event, const struct diagnose_options *options, struct diagnosis **out)
{
	struct diagnosis **room = free_place();
	if (!room)
		return -EBUSY;
	struct diagnosis *d = xcalloc(1, sizeof(*d));
	d->event = sd_event_ref(event);
	d->o = *options;
	d->e.flow = options->flow;
	d->e.passive = options->passive;
	snprintf(d->trace_socket, sizeof(d->trace_socket), "%s", options->trace_socket);
	snprintf(d->probe_socket, sizeof(d->probe_socket), "%s", options->probe_socket);
	d->began_us = clock_us(CLOCK_MONOTONIC);
	diagnose_identify(&d->e);
	place(d);
	plan(d);
	*room = d;
	struct collect_options collect = {.config = options->config,
		.injections = options->passive ? nullptr : &d->injections,
		.passive = options->passive};
	d->collect = collect_begin(&collect, &d->e);
	const struct fact_link *mesh = mesh_link(d);
	injections_fit(&d->injections, mesh ? mesh->mtu : -1);
	if (sd_event_add_time_relative(
		    event, &d->timer, CLOCK_MONOTONIC, TICK_US, TICK_US / 2, on_tick, d) < 0)
		abort();
	begin_trace(d);
	*out = d;
	return 0;
}
