/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * attr: netlink attributes as a table, checked once.
 *
 * Every x_read() of this folder works alike: attr_parse() checks the fixed header and every
 * attribute against a policy and fills tb, which is indexed by attribute type; the attr_… getters
 * then read from tb. Nothing is read outside the message, whatever its bytes are; what a message
 * may lie about beyond that (families, prefix lengths) each x_read() checks itself.
 *
 * A policy is an array indexed by attribute type. MNL_TYPE_UNSPEC, its zero, means that nobody
 * here reads the attribute: it is left out, as are types behind the array's end. Fixed-size types
 * may be longer than expected, as the kernel's own parser allows (lib/nlattr.c).
 *
 * Private to this folder.
 */
#include "lib/ip.h"
#include <libmnl/libmnl.h>
#include <net/if.h>
#include <stddef.h>
#include <stdint.h>

/* Fills tb[0..n) from a message whose fixed header has `header` bytes; policy has n entries too.
 * Of a repeated type the last one counts. 0, or -EBADMSG. */
[[nodiscard]] int attr_parse(const struct nlmsghdr *nlh, size_t header,
	const enum mnl_attr_data_type *policy, const struct nlattr **tb, size_t n);
/* The same for the inside of an attribute of type MNL_TYPE_NESTED. */
[[nodiscard]] int attr_parse_nested(const struct nlattr *nest,
	const enum mnl_attr_data_type *policy, const struct nlattr **tb, size_t n);

/* The family that every rtnetlink message begins with, AF_UNSPEC in a message too short for one.
 * The kernel answers a dump of a family that it does not have with those of every family
 * (net/core/rtnetlink.c, rtnl_dump_all), so a dump has to look before it reads. */
uint8_t attr_family(const struct nlmsghdr *nlh);

/* Getters: a is an entry of tb of the matching policy type, or nullptr for `absent`. */
uint8_t attr_u8(const struct nlattr *a, uint8_t absent);
uint16_t attr_u16(const struct nlattr *a, uint16_t absent);
uint32_t attr_u32(const struct nlattr *a, uint32_t absent);
uint32_t attr_be32(const struct nlattr *a, uint32_t absent); /* from network order */
int attr_int(const struct nlattr *a, int absent);

/* 0 and *out, AF_UNSPEC when absent; -EBADMSG when it has not the family's size. */
[[nodiscard]] int attr_addr(const struct nlattr *a, uint8_t family, struct addr *out);
/* An interface name, "" when absent; -EBADMSG when it does not fit or is not terminated. */
[[nodiscard]] int attr_ifname(const struct nlattr *a, char out[IFNAMSIZ]);

/* Appends an address (family not AF_UNSPEC). */
void attr_put_addr(struct nlmsghdr *nlh, uint16_t type, const struct addr *a);
