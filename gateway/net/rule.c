/* SPDX-License-Identifier: Apache-2.0 */
#include "net/rule.h"
#include "net/attr.h"
#include "net/nl.h"
#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Later than Debian 13's headers (linux/fib_rules.h of 6.18). */
constexpr uint16_t RULE_FLOWLABEL = FRA_DSCP + 1;
constexpr uint16_t RULE_SPORT_MASK = FRA_DSCP + 3;
constexpr uint16_t RULE_DPORT_MASK = FRA_DSCP + 4;
constexpr size_t RULE_ATTRS = FRA_DSCP + 6;

static const enum mnl_attr_data_type rule_policy[RULE_ATTRS] = {
	[FRA_DST] = MNL_TYPE_BINARY,
	[FRA_SRC] = MNL_TYPE_BINARY,
	[FRA_GOTO] = MNL_TYPE_U32,
	[FRA_PRIORITY] = MNL_TYPE_U32,
	[FRA_SUPPRESS_IFGROUP] = MNL_TYPE_U32,
	[FRA_SUPPRESS_PREFIXLEN] = MNL_TYPE_U32,
	[FRA_TABLE] = MNL_TYPE_U32,
	[FRA_FWMARK] = MNL_TYPE_U32,
	[FRA_FWMASK] = MNL_TYPE_U32,
	[FRA_IIFNAME] = MNL_TYPE_NUL_STRING,
	[FRA_OIFNAME] = MNL_TYPE_NUL_STRING,
	[FRA_TUN_ID] = MNL_TYPE_BINARY,
	[FRA_L3MDEV] = MNL_TYPE_U8,
	[FRA_UID_RANGE] = MNL_TYPE_BINARY,
	[FRA_IP_PROTO] = MNL_TYPE_U8,
	[FRA_SPORT_RANGE] = MNL_TYPE_BINARY,
	[FRA_DPORT_RANGE] = MNL_TYPE_BINARY,
	[FRA_DSCP] = MNL_TYPE_BINARY,
	[RULE_FLOWLABEL] = MNL_TYPE_BINARY,
	[RULE_SPORT_MASK] = MNL_TYPE_U16,
	[RULE_DPORT_MASK] = MNL_TYPE_U16,
};

static bool is_narrow(const struct fib_rule_hdr *frh, const struct nlattr *const *tb)
{
	static const uint16_t narrowing[] = {FRA_TUN_ID, FRA_L3MDEV, FRA_UID_RANGE, FRA_IP_PROTO,
		FRA_SPORT_RANGE, FRA_DPORT_RANGE};
	bool narrow = frh->src_len || frh->dst_len || frh->tos;
	for (size_t i = 0; i < sizeof(narrowing) / sizeof(narrowing[0]); i++)
		narrow |= tb[narrowing[i]] != nullptr;
	return narrow;
}

/* The group of interfaces is always told, as -1 when unset, and so is the mask of a single port
 * (net/core/fib_rules.c, fib_nl_fill_rule). */
static bool is_unmodelled(const struct fib_rule_hdr *frh, const struct nlattr *const *tb)
{
	return frh->tos || tb[FRA_TUN_ID] || tb[FRA_DSCP] || tb[RULE_FLOWLABEL] ||
	       attr_u32(tb[FRA_SUPPRESS_IFGROUP], UINT32_MAX) != UINT32_MAX ||
	       attr_u16(tb[RULE_SPORT_MASK], UINT16_MAX) != UINT16_MAX ||
	       attr_u16(tb[RULE_DPORT_MASK], UINT16_MAX) != UINT16_MAX;
}

static int read_prefix(const struct nlattr *a, uint8_t family, uint8_t len, struct prefix *out)
{
	if (len > addr_bits(family) || attr_addr(a, family, &out->addr) < 0 || (len && !a))
		return -EBADMSG;
	out->addr.family = family;
	out->len = len;
	return 0;
}

