/* SPDX-License-Identifier: Apache-2.0 */
#include "connip/session_int.h"
#include <errno.h>

constexpr size_t IPV6_MIN_MTU = 1280;
constexpr size_t IPV4_MIN_MTU = 68; /* RFC 791 3.2; a peer without datagrams has 0 */
constexpr unsigned PROBES = 5;      /* 31 s in all */
constexpr uint64_t SECOND_NS = 1'000'000'000;
constexpr number ALL_NODES = (number)0xff02 << 112 | 1;
constexpr uint16_t PROBE_ID = 0x4d47;

int session_consider_mtu(struct connip_session *s)
{
	struct session_probe *probe = &s->probe;

	bool ipv6 = session_uses_ipv6(s);

	if (!s->settled)
		return 0;
	if (s->mtu < (ipv6 ? IPV6_MIN_MTU : IPV4_MIN_MTU))
		return session_fail(s, CONNIP_FAULT_MTU);
	if (ipv6 && s->policy.probe != CONNIP_PROBE_OFF && probe->state == PROBE_IDLE) {
		probe->state = PROBE_WAITING;
		probe->due_ns = 0;
	}
	return 0;
}

int connip_session_set_mtu(struct connip_session *s, size_t mtu, bool settled)
{
	s->mtu = mtu;
	s->settled = settled;
	return session_consider_mtu(s);
}

uint64_t connip_session_expiry_ns(const struct connip_session *s)
{
	if (s->fault != CONNIP_FAULT_NONE)
		return UINT64_MAX;
	return s->expected_due_ns < s->probe.due_ns ? s->expected_due_ns : s->probe.due_ns;
}

static void end(struct connip_session *s, enum session_probe_state state)
{
	s->probe.state = state;
	s->probe.due_ns = UINT64_MAX;
	if (s->events->probed)
		s->events->probed(s->user, state == PROBE_ANSWERED);
}

/* An address of the peer's: what it was given; else whoever is at the other end. */
static number peer_addr(const struct connip_session *s)
{
	for (size_t i = 0; i < s->given.n; i++) {
		const struct prefix *p = &s->given.list[i].prefix;
		if (p->addr.family == AF_INET6 && p->len == 128)
			return number_of_addr(&p->addr);
	}
	return ALL_NODES;
}

static size_t send_probe(
	struct connip_session *s, uint64_t now_ns, uint8_t out[static ICMP_MESSAGE_MAX])
{
	struct session_probe *probe = &s->probe;

	probe->echo.id = PROBE_ID;
	probe->echo.sequence++;
	(void)session_self(s, AF_INET6, &probe->echo.from, false);
	probe->echo.to = peer_addr(s);
	probe->due_ns = now_ns + (SECOND_NS << probe->sent++);
	return icmp_write_probe(out, &probe->echo);
}

ssize_t connip_session_expire(
	struct connip_session *s, uint64_t now_ns, uint8_t out[static ICMP_MESSAGE_MAX])
{
	if (now_ns < connip_session_expiry_ns(s))
		return 0;
	if (now_ns >= s->expected_due_ns)
		session_ask(s);
	if (now_ns < s->probe.due_ns)
		return 0;
	if (s->probe.sent < PROBES)
		return (ssize_t)send_probe(s, now_ns, out);
	end(s, PROBE_FAILED);
	return s->policy.probe == CONNIP_PROBE_REQUIRE ? session_fail(s, CONNIP_FAULT_MTU) : 0;
}

bool session_probe_take(
	struct connip_session *s, const struct packet_bytes *bytes, const struct packet *p)
{
	if (s->probe.state != PROBE_WAITING || s->probe.sent == 0 ||
		!icmp_is_probe_reply(bytes, p, &s->probe.echo))
		return false;
	end(s, PROBE_ANSWERED);
	return true;
}
