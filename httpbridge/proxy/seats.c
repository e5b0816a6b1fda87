/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/seats.h"
#include "lib/xmalloc.h"
#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct seats {
	struct seats *next;
	struct seat_table *table;
	unsigned references, taken;
	struct seat *first, *last; /* in the order that they were taken, the last one first */
	char name[];
};

/* One lock for all: a connection is made and ends once for many requests. */
struct seat_table {
	pthread_mutex_t lock;
	struct seats *first;
};

struct seat_table *seat_table_new(void)
{
	struct seat_table *t = xcalloc(1, sizeof(*t));

	pthread_mutex_init(&t->lock, nullptr);
	return t;
}

void seat_table_free(struct seat_table *t)
{
	assert(!t->first);
	pthread_mutex_destroy(&t->lock);
	free(t);
}

static struct seats *find(struct seat_table *t, const char *upstream)
{
	size_t len = strlen(upstream) + 1;
	struct seats *s = t->first;

	while (s && strcmp(s->name, upstream) != 0)
		s = s->next;
	if (s)
		return s;
	s = xcalloc(1, sizeof(*s) + len);
	s->next = t->first;
	s->table = t;
	memcpy(s->name, upstream, len);
	t->first = s;
	return s;
}

struct seats *seats_get(struct seat_table *t, const char *upstream)
{
	pthread_mutex_lock(&t->lock);
	struct seats *s = find(t, upstream);
	s->references++;
	pthread_mutex_unlock(&t->lock);
	return s;
}

static void remove_seats(struct seats *s)
{
	struct seats **slot = &s->table->first;

	assert(s->taken == 0);
	while (*slot != s)
		slot = &(*slot)->next;
	*slot = s->next;
	free(s);
}

void seats_put(struct seats *s)
{
	struct seat_table *t = s->table;

	pthread_mutex_lock(&t->lock);
	if (--s->references == 0)
		remove_seats(s);
	pthread_mutex_unlock(&t->lock);
}

static void unlink_seat(struct seat *seat)
{
	struct seats *s = seat->of;

	*(seat->prev ? &seat->prev->next : &s->first) = seat->next;
	*(seat->next ? &seat->next->prev : &s->last) = seat->prev;
	s->taken--;
}

static bool change(struct seat *seat, enum seat_state from, enum seat_state to)
{
	return atomic_compare_exchange_strong(&seat->state, &from, to);
}

/* The oldest that is at rest. Its thread closes the descriptor only after it has had the lock. */
static bool give_up_one(struct seats *s)
{
	for (struct seat *seat = s->last; seat; seat = seat->prev) {
		if (!change(seat, SEAT_AT_REST, SEAT_GONE))
			continue;
		(void)shutdown(seat->fd, SHUT_RDWR);
		unlink_seat(seat);
		return true;
	}
	return false;
}

static bool take(struct seat *seat, struct seats *s, unsigned limit)
{
	if (s->taken >= limit && (!give_up_one(s) || s->taken >= limit))
		return false;
	*seat = (struct seat){.next = s->first, .of = s, .fd = -1};
	*(s->first ? &s->first->prev : &s->last) = seat;
	s->first = seat;
	s->taken++;
	return true;
}

bool seat_take(struct seat *seat, struct seats *s, unsigned limit)
{
	pthread_mutex_lock(&s->table->lock);
	bool taken = take(seat, s, limit);
	pthread_mutex_unlock(&s->table->lock);
	return taken;
}

void seat_rest(struct seat *seat, int fd)
{
	seat->fd = fd;
	atomic_store(&seat->state, SEAT_AT_REST);
}

bool seat_wake(struct seat *seat)
{
	return change(seat, SEAT_AT_REST, SEAT_BUSY);
}

void seat_leave(struct seat *seat)
{
	struct seat_table *t = seat->of->table;

	pthread_mutex_lock(&t->lock);
	if (atomic_load(&seat->state) != SEAT_GONE)
		unlink_seat(seat);
	pthread_mutex_unlock(&t->lock);
}
