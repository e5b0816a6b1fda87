# SPDX-License-Identifier: Apache-2.0
"""Bundles: what is in them, what must not be, and the same verdict from them again."""

from __future__ import annotations

import gzip
import json
import re
import tarfile
from pathlib import Path

import pytest
from cli_process import DONE, FILE, NO_CONSENT, REFUSED, ROOT, Cli, one_sentence, recorded
from fake_varlink import FakeServer, reply

RECORD = ROOT / "fuzz" / "corpus" / "fuzz_evidence" / "http.json"
SECRET = "s3cret-5ec3e7"


def plant(cli: Cli) -> None:
    """Programs that print secrets, talk without end, fail, hang, and print odd bytes."""
    folder = cli.folder / "bin"
    folder.mkdir()
    scripts = {
        "vtysh": f'echo "$*"; echo " neighbor 10.0.1.1 password {SECRET} {SECRET}"',
        "sysctl": f"echo net.ipv6.conf.eth0.stable_secret = {SECRET}",
        "ip": f'echo "token {SECRET}" >&2; exit 3',
        "conntrack": "yes conntrack",
        "nft": r"printf 'a\000b\377\033[2J\n'",
        "journalctl": f"echo key: http://me:{SECRET}@10.0.1.50/",
    }
    for name, script in scripts.items():
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
    cli.env["PATH"] = f"{folder}:{cli.env['PATH']}"


def members(path: Path) -> dict[str, bytes]:
    with tarfile.open(path) as tar:
        entries = [(m, tar.extractfile(m).read()) for m in tar]
    folders = {m.name.split("/")[0] for m, _ in entries}
    assert len(folders) == 1
    assert re.fullmatch(r"meshgw-bundle-\d{8}T\d{6}Z", folders.pop())
    assert all(m.isfile() and m.mode == 0o600 for m, _ in entries)
    return {m.name.split("/", 1)[1]: data for m, data in entries}


def test_bundle_of_a_node_that_is_well(cli: Cli, tmp_path: Path) -> None:
    plant(cli)
    record = json.loads(RECORD.read_text())
    record["flow"]["path"] = f"/?token={SECRET}"
    recalled = {"verdict": recorded("diagnose-return-route")["verdict"], "record": record}
    status = recorded("status-healthy") | {"version": f"password {SECRET}"}
    with FakeServer(cli.control, reply(recalled), reply(recorded("doctor-mixed"))), FakeServer(
        cli.status, reply(status)
    ):
        result = cli("bundle", "--json", cwd=tmp_path)
    assert result.returncode == DONE, result.stderr
    said = json.loads(result.stdout)
    path = tmp_path / said["file"]
    assert path.stat().st_mode & 0o777 == 0o600
    files = members(path)
    assert SECRET.encode() not in b"".join(files.values())
    assert json.loads(files["verdict.json"]) == recalled["verdict"]
    assert json.loads(files["record.json"])["facts"] == record["facts"]
    assert json.loads(files["doctor.json"]) == recorded("doctor-mixed")
    assert json.loads(files["status.json"])["phase"] == "up"

    tasks = {n.split("/")[1]: json.loads(d) for n, d in files.items() if n.endswith("result.json")}
    assert len(tasks) == said["tasks"] and said["verdict"] is True
    assert sum("why" in t for t in tasks.values()) == said["failed"]
    assert tasks["frr-config"]["command"] == ["vtysh", "-c", "show running-config"]
    assert tasks["frr-config"]["status"] == 0 and tasks["frr-config"]["ms"] >= 0
    assert files["tasks/frr-config/output.txt"].decode().splitlines()[1] == (
        " neighbor 10.0.1.1 password <redacted>"
    )
    assert tasks["ip-rule"]["status"] == 3 and tasks["ip-rule"]["why"] == "token <redacted>"
    assert tasks["conntrack"]["cut"] is True
    assert len(files["tasks/conntrack/output.txt"]) == 2 * 1024 * 1024
    assert files["tasks/nft-ruleset/output.txt"] == b"a\0b\xff\x1b[2J\n"
    assert tasks["warp-status"]["why"] == "not there"
    assert files["tasks/snmp/output.txt"].startswith(b"Ip: ")


def test_verdict_is_derived_again_from_a_bundle(cli: Cli, tmp_path: Path) -> None:
    record = json.loads(RECORD.read_text())
    direct = cli("diagnose", "--json", "--from-bundle", str(RECORD))
    verdict = json.loads(direct.stdout)
    assert direct.returncode in range(DONE, NO_CONSENT), direct.stderr
    path = tmp_path / "fault.tar"
    with FakeServer(cli.control, reply({"verdict": verdict, "record": record})):
        assert cli("bundle", str(path)).returncode == DONE
    packed = tmp_path / "fault.tar.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    for file in path, packed:
        again = cli("diagnose", "--json", "--from-bundle", str(file))
        assert (again.returncode, json.loads(again.stdout)) == (direct.returncode, verdict)
    text = cli("diagnose", "--from-bundle", str(path))
    assert text.stdout.startswith(f"{verdict['code']}: ")
    assert "meshgw fix" not in text.stdout


def test_bundle_without_a_daemon(cli: Cli, tmp_path: Path) -> None:
    plant(cli)
    path = tmp_path / "x.tar"
    result = cli("bundle", str(path))
    assert result.returncode == DONE
    assert "It has no verdict" in result.stdout
    files = members(path)
    assert "verdict.json" not in files and "tasks/uname/output.txt" in files
    why = json.loads(files["tasks/Recall/task-result.json"])["why"]
    assert "meshgwd is not running" in why


def test_bundle_overwrites_nothing(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "x.tar"
    path.write_text("mine")
    (tmp_path / "link.tar").symlink_to(tmp_path / "elsewhere")
    for name in "x.tar", "link.tar":
        result = cli("bundle", str(tmp_path / name))
        assert result.returncode == REFUSED
        assert "File exists" in one_sentence(result)
    assert path.read_text() == "mine"
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no tar archive"),
        (b"nonsense" * 1000, "no tar archive"),
        (b"{", "not valid JSON"),
        (b"{}", "no record of a diagnosis"),
        (b'{"version":99}', "version 99"),
        (None, "No such file"),
    ],
)
def test_bundles_that_are_none(cli: Cli, tmp_path: Path, content, said: str) -> None:
    path = tmp_path / "bad\x1b.tar"
    if content is not None:
        path.write_bytes(content)
    result = cli("diagnose", "--from-bundle", str(path))
    assert (result.returncode, result.stdout) == (FILE, "")
    assert said in one_sentence(result) and "\x1b" not in result.stderr
