/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * packet: IP packets for tests that write them into one TUN device and look for them at another.
 * Checksums are right, so that conntrack takes the packets seriously.
 */
#include "lib/ip.h"
#include <stddef.h>
#include <stdint.h>

struct packet {
	struct addr from, to;
	uint8_t proto;              /* IPPROTO_TCP, _UDP, _ICMP, _ICMPV6 */
	uint16_t sport, dport;      /* ICMP: type and code are the bytes of dport */
	uint8_t tcp_flags;          /* TH_SYN … */
	uint16_t mss;               /* TCP, 0 = no such option */
	uint32_t seq, ack;          /* TCP; a seq of 0 stands for 1 */
	const struct packet *about; /* an ICMP error quotes this packet */
};

/* Addresses as text, TCP SYN and an MSS of 1460 if it is TCP. Fails the test on a bad address. */
struct packet packet_new(
	const char *from, const char *to, uint8_t proto, uint16_t sport, uint16_t dport);
/* The answer to p: addresses and ports swapped; TCP SYN+ACK. */
struct packet packet_reply(const struct packet *p);

void packet_send(int tun, const struct packet *p);

/* Reads packets until one is to p->to with p's protocol and destination port (0 = any), and
 * stores it. Fails the test when none comes within two seconds. */
void packet_expect(int tun, const struct packet *p, struct packet *got);
/* The next packet that has come already. */
bool packet_come(int tun, struct packet *got);
/* Nothing like p has come, and will not: `marker`, sent behind it by the same way, is what came
 * first. */
void packet_expect_only(int tun, const struct packet *p, const struct packet *marker);
/* The same for every packet to an address. */
void packet_expect_none_to(int tun, const struct addr *to, const struct packet *marker);
