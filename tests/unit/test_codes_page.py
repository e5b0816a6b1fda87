# SPDX-License-Identifier: Apache-2.0
"""meshgw-codes(7), as it is written when the project is built."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

PAGE = Path(os.environ["MESHGW_CODES_PAGE"])
VERDICT = Path(__file__).parents[2] / "gateway/verdict"


def codes() -> list[str]:
    """In the order of the table, from its enumerators."""
    enum = (VERDICT / "code.h").read_text().split("enum code {")[1].split("CODES,")[0]
    return [c.lower().replace("_", "-") for c in re.findall(r"^\tCODE_(\w+)", enum, re.MULTILINE)]


def entry(code: str) -> str:
    """What the page says of a code."""
    text = PAGE.read_text().split(f".It Ic {code} Pq ")[1]
    return re.split(r"^\.(?:It Ic|El$)", text, flags=re.MULTILINE)[0]


def test_every_code_has_its_entry() -> None:
    assert len(codes()) > 100
    assert re.findall(r"^\.It Ic (\S+) Pq \w+$", PAGE.read_text(), re.MULTILINE) == codes()
    for code in codes():
        assert re.search(r"^\.Em Evidence :\n\w.*\.$", entry(code), re.MULTILINE), code
        assert re.search(r"^\.Em Remedy :\n\w.*\.$", entry(code), re.MULTILINE), code


def test_an_entry() -> None:
    assert entry("route-blackhole") == "\n".join(
        (
            "node",
            "A route or rule of type blackhole swallows the packets without a word.",
            ".Pp",
            ".Em Evidence :",
            "A lookup answers EINVAL while the reverse path filter has nothing against the"
            " source, and a walk through rules and tables finds the entry.",
            ".Pp",
            ".Em Remedy :",
            "Delete the entry, or ask its owner to; its proto tells who made it.",
            "If it covers more than this network, leave it, and add the route that is missing"
            " beside it.",
            ".Bd -literal -offset indent -compact",
            r"ip \-{v} route del blackhole {entry} table {table}[ metric {metric}]",
            r"ip \-{v} rule del {refusingRule...}",
            r"ip \-{v} route add {uncovered} dev {lan}",
            r"ip \-{v} route add {uncoveredRange} dev {mesh}",
            ".Ed",
            ".Pp",
            ".Ql meshgw fix route-blackhole",
            "",
        )
    )


def test_an_entry_with_a_variant() -> None:
    page = entry("filter-drop-input")
    variant = "\n".join(
        (
            ".Em With",
            ".Ql by=tailscale :",
            r"Accept this one port in front of Tailscale\(aqs rule against its own range; with"
            " remedies: [tailscale-input] in meshgw.yaml, meshgw accepts the mesh ranges there"
            " and keeps it so.",
            ".Bd -literal -offset indent -compact",
            r"{ipt} \-I ts\-input \-i {mesh} \-s {range} \-d {target}"
            r"[ \-p {l4} \-\-dport {port}][ \-p {echo}] \-j ACCEPT",
            ".Ed",
            "",
        )
    )
    assert variant in page


@pytest.mark.skipif(not shutil.which("mandoc"), reason="mandoc is not installed")
def test_page_is_clean() -> None:
    result = subprocess.run(
        ["mandoc", "-T", "lint", "-W", "warning", PAGE], stdout=subprocess.PIPE, text=True
    )
    assert (result.returncode, result.stdout) == (0, "")
