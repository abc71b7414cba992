# SPDX-License-Identifier: Apache-2.0
"""What every file of the house keeps to."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from typing import TYPE_CHECKING

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.source import ROOMS, ROOT, imports, modules, project_files, strings

if TYPE_CHECKING:
    from pathlib import Path

LINES_MAX = 600
COUNTED = {".py", ".js", ".css", ".html", ".sql", ".sh", ".yaml", ".toml"}
LICENSED = {".py", ".sql", ".js", ".css"}
SPDX = "SPDX-License-Identifier: Apache-2.0"

# Not reached from the command line, on purpose.
STANDING_ALONE = {
    "simulators.printer": "the label printer that tests print on, and an integrator may",
    "drivers.null_modem": "the link that driver tests garble, ours and an integrator's",
    "zonegate.yard_fit": "what fits the weights of the gate's second opinion, when the gate changes",
}

# Put together here, so that this file does not hold what it looks for.
HOSTS = [".".join(host) for host in (("pypi", "org"), ("python" + "hosted", "org"), ("debian", "org"))]
HOSTS += [".".join(host) for host in (("registry", "npmjs", "org"), ("crates", "io"), ("ubuntu", "com"))]
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:work|root|home/\w+|Users/\w+|opt/(?:wheels|pypi))/")


def _texts() -> list[tuple[Path, str]]:
    texts = []
    for path in project_files():
        try:
            texts.append((path.relative_to(ROOT), path.read_text()))
        except UnicodeDecodeError:
            continue
    return texts


def test_python_files_say_what_they_are_for() -> None:
    silent = [name for name, path in modules().items() if not ast.get_docstring(ast.parse(path.read_text()))]
    assert silent == []


def test_source_files_name_their_license_first() -> None:
    without = [
        str(path)
        for path, text in _texts()
        if path.suffix in LICENSED and SPDX not in "\n".join(text.splitlines()[:2])
    ]
    assert without == []


def test_no_source_file_is_longer_than_a_reader_can_hold() -> None:
    long = {
        str(path): text.count("\n")
        for path, text in _texts()
        if path.suffix in COUNTED and text.count("\n") > LINES_MAX
    }
    assert long == {}


def foreign(text: str) -> list[str]:
    """The machine paths and registry addresses in a text."""
    lowered = text.lower()
    return [*MACHINE_PATH.findall(text), *(host for host in HOSTS if host in lowered)]


def test_no_file_names_a_machine_or_a_registry() -> None:
    named = {str(path): found for path, text in _texts() if (found := foreign(text))}
    assert named == {}


@pytest.mark.parametrize(
    "text",
    ["cd /" + "work/main", "open('/" + "home/anna/x')", "--index-url https://" + HOSTS[0] + "/simple"],
)
def test_a_planted_machine_path_or_registry_is_found(text: str) -> None:
    assert foreign(text)


def test_pins_are_exact() -> None:
    for name in ("dev.txt", "demo.txt"):
        for line in (ROOT / "requirements" / name).read_text().splitlines():
            assert re.fullmatch(r"[a-z0-9._-]+==[^\s;]+(?: ; .+)?", line), line


def test_pins_keep_to_what_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    asked = {
        "dev.txt": [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]],
        "demo.txt": [
            *project["project"]["dependencies"],
            *project["project"]["optional-dependencies"]["demo"],
        ],
    }
    for name, requirements in asked.items():
        lines = (ROOT / "requirements" / name).read_text().splitlines()
        pinned = dict(line.partition(" ; ")[0].split("==") for line in lines)
        for requirement in map(Requirement, requirements):
            assert requirement.specifier.contains(pinned[canonicalize_name(requirement.name)]), requirement


def strangers(sources: dict[str, Path], declared: set[str]) -> set[str]:
    """Distributions that ``sources`` import and ``declared`` does not name."""
    homes = packages_distributions()
    tops = {target.partition(".")[0] for name, path in sources.items() for _, target in imports(path, name)}
    own = {*ROOMS, "tests"}
    return {
        homes.get(top, [top])[0]
        for top in tops - own - sys.stdlib_module_names
        if not {canonicalize_name(home) for home in homes.get(top, [top])} & declared
    }


def _declared(*lists: list[str]) -> set[str]:
    return {canonicalize_name(Requirement(text).name) for texts in lists for text in texts}


def test_what_is_imported_is_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    extras = project["project"]["optional-dependencies"].values()
    runtime = _declared(project["project"]["dependencies"], *extras)
    tested = runtime | _declared(project["dependency-groups"]["dev"]) | {"packaging"}  # pytest's own
    assert strangers(modules(), runtime) == set()
    tests = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts): path
        for path in (ROOT / "tests").rglob("*.py")
    }
    assert strangers(tests, tested) == set()


def test_a_planted_stranger_is_found(tmp_path: Path) -> None:
    planted = tmp_path / "planted.py"
    planted.write_text("import json, aiohttp\ndef late():\n    import hypothesis.strategies")
    assert strangers({"edge.planted": planted}, {"aiohttp"}) == {"hypothesis"}


def unreached(root: Path) -> set[str]:
    """Modules that no entry point leads to: ``zonegate.cli``, and what is started with ``python -m``."""
    known = modules(root)
    started = {
        text for path in known.values() for text in strings(path) if text in known and not text.isidentifier()
    }
    started |= {name for name in known if name.endswith("__main__")}
    queue = sorted(started | ({"zonegate.cli"} & known.keys()))
    reached: set[str] = set()
    while queue:
        name = queue.pop()
        if name in reached or name not in known:
            continue
        reached.add(name)
        queue.append(name.rpartition(".")[0])
        for _, target in imports(known[name], name):
            queue += [target, target.rpartition(".")[0]]
    return known.keys() - reached


def test_every_module_is_reached_from_an_entry_point() -> None:
    assert unreached(ROOT) - STANDING_ALONE.keys() == set()


def test_a_planted_dead_module_is_found(tmp_path: Path) -> None:
    (tmp_path / "zonegate").mkdir()
    (tmp_path / "zonegate/__init__.py").write_text("")
    (tmp_path / "zonegate/cli.py").write_text("from zonegate import used")
    (tmp_path / "zonegate/used.py").write_text("")
    (tmp_path / "zonegate/dead.py").write_text("import zonegate.deader")
    (tmp_path / "zonegate/deader.py").write_text("")
    assert unreached(tmp_path) == {"zonegate.dead", "zonegate.deader"}


def test_nothing_is_left_to_do() -> None:
    words = ("TO" + "DO", "FIX" + "ME", "X" * 3)
    pattern = re.compile(rf"\b(?:{'|'.join(words)})\b")
    left = [str(path) for path, text in _texts() if path.suffix in COUNTED and pattern.search(text)]
    assert left == []
