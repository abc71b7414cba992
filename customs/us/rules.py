# SPDX-License-Identifier: Apache-2.0
"""The register of rules: which section of the law stands where in the program, and which test holds it there.

`./dev rules` writes docs/customs/rules.md from it, and a test fails when the page is stale, when a function
names a section and no rule names the function, or when a rule has no test. Names of functions and tests are
text, so that a rule may point into a room that this one does not know.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

READ: Final = "read"
MEMORY: Final = "memory"
OWN: Final = "own reading"

MARKS: Final = {
    READ: "the section was read, in the regulation, the statute, or a copy of them",
    MEMORY: "from memory or told by others; verify before relying on it",
    OWN: "the text leaves it open, and the house decided so",
}


class Rule(msgspec.Struct, frozen=True):
    """One rule. `section` is where it stands; `functions` are dotted names that keep it; `tests` are files
    below tests/ with the test's name, as in `customs/us/test_duty.py::test_name`.
    """

    topic: str
    name: str
    section: str
    mark: str
    text: str
    functions: tuple[str, ...]
    tests: tuple[str, ...]


def tests(file: str, *names: str) -> tuple[str, ...]:
    """Tests of one file below tests/, named without their `test_`, for a rule's `tests`."""
    return tuple(f"{file}::test_{name}" for name in names)


def register() -> tuple[Rule, ...]:
    """All rules. A room adds its own in the file of rows that is about it."""
    from customs.us.rules_of_books import BOOKS
    from customs.us.rules_of_law import LAW
    from customs.us.rules_of_money import MONEY

    return (*LAW, *MONEY, *BOOKS)


def page(rules: Iterable[Rule]) -> str:
    """The register as Markdown, topic by topic in the order in which they come."""
    every = tuple(rules)
    parts = [_HEAD, *(f"- **{mark}**: {meaning}." for mark, meaning in MARKS.items()), ""]
    for topic in dict.fromkeys(rule.topic for rule in every):
        parts += [
            f"## {topic}",
            "",
            "| rule | section | known | kept by | proved by |",
            "|---|---|---|---|---|",
        ]
        parts += [_row(rule) for rule in every if rule.topic == topic]
        parts.append("")
    return "\n".join(parts)


_HEAD: Final = """\
# The rules, their sections and their proofs

Written by `./dev rules` from `customs/us/rules.py` and the rows beside it; do not edit. Not legal advice: a
customs broker must confirm how a rule applies. Each row says how the section is known:
"""


def _link(file: str, test: str) -> str:
    return f"[`{test}`](../../tests/{file})"


def _row(rule: Rule) -> str:
    functions = "<br>".join(f"`{name}`" for name in rule.functions)
    proofs = "<br>".join(_link(*name.split("::")) for name in rule.tests)
    mark = rule.mark if rule.mark == READ else f"**{rule.mark}**"
    return f"| {rule.text} (`{rule.name}`) | {rule.section} | {mark} | {functions} | {proofs} |"
