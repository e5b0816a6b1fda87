/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kernel_dummy_flow: the dummy kernel's flows, and the services that answer its probes.
 */
#include "daemon/kernel_dummy_int.h"
#include "lib/marks.h"
#include "lib/xmalloc.h"
#include <errno.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

static struct dummy_service *find_service(
	const struct kernel_dummy *d, const struct addr *address, uint16_t port)
{
	for (size_t i = 0; i < d->n_services; i++)
		if (!addr_cmp(&d->services[i].address, address) && d->services[i].port == port)
			return &d->services[i];
	return nullptr;
}

void dummy_service(struct kernel_dummy *d, const struct dummy_service *service)
{
	struct dummy_service *slot = find_service(d, &service->address, service->port);
	if (!slot) {
		XGROW(d->services, d->n_services, d->cap_services);
		slot = &d->services[d->n_services++];
	}
	*slot = *service;
}

static struct dummy_service service_of(
	const struct kernel_dummy *d, const struct addr *address, uint16_t port)
{
	const struct dummy_service *s = find_service(d, address, port);
	return s ? *s : (struct dummy_service){.own = 1, .answer = MARK_PROBE_ANSWERED};
}

void dummy_flow(struct kernel_dummy *d, const struct dummy_flow *flow)
{
	XGROW(d->flows, d->n_flows, d->cap_flows);
	d->flows[d->n_flows++] = *flow;
}

void dummy_witness(struct kernel_dummy *d, const char *address, uint16_t port, uint64_t age_us)
{
	XGROW(d->witnesses, d->n_witnesses, d->cap_witnesses);
	struct nft_witness *w = &d->witnesses[d->n_witnesses++];
	*w = (struct nft_witness){.port = port, .age_us = age_us};
	if (addr_parse(address, &w->address) < 0)
		abort();
}

void dummy_flows_clear(struct kernel_dummy *d)
{
	free(d->services);
	free(d->flows);
	free(d->witnesses);
	free(d->probes);
}

int dummy_nft_witnesses(struct kernel *k, struct nft_witness *out, size_t max, struct err *err)
{
	const struct kernel_dummy *d = dummy_of(k);
	int r = dummy_may_try(k, "witnesses", err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < d->n_witnesses && i < max; i++)
		out[i] = d->witnesses[i];
	return (int)d->n_witnesses;
}

int dummy_ct_delete(struct kernel *k, const struct ct_scope *scope, unsigned kinds, struct err *err)
{
	struct kernel_dummy *d = dummy_of(k);
	size_t kept = 0;
	int r = dummy_may_try(k, "ct_delete", err);
	if (r < 0)
		return r;
	d->conntrack_calls++;
	d->conntrack_kinds = kinds;
	for (size_t i = 0; i < d->n_flows; i++)
		if (!ct_concerns(scope, kinds, &d->flows[i].flow, &d->flows[i].state))
			d->flows[kept++] = d->flows[i];
	r = (int)(d->n_flows - kept);
	d->n_flows = kept;
	return r;
}

int dummy_ct_list(struct kernel *k, const struct ct_scope *scope, unsigned kinds,
	struct ct_flow *out, size_t max, struct err *err)
{
	const struct kernel_dummy *d = dummy_of(k);
	size_t found = 0;
	int r = dummy_may_try(k, "ct_list", err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < d->n_flows; i++) {
		if (!ct_concerns(scope, kinds, &d->flows[i].flow, &d->flows[i].state))
			continue;
		if (found < max)
			out[found] = d->flows[i].flow;
		found++;
	}
	return (int)found;
}

static bool same_flow(const struct ct_flow *a, const struct ct_flow *b)
{
	return a->proto == b->proto && !addr_cmp(&a->from, &b->from) && !addr_cmp(&a->to, &b->to) &&
	       a->from_port == b->from_port && a->to_port == b->to_port;
}

int dummy_ct_lookup(
	struct kernel *k, const struct ct_flow *flow, struct ct_state *out, struct err *err)
{
	const struct kernel_dummy *d = dummy_of(k);
	int r = dummy_may_try(k, "ct_lookup", err);
	if (r < 0)
		return r;
	for (size_t i = d->n_flows; i-- > 0;)
		if (same_flow(&d->flows[i].flow, flow)) {
			*out = d->flows[i].state;
			return 0;
		}
	return err_set(err, ENOENT, "no such flow");
}

static struct addr own_address(const struct kernel_dummy *d, const struct probe_target *t)
{
	const struct link *l = nullptr;
	for (size_t i = 0; i < d->links.n; i++)
		if (!strcmp(d->links.list[i].name, t->interface))
			l = &d->links.list[i];
	for (size_t i = 0; l && i < d->addresses.n; i++)
		if (d->addresses.list[i].ifindex == l->ifindex &&
			d->addresses.list[i].address.family == t->address.family)
			return d->addresses.list[i].address;
	return (struct addr){.family = t->address.family};
}

/* A descriptor that is ready to be written to, or not. */
static int event_fd(bool ready)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (fd < 0 || (!ready && eventfd_write(fd, UINT64_MAX - 1) < 0))
		abort();
	return fd;
}

static void send_from_own(
	struct kernel_dummy *d, const struct dummy_service *s, const struct ct_flow *flow)
{
	if (!s->rejected)
		dummy_flow(
			d, &(struct dummy_flow){.flow = *flow, .state = {.status = IPS_CONFIRMED}});
}

static void send_from_mesh(
	struct kernel_dummy *d, const struct dummy_service *s, const struct ct_flow *flow)
{
	uint32_t replied = s->answer ? IPS_SEEN_REPLY : 0;
	struct dummy_flow f = {
		.flow = *flow,
		.state = {.status = IPS_CONFIRMED | replied | s->status,
			.mark = MARK_PROBE | 1U << MARK_PROBE_LAN_SHIFT | s->answer},
	};
	if (!s->filtered)
		dummy_flow(d, &f);
}

int dummy_probe_send(
	struct kernel *k, const struct probe_target *target, struct probe *out, struct err *err)
{
	struct kernel_dummy *d = dummy_of(k);
	struct dummy_service s = service_of(d, &target->address, target->port);
	bool own = target->source.family == AF_UNSPEC;
	int r = dummy_may_try(k, "probe_send", err);
	if (r < 0)
		return r;
	if (s.error)
		return err_set(err, s.error, "%s", strerror(s.error));
	XGROW(d->probes, d->n_probes, d->cap_probes);
	d->probes[d->n_probes++] = *target;
	*out = (struct probe){
		.fd = own ? event_fd(s.own != -EINPROGRESS) : -1,
		.flow = {.proto = IPPROTO_TCP,
			.from = own ? own_address(d, target) : target->source,
			.to = target->address,
			.from_port = ++d->probe_port,
			.to_port = target->port},
	};
	(own ? send_from_own : send_from_mesh)(d, &s, &out->flow);
	return 0;
}

int dummy_probe_check(struct kernel *k, const struct probe *p)
{
	return service_of(dummy_of(k), &p->flow.to, p->flow.to_port).own;
}

void dummy_probe_close(struct kernel *, struct probe *p)
{
	probe_close(p);
}
