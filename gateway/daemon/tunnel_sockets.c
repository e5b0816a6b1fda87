/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/tunnel_sockets.h"
#include "daemon/fd_store.h"
#include "lib/log.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include "net/sockaddr.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define STORE_PREFIX "tunnel-udp-"

/* What arrives within 10 ms at 3 Gbit/s; the kernel counts it twice (socket(7)). */
constexpr int BUFFER = 4 * 1024 * 1024;

const char *tunnel_socket_str(const struct tunnel_socket *s, char *buf)
{
	char address[ADDR_STRLEN];
	bool v6 = s->address.family == AF_INET6;

	snprintf(buf, TUNNEL_SOCKET_STRLEN, "%s%s%s:%u", v6 ? "[" : "",
		addr_str(&s->address, address), v6 ? "]" : "", s->port);
	return buf;
}

/* ---- one socket ---- */

constexpr size_t NAME_STRLEN = sizeof(STORE_PREFIX) + TUNNEL_SOCKET_STRLEN;

static const char *store_name(const struct tunnel_socket *s, char name[NAME_STRLEN])
{
	char text[TUNNEL_SOCKET_STRLEN];

	snprintf(name, NAME_STRLEN, STORE_PREFIX "%s", tunnel_socket_str(s, text));
	for (char *c = name; *c; c++)
		if (*c == ':')
			*c = '_';
	return name;
}

static int set(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value)) < 0 ? -errno : 0;
}

static int open_socket(const struct tunnel_socket *s)
{
	union socket_address at;
	socklen_t len = socket_address_put(&at, &s->address, s->port);
	autoclose int fd = socket(
		s->address.family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_UDP);
	int r = 0;

	if (fd < 0)
		return -errno;
	if (s->address.family == AF_INET6)
		r = set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	/* An address that is only configured may come later. */
	if (r >= 0)
		r = s->address.family == AF_INET6 ? set(fd, IPPROTO_IPV6, IPV6_FREEBIND, 1)
						  : set(fd, IPPROTO_IP, IP_FREEBIND, 1);
	if (r >= 0 && bind(fd, &at.any, len) < 0)
		r = -errno;
	if (r < 0)
		return r;
	(void)set(fd, SOL_SOCKET, SO_RCVBUFFORCE, BUFFER);
	(void)set(fd, SOL_SOCKET, SO_SNDBUFFORCE, BUFFER);
	return fd_take(&fd);
}

/* ---- our address ---- */

/* Which one the kernel would send from; nothing is sent. False: there is no way there now. */
static bool find_source(const struct config_listen *edge, struct addr *out)
{
	union socket_address at;
	socklen_t len = socket_address_put(&at, &edge->address, edge->port);
	autoclose int fd = socket(edge->address.family, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_UDP);
	uint16_t port;

	if (fd < 0 || connect(fd, &at.any, len) < 0)
		return false;
	len = sizeof(at);
	if (getsockname(fd, &at.any, &len) < 0)
		return false;
	*out = socket_address_get(&at, &port);
	return true;
}

/* ---- which there are ---- */

static struct tunnel_socket *find(
	struct tunnel_sockets *all, const struct addr *address, uint16_t port)
{
	for (size_t i = 0; i < all->n; i++)
		if (all->list[i].port == port && addr_cmp(&all->list[i].address, address) == 0)
			return &all->list[i];
	return nullptr;
}

static void want(struct tunnel_sockets *all, const struct addr *address, uint16_t port)
{
	struct tunnel_socket *s = find(all, address, port);

	if (!s) {
		XGROW(all->list, all->n, all->cap);
		s = &all->list[all->n++];
		*s = (struct tunnel_socket){.address = *address, .port = port, .fd = -1};
	}
	s->wanted = true;
}

static void want_all(struct tunnel_sockets *all, const struct config_tunnel *config)
{
	for (size_t i = 0; i < config->edge.n_listen; i++)
		want(all, &config->edge.listen[i].address, config->edge.listen[i].port);
	for (size_t i = 0; i < config->connector.n_edges; i++) {
		const struct addr any = {.family = config->connector.edges[i].address.family};
		want(all, &any, 0);
	}
}

static bool close_unwanted(struct tunnel_sockets *all)
{
	char name[NAME_STRLEN];
	bool changed = false;
	size_t kept = 0;

	for (size_t i = 0; i < all->n; i++) {
		struct tunnel_socket *s = &all->list[i];
		if (s->wanted) {
			all->list[kept++] = *s;
			continue;
		}
		if (s->fd < 0)
			continue;
		fd_store_drop("tunnel", store_name(s, name));
		close(s->fd);
		changed = true;
	}
	all->n = kept;
	return changed;
}

