/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * tunnel_names: names whose addresses meshgw-tunnel asks for, because a request to the edge is for
 * one of them (RFC 9484 4.1). It has no network, and meshgwd reads no answers of name servers:
 *
 *   TunnelResolve ──▶ question ──▶ meshgw-probe ──▶ answer
 *
 * It is asked by the process that strangers talk to, so it is bounded here whatever that one says:
 * only what has the form of a host's name is asked for, TUNNEL_NAMES_AT_ONCE at a time and one each
 * TUNNEL_NAMES_GAP_US, with a burst. All else is answered at once, and everything within
 * TUNNEL_NAMES_US. What is found decides nothing on this host: it narrows what a peer may reach.
 */
#include <systemd/sd-varlink.h>

constexpr uint64_t TUNNEL_NAMES_US = 3'000'000;
constexpr size_t TUNNEL_NAMES_AT_ONCE = 4;
constexpr uint64_t TUNNEL_NAMES_GAP_US = 100'000;
constexpr uint64_t TUNNEL_NAMES_BURST = 32;

struct tunnel_names;

/* probe_socket: of meshgw-probe; borrowed. */
struct tunnel_names *tunnel_names_new(const char *probe_socket);
/* Whoever still waits is told nothing. */
void tunnel_names_free(struct tunnel_names *n);

/* Letters, digits, hyphens and underscores between dots, and no way to write an address. */
bool tunnel_name_is_host(const char *name);
/* Answers the call on this link, now or later. client: the userdata of its connection. */
int tunnel_names_ask(struct tunnel_names *n, sd_varlink *link, void *client, const char *name);