/* struct fib_rule_port_range. */
static int read_ports(const struct nlattr *a, struct rule_ports *out)
{
	struct fib_rule_port_range range = {};
	if (!a)
		return 0;
	if (mnl_attr_get_payload_len(a) < sizeof(range))
		return -EBADMSG;
	memcpy(&range, mnl_attr_get_payload(a), sizeof(range));
	*out = (struct rule_ports){range.start, range.end};
	return 0;
}

static int read_users(const struct nlattr *a, struct rule *out)
{
	struct fib_rule_uid_range range;
	if (!a)
		return 0;
	if (mnl_attr_get_payload_len(a) < sizeof(range))
		return -EBADMSG;
	memcpy(&range, mnl_attr_get_payload(a), sizeof(range));
	out->users = true;
	out->uid_first = range.start;
	out->uid_last = range.end;
	return 0;
}

static int read_selectors(
	const struct fib_rule_hdr *frh, const struct nlattr *const *tb, struct rule *out)
{
	if (attr_ifname(tb[FRA_IIFNAME], out->iif) < 0 ||
		attr_ifname(tb[FRA_OIFNAME], out->oif) < 0)
		return -EBADMSG;
	if (read_prefix(tb[FRA_SRC], frh->family, frh->src_len, &out->from) < 0 ||
		read_prefix(tb[FRA_DST], frh->family, frh->dst_len, &out->to) < 0)
		return -EBADMSG;
	if (read_ports(tb[FRA_SPORT_RANGE], &out->sport) < 0 ||
		read_ports(tb[FRA_DPORT_RANGE], &out->dport) < 0)
		return -EBADMSG;
	return read_users(tb[FRA_UID_RANGE], out);
}

/* No rule suppresses more than 128 bits; -1, as which it is told when unset, none. */
static int suppressed_len(const struct nlattr *a)
{
	uint32_t len = attr_u32(a, UINT32_MAX);
	return len > 128 ? -1 : (int)len;
}

int rule_read(const struct nlmsghdr *nlh, struct rule *out)
{
	const struct nlattr *tb[RULE_ATTRS];

	if (nlh->nlmsg_type != RTM_NEWRULE && nlh->nlmsg_type != RTM_DELRULE)
		return -EBADMSG;
	if (attr_parse(nlh, sizeof(struct fib_rule_hdr), rule_policy, tb, RULE_ATTRS) < 0)
		return -EBADMSG;
	const struct fib_rule_hdr *frh = mnl_nlmsg_get_payload(nlh);
	if (addr_bits(frh->family) == 0)
		return -EBADMSG;

	struct rule rule = {
		.family = frh->family,
		.priority = attr_u32(tb[FRA_PRIORITY], 0),
		.table = attr_u32(tb[FRA_TABLE], frh->table),
		.fwmark = attr_u32(tb[FRA_FWMARK], 0),
		.fwmask = attr_u32(tb[FRA_FWMASK], 0),
		.invert = frh->flags & FIB_RULE_INVERT,
		.action = frh->action,
		.proto = attr_u8(tb[FRA_IP_PROTO], 0),
		.l3mdev = attr_u8(tb[FRA_L3MDEV], 0),
		.target = attr_u32(tb[FRA_GOTO], 0),
		.suppress = suppressed_len(tb[FRA_SUPPRESS_PREFIXLEN]),
		.unmodelled = is_unmodelled(frh, tb),
	};
	rule.narrow = is_narrow(frh, tb) || rule.unmodelled;
	if (read_selectors(frh, tb, &rule) < 0)
		return -EBADMSG;
	*out = rule;
	return 0;
}

static int rule_dump_read(const struct nlmsghdr *nlh, void *element, void *arg)
{
	const uint8_t *family = arg;
	return attr_family(nlh) == *family ? rule_read(nlh, element) : 1;
}

