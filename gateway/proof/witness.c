/* SPDX-License-Identifier: Apache-2.0 */
#include "proof/witness.h"
#include "lib/xmalloc.h"
#include <stdlib.h>

/* Silent for so many rounds, a learned witness gives way to a new one. */
constexpr unsigned STALE_ROUNDS = 3;
/* A host with many services would else be the only one to speak. */
constexpr size_t LEARNED_OF_HOST = 4;

const char *probe_result_str(enum probe_result result)
{
	static const char *const names[PROBE_RESULTS] = {[PROBE_UNASKED] = "unasked",
		[PROBE_COMPLETED] = "answered",
		[PROBE_REFUSED] = "refused",
		[PROBE_ROUTER] = "refused-by-router",
		[PROBE_SILENT] = "silent",
		[PROBE_ASTRAY] = "astray",
		[PROBE_FILTERED] = "filtered-locally",
		[PROBE_FAILED] = "failed",
		[PROBE_SESSION] = "bgp-session"};
	return names[result];
}

const char *witness_origin_str(enum witness_origin origin)
{
	static const char *const names[] = {[WITNESS_CONFIGURED] = "configured",
		[WITNESS_LEARNED] = "learned",
		[WITNESS_NEIGHBOR] = "neighbor"};
	return names[origin];
}

/* By the answer to the gateway's own address, then by that to the range. A refusal by the host
 * proves the way back as well as a SYN-ACK does; but where the own address is served, it is a
 * filter against the range, and masquerading is what works. */
enum witness_says witness_says(struct probe_pair p)
{
	static const enum witness_says table[PROBE_RESULTS][PROBE_RESULTS] = {
		[PROBE_UNASKED] = {[PROBE_COMPLETED] = WITNESS_YES,
			[PROBE_REFUSED] = WITNESS_YES,
			[PROBE_ROUTER] = WITNESS_WEAK},
		[PROBE_COMPLETED] = {[PROBE_COMPLETED] = WITNESS_YES,
			[PROBE_REFUSED] = WITNESS_NO,
			[PROBE_ROUTER] = WITNESS_NO,
			[PROBE_SILENT] = WITNESS_NO,
			[PROBE_ASTRAY] = WITNESS_NO,
			[PROBE_FILTERED] = WITNESS_FILTERED},
		[PROBE_REFUSED] = {[PROBE_COMPLETED] = WITNESS_YES,
			[PROBE_REFUSED] = WITNESS_YES,
			[PROBE_ROUTER] = WITNESS_NO,
			[PROBE_SILENT] = WITNESS_NO,
			[PROBE_ASTRAY] = WITNESS_NO,
			[PROBE_FILTERED] = WITNESS_FILTERED},
		/* The host is gone, and the router's word comes from itself. */
		[PROBE_ROUTER] = {[PROBE_COMPLETED] = WITNESS_YES,
			[PROBE_REFUSED] = WITNESS_YES,
			[PROBE_ROUTER] = WITNESS_WEAK,
			[PROBE_SILENT] = WITNESS_SILENT,
			[PROBE_ASTRAY] = WITNESS_SILENT,
			[PROBE_FILTERED] = WITNESS_FILTERED},
		[PROBE_SILENT] = {[PROBE_COMPLETED] = WITNESS_YES,
			[PROBE_REFUSED] = WITNESS_YES,
			[PROBE_ROUTER] = WITNESS_WEAK,
			[PROBE_SILENT] = WITNESS_SILENT,
			[PROBE_ASTRAY] = WITNESS_SILENT,
			[PROBE_FILTERED] = WITNESS_FILTERED},
		[PROBE_ASTRAY] = {[PROBE_COMPLETED] = WITNESS_YES,
			[PROBE_REFUSED] = WITNESS_YES,
			[PROBE_ROUTER] = WITNESS_WEAK,
			[PROBE_SILENT] = WITNESS_SILENT,
			[PROBE_ASTRAY] = WITNESS_SILENT,
			[PROBE_FILTERED] = WITNESS_FILTERED},
		[PROBE_FILTERED] = {[PROBE_COMPLETED] = WITNESS_YES,
			[PROBE_REFUSED] = WITNESS_YES,
			[PROBE_ROUTER] = WITNESS_WEAK,
			[PROBE_SILENT] = WITNESS_FILTERED,
			[PROBE_ASTRAY] = WITNESS_FILTERED,
			[PROBE_FILTERED] = WITNESS_FILTERED},
		[PROBE_FAILED] = {[PROBE_COMPLETED] = WITNESS_YES,
			[PROBE_REFUSED] = WITNESS_YES,
			[PROBE_ROUTER] = WITNESS_WEAK,
			[PROBE_FILTERED] = WITNESS_FILTERED},
		[PROBE_SESSION] = {[PROBE_COMPLETED] = WITNESS_YES,
			[PROBE_REFUSED] = WITNESS_YES,
			[PROBE_ROUTER] = WITNESS_NO,
			[PROBE_SILENT] = WITNESS_NO,
			[PROBE_ASTRAY] = WITNESS_NO,
			[PROBE_FILTERED] = WITNESS_FILTERED},
	};
	return table[p.own][p.range];
}

