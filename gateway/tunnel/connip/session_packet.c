/* SPDX-License-Identifier: Apache-2.0 */
#include "connip/session_int.h"

constexpr size_t IPV6_MIN_MTU = 1280;

/* One packet on its way from one side to the other. */
struct passage {
	struct connip_session *s;
	const struct packet_bytes *bytes;
	struct packet packet;
	const struct routes *from, *to;
	bool out; /* from the TUN */
};

/* An ICMP error is about a packet that went the other way (RFC 9484 7.2.1, 11): from the address
 * that is told now, to one of those on the other side, by a protocol that may be used. */
static bool quote_fits(const struct passage *w, const struct packet *quote)
{
	return quote->family == w->packet.family && quote->from == w->packet.to &&
	       routes_have(w->to, quote->family, quote->from) &&
	       routes_find(w->from, quote->family, quote->to, quote->proto) == ROUTES_MATCH;
}

static bool is_scoped(const struct connip_session *s)
{
	return s->policy.scoped || s->policy.ipproto;
}

/* The source is one of its side; or it is a router on the way, which only errors tell of. What
 * these quote is looked into whoever sends them: a host may speak of its own flows, and not end
 * those of others. Nothing to be read there is nothing to act upon, unless the scope asks for more.
 */
static enum connip_pass check_source(const struct passage *w)
{
	const struct packet *p = &w->packet;
	bool known = routes_have(w->from, p->family, p->from);
	struct packet quote;

	if (!packet_is_icmp_error(p))
		return known ? CONNIP_PASS : CONNIP_BAD_SOURCE;

	bool quotes = packet_read_quote(w->bytes, p, &quote) == 0;
	if (quotes ? quote_fits(w, &quote) : known && !is_scoped(w->s))
		return CONNIP_PASS;
	return known ? CONNIP_PROHIBITED : CONNIP_BAD_SOURCE;
}

static enum connip_pass check_destination(const struct passage *w)
{
	static const enum connip_pass passes[] = {
		[ROUTES_NONE] = CONNIP_NO_ROUTE,
		[ROUTES_OTHER_PROTOCOL] = CONNIP_PROHIBITED,
		[ROUTES_MATCH] = CONNIP_PASS,
	};
	const struct packet *p = &w->packet;

	return passes[routes_find(w->to, p->family, p->to, p->proto)];
}

static enum connip_pass check(const struct passage *w)
{
	const struct packet *p = &w->packet;
	unsigned bits = packet_addr_bits(p->family, p->from) | packet_addr_bits(p->family, p->to);

	if (bits & PACKET_ADDR_LINK_LOCAL)
		return CONNIP_LINK_LOCAL;

	enum connip_pass pass = check_source(w);
	return pass == CONNIP_PASS ? check_destination(w) : pass;
}

/* What a packet's sender is told; the others are not for it to know, or not by us. */
static const struct {
	bool told;
	enum icmp_why why;
} answers[CONNIP_PASS_MAX] = {
	[CONNIP_BAD_SOURCE] = {true, ICMP_WHY_SOURCE},
	[CONNIP_NO_ROUTE] = {true, ICMP_WHY_NO_ROUTE},
	[CONNIP_PROHIBITED] = {true, ICMP_WHY_PROHIBITED},
	[CONNIP_TOO_BIG] = {true, ICMP_WHY_TOO_BIG},
};

static uint32_t told_mtu(const struct passage *w)
{
	size_t mtu = w->s->mtu;
	bool low = w->packet.family == AF_INET6 || !w->s->settled;

	return (uint32_t)(low && mtu < IPV6_MIN_MTU ? IPV6_MIN_MTU : mtu);
}

static bool is_unicast(uint8_t family, number addr)
{
	return !(packet_addr_bits(family, addr) & (PACKET_ADDR_MULTICAST | PACKET_ADDR_NOBODY));
}

