/* SPDX-License-Identifier: Apache-2.0 */
#include "nft/expr.h"
#include "lib/marks.h"
#include "nft/expr_int.h"
#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tuple_common.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <string.h>

/* nft(8)'s numbers of data types, include/datatype.h; NFTA_SET_KEY_TYPE is informational. */
constexpr uint32_t TYPE_IPADDR = 7;
constexpr uint32_t TYPE_IP6ADDR = 8;

const struct nft_family nft_families[2] = {
	{AF_INET, NFPROTO_IPV4, "4", 4, 12, 16, TYPE_IPADDR},
	{AF_INET6, NFPROTO_IPV6, "6", 16, 8, 24, TYPE_IP6ADDR},
};

struct nftnl_rule *nft_rule_new(const char *chain)
{
	struct nftnl_rule *r = nftnl_need(nftnl_rule_alloc());

	nftnl_rule_set_u32(r, NFTNL_RULE_FAMILY, NFPROTO_INET);
	nftnl_rule_set_str(r, NFTNL_RULE_TABLE, MARK_NFT_TABLE);
	nftnl_rule_set_str(r, NFTNL_RULE_CHAIN, chain);
	return r;
}

static struct nftnl_expr *expr_lookup(struct nftnl_rule *r, const char *set)
{
	struct nftnl_expr *e = expr_add(r, "lookup");

	nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_SREG, REG);
	nftnl_expr_set_str(e, NFTNL_EXPR_LOOKUP_SET, set);
	return e;
}

static void expr_ifname_cmp(struct nftnl_rule *r, uint32_t op, const char *name)
{
	char padded[IFNAMSIZ] = {};

	memcpy(padded, name, strnlen(name, IFNAMSIZ - 1));
	expr_cmp(r, op, padded, sizeof(padded));
}

void nft_expr_ifname(struct nftnl_rule *r, enum nft_direction dir, const char *name)
{
	expr_meta(r, (uint32_t)dir, REG);
	expr_ifname_cmp(r, NFT_CMP_EQ, name);
}

void nft_expr_ifname_not(struct nftnl_rule *r, enum nft_direction dir, const char *name)
{
	expr_meta(r, (uint32_t)dir, REG);
	expr_ifname_cmp(r, NFT_CMP_NEQ, name);
}

void nft_expr_ifname_in(struct nftnl_rule *r, enum nft_direction dir, const char *set)
{
	expr_meta(r, (uint32_t)dir, REG);
	expr_lookup(r, set);
}

void nft_expr_user(struct nftnl_rule *r, uint32_t uid)
{
	expr_meta(r, NFT_META_SKUID, REG);
	expr_cmp(r, NFT_CMP_EQ, &uid, sizeof(uid));
}

void nft_expr_source_in(struct nftnl_rule *r, const struct nft_family *f, const char *set)
{
	expr_family(r, f);
	expr_address(r, f, f->source, REG);
	expr_lookup(r, set);
}

void nft_expr_dest_in(struct nftnl_rule *r, const struct nft_family *f, const char *set)
{
	expr_family(r, f);
	expr_address(r, f, f->dest, REG);
	expr_lookup(r, set);
}

