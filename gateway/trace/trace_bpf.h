/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * trace_bpf: what the kernel's part of the observer (trace.bpf.c) and the program's (observer.c)
 * say to each other.
 */
#include <linux/types.h>

#define TRACE_DATA 160 /* of a packet: the headers of an ICMP error, and what it quotes */
#define TRACE_PORTS 8
#define TRACE_INTERFACES 17
#define TRACE_NAME 16
#define TRACE_FUNCTION 64

/* Ports are in host order. */
struct trace_flow {
	__u32 armed;
	__u32 netns;                        /* inode number of the network namespace */
	__u32 interfaces[TRACE_INTERFACES]; /* ifindex; the first one is the mesh's, 0 = none */
	__u8 ipv6;
	__u8 proto;
	__u16 ports[TRACE_PORTS]; /* of the target, some of them twice */
	__u8 target[16];
	__u8 client[16];
};

struct trace_drop {
	__u32 reason; /* of enum skb_drop_reason of this kernel */
	__u32 len;    /* bytes of data */
	char interface[TRACE_NAME];
	char function[TRACE_FUNCTION];
	__u8 data[TRACE_DATA]; /* begins with the IP header */
};
