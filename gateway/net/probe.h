/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * probe: one TCP SYN that asks a service for an answer.
 *
 * From the gateway's own address it is an ordinary connection, and the socket hears the outcome.
 * From an address of the mesh the answer goes into the tunnel, as that of any flow of the mesh
 * would, or would but for table inet meshgw (nft/table.h), which notes it in the conntrack mark
 * and gives the service a RST. So the socket is closed as soon as its SYN is out, and ct_lookup()
 * of the probe's flow says what came of it:
 *
 *   no entry             it did not leave: an output filter dropped it; or a RST came, with which
 *                        conntrack forgets such a flow: nft_learned_reset() knows it
 *   MARK_PROBE_...       what was seen of the answer (lib/marks.h)
 *   IPS_SRC_NAT          somebody translated its source; it proves nothing
 *
 * Probes need CAP_NET_ADMIN only (ip(7) IP_TRANSPARENT, socket(7) SO_MARK). None leaves a
 * connection behind at the service.
 *
 * An IPv4 destination without a route counts as on link, since the interface is given
 * (net/ipv4/route.c, ip_route_output_key_hash_rcu): it is asked for by ARP and stays silent.
 */
#include "lib/err.h"
#include "net/ct.h"
#include <net/if.h>

struct probe_target {
	struct addr source; /* an unused address of the mesh; AF_UNSPEC = the gateway's own */
	struct addr address;
	uint16_t port;
	char interface[IFNAMSIZ]; /* it leaves by this one, whatever rules say */
};

struct probe {
	int fd; /* readable by poll(2) as POLLOUT when probe_check() has news; -1 = none */
	struct ct_flow flow; /* as others see it */
};

/* Sends a probe; *seed chooses the source port of one from the mesh and is counted up, so that no
 * late answer is taken for that of a later probe. 0, or -errno when it could not even be sent
 * (-ENETUNREACH no route, -EPERM no capability, -ENODEV no such interface …). probe_close() it. */
[[nodiscard]] int probe_send(
	const struct probe_target *target, uint32_t *seed, struct probe *out, struct err *err);
/* Of a probe from the gateway's own address. 1 = answered; -EINPROGRESS = nothing yet; any other
 * -errno = what came instead (-ECONNREFUSED, -EHOSTUNREACH …: of the service, of a router, or of
 * a filter here); -EHOSTDOWN when it was this host that gave up, for want of the neighbour's link
 * address or by a filter. */
[[nodiscard]] int probe_check(const struct probe *p);
void probe_close(struct probe *p); /* twice is allowed */
