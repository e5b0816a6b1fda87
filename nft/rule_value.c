/* SPDX-License-Identifier: Apache-2.0 */
#include "nft/rule_int.h"
#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/rtnetlink.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>

/* A number and its name; of bits, each of its names. */
struct word {
	uint32_t number;
	const char *name;
};

static const struct word protos[] = {
	{IPPROTO_ICMP, "icmp"},
	{IPPROTO_TCP, "tcp"},
	{IPPROTO_UDP, "udp"},
	{IPPROTO_ICMPV6, "ipv6-icmp"},
	{IPPROTO_SCTP, "sctp"},
	{IPPROTO_ESP, "esp"},
	{IPPROTO_GRE, "gre"},
	{},
};
static const struct word nfprotos[] = {{NFPROTO_IPV4, "ipv4"}, {NFPROTO_IPV6, "ipv6"}, {}};
static const struct word fib_types[] = {
	{RTN_UNSPEC, "unspec"},
	{RTN_UNICAST, "unicast"},
	{RTN_LOCAL, "local"},
	{RTN_BROADCAST, "broadcast"},
	{RTN_ANYCAST, "anycast"},
	{RTN_MULTICAST, "multicast"},
	{RTN_BLACKHOLE, "blackhole"},
	{RTN_UNREACHABLE, "unreachable"},
	{RTN_PROHIBIT, "prohibit"},
	{},
};
static const struct word fib_exists[] = {{0, "missing"}, {1, "exists"}, {}};
static const struct word ct_dirs[] = {{0, "original"}, {1, "reply"}, {}};
static const struct word ct_states[] = {
	{NF_CT_STATE_INVALID_BIT, "invalid"},
	{NF_CT_STATE_BIT(IP_CT_ESTABLISHED), "established"},
	{NF_CT_STATE_BIT(IP_CT_RELATED), "related"},
	{NF_CT_STATE_BIT(IP_CT_NEW), "new"},
	{NF_CT_STATE_UNTRACKED_BIT, "untracked"},
	{},
};
static const struct word ct_statuses[] = {
	{IPS_EXPECTED, "expected"},
	{IPS_SEEN_REPLY, "seen-reply"},
	{IPS_ASSURED, "assured"},
	{IPS_CONFIRMED, "confirmed"},
	{IPS_SRC_NAT, "snat"},
	{IPS_DST_NAT, "dnat"},
	{IPS_DYING, "dying"},
	{},
};
static const struct word tcp_flags[] = {
	{TH_FIN, "fin"},
	{TH_SYN, "syn"},
	{TH_RST, "rst"},
	{TH_PUSH, "psh"},
	{TH_ACK, "ack"},
	{TH_URG, "urg"},
	{},
};

static uint32_t host_number(const uint8_t *data, size_t len)
{
	uint16_t two;
	uint32_t four = 0;

	if (len == 1)
		return data[0];
	if (len == sizeof(two)) {
		memcpy(&two, data, sizeof(two));
		return two;
	}
	memcpy(&four, data, len < sizeof(four) ? len : sizeof(four));
	return four;
}

static void hex(const uint8_t *data, size_t len, char buf[static NFT_VALUE_LEN])
{
	size_t at = (size_t)snprintf(buf, NFT_VALUE_LEN, "0x");

	for (size_t i = 0; i < len && at + 2 < NFT_VALUE_LEN; i++, at += 2)
		snprintf(buf + at, NFT_VALUE_LEN - at, "%02x", data[i]);
}

/* An interface's name; without its end it stands for all that begin so. */
static void name(const uint8_t *data, size_t len, char buf[static NFT_VALUE_LEN])
{
	size_t n = strnlen((const char *)data, len);

	snprintf(buf, NFT_VALUE_LEN, "\"%.*s%s\"", (int)n, (const char *)data, n == len ? "*" : "");
}

