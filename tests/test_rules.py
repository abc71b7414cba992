# SPDX-License-Identifier: Apache-2.0
"""The register of rules: every function that names a section of the law has a rule, every rule a proof."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from customs.us.rules import MARKS, Rule, page, register
from tests.source import ROOT, modules

ROOMS = ("customs", "edge", "central")
SECTION = re.compile(r"\b\d+ (?:CFR|USC) \d|\bHTSUS\b|\bUSITC\b")

# Whole rooms of rules: there each public function has one, but for these, which only count or write.
RULED = ("customs.us.", "customs.tariff.")
PLAIN = {
    "customs.tariff.rates.percent",
    "customs.tariff.rates.unit_code",
    "customs.tariff.rounding.part",
    "customs.tariff.rounding.times",
    "customs.tariff.rounding.total",
    "customs.tariff.text.parse_special",
    "customs.us.lines.EntryLine.made",
    "customs.us.lines.EntryLine.parts",
    "customs.us.rules.page",
    "customs.us.rules.register",
    "customs.us.rules.tests",
}


def public_functions(source: str) -> Iterator[tuple[str, str]]:
    """Public functions and public methods of public classes: dotted below their module, and docstring."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
            yield node.name, ast.get_docstring(node) or ""
        elif isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            for inner in node.body:
                if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef) and not inner.name.startswith(
                    "_"
                ):
                    yield f"{node.name}.{inner.name}", ast.get_docstring(inner) or ""


def functions() -> dict[str, str]:
    """Docstrings of all public functions of the rooms, by dotted name."""
    return {
        f"{module}.{name}": doc
        for module, path in modules().items()
        if module.partition(".")[0] in ROOMS
        for name, doc in public_functions(path.read_text())
    }


def without_rule(found: dict[str, str], rules: tuple[Rule, ...]) -> list[str]:
    """Functions that name a section, or stand in a room of rules, and that no rule names."""
    ruled = {name for rule in rules for name in rule.functions} | PLAIN
    return sorted(
        name
        for name, doc in found.items()
        if name not in ruled and (SECTION.search(doc) or name.startswith(RULED))
    )


def without_proof(rules: tuple[Rule, ...], root: Path) -> list[str]:
    """Rules without a test, or with one that is not there."""
    defined: dict[str, set[str]] = {}
    missing = []
    for rule in rules:
        for test in rule.tests:
            file, _, name = test.partition("::")
            if file not in defined:
                path = root / "tests" / file
                tree = ast.parse(path.read_text()) if path.exists() else ast.Module([], [])
                found = (
                    node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
                )
                defined[file] = {node.name for node in found}
            if name not in defined[file]:
                missing.append(f"{rule.name}: {test}")
        if not rule.tests:
            missing.append(f"{rule.name}: no test")
    return missing


def test_every_function_that_names_a_section_has_a_rule() -> None:
    assert without_rule(functions(), register()) == [], (
        "add a Rule in customs/us/rules_of_law.py, rules_of_money.py or rules_of_books.py, then ./dev rules"
    )


def test_every_rule_has_a_test_that_exists() -> None:
    assert without_proof(register(), ROOT) == []


def test_every_rules_function_exists() -> None:
    found = functions()
    missing = [f"{rule.name}: {name}" for rule in register() for name in rule.functions if name not in found]
    assert missing == []


def test_rules_are_told_apart_and_marked() -> None:
    rules = register()
    names = [rule.name for rule in rules]
    assert sorted(set(names)) == sorted(names)
    assert {rule.mark for rule in rules} == set(MARKS)
    assert all(rule.section and rule.functions and rule.text.endswith(".") for rule in rules)
    assert not any("|" in text for rule in rules for text in (rule.text, rule.section))


def test_what_a_function_says_is_from_memory_the_register_says_too() -> None:
    found = functions()
    for name, doc in found.items():
        for words, mark in (("from memory", "memory"), ("own reading", "own reading")):
            marks = {rule.mark for rule in register() if name in rule.functions}
            if words in doc and SECTION.search(doc):
                assert marks & {"memory", "own reading"}, f"{name} says {words}; no rule is marked {mark}"


def test_the_page_shows_the_register() -> None:
    assert (ROOT / "docs/customs/rules.md").read_text() == page(register()), "run ./dev rules"


RULE = Rule("T", "n", "19 CFR 1.1", "read", "So.", ("customs.us.duty.rate_day",), ("test_rules.py::test_x",))


def test_a_planted_function_without_a_rule_is_found() -> None:
    source = 'def new():\n    """19 CFR 146.99."""\nclass A:\n    def b(self):\n        """19 USC 81c."""\n'
    found = {f"edge.x.{name}": doc for name, doc in public_functions(source)}
    assert without_rule(found, (RULE,)) == ["edge.x.A.b", "edge.x.new"]
    assert without_rule({"customs.us.x.new": "Says nothing."}, (RULE,)) == ["customs.us.x.new"]
    assert without_rule({"customs.us.duty.rate_day": "19 CFR 1"}, (RULE,)) == []


def test_a_planted_rule_without_a_proof_is_found() -> None:
    assert without_proof((RULE,), ROOT) == ["n: test_rules.py::test_x"]
    own = "test_rules.py::test_a_planted_rule_without_a_proof_is_found"
    assert without_proof((Rule("T", "n", "s", "read", "So.", (), (own,)),), ROOT) == []
    assert without_proof((Rule("T", "n", "s", "read", "So.", (), ()),), ROOT) == ["n: no test"]


@pytest.mark.parametrize("change", ["text", "mark"])
def test_a_changed_rule_makes_the_page_stale(change: str) -> None:
    first, *rest = register()
    values = {name: getattr(first, name) for name in first.__struct_fields__}
    other = Rule(**{**values, change: "memory" if change == "mark" else "Another text."})
    assert page((other, *rest)) != (ROOT / "docs/customs/rules.md").read_text()
