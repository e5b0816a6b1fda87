/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/escape.h"
#include "verdict/fact_table.h"
#include <stdio.h>
#include <string.h>

/* A sentence as it grows, unescaped. */
struct words {
	char text[1536];
	size_t used;
};

[[gnu::format(printf, 2, 3)]] static void say(struct words *w, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(w->text + w->used, sizeof(w->text) - w->used, fmt, ap);
	va_end(ap);
	if (n > 0)
		w->used += (size_t)n < sizeof(w->text) - w->used ? (size_t)n
								 : sizeof(w->text) - w->used - 1;
}

static void say_if(struct words *w, bool condition, const char *text)
{
	if (condition)
		say(w, "%s", text);
}

/* " via 10.0.1.1", nothing without an address. */
static void say_addr(struct words *w, const char *before, const struct addr *a)
{
	char text[ADDR_STRLEN];

	if (a->family != AF_UNSPEC)
		say(w, "%s%s", before, addr_str(a, text));
}

static void say_text(struct words *w, const char *before, const char *text)
{
	if (text[0])
		say(w, "%s%s", before, text);
}

static void say_number(struct words *w, const char *before, int64_t n, const char *after)
{
	if (n >= 0)
		say(w, "%s%lld%s", before, (long long)n, after);
}

static void say_by(struct words *w, const char *by)
{
	if (by[0])
		say(w, " (%s)", by);
}

static void say_errno(struct words *w, int64_t error)
{
	const char *text = error > 0 && error < 4096 ? strerrordesc_np((int)error) : nullptr;

	if (text)
		say(w, "%s", text);
	else
		say(w, "error %lld", (long long)error);
}

static const char *origin_words(enum fact_origin origin)
{
	static const char *const words[ORIGINS] = {
		[ORIGIN_REAL] = "of the mesh",
		[ORIGIN_INJECTED] = "of the injected flow",
		[ORIGIN_OWN] = "of this gateway's own probe",
		[ORIGIN_ASIDE] = "of a probe beside the flow",
	};
	return words[origin];
}

static const char *direction_words(bool to_target)
{
	return to_target ? "to the target" : "of the answer";
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
	say_number(w, ", metric ", f->metric, "");
	say_if(w, f->linkdown, ", linkdown");
	if (f->rule[0])
		say(w, ", rule \"%s\"", f->rule);
	else
		say_number(w, ", rule ", f->rule_priority, "");
}