static void some_address(
	uint8_t family, const uint8_t *data, size_t len, char buf[static NFT_VALUE_LEN])
{
	struct prefix p = {.addr.family = family, .len = (uint8_t)(len * 8)};

	if (len > addr_bytes(family)) {
		hex(data, len, buf);
		return;
	}
	memcpy(p.addr.b, data, len);
	if (len == addr_bytes(family))
		addr_str(&p.addr, buf);
	else
		prefix_str(&p, buf);
}

static void address(const uint8_t *data, size_t len, char buf[static NFT_VALUE_LEN])
{
	some_address(len > 4 ? AF_INET6 : AF_INET, data, len, buf);
}

static void address6(const uint8_t *data, size_t len, char buf[static NFT_VALUE_LEN])
{
	some_address(AF_INET6, data, len, buf);
}

static void number(const uint8_t *data, size_t len, char buf[static NFT_VALUE_LEN])
{
	uint64_t n = 0;

	if (len > sizeof(n)) {
		hex(data, len, buf);
		return;
	}
	for (size_t i = 0; i < len; i++)
		n = n << 8 | data[i];
	snprintf(buf, NFT_VALUE_LEN, "%llu", (unsigned long long)n);
}

static void host(const uint8_t *data, size_t len, char buf[static NFT_VALUE_LEN])
{
	snprintf(buf, NFT_VALUE_LEN, "%u", host_number(data, len));
}

static void mark(const uint8_t *data, size_t len, char buf[static NFT_VALUE_LEN])
{
	snprintf(buf, NFT_VALUE_LEN, "0x%x", host_number(data, len));
}

static void one_of(const struct word *words, uint32_t n, char buf[static NFT_VALUE_LEN])
{
	for (; words->name; words++) {
		if (words->number != n)
			continue;
		snprintf(buf, NFT_VALUE_LEN, "%s", words->name);
		return;
	}
	snprintf(buf, NFT_VALUE_LEN, "%u", n);
}

static void some_of(const struct word *words, uint32_t bits, char buf[static NFT_VALUE_LEN])
{
	size_t at = 0;

	for (; words->name; words++) {
		if (!(bits & words->number))
			continue;
		bits &= ~words->number;
		at += (size_t)snprintf(
			buf + at, NFT_VALUE_LEN - at, "%s%s", at ? "," : "", words->name);
	}
	if (bits || !at)
		snprintf(buf + at, NFT_VALUE_LEN - at, "%s0x%x", at ? "," : "", bits);
}

static const struct kind {
	void (*str)(const uint8_t *data, size_t len, char buf[static NFT_VALUE_LEN]);
	const struct word *words;
	bool bits;
} kinds[VALUES] = {
	[VALUE_HEX] = {.str = hex},
	[VALUE_NAME] = {.str = name},
	[VALUE_ADDRESS] = {.str = address},
	[VALUE_ADDRESS6] = {.str = address6},
	[VALUE_NUMBER] = {.str = number},
	[VALUE_HOST] = {.str = host},
	[VALUE_MARK] = {.str = mark},
	[VALUE_PROTO] = {.words = protos},
	[VALUE_NFPROTO] = {.words = nfprotos},
	[VALUE_FIB_TYPE] = {.words = fib_types},
	[VALUE_FIB_EXISTS] = {.words = fib_exists},
	[VALUE_CT_STATE] = {.words = ct_states, .bits = true},
	[VALUE_CT_STATUS] = {.words = ct_statuses, .bits = true},
	[VALUE_TCP_FLAGS] = {.words = tcp_flags, .bits = true},
	[VALUE_CT_DIR] = {.words = ct_dirs},
};

const char *nft_value_str(
	enum nft_value value, const uint8_t *data, size_t len, char buf[static NFT_VALUE_LEN])
{
	const struct kind *k = &kinds[value];

	if (k->str)
		k->str(data, len, buf);
	else if (k->bits)
		some_of(k->words, host_number(data, len), buf);
	else
		one_of(k->words, host_number(data, len), buf);
	return buf;
}
