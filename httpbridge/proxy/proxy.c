/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/proxy.h"
#include "answer/metrics.h"
#include "lib/json.h"
#include "lib/xmalloc.h"
#include "proxy/listener.h"
#include "proxy/pages.h"
#include "proxy/seats.h"
#include "proxy/sources.h"
#include "proxy/tls.h"
#include "proxy/worker.h"
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct thread {
	struct worker worker;
	pthread_t id;
	struct timer drain;
	struct proxy *proxy;
	bool drains;
};

struct proxy {
	struct sources *sources;
	struct seat_table *seat_table;
	unsigned n;
	struct thread *threads;
	atomic_uint draining; /* threads that have not ended it */
	int ended_fd;
	int questions_fd;
	pthread_mutex_t lock; /* of what follows */
	struct proxy_question *first, **last;
	struct { /* for the pages */
		atomic_uint loads, refused;
		atomic_bool attached;
	} life;
};

struct proxy_question {
	struct loop_work work;
	struct proxy_question *next;
	struct thread *thread;
	char *answer; /* a reference count of sd-json is one thread's: it crosses as text */
	char text[];  /* as worker.h has it */
};

int proxy_check(const struct bridge_config *config, struct err *err)
{
	for (size_t i = 0; i < config->n_upstreams; i++) {
		const struct bridge_upstream *u = &config->upstreams[i];
		struct err why = {};
		struct tls *tls = nullptr;

		if (u->scheme != BRIDGE_HTTPS)
			continue;
		if (tls_new(&u->tls, &tls, &why) < 0)
			return err_set(err, EINVAL, "upstream %s: %s", u->name, why.msg);
		tls_free(tls);
	}
	return 0;
}

/* A message: all kinds in one. */
struct order {
	struct loop_work work;
	struct thread *thread;
	void (*obey)(struct thread *t, struct order *o);
	const struct bridge_config *config;
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

static void obey_listen_admin(struct thread *t, struct order *o)
{
	listeners_close(&t->worker, true);
	if (o->fds[0] >= 0)
		listener_new(&t->worker, o->fds[0], true);
}

static void obey_listen(struct thread *t, struct order *o)
{
	if (!t->worker.draining) {
		listeners_replace(&t->worker, o->fds, o->n);
		return;
	}
	for (unsigned i = 0; i < o->n; i++)
		close(o->fds[i]);
}

static void end_drain(struct thread *t)
{
	if (!t->drains)
		return;
	t->drains = false;
	if (atomic_fetch_sub(&t->proxy->draining, 1) == 1)
		eventfd_write(t->proxy->ended_fd, 1);
}

static void on_drain_timer(struct timer *timer)
{
	end_drain((struct thread *)((char *)timer - offsetof(struct thread, drain)));
}

static void obey_drain(struct thread *t, struct order *)
{
	t->drains = true;
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

	log_writer_flush(&t->worker.log);
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

/* Pages. */

struct tour {
	struct loop_work work;
	struct proxy *proxy;
	struct thread *home;
	struct page *page;
};

static void go_home(struct loop_work *work)
{
	struct tour *tour = (struct tour *)work;

	page_done(tour->page);
	free(tour);
}

static void visit(struct loop_work *work)
{
	struct tour *tour = (struct tour *)work;
	struct thread *t = &tour->proxy->threads[tour->page->at++];

	page_add(tour->page, &t->worker);
	bool more = tour->page->at < tour->proxy->n;
	struct thread *next = more ? t + 1 : tour->home;
	tour->work.run = more ? visit : go_home;
	loop_post(&next->worker.loop, &tour->work);
}

static void begin_tour(struct thread *home, struct page *page)
{
	struct tour *tour = xcalloc(1, sizeof(*tour));
	struct proxy *p = home->proxy;

	const struct metrics_life life = {.loads = atomic_load(&p->life.loads),
		.loads_refused = atomic_load(&p->life.refused),
		.attached = atomic_load(&p->life.attached),
		.draining = home->worker.draining};
	metrics_set_life(page->metrics, &life);
	*tour = (struct tour){.work.run = visit, .proxy = p, .home = home, .page = page};
	loop_post(&p->threads[0].worker.loop, &tour->work);
}

/* meshgwd has answered the first of those that wait. */
static void pass_on_page(struct thread *t, sd_json_variant *status)
{
	struct page *page = t->worker.pages;

	assert(page);
	t->worker.pages = page->next;
	if (status)
		metrics_set_gateway(page->metrics, status);
	begin_tour(t, page);
}

static void collect(struct worker *w, struct page *page)
{
	struct page **last = &w->pages;

	if (!w->put_question) {
		begin_tour((struct thread *)w, page);
		return;
	}
	while (*last)
		last = &(*last)->next;
	*last = page;
	w->put_question(w, "");
}

/* Questions. */

static void put_question(struct worker *w, const char *question)
{
	struct thread *t = (struct thread *)w;
	struct proxy *p = t->proxy;
	size_t len = strlen(question) + 1;
	struct proxy_question *q = xcalloc(1, sizeof(*q) + len);

	q->thread = t;
	memcpy(q->text, question, len);
	pthread_mutex_lock(&p->lock);
	*p->last = q;
	p->last = &q->next;
	pthread_mutex_unlock(&p->lock);
	eventfd_write(p->questions_fd, 1);
}

int proxy_questions_fd(const struct proxy *p)
{
	return p->questions_fd;
}

struct proxy_question *proxy_take_question(struct proxy *p)
{
	eventfd_t count;

	pthread_mutex_lock(&p->lock);
	struct proxy_question *q = p->first;
	if (q)
		p->first = q->next;
	else
		eventfd_read(p->questions_fd, &count);
	if (!p->first)
		p->last = &p->first;
	pthread_mutex_unlock(&p->lock);
	return q;
}

static const struct {
	const char *prefix;
	enum proxy_question_kind kind;
} kinds[] = {{WORKER_ACTIVE, PROXY_QUESTION_ACTIVE}, {WORKER_OWN, PROXY_QUESTION_OWN}};

enum proxy_question_kind proxy_question_read(const struct proxy_question *q, const char **target)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		size_t len = strlen(kinds[i].prefix);
		if (strncmp(q->text, kinds[i].prefix, len) == 0) {
			*target = q->text + len;
			return kinds[i].kind;
		}
	}
	*target = q->text;
	return *q->text ? PROXY_QUESTION_PASSIVE : PROXY_QUESTION_STATUS;
}

