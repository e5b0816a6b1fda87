/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * build: the packets that a diagnosis injects, with right checksums.
 *
 * They begin with an Ethernet header, which the kernel asks for; an interface without link headers
 * strips it again.
 */
#include "lib/ip.h"
#include <stddef.h>
#include <stdint.h>

enum build_kind { BUILD_SYN, BUILD_UDP, BUILD_ECHO, BUILD_KINDS };

struct build {
	enum build_kind kind;
	struct addr from, to;
	uint16_t sport, dport; /* of an echo: identifier, sequence number */
	uint32_t seq;          /* of a SYN */
	uint8_t ttl;
	uint16_t size; /* of the IP packet; a smaller one than its headers counts for nothing, and
			  so does any for a SYN, which carries no data */
	bool dont_fragment;
	uint8_t lladdr[6]; /* of the interface that it enters by */
};

constexpr size_t BUILD_ETHERNET = 14;
constexpr size_t BUILD_IP_MAX = 1500;
constexpr size_t BUILD_MAX = BUILD_ETHERNET + BUILD_IP_MAX;

/* "syn", "udp", "echo"; -EINVAL. */
[[nodiscard]] int build_kind_parse(const char *text, enum build_kind *out);

/* Bytes written. from and to must be of one family, size at most BUILD_IP_MAX. */
size_t build_packet(const struct build *b, uint8_t out[static BUILD_MAX]);
