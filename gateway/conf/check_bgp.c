/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/check_bgp.h"
#include "conf/cover.h"
#include "conf/diag.h"
#include "conf/duration.h"
#include "conf/schema.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct bgp_check {
	const struct config_bgp *bgp;
	const struct cover *networks, *ranges;
	struct diag_list *diags;
	size_t i; /* the neighbour that is looked at */
};

/* key: below bgp.neighbors[i]. */
[[gnu::format(printf, 4, 5)]] static void mistake(
	const struct bgp_check *c, struct config_mark mark, const char *key, const char *fmt, ...)
{
	char path[64], message[sizeof(((struct config_diag *)nullptr)->message)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	snprintf(path, sizeof(path), "bgp.neighbors[%zu].%s", c->i, key);
	diag_add(c->diags, mark, path, "%s", message);
}

static int family_number(const struct addr *a)
{
	return a->family == AF_INET ? 4 : 6;
}

static void check_address(const struct bgp_check *c, const struct config_neighbor *neighbor)
{
	struct prefix host = prefix_of(&neighbor->address);
	const struct prefix *range = cover_overlap(c->ranges, &host);
	char address[ADDR_STRLEN], prefix[PREFIX_STRLEN];

	addr_str(&neighbor->address, address);
	if (range)
		mistake(c, neighbor->mark, "address",
			"%s lies in the mesh range %s, behind the tunnel; site routers are on the "
			"LAN's side",
			address, prefix_str(range, prefix));
	for (size_t j = 0; j < c->i; j++) { /* at most CONFIG_MAX_NEIGHBORS */
		const struct config_neighbor *before = &c->bgp->neighbors[j];
		if (addr_cmp(&before->address, &neighbor->address) != 0)
			continue;
		mistake(c, neighbor->mark, "address",
			"%s stands here already, at %u:%u; remove one", address, before->mark.line,
			before->mark.column);
		return;
	}
}

static void check_update_source(const struct bgp_check *c, const struct config_neighbor *neighbor)
{
	struct addr source;

	if (!neighbor->update_source || addr_parse(neighbor->update_source, &source) < 0)
		return; /* none, or an interface */
	struct prefix host = prefix_of(&source);
	if (source.family != neighbor->address.family)
		mistake(c, neighbor->update_source_mark, "update_source",
			"%s is IPv%d, and the neighbour's address is IPv%d",
			neighbor->update_source, family_number(&source),
			family_number(&neighbor->address));
	else if (addr_cmp(&source, &neighbor->address) == 0)
		mistake(c, neighbor->update_source_mark, "update_source",
			"%s is the neighbour's own address; name one of the gateway",
			neighbor->update_source);
	if (cover_has(c->ranges, &host))
		mistake(c, neighbor->update_source_mark, "update_source",
			"%s lies in a mesh range; name an address on the LAN's side",
			neighbor->update_source);
}

static void check_hops(const struct bgp_check *c, const struct config_neighbor *neighbor)
{
	bool internal = neighbor->remote_as == REMOTE_AS_INTERNAL ||
			(neighbor->asn && neighbor->asn == c->bgp->asn);

	if (neighbor->ebgp_multihop && neighbor->ttl_security_hops)
		mistake(c, neighbor->hops_mark, "ttl_security",
			"ebgp_multihop and ttl_security exclude each other; remove one");
	else if (neighbor->ebgp_multihop && internal)
		mistake(c, neighbor->hops_mark, "ebgp_multihop",
			"this neighbour has the gateway's own AS number, where the number of hops "
			"has no bound; remove it");
}

static void check_timers(const struct bgp_check *c, const struct config_neighbor *neighbor)
{
	uint32_t keepalive = neighbor->keepalive_s, hold = neighbor->hold_s;
	char shown[DURATION_STRLEN], bound[DURATION_STRLEN];

	if (hold == 1 || hold == 2)
		mistake(c, neighbor->hold_mark, "timers.hold",
			"%us is too short; 3s is the least, and 0 lets a silent session live",
			hold);
	else if (keepalive > 0 && hold == 0)
		mistake(c, neighbor->keepalive_mark, "timers.keepalive",
			"with hold 0 none are sent; leave it out");
	else if (keepalive > hold / 3)
		mistake(c, neighbor->keepalive_mark, "timers.keepalive",
			"%s is more than a third of hold; write %s at most",
			duration_str(keepalive * USEC_PER_S, shown),
			duration_str(hold / 3 * USEC_PER_S, bound));
	else if (keepalive == 0 && hold > 0)
		mistake(c, neighbor->keepalive_mark, "timers.keepalive",
			"0 sends none, and the session would end after hold; write 1s or more");
}

static void check_communities(const struct bgp_check *c, const struct config_neighbor *neighbor)
{
	char *const *list = neighbor->communities;

	for (size_t i = 1; i < neighbor->n_communities; i++)
		for (size_t j = 0; j < i; j++) { /* at most CONFIG_MAX_COMMUNITIES */
			if (!list[i] || !list[j] || strcmp(list[i], list[j]) != 0)
				continue;
			mistake(c, neighbor->communities_mark, "communities",
				"%s stands here twice; remove one", list[i]);
			break;
		}
}

/* ---- What the neighbour may announce ---- */

static bool accept_length(const struct bgp_check *c, const struct config_accept *accept,
	const char *key, const char *text)
{
	unsigned bits = addr_bits(accept->prefix.addr.family);

	if (accept->prefix.len == 0 && accept->le > 0)
		mistake(c, accept->mark, key,
			"%s up to length %u is every route there is, those of the mesh among them; "
			"for the default route alone leave le out",
			text, accept->le);
	else if (accept->le < accept->prefix.len)
		mistake(c, accept->mark, key, "le %u is less than the length of %s", accept->le,
			text);
	else if (accept->le > bits)
		mistake(c, accept->mark, key, "le %u is more than the %u bits of an IPv%d address",
			accept->le, bits, family_number(&accept->prefix.addr));
	else
		return true;
	return false;
}

static void check_reach(const struct bgp_check *c, const struct config_accept *accept,
	const char *key, const char *text)
{
	const struct prefix *range = cover_overlap(c->ranges, &accept->prefix);
	const struct prefix *network = cover_inside(c->networks, &accept->prefix);
	char other[PREFIX_STRLEN];

	if (accept->prefix.len == 0)
		return;
	if (range)
		mistake(c, accept->mark, key,
			"%s overlaps the mesh range %s; such a route would lead answers away from "
			"the tunnel",
			text, prefix_str(range, other));
	if (network)
		mistake(c, accept->mark, key,
			"%s covers the LAN network %s, which must not be learned; name what lies "
			"beyond it",
			text, prefix_str(network, other));
}

static void check_accept(
	const struct bgp_check *c, const struct config_neighbor *neighbor, size_t i)
{
	const struct config_accept *accept = &neighbor->accept[i];
	bool v4 = accept->prefix.addr.family == AF_INET;
	bool known = c->ranges->complete && neighbor->address.family != AF_UNSPEC &&
		     (neighbor->ipv4 || neighbor->ipv6);
	char key[32], text[PREFIX_STRLEN];

	snprintf(key, sizeof(key), "accept[%zu]", i);
	prefix_str(&accept->prefix, text);
	if (accept_length(c, accept, key, text))
		check_reach(c, accept, key, text);
	if (known && !(v4 ? neighbor->ipv4 : neighbor->ipv6))
		mistake(c, accept->mark, key,
			"%s is IPv%d, which is not exchanged with this neighbour; see families",
			text, family_number(&accept->prefix.addr));
	for (size_t j = 0; j < i; j++) { /* at most CONFIG_MAX_ACCEPT */
		const struct config_accept *before = &neighbor->accept[j];
		if (prefix_cmp(&before->prefix, &accept->prefix) != 0)
			continue;
		mistake(c, accept->mark, key, "%s stands here already, at %u:%u; remove one", text,
			before->mark.line, before->mark.column);
		return;
	}
}

static void check_neighbor(const struct bgp_check *c)
{
	const struct config_neighbor *neighbor = &c->bgp->neighbors[c->i];

	if (neighbor->address.family != AF_UNSPEC) {
		check_address(c, neighbor);
		check_update_source(c, neighbor);
	}
	check_hops(c, neighbor);
	check_timers(c, neighbor);
	check_communities(c, neighbor);
	for (size_t i = 0; i < neighbor->n_accept; i++)
		if (neighbor->accept[i].prefix.addr.family != AF_UNSPEC)
			check_accept(c, neighbor, i);
}

void check_bgp(const struct draft *draft, const struct cover *networks, const struct cover *ranges,
	struct diag_list *diags)
{
	struct bgp_check c = {&draft->config.bgp, networks, ranges, diags, 0};

	for (; c.i < c.bgp->n_neighbors; c.i++)
		check_neighbor(&c);
}
