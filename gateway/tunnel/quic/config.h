/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * config: what an endpoint is told once, when it is made.
 *
 * Plain data, borrowed during the call that takes it and copied there. Zero in a number means the
 * default named beside it. Times are nanoseconds, sizes bytes.
 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>

constexpr size_t QUIC_KEY_DIGEST = 32;

/* Who we are and whom we accept. At least one of pins and ca has to be there; where both are,
 * a peer has to satisfy both. */
struct quic_identity {
	const char *certificate;                /* PEM, the leaf first, then the chain */
	const char *key;                        /* PEM */
	const uint8_t (*pins)[QUIC_KEY_DIGEST]; /* SHA-256 of a peer's SubjectPublicKeyInfo */
	size_t n_pins;
	const char *ca;     /* PEM; nullptr or "" = none */
	const char *groups; /* the first is preferred; default X25519MLKEM768:X25519:P-256 */
};

/* Why an identity cannot be used, as positive errno; anything else is about the rest of it. */
constexpr int QUIC_BAD_PAIR = EKEYREJECTED; /* certificate or key */
constexpr int QUIC_BAD_CA = ENOKEY;         /* ca */

/* What strangers and peers may use up. */
struct quic_limits {
	unsigned int handshakes_per_prefix; /* a second and /24 or /56; default 20 */
	unsigned int unauthenticated;       /* handshakes at the same time; default 256 */
	unsigned int retry_above;           /* of these, before Retry is asked for; default 64 */
	bool retry_always;                  /* from the first one on */
	unsigned int connections;           /* default 4096 */
	unsigned int answers;               /* a second without a connection; default 1000 */
	unsigned int retries;               /* … of Retry, beside these; default 20,000 */
	unsigned int streams;               /* a peer's requests at the same time; default 8 */
	size_t stream_send;                 /* unacknowledged bytes a stream; default 64 KiB */
	size_t stream_window;               /* bytes a stream that we receive; default 64 KiB */
	size_t queue;  /* bytes of waiting datagrams a stream; default 128 KiB */
	size_t queues; /* the same of all together; default 16 MiB */
};

/* An entry of HTTP/3 SETTINGS that the library does not know. */
struct quic_setting {
	uint64_t id;
	uint64_t value;
};

struct quic_dialect {
	const char *protocol; /* value of :protocol; default connect-ip */
	/* Send the request to a server that did not announce RFC 9220. */
	bool ignore_missing_connect_protocol;
	const struct quic_setting *settings; /* sent beside ours */
	size_t n_settings;
};

struct quic_config {
	bool accept; /* answer strangers; otherwise only connections that we began exist */
	struct quic_identity identity;
	struct quic_limits limits;
	struct quic_dialect dialect;
	uint64_t keep_alive_ns; /* default 15 s */
	uint64_t idle_ns;       /* default 60 s */
	uint64_t handshake_ns;  /* default 10 s */
	/* So long, or three probe timeouts, without an answer: the event `silent`; default 1 s. */
	uint64_t silent_ns;
	/* The largest UDP payload that path MTU discovery tries: default 1472, at most 65,527. */
	size_t payload_max;
};
