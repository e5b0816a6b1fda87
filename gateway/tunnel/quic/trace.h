/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * trace: what has to be kept of a connection outside of the process, so that the next one can tell
 * the peer that it is gone.
 *
 * A stateless reset needs no connection, only its path and a connection ID that the peer writes to:
 * the token follows from the ID and the private key (RFC 9000 s10.3.2). A peer looks for tokens at
 * the end of whatever comes on the connection's path (s10.3.1), be it an answer or not; so nobody
 * has to wait until it says something.
 */
#include "quic/address.h"
#include "quic/batch.h"

struct quic_connection;
struct quic_endpoint;

constexpr size_t QUIC_TRACE_ID = 8;

struct quic_trace {
	struct quic_path path;
	uint8_t id[QUIC_TRACE_ID];
};

/* Of an established one; the event `traced` tells when it is another. */
struct quic_trace quic_connection_trace(const struct quic_connection *c);

/* Writes a stateless reset for a connection of an earlier process with the same private key,
 * between the endpoint's turns. False: the batch is full. */
[[nodiscard]] bool quic_endpoint_disown(
	struct quic_endpoint *e, const struct quic_trace *trace, struct quic_batch *out);
