/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * checksum: the Internet checksum (RFC 1071), for who writes packets and who judges them.
 *
 * A sum is built up from parts of even length, but for the last, and folded at the end. Over bytes
 * that hold their right checksum it folds to 0.
 */
#include "lib/ip.h"
#include <stddef.h>
#include <stdint.h>

uint32_t checksum_add(uint32_t sum, const uint8_t *data, size_t len);
/* The pseudo header: RFC 9293 section 3.1, RFC 768, RFC 8200 section 8.1. */
uint32_t checksum_add_pseudo(
	uint32_t sum, const struct addr *from, const struct addr *to, uint8_t proto, size_t len);
uint16_t checksum_fold(uint32_t sum); /* in host order */