int rule_dump(struct nl_sock *s, uint8_t family, struct rule_set *out, struct err *err)
{
	struct nl_message m;
	struct fib_rule_hdr frh = {.family = family};
	struct nlmsghdr *nlh = nl_begin(&m, RTM_GETRULE, 0, &frh, sizeof(frh));

	struct nl_list found;
	int r = nl_dump_list(s, nlh, sizeof(struct rule), rule_dump_read, &family, &found, err);
	if (r < 0) {
		err_ctx(err, "routing rules");
		return r;
	}
	rule_set_clear(out);
	*out = (struct rule_set){.list = found.list, .n = found.n};
	return 0;
}

void rule_set_clear(struct rule_set *set)
{
	free(set->list);
	*set = (struct rule_set){};
}

/* ---- writing ---- */

static void put_ports(struct nlmsghdr *nlh, uint16_t type, const struct rule_ports *p)
{
	struct fib_rule_port_range range = {.start = p->first, .end = p->last};
	if (p->last)
		mnl_attr_put(nlh, type, sizeof(range), &range);
}

static void put_selectors(struct nlmsghdr *nlh, const struct rule *r)
{
	struct fib_rule_uid_range users = {.start = r->uid_first, .end = r->uid_last};

	if (r->from.len)
		attr_put_addr(nlh, FRA_SRC, &r->from.addr);
	if (r->to.len)
		attr_put_addr(nlh, FRA_DST, &r->to.addr);
	if (r->iif[0])
		mnl_attr_put_strz(nlh, FRA_IIFNAME, r->iif);
	if (r->oif[0])
		mnl_attr_put_strz(nlh, FRA_OIFNAME, r->oif);
	if (r->fwmark || r->fwmask) {
		mnl_attr_put_u32(nlh, FRA_FWMARK, r->fwmark);
		mnl_attr_put_u32(nlh, FRA_FWMASK, r->fwmask);
	}
	if (r->proto)
		mnl_attr_put_u8(nlh, FRA_IP_PROTO, r->proto);
	put_ports(nlh, FRA_SPORT_RANGE, &r->sport);
	put_ports(nlh, FRA_DPORT_RANGE, &r->dport);
	if (r->users)
		mnl_attr_put(nlh, FRA_UID_RANGE, sizeof(users), &users);
	if (r->suppress >= 0 && r->action == FR_ACT_TO_TBL)
		mnl_attr_put_u32(nlh, FRA_SUPPRESS_PREFIXLEN, (uint32_t)r->suppress);
}

static int rule_write(
	struct nl_sock *s, uint16_t type, uint16_t flags, const struct rule *r, struct err *err)
{
	char text[RULE_STRLEN];
	struct nl_message m;
	struct fib_rule_hdr frh = {.family = r->family,
		.src_len = r->from.len,
		.dst_len = r->to.len,
		.action = r->action,
		.flags = r->invert ? FIB_RULE_INVERT : 0};

	rule_str(r, text, sizeof(text));
	if (r->unmodelled || r->l3mdev || r->action == FR_ACT_GOTO)
		return err_set(
			err, EOPNOTSUPP, "rule %s: it asks for more than is understood here", text);
	struct nlmsghdr *nlh = nl_begin(&m, type, flags, &frh, sizeof(frh));
	mnl_attr_put_u32(nlh, FRA_PRIORITY, r->priority);
	if (r->action == FR_ACT_TO_TBL)
		mnl_attr_put_u32(nlh, FRA_TABLE, r->table);
	put_selectors(nlh, r);
	int res = nl_request(s, nlh, err);
	if (res < 0)
		err_ctx(err, "rule %s", text);
	return res;
}

int rule_add(struct nl_sock *s, const struct rule *r, struct err *err)
{
	return rule_write(s, RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, r, err);
}

int rule_del(struct nl_sock *s, const struct rule *r, struct err *err)
{
	return rule_write(s, RTM_DELRULE, 0, r, err);
}

/* ---- as text ---- */

struct text {
	char *at;
	size_t left; /* with the NUL */
};

