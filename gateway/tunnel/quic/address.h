/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * address: where a datagram comes from and where it goes.
 *
 * A path is a pair of UDP addresses and the caller's own number of the socket. QUIC compares the
 * addresses; the number travels with them and comes back with every datagram that is to be sent
 * on that path, so that the caller does not have to search for the descriptor. A socket bound to
 * the wildcard gives the address that the datagram was sent to (IP_PKTINFO), or the wildcard
 * every time; what matters is that it is the same for the same path.
 *
 * It opens nothing and resolves nothing.
 */
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

union quic_address {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

struct quic_path {
	union quic_address local;
	union quic_address remote;
	unsigned int socket;
};

constexpr size_t QUIC_ADDRESS_LENGTH = 64;

/* The length that the family has; 0 for a family that is neither IPv4 nor IPv6. */
socklen_t quic_address_size(const union quic_address *a);
bool quic_address_equal(const union quic_address *a, const union quic_address *b);
/* Also the socket. */
bool quic_path_equal(const struct quic_path *a, const struct quic_path *b);
/* "192.0.2.1:443" or "[2001:db8::1]:443". Returns text. */
char *quic_address_str(const union quic_address *a, char text[static QUIC_ADDRESS_LENGTH]);
