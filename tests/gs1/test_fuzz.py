# SPDX-License-Identifier: Apache-2.0
"""Coverage-guided fuzzing of both parsers, bounded; `./dev fuzz` and `--long` run more of the same."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.source import ROOT

RUNS, RUNS_LONG = 10_000, 1_000_000
PLANTED_RUNS = 2_000_000

needs_atheris = pytest.mark.skipif(
    importlib.util.find_spec("atheris") is None, reason="atheris has no wheel for this Python or machine"
)


def fuzzed(folder: Path, target: str, runs: int) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.gs1.fuzz", target, f"-runs={runs}", "-seed=1",
         f"-artifact_prefix={folder}/"],
        capture_output=True, check=False, cwd=ROOT, timeout=3600,
    )  # fmt: skip
    return done.returncode, (done.stdout + done.stderr).decode("ascii", "replace")


@needs_atheris
@pytest.mark.parametrize("target", ["codes", "tags"])
def test_a_short_search_finds_nothing(target: str, tmp_path: Path) -> None:
    code, said = fuzzed(tmp_path, target, RUNS)
    assert code == 0, said[-3000:]
    assert f"Done {RUNS} runs" in said


@needs_atheris
@pytest.mark.long
@pytest.mark.parametrize("target", ["codes", "tags"])
def test_a_long_search_finds_nothing(target: str, tmp_path: Path) -> None:
    code, said = fuzzed(tmp_path, target, RUNS_LONG)
    assert code == 0, said[-3000:]
    assert f"Done {RUNS_LONG} runs" in said
    print(target, re.findall(r"DONE +(cov: \d+ ft: \d+ corp: \S+)", said))


@needs_atheris
def test_a_planted_bug_is_found(tmp_path: Path) -> None:
    code, said = fuzzed(tmp_path, "planted", PLANTED_RUNS)
    assert code != 0
    assert "RuntimeError: planted" in said
    [found] = tmp_path.iterdir()
    assert b"99" in found.read_bytes()
