# SPDX-License-Identifier: Apache-2.0
"""Cloudflare's client on a Mesh node, emulated.

A Warp does to a gateway's network namespace what warp-svc does: a TUN, a policy rule without
priority, a routing table, an nftables table, the sysctls of the official installation. The packets
themselves are carried by the relay. Everything the real client is known to do differently from
one version or profile to the next is a switch in Traits; the defaults are those of a node made
with the dashboard's wizard (Include mode, 100.96.0.0/12 only).

The object keeps no state that the kernel or the relay does not also have, so that a second process
can make an equal one and go on with a running client.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import json
import os
import shlex
import socket
import subprocess
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

INTERFACE = "CloudflareWARP"
TABLE = 65743
# The client's own packets carry this mark and so escape its rule.
FWMARK = "0x100cf"
NFT_TABLE = "cloudflare-warp"
# In Include mode the client captures these as well, though no profile lists them.
INJECTED4 = "172.64.128.0/20"
INJECTED6 = "2606:4700:cf1::/48"
# A link with less has no IPv6 in Linux; the client switches it off as well.
IPV6_MTU = 1280
# Where the client finds Cloudflare, outside the tunnel.
UNDERLAY = ("162.159.197.0/24", "2606:4700:102::/48")
SYSCTLS = (
    "net.ipv4.ip_forward=1",
    "net.ipv6.conf.all.forwarding=1",
    "net.ipv6.conf.all.accept_ra=2",
)


@dataclass(frozen=True)
class Traits:
    """How the client behaves; every field one switch."""

    mtu: int = 1280
    # What the device profile lists, Include mode.
    include: tuple[str, ...] = ("100.96.0.0/12",)
    # The two ranges captured without being listed.
    inject4: bool = True
    inject6: bool = True
    # Clients before 2026.8.2100.0 left the old rule behind at a reconnect.
    duplicate_rules: bool = False
    # Routes of the table that turn into blackholes when the client stops, as reported by users.
    leave_blackholes: bool = False
    # The nftables table as a whole.
    firewall: bool = True
    # Input and output accept the tunnel and Cloudflare's addresses only: a profile that does not
    # exclude the LAN.
    strict_input: bool = False
    strict_output: bool = False
    # Included ranges must use the tunnel, so input and output drop them elsewhere.
    include_drop: bool = True
    # The gateway's own packets enter the tunnel with the tunnel's addresses only.
    tun_source_check: bool = True
    # The sysctl file of the official installation.
    sysctls: bool = True
    # The TUN outlives its reader.
    persist: bool = False
    # Segmentation offload on both TUNs: not what the client shows, but fast.
    offload: bool = False

    def captured(self) -> list[str]:
        """The prefixes of the client's routing table."""
        prefixes = [
            *self.include,
            *([INJECTED4] if self.inject4 else []),
            *([INJECTED6] if self.inject6 else []),
        ]
        return [p for p in prefixes if family(p) == 4 or self.mtu >= IPV6_MTU]


def family(prefix: str) -> int:
    """4 or 6."""
    return ipaddress.ip_network(prefix, strict=False).version


def ruleset(
    traits: Traits, interface: str, own: Iterable[str], underlay: Iterable[str] = UNDERLAY
) -> str:
    """The client's nftables table as input for `nft -f`, replacing an older one.

    Include mode excludes all that is not included: without the strict switches the final accept
    is that exclusion.
    """

    def matches(field: str, prefixes: Iterable[str], verdict: str) -> list[str]:
        return [f"{'ip' if family(p) == 4 else 'ip6'} {field} {p} {verdict}" for p in prefixes]

    common = [
        "meta l4proto ipv6-icmp accept",
        "icmp type { destination-unreachable, time-exceeded, parameter-problem } accept",
    ]
    dropped = traits.include if traits.include_drop else ()
    chains = {
        "input": [
            "type filter hook input priority filter; policy drop;",
            'iifname "lo" accept',
            f'iifname "{interface}" accept',
            "udp sport 67 udp dport 68 accept",
            "udp sport 547 udp dport 546 accept",
            *common,
            *matches("saddr", underlay, "accept"),
            *matches("saddr", dropped, "drop"),
            *([] if traits.strict_input else ["accept"]),
        ],
        "output": [
            "type filter hook output priority filter; policy drop;",
            'oifname "lo" accept',
            f'oifname "{interface}" goto tun',
            "udp sport 68 udp dport 67 accept",
            "udp sport 546 udp dport 547 accept",
            *matches("daddr", underlay, "accept"),
            *matches("daddr", dropped, "drop"),
            *(["reject"] if traits.strict_output else ["accept"]),
        ],
        "tun": [
            *matches("saddr", [*own, "fe80::/10"], "accept"),
            *(
                ["meta l4proto tcp reject with tcp reset", "reject"]
                if traits.tun_source_check
                else ["accept"]
            ),
        ],
        "forward": ["type filter hook forward priority mangle; policy accept;"],
    }
    # A goto needs its target first.
    body = "".join(
        f"\tchain {name} {{\n" + "".join(f"\t\t{line}\n" for line in chains[name]) + "\t}\n"
        for name in ("tun", "input", "output", "forward")
    )
    return (
        f"table inet {NFT_TABLE}\ndelete table inet {NFT_TABLE}\n"
        f"table inet {NFT_TABLE} {{\n{body}}}\n"
    )


