/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * fact_tried: what came of something that the diagnosis sent.
 */
#include "verdict/fact_node.h"

/* What came of something that was tried. */
enum fact_probe_name {
	PROBE_OWN,       /* TCP connect, UDP or echo from the gateway's LAN address */
	PROBE_RANGE,     /* from an address of the mesh range, sent by a socket (net/probe.h) */
	PROBE_INJECTED,  /* from an address of the range, entering by the mesh interface like a
			    packet of the mesh; the answer on its way into the tunnel */
	PROBE_OWN_OTHER, /* as OWN, INJECTED: to a port that should be closed */
	PROBE_INJECTED_OTHER,
	PROBE_OWN_ECHO, /* ICMP echo */
	PROBE_INJECTED_ECHO,
	PROBE_HOP, /* INJECTED with a small TTL: `ttl`, `sender` */
	PROBE_OWN_HOP,
	PROBE_LARGE, /* echo of `size` bytes, not to be fragmented */
	PROBE_LINK,  /* ARP or neighbour solicitation */
	PROBE_NAMES
};
enum fact_outcome {
	OUTCOME_ANSWERED, /* SYN-ACK, UDP answer, echo reply */
	OUTCOME_REFUSED,  /* RST, port unreachable: of the target itself */
	OUTCOME_ERROR,    /* ICMP error of `sender` */
	OUTCOME_SILENT,
	OUTCOME_LOCAL,  /* did not leave this host: `error` */
	OUTCOME_ASTRAY, /* the answer came by another interface or was led elsewhere */
	OUTCOMES
};

struct fact_probe {
	enum fact_probe_name probe;
	enum fact_outcome outcome;
	struct addr source;
	struct addr sender; /* of an ICMP error */
	int64_t port;       /* asked for */
	int64_t sent, answered;
	int64_t ttl, size;            /* -1 = the usual */
	int64_t icmp_type, icmp_code; /* -1 = none */
	int64_t error;                /* errno */
	int64_t rtt_us;               /* of the first answer, -1 */
};

/* What a service said when it was spoken to (meshgw-probe). */
enum fact_l7_ask { L7_HTTP, L7_TLS, L7_DNS, L7_ASKS };
enum fact_l7_outcome {
	L7_OK,           /* an answer of the protocol that was spoken */
	L7_TLS_SPOKEN,   /* clear text was answered by a TLS record */
	L7_PLAIN_SPOKEN, /* a ClientHello was answered by clear text */
	L7_HTTPS_WANTED, /* an HTTP answer that says so */
	L7_SILENT,       /* the request was acknowledged, nothing came */
	L7_CLOSED,       /* closed or reset before any byte */
	L7_GARBAGE,
	L7_CERTIFICATE, /* not valid for the name, expired, unknown issuer: `text` */
	L7_ALERT,       /* TLS alert `alert` */
	L7_NAME,        /* DNS: no such name, or it has no address: `text` */
	L7_NOT_CONNECTED,
	L7_RESOLVER, /* DNS: the resolver did not answer, or could not: `text` */
	L7_OUTCOMES
};
struct fact_l7 {
	enum fact_l7_ask ask;
	enum fact_l7_outcome outcome;
	int64_t status;        /* of HTTP, -1 */
	int64_t alert;         /* of TLS, -1 */
	int64_t first_byte_us; /* from the request's end, -1 = none came */
	char text[FACT_TEXT_LEN];
};
