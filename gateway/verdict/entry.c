/* SPDX-License-Identifier: Apache-2.0 */
#include "verdict/entry.h"
#include "lib/marks.h"
#include <linux/rtnetlink.h>
#include <string.h>

constexpr int64_t RTPROT_FRR_STATIC = 196; /* RTPROT_ZSTATIC, zebra/rt_netlink.h */

static const struct {
	int64_t protocol;
	const char *why;
} keepers[] = {
	{RTPROT_KERNEL, "the kernel made this route for an address: take the address away"},
	{RTPROT_RA, "a router advertisement made this route: the router must stop it"},
	{RTPROT_DHCP, "DHCP made this route: its server must stop it"},
	{RTPROT_ZEBRA, "FRRouting made this route: remove it there"},
	{RTPROT_FRR_STATIC, "FRRouting made this route: remove it there"},
	{RTPROT_BIRD, "BIRD made this route: remove it there"},
	{RTPROT_KEEPALIVED, "keepalived made this route: remove it there"},
	{RTPROT_BABEL, "Babel made this route: filter it there"},
	{RTPROT_BGP, "BGP made this route: filter it there"},
	{RTPROT_ISIS, "IS-IS made this route: filter it there"},
	{RTPROT_OSPF, "OSPF made this route: filter it there"},
	{RTPROT_RIP, "RIP made this route: filter it there"},
	{RTPROT_EIGRP, "EIGRP made this route: filter it there"},
	{MARK_RTPROT, "this route is meshgw's own"},
};

const char *entry_keeper(int64_t protocol)
{
	for (size_t i = 0; i < sizeof(keepers) / sizeof(keepers[0]); i++)
		if (keepers[i].protocol == protocol)
			return keepers[i].why;
	return nullptr;
}

const struct fact_lookup *entry_blamed(const struct verdict *v, const struct evidence *e)
{
	const char *prefix = verdict_attribute(v, "prefix");
	char text[PREFIX_STRLEN];

	for (size_t i = 0; i < v->n_evidence; i++) {
		if (v->evidence[i] >= e->n) /* of another record */
			continue;
		const struct fact *f = &e->facts[v->evidence[i]];
		if (f->kind != FACT_LOOKUP || !f->lookup.entry)
			continue;
		const struct fact_lookup *l = &f->lookup;
		bool of_rule = l->match.addr.family == AF_UNSPEC && l->rule[0];
		if (of_rule || (prefix && !strcmp(prefix_str(&l->match, text), prefix)))
			return l;
	}
	return nullptr;
}

static const struct fact_config *config_of(const struct evidence *e)
{
	size_t at = 0;
	const struct fact *f = evidence_next(e, FACT_CONFIG, &at);

	return f ? &f->config : nullptr;
}

struct prefix evidence_network(const struct evidence *e)
{
	const struct fact_config *c = config_of(e);

	return c && c->network.addr.family ? c->network : prefix_of(&e->flow.target);
}

struct prefix evidence_range(const struct evidence *e)
{
	const struct fact_config *c = config_of(e);

	return c && c->range.addr.family ? c->range : prefix_of(&e->flow.client);
}

const struct prefix *entry_exceeds(
	const struct fact_lookup *l, const struct evidence *e, bool *is_range, struct prefix *buf)
{
	bool back = l->question == ASK_REVERSE || l->question == ASK_REVERSE_BARE;

	*is_range = back;
	*buf = back ? evidence_range(e) : evidence_network(e);
	return prefix_contains(&l->match, buf) && l->match.len < buf->len ? buf : nullptr;
}

bool entry_may_go(const struct fact_lookup *l, const struct evidence *e)
{
	struct prefix exceeded;
	bool is_range;

	return l->match.addr.family != AF_UNSPEC && l->match.len > 0 &&
	       !entry_keeper(l->protocol) && !entry_exceeds(l, e, &is_range, &exceeded);
}

const struct fact_sysctl *evidence_hears_routers(const struct evidence *e, size_t *at)
{
	static const char below[] = "net.ipv6.conf.", all[] = "net.ipv6.conf.all.";
	const struct fact *f;

	while ((f = evidence_next(e, FACT_SYSCTL, at))) {
		const char *key = f->sysctl.key, *dot = strrchr(key, '.');
		if (f->sysctl.value == 1 && dot && !strcmp(dot, ".accept_ra") &&
			!strncmp(key, below, strlen(below)) && strncmp(key, all, strlen(all)) != 0)
			return &f->sysctl;
	}
	return nullptr;
}
