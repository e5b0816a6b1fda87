/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/coarse.h"
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

constexpr uint32_t WHOLE = 0xffffffff;

/* Where an IP header has what, and what is there. */
static const struct layout {
	uint8_t version, proto_at, icmp, addresses[2];
} layouts[] = {
	{0x40, 9, IPPROTO_ICMP, {12, 16}},
	{0x60, 6, IPPROTO_ICMPV6, {8, 24}},
};

struct program {
	struct sock_filter *list;
	size_t n;
};

static void add(struct program *p, uint16_t code, uint8_t jt, uint8_t jf, uint32_t k)
{
	assert(p->n < COARSE_MAX);
	p->list[p->n++] = (struct sock_filter){code, jt, jf, k};
}

static void load(struct program *p, uint16_t size, uint32_t at)
{
	add(p, (uint16_t)(BPF_LD | BPF_ABS | size), 0, 0, at);
}

static void end(struct program *p, uint32_t bytes)
{
	add(p, BPF_RET | BPF_K, 0, 0, bytes);
}

/* At one of these interfaces, or it ends. */
static void need_interface(struct program *p, const unsigned ifindex[static COARSE_INTERFACES])
{
	size_t n = 0;

	for (size_t i = 0; i < COARSE_INTERFACES; i++)
		n += ifindex[i] != 0;
	load(p, BPF_W, (uint32_t)(SKF_AD_OFF + SKF_AD_IFINDEX));
	for (size_t i = 0; i < COARSE_INTERFACES; i++)
		if (ifindex[i])
			add(p, BPF_JMP | BPF_JEQ | BPF_K, (uint8_t)n--, 0, ifindex[i]);
	end(p, 0);
}

/* An IP header of the family, or it ends; ICMP passes. */
static void need_ip(struct program *p, const struct layout *l)
{
	load(p, BPF_B, 0);
	add(p, BPF_ALU | BPF_AND | BPF_K, 0, 0, 0xf0);
	add(p, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, l->version);
	end(p, 0);
	load(p, BPF_B, l->proto_at);
	add(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, l->icmp);
	end(p, WHOLE);
}

/* Passes if the address stands there; else goes on behind. */
static void pass_address(struct program *p, uint32_t at, const struct addr *a)
{
	size_t words = addr_bytes(a->family) / 4;

	for (size_t i = 0; i < words; i++) {
		uint32_t word;
		memcpy(&word, a->b + 4 * i, sizeof(word));
		load(p, BPF_W, at + (uint32_t)(4 * i));
		add(p, BPF_JMP | BPF_JEQ | BPF_K, 0, (uint8_t)(2 * (words - i) - 1), ntohl(word));
	}
	end(p, WHOLE);
}

size_t coarse_build(const struct request *request, const unsigned ifindex[static COARSE_INTERFACES],
	struct sock_filter out[static COARSE_MAX])
{
	const struct layout *l = &layouts[request->family == AF_INET6];
	const struct addr *ends[] = {&request->target, &request->client};
	struct program p = {.list = out};

	need_interface(&p, ifindex);
	need_ip(&p, l);
	for (size_t i = 0; i < 2; i++)
		for (size_t j = 0; j < 2; j++)
			pass_address(&p, l->addresses[i], ends[j]);
	end(&p, 0);
	return p.n;
}

int coarse_attach(
	int fd, const struct request *request, const unsigned ifindex[static COARSE_INTERFACES])
{
	struct sock_filter list[COARSE_MAX];
	const struct sock_fprog program = {
		.len = (unsigned short)coarse_build(request, ifindex, list), .filter = list};

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0 ? -errno
											   : 0;
}
