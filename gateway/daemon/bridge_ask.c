/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/bridge_ask.h"
#include "conf/authority.h"
#include "daemon/clock.h"
#include "daemon/diagnoses.h"
#include "lib/api.h"
#include "lib/xmalloc.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct question;

/* A client that waits. */
struct waiter {
	struct waiter *next;
	struct question *question;
	sd_varlink *link;
	void *client;
	sd_event_source *timer;
};

struct question {
	struct question *next;
	struct bridge_asks *all;
	enum bridge_ask_kind kind;
	char target[AUTHORITY_STRLEN];
	char name[BRIDGE_UPSTREAM_STRLEN]; /* of an upstream, with BRIDGE_ASK_OWN */
	struct diagnose_ticket *ticket;    /* while it is under way */
	sd_json_variant *verdict;          /* nullptr = none, or it failed */
	uint64_t ended_us;
	struct waiter *waiters;
};

struct bridge_asks {
	sd_event *event;
	struct server_context *context;
	struct question *list; /* the newest first */
};

/* ---- which may be asked ---- */

static bool is_upstream(const struct config_bridge *b, const struct authority *at)
{
	for (size_t i = 0; i < b->n_routes; i++)
		for (size_t j = 0; j < b->routes[i].n_upstreams; j++) {
			const struct config_upstream *up = &b->routes[i].upstreams[j];
			if (up->host && up->port == at->port && !strcmp(up->host, at->host))
				return true;
		}
	return false;
}

bool bridge_ask_is_allowed(const struct config *config, const char *target, char *canonical)
{
	const struct config_bridge *b = config ? &config->bridge : nullptr;
	struct authority at;
	bool allowed;

	if (!b || !b->configured || authority_parse(target, &at) || at.port == 0)
		return false;
	authority_str(&at, canonical);
	allowed = is_upstream(b, &at);
	for (size_t i = 0; i < b->n_targets && !allowed; i++)
		allowed = strcmp(b->targets[i].text, canonical) == 0;
	return allowed;
}

/* ---- those who wait ---- */

static void waiter_free(struct waiter *w)
{
	struct waiter **at = &w->question->waiters;

	while (*at != w)
		at = &(*at)->next;
	*at = w->next;
	server_on_gone(w->client, nullptr, nullptr);
	sd_event_source_disable_unref(w->timer);
	sd_varlink_unref(w->link);
	free(w);
}

static int reply(sd_varlink *link, sd_json_variant *verdict, const char *why)
{
	if (verdict)
		return sd_varlink_replybo(link, SD_JSON_BUILD_PAIR_VARIANT("verdict", verdict));
	return sd_varlink_errorbo(
		link, API_ERROR_NO_VERDICT, SD_JSON_BUILD_PAIR_STRING("message", why));
}

static void on_gone(void *arg)
{
	waiter_free(arg);
}

static int on_late(sd_event_source *, uint64_t, void *userdata)
{
	struct waiter *w = userdata;

	(void)reply(w->link, nullptr, "there is none in time");
	waiter_free(w);
	return 0;
}

static void wait_for(struct question *q, sd_varlink *link, void *client, uint64_t deadline_us)
{
	struct waiter *w = xcalloc(1, sizeof(*w));

	*w = (struct waiter){
		.next = q->waiters, .question = q, .link = sd_varlink_ref(link), .client = client};
	q->waiters = w;
	server_takes(client, deadline_us);
	server_on_gone(client, on_gone, w);
	if (sd_event_add_time_relative(
		    q->all->event, &w->timer, CLOCK_MONOTONIC, deadline_us, 1, on_late, w) < 0)
		abort();
}

/* ---- questions ---- */

static void question_free(struct question *q)
{
	struct question **at = &q->all->list;

	while (*at != q)
		at = &(*at)->next;
	*at = q->next;
	for (struct waiter *w = q->waiters, *next; w; w = next) {
		next = w->next;
		waiter_free(w);
	}
	if (q->ticket)
		diagnoses_cancel(q->ticket);
	sd_json_variant_unref(q->verdict);
	free(q);
}

static void on_done(void *arg, sd_json_variant *verdict, sd_json_variant *, const struct err *err)
{
	struct question *q = arg;

	q->ticket = nullptr;
	q->verdict = sd_json_variant_ref(verdict);
	q->ended_us = clock_monotonic_us();
	for (struct waiter *w = q->waiters, *next; w; w = next) {
		next = w->next;
		(void)reply(w->link, verdict, err ? err->msg : "meshgwd ends");
		waiter_free(w);
	}
}

static bool is_over(const struct question *q, uint64_t now_us)
{
	return !q->ticket && now_us >= q->ended_us + BRIDGE_ASK_KEPT_US;
}

/* Forgets what is old, and the oldest where there are too many. */
static void tidy(struct bridge_asks *a)
{
	uint64_t now = clock_monotonic_us();
	size_t n = 0;

	for (struct question *q = a->list, *next; q; q = next) {
		next = q->next;
		if (is_over(q, now) || (++n > BRIDGE_ASKS_KEPT && !q->ticket))
			question_free(q);
	}
}

