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

/* Where in the file a value stood; line and column count from 1, 0 = a default. */
struct config_mark {
	uint32_t line, column;
};

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

struct config_network {
	struct prefix prefix;
	enum return_path return_path; /* resolved: the network's own, else the file's */
	bool return_path_own;         /* the file gives this network a mode of its own */
	struct config_host *hosts;
	size_t n_hosts;
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
	struct arena *arena; /* owns everything above */
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

void config_free(struct config *config);
void config_diags_clear(struct config_diags *diags);

/* Same meaning? Marks are not compared. */
bool config_equal(const struct config *a, const struct config *b);
