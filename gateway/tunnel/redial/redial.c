/* SPDX-License-Identifier: Apache-2.0 */
#include "redial/redial.h"

constexpr uint64_t PAUSE_FIRST_US = 100'000;
constexpr uint64_t PAUSE_LAST_US = 5'000'000;
/* Who was open for so long is not in trouble: the next failure begins anew. */
constexpr uint64_t STABLE_US = 10'000'000;
/* So long a validation of another path takes at most, where all is well; then a tunnel is dialled
 * beside it. */
constexpr uint64_t MOVE_US = 1'000'000;
/* Who has shaken hands and does not answer the request has had its chance. */
constexpr uint64_t ANSWER_US = 5'000'000;
/* A reset of who was open for less may come again: somebody else answers at that address, or the
 * edge is killed again and again. It is asked for with pauses, but it lives: no long ones. */
constexpr uint64_t RESET_US = 1'000'000;
constexpr uint64_t PAUSE_RESET_US = 400'000;
/* What the kernel has for the mesh waits so long for a tunnel: a flow that begins while an edge is
 * restarted does not lose its first packet, which is sent again only after a second. */
constexpr uint64_t HOLD_US = 1'000'000;

static void pause_for(struct redial *r, uint64_t us, uint64_t now_us)
{
	r->state = REDIAL_PAUSE;
	r->due_us = now_us + us;
}

/* xorshift64*; from half to one and a half of it. */
static uint64_t jittered(struct redial *r, uint64_t us)
{
	uint64_t x = r->random;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	r->random = x;
	return us / 2 + ((x * UINT64_C(0x2545f4914f6cdd1d)) >> 32) * us / UINT32_MAX;
}

static void pause_longer(struct redial *r, uint64_t most_us, uint64_t now_us)
{
	pause_for(r, jittered(r, r->pause_us < most_us ? r->pause_us : most_us), now_us);
	r->pause_us = r->pause_us * 2 < PAUSE_LAST_US ? r->pause_us * 2 : PAUSE_LAST_US;
}

static void next_edge(struct redial *r)
{
	r->at = (r->at + 1) % r->edges;
}

static void lose(struct redial *r, uint64_t now_us)
{
	r->open = r->heard = false;
	r->held_until_us = now_us + HOLD_US;
}

void redial_init(struct redial *r, size_t edges, uint64_t seed, uint64_t now_us)
{
	*r = (struct redial){.edges = edges, .pause_us = PAUSE_FIRST_US, .random = seed | 1};
	lose(r, now_us);
	pause_for(r, 0, now_us);
}

/* Nothing else is needed. */
static enum redial_order keep_open(struct redial *r)
{
	r->state = REDIAL_OPEN;
	r->heard = false;
	r->due_us = UINT64_MAX;
	return REDIAL_CLOSE_NEXT;
}

enum redial_order redial_expire(struct redial *r, uint64_t now_us)
{
	if (now_us < r->due_us)
		return REDIAL_NOTHING;
	r->due_us = UINT64_MAX;
	if (r->state == REDIAL_ASKED) {
		redial_failed(r, now_us);
		return REDIAL_CLOSE_NEXT;
	}
	r->state = REDIAL_DIALING;
	return REDIAL_DIAL;
}

void redial_failed(struct redial *r, uint64_t now_us)
{
	next_edge(r);
	if (r->open && r->heard)
		(void)keep_open(r);
	else
		pause_longer(r, PAUSE_LAST_US, now_us);
}

void redial_established(struct redial *r, uint64_t now_us)
{
	r->state = REDIAL_ASKED;
	r->due_us = now_us + ANSWER_US;
}

enum redial_order redial_answered(struct redial *r, uint64_t now_us)
{
	enum redial_order order = r->open ? REDIAL_CLOSE_OPEN : REDIAL_NOTHING;

	r->state = REDIAL_OPEN;
	r->open = true;
	r->heard = false;
	r->opened_us = now_us;
	r->due_us = UINT64_MAX;
	return order;
}

static void dial_again(struct redial *r, enum redial_end end, uint64_t lived_us, uint64_t now_us)
{
	bool hears = end != REDIAL_END_DEAF && end != REDIAL_END_UNHEARD;

	if (lived_us >= STABLE_US)
		r->pause_us = PAUSE_FIRST_US;
	if (end == REDIAL_END_RESET && lived_us >= RESET_US) {
		pause_for(r, 0, now_us);
		return;
	}
	if (!hears || lived_us < STABLE_US)
		next_edge(r);
	if (end == REDIAL_END_UNHEARD)
		pause_for(r, jittered(r, PAUSE_FIRST_US), now_us);
	else
		pause_longer(r, end == REDIAL_END_RESET ? PAUSE_RESET_US : PAUSE_LAST_US, now_us);
}

void redial_next_closed(struct redial *r, enum redial_end end, uint64_t now_us)
{
	if (r->open && r->heard)
		(void)keep_open(r);
	else
		dial_again(r, end, 0, now_us);
}

void redial_open_closed(struct redial *r, enum redial_end end, uint64_t now_us)
{
	lose(r, now_us);
	if (r->state == REDIAL_OPEN)
		dial_again(r, end, now_us - r->opened_us, now_us);
}

/* An edge that is asked for another tunnel gives up the one before it: then the other one is
 * awaited, whatever is heard. */
static enum redial_order note_heard(struct redial *r)
{
	r->heard = r->state == REDIAL_ASKED;
	return r->heard ? REDIAL_NOTHING : keep_open(r);
}

enum redial_order redial_silent(struct redial *r, bool silent, uint64_t now_us)
{
	if (!silent)
		return note_heard(r);
	r->heard = false;
	if (r->state == REDIAL_OPEN)
		pause_for(r, 0, now_us);
	return REDIAL_NOTHING;
}

/* Whatever there is gives way to a new attempt. */
static enum redial_order dial_anew(struct redial *r, uint64_t now_us)
{
	if (r->open)
		lose(r, now_us);
	r->pause_us = PAUSE_FIRST_US;
	pause_for(r, 0, now_us);
	return REDIAL_CLOSE_OPEN | REDIAL_CLOSE_NEXT;
}

enum redial_order redial_moving(struct redial *r, bool moving, uint64_t now_us)
{
	if (!moving)
		return dial_anew(r, now_us);
	pause_for(r, MOVE_US, now_us);
	return REDIAL_CLOSE_NEXT;
}

enum redial_order redial_moved(struct redial *r)
{
	return note_heard(r);
}

enum redial_order redial_stranded(struct redial *r, uint64_t now_us)
{
	return dial_anew(r, now_us);
}

void redial_reload(struct redial *r, uint64_t now_us)
{
	r->pause_us = PAUSE_FIRST_US;
	if (r->state == REDIAL_PAUSE)
		pause_for(r, 0, now_us);
}

bool redial_ready(const struct redial *r, uint64_t now_us)
{
	return r->open || now_us >= r->held_until_us;
}

const char *redial_state_str(enum redial_state state)
{
	static const char *const names[] = {"dialing", "asked", "open", "pause"};

	return names[state];
}
