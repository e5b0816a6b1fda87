# SPDX-License-Identifier: Apache-2.0
"""Every command, option, exit status and configuration key is in its man page, and completed.

The program's own table (`meshgw --json help`) says what there is; $MESHGW names the program. The
keys come from the schema's source, and must all stand in the golden case that has everything.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

MESHGW = os.environ["MESHGW"]
ROOT = Path(__file__).parent.parent.parent
CLI_PAGE = ROOT / "gateway" / "cli" / "meshgw.8"
CONF_PAGE = ROOT / "gateway" / "conf" / "meshgw.yaml.5"
COMPLETION = ROOT / "gateway" / "cli" / "meshgw.bash"
DIAGNOSE_PAGE = ROOT / "gateway" / "cli" / "meshgw-diagnose.8"
DAEMON = ROOT / "gateway" / "daemon"
DAEMON_PAGE = DAEMON / "meshgwd.8"
BRIDGE_PAGE = ROOT / "httpbridge" / "meshgw-bridge.8"
PAGES = [CLI_PAGE, DIAGNOSE_PAGE, CONF_PAGE, DAEMON_PAGE, BRIDGE_PAGE]

HELP = json.loads(
    subprocess.run([MESHGW, "--json", "help"], check=True, stdout=subprocess.PIPE, text=True).stdout
)
COMMANDS = [c["name"] for c in HELP["commands"]]
OPTIONS = {o["name"] for o in HELP["options"]} | {
    o["name"] for c in HELP["commands"] for o in c["options"]
}


def items(page: Path) -> list[str]:
    """What stands behind each .It of a page."""
    return re.findall(r"^\.It (.+)$", page.read_text(), re.MULTILINE)


def schema_keys() -> set[str]:
    """The keys in the tables of schema*.c, also those that a macro of the file wraps."""
    files = sorted((ROOT / "gateway" / "conf").glob("schema*.c"))
    assert len(files) == 7
    source = "".join(file.read_text() for file in files)
    macros = re.findall(r"#define (\w+)\((\w+)[^)]*\)(?:[^\n]|\\\n)*?\.key = \(\2\)", source)
    keys = set(re.findall(r'\.key = "(\w+)"', source))
    for macro, _ in macros:
        keys |= set(re.findall(rf'^\s+{macro}\("(\w+)"', source, re.MULTILINE))
    return keys


@pytest.mark.parametrize("command", COMMANDS)
def test_command_is_in_the_page(command: str) -> None:
    assert any(re.match(rf"Cm {command}\b", item) for item in items(CLI_PAGE))


@pytest.mark.parametrize("option", sorted(OPTIONS))
def test_option_is_in_the_page(option: str) -> None:
    assert any(re.search(rf"Fl -{option}\b", item) for item in items(CLI_PAGE))


def test_exit_statuses_are_in_the_page() -> None:
    section = CLI_PAGE.read_text().split(".Sh EXIT STATUS")[1].split(".Sh ")[0]
    listed = [int(n) for n in re.findall(r"^\.It (\d+)$", section, re.MULTILINE)]
    assert listed == [s["status"] for s in HELP["exitStatuses"]]


def test_diagnose_has_a_page_of_its_own() -> None:
    """Its options, its exit statuses, and every key of a verdict."""
    text = DIAGNOSE_PAGE.read_text()
    command = next(c for c in HELP["commands"] if c["name"] == "diagnose")
    for option in command["options"]:
        assert any(re.search(rf"Fl -{option['name']}\b", item) for item in items(DIAGNOSE_PAGE))
    section = text.split(".Sh EXIT STATUS")[1].split(".Sh ")[0]
    listed = {int(n) for n in re.findall(r"^\.It (\d+)$", section, re.MULTILINE)}
    meant = {s["status"] for s in HELP["exitStatuses"] if "diagnose: " in s["meaning"]}
    assert listed == meant | {0}
    verdict = json.loads((ROOT / "tests/golden/cli/diagnose-return-route.json").read_text())["verdict"]
    assert set(verdict) == set(re.findall(r"^\.It Va (\w+)", text, re.MULTILINE))


def test_schema_is_understood() -> None:
    """Else the next test would look for too little."""
    files = (ROOT / "tests" / "golden" / "config").glob("full*.yaml")
    everything = "".join(file.read_text() for file in files)
    everything = re.sub(r"set: {[^}]*}", "set: ", everything)  # whose keys are names of headers
    written = set(re.findall(r"(\w+):(?=\s)", everything))
    assert schema_keys() == written


@pytest.mark.parametrize("key", sorted(schema_keys()))
def test_key_is_in_the_page(key: str) -> None:
    assert any(re.match(rf"(Ic|Cm|Va) (\S+\.)?{key}\b", item) for item in items(CONF_PAGE))


def condition_codes() -> dict[str, set[str]]:
    """Code by severity, of the table in condition.c."""
    enum = (DAEMON / "condition.h").read_text().split("enum condition_code {")[1]
    names = re.findall(r"COND_\w+", enum.split("COND_CODES")[0])
    source = (DAEMON / "condition.c").read_text()
    rows = re.findall(r'\[COND_\w+\] = \{"([a-z0-9-]+)",\s*COND_(\w+)', source)
    assert len(rows) == len(names)
    return {s: {c for c, severity in rows if severity == s} for _, s in rows}


def test_conditions_are_in_the_page() -> None:
    text = DAEMON_PAGE.read_text()
    sections = {"ERROR": ".Ss Errors", "WARNING": ".Ss Warnings", "INFO": ".Ss Notes"}
    for severity, heading in sections.items():
        section = re.split(r"^\.S[sh] ", text.split(heading)[1], flags=re.MULTILINE)[0]
        listed = re.findall(r"^\.It Cm (\S+)$", section, re.MULTILINE)
        assert sorted(listed) == sorted(condition_codes()[severity])


def test_options_of_the_daemon_are_in_the_page() -> None:
    options = re.findall(r'\{"([a-z-]+)", \w+_argument', (DAEMON / "main.c").read_text())
    assert len(options) >= 10
    for option in options:
        assert any(re.match(rf"Fl -{option}\b", item) for item in items(DAEMON_PAGE)), option


@pytest.mark.skipif(not shutil.which("mandoc"), reason="mandoc is not installed")
@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_page_is_clean(page: Path) -> None:
    result = subprocess.run(
        ["mandoc", "-T", "lint", "-W", "warning", page], stdout=subprocess.PIPE, text=True
    )
    assert (result.returncode, result.stdout) == (0, "")


def complete(line: str, folder: Path) -> set[str]:
    """What bash offers at the end of the line."""
    words = line.split(" ")
    script = f"""
        . {COMPLETION}
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
        _meshgw
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    result = subprocess.run(
        ["bash", "-uc", script, "bash", *words],
        check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=folder,
    )
    assert result.stderr == ""
    return set(result.stdout.split())


def test_completion_of_commands(tmp_path: Path) -> None:
    assert complete("meshgw ", tmp_path) == set(COMMANDS)
    assert complete("meshgw help ", tmp_path) == set(COMMANDS)
    assert complete("meshgw --json --timeout 5 st", tmp_path) == {"status"}
    assert complete("meshgw --timeout ", tmp_path) == set()


@pytest.mark.parametrize("command", HELP["commands"], ids=COMMANDS)
def test_completion_of_options(command: dict, tmp_path: Path) -> None:
    known = {f"--{o['name']}" for o in HELP["options"] + command["options"]}
    assert complete(f"meshgw {command['name']} --", tmp_path) == known


@pytest.mark.parametrize("command", HELP["commands"], ids=COMMANDS)
def test_completion_of_files(command: dict, tmp_path: Path) -> None:
    (tmp_path / "gateway.yaml").touch()
    takes_file = "FILE" in command.get("arguments", "")
    assert complete(f"meshgw {command['name']} gate", tmp_path) == (
        {"gateway.yaml"} if takes_file else set()
    )
