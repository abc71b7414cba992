# SPDX-License-Identifier: Apache-2.0
"""What the code of a read is, by the rules that were in force when it was read. Pure: the moment comes in.

The day that gives a label's dates their century is the moment's own, in the zone's time zone, and the
site's own codes are those of the settings entry before it: so a read that is judged again is read again as
it was.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

from edge.books import NodeBooks
from gs1 import gtin_link, sscc_link
from gs1.answer import answer_code, answer_tag
from gs1.identify import Identity, identify, identity_of
from gs1.load import Control, Load, TagRead, Unknown, WorkOrder
from gs1.patterns import SitePattern, compile_patterns
from gs1.reading import read_code, split_aim

RULES: Final = 4
"""Version of the rules by which reads are read and judged; part of every entry's inputs."""

GOODS_RULES: Final = 4
"""The first rules that ask what the goods are: their expiry, their status against the permit's kind, a
warehouse's five years, a quota's days.
"""

_ALL_CODES: Final = 3
"""The first rules that read more than SSCC, GTIN and dock labels in the carriers of a first version."""


def rules_in_force(books: NodeBooks) -> int:
    """The rules that the last settings entry names."""
    settings = books.state.settings
    return RULES if settings is None else settings.rules


def local_day(books: NodeBooks, at: datetime) -> date:
    """The day of a moment in the zone's time zone."""
    zone = books.state.settings.timezone if books.state.settings else "UTC"
    return at.astimezone(ZoneInfo(zone)).date()


def identity_at(books: NodeBooks, raw: bytes, at: datetime) -> Identity:
    """What a code is that was read at a moment. Never raises."""
    today = local_day(books, at)
    if rules_in_force(books) < _ALL_CODES:
        return _first_reading(raw, today)
    return identify(raw, today, patterns=_patterns(books))


def tag_at(books: NodeBooks, epc: bytes, pc: int | None, at: datetime) -> Identity:
    """What an RFID tag is that was read at a moment; `pc` is its protocol control word. Never raises."""
    return _tag(epc, pc, local_day(books, at))


def answer_at(books: NodeBooks, raw: bytes, at: datetime) -> dict[str, Any]:
    """The answer of `gs1.answer.answer_code` for a code that was read at a moment."""
    return answer_code(raw, local_day(books, at), patterns=_patterns(books))


def tag_answer_at(books: NodeBooks, epc: bytes, pc: int | None, at: datetime) -> dict[str, Any]:
    """The answer of `gs1.answer.answer_tag` for a tag that was read at a moment."""
    return answer_tag(TagRead(epc, pc), local_day(books, at))


def reason_in(answer: dict[str, Any]) -> str:
    """The first thing that an answer finds wrong or missing, as a sentence; empty when there is none."""
    told = [*answer["errors"], *answer["notes"]]
    return str(told[0]["message"]) if told else ""


def _patterns(books: NodeBooks) -> tuple[SitePattern, ...]:
    settings = books.state.settings
    return _compiled(settings.codes) if settings is not None else ()


@lru_cache(maxsize=8)
def _compiled(codes: Sequence[tuple[str, str]]) -> tuple[SitePattern, ...]:
    return compile_patterns(codes)


@lru_cache(maxsize=4096)
def _tag(epc: bytes, pc: int | None, today: date) -> Identity:
    """A tag's identity, remembered: a gate asks while it moves, and again once it is through."""
    return identify(TagRead(epc, pc), today)


# The application identifiers that rules 1 and 2 held; a code with any other was unreadable to them.
_FIRST_IDENTIFIERS: Final = frozenset(
    f"{number:02}"
    for numbers in (
        (0, 1, 2, 10, 11, 13, 15, 16, 17, 20, 21, 22, 30, 37, 235, 240, 241, 242),
        (*range(400, 404), *range(410, 418), *range(420, 428), 8003, 8004, *range(90, 100)),
        (first * 10 + last for first in (*range(310, 317), *range(330, 337)) for last in range(6)),
    )
    for number in numbers
)
_COMPOSITE: Final = b"]e0"
_EAN_13_LENGTH: Final = 13
_BRACKETS: Final = re.compile(rb"\([0-9]{2,4}\)")


def _first_reading(raw: bytes, today: date) -> Identity:
    """What rules 1 and 2 made of a code: SSCC and GTIN only, an item's key with its lot."""
    identity = identity_of(read_code(raw, short_names=True), raw, today)
    if isinstance(identity, Load):
        held = all(ai in _FIRST_IDENTIFIERS for ai, _ in identity.elements)
        if not held or identity.kind not in ("sscc", "gtin") or _is_later_form(raw):
            return Unknown("", ())
        return replace(identity, key=_first_key(identity))
    return identity if isinstance(identity, WorkOrder | Control) else Unknown("", ())


def _is_later_form(raw: bytes) -> bool:
    """Whether a code has a form that only later rules read: a composite, an add-on, an UPC-E as its eight
    digits, an envelope, FNC1 in front, or a separator in unmarked text that begins with no SSCC and no GTIN.
    """
    aim, body = split_aim(raw)
    if b"[)>" in body[:5] or aim == "]E3" or (aim == "]E0" and len(body) != _EAN_13_LENGTH):
        return True
    if aim == "]E4" and _COMPOSITE in body:
        return True
    if body.startswith(b"("):
        # Every bracket was an identifier's or escaped.
        bare = body.replace(b"\\(", b"")
        return bare.count(b"(") != len(_BRACKETS.findall(bare))
    begins = body.startswith((b"00", b"01"))
    return aim is None and (body[:1] in (b"^", b"\x1d") or (b"\x1d" in body and not begins))


def _first_key(load: Load) -> str:
    if load.sscc is not None:
        return sscc_link(load.sscc)
    assert load.gtin is not None, "a load of these kinds has one of the two"
    return gtin_link(load.gtin, load.lot, load.serial)
