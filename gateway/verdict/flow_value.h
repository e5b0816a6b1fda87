/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * flow_value: what templates (verdict/template.h) may ask about a flow.
 *
 *   target port client host path    as in struct flow
 *   hostport                        "10.0.1.50:3000", "[2001:db8::50]:3000", a name if it has one
 *   v l3 ipt fw icmp                4 ip iptables ipv4 icmp, or 6 ip6 ip6tables ipv6 ipv6-icmp
 *   nfticmp tooBig                  the same in nft's words, and the type that says "too big"
 */
#include "verdict/evidence.h"
#include "verdict/field.h"

/* nullptr = the flow has none. */
const char *flow_value(const struct flow *f, const char *name, char buf[static FIELD_STRLEN]);
/* v, l3 … of a family. */
const char *family_value(uint8_t family, const char *name);
