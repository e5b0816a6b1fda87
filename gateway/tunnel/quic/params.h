/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * params: what we tell ngtcp2 and the peer when a connection begins.
 *
 * One place for windows, limits and sizes, because together they bound what a peer can make us
 * keep: streams times window, and nothing for the rest.
 */
#include <ngtcp2/ngtcp2.h>

#include "quic/endpoint_int.h"

void quic_params_settings(const struct quic_endpoint *e, ngtcp2_settings *settings);
void quic_params_transport(
	const struct quic_endpoint *e, ngtcp2_transport_params *params, bool server);
/* What a server adds. original: the client's first destination, if a Retry came between. */
void quic_params_server(const struct quic_endpoint *e, ngtcp2_transport_params *params,
	const ngtcp2_pkt_hd *hd, const ngtcp2_cid *original, const ngtcp2_cid *scid);
