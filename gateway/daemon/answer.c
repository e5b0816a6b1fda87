/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/answer.h"
#include "daemon/clock.h"
#include "daemon/frr_conditions.h"
#include "daemon/frr_plan.h"
#include "daemon/frr_saved.h"
#include "daemon/reply.h"
#include "lib/api.h"
#include "lib/xmalloc.h"
#include <stdlib.h>
#include <string.h>

struct answer {
	struct answer *next;
	sd_varlink *link;
	enum answer_kind kind;
	struct ops ops;
	uint64_t until_us;
};

struct planned {
	struct planned *next;
	struct answers *answers;
	sd_varlink *link;
	struct ops ops;
	struct config *config; /* owned, may be nullptr */
	struct frr_plan plan;
};

struct answers {
	struct server_context *context;
	struct answer *list;
	struct planned *plans;
};

struct answers *answers_new(struct server_context *context)
{
	struct answers *a = xcalloc(1, sizeof(*a));
	a->context = context;
	return a;
}

static void answer_free(struct answer *w)
{
	ops_clear(&w->ops);
	sd_varlink_unref(w->link);
	free(w);
}

static void planned_free(struct planned *p)
{
	frr_plan_clear(&p->plan);
	ops_clear(&p->ops);
	config_free(p->config);
	sd_varlink_unref(p->link);
	free(p);
}

void answers_free(struct answers *a)
{
	if (!a)
		return;
	while (a->list) {
		struct answer *w = a->list;
		a->list = w->next;
		answer_free(w);
	}
	while (a->plans) {
		struct planned *p = a->plans;
		a->plans = p->next;
		planned_free(p);
	}
	free(a);
}

/* ---- after a change ---- */

/* What stands has its time already. */
static void date(struct conditions *set, const struct conditions *standing)
{
	for (size_t i = 0; i < set->n; i++) {
		struct condition *c = &set->list[i];
		const struct condition *s = conditions_find(standing, c->code, c->subject);
		c->since_us = s ? s->since_us : clock_realtime_us();
	}
}

static int reply_changed(sd_varlink *link, const struct server_context *c, const struct ops *ops,
	struct conditions *found, unsigned window_s)
{
	date(found, c->conditions);
	autojson sd_json_variant *list = reply_operations(ops);
	autojson sd_json_variant *conditions = reply_conditions(found);
	return sd_varlink_replybo(link, SD_JSON_BUILD_PAIR_VARIANT("operations", list),
		SD_JSON_BUILD_PAIR_CONDITION(window_s != 0, "pending",
			SD_JSON_BUILD_OBJECT(
				SD_JSON_BUILD_PAIR_UNSIGNED("remainingSeconds", window_s))),
		SD_JSON_BUILD_PAIR_CONDITION(
			found->n != 0, "conditions", SD_JSON_BUILD_VARIANT(conditions)));
}

static int reply_incomplete(sd_varlink *link, const struct frr_sync *s)
{
	char message[320];
	snprintf(message, sizeof(message),
		"everything is removed but what FRRouting holds: %s; meshgwd goes on trying",
		s->problem.code ? s->problem.msg : "it did not take our statements");
	return sd_varlink_errorbo(
		link, API_ERROR_DOWN_INCOMPLETE, SD_JSON_BUILD_PAIR_STRING("message", message));
}

static int reply_now(struct answers *a, struct answer *w)
{
	const struct frr_sync *s = a->context->frr;
	struct conditions found = {};
	if (w->kind == ANSWER_DOWN && s && s->removing && !s->removed && s->state != FRR_ABSENT)
		return reply_incomplete(w->link, s);
	if (s) {
		ops_append(&w->ops, &s->ops);
		frr_conditions_taking(s, &found);
		if (w->kind == ANSWER_DOWN && frr_saved_look(FRR_SAVED_FILE) > 0)
			conditions_add(&found, COND_FRR_SAVED, "frr",
				FRR_SAVED_FILE " still holds what meshgw had announced, and "
					       "FRRouting's next start brings it back");
		if (!s->settled)
			conditions_add(&found, COND_FRR_NOT_IN_PLACE, "frr",
				"FRRouting has not answered yet; meshgwd goes on by itself");
	}
	unsigned left = reload_remaining(a->context->reload, clock_boottime_us());
	int r = reply_changed(
		w->link, a->context, &w->ops, &found, w->kind == ANSWER_APPLY ? left : 0);
	conditions_clear(&found);
	return r;
}

static bool is_due(const struct answers *a, const struct answer *w)
{
	const struct frr_sync *s = a->context->frr;
	return !s || s->settled || clock_monotonic_us() >= w->until_us;
}

int answers_add(struct answers *a, sd_varlink *link, enum answer_kind kind, struct ops *ops)
{
	struct answer *w = xcalloc(1, sizeof(*w));
	*w = (struct answer){.link = sd_varlink_ref(link),
		.kind = kind,
		.ops = *ops,
		.until_us = clock_monotonic_us() + ANSWER_WAIT_US};
	*ops = (struct ops){};
	if (is_due(a, w)) {
		int r = reply_now(a, w);
		answer_free(w);
		return r;
	}
	w->next = a->list;
	a->list = w;
	return 0;
}

void answers_step(struct answers *a)
{
	for (struct answer **at = &a->list; *at;) {
		struct answer *w = *at;
		if (!is_due(a, w)) {
			at = &w->next;
			continue;
		}
		*at = w->next;
		(void)reply_now(a, w);
		answer_free(w);
	}
}

/* ---- plans ---- */

static int reply_plan(struct planned *p, const struct frr_view *view, const struct err *why)
{
	struct conditions found = {};
	frr_plan_end(&p->plan, view, why, &p->ops, &found);
	int r = reply_changed(p->link, p->answers->context, &p->ops, &found, 0);
	conditions_clear(&found);
	return r;
}

static void on_read(void *arg, const struct frr_view *view, const struct err *why)
{
	struct planned *p = arg;
	struct planned **at = &p->answers->plans;
	while (*at != p)
		at = &(*at)->next;
	*at = p->next;
	(void)reply_plan(p, view, why);
	planned_free(p);
}

int answers_plan(struct answers *a, sd_varlink *link, struct config *config, struct ops *ops)
{
	const struct server_context *c = a->context;
	static const struct frr_memory nothing = {};
	struct planned *p = xcalloc(1, sizeof(*p));
	*p = (struct planned){.next = a->plans,
		.answers = a,
		.link = sd_varlink_ref(link),
		.ops = *ops,
		.config = config};
	*ops = (struct ops){};
	a->plans = p;
	if (frr_plan_begin(&p->plan, config, c->reload->gateway->config,
		    c->frr ? &c->frr->memory : &nothing) &&
		c->frr_driver) {
		frr_driver_read(c->frr_driver, &p->plan.asked.model, on_read, p);
		return 0;
	}
	a->plans = p->next;
	struct conditions none = {};
	int r = reply_changed(link, c, &p->ops, &none, 0);
	planned_free(p);
	return r;
}
