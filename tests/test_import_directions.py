# SPDX-License-Identifier: Apache-2.0
"""Who may import whom. The table is ARCHITECTURE.md's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.source import ROOMS, ROOT, imports, modules

if TYPE_CHECKING:
    from pathlib import Path

MAY_IMPORT: dict[str, set[str]] = {
    "gs1": set(),
    "customs": set(),
    "drivers": {"gs1"},
    "sync": {"gs1", "customs"},
    "edge": {"drivers", "gs1", "customs", "sync"},
    "central": {"customs", "gs1", "sync"},
    "simulators": {"drivers", "gs1"},
    "zonegate": set(ROOMS),
}
# Of the drivers, the simulators may know only what writes a device's bytes and what garbles a line.
ENCODERS = {"drivers.framing", "drivers.line_faults"}
# A reader answers what it is asked, so that its simulator reads LLRP too.
ENCODERS |= {f"drivers.llrp.{name}" for name in ("errors", "framing", "messages", "tables")}
# Labels are drawn in pictures by what prints them.
ENCODERS |= {"gs1.code128", "gs1.datamatrix"}
# What grades the service shares no code with it.
GRADER = "simulators.grader"


def violations(root: Path) -> list[str]:
    found = []
    for module, path in modules(root).items():
        room = module.partition(".")[0]
        for line, name in imports(path, module):
            target = name.partition(".")[0]
            if target == "tests" or (target in ROOMS and not _allowed(room, module, name)):
                found.append(f"{path.relative_to(root)}:{line} imports {name}")
    return found


def _allowed(room: str, module: str, name: str) -> bool:
    target = name.partition(".")[0]
    if module == GRADER or module.startswith(f"{GRADER}."):
        return f"{name}.".startswith(f"{GRADER}.")
    if target == room:
        return True
    if room == "simulators" and target in MAY_IMPORT[room]:
        return any(f"{name}.".startswith(f"{encoder}.") for encoder in ENCODERS)
    return target in MAY_IMPORT[room]


def test_no_room_imports_what_it_may_not_know() -> None:
    assert violations(ROOT) == []


def test_every_room_is_walked() -> None:
    assert {module.partition(".")[0] for module in modules(ROOT)} == set(ROOMS)


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("gs1/planted.py", "import customs"),
        ("customs/planted.py", "def late():\n    from gs1 import load"),
        ("drivers/planted.py", "from edge.view import DoorView"),
        ("sync/planted.py", "import drivers.read"),
        ("edge/planted.py", "import central.books"),
        ("edge/planted.py", "from importlib import import_module\nimport_module('simulators.yard')"),
        ("central/planted.py", "from edge import view"),
        ("simulators/planted.py", "from drivers.scanner import Scanner"),
        ("simulators/planted.py", "from gs1 import identify"),
        ("simulators/grader/planted.py", "from simulators.yard import trucks"),
        ("simulators/grader/planted.py", "import sync.entry"),
        ("edge/web/planted.py", "from ...zonegate import cli"),
        ("zonegate/planted.py", "import tests.conftest"),
    ],
)
def test_a_planted_violation_is_found(tmp_path: Path, file: str, source: str) -> None:
    planted = tmp_path / file
    planted.parent.mkdir(parents=True)
    planted.write_text(source)
    assert len(violations(tmp_path)) == 1


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("gs1/fine.py", "import json\nfrom gs1.load import Load\nfrom .errors import Gs1Error"),
        ("edge/fine.py", "import drivers.read, gs1, customs.documents, sync.entry"),
        (
            "simulators/fine.py",
            "from drivers.framing import encode\nfrom gs1.datamatrix import gs1_datamatrix",
        ),
        (
            "simulators/grader/fine.py",
            "from simulators.grader import truth\nfrom . import ledger\nimport asyncpg",
        ),
        ("zonegate/fine.py", "import edge.dock, central.service, simulators.yard"),
    ],
)
def test_what_the_table_allows_is_no_violation(tmp_path: Path, file: str, source: str) -> None:
    allowed = tmp_path / file
    allowed.parent.mkdir(parents=True)
    allowed.write_text(source)
    assert violations(tmp_path) == []
