/* SPDX-License-Identifier: Apache-2.0 */
#include "nft/batch.h"
#include "lib/marks.h"
#include "lib/xmalloc.h"
#include "net/nl.h"
#include "nft/attr.h"
#include "nft/table.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* Far from those of net/nl.c, so that nobody takes an answer that is not his. */
constexpr uint32_t FIRST_SEQ = 0x80000000;

struct nft_conn {
	struct nl_sock *nl;
	uint32_t flags; /* to ask for */
	uint32_t seq;   /* of the next transaction */
	int sndbuf;     /* bytes that the socket surely takes */
	bool owns;
};

/* What the kernel said about a transaction. */
struct verdict {
	bool done;     /* the acknowledgement that nft_txn_end() asked for */
	int error;     /* positive errno of the first refused message */
	uint32_t seq;  /* that message */
	char msg[120]; /* the kernel's own words, or empty */
};

int nft_conn_new(struct nl_sock *s, struct nft_conn **out, struct err *err)
{
	int sndbuf;
	socklen_t len = sizeof(sndbuf);

	if (getsockopt(mnl_socket_get_fd(nl_mnl(s)), SOL_SOCKET, SO_SNDBUF, &sndbuf, &len) < 0)
		return err_set(err, errno, "nft: socket option SO_SNDBUF: %s", strerror(errno));
	*out = xcalloc(1, sizeof(**out));
	**out = (struct nft_conn){
		.nl = s,
		.flags = NFT_TABLE_F_OWNER | NFT_TABLE_F_PERSIST,
		.seq = FIRST_SEQ,
		.sndbuf = sndbuf,
	};
	return 0;
}

void nft_conn_free(struct nft_conn *c)
{
	free(c);
}

bool nft_conn_owns(const struct nft_conn *c)
{
	return c->owns;
}

void nft_conn_set_flags(struct nft_conn *c, uint32_t flags)
{
	c->flags = flags;
}

/* The kernel refuses a message longer than the send buffer less a little (netlink_sendmsg(),
 * EMSGSIZE), and doubles what it is asked for. SO_SNDBUFFORCE needs CAP_NET_ADMIN in the first
 * user namespace; without it net.core.wmem_max bounds what can be had. */
static void sndbuf_reserve(struct nft_conn *c, size_t len)
{
	int fd = mnl_socket_get_fd(nl_mnl(c->nl));
	int want = len < INT32_MAX / 4 ? (int)len + 4096 : INT32_MAX / 4;

	if (want <= c->sndbuf)
		return;
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &want, sizeof(want)) < 0 &&
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &want, sizeof(want)) < 0)
		return; /* the send says what is wrong */
	c->sndbuf = want;
}

/* NLMSGERR_ATTR_MSG (Documentation/userspace-api/netlink/intro.rst, "Ext ACK"). */
static const char *ext_ack(const struct nlmsghdr *nlh)
{
	const struct nlmsgerr *e = mnl_nlmsg_get_payload(nlh);
	size_t skip = sizeof(*e);

	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS))
		return nullptr;
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED))
		skip += e->msg.nlmsg_len - sizeof(e->msg);
	if (skip > mnl_nlmsg_get_payload_len(nlh))
		return nullptr;

	const struct nlattr *attr = nft_attr_find(nlh, skip, NLMSGERR_ATTR_MSG);
	return attr && mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) >= 0 ? mnl_attr_get_str(attr)
									 : nullptr;
}

static void verdict_add(struct verdict *v, const struct nft_txn *t, const struct nlmsghdr *nlh)
{
	if (nlh->nlmsg_type != NLMSG_ERROR ||
		mnl_nlmsg_get_payload_len(nlh) < sizeof(struct nlmsgerr) ||
		!nft_txn_what(t, nlh->nlmsg_seq))
		return;

	const struct nlmsgerr *e = mnl_nlmsg_get_payload(nlh);
	if (e->error == 0) {
		v->done = true;
	} else if (v->error == 0) {
		const char *msg = ext_ack(nlh);
		v->error = -e->error;
		v->seq = nlh->nlmsg_seq;
		snprintf(v->msg, sizeof(v->msg), "%s", msg ? msg : "");
	}
}

/* The kernel has worked through the transaction and queued its answers when sendmsg(2) returns
 * (netlink_unicast_kernel()), so an empty queue is the end of them. */
static int verdict_read(struct nft_conn *c, const struct nft_txn *t, struct verdict *v)
{
	alignas(struct nlmsghdr) char buf[16 * 1024];
	int fd = mnl_socket_get_fd(nl_mnl(c->nl));

	for (;;) {
		ssize_t n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? 0 : -errno;

		const struct nlmsghdr *nlh = (const void *)buf;
		for (int rest = (int)n; mnl_nlmsg_ok(nlh, rest); nlh = mnl_nlmsg_next(nlh, &rest))
			verdict_add(v, t, nlh);
	}
}

