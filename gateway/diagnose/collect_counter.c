/* SPDX-License-Identifier: Apache-2.0 */
#include "diagnose/collect_counter.h"
#include <stdio.h>
#include <string.h>

static const char *const telling[] = {
	"IcmpOutDestUnreachs",
	"IcmpOutRateLimitGlobal",
	"IcmpOutRateLimitHost",
	"IcmpOutRedirects",
	"IcmpOutTimeExcds",
	"Icmp6OutDestUnreachs",
	"Icmp6OutNeighborSolicits",
	"Icmp6OutPktTooBigs",
	"Icmp6OutRateLimitHost",
	"Icmp6OutRedirects",
	"Icmp6OutTimeExcds",
	"Ip6FragFails",
	"Ip6InAddrErrors",
	"Ip6InDiscards",
	"Ip6InHdrErrors",
	"Ip6InNoRoutes",
	"Ip6InTooBigErrors",
	"Ip6OutDiscards",
	"Ip6OutForwDatagrams",
	"Ip6OutNoRoutes",
	"Ip6ReasmFails",
	"IpExtInCsumErrors",
	"IpExtInNoRoutes",
	"IpForwDatagrams",
	"IpFragFails",
	"IpInAddrErrors",
	"IpInDiscards",
	"IpInHdrErrors",
	"IpOutDiscards",
	"IpOutNoRoutes",
	"IpReasmFails",
	"TcpExtIPReversePathFilter",
	"TcpExtListenDrops",
	"TcpExtListenOverflows",
	"TcpExtTCPAOBad",
	"TcpExtTCPMD5Failure",
	"TcpExtTCPMD5NotFound",
	"TcpExtTCPMD5Unexpected",
	"arp_cache.res_failed",
	"arp_cache.table_fulls",
	"arp_cache.unresolved_discards",
	"ndisc_cache.res_failed",
	"ndisc_cache.table_fulls",
	"ndisc_cache.unresolved_discards",
	"nf_conntrack.clashres",
	"nf_conntrack.drop",
	"nf_conntrack.early_drop",
	"nf_conntrack.insert_failed",
	"nf_conntrack.invalid",
	"nf_conntrack_count",
	"nf_conntrack_max",
	"rt_cache.in_martian_dst",
	"rt_cache.in_martian_src",
	"rt_cache.in_no_route",
};

/* Of the interfaces that were read. */
static const char *const of_links[] = {
	".rx_dropped",
	".rx_errors",
	".rx_packets",
	".tx_dropped",
	".tx_errors",
	".tx_packets",
};

static int add_link(const struct collect_scope *scope, struct nl_sock *s, const char *name,
	struct counter_set *out)
{
	const struct link *l = link_by_name(&scope->links, name);
	/* One that is gone by now has no counters; its link fact says so. */
	return l ? counter_add_link(s, l->ifindex, name, out, nullptr) : 0;
}

int collect_counters_read(const struct collect_scope *scope, struct nl_sock *s, const char *egress,
	struct counter_set *out, struct err *err)
{
	int r = counter_read(out, err);
	if (r < 0)
		return r;
	(void)add_link(scope, s, scope->mesh_name, out);
	(void)add_link(scope, s, scope->lan_name, out);
	if (strcmp(egress, scope->lan_name) != 0 && strcmp(egress, scope->mesh_name) != 0)
		(void)add_link(scope, s, egress, out);
	counter_sort(out);
	return 0;
}

static bool is_gauge(const char *name)
{
	return !strcmp(name, "nf_conntrack_count") || !strcmp(name, "nf_conntrack_max");
}

static bool is_telling(const char *name)
{
	for (size_t i = 0; i < sizeof(telling) / sizeof(telling[0]); i++)
		if (!strcmp(telling[i], name))
			return true;
	const char *end = strrchr(name, '.');
	for (size_t i = 0; end && i < sizeof(of_links) / sizeof(of_links[0]); i++)
		if (!strcmp(of_links[i], end))
			return true;
	return false;
}

void collect_counters(
	const struct counter_set *before, const struct counter_set *after, struct evidence *e)
{
	for (size_t i = 0; i < after->n; i++) {
		const struct counter *c = &after->list[i];
		/* What was not there before may have grown or not. */
		if (!is_telling(c->name) || (!is_gauge(c->name) && !counter_find(before, c->name)))
			continue;
		struct fact_counter *f = &evidence_add(e, FACT_COUNTER)->counter;
		snprintf(f->name, sizeof(f->name), "%s", c->name);
		f->value = (int64_t)c->value;
		f->delta = is_gauge(c->name) ? 0 : (int64_t)counter_growth(before, after, c->name);
	}
}
