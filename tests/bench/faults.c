/* SPDX-License-Identifier: Apache-2.0 */
#include "faults.h"
#include "find.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/if_tun.h>
#include <linux/netconf.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

constexpr size_t request_size = 512;
static const char nft_table[] = "meshgw";

struct faults {
	const struct faults_setup *setup;
	struct observer observer;
	int tun, tun_ifindex;
	struct seen_route *routes; /* one a prefix, after learning */
};

struct request {
	alignas(struct nlmsghdr) uint8_t bytes[request_size];
};

static struct nlmsghdr *request_begin(
	struct request *q, uint16_t type, uint16_t flags, const void *header, size_t size)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(q->bytes);
	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = flags;
	memcpy(mnl_nlmsg_put_extra_header(nlh, size), header, size);
	return nlh;
}

/* ---- waiting ---- */

/* What is waited for: ended() sees each announcement and says whether it was the last one
 * missing. */
struct wait {
	struct faults *faults;
	bool (*ended)(const struct nlmsghdr *nlh, struct wait *w);
	const struct seen_route *route;
	size_t missing;
	bool *back;
	uint8_t family;
	int ifindex;
	bool seen; /* half of it */
	uint64_t at_ns;
};

static bool wait_cb(const struct nlmsghdr *nlh, uint64_t at_ns, void *arg)
{
	struct wait *w = arg;
	w->at_ns = at_ns;
	return w->ended(nlh, w);
}

static int wait_for_end(struct wait *w, uint64_t begin_ns, struct faults_took *took)
{
	took->fault_ns = observer_now_ns() - begin_ns;
	int r = observer_wait(&w->faults->observer, begin_ns + FAULTS_DEADLINE_NS, wait_cb, w);
	if (r >= 0)
		took->mended_ns = w->at_ns - begin_ns;
	return r;
}

/* ---- routes ---- */

static bool learn_one(const struct seen_route *r, void *arg)
{
	struct faults *f = arg;
	for (size_t i = 0; i < f->setup->n_prefixes; i++)
		if (r->protocol != RTPROT_KERNEL && !prefix_cmp(&r->dst, &f->setup->prefixes[i]))
			f->routes[i] = *r;
	return true;
}

int faults_learn(struct faults *f, char **, struct faults_took *)
{
	memset(f->routes, 0, f->setup->n_prefixes * sizeof(*f->routes));
	int r = observer_routes(&f->observer, AF_INET, learn_one, f);
	if (r >= 0)
		r = observer_routes(&f->observer, AF_INET6, learn_one, f);
	for (size_t i = 0; r >= 0 && i < f->setup->n_prefixes; i++)
		if (f->routes[i].protocol == 0)
			r = -ESRCH;
	return r;
}

static bool route_same(const struct seen_route *a, const struct seen_route *b)
{
	return !prefix_cmp(&a->dst, &b->dst) && a->table == b->table && a->metric == b->metric &&
	       a->protocol == b->protocol;
}

static bool route_ended(const struct nlmsghdr *nlh, struct wait *w)
{
	if (nlh->nlmsg_type != RTM_NEWROUTE)
		return false;
	struct seen_route r = observer_route(nlh);
	return route_same(&r, w->route) && r.oif == w->route->oif;
}

static int route_delete(struct faults *f, const struct seen_route *r)
{
	struct request q;
	struct rtmsg rtm = {
		.rtm_family = r->dst.addr.family,
		.rtm_dst_len = r->dst.len,
		.rtm_table = RT_TABLE_MAIN,
		.rtm_protocol = r->protocol,
		.rtm_scope = RT_SCOPE_NOWHERE,
	};
	struct nlmsghdr *nlh = request_begin(&q, RTM_DELROUTE, 0, &rtm, sizeof(rtm));
	mnl_attr_put(nlh, RTA_DST, addr_bytes(r->dst.addr.family), r->dst.addr.b);
	mnl_attr_put_u32(nlh, RTA_PRIORITY, r->metric);
	return observer_request(f->observer.ask, nlh);
}

int faults_route(struct faults *f, char **args, struct faults_took *took)
{
	struct prefix p;
	if (prefix_parse(args[0], &p) < 0)
		return -EINVAL;
	for (size_t i = 0; i < f->setup->n_prefixes; i++) {
		if (prefix_cmp(&p, &f->setup->prefixes[i]))
			continue;
		struct wait w = {.faults = f, .ended = route_ended, .route = &f->routes[i]};
		int r = observer_drain(&f->observer);
		uint64_t begin_ns = observer_now_ns();
		if (r >= 0)
			r = route_delete(f, &f->routes[i]);
		return r < 0 ? r : wait_for_end(&w, begin_ns, took);
	}
	return -EINVAL;
}

/* ---- the tunnel device ---- */

