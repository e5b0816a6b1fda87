/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/health.h"
#include "daemon/objects.h"
#include <errno.h>
#include <inttypes.h>
#include <linux/if.h>
#include <stdio.h>
#include <string.h>

static bool wants_family(const struct gateway *g, uint8_t family)
{
	for (size_t i = 0; i < g->config->n_ranges; i++)
		if (g->config->ranges[i].prefix.addr.family == family)
			return true;
	return false;
}

static void ipv6_health(const struct gateway *g, const char *name, struct conditions *out)
{
	char key[SYSCTL_KEY_LEN];
	int disabled = 0;
	snprintf(key, sizeof(key), "ipv6/conf/%s/disable_ipv6", name);
	int r = g->kernel->ops->sysctl_get(g->kernel, key, &disabled);
	if (wants_family(g, AF_INET6) && r >= 0 && disabled)
		conditions_add(out, COND_IPV6_DISABLED, name, "IPv6 is switched off on %s", name);
}

static void tunnel_health(const struct gateway *g, bool queue_full, struct conditions *out)
{
	const char *name = g->config->mesh_interface;
	const struct link *l = link_by_name(&g->seen.links, name);
	if (!l) {
		conditions_add(out, COND_TUNNEL_INTERFACE_MISSING, name,
			"there is no interface %s; return routes wait for it", name);
		return;
	}
	if (!(l->flags & IFF_UP))
		conditions_add(out, COND_TUNNEL_INTERFACE_DOWN, name, "%s is down", name);
	else if (!(l->flags & IFF_LOWER_UP))
		conditions_add(out, COND_TUNNEL_INTERFACE_DOWN, name,
			"%s has no carrier: no program reads it", name);
	else if (queue_full)
		conditions_add(out, COND_TUNNEL_QUEUE_FULL, name,
			"%s drops packets because its program does not read them", name);
	ipv6_health(g, name, out);
}

static bool has_address4(const struct gateway *g, int ifindex)
{
	for (size_t i = 0; i < g->seen.addresses.n; i++)
		if (g->seen.addresses.list[i].ifindex == ifindex &&
			g->seen.addresses.list[i].address.family == AF_INET)
			return true;
	return false;
}

static bool masquerades4(const struct gateway *g, const struct config_lan *lan)
{
	for (size_t i = 0; i < lan->n_networks; i++)
		if (lan->networks[i].prefix.addr.family == AF_INET &&
			want_network_masquerades(&g->prove, lan->interface, &lan->networks[i]))
			return true;
	return false;
}

static bool has_network6(const struct config_lan *lan)
{
	for (size_t i = 0; i < lan->n_networks; i++)
		if (lan->networks[i].prefix.addr.family == AF_INET6)
			return true;
	return false;
}

static void lan_health(
	const struct gateway *g, const struct config_lan *lan, struct conditions *out)
{
	const struct link *l = link_by_name(&g->seen.links, lan->interface);
	const char *name = lan->interface;
	if (!l)
		conditions_add(
			out, COND_LAN_INTERFACE_MISSING, name, "there is no interface %s", name);
	else if (!(l->flags & IFF_UP) || !(l->flags & IFF_LOWER_UP))
		conditions_add(out, COND_LAN_INTERFACE_DOWN, name, "%s %s", name,
			l->flags & IFF_UP ? "has no carrier" : "is down");
	else if (masquerades4(g, lan) && !has_address4(g, l->ifindex))
		conditions_add(out, COND_NAT_NO_SOURCE_ADDRESS, name,
			"%s has no IPv4 address to masquerade with", name);
	if (l && has_network6(lan))
		ipv6_health(g, name, out);
}

static enum condition_code code_of(const struct object *o)
{
	if (o->state == OBJECT_CONTESTED)
		return COND_STATE_CONTESTED;
	switch (o->kind) {
	case OP_NFT:
		return COND_NFT_TABLE_MISSING;
	case OP_ROUTE:
		return COND_RETURN_ROUTE_MISSING;
	case OP_REMEDY:
		return COND_REMEDY_NOT_IN_PLACE;
	case OP_SYSCTL:
	case OP_FRR:
	case OP_PROOF:
	case OP_WATCH:
	case OP_BRIDGE:
	case OP_TUNNEL:
		break;
	}
	return strstr(o->name, "rp_filter") ? COND_RP_FILTER_STRICT : COND_FORWARDING_DISABLED;
}

