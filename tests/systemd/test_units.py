# SPDX-License-Identifier: Apache-2.0
"""The files in systemd/ as systemd's own tools judge them; a weak or broken one is the control."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.source import ROOT

UNITS = ("zonegate-node.service", "zonegate-central.service")
EXPOSURE_MAX = 20
"""In tenths, as the tool counts: 2.0."""

RULES = ROOT / "systemd" / "60-zonegate-scanners.rules"
_TOKEN = re.compile(r'(?P<key>[A-Z_]+(?:\{[^{}"]+\})?)(?P<operator>==|!=|\+=|-=|:=|=)"(?P<value>[^"]*)"')
_MATCHES = {"SUBSYSTEM", "KERNEL"}
_SETS = {"GROUP", "MODE", "ENV{ID_MM_DEVICE_IGNORE}"}


@pytest.fixture(scope="module")
def analyze() -> str:
    """systemd's own judge."""
    found = shutil.which("systemd-analyze")
    if found is None:
        pytest.skip("systemd-analyze is missing: install Debian's package systemd; ./dev test brings it")
    return found


def judged(analyze: str, unit: Path) -> subprocess.CompletedProcess[str]:
    return run(analyze, "security", "--offline=true", f"--threshold={EXPOSURE_MAX}", "--no-pager", str(unit))


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("name", UNITS)
def test_the_sandbox_leaves_an_exposure_of_at_most_two(analyze: str, name: str) -> None:
    done = judged(analyze, ROOT / "systemd" / name)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", UNITS)
def test_a_planted_weak_unit_is_found(analyze: str, tmp_path: Path, name: str) -> None:
    weak = tmp_path / name
    text = (ROOT / "systemd" / name).read_text()
    assert "CapabilityBoundingSet=\n" in text
    weak.write_text(text.replace("CapabilityBoundingSet=\n", "").replace("ProtectSystem=strict\n", ""))
    assert judged(analyze, weak).returncode != 0


def verified(analyze: str, folder: Path, name: str, text: str) -> subprocess.CompletedProcess[str]:
    """What systemd says of a unit whose program is there."""
    unit = folder / name
    unit.write_text(re.sub(r"^ExecStart=.*$", "ExecStart=/bin/true", text, flags=re.MULTILINE))
    return run(analyze, "verify", "--man=no", "--recursive-errors=no", str(unit))


@pytest.mark.parametrize("name", UNITS)
def test_a_unit_has_no_unknown_or_broken_line(analyze: str, tmp_path: Path, name: str) -> None:
    done = verified(analyze, tmp_path, name, (ROOT / "systemd" / name).read_text())
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.parametrize("name", UNITS)
def test_a_planted_misspelled_line_is_found(analyze: str, tmp_path: Path, name: str) -> None:
    text = (ROOT / "systemd" / name).read_text()
    done = verified(analyze, tmp_path, name, text.replace("ProtectHome=", "ProtectHouse="))
    assert "ProtectHouse" in done.stderr


def test_a_hung_node_is_started_again() -> None:
    text = (ROOT / "systemd" / "zonegate-node.service").read_text()
    for line in ("Type=notify", "NotifyAccess=main", "WatchdogSec=30", "Restart=always"):
        assert f"\n{line}\n" in text


def faults(text: str) -> list[str]:
    """What is wrong with udev rules, by udev(7): KEY{attribute} operator "value", joined by commas."""
    found = []
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        for part in re.split(r",\s*(?=[A-Z])", line):
            token = _TOKEN.fullmatch(part)
            if token is None or token["key"] not in (
                _MATCHES if token["operator"] in ("==", "!=") else _SETS
            ):
                found.append(part)
    return found


def test_the_udev_rule_parses() -> None:
    assert faults(RULES.read_text()) == []
    udevadm = shutil.which("udevadm")
    # `udevadm verify` came with systemd 254.
    if udevadm is not None and run(udevadm, "verify", "--help").returncode == 0:
        done = run(udevadm, "verify", str(RULES))
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("good", "bad"),
    [('SUBSYSTEM=="tty"', 'SUBSYSTEM=="tty'), ("GROUP=", "GRUOP="), ('KERNEL=="', 'KERNEL="')],
)
def test_a_planted_fault_in_the_udev_rule_is_found(good: str, bad: str) -> None:
    text = RULES.read_text()
    assert good in text
    assert faults(text.replace(good, bad))
