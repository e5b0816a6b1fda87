/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/bridge_listen.h"
#include "daemon/bridge_store.h"
#include "lib/log.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* net.core.somaxconn cuts it; the queue is what survives while the bridge is away. */
constexpr int BACKLOG = 4096;
/* A connection counts when it has said something, or after so many seconds (tcp(7)). */
constexpr int DEFER_S = 3;

const char *bridge_listener_str(const struct bridge_listener *l, char *buf)
{
	char address[ADDR_STRLEN];
	bool v6 = l->address.family == AF_INET6;

	snprintf(buf, BRIDGE_LISTENER_STRLEN, "%s%s%s:%u", v6 ? "[" : "",
		addr_str(&l->address, address), v6 ? "]" : "", l->port);
	return buf;
}

/* ---- one socket ---- */

static socklen_t socket_address(const struct bridge_listener *l, struct sockaddr_storage *out)
{
	*out = (struct sockaddr_storage){};
	if (l->address.family == AF_INET) {
		struct sockaddr_in *sin = (struct sockaddr_in *)out;
		sin->sin_family = AF_INET;
		sin->sin_port = htons(l->port);
		memcpy(&sin->sin_addr, l->address.b, sizeof(sin->sin_addr));
		return sizeof(*sin);
	}
	struct sockaddr_in6 *sin6 = (struct sockaddr_in6 *)out;
	sin6->sin6_family = AF_INET6;
	sin6->sin6_port = htons(l->port);
	memcpy(&sin6->sin6_addr, l->address.b, sizeof(sin6->sin6_addr));
	return sizeof(*sin6);
}

static int set(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value)) < 0 ? -errno : 0;
}

/* An address may be listened on before the host has it: while it is tentative, and where the file
 * names it. */
static int prepare(int fd, uint8_t family)
{
	int r = set(fd, SOL_SOCKET, SO_REUSEADDR, 1);

	if (r >= 0 && family == AF_INET6)
		r = set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	if (r >= 0 && family == AF_INET6)
		r = set(fd, IPPROTO_IPV6, IPV6_FREEBIND, 1);
	if (r >= 0 && family == AF_INET)
		r = set(fd, IPPROTO_IP, IP_FREEBIND, 1);
	if (r >= 0)
		r = set(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, DEFER_S);
	return r;
}

/* Whether it can be shared later is asked of both sockets at that time, so this one may be bound
 * alone first. */
static int open_listener(const struct bridge_listener *l, bool share)
{
	struct sockaddr_storage at;
	socklen_t len = socket_address(l, &at);
	autoclose int fd = socket(
		l->address.family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP);

	if (fd < 0)
		return -errno;
	int r = prepare(fd, l->address.family);
	if (r >= 0 && share)
		r = set(fd, SOL_SOCKET, SO_REUSEPORT, 1);
	if (r >= 0 && bind(fd, (const struct sockaddr *)&at, len) < 0)
		r = -errno;
	if (r >= 0 && !share)
		r = set(fd, SOL_SOCKET, SO_REUSEPORT, 1);
	if (r >= 0 && listen(fd, BACKLOG) < 0)
		r = -errno;
	return r < 0 ? r : fd_take(&fd);
}

/* ---- which there are ---- */

static int compare(const void *x, const void *y)
{
	const struct bridge_listener *a = x, *b = y;
	int order = addr_cmp(&a->address, &b->address);

	return order ? order : (a->port > b->port) - (a->port < b->port);
}

/* Those that there are come first: what one too many takes away must not change with the order. */
enum pass { PASS_FIND, PASS_ADD };

static void add(struct bridge_listeners *all, const struct bridge_listener *new)
{
	if (all->n_wanted == BRIDGE_LISTENERS) {
		if (!all->is_cut)
			all->cut = *new;
		all->is_cut = true;
		return;
	}
	XGROW(all->list, all->n, all->cap);
	all->list[all->n++] = *new;
	all->n_wanted++;
}

static void want(
	struct bridge_listeners *all, enum pass pass, const struct addr *address, uint16_t port)
{
	struct bridge_listener new = {.address = *address, .port = port, .fd = -1, .wanted = true};
	size_t i = 0;

	while (i < all->n && compare(&all->list[i], &new) != 0)
		i++;
	if (i == all->n && pass == PASS_ADD)
		add(all, &new);
	if (i == all->n || all->list[i].wanted)
		return;
	all->list[i].wanted = true;
	all->n_wanted++;
}

