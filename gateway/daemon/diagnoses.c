/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/diagnoses.h"
#include "daemon/diagnose_config.h"
#include "daemon/testify.h"
#include "daemon/want.h"
#include "diagnose/diagnose.h"
#include "diagnose/outgoing.h"
#include "diagnose/probe_link.h"
#include "lib/api_probe.h"
#include "lib/api_trace.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include "verdict/verdict.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

constexpr uint64_t RESOLVE_US = 2'000'000;
constexpr size_t NAMED_MAX = 4; /* addresses of one name that are looked into */

struct diagnose_ticket {
	struct diagnose_ticket *next;
	struct diagnoses *all;
	struct config *config; /* owned */
	struct diagnose_options options;
	struct flow asked;            /* the target's name and all that was given with it */
	uint64_t until_us;            /* CLOCK_MONOTONIC */
	struct probe_link *name;      /* while the target's name is asked for */
	struct probe_addresses found; /* of the name */
	size_t at;                    /* the next of them */
	struct evidence named;        /* what was said about the name */
	struct evidence kept;         /* of an address without a fault, while others are asked */
	bool has_kept, aside;
	sd_event_source *deferred; /* goes on behind the callback that brought it */
	struct diagnosis *diagnosis;
	struct outgoing *outgoing;           /* one of the two */
	char *server_name, *ca, *untalkable; /* of the ask */
	struct probe_tls tls;
	void (*done)(void *arg, sd_json_variant *verdict, sd_json_variant *record,
		const struct err *err);
	void *arg;
};

struct diagnoses {
	sd_event *event;
	struct server_context *context;
	struct diagnose_ticket *list;
	sd_json_variant *verdict, *record;
	bool decided; /* the two below are worth something */
	struct verdict last;
	struct evidence evidence;
};

struct diagnoses *diagnoses_new(sd_event *event, struct server_context *context)
{
	struct diagnoses *d = xcalloc(1, sizeof(*d));
	d->event = sd_event_ref(event);
	d->context = context;
	return d;
}

void diagnoses_free(struct diagnoses *d)
{
	if (!d)
		return;
	while (d->list) {
		d->list->done(d->list->arg, nullptr, nullptr, nullptr);
		diagnoses_cancel(d->list);
	}
	sd_json_variant_unref(d->verdict);
	sd_json_variant_unref(d->record);
	evidence_clear(&d->evidence);
	sd_event_unref(d->event);
	free(d);
}

void diagnoses_cancel(struct diagnose_ticket *t)
{
	struct diagnose_ticket **at = &t->all->list;
	while (*at != t)
		at = &(*at)->next;
	*at = t->next;
	diagnose_cancel(t->diagnosis);
	outgoing_cancel(t->outgoing);
	probe_link_free(t->name);
	sd_event_source_disable_unref(t->deferred);
	evidence_clear(&t->named);
	evidence_clear(&t->kept);
	config_free(t->config);
	free(t->server_name);
	free(t->ca);
	free(t->untalkable);
	free(t);
}

/* ---- the end ---- */

static void log_verdict(const struct evidence *e, const struct verdict *v)
{
	char flow[FLOW_STRLEN];
	log_info("diagnose", "verdict: flow=%s code=%s confidence=%s facts=%zu took-ms=%llu",
		flow_str(&e->flow, flow), code_str(v->code), confidence_str(v->confidence), e->n,
		(unsigned long long)e->took_us / 1000);
}

sd_json_variant *diagnoses_verdict(const struct diagnoses *d)
{
	return d->verdict;
}

sd_json_variant *diagnoses_record(const struct diagnoses *d)
{
	return d->record;
}

const struct verdict *diagnoses_decided(const struct diagnoses *d)
{
	return d->decided ? &d->last : nullptr;
}

const struct evidence *diagnoses_evidence(const struct diagnoses *d)
{
	return &d->evidence;
}

void diagnoses_spend(struct diagnoses *d)
{
	d->decided = false;
}

static void keep(sd_json_variant **slot, sd_json_variant *v)
{
	sd_json_variant_unref(*slot);
	*slot = sd_json_variant_ref(v);
}

void diagnoses_keep(struct diagnoses *d, struct evidence *e)
{
	autojson sd_json_variant *v = nullptr, *record = nullptr;

	verdict_decide(e, &d->last);
	d->decided = true;
	log_verdict(e, &d->last);
	if (verdict_to_json(&d->last, e, &v) < 0 || evidence_to_json(e, &record) < 0)
		out_of_memory();
	evidence_clear(&d->evidence);
	d->evidence = *e;
	*e = (struct evidence){};
	keep(&d->verdict, v);
	keep(&d->record, record);
}

