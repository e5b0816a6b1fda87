/* SPDX-License-Identifier: Apache-2.0 */
#include "frr/community.h"
#include "lib/xmalloc.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct community {
	uint32_t part[3]; /* large: three numbers; otherwise the value in the first */
};

static const struct {
	const char *name;
	uint32_t value;
} well_known[] = {
	{"graceful-shutdown", 0xFFFF0000},
	{"accept-own", 0xFFFF0001},
	{"route-filter-translated-v4", 0xFFFF0002},
	{"route-filter-v4", 0xFFFF0003},
	{"route-filter-translated-v6", 0xFFFF0004},
	{"route-filter-v6", 0xFFFF0005},
	{"llgr-stale", 0xFFFF0006},
	{"no-llgr", 0xFFFF0007},
	{"accept-own-nexthop", 0xFFFF0008},
	{"blackhole", 0xFFFF029A},
	{"no-export", 0xFFFFFF01},
	{"no-advertise", 0xFFFFFF02},
	{"local-AS", 0xFFFFFF03},
	{"no-peer", 0xFFFFFF04},
};
constexpr size_t N_WELL_KNOWN = sizeof(well_known) / sizeof(well_known[0]);

/* "A:B:…" of n decimal numbers, none greater than max. */
static bool parse_parts(const char *text, uint32_t *part, size_t n, uint32_t max)
{
	for (size_t i = 0; i < n; i++) {
		char *end;
		errno = 0;
		unsigned long long value = strtoull(text, &end, 10);
		if (errno || *text < '0' || *text > '9' || value > max)
			return false;
		if (*end != (i + 1 < n ? ':' : '\0'))
			return false;
		part[i] = (uint32_t)value;
		text = end + 1;
	}
	return true;
}

static bool parse_large(const char *text, struct community *out)
{
	return parse_parts(text, out->part, 3, UINT32_MAX);
}

static bool parse_plain(const char *text, struct community *out)
{
	uint32_t half[2];
	for (size_t i = 0; i < N_WELL_KNOWN; i++) {
		if (strcasecmp(text, well_known[i].name) == 0) {
			out->part[0] = well_known[i].value;
			return true;
		}
	}
	if (!parse_parts(text, half, 2, UINT16_MAX))
		return false;
	out->part[0] = half[0] << 16 | half[1];
	return true;
}

static int community_cmp(const void *pa, const void *pb)
{
	const struct community *a = pa, *b = pb;
	for (size_t i = 0; i < 3; i++)
		if (a->part[i] != b->part[i])
			return a->part[i] < b->part[i] ? -1 : 1;
	return 0;
}

static void print_one(FILE *out, const struct community *c, bool large)
{
	uint32_t value = c->part[0];
	if (large) {
		fprintf(out, "%" PRIu32 ":%" PRIu32 ":%" PRIu32, value, c->part[1], c->part[2]);
		return;
	}
	for (size_t i = 0; i < N_WELL_KNOWN; i++) {
		if (well_known[i].value == value) {
			fputs(well_known[i].name, out);
			return;
		}
	}
	fprintf(out, "%" PRIu32 ":%" PRIu32, value >> 16, value & UINT16_MAX);
}

char *frr_communities_line(char *const *list, size_t n, bool large)
{
	struct community *found = xcalloc(n, sizeof(*found));
	size_t n_found = 0, size;
	char *text = nullptr;
	for (size_t i = 0; i < n; i++)
		n_found += large ? parse_large(list[i], &found[n_found])
				 : parse_plain(list[i], &found[n_found]);
	qsort(found, n_found, sizeof(*found), community_cmp);

	FILE *out = open_memstream(&text, &size);
	if (!out)
		out_of_memory();
	for (size_t i = 0; i < n_found; i++) {
		if (i && community_cmp(&found[i - 1], &found[i]) == 0)
			continue;
		if (i)
			fputc(' ', out);
		print_one(out, &found[i], large);
	}
	if (fclose(out) != 0)
		out_of_memory();
	free(found);
	if (n_found)
		return text;
	free(text);
	return nullptr;
}