static bool is_link_local(const struct addr *a)
{
	static const struct prefix link_local4 = {{AF_INET, {169, 254}}, 16};
	static const struct prefix link_local6 = {{AF_INET6, {0xfe, 0x80}}, 10};

	return prefix_contains_addr(&link_local4, a) || prefix_contains_addr(&link_local6, a);
}

static void want_all(struct bridge_listeners *all, enum pass pass,
	const struct config_listen *listen, const struct observed *seen, int ifindex)
{
	for (size_t i = 0; i < seen->addresses.n; i++) {
		const struct ifaddr_entry *a = &seen->addresses.list[i];
		if (a->ifindex == ifindex && !is_link_local(&a->address))
			want(all, pass, &a->address, listen->port);
	}
}

static void want_each(struct bridge_listeners *all, enum pass pass, const struct config *config,
	const struct observed *seen)
{
	const struct link *mesh = link_by_name(&seen->links, config->mesh_interface);

	for (size_t i = 0; i < config->bridge.n_listen; i++) {
		const struct config_listen *listen = &config->bridge.listen[i];
		if (listen->address.family != AF_UNSPEC)
			want(all, pass, &listen->address, listen->port);
		else if (mesh)
			want_all(all, pass, listen, seen, mesh->ifindex);
	}
}

static void mark_wanted(
	struct bridge_listeners *all, const struct config *config, const struct observed *seen)
{
	for (size_t i = 0; i < all->n; i++)
		all->list[i].wanted = false;
	all->n_wanted = 0;
	all->is_cut = false;
	if (!config || !config->bridge.configured)
		return;
	want_each(all, PASS_FIND, config, seen);
	want_each(all, PASS_ADD, config, seen);
}

/* Whoever has a duplicate: the bridge until it hears of it, systemd until it has read that. */
static void stop_listening(struct bridge_listener *l)
{
	(void)shutdown(l->fd, SHUT_RDWR);
	bridge_store_drop(l);
	close(l->fd);
	l->fd = -1;
}

static bool close_unwanted(struct bridge_listeners *all)
{
	size_t kept = 0;
	bool changed = false;
	char name[BRIDGE_LISTENER_STRLEN];

	for (size_t i = 0; i < all->n; i++) {
		struct bridge_listener *l = &all->list[i];
		if (l->wanted) {
			all->list[kept++] = *l;
			continue;
		}
		if (l->fd >= 0) {
			log_info("bridge", "listens no more at=%s", bridge_listener_str(l, name));
			stop_listening(l);
			changed = true;
		}
	}
	all->n = kept;
	return changed;
}

/* ---- the two together ---- */

static bool try_open(struct bridge_listener *l, bool attached, uint64_t now_us)
{
	bool held = l->error == EADDRINUSE;
	bool share = held && (attached || now_us >= l->held_us + BRIDGE_HELD_US);
	char name[BRIDGE_LISTENER_STRLEN];
	int r = open_listener(l, share);

	if (r == -EADDRINUSE && !held)
		l->held_us = now_us;
	if (r == -EADDRINUSE && !share && attached)
		r = open_listener(l, true);
	l->fd = r >= 0 ? r : -1;
	l->error = r >= 0 ? 0 : -r;
	l->retry_us = now_us + BRIDGE_RETRY_US;
	if (r < 0)
		return false;
	bridge_store_keep(l);
	log_info("bridge", "listens at=%s", bridge_listener_str(l, name));
	return true;
}

bool bridge_listeners_update(struct bridge_listeners *all, const struct config *config,
	const struct observed *seen, bool attached, uint64_t now_us)
{
	mark_wanted(all, config, seen);
	bool changed = close_unwanted(all);

	for (size_t i = 0; i < all->n; i++) {
		struct bridge_listener *l = &all->list[i];
		bool taken = l->error == EADDRINUSE && attached;
		if (l->fd < 0 && (now_us >= l->retry_us || taken))
			changed |= try_open(l, attached, now_us);
	}
	if (all->n)
		qsort(all->list, all->n, sizeof(*all->list), compare);
	return changed;
}

bool bridge_listeners_adopt(struct bridge_listeners *all, const struct bridge_listener *l)
{
	for (size_t i = 0; i < all->n; i++)
		if (compare(&all->list[i], l) == 0)
			return false;
	if (all->n == BRIDGE_LISTENERS)
		return false;
	XGROW(all->list, all->n, all->cap);
	all->list[all->n++] = *l;
	return true;
}

void bridge_listeners_clear(struct bridge_listeners *all)
{
	for (size_t i = 0; i < all->n; i++)
		if (all->list[i].fd >= 0)
			close(all->list[i].fd);
	free(all->list);
	*all = (struct bridge_listeners){};
}
