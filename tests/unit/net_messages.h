/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * net_messages: netlink messages as a kernel sends them, for the readers of gateway/net. Nothing of
 * a kernel's is needed for them, and a test that wants a wrong one begins with a right one.
 */
#include "net/nl.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

void put_link(struct nl_message *m);
void put_address(struct nl_message *m);
void put_address6(struct nl_message *m);
void put_route(struct nl_message *m);
void put_route_via(struct nl_message *m);
void put_rule(struct nl_message *m);
void put_narrow_rule(struct nl_message *m);
void put_netconf(struct nl_message *m);
void put_ct(struct nl_message *m);
void put_nflog(struct nl_message *m);
void put_nflog6(struct nl_message *m);
/* A packet that came by this hook (enum nf_inet_hooks). */
void put_nflog_packet(struct nl_message *m, uint8_t hook, const void *packet, size_t size);

/* Of the packets in them, and the addresses of the rest. */
extern const uint8_t packet4[20], packet6[40], v4[4], v6[16];

static inline const struct nlmsghdr *header_of(const struct nl_message *m)
{
	return (const struct nlmsghdr *)m->bytes;
}
