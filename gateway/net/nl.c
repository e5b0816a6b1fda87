/* SPDX-License-Identifier: Apache-2.0 */
#include "net/nl.h"
#include "lib/xmalloc.h"
#include "net/attr.h"
#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <linux/netlink.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

/* A dump gets as many messages into one read as the reader has room for, up to 32 KiB
 * (net/netlink/af_netlink.c, netlink_recvmsg: max_recvmsg_len). */
constexpr size_t NL_BUFFER = 32 * 1024;
constexpr time_t NL_DEADLINE_S = 5;

struct nl_sock {
	struct mnl_socket *mnl;
	uint32_t seq; /* of the request under way */
	alignas(struct nlmsghdr) uint8_t buf[NL_BUFFER];
};

/* One request's answer while it comes in. */
struct exchange {
	mnl_cb_t cb;
	void *arg;
	int result;       /* of cb: once it is not MNL_CB_OK, cb is not called again */
	bool interrupted; /* the tables changed under a dump */
	struct err *err;
};

static int nl_fail(struct err *err, int code, const char *what)
{
	return err_set(err, code, "%s: %s", what, strerror(code));
}

/* NETLINK_EXT_ACK: the kernel's own words. NETLINK_CAP_ACK: it does not send the request back.
 * NETLINK_GET_STRICT_CHK: dump filters are honoured, and a malformed request is an error. */
static int nl_set_options(struct mnl_socket *mnl, struct err *err)
{
	static const int options[] = {NETLINK_EXT_ACK, NETLINK_CAP_ACK, NETLINK_GET_STRICT_CHK};
	int on = 1;

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		if (mnl_socket_setsockopt(mnl, options[i], &on, sizeof(on)) < 0)
			return nl_fail(err, errno, "netlink socket option");
	}
	struct timeval deadline = {.tv_sec = NL_DEADLINE_S};
	int fd = mnl_socket_get_fd(mnl);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &deadline, sizeof(deadline)) < 0)
		return nl_fail(err, errno, "netlink socket timeout");
	return 0;
}

int nl_open(int bus, struct nl_sock **out, struct err *err)
{
	struct mnl_socket *mnl = mnl_socket_open2(bus, SOCK_CLOEXEC);
	if (!mnl)
		return nl_fail(err, errno, "netlink socket");
	int r = nl_set_options(mnl, err);
	if (r == 0 && mnl_socket_bind(mnl, 0, MNL_SOCKET_AUTOPID) < 0)
		r = nl_fail(err, errno, "netlink bind");
	if (r < 0) {
		mnl_socket_close(mnl);
		return r;
	}
	struct nl_sock *s = xcalloc(1, sizeof(*s));
	s->mnl = mnl;
	*out = s;
	return 0;
}

void nl_close(struct nl_sock *s)
{
	if (!s)
		return;
	mnl_socket_close(s->mnl);
	free(s);
}

bool nl_is_empty(const struct mnl_socket *s)
{
	struct pollfd p = {.fd = mnl_socket_get_fd(s), .events = POLLIN};
	return poll(&p, 1, 0) == 0;
}

struct mnl_socket *nl_mnl(struct nl_sock *s)
{
	return s->mnl;
}

struct nlmsghdr *nl_begin(
	struct nl_message *m, uint16_t type, uint16_t flags, const void *header, size_t size)
{
	assert(mnl_nlmsg_size(NLMSG_ALIGN(size)) <= sizeof(m->bytes));
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(m->bytes);
	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = flags;
	memcpy(mnl_nlmsg_put_extra_header(nlh, size), header, size);
	return nlh;
}

/* The text in an NLMSG_ERROR or NLMSG_DONE, or nullptr. The attributes stand behind the code
 * and, in an NLMSG_ERROR, the request's header, which NETLINK_CAP_ACK cuts there. */
static const char *nl_ext_ack(const struct nlmsghdr *nlh)
{
	static const enum mnl_attr_data_type policy[NLMSGERR_ATTR_MAX + 1] = {
		[NLMSGERR_ATTR_MSG] = MNL_TYPE_NUL_STRING,
	};
	const struct nlattr *tb[NLMSGERR_ATTR_MAX + 1];
	size_t header = nlh->nlmsg_type == NLMSG_ERROR ? sizeof(struct nlmsgerr) : sizeof(int);

	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS))
		return nullptr;
	if (attr_parse(nlh, header, policy, tb, NLMSGERR_ATTR_MAX + 1) < 0)
		return nullptr;
	return tb[NLMSGERR_ATTR_MSG] ? mnl_attr_get_str(tb[NLMSGERR_ATTR_MSG]) : nullptr;
}

/* The verdict of an NLMSG_ERROR or NLMSG_DONE: 0 or -errno. */
static int nl_verdict(const struct nlmsghdr *nlh, struct err *err)
{
	int code;
	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(code))
		return nl_fail(err, EBADMSG, "netlink acknowledgement");
	memcpy(&code, mnl_nlmsg_get_payload(nlh), sizeof(code));
	if (code >= 0)
		return 0;
	if (code == INT_MIN)
		return nl_fail(err, EBADMSG, "netlink acknowledgement");

	const char *text = nl_ext_ack(nlh);
	return text ? err_set(err, -code, "%s (%s)", strerror(-code), text)
		    : err_set(err, -code, "%s", strerror(-code));
}

static void exchange_data(struct exchange *x, const struct nlmsghdr *nlh)
{
	if (!x->cb || x->result != MNL_CB_OK)
		return;
	errno = 0;
	int r = x->cb(nlh, x->arg);
	if (r <= MNL_CB_ERROR)
		x->result = nl_fail(x->err, errno ? errno : EBADMSG, "netlink answer");
	else
		x->result = r;
}

