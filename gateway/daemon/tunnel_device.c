/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/tunnel_device.h"
#include "lib/log.h"
#include "lib/own.h"
#include "net/link_change.h"
#include "net/nl.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Which offloads are used is the tunnel's business (TUNSETOFFLOAD); that packets carry a header for
 * them is settled here. */
constexpr short TUN_FLAGS = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR;

void tunnel_device_init(struct tunnel_device *d)
{
	*d = (struct tunnel_device){.fd = -1};
}

/* ---- making it ---- */

/* TUNSETIFF takes over an interface of this name if there is one and it is a TUN that nobody has
 * open: that would be somebody else's persistent one. */
static int open_tun(const char *name, struct err *err)
{
	struct ifreq ifr = {.ifr_flags = TUN_FLAGS};

	if (if_nametoindex(name) != 0)
		return err_set(err, EEXIST, "%s is there already, made by another program", name);
	autoclose int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return err_set(err, errno, "/dev/net/tun: %s", strerror(errno));
	strncpy(ifr.ifr_name, name, sizeof(ifr.ifr_name) - 1);
	if (ioctl(fd, TUNSETIFF, &ifr) < 0)
		return err_set(err, errno, "%s cannot be made: %s", name, strerror(errno));
	return fd_take(&fd);
}

static int bring_up(struct tunnel_device *d, uint32_t mtu, struct err *err)
{
	struct nl_sock *s;
	int r = nl_open(NETLINK_ROUTE, &s, err);

	if (r < 0)
		return r;
	r = link_bring_up(s, d->ifindex, mtu, err);
	nl_close(s);
	if (r >= 0)
		d->mtu = mtu;
	return r < 0 ? err_ctx(err, "%s", d->name) : 0;
}

static int make(struct tunnel_device *d, const char *name, struct err *err)
{
	int fd = open_tun(name, err);

	if (fd < 0)
		return fd;
	d->fd = fd;
	strncpy(d->name, name, sizeof(d->name) - 1);
	d->ifindex = (int)if_nametoindex(name);
	log_info("tunnel", "interface made name=%s", name);
	return 0;
}

bool tunnel_device_want(struct tunnel_device *d, const char *name, uint32_t mtu, uint64_t now_us)
{
	struct err err = {};
	bool made = false;
	int r = 0;

	if (d->fd >= 0 && (strcmp(d->name, name) != 0 || if_nametoindex(name) == 0))
		tunnel_device_remove(d);
	if (d->fd < 0 && now_us < d->retry_us)
		return false;
	if (d->fd < 0) {
		r = make(d, name, &err);
		made = r >= 0;
	}
	if (r >= 0 && d->mtu != mtu)
		r = bring_up(d, mtu, &err);
	d->problem = r < 0 ? err : (struct err){};
	d->retry_us = now_us + TUNNEL_DEVICE_RETRY_US;
	return made;
}

bool tunnel_device_is(int fd, const char *name)
{
	struct ifreq ifr = {};

	return ioctl(fd, TUNGETIFF, &ifr) >= 0 && (ifr.ifr_flags & TUN_FLAGS) == TUN_FLAGS &&
	       strncmp(ifr.ifr_name, name, sizeof(ifr.ifr_name)) == 0;
}

void tunnel_device_adopt(struct tunnel_device *d, int take_fd)
{
	struct ifreq ifr = {};

	if (d->fd >= 0 || ioctl(take_fd, TUNGETIFF, &ifr) < 0 ||
		(ifr.ifr_flags & TUN_FLAGS) != TUN_FLAGS) {
		close(take_fd);
		return;
	}
	d->fd = take_fd;
	memcpy(d->name, ifr.ifr_name, sizeof(d->name));
	d->name[sizeof(d->name) - 1] = '\0';
	d->ifindex = (int)if_nametoindex(d->name);
	log_info("tunnel", "interface is there, as before name=%s", d->name);
}

/* ---- addresses ---- */

