/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * fact_node: facts about this machine as it stands; no packet was needed to know them.
 */
#include "lib/ip.h"
#include <net/if.h>

constexpr size_t FACT_NAME_LEN = 64;
constexpr size_t FACT_TEXT_LEN = 160;

/* Which end of the gateway something belongs to. */
enum fact_role { ROLE_MESH, ROLE_LAN, ROLE_EGRESS, ROLE_OTHER, ROLES };

/* RTM_GETLINK, RTM_GETADDR. LAN is the interface that the configuration names for the target;
 * EGRESS the one by which the kernel would send to it, where that is another. */
struct fact_link {
	enum fact_role role;
	char interface[IFNAMSIZ];
	bool exists, up, carrier;
	int64_t mtu;
	char kind[16];         /* "tun", "veth", "" */
	char master[IFNAMSIZ]; /* bridge or VRF that it belongs to */
	char master_kind[16];
	bool has_address; /* of the flow's family, global */
};

/* /proc/sys, as `sysctl` spells it: "net.ipv4.conf.eth0.forwarding". */
struct fact_sysctl {
	char key[FACT_NAME_LEN];
	int64_t value;
};

/* One question to the kernel's routing (RTM_GETROUTE), and what stands behind its answer.
 *   FORWARD        to the target, from the client, entering by the mesh interface
 *   FORWARD_BARE   to the target, as if sent locally
 *   REVERSE        to the client, from the target, entering by the LAN interface
 *   REVERSE_BARE   to the client, as if sent locally
 *   GATEWAY        to the next hop on the way to the target
 *   NEIGHBOUR      to a BGP neighbour
 *   ADDRESS        to an address of the LAN, entering by the mesh interface */
enum fact_question {
	ASK_FORWARD,
	ASK_FORWARD_BARE,
	ASK_REVERSE,
	ASK_REVERSE_BARE,
	ASK_GATEWAY,
	ASK_NEIGHBOUR,
	ASK_ADDRESS,
	ASKS
};

struct fact_lookup {
	enum fact_question question;
	struct addr from, to;
	char iif[IFNAMSIZ];
	int64_t mark;
	int64_t error; /* errno, 0 = a route */
	char oif[IFNAMSIZ];
	char type[16]; /* "unicast", "local", "blackhole" … */
	struct addr gateway;
	bool redirect; /* in and out by the same interface */
	/* The entry that answered: by RTM_F_FIB_MATCH, or found by walking rules and tables
	 * (net/fib.h) where the kernel does not tell, as for entries that refuse. */
	bool entry; /* it was found, the rest is worth something */
	struct prefix match;
	int64_t table;
	int64_t metric;
	int64_t protocol; /* rtm_protocol */
	char protocol_name[24];
	bool linkdown;
	int64_t rule_priority;    /* of the rule that led to the table; -1 = not known */
	char rule[FACT_TEXT_LEN]; /* as `ip rule` prints it */
	/* A less specific or worse entry of main leads into the tunnel: the one above hides it. */
	bool hides_mesh_route;
};

/* RTM_GETNEIGH of the next hop. */
struct fact_neighbour {
	struct addr address;
	char interface[IFNAMSIZ];
	char state[16]; /* "reachable", "stale", "delay", "probe", "failed", "incomplete", "none", …
			 */
	char lladdr[24];
	char lladdr_other[24]; /* seen for the same address within the diagnosis */
};

/* A base chain of others that can decide about the flow, as it stands (no packet was needed), or
 * the presence of iptables-legacy. */
struct fact_chain {
	char family[8];
	char table[FACT_NAME_LEN], chain[FACT_NAME_LEN];
	char hook[16], type[12];
	int64_t priority;
	char policy[8];
	int64_t rules;
	bool legacy;     /* iptables-legacy: from /proc/net/ip_tables_names, and that is all */
	bool nat_source; /* holds source NAT that could take the flow */
	char by[24];
};

/* What a counter grew by during the diagnosis. */
struct fact_counter {
	char name[FACT_NAME_LEN]; /* "IpInAddrErrors", "nf_conntrack.drop",
				     "CloudflareWARP.tx_dropped" */
	int64_t delta;
	int64_t value; /* at the end; gauges (nf_conntrack_count, nf_conntrack_max) have delta 0 */
};

/* What meshgw itself is told about the flow. One fact; always there. */
struct fact_config {
	bool up;            /* a configuration is in force */
	bool source_known;  /* the client is in a range */
	bool network_known; /* the target is in a network of lan */
	bool own_address;   /* the target is this gateway */
	bool allowed;
	char mode[12];       /* "route", "masquerade" as it is now; "none" */
	char configured[12]; /* "auto" … */
	bool excepted;       /* masqueraded alone */
	struct prefix range, network;
	char interface[IFNAMSIZ]; /* of the network */
	char tunnel[12];          /* meshgw's own: "connector", "edge"; "" = another program's */
	char proof[16];           /* of mode auto: "proven", "unproven", "lost", "adopted", "" */
};

/* A standing condition of the daemon (meshgw status) about the path. */
struct fact_condition {
	char code[FACT_NAME_LEN], subject[FACT_NAME_LEN];
	char message[FACT_TEXT_LEN], remedy[FACT_TEXT_LEN];
};

/* A listening socket on the target's port, when the target is the gateway itself. */
struct fact_socket {
	bool listening; /* on any address */
	bool reachable; /* on the target's address or the wildcard */
	bool loopback_only;
	int64_t backlog, queue; /* -1 */
};

/* Where this machine runs: DMI, as far as it tells a provider that checks sources. */
struct fact_platform {
	char vendor[FACT_NAME_LEN];
	char provider[16]; /* "aws", "gcp", "azure", "proxmox", "" */
};
