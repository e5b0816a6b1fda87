/* SPDX-License-Identifier: Apache-2.0 */
#include "data/tun.h"
#include "data/coalesce.h"
#include "lib/log.h"
#include "lib/xmalloc.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

constexpr size_t VNET = sizeof(struct virtio_net_hdr);

struct tun {
	int fd;
	bool vnet;
	struct coalesce *out;
	struct tun_counters counters;
};

/* From everything down to nothing: what the kernel does not know it refuses as a whole. */
static const struct offload {
	unsigned bits;
	bool udp;
	const char *missing;
} offloads[] = {
	{TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN | TUN_F_USO4 | TUN_F_USO6, true,
		nullptr},
	{TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN, false, "UDP (Linux 6.2)"},
	{TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6, false, "UDP, ECN"},
	{TUN_F_CSUM, false, "TCP, UDP"},
	{0, false, "TCP, UDP, checksums"},
};

static int ask_offloads(struct tun *t, struct coalesce_limits *limits, struct err *err)
{
	int size = VNET;

	if (ioctl(t->fd, TUNSETVNETHDRSZ, &size) < 0)
		return err_set(err, errno, "tun: header size: %s", strerror(errno));
	for (size_t i = 0; i < sizeof(offloads) / sizeof(offloads[0]); i++) {
		const struct offload *o = &offloads[i];
		if (ioctl(t->fd, TUNSETOFFLOAD, (unsigned long)o->bits) < 0)
			continue;
		if (o->missing)
			log_warn("tun", "slower: this kernel's TUN has no offload of %s",
				o->missing);
		*limits = (struct coalesce_limits){.tcp = true, .udp = o->udp};
		return 0;
	}
	return err_set(err, errno, "tun: offloads: %s", strerror(errno));
}

static int set_up(struct tun *t, struct err *err)
{
	struct coalesce_limits limits = {};
	struct ifreq ifr = {};
	int r = 0;

	if (ioctl(t->fd, TUNGETIFF, &ifr) < 0)
		return err_set(err, errno, "tun: no TUN device: %s", strerror(errno));
	/* IFF_NO_PI cannot be asked for: TUNGETIFF gives its bit another meaning (IFF_NOFILTER). */
	if (!(ifr.ifr_flags & IFF_TUN))
		return err_set(err, EINVAL, "tun: %.*s is no TUN device", IFNAMSIZ, ifr.ifr_name);
	int flags = fcntl(t->fd, F_GETFL);
	if (flags < 0 || fcntl(t->fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return err_set(err, errno, "tun: %s", strerror(errno));
	t->vnet = ifr.ifr_flags & IFF_VNET_HDR;
	if (t->vnet)
		r = ask_offloads(t, &limits, err);
	else
		log_warn("tun", "slower: opened without IFF_VNET_HDR, packets go one by one");
	t->out = coalesce_new(&limits);
	return r;
}

int tun_new(int take_fd, struct tun **out, struct err *err)
{
	struct tun *t = xcalloc(1, sizeof(*t));

	t->fd = take_fd;
	int r = set_up(t, err);
	if (r < 0) {
		tun_free(t);
		return r;
	}
	*out = t;
	return 0;
}

void tun_free(struct tun *t)
{
	if (!t)
		return;
	close(t->fd);
	coalesce_free(t->out);
	free(t);
}

int tun_fd(const struct tun *t)
{
	return t->fd;
}

/* Of a device that has but one queue there is one open file. */
bool tun_is_same(const struct tun *t, int fd)
{
	struct ifreq ours = {}, theirs = {};

	return ioctl(t->fd, TUNGETIFF, &ours) == 0 && ioctl(fd, TUNGETIFF, &theirs) == 0 &&
	       !(theirs.ifr_flags & IFF_MULTI_QUEUE) &&
	       strncmp(ours.ifr_name, theirs.ifr_name, IFNAMSIZ) == 0;
}

const struct tun_counters *tun_counters(const struct tun *t)
{
	return &t->counters;
}

int tun_read(struct tun *t, struct virtio_net_hdr *vnet, uint8_t buffer[TUN_BUFFER])
{
	size_t front = t->vnet ? VNET : 0;
	uint8_t *at = buffer + TUN_HEADROOM - front;
	ssize_t n = read(t->fd, at, TUN_BUFFER - TUN_HEADROOM + front);

	if (n < 0)
		return -errno;
	if ((size_t)n < front)
		return -EIO;
	*vnet = (struct virtio_net_hdr){};
	memcpy(vnet, at, front);
	n -= (ssize_t)front;
	t->counters.read++;
	t->counters.read_bytes += (size_t)n;
	return (int)n;
}

/* A full queue, a device that is down, a packet that the kernel finds wrong: lost, as on any
 * wire. */
static void put(struct tun *t, const struct iovec *pieces, size_t n)
{
	ssize_t written;

	do
		written = writev(t->fd, pieces, (int)n);
	while (written < 0 && errno == EINTR);
	if (written < 0) {
		t->counters.lost++;
		return;
	}
	t->counters.written++;
	t->counters.written_bytes += (size_t)written;
}

void tun_flush(struct tun *t)
{
	struct iovec pieces[COALESCE_PIECES_MAX];
	size_t items = coalesce_finish(t->out);

	for (size_t i = 0; i < items; i++) {
		size_t n = coalesce_item(t->out, i, pieces);
		if (!t->vnet) {
			pieces[0].iov_base = (uint8_t *)pieces[0].iov_base + VNET;
			pieces[0].iov_len -= VNET;
		}
		put(t, pieces, n);
	}
	coalesce_reset(t->out);
}

void tun_write(struct tun *t, const uint8_t *packet, size_t n)
{
	if (coalesce_add(t->out, packet, n))
		return;
	tun_flush(t);
	if (!coalesce_add(t->out, packet, n))
		t->counters.lost++;
}
