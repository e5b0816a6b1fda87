/* SPDX-License-Identifier: Apache-2.0 */
/* Interfaces, sysctls and routes. */
#include "verdict/doctor_check.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

constexpr int64_t LEAST_MTU = 1280; /* RFC 8200 section 5 */

const char *doctor_lookup_str(const struct fact_lookup *l, char buf[static FACT_TEXT_LEN])
{
	char to[ADDR_STRLEN], via[ADDR_STRLEN];

	addr_str(&l->to, to);
	const char *error = l->error > 0 && l->error < 4096 ? strerrordesc_np((int)l->error)
							    : nullptr;
	if (l->error)
		snprintf(buf, FACT_TEXT_LEN, "%s: %s", to, error ? error : "refused");
	else if (l->gateway.family != AF_UNSPEC)
		snprintf(buf, FACT_TEXT_LEN, "%s goes to %s by %s", to, addr_str(&l->gateway, via),
			l->oif);
	else
		snprintf(buf, FACT_TEXT_LEN, "%s goes to %s", to, l->oif);
	return buf;
}

/* ---- interfaces ---- */

static void check_link(
	const struct fact_link *l, enum code missing, enum code down, struct doctor_said *s)
{
	if (!l->exists)
		doctor_say(s, DOCTOR_FAIL, missing, "interface %s does not exist", l->interface);
	else if (!l->up)
		doctor_say(s, DOCTOR_FAIL, down, "interface %s is down", l->interface);
	else if (!l->carrier)
		doctor_say(s, DOCTOR_FAIL, down, "interface %s has no carrier", l->interface);
	else
		return;
	doctor_set(s, "interface", "%s", l->interface);
	doctor_set(s, "dev", "%s", l->interface);
	if (!l->up)
		doctor_set(s, "link", "down");
}

static void check_links(const struct view *v, enum fact_role role, enum code missing,
	enum code down, struct doctor_said *s)
{
	size_t at = 0, n = 0;
	for (const struct fact *l; (l = view_next(v, FACT_LINK, &at));) {
		if (l->link.role != role)
			continue;
		n++;
		check_link(&l->link, missing, down, s);
	}
	if (n)
		doctor_say(s, DOCTOR_PASS, CODES, "%s up", n == 1 ? "the interface is" : "all are");
	else
		doctor_say(s, DOCTOR_SKIP, CODES, "the interfaces could not be read");
}

void doctor_tunnel(const struct view *v, struct doctor_said *s)
{
	check_links(v, ROLE_MESH, CODE_TUNNEL_INTERFACE_MISSING, CODE_TUNNEL_INTERFACE_DOWN, s);
}

void doctor_lan(const struct view *v, struct doctor_said *s)
{
	check_links(v, ROLE_LAN, CODE_LAN_INTERFACE_MISSING, CODE_LAN_INTERFACE_DOWN, s);
}

/* ---- sysctls ---- */

static bool is_asked(const struct view *v, uint8_t family)
{
	size_t at = 0;
	for (const struct fact *l; (l = view_next(v, FACT_LOOKUP, &at));)
		if (l->lookup.to.family == family)
			return true;
	return false;
}

static bool is_of_network(const struct fact_lookup *l)
{
	return l->question == ASK_ADDRESS || l->question == ASK_REVERSE;
}

bool doctor_is_networked(const struct view *v, uint8_t family)
{
	size_t at = 0;
	bool any = false;

	for (const struct fact *l; (l = view_next(v, FACT_LOOKUP, &at));) {
		if (is_of_network(&l->lookup) && l->lookup.to.family == family)
			return true;
		any |= is_of_network(&l->lookup);
	}
	return !any;
}

static void check_forwarding(
	const struct view *v, const struct fact_link *l, size_t *known, struct doctor_said *s)
{
	const struct fact *here = view_sysctl(v, "net.ipv4.conf.%s.forwarding", l->interface);
	const struct fact *all = view_sysctl(v, "net.ipv4.ip_forward");
	bool on = all && all->sysctl.value;

	*known += here != nullptr;
	if (!here || here->sysctl.value || (l->role != ROLE_MESH && l->role != ROLE_LAN))
		return;
	doctor_say(s, DOCTOR_FAIL,
		on ? CODE_FORWARDING_DISABLED_ON_INTERFACE : CODE_FORWARDING_DISABLED,
		"what enters by %s is not forwarded", l->interface);
	doctor_set(s, "sysctl", "%s", on || !all ? here->sysctl.key : all->sysctl.key);
	doctor_set(s, "wanted", "1");
	doctor_set(s, "interface", "%s", l->interface);
}

void doctor_forwarding(const struct view *v, struct doctor_said *s)
{
	size_t at = 0, known = 0;
	for (const struct fact *l; (l = view_next(v, FACT_LINK, &at));)
		check_forwarding(v, &l->link, &known, s);
	if (known)
		doctor_say(s, DOCTOR_PASS, CODES, "it is on for each interface of the way");
	else
		doctor_say(s, DOCTOR_SKIP, CODES, "the settings could not be read");
}

