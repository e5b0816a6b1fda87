# SPDX-License-Identifier: Apache-2.0
"""Tailscale on a gateway, emulated: what it leaves in the kernel, and one host of its tailnet.

Rules 5210 to 5270 and table 52 with a host route for each peer, the chains ts-input, ts-forward and
ts-postrouting by iptables or by nftables code of its own, src_valid_mark. Peers are a namespace at
the other end of tailscale0, which is a veth here.
"""

from __future__ import annotations

import re

from lab.machine import Machine
from lab.node import Node
from lab.shell import run

INTERFACE = "tailscale0"
NETNS = "tailnet"
# This host's address in the tailnet, and a peer inside of the Workers' range.
OWN = "100.101.102.103"
PEER = "100.70.80.90"
TABLE = 52
MASK = "0xff0000"
BYPASS, SUBNET = f"0x80000/{MASK}", f"0x40000/{MASK}"
RULES = (
    f"pref 5210 fwmark {BYPASS} lookup main",
    f"pref 5230 fwmark {BYPASS} lookup default",
    f"pref 5250 fwmark {BYPASS} type unreachable",
    f"pref 5270 lookup {TABLE}",
)
INPUT = (
    f"-s {OWN}/32 -i lo -j ACCEPT",
    f"-s 100.115.92.0/23 ! -i {INTERFACE} -j RETURN",
    f"-s 100.64.0.0/10 ! -i {INTERFACE} -j DROP",
    f"-i {INTERFACE} -j ACCEPT",
    "-p udp -m udp --dport 41641 -j ACCEPT",
)
FORWARD = (
    f"-i {INTERFACE} -j MARK --set-xmark {SUBNET}",
    f"-m mark --mark {SUBNET} -j ACCEPT",
    f"-s 100.64.0.0/10 -o {INTERFACE} -j DROP",
    f"-o {INTERFACE} -j ACCEPT",
)
BY_IPTABLES = f"""*filter
:ts-input - [0:0]
:ts-forward - [0:0]
-I INPUT -j ts-input
-I FORWARD -j ts-forward
{"".join(f"-A ts-input {rule}\n" for rule in INPUT)}\
{"".join(f"-A ts-forward {rule}\n" for rule in FORWARD)}\
COMMIT
*nat
:ts-postrouting - [0:0]
-I POSTROUTING -j ts-postrouting
-A ts-postrouting -m mark --mark {SUBNET} -j MASQUERADE
COMMIT
"""
BY_NFTABLES = f"""
table ip filter {{
	chain ts-input {{
		iifname "lo" ip saddr {OWN} counter accept
		iifname != "{INTERFACE}*" ip saddr 100.115.92.0/23 counter return
		iifname != "{INTERFACE}*" ip saddr 100.64.0.0/10 counter drop
		iifname "{INTERFACE}*" counter accept
		udp dport 41641 counter accept
	}}
	chain INPUT {{
		type filter hook input priority filter; policy accept;
		counter jump ts-input
	}}
}}
"""


class Tailscale:
    """Switched on and off on one gateway."""

    def __init__(self, gateway: Machine) -> None:
        self.gateway = gateway
        self.peer = Node(NETNS)

    def up(self, rules: str = BY_IPTABLES) -> None:
        """Interface, peers, rules, filter."""
        run("lab", (), ["ip", "netns", "add", NETNS])
        # Namespaces have no names inside the machine.
        link = f"ip link add {INTERFACE} type veth peer name eth0 netns {NETNS}"
        self.gateway.outside.run(link)
        self._ip(
            f"link set {INTERFACE} up",
            f"addr add {OWN}/32 dev {INTERFACE}",
            f"route add {PEER}/32 dev {INTERFACE} table {TABLE}",
            *(f"rule add {rule}" for rule in RULES),
        )
        self.peer.run(
            f"ip link set eth0 up && ip addr add {PEER}/32 dev eth0"
            f" && ip route add {OWN}/32 dev eth0"
        )
        self.gateway.run("sysctl -qw net.ipv4.conf.all.src_valid_mark=1")
        self.filter(rules)

    def filter(self, rules: str = BY_IPTABLES) -> None:
        """Its chains."""
        iptables = rules.startswith("*")
        self.gateway.run("iptables-restore -n" if iptables else "nft -f -", stdin=rules)

    def restart(self) -> None:
        """Its chains are made anew, rule by rule: jumps and contents go, and come again."""
        lines = ["-D INPUT -j ts-input", "-F ts-input"]
        lines += [f"-A ts-input {rule}" for rule in INPUT]
        lines += ["-I INPUT -j ts-input"]
        self.gateway.run("sh -e", stdin="".join(f"iptables {line}\n" for line in lines))

    def down(self) -> None:
        """All of it."""
        for rule in RULES:
            self.gateway.run(f"ip rule del {rule.partition(' type')[0]}", check=False)
        self.gateway.run(["ip", "link", "del", INTERFACE], check=False)
        run("lab", (), ["ip", "netns", "del", NETNS], check=False)
        self.gateway.run("nft destroy table ip filter; nft destroy table ip nat")
        self.gateway.run("sysctl -qw net.ipv4.conf.all.src_valid_mark=0")

    def chain(self) -> list[str]:
        """ts-input as iptables lists it, without its name."""
        return self.gateway.out("iptables -S ts-input").splitlines()[1:]

    def handles(self) -> list[str]:
        """Of the rules of ts-input: what is written anew gets another one."""
        return re.findall(r"handle (\d+)", self.gateway.out("nft -a list chain ip filter ts-input"))

    def _ip(self, *lines: str) -> None:
        self.gateway.run("sh -e", stdin="".join(f"ip {line}\n" for line in lines))
