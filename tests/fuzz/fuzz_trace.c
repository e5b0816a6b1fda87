/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_trace: any JSON as the parameters of io.meshgw.Trace.Observe. What is accepted keeps the
 * limits of lib/api_trace.h, and its packets can be built.
 */
#include "lib/json.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include "trace/packet.h"
#include "trace/request.h"
#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_name(const char name[static IFNAMSIZ])
{
	assert(name[0] && memchr(name, '\0', IFNAMSIZ));
}

static void check_injections(const struct request *r)
{
	uint64_t at_us = 0;
	for (size_t i = 0; i < r->inject.n; i++) {
		const struct injection *in = &r->inject.list[i];
		uint8_t bytes[BUILD_MAX];
		struct packet p;
		assert(in->at_us >= at_us);
		at_us = in->at_us;
		size_t n = build_packet(&in->packet, bytes);
		assert(packet_parse(bytes + BUILD_ETHERNET, n - BUILD_ETHERNET, &p) == 0);
		assert(p.length == n - BUILD_ETHERNET && p.ttl == in->packet.ttl);
		assert(p.sport == in->packet.sport && request_injects(r, p.sport));
		assert(request_is_ours(r, p.sport));
		assert(p.ip_checksum == CHECKSUM_GOOD && p.l4_checksum == CHECKSUM_GOOD);
	}
}

static void check(const struct request *r)
{
	assert(r->client.family == r->family && r->target.family == r->family);
	assert(r->own.family == AF_UNSPEC || r->own.family == r->family);
	assert(r->ports.n <= API_TRACE_PORTS_MAX && r->ranges.n <= API_TRACE_RANGES_MAX);
	assert(r->lans.n <= API_TRACE_LANS_MAX && r->inject.n <= API_TRACE_INJECTIONS_MAX);
	assert(r->duration_us > 0 && r->duration_us <= API_TRACE_DURATION_MAX_MS * 1000);
	check_name(r->mesh);
	for (size_t i = 0; i < r->lans.n; i++)
		check_name(r->lans.list[i]);
	assert(request_asks(r, r->port));
	check_injections(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	autofree char *text = xcalloc(1, size + 1);
	autojson sd_json_variant *v = nullptr;
	static struct request r;
	const char *bad;
	if (size)
		memcpy(text, data, size);
	if (sd_json_parse(text, 0, &v, nullptr, nullptr) < 0 || !sd_json_variant_is_object(v))
		return 0;
	if (request_read(v, &r, &bad) == 0)
		check(&r);
	return 0;
}