void doctor_forwarding_v6(const struct view *v, struct doctor_said *s)
{
	const struct fact *all = view_sysctl(v, "net.ipv6.conf.all.forwarding");
	size_t at = 0;

	if (!is_asked(v, AF_INET6) || !doctor_is_networked(v, AF_INET6) || !all) {
		doctor_say(s, DOCTOR_SKIP, CODES, "no network has IPv6, or the kernel has none");
		return;
	}
	if (!all->sysctl.value) {
		doctor_say(s, DOCTOR_FAIL, CODE_FORWARDING_DISABLED, "IPv6 is not forwarded");
		doctor_set(s, "sysctl", "%s", all->sysctl.key);
		doctor_set(s, "wanted", "1");
	}
	for (const struct fact *l; (l = view_next(v, FACT_LINK, &at));) {
		const char *name = l->link.interface;
		const struct fact *off = view_sysctl(v, "net.ipv6.conf.%s.disable_ipv6", name);
		const struct fact *ra = view_sysctl(v, "net.ipv6.conf.%s.accept_ra", name);
		if (off && off->sysctl.value) {
			doctor_say(s, DOCTOR_FAIL, CODE_IPV6_DISABLED, "IPv6 is off on %s", name);
			doctor_set(s, "sysctl", "%s", off->sysctl.key);
			doctor_set(s, "wanted", "0");
		}
		/* A host that forwards does not hear routers any more, unless told so. */
		if (ra && ra->sysctl.value == 1 && all->sysctl.value && l->link.role == ROLE_LAN) {
			doctor_say(s, DOCTOR_WARN, CODES,
				"router advertisements on %s are not heard, as IPv6 is forwarded",
				name);
			doctor_remedy(
				s, "If the default route of IPv6 comes from them, set accept_ra=2");
		}
	}
	doctor_say(s, DOCTOR_PASS, CODES, "it is on");
}

static bool leads(const struct fact_lookup *l, const char *interface)
{
	return !l->error && !strcmp(l->oif, interface);
}

/* A strict filter is no fault where routes lead back by the interface. */
void doctor_rp_filter(const struct view *v, struct doctor_said *s)
{
	int64_t mode = view_rp_filter(v, v->mesh);
	const struct fact *own = view_sysctl(v, "net.ipv4.conf.%s.rp_filter", v->mesh);
	size_t at = 0;

	if (mode < 0) {
		doctor_say(s, DOCTOR_SKIP, CODES, "the settings could not be read");
		return;
	}
	for (const struct fact *l; mode == 1 && (l = view_next(v, FACT_LOOKUP, &at));) {
		char text[FACT_TEXT_LEN];
		if (l->lookup.question != ASK_REVERSE_BARE || l->lookup.mark ||
			l->lookup.to.family != AF_INET || leads(&l->lookup, v->mesh))
			continue;
		doctor_say(s, DOCTOR_FAIL, CODE_RP_FILTER_STRICT, "it is strict, and %s",
			doctor_lookup_str(&l->lookup, text));
		doctor_set(s, "sysctl", "%s", own->sysctl.key);
		doctor_set(s, "wanted", "2");
		doctor_set(s, "interface", "%s", v->mesh);
	}
	doctor_say(s, DOCTOR_PASS, CODES, "%s",
		mode == 1 ? "it is strict, and the routes agree" : "it is loose or off");
}

/* ---- routes ---- */

static bool is_return(const struct fact_lookup *l)
{
	return !l->mark && (l->question == ASK_REVERSE || l->question == ASK_REVERSE_BARE);
}

/* The next lookup of answers to a range. */
static const struct fact_lookup *next_return(const struct view *v, size_t *at)
{
	for (const struct fact *f; (f = view_next(v, FACT_LOOKUP, at));)
		if (is_return(&f->lookup) && doctor_is_networked(v, f->lookup.to.family))
			return &f->lookup;
	return nullptr;
}

static bool by_other_table(const struct fact_lookup *l)
{
	return l->entry && l->table > 0 && l->table != TABLE_MAIN && l->table != 253;
}

static void name_entry(const struct fact_lookup *l, struct doctor_said *s)
{
	char text[PREFIX_STRLEN];
	if (!l->entry)
		return;
	doctor_set(s, "prefix", "%s", prefix_str(&l->match, text));
	doctor_set(s, "table", "%lld", (long long)l->table);
	doctor_set(s, "dev", "%s", l->oif);
}

static enum code refusal_of(const struct fact_lookup *l)
{
	if (l->error == EACCES)
		return CODE_ROUTE_PROHIBIT;
	if (l->error == EINVAL && !strcmp(l->type, "blackhole"))
		return CODE_ROUTE_BLACKHOLE;
	if (l->error == EHOSTUNREACH && !strcmp(l->type, "unreachable"))
		return CODE_ROUTE_UNREACHABLE;
	return CODES;
}

