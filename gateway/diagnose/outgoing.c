/* SPDX-License-Identifier: Apache-2.0 */
#include "diagnose/outgoing.h"
#include "conf/admits.h"
#include "diagnose/asks.h"
#include "diagnose/collect.h"
#include "diagnose/collect_scope.h"
#include "diagnose/probe_link.h"
#include "lib/xmalloc.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

constexpr uint64_t TICK_US = 10'000;
/* For what was asked beside it, and for traces to come in. */
constexpr uint64_t BESIDE_US = 150'000;
constexpr uint64_t HOPS_US = 500'000;
constexpr uint64_t ANSWERS_US = 1'250'000;
constexpr uint64_t NEIGHBOUR_US = 3'800'000;
constexpr uint64_t TALK_US = 1'500'000;
constexpr uint64_t TALKED_US = 2'600'000; /* with a second attempt, and the program's start */
constexpr uint64_t END_US = 100'000;      /* kept for the end */

struct outgoing {
	sd_event *event;
	struct diagnose_options o;
	struct evidence e;
	struct collect *collect;
	struct asks asks;
	bool hops_asked;
	struct probe_link *probe; /* while, and after, the service was spoken to */
	bool said;
	sd_event_source *timer;
	uint64_t began_us, asked_us, talked_us;
};

static size_t running;

static uint64_t now_us(void)
{
	struct timespec t = {};

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1'000'000 + (uint64_t)t.tv_nsec / 1000;
}

static void release(struct outgoing *o)
{
	sd_event_source_disable_unref(o->timer);
	probe_link_free(o->probe);
	asks_clear(&o->asks);
	collect_free(o->collect);
	evidence_clear(&o->e);
	sd_event_unref(o->event);
	free(o);
	running--;
}

void outgoing_cancel(struct outgoing *o)
{
	if (o)
		release(o);
}

static void finish(struct outgoing *o)
{
	struct diagnose_options options = o->o;

	asks_tell(&o->asks, &o->e);
	collect_end(o->collect, 0, &o->e);
	options.tell(options.arg, &o->e);
	o->e.took_us = now_us() - o->began_us;
	struct evidence e = o->e;
	o->e = (struct evidence){};
	release(o);
	options.done(options.arg, &e);
}

/* ---- what the service says ---- */

static void add_missing(struct outgoing *o, const char *why)
{
	struct err err = {};

	(void)err_set(&err, EAGAIN, "%s", why);
	collect_missing(&o->e, OBSERVER_L7, &err);
}

static void on_said(void *arg, const struct evidence *facts, const struct probe_addresses *)
{
	struct outgoing *o = arg;

	evidence_take(&o->e, facts);
	o->said = true;
}

/* False: there is nothing to be said. */
static bool begin_talking(struct outgoing *o)
{
	struct err err = {};
	struct probe_options options = {.socket = o->o.probe_socket,
		.flow = &o->e.flow,
		.interface = "",
		.tls = o->o.tls,
		.timeout_us = TALK_US,
		.done = on_said,
		.arg = o};

	if (o->e.flow.scheme == SCHEME_NONE || !asks_answered(&o->asks))
		return false;
	if (probe_link_ask(o->event, &options, &o->probe, &err) < 0) {
		add_missing(o, err.msg);
		return false;
	}
	o->talked_us = now_us();
	return true;
}

static bool has_talked(struct outgoing *o, uint64_t now)
{
	if (o->said)
		return true;
	if (now - o->talked_us < TALKED_US)
		return false;
	add_missing(o, "meshgw-probe does not answer");
	return true;
}

/* ---- asking ---- */

static void check_asks(struct outgoing *o, uint64_t now)
{
	if (o->o.passive)
		return;
	asks_check(&o->asks, now);
	if (o->hops_asked || now - o->asked_us < HOPS_US || asks_heard(&o->asks))
		return;
	o->hops_asked = true;
	if (collect_is_routed(o->collect))
		asks_hops(&o->asks, now);
	collect_verify_neighbour(o->collect);
}

static bool is_settled(const struct outgoing *o, uint64_t now)
{
	uint64_t asked = now - o->asked_us;

	if (o->o.passive || asked >= NEIGHBOUR_US)
		return true;
	if (asks_ended(&o->asks))
		return asked >= BESIDE_US;
	return asked >= ANSWERS_US && !collect_waits_for_neighbour(o->collect);
}

static bool is_done(struct outgoing *o, uint64_t now)
{
	if (now - o->began_us + END_US >= o->o.limit_us)
		return true;
	if (o->talked_us)
		return has_talked(o, now);
	return is_settled(o, now) && !begin_talking(o);
}

static int on_tick(sd_event_source *source, uint64_t, void *userdata)
{
	struct outgoing *o = userdata;
	uint64_t now = now_us();

	collect_poll(o->collect);
	check_asks(o, now);
	if (is_done(o, now)) {
		finish(o);
		return 0;
	}
	if (sd_event_source_set_time_relative(source, TICK_US) < 0)
		abort();
	return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

static void place(struct outgoing *o)
{
	const struct config *c = o->o.config;
	struct config_place at = config_place_of(c, &o->e.flow.target);

	snprintf(o->e.mesh, sizeof(o->e.mesh), "%s", c->mesh_interface);
	if (at.lan)
		snprintf(o->e.lan, sizeof(o->e.lan), "%s", at.lan->interface);
}

int outgoing_start(sd_event *event, const struct diagnose_options *options, struct outgoing **out)
{
	struct collect_options collect = {.config = options->config, .passive = options->passive};

	if (running == OUTGOING_MAX)
		return -EBUSY;
	running++;
	struct outgoing *o = xcalloc(1, sizeof(*o));
	o->event = sd_event_ref(event);
	o->o = *options;
	o->e.flow = options->flow;
	o->e.passive = options->passive;
	o->began_us = now_us();
	diagnose_identify(&o->e);
	place(o);
	o->collect = collect_begin(&collect, &o->e);
	o->asked_us = now_us();
	if (!options->passive)
		asks_begin(&o->asks, &o->e.flow, "", o->asked_us);
	if (sd_event_add_time_relative(
		    event, &o->timer, CLOCK_MONOTONIC, TICK_US, TICK_US / 2, on_tick, o) < 0)
		abort();
	*out = o;
	return 0;
}