static bool lacks_feature(const struct gateway *g, const struct object *o)
{
	const struct track *t = track_find(&g->tracks, o->name);
	return o->kind == OP_NFT && t &&
	       (t->error == ENOENT || t->error == EOPNOTSUPP || t->error == EAFNOSUPPORT ||
		       t->error == EPROTONOSUPPORT);
}

/* Why it is not in place, where the kernel's errno tells more than the object. */
static enum condition_code cause_of(const struct gateway *g, const struct object *o)
{
	const struct track *t = track_find(&g->tracks, o->name);
	enum condition_code code = code_of(o);
	if (lacks_feature(g, o))
		return COND_KERNEL_FEATURE_MISSING;
	if (!t || o->state != OBJECT_FAILED)
		return code;
	if (t->error == EBUSY && o->kind == OP_NFT)
		return COND_NFT_TABLE_TAKEN;
	if ((t->error == EPERM || t->error == EACCES) && code != COND_RETURN_ROUTE_MISSING)
		return COND_CAPABILITY_MISSING;
	return code;
}

static void object_health(const struct gateway *g, struct conditions *out)
{
	struct objects objects = {};
	objects_collect(g, &objects);
	for (size_t i = 0; i < objects.n; i++) {
		const struct object *o = &objects.list[i];
		if (o->state == OBJECT_INSTALLED || o->state == OBJECT_WAITING)
			continue;
		conditions_add(
			out, cause_of(g, o), o->name, "%s is not in place: %s", o->name, o->reason);
	}
	objects_clear(&objects);
	if (g->seen.nft_current && !g->kernel->nft_owned)
		conditions_add(out, COND_NFT_TABLE_UNOWNED, "inet meshgw",
			"this kernel lets other programs change the table; it is watched");
}

/* Only Tailscale's filter is known (nft/foreign.h). */
static void input_health(const struct gateway *g, struct conditions *out)
{
	char first[PREFIX_STRLEN], subject[32];
	for (enum observed_family f = 0; f < OBSERVED_FAMILIES; f++) {
		const struct nft_foreign *in = &g->seen.inputs[f];
		const char *family = f == OBSERVED_IPV4 ? "ip" : "ip6";
		if (!in->n_dropped || in->passed)
			continue;
		snprintf(subject, sizeof(subject), "%s %s %s", family, NFT_FOREIGN_TABLE,
			NFT_FOREIGN_CHAIN);
		conditions_add(out, COND_FILTER_DROP_INPUT, subject,
			"packets from %s%s to this host itself are dropped: table %s %s, chain %s, "
			"rule handle %" PRIu64 ", by=tailscale",
			prefix_str(&in->dropped[0], first), in->n_dropped > 1 ? " and others" : "",
			family, NFT_FOREIGN_TABLE, NFT_FOREIGN_CHAIN, in->handle);
	}
}

void health_collect(const struct gateway *g, bool queue_full, struct conditions *out)
{
	if (g->observe_error)
		conditions_add(out, COND_OBSERVER_LIMITED, "netlink",
			"the kernel's state cannot be read: %s", strerror(g->observe_error));
	if (g->save_error)
		conditions_add(out, COND_STATE_NOT_SAVED, "/var/lib/meshgw",
			"the state cannot be saved: %s", strerror(g->save_error));
	if (!g->config)
		return;
	out->own_tunnel = g->config->tunnel.role != TUNNEL_NONE;
	tunnel_health(g, queue_full, out);
	for (size_t i = 0; i < g->config->n_lans; i++)
		lan_health(g, &g->config->lans[i], out);
	object_health(g, out);
	for (size_t i = 0; i < g->checks.found.n; i++) {
		const struct condition *c = &g->checks.found.list[i];
		conditions_add(out, c->code, c->subject, "%s", c->message);
	}
	input_health(g, out);
	health_prove(g, out);
}
