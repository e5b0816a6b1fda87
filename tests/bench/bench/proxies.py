# SPDX-License-Identifier: Apache-2.0
"""Reverse proxies under test, each with one thread, pooled upstream connections, an access log to a
file and X-Forwarded-For; and the origin behind them."""

from __future__ import annotations

import functools
import json
import re
import resource
import socket
import subprocess
from pathlib import Path

from bench.daemons import TICKS
from bench.space import URGENT, Netns, Process, Space, poll_until

ORIGIN = "10.0.1.50"
ORIGIN_PORT = 8080
PROXY = "100.96.0.18"
PORT = 80
# As many as this machine lets a process have.
DESCRIPTORS = resource.getrlimit(resource.RLIMIT_NOFILE)[1]


@functools.cache
def _first() -> list[str]:
    """Before all other work of the machine, where it lets us; a nice value counts only within a
    session (sched(7), autogroup), and with other work around proxies were busy for 70 % of a core."""
    real_time = ["chrt", "--fifo", "1"]
    may = subprocess.run([*real_time, "true"], capture_output=True, check=False).returncode == 0
    return real_time if may else URGENT


def on_core(number: int) -> list[str]:
    """Before a command: there alone, and with descriptors enough."""
    return ["prlimit", f"--nofile={DESCRIPTORS}", *_first(), "taskset", "-c", str(number)]


class Proxy:
    """One of them, on core 1 alone."""

    name = ""
    version: tuple[str, ...] = ()

    def __init__(self, space: Space, ns: Netns) -> None:
        self.space, self.ns = space, ns
        self.folder = space.folder / self.name.replace(" ", "-")
        self.folder.mkdir(exist_ok=True)
        self.process: Process | None = None
        self._start()
        poll_until(self._listens, 20, f"{self.name} listens")

    def _start(self) -> None:
        raise NotImplementedError

    def _listens(self) -> bool:
        if self.process:
            self.process.alive()
        return f"{PROXY}:{PORT}" in self.ns.run(["ss", "-Hltn"])

    def popen(self, argv: list[str]) -> Process:
        """With enough descriptors, on its core."""
        return self.ns.popen([*on_core(1), *argv])

    def write(self, name: str, text: str) -> Path:
        """A file of its own."""
        path = self.folder / name
        path.write_text(text)
        return path

    def pids(self) -> list[int]:
        """All its processes."""
        assert self.process
        found, todo = [], [self.process.pid]
        while todo:
            pid = todo.pop()
            found.append(pid)
            todo += map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
        return found

    def cpu_s(self) -> float:
        """User and system time so far."""
        total = 0
        for pid in self.pids():
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            total += int(fields[11]) + int(fields[12])
        return total / TICKS

    def memory_bytes(self) -> int:
        """What would be free without it; pages of files come and go as the kernel likes."""
        total = 0
        for pid in self.pids():
            text = Path(f"/proc/{pid}/smaps_rollup").read_text()
            total += sum(int(kb) for kb in re.findall(r"^(?:Private_Dirty|Swap):\s+(\d+) kB", text, re.M))
        return total * 1024

    def stop(self) -> None:
        """Makes room for the next one."""
        if self.process:
            self.process.stop()


class Meshgw(Proxy):
    """The bridge with all it does: routing, access control, headers, a log line for each request."""

    name = "meshgw-bridge"
    program = Path()

    def _start(self) -> None:
        conf = self.write("bridge.json", json.dumps({
            "threads": 1, "reveal": "code", "node": "bench", "admin": "",
            "limits": {"connections": DESCRIPTORS, "perSource": DESCRIPTORS, "idleMs": 600_000},
            "routes": [{
                "host": "*", "sources": ["100.64.0.0/10"],
                "upstreams": [{"scheme": "http", "host": ORIGIN, "port": ORIGIN_PORT,
                               "addresses": [ORIGIN]}],
            }],
        }))  # fmt: skip
        with self.ns.entered():
            listener = socket.create_server((PROXY, PORT), backlog=4096)
        with listener, (self.folder / "access.log").open("wb") as log:
            fd = listener.fileno()
            self.process = self.ns.popen(
                [*on_core(1), "bash", "-c",
                 f'exec 3<&{fd}; LISTEN_PID=$$ LISTEN_FDS=1 exec "$@"', "bridge",
                 self.program, "--config", conf],
                pass_fds=[fd], stdout=log,
            )  # fmt: skip


