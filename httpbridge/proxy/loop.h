/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * loop: what a worker thread runs on: libh2o's event loop, timers, its memory, its inbox.
 *
 * All that belongs to a loop is used by its own thread only, but for loop_post().
 */
#include "proxy/timer.h"
#include <stdatomic.h>
#include <stddef.h>
#include <sys/socket.h>

struct link;
struct st_h2o_evloop_t;

/* What one recv(2) takes: beyond it nothing was gained, below it throughput was lost. */
constexpr size_t LOOP_INPUT = 128 * 1024;
/* Heads are written here before they are sent, and paths behind them: room for any head that may be
 * taken, with what is added to it. Pages of it that nobody writes to take no memory. */
constexpr size_t LOOP_SCRATCH = 4 * 1024 * 1024;

struct loop_work {
	struct loop_work *next;
	void (*run)(struct loop_work *w); /* in the loop's thread; owns w */
};

struct loop {
	struct st_h2o_evloop_t *h2o;
	struct timers timers;
	uint64_t now_us; /* when the callback that runs began */
	char *input, *scratch;
	void *blocks; /* free ones, of LOOP_INPUT bytes */
	unsigned n_blocks;
	void (*after)(struct loop *loop); /* each round; may be nullptr */
	void *wake;                       /* the watcher of the inbox */
	int wake_fd;
	_Atomic(struct loop_work *) inbox;
	bool stopped;
	struct link **ready; /* nullptr: closed since. The first one is the last */
	uint32_t n_ready, ready_size;
};

void loop_init(struct loop *loop);
void loop_clear(struct loop *loop); /* all links are closed */
/* What is ready, or becomes so in this time; timers count too. */
void loop_round(struct loop *loop, uint64_t wait_ms);
/* Until loop->stopped. */
void loop_run(struct loop *loop);
/* From any thread; consumes w. In order of arrival. */
void loop_post(struct loop *loop, struct loop_work *w);

/* A watcher of a foreign descriptor, which stays the caller's. */
struct loop_watch *loop_watch(struct loop *loop, int fd, void (*ready)(void *arg), void *arg);
void loop_unwatch(struct loop_watch *w);

/* Memory for what a peer does not take, LOOP_INPUT bytes. */
[[nodiscard, gnu::returns_nonnull]] char *loop_block(struct loop *loop);
void loop_block_free(struct loop *loop, char *block);

/* CLOCK_MONOTONIC, now. */
uint64_t loop_clock_us(void);
/* Each callback begins with it: libh2o waits and calls back in one, and a wait may have been long.
 * What a request goes through in one callback happens at one time, loop->now_us: 4 looks at the
 * clock for a request in place of 9. */
static inline void loop_tick(struct loop *loop)
{
	loop->now_us = loop_clock_us();
	loop->timers.now_ms = loop->now_us / 1000;
}
/* CLOCK_REALTIME, now. */
uint64_t loop_realtime_us(void);
