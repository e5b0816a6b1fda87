/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * fact_seen: facts about packets of the flow, and what became of them on their way.
 */
#include "verdict/fact_node.h"

/* Packets of the flow at one observation point, all of one direction and kind together. */
enum fact_point {
	POINT_TUN_IN,  /* entered by the mesh interface */
	POINT_LAN_OUT, /* left by an interface of the LAN */
	POINT_LAN_IN,
	POINT_TUN_OUT, /* for an injected flow: was about to, and was kept out of the tunnel */
	POINT_HOST,    /* handed to this host itself, or sent by it */
	POINTS,
};
enum fact_packet_kind {
	PACKET_SYN,
	PACKET_SYN_ACK,
	PACKET_RST,
	PACKET_FIN,
	PACKET_ACK,
	PACKET_DATA,
	PACKET_UDP,
	PACKET_ECHO,
	PACKET_ECHO_REPLY,
	PACKET_FRAGMENT,
	PACKET_OTHER,
	PACKET_KINDS
};
/* Who sent it: a flow of the mesh's own, or this diagnosis. ASIDE: injected as well, but for
 * another port, as an echo beside a flow of TCP or UDP, or with a TTL that is meant to end; what
 * becomes of it says nothing about the flow's own packets. FOREIGN: entered by the mesh interface
 * for the target, from an address of no range. */
enum fact_origin {
	ORIGIN_REAL,
	ORIGIN_INJECTED,
	ORIGIN_OWN,
	ORIGIN_ASIDE,
	ORIGIN_FOREIGN,
	ORIGINS
};

struct fact_packet {
	enum fact_origin origin;
	enum fact_point point;
	enum fact_packet_kind packet;
	bool to_target; /* else the answer's direction */
	char interface[IFNAMSIZ];
	int64_t count, distinct; /* distinct: different sequence numbers or IP ids */
	int64_t ttl_min, ttl_max;
	int64_t length_min, length_max; /* of the IP packet, bytes */
	struct addr source;             /* as seen there: after translation */
	char lladdr[24];                /* of the sender, -in points only */
	bool bad_ip_checksum, bad_l4_checksum;
	int64_t mss;               /* of a SYN or SYN-ACK, -1 = none */
	int64_t first_us, last_us; /* since the diagnosis began */
};

/* ICMP errors about the flow. */
struct fact_icmp {
	enum fact_origin origin; /* of the packet that it is about */
	enum fact_point
		point; /* LAN_IN: somebody beyond; TUN_OUT, LAN_OUT with `own`: this gateway */
	bool own;      /* sent by this gateway */
	struct addr sender;
	int64_t type, code;          /* of ICMP, or of ICMPv6 for IPv6 */
	int64_t mtu;                 /* of "too big", else -1 */
	bool about_target_direction; /* quotes a packet to the target; else an answer */
	int64_t count;
};

/* The kernel let go of a packet of the flow: tracepoint skb:kfree_skb. */
struct fact_drop {
	enum fact_origin origin;
	char reason[40];   /* SKB_DROP_REASON_… without the prefix */
	char function[48]; /* where */
	bool to_target;
	char interface[IFNAMSIZ]; /* of the packet's device then */
	int64_t length;
	int64_t count;
};

/* One flow of the mesh's own to the target, as it passed the mesh interface; some of them, those
 * that wait for something before the others. Bytes are those of TCP's numbers. */
struct fact_call {
	struct addr source; /* the caller */
	int64_t port;       /* its port; of an echo the identifier */
	bool begun;         /* its beginning was seen */
	bool answered, refused, acknowledged;
	int64_t asked, replied;          /* bytes of payload, there and back */
	int64_t open;                    /* sent to the caller and not acknowledged by it */
	int64_t asked_again, told_again; /* packets that were repeated, there and back */
	bool ended;
	int64_t first_us, last_us; /* since the diagnosis began */
	int64_t progress_us;       /* when the caller acknowledged something, or what is open was
				      sent; -1 = never */
};

/* A rule or policy that decided about a packet of the flow: nft trace. */
struct fact_trace {
	enum fact_origin origin;
	bool to_target;
	char family[8]; /* "ip", "ip6", "inet", "netdev", "bridge" */
	char table[FACT_NAME_LEN], chain[FACT_NAME_LEN];
	char hook[16]; /* of the base chain: "prerouting", "forward" … */
	int64_t priority;
	int64_t handle;           /* of the rule, -1 = the chain's policy */
	char verdict[12];         /* "drop", "reject", "accept", "policy drop" */
	char rule[FACT_TEXT_LEN]; /* the rule's expressions, as far as they can be told */
	char by[24]; /* "docker", "ufw", "firewalld", "tailscale", "kube", "libvirt", "warp",
			"meshgw", "" = unknown */
	bool fib, ct_invalid; /* the rule asks for fib, for ct state invalid */
};

/* The flow's entry in conntrack. */
struct fact_conntrack {
	enum fact_origin origin;
	bool seen_reply, assured;
	char state[16]; /* of TCP: "SYN_SENT" …, else "" */
	bool source_nat, destination_nat;
	struct addr reply_to; /* where answers are expected: the translated source */
	struct addr reply_from;
	int64_t age_s; /* -1 = not told */
	int64_t mark;
};

/* Does a TCP connection in this state only wait to be forgotten? It says nothing of now. */
bool conntrack_is_over(const char *state);
