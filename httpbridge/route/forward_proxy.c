/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The header of haproxy's doc/proxy-protocol.txt, section 2.2.
 */
#include "route/forward.h"
#include <string.h>

static uint8_t *put_port(uint8_t *at, uint16_t port)
{
	*at++ = (uint8_t)(port >> 8);
	*at++ = (uint8_t)port;
	return at;
}

size_t forward_proxy_v2(const struct addr *peer, uint16_t peer_port, const struct addr *local,
	uint16_t local_port, uint8_t out[static FORWARD_PROXY_MAX])
{
	static const uint8_t signature[] = {
		0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a};
	bool known = peer->family == local->family &&
		     (peer->family == AF_INET || peer->family == AF_INET6);
	size_t bytes = known ? addr_bytes(peer->family) : 0;
	uint8_t *at = out;

	memcpy(at, signature, sizeof(signature));
	at += sizeof(signature);
	*at++ = known ? 0x21 : 0x20; /* version 2, PROXY or LOCAL */
	*at++ = !known ? 0x00 : peer->family == AF_INET ? 0x11 : 0x21; /* over TCP */
	at = put_port(at, known ? (uint16_t)(2 * bytes + 4) : 0);      /* the length, as wide */
	memcpy(at, peer->b, bytes);
	memcpy(at + bytes, local->b, bytes);
	at += 2 * bytes;
	if (known)
		at = put_port(put_port(at, peer_port), local_port);
	return (size_t)(at - out);
}
