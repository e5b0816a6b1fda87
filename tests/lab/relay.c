/* SPDX-License-Identifier: Apache-2.0 */
/*
 * relay: carries packets between a TUN at the edge and a TUN on a gateway.
 *
 * Stands for everything between Cloudflare's edge and the client on a Mesh node: what the edge's
 * namespace routes into its TUN comes out of the gateway's, and back. It opens both devices and
 * nothing more; addresses, routes and link state belong to the test (warp.py).
 *
 * A packet is passed on unread except for its version nibble: the TTL stays, since the kernels on
 * both sides decrement it when they forward. Nothing is queued here: what the other side does not
 * take at once is dropped and counted, so a stalled reader fills the kernel's own TUN queue as a
 * stalled client would.
 *
 * Control: a SOCK_SEQPACKET socket, one command a connection, answered by "ok", a JSON line or
 * "error: ...". It exists only once both devices do. Without --control there is none.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "lib/own.h"

/* Packets from one side before the other gets its turn. */
constexpr int burst = 64;
/* Largest IP packet, which a TUN with segmentation offload hands over, behind its header. */
constexpr size_t packet_max = 65535 + sizeof(struct virtio_net_hdr);

enum side_id { SIDE_GW, SIDE_EDGE, SIDES };

struct side {
	const char *name;
	const char *netns;
	const char *ifname;
	int fd; /* -1: closed */
	bool stalled;
	/* of what was read from this side */
	uint64_t packets, bytes, lost, malformed, refused;
};

struct relay {
	struct side side[SIDES];
	const char *control_path;
	int home; /* the namespace we started in */
	int listener, client;
	int mtu;
	unsigned loss; /* of 1000 */
	bool persist, offload;
};

/* Creates the TUN, or attaches to the persistent one, in the namespace we are in. */
static int tun_create(const struct relay *r, const struct side *s, bool persist)
{
	autoclose int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	autoclose int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || sock < 0)
		return -errno;

	struct ifreq ifr = {.ifr_flags = IFF_TUN | IFF_NO_PI};
	if (r->offload)
		ifr.ifr_flags |= IFF_VNET_HDR;
	memcpy(ifr.ifr_name, s->ifname, strlen(s->ifname));
	if (ioctl(fd, TUNSETIFF, &ifr) < 0 || ioctl(fd, TUNSETPERSIST, persist) < 0)
		return -errno;
	if (r->offload && ioctl(fd, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6) < 0)
		return -errno;
	ifr.ifr_mtu = r->mtu;
	if (ioctl(sock, SIOCSIFMTU, &ifr) < 0)
		return -errno;
	return fd_take(&fd);
}

/* A TUN belongs to the namespace in which its descriptor was opened (drivers/net/tun.c,
 * tun_chr_open), so the namespace is visited for the open. */
static int side_open(const struct relay *r, struct side *s)
{
	if (s->fd >= 0)
		return -EALREADY;

	char path[PATH_MAX];
	int len = snprintf(path, sizeof(path), "/run/netns/%s", s->netns);
	if (len < 0 || (size_t)len >= sizeof(path))
		return -ENAMETOOLONG;
	autoclose int ns = open(path, O_RDONLY | O_CLOEXEC);
	if (ns < 0 || setns(ns, CLONE_NEWNET) < 0)
		return -errno;

	int fd = tun_create(r, s, r->persist && s == &r->side[SIDE_GW]);
	if (setns(r->home, CLONE_NEWNET) < 0)
		err(1, "cannot return from namespace %s", s->netns);
	if (fd < 0)
		return fd;
	s->fd = fd;
	return 0;
}

static void side_close(struct side *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}

static bool packet_valid(const struct relay *r, const uint8_t *buf, size_t len)
{
	size_t header = r->offload ? sizeof(struct virtio_net_hdr) : 0;
	if (len <= header)
		return false;
	uint8_t version = buf[header] >> 4;
	return version == 4 || version == 6;
}

static void packet_pass(const struct relay *r, struct side *from, const uint8_t *buf, size_t len)
{
	const struct side *to = &r->side[from == &r->side[SIDE_GW] ? SIDE_EDGE : SIDE_GW];

	if (!packet_valid(r, buf, len)) {
		from->malformed++;
	} else if ((unsigned)(random() % 1000) < r->loss) {
		from->lost++;
	} else if (to->fd < 0 || write(to->fd, buf, len) < 0) {
		from->refused++;
	} else {
		from->packets++;
		from->bytes += len;
	}
}

static void side_read(const struct relay *r, struct side *s)
{
	static uint8_t buf[packet_max];

	for (int i = 0; i < burst; i++) {
		ssize_t n = read(s->fd, buf, sizeof(buf));
		if (n >= 0) {
			packet_pass(r, s, buf, (size_t)n);
			continue;
		}
		/* EBADFD: someone deleted the device under us. */
		if (errno == EBADFD)
			side_close(s);
		return;
	}
}

