/* SPDX-License-Identifier: Apache-2.0 */
#include "verdict/code_part.h"

constexpr enum code first = CODE_SERVICE_PORT_CLOSED;

const struct code_row code_part_service[] = {
	[CODE_SERVICE_PORT_CLOSED - first] = {"service-port-closed", CODE_CLASS_SERVICE,
		"The service's host answers that nothing listens on the port.",
		"A reset comes right after the SYN, from the host itself. A service that listens "
		"on loopback only looks the same from outside.",
		"Start the service, and see that it listens on the host's address and on this "
		"port.",
		{}, false},
	[CODE_LOCAL_BOUND_LOOPBACK - first] = {"local-bound-loopback", CODE_CLASS_SERVICE,
		"The service runs on this gateway and listens on loopback only.",
		"The target is an address of this gateway, and the socket of the port is bound "
		"to loopback.",
		"Let the service listen on the address that is asked for, or on all.", {}, false},
	[CODE_SERVICE_UDP_PORT_CLOSED - first] = {"service-udp-port-closed", CODE_CLASS_SERVICE,
		"The service's host answers that nothing listens on the UDP port.",
		"An ICMP error \"port unreachable\" comes from the target itself.",
		"Start the service, and see that it listens on the host's address and on this "
		"port.",
		{}, false},
	[CODE_SERVICE_SILENT_DROP - first] = {"service-silent-drop", CODE_CLASS_SERVICE,
		"The service's host is there and does not answer on this port, whoever asks.",
		"The gateway's own question gets no answer either, while the host answers for "
		"its link-layer address, or on other ports.",
		"Allow the port in the firewall of the service's host.", {}, false},
	[CODE_SERVICE_BACKLOG_FULL - first] = {"service-backlog-full", CODE_CLASS_SERVICE,
		"The service takes new connections too slowly, and some are not answered.",
		"Of several equal questions some are answered and some are not; or the handshake "
		"is answered again and again although it was completed.",
		"See whether the service hangs; give it more workers or a longer backlog.", {},
		false},
	[CODE_SERVICE_ACCEPTS_NO_ANSWER - first] = {"service-accepts-no-answer", CODE_CLASS_SERVICE,
		"The service takes the connection and the request, and sends nothing.",
		"The connection is established, the request is acknowledged, and no byte comes "
		"back in time.",
		"See what the application waits for: its log, its own databases and services.", {},
		false},
	[CODE_SERVICE_CLOSES_EARLY - first] = {"service-closes-early", CODE_CLASS_SERVICE,
		"The service closes the connection before it answers.",
		"The connection is closed or reset after the request and before any byte of an "
		"answer.",
		"See the application's log; a proxy or an access list of its own may refuse the "
		"caller.",
		{}, false},
	[CODE_SERVICE_EXPECTS_TLS - first] = {"service-expects-tls", CODE_CLASS_SERVICE,
		"The service speaks TLS and is asked in clear text.",
		"A clear request is answered by a TLS record or by an error that asks for HTTPS, "
		"or the connection is closed; a TLS handshake succeeds.",
		"Use https:// in the caller.", {}, false},
	[CODE_SERVICE_EXPECTS_PLAINTEXT - first] = {"service-expects-plaintext", CODE_CLASS_SERVICE,
		"The service speaks clear text and is asked by TLS.",
		"A TLS handshake is answered in clear text or by a close; a clear request is "
		"answered.",
		"Use http:// in the caller, or give the service a certificate.", {}, false},
	[CODE_SERVICE_TLS_CERTIFICATE - first] = {"service-tls-certificate", CODE_CLASS_SERVICE,
		"The service's certificate is not accepted.",
		"The TLS handshake fails on the certificate: it is not valid for the name, is "
		"out of date, or is of an unknown issuer.",
		"Give the service a certificate for the name that is asked for, or let the "
		"caller trust its issuer.",
		{}, false},
	[CODE_SERVICE_TLS_PROTOCOL - first] = {"service-tls-protocol", CODE_CLASS_SERVICE,
		"The TLS handshake fails: the two sides have no version or cipher in common, or "
		"the name is not known.",
		"The service answers the handshake by a TLS alert.",
		"Allow a current TLS version at the service, and see that it knows the name that "
		"is asked for.",
		{}, false},
	[CODE_SERVICE_SLOW - first] = {"service-slow", CODE_CLASS_SERVICE,
		"The service answers, and later than its caller waits.",
		"The first byte of the answer comes after the limit.",
		"Make the service faster, or let the caller wait longer.", {}, false},
	[CODE_NAME_NOT_RESOLVED - first] = {"name-not-resolved", CODE_CLASS_SERVICE,
		"This gateway's resolver gives no address for the target's name.",
		"The resolver of this gateway answers that there is no such name, or not at all.",
		"Check the name, and the resolvers of this gateway.", {}, false},
	[CODE_HEALTHY - first] = {"healthy", CODE_CLASS_HEALTHY,
		"Nothing is wrong with the flow: its packets reach the service, and the answers "
		"leave into the tunnel.",
		"Packets and answers were seen at every point of the way, or an injected packet "
		"and its answer were.",
		"Nothing is to be done here. If the caller still fails, look at the caller's "
		"side.",
		{}, false},
	[CODE_NO_TRAFFIC_OBSERVED - first] = {"no-traffic-observed", CODE_CLASS_UNDECIDED,
		"No packet of the flow was seen, and nothing was sent to find out more.",
		"A passive diagnosis saw no packet of the flow, and nothing on this gateway "
		"would stop it.",
		"Let the caller try while meshgw diagnose --passive runs, or run it without "
		"--passive.",
		{}, false},
	[CODE_INCONCLUSIVE - first] = {"inconclusive", CODE_CLASS_UNDECIDED,
		"The evidence is not enough for one cause; the ones that are still possible are "
		"listed.",
		"What was observed is explained by several causes, and what would separate them "
		"could not be observed.",
		"See what was missing, and diagnose again while the flow fails.", {}, false},
	[CODE_INSUFFICIENT_PRIVILEGE - first] = {"insufficient-privilege", CODE_CLASS_UNDECIDED,
		"The diagnosis was not permitted to look.",
		"The kernel refused routes, rules or packets to meshgwd.",
		"Start meshgwd by its unit, which grants the capability that it needs.",
		{"systemctl restart meshgwd"}, false},
	[CODE_OBSERVER_LIMITED - first] = {"observer-limited", CODE_CLASS_UNDECIDED,
		"Something could not be observed, and the verdict would need it.",
		"A source of evidence is missing on this machine (BPF, packet trace, connection "
		"tracking), and the others do not settle it.",
		"See what was missing; meshgw-trace needs a kernel with BPF and its type "
		"information.",
		{}, false},
	[CODE_RECOVERED - first] = {"recovered", CODE_CLASS_HEALTHY,
		"The flow works again; what was seen of the failure is over.",
		"Evidence of a failure is older than packets that passed all the way.",
		"Nothing is to be done now. If it comes back, meshgw watch keeps what it sees.", {},
		false},
	[CODE_CONFIG_CHANGED_DURING_ANALYSIS - first] = {"config-changed-during-analysis",
		CODE_CLASS_UNDECIDED,
		"Routes, rules or the configuration changed while the diagnosis looked, so its "
		"evidence does not fit together.",
		"The kernel's routes, policy rules or packet filter, or the configuration of "
		"meshgw, were changed meanwhile.",
		"Diagnose again when the change is over.", {}, false},
};