[[gnu::format(printf, 2, 3)]] static void text_add(struct text *t, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int len = vsnprintf(t->at, t->left, fmt, ap);
	va_end(ap);
	size_t step = len < 0 ? 0 : (size_t)len < t->left ? (size_t)len : t->left - 1;
	t->at += step;
	t->left -= step;
}

static void text_add_prefix(struct text *t, const char *word, const struct prefix *p)
{
	char text[PREFIX_STRLEN];
	/* A host stands there without its length. */
	if (p->len == addr_bits(p->addr.family))
		text_add(t, " %s %s", word, addr_str(&p->addr, text));
	else
		text_add(t, " %s %s", word, prefix_str(p, text));
}

static void text_add_ports(struct text *t, const char *word, const struct rule_ports *p)
{
	if (p->first == 0 && p->last == 0)
		return;
	if (p->first == p->last)
		text_add(t, " %s %u", word, p->first);
	else
		text_add(t, " %s %u-%u", word, p->first, p->last);
}

static void text_add_proto(struct text *t, uint8_t proto)
{
	if (proto == IPPROTO_TCP)
		text_add(t, " ipproto tcp");
	else if (proto == IPPROTO_UDP)
		text_add(t, " ipproto udp");
	else if (proto)
		text_add(t, " ipproto %u", proto);
}

static void text_add_selectors(struct text *t, const struct rule *r)
{
	if (r->from.len)
		text_add_prefix(t, "from", &r->from);
	else
		text_add(t, " from all");
	if (r->to.len)
		text_add_prefix(t, "to", &r->to);
	if (r->fwmark || r->fwmask) {
		text_add(t, " fwmark 0x%x", r->fwmark);
		if (r->fwmask != UINT32_MAX)
			text_add(t, "/0x%x", r->fwmask);
	}
	if (r->iif[0])
		text_add(t, " iif %s", r->iif);
	if (r->oif[0])
		text_add(t, " oif %s", r->oif);
	if (r->users)
		text_add(t, " uidrange %u-%u", r->uid_first, r->uid_last);
	text_add_proto(t, r->proto);
	text_add_ports(t, "sport", &r->sport);
	text_add_ports(t, "dport", &r->dport);
	if (r->unmodelled)
		text_add(t, " ...");
}

static void text_add_table(struct text *t, const struct rule *r)
{
	static const struct {
		uint32_t table;
		const char *name;
	} names[] = {
		{RT_TABLE_LOCAL, "local"}, {RT_TABLE_MAIN, "main"}, {RT_TABLE_DEFAULT, "default"}};

	if (r->l3mdev) {
		text_add(t, " lookup [l3mdev-table]");
		return;
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].table == r->table) {
			text_add(t, " lookup %s", names[i].name);
			return;
		}
	text_add(t, " lookup %u", r->table);
}

static void text_add_action(struct text *t, const struct rule *r)
{
	static const char *const names[] = {
		[FR_ACT_NOP] = "nop",
		[FR_ACT_BLACKHOLE] = "blackhole",
		[FR_ACT_UNREACHABLE] = "unreachable",
		[FR_ACT_PROHIBIT] = "prohibit",
	};
	if (r->action == FR_ACT_TO_TBL) {
		text_add_table(t, r);
		if (r->suppress >= 0)
			text_add(t, " suppress_prefixlength %d", r->suppress);
	} else if (r->action == FR_ACT_GOTO) {
		text_add(t, " goto %u", r->target);
	} else if (r->action < sizeof(names) / sizeof(names[0]) && names[r->action]) {
		text_add(t, " %s", names[r->action]);
	} else {
		text_add(t, " action %u", r->action);
	}
}

const char *rule_str(const struct rule *r, char *buf, size_t size)
{
	struct text t = {.at = buf, .left = size};
	text_add(&t, "%u:", r->priority);
	if (r->invert)
		text_add(&t, " not");
	text_add_selectors(&t, r);
	text_add_action(&t, r);
	return buf;
}