void doctor_return_routes(const struct view *v, struct doctor_said *s)
{
	size_t at = 0, n = 0;
	char text[FACT_TEXT_LEN];

	for (const struct fact_lookup *l; (l = next_return(v, &at));) {
		n++;
		if (leads(l, v->mesh) || by_other_table(l))
			continue;
		/* Forwarding and source validation answer for it as well. */
		enum code refused = refusal_of(l);
		if (l->error && l->error != ENETUNREACH && refused == CODES)
			continue;
		doctor_say(s, DOCTOR_FAIL,
			refused != CODES      ? refused
			: l->hides_mesh_route ? CODE_RETURN_ROUTE_SHADOWED
					      : CODE_RETURN_ROUTE_MISSING,
			"%s", doctor_lookup_str(l, text));
		name_entry(l, s);
	}
	if (n)
		doctor_say(s, DOCTOR_PASS, CODES, "answers to each range lead into the tunnel");
	else
		doctor_say(s, DOCTOR_SKIP, CODES, "the routes could not be read");
}

void doctor_rules(const struct view *v, struct doctor_said *s)
{
	size_t at = 0, n = 0;
	char text[FACT_TEXT_LEN];

	for (const struct fact_lookup *l; (l = next_return(v, &at));) {
		n++;
		if (leads(l, v->mesh) || !by_other_table(l))
			continue;
		doctor_say(s, DOCTOR_FAIL, CODE_POLICY_RULE_CAPTURES_RETURN, "%s, by rule %s",
			doctor_lookup_str(l, text), l->rule);
		name_entry(l, s);
	}
	if (n)
		doctor_say(s, DOCTOR_PASS, CODES, "no rule leads answers away");
	else
		doctor_say(s, DOCTOR_SKIP, CODES, "the rules could not be read");
}

static bool is_lan(const struct view *v, const char *interface)
{
	size_t at = 0;
	for (const struct fact *l; (l = view_next(v, FACT_LINK, &at));)
		if (l->link.role == ROLE_LAN && !strcmp(l->link.interface, interface))
			return true;
	return false;
}

static void check_lan_route(
	const struct view *v, const struct fact_lookup *l, struct doctor_said *s)
{
	char text[FACT_TEXT_LEN];
	enum code code = CODES;

	if (l->error == ENETUNREACH)
		code = CODE_NO_ROUTE_TO_DESTINATION;
	else if (l->error)
		code = refusal_of(l);
	else if (!strcmp(l->oif, v->mesh))
		code = l->entry && l->table == WARP_TABLE ? CODE_WARP_TABLE_CAPTURES_LAN
							  : CODE_ROUTE_HAIRPIN_TUNNEL;
	else if (strcmp(l->type, "local") != 0 && !is_lan(v, l->oif))
		code = CODE_ROUTE_WRONG_EGRESS;
	if (code == CODES)
		return;
	doctor_say(s, DOCTOR_FAIL, code, "%s", doctor_lookup_str(l, text));
	name_entry(l, s);
}

void doctor_lan_routes(const struct view *v, struct doctor_said *s)
{
	size_t at = 0, n = 0;
	for (const struct fact *f; (f = view_next(v, FACT_LOOKUP, &at));)
		if (f->lookup.question == ASK_ADDRESS) {
			n++;
			check_lan_route(v, &f->lookup, s);
		}
	if (n)
		doctor_say(s, DOCTOR_PASS, CODES, "each network is reached by the LAN");
	else
		doctor_say(s, DOCTOR_SKIP, CODES, "the routes could not be read");
}

void doctor_mtu(const struct view *v, struct doctor_said *s)
{
	const struct fact *mesh = v->links[ROLE_MESH];
	size_t at = 0;

	if (!mesh || mesh->link.mtu <= 0) {
		doctor_say(s, DOCTOR_SKIP, CODES, "the MTU could not be read");
		return;
	}
	int64_t mtu = mesh->link.mtu;
	if (mtu < LEAST_MTU && is_asked(v, AF_INET6))
		doctor_say(s, DOCTOR_FAIL, CODES, "%s has MTU %lld, and IPv6 needs 1280", v->mesh,
			(long long)mtu);
	for (const struct fact *l; (l = view_next(v, FACT_LINK, &at));)
		if (l->link.role == ROLE_LAN && l->link.mtu > 0 && l->link.mtu < mtu)
			doctor_say(s, DOCTOR_WARN, CODES, "%s has MTU %lld, %s %lld",
				l->link.interface, (long long)l->link.mtu, v->mesh, (long long)mtu);
	doctor_say(s, DOCTOR_PASS, CODES, "%s has MTU %lld", v->mesh, (long long)mtu);
}
