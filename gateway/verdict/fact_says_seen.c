/* SPDX-License-Identifier: Apache-2.0 */
#include "verdict/fact_says.h"

static const char *origin_words(enum fact_origin origin)
{
	static const char *const words[ORIGINS] = {
		[ORIGIN_REAL] = "of the mesh",
		[ORIGIN_INJECTED] = "of the injected flow",
		[ORIGIN_OWN] = "of this gateway's own probe",
		[ORIGIN_ASIDE] = "of a probe beside the flow",
		[ORIGIN_FOREIGN] = "from an address of no range",
	};
	return words[origin];
}

static const char *direction_words(bool to_target)
{
	return to_target ? "to the target" : "from the target";
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

void says_packet(const struct fact *fact, struct words *w)
{
	const struct fact_packet *f = &fact->packet;

	say(w, "%lld %s packet%s %s ", (long long)f->count, packet_words(f->packet),
		f->count == 1 ? "" : "s", origin_words(f->origin));
	say(w, "%s %s", direction_words(f->to_target),
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

void says_icmp(const struct fact *fact, struct words *w)
{
	const struct fact_icmp *f = &fact->icmp;

	say(w, "ICMP error %lld/%lld, %s,", (long long)f->type, (long long)f->code,
		icmp_words(f->sender.family == AF_INET6, f->type, f->code));
	say_addr(w, " from ", &f->sender);
	say_if(w, f->own, " (this gateway)");
	say(w, " about a packet %s %s", origin_words(f->origin),
		direction_words(f->about_target_direction));
	say_number(w, ", MTU ", f->mtu, "");
	if (f->count > 1)
		say(w, ", %lld times", (long long)f->count);
}

void says_drop(const struct fact *fact, struct words *w)
{
	const struct fact_drop *f = &fact->drop;

	say(w, "the kernel dropped %lld packet%s %s %s: %s", (long long)f->count,
		f->count == 1 ? "" : "s", origin_words(f->origin), direction_words(f->to_target),
		f->reason);
	say_text(w, " in ", f->function);
	say_text(w, ", device ", f->interface);
	say_number(w, ", ", f->length, " bytes");
}

void says_call(const struct fact *fact, struct words *w)
{
	const struct fact_call *f = &fact->call;

	say(w, "a flow of the mesh");
	say_addr(w, " from ", &f->source);
	say_number(w, " port ", f->port, "");
	say(w, "%s", f->begun ? " began" : ", begun earlier");
	say(w, ", %s", f->refused ? "was refused" : f->answered ? "was answered" : "not answered");
	say_if(w, f->acknowledged, ", went on");
	say(w, ", %lld bytes there and %lld back", (long long)f->asked, (long long)f->replied);
	if (f->open > 0)
		say(w, ", %lld of them not acknowledged", (long long)f->open);
	if (f->asked_again > 0)
		say(w, ", asked %lld times again", (long long)f->asked_again);
	if (f->told_again > 0)
		say(w, ", told %lld times again", (long long)f->told_again);
	say_if(w, f->ended, ", ended");
}

void says_trace(const struct fact *fact, struct words *w)
{
	const struct fact_trace *f = &fact->trace;

	say(w, "a packet %s %s met \"%s\" in table %s %s, chain %s", origin_words(f->origin),
		direction_words(f->to_target), f->verdict, f->family, f->table, f->chain);
	say_text(w, " at hook ", f->hook);
	say_number(w, ", rule ", f->handle, "");
	say_text(w, ": ", f->rule);
	say_by(w, f->by);
}

void says_conntrack(const struct fact *fact, struct words *w)
{
	const struct fact_conntrack *f = &fact->conntrack;

	say(w, "conntrack has the connection %s", origin_words(f->origin));
	say_text(w, ", state ", f->state);
	say(w, ", %s", f->seen_reply ? "an answer was seen" : "no answer was seen");
	say_if(w, f->source_nat, ", its source is translated");
	if (f->destination_nat)
		say_addr(w, ", it is sent elsewhere than to its target: to ", &f->reply_from);
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
		[OUTCOME_LOCAL] = "did not leave this host",
		[OUTCOME_ASTRAY] = "was answered, and the answer went astray",
	};

	say(w, " %s", words[f->outcome]);
	if (f->outcome == OUTCOME_LOCAL && f->error > 0) {
		say(w, ": ");
		say_errno(w, f->error);
	}
	if (f->outcome == OUTCOME_ERROR && f->icmp_type >= 0)
		say(w, ", %s",
			icmp_words(f->sender.family == AF_INET6, f->icmp_type, f->icmp_code));
	say_addr(w, ", by ", &f->sender);
}

void says_probe(const struct fact *fact, struct words *w)
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

void says_l7(const struct fact *fact, struct words *w)
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
		[L7_RESOLVER] = "was not answered by this gateway's resolver",
	};
	const struct fact_l7 *f = &fact->l7;

	say(w, "%s %s", asked[f->ask], words[f->outcome]);
	say_number(w, ", status ", f->status, "");
	say_number(w, ", alert ", f->alert, "");
	say_number(w, ", first byte after ", f->first_byte_us < 0 ? -1 : f->first_byte_us / 1000,
		" ms");
	say_text(w, ": ", f->text);
}
