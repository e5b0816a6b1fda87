/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * config: /etc/meshgw/meshgw.yaml as one immutable value.
 *
 * config_parse() turns text into a struct config or into a list of every mistake found, each
 * with line, column and the path of the key. Semantic checks (host bits, overlaps, a range that
 * swallows a LAN network) run on the parsed struct and keep the marks. A config is read-only after
 * parsing, lives in one arena, and is freed as a whole. Its text form is printed by print.h and
 * parses back to an equal value.
 *
 * It opens no file but the one that config_read_file() is given, knows no kernel, and decides
 * nothing.
 */
#include "conf/config_bridge.h"
#include "conf/config_part.h"
#include "conf/config_tunnel.h"
#include "lib/err.h"
#include "lib/ip.h"
#include <net/if.h>
#include <stddef.h>
#include <stdint.h>

constexpr size_t CONFIG_MAX_BYTES = 1024 * 1024;

enum return_path { RETURN_PATH_AUTO, RETURN_PATH_ROUTE, RETURN_PATH_MASQUERADE };
const char *return_path_str(enum return_path mode);

/* Whose packets come out of the tunnel (keys of mesh.ranges). */
enum range_class {
	RANGE_WORKERS,
	RANGE_DEVICES,
	RANGE_LOAD_BALANCERS,
	RANGE_RESOLVED,
	RANGE_SITES,
	RANGE_CLASSES, /* number of classes */
};
const char *range_class_str(enum range_class class);

struct config_range {
	enum range_class class;
	struct prefix prefix;
	struct config_mark mark;
};

/* One host that departs from its network's mode. Never RETURN_PATH_AUTO. */
struct config_host {
	struct addr address;
	enum return_path return_path;
	struct config_mark mark;
};

/* A service that is asked whether answers find their way back to the mesh (TCP). */
struct config_witness {
	struct addr address; /* inside the network */
	uint16_t port;       /* 1..65535 */
	struct config_mark mark;
};

struct config_network {
	struct prefix prefix;
	enum return_path return_path; /* resolved: the network's own, else the file's */
	bool return_path_own;         /* the file gives this network a mode of its own */
	struct config_host *hosts;
	size_t n_hosts;
	struct config_witness *witnesses;
	size_t n_witnesses;
	bool learn_witnesses; /* also those that mesh flows reached; false with `witness: none` */
	struct config_mark mark;
};

struct config_lan {
	char interface[IFNAMSIZ];
	struct config_network *networks;
	size_t n_networks;
	struct config_mark mark; /* of the interface */
};

struct port_range {
	uint16_t first, last; /* 1..65535, first <= last */
};

/* One line of the allow list. No protocol at all means: everything to that destination. */
struct config_allow {
	uint32_t from_classes; /* bit per enum range_class, none of them empty; all = no `from` */
	struct prefix *from;   /* further sources, each inside some range */
	size_t n_from;
	struct prefix to;
	struct port_range *tcp, *udp;
	size_t n_tcp, n_udp;
	bool icmp; /* ICMP or ICMPv6, by the family of `to` */
	struct config_mark mark;
};

/* How `return_path: auto` looks for proof. Durations in microseconds. */
struct config_probe {
	struct addr source[2];   /* IPv4, IPv6: unused addresses of the ranges; AF_UNSPEC = the
				  * last usable one of the first range of that family */
	uint64_t interval_us;    /* between rounds, 10 s */
	uint64_t after_event_us; /* from an event to a round, 1 s */
	uint64_t timeout_us;     /* of one probe, 1 s */
	uint32_t lost_rounds;    /* proof is lost after 2 … */
	uint32_t lost_of;        /* … of 3 rounds */
	uint32_t proven_rounds;  /* proven after 3 rounds in a row … */
	uint64_t proven_hold_us; /* … and 30 s since it was lost */
	uint32_t max_witnesses;  /* asked in a round, of one network, 8 */
	bool accept_neighbor;    /* an answer of the BGP neighbour alone is proof enough */
};

enum remote_as { REMOTE_AS_NUMBER, REMOTE_AS_EXTERNAL, REMOTE_AS_INTERNAL };

