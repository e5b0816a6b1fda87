/* SPDX-License-Identifier: Apache-2.0 */
#include "verdict/fact_says.h"
#include "lib/escape.h"
#include <stdio.h>
#include <string.h>

void say(struct words *w, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(w->text + w->used, sizeof(w->text) - w->used, fmt, ap);
	va_end(ap);
	if (n > 0)
		w->used += (size_t)n < sizeof(w->text) - w->used ? (size_t)n
								 : sizeof(w->text) - w->used - 1;
}

void say_if(struct words *w, bool condition, const char *text)
{
	if (condition)
		say(w, "%s", text);
}

void say_addr(struct words *w, const char *before, const struct addr *a)
{
	char text[ADDR_STRLEN];

	if (a->family != AF_UNSPEC)
		say(w, "%s%s", before, addr_str(a, text));
}

void say_text(struct words *w, const char *before, const char *text)
{
	if (text[0])
		say(w, "%s%s", before, text);
}

void say_number(struct words *w, const char *before, int64_t n, const char *after)
{
	if (n >= 0)
		say(w, "%s%lld%s", before, (long long)n, after);
}

void say_by(struct words *w, const char *by)
{
	if (by[0])
		say(w, " (%s)", by);
}

void say_errno(struct words *w, int64_t error)
{
	const char *text = error > 0 && error < 4096 ? strerrordesc_np((int)error) : nullptr;

	if (text)
		say(w, "%s", text);
	else
		say(w, "error %lld", (long long)error);
}

static void says_link(const struct fact *fact, struct words *w)
{
	const struct fact_link *f = &fact->link;

	say(w, "interface %s", f->interface);
	if (!f->exists) {
		say(w, " does not exist");
		return;
	}
	say(w, " is %s", f->up ? "up" : "down");
	say_if(w, f->up && !f->carrier, ", without carrier");
	say_text(w, ", of type ", f->kind);
	say_number(w, ", MTU ", f->mtu, "");
	say_text(w, ", in ", f->master);
	if (f->master[0])
		say_by(w, f->master_kind);
	say_if(w, !f->has_address && f->role != ROLE_MESH, ", without an address");
}

static void says_sysctl(const struct fact *fact, struct words *w)
{
	say(w, "%s = %lld", fact->sysctl.key, (long long)fact->sysctl.value);
}

static void say_table(struct words *w, int64_t table)
{
	if (table == 254 || table == 255 || table == 253)
		say(w, ", table %s", table == 254 ? "main" : table == 255 ? "local" : "default");
	else
		say_number(w, ", table ", table, "");
}

static void say_entry(struct words *w, const struct fact_lookup *f)
{
	char text[PREFIX_STRLEN];

	if (!f->entry)
		return;
	if (f->match.addr.family != AF_UNSPEC)
		say(w, ", by the route %s", prefix_str(&f->match, text));
	say_table(w, f->table);
	say_text(w, ", proto ", f->protocol_name);
	say_number(w, ", metric ", f->metric ? f->metric : -1, "");
	say_if(w, f->linkdown, ", linkdown");
	if (f->rule[0])
		say(w, ", rule \"%s\"", f->rule);
	else
		say_number(w, ", rule ", f->rule_priority, "");
}

static void says_lookup(const struct fact *fact, struct words *w)
{
	const struct fact_lookup *f = &fact->lookup;

	say(w, f->iif[0] ? "a packet" : "a packet of this host");
	say_addr(w, " to ", &f->to);
	say_addr(w, " from ", &f->from);
	if (f->iif[0])
		say(w, ", entering by %s,", f->iif);
	if (f->error) {
		say(w, " is refused by routing: ");
		say_errno(w, f->error);
	} else if (!strcmp(f->type, "local")) {
		say(w, " is for this host itself");
	} else {
		say_text(w, " leaves by ", f->oif);
		say_addr(w, " via ", &f->gateway);
		say_if(w, f->redirect, ", back where it came from");
	}
	say_entry(w, f);
	say_if(w, f->hides_mesh_route, ", in front of the one into the tunnel");
}

static void says_neighbour(const struct fact *fact, struct words *w)
{
	const struct fact_neighbour *f = &fact->neighbour;

	say(w, "neighbour");
	say_addr(w, " ", &f->address);
	say_text(w, " on ", f->interface);
	say(w, " is %s", f->state[0] ? f->state : "not known");
	say_text(w, ", at ", f->lladdr);
	say_text(w, ", and also at ", f->lladdr_other);
}

static void says_chain(const struct fact *fact, struct words *w)
{
	const struct fact_chain *f = &fact->chain;

	if (f->legacy) {
		say(w, "iptables-legacy is in use");
		say_text(w, ", table ", f->table);
		return;
	}
	say(w, "table %s %s, chain %s", f->family, f->table, f->chain);
	say_text(w, " at hook ", f->hook);
	say(w, ", priority %lld", (long long)f->priority);
	say_text(w, ", policy ", f->policy);
	say_number(w, ", ", f->rules, " rules");
	say_if(w, f->nat_source, ", translates sources");
	say_by(w, f->by);
}

static void says_counter(const struct fact *fact, struct words *w)
{
	const struct fact_counter *f = &fact->counter;

	if (!f->delta && f->value >= 0) {
		say(w, "%s is %lld, as before", f->name, (long long)f->value);
		return;
	}
	if (f->delta)
		say(w, "%s grew by %lld", f->name, (long long)f->delta);
	else
		say(w, "%s did not grow", f->name);
	say_number(w, ", to ", f->value, "");
}

