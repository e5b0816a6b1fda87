/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * ip: addresses and prefixes of both families as plain values.
 *
 * Bytes are in network order; IPv4 uses the first four and the rest are zero, so two values are
 * equal when their bytes are. The text forms are strict: dotted quad without leading zeros
 * (inet_pton(3)), RFC 4291 text for IPv6, no zone, no IPv4-mapped spelling.
 */
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>

struct addr {
	uint8_t family; /* AF_INET, AF_INET6, or AF_UNSPEC for "none" */
	uint8_t b[16];
};

struct prefix {
	struct addr addr; /* host bits are zero unless a caller says otherwise */
	uint8_t len;      /* 0..32 or 0..128 */
};

constexpr size_t ADDR_STRLEN = INET6_ADDRSTRLEN;
constexpr size_t PREFIX_STRLEN = INET6_ADDRSTRLEN + 4;

/* Number of bits (32, 128) and bytes (4, 16) of an address of the family. */
unsigned addr_bits(uint8_t family);
size_t addr_bytes(uint8_t family);

/* 0, or -EINVAL when the text is no address. */
[[nodiscard]] int addr_parse(const char *text, struct addr *out);
/* "ADDR/LEN", or "ADDR" as a host prefix. 0; -EINVAL when it is no prefix; -EDOM when bits are
 * set behind the length (*out is then written with those bits cleared, to show what was meant). */
[[nodiscard]] int prefix_parse(const char *text, struct prefix *out);

/* Format into buf (at least ADDR_STRLEN, PREFIX_STRLEN) and return it. */
const char *addr_str(const struct addr *a, char *buf);
const char *prefix_str(const struct prefix *p, char *buf);

/* Total orders: family first, then bytes, then (prefix) the shorter length first. */
int addr_cmp(const struct addr *a, const struct addr *b);
int prefix_cmp(const struct prefix *a, const struct prefix *b);

bool prefix_contains_addr(const struct prefix *p, const struct addr *a);
/* Is inner equal to or inside outer? */
bool prefix_contains(const struct prefix *outer, const struct prefix *inner);
bool prefix_overlaps(const struct prefix *a, const struct prefix *b);
/* The last address of the prefix (IPv4: its broadcast address). */
struct addr prefix_last(const struct prefix *p);
/* The one before it, where there are as many: no broadcast address, and hardly ever anybody's. */
struct addr prefix_last_host(const struct prefix *p);
/* The host prefix of an address. */
struct prefix prefix_of(const struct addr *a);

/* Does it touch loopback, multicast, link-local, unspecified, or IPv4 reserved (0/8, 240/4) space?
 * Then it can be neither a mesh range nor a LAN network. The text names the first such block,
 * nullptr when there is none; a default route touches them all. */
const char *prefix_special_str(const struct prefix *p);
bool prefix_is_special(const struct prefix *p);
