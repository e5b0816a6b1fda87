/* SPDX-License-Identifier: Apache-2.0 */
#include "answer/stats.h"

const uint64_t stats_bounds_us[STATS_BUCKETS - 1] = {100, 250, 500, 1'000, 2'500, 5'000, 10'000,
	25'000, 50'000, 100'000, 250'000, 1'000'000, 5'000'000, 15'000'000, 60'000'000};

void stats_time(struct stats_histogram *h, uint64_t us)
{
	unsigned i = 0;

	while (i < STATS_BUCKETS - 1 && us > stats_bounds_us[i])
		i++;
	stats_add(&h->buckets[i], 1);
	stats_add(&h->sum_us, us);
}
