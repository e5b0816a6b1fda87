/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * extra: entries of SETTINGS that nghttp3 does not know (quic_dialect.settings).
 *
 * The first bytes of our control stream, its type and the SETTINGS frame, are replaced by others
 * with the entries added. From then on the stream's bytes and the library's are some bytes apart,
 * and what is written and acknowledged is translated. With no entries all of it does nothing.
 */
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "quic/config.h"

struct quic_extra {
	uint8_t *bytes; /* nullptr = nothing is replaced (yet) */
	size_t n;
	size_t replaces; /* bytes of the library's */
	size_t sent;
	uint64_t acked;
};

void quic_extra_clear(struct quic_extra *x);
/* pieces are the first bytes of the control stream. False: they do not look like it. */
[[nodiscard]] bool quic_extra_begin(struct quic_extra *x, const struct iovec *pieces, size_t n,
	const struct quic_setting *settings, size_t n_settings);
/* Whether some of the replacement is still to be sent, instead of the library's bytes. */
bool quic_extra_pending(const struct quic_extra *x);
/* n bytes of the stream were written, or acknowledged: how many the library has to hear of. */
size_t quic_extra_written(struct quic_extra *x, size_t n);
uint64_t quic_extra_acknowledged(struct quic_extra *x, uint64_t n);
