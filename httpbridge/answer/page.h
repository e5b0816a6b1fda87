/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * page: which page of the bridge's own a request is for, and what it asks.
 *
 * Below /.well-known/meshgw/ nothing is ever routed. On the admin listener there are /metrics and
 * /status and nothing else.
 */
#include <stddef.h>

enum page {
	PAGE_NONE, /* not ours: the routes decide */
	PAGE_HEALTH,
	PAGE_DIAGNOSE,
	PAGE_METRICS,
	PAGE_STATUS,
	PAGE_UNKNOWN, /* ours, and there is no such page */
};

/* path in normal form, without the query. */
enum page page_find(const char *path, size_t len, bool admin);

constexpr size_t PAGE_TARGET_MAX = 264;

/* The target that is asked about, from a query like "?target=10.0.1.50%3A3000": HOST:PORT in the
 * form of bridge_upstream.target, with what else there is in the query ignored. 0; -EINVAL when
 * there is none, several, or no HOST:PORT. */
[[nodiscard]] int page_target(const char *query, size_t len, char out[static PAGE_TARGET_MAX]);
