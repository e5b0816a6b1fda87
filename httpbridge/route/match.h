/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * match: which route a request takes.
 *
 * The most specific host decides, and it alone: the exact name, else the longest `*.suffix` (which
 * does not match the bare suffix), else `*`. Then, among the routes of that host, the longest path
 * that the request's path begins with, on the border of a segment: /api takes /api and /api/x,
 * never /apis. A path that none of that host's routes takes is not offered to a less specific host:
 * adding `*` cannot open what an exact host leaves closed.
 *
 * Some programs take parameters off the segments of a path before they look what it leads to: to
 * them /a;b/c is /a/c. A path that would then be another route's is nobody's.
 *
 * The index is made with the configuration. A look-up is a binary search for each label of the host
 * and each segment of the path, up to the longest path configured; nothing is allocated
 * but for a path with parameters.
 */
#include "route/config.h"

/* host as in the request: any case, with or without a port or brackets around IPv6, maybe a dot at
 * its end. path in normal form (http/target.h), from its slash, without the query. nullptr when
 * there is no such route. */
const struct bridge_route *bridge_route_match(const struct bridge_config *c, const char *host,
	size_t host_len, const char *path, size_t path_len);

/* For route/config.c. -EINVAL when two routes have the same host and path. */
[[nodiscard]] int bridge_match_new(
	const struct bridge_route *routes, size_t n, struct bridge_match **out, struct err *err);
void bridge_match_free(const struct bridge_match *m);
