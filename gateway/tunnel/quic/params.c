/* SPDX-License-Identifier: Apache-2.0 */
#include "quic/params.h"

#include <ngtcp2/ngtcp2_crypto.h>

/* Streams of control, of QPACK, and some that we ignore (RFC 9114 s6.2 wants at least three). */
constexpr uint64_t UNIDIRECTIONAL = 8;

/*
 * UDP payloads to try, the likely ones first: Ethernet with IPv4 and with IPv6, PPPoE, what an
 * inner packet of 1280 bytes needs, other tunnels, a path of 1300; then larger
 * frames, for those who have them.
 */
static const uint16_t PROBES[] = {
	1472, 1452, 1444, 1320, 1406, 1380, 1352, 1272, 1232, 8952, 8972, 65'507};
constexpr size_t N_PROBES = sizeof(PROBES) / sizeof(*PROBES);

void quic_params_settings(const struct quic_endpoint *e, ngtcp2_settings *settings)
{
	ngtcp2_settings_default(settings);
	settings->initial_ts = e->now_ns;
	settings->ack_thresh = 1; /* in every packet; when there is to be one, read.c decides */
	settings->handshake_timeout = e->config.handshake_ns;
	settings->max_tx_udp_payload_size = e->config.payload_max;
	settings->pmtud_probes = PROBES;
	settings->pmtud_probeslen = N_PROBES;
}

void quic_params_transport(
	const struct quic_endpoint *e, ngtcp2_transport_params *params, bool server)
{
	const struct quic_limits *limits = &e->config.limits;

	ngtcp2_transport_params_default(params);
	params->initial_max_stream_data_bidi_local = limits->stream_window;
	params->initial_max_stream_data_bidi_remote = limits->stream_window;
	params->initial_max_stream_data_uni = limits->stream_window;
	/* All together: every gap between two bytes that came too early costs more than a byte, and
	 * what came in order is taken at once. */
	params->initial_max_data = limits->stream_window * 2;
	params->initial_max_streams_bidi = server ? limits->streams : 0;
	params->initial_max_streams_uni = UNIDIRECTIONAL;
	params->max_idle_timeout = e->config.idle_ns;
	params->active_connection_id_limit = 7;
	params->max_datagram_frame_size = 65'535; /* RFC 9221 s3 */
}

void quic_params_server(const struct quic_endpoint *e, ngtcp2_transport_params *params,
	const ngtcp2_pkt_hd *hd, const ngtcp2_cid *original, const ngtcp2_cid *scid)
{
	params->original_dcid = original ? *original : hd->dcid;
	params->original_dcid_present = 1;
	if (original) {
		params->retry_scid = hd->dcid;
		params->retry_scid_present = 1;
	}
	params->stateless_reset_token_present =
		ngtcp2_crypto_generate_stateless_reset_token(params->stateless_reset_token,
			e->secrets.reset, sizeof(e->secrets.reset), scid) == 0;
}
