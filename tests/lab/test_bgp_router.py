# SPDX-License-Identifier: Apache-2.0
"""The site router speaks BGP in either of two implementations, and can be switched at run time."""

from __future__ import annotations

import pytest

from lab.lab import Lab
from lab.router import BY_HAND


@pytest.mark.client("its interface is there without meshgw")
@pytest.mark.parametrize("mode", ["bgp", "bird"])
def test_router_takes_what_a_gateway_announces(pristine: Lab, mode: str) -> None:
    """Both families by one session, with a gateway configured by hand; they go with its TUN."""
    pristine.routing.become(mode)
    pristine.routing.learns("")
    pristine.frr["gw1"].start(BY_HAND)
    pristine.routing.learns("gw1")
    pristine.gw1.run("ip link set CloudflareWARP down")
    pristine.routing.learns("")