class Nginx(Proxy):
    """As its manual would have it for a reverse proxy with keep-alive."""

    name = "nginx"

    def _start(self) -> None:
        conf = self.write("nginx.conf", f"""\
worker_processes 1; worker_rlimit_nofile {DESCRIPTORS}; daemon off; pid {self.folder}/pid;
error_log {self.folder}/error.log; user root;
events {{ worker_connections {DESCRIPTORS}; }}
http {{
	access_log {self.folder}/access.log;
	keepalive_requests 1000000000; keepalive_timeout 600s; proxy_buffering on;
	client_body_temp_path {self.folder}/body; proxy_temp_path {self.folder}/proxy;
	fastcgi_temp_path {self.folder}/f; uwsgi_temp_path {self.folder}/u; scgi_temp_path {self.folder}/s;
	upstream origin {{ server {ORIGIN}:{ORIGIN_PORT}; keepalive 256; keepalive_requests 1000000000; }}
	server {{
		listen {PROXY}:{PORT} backlog=4096;
		location / {{
			proxy_pass http://origin; proxy_http_version 1.1; proxy_set_header Connection "";
			proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header Host $host;
		}}
	}}
}}
""")  # fmt: skip
        self.process = self.popen(["nginx", "-c", str(conf)])


class Haproxy(Proxy):
    """One thread; bufsize as asked."""

    name = "haproxy"
    bufsize = 16384

    def _start(self) -> None:
        conf = self.write("haproxy.cfg", f"""\
global
	nbthread 1
	maxconn {DESCRIPTORS // 2 - 100}
	tune.bufsize {self.bufsize}
	log stdout format raw local0
defaults
	mode http
	log global
	option httplog
	option http-keep-alive
	option forwardfor
	http-reuse always
	timeout connect 3s
	timeout client 600s
	timeout server 60s
	timeout http-keep-alive 600s
frontend mesh
	bind {PROXY}:{PORT} backlog 4096
	default_backend origin
backend origin
	server origin {ORIGIN}:{ORIGIN_PORT} pool-max-conn 256
""")
        with (self.folder / "access.log").open("wb") as log:
            self.process = self.ns.popen(
                [*on_core(1), "haproxy", "-db", "-f", str(conf)], stdout=log
            )


class HaproxyBig(Haproxy):
    """Buffers that hold what the bridge's do."""

    name = "haproxy 128k"
    bufsize = 131072


class H2o(Proxy):
    """The stock server of the library that the bridge stands on."""

    name = "h2o"

    def _start(self) -> None:
        conf = self.write("h2o.conf", f"""\
num-threads: 1
max-connections: {DESCRIPTORS}
http1-request-timeout: 600
user: root
pid-file: {self.folder}/pid
access-log: {self.folder}/access.log
error-log: {self.folder}/error.log
hosts:
  default:
    listen: {{host: {PROXY}, port: {PORT}}}
    paths:
      /:
        proxy.reverse.url: http://{ORIGIN}:{ORIGIN_PORT}/
        proxy.timeout.keepalive: 60000
        proxy.preserve-host: ON
""")
        self.process = self.popen(["h2o", "-m", "worker", "-c", str(conf)])


class Origin:
    """The tool of that name, on the load generator's core."""

    def __init__(self, space: Space, ns: Netns) -> None:
        self.process = ns.popen(
            [*on_core(0), str(space.tool("origin")), ORIGIN, str(ORIGIN_PORT)]
        )
        poll_until(
            lambda: self.process.alive() and f"{ORIGIN}:{ORIGIN_PORT}" in ns.run(["ss", "-Hltn"]),
            20, "the origin listens",
        )  # fmt: skip


def raise_limit() -> None:
    """For the client that holds idle connections."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS, DESCRIPTORS))
