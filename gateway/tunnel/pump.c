/* SPDX-License-Identifier: Apache-2.0 */
#include "pump.h"
#include "lib/xmalloc.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

constexpr size_t BATCH_BYTES = 512 * 1024;
constexpr unsigned BATCH_RUNS = 64;
constexpr uint64_t NS_PER_US = 1000;
/* Where something ran so lately nobody was held up, and a socket that was read then holds nothing
 * that matters. */
constexpr uint64_t LISTENED_NS = 10'000'000;
constexpr unsigned LISTEN_CALLS = 16;

struct outlet {
	struct pump *pump;
	struct udp *udp; /* nullptr: the place is free */
	sd_event_source *source;
	uint64_t read_ns; /* when it was read last */
	bool retired;
};

struct pump {
	sd_event *event;
	struct pump_events events;
	bool dials;
	struct quic_endpoint *endpoint;
	struct outlet outlets[PUMP_SOCKETS_MAX];
	struct udp_counters former; /* of sockets that are closed */
	bool closing;               /* retired ones, before the next turn */
	sd_event_source *timer;
	uint64_t timer_us, turn_ns;
	struct quic_batch batch;
	struct udp_run out[BATCH_RUNS]; /* the batch's runs, while they are sent */
	unsigned out_at, out_n;
	int blocked; /* the outlet that takes no more; -1 = none */
	struct quic_run runs[BATCH_RUNS];
	uint8_t *buffer;
};

uint64_t pump_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * UINT64_C(1'000'000'000) + (uint64_t)ts.tv_nsec;
}

uint64_t pump_turn_ns(const struct pump *p)
{
	return p->turn_ns;
}

struct quic_batch *pump_batch(struct pump *p)
{
	return &p->batch;
}

bool pump_ready(const struct pump *p)
{
	return p->blocked < 0 && p->endpoint;
}

/* Both are the socket address structures of their families. */
static void udp_of_quic(const union quic_address *a, union udp_address *out)
{
	static_assert(sizeof(*a) == sizeof(*out));
	memcpy(out, a, sizeof(*out));
}

static void quic_of_udp(const union udp_address *a, union quic_address *out)
{
	memcpy(out, a, sizeof(*out));
}

/* In. */

static unsigned receive(struct pump *p, unsigned i, uint64_t now_ns)
{
	const struct udp_run *runs;
	unsigned n = udp_receive(p->outlets[i].udp, &runs);

	p->turn_ns = p->outlets[i].read_ns = now_ns;
	for (unsigned k = 0; k < n; k++) {
		struct quic_run in = {.bytes = runs[k].data,
			.length = runs[k].n,
			.segment = runs[k].segment,
			.ecn = runs[k].ecn,
			.path.socket = i};
		quic_of_udp(
			p->dials ? udp_local(p->outlets[i].udp) : &runs[k].local, &in.path.local);
		quic_of_udp(&runs[k].remote, &in.path.remote);
		if (p->endpoint && in.length)
			quic_endpoint_receive(p->endpoint, &in, now_ns);
	}
	return n;
}

static void set_turn(struct pump *p, uint64_t us)
{
	p->timer_us = us;
	(void)sd_event_source_set_time(p->timer, us);
	(void)sd_event_source_set_enabled(p->timer, SD_EVENT_ONESHOT);
}

/* All that there is, in bounds. */
static unsigned drain(struct pump *p, uint64_t now_ns)
{
	unsigned heard = 0;

	for (unsigned i = 0; i < PUMP_SOCKETS_MAX; i++) {
		const struct outlet *o = &p->outlets[i];
		unsigned calls = 0, n = 1;
		if (!o->udp || now_ns < o->read_ns + LISTENED_NS)
			continue;
		while (n && calls++ < LISTEN_CALLS)
			heard += n = receive(p, i, now_ns);
	}
	return heard;
}

void pump_listen(struct pump *p, uint64_t now_ns)
{
	if (drain(p, now_ns)) /* what follows from it */
		set_turn(p, now_ns / NS_PER_US);
}

/* Out. */

static void wait_for(struct pump *p, int outlet, bool writable)
{
	uint32_t events = EPOLLIN | (writable ? (uint32_t)EPOLLOUT : 0);

	p->blocked = writable ? outlet : -1;
	(void)sd_event_source_set_io_events(p->outlets[outlet].source, events);
}

static void take_runs(struct pump *p)
{
	for (size_t i = 0; i < p->batch.n_runs; i++) {
		const struct quic_run *run = &p->batch.runs[i];
		p->out[i] = (struct udp_run){.data = p->buffer + (run->bytes - p->buffer),
			.n = run->length,
			.segment = run->segment,
			.ecn = run->ecn};
		udp_of_quic(&run->path.local, &p->out[i].local);
		udp_of_quic(&run->path.remote, &p->out[i].remote);
	}
	p->out_at = 0;
	p->out_n = (unsigned)p->batch.n_runs;
}

