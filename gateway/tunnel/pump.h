/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * pump: moves datagrams between the UDP sockets and the QUIC endpoint, and runs its timers.
 *
 * A turn is: what came in a few calls goes to the endpoint; `turned` lets the owner do what follows
 * (flush its packets, send others into pump_batch()); what there is to send goes out. More is
 * carried by a turn when there is more to do, and each packet is cheaper then.
 *
 * Before anybody is called silent what lies in the sockets is received: whoever was held up for a
 * second, stopped or on a busy host, has not listened himself.
 *
 * While a socket takes no more nothing is written and pump_ready() is false; `turned` comes when it
 * goes on. It knows nothing of what is in a stream or a datagram.
 */
#include "data/udp.h"
#include "lib/err.h"
#include "quic/endpoint.h"
#include <systemd/sd-event.h>

struct pump;

constexpr unsigned PUMP_SOCKETS_MAX = 16;

struct pump_events {
	void (*turned)(void *arg, uint64_t now_ns);
	void *arg;
};

/* dials: who begins connections is where its sockets are bound to; which of this host's addresses a
 * datagram came to is of interest to who answers strangers. */
struct pump *pump_new(sd_event *event, bool dials, const struct pump_events *events);
/* Closes the sockets; the endpoint's connections end without a word. */
void pump_free(struct pump *p); /* nullptr is allowed */

/* Takes the descriptor, also when it fails. Sockets are numbered from 0. */
[[nodiscard]] int pump_add_socket(struct pump *p, int take_fd, struct err *err);
/* Those that there are carry what is on its way by them, and pump_path() does not choose them any
 * more, until they are closed: soon, and never while something that they brought is looked at. */
void pump_retire_sockets(struct pump *p);
void pump_close_retired(struct pump *p);
/* Are these its sockets, in any order, and however often they have been passed on? */
bool pump_has_sockets(const struct pump *p, const int *fds, unsigned n);
/* Is one of these of each family that its sockets have? */
bool pump_has_families(const struct pump *p, const int *fds, unsigned n);
/* The sockets, borrowed; their number. */
unsigned pump_sockets(const struct pump *p, int *fds, unsigned max);
/* Of the sockets that can reach it, the path to an address; -EAFNOSUPPORT: none can. */
[[nodiscard]] int pump_path(
	const struct pump *p, const union quic_address *remote, struct quic_path *out);

/* The socket that a path from this address belongs to. */
[[nodiscard]] bool pump_socket_of(
	const struct pump *p, const union quic_address *local, unsigned *socket);

/* Takes the endpoint. */
void pump_set_endpoint(struct pump *p, struct quic_endpoint *take_endpoint);

/* A turn of the owner's own begins: timers that have run out come before anything that is sent. */
void pump_begin(struct pump *p, uint64_t now_ns);
/* Receives what there is, in bounds; for whoever is about to judge others' silence. Events come,
 * and a turn soon after. Not within an event. */
void pump_listen(struct pump *p, uint64_t now_ns);
/* Where to write datagrams outside of pump_write(); only while pump_ready(). */
struct quic_batch *pump_batch(struct pump *p);
bool pump_ready(const struct pump *p);
/* Everything that is to be sent goes out, as far as the sockets take it, and the timer is set. */
void pump_write(struct pump *p, uint64_t now_ns);

uint64_t pump_now_ns(void);
/* The time of the turn, for what happens often in it. */
uint64_t pump_turn_ns(const struct pump *p);

/* Added up over the sockets. */
struct udp_counters pump_counters(const struct pump *p);
