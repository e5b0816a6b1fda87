/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_nlread: bytes as one netlink datagram, each message of it to every reader of
 * gateway/net/, and to that of other programs' rules in nft/. What a reader accepts must keep its
 * promises.
 */
#include "lib/own.h"
#include "lib/xmalloc.h"
#include "net/ct.h"
#include "net/link.h"
#include "net/netconf.h"
#include "net/nflog.h"
#include "net/nl.h"
#include "net/route.h"
#include "net/rule.h"
#include "nft/foreign.h"
#include "nft/foreign_rule.h"
#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_addr(const struct addr *a, uint8_t family)
{
	assert(a->family == AF_UNSPEC || a->family == family);
}

static void check_link(const struct nlmsghdr *nlh)
{
	struct link l;
	if (link_read(nlh, &l) < 0)
		return;
	assert(l.ifindex > 0);
	assert(l.name[0] && memchr(l.name, '\0', sizeof(l.name)));
}

static void check_address(const struct nlmsghdr *nlh)
{
	struct ifaddr_entry a;
	if (ifaddr_read(nlh, &a) < 0)
		return;
	assert(addr_bits(a.address.family));
	assert(a.prefix_len <= addr_bits(a.address.family));
}

static void check_route(const struct nlmsghdr *nlh)
{
	struct route r;
	char text[ROUTE_STRLEN];
	if (route_read(nlh, &r) < 0)
		return;
	assert(addr_bits(r.dst.addr.family));
	assert(r.dst.len <= addr_bits(r.dst.addr.family));
	assert(r.src.len <= addr_bits(r.dst.addr.family));
	check_addr(&r.prefsrc, r.dst.addr.family);
	assert(r.gateway.family == AF_UNSPEC || addr_bits(r.gateway.family));
	assert(route_cmp(&r, &r) == 0);
	assert(strlen(route_str(&r, text, sizeof(text))) < sizeof(text) - 1);
}

static void check_rule(const struct nlmsghdr *nlh)
{
	struct rule r;
	if (rule_read(nlh, &r) < 0)
		return;
	assert(addr_bits(r.family));
	assert(memchr(r.iif, '\0', sizeof(r.iif)) && memchr(r.oif, '\0', sizeof(r.oif)));
	assert(r.from.addr.family == r.family && r.from.len <= addr_bits(r.family));
	assert(r.to.addr.family == r.family && r.to.len <= addr_bits(r.family));
	assert(r.suppress >= -1 && r.suppress <= 128);
	char text[RULE_STRLEN];
	assert(strlen(rule_str(&r, text, sizeof(text))) < sizeof(text) - 1);
}

static void check_netconf(const struct nlmsghdr *nlh)
{
	struct netconf c;
	if (netconf_read(nlh, &c) < 0)
		return;
	assert(addr_bits(c.family));
}

static void check_inside(const struct nlmsghdr *nlh, const struct nlattr *a)
{
	const uint8_t *start = (const uint8_t *)nlh, *attr = (const uint8_t *)a;
	assert(!a || (attr > start && attr + a->nla_len <= start + nlh->nlmsg_len));
}

static void check_ct(const struct nlmsghdr *nlh)
{
	struct ct_entry e;
	if (ct_read(nlh, &e) < 0)
		return;
	assert(e.tuple && addr_bits(e.flow.from.family));
	assert(e.flow.to.family == e.flow.from.family);
	check_inside(nlh, e.tuple);
	check_inside(nlh, e.zone);
	check_inside(nlh, e.id);
}

static void check_foreign_rule(const struct nlmsghdr *nlh)
{
	struct nft_foreign_rule r;
	(void)nft_foreign_concerns(nlh);
	if (nft_foreign_rule_read(nlh, &r) < 0)
		return;
	assert(addr_bits(r.family) && r.interface_len <= sizeof(r.interface));
	assert(memchr(r.target, '\0', sizeof(r.target)));
	if (r.source_term == NFT_TERM_ABSENT)
		return;
	assert(r.source.addr.family == r.family && r.source.len <= addr_bits(r.family));
	/* A range meets a rule about itself wholly or not at all. */
	assert(nft_foreign_rule_meets(&r, "mesh0", &r.source) != NFT_MEETS_SOME);
}

static void check_nflog(const struct nlmsghdr *nlh)
{
	struct addr a;
	if (nflog_parse(nlh, &a) == 0)
		assert(addr_bits(a.family));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const checks[])(const struct nlmsghdr *nlh) = {
		check_link,
		check_address,
		check_route,
		check_rule,
		check_netconf,
		check_ct,
		check_foreign_rule,
		check_nflog,
	};

	/* A copy of exactly this size, aligned as a receive buffer is. */
	autofree uint8_t *copy = xcalloc(1, size);
	if (size)
		memcpy(copy, data, size);
	struct nl_datagram d = {.at = copy, .left = size};
	for (const struct nlmsghdr *nlh; (nlh = nl_next(&d));) {
		for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++)
			checks[i](nlh);
	}
	return 0;
}
