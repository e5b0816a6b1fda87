/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * schema: the keys of meshgw.yaml, one table per mapping, and what reading them gives.
 *
 * A draft holds what the file says, with the marks and gaps that the finished config does not
 * have: values that could not be read are zero, defaults are not yet in. check.h judges it,
 * config.c makes the config of it. Its arrays lie in the reader's arena.
 */
#include "conf/config.h"
#include "conf/reader.h"

constexpr size_t CONFIG_MAX_RANGES = 64; /* of all classes together */
constexpr size_t CONFIG_MAX_LANS = 32;
constexpr size_t CONFIG_MAX_NETWORKS = 1024; /* of all LANs together */
constexpr size_t CONFIG_MAX_HOSTS = 4096;    /* of all networks together */
constexpr size_t CONFIG_MAX_ALLOW = 10000;
constexpr size_t CONFIG_MAX_FLOWS = 100000; /* sources times ports, all entries together */
constexpr size_t CONFIG_MAX_SOURCES = 64;   /* of one entry of allow */
constexpr size_t CONFIG_MAX_PORTS = 64;     /* of one list of ports */
constexpr size_t CONFIG_MAX_WITNESSES = 64; /* of one network */
constexpr size_t CONFIG_MAX_PROBE_SOURCES = 2;
constexpr size_t CONFIG_MAX_NEIGHBORS = 64;
constexpr size_t CONFIG_MAX_COMMUNITIES = 32; /* of one neighbour */
constexpr size_t CONFIG_MAX_ACCEPT = 64;      /* of one neighbour */
constexpr size_t CONFIG_MAX_REMEDIES = 16;
constexpr size_t CONFIG_MAX_LISTEN = 16;
constexpr size_t CONFIG_MAX_ROUTES = 1024;
constexpr size_t CONFIG_MAX_UPSTREAMS = 32; /* of one route */
constexpr size_t CONFIG_MAX_ALL_UPSTREAMS = 4096;
constexpr size_t CONFIG_MAX_HEADERS = 32; /* in one list */
constexpr size_t CONFIG_MAX_TOKENS = 4;   /* of one list */
constexpr size_t CONFIG_MAX_TARGETS = 256;
constexpr size_t CONFIG_MAX_PINS = 8; /* of one peer */
constexpr size_t CONFIG_MAX_ENDPOINTS = 16;
constexpr size_t CONFIG_MAX_TUNNEL_PREFIXES = 256; /* of one list */
constexpr size_t CONFIG_MAX_NODE_ADDRESSES = 16;
constexpr size_t CONFIG_MAX_SETTINGS = 8;
constexpr size_t CONFIG_MAX_NODES = 4096;
constexpr size_t CONFIG_MAX_REPLICAS = 8; /* of one node */

/* A key of mesh.ranges. The indexes of list are those of the file. */
struct draft_class {
	struct config_range *list; /* their class is still empty */
	size_t n;
	bool given; /* the key stands in the file and replaces the default */
};

struct draft_ports {
	struct port_range *list;
	size_t n;
	struct config_mark mark;
};

struct draft_allow {
	struct config_sources from;
	struct prefix to;
	struct draft_ports tcp, udp;
	bool icmp;
	struct config_mark mark, to_mark;
};

/* One of probe.sources. */
struct draft_address {
	struct addr address;
	struct config_mark mark;
};

struct draft_probe {
	struct draft_address *sources;
	size_t n_sources;
	struct config_mark interval, timeout, lost_after, lost_of; /* line 0: a default */
};

struct draft {
	struct config config; /* without ranges, allow and probe.source, modes not yet inherited */
	struct draft_class classes[RANGE_CLASSES];
	struct config_mark ranges_mark;
	struct draft_allow *allow;
	size_t n_allow;
	struct draft_probe probe;
};

/* A class of ranges or a prefix, alone or in a list; both write a struct config_sources. */
extern const struct list schema_source_list;
void schema_read_source(struct reader *r, const yaml_node_t *node, void *to);

/* The tables, for whoever wants to know all keys. */
extern const struct mapping schema_top;

/* Reads the whole document; mistakes go to r->diags. */
void schema_read(struct reader *r, struct draft *draft);
