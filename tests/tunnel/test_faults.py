# SPDX-License-Identifier: Apache-2.0
"""What ends, and what goes on: the edge, meshgwd, keys."""

from __future__ import annotations

from pathlib import Path

from world import (
    EDGE,
    IFF_NO_PI,
    IFF_TUN,
    MESH_EDGE,
    Identity,
    Pair,
    ending_well,
    poll,
    transfer,
)

MEBIBYTE = 1 << 20
WHO = f"{EDGE}:443"


def test_edge_killed(pair: Pair) -> None:
    """A new edge does not know the connection and says so at once (RFC 9000 10.3)."""
    pair.start()
    assert pair.ping()
    pair.edge.kill()
    pair.edge.start()
    poll("the edge is back", lambda: pair.edge.daemon.peers() and pair.ping())
    log = pair.gateway.log.read_text(encoding="utf-8")
    assert "stateless reset" in log or "cause=reset" in log, log


def test_connector_killed(pair: Pair) -> None:
    """Its successor is the node's active replica, though the dead one has not timed out yet."""
    pair.start()
    pair.gateway.kill()
    pair.gateway.start()
    poll("the gateway is back", pair.ping)


def test_stranger(pair: Pair, tmp_path: Path) -> None:
    """A key that the edge does not know opens nothing."""
    known = Identity(tmp_path, "known")
    pair.edge.tell(pair.server(pair.node(known)))
    pair.gateway.tell(pair.connector())
    pair.edge.start()
    pair.gateway.start()
    poll("refused", lambda: "closed cause=" in pair.gateway.log.read_text("utf-8"))
    reports = pair.gateway.daemon.reports
    poll("said", lambda: reports and reports[-1]["tunnel"]["connector"].get("error"))
    assert not pair.ping()
    pair.edge.tell(pair.server())
    poll("known", pair.ping)


def test_wrong_edge(pair: Pair, tmp_path: Path) -> None:
    """Nor does the gateway talk to an edge with another key."""
    other = Identity(tmp_path, "other")
    pair.edge.tell(pair.server())
    pair.gateway.tell({**pair.connector(), "pins": [other.pin]})
    pair.edge.start()
    pair.gateway.start()
    poll("refused", lambda: "closed cause=" in pair.gateway.log.read_text("utf-8"))
    assert not pair.ping()
    poll("said", lambda: ("strange", WHO) in pair.gateway.daemon.troubles())
    shown = f"its key is {pair.edge.identity.pin}, none of the pins"
    assert pair.gateway.daemon.says("strange") == shown


def _signed_by(folder: Path, name: str) -> tuple[str, ...]:
    """Of openssl-req(1)."""
    return ("-days", "30", "-CA", str(folder / f"{name}.crt"), "-CAkey", str(folder / f"{name}.key"))


def test_expired_edge(pair: Pair, tmp_path: Path) -> None:
    """Nor to one whose certificate, signed by whom it should be, has had its time; which is something
    else for who has to mend it."""
    times = ("-not_before", "20260101000000Z", "-not_after", "20260201000000Z")
    pair.edge.identity = Identity(tmp_path, "edge.mesh", *times)
    pair.edge.tell(pair.server())
    ca = {"pins": [], "ca": pair.edge.identity.certificate}
    pair.gateway.tell({**pair.connector(), **ca})
    pair.edge.start()
    pair.gateway.start()
    poll("said", lambda: ("invalid", WHO) in pair.gateway.daemon.troubles())
    said = pair.gateway.daemon.says("invalid")
    assert "expired: 2026-01-01 00:00:00Z to 2026-02-01 00:00:00Z" in said, said
    assert not pair.gateway.named("strange")

    # One that somebody signed whom its authority has signed is welcome.
    root = Identity(tmp_path, "root")
    middle = Identity(tmp_path, "middle", *_signed_by(tmp_path, "root"))
    pair.edge.identity = Identity(tmp_path, "edge.mesh", *_signed_by(tmp_path, "middle"))
    pair.edge.identity.certificate += middle.certificate
    pair.edge.tell(pair.server())
    pair.gateway.tell({**pair.connector(), "pins": [], "ca": root.certificate})
    poll("way", pair.ping)
    poll("over", lambda: not pair.gateway.named("invalid"))


