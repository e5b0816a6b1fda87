/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/request.h"
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

constexpr uint8_t TTL = 64;

/* ---- values ---- */

static int dispatch_family(
	const char *, sd_json_variant *v, sd_json_dispatch_flags_t, void *userdata)
{
	uint8_t *family = userdata;
	int64_t n = sd_json_variant_integer(v);
	if (n != 4 && n != 6)
		return -EINVAL;
	*family = n == 4 ? AF_INET : AF_INET6;
	return 0;
}

static int dispatch_addr(const char *, sd_json_variant *v, sd_json_dispatch_flags_t, void *userdata)
{
	if (sd_json_variant_is_null(v))
		return 0;
	return addr_parse(sd_json_variant_string(v), userdata);
}

static int read_interface(sd_json_variant *v, char out[static IFNAMSIZ])
{
	const char *name = sd_json_variant_is_string(v) ? sd_json_variant_string(v) : "";
	size_t len = strlen(name);
	if (len == 0 || len >= IFNAMSIZ)
		return -EINVAL;
	memcpy(out, name, len + 1);
	return 0;
}

static int dispatch_interface(
	const char *, sd_json_variant *v, sd_json_dispatch_flags_t, void *userdata)
{
	return read_interface(v, userdata);
}

/* Null leaves what is there. */
static int dispatch_ttl(
	const char *name, sd_json_variant *v, sd_json_dispatch_flags_t flags, void *userdata)
{
	return sd_json_variant_is_null(v) ? 0 : sd_json_dispatch_uint8(name, v, flags, userdata);
}

static int dispatch_size(
	const char *name, sd_json_variant *v, sd_json_dispatch_flags_t flags, void *userdata)
{
	return sd_json_variant_is_null(v) ? 0 : sd_json_dispatch_uint16(name, v, flags, userdata);
}

static int dispatch_flag(
	const char *name, sd_json_variant *v, sd_json_dispatch_flags_t flags, void *userdata)
{
	return sd_json_variant_is_null(v) ? 0 : sd_json_dispatch_stdbool(name, v, flags, userdata);
}

static int dispatch_kind(const char *, sd_json_variant *v, sd_json_dispatch_flags_t, void *userdata)
{
	return build_kind_parse(sd_json_variant_string(v), userdata);
}

/* ---- lists ---- */

static int dispatch_ports(
	const char *, sd_json_variant *v, sd_json_dispatch_flags_t, void *userdata)
{
	struct request_ports *ports = userdata;
	size_t n = sd_json_variant_elements(v);
	if (n > API_TRACE_PORTS_MAX)
		return -E2BIG;
	for (size_t i = 0; i < n; i++) {
		int r = sd_json_dispatch_uint16(
			nullptr, sd_json_variant_by_index(v, i), 0, &ports->list[i]);
		if (r < 0)
			return r;
	}
	ports->n = n;
	return 0;
}

static int dispatch_ranges(
	const char *, sd_json_variant *v, sd_json_dispatch_flags_t, void *userdata)
{
	struct request_ranges *ranges = userdata;
	size_t n = sd_json_variant_elements(v);
	if (n > API_TRACE_RANGES_MAX)
		return -E2BIG;
	for (size_t i = 0; i < n; i++) {
		sd_json_variant *e = sd_json_variant_by_index(v, i);
		if (!sd_json_variant_is_string(e) ||
			prefix_parse(sd_json_variant_string(e), &ranges->list[i]) < 0)
			return -EINVAL;
	}
	ranges->n = n;
	return 0;
}

static int dispatch_lans(const char *, sd_json_variant *v, sd_json_dispatch_flags_t, void *userdata)
{
	struct request_lans *lans = userdata;
	size_t n = sd_json_variant_elements(v);
	if (n > API_TRACE_LANS_MAX)
		return -E2BIG;
	for (size_t i = 0; i < n; i++) {
		int r = read_interface(sd_json_variant_by_index(v, i), lans->list[i]);
		if (r < 0)
			return r;
	}
	lans->n = n;
	return 0;
}

struct injection_parameters {
	enum build_kind kind;
	uint64_t at_ms;
	uint16_t sport, dport, size;
	uint8_t ttl;
	bool dont_fragment;
};

static int read_injection(sd_json_variant *v, struct injection *out)
{
	constexpr sd_json_dispatch_flags_t must = SD_JSON_MANDATORY | SD_JSON_REFUSE_NULL;
	constexpr sd_json_dispatch_flags_t may = SD_JSON_NULLABLE;
#define AT(field) offsetof(struct injection_parameters, field)
	static const sd_json_dispatch_field fields[] = {
		{"atMs", _SD_JSON_VARIANT_TYPE_INVALID, sd_json_dispatch_uint64, AT(at_ms), must},
		{"kind", SD_JSON_VARIANT_STRING, dispatch_kind, AT(kind), must},
		{"sourcePort", _SD_JSON_VARIANT_TYPE_INVALID, sd_json_dispatch_uint16, AT(sport),
			must},
		{"port", _SD_JSON_VARIANT_TYPE_INVALID, sd_json_dispatch_uint16, AT(dport), must},
		{"ttl", _SD_JSON_VARIANT_TYPE_INVALID, dispatch_ttl, AT(ttl), may},
		{"size", _SD_JSON_VARIANT_TYPE_INVALID, dispatch_size, AT(size), may},
		{"dontFragment", SD_JSON_VARIANT_BOOLEAN, dispatch_flag, AT(dont_fragment), may},
		{},
	};
#undef AT
	struct injection_parameters p = {.ttl = TTL};
	int r = sd_json_dispatch(v, fields, 0, &p);
	if (r < 0)
		return r;
	if (p.at_ms > API_TRACE_DURATION_MAX_MS || p.size > BUILD_IP_MAX || p.ttl == 0 ||
		p.sport == 0)
		return -ERANGE;
	*out = (struct injection){.at_us = p.at_ms * 1000,
		.packet = {.kind = p.kind,
			.sport = p.sport,
			.dport = p.dport,
			.ttl = p.ttl,
			.size = p.size,
			.dont_fragment = p.dont_fragment}};
	return 0;
}