/* As nft(8) does: whole bytes are compared as such, and only what ends inside of one is masked. */
static void expr_prefix(struct nftnl_rule *r, const struct nft_family *f, uint8_t offset,
	const struct prefix *prefix)
{
	const struct addr *a = &prefix->addr;
	uint8_t mask[sizeof(a->b)] = {};

	if (prefix->len == 0)
		return;
	if (prefix->len % 8 == 0) {
		expr_payload(r, NFT_PAYLOAD_NETWORK_HEADER, offset, prefix->len / 8U, REG);
		expr_cmp(r, NFT_CMP_EQ, a->b, prefix->len / 8U);
		return;
	}
	for (unsigned bit = 0; bit < prefix->len; bit++)
		mask[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
	expr_address(r, f, offset, REG);
	expr_mask(r, mask, f->addr_len);
	expr_cmp(r, NFT_CMP_EQ, a->b, f->addr_len);
}

void nft_expr_dest_prefix(
	struct nftnl_rule *r, const struct nft_family *f, const struct prefix *prefix)
{
	expr_family(r, f);
	expr_prefix(r, f, f->dest, prefix);
}

void nft_expr_source_prefix(
	struct nftnl_rule *r, const struct nft_family *f, const struct prefix *prefix)
{
	expr_prefix(r, f, f->source, prefix);
}

void nft_expr_to_prefix(
	struct nftnl_rule *r, const struct nft_family *f, const struct prefix *prefix)
{
	expr_prefix(r, f, f->dest, prefix);
}

void nft_expr_source_vmap(struct nftnl_rule *r, const struct nft_family *f, const char *map)
{
	expr_family(r, f);
	expr_address(r, f, f->source, REG);
	nftnl_expr_set_u32(expr_lookup(r, map), NFTNL_EXPR_LOOKUP_DREG, NFT_REG_VERDICT);
}

void nft_expr_flow_in(
	struct nftnl_rule *r, const struct nft_family *f, bool with_source, const char *set)
{
	expr_family(r, f);
	expr_address(r, f, f->dest, REG);
	expr_meta(r, NFT_META_L4PROTO, reg_after(f->addr_len));
	expr_payload(r, NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2, reg_after(f->addr_len + 4U));
	if (with_source)
		expr_address(r, f, f->source, reg_after(f->addr_len + 8U));
	expr_lookup(r, set);
}

void nft_expr_source_routed(struct nftnl_rule *r, const char *name)
{
	struct nftnl_expr *e = expr_add(r, "fib");

	nftnl_expr_set_u32(e, NFTNL_EXPR_FIB_FLAGS, NFTA_FIB_F_SADDR);
	nftnl_expr_set_u32(e, NFTNL_EXPR_FIB_RESULT, NFT_FIB_RESULT_OIFNAME);
	nftnl_expr_set_u32(e, NFTNL_EXPR_FIB_DREG, REG);
	expr_ifname_cmp(r, NFT_CMP_EQ, name);
}

static void expr_tcp(struct nftnl_rule *r)
{
	expr_l4proto(r, IPPROTO_TCP);
}

static void expr_tcp_flags(struct nftnl_rule *r, uint8_t mask, uint32_t op, uint8_t flags)
{
	expr_tcp(r);
	expr_payload(r, NFT_PAYLOAD_TRANSPORT_HEADER, offsetof(struct tcphdr, th_flags), 1, REG);
	expr_mask(r, &mask, sizeof(mask));
	expr_cmp(r, op, &flags, sizeof(flags));
}

void nft_expr_syn(struct nftnl_rule *r)
{
	expr_tcp_flags(r, TH_SYN | TH_RST, NFT_CMP_EQ, TH_SYN);
}

void nft_expr_not_syn(struct nftnl_rule *r)
{
	expr_tcp_flags(r, TH_SYN | TH_RST | TH_ACK, NFT_CMP_NEQ, TH_SYN);
}

void nft_expr_syn_ack(struct nftnl_rule *r)
{
	expr_tcp_flags(r, TH_SYN | TH_RST | TH_ACK, NFT_CMP_EQ, TH_SYN | TH_ACK);
}

void nft_expr_rst(struct nftnl_rule *r)
{
	expr_tcp_flags(r, TH_RST, NFT_CMP_EQ, TH_RST);
}

void nft_expr_begins_or_ends(struct nftnl_rule *r)
{
	expr_tcp_flags(r, TH_SYN | TH_RST | TH_FIN, NFT_CMP_NEQ, 0);
}

void nft_expr_end(struct nftnl_rule *r)
{
	expr_tcp_flags(r, TH_FIN | TH_RST, NFT_CMP_NEQ, 0);
}

static void expr_port(struct nftnl_rule *r, uint32_t offset, uint16_t port)
{
	uint16_t port_be = htons(port);

	expr_tcp(r);
	expr_payload(r, NFT_PAYLOAD_TRANSPORT_HEADER, offset, sizeof(port_be), REG);
	expr_cmp(r, NFT_CMP_EQ, &port_be, sizeof(port_be));
}

void nft_expr_source_port(struct nftnl_rule *r, uint16_t port)
{
	expr_port(r, offsetof(struct tcphdr, th_sport), port);
}

void nft_expr_dest_port(struct nftnl_rule *r, uint16_t port)
{
	expr_port(r, offsetof(struct tcphdr, th_dport), port);
}

/* The kernel takes the smaller MTU of the two directions' routes (nft_rt.c, get_tcpmss()), and
 * never raises the option (nft_exthdr.c, nft_exthdr_tcp_set_eval()). */
void nft_expr_clamp_mss(struct nftnl_rule *r)
{
	struct nftnl_expr *rt = expr_add(r, "rt");
	nftnl_expr_set_u32(rt, NFTNL_EXPR_RT_KEY, NFT_RT_TCPMSS);
	nftnl_expr_set_u32(rt, NFTNL_EXPR_RT_DREG, REG);

	struct nftnl_expr *order = expr_add(r, "byteorder");
	nftnl_expr_set_u32(order, NFTNL_EXPR_BYTEORDER_SREG, REG);
	nftnl_expr_set_u32(order, NFTNL_EXPR_BYTEORDER_DREG, REG);
	nftnl_expr_set_u32(order, NFTNL_EXPR_BYTEORDER_OP, NFT_BYTEORDER_HTON);
	nftnl_expr_set_u32(order, NFTNL_EXPR_BYTEORDER_LEN, 2);
	nftnl_expr_set_u32(order, NFTNL_EXPR_BYTEORDER_SIZE, 2);

	struct nftnl_expr *set = expr_add(r, "exthdr");
	nftnl_expr_set_u32(set, NFTNL_EXPR_EXTHDR_SREG, REG);
	nftnl_expr_set_u8(set, NFTNL_EXPR_EXTHDR_TYPE, TCPOPT_MAXSEG);
	nftnl_expr_set_u32(set, NFTNL_EXPR_EXTHDR_OFFSET, 2);
	nftnl_expr_set_u32(set, NFTNL_EXPR_EXTHDR_LEN, 2);
	nftnl_expr_set_u32(set, NFTNL_EXPR_EXTHDR_OP, NFT_EXTHDR_OP_TCPOPT);
}

static void expr_ct_state(struct nftnl_rule *r, uint32_t states)
{
	static const uint32_t zero;

	expr_ct(r, NFT_CT_STATE);
	expr_mask(r, &states, sizeof(states));
	expr_cmp(r, NFT_CMP_NEQ, &zero, sizeof(zero));
}

void nft_expr_known_flow(struct nftnl_rule *r)
{
	expr_ct_state(r, NF_CT_STATE_BIT(IP_CT_ESTABLISHED) | NF_CT_STATE_BIT(IP_CT_RELATED));
}

void nft_expr_related(struct nftnl_rule *r)
{
	expr_ct_state(r, NF_CT_STATE_BIT(IP_CT_RELATED));
}

void nft_expr_invalid(struct nftnl_rule *r)
{
	expr_ct_state(r, NF_CT_STATE_INVALID_BIT);
}

void nft_expr_reply(struct nftnl_rule *r)
{
	static const uint8_t reply = IP_CT_DIR_REPLY;

	expr_ct(r, NFT_CT_DIRECTION);
	expr_cmp(r, NFT_CMP_EQ, &reply, sizeof(reply));
}

static void expr_masked(struct nftnl_rule *r, uint32_t mask, uint32_t value)
{
	expr_mask(r, &mask, sizeof(mask));
	expr_cmp(r, NFT_CMP_EQ, &value, sizeof(value));
}

void nft_expr_mark(struct nftnl_rule *r, uint32_t mask, uint32_t value)
{
	expr_meta(r, NFT_META_MARK, REG);
	expr_masked(r, mask, value);
}

void nft_expr_not_assured(struct nftnl_rule *r)
{
	expr_ct(r, NFT_CT_STATUS);
	expr_masked(r, IPS_ASSURED, 0);
}

void nft_expr_ct_mark(struct nftnl_rule *r, uint32_t mask, uint32_t value)
{
	expr_ct(r, NFT_CT_MARK);
	expr_masked(r, mask, value);
}

void nft_expr_ct_mark_set(struct nftnl_rule *r, uint32_t mask, uint32_t value)
{
	uint32_t kept = ~mask;

	expr_ct(r, NFT_CT_MARK);
	expr_bitwise(r, &kept, &value, sizeof(value));

	struct nftnl_expr *e = expr_add(r, "ct");
	nftnl_expr_set_u32(e, NFTNL_EXPR_CT_KEY, NFT_CT_MARK);
	nftnl_expr_set_u32(e, NFTNL_EXPR_CT_SREG, REG);
}

void nft_expr_counter(struct nftnl_rule *r, enum nft_counter counter)
{
	struct nftnl_expr *e = expr_add(r, "objref");

	nftnl_expr_set_u32(e, NFTNL_EXPR_OBJREF_IMM_TYPE, NFT_OBJECT_COUNTER);
	nftnl_expr_set_str(e, NFTNL_EXPR_OBJREF_IMM_NAME, nft_counter_str(counter));
}

void nft_expr_count(struct nftnl_rule *r)
{
	expr_add(r, "counter");
}

void nft_expr_verdict(struct nftnl_rule *r, int verdict, const char *chain)
{
	struct nftnl_expr *e = expr_add(r, "immediate");

	nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
	nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_VERDICT, (uint32_t)verdict);
	if (chain)
		nftnl_expr_set_str(e, NFTNL_EXPR_IMM_CHAIN, chain);
}