/*
 * Who says so. A kernel takes no packet from its TUN that comes from an address of its own, and may
 * look whether the way back is the same (rp_filter): it is told by the address that could not be
 * reached. The peer is told by an address of ours, if there is one.
 */
static number answer_from(const struct passage *w)
{
	const struct packet *p = &w->packet;
	number self;

	bool known = session_self(w->s, p->family, &self, w->out);
	return known || !is_unicast(p->family, p->to) ? self : p->to;
}

static void answer(
	const struct passage *w, enum connip_pass pass, uint64_t now_ns, struct connip_answer *out)
{
	struct connip_session *s = w->s;
	enum icmp_why why = answers[pass].why;

	if (!answers[pass].told || !icmp_may_answer(&w->packet, why))
		return;
	/* Until path MTU discovery is done, what has to fit may not fit yet. */
	if (pass == CONNIP_TOO_BIG && w->packet.length <= told_mtu(w))
		return;
	if (!bucket_take(&s->icmp, 1, now_ns)) {
		s->counters.answers_limited++;
		return;
	}
	out->n = icmp_write_error(
		out->bytes, w->bytes, &w->packet, why, answer_from(w), told_mtu(w));
	s->counters.answers++;
}

enum connip_pass connip_packet_out(struct connip_session *s, const struct packet_bytes *bytes,
	uint64_t now_ns, struct connip_answer *out)
{
	struct passage w = {
		.s = s, .bytes = bytes, .from = &s->mine, .to = &s->theirs, .out = true};
	enum connip_pass pass = CONNIP_MALFORMED;

	out->n = 0;
	if (packet_read(bytes, &w.packet) == 0) {
		pass = w.packet.ttl == 0 ? CONNIP_EXPIRED : check(&w);
		if (pass == CONNIP_PASS && w.packet.length > s->mtu)
			pass = CONNIP_TOO_BIG;
		answer(&w, pass, now_ns, out);
	}
	s->counters.out[pass]++;
	return pass;
}

void connip_packet_out_again(struct connip_session *s)
{
	s->counters.out[CONNIP_PASS]++;
}

/* All nodes and all routers (RFC 4291 2.7.1): this end is both. */
static bool is_well_known(number to)
{
	constexpr number link_scope = (number)0xff02 << 112;

	return to == (link_scope | 1) || to == (link_scope | 2);
}

/* RFC 9484 7.2: packets to link-local multicast are properly replied to. That is an echo to such a
 * group (RFC 4443 4.2), or to the address by which this end calls itself. */
static bool take_echo(const struct passage *w, uint64_t now_ns, struct connip_answer *out)
{
	const struct packet *p = &w->packet;
	struct connip_session *s = w->s;
	number self;

	if (!icmp_is_echo_request(w->bytes, p) || !is_unicast(p->family, p->from))
		return false;
	if (!is_well_known(p->to) && p->to != session_link_local(s))
		return false;
	if (!bucket_take(&s->icmp, 1, now_ns)) {
		s->counters.answers_limited++;
		return true;
	}
	if (is_well_known(p->to))
		(void)session_self(s, AF_INET6, &self, false);
	else
		self = p->to;
	out->n = icmp_write_echo_reply(out->bytes, w->bytes, p, self);
	s->counters.answers++;
	return true;
}

enum connip_pass connip_packet_in(struct connip_session *s, const struct packet_bytes *bytes,
	uint64_t now_ns, struct connip_answer *out)
{
	struct passage w = {.s = s, .bytes = bytes, .from = &s->theirs, .to = &s->mine};
	enum connip_pass pass = CONNIP_MALFORMED;

	out->n = 0;
	if (packet_read(bytes, &w.packet) == 0) {
		if (session_probe_take(s, bytes, &w.packet) || take_echo(&w, now_ns, out))
			pass = CONNIP_TAKEN;
		else
			pass = check(&w);
		answer(&w, pass, now_ns, out);
	}
	s->counters.in[pass]++;
	return pass;
}
