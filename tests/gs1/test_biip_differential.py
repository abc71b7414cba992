# SPDX-License-Identifier: Apache-2.0
"""Generated element strings, right ones and ones with one thing changed, read by us and by biip.

Each disagreement is of a class that docs/decisions/codes.md lists, with who is right and by which section.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from random import Random

import pytest
from biip import ParseError
from biip.gs1_messages import GS1Message

from gs1 import CodeError, Elements, Fault, element_string, parse_elements
from gs1.linters import LINTERS
from tests.gs1.samples import right_elements
from tests.source import ROOT

GS = "\x1d"
AGREE = {"same", "both refuse"}
PAGE = (ROOT / "docs/decisions/codes.md").read_text()

Ours = Callable[[str], Elements]


def cases(count: int, seed: int) -> Iterator[str]:
    """`count` element strings, every second one with one thing changed."""
    chance = Random(seed)
    for number in range(count):
        text = element_string(right_elements(chance, 4))
        yield changed(text, chance) if number % 2 else text


def changed(text: str, chance: Random) -> str:
    """`text` with one character altered, left out or put in, cut short, or without a separator."""
    place = chance.randrange(len(text))
    match chance.randrange(6):
        case 0:
            return text[:place] + chance.choice("0123456789") + text[place + 1 :]
        case 1:
            return text[:place] + chance.choice("0123456789AZaz%(/ \x1d#") + text[place + 1 :]
        case 2:
            return text[:place] + text[place + 1 :]
        case 3:
            return text[:place] + chance.choice("0123456789A\x1d") + text[place:]
        case 4:
            return text[: place + 1]
        case _:
            return text.replace(GS, "", 1)


def class_of(text: str, ours: Ours = parse_elements) -> str:
    """How the two answers relate."""
    read, theirs, reason = None, None, ""
    try:
        theirs = tuple((each.ai.ai, each.value) for each in GS1Message.parse(text).element_strings)
    except ParseError as refused:
        reason = str(refused)
    try:
        read = ours(text)
    except CodeError as refused:
        return "both refuse" if theirs is None else ours_refuses(refused.faults[0], text)
    if theirs is None:
        return theirs_refuses(reason)
    return "same" if tuple(dict(theirs).items()) == read else "read differently"


def ours_refuses(fault: Fault, text: str) -> str:
    """The class of what biip alone takes."""
    if fault.code in LINTERS:
        return "check"
    if fault.code in ("missing_partner", "excluded_partner", "missing_serial"):
        return "partner"
    if fault.code in ("too_long", "too_short", "character"):
        return "separator"
    if fault.code == "unknown_ai" and fault.position is not None and text.startswith(GS, fault.position):
        return "empty-element"
    return fault.code


def theirs_refuses(reason: str) -> str:
    """The class of what biip alone refuses."""
    if "AI (7007) date/time" in reason:
        return "harvest"
    return "cpid" if "AI (8010) pattern" in reason else f"biip: {reason}"


def compared(count: int, ours: Ours = parse_elements) -> Counter[str]:
    return Counter(class_of(text, ours) for text in cases(count, 2026))


def documented() -> set[str]:
    return set(re.findall(r"^\| `([a-z_-]+)` \|", PAGE, re.MULTILINE))


@pytest.mark.parametrize("count", [5_000, pytest.param(100_000, marks=pytest.mark.long)])
def test_every_disagreement_with_biip_is_of_a_documented_class(count: int) -> None:
    classes = compared(count)
    print(f"element strings against biip: {count:,} compared,", dict(classes.most_common()))
    assert set(classes) - AGREE <= documented()
    assert classes["same"] > count / 2


def test_a_reader_that_mistakes_one_digit_is_found_out() -> None:
    def mistaken(text: str) -> Elements:
        return tuple((ai, value.replace("7", "1", 1)) for ai, value in parse_elements(text))

    assert "read differently" in compared(50, mistaken)


def test_a_reader_that_refuses_too_much_is_found_out() -> None:
    def timid(text: str) -> Elements:
        raise CodeError(Fault("unsure", text))

    assert set(compared(50, timid)) - AGREE == {"unsure"}