void nft_expr_refuse(struct nftnl_rule *r)
{
	struct nftnl_expr *e = expr_add(r, "reject");

	nftnl_expr_set_u32(e, NFTNL_EXPR_REJECT_TYPE, NFT_REJECT_ICMPX_UNREACH);
	nftnl_expr_set_u8(e, NFTNL_EXPR_REJECT_CODE, NFT_REJECT_ICMPX_ADMIN_PROHIBITED);
}

void nft_expr_masquerade(struct nftnl_rule *r)
{
	expr_add(r, "masq");
}

void nft_expr_reset(struct nftnl_rule *r)
{
	nftnl_expr_set_u32(expr_add(r, "reject"), NFTNL_EXPR_REJECT_TYPE, NFT_REJECT_TCP_RST);
}

/* With a mapping, even one to itself, a flow has met its source NAT, and no chain behind this one
 * is asked (nf_nat_core.c, nf_nat_inet_fn()). */
void nft_expr_keep_source(struct nftnl_rule *r, const struct nft_family *f)
{
	expr_family(r, f);
	expr_address(r, f, f->source, REG);

	struct nftnl_expr *e = expr_add(r, "nat");
	nftnl_expr_set_u32(e, NFTNL_EXPR_NAT_TYPE, NFT_NAT_SNAT);
	nftnl_expr_set_u32(e, NFTNL_EXPR_NAT_FAMILY, f->nfproto);
	nftnl_expr_set_u32(e, NFTNL_EXPR_NAT_REG_ADDR_MIN, REG);
}

