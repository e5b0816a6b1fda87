/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * pages: what the bridge serves of its own: /.well-known/meshgw/ to callers, and to who may open
 * the admin socket /metrics and /status as well.
 *
 * A page of statistics is made of what every thread counts: it goes from thread to thread, each one
 * adds its own, and comes back to the one that was asked. Nobody reads another thread's memory.
 */
#include "proxy/exchange.h"
#include "proxy/loop.h"
#include <systemd/sd-json.h>

struct http_target;
struct metrics;
struct page;
struct route_stats;

/* Is it a page of ours? Every path is, of the admin socket. */
bool pages_serve(const struct client *c, const struct http_target *t);
/* Begins to answer; false: x is gone. */
bool page_begin(struct exchange *x, const struct http_request *q, const struct http_target *t);

/* A page of statistics on its way. */
struct page {
	struct loop_work work;
	struct page *next;         /* that waits for meshgwd's status */
	struct exchange *exchange; /* nullptr = nobody waits any more */
	struct metrics *metrics;
	unsigned at; /* the thread whose turn it is */
	bool status; /* or metrics */
};
/* Back in the thread where it began, with everything in it; consumes page. */
void page_done(struct page *page);
/* The exchange has ended without it. */
void page_leave(struct page *page);
/* Adds what this worker counts. */
void page_add(struct page *page, const struct worker *w);