static bool try_open(struct tunnel_socket *s, uint64_t now_us)
{
	char name[NAME_STRLEN];
	int r = open_socket(s);

	s->fd = r >= 0 ? r : -1;
	s->error = r >= 0 ? 0 : -r;
	s->retry_us = now_us + TUNNEL_SOCKET_RETRY_US;
	if (r < 0)
		return false;
	fd_store_keep("tunnel", store_name(s, name), s->fd);
	return true;
}

/* By the first edge of its family: who has several has the same way to them, as a rule. */
static bool source_of(
	const struct tunnel_socket *s, const struct config_connector *config, struct addr *out)
{
	for (size_t i = 0; i < config->n_edges && s->fd >= 0 && s->port == 0; i++)
		if (config->edges[i].address.family == s->address.family)
			return find_source(&config->edges[i], out);
	return false;
}

/* A socket of another address gives its place to another one. */
static void look_at_sources(struct tunnel_sockets *all, const struct config_connector *config)
{
	struct addr now;

	for (size_t i = 0; i < all->n; i++) {
		struct tunnel_socket *s = &all->list[i];
		if (s->source.family && source_of(s, config, &now) &&
			addr_cmp(&s->source, &now) != 0)
			s->wanted = false;
	}
}

static void note_sources(struct tunnel_sockets *all, const struct config_connector *config)
{
	struct addr now;

	for (size_t i = 0; i < all->n; i++)
		if (!all->list[i].source.family && source_of(&all->list[i], config, &now))
			all->list[i].source = now;
}

bool tunnel_sockets_update(
	struct tunnel_sockets *all, const struct config_tunnel *config, uint64_t now_us)
{
	for (size_t i = 0; i < all->n; i++)
		all->list[i].wanted = false;
	if (config) {
		want_all(all, config);
		look_at_sources(all, &config->connector);
	}
	bool changed = close_unwanted(all);
	if (config)
		want_all(all, config);
	for (size_t i = 0; i < all->n; i++)
		if (all->list[i].fd < 0 && now_us >= all->list[i].retry_us)
			changed |= try_open(&all->list[i], now_us);
	if (config)
		note_sources(all, &config->connector);
	return changed;
}

/* What it was bound to says nothing of a port that the kernel chose; the name does. */
bool tunnel_sockets_adopt(struct tunnel_sockets *all, const char *name, int take_fd)
{
	union socket_address at;
	socklen_t len = sizeof(at);
	char expected[2][NAME_STRLEN];
	struct tunnel_socket s = {.fd = take_fd};

	if (strncmp(name, STORE_PREFIX, strlen(STORE_PREFIX)) != 0 ||
		getsockname(take_fd, &at.any, &len) < 0) {
		close(take_fd);
		return false;
	}
	s.address = socket_address_get(&at, &s.port);
	store_name(&s, expected[0]);
	uint16_t port = s.port;
	s.port = 0;
	store_name(&s, expected[1]);
	s.port = strcmp(name, expected[0]) == 0 ? port : 0;
	if ((strcmp(name, expected[0]) != 0 && strcmp(name, expected[1]) != 0) ||
		find(all, &s.address, s.port)) {
		close(take_fd);
		return false;
	}
	XGROW(all->list, all->n, all->cap);
	all->list[all->n++] = s;
	return true;
}

static struct tunnel_socket *find_like(struct tunnel_sockets *all, int fd)
{
	union socket_address at;
	socklen_t len = sizeof(at);
	uint16_t port = 0;

	if (getsockname(fd, &at.any, &len) < 0)
		return nullptr;
	struct addr address = socket_address_get(&at, &port);
	struct tunnel_socket *s = find(all, &address, port);
	return s ? s : find(all, &address, 0);
}

void tunnel_sockets_take_back(struct tunnel_sockets *all, int take_fd)
{
	struct tunnel_socket *s = find_like(all, take_fd);
	char name[NAME_STRLEN];
	int type = 0;
	socklen_t len = sizeof(type);

	if (!s || getsockopt(take_fd, SOL_SOCKET, SO_TYPE, &type, &len) < 0 || type != SOCK_DGRAM) {
		close(take_fd);
		return;
	}
	if (s->fd >= 0) {
		fd_store_drop("tunnel", store_name(s, name));
		close(s->fd);
	}
	s->fd = take_fd;
	s->error = 0;
	fd_store_keep("tunnel", store_name(s, name), s->fd);
}

void tunnel_sockets_clear(struct tunnel_sockets *all)
{
	for (size_t i = 0; i < all->n; i++)
		if (all->list[i].fd >= 0)
			close(all->list[i].fd);
	free(all->list);
	*all = (struct tunnel_sockets){};
}
