/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flood: as many 64-byte UDP packets as one core can send, and how many of them came out.
 *
 * Frames of 60 bytes (64 with the checksum of a real wire) leave by an AF_PACKET socket past the
 * queueing discipline, so that the sender costs little beside what it measures. They belong to
 * --flows flows, told apart by their source port, from one source address: to the gateway's
 * connection tracking a flow like any other that nobody has answered yet.
 *
 * With --begin, TCP connections are begun beside that, so many a second and evenly, each from a
 * source port of its own to a port that nobody listens on: a flow that is refused.
 *
 * Arrivals are the receive counter of an interface in another network namespace, read by the
 * sender itself at the begin and at the end of its window. Nothing here judges: one JSON object
 * with packets and seconds goes to stdout.
 */
#include "find.h"
#include "lib/own.h"
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <libmnl/libmnl.h>
#include <linux/if_packet.h>
#include <linux/rtnetlink.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ether.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

constexpr size_t frame_len = 60;
constexpr unsigned batch = 64;
constexpr unsigned flows_max = 4096;
constexpr uint16_t port_first = 20000;
constexpr uint16_t port_discard = 9; /* RFC 863 */
constexpr uint16_t port_closed = 1;
constexpr unsigned begin_first = 30000;
constexpr unsigned begin_ports = 30000;

struct options {
	const char *dev, *mac, *src, *dst, *count_netns, *count_dev;
	double warmup_s, seconds, begin_rate;
	unsigned flows;
};

struct flood {
	int fd;
	struct mnl_socket *counters; /* in the namespace of the counted interface */
	unsigned counted_ifindex;
	unsigned flows;
	uint8_t (*frames)[frame_len];
	struct mmsghdr *msgs;
	struct iovec *iov;
	uint64_t sent, begun;
	double begin_rate, begin_at_s;
	struct {
		struct ether_header eth;
		struct iphdr ip;
		struct tcphdr tcp;
	} __attribute__((packed)) syn;
};

/* What the window saw. */
struct sample {
	double at_s, cpu_s;
	uint64_t sent, received, begun;
};

