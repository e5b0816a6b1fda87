/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/hooks.h"
#include "lib/log.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include "trace/reasons.h"
#include "trace/trace_bpf.h"
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trace.skel.h" /* needs trace_bpf.h */

constexpr size_t READ_BUDGET = 256;

struct hooks {
	struct trace_bpf *bpf;
	struct ring_buffer *ring;
	struct reasons *reasons;
	struct gather *gather; /* while hooks_read() runs */
	bool injects;
};

[[gnu::format(printf, 2, 0)]]
static int on_print(enum libbpf_print_level, const char *format, va_list ap)
{
	autofree char *text = xvasprintf(format, ap, nullptr);
	log_debug("bpf", "%s", text);
	return 0;
}

/* ---- drops ---- */

/* Packets that end without anybody's missing them: queues of sockets that are closed, what was
 * delivered, what is for another host by its link address, and what this program leaves over. */
static bool is_noise(const char *reason, const char *function)
{
	static const char *const reasons[] = {
		"SKB_CONSUMED", "SKB_NOT_DROPPED_YET", "QUEUE_PURGE", "OTHERHOST"};
	static const char *const functions[] = {
		"packet_rcv", "tpacket_rcv", "bpf_prog_test_run_skb", "ip6_mc_input"};
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		if (!strcmp(reason, reasons[i]))
			return true;
	}
	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
		if (!strcmp(function, functions[i]))
			return true;
	}
	return false;
}

/* Without the module behind it, and without what a compiler adds (".isra.0"). */
static void trim_function(char *function)
{
	function[strcspn(function, " .")] = '\0';
}

static int on_event(void *arg, void *data, size_t size)
{
	struct hooks *h = arg;
	struct trace_drop d;
	if (size < sizeof(d))
		return 0;
	memcpy(&d, data, sizeof(d));
	trim_function(d.function);
	const char *reason = reasons_name(h->reasons, d.reason);
	if (is_noise(reason, d.function))
		return 0;
	gather_drop(h->gather, &(struct dropped){.data = d.data,
				       .len = d.len,
				       .reason = reason,
				       .function = d.function,
				       .interface = d.interface});
	return 0;
}

void hooks_read(struct hooks *h, struct gather *gather)
{
	if (!h->ring)
		return;
	h->gather = gather;
	(void)ring_buffer__consume_n(h->ring, READ_BUDGET);
	if (h->bpf->bss->lost)
		gather_missing(gather, OBSERVER_DROPS, "there were too many drops");
}

/* ---- life ---- */

/* With or without what looks at drops. */
static int load(struct hooks *h, bool drops)
{
	h->bpf = trace_bpf__open();
	if (!h->bpf)
		return -errno;
	bpf_program__set_autoload(h->bpf->progs.drops, drops);
	int r = trace_bpf__load(h->bpf);
	if (r < 0) {
		trace_bpf__destroy(h->bpf);
		h->bpf = nullptr;
	}
	return r;
}

static int watch_drops(struct hooks *h, struct err *err)
{
	int r = reasons_read(&h->reasons, err);
	if (r < 0)
		return r;
	h->bpf->links.drops = bpf_program__attach(h->bpf->progs.drops);
	if (!h->bpf->links.drops)
		return err_set(err, errno, "tracepoint kfree_skb: %s", strerror(errno));
	h->ring = ring_buffer__new(bpf_map__fd(h->bpf->maps.events), on_event, h, nullptr);
	if (!h->ring)
		return err_set(err, errno, "BPF ring buffer: %s", strerror(errno));
	return 0;
}

struct hooks *hooks_open(struct err *drops, struct err *injection)
{
	struct hooks *h = xcalloc(1, sizeof(*h));
	*drops = *injection = (struct err){};
	libbpf_set_print(on_print);
	int r = load(h, true);
	if (r < 0) {
		err_set(drops, -r, "BPF programs: %s", strerror(-r));
		r = load(h, false);
	}
	if (r < 0)
		err_set(injection, -r, "BPF programs: %s", strerror(-r));
	h->injects = r >= 0;
	if (!drops->code)
		(void)watch_drops(h, drops);
	return h;
}

void hooks_close(struct hooks *h)
{
	if (!h)
		return;
	ring_buffer__free(h->ring);
	reasons_free(h->reasons);
	trace_bpf__destroy(h->bpf);
	free(h);
}

int hooks_filter_fd(const struct hooks *h)
{
	return h->bpf ? bpf_program__fd(h->bpf->progs.filter) : -1;
}

int hooks_event_fd(const struct hooks *h)
{
	return h->ring ? ring_buffer__epoll_fd(h->ring) : -1;
}

/* ---- the flow ---- */

/* The first TRACE_PORTS of them; places that are left over hold the first one again. */
static void put_ports(struct trace_flow *flow, const struct request *request)
{
	unsigned n = 0;
	for (unsigned i = 0; i < TRACE_PORTS; i++)
		flow->ports[i] = request->port;
	for (size_t i = 0; i < request->inject.n; i++) {
		const struct build *b = &request->inject.list[i].packet;
		bool known = b->kind == BUILD_ECHO;
		for (unsigned k = 0; k <= n && !known; k++)
			known = flow->ports[k] == b->dport;
		if (!known && n + 1 < TRACE_PORTS)
			flow->ports[++n] = b->dport;
	}
}

static_assert(TRACE_INTERFACES == CAPTURE_INTERFACES);

int hooks_arm(struct hooks *h, const struct request *request,
	const unsigned ifindex[static CAPTURE_INTERFACES], uint32_t netns, struct err *err)
{
	struct trace_flow flow = {
		.netns = netns, .ipv6 = request->family == AF_INET6, .proto = request->proto};
	if (!h->bpf)
		return 0;
	memcpy(flow.target, request->target.b, sizeof(flow.target));
	memcpy(flow.client, request->client.b, sizeof(flow.client));
	memcpy(flow.interfaces, ifindex, sizeof(flow.interfaces));
	put_ports(&flow, request);
	flow.armed = 1;
	const __u32 first = 0;
	int fd = bpf_map__fd(h->bpf->maps.flows);
	if (bpf_map_update_elem(fd, &first, &flow, BPF_ANY) < 0)
		return err_set(err, errno, "BPF map: %s", strerror(errno));
	/* Not every kernel can; then nothing is lost but a wall behind a wall. */
	if (bpf_map_freeze(fd) < 0)
		log_debug("bpf", "the flow is not frozen: %s", strerror(errno));
	return 0;
}

void hooks_disarm(struct hooks *h)
{
	if (!h->bpf)
		return;
	bpf_link__destroy(h->bpf->links.drops);
	h->bpf->links.drops = nullptr;
}

int hooks_inject(struct hooks *h, const uint8_t *packet, size_t len, struct err *err)
{
	if (!h->injects)
		return err_set(err, EPERM, "no BPF program");
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = packet, .data_size_in = (uint32_t)len,
		.repeat = 1);
	int r = bpf_prog_test_run_opts(bpf_program__fd(h->bpf->progs.inject), &opts);
	if (r < 0)
		return err_set(err, -r, "injection: %s", strerror(-r));
	/* -errno, or NET_RX_DROP where the interface is down (____dev_forward_skb()). */
	if (opts.retval != 0)
		return err_set(err, ENETDOWN, "the mesh interface took no packet");
	return 0;
}