/* Neighbours of one socket go together. False: it takes no more. */
static bool send_rest(struct pump *p)
{
	while (p->out_at < p->out_n) {
		unsigned socket = p->batch.runs[p->out_at].path.socket, end = p->out_at + 1;
		while (end < p->out_n && p->batch.runs[end].path.socket == socket)
			end++;
		struct udp *udp = p->outlets[socket].udp;
		/* Closed meanwhile: as lost as on the way. */
		p->out_at = udp ? p->out_at + udp_send(udp, &p->out[p->out_at], end - p->out_at)
				: end;
		if (p->out_at < end) {
			wait_for(p, (int)socket, true);
			return false;
		}
	}
	quic_batch_reset(&p->batch);
	return true;
}

/*
 * Each packet moves the expiry, mostly further away, and setting a timer is among the dearest calls
 * that there are (in a virtual machine it leaves the machine). So a timer that runs out too early
 * is let be: what it costs is one turn for nothing.
 */
static void set_timer(struct pump *p)
{
	uint64_t ns = quic_endpoint_expiry_ns(p->endpoint);
	/* Rounded up: an expiry that is not quite reached would be a turn for nothing. */
	uint64_t us = ns == UINT64_MAX ? UINT64_MAX : (ns + NS_PER_US - 1) / NS_PER_US;

	if (us < p->timer_us)
		set_turn(p, us);
}

static void add_counters(struct udp_counters *all, const struct udp_counters *c)
{
	all->received += c->received;
	all->sent += c->sent;
	all->received_bytes += c->received_bytes;
	all->sent_bytes += c->sent_bytes;
	all->receive_calls += c->receive_calls;
	all->send_calls += c->send_calls;
	all->lost += c->lost;
	all->too_big += c->too_big;
}

static void close_outlet(struct pump *p, unsigned i)
{
	struct outlet *o = &p->outlets[i];

	if (!o->udp)
		return;
	add_counters(&p->former, udp_counters(o->udp));
	sd_event_source_disable_unref(o->source);
	udp_free(o->udp);
	*o = (struct outlet){};
	if (p->blocked == (int)i)
		p->blocked = -1;
}

static void close_retired(struct pump *p)
{
	p->closing = false;
	for (unsigned i = 0; i < PUMP_SOCKETS_MAX; i++)
		if (p->outlets[i].retired)
			close_outlet(p, i);
}

void pump_begin(struct pump *p, uint64_t now_ns)
{
	p->turn_ns = now_ns;
	if (p->closing)
		close_retired(p);
	if (!p->endpoint || quic_endpoint_expiry_ns(p->endpoint) > now_ns)
		return;
	pump_listen(p, now_ns);
	quic_endpoint_expire(p->endpoint, now_ns);
}

void pump_write(struct pump *p, uint64_t now_ns)
{
	bool more = pump_ready(p);

	while (more) {
		more = quic_endpoint_write(p->endpoint, &p->batch, now_ns);
		take_runs(p);
		if (!send_rest(p))
			return;
	}
	if (p->endpoint)
		set_timer(p);
}

static void turn(struct pump *p, uint64_t now_ns)
{
	pump_begin(p, now_ns);
	p->events.turned(p->events.arg, now_ns);
	pump_write(p, now_ns);
}

static int on_socket(sd_event_source *, int, uint32_t revents, void *userdata)
{
	struct outlet *o = userdata;
	struct pump *p = o->pump;
	uint64_t now_ns = pump_now_ns();

	if (revents & EPOLLOUT) {
		wait_for(p, (int)(o - p->outlets), false);
		(void)send_rest(p);
	}
	if (revents & EPOLLIN) {
		/* After a silence, which may have been ours, all that there is: what is judged next
		 * may lie behind it. */
		if (now_ns >= p->turn_ns + LISTENED_NS)
			(void)drain(p, now_ns);
		else
			(void)receive(p, (unsigned)(o - p->outlets), now_ns);
	}
	turn(p, now_ns);
	return 0;
}

static int on_timer(sd_event_source *, uint64_t, void *userdata)
{
	struct pump *p = userdata;

	p->timer_us = UINT64_MAX;
	turn(p, pump_now_ns());
	return 0;
}

/* Life. */

struct pump *pump_new(sd_event *event, bool dials, const struct pump_events *events)
{
	struct pump *p = xcalloc(1, sizeof(*p));

	p->event = sd_event_ref(event);
	p->events = *events;
	p->dials = dials;
	p->blocked = -1;
	p->timer_us = UINT64_MAX;
	p->buffer = xcalloc(1, BATCH_BYTES);
	quic_batch_init(&p->batch, p->buffer, BATCH_BYTES, p->runs, BATCH_RUNS);
	if (sd_event_add_time(event, &p->timer, CLOCK_MONOTONIC, UINT64_MAX, 1, on_timer, p) < 0)
		out_of_memory();
	return p;
}

void pump_free(struct pump *p)
{
	if (!p)
		return;
	quic_endpoint_free(p->endpoint);
	sd_event_source_disable_unref(p->timer);
	for (unsigned i = 0; i < PUMP_SOCKETS_MAX; i++)
		close_outlet(p, i);
	sd_event_unref(p->event);
	free(p->buffer);
	free(p);
}