static void says_lookup(const struct fact *fact, struct words *w)
{
	const struct fact_lookup *f = &fact->lookup;

	say(w, "a packet");
	say_addr(w, " to ", &f->to);
	say_addr(w, " from ", &f->from);
	say_text(w, ", entering by ", f->iif);
	if (f->error) {
		say(w, ", is refused by routing: ");
		say_errno(w, f->error);
	} else if (!strcmp(f->type, "local")) {
		say(w, ", is for this host itself");
	} else {
		say_text(w, ", leaves by ", f->oif);
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

static void say_range(struct words *w, const char *before, int64_t min, int64_t max)
{
	if (min < 0 || max < 0)
		return;
	say(w, "%s%lld", before, (long long)min);
	if (max != min)
		say(w, " to %lld", (long long)max);
}

static const char *packet_words(enum fact_packet_kind packet)
{
	static const char *const words[PACKET_KINDS] = {
		[PACKET_SYN] = "SYN",
		[PACKET_SYN_ACK] = "SYN-ACK",
		[PACKET_RST] = "RST",
		[PACKET_FIN] = "FIN",
		[PACKET_ACK] = "ACK",
		[PACKET_DATA] = "data",
		[PACKET_UDP] = "UDP",
		[PACKET_ECHO] = "echo request",
		[PACKET_ECHO_REPLY] = "echo reply",
		[PACKET_FRAGMENT] = "fragment",
		[PACKET_OTHER] = "other",
	};
	return words[packet];
}

static const char *point_words(enum fact_point point, bool out_of_tunnel)
{
	static const char *const words[POINTS] = {
		[POINT_TUN_IN] = "entered from the tunnel",
		[POINT_LAN_OUT] = "left towards the LAN",
		[POINT_LAN_IN] = "came in from the LAN",
		[POINT_TUN_OUT] = "left into the tunnel",
		[POINT_HOST] = "ended or began at this host",
	};
	return point == POINT_TUN_OUT && out_of_tunnel ? "reached the way into the tunnel"
						       : words[point];
}

static void says_packet(const struct fact *fact, struct words *w)
{
	const struct fact_packet *f = &fact->packet;

	say(w, "%lld %s packet%s %s ", (long long)f->count, packet_words(f->packet),
		f->count == 1 ? "" : "s", direction_words(f->to_target));
	say(w, "%s %s", origin_words(f->origin),
		point_words(f->point, f->origin == ORIGIN_INJECTED));
	say_text(w, " by ", f->interface);
	if (f->distinct > 0 && f->distinct < f->count)
		say(w, ", %lld of them distinct", (long long)f->distinct);
	say_addr(w, ", source ", &f->source);
	say_text(w, " at ", f->lladdr);
	say_range(w, ", TTL ", f->ttl_min, f->ttl_max);
	say_range(w, ", bytes ", f->length_min, f->length_max);
	say_number(w, ", MSS ", f->mss, "");
	say_if(w, f->bad_ip_checksum, ", bad IP checksum");
	say_if(w, f->bad_l4_checksum, ", bad transport checksum");
}

static const char *icmp_words(bool six, int64_t type, int64_t code)
{
	static const struct {
		bool six;
		int64_t type, code; /* code -1 = any */
		const char *words;
	} known[] = {
		{false, 3, 0, "network unreachable"},
		{false, 3, 1, "host unreachable"},
		{false, 3, 2, "protocol unreachable"},
		{false, 3, 3, "port unreachable"},
		{false, 3, 4, "fragmentation needed"},
		{false, 3, 9, "network prohibited"},
		{false, 3, 10, "host prohibited"},
		{false, 3, 13, "administratively prohibited"},
		{false, 3, -1, "unreachable"},
		{false, 5, -1, "redirect"},
		{false, 11, 0, "TTL expired"},
		{false, 11, 1, "fragments lost"},
		{true, 1, 0, "no route"},
		{true, 1, 1, "administratively prohibited"},
		{true, 1, 3, "address unreachable"},
		{true, 1, 4, "port unreachable"},
		{true, 1, 5, "source address prohibited"},
		{true, 1, 6, "route rejected"},
		{true, 1, -1, "unreachable"},
		{true, 2, -1, "packet too big"},
		{true, 3, 0, "hop limit expired"},
		{true, 3, 1, "fragments lost"},
		{true, 137, -1, "redirect"},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].six == six && known[i].type == type &&
			(known[i].code == code || known[i].code == -1))
			return known[i].words;
	return "other";
}

static void says_icmp(const struct fact *fact, struct words *w)
{
	const struct fact_icmp *f = &fact->icmp;

	say(w, "ICMP error %lld/%lld, %s,", (long long)f->type, (long long)f->code,
		icmp_words(f->sender.family == AF_INET6, f->type, f->code));
	say_addr(w, " from ", &f->sender);
	say_if(w, f->own, " (this gateway)");
	say(w, " about a packet %s %s", direction_words(f->about_target_direction),
		origin_words(f->origin));
	say_number(w, ", MTU ", f->mtu, "");
	if (f->count > 1)
		say(w, ", %lld times", (long long)f->count);
}

static void says_drop(const struct fact *fact, struct words *w)
{
	const struct fact_drop *f = &fact->drop;

	say(w, "the kernel dropped %lld packet%s %s %s: %s", (long long)f->count,
		f->count == 1 ? "" : "s", direction_words(f->to_target), origin_words(f->origin),
		f->reason);
	say_text(w, " in ", f->function);
	say_text(w, ", device ", f->interface);
	say_number(w, ", ", f->length, " bytes");
}

static void says_trace(const struct fact *fact, struct words *w)
{
	const struct fact_trace *f = &fact->trace;

	say(w, "a packet %s %s met \"%s\" in table %s %s, chain %s", direction_words(f->to_target),
		origin_words(f->origin), f->verdict, f->family, f->table, f->chain);
	say_text(w, " at hook ", f->hook);
	say_number(w, ", rule ", f->handle, "");
	say_text(w, ": ", f->rule);
	say_by(w, f->by);
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

	if (f->delta)
		say(w, "%s grew by %lld", f->name, (long long)f->delta);
	else
		say(w, "%s did not grow", f->name);
	say_number(w, ", and is ", f->value, "");
}

static void says_conntrack(const struct fact *fact, struct words *w)
{
	const struct fact_conntrack *f = &fact->conntrack;

	say(w, "conntrack has the connection %s", origin_words(f->origin));
	say_text(w, ", state ", f->state);
	say(w, ", %s", f->seen_reply ? "an answer was seen" : "no answer was seen");
	say_if(w, f->source_nat, ", its source is translated");
	say_if(w, f->destination_nat, ", its target is translated");
	say_addr(w, ", answers are expected at ", &f->reply_to);
	say_addr(w, " from ", &f->reply_from);
	say_number(w, ", ", f->age_s, " s old");
}

static const char *probe_words(enum fact_probe_name probe)
{
	static const char *const words[PROBE_NAMES] = {
		[PROBE_OWN] = "a connection from this gateway's own address",
		[PROBE_RANGE] = "a connection from an address of the mesh range",
		[PROBE_INJECTED] = "a packet of the mesh, injected at the mesh interface,",
		[PROBE_OWN_OTHER] = "a connection from this gateway's own address",
		[PROBE_INJECTED_OTHER] = "a packet of the mesh, injected at the mesh interface,",
		[PROBE_OWN_ECHO] = "an echo request from this gateway's own address",
		[PROBE_INJECTED_ECHO] = "an injected echo request of the mesh",
		[PROBE_HOP] = "an injected packet of few hops",
		[PROBE_OWN_HOP] = "a packet of few hops from this gateway's own address",
		[PROBE_LARGE] = "a large echo request",
		[PROBE_LINK] = "a question for the link-layer address",
	};
	return words[probe];
}

static void say_outcome(struct words *w, const struct fact_probe *f)
{
	static const char *const words[OUTCOMES] = {
		[OUTCOME_ANSWERED] = "was answered",
		[OUTCOME_REFUSED] = "was refused",
		[OUTCOME_ERROR] = "met an ICMP error",
		[OUTCOME_SILENT] = "was not answered",
		[OUTCOME_LOCAL] = "did not leave this host: ",
		[OUTCOME_ASTRAY] = "was answered, and the answer went astray",
	};

	say(w, " %s", words[f->outcome]);
	if (f->outcome == OUTCOME_LOCAL)
		say_errno(w, f->error);
	if (f->outcome == OUTCOME_ERROR && f->icmp_type >= 0)
		say(w, ", %s",
			icmp_words(f->sender.family == AF_INET6, f->icmp_type, f->icmp_code));
	say_addr(w, ", by ", &f->sender);
}

static void says_probe(const struct fact *fact, struct words *w)
{
	const struct fact_probe *f = &fact->probe;

	say(w, "%s", probe_words(f->probe));
	if (f->port > 0)
		say(w, " to port %lld", (long long)f->port);
	say_addr(w, " from ", &f->source);
	say_number(w, ", TTL ", f->ttl, ",");
	say_number(w, " of ", f->size, " bytes");
	say_outcome(w, f);
	if (f->rtt_us >= 0)
		say(w, " after %lld.%03lld ms", (long long)f->rtt_us / 1000,
			(long long)f->rtt_us % 1000);
	if (f->sent > 1)
		say(w, " (%lld of %lld)", (long long)f->answered, (long long)f->sent);
}

static void says_l7(const struct fact *fact, struct words *w)
{
	static const char *const asked[L7_ASKS] = {
		[L7_HTTP] = "an HTTP request",
		[L7_TLS] = "a TLS handshake",
		[L7_DNS] = "the question for the name",
	};
	static const char *const words[L7_OUTCOMES] = {
		[L7_OK] = "got its answer",
		[L7_TLS_SPOKEN] = "got a TLS record for an answer",
		[L7_PLAIN_SPOKEN] = "got clear text for an answer",
		[L7_HTTPS_WANTED] = "was told to use HTTPS",
		[L7_SILENT] = "was taken, and nothing came back",
		[L7_CLOSED] = "saw the connection closed before any byte",
		[L7_GARBAGE] = "got an answer of no protocol that is known",
		[L7_CERTIFICATE] = "got a certificate that is not valid",
		[L7_ALERT] = "got a TLS alert",
		[L7_NAME] = "got no address",
		[L7_NOT_CONNECTED] = "found no connection",
	};
	const struct fact_l7 *f = &fact->l7;

	say(w, "%s %s", asked[f->ask], words[f->outcome]);
	say_number(w, ", status ", f->status, "");
	say_number(w, ", alert ", f->alert, "");
	say_number(w, ", first byte after ", f->first_byte_us < 0 ? -1 : f->first_byte_us / 1000,
		" ms");
	say_text(w, ": ", f->text);
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
