# SPDX-License-Identifier: Apache-2.0
"""The script ``./dev`` on machines that lack something, played by a PATH that holds only what they have."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.source import ROOT

TOOLS = ("cat", "cksum", "dirname", "find", "flock", "grep", "head", "id", "rm", "sed", "sh")


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A checkout with ``dev`` and the pins, and beside it ``bin``: a machine without Python and apt."""
    (tmp_path / "bin").mkdir()
    for tool in TOOLS:
        found = shutil.which(tool)
        assert found is not None
        (tmp_path / "bin" / tool).symlink_to(found)
    shutil.copy(ROOT / "dev", tmp_path)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(ROOT / "requirements", tmp_path / "requirements")
    return tmp_path


def _dev(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(folder / "dev"), *arguments],
        env={"PATH": str(folder / "bin"), "HOME": str(folder)},
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )


def _give(folder: Path, tool: str, script: str) -> None:
    path = folder / "bin" / tool
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def test_a_machine_without_python_is_told_the_one_line_to_copy(bare: Path) -> None:
    done = _dev(bare, "setup")
    assert done.returncode == 1
    assert "sudo apt-get install -y --no-install-recommends python3 python3-venv\n" in done.stderr
    assert "no Python 3.11 or newer" in done.stderr
    assert not (bare / ".venv").exists()


def test_an_old_python_is_not_taken(bare: Path) -> None:
    _give(bare, "python3", "exit 1")
    done = _dev(bare, "setup")
    assert done.returncode == 1
    assert "--no-install-recommends python3.11 python3.11-venv\n" in done.stderr


def test_a_python_that_cannot_make_an_environment_names_its_package(bare: Path) -> None:
    _give(bare, "python3", 'case "$*" in *version_info\\[1]*) echo python3.12 ;; *venv*) exit 1 ;; esac')
    done = _dev(bare, "setup")
    assert done.returncode == 1
    assert "--no-install-recommends python3.12-venv\n" in done.stderr


def test_an_unknown_command_is_refused_and_sets_nothing_up(bare: Path) -> None:
    done = _dev(bare, "tset")
    assert done.returncode == 2
    assert "./dev test" in done.stderr
    assert not (bare / ".venv").exists()


def test_the_usage_names_every_command(bare: Path) -> None:
    done = _dev(bare, "help")
    assert done.returncode == 0
    commands = re.findall(r"^(\w+)\)", (ROOT / "dev").read_text(), re.MULTILINE)
    assert len(commands) >= 5
    assert set(re.findall(r"\./dev (\w+) ", done.stdout)) == set(commands)


@pytest.mark.parametrize(
    ("arguments", "side_by_side"),
    [
        ([], True),
        (["--long", "-k", "permit"], True),
        (["tests/gs1"], False),
        (["-x", "tests/gs1/test_check.py::test_it", "-s"], False),
    ],
)
def test_the_whole_runs_side_by_side_and_what_is_named_one_by_one(
    bare: Path, arguments: list[str], side_by_side: bool
) -> None:
    (bare / ".venv" / "bin").mkdir(parents=True)
    _give(bare, "../.venv/bin/python", f'echo "$@" >>{bare}/started; case "$*" in *pytest*) exit 3 ;; esac')
    done = _dev(bare, "test", *arguments)
    assert done.returncode == 3, "the tests' exit code is the script's"
    started = (bare / "started").read_text().splitlines()[-1]
    assert started.startswith("-m pytest ")
    assert started.endswith(" ".join(arguments))
    assert (" --dist worksteal" in started) == side_by_side
