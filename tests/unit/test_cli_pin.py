# SPDX-License-Identifier: Apache-2.0
"""meshgw tunnel pin: what openssl(1) says of the same file, or one sentence that says what to do.

The program that looks into the file is the one that $MESHGW_TUNNEL names.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli_process import DONE, FILE, PROTOCOL, REFUSED, TIMEOUT, TOO_LARGE, Cli, one_sentence

TUNNEL = os.environ["MESHGW_TUNNEL"]
PIN = r"sha256/[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]="


def openssl(*args: str, data: bytes = b"") -> bytes:
    return subprocess.run(["openssl", *args], check=True, capture_output=True, input=data).stdout


@pytest.fixture(name="pin")
def fixture_pin(cli: Cli) -> Cli:
    cli.env["MESHGW_TUNNEL"] = TUNNEL
    return cli


class Keys:
    """One key in every form that somebody may have it in."""

    def __init__(self, kind: str, *options: str) -> None:
        self.key = openssl("genpkey", "-algorithm", kind, *options)
        self.public = openssl("pkey", "-pubout", data=self.key)
        self.request = self.signed("-new")
        self.certificate = self.signed("-x509")
        der = openssl("pkey", "-pubout", "-outform", "DER", data=self.key)
        self.pin = "sha256/" + base64.b64encode(hashlib.sha256(der).digest()).decode()

    def signed(self, *options: str) -> bytes:
        return openssl("req", *options, "-subj", "/CN=x", "-key", "/dev/stdin", data=self.key)


@pytest.fixture(name="keys", scope="module")
def fixture_keys() -> Iterator[dict[str, Keys]]:
    yield {
        "P-256": Keys("EC", "-pkeyopt", "ec_paramgen_curve:P-256"),
        "RSA": Keys("RSA", "-pkeyopt", "rsa_keygen_bits:2048"),
        "ED25519": Keys("ED25519"),
    }


@pytest.mark.parametrize("kind", ["P-256", "RSA", "ED25519"])
def test_every_form_has_the_same_pin(pin: Cli, keys: dict[str, Keys], tmp_path: Path, kind: str) -> None:
    k = keys[kind]
    forms = [k.certificate, k.key, k.public, k.certificate + k.key, k.key + k.certificate]
    if kind != "ED25519":
        forms.append(openssl("pkey", "-traditional", data=k.key))
    if kind == "P-256":
        forms.append(openssl("ecparam", "-name", "prime256v1") + k.key)
    forms.append(openssl("x509", "-text", data=k.certificate))
    file = tmp_path / "file"
    for form in forms:
        file.write_bytes(form)
        result = pin("tunnel", "pin", str(file))
        assert (result.returncode, result.stdout) == (DONE, f"{k.pin}\n"), result.stderr
    result = pin("--json", "tunnel", "pin", "-", input=k.certificate.decode())
    assert json.loads(result.stdout) == {"pin": k.pin}
    assert re.fullmatch(PIN, k.pin)


def test_chain_begins_with_the_leaf(pin: Cli, keys: dict[str, Keys]) -> None:
    chain = keys["P-256"].certificate + keys["RSA"].certificate
    assert pin("tunnel", "pin", "-", input=chain.decode()).stdout == keys["P-256"].pin + "\n"


def damage(text: bytes) -> bytes:
    """Base64 that is none of what it says."""
    lines = text.splitlines()
    return b"\n".join([lines[0], b"AAAA" + lines[1][4:], *lines[2:]]) + b"\n"


@pytest.mark.parametrize(
    ("what", "says"),
    [
        ("empty", "it is empty; give a certificate"),
        ("text", "there is no PEM in it; openssl x509 -inform der"),
        ("der", "there is no PEM in it; openssl x509 -inform der"),
        ("half", "copy it again, whole lines from BEGIN to END"),
        ("damaged", "its first CERTIFICATE is damaged"),
        ("damaged key", "its first PRIVATE KEY is damaged"),
        ("request", "it is a request for a certificate; give the certificate"),
        ("locked", "the key has a pass phrase; give the certificate"),
        ("locked as of old", "the key has a pass phrase; give the certificate"),
        ("other", "no certificate and no key in it can be read"),
    ],
)
def test_what_has_no_pin(
    pin: Cli, keys: dict[str, Keys], tmp_path: Path, what: str, says: str
) -> None:
    k = keys["P-256"]
    aes = ("-aes-128-cbc", "-passout", "pass:x")
    content = {
        "empty": b"",
        "text": b"tunnel:\n",
        "der": openssl("x509", "-outform", "DER", data=k.certificate),
        "half": k.certificate[: len(k.certificate) // 2],
        "damaged": damage(k.certificate),
        "damaged key": damage(k.key),
        "request": k.request,
        "locked": openssl("pkcs8", "-topk8", "-v2", "aes-128-cbc", "-passout", "pass:x", data=k.key),
        "locked as of old": openssl("pkey", "-traditional", *aes, data=k.key),
        "other": openssl("ecparam", "-name", "prime256v1"),
    }[what]
    file = tmp_path / "file"
    file.write_bytes(content)
    result = pin("tunnel", "pin", str(file))
    assert (result.returncode, result.stdout) == (REFUSED, "")
    assert one_sentence(result).startswith(f"meshgw: {file}: ")
    assert says in result.stderr


def test_files_that_cannot_be_read(pin: Cli, tmp_path: Path) -> None:
    missing = pin("tunnel", "pin", str(tmp_path / "missing"))
    assert missing.returncode == FILE
    said = one_sentence(missing)
    assert "No such file" in said
    assert "; give the file of a certificate or key, such as certificate_file under tunnel: " in said
    assert pin("tunnel", "pin", str(tmp_path)).returncode == FILE
    large = tmp_path / "large"
    large.write_bytes(b"x" * (1 << 20 | 1))
    assert pin("tunnel", "pin", str(large)).returncode == TOO_LARGE


def test_bytes_of_any_kind(pin: Cli, keys: dict[str, Keys], tmp_path: Path) -> None:
    """What stands around the certificate is nobody's business, up to the largest file."""
    file = tmp_path / "file"
    certificate = keys["P-256"].certificate
    file.write_bytes(bytes(range(256)) * 4000 + b"\n" + certificate + b"\0" * 1000)
    result = pin("tunnel", "pin", str(file))
    assert result.stdout == keys["P-256"].pin + "\n", result.stderr