class WarpError(Exception):
    """A command or the relay failed."""


class Relay:
    """The program that carries the packets, and its control socket."""

    def __init__(self, binary: str | Path, control: Path, argv: list[str]) -> None:
        self._argv = [str(binary), *argv, "--control", str(control)]
        self._control = control
        self._process: subprocess.Popen[str] | None = None

    def running(self) -> bool:
        """Whether a relay answers, ours or another process's."""
        try:
            self.command("stats")
        except OSError:
            return False
        return True

    def start(self, deadline_s: float = 5.0) -> None:
        """Starts the relay unless one runs; returns when both TUNs exist."""
        if self.running():
            return
        self._control.parent.mkdir(parents=True, exist_ok=True)
        self._process = subprocess.Popen(
            self._argv, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        end = time.monotonic() + deadline_s
        while not self.running():
            if self._process.poll() is not None:
                raise WarpError(self._process.communicate()[1].strip())
            if time.monotonic() > end:
                self.stop()
                raise WarpError(f"relay not ready after {deadline_s} s")
            time.sleep(0.01)

    def stop(self, deadline_s: float = 5.0) -> None:
        """Ends the relay; TUNs that are not persistent go with it."""
        if self._process:
            self._process.kill()
            self._process.communicate()
            self._process = None
        elif self.running():
            os.kill(self.stats()["pid"], 9)
            end = time.monotonic() + deadline_s
            while self.running():
                if time.monotonic() > end:
                    raise WarpError(f"relay still answers after {deadline_s} s")
                time.sleep(0.01)
        self._control.unlink(missing_ok=True)

    def command(self, line: str) -> str:
        """One command; the answer. OSError if nobody listens."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as sock:
            sock.settimeout(5)
            sock.connect(str(self._control))
            sock.send(line.encode())
            answer = sock.recv(4096).decode()
        if answer.startswith("error: "):
            raise WarpError(f"relay: {line}: {answer.removeprefix('error: ')}")
        return answer

    def stats(self) -> dict:
        """Counters and state of both sides."""
        return json.loads(self.command("stats"))


class Warp:
    """One node's client.

    name: the node; netns, edge_netns: names below /run/netns; address4, address6: the Mesh
    addresses, without length; relay: path of the program; control_dir: where its socket goes;
    log: gets every command before it runs.
    """

    def __init__(
        self,
        name: str,
        netns: str,
        edge_netns: str,
        address4: str,
        address6: str,
        relay: str | Path,
        traits: Traits = Traits(),
        *,
        control_dir: str | Path = "/run/meshgw-lab",
        log: Callable[[str], None] = lambda _line: None,
    ) -> None:
        self.name = name
        self.netns = netns
        self.edge_netns = edge_netns
        self.address4 = address4
        self.address6 = address6
        self.traits = traits
        self.ifname = INTERFACE
        self.underlay = UNDERLAY
        self.edge_ifname = f"mesh-{name}"
        self._log = log
        # Where the TUN is: differs from netns after move_netns().
        self._where = netns
        self.relay = Relay(
            relay,
            Path(control_dir) / f"relay-{name}",
            [
                *("--edge-netns", edge_netns, "--edge-if", self.edge_ifname),
                *("--gw-netns", netns, "--gw-if", INTERFACE),
                *("--mtu", str(traits.mtu)),
                *(["--persist"] if traits.persist else []),
                *(["--offload"] if traits.offload else []),
            ],
        )

    # Commands.

    def _run(self, netns: str, *argv: str, stdin: str | None = None, check: bool = True) -> str:
        argv = ("ip", "netns", "exec", netns, *argv)
        self._log(shlex.join(argv))
        done = subprocess.run(argv, input=stdin, capture_output=True, text=True, check=False)
        if check and done.returncode != 0:
            raise WarpError(f"{shlex.join(argv)}: {done.stderr.strip()}")
        return done.stdout

    def _ip(self, *argv: str, check: bool = True) -> str:
        return self._run(self._where, "ip", *argv, check=check)

    def _tell(self, line: str) -> None:
        self._log(f"relay {self.name}: {line}")
        self.relay.command(line)

    # The client's life.

    def start(self) -> None:
        """Installs: sysctls and the relay. Both TUNs exist afterwards, the edge's is up."""
        if self.traits.sysctls:
            self.install_sysctls()
        self.relay.start()
        self._run(self.edge_netns, "ip", "link", "set", self.edge_ifname, "up")

    def install_sysctls(self) -> None:
        """What the official installation's sysctl file does at boot."""
        for setting in SYSCTLS:
            self._run(self.netns, "sysctl", "-q", "-w", setting)

    def connect(self) -> None:
        """Brings the tunnel up, from whatever state."""
        self.start()
        if not self.relay.stats()["gw"]["open"]:
            self._tell("open-gw")
        self._configure()
        self.add_rules()

    def disconnect(self) -> None:
        """Takes the tunnel down: rules, table, filter and TUN go."""
        self.delete_rules()
        self._flush_table()
        if self.traits.leave_blackholes:
            self._add_blackholes()
        self._run(self.netns, "nft", "destroy", "table", "inet", NFT_TABLE)
        self.delete_tun()

    def reconnect(self) -> None:
        """A reconnect as after a change of networks: the TUN stays, the rules move in front."""
        if not self.traits.duplicate_rules:
            self.delete_rules()
        self._configure()
        self.add_rules()

    def close(self) -> None:
        """Leaves nothing behind in the namespaces. Works in every state."""
        self._where = self.netns
        self.delete_rules()
        self._flush_table()
        self._run(self.netns, "nft", "destroy", "table", "inet", NFT_TABLE)
        if self.relay.running():
            self.delete_tun()
        self.relay.stop()

    def change(self, **traits: object) -> None:
        """Another profile or version: new traits, table and filter rewritten at once.

        `persist` and `offload` count from the next start of the relay.
        """
        self.traits = dataclasses.replace(self.traits, **traits)
        self._flush_table()
        self._fill_table()
        self.write_firewall()

    # Its pieces.

    def _configure(self) -> None:
        self._ip("link", "set", self.ifname, "mtu", str(self.traits.mtu), "up")
        self._ip("addr", "replace", f"{self.address4}/32", "dev", self.ifname)
        if self.traits.mtu >= IPV6_MTU:
            self._ip("-6", "addr", "replace", f"{self.address6}/128", "dev", self.ifname, "nodad")
        self._fill_table()
        self.write_firewall()

    def _fill_table(self) -> None:
        for prefix in self.traits.captured():
            self.add_to_table(prefix)

    def _flush_table(self) -> None:
        for fam in ("-4", "-6"):
            # Fails where the table never was.
            self._run(self.netns, "ip", fam, "route", "flush", "table", str(TABLE), check=False)

    def _add_blackholes(self) -> None:
        for prefix in self.traits.captured():
            self._run(
                self.netns, "ip", "route", "replace", "blackhole", prefix,
                "table", str(TABLE), "proto", "static",
            )  # fmt: skip

    def add_to_table(self, prefix: str) -> None:
        """Captures a prefix, as a change of the profile does."""
        scope = ("scope", "link") if family(prefix) == 4 else ()
        self._ip(
            "route", "replace", prefix, "dev", self.ifname,
            "table", str(TABLE), "proto", "static", *scope,
        )  # fmt: skip

    def delete_from_table(self, prefix: str) -> None:
        """The reverse of add_to_table()."""
        self._ip("route", "del", prefix, "table", str(TABLE))

    def add_rules(self) -> None:
        """Without a priority, so that the kernel puts them right behind `local`."""
        for fam in ("-4", "-6"):
            self._run(
                self.netns, "ip", fam, "rule", "add",
                "not", "from", "all", "fwmark", FWMARK, "lookup", str(TABLE),
            )  # fmt: skip

    def rules(self) -> list[int]:
        """The priorities of the IPv4 copies, lowest first."""
        listed = json.loads(self._run(self.netns, "ip", "-j", "-4", "rule", "list") or "[]")
        return sorted(rule["priority"] for rule in listed if rule.get("table") == str(TABLE))

    def delete_rules(self) -> None:
        """All copies, both families."""
        for fam in ("-4", "-6"):
            listed = json.loads(self._run(self.netns, "ip", "-j", fam, "rule", "list") or "[]")
            for rule in listed:
                if rule.get("table") == str(TABLE):
                    self._run(
                        self.netns, "ip", fam, "rule", "del",
                        "pref", str(rule["priority"]), "lookup", str(TABLE),
                    )  # fmt: skip

    def write_firewall(self) -> None:
        """Replaces the nftables table, as the client does at each change of connectivity."""
        if self.traits.firewall:
            own = (self.address4, self.address6)
            text = ruleset(self.traits, self.ifname, own, self.underlay)
            self._run(self.netns, "nft", "-f", "-", stdin=text)
        else:
            self._run(self.netns, "nft", "destroy", "table", "inet", NFT_TABLE)

    # What happens to a tunnel.

    def set_mtu(self, mtu: int) -> None:
        """The client follows its path MTU; the edge keeps to what the tunnel carries."""
        self.traits = dataclasses.replace(self.traits, mtu=mtu)
        # Below that Linux would take IPv6 from the edge's TUN, and its routes with it.
        edge_mtu = max(mtu, IPV6_MTU)
        self._run(self.edge_netns, "ip", "link", "set", self.edge_ifname, "mtu", str(edge_mtu))
        self._configure()

    def set_address(self, address4: str, order: str = "del-first") -> None:
        """A new Mesh address. With del-first the TUN has none for a moment."""
        delete = ("addr", "del", f"{self.address4}/32", "dev", self.ifname)
        add = ("addr", "add", f"{address4}/32", "dev", self.ifname)
        for step in {"del-first": (delete, add), "add-first": (add, delete)}[order]:
            self._ip(*step)
        self.address4 = address4
        self._fill_table()
        self.write_firewall()

    def link_down(self) -> None:
        """Only the link: rules and filter stay."""
        self._ip("link", "set", self.ifname, "down")

    def link_up(self) -> None:
        """The link, and what the kernel dropped with it."""
        self._configure()

    def delete_tun(self) -> None:
        """The TUN goes, with its routes; rules and filter stay."""
        if self.relay.stats()["gw"]["open"]:
            self._tell("persist off")
            self._tell("close-gw")
        else:
            self._ip("link", "del", self.ifname, check=False)  # if kill_reader() left one

    def recreate(self) -> None:
        """A new TUN of the same name, configured (a restart of the client, seen from outside)."""
        self.ifname = INTERFACE
        self._where = self.netns
        self._tell("reopen-gw")
        self._configure()

    def rename(self, ifname: str) -> None:
        """Renames the TUN under its user; routes stay, lookups by the old name fail."""
        self._ip("link", "set", self.ifname, "name", ifname)
        self.ifname = ifname

    def move_netns(self, netns: str) -> None:
        """Moves the TUN; it arrives down, without addresses. connect() configures it there."""
        self._ip("link", "set", self.ifname, "netns", netns)
        self._where = netns

    def stall(self, side: str = "gw") -> None:
        """The client stops reading its TUN (side gw), or the edge its own."""
        self._tell(f"stall {side}")

    def resume(self) -> None:
        """Ends every stall."""
        self._tell("resume")

    def set_loss(self, per_mille: int) -> None:
        """Random loss in both directions."""
        self._tell(f"loss {per_mille}")

    def kill_reader(self) -> None:
        """A persistent TUN without its reader: the device stays and loses its carrier."""
        self._tell("persist on")
        self._tell("close-gw")

    def revive_reader(self) -> None:
        """The reader comes back to the TUN that kill_reader() left."""
        self._tell("open-gw")
        self._configure()

    def attract(self, prefixes: Iterable[str]) -> None:
        """Makes this replica the active one: the edge sends the prefixes into its tunnel."""
        for prefix in prefixes:
            self._run(
                self.edge_netns, "ip", "route", "replace", prefix, "dev", self.edge_ifname
            )