static void hear_answer(struct loop_work *work)
{
	struct proxy_question *q = (struct proxy_question *)work;
	autojson sd_json_variant *answer = nullptr;

	if (q->answer)
		(void)sd_json_parse(q->answer, 0, &answer, nullptr, nullptr);
	if (*q->text)
		worker_told(&q->thread->worker, q->text, answer);
	else
		pass_on_page(q->thread, answer);
	free(q->answer);
	free(q);
}

void proxy_answer(struct proxy_question *take_q, sd_json_variant *answer)
{
	if (answer && sd_json_variant_format(answer, 0, &take_q->answer) < 0)
		take_q->answer = nullptr;
	take_q->work.run = hear_answer;
	loop_post(&take_q->thread->worker.loop, &take_q->work);
}

/* Life. */

struct proxy *proxy_new(const struct bridge_config *take_config, bool asks)
{
	struct proxy *p = xcalloc(1, sizeof(*p));

	*p = (struct proxy){.sources = sources_new(),
		.seat_table = seat_table_new(),
		.n = take_config->threads,
		.threads = xcalloc(take_config->threads, sizeof(*p->threads)),
		.questions_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
	if (p->questions_fd < 0)
		out_of_memory();
	p->last = &p->first;
	pthread_mutex_init(&p->lock, nullptr);
	for (unsigned i = 0; i < p->n; i++) {
		struct thread *t = &p->threads[i];
		t->proxy = p;
		worker_init(&t->worker, p->sources, p->seat_table);
		t->worker.loop.after = after_round;
		t->worker.collect = collect;
		t->worker.put_question = asks ? put_question : nullptr;
		worker_configure(&t->worker, bridge_config_ref(take_config));
		start_thread(t);
	}
	atomic_store(&p->life.loads, 1);
	bridge_config_unref(take_config);
	return p;
}

void proxy_note_attached(struct proxy *p, bool attached)
{
	atomic_store(&p->life.attached, attached);
}

void proxy_note_refused(struct proxy *p)
{
	atomic_fetch_add(&p->life.refused, 1);
}

void proxy_listen_admin(struct proxy *p, int fd)
{
	struct order *o = order_new(&p->threads[0], obey_listen_admin, 1);

	o->fds[0] = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0);
	loop_post(&p->threads[0].worker.loop, &o->work);
}

void proxy_configure(struct proxy *p, const struct bridge_config *take_config)
{
	atomic_fetch_add(&p->life.loads, 1);
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
	p->ended_fd = ended_eventfd;
	atomic_store(&p->draining, p->n);
	for (unsigned i = 0; i < p->n; i++)
		loop_post(&p->threads[i].worker.loop,
			&order_new(&p->threads[i], obey_drain, 0)->work);
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
	for (struct proxy_question *q; (q = proxy_take_question(p));)
		free(q);
	close(p->questions_fd);
	pthread_mutex_destroy(&p->lock);
	sources_free(p->sources);
	seat_table_free(p->seat_table);
	free(p->threads);
	free(p);
}
