/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * ct_events: hears of flows as they begin, go on and end (NFNLGRP_CONNTRACK_NEW, _UPDATE,
 * _DESTROY). The kernel makes these only while somebody listens (net.netfilter.nf_conntrack_events
 * = 2), and of entries that were confirmed: a packet that a filter drops begins no flow.
 *
 * Each costs the kernel a message, so a socket of its own with a bounded buffer: what does not fit
 * is lost and counted. A filter in the kernel leaves out how a connection ends that both sides had
 * made: most of what there is to hear, and of no interest here. The owner polls ct_events_fd() and
 * calls ct_events_read().
 */
#include "net/ct.h"

struct ct_events;

enum ct_event {
	CT_NEW,
	CT_UPDATE,
	CT_DESTROY, /* the flow ended, as far as the kernel is concerned */
	CT_DELETED, /* some program took the entry away (the message tells its netlink port) */
};
typedef void (*ct_events_cb)(enum ct_event what, const struct ct_entry *e, void *arg);

/* -EPERM: CAP_NET_ADMIN is missing. rcvbuf: bytes, 0 = default. */
[[nodiscard]] int ct_events_open(int rcvbuf, struct ct_events **out, struct err *err);
void ct_events_close(struct ct_events *c); /* nullptr is allowed */
int ct_events_fd(const struct ct_events *c);

/* Reads what is there, at most `budget` datagrams, without blocking. Returns the number read
 * (budget = there may be more), or -errno when the socket is unusable. */
[[nodiscard]] int ct_events_read(struct ct_events *c, unsigned budget, ct_events_cb cb, void *arg);
/* How often some were lost. From such a moment the kernel delivers nothing until all that had come
 * before was read (af_netlink.c, netlink_overrun()): when ct_events_read() returns less than its
 * budget, what is lost was about flows that began before. */
uint64_t ct_events_overruns(const struct ct_events *c);

/* One message of such a group. 0 or -EBADMSG. */
[[nodiscard]] int ct_events_parse(
	const struct nlmsghdr *nlh, enum ct_event *what, struct ct_entry *out);
