# SPDX-License-Identifier: Apache-2.0
"""What is heavy stays off the import path until it is needed."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = (
    "aiohttp",
    "argon2",
    "asyncpg",
    "cv2",
    "jinja2",
    "numpy",
    "paho",
    "pyzbar",
    "sqlite_utils",
    "zxingcpp",
)


def loaded_by(statement: str) -> set[str]:
    """Which of the heavy packages ``statement`` brings into a fresh interpreter."""
    program = f"{statement}\nimport sys\nprint(*(set({HEAVY!r}) & sys.modules.keys()))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, text=True, timeout=60
    )
    return set(done.stdout.split())


def test_the_command_line_starts_without_what_only_some_commands_need() -> None:
    assert loaded_by("import zonegate.cli") == set()


@pytest.mark.parametrize("package", ["aiohttp", "sqlite_utils"])
def test_a_heavy_import_is_seen(package: str) -> None:
    assert package in loaded_by(f"import {package}")


@pytest.mark.parametrize("module", ["gs1", "customs", "drivers", "drivers.camera"])
def test_the_inner_rooms_load_nothing_heavy(module: str) -> None:
    assert loaded_by(f"import {module}") == set()
