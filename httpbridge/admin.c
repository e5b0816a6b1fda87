/* SPDX-License-Identifier: Apache-2.0 */
#include "admin.h"
#include "lib/ip.h"
#include "lib/own.h"
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

constexpr int BACKLOG = 64;
constexpr mode_t MODE = 0660;

struct place {
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
		struct sockaddr_un local;
	};
	socklen_t len;
};

static int read_local(const char *path, struct place *out)
{
	size_t len = strlen(path);

	if (len >= sizeof(out->local.sun_path))
		return -ENAMETOOLONG;
	out->local.sun_family = AF_UNIX;
	memcpy(out->local.sun_path, path, len);
	out->len = sizeof(out->local);
	return 0;
}

static int read_port(const char *text, in_port_t *out)
{
	char *end;
	unsigned long port = strtoul(text, &end, 10);

	if (*end || end == text || port == 0 || port > UINT16_MAX)
		return -EINVAL;
	*out = htons((uint16_t)port);
	return 0;
}

static int read_address(const char *where, struct place *out)
{
	char host[ADDR_STRLEN + 2];
	const char *colon = strrchr(where, ':');
	size_t len = colon ? (size_t)(colon - where) : 0;
	in_port_t port;

	if (len == 0 || len >= sizeof(host) || read_port(colon + 1, &port) < 0)
		return -EINVAL;
	memcpy(host, where, len);
	host[len] = '\0';
	if (host[0] == '[' && host[len - 1] == ']') {
		host[len - 1] = '\0';
		out->v6.sin6_family = AF_INET6;
		out->v6.sin6_port = port;
		out->len = sizeof(out->v6);
		return inet_pton(AF_INET6, host + 1, &out->v6.sin6_addr) == 1 ? 0 : -EINVAL;
	}
	out->v4.sin_family = AF_INET;
	out->v4.sin_port = port;
	out->len = sizeof(out->v4);
	return inet_pton(AF_INET, host, &out->v4.sin_addr) == 1 ? 0 : -EINVAL;
}

static int listen_at(const struct place *place)
{
	int on = 1;
	autoclose int fd = socket(
		place->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (place->any.sa_family == AF_UNIX)
		unlink(place->local.sun_path); /* of one that is gone */
	else
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	/* A socket has its mode from the descriptor's when it is bound (unix(7)). */
	if (place->any.sa_family == AF_UNIX && fchmod(fd, MODE) < 0)
		return -errno;
	if (bind(fd, &place->any, place->len) < 0 || listen(fd, BACKLOG) < 0)
		return -errno;
	return fd_take(&fd);
}

int admin_open(const char *where, struct err *err)
{
	static const char local[] = "unix:";
	struct place place = {};

	int r = strncmp(where, local, sizeof(local) - 1) == 0
			? read_local(where + sizeof(local) - 1, &place)
			: read_address(where, &place);
	if (r == 0)
		r = listen_at(&place);
	return r < 0 ? err_set(err, -r, "admin: %s: %s", where, strerror(-r)) : r;
}
