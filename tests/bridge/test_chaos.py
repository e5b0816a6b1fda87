# SPDX-License-Identifier: Apache-2.0
"""Everything at once, at random, from a seed: clients and services that stop in the middle of
whatever they do, while the configuration changes. Nothing breaks, nothing is mixed up, and at the
end everything is served as at the beginning (the sanitizers look on in one of CI's builds)."""

from __future__ import annotations

import os
import random
import threading
import time
from typing import Any

from bench import Bridge, Peer, Upstream, poll, read_message

SECONDS = float(os.environ.get("MESHGW_CHAOS_SECONDS", "3"))
SEED = int(os.environ.get("MESHGW_CHAOS_SEED", "1"))


def _body(chance: random.Random, token: bytes) -> tuple[bytes, bytes]:
    """A framing field and a body that holds the token at its end."""
    filler = b"x" * chance.choice([0, 1, 100, 20000, 300000])
    if chance.random() < 0.5:
        data = filler + token
        return b"Content-Length: %d\r\n" % len(data), data
    chunks = b"%x\r\n%s\r\n" % (len(filler), filler) if filler else b""
    chunks += b"%x\r\n%s\r\n" % (len(token), token)
    return b"Transfer-Encoding: chunked\r\n", chunks + b"0\r\n\r\n"


def _serve(peer: Peer) -> None:
    """Answers with the request's token, unless it feels like something else."""
    chance = random.Random(peer.sock.fileno() + time.monotonic_ns())
    while True:
        request = read_message(peer)
        token = (request.get("x-token") or "").encode()
        mood = chance.random()
        if mood < 0.05:
            peer.reset()
            return
        if mood < 0.1:
            return
        if mood < 0.13:
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx")
            return
        framing, body = _body(chance, token)
        answer = b"HTTP/1.1 200 OK\r\n" + framing + b"X-Token: " + token + b"\r\n\r\n" + body
        if mood < 0.25:
            peer.send(answer[: chance.randrange(len(answer))])
            return
        for at in range(0, len(answer), 70000):
            peer.send(answer[at : at + 70000])
            if mood < 0.3:
                time.sleep(0.002)


class Caller(threading.Thread):
    """Sends requests until told to stop."""

    def __init__(self, bridge: Bridge, seed: int, until: float) -> None:
        super().__init__(daemon=True)
        self.bridge, self.chance, self.until = bridge, random.Random(seed), until
        self.good, self.wrong = 0, ""

    def run(self) -> None:
        while time.monotonic() < self.until and not self.wrong:
            try:
                self._call(self.bridge.connect())
            except (OSError, AssertionError):
                pass

    def _request(self, token: bytes) -> bytes:
        head = b"Host: a.internal\r\nX-Token: " + token + b"\r\n"
        if self.chance.random() < 0.6:
            return b"GET /x HTTP/1.1\r\n" + head + b"\r\n"
        framing, body = _body(self.chance, token)
        return b"POST /x HTTP/1.1\r\n" + head + framing + b"\r\n" + body

    def _call(self, client: Peer) -> None:
        n = self.chance.choice([1, 1, 2, 5])
        tokens = [b"%d-%d" % (self.ident or 0, self.chance.randrange(1 << 40)) for _ in range(n)]
        requests = b"".join(map(self._request, tokens))
        mood = self.chance.random()
        if mood < 0.1:
            client.send(requests[: self.chance.randrange(len(requests))])
            (client.reset if mood < 0.05 else client.close)()
            return
        sender = threading.Thread(target=self._send, args=(client, requests), daemon=True)
        sender.start()
        for token in tokens:
            if self.chance.random() < 0.03:
                break
            answer = read_message(client)
            if answer.status == 200 and (answer.get("x-token") or "").encode() != token:
                self.wrong = f"{token!r}: {answer.head!r}"
            if answer.status == 200 and token not in answer.body:
                self.wrong = f"{token!r}: body"
            self.good += answer.status == 200
        (client.reset if mood < 0.2 else client.close)()
        sender.join()

    @staticmethod
    def _send(client: Peer, data: bytes) -> None:
        try:
            client.send(data)
        except OSError:
            pass


def _change(bridge: Bridge, routes: list[dict[str, Any]], turn: int, settings: dict[str, Any]) -> None:
    """Until it is in force: each turn has a host of its own, which refuses."""
    closed = {**routes[0], "host": f"turn-{turn}.internal", "sources": ["10.0.0.0/8"]}
    bridge.reload([*routes, closed], **settings)
    ask = f"GET / HTTP/1.1\r\nHost: {closed['host']}\r\n\r\n".encode()
    poll("the new routes", lambda: bridge.ask(ask).status == 403)


def test_chaos(bridge: Bridge) -> None:
    upstreams = [Upstream(_serve) for _ in range(2)]
    routes = [{"upstreams": [u.config for u in upstreams]}]
    settings = {"threads": 2, "limits": {"perSource": 10000}}
    bridge.start(routes, **settings)
    until = time.monotonic() + SECONDS
    callers = [Caller(bridge, SEED * 1000 + i, until) for i in range(12)]
    for caller in callers:
        caller.start()
    turn = 0
    while time.monotonic() < until:
        turn += 1
        _change(bridge, [{"upstreams": [upstreams[turn % 2].config]}] if turn % 3 else routes, turn, settings)
    for caller in callers:
        caller.join(30)
    assert not [caller.wrong for caller in callers if caller.wrong]
    assert sum(caller.good for caller in callers) > 20
    last = Caller(bridge, SEED, time.monotonic() + 10)
    last.start()
    poll("one that is served", lambda: last.good or last.wrong)
    assert not last.wrong
    last.until = 0
    last.join(10)
    for u in upstreams:
        u.close()
