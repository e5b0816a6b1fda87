/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * check: asks the kernel where a packet of each range and network would go, both ways
 * (RTM_GETROUTE with the input interface, net/ipv4/route.c inet_rtm_getroute), and names what
 * is in the way. It sends nothing and changes nothing.
 *
 * The question stands for a packet between the last usable addresses of range and network: each
 * range is asked with the first network of its family, and each network with the first range. What
 * a lookup of one address cannot show is read from lists: routes that take a part of a range
 * elsewhere (rivals.h), and networks of this host itself that share addresses with a range.
 */
#include "conf/config.h"
#include "daemon/condition.h"
#include "daemon/kernel.h"
#include "daemon/observed.h"

struct check_result {
	struct conditions found;
	int *strict; /* interfaces on which rp_filter=1 drops the ranges, to be made loose */
	size_t n_strict, cap_strict;
	int error; /* positive errno when the kernel could not be asked */
};

void check_run(struct kernel *k, const struct config *config, const struct observed *seen,
	struct check_result *out);
void check_clear(struct check_result *r);
