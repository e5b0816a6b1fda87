/* SPDX-License-Identifier: Apache-2.0 */
#include "connip/stray.h"

void stray_answer(struct bucket *limit, const struct packet_bytes *bytes, uint64_t now_ns,
	struct connip_answer *answer)
{
	struct packet packet;
	unsigned bits;

	answer->n = 0;
	if (packet_read(bytes, &packet) < 0 || !icmp_may_answer(&packet, ICMP_WHY_AWAY))
		return;
	bits = packet_addr_bits(packet.family, packet.from) |
	       packet_addr_bits(packet.family, packet.to);
	if (bits & PACKET_ADDR_LINK_LOCAL || !bucket_take(limit, 1, now_ns))
		return;
	answer->n = icmp_write_error(answer->bytes, bytes, &packet, ICMP_WHY_AWAY, packet.to, 0);
}