static struct outlet *free_outlet(struct pump *p)
{
	for (unsigned i = 0; i < PUMP_SOCKETS_MAX; i++)
		if (!p->outlets[i].udp)
			return &p->outlets[i];
	return nullptr;
}

int pump_add_socket(struct pump *p, int take_fd, struct err *err)
{
	struct udp *udp;
	int r = udp_new(take_fd, &udp, err);

	if (r < 0)
		return r;
	struct outlet *o = free_outlet(p);
	if (!o) {
		udp_free(udp);
		return err_set(err, E2BIG, "udp: more than %u sockets", PUMP_SOCKETS_MAX);
	}
	*o = (struct outlet){.pump = p, .udp = udp};
	if (sd_event_add_io(p->event, &o->source, udp_fd(udp), EPOLLIN, on_socket, o) < 0)
		out_of_memory();
	return 0;
}

void pump_retire_sockets(struct pump *p)
{
	for (unsigned i = 0; i < PUMP_SOCKETS_MAX; i++)
		p->outlets[i].retired = true;
}

void pump_close_retired(struct pump *p)
{
	p->closing = true;
}

static bool is_current(const struct outlet *o)
{
	return o->udp && !o->retired;
}

static bool has_socket(const struct pump *p, int fd)
{
	struct stat ours, theirs;

	for (unsigned i = 0; i < PUMP_SOCKETS_MAX; i++)
		if (is_current(&p->outlets[i]) && fstat(udp_fd(p->outlets[i].udp), &ours) == 0 &&
			fstat(fd, &theirs) == 0 && ours.st_dev == theirs.st_dev &&
			ours.st_ino == theirs.st_ino)
			return true;
	return false;
}

bool pump_has_sockets(const struct pump *p, const int *fds, unsigned n)
{
	unsigned current = 0;

	for (unsigned i = 0; i < PUMP_SOCKETS_MAX; i++)
		current += is_current(&p->outlets[i]);
	for (unsigned i = 0; i < n; i++)
		if (!has_socket(p, fds[i]))
			return false;
	return n == current;
}

static bool has_family(const int *fds, unsigned n, sa_family_t family)
{
	for (unsigned i = 0; i < n; i++) {
		int domain = 0;
		socklen_t size = sizeof(domain);
		if (getsockopt(fds[i], SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 &&
			domain == family)
			return true;
	}
	return false;
}

bool pump_has_families(const struct pump *p, const int *fds, unsigned n)
{
	for (unsigned i = 0; i < PUMP_SOCKETS_MAX; i++)
		if (is_current(&p->outlets[i]) &&
			!has_family(fds, n, udp_local(p->outlets[i].udp)->any.sa_family))
			return false;
	return true;
}

unsigned pump_sockets(const struct pump *p, int *fds, unsigned max)
{
	unsigned n = 0;

	for (unsigned i = 0; i < PUMP_SOCKETS_MAX && n < max; i++)
		if (is_current(&p->outlets[i]))
			fds[n++] = udp_fd(p->outlets[i].udp);
	return n;
}

int pump_path(const struct pump *p, const union quic_address *remote, struct quic_path *out)
{
	for (unsigned i = 0; i < PUMP_SOCKETS_MAX; i++) {
		if (!is_current(&p->outlets[i]))
			continue;
		const union udp_address *local = udp_local(p->outlets[i].udp);
		if (local->any.sa_family != remote->sa.sa_family)
			continue;
		*out = (struct quic_path){.remote = *remote, .socket = i};
		quic_of_udp(local, &out->local);
		return 0;
	}
	return -EAFNOSUPPORT;
}

static bool is_wildcard(const union udp_address *a)
{
	if (a->any.sa_family == AF_INET)
		return a->v4.sin_addr.s_addr == htonl(INADDR_ANY);
	return IN6_IS_ADDR_UNSPECIFIED(&a->v6.sin6_addr);
}

static bool is_at(const union udp_address *bound, const union quic_address *local)
{
	union quic_address at;

	if (bound->any.sa_family != local->sa.sa_family)
		return false;
	quic_of_udp(bound, &at);
	/* Both families have the port in the same place. */
	return quic_address_equal(&at, local) ||
	       (is_wildcard(bound) && at.in.sin_port == local->in.sin_port);
}

bool pump_socket_of(const struct pump *p, const union quic_address *local, unsigned *socket)
{
	for (unsigned i = 0; i < PUMP_SOCKETS_MAX; i++)
		if (is_current(&p->outlets[i]) && is_at(udp_local(p->outlets[i].udp), local)) {
			*socket = i;
			return true;
		}
	return false;
}

void pump_set_endpoint(struct pump *p, struct quic_endpoint *take_endpoint)
{
	p->endpoint = take_endpoint;
}

struct udp_counters pump_counters(const struct pump *p)
{
	struct udp_counters all = p->former;

	for (unsigned i = 0; i < PUMP_SOCKETS_MAX; i++)
		if (p->outlets[i].udp)
			add_counters(&all, udp_counters(p->outlets[i].udp));
	return all;
}