/* A prefix that a neighbour may announce to us, with more specific ones up to length le. */
struct config_accept {
	struct prefix prefix;
	uint8_t le; /* prefix.len .. 32 or 128 */
	struct config_mark mark;
};

/* One site router. What is 0 or empty is left to FRR's default. */
struct config_neighbor {
	struct addr address;
	enum remote_as remote_as;
	uint32_t asn;        /* REMOTE_AS_NUMBER */
	bool ipv4, ipv6;     /* address families announced there, resolved */
	bool families_own;   /* the file names them */
	char *description;   /* nullptr = none; characters that FRR takes in a line */
	char *password_file; /* nullptr = no MD5 */
	bool bfd;
	uint32_t bfd_multiplier, bfd_receive_ms, bfd_transmit_ms;
	bool timers_own; /* keepalive and hold are set, as they may be to 0: never */
	uint32_t keepalive_s, hold_s, connect_s;
	char *update_source;                      /* address or interface */
	uint8_t ebgp_multihop, ttl_security_hops; /* at most one of them */
	char **communities; /* canonical: "65010:100", "no-export", large "65010:1:2" */
	size_t n_communities;
	uint32_t maximum_prefix;
	struct config_accept *accept; /* inbound policy; none = nothing is accepted */
	size_t n_accept;
	bool adopt; /* consent: a neighbour that others configured at this address becomes ours */
	struct config_mark mark; /* of the address */
	struct config_mark remote_as_mark, description_mark, password_mark, bfd_mark,
		keepalive_mark, hold_mark, update_source_mark, hops_mark, communities_mark;
};

struct config_bgp {
	bool configured;       /* the key bgp stands in the file */
	uint32_t asn;          /* 1..4294967294 */
	struct addr router_id; /* AF_UNSPEC = FRR's choice */
	struct config_neighbor *neighbors;
	size_t n_neighbors;
	bool announce_to_others; /* consent: neighbours that are not ours may see the ranges */
	struct config_mark mark, asn_mark;
};

/* What we may do to other managers' tables, by name (key remedies). */
enum remedy { REMEDY_TAILSCALE_INPUT, REMEDIES };
const char *remedy_str(enum remedy remedy);

struct config {
	char mesh_interface[IFNAMSIZ];
	struct config_range *ranges; /* sorted by prefix, disjoint */
	size_t n_ranges;
	struct config_lan *lans; /* in the order of the file, at least one */
	size_t n_lans;
	enum return_path return_path;
	bool has_allow; /* an empty list allows nothing; no list allows everything */
	struct config_allow *allow;
	size_t n_allow;
	struct config_probe probe;
	struct config_bgp bgp;
	struct config_bridge bridge;
	struct config_tunnel tunnel;
	uint32_t remedies;     /* bit per enum remedy */
	bool watch, watch_own; /* as the file says, if it does; config_watches() */
	struct arena *arena;   /* owns everything above */
};

/* One mistake. */
struct config_diag {
	struct config_mark mark;
	char path[128];    /* "lan[0].networks[2].prefix" */
	char message[256]; /* with a suggestion where there is one */
};

struct config_diags {
	struct config_diag *list; /* sorted by line, column */
	size_t n;
	size_t total; /* mistakes there are: more than n when the last one stands for the rest */
};

/* Parses text (borrowed; any bytes). 0 and *out (owned by the caller, config_free), or -EINVAL with
 * at least one diagnostic, or -EFBIG. diags is written in every case; clear it. */
[[nodiscard]] int config_parse(
	const char *text, size_t len, struct config **out, struct config_diags *diags);

/* Reads a file, at most CONFIG_MAX_BYTES, regular files only, into *text (NUL-terminated, owned
 * by the caller). 0 or -errno with a sentence: -EFBIG too large, -EISDIR a folder, -EINVAL
 * neither file nor folder, else what open(2) or read(2) said. */
[[nodiscard]] int config_read_file(const char *path, char **text, size_t *len, struct err *err);

/* Are flows that fail to be noticed? Where the file does not say: if anything needs connection
 * tracking anyway. */
bool config_watches(const struct config *config);

void config_free(struct config *config);
void config_diags_clear(struct config_diags *diags);

/* Same meaning? Marks are not compared. */
bool config_equal(const struct config *a, const struct config *b);
