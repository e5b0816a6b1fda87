/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * sockaddr: addresses and ports as sockets take them (ip(7), ipv6(7)).
 */
#include "lib/ip.h"
#include <netinet/in.h>
#include <sys/socket.h>

union socket_address {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

/* Returns how long it is. */
socklen_t socket_address_put(union socket_address *sa, const struct addr *a, uint16_t port);
/* AF_UNSPEC for another family than the two. port may be nullptr. */
struct addr socket_address_get(const union socket_address *sa, uint16_t *port);
