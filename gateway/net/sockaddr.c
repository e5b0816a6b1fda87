/* SPDX-License-Identifier: Apache-2.0 */
#include "net/sockaddr.h"
#include <arpa/inet.h>
#include <string.h>

socklen_t socket_address_put(union socket_address *sa, const struct addr *a, uint16_t port)
{
	*sa = (union socket_address){};
	if (a->family == AF_INET) {
		sa->in = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
		memcpy(&sa->in.sin_addr, a->b, sizeof(sa->in.sin_addr));
		return sizeof(sa->in);
	}
	sa->in6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(port)};
	memcpy(&sa->in6.sin6_addr, a->b, sizeof(sa->in6.sin6_addr));
	return sizeof(sa->in6);
}

struct addr socket_address_get(const union socket_address *sa, uint16_t *port)
{
	struct addr a = {};
	bool v4 = sa->any.sa_family == AF_INET;

	if (!v4 && sa->any.sa_family != AF_INET6)
		return a;
	a.family = (uint8_t)sa->any.sa_family;
	memcpy(a.b, v4 ? (const void *)&sa->in.sin_addr : &sa->in6.sin6_addr, addr_bytes(a.family));
	if (port)
		*port = ntohs(v4 ? sa->in.sin_port : sa->in6.sin6_port);
	return a;
}