static struct side *side_find(struct relay *r, const char *name)
{
	for (int i = 0; i < SIDES; i++)
		if (strcmp(r->side[i].name, name) == 0)
			return &r->side[i];
	return nullptr;
}

static int number_parse(const char *text, long max, long *out)
{
	char *end;
	errno = 0;
	long n = strtol(text, &end, 10);
	if (errno || end == text || *end || n < 0 || n > max)
		return -EINVAL;
	*out = n;
	return 0;
}

static int cmd_stall(struct relay *r, const char *arg, FILE *reply [[maybe_unused]])
{
	struct side *s = side_find(r, arg);
	if (!s)
		return -EINVAL;
	s->stalled = true;
	return 0;
}

static int cmd_resume(
	struct relay *r, const char *arg [[maybe_unused]], FILE *reply [[maybe_unused]])
{
	for (int i = 0; i < SIDES; i++)
		r->side[i].stalled = false;
	return 0;
}

static int cmd_loss(struct relay *r, const char *arg, FILE *reply [[maybe_unused]])
{
	long n;
	int rc = number_parse(arg, 1000, &n);
	if (rc < 0)
		return rc;
	r->loss = (unsigned)n;
	return 0;
}

static int cmd_persist(struct relay *r, const char *arg, FILE *reply [[maybe_unused]])
{
	const struct side *gw = &r->side[SIDE_GW];
	bool on = strcmp(arg, "on") == 0;

	if (!on && strcmp(arg, "off") != 0)
		return -EINVAL;
	if (gw->fd >= 0 && ioctl(gw->fd, TUNSETPERSIST, on) < 0)
		return -errno;
	r->persist = on;
	return 0;
}

/* A persistent TUN stays, without a reader; any other is gone when this returns. */
static int cmd_close_gw(
	struct relay *r, const char *arg [[maybe_unused]], FILE *reply [[maybe_unused]])
{
	side_close(&r->side[SIDE_GW]);
	return 0;
}

static int cmd_open_gw(
	struct relay *r, const char *arg [[maybe_unused]], FILE *reply [[maybe_unused]])
{
	return side_open(r, &r->side[SIDE_GW]);
}

static int cmd_reopen_gw(
	struct relay *r, const char *arg [[maybe_unused]], FILE *reply [[maybe_unused]])
{
	struct side *gw = &r->side[SIDE_GW];

	if (gw->fd >= 0 && ioctl(gw->fd, TUNSETPERSIST, false) < 0)
		return -errno;
	side_close(gw);
	return side_open(r, gw);
}

static int cmd_stats(struct relay *r, const char *arg [[maybe_unused]], FILE *reply)
{
	fprintf(reply, "{\"pid\": %d", getpid());
	for (int i = 0; i < SIDES; i++) {
		const struct side *s = &r->side[i];
		fprintf(reply,
			", \"%s\": {\"open\": %s, \"stalled\": %s, \"packets\": %ju, "
			"\"bytes\": %ju, \"lost\": %ju, \"malformed\": %ju, \"refused\": %ju}",
			s->name, s->fd >= 0 ? "true" : "false", s->stalled ? "true" : "false",
			(uintmax_t)s->packets, (uintmax_t)s->bytes, (uintmax_t)s->lost,
			(uintmax_t)s->malformed, (uintmax_t)s->refused);
	}
	fputs("}", reply);
	return 0;
}

static const struct command {
	const char *name;
	bool has_arg;
	int (*run)(struct relay *r, const char *arg, FILE *reply);
} commands[] = {
	{"stall", true, cmd_stall},
	{"resume", false, cmd_resume},
	{"loss", true, cmd_loss},
	{"persist", true, cmd_persist},
	{"close-gw", false, cmd_close_gw},
	{"open-gw", false, cmd_open_gw},
	{"reopen-gw", false, cmd_reopen_gw},
	{"stats", false, cmd_stats},
};

/* Runs one line, "name" or "name argument". */
static int command_run(struct relay *r, char *line, FILE *reply)
{
	line[strcspn(line, "\n")] = '\0';
	char *arg = strchr(line, ' ');
	if (arg)
		*arg++ = '\0';
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		const struct command *c = &commands[i];
		if (strcmp(c->name, line) == 0 && c->has_arg == (arg != nullptr))
			return c->run(r, arg, reply);
	}
	return -ENOTSUP;
}

static void control_serve(struct relay *r)
{
	char line[128] = {}, text[1024] = {};
	ssize_t n = recv(r->client, line, sizeof(line) - 1, MSG_DONTWAIT);

	if (n > 0) {
		autofclose FILE *reply = fmemopen(text, sizeof(text), "w");
		if (!reply)
			err(1, "fmemopen");
		int rc = command_run(r, line, reply);
		if (rc < 0)
			fprintf(reply, "error: %s", strerror(-rc));
		else if (ftell(reply) == 0)
			fputs("ok", reply);
		fflush(reply);
		(void)send(r->client, text, strlen(text), MSG_DONTWAIT | MSG_NOSIGNAL);
	}
	close(r->client);
	r->client = -1;
}

