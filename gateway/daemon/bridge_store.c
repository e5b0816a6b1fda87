/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/bridge_store.h"
#include "daemon/fd_store.h"
#include "lib/log.h"
#include "lib/own.h"
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define PREFIX "bridge-"

constexpr size_t NAME_STRLEN = sizeof(PREFIX) + BRIDGE_LISTENER_STRLEN;

/* A name may not have colons (fdname_is_valid() of systemd). */
static void name_of(const struct bridge_listener *l, char name[NAME_STRLEN])
{
	char text[BRIDGE_LISTENER_STRLEN];

	snprintf(name, NAME_STRLEN, PREFIX "%s", bridge_listener_str(l, text));
	for (char *c = name; *c; c++)
		if (*c == ':')
			*c = '_';
}

void bridge_store_keep(const struct bridge_listener *l)
{
	char name[NAME_STRLEN];

	name_of(l, name);
	fd_store_keep("bridge", name, l->fd);
}

void bridge_store_drop(const struct bridge_listener *l)
{
	char name[NAME_STRLEN];

	name_of(l, name);
	fd_store_drop("bridge", name);
}

bool bridge_store_named(const char *name)
{
	return strncmp(name, PREFIX, strlen(PREFIX)) == 0;
}

static int read_address(int fd, struct bridge_listener *l)
{
	struct sockaddr_storage at = {};
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)&at;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&at;
	socklen_t len = sizeof(at);

	if (getsockname(fd, (struct sockaddr *)&at, &len) < 0)
		return -errno;
	if (at.ss_family == AF_INET) {
		memcpy(l->address.b, &v4->sin_addr, sizeof(v4->sin_addr));
		l->port = ntohs(v4->sin_port);
	} else if (at.ss_family == AF_INET6) {
		memcpy(l->address.b, &v6->sin6_addr, sizeof(v6->sin6_addr));
		l->port = ntohs(v6->sin6_port);
	} else {
		return -EAFNOSUPPORT;
	}
	l->address.family = (uint8_t)at.ss_family;
	return 0;
}

static bool is_listening(int fd)
{
	int listens = 0;
	socklen_t len = sizeof(listens);

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len) == 0 && listens;
}

/* Of two at one address the second would get a part of the connections. */
void bridge_store_take(struct bridge_listeners *all, const char *name, int take_fd)
{
	struct bridge_listener l = {.fd = take_fd};
	char expected[NAME_STRLEN] = "";

	if (is_listening(take_fd) && read_address(take_fd, &l) == 0)
		name_of(&l, expected);
	if (strcmp(name, expected) == 0 && bridge_listeners_adopt(all, &l)) {
		log_info("bridge", "listens on, as before name=%s", name);
		return;
	}
	(void)shutdown(take_fd, SHUT_RDWR);
	close(take_fd);
	if (strcmp(name, expected) != 0)
		fd_store_drop("bridge", name);
}
