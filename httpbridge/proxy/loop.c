/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/loop.h"
#include "lib/xmalloc.h"
#include "proxy/link.h"
#include <errno.h>
#include <h2o/socket.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* Kept for the next one that needs them. */
constexpr unsigned BLOCKS_KEPT = 32;
/* A loop that has nothing to do looks up this often. */
constexpr uint64_t IDLE_MS = 60'000;

struct loop_watch {
	struct loop *loop;
	h2o_socket_t *sock;
	void (*ready)(void *arg);
	void *arg;
};

static void on_ready(h2o_socket_t *sock, const char *)
{
	struct loop_watch *w = sock->data;

	loop_tick(w->loop);
	w->ready(w->arg);
}

struct loop_watch *loop_watch(struct loop *loop, int fd, void (*ready)(void *arg), void *arg)
{
	struct loop_watch *w = xcalloc(1, sizeof(*w));

	*w = (struct loop_watch){loop,
		h2o_evloop_socket_create(loop->h2o, fd, H2O_SOCKET_FLAG_DONT_READ), ready, arg};
	w->sock->data = w;
	h2o_socket_read_start(w->sock, on_ready);
	return w;
}

void loop_unwatch(struct loop_watch *w)
{
	h2o_socket_export_t exported;

	if (!w)
		return;
	/* Closing would close the descriptor. */
	h2o_socket_read_stop(w->sock);
	h2o_socket_export(w->sock, &exported);
	h2o_buffer_dispose(&exported.input);
	free(w);
}

/* The inbox: a stack that many threads push and one empties. */

void loop_post(struct loop *loop, struct loop_work *w)
{
	struct loop_work *head = atomic_load(&loop->inbox);
	do
		w->next = head;
	while (!atomic_compare_exchange_weak(&loop->inbox, &head, w));
	if (!head)
		eventfd_write(loop->wake_fd, 1);
}

static void on_wake(void *arg)
{
	struct loop *loop = arg;
	struct loop_work *work, *ordered = nullptr;
	eventfd_t count;

	eventfd_read(loop->wake_fd, &count);
	work = atomic_exchange(&loop->inbox, nullptr);
	while (work) {
		struct loop_work *next = work->next;
		work->next = ordered;
		ordered = work;
		work = next;
	}
	while (ordered) {
		struct loop_work *next = ordered->next;
		ordered->run(ordered);
		ordered = next;
	}
}

void loop_init(struct loop *loop)
{
	*loop = (struct loop){.h2o = h2o_evloop_create(),
		.input = xcalloc(1, LOOP_INPUT),
		.scratch = xcalloc(1, LOOP_SCRATCH),
		.wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
	if (loop->wake_fd < 0)
		out_of_memory();
	loop_tick(loop);
	timers_init(&loop->timers, loop->timers.now_ms);
	loop->wake = loop_watch(loop, loop->wake_fd, on_wake, loop);
}

void loop_clear(struct loop *loop)
{
	on_wake(loop);
	loop_unwatch(loop->wake);
	close(loop->wake_fd);
	while (loop->blocks) {
		void *next = *(void **)loop->blocks;
		free(loop->blocks);
		loop->blocks = next;
	}
	free(loop->ready);
	free(loop->input);
	free(loop->scratch);
	/* libh2o frees closed sockets in the next round. */
	h2o_evloop_run(loop->h2o, 0);
	h2o_evloop_destroy(loop->h2o);
	*loop = (struct loop){.wake_fd = -1};
}

void loop_round(struct loop *loop, uint64_t wait_ms)
{
	/* -1 is a signal's doing, and no reason to stop. */
	(void)h2o_evloop_run(loop->h2o, (int32_t)timers_wait_ms(&loop->timers, wait_ms));
	link_read_ready(loop);
	loop_tick(loop);
	timers_run(&loop->timers, loop->timers.now_ms);
	if (loop->after)
		loop->after(loop);
}

void loop_run(struct loop *loop)
{
	while (!loop->stopped)
		loop_round(loop, IDLE_MS);
}

char *loop_block(struct loop *loop)
{
	void *block = loop->blocks;

	if (!block)
		return xcalloc(1, LOOP_INPUT);
	loop->blocks = *(void **)block;
	loop->n_blocks--;
	return block;
}

void loop_block_free(struct loop *loop, char *block)
{
	if (loop->n_blocks == BLOCKS_KEPT) {
		free(block);
		return;
	}
	memcpy(block, &loop->blocks, sizeof(loop->blocks));
	loop->blocks = block;
	loop->n_blocks++;
}