static int tun_make(struct faults *f)
{
	autoclose int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	struct ifreq ifr = {.ifr_flags = IFF_TUN | IFF_NO_PI};
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", f->setup->tun);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &ifr) < 0)
		return -errno;
	f->tun_ifindex = (int)if_nametoindex(f->setup->tun);
	f->tun = fd_take(&fd);
	return 0;
}

static int tun_address(struct faults *f, const struct prefix *p)
{
	struct request q;
	struct ifaddrmsg ifa = {
		.ifa_family = p->addr.family,
		.ifa_prefixlen = p->len,
		.ifa_flags = IFA_F_NODAD,
		.ifa_index = (unsigned)f->tun_ifindex,
	};
	struct nlmsghdr *nlh = request_begin(
		&q, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &ifa, sizeof(ifa));
	mnl_attr_put(nlh, IFA_LOCAL, addr_bytes(p->addr.family), p->addr.b);
	mnl_attr_put(nlh, IFA_ADDRESS, addr_bytes(p->addr.family), p->addr.b);
	return observer_request(f->observer.ask, nlh);
}

static int tun_up(struct faults *f)
{
	struct request q;
	struct ifinfomsg ifi = {
		.ifi_index = f->tun_ifindex, .ifi_flags = IFF_UP, .ifi_change = IFF_UP};
	return observer_request(
		f->observer.ask, request_begin(&q, RTM_NEWLINK, 0, &ifi, sizeof(ifi)));
}

static int tun_addresses(struct faults *f)
{
	int r = 0;
	for (size_t i = 0; r >= 0 && i < f->setup->n_addresses; i++)
		r = tun_address(f, &f->setup->addresses[i]);
	return r;
}

static bool tun_ended(const struct nlmsghdr *nlh, struct wait *w)
{
	const struct faults *f = w->faults;
	if (nlh->nlmsg_type != RTM_NEWROUTE)
		return false;
	struct seen_route r = observer_route(nlh);
	for (size_t i = 0; i < f->setup->n_prefixes; i++)
		if (route_same(&r, &f->routes[i]) && r.oif == f->tun_ifindex && !w->back[i]) {
			w->back[i] = true;
			w->missing--;
		}
	return w->missing == 0;
}

/* Nobody can mend anything before the device is up, so that is where the time begins. */
int faults_tun(struct faults *f, char **, struct faults_took *took)
{
	autofree bool *back = xcalloc(f->setup->n_prefixes, sizeof(*back));
	struct wait w = {
		.faults = f, .ended = tun_ended, .missing = f->setup->n_prefixes, .back = back};
	if (f->tun < 0)
		return -ENODEV;
	int r = observer_drain(&f->observer);
	close(f->tun);
	f->tun = -1;
	if (r >= 0)
		r = tun_make(f);
	if (r >= 0)
		r = tun_addresses(f);
	uint64_t begin_ns = observer_now_ns();
	if (r >= 0)
		r = tun_up(f);
	if (r >= 0)
		r = wait_for_end(&w, begin_ns, took);
	for (size_t i = 0; i < f->setup->n_prefixes; i++)
		f->routes[i].oif = f->tun_ifindex;
	return r;
}

/* ---- forwarding ---- */

static bool forwarding_ended(const struct nlmsghdr *nlh, struct wait *w)
{
	const struct netconfmsg *ncm = mnl_nlmsg_get_payload(nlh);
	if (nlh->nlmsg_type != RTM_NEWNETCONF || ncm->ncm_family != w->family)
		return false;
	return (int)find_u32(nlh, sizeof(*ncm), NETCONFA_IFINDEX, 0) == w->ifindex &&
	       find_u32(nlh, sizeof(*ncm), NETCONFA_FORWARDING, 0) == 1;
}

int faults_forwarding(struct faults *f, char **args, struct faults_took *took)
{
	bool six = strcmp(args[0], "6") == 0, all = strcmp(args[1], "all") == 0;
	struct wait w = {.faults = f,
		.ended = forwarding_ended,
		.family = six ? AF_INET6 : AF_INET,
		.ifindex = all ? NETCONFA_IFINDEX_ALL : (int)if_nametoindex(args[1])};
	char path[128];
	snprintf(path, sizeof(path), "/proc/sys/net/ipv%c/conf/%s/forwarding", six ? '6' : '4',
		args[1]);
	autoclose int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	int r = observer_drain(&f->observer);
	uint64_t begin_ns = observer_now_ns();
	if (r >= 0 && write(fd, "0\n", 2) != 2)
		r = -errno;
	return r < 0 ? r : wait_for_end(&w, begin_ns, took);
}

/* ---- nftables ---- */