static int send_all(struct nft_conn *c, const struct nft_txn *t)
{
	ssize_t n;

	sndbuf_reserve(c, t->len);
	do
		n = mnl_socket_sendto(nl_mnl(c->nl), t->buf, t->len);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

/* Who refused: the batch as such (no capability), the table (its owner), or an object. */
static int verdict_err(
	const struct nft_txn *t, const char *where, const struct verdict *v, struct err *err)
{
	const char *what = nft_txn_what(t, v->seq);

	if (v->error == EPERM && v->seq == t->seq)
		return err_set(err, EPERM, "%s: CAP_NET_ADMIN is missing", where);
	if (v->error == EPERM) /* nft_table_lookup(); EBUSY tells it from the above */
		return err_set(err, EBUSY, "%s: another process (meshgwd?) owns the table", where);
	if (v->msg[0])
		return err_set(
			err, v->error, "%s: %s: %s: %s", where, what, v->msg, strerror(v->error));
	return err_set(err, v->error, "%s: %s: %s", where, what, strerror(v->error));
}

/* Ends and sends the transaction about the table called `where`; v tells which message failed. */
static int commit_to(struct nft_conn *c, struct nft_txn *t, const char *where, struct verdict *v,
	struct err *err)
{
	*v = (struct verdict){};
	nft_txn_end(t);
	c->seq = t->seq + (uint32_t)t->n;

	int r = send_all(c, t);
	if (r == 0)
		r = verdict_read(c, t, v);
	if (r < 0)
		return err_set(err, -r, "%s: %s", where, strerror(-r));
	if (v->error)
		return verdict_err(t, where, v, err);
	if (!v->done)
		return err_set(err, EIO, "%s: the kernel gave no answer", where);
	return 0;
}

static int commit(struct nft_conn *c, struct nft_txn *t, struct verdict *v, struct err *err)
{
	return commit_to(c, t, "table inet " MARK_NFT_TABLE, v, err);
}

struct nl_sock *nft_conn_nl(const struct nft_conn *c)
{
	return c->nl;
}

void nft_conn_begin(const struct nft_conn *c, struct nft_txn *t)
{
	nft_txn_begin(t, c->seq);
}

int nft_conn_commit(struct nft_conn *c, struct nft_txn *t, const char *where, struct err *err)
{
	struct verdict v;

	return commit_to(c, t, where, &v, err);
}

static void add_table_ref(struct nft_txn *t, uint16_t type)
{
	struct nlmsghdr *nlh = nft_txn_msg(t, type, 0, "table");

	mnl_attr_put_strz(nlh, NFTA_TABLE_NAME, MARK_NFT_TABLE);
	nft_txn_push(t, nlh);
}

/* Removing and adding in one transaction also adopts an orphan: it belongs to nobody, so it may
 * be removed, and the new table is ours. */
static int replace_with(struct nft_conn *c, const struct nft_model *model, uint32_t flags,
	const struct nft_counters *start, struct verdict *v, struct err *err)
{
	struct nft_txn t;

	nft_txn_begin(&t, c->seq);
	add_table_ref(&t, NFT_MSG_DESTROYTABLE);
	nft_table_build(&t, model, flags, start);
	int r = commit(c, &t, v, err);
	nft_txn_clear(&t);
	return r;
}

/* What nf_tables_newtable() answers to flags it does not know. */
static bool flags_refused(const struct nft_conn *c, const struct verdict *v, uint32_t table_seq)
{
	return c->flags && v->seq == table_seq && v->error == EOPNOTSUPP;
}

int nft_replace(struct nft_conn *c, const struct nft_model *model, const struct nft_counters *start,
	struct err *err)
{
	uint32_t table_seq = c->seq + 2; /* behind BATCH_BEGIN and DESTROYTABLE */
	struct verdict v;
	int r = replace_with(c, model, c->flags, start, &v, err);

	if (r < 0 && flags_refused(c, &v, table_seq)) {
		c->flags = 0;
		r = replace_with(c, model, 0, start, &v, err);
	}
	if (r == 0)
		c->owns = c->flags & NFT_TABLE_F_OWNER;
	return r;
}

int nft_remove(struct nft_conn *c, struct err *err)
{
	struct nft_txn t;
	struct verdict v;

	nft_txn_begin(&t, c->seq);
	add_table_ref(&t, NFT_MSG_DELTABLE);
	int r = commit(c, &t, &v, err);
	nft_txn_clear(&t);
	if (r == 0)
		c->owns = false;
	return r;
}

int nft_set_modes(struct nft_conn *c, const struct nft_model *model, struct err *err)
{
	struct nft_txn t;
	struct verdict v;

	nft_txn_begin(&t, c->seq);
	nft_table_build_modes(&t, model);
	int r = commit(c, &t, &v, err);
	nft_txn_clear(&t);
	return r;
}
