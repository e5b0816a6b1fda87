/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * address: one entry of ADDRESS_ASSIGN and ADDRESS_REQUEST (RFC 9484 4.7.1, 4.7.2).
 *
 * Both have the same form: Request ID, IP Version, IP Address, IP Prefix Length. What is wrong in
 * an entry itself is found here: a version other than 4 and 6, a length beyond the address, bits
 * behind the length. What the entries mean to each other is the session's.
 */
#include "connip/varint.h"
#include "lib/ip.h"

struct connip_address {
	uint64_t request; /* 0 = unasked */
	struct prefix prefix;
};

constexpr size_t ADDRESS_WIRE_MAX = VARINT_SIZE_MAX + 1 + 16 + 1;

/* How many bytes the entry has that begins at p, as far as the n at hand tell: a number above n
 * asks for so many. 0 = no such entry exists. */
size_t address_wire_size(const uint8_t *p, size_t n);
/* Reads an entry that is all there. -EBADMSG: its fields are wrong. */
[[nodiscard]] int address_read(const uint8_t *p, struct connip_address *out);
/* Writes to out (ADDRESS_WIRE_MAX) and returns the size. */
size_t address_write(uint8_t *out, const struct connip_address *a);

/* No bit is set behind the length (4.6, 4.7.1). */
bool address_is_canonical(const struct prefix *p);
/* All bits of the address zero: of a request, no preference (4.7.2). */
bool address_is_any(const struct connip_address *a);
/* 0.0.0.0/32 or ::/128: of an assignment, a refusal (4.7.2). */
bool address_is_refusal(const struct connip_address *a);
/* The refusal of a request of this family. */
struct connip_address address_refusal(uint64_t request, uint8_t family);