static bool is_link_local(const struct addr *a)
{
	static const struct prefix link_local = {{AF_INET6, {0xfe, 0x80}}, 10};

	return prefix_contains_addr(&link_local, a);
}

static bool is_seen(const struct ifaddr_set *seen, int ifindex, const struct addr *a)
{
	for (size_t i = 0; i < seen->n; i++)
		if (seen->list[i].ifindex == ifindex && addr_cmp(&seen->list[i].address, a) == 0)
			return true;
	return false;
}

static bool is_wanted(const struct prefix *list, size_t n, const struct addr *a)
{
	for (size_t i = 0; i < n; i++)
		if (addr_cmp(&list[i].addr, a) == 0)
			return true;
	return false;
}

static int add_addresses(struct nl_sock *s, struct tunnel_device *d, const struct ifaddr_set *seen,
	const struct prefix *list, size_t n, struct err *err)
{
	int r = 0;

	for (size_t i = 0; i < n && r >= 0; i++) {
		if (is_seen(seen, d->ifindex, &list[i].addr))
			continue;
		r = ifaddr_add(s, d->ifindex, &list[i].addr, err);
		r = r == -EEXIST ? 0 : r;
	}
	return r;
}

static int remove_others(struct nl_sock *s, struct tunnel_device *d, const struct ifaddr_set *seen,
	const struct prefix *list, size_t n, struct err *err)
{
	int r = 0;

	for (size_t i = 0; i < seen->n && r >= 0; i++) {
		const struct ifaddr_entry *a = &seen->list[i];
		if (a->ifindex != d->ifindex || is_link_local(&a->address) ||
			is_wanted(list, n, &a->address))
			continue;
		r = ifaddr_remove(s, d->ifindex, &a->address, err);
		r = r == -EADDRNOTAVAIL ? 0 : r;
	}
	return r;
}

void tunnel_device_addresses(struct tunnel_device *d, const struct ifaddr_set *seen,
	const struct prefix *list, size_t n, bool only)
{
	struct nl_sock *s;
	struct err err = {};

	if (d->fd < 0)
		return;
	int r = nl_open(NETLINK_ROUTE, &s, &err);
	if (r >= 0) {
		r = add_addresses(s, d, seen, list, n, &err);
		if (r >= 0 && only)
			r = remove_others(s, d, seen, list, n, &err);
		nl_close(s);
	}
	if (r < 0) {
		(void)err_ctx(&err, "%s: addresses", d->name);
		d->problem = err;
	}
}

/* ---- its end ---- */

void tunnel_device_remove(struct tunnel_device *d)
{
	struct nl_sock *s;
	struct err err = {};

	if (d->fd < 0)
		return;
	int r = nl_open(NETLINK_ROUTE, &s, &err);
	if (r >= 0) {
		r = link_remove(s, d->ifindex, &err);
		nl_close(s);
	}
	if (r < 0 && r != -ENODEV)
		log_warn("tunnel", "interface cannot be removed name=%s: %s", d->name, err.msg);
	else
		log_info("tunnel", "interface removed name=%s", d->name);
	tunnel_device_clear(d);
}

static int remove_marked(struct nl_sock *s, const char *name, struct err *err)
{
	struct link_set links = {};
	int r = link_dump(s, &links, err);

	if (r < 0)
		return r;
	const struct link *l = link_by_name(&links, name);
	if (l && l->ours)
		r = link_remove(s, l->ifindex, err);
	link_set_clear(&links);
	return r == -ENODEV ? 0 : r;
}

int tunnel_device_remove_named(const char *name, struct err *err)
{
	struct nl_sock *s;
	int r = nl_open(NETLINK_ROUTE, &s, err);

	if (r < 0)
		return r;
	r = remove_marked(s, name, err);
	nl_close(s);
	return r < 0 ? err_ctx(err, "%s", name) : 0;
}

void tunnel_device_clear(struct tunnel_device *d)
{
	if (d->fd >= 0)
		close(d->fd);
	tunnel_device_init(d);
}