@pytest.mark.parametrize(
    ("script", "status", "says"),
    [
        ("exit 3", REFUSED, "failed with exit status 3"),
        ("echo", PROTOCOL, "makes no sense"),
        ("echo sha256/x; echo more", PROTOCOL, "makes no sense"),
        ("printf 'sha256/\\033[2J\\n'", PROTOCOL, "makes no sense"),
        ("exec sleep 60", TIMEOUT, "did not end in time"),
    ],
)
def test_program_that_is_not_well(
    pin: Cli, tmp_path: Path, script: str, status: int, says: str
) -> None:
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    pin.env["MESHGW_TUNNEL"] = str(program)
    result = pin("--timeout", "2", "tunnel", "pin", "-", input="x")
    assert (result.returncode, result.stdout) == (status, "")
    assert says in one_sentence(result)


def test_program_that_is_not_there(pin: Cli) -> None:
    pin.env["MESHGW_TUNNEL"] = "/nonexistent/meshgw-tunnel"
    result = pin("tunnel", "pin", "-", input="x")
    assert result.returncode == REFUSED
    assert "is it installed?" in one_sentence(result)


def status_of(pid: int) -> dict[str, str]:
    """proc_pid_status(5). Its lines are not of one moment."""
    text = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return dict(line.split(":\t", 1) for line in text.splitlines())


def settled(pid: int) -> dict[str, str]:
    """What it is once nobody can give it privileges any more."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if status_of(pid)["NoNewPrivs"] == "1":
            return status_of(pid)
    raise AssertionError("it keeps its privileges")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives rights up")
def test_root_looks_into_nothing(keys: dict[str, Keys]) -> None:
    """The program is not root any more when it begins to read."""
    with subprocess.Popen([TUNNEL, "--pin"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as program:
        assert program.stdin and program.stdout
        status = settled(program.pid)
        program.stdin.write(keys["P-256"].certificate)
        program.stdin.close()
        assert program.stdout.read().decode().strip() == keys["P-256"].pin
    assert "0" not in status["Uid"].split() + status["Gid"].split() + status["Groups"].split()
    assert status["CapEff"] == status["CapPrm"] == "0" * 16
