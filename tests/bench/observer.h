/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * observer: what the kernel announces, seen by somebody who is not the daemon under test.
 *
 * Two notification sockets of its own (links, addresses, routes, netconfs; nftables) and a third
 * for requests. Decoding shares no code with gateway/net, so that a mistake there cannot agree
 * with itself here.
 *
 * Times are CLOCK_MONOTONIC in nanoseconds. An event's time is taken when it is received; the
 * receiver may have been woken late, so measure from before the cause, never from its event.
 */
#include "lib/ip.h"
#include <libmnl/libmnl.h>
#include <stdint.h>

struct observer {
	struct mnl_socket *ask; /* NETLINK_ROUTE, requests */
	struct mnl_socket *nft; /* NETLINK_NETFILTER, requests */
	struct mnl_socket *events[2];
};

/* A route as announced or dumped, as far as it is looked at here. */
struct seen_route {
	struct prefix dst;
	uint32_t table, metric;
	uint8_t protocol;
	int oif;
};

uint64_t observer_now_ns(void);

/* In the network namespace of the caller; ends the program when that fails. */
void observer_open(struct observer *o);
void observer_close(struct observer *o);

/* Throws away what has been announced so far, lost or not. 0 or -errno. */
int observer_drain(struct observer *o);

/* Called for each announcement with the time of its reception; true ends the waiting. */
typedef bool (*observer_cb)(const struct nlmsghdr *nlh, uint64_t at_ns, void *arg);
/* 0; -ETIMEDOUT; -ENOBUFS when announcements were lost; other -errno. */
int observer_wait(struct observer *o, uint64_t deadline_ns, observer_cb cb, void *arg);

/* Sends a request and waits for its acknowledgement. 0 or -errno. */
int observer_request(struct mnl_socket *s, struct nlmsghdr *nlh);
/* Asks for the routes of a family in table main; cb stops by false. 0 or -errno. */
int observer_routes(struct observer *o, uint8_t family,
	bool (*cb)(const struct seen_route *r, void *arg), void *arg);

/* Of RTM_NEWROUTE and RTM_DELROUTE. */
struct seen_route observer_route(const struct nlmsghdr *nlh);
