/* SPDX-License-Identifier: Apache-2.0 */
#include "answer/openmetrics.h"
#include "lib/escape.h"
#include <inttypes.h>
#include <string.h>

void openmetrics_family(FILE *f, const struct openmetrics_family *family)
{
	size_t len = strlen(family->name);
	bool seconds = len > 8 && strcmp(family->name + len - 8, "_seconds") == 0;

	fprintf(f, "# TYPE %s %s\n", family->name, family->type);
	if (seconds)
		fprintf(f, "# UNIT %s seconds\n", family->name);
	fprintf(f, "# HELP %s %s\n", family->name, family->help);
}

/* Printable ASCII, with the three escapes of a label's value. */
static void put_value(FILE *f, const char *value)
{
	char shown[512];

	escape_text(value, strlen(value), shown, sizeof(shown));
	for (const char *p = shown; *p; p++) {
		if (*p == '"' || *p == '\\')
			fputc('\\', f);
		fputc(*p, f);
	}
}

/* Labels end with one that has no name. */
static void put_labels(FILE *f, const struct openmetrics_label *labels)
{
	const char *before = "{";

	for (; labels && labels->name; labels++) {
		fprintf(f, "%s%s=\"", before, labels->name);
		put_value(f, labels->value);
		fputc('"', f);
		before = ",";
	}
	if (before[0] == ',')
		fputc('}', f);
}

void openmetrics_sample(FILE *f, const struct openmetrics_family *family, const char *suffix,
	const struct openmetrics_label *labels, uint64_t n)
{
	fprintf(f, "%s%s", family->name, suffix);
	put_labels(f, labels);
	fprintf(f, " %" PRIu64 "\n", n);
}

const char *openmetrics_suffix(const struct openmetrics_family *family)
{
	return strcmp(family->type, "counter") == 0 ? "_total" : "";
}

void openmetrics_single(FILE *f, const char *name, const char *type, const char *help, uint64_t n)
{
	const struct openmetrics_family family = {name, type, help, 0};

	openmetrics_family(f, &family);
	openmetrics_sample(f, &family, openmetrics_suffix(&family), nullptr, n);
}

static void put_bucket(FILE *f, const struct openmetrics_family *family,
	const struct openmetrics_label *labels, const char *end, uint64_t n)
{
	struct openmetrics_label all[OPENMETRICS_LABELS + 2];
	size_t at = 0;

	for (; labels[at].name; at++)
		all[at] = labels[at];
	all[at++] = (struct openmetrics_label){"le", end};
	all[at] = (struct openmetrics_label){};
	openmetrics_sample(f, family, "_bucket", all, n);
}

void openmetrics_histogram(FILE *f, const struct openmetrics_family *family,
	const struct openmetrics_label *labels, const struct stats_histogram *h)
{
	uint64_t n = 0;
	char end[32];

	for (size_t i = 0; i < STATS_BUCKETS - 1; i++) {
		n += h->buckets[i];
		snprintf(end, sizeof(end), "%g", (double)stats_bounds_us[i] / 1e6);
		put_bucket(f, family, labels, end, n);
	}
	n += h->buckets[STATS_BUCKETS - 1];
	put_bucket(f, family, labels, "+Inf", n);
	openmetrics_sample(f, family, "_count", labels, n);
	fprintf(f, "%s_sum", family->name);
	put_labels(f, labels);
	fprintf(f, " %" PRIu64 ".%06" PRIu64 "\n", h->sum_us / 1'000'000, h->sum_us % 1'000'000);
}

uint64_t openmetrics_counter(const void *stats, const struct openmetrics_family *family)
{
	uint64_t n;

	memcpy(&n, (const char *)stats + family->offset, sizeof(n));
	return n;
}
