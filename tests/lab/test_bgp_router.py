# SPDX-License-Identifier: Apache-2.0
"""The site router speaks BGP in either of two implementations, and can be switched at run time."""

from __future__ import annotations

import pytest

from lab.lab import Lab

# What the field report's administrator wrote by hand on a gateway.
BY_HAND = """\
ip prefix-list MESH seq 10 permit 100.64.0.0/12
ip prefix-list MESH seq 20 permit 100.96.0.0/12
ipv6 prefix-list MESH seq 10 permit 2606:4700:cf1:5000::/64
ipv6 prefix-list MESH seq 20 permit 2606:4700:cf1:1000::/64
route-map MESH-STATIC permit 10
 match ip address prefix-list MESH
exit
route-map MESH-STATIC permit 20
 match ipv6 address prefix-list MESH
exit
ip route 100.64.0.0/12 CloudflareWARP
ip route 100.96.0.0/12 CloudflareWARP
ipv6 route 2606:4700:cf1:5000::/64 CloudflareWARP
ipv6 route 2606:4700:cf1:1000::/64 CloudflareWARP
router bgp 65010
 neighbor 10.0.1.1 remote-as 65001
 address-family ipv4 unicast
  redistribute static route-map MESH-STATIC
  neighbor 10.0.1.1 route-map MESH-STATIC out
 exit-address-family
 address-family ipv6 unicast
  redistribute static route-map MESH-STATIC
  neighbor 10.0.1.1 activate
  neighbor 10.0.1.1 route-map MESH-STATIC out
 exit-address-family
"""


@pytest.mark.parametrize("mode", ["bgp", "bird"])
def test_router_takes_what_a_gateway_announces(pristine: Lab, mode: str) -> None:
    """Both families by one session, with a gateway configured by hand; they go with its TUN."""
    pristine.routing.become(mode)
    pristine.routing.learns("")
    pristine.frr["gw1"].start(BY_HAND)
    pristine.routing.learns("gw1")
    pristine.gw1.run("ip link set CloudflareWARP down")
    pristine.routing.learns("")
