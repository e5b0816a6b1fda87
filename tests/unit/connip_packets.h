/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * connip_packets: IP packets made by hand, right or wrong, and checksums summed a second time.
 */
#include "connip_peer.h"

/* An extension header of IPv6: its type, its size (0 = 8) and, raw, its third and fourth byte. */
struct made_ext {
	uint8_t type;
	size_t size;
	uint8_t b2, b3;
};

struct made {
	const char *from, *to;
	int proto;
	int ttl;        /* 0 = 64, -1 = 0 */
	size_t payload; /* bytes behind the upper-layer header, which has 8 */
	uint16_t frag;  /* IPv4: flags and offset as they stand */
	struct made_ext ext[20];
	uint8_t type, code;       /* ICMP */
	uint16_t id, sequence;    /* ICMP echo */
	const struct made *quote; /* ICMP errors */
};

void made_build(const struct made *m, struct wire *out);
/* In one piece. */
struct packet_bytes made_bytes(const struct wire *w);
/* What an ICMP message says: "TYPE/CODE FROM > TO, N bytes, MTU M"; fails the test unless all its
 * lengths and checksums are right. "" = nothing. */
const char *icmp_said(const uint8_t *p, size_t n, char buf[static 256]);