static int dispatch_injections(
	const char *, sd_json_variant *v, sd_json_dispatch_flags_t, void *userdata)
{
	struct request_injections *inject = userdata;
	size_t n = sd_json_variant_elements(v);
	if (n > API_TRACE_INJECTIONS_MAX)
		return -E2BIG;
	for (size_t i = 0; i < n; i++) {
		int r = read_injection(sd_json_variant_by_index(v, i), &inject->list[i]);
		if (r < 0)
			return r;
	}
	inject->n = n;
	return 0;
}

/* ---- the whole ---- */

static bool is_icmp(const struct request *r)
{
	return r->proto == (r->family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6);
}

/* Of the flow's own protocol, or an echo. */
static bool injects_others(const struct request *r)
{
	for (size_t i = 0; i < r->inject.n; i++) {
		enum build_kind kind = r->inject.list[i].packet.kind;
		if ((kind == BUILD_SYN && r->proto != IPPROTO_TCP) ||
			(kind == BUILD_UDP && r->proto != IPPROTO_UDP))
			return true;
	}
	return false;
}

static const char *find_bad(const struct request *r)
{
	if (r->client.family != r->family)
		return "client";
	if (r->target.family != r->family)
		return "target";
	if (r->own.family != AF_UNSPEC && r->own.family != r->family)
		return "own";
	if (r->prober.family != AF_UNSPEC && r->prober.family != r->family)
		return "prober";
	if (!is_icmp(r) && r->proto != IPPROTO_TCP && r->proto != IPPROTO_UDP)
		return "proto";
	if (is_icmp(r) != (r->port == 0))
		return "port";
	if (r->duration_us == 0 || r->duration_us > API_TRACE_DURATION_MAX_MS * 1000)
		return "durationMs";
	if (injects_others(r))
		return "inject";
	return nullptr;
}

static int by_time(const void *a, const void *b)
{
	const struct injection *x = a, *y = b;
	return (x->at_us > y->at_us) - (x->at_us < y->at_us);
}

static int complete(struct request *r)
{
	qsort(r->inject.list, r->inject.n, sizeof(r->inject.list[0]), by_time);
	for (size_t i = 0; i < r->inject.n; i++) {
		struct build *b = &r->inject.list[i].packet;
		b->from = r->client;
		b->to = r->target;
		if (getrandom(&b->seq, sizeof(b->seq), 0) != sizeof(b->seq))
			return -EIO;
	}
	return 0;
}

int request_read(sd_json_variant *v, struct request *out, const char **bad)
{
	constexpr sd_json_dispatch_flags_t must = SD_JSON_MANDATORY | SD_JSON_REFUSE_NULL;
	constexpr sd_json_variant_type_t number = _SD_JSON_VARIANT_TYPE_INVALID;
#define AT(field) offsetof(struct request, field)
	static const sd_json_dispatch_field fields[] = {
		{"family", SD_JSON_VARIANT_INTEGER, dispatch_family, AT(family), must},
		{"proto", number, sd_json_dispatch_uint8, AT(proto), must},
		{"client", SD_JSON_VARIANT_STRING, dispatch_addr, AT(client), must},
		{"ports", SD_JSON_VARIANT_ARRAY, dispatch_ports, AT(ports), must},
		{"ranges", SD_JSON_VARIANT_ARRAY, dispatch_ranges, AT(ranges), must},
		{"target", SD_JSON_VARIANT_STRING, dispatch_addr, AT(target), must},
		{"port", number, sd_json_dispatch_uint16, AT(port), must},
		{"own", SD_JSON_VARIANT_STRING, dispatch_addr, AT(own), SD_JSON_NULLABLE},
		{"prober", SD_JSON_VARIANT_STRING, dispatch_addr, AT(prober), SD_JSON_NULLABLE},
		{"meshInterface", SD_JSON_VARIANT_STRING, dispatch_interface, AT(mesh), must},
		{"lanInterfaces", SD_JSON_VARIANT_ARRAY, dispatch_lans, AT(lans), must},
		{"durationMs", number, sd_json_dispatch_uint64, AT(duration_us), must},
		{"inject", SD_JSON_VARIANT_ARRAY, dispatch_injections, AT(inject), must},
		{},
	};
#undef AT
	*out = (struct request){};
	*bad = nullptr;
	int r = sd_json_dispatch_full(v, fields, nullptr, 0, out, bad);
	if (r < 0)
		return r;
	if (out->duration_us > API_TRACE_DURATION_MAX_MS)
		*bad = "durationMs";
	out->duration_us *= 1000;
	if (!*bad)
		*bad = find_bad(out);
	return *bad ? -EINVAL : complete(out);
}

bool request_injects(const struct request *r, uint16_t port)
{
	for (size_t i = 0; i < r->inject.n; i++) {
		if (r->inject.list[i].packet.sport == port)
			return true;
	}
	return false;
}

bool request_is_ours(const struct request *r, uint16_t port)
{
	for (size_t i = 0; i < r->ports.n; i++) {
		if (r->ports.list[i] == port)
			return true;
	}
	return request_injects(r, port);
}

bool request_asks(const struct request *r, uint16_t port)
{
	for (size_t i = 0; i < r->inject.n; i++) {
		const struct build *b = &r->inject.list[i].packet;
		if (b->kind != BUILD_ECHO && b->dport == port)
			return true;
	}
	return r->port == port;
}
