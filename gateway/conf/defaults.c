/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/defaults.h"

constexpr size_t MAX_PER_CLASS = 2;

/* Cloudflare One documentation, "Reserved IP addresses" (networks/routes/reserved-ips): Cloudflare
 * source IPs, and device and Mesh IPs. The other classes hold nothing unless the account uses the
 * product. */
static const struct {
	size_t n;
	struct prefix list[MAX_PER_CLASS];
} classes[RANGE_CLASSES] = {
	[RANGE_WORKERS] = {2,
		{{{AF_INET, {100, 64}}, 12},
			{{AF_INET6, {0x26, 0x06, 0x47, 0x00, 0x0c, 0xf1, 0x50, 0x00}}, 64}}},
	[RANGE_DEVICES] = {2,
		{{{AF_INET, {100, 96}}, 12},
			{{AF_INET6, {0x26, 0x06, 0x47, 0x00, 0x0c, 0xf1, 0x10, 0x00}}, 64}}},
};

const struct prefix *defaults_of_class(enum range_class kind, size_t *n)
{
	*n = classes[kind].n;
	return classes[kind].list;
}
