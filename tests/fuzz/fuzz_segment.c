/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_segment: a vnet header and a packet as the TUN device could give them. The pieces are the
 * whole payload, in order.
 */
#include "data/segment.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct virtio_net_hdr vnet;
	struct segment_piece piece;
	struct segment s;
	size_t payload = 0;

	if (size < sizeof(vnet))
		return 0;
	memcpy(&vnet, data, sizeof(vnet));
	size_t n = size - sizeof(vnet);
	autofree uint8_t *packet = xcalloc(1, n);
	autofree uint8_t *head = xcalloc(1, SEGMENT_HEAD_MAX);
	memcpy(packet, data + sizeof(vnet), n);
	if (segment_begin(&s, &vnet, packet, n) < 0)
		return 0;
	while (segment_next(&s, head, &piece)) {
		assert(piece.head_n <= (piece.payload ? SEGMENT_HEAD_MAX : n));
		assert(piece.payload ? piece.payload_n > 0 && piece.payload_n <= s.size
				     : piece.payload_n == 0);
		assert(!piece.payload || piece.payload == packet + piece.head_n + payload);
		payload += piece.payload_n;
	}
	assert(payload == 0 || s.head_n + payload == n);
	return 0;
}
