# SPDX-License-Identifier: Apache-2.0
"""Coverage-guided fuzzing by atheris (libFuzzer): what each room's fuzz.py and its test share."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.source import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

needs_atheris = pytest.mark.skipif(
    importlib.util.find_spec("atheris") is None, reason="atheris has no wheel for this Python or machine"
)


def fuzz(targets: Mapping[str, Callable[[bytes], None]], pieces: Path, length_max: int) -> None:
    """Fuzz the target that the command line names, with the pieces of a dictionary; libFuzzer ends the
    process.
    """
    import atheris

    name = sys.argv[1] if len(sys.argv) > 1 else ""
    if name not in targets:
        sys.exit(f"{sys.argv[0]} TARGET [libFuzzer's options]; TARGET: {', '.join(targets)}")
    atheris.Setup([sys.argv[0], f"-dict={pieces}", f"-max_len={length_max}", *sys.argv[2:]], targets[name])
    atheris.Fuzz()


def fuzzed(module: str, target: str, runs: int, folder: Path) -> tuple[int, str]:
    """Exit code and words of so many runs; what it finds is left in `folder`."""
    done = subprocess.run(
        [sys.executable, "-m", module, target, f"-runs={runs}", "-seed=1", f"-artifact_prefix={folder}/"],
        capture_output=True, check=False, cwd=ROOT, timeout=3600,
    )  # fmt: skip
    return done.returncode, (done.stdout + done.stderr).decode("ascii", "replace")