/* *e is taken. */
static void end_aside(struct diagnose_ticket *t, struct evidence *e)
{
	autofree struct verdict *v = xcalloc(1, sizeof(*v));
	autojson sd_json_variant *json = nullptr;

	verdict_decide(e, v);
	log_verdict(e, v);
	if (verdict_to_json(v, e, &json) < 0)
		out_of_memory();
	evidence_clear(e);
	t->done(t->arg, json, nullptr, nullptr);
	diagnoses_cancel(t);
}

static void end(struct diagnose_ticket *t, struct evidence *e)
{
	struct diagnoses *d = t->all;

	if (t->aside) {
		end_aside(t, e);
		return;
	}
	diagnoses_keep(d, e);
	t->done(t->arg, d->verdict, d->record, nullptr);
	diagnoses_cancel(t);
}

static void fail(struct diagnose_ticket *t, const struct err *err)
{
	t->done(t->arg, nullptr, nullptr, err);
	diagnoses_cancel(t);
}

static void on_tell(void *arg, struct evidence *e)
{
	const struct diagnose_ticket *t = arg;
	const struct server_context *c = t->all->context;

	testify_config(c->reload->gateway, t->config, e);
	testify_conditions(c->conditions, e);
	testify_routers(c->reload->gateway, e);
	if (c->frr)
		testify_bgp(c->frr, e);
}

/* ---- the beginning ---- */

static const char too_many[] = "too many diagnoses are under way; try again in a moment";

static int begin(struct diagnose_ticket *t, struct err *err)
{
	struct server_context *c = t->all->context;

	config_free(t->config);
	t->config = nullptr;
	int r = diagnose_config(c->reload, &t->options.flow, &t->config, err);
	if (r >= 0 && !flow_is_outgoing(&t->options.flow))
		r = diagnose_client(t->config, &t->options.flow, err);
	if (r < 0)
		return r;
	t->options.config = t->config;
	if (flow_is_outgoing(&t->options.flow)) {
		r = outgoing_start(t->all->event, &t->options, &t->outgoing);
		return r < 0 ? err_set(err, -r, too_many) : 0;
	}
	t->options.prober = want_probe_source(t->config, t->options.flow.target.family);
	r = diagnose_start(t->all->event, &t->options, &t->diagnosis);
	return r < 0 ? err_set(err, -r, too_many) : 0;
}

/* ---- a target by name ---- */

static uint64_t monotonic_us(const struct diagnoses *d)
{
	uint64_t now = 0;
	if (sd_event_now(d->event, CLOCK_MONOTONIC, &now) < 0)
		abort();
	return now;
}

/* The next address that a flow can be for. -ENOENT: there is no more, or no time for one; other
 * errors are of the first address that is none. */
static int begin_next(struct diagnose_ticket *t, struct err *err)
{
	int result = -ENOENT;

	while (t->at < t->found.n) {
		struct err why = {};
		uint64_t now = monotonic_us(t->all), least = now + DIAGNOSE_LIMIT_MIN_US;
		if (t->has_kept && least > t->until_us)
			break;
		t->options.flow = t->asked;
		t->options.flow.target = t->found.list[t->at++];
		t->options.limit_us = (least > t->until_us ? least : t->until_us) - now;
		int r = begin(t, &why);
		if (r >= 0)
			return 0;
		if (result == -ENOENT) {
			result = r;
			*err = why;
		}
	}
	return result;
}

static void take_named(const struct diagnose_ticket *t, struct evidence *e)
{
	for (size_t i = 0; i < t->named.n; i++)
		*evidence_add(e, t->named.facts[i].kind) = t->named.facts[i];
}

/* Nothing but what was said about the name: that is a verdict, too. */
static void end_unnamed(struct diagnose_ticket *t)
{
	struct evidence e = {.flow = t->asked, .passive = t->options.passive};

	diagnose_identify(&e);
	if (!e.flow.from[0])
		snprintf(e.flow.from, sizeof(e.flow.from), "workers");
	take_named(t, &e);
	on_tell(t, &e);
	end(t, &e);
}

static int on_deferred(sd_event_source *, void *userdata)
{
	struct diagnose_ticket *t = userdata;
	struct err err = {};

	probe_link_free(t->name);
	t->name = nullptr;
	int r = begin_next(t, &err);
	if (r == 0)
		return 0;
	if (t->has_kept)
		end(t, &t->kept);
	else if (r == -ENOENT)
		end_unnamed(t);
	else
		fail(t, &err);
	return 0;
}

static void defer(struct diagnose_ticket *t)
{
	sd_event_source_disable_unref(t->deferred);
	if (sd_event_add_defer(t->all->event, &t->deferred, on_deferred, t) < 0)
		abort();
}

