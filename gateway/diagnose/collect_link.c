/* SPDX-License-Identifier: Apache-2.0 */
#include "diagnose/collect_link.h"
#include "net/netconf.h"
#include <errno.h>
#include <linux/if.h>
#include <stdio.h>
#include <string.h>

/* ---- links ---- */

/* fe80::/10 and 169.254.0.0/16 serve nobody behind a router. */
static bool is_link_local(const struct addr *a)
{
	if (a->family == AF_INET6)
		return a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80;
	return a->b[0] == 169 && a->b[1] == 254;
}

static bool has_address(const struct collect_scope *scope, int ifindex)
{
	for (size_t i = 0; i < scope->addresses.n; i++) {
		const struct ifaddr_entry *a = &scope->addresses.list[i];
		if (a->ifindex == ifindex && !a->tentative && !is_link_local(&a->address) &&
			(!scope->flow || a->address.family == scope->flow->target.family))
			return true;
	}
	return false;
}

static void tell_link(const struct collect_scope *scope, enum fact_role role, const char *name,
	const struct link *l, struct evidence *e)
{
	struct fact_link *f = &evidence_add(e, FACT_LINK)->link;
	f->role = role;
	snprintf(f->interface, sizeof(f->interface), "%s", name);
	f->exists = l != nullptr;
	if (!l)
		return;
	f->up = l->flags & IFF_UP;
	f->carrier = l->flags & IFF_LOWER_UP;
	f->mtu = l->mtu;
	snprintf(f->kind, sizeof(f->kind), "%s", l->kind);
	f->has_address = has_address(scope, l->ifindex);
	const struct link *master = link_by_index(&scope->links, l->master);
	if (!master)
		return;
	snprintf(f->master, sizeof(f->master), "%s", master->name);
	snprintf(f->master_kind, sizeof(f->master_kind), "%s", master->kind);
	/* A port of a bridge has none of its own. */
	f->has_address |= has_address(scope, master->ifindex);
}

void collect_links(const struct collect_scope *scope, struct evidence *e)
{
	tell_link(scope, ROLE_MESH, scope->mesh_name, scope->mesh, e);
	if (scope->lan_name[0])
		tell_link(scope, ROLE_LAN, scope->lan_name, scope->lan, e);
}

void collect_link(const struct collect_scope *scope, enum fact_role role, const char *name,
	struct evidence *e)
{
	const struct fact *f;
	size_t at = 0;

	if (name[0] == '\0')
		return;
	while ((f = evidence_next(e, FACT_LINK, &at)))
		if (!strcmp(f->link.interface, name))
			return;
	tell_link(scope, role, name, link_by_name(&scope->links, name), e);
}

/* ---- sysctls ---- */

/* Below /proc/sys/net. %s stands for an interface. */
static const char *const of_everything4[] = {
	"ipv4/ip_forward",
	"ipv4/conf/all/forwarding",
	"ipv4/conf/all/rp_filter",
	"ipv4/conf/all/src_valid_mark",
	"ipv4/conf/all/log_martians",
	"ipv4/conf/all/accept_local",
	"ipv4/conf/all/route_localnet",
	"ipv4/conf/all/send_redirects",
	"ipv4/conf/all/ignore_routes_with_linkdown",
	"ipv4/neigh/default/gc_thresh3",
	"bridge/bridge-nf-call-iptables",
};
static const char *const of_everything6[] = {
	"ipv6/conf/all/forwarding",
	"ipv6/conf/all/disable_ipv6",
	"ipv6/conf/all/accept_ra",
	"ipv6/neigh/default/gc_thresh3",
	"bridge/bridge-nf-call-ip6tables",
};
static const char *const of_interface4[] = {
	"ipv4/conf/%s/forwarding",
	"ipv4/conf/%s/rp_filter",
	"ipv4/conf/%s/src_valid_mark",
	"ipv4/conf/%s/log_martians",
	"ipv4/conf/%s/accept_local",
	"ipv4/conf/%s/send_redirects",
	"ipv4/conf/%s/ignore_routes_with_linkdown",
};
static const char *const of_interface6[] = {
	"ipv6/conf/%s/forwarding",
	"ipv6/conf/%s/disable_ipv6",
	"ipv6/conf/%s/accept_ra",
	"ipv6/conf/%s/ignore_routes_with_linkdown",
};
static const char *const of_conntrack[] = {
	"netfilter/nf_conntrack_max",
	"netfilter/nf_conntrack_tcp_loose",
	"netfilter/nf_conntrack_tcp_be_liberal",
};

struct keys {
	const char *const *list;
	size_t n;
};
#define KEYS(array) {(array), sizeof(array) / sizeof((array)[0])}

/* sysctl(8) writes dots for slashes, and the other way round. */
static void as_sysctl(const char *key, char out[FACT_NAME_LEN])
{
	snprintf(out, FACT_NAME_LEN, "net.%s", key);
	for (char *c = out + strlen("net."); *c; c++) {
		if (*c == '/')
			*c = '.';
		else if (*c == '.')
			*c = '/';
	}
}

static void tell_sysctl(const char *key, struct evidence *e)
{
	int value, r = sysctl_get(key, &value);

	if (r == -ENOENT)
		return;
	if (r < 0) {
		struct err err = {};
		err_set(&err, -r, "net/%s: %s", key, strerror(-r));
		collect_missing(e, OBSERVER_ROUTES, &err);
		return;
	}
	struct fact_sysctl *f = &evidence_add(e, FACT_SYSCTL)->sysctl;
	as_sysctl(key, f->key);
	f->value = value;
}

static void tell_of_everything(const struct keys *keys, struct evidence *e)
{
	for (size_t i = 0; i < keys->n; i++)
		tell_sysctl(keys->list[i], e);
}

static void tell_of_interface(const struct keys *keys, const char *interface, struct evidence *e)
{
	for (size_t i = 0; i < keys->n; i++) {
		char key[SYSCTL_KEY_LEN];
		const char *mark = strchr(keys->list[i], '%');
		snprintf(key, sizeof(key), "%.*s%s%s", (int)(mark - keys->list[i]), keys->list[i],
			interface, mark + 2);
		tell_sysctl(key, e);
	}
}

static void tell_family(uint8_t family, struct evidence *e)
{
	const struct keys everything4 = KEYS(of_everything4), everything6 = KEYS(of_everything6);
	const struct keys interface4 = KEYS(of_interface4), interface6 = KEYS(of_interface6);
	bool v4 = family == AF_INET;

	tell_of_everything(v4 ? &everything4 : &everything6, e);
	/* Adding facts moves them: by number, and only those that were there before. */
	for (size_t i = 0, n = e->n; i < n; i++) {
		if (e->facts[i].kind != FACT_LINK || !e->facts[i].link.exists)
			continue;
		char name[IFNAMSIZ];
		memcpy(name, e->facts[i].link.interface, sizeof(name));
		tell_of_interface(v4 ? &interface4 : &interface6, name, e);
	}
}

void collect_sysctls(const struct collect_scope *scope, struct evidence *e)
{
	const struct keys conntrack = KEYS(of_conntrack);
	if (!scope->flow || scope->flow->target.family == AF_INET)
		tell_family(AF_INET, e);
	if (!scope->flow || scope->flow->target.family == AF_INET6)
		tell_family(AF_INET6, e);
	tell_of_everything(&conntrack, e);
}