def test_refused(pair: Pair) -> None:
    """An edge that knows us and does not answer to this path: the request is what is wrong."""
    template = "https://edge.mesh/elsewhere/{target}/{ipproto}/"
    pair.edge.tell(pair.server())
    pair.gateway.tell(pair.connector(template=template))
    pair.edge.start()
    pair.gateway.start()
    poll("said", lambda: ("refused", WHO) in pair.gateway.daemon.troubles())
    assert pair.gateway.daemon.says("refused") == "it refuses the request with status 404"
    error = pair.gateway.daemon.reports[-1]["tunnel"]["connector"]["error"]
    assert error == "the edge refuses with status 404"
    pair.gateway.tell(pair.connector())
    poll("welcome", pair.ping)
    poll("over", lambda: not pair.gateway.named("refused"))


def test_second_edge(pair: Pair) -> None:
    """Where nobody answers the next one of the list is tried; each is called by its name."""
    nobody = {"address": EDGE, "port": 444, "name": "nobody"}
    edges = [nobody, {"address": EDGE, "port": 443, "name": "somebody"}]
    pair.edge.tell(pair.server())
    pair.gateway.tell(pair.connector(edges=edges))
    pair.edge.start()
    pair.gateway.start()
    poll("said", lambda: ("unreached", "nobody") in pair.gateway.daemon.troubles())
    poll("the second edge", pair.ping, 30)
    poll("its name", lambda: [p.get("node") for p in pair.gateway.daemon.peers()] == ["somebody"])
    assert pair.gateway.daemon.reports[-1]["tunnel"]["connector"]["edge"] == "somebody"


def test_meshgwd_away(pair: Pair) -> None:
    """Without it the tunnel goes on; told the same again, it does not begin anew."""
    pair.start()
    for node in (pair.gateway, pair.edge):
        node.daemon.stop()
    assert pair.ping()
    for node in (pair.gateway, pair.edge):
        reports = len(node.daemon.reports)
        node.daemon.start()
        poll("attached again", lambda n=node, r=reports: len(n.daemon.reports) > r)
    assert pair.ping()
    assert pair.edge.log.read_text("utf-8").count("edge: established") == 1


def test_rotation(pair: Pair, tmp_path: Path) -> None:
    """Another certificate and key while the connection lives; the next one uses them."""
    pair.start()
    before = Identity(tmp_path, "edge.mesh")
    pair.gateway.tell({**pair.connector(), "pins": [pair.edge.identity.pin, before.pin]})
    pair.edge.identity = before
    pair.edge.tell(pair.server())
    assert pair.ping()
    assert pair.edge.log.read_text("utf-8").count("edge: established") == 1
    pair.gateway.tell(None)
    pair.gateway.tell({**pair.connector(), "pins": [before.pin]})
    poll("with the new key", pair.ping)


def test_ended(pair: Pair) -> None:
    """Told to be nothing, it says good-bye: the edge does not wait for a time-out."""
    pair.start()
    pair.gateway.tell(None)
    poll("gone", lambda: "edge: closed" in pair.edge.log.read_text("utf-8"))


def test_no_offloads(tmp_path: Path) -> None:
    """A TUN device that was opened without IFF_VNET_HDR is slower, and works."""
    with ending_well(Pair(tmp_path, tun_flags=IFF_TUN | IFF_NO_PI)) as pair:
        pair.start()
        transfer(pair.edge.space, MESH_EDGE, pair.gateway.space, MEBIBYTE)
        for node in (pair.gateway, pair.edge):
            assert "without IFF_VNET_HDR" in node.log.read_text("utf-8")
