/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fix_filter: accepts in front of the rule or the policy that drops: which packets they let pass,
 * by the chain's place.
 */
#include "daemon/fix_int.h"
#include "lib/marks.h"
#include "verdict/place.h"
#include <linux/netfilter.h>
#include <stdlib.h>
#include <string.h>

enum term { ANY, MESH, LAN, RANGE, NETWORK, TARGET };
enum port { TO_PORT, FROM_PORT, ANY_PORT };
struct match {
	enum term iif, oif, from, to;
	enum port port; /* of the flow; ANY_PORT: nor its protocol */
};

static uint8_t nfproto(const char *family)
{
	static const struct {
		const char *name;
		uint8_t number;
	} families[] = {{"ip", NFPROTO_IPV4}, {"ip6", NFPROTO_IPV6}, {"inet", NFPROTO_INET},
		{"netdev", NFPROTO_NETDEV}};

	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
		if (!strcmp(families[i].name, family))
			return families[i].number;
	return NFPROTO_UNSPEC;
}

static const char *interface_of(const struct fix_subject *s, enum term t)
{
	return t == MESH ? s->mesh : t == LAN ? s->lan : "";
}

static struct prefix prefix_term(const struct fix_subject *s, enum term t)
{
	return t == RANGE     ? s->range
	       : t == NETWORK ? s->network
	       : t == TARGET  ? prefix_of(&s->e->flow.target)
			      : (struct prefix){};
}

/* Nothing is opened but the service that was asked for. */
static void narrow(const struct fix_subject *s, enum port port, struct nft_accept *a)
{
	if (port == ANY_PORT)
		return;
	a->proto = s->e->flow.proto;
	if (port == TO_PORT)
		a->dport = s->e->flow.port;
	else
		a->sport = s->e->flow.port;
}

static int add_accept(
	const struct fix_subject *s, const struct match *m, struct fix *out, struct err *err)
{
	const char *handle = fix_attribute(s, "handle");
	struct fix_accept a = {.family = nfproto(fix_attribute(s, "family"))};
	struct nft_accept *accept = &a.accept;

	if (a.family == NFPROTO_UNSPEC || !fix_attribute(s, "table")[0] ||
		!fix_attribute(s, "chain")[0])
		return fix_refuse(err, "the diagnosis did not see which chain it is");
	if (!strcmp(fix_attribute(s, "table"), MARK_NFT_TABLE) && a.family == NFPROTO_INET)
		return fix_refuse(err, "the table is meshgw's own: change meshgw.yaml");
	FIX_PUT(a.table, fix_attribute(s, "table"));
	FIX_PUT(a.chain, fix_attribute(s, "chain"));
	FIX_PUT(a.text, fix_attribute(s, "rule"));
	a.handle = handle[0] && handle[0] != '-' ? strtoull(handle, nullptr, 10) : 0;
	FIX_PUT(accept->iif, interface_of(s, m->iif));
	FIX_PUT(accept->oif, interface_of(s, m->oif));
	accept->from = prefix_term(s, m->from);
	accept->to = prefix_term(s, m->to);
	narrow(s, m->port, accept);
	if ((m->iif && !accept->iif[0]) || (m->oif && !accept->oif[0]))
		return fix_refuse(err, "the diagnosis does not name the interfaces");
	fix_add(out, FIX_ACCEPT)->accept = a;
	return 0;
}

static int plan_accepts(
	const struct fix_subject *s, const struct match pair[2], struct fix *out, struct err *err)
{
	int r = add_accept(s, &pair[0], out, err);
	return r < 0 ? r : add_accept(s, &pair[1], out, err);
}

int fix_plan_forward(const struct fix_subject *s, struct fix *out, struct err *err)
{
	static const struct match pair[] = {
		{MESH, LAN, RANGE, NETWORK, TO_PORT}, {LAN, MESH, NETWORK, RANGE, FROM_PORT}};
	return plan_accepts(s, pair, out, err);
}

int fix_plan_prerouting(const struct fix_subject *s, struct fix *out, struct err *err)
{
	struct place p = place_of(s->v, s->e);
	const struct match there = {MESH, ANY, RANGE, NETWORK, TO_PORT};
	const struct match back = {LAN, ANY, NETWORK, p.translated ? ANY : RANGE, FROM_PORT};
	int r = p.there ? add_accept(s, &there, out, err) : 0;

	return r >= 0 && p.back ? add_accept(s, &back, out, err) : r;
}

/* This host's own packets to the LAN: its probes, BGP, ICMP errors; and its answers. */
int fix_plan_output(const struct fix_subject *s, struct fix *out, struct err *err)
{
	static const struct match pair[] = {
		{ANY, LAN, ANY, NETWORK, ANY_PORT}, {ANY, MESH, ANY, RANGE, FROM_PORT}};
	return plan_accepts(s, pair, out, err);
}

int fix_plan_postrouting(const struct fix_subject *s, struct fix *out, struct err *err)
{
	static const struct match pair[] = {
		{ANY, LAN, ANY, NETWORK, TO_PORT}, {ANY, MESH, ANY, RANGE, FROM_PORT}};
	return plan_accepts(s, pair, out, err);
}

int fix_plan_input(const struct fix_subject *s, struct fix *out, struct err *err)
{
	static const struct match from_mesh = {MESH, ANY, RANGE, TARGET, TO_PORT};
	return add_accept(s, &from_mesh, out, err);
}
