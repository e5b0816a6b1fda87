/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * link: one connection's bytes, in and out, on an event loop of libh2o.
 *
 * libh2o says when a descriptor is ready; reading goes into the loop's one buffer and writing
 * straight to the kernel, so a link owns memory only for what the kernel did not take. The owner is
 * given bytes that it must take at once, all of them, and holds the peer back by link_pause().
 *
 * Reading stays armed until it is paused, so that a connection costs no epoll_ctl(2) between its
 * requests, and one that ends while nobody waits for it is noticed.
 *
 * A link is embedded in its owner. After link_close() no callback comes, and its memory may go at
 * once, also from within a callback of its own.
 */
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/uio.h>

struct link;
struct loop;
struct tls;
struct ssl_st;
struct st_h2o_socket_t;

struct link_events {
	/* n > 0 bytes, 0 = the peer has ended its side, or -errno. The last two come once. */
	void (*input)(struct link *l, const char *data, ssize_t n);
	/* All that was written has gone, after a write that returned LINK_HELD. */
	void (*drained)(struct link *l);
	/* Of link_connect: 0 or -errno, with the meanings that tls.h adds. Once. */
	void (*connected)(struct link *l, int error);
};

enum link_result {
	LINK_SENT,
	LINK_HELD, /* the rest waits in the link's memory: no more before drained() */
};

struct link {
	const struct link_events *events;
	struct loop *loop;
	struct st_h2o_socket_t *sock; /* nullptr = nothing was waited for yet */
	struct ssl_st *ssl;           /* nullptr = in clear */
	char *held;                   /* [held_at, held_end) is not sent yet */
	bool *closed_within;          /* set by link_close() for a caller up the stack */
	uint32_t held_at, held_end, held_size;
	int fd;
	uint32_t ready; /* its place in the loop's ready ones, from 1; 0 = none */
	bool open;
	bool reading, connecting, handshaking, waits_write, ended, broken;
};

/* Takes the descriptor of an accepted connection, which is not blocking. Nothing is read before
 * link_read() or link_resume(). */
void link_open(struct link *l, struct loop *loop, const struct link_events *events, int fd);
/* Reads once, now, without having been told that there is something; from then on as link_resume()
 * if there was nothing. For a link in clear. */
void link_read(struct link *l);
/* Begins to connect; connected() tells, never from within. local may be nullptr. What is written
 * before is held. With tls the handshake is part of it; tls must outlive the link. Returns -errno
 * if it failed at once: the link is then closed. */
[[nodiscard]] int link_connect(struct link *l, struct loop *loop, const struct link_events *events,
	const struct sockaddr *to, socklen_t len, struct tls *tls);
void link_close(struct link *l);
/* So that the peer cannot take what it got for all there was (RST instead of FIN). */
void link_abort(struct link *l);
/* A peer that vanishes is noticed (tcp(7), keepalive): the link ends with an error. */
void link_keep_alive(struct link *l);
/* Ends our side. */
void link_shutdown(struct link *l);
/* Has the peer neither said anything that was not handed on, nor ended? */
bool link_is_silent(const struct link *l);
/* Of the loop, each round: reads those that are ready, in the order in which they became so. */
void link_read_ready(struct loop *loop);
static inline bool link_is_open(const struct link *l)
{
	return l->open;
}

void link_pause(struct link *l);
void link_resume(struct link *l);

/* LINK_SENT, LINK_HELD or -errno; the bytes are copied as far as needed. A peer that takes nothing
 * any more may still have said something: reading goes on, and tells the end. */
[[nodiscard]] int link_write(struct link *l, const struct iovec *iov, unsigned n);
/* The same, for a link that is closed or shut down as soon as it is sent: the end goes in one
 * packet with it (MSG_MORE, send(2)): 4 to the client in place of 5, and 3 % less CPU. */
[[nodiscard]] int link_write_last(struct link *l, const struct iovec *iov, unsigned n);
/* What was written and the peer has not acknowledged, here and in the kernel. */
uint32_t link_unsent(const struct link *l);
/* Something that was written is still here. */
static inline bool link_holds(const struct link *l)
{
	return l->held;
}
