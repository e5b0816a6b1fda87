/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * openmetrics: the text format (OpenMetrics 1.0), family by family. Private to this room.
 *
 * The caller writes each family once, with all its samples behind it. Values of labels may come
 * from anywhere and are escaped; names are ours.
 */
#include "answer/stats.h"
#include <stddef.h>
#include <stdio.h>

struct openmetrics_family {
	const char *name, *type, *help; /* a name in _seconds gets its unit */
	size_t offset;                  /* of the counter in the struct that it is told from */
};

struct openmetrics_label {
	const char *name, *value; /* a list ends with one that has no name */
};
constexpr size_t OPENMETRICS_LABELS = 6;

void openmetrics_family(FILE *f, const struct openmetrics_family *family);
void openmetrics_sample(FILE *f, const struct openmetrics_family *family, const char *suffix,
	const struct openmetrics_label *labels, uint64_t n);
/* "_total" of a counter, else "". */
const char *openmetrics_suffix(const struct openmetrics_family *family);
void openmetrics_histogram(FILE *f, const struct openmetrics_family *family,
	const struct openmetrics_label *labels, const struct stats_histogram *h);
/* A family of one sample without labels. */
void openmetrics_single(FILE *f, const char *name, const char *type, const char *help, uint64_t n);
uint64_t openmetrics_counter(const void *stats, const struct openmetrics_family *family);
