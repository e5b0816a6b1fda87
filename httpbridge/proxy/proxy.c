/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/proxy.h"
#include "lib/xmalloc.h"
#include "proxy/listener.h"
#include "proxy/sources.h"
#include "proxy/worker.h"
#include <assert.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct thread {
	struct worker worker;
	pthread_t id;
	struct timer drain;
	int ended_fd; /* written to once; -1 = nobody waits */
};

struct proxy {
	struct sources *sources;
	unsigned n;
	struct thread *threads;
};

/* A message: all kinds in one. */
struct order {
	struct loop_work work;
	struct thread *thread;
	void (*obey)(struct thread *t, struct order *o);
	const struct bridge_config *config;
	int ended_fd;
	unsigned n;
	int fds[];
};

static void run_order(struct loop_work *work)
{
	struct order *o = (struct order *)work;
	o->obey(o->thread, o);
	free(o);
}

static struct order *order_new(
	struct thread *t, void (*obey)(struct thread *, struct order *), unsigned n)
{
	struct order *o = xcalloc(1, sizeof(*o) + n * sizeof(o->fds[0]));
	o->work.run = run_order;
	o->thread = t;
	o->obey = obey;
	o->n = n;
	return o;
}

static void obey_configure(struct thread *t, struct order *o)
{
	worker_configure(&t->worker, o->config);
}

static void obey_listen(struct thread *t, struct order *o)
{
	listeners_close(&t->worker);
	for (unsigned i = 0; i < o->n; i++)
		if (t->worker.draining)
			close(o->fds[i]);
		else
			listener_new(&t->worker, o->fds[i], false);
}

static void end_drain(struct thread *t)
{
	if (t->ended_fd < 0)
		return;
	eventfd_write(t->ended_fd, 1);
	t->ended_fd = -1;
}

static void on_drain_timer(struct timer *timer)
{
	end_drain((struct thread *)((char *)timer - offsetof(struct thread, drain)));
}

static void obey_drain(struct thread *t, struct order *o)
{
	t->ended_fd = o->ended_fd;
	t->drain.expired = on_drain_timer;
	timer_set(&t->worker.loop.timers, &t->drain, t->worker.config->limits.drain_ms);
	worker_drain(&t->worker);
}

static void obey_stop(struct thread *t, struct order *)
{
	timer_unset(&t->drain);
	t->worker.loop.stopped = true;
}

static void after_round(struct loop *loop)
{
	struct thread *t = (struct thread *)loop;

	if (t->worker.draining && !t->worker.clients)
		end_drain(t);
}

static void *run_thread(void *arg)
{
	struct thread *t = arg;

	loop_run(&t->worker.loop);
	worker_clear(&t->worker);
	return nullptr;
}

/* Signals are the main thread's; a write to a closed connection is an error, not one of them. */
static void start_thread(struct thread *t)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	if (pthread_create(&t->id, nullptr, run_thread, t) != 0)
		out_of_memory();
	pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

struct proxy *proxy_new(const struct bridge_config *take_config)
{
	struct proxy *p = xcalloc(1, sizeof(*p));

	*p = (struct proxy){.sources = sources_new(),
		.n = take_config->threads,
		.threads = xcalloc(take_config->threads, sizeof(*p->threads))};
	for (unsigned i = 0; i < p->n; i++) {
		struct thread *t = &p->threads[i];
		t->ended_fd = -1;
		worker_init(&t->worker, p->sources, p->n);
		t->worker.loop.after = after_round;
		worker_configure(&t->worker, bridge_config_ref(take_config));
		start_thread(t);
	}
	bridge_config_unref(take_config);
	return p;
}

void proxy_configure(struct proxy *p, const struct bridge_config *take_config)
{
	for (unsigned i = 0; i < p->n; i++) {
		struct order *o = order_new(&p->threads[i], obey_configure, 0);
		o->config = bridge_config_ref(take_config);
		loop_post(&p->threads[i].worker.loop, &o->work);
	}
	bridge_config_unref(take_config);
}

void proxy_listen(struct proxy *p, const int *fds, unsigned n)
{
	for (unsigned i = 0; i < p->n; i++) {
		struct order *o = order_new(&p->threads[i], obey_listen, n);
		for (unsigned k = 0; k < n; k++) {
			o->fds[k] = fcntl(fds[k], F_DUPFD_CLOEXEC, 0);
			if (o->fds[k] < 0)
				out_of_memory();
		}
		loop_post(&p->threads[i].worker.loop, &o->work);
	}
}

void proxy_drain(struct proxy *p, int ended_eventfd)
{
	for (unsigned i = 0; i < p->n; i++) {
		struct order *o = order_new(&p->threads[i], obey_drain, 0);
		o->ended_fd = ended_eventfd;
		loop_post(&p->threads[i].worker.loop, &o->work);
	}
}

void proxy_free(struct proxy *p)
{
	if (!p)
		return;
	for (unsigned i = 0; i < p->n; i++)
		loop_post(
			&p->threads[i].worker.loop, &order_new(&p->threads[i], obey_stop, 0)->work);
	for (unsigned i = 0; i < p->n; i++)
		pthread_join(p->threads[i].id, nullptr);
	sources_free(p->sources);
	free(p->threads);
	free(p);
}