struct witness *witness_find(const struct witnesses *set, const struct addr *address, uint16_t port)
{
	for (size_t i = 0; i < set->n; i++)
		if (set->list[i].port == port && !addr_cmp(&set->list[i].address, address))
			return &set->list[i];
	return nullptr;
}

struct witness *witness_add(struct witnesses *set, const struct addr *address, uint16_t port,
	enum witness_origin origin)
{
	XGROW(set->list, set->n, set->cap);
	struct witness *w = &set->list[set->n++];
	*w = (struct witness){.address = *address, .port = port, .origin = origin};
	return w;
}

/* One of those that count against the bound. Exceptions are kept beside them, because forgetting
 * one would end it, and so are those that were exceptions: one that comes back while its network is
 * routed is never learned again, because its answers to flows do not get here. */
static bool is_bounded(const struct witness *w)
{
	return w->origin == WITNESS_LEARNED && !w->excepted && !w->retired;
}

static bool is_of(const struct witness *w, const struct addr *host)
{
	return !host || !addr_cmp(&w->address, host);
}

/* Bounded ones of a host, or of all. */
static size_t count_bounded(const struct witnesses *set, const struct addr *host)
{
	size_t n = 0;
	for (size_t i = 0; i < set->n; i++)
		n += is_bounded(&set->list[i]) && is_of(&set->list[i], host);
	return n;
}

static struct witness *stalest(const struct witnesses *set, const struct addr *host)
{
	struct witness *found = nullptr;
	for (size_t i = 0; i < set->n; i++) {
		struct witness *w = &set->list[i];
		if (is_bounded(w) && is_of(w, host) && !w->asked && w->silences >= STALE_ROUNDS &&
			(!found || w->silences > found->silences))
			found = w;
	}
	return found;
}

struct witness *witness_learn(
	struct witnesses *set, const struct addr *address, uint16_t port, size_t max)
{
	struct witness *w = witness_find(set, address, port);
	if (w)
		return w;
	bool host_full = count_bounded(set, address) >= LEARNED_OF_HOST;
	if (!host_full && count_bounded(set, nullptr) < max)
		return witness_add(set, address, port, WITNESS_LEARNED);
	w = stalest(set, host_full ? address : nullptr);
	if (w)
		*w = (struct witness){.address = *address, .port = port, .origin = WITNESS_LEARNED};
	return w;
}

static bool listed(const struct addr *list, size_t n, const struct addr *a)
{
	for (size_t i = 0; i < n; i++)
		if (!addr_cmp(&list[i], a))
			return true;
	return false;
}

void witness_sync(struct witnesses *set, enum witness_origin origin, const struct addr *list,
	size_t n, uint16_t port)
{
	size_t kept = 0;
	for (size_t i = 0; i < set->n; i++)
		if (set->list[i].origin != origin || listed(list, n, &set->list[i].address))
			set->list[kept++] = set->list[i];
	set->n = kept;
	for (size_t i = 0; i < n; i++)
		if (!witness_find(set, &list[i], port))
			witness_add(set, &list[i], port, origin);
}

bool witness_host_excepted(const struct witnesses *set, const struct addr *host)
{
	for (size_t i = 0; i < set->n; i++)
		if (set->list[i].excepted && !addr_cmp(&set->list[i].address, host))
			return true;
	return false;
}

void witnesses_clear(struct witnesses *set)
{
	free(set->list);
	*set = (struct witnesses){};
}
