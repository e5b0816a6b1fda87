/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * trace.bpf: the observer's part in the kernel. One flow is looked at, and packets of it injected;
 * nothing is looked at before the flow is armed, and all of it ends with its descriptors.
 *
 *   drops   where and why the kernel lets a packet of the flow go (tracepoint skb:kfree_skb), in
 *           this network namespace; the tracepoint tells of every namespace
 *   filter  of the packet socket
 *   inject  a packet enters by the mesh interface, as if the tunnel had delivered it
 *
 * The filters are coarse: they keep what has the target's or the client's address, with one of the
 * target's ports, and ICMP errors about such. whose.c decides. Kernel structures are declared with
 * what is used of them; where it lies in this kernel libbpf finds out (CO-RE).
 */
#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "trace_bpf.h"

#define KERNEL __attribute__((preserve_access_index))

struct ns_common {
	unsigned int inum;
} KERNEL;
struct net {
	struct ns_common ns;
} KERNEL;
typedef struct {
	struct net *net;
} KERNEL possible_net_t;
struct net_device {
	char name[TRACE_NAME];
	possible_net_t nd_net;
} KERNEL;
struct dst_entry {
	struct net_device *dev;
} KERNEL;
struct sock_common {
	possible_net_t skc_net;
} KERNEL;
struct sock {
	struct sock_common __sk_common;
} KERNEL;
struct sk_buff {
	struct net_device *dev;
	struct sock *sk;
	unsigned long _skb_refdst;
	__u16 network_header;
	unsigned int tail;
	unsigned char *head;
} KERNEL;

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 256 * 1024);
} events SEC(".maps");

/* Written once, and frozen: whoever parses packets then cannot choose others any more. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct trace_flow);
	__uint(map_flags, BPF_F_RDONLY_PROG);
} flows SEC(".maps");

__u32 lost;

static __always_inline const struct trace_flow *armed_flow(void)
{
	__u32 first = 0;
	const struct trace_flow *flow = bpf_map_lookup_elem(&flows, &first);
	return flow && flow->armed ? flow : 0;
}

enum {
	IPV4_ADDRESSES = 12,
	IPV6_ADDRESSES = 8,
	IPV6_HEADER = 40,
	PROTO_ICMP = 1,
	PROTO_TCP = 6,
	PROTO_UDP = 17,
	PROTO_FRAGMENT = 44,
	PROTO_ICMPV6 = 58,
};

/* ---- which packets ---- */

/* Comparisons go without branches: the verifier follows every combination of them. */

/* 1 if it is 0. */
static __always_inline __u32 is_zero(__u32 v)
{
	return (__u32)(((__u64)v - 1) >> 63);
}

static __always_inline __u32 is_same(const __u8 *a, const __u8 *b, int len)
{
	__u32 difference = 0;
	for (int i = 0; i < len; i++)
		difference |= a[i] ^ b[i];
	return is_zero(difference);
}

/* Is a one of the two addresses at this place? */
static __always_inline __u32 has_address(
	const struct trace_flow *flow, const __u8 *at, const __u8 *a)
{
	if (flow->ipv6)
		return is_same(at, a, 16) | is_same(at + 16, a, 16);
	return is_same(at, a, 4) | is_same(at + 4, a, 4);
}

static __always_inline __u32 has_port(const struct trace_flow *flow, const __u8 *l4)
{
	__u32 from = (__u32)(l4[0] << 8 | l4[1]), to = (__u32)(l4[2] << 8 | l4[3]), found = 0;
	for (int i = 0; i < TRACE_PORTS; i++)
		found |= is_zero(flow->ports[i] ^ from) | is_zero(flow->ports[i] ^ to);
	return found;
}

static __always_inline int is_error(__u8 proto, __u8 type)
{
	if (proto == PROTO_ICMPV6)
		return type < 128;
	return type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
}

/* p: the beginning of a packet in TRACE_DATA bytes, zeroed behind it. */
static __always_inline int is_of_flow(const struct trace_flow *flow, const __u8 *p)
{
	__u32 l4 = (p[0] & 0xf) * 4, first = flow->ipv6 ? IPV6_ADDRESSES : IPV4_ADDRESSES;
	__u8 proto = p[9];
	int part = !flow->ipv6 && (p[6] & 0x1f || p[7]);
	if (p[0] >> 4 != (flow->ipv6 ? 6 : 4))
		return 0;
	if (flow->ipv6) {
		l4 = IPV6_HEADER;
		proto = p[6];
		if (proto == PROTO_FRAGMENT) {
			part = p[42] || p[43] & 0xf8;
			proto = p[IPV6_HEADER];
			l4 = IPV6_HEADER + 8;
		}
	}
	int icmp = proto == (flow->ipv6 ? PROTO_ICMPV6 : PROTO_ICMP);
	if (!icmp && proto != flow->proto)
		return 0;
	if (icmp && is_error(proto, p[l4]) && !part)
		first += l4 + 8;
	if (has_address(flow, p + first, flow->client))
		return 1;
	return has_address(flow, p + first, flow->target) &&
	       (icmp || part || has_port(flow, p + l4));
}