/* Those of the bridge's own way have places of their own. */
static bool is_busy(const struct bridge_asks *a, enum bridge_ask_kind kind)
{
	size_t n = 0;

	for (const struct question *q = a->list; q; q = q->next)
		n += q->ticket && (q->kind == BRIDGE_ASK_OWN) == (kind == BRIDGE_ASK_OWN);
	return n >= BRIDGE_ASKS_AT_ONCE;
}

/* That the bridge's own way is well says nothing about a Worker's. */
static bool names_cause(const struct question *q)
{
	sd_json_variant *v = q->verdict ? sd_json_variant_by_key(q->verdict, "class") : nullptr;
	const char *class = v ? sd_json_variant_string(v) : nullptr;

	return class && strcmp(class, code_class_str(CODE_CLASS_HEALTHY)) != 0 &&
	       strcmp(class, code_class_str(CODE_CLASS_UNDECIDED)) != 0;
}

/* One that sent something knows all that one which only looked does. */
static bool answers(const struct question *q, enum bridge_ask_kind kind)
{
	if (q->kind == BRIDGE_ASK_OWN || kind == BRIDGE_ASK_OWN)
		return q->kind == kind || (kind == BRIDGE_ASK_PASSIVE && names_cause(q));
	return q->kind >= kind;
}

static struct question *find(const struct bridge_asks *a, const struct question *wanted)
{
	for (struct question *q = a->list; q; q = q->next)
		if (strcmp(q->target, wanted->target) == 0 && answers(q, wanted->kind) &&
			(wanted->kind != BRIDGE_ASK_OWN || !strcmp(q->name, wanted->name)))
			return q;
	return nullptr;
}

static struct question *begin(struct bridge_asks *a, const struct question *wanted,
	const struct bridge_upstream_ask *upstream, struct err *err)
{
	static const uint64_t limits[BRIDGE_ASK_KINDS] = {
		BRIDGE_ASK_PASSIVE_US, BRIDGE_ASK_ACTIVE_US, BRIDGE_ASK_OWN_US};
	struct question *q = xcalloc(1, sizeof(*q));
	struct diagnoses_ask ask = {.target = upstream ? upstream->url : q->target,
		.from = upstream ? FLOW_FROM_GATEWAY : nullptr,
		.passive = wanted->kind == BRIDGE_ASK_PASSIVE,
		.aside = true,
		.limit_us = limits[wanted->kind],
		.done = on_done,
		.arg = q};

	if (upstream)
		ask.tls = upstream->tls;
	*q = *wanted;
	q->next = a->list;
	q->all = a;
	a->list = q;
	if (diagnoses_begin(a->context->diagnoses, &ask, &q->ticket, err) >= 0)
		return q;
	question_free(q);
	return nullptr;
}

static int put_question(struct bridge_asks *a, const struct question *wanted,
	const struct bridge_upstream_ask *upstream, sd_varlink *link, void *client,
	uint64_t deadline_us)
{
	struct err err = {.msg = "too many diagnoses are under way"};

	tidy(a);
	struct question *q = find(a, wanted);
	if (!q && !is_busy(a, wanted->kind))
		q = begin(a, wanted, upstream, &err);
	if (!q)
		return reply(link, nullptr, err.msg);
	if (!q->ticket)
		return reply(link, q->verdict, "the last attempt failed");
	wait_for(q, link, client, deadline_us);
	return 0;
}

int bridge_ask(struct bridge_asks *a, sd_varlink *link, void *client, const char *canonical,
	bool active, uint64_t deadline_us)
{
	struct question wanted = {.kind = active ? BRIDGE_ASK_ACTIVE : BRIDGE_ASK_PASSIVE};

	snprintf(wanted.target, sizeof(wanted.target), "%s", canonical);
	return put_question(a, &wanted, nullptr, link, client, deadline_us);
}

int bridge_ask_own(struct bridge_asks *a, sd_varlink *link, void *client,
	const struct bridge_upstream_ask *upstream, uint64_t deadline_us)
{
	struct question wanted = {.kind = BRIDGE_ASK_OWN};

	memcpy(wanted.target, upstream->target, sizeof(wanted.target));
	memcpy(wanted.name, upstream->name, sizeof(wanted.name));
	return put_question(a, &wanted, upstream, link, client, deadline_us);
}

/* ---- life ---- */

struct bridge_asks *bridge_asks_new(sd_event *event, struct server_context *context)
{
	struct bridge_asks *a = xcalloc(1, sizeof(*a));

	a->event = sd_event_ref(event);
	a->context = context;
	return a;
}

void bridge_asks_free(struct bridge_asks *a)
{
	if (!a)
		return;
	for (struct question *q = a->list, *next; q; q = next) {
		next = q->next;
		question_free(q);
	}
	sd_event_unref(a->event);
	free(a);
}