static void says_bgp(const struct fact *fact, struct words *w)
{
	const struct fact_bgp *f = &fact->bgp;

	if (!f->configured)
		say(w, "BGP is not configured");
	else
		say(w, "FRRouting %s", f->daemon ? "answers" : "does not answer");
	say_number(w, ", AS ", f->asn, "");
	say_text(w, ": ", f->text);
}

static void says_bgp_neighbour(const struct fact *fact, struct words *w)
{
	const struct fact_bgp_neighbour *f = &fact->bgp_neighbour;

	say(w, "the BGP session");
	say_addr(w, " with ", &f->address);
	say(w, " is %s", f->state[0] ? f->state : "unknown");
	if (f->reason[0])
		say(w, ", %s%s", f->reason, f->fresh ? "" : " (an old reason)");
	say_number(w, ", reset ", f->reset_age_s, " s ago");
	say_text(w, ": ", f->text);
}

static void says_bgp_prefix(const struct fact *fact, struct words *w)
{
	const struct fact_bgp_prefix *f = &fact->bgp_prefix;
	char text[PREFIX_STRLEN];

	say(w, "%s", f->prefix.addr.family ? prefix_str(&f->prefix, text) : "the range");
	say(w, " is %sin FRRouting's table, and is %sannounced", f->originated ? "" : "not ",
		f->advertised ? "" : "not ");
	say_if(w, f->pending, " yet");
	say_addr(w, " to ", &f->neighbour);
	say_if(w, !f->export_policy, ", for want of a policy");
	say_text(w, ": ", f->text);
}

static void says_config(const struct fact *fact, struct words *w)
{
	const struct fact_config *f = &fact->config;
	char text[PREFIX_STRLEN];

	if (!f->up) {
		say(w, "meshgw has no configuration in force");
		return;
	}
	say(w, "meshgw knows ");
	say(w, "%s", f->source_known ? prefix_str(&f->range, text) : "no range of the client");
	if (f->own_address)
		say(w, ", the target is this gateway");
	else
		say(w, " and %s",
			f->network_known ? prefix_str(&f->network, text)
					 : "no network of the target");
	say_text(w, " on ", f->interface);
	say_text(w, ", mode ", f->mode);
	say_if(w, f->excepted, " for this host alone");
	say_text(w, ", return path ", f->proof);
	say_if(w, !f->allowed, ", and does not allow the flow");
}

static void says_condition(const struct fact *fact, struct words *w)
{
	say(w, "meshgw reports %s", fact->condition.code);
	say_by(w, fact->condition.subject);
	say_text(w, ": ", fact->condition.message);
}

static void says_socket(const struct fact *fact, struct words *w)
{
	const struct fact_socket *f = &fact->socket;

	if (!f->listening)
		say(w, "nothing on this host listens on the port");
	else if (f->loopback_only)
		say(w, "on this host the port is open on loopback only");
	else
		say(w, "on this host the port is open%s",
			f->reachable ? "" : ", and not on the target's address");
	if (f->queue >= 0 && f->backlog >= 0)
		say(w, ", %lld of %lld waiting", (long long)f->queue, (long long)f->backlog);
}

static void says_platform(const struct fact *fact, struct words *w)
{
	say(w, "this machine was made by %s",
		fact->platform.vendor[0] ? fact->platform.vendor : "somebody unknown");
	say_by(w, fact->platform.provider);
}

static void says_missing(const struct fact *fact, struct words *w)
{
	static const char *const words[OBSERVERS] = {
		[OBSERVER_TRACE] = "packets",
		[OBSERVER_DROPS] = "drops in the kernel",
		[OBSERVER_PACKETS] = "packets at the interfaces",
		[OBSERVER_INJECTION] = "an injected packet",
		[OBSERVER_NFT_TRACE] = "the way through the packet filter",
		[OBSERVER_RULESET] = "the packet filter's rules",
		[OBSERVER_ROUTES] = "routes",
		[OBSERVER_CONNTRACK] = "connection tracking",
		[OBSERVER_COUNTERS] = "counters",
		[OBSERVER_FRR] = "FRRouting",
		[OBSERVER_PROBES] = "probes",
		[OBSERVER_L7] = "the service's protocol",
	};

	say(w, "%s could not be observed", words[fact->missing.observer]);
	say_text(w, ": ", fact->missing.why);
}

const char *fact_says(const struct fact *f, char buf[static FACT_SAYS_LEN])
{
	static void (*const says[FACT_KINDS])(const struct fact *f, struct words *w) = {
		[FACT_LINK] = says_link,
		[FACT_SYSCTL] = says_sysctl,
		[FACT_LOOKUP] = says_lookup,
		[FACT_NEIGHBOUR] = says_neighbour,
		[FACT_PACKET] = says_packet,
		[FACT_ICMP] = says_icmp,
		[FACT_DROP] = says_drop,
		[FACT_CALL] = says_call,
		[FACT_TRACE] = says_trace,
		[FACT_CHAIN] = says_chain,
		[FACT_COUNTER] = says_counter,
		[FACT_CONNTRACK] = says_conntrack,
		[FACT_PROBE] = says_probe,
		[FACT_L7] = says_l7,
		[FACT_BGP] = says_bgp,
		[FACT_BGP_NEIGHBOUR] = says_bgp_neighbour,
		[FACT_BGP_PREFIX] = says_bgp_prefix,
		[FACT_CONFIG] = says_config,
		[FACT_CONDITION] = says_condition,
		[FACT_SOCKET] = says_socket,
		[FACT_PLATFORM] = says_platform,
		[FACT_MISSING] = says_missing,
	};
	struct words w = {};

	says[f->kind](f, &w);
	return escape_text(w.text, w.used, buf, FACT_SAYS_LEN);
}
