/* SPDX-License-Identifier: Apache-2.0 */
#include "quic/handshake.h"

static size_t length(const uint8_t head[static 4])
{
	return (size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3];
}

bool quic_handshake_fits(struct quic_handshake *h, const uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < n;) {
		if (h->left) {
			size_t part = h->left < n - i ? h->left : n - i;

			h->left -= part;
			i += part;
			continue;
		}
		h->head[h->n++] = bytes[i++];
		if (h->n < sizeof(h->head))
			continue;
		h->n = 0;
		h->left = length(h->head);
		if (h->left > QUIC_HANDSHAKE_MESSAGE_MAX)
			return false;
	}
	return true;
}
