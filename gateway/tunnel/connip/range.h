/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * range: IP Address Ranges, the entries of ROUTE_ADVERTISEMENT (RFC 9484 4.7.3).
 *
 * A range is an interval of addresses of one family for one protocol; protocol 0 stands for all of
 * them. Lists are kept in the order in which the capsule has them: version, protocol, address. A
 * list is *normal* when it is so ordered and ranges of one protocol neither overlap nor touch; what
 * we build is normal, and what a peer sends must be ordered without overlap (range_may_follow(),
 * range_list_clashes()).
 */
#include "connip/number.h"

struct connip_range {
	uint8_t family;
	uint8_t proto; /* 0 = any */
	number first, last;
};

constexpr size_t RANGE_WIRE_MAX = 1 + 2 * 16 + 1;
/* A range of IPv6 addresses falls into at most so many prefixes. */
constexpr size_t RANGE_PREFIXES_MAX = 254;

/* As address_wire_size(): a number above n asks for so many bytes, 0 = no such entry exists. */
size_t range_wire_size(const uint8_t *p, size_t n);
/* Reads an entry that is all there. -EBADMSG: it ends before it starts. */
[[nodiscard]] int range_read(const uint8_t *p, struct connip_range *out);
size_t range_write(uint8_t *out, const struct connip_range *r);

struct connip_range range_of_prefix(const struct prefix *p, uint8_t proto);
/* The prefixes that cover the range exactly, in order; returns how many were written, at most
 * RANGE_PREFIXES_MAX. */
size_t range_to_prefixes(
	const struct connip_range *r, struct prefix out[static RANGE_PREFIXES_MAX]);

int range_cmp(const struct connip_range *a, const struct connip_range *b);
bool range_contains(const struct connip_range *r, uint8_t family, number addr);
/* May b stand right behind a in a capsule (RFC 9484 4.7.3, the three rules of order)? */
bool range_may_follow(const struct connip_range *a, const struct connip_range *b);
/* Does a range of all protocols overlap one of a single protocol, in an ordered list? */
bool range_list_clashes(const struct connip_range *list, size_t n);

/* Makes a list normal in place; returns its new length. */
size_t range_list_normalize(struct connip_range *list, size_t n);
/* The parts of list that lie inside one of within, whatever its protocol, into out; returns how
 * many there are, of which cap were written. */
size_t range_list_clip(const struct connip_range *list, size_t n, const struct connip_range *within,
	size_t m, struct connip_range *out, size_t cap);
