# SPDX-License-Identifier: Apache-2.0
"""Coverage-guided fuzzing of the parsers, bounded; `./dev fuzz` and `--long` run more of the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.fuzzing import fuzzed, needs_atheris

RUNS, RUNS_LONG = 10_000, 1_000_000
PLANTED_RUNS = 2_000_000

CODES, FRAMES = "tests.gs1.fuzz", "tests.drivers.llrp.fuzz"
TARGETS = [(CODES, "codes"), (CODES, "tags"), (FRAMES, "frames"), (FRAMES, "streams")]


@needs_atheris
@pytest.mark.parametrize(("module", "target"), TARGETS)
def test_a_short_search_finds_nothing(module: str, target: str, tmp_path: Path) -> None:
    code, said = fuzzed(module, target, RUNS, tmp_path)
    assert code == 0, said[-3000:]
    assert f"Done {RUNS} runs" in said


@needs_atheris
@pytest.mark.long
@pytest.mark.parametrize(("module", "target"), TARGETS)
def test_a_long_search_finds_nothing(module: str, target: str, tmp_path: Path) -> None:
    code, said = fuzzed(module, target, RUNS_LONG, tmp_path)
    assert code == 0, said[-3000:]
    assert f"Done {RUNS_LONG} runs" in said
    print(target, re.findall(r"DONE +(cov: \d+ ft: \d+ corp: \S+)", said))


@needs_atheris
@pytest.mark.parametrize(("module", "held"), [(CODES, b"99"), (FRAMES, b"")])
def test_a_planted_bug_is_found(module: str, held: bytes, tmp_path: Path) -> None:
    code, said = fuzzed(module, "planted", PLANTED_RUNS, tmp_path)
    assert code != 0
    assert "RuntimeError: planted" in said
    [found] = tmp_path.iterdir()
    assert held in found.read_bytes()