static int control_listen(const char *path)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof(sun.sun_path))
		errx(2, "%s: path too long", path);
	memcpy(sun.sun_path, path, strlen(path));

	autoclose int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		err(1, "socket");
	(void)unlink(path);
	umask(0077);
	if (bind(fd, (const struct sockaddr *)&sun, sizeof(sun)) < 0 || listen(fd, 8) < 0)
		err(1, "%s", path);
	return fd_take(&fd);
}

/* One client at a time; the others wait in the backlog. */
static void relay_wait(const struct relay *r, struct pollfd p[static SIDES + 1])
{
	for (int i = 0; i < SIDES; i++) {
		const struct side *s = &r->side[i];
		p[i] = (struct pollfd){.fd = s->stalled ? -1 : s->fd, .events = POLLIN};
	}
	p[SIDES] = (struct pollfd){
		.fd = r->client >= 0 ? r->client : r->listener,
		.events = POLLIN,
	};
	while (poll(p, SIDES + 1, -1) < 0)
		if (errno != EINTR)
			err(1, "poll");
}

[[noreturn]] static void relay_run(struct relay *r)
{
	struct pollfd p[SIDES + 1];

	for (;;) {
		relay_wait(r, p);
		for (int i = 0; i < SIDES; i++)
			if (p[i].revents)
				side_read(r, &r->side[i]);
		if (p[SIDES].revents && r->client >= 0)
			control_serve(r);
		else if (p[SIDES].revents)
			r->client = accept4(r->listener, nullptr, nullptr, SOCK_CLOEXEC);
	}
}

enum option_id {
	OPT_GW_NETNS,
	OPT_GW_IF,
	OPT_EDGE_NETNS,
	OPT_EDGE_IF,
	OPT_CONTROL,
	OPT_MTU,
	OPT_LOSS,
	OPT_PERSIST,
	OPT_OFFLOAD,
	OPTIONS,
};

static const struct option option_table[] = {
	{"gw-netns", required_argument, nullptr, OPT_GW_NETNS},
	{"gw-if", required_argument, nullptr, OPT_GW_IF},
	{"edge-netns", required_argument, nullptr, OPT_EDGE_NETNS},
	{"edge-if", required_argument, nullptr, OPT_EDGE_IF},
	{"control", required_argument, nullptr, OPT_CONTROL},
	{"mtu", required_argument, nullptr, OPT_MTU},
	{"loss", required_argument, nullptr, OPT_LOSS},
	{"persist", no_argument, nullptr, OPT_PERSIST},
	{"offload", no_argument, nullptr, OPT_OFFLOAD},
	{},
};

[[noreturn]] static void usage(void)
{
	errx(2, "usage: relay --edge-netns NAME --edge-if NAME --gw-netns NAME --gw-if NAME\n"
		"             [--control PATH] [--mtu N] [--loss N] [--persist] [--offload]");
}

static long option_number(const char *text, long max, long otherwise)
{
	long n = otherwise;
	if (text && number_parse(text, max, &n) < 0)
		errx(2, "%s: not a number up to %ld", text, max);
	return n;
}

static struct side side_init(const char *name, const char *netns, const char *ifname)
{
	if (!netns || !ifname)
		usage();
	if (!*ifname || strlen(ifname) >= IFNAMSIZ)
		errx(2, "%s: not an interface name", ifname);
	return (struct side){.name = name, .netns = netns, .ifname = ifname, .fd = -1};
}

static struct relay relay_init(int argc, char **argv)
{
	const char *given[OPTIONS] = {};
	int id;
	while ((id = getopt_long(argc, argv, "", option_table, nullptr)) != -1) {
		if (id == '?')
			usage();
		given[id] = optarg ? optarg : "";
	}
	if (optind != argc)
		usage();
	return (struct relay){
		.side =
			{
				[SIDE_GW] = side_init("gw", given[OPT_GW_NETNS], given[OPT_GW_IF]),
				[SIDE_EDGE] = side_init(
					"edge", given[OPT_EDGE_NETNS], given[OPT_EDGE_IF]),
			},
		.control_path = given[OPT_CONTROL],
		.home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC),
		.listener = -1,
		.client = -1,
		.mtu = (int)option_number(given[OPT_MTU], 65535, 1280),
		.loss = (unsigned)option_number(given[OPT_LOSS], 1000, 0),
		.persist = given[OPT_PERSIST],
		.offload = given[OPT_OFFLOAD],
	};
}

int main(int argc, char **argv)
{
	struct relay r = relay_init(argc, argv);

	if (r.home < 0)
		err(1, "/proc/self/ns/net");
	for (int i = 0; i < SIDES; i++) {
		struct side *s = &r.side[i];
		int rc = side_open(&r, s);
		if (rc < 0)
			errx(1, "%s in namespace %s: %s", s->ifname, s->netns, strerror(-rc));
	}
	if (r.control_path)
		r.listener = control_listen(r.control_path);
	relay_run(&r);
}
