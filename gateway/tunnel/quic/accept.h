/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * accept: packets of strangers, and what they cost.
 *
 *     version that we do not speak ─▶ Version Negotiation          (RFC 9000 s6)
 *     short header, ID of nobody   ─▶ stateless reset              (s10.3)
 *     Initial, bad Retry token     ─▶ CONNECTION_CLOSE             (s8.1.3)
 *     Initial, address not proven, many handshakes, or the prefix has used up its share ─▶ Retry
 *     Initial, address proven, and the prefix has used up its share of these ─▶ nothing
 *     Initial otherwise            ─▶ a connection that has to authenticate
 *
 * An address is proven by a token of a Retry or of an earlier connection. Addresses that are not
 * have a share of their own: whoever forges a prefix can use up that one, and then its owner has to
 * answer one Retry more. Answers are never larger than what they answer, need no memory but their
 * place among quic_endpoint.answers, and have a budget of their own.
 */
#include <ngtcp2/ngtcp2.h>

#include "quic/endpoint_int.h"

/* A datagram for no connection. */
void quic_accept_stranger(
	struct quic_endpoint *e, const struct quic_run *in, const ngtcp2_version_cid *id);
/* A version that the library does not know. */
void quic_accept_version(
	struct quic_endpoint *e, const struct quic_run *in, const ngtcp2_version_cid *id);
