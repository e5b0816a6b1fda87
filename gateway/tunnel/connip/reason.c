/* SPDX-License-Identifier: Apache-2.0 */
#include "connip/reason.h"
#include <assert.h>

/* RFC 9114 8.1 */
constexpr uint64_t H3_EXCESSIVE_LOAD = 0x107;
constexpr uint64_t H3_REQUEST_CANCELLED = 0x10c;
constexpr uint64_t H3_MESSAGE_ERROR = 0x10e;
constexpr uint64_t H3_NO_ERROR = 0x100;

static const struct {
	const char *name;
	uint64_t code;
} faults[CONNIP_FAULT_MAX] = {
	[CONNIP_FAULT_NONE] = {"none", H3_NO_ERROR},
	[CONNIP_FAULT_MALFORMED] = {"capsule-malformed", H3_MESSAGE_ERROR},
	[CONNIP_FAULT_TRUNCATED] = {"capsule-truncated", H3_MESSAGE_ERROR},
	[CONNIP_FAULT_REQUEST_EMPTY] = {"address-request-empty", H3_MESSAGE_ERROR},
	[CONNIP_FAULT_REQUEST_ID] = {"address-request-id", H3_MESSAGE_ERROR},
	[CONNIP_FAULT_ROUTE_ORDER] = {"route-order", H3_MESSAGE_ERROR},
	[CONNIP_FAULT_ROUTE_OVERLAP] = {"route-overlap", H3_MESSAGE_ERROR},
	[CONNIP_FAULT_FLOOD] = {"capsule-flood", H3_EXCESSIVE_LOAD},
	[CONNIP_FAULT_REQUESTS] = {"address-requests", H3_EXCESSIVE_LOAD},
	[CONNIP_FAULT_MTU] = {"mtu-too-small", H3_REQUEST_CANCELLED},
};

static const char *const passes[CONNIP_PASS_MAX] = {
	[CONNIP_PASS] = "passed",
	[CONNIP_TAKEN] = "taken",
	[CONNIP_MALFORMED] = "malformed",
	[CONNIP_LINK_LOCAL] = "link-local",
	[CONNIP_EXPIRED] = "expired",
	[CONNIP_BAD_SOURCE] = "bad-source",
	[CONNIP_NO_ROUTE] = "no-route",
	[CONNIP_PROHIBITED] = "prohibited",
	[CONNIP_TOO_BIG] = "too-big",
};

static const char *const excesses[CONNIP_EXCESS_MAX] = {
	[CONNIP_EXCESS_ADDRESSES] = "addresses",
	[CONNIP_EXCESS_ROUTES] = "routes",
};

const char *connip_fault_str(enum connip_fault fault)
{
	assert(fault < CONNIP_FAULT_MAX);
	return faults[fault].name;
}

uint64_t connip_fault_code(enum connip_fault fault)
{
	assert(fault < CONNIP_FAULT_MAX);
	return faults[fault].code;
}

const char *connip_pass_str(enum connip_pass pass)
{
	assert(pass < CONNIP_PASS_MAX);
	return passes[pass];
}

const char *connip_excess_str(enum connip_excess excess)
{
	assert(excess < CONNIP_EXCESS_MAX);
	return excesses[excess];
}
