# SPDX-License-Identifier: Apache-2.0
"""Reads the project's own source for the tests that hold its architecture. Imports none of it."""

from __future__ import annotations

import ast
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
ROOMS = ("gs1", "customs", "drivers", "sync", "edge", "central", "simulators", "zonegate")


def project_files(root: Path = ROOT) -> list[Path]:
    """Every file that is or would be committed."""
    git = shutil.which("git")
    if git is not None and (root / ".git").exists():
        listed = subprocess.run(
            [git, "-c", f"safe.directory={root}", "ls-files", "-z", "-co", "--exclude-standard"],
            cwd=root,
            capture_output=True,
            check=True,
            text=True,
        ).stdout.split("\0")
        return [root / name for name in listed if name and (root / name).is_file()]
    return [
        path
        for path in root.rglob("*")
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(root).parts)
    ]


def modules(root: Path = ROOT) -> dict[str, Path]:
    """The rooms' modules by dotted name; a package stands under its own name."""
    found = {}
    for room in ROOMS:
        for path in sorted((root / room).rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(path: Path, module: str) -> Iterator[tuple[int, str]]:
    """Line and dotted name of everything ``path`` imports, at whatever depth; relative names resolved.

    For ``from a.b import c`` that is ``a.b.c``, whether ``c`` is a module or a name in one. A literal
    name handed to ``import_module`` or ``__import__`` counts as well.
    """
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(), filename=str(path))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, *([node.module] if node.module else [])])
            for alias in node.names:
                yield node.lineno, f"{base}.{alias.name}"
        elif isinstance(node, ast.Call) and _called(node.func) in ("import_module", "__import__"):
            for argument in node.args[:1]:
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    yield node.lineno, argument.value


def strings(path: Path) -> Iterator[str]:
    """Every string constant of a module, docstrings left out."""
    tree = ast.parse(path.read_text(), filename=str(path))
    told = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr):
            told.add(id(node.value))
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in told:
            yield node.value


def _called(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""
