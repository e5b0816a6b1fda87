/* SPDX-License-Identifier: Apache-2.0 */
/*
 * drop: programs that somebody left on an interface: two that drop, two that damage.
 *
 * TUN has no link header, so the packet begins with its IP header.
 */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>

#define SECTION(name) __attribute__((section(name), used))

static long (*store)(void *skb, __u32 offset, const void *from, __u32 len,
	__u64 flags) = (void *)BPF_FUNC_skb_store_bytes;
static long (*load)(
	const void *skb, __u32 offset, void *to, __u32 len) = (void *)BPF_FUNC_skb_load_bytes;

SECTION("xdp") int xdp_drop(struct xdp_md *ctx)
{
	(void)ctx;
	return XDP_DROP;
}

SECTION("shot") int tc_drop(struct __sk_buff *skb)
{
	(void)skb;
	return TC_ACT_SHOT;
}

static int damage(struct __sk_buff *skb, __u32 offset)
{
	__u16 sum;
	if (load(skb, offset, &sum, sizeof(sum)) == 0) {
		sum ^= 0x5a5a;
		store(skb, offset, &sum, sizeof(sum), 0);
	}
	return TC_ACT_OK;
}

/* The checksum of an IPv4 header. */
SECTION("badip") int bad_ip(struct __sk_buff *skb)
{
	return damage(skb, 10);
}

/* The checksum of TCP, behind an IPv4 header without options; behind one of IPv6. */
SECTION("badtcp4") int bad_tcp4(struct __sk_buff *skb)
{
	return damage(skb, 20 + 16);
}

SECTION("badtcp6") int bad_tcp6(struct __sk_buff *skb)
{
	return damage(skb, 40 + 16);
}

char terms[] SECTION("license") = "GPL";
