/* SPDX-License-Identifier: Apache-2.0 */
#include "resolver.h"
#include "lib/api.h"
#include "lib/call.h"
#include "lib/json.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-varlink.h>

struct resolver_question {
	struct resolver *all;
	struct resolver_question *next;
	char *name;
	struct call *call; /* while it is under way */
	bool unreached;    /* meshgwd is not there; to be told by the timer */
	sd_event_source *timer;
	void (*done)(void *arg, const struct resolver_answer *answer);
	void *arg;
};

struct resolver {
	sd_event *event;
	const char *socket;
	uint64_t limit_us;
	struct resolver_question *list; /* the oldest first */
};

static void question_free(struct resolver_question *q)
{
	struct resolver_question **at = &q->all->list;

	while (*at != q)
		at = &(*at)->next;
	*at = q->next;
	call_cancel(q->call);
	sd_event_source_disable_unref(q->timer);
	free(q->name);
	free(q);
}

static void begin_next(struct resolver *r);

static void end(struct resolver_question *q, const struct resolver_answer *answer)
{
	struct resolver *r = q->all;
	void (*done)(void *arg, const struct resolver_answer *answer) = q->done;
	void *arg = q->arg;

	question_free(q);
	begin_next(r);
	done(arg, answer);
}

static void read_addresses(sd_json_variant *list, struct resolver_answer *out)
{
	size_t n = list && sd_json_variant_is_array(list) ? sd_json_variant_elements(list) : 0;

	for (size_t i = 0; i < n && out->n < RESOLVER_ADDRESSES_MAX; i++) {
		sd_json_variant *v = sd_json_variant_by_index(list, i);
		struct addr a;
		if (sd_json_variant_is_string(v) && addr_parse(sd_json_variant_string(v), &a) == 0)
			out->list[out->n++] = prefix_of(&a);
	}
}

static const char *text_of(sd_json_variant *reply, const char *key)
{
	sd_json_variant *v = sd_json_variant_by_key(reply, key);

	return v && sd_json_variant_is_string(v) ? sd_json_variant_string(v) : "";
}

/* A meshgwd that does not know the call is older than this program. */
static const char *explain(const char *error)
{
	if (strcmp(error, SD_VARLINK_ERROR_METHOD_NOT_FOUND) == 0)
		return "names are not resolved here";
	if (strcmp(error, SD_VARLINK_ERROR_INVALID_PARAMETER) == 0)
		return "it is no name of a host";
	return "nobody resolves names now";
}

static void on_reply(void *arg, sd_json_variant *reply, const char *error)
{
	struct resolver_question *q = arg;
	struct resolver_answer answer = {};

	q->call = nullptr;
	if (reply) {
		read_addresses(sd_json_variant_by_key(reply, "addresses"), &answer);
		answer.late = strcmp(text_of(reply, "reason"), "late") == 0;
		answer.why = text_of(reply, "message");
	} else {
		answer.late = strcmp(error, SD_VARLINK_ERROR_TIMEOUT) == 0;
		answer.why = explain(error);
	}
	end(q, &answer);
}

static int on_timer(sd_event_source *, uint64_t, void *userdata)
{
	struct resolver_question *q = userdata;
	const struct resolver_answer answer = {.late = !q->unreached,
		.why = q->unreached ? "nobody resolves names now" : "no answer in time"};

	end(q, &answer);
	return 0;
}

static void begin(struct resolver_question *q)
{
	struct resolver *r = q->all;
	autojson sd_json_variant *parameters = nullptr;

	if (sd_json_buildo(&parameters, SD_JSON_BUILD_PAIR_STRING("name", q->name)) < 0)
		out_of_memory();
	const struct call_request request = {.socket = r->socket,
		.method = API_INTERFACE ".TunnelResolve",
		.parameters = parameters,
		.timeout_us = r->limit_us,
		.done = on_reply,
		.arg = q};
	q->unreached = call_new(r->event, &request, &q->call) < 0;
	if (q->unreached)
		(void)sd_event_source_set_time_relative(q->timer, 0);
}

static void begin_next(struct resolver *r)
{
	size_t n = 0;

	for (struct resolver_question *q = r->list; q && n < RESOLVER_AT_ONCE; q = q->next) {
		if (!q->call && !q->unreached)
			begin(q);
		n += q->call != nullptr;
	}
}

struct resolver_question *resolver_ask(struct resolver *r, const char *name,
	void (*done)(void *arg, const struct resolver_answer *answer), void *arg)
{
	struct resolver_question **at = &r->list;
	size_t n = 0;

	for (; *at; at = &(*at)->next)
		n++;
	if (n >= RESOLVER_MAX)
		return nullptr;
	struct resolver_question *q = *at = xcalloc(1, sizeof(*q));
	*q = (struct resolver_question){.all = r, .name = xstrdup(name), .done = done, .arg = arg};
	if (sd_event_add_time_relative(
		    r->event, &q->timer, CLOCK_MONOTONIC, r->limit_us, 1000, on_timer, q) < 0)
		out_of_memory();
	begin_next(r);
	return q;
}

void resolver_cancel(struct resolver_question *q)
{
	if (!q)
		return;
	struct resolver *r = q->all;
	question_free(q);
	begin_next(r);
}

struct resolver *resolver_new(sd_event *event, const char *socket, uint64_t limit_us)
{
	struct resolver *r = xcalloc(1, sizeof(*r));

	*r = (struct resolver){
		.event = sd_event_ref(event), .socket = socket, .limit_us = limit_us};
	return r;
}

void resolver_free(struct resolver *r)
{
	if (!r)
		return;
	for (struct resolver_question *q = r->list, *next; q; q = next) {
		next = q->next;
		question_free(q);
	}
	sd_event_unref(r->event);
	free(r);
}
