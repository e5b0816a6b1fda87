/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * quic_failing: callbacks of the QUIC library that fail, of either endpoint, when an input says so.
 *
 * They stand between the quic room's table of callbacks and ngtcp2's own (the linker's --wrap).
 */
#include <stdint.h>

enum failing {
	FAILING_NONE,
	FAILING_ENCRYPT,
	FAILING_DECRYPT,
	FAILING_MASK,
	FAILING_HANDSHAKE,
	FAILING_UPDATE,
	FAILING_CHALLENGE,
	FAILING_KINDS,
};

/* That callback, once, after so many that succeed. FAILING_NONE: none any more. */
void failing_set(enum failing kind, unsigned after);
