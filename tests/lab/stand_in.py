#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""In the place of meshgw-bridge: its GET /.well-known/meshgw/diagnose, for who may have it try.

stand_in.py ADDRESS PORT TOKEN
"""

from __future__ import annotations

import json
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

ADDRESS, PORT, TOKEN = sys.argv[1], int(sys.argv[2]), sys.argv[3]
MEMBERS = ("id", "code", "title", "summary", "confidence", "candidates", "evidence")


class Http(BaseHTTPRequestHandler):
    """One question a connection."""

    def _answer(self, status: int, body: dict) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def do_GET(self) -> None:  # pylint: disable=invalid-name
        """http.server's name for it."""
        url = urlsplit(self.path)
        target = parse_qs(url.query).get("target", [""])[0]
        if url.path != "/.well-known/meshgw/diagnose" or not target:
            self._answer(404, {})
        elif self.headers["Authorization"] != f"Bearer {TOKEN}":
            self._answer(401, {})
        else:
            done = subprocess.run(
                ["meshgw", "--json", "diagnose", target], capture_output=True, check=False
            )
            verdict = json.loads(done.stdout)
            told = {name: verdict[name] for name in MEMBERS}
            self._answer(200, {**told, "fix": verdict["remedy"]})


server = ThreadingHTTPServer((ADDRESS, PORT), Http)
print("ready", flush=True)
server.serve_forever()