/* ---- drops ---- */

static __always_inline struct net_device *device_of(struct sk_buff *skb)
{
	struct net_device *dev = BPF_CORE_READ(skb, dev);
	/* The lowest bit says whether a reference is held (include/linux/skbuff.h). */
	struct dst_entry *dst = (struct dst_entry *)(BPF_CORE_READ(skb, _skb_refdst) & ~1UL);
	if (!dev && dst)
		dev = BPF_CORE_READ(dst, dev);
	return dev;
}

static __always_inline int is_here(
	const struct trace_flow *flow, struct sk_buff *skb, struct net_device *dev)
{
	struct sock *sk = BPF_CORE_READ(skb, sk);
	if (dev)
		return BPF_CORE_READ(dev, nd_net.net, ns.inum) == flow->netns;
	return sk && BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum) == flow->netns;
}

static __always_inline __u32 read_headers(struct sk_buff *skb, __u8 *data)
{
	__u32 at = BPF_CORE_READ(skb, network_header), tail = BPF_CORE_READ(skb, tail);
	__u32 n = tail - at;
	if (tail <= at)
		return 0;
	if (n > TRACE_DATA)
		n = TRACE_DATA;
	if (bpf_probe_read_kernel(data, n, BPF_CORE_READ(skb, head) + at) < 0)
		return 0;
	return n;
}

SEC("tp_btf/kfree_skb")
int BPF_PROG(drops, struct sk_buff *skb, void *location, int reason)
{
	__u8 data[TRACE_DATA] = {};
	__u64 where = (__u64)location;
	const struct trace_flow *flow = armed_flow();
	if (!flow)
		return 0;
	struct net_device *dev = device_of(skb);
	if (!is_here(flow, skb, dev))
		return 0;
	__u32 n = read_headers(skb, data);
	if (n == 0 || !is_of_flow(flow, data))
		return 0;
	struct trace_drop *d = bpf_ringbuf_reserve(&events, sizeof(*d), 0);
	if (!d) {
		__sync_fetch_and_add(&lost, 1);
		return 0;
	}
	d->reason = (__u32)reason;
	d->len = n;
	__builtin_memcpy(d->data, data, sizeof(data));
	d->interface[0] = '\0';
	if (dev)
		BPF_CORE_READ_STR_INTO(&d->interface, dev, name);
	/* The kernel's own table of symbols, which this process may not see. */
	if (bpf_snprintf(d->function, sizeof(d->function), "%ps", &where, sizeof(where)) < 0)
		d->function[0] = '\0';
	bpf_ringbuf_submit(d, 0);
	return 0;
}

/* ---- packets ---- */

enum {
	TCP_MARKED = 0x07, /* FIN, SYN, RST */
	PLAIN_PER_WINDOW = 64,
	WINDOW_NS = 20 * 1000 * 1000,
};

__u64 window_at;
__u32 plain;

/* What only carries data, for somebody else. Of a busy flow a part is enough. */
static __always_inline int is_plain(const struct trace_flow *flow, const __u8 *p)
{
	__u32 first = flow->ipv6 ? IPV6_ADDRESSES : IPV4_ADDRESSES;
	__u32 l4 = flow->ipv6 ? IPV6_HEADER : (p[0] & 0xf) * 4;
	__u8 proto = flow->ipv6 ? p[6] : p[9];
	if (proto != flow->proto || has_address(flow, p + first, flow->client))
		return 0;
	return proto == PROTO_UDP || !(p[l4 + 13] & TCP_MARKED);
}

static __always_inline int is_too_many(void)
{
	__u64 now = bpf_ktime_get_ns();
	if (now - window_at > WINDOW_NS) {
		window_at = now;
		plain = 0;
	}
	return ++plain > PLAIN_PER_WINDOW;
}

static __always_inline __u32 is_watched(const struct trace_flow *flow, __u32 ifindex)
{
	__u32 found = 0;
	for (int i = 0; i < TRACE_INTERFACES; i++)
		found |= is_zero(flow->interfaces[i] ^ ifindex);
	return found;
}

SEC("socket")
int filter(struct __sk_buff *skb)
{
	__u8 data[TRACE_DATA] = {};
	__u32 n = skb->len;
	const struct trace_flow *flow = armed_flow();
	if (!flow || n < 20 || !is_watched(flow, skb->ifindex))
		return 0;
	if (n > sizeof(data))
		n = sizeof(data);
	if (bpf_skb_load_bytes(skb, 0, data, n) < 0)
		return 0;
	if (!is_of_flow(flow, data) || (is_plain(flow, data) && is_too_many()))
		return 0;
	return -1;
}

SEC("tc")
int inject(struct __sk_buff *skb)
{
	const struct trace_flow *flow = armed_flow();
	return flow ? (int)bpf_clone_redirect(skb, flow->interfaces[0], BPF_F_INGRESS) : -1;
}

char terms[] SEC("license") = "GPL";
