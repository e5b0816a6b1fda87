/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * worker: what one thread serves with: its loop, its configuration, its upstreams, its clients.
 *
 * A worker shares nothing with others but the immutable configuration, the counts of sources and of
 * connections to upstreams (proxy/sources.h, proxy/seats.h) and the statistics that it writes and a
 * page reads. It is told what to do by work posted to its loop (proxy/proxy.h).
 */
#include "answer/stats.h"
#include "proxy/log_writer.h"
#include "proxy/loop.h"
#include "route/config.h"
#include <systemd/sd-json.h>

struct ask;
struct budget;
struct client;
struct page;
struct exchange;
struct listener;
struct seat_table;
struct sources;
struct upstream;

/* What was counted of a route, by its name: it outlives the configuration that has the route. */
struct route_stats {
	struct route_stats *next;
	char *host, *path;
	struct stats_route stats;
};

/* How often a code of a verdict was given for the cause of a failure. */
struct verdict_stats {
	struct verdict_stats *next;
	uint64_t n;
	char code[];
};

/* In front of a target: probes may be sent. */
#define WORKER_ACTIVE "active "
/* In front of the name of an upstream: this program's own way to it, which failed. */
#define WORKER_OWN "own "

struct worker {
	struct loop loop; /* first: the loop's hooks know it as such */
	const struct bridge_config *config;
	struct upstream **upstreams; /* as config->upstreams */
	struct route_stats *route_stats;
	struct stats_route **by_route; /* as config->routes */
	struct verdict_stats *verdict_stats;
	struct client *clients; /* all */
	struct listener *listeners;
	struct exchange *free_exchanges;
	struct sources *sources;
	struct seat_table *seat_table;
	bool draining;
	size_t turn;     /* of routes' upstreams */
	struct ask *ask; /* verdicts */
	struct timer ask_timer;
	struct budget *budget; /* of who asks for diagnoses */
	/* A target, maybe behind WORKER_ACTIVE or WORKER_OWN, or "" for the status. nullptr =
	 * nobody answers. */
	void (*put_question)(struct worker *w, const char *question);
	/* Takes a page around all threads. */
	void (*collect)(struct worker *w, struct page *page);
	struct page *pages; /* that wait for meshgwd's status, in order */
	uint64_t began_us;
	struct log_writer log;
	struct stats_thread stats;
	char date[32];
	uint64_t date_s;
	uint8_t random[4096];
	size_t random_at;
};

void worker_init(struct worker *w, struct sources *sources, struct seat_table *seat_table);
void worker_clear(struct worker *w);
/* Takes the reference. What is under way keeps the configuration that it began with. */
void worker_configure(struct worker *w, const struct bridge_config *take_config);
/* No more connections, and each one ends with its request. After drain_ms all end. */
void worker_drain(struct worker *w);

/* A failure was answered with this code of a verdict. */
void worker_count_verdict(struct worker *w, const char *code);

/* The answer to a question, which is as it was put. */
void worker_told(struct worker *w, const char *question, sd_json_variant *verdict);
/* Waits are to be looked after: ask was used. */
void worker_arm_ask(struct worker *w);
/* The time as ask counts it. */
uint64_t worker_now_us(const struct worker *w);

/* IMF-fixdate of now, good for this round of the loop. */
const char *worker_date(struct worker *w);
/* n random bytes, n small, good until the next call. */
const uint8_t *worker_random(struct worker *w, size_t n);
