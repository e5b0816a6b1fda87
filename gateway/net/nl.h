/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * nl: rtnetlink and nfnetlink over libmnl.
 *
 * A nl_sock is for questions: one request at a time, answered synchronously with a deadline
 * (the kernel answers within the call; the deadline guards against a wedged socket). Extended
 * acknowledgement text becomes part of the error. Notifications have a socket of their own
 * (watch.h) so that answers and events never mix.
 *
 * A dump callback must not use the socket that it is called from: the dump is still running.
 */
#include "lib/err.h"
#include <libmnl/libmnl.h>
#include <stdalign.h>
#include <stddef.h>
#include <stdint.h>

struct nl_sock;

/* bus is NETLINK_ROUTE or NETLINK_NETFILTER. Strict checking of dump filters and extended
 * acknowledgements are switched on. Failure: -errno with a sentence. */
[[nodiscard]] int nl_open(int bus, struct nl_sock **out, struct err *err);
void nl_close(struct nl_sock *s); /* nullptr is allowed */

/* Room for one request. */
struct nl_message {
	alignas(struct nlmsghdr) uint8_t bytes[512];
};

/* Begins a request in *m with the fixed header that belongs to its type (rtmsg, nfgenmsg …),
 * `size` bytes, copied. Attributes are appended with mnl_attr_put…(). */
struct nlmsghdr *nl_begin(
	struct nl_message *m, uint16_t type, uint16_t flags, const void *header, size_t size);

/* Sends one request (flags and sequence number are completed here) and waits for its
 * acknowledgement. 0 or -errno of the kernel, err->msg then holds the kernel's own text. */
[[nodiscard]] int nl_request(struct nl_sock *s, struct nlmsghdr *nlh, struct err *err);

/* Sends one request that has one answer; cb sees it. A callback answers MNL_CB_OK, or MNL_CB_ERROR
 * with errno set (untouched, it means EBADMSG). -errno as nl_request, or of the callback. */
[[nodiscard]] int nl_query(
	struct nl_sock *s, struct nlmsghdr *nlh, mnl_cb_t cb, void *arg, struct err *err);

/* Dumps. An interrupted dump (NLM_F_DUMP_INTR) is repeated, at most NL_DUMP_RETRIES times, each
 * time after restart(arg), which may be nullptr; then -EAGAIN: nothing may be concluded from what
 * was seen. After MNL_CB_STOP or MNL_CB_ERROR cb is not called again, and the rest of the dump is
 * read and dropped. */
constexpr unsigned NL_DUMP_RETRIES = 5;
[[nodiscard]] int nl_dump(struct nl_sock *s, struct nlmsghdr *nlh, mnl_cb_t cb,
	void (*restart)(void *arg), void *arg, struct err *err);

/* Dumps into an array. read() fills the zeroed *element from a message and returns 0; 1 = leave
 * this one out; or -errno, which ends it all. out->list is nullptr when nothing was kept, else
 * freed by the caller; out is written only on success. */
struct nl_list {
	void *list;
	size_t n;
};
[[nodiscard]] int nl_dump_list(struct nl_sock *s, struct nlmsghdr *nlh, size_t element_size,
	int (*read)(const struct nlmsghdr *nlh, void *element, void *arg), void *arg,
	struct nl_list *out, struct err *err);

/* The messages of one datagram. Not mnl_nlmsg_ok(): to libmnl 1.0.5 a message of 2 GiB and more
 * lies within any datagram. */
struct nl_datagram {
	const void *at;
	size_t left;
};
/* The next whole message, or nullptr; steps behind it. */
const struct nlmsghdr *nl_next(struct nl_datagram *d);

/* Nothing is there to be read. From a loss (ENOBUFS) until then the kernel drops whatever would
 * come next, and says nothing of it (net/netlink/af_netlink.c: netlink_overrun(),
 * NETLINK_S_CONGESTED). */
[[nodiscard]] bool nl_is_empty(const struct mnl_socket *s);

/* The underlying libmnl socket, for libnftnl batches; borrowed. */
struct mnl_socket *nl_mnl(struct nl_sock *s);
