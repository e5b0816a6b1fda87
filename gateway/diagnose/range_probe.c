/* SPDX-License-Identifier: Apache-2.0 */
#include "diagnose/range_probe.h"
#include "lib/marks.h"
#include "lib/own.h"
#include "net/sockaddr.h"
#include <errno.h>
#include <string.h>

/* A TCP socket that is closed before its answer says nothing more. */
static int open_socket(const struct flow *flow, bool tcp, const char *interface)
{
	bool v4 = flow->target.family == AF_INET;
	int on = 1;
	autoclose int fd = socket(flow->target.family,
		(tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_TRANSPARENT : IPV6_TRANSPARENT,
		    &on, sizeof(on)) < 0)
		return -errno;
	if (interface[0] && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, interface,
				    (socklen_t)strnlen(interface, IFNAMSIZ)) < 0)
		return -errno;
	return fd_take(&fd);
}

int range_probe_send(const struct flow *flow, const struct injection *in, const char *interface)
{
	bool tcp = in->kind == INJECT_SYN;
	union socket_address from, to;
	uint16_t port = tcp ? in->source_port ^ MARK_PROBE_PORT_BIT : in->source_port;
	socklen_t from_len = socket_address_put(&from, &flow->client, port);
	socklen_t to_len = socket_address_put(&to, &flow->target, in->port);
	autoclose int fd = open_socket(flow, tcp, interface);

	if (fd < 0)
		return fd;
	if (bind(fd, &from.any, from_len) < 0)
		return -errno;
	int r = tcp ? connect(fd, &to.any, to_len)
		    : (int)sendto(fd, "", 1, MSG_NOSIGNAL, &to.any, to_len);
	return r < 0 && errno != EINPROGRESS ? -errno : 0;
}
