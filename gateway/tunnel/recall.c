/* SPDX-License-Identifier: Apache-2.0 */
#include "recall.h"
#include "lib/log.h"
#include "lib/xmalloc.h"
#include <stdlib.h>

/* Before each call; what comes after the last one is the time that peers have to come back. */
static const uint64_t PAUSES_US[] = {0, 100'000, 200'000, 400'000, 300'000};
constexpr size_t CALLS = sizeof(PAUSES_US) / sizeof(*PAUSES_US) - 1;

struct absent {
	struct quic_trace trace;
	unsigned line; /* of the roll; ROLL_NONE = it is back */
	bool heard;
};

struct recall {
	struct roll *roll;
	struct pump *pump;
	struct quic_endpoint *endpoint;
	void (*over)(void *arg);
	void *arg;
	sd_event_source *timer;
	struct absent *list;
	size_t n, cap, missing;
	size_t calls;
};

static void find_absent(struct recall *r)
{
	struct quic_trace trace;
	unsigned line = 0;

	while ((line = roll_former(r->roll, line, &trace)) != ROLL_NONE) {
		XGROW(r->list, r->n, r->cap);
		r->list[r->n++] = (struct absent){.trace = trace, .line = line++};
	}
	r->missing = r->n;
}

static void strike(struct recall *r, struct absent *a)
{
	roll_strike(r->roll, a->line);
	a->line = ROLL_NONE;
	if (--r->missing == 0)
		r->over(r->arg);
}

/* A socket that is not there any more, or takes nothing now: the next call may do better. */
static void call_one(struct recall *r, struct absent *a, uint64_t now_ns)
{
	struct quic_path *path = &a->trace.path;

	if (!pump_socket_of(r->pump, &path->local, &path->socket) || !pump_ready(r->pump))
		return;
	if (quic_endpoint_disown(r->endpoint, &a->trace, pump_batch(r->pump)))
		return;
	pump_write(r->pump, now_ns);
	if (pump_ready(r->pump))
		(void)!quic_endpoint_disown(r->endpoint, &a->trace, pump_batch(r->pump));
}

static void call_all(struct recall *r)
{
	uint64_t now_ns = pump_now_ns();

	pump_begin(r->pump, now_ns);
	for (size_t i = 0; i < r->n; i++)
		if (r->list[i].line != ROLL_NONE && !r->list[i].heard)
			call_one(r, &r->list[i], now_ns);
	pump_write(r->pump, now_ns);
}

static void give_up(struct recall *r)
{
	log_info("edge", "called back peers=%zu missing=%zu", r->n, r->missing);
	for (size_t i = 0; i < r->n; i++)
		if (r->list[i].line != ROLL_NONE)
			strike(r, &r->list[i]);
}

static int on_timer(sd_event_source *, uint64_t, void *userdata)
{
	struct recall *r = userdata;

	if (r->missing && r->calls < CALLS) {
		call_all(r);
		r->calls++;
		(void)sd_event_source_set_time_relative(r->timer, PAUSES_US[r->calls]);
		(void)sd_event_source_set_enabled(r->timer, SD_EVENT_ONESHOT);
		return 0;
	}
	give_up(r);
	return 0;
}

struct recall *recall_new(sd_event *event, struct roll *roll, struct pump *pump,
	struct quic_endpoint *endpoint, void (*over)(void *arg), void *arg)
{
	struct recall *r = xcalloc(1, sizeof(*r));

	*r = (struct recall){
		.roll = roll, .pump = pump, .endpoint = endpoint, .over = over, .arg = arg};
	find_absent(r);
	if (r->n == 0) {
		free(r);
		return nullptr;
	}
	if (sd_event_add_time_relative(
		    event, &r->timer, CLOCK_MONOTONIC, PAUSES_US[0], 1, on_timer, r) < 0)
		out_of_memory();
	return r;
}

void recall_free(struct recall *r)
{
	if (!r)
		return;
	sd_event_source_disable_unref(r->timer);
	free(r->list);
	free(r);
}

/* nullptr: it is none of those. */
static struct absent *find(struct recall *r, const struct quic_path *path)
{
	for (size_t i = 0; r && i < r->n; i++)
		if (r->list[i].line != ROLL_NONE &&
			quic_address_equal(&r->list[i].trace.path.remote, &path->remote))
			return &r->list[i];
	return nullptr;
}

void recall_heard(struct recall *r, const struct quic_path *path)
{
	struct absent *a = find(r, path);

	if (a)
		a->heard = true;
}

void recall_found(struct recall *r, const struct quic_path *path)
{
	struct absent *a = find(r, path);

	if (a)
		strike(r, a);
}

bool recall_is_over(const struct recall *r)
{
	return !r || r->missing == 0;
}