void nft_expr_source_port_flip(struct nftnl_rule *r, uint16_t bits)
{
	static const uint8_t all[] = {0xff, 0xff};
	uint16_t bits_be = htons(bits);

	expr_tcp(r);
	expr_payload(r, NFT_PAYLOAD_TRANSPORT_HEADER, offsetof(struct tcphdr, th_sport),
		sizeof(bits_be), REG);
	expr_bitwise(r, all, &bits_be, sizeof(bits_be));

	struct nftnl_expr *e = expr_add(r, "payload");
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_SREG, REG);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_BASE, NFT_PAYLOAD_TRANSPORT_HEADER);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_OFFSET, offsetof(struct tcphdr, th_sport));
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_LEN, sizeof(bits_be));
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_CSUM_TYPE, NFT_PAYLOAD_CSUM_INET);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_CSUM_OFFSET, offsetof(struct tcphdr, th_sum));
}

/* What the address and the port at these offsets make up. */
static void expr_remember(struct nftnl_rule *r, const struct nft_family *f, uint8_t address,
	uint32_t port, const char *set)
{
	expr_family(r, f);
	expr_tcp(r);
	expr_address(r, f, address, REG);
	expr_payload(r, NFT_PAYLOAD_TRANSPORT_HEADER, port, 2, reg_after(f->addr_len));

	struct nftnl_expr *e = expr_add(r, "dynset");
	nftnl_expr_set_u32(e, NFTNL_EXPR_DYNSET_OP, NFT_DYNSET_OP_UPDATE);
	nftnl_expr_set_u32(e, NFTNL_EXPR_DYNSET_SREG_KEY, REG);
	nftnl_expr_set_str(e, NFTNL_EXPR_DYNSET_SET_NAME, set);
}

void nft_expr_remember_source(struct nftnl_rule *r, const struct nft_family *f, const char *set)
{
	expr_remember(r, f, f->source, offsetof(struct tcphdr, th_sport), set);
}

void nft_expr_remember_dest(struct nftnl_rule *r, const struct nft_family *f, const char *set)
{
	expr_remember(r, f, f->dest, offsetof(struct tcphdr, th_dport), set);
}

void nft_expr_limit(struct nftnl_rule *r, uint32_t rate, uint32_t burst)
{
	struct nftnl_expr *e = expr_add(r, "limit");

	nftnl_expr_set_u64(e, NFTNL_EXPR_LIMIT_RATE, rate);
	nftnl_expr_set_u64(e, NFTNL_EXPR_LIMIT_UNIT, 1);
	nftnl_expr_set_u32(e, NFTNL_EXPR_LIMIT_BURST, burst);
	nftnl_expr_set_u32(e, NFTNL_EXPR_LIMIT_TYPE, NFT_LIMIT_PKTS);
}

void nft_expr_log(struct nftnl_rule *r, uint16_t group)
{
	nftnl_expr_set_u16(expr_add(r, "log"), NFTNL_EXPR_LOG_GROUP, group);
}
