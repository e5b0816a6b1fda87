/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * nl: rtnetlink and nfnetlink over libmnl.
 *
 * A nl_sock is for questions: one request at a time, answered synchronously with a deadline
 * (the kernel answers within the call; the deadline guards against a wedged socket). Extended
 * acknowledgement text becomes part of the error. Notifications have a socket of their own
 * (watch.h) so that answers and events never mix.
 */
#include "lib/err.h"
#include <libmnl/libmnl.h>
#include <stddef.h>
#include <stdint.h>

struct nl_sock;

/* bus is NETLINK_ROUTE or NETLINK_NETFILTER. Strict checking of dump filters and extended
 * acknowledgements are switched on. Failure: -errno with a sentence. */
[[nodiscard]] int nl_open(int bus, struct nl_sock **out, struct err *err);
void nl_close(struct nl_sock *s); /* nullptr is allowed */

/* Sends one request (flags and sequence number are completed here) and waits for its
 * acknowledgement. 0 or -errno of the kernel, err->msg then holds the kernel's own text. */
[[nodiscard]] int nl_request(struct nl_sock *s, struct nlmsghdr *nlh, struct err *err);

/* Sends one request that has one answer; cb sees it. -errno as nl_request. */
[[nodiscard]] int nl_query(
	struct nl_sock *s, struct nlmsghdr *nlh, mnl_cb_t cb, void *arg, struct err *err);

/* Dumps. An interrupted dump (NLM_F_DUMP_INTR) is repeated, at most NL_DUMP_RETRIES times, each
 * time after restart(arg); then -EAGAIN: nothing may be concluded from what was seen. */
constexpr unsigned NL_DUMP_RETRIES = 5;
[[nodiscard]] int nl_dump(struct nl_sock *s, struct nlmsghdr *nlh, mnl_cb_t cb,
	void (*restart)(void *arg), void *arg, struct err *err);

/* The underlying libmnl socket, for libnftnl batches; borrowed. */
struct mnl_socket *nl_mnl(struct nl_sock *s);
