/* SPDX-License-Identifier: Apache-2.0 */
#include "cargo.h"
#include "connip/stray.h"
#include "data/segment.h"
#include "lib/xmalloc.h"
#include "share.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* So many packets in one turn are mostly answered by the kernel as soon as they are written: what
 * it says goes along with the acknowledgement. */
constexpr unsigned ANSWERED = 8;
/* Who is away for so long may be back before anybody has to know; TCP asks again after a second. */
constexpr uint64_t SHORT_NS = 3'000'000'000;

/* What a super-packet's headers say is the same in all of its pieces: it is judged once. */
struct verdict {
	struct lane *lane; /* nullptr = none yet */
	size_t n;          /* no longer than that */
	bool over;         /* beyond its peer's share */
};

struct cargo {
	struct tun *tun;
	struct pump *pump;
	const struct role *role;
	void *role_data;
	struct losses *losses;
	void (*broken)(void *arg, const char *why);
	void *arg;
	sd_event_source *source; /* of the TUN device */
	bool reading;
	bool room;        /* the window may be open again */
	unsigned arrived; /* packets of peers in this turn */
	struct share share;
	struct bucket strays;    /* messages about packets that nobody is there for … */
	uint64_t strays_from_ns; /* … which may be only a moment, before this */
	/* The super-packet under way. */
	struct segment segment;
	struct segment_piece piece;
	struct lane *lane; /* that a piece waits for; nullptr = none waits */
	struct verdict verdict;
	uint8_t head[TUN_HEADROOM + SEGMENT_HEAD_MAX];
	uint8_t buffer[TUN_BUFFER];
};

/* What a turn carries. */

static void set_reading(struct cargo *c, bool reading)
{
	if (c->reading == reading)
		return;
	c->reading = reading;
	(void)sd_event_source_set_enabled(c->source, reading ? SD_EVENT_ON : SD_EVENT_OFF);
}

static struct packet_bytes piece_bytes(const struct segment_piece *p)
{
	return (struct packet_bytes){p->head, p->head_n, p->payload, p->payload_n};
}

/* The packet that was admitted to its lane. False: it has to wait. */
static bool send_piece(struct cargo *c, uint64_t now_ns)
{
	const struct packet_bytes bytes = piece_bytes(&c->piece);
	struct lane *l = c->lane;
	int r = c->verdict.over ? -EAGAIN : lane_send(l, &bytes, pump_batch(c->pump), now_ns);

	if (r == -ENOBUFS) {
		pump_write(c->pump, now_ns);
		if (!c->lane) /* it has ended: cargo_forget() */
			return true;
		if (!pump_ready(c->pump)) {
			c->room = true; /* it is not the window that it waits for */
			return false;
		}
		r = lane_send(l, &bytes, pump_batch(c->pump), now_ns);
	}
	if (r == -EAGAIN && c->role->waits)
		return false;
	if (r == -EAGAIN)
		c->losses->full += lane_queue(l, &bytes) < 0;
	else
		c->losses->too_big += r == -EMSGSIZE;
	c->lane = nullptr;
	return true;
}

/* Nobody is there for it. */
static void refuse_stray(struct cargo *c, const struct packet_bytes *bytes, uint64_t now_ns)
{
	struct connip_answer answer;

	c->losses->no_peer++;
	if (now_ns < c->strays_from_ns)
		return;
	stray_answer(&c->strays, bytes, now_ns, &answer);
	if (answer.n)
		tun_write(c->tun, answer.bytes, answer.n);
}

static struct lane *judge(struct cargo *c, uint64_t now_ns)
{
	struct verdict *v = &c->verdict;
	const struct packet_bytes bytes = piece_bytes(&c->piece);
	size_t n = bytes.head_n + bytes.rest_n;

	if (v->lane && n <= v->n) {
		if (c->role->again && !c->role->again(c->role_data, v->lane, n, now_ns))
			return nullptr;
		lane_admit_again(v->lane);
		return v->lane;
	}
	bool taken = false;
	struct lane *l = c->role->find(c->role_data, &bytes, now_ns, &taken);
	if (!l && !taken)
		refuse_stray(c, &bytes, now_ns);
	if (!l || !lane_admit(l, &bytes, now_ns))
		return nullptr;
	*v = (struct verdict){
		l, n, !c->role->waits && share_is_over(&c->share, lane_part(l), now_ns)};
	return l;
}