static bool is_meshgw(const struct nlmsghdr *nlh)
{
	const struct nlattr *name = find_attr(nlh, sizeof(struct nfgenmsg), NFTA_TABLE_NAME);
	return name && strcmp(mnl_attr_get_str(name), nft_table) == 0;
}

/* A transaction's objects are announced first, and then that it is complete. */
static bool flush_ended(const struct nlmsghdr *nlh, struct wait *w)
{
	if (nlh->nlmsg_type == (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWTABLE))
		w->seen |= is_meshgw(nlh);
	return w->seen && nlh->nlmsg_type == (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWGEN);
}

/* A DELTABLE without a name is what `nft flush ruleset` sends. */
static int flush_send(struct faults *f)
{
	alignas(struct nlmsghdr) uint8_t buf[request_size];
	struct nfgenmsg batch = {.res_id = htons(NFNL_SUBSYS_NFTABLES)}, any = {};
	const struct {
		uint16_t type, flags;
		const struct nfgenmsg *header;
	} messages[] = {
		{NFNL_MSG_BATCH_BEGIN, NLM_F_REQUEST, &batch},
		{NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_DELTABLE, NLM_F_REQUEST | NLM_F_ACK, &any},
		{NFNL_MSG_BATCH_END, NLM_F_REQUEST, &batch},
	};
	size_t len = 0;
	for (size_t i = 0; i < 3; i++) {
		struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf + len);
		nlh->nlmsg_type = messages[i].type;
		nlh->nlmsg_flags = messages[i].flags;
		memcpy(mnl_nlmsg_put_extra_header(nlh, sizeof(any)), messages[i].header,
			sizeof(any));
		len += nlh->nlmsg_len;
	}
	if (mnl_socket_sendto(f->observer.nft, buf, len) < 0)
		return -errno;
	ssize_t n = mnl_socket_recvfrom(f->observer.nft, buf, sizeof(buf));
	return n < 0 || mnl_cb_run(buf, (size_t)n, 0, 0, nullptr, nullptr) < 0 ? -errno : 0;
}

int faults_flush(struct faults *f, char **, struct faults_took *took)
{
	struct wait w = {.faults = f, .ended = flush_ended};
	int r = observer_drain(&f->observer);
	uint64_t begin_ns = observer_now_ns();
	if (r >= 0)
		r = flush_send(f);
	return r < 0 ? r : wait_for_end(&w, begin_ns, took);
}

static int read_handle(const struct nlmsghdr *nlh, void *arg)
{
	const struct nlattr *handle = find_attr(nlh, sizeof(struct nfgenmsg), NFTA_TABLE_HANDLE);
	if (handle)
		*(uint64_t *)arg = mnl_attr_get_u64(handle);
	return MNL_CB_STOP;
}

/* The kernel never gives a handle twice: the same one is the same table. */
static int table_handle(struct faults *f, uint64_t *handle)
{
	alignas(struct nlmsghdr) uint8_t buf[1024];
	struct request q;
	struct nfgenmsg inet = {.nfgen_family = NFPROTO_INET};
	struct nlmsghdr *nlh = request_begin(&q, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETTABLE,
		NLM_F_REQUEST, &inet, sizeof(inet));
	mnl_attr_put_strz(nlh, NFTA_TABLE_NAME, nft_table);
	if (mnl_socket_sendto(f->observer.nft, nlh, nlh->nlmsg_len) < 0)
		return -errno;
	ssize_t n = mnl_socket_recvfrom(f->observer.nft, buf, sizeof(buf));
	return n < 0 || mnl_cb_run(buf, (size_t)n, 0, 0, read_handle, handle) < 0 ? -errno : 0;
}

int faults_flush_owned(struct faults *f, char **, struct faults_took *took)
{
	uint64_t before = 0, after = 0;
	int r = table_handle(f, &before);
	if (r >= 0)
		r = flush_send(f);
	if (r >= 0)
		r = table_handle(f, &after);
	if (r < 0)
		return r;
	*took = (struct faults_took){};
	return before == after ? 0 : -ESTALE;
}

/* ---- life cycle ---- */

struct faults *faults_new(const struct faults_setup *setup)
{
	struct faults *f = xcalloc(1, sizeof(*f));
	*f = (struct faults){.setup = setup, .tun = -1};
	f->routes = xcalloc(setup->n_prefixes, sizeof(*f->routes));
	observer_open(&f->observer);
	int r = setup->tun ? tun_make(f) : 0;
	if (r >= 0 && setup->tun)
		r = tun_addresses(f);
	if (r >= 0 && setup->tun)
		r = tun_up(f);
	if (r < 0)
		errx(1, "tunnel device %s: %s", setup->tun, strerror(-r));
	return f;
}

void faults_free(struct faults *f)
{
	observer_close(&f->observer);
	if (f->tun >= 0)
		close(f->tun);
	free(f->routes);
	free(f);
}
