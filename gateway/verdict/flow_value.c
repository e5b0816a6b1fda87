/* SPDX-License-Identifier: Apache-2.0 */
#include "verdict/flow_value.h"
#include <stdio.h>
#include <string.h>

const char *family_value(uint8_t family, const char *name)
{
	static const struct {
		const char *name, *four, *six;
	} words[] = {
		{"v", "4", "6"},
		{"l3", "ip", "ip6"},
		{"ipt", "iptables", "ip6tables"},
		{"fw", "ipv4", "ipv6"},
		{"icmp", "icmp", "ipv6-icmp"},
		{"nfticmp", "icmp", "icmpv6"},
		{"tooBig", "destination-unreachable", "packet-too-big"},
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!strcmp(words[i].name, name))
			return family == AF_INET    ? words[i].four
			       : family == AF_INET6 ? words[i].six
						    : nullptr;
	return nullptr;
}

static const char *address_value(const struct addr *a, char buf[static FIELD_STRLEN])
{
	return a->family == AF_UNSPEC ? nullptr : addr_str(a, buf);
}

static const char *hostport_value(const struct flow *f, char buf[static FIELD_STRLEN])
{
	char text[ADDR_STRLEN];

	if (f->host[0])
		snprintf(buf, FIELD_STRLEN, "%s:%u", f->host, f->port);
	else if (f->target.family == AF_INET6)
		snprintf(buf, FIELD_STRLEN, "[%s]:%u", addr_str(&f->target, text), f->port);
	else if (f->target.family == AF_INET)
		snprintf(buf, FIELD_STRLEN, "%s:%u", addr_str(&f->target, text), f->port);
	else
		return nullptr;
	return buf;
}

const char *flow_value(const struct flow *f, const char *name, char buf[static FIELD_STRLEN])
{
	if (!strcmp(name, "target"))
		return address_value(&f->target, buf);
	if (!strcmp(name, "client"))
		return address_value(&f->client, buf);
	if (!strcmp(name, "hostport"))
		return hostport_value(f, buf);
	if (!strcmp(name, "host"))
		return f->host[0] ? f->host : nullptr;
	if (!strcmp(name, "path"))
		return f->path[0] ? f->path : nullptr;
	if (!strcmp(name, "port") && f->port) {
		snprintf(buf, FIELD_STRLEN, "%u", f->port);
		return buf;
	}
	return family_value(f->target.family ? f->target.family : f->client.family, name);
}
