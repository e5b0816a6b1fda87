/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/worker.h"
#include "answer/ask.h"
#include "answer/budget.h"
#include "lib/xmalloc.h"
#include "proxy/client.h"
#include "proxy/exchange.h"
#include "proxy/listener.h"
#include "proxy/pages.h"
#include "proxy/upstream.h"
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

/* Of verdicts: how many are kept, and how long. */
constexpr size_t VERDICTS = 256;
constexpr uint64_t VERDICT_US = 5'000'000;
/* Of diagnoses that a source asks for itself: a handful when something breaks, then 20 a minute. */
constexpr unsigned QUESTIONS_AT_ONCE = 10;
constexpr uint64_t QUESTION_US = 3'000'000;

uint64_t worker_now_us(const struct worker *w)
{
	return w->loop.timers.now_ms * 1000;
}

void worker_arm_ask(struct worker *w)
{
	uint64_t next = ask_next(w->ask), now = worker_now_us(w);

	timer_unset(&w->ask_timer);
	if (next != UINT64_MAX)
		timer_set(&w->loop.timers, &w->ask_timer, next > now ? (next - now) / 1000 + 1 : 0);
}

static void on_ask_timer(struct timer *t)
{
	struct worker *w = (struct worker *)((char *)t - offsetof(struct worker, ask_timer));

	ask_expire(w->ask, worker_now_us(w));
	worker_arm_ask(w);
}

void worker_told(struct worker *w, const char *question, sd_json_variant *verdict)
{
	ask_told(w->ask, question, verdict, worker_now_us(w));
	worker_arm_ask(w);
}

void worker_init(struct worker *w, struct sources *sources, struct seat_table *seat_table)
{
	*w = (struct worker){
		.sources = sources, .seat_table = seat_table, .random_at = sizeof(w->random)};
	w->ask = ask_new(VERDICTS, VERDICT_US);
	w->budget = budget_new(QUESTIONS_AT_ONCE, QUESTION_US);
	w->ask_timer.expired = on_ask_timer;
	w->began_us = loop_clock_us();
	log_writer_init(&w->log);
	loop_init(&w->loop);
}

/* There are some hundred codes at most, and few of them at one gateway. */
void worker_count_verdict(struct worker *w, const char *code)
{
	size_t len = strlen(code) + 1;
	struct verdict_stats *s = w->verdict_stats;

	while (s && strcmp(s->code, code) != 0)
		s = s->next;
	if (!s) {
		s = xcalloc(1, sizeof(*s) + len);
		memcpy(s->code, code, len);
		s->next = w->verdict_stats;
		w->verdict_stats = s;
	}
	s->n++;
}

static void clear_verdict_stats(struct worker *w)
{
	for (struct verdict_stats *s = w->verdict_stats, *next; s; s = next) {
		next = s->next;
		free(s);
	}
}

static void end_clients(struct worker *w)
{
	while (w->clients) {
		struct client *c = w->clients;
		if (c->exchange)
			exchange_client_gone(c->exchange, -ECONNABORTED);
		else
			client_free(c);
	}
}

static void free_route_stats(struct worker *w)
{
	while (w->route_stats) {
		struct route_stats *r = w->route_stats;
		w->route_stats = r->next;
		free(r->host);
		free(r->path);
		free(r);
	}
	free(w->by_route);
}

void worker_clear(struct worker *w)
{
	listeners_close(w, false);
	listeners_close(w, true);
	end_clients(w);
	for (size_t i = 0; w->config && i < w->config->n_upstreams; i++)
		upstream_retire(w->upstreams[i]);
	free(w->upstreams);
	exchanges_clear(w);
	while (w->pages) {
		struct page *page = w->pages;
		w->pages = page->next;
		page_done(page);
	}
	timer_unset(&w->ask_timer);
	ask_free(w->ask);
	budget_free(w->budget);
	clear_verdict_stats(w);
	log_writer_clear(&w->log);
	free_route_stats(w);
	bridge_config_unref(w->config);
	loop_clear(&w->loop);
}

/* Those that the new configuration has, too, go on; the others retire. */
static void move_upstreams(
	struct worker *w, const struct bridge_config *config, struct upstream **to)
{
	for (size_t i = 0; w->config && i < w->config->n_upstreams; i++) {
		struct upstream *u = w->upstreams[i];
		const struct bridge_upstream *same = bridge_config_same_upstream(config, u->of);
		if (same && !to[same->index]) {
			to[same->index] = u;
			upstream_move(u, config, same);
		} else {
			upstream_retire(u);
		}
	}
}

static struct stats_route *stats_of(struct worker *w, const struct bridge_route *route)
{
	struct route_stats *r = w->route_stats;

	while (r && (strcmp(r->host, route->host) != 0 || strcmp(r->path, route->path) != 0))
		r = r->next;
	if (!r) {
		r = xcalloc(1, sizeof(*r));
		*r = (struct route_stats){
			w->route_stats, xstrdup(route->host), xstrdup(route->path), {}};
		w->route_stats = r;
	}
	return &r->stats;
}

static void count_routes(struct worker *w, const struct bridge_config *config)
{
	free(w->by_route);
	w->by_route = xcalloc(config->n_routes, sizeof(*w->by_route));
	for (size_t i = 0; i < config->n_routes; i++)
		w->by_route[i] = stats_of(w, &config->routes[i]);
}

void worker_configure(struct worker *w, const struct bridge_config *take_config)
{
	struct upstream **upstreams = xcalloc(take_config->n_upstreams, sizeof(*upstreams));

	move_upstreams(w, take_config, upstreams);
	for (size_t i = 0; i < take_config->n_upstreams; i++)
		if (!upstreams[i])
			upstreams[i] = upstream_new(w, take_config, &take_config->upstreams[i]);
	count_routes(w, take_config);
	free(w->upstreams);
	bridge_config_unref(w->config);
	w->upstreams = upstreams;
	w->config = take_config;
}

void worker_drain(struct worker *w)
{
	w->draining = true;
	listeners_close(w, false);
	for (struct client *c = w->clients, *next; c; c = next) {
		next = c->next;
		client_drain(c);
	}
}

const char *worker_date(struct worker *w)
{
	uint64_t now_s = (uint64_t)time(nullptr);
	time_t t = (time_t)now_s;
	struct tm tm;

	if (now_s != w->date_s) {
		w->date_s = now_s;
		/* The C locale's names are those of RFC 9110 5.6.7. */
		(void)strftime(
			w->date, sizeof(w->date), "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&t, &tm));
	}
	return w->date;
}

const uint8_t *worker_random(struct worker *w, size_t n)
{
	assert(n <= sizeof(w->random));
	if (sizeof(w->random) - w->random_at < n) {
		/* Without a signal, and for this size, it never gives less (getrandom(2)). */
		for (size_t at = 0; at < sizeof(w->random); at += 256)
			if (getrandom(w->random + at, 256, 0) != 256)
				out_of_memory();
		w->random_at = 0;
	}
	w->random_at += n;
	return w->random + w->random_at - n;
}
