/* SPDX-License-Identifier: Apache-2.0 */
#include "quic/deaf.h"

static bool all_is_well(const struct quic_deaf *d, const struct quic_hearing *now)
{
	return now->flight == 0 || now->acked != d->acked || now->sample_ns != d->sample_ns;
}

uint64_t quic_deaf_ns(const struct quic_deaf *d, const struct quic_hearing *now, uint64_t now_ns)
{
	return d->since_ns && !all_is_well(d, now) ? now_ns - d->since_ns : 0;
}

bool quic_deaf_watch(struct quic_deaf *d, const struct quic_hearing *now, uint64_t now_ns)
{
	if (all_is_well(d, now)) {
		*d = (struct quic_deaf){.acked = now->acked, .sample_ns = now->sample_ns};
		return false;
	}
	if (d->since_ns == 0)
		d->since_ns = now_ns;
	if (d->round_ns == 0 && now->flight > d->flight) {
		d->flight = now->flight;
		d->round_ns = now_ns;
	} else if (d->round_ns != 0 && now->heard_ns >= d->round_ns + DEAF_ROUND_NS) {
		d->round_ns = 0;
		d->rounds++;
	}
	return d->rounds >= DEAF_ROUNDS && now_ns - d->since_ns >= DEAF_NS;
}
