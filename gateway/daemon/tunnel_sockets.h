/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * tunnel_sockets: the UDP sockets of the tunnel. An edge has one for each address that it listens
 * on; a connector one for each family that an edge of its has, on a port that the kernel chose.
 *
 * When this host's address on the way to an edge is another one, a connector gets another socket:
 * that is how the tunnel learns that it has to move (RFC 9000 section 9), which a socket bound to
 * no address would not show.
 *
 * meshgwd opens them, for the tunnel has no network, and keeps them open while the tunnel is away:
 * the port stays the same, and what arrives is not answered by ICMP. Buffers are larger than what
 * an unprivileged process may ask for.
 */
#include "conf/config.h"

constexpr uint64_t TUNNEL_SOCKET_RETRY_US = 1'000'000;

struct tunnel_socket {
	struct addr address; /* the unspecified one of its family: all */
	uint16_t port;       /* as configured; 0 = the kernel's choice */
	int fd;              /* -1 = it could not be opened */
	int error;           /* positive errno, 0 = it is open */
	uint64_t retry_us;
	struct addr source; /* a connector's: our address towards its edge; family 0 = not known */
	bool wanted;
};

struct tunnel_sockets {
	struct tunnel_socket *list;
	size_t n, cap;
};

/* config nullptr: none are wanted. True: one was opened or closed. */
bool tunnel_sockets_update(
	struct tunnel_sockets *all, const struct config_tunnel *config, uint64_t now_us);
/* Of before a restart: as what it was opened for. False: it is none of these, and closed. */
bool tunnel_sockets_adopt(struct tunnel_sockets *all, const char *name, int take_fd);
/* From the tunnel, where it is one that is wanted: in use there, it goes before one that was opened
 * just now. */
void tunnel_sockets_take_back(struct tunnel_sockets *all, int take_fd);
void tunnel_sockets_clear(struct tunnel_sockets *all);

/* "198.51.100.1:443", "[::]:443" */
constexpr size_t TUNNEL_SOCKET_STRLEN = ADDR_STRLEN + 9;
const char *tunnel_socket_str(const struct tunnel_socket *s, char *buf);