static double clock_s(clockid_t id)
{
	struct timespec ts;
	clock_gettime(id, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static uint16_t checksum(const void *data, size_t len)
{
	const uint8_t *p = data;
	uint32_t sum = 0;
	for (size_t i = 0; i < len; i += 2)
		sum += (uint32_t)(p[i] << 8 | p[i + 1]);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

static struct ether_header ethernet_header(const struct options *o)
{
	struct ether_header eth = {.ether_type = htons(ETHERTYPE_IP)};
	const struct ether_addr *to = ether_aton(o->mac);
	if (!to)
		errx(2, "%s: not an Ethernet address", o->mac);
	memcpy(eth.ether_dhost, to, ETH_ALEN);
	eth.ether_shost[0] = 0x02; /* locally administered */
	return eth;
}

static struct iphdr ip_header(const struct options *o, uint8_t protocol, size_t payload)
{
	struct iphdr ip = {
		.version = 4,
		.ihl = sizeof(ip) / 4,
		.tot_len = htons((uint16_t)(sizeof(ip) + payload)),
		.ttl = 64,
		.protocol = protocol,
	};
	if (inet_pton(AF_INET, o->src, &ip.saddr) != 1 ||
		inet_pton(AF_INET, o->dst, &ip.daddr) != 1)
		errx(2, "%s, %s: not IPv4 addresses", o->src, o->dst);
	ip.check = checksum(&ip, sizeof(ip));
	return ip;
}

static void frame_fill(uint8_t frame[static frame_len], const struct options *o, unsigned flow)
{
	struct ether_header eth = ethernet_header(o);
	struct iphdr ip = ip_header(o, IPPROTO_UDP, frame_len - sizeof(eth) - sizeof(ip));

	/* A UDP checksum of zero says that there is none (RFC 768). */
	struct udphdr udp = {
		.source = htons((uint16_t)(port_first + flow)),
		.dest = htons(port_discard),
		.len = htons(frame_len - sizeof(eth) - sizeof(ip)),
	};
	memset(frame, 0, frame_len);
	memcpy(frame, &eth, sizeof(eth));
	memcpy(frame + sizeof(eth), &ip, sizeof(ip));
	memcpy(frame + sizeof(eth) + sizeof(ip), &udp, sizeof(udp));
}

static void syn_fill(struct flood *f, const struct options *o)
{
	f->syn.eth = ethernet_header(o);
	f->syn.ip = ip_header(o, IPPROTO_TCP, sizeof(f->syn.tcp));
	f->syn.tcp = (struct tcphdr){.dest = htons(port_closed),
		.seq = htonl(1),
		.doff = sizeof(f->syn.tcp) / 4,
		.syn = 1,
		.window = htons(64000)};
}

/* Of the pseudo header and the header (RFC 9293, 3.1). */
static uint16_t syn_checksum(const struct flood *f)
{
	const struct iphdr ip = f->syn.ip;
	const struct tcphdr tcp = f->syn.tcp;
	uint8_t pseudo[12 + sizeof(tcp)] = {[9] = IPPROTO_TCP, [11] = sizeof(tcp)};

	memcpy(pseudo, &ip.saddr, sizeof(ip.saddr));
	memcpy(pseudo + 4, &ip.daddr, sizeof(ip.daddr));
	memcpy(pseudo + 12, &tcp, sizeof(tcp));
	return checksum(pseudo, sizeof(pseudo));
}

/* Those that are due by now. */
static void begin_due(struct flood *f, double now_s)
{
	while (f->begin_rate > 0 && f->begin_at_s <= now_s) {
		f->begin_at_s += 1 / f->begin_rate;
		f->syn.tcp.source = htons((uint16_t)(begin_first + f->begun % begin_ports));
		f->syn.tcp.check = 0;
		f->syn.tcp.check = syn_checksum(f);
		if (send(f->fd, &f->syn, sizeof(f->syn), 0) < 0) {
			if (errno != ENOBUFS && errno != EAGAIN)
				err(1, "send");
			continue;
		}
		f->begun++;
	}
}

/* One message a flow; a batch is a window that moves over them, so a few follow again behind
 * the end. */
static void frames_make(struct flood *f, const struct options *o)
{
	size_t n = o->flows + batch;
	f->flows = o->flows;
	f->frames = calloc(o->flows, sizeof(*f->frames));
	f->iov = calloc(o->flows, sizeof(*f->iov));
	f->msgs = calloc(n, sizeof(*f->msgs));
	if (!f->frames || !f->iov || !f->msgs)
		err(1, "memory");
	for (unsigned i = 0; i < o->flows; i++) {
		frame_fill(f->frames[i], o, i);
		f->iov[i] = (struct iovec){.iov_base = f->frames[i], .iov_len = frame_len};
	}
	for (unsigned i = 0; i < n; i++)
		f->msgs[i].msg_hdr = (struct msghdr){
			.msg_iov = &f->iov[i % o->flows], .msg_iovlen = 1};
}

/* Protocol 0: the socket receives nothing, whatever arrives. */
static int sender_open(const char *dev)
{
	struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(dev)};
	autoclose int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	int bypass = 1;

	if (to.sll_ifindex == 0)
		err(1, "%s", dev);
	if (fd < 0 || bind(fd, (const struct sockaddr *)&to, sizeof(to)) < 0 ||
		setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &bypass, sizeof(bypass)) < 0)
		err(1, "packet socket on %s", dev);
	return fd_take(&fd);
}

/* A socket stays in the namespace that it was made in. */
static void counters_open(struct flood *f, const struct options *o)
{
	autoclose int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	autoclose int there = open(o->count_netns, O_RDONLY | O_CLOEXEC);
	if (home < 0 || there < 0 || setns(there, CLONE_NEWNET) < 0)
		err(1, "namespace %s", o->count_netns);
	f->counters = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	f->counted_ifindex = if_nametoindex(o->count_dev);
	if (!f->counters || f->counted_ifindex == 0)
		err(1, "%s in %s", o->count_dev, o->count_netns);
	if (setns(home, CLONE_NEWNET) < 0)
		err(1, "back from namespace %s", o->count_netns);
}

static int counter_read(const struct nlmsghdr *nlh, void *arg)
{
	const struct nlattr *attr = find_attr(nlh, sizeof(struct if_stats_msg), IFLA_STATS_LINK_64);
	struct rtnl_link_stats64 stats;
	if (!attr)
		return MNL_CB_ERROR;
	memcpy(&stats, mnl_attr_get_payload(attr), sizeof(stats));
	*(uint64_t *)arg = stats.rx_packets;
	return MNL_CB_STOP;
}

static uint64_t received(const struct flood *f)
{
	alignas(struct nlmsghdr) char buf[4096];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	nlh->nlmsg_type = RTM_GETSTATS;
	nlh->nlmsg_flags = NLM_F_REQUEST;
	struct if_stats_msg *ism = mnl_nlmsg_put_extra_header(nlh, sizeof(*ism));
	ism->ifindex = f->counted_ifindex;
	ism->filter_mask = IFLA_STATS_FILTER_BIT(IFLA_STATS_LINK_64);

	uint64_t packets = UINT64_MAX;
	ssize_t n = mnl_socket_sendto(f->counters, nlh, nlh->nlmsg_len);
	if (n >= 0)
		n = mnl_socket_recvfrom(f->counters, buf, sizeof(buf));
	if (n < 0 || mnl_cb_run(buf, (size_t)n, 0, 0, counter_read, &packets) < 0 ||
		packets == UINT64_MAX)
		err(1, "receive counter");
	return packets;
}

/* A full transmit path says ENOBUFS: the packet is lost, which the receiver's counter shows. */
static void send_for(struct flood *f, double seconds)
{
	double end = clock_s(CLOCK_MONOTONIC) + seconds;
	unsigned at = 0;
	do {
		int n = sendmmsg(f->fd, f->msgs + at, batch, 0);
		if (n < 0 && errno != ENOBUFS && errno != EAGAIN)
			err(1, "send");
		f->sent += n > 0 ? (unsigned)n : 0;
		at = (at + batch) % f->flows;
		begin_due(f, clock_s(CLOCK_MONOTONIC));
	} while (clock_s(CLOCK_MONOTONIC) < end);
}

static struct sample sample_take(const struct flood *f)
{
	return (struct sample){
		.at_s = clock_s(CLOCK_MONOTONIC),
		.cpu_s = clock_s(CLOCK_THREAD_CPUTIME_ID),
		.sent = f->sent,
		.begun = f->begun,
		.received = received(f),
	};
}

static void run(struct flood *f, const struct options *o)
{
	f->begin_rate = o->begin_rate;
	f->begin_at_s = clock_s(CLOCK_MONOTONIC);
	send_for(f, o->warmup_s);
	struct sample a = sample_take(f);
	send_for(f, o->seconds);
	struct sample b = sample_take(f);
	printf("{\"seconds\": %.6f, \"cpu\": %.6f, \"sent\": %ju, \"received\": %ju, "
	       "\"begun\": %ju, \"begun_all\": %ju}\n",
		b.at_s - a.at_s, b.cpu_s - a.cpu_s, (uintmax_t)(b.sent - a.sent),
		(uintmax_t)(b.received - a.received), (uintmax_t)(b.begun - a.begun),
		(uintmax_t)b.begun);
}

static double number(const char *text, double min, double max)
{
	char *end;
	double n = strtod(text, &end);
	if (end == text || *end || !(n >= min && n <= max))
		errx(2, "%s: not a number from %g to %g", text, min, max);
	return n;
}

static const struct option long_options[] = {
	{"dev", required_argument, nullptr, 'd'},
	{"mac", required_argument, nullptr, 'm'},
	{"src", required_argument, nullptr, 's'},
	{"dst", required_argument, nullptr, 't'},
	{"count-netns", required_argument, nullptr, 'N'},
	{"count-dev", required_argument, nullptr, 'D'},
	{"warmup", required_argument, nullptr, 'w'},
	{"seconds", required_argument, nullptr, 'S'},
	{"flows", required_argument, nullptr, 'f'},
	{"begin", required_argument, nullptr, 'b'},
	{},
};

[[noreturn]] static void usage(void)
{
	errx(2, "usage: flood --dev IF --mac MAC --src ADDR --dst ADDR --count-netns PATH\n"
		"             --count-dev IF [--warmup S] [--seconds S] [--flows N] [--begin N]");
}

static struct options options_parse(int argc, char **argv)
{
	struct options o = {.warmup_s = 0.2, .seconds = 1, .flows = 256};
	const struct {
		int id;
		const char **text;
	} texts[] = {{'d', &o.dev}, {'m', &o.mac}, {'s', &o.src}, {'t', &o.dst},
		{'N', &o.count_netns}, {'D', &o.count_dev}};

	for (int c; (c = getopt_long(argc, argv, "", long_options, nullptr)) != -1;) {
		for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
			if (texts[i].id == c)
				*texts[i].text = optarg;
		if (c == 'w')
			o.warmup_s = number(optarg, 0, 60);
		else if (c == 'S')
			o.seconds = number(optarg, 0.01, 600);
		else if (c == 'f')
			o.flows = (unsigned)number(optarg, 1, flows_max);
		else if (c == 'b')
			o.begin_rate = number(optarg, 0, 100'000);
		else if (c == '?')
			usage();
	}
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (!*texts[i].text)
			usage();
	return o;
}

int main(int argc, char **argv)
{
	struct options o = options_parse(argc, argv);
	struct flood f = {};

	counters_open(&f, &o);
	f.fd = sender_open(o.dev);
	frames_make(&f, &o);
	syn_fill(&f, &o);
	run(&f, &o);
	mnl_socket_close(f.counters);
	close(f.fd);
	free(f.frames);
	free(f.iov);
	free(f.msgs);
	return 0;
}