/* 1 = more is to come, 0 = that was the last message of the answer, -errno. */
static int exchange_message(struct nl_sock *s, struct exchange *x, const struct nlmsghdr *nlh)
{
	/* Late answers to a request that met its deadline. */
	if (nlh->nlmsg_seq != s->seq)
		return 1;
	if (nlh->nlmsg_flags & NLM_F_DUMP_INTR)
		x->interrupted = true;
	if (nlh->nlmsg_type == NLMSG_ERROR || nlh->nlmsg_type == NLMSG_DONE)
		return nl_verdict(nlh, x->err);
	if (nlh->nlmsg_type < NLMSG_MIN_TYPE)
		return 1;
	exchange_data(x, nlh);
	return nlh->nlmsg_flags & NLM_F_MULTI ? 1 : 0;
}

const struct nlmsghdr *nl_next(struct nl_datagram *d)
{
	const struct nlmsghdr *nlh = d->at;
	if (d->left < sizeof(*nlh) || nlh->nlmsg_len < sizeof(*nlh) || nlh->nlmsg_len > d->left)
		return nullptr;
	size_t step = NLMSG_ALIGN((size_t)nlh->nlmsg_len);
	if (step > d->left)
		step = d->left;
	d->at = (const uint8_t *)d->at + step;
	d->left -= step;
	return nlh;
}

static int exchange_datagram(struct nl_sock *s, struct exchange *x, size_t len)
{
	struct nl_datagram d = {.at = s->buf, .left = len};
	const struct nlmsghdr *nlh;
	int r = 1;

	while (r > 0 && (nlh = nl_next(&d)))
		r = exchange_message(s, x, nlh);
	return r;
}

static int nl_receive(struct nl_sock *s, struct err *err)
{
	ssize_t len;
	do
		len = mnl_socket_recvfrom(s->mnl, s->buf, sizeof(s->buf));
	while (len < 0 && errno == EINTR);
	if (len >= 0)
		return (int)len;
	return nl_fail(err, errno == EAGAIN ? ETIMEDOUT : errno, "netlink answer");
}

/* Sends, then reads to the end of the answer, so that the next request starts with nothing in
 * its way. 0, or -errno: of the kernel, of the callback, or -EINTR for an interrupted dump. */
static int exchange_run(struct nl_sock *s, struct nlmsghdr *nlh, uint16_t flags, struct exchange *x)
{
	nlh->nlmsg_flags |= NLM_F_REQUEST | flags;
	nlh->nlmsg_seq = ++s->seq;
	if (mnl_socket_sendto(s->mnl, nlh, nlh->nlmsg_len) < 0)
		return nl_fail(x->err, errno, "netlink request");

	int r = 1;
	while (r > 0) {
		r = nl_receive(s, x->err);
		if (r >= 0)
			r = exchange_datagram(s, x, (size_t)r);
	}
	if (r < 0)
		return r;
	if (x->result < 0)
		return x->result;
	return x->interrupted ? -EINTR : 0;
}

int nl_request(struct nl_sock *s, struct nlmsghdr *nlh, struct err *err)
{
	struct exchange x = {.result = MNL_CB_OK, .err = err};
	return exchange_run(s, nlh, NLM_F_ACK, &x);
}

int nl_query(struct nl_sock *s, struct nlmsghdr *nlh, mnl_cb_t cb, void *arg, struct err *err)
{
	struct exchange x = {.cb = cb, .arg = arg, .result = MNL_CB_OK, .err = err};
	return exchange_run(s, nlh, 0, &x);
}

int nl_dump(struct nl_sock *s, struct nlmsghdr *nlh, mnl_cb_t cb, void (*restart)(void *arg),
	void *arg, struct err *err)
{
	for (unsigned i = 0; i <= NL_DUMP_RETRIES; i++) {
		if (i > 0 && restart)
			restart(arg);
		struct exchange x = {.cb = cb, .arg = arg, .result = MNL_CB_OK, .err = err};
		int r = exchange_run(s, nlh, NLM_F_DUMP, &x);
		if (r != -EINTR || !x.interrupted)
			return r;
	}
	return err_set(err, EAGAIN, "the kernel's tables changed each time they were read");
}

struct list_dump {
	uint8_t *list;
	size_t n, cap, size;
	int (*read)(const struct nlmsghdr *nlh, void *element, void *arg);
	void *arg;
};

static int list_dump_message(const struct nlmsghdr *nlh, void *arg)
{
	struct list_dump *d = arg;
	if (d->n == d->cap) {
		d->cap = d->cap ? 2 * d->cap : 8;
		d->list = xreallocarray(d->list, d->cap, d->size);
	}
	void *element = d->list + d->n * d->size;
	memset(element, 0, d->size);
	int r = d->read(nlh, element, d->arg);
	if (r < 0) {
		errno = -r;
		return MNL_CB_ERROR;
	}
	d->n += r == 0;
	return MNL_CB_OK;
}

static void list_dump_restart(void *arg)
{
	struct list_dump *d = arg;
	d->n = 0;
}

int nl_dump_list(struct nl_sock *s, struct nlmsghdr *nlh, size_t element_size,
	int (*read)(const struct nlmsghdr *nlh, void *element, void *arg), void *arg,
	struct nl_list *out, struct err *err)
{
	struct list_dump d = {.size = element_size, .read = read, .arg = arg};
	int r = nl_dump(s, nlh, list_dump_message, list_dump_restart, &d, err);
	if (r < 0 || d.n == 0) {
		free(d.list);
		d.list = nullptr;
	}
	if (r < 0)
		return r;
	*out = (struct nl_list){.list = d.list, .n = d.n};
	return 0;
}
