/* SPDX-License-Identifier: Apache-2.0 */
#include "quic/address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

socklen_t quic_address_size(const union quic_address *a)
{
	if (a->sa.sa_family == AF_INET)
		return sizeof(a->in);
	return a->sa.sa_family == AF_INET6 ? sizeof(a->in6) : 0;
}

bool quic_address_equal(const union quic_address *a, const union quic_address *b)
{
	if (a->sa.sa_family != b->sa.sa_family)
		return false;
	if (a->sa.sa_family == AF_INET)
		return a->in.sin_port == b->in.sin_port &&
		       a->in.sin_addr.s_addr == b->in.sin_addr.s_addr;
	if (a->sa.sa_family == AF_INET6)
		return a->in6.sin6_port == b->in6.sin6_port &&
		       a->in6.sin6_scope_id == b->in6.sin6_scope_id &&
		       memcmp(&a->in6.sin6_addr, &b->in6.sin6_addr, sizeof(a->in6.sin6_addr)) == 0;
	return true;
}

bool quic_path_equal(const struct quic_path *a, const struct quic_path *b)
{
	return a->socket == b->socket && quic_address_equal(&a->remote, &b->remote) &&
	       quic_address_equal(&a->local, &b->local);
}

char *quic_address_str(const union quic_address *a, char text[static QUIC_ADDRESS_LENGTH])
{
	char host[INET6_ADDRSTRLEN] = "?";
	bool six = a->sa.sa_family == AF_INET6;
	in_port_t port = six ? a->in6.sin6_port : a->in.sin_port;

	if (six)
		inet_ntop(AF_INET6, &a->in6.sin6_addr, host, sizeof(host));
	else if (a->sa.sa_family == AF_INET)
		inet_ntop(AF_INET, &a->in.sin_addr, host, sizeof(host));
	else
		port = 0;
	snprintf(text, QUIC_ADDRESS_LENGTH, six ? "[%s]:%u" : "%s:%u", host, ntohs(port));
	return text;
}