/* The rest of the super-packet. False: it has to wait. */
static bool send_cargo(struct cargo *c, uint64_t now_ns)
{
	c->verdict = (struct verdict){}; /* what waited may have waited long */
	if (c->lane && !send_piece(c, now_ns))
		return false;
	while (segment_next(&c->segment, c->head + TUN_HEADROOM, &c->piece)) {
		c->lane = judge(c, now_ns);
		if (c->lane && !send_piece(c, now_ns))
			return false;
	}
	return true;
}

/* False: nothing more can be done now. */
static bool carry(struct cargo *c, uint64_t now_ns)
{
	struct virtio_net_hdr vnet;
	int n = tun_read(c->tun, &vnet, c->buffer);

	if (n == -EAGAIN || n == -EINTR)
		return false;
	if (n < 0) {
		set_reading(c, false);
		c->broken(c->arg, strerror(-n));
		return false;
	}
	share_read(&c->share, (size_t)n);
	if (segment_begin(&c->segment, &vnet, c->buffer + TUN_HEADROOM, (size_t)n) < 0) {
		c->losses->broken++;
		c->segment = (struct segment){};
		return true;
	}
	return send_cargo(c, now_ns);
}

/* Reads as much as a turn takes. Whoever cannot send stops reading until `room`. */
static void send_packets(struct cargo *c, uint64_t now_ns)
{
	bool go_on = pump_ready(c->pump) && c->role->ready(c->role_data) && send_cargo(c, now_ns);

	set_reading(c, go_on);
	share_begin(&c->share);
	while (go_on && share_may_read(&c->share, now_ns)) {
		go_on = carry(c, now_ns);
		if (c->lane)
			set_reading(c, false);
	}
}

static int on_tun(sd_event_source *, int, uint32_t, void *userdata)
{
	struct cargo *c = userdata;
	uint64_t now_ns = pump_now_ns();

	pump_begin(c->pump, now_ns);
	send_packets(c, now_ns);
	tun_flush(c->tun); /* what is answered by ICMP */
	pump_write(c->pump, now_ns);
	return 0;
}

void cargo_turned(struct cargo *c, uint64_t now_ns)
{
	bool goes_on = !c->reading && (c->room || !c->lane);
	bool many = c->reading && c->arrived >= ANSWERED;

	c->arrived = 0;
	if (pump_ready(c->pump) && (goes_on || many)) {
		c->room = false;
		send_packets(c, now_ns);
		tun_flush(c->tun);
	}
}

void cargo_arrived(struct cargo *c)
{
	c->arrived++;
}

void cargo_room(struct cargo *c)
{
	c->room = true;
}

void cargo_forget(struct cargo *c, const struct lane *l)
{
	if (c->verdict.lane == l)
		c->verdict = (struct verdict){};
	if (c->lane == l) {
		c->lane = nullptr;
		c->losses->no_peer++;
	}
	c->strays_from_ns = pump_now_ns() + SHORT_NS;
}

/* Life. */

struct cargo *cargo_new(const struct cargo_setup *setup)
{
	struct cargo *c = xcalloc(1, sizeof(*c));

	c->tun = setup->tun;
	c->pump = setup->pump;
	c->role = setup->role;
	c->role_data = setup->role_data;
	c->losses = setup->losses;
	c->broken = setup->broken;
	c->arg = setup->arg;
	c->strays = STRAY_BUDGET;
	c->strays_from_ns = pump_now_ns() + SHORT_NS;
	c->reading = true;
	if (sd_event_add_io(setup->event, &c->source, tun_fd(c->tun), EPOLLIN, on_tun, c) < 0)
		out_of_memory();
	return c;
}

void cargo_free(struct cargo *c)
{
	if (!c)
		return;
	sd_event_source_disable_unref(c->source);
	free(c);
}
