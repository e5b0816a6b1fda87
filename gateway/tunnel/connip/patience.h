/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * patience: when the size of packets that a path carries is believed.
 *
 * A path begins with 1200 bytes, and its MTU is found in a few round trips. Packets that are too
 * large for now must not be answered: the kernel would remember for minutes what is true for a
 * moment; and a tunnel with IPv6 is not to be ended for it (RFC 9484 7.2). So less than what is
 * wanted is believed only when the discovery had its time, which does not pass while the peer
 * acknowledges nothing. What is wanted is believed at once. When the path carries less than was
 * believed it is another path, which begins anew.
 *
 * Pure: no clock, no path. The owner tells sizes and the time, and tells the session in return
 * (connip_session_set_mtu()).
 */
#include <stddef.h>
#include <stdint.h>

/* What the session is to be told of the size. */
enum patience_word {
	PATIENCE_NOTHING,
	PATIENCE_UNSETTLED, /* what is smaller need not wait */
	PATIENCE_SETTLED,
};

/* Read by the owner, written by patience_…(). */
struct patience {
	size_t wanted, size;
	uint64_t due_ns; /* patience_expire(); UINT64_MAX = the size is believed */
	bool settled;    /* one has been believed, on whatever path */
};

void patience_init(struct patience *p, size_t wanted, uint64_t now_ns);
[[nodiscard]] enum patience_word patience_size(struct patience *p, size_t size, uint64_t now_ns);
/* unacked_ns: the peer has acknowledged nothing for so long. */
[[nodiscard]] enum patience_word patience_expire(
	struct patience *p, uint64_t unacked_ns, uint64_t now_ns);
bool patience_believes(const struct patience *p);
/* May the peer, who began a little earlier, believe it already? */
bool patience_ends_soon(const struct patience *p, uint64_t now_ns);