/* A fault of one address is what its callers suffer from; what is undecided says more than what is
 * well. */
static bool is_better(const struct evidence *e, const struct evidence *kept)
{
	struct verdict a, b;

	verdict_decide(e, &a);
	verdict_decide(kept, &b);
	return b.code == CODE_HEALTHY && a.code != CODE_HEALTHY;
}

static bool has_fault(const struct evidence *e)
{
	struct verdict v;

	verdict_decide(e, &v);
	return v.code < CODE_HEALTHY;
}

static void on_done(void *arg, struct evidence *e)
{
	struct diagnose_ticket *t = arg;

	t->diagnosis = nullptr;
	t->outgoing = nullptr;
	take_named(t, e);
	if (t->found.n < 2 || has_fault(e)) {
		end(t, e);
		return;
	}
	if (!t->has_kept || is_better(e, &t->kept)) {
		evidence_clear(&t->kept);
		t->kept = *e;
		*e = (struct evidence){};
	}
	t->has_kept = true;
	evidence_clear(e);
	defer(t);
}

/* What the wall around the bridge keeps away is no address of an upstream, unless there is no
 * other. */
static void leave_out_walled(struct diagnose_ticket *t)
{
	const struct gateway *g = t->all->context->reload->gateway;
	struct probe_addresses usable = {};
	struct flow flow = t->asked;

	for (size_t i = 0; i < t->found.n && flow_is_outgoing(&flow); i++) {
		flow.target = t->found.list[i];
		if (testify_may_begin(g, g->config, &flow))
			usable.list[usable.n++] = flow.target;
	}
	if (usable.n)
		t->found = usable;
}

static void on_name(void *arg, const struct evidence *facts, const struct probe_addresses *found)
{
	struct diagnose_ticket *t = arg;

	t->found = *found;
	if (t->found.n > NAMED_MAX)
		t->found.n = NAMED_MAX;
	leave_out_walled(t);
	for (size_t i = 0; i < facts->n; i++)
		*evidence_add(&t->named, facts->facts[i].kind) = facts->facts[i];
	defer(t);
}

static int resolve(struct diagnose_ticket *t, struct err *err)
{
	struct probe_options o = {.socket = API_PROBE_SOCKET,
		.flow = &t->options.flow,
		.timeout_us = t->options.limit_us < RESOLVE_US ? t->options.limit_us : RESOLVE_US,
		.done = on_name,
		.arg = t};

	t->asked = t->options.flow;
	t->until_us = monotonic_us(t->all) + t->options.limit_us;
	return probe_link_resolve(t->all->event, &o, &t->name, err);
}

static int read_from(const char *from, struct flow *flow)
{
	if (!from)
		return 0;
	if (addr_parse(from, &flow->client) == 0)
		return 0;
	if (strlen(from) >= sizeof(flow->from))
		return -EINVAL;
	snprintf(flow->from, sizeof(flow->from), "%s", from);
	return 0;
}

static char *copy(const char *text)
{
	return text ? xstrdup(text) : nullptr;
}

static void take_tls(struct diagnose_ticket *t, const struct probe_tls *tls)
{
	t->server_name = copy(tls->server_name);
	t->ca = copy(tls->ca);
	t->untalkable = copy(tls->untalkable);
	t->tls = (struct probe_tls){t->server_name, t->ca, t->untalkable};
}

int diagnoses_begin(struct diagnoses *d, const struct diagnoses_ask *ask,
	struct diagnose_ticket **out, struct err *err)
{
	struct diagnose_ticket *t = xcalloc(1, sizeof(*t));

	*t = (struct diagnose_ticket){
		.next = d->list, .all = d, .aside = ask->aside, .done = ask->done, .arg = ask->arg};
	t->options = (struct diagnose_options){.passive = ask->passive,
		.limit_us = ask->limit_us,
		.trace_socket = API_TRACE_SOCKET,
		.probe_socket = API_PROBE_SOCKET,
		.tell = on_tell,
		.tls = &t->tls,
		.done = on_done,
		.arg = t};
	take_tls(t, &ask->tls);
	d->list = t;
	int r = flow_parse(ask->target, &t->options.flow, err);
	if (r >= 0 && read_from(ask->from, &t->options.flow) < 0)
		r = err_set(err, EINVAL, "neither a class of ranges nor an address: %s", ask->from);
	if (r >= 0)
		r = t->options.flow.target.family == AF_UNSPEC ? resolve(t, err) : begin(t, err);
	if (r < 0) {
		diagnoses_cancel(t);
		return r;
	}
	if (d->context->frr_driver)
		frr_driver_look(d->context->frr_driver);
	*out = t;
	return 0;
}
