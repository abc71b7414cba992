# SPDX-License-Identifier: Apache-2.0
"""No code takes more than linear work, whatever stands in it; no parser raises what is not ours.

Work is counted, not timed: the interpreter's own steps in this room, and the characters that slicing,
searching and splitting touch. A text twice as long may take twice the work and a little more.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
import re._parser as parser  # type: ignore[import-not-found]
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import date
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import gs1
from gs1 import (
    CodeError,
    TagRead,
    answer_code,
    answer_tag,
    compile_patterns,
    parse_bracketed,
    parse_elements,
    parse_link,
    parse_order,
    read_elements,
)
from gs1.envelope import parse_identifier, read_envelope
from gs1.parcels import tracking
from gs1.reading import CODE_LENGTH_MAX, read_code

TODAY = date(2026, 11, 22)
ROOM = str(Path(gs1.__file__).parent)
GTIN = "09520123456788"
SITE = compile_patterns([("own", "WH-{part:any 1-40}"), ("other", "{part:letters 1-50}.{lot:any 1-20}")])


class Touched(str):
    """Text that counts the characters which slices, searches and splits of it touch."""

    __slots__ = ("work",)
    work: list[int]

    def __getitem__(self, key: Any) -> str:
        part = str.__getitem__(self, key)
        self.work[0] += len(part)
        return part


def _counting(name: str) -> Callable[..., Any]:
    method = getattr(str, name)

    def counted(text: Touched, *given: Any) -> Any:
        found = method(text, *given)
        # A search looks at what lies between its start and its end, or at what it finds.
        start = given[1] if name in ("find", "index", "startswith") and len(given) > 1 else 0
        stop = given[2] if name == "find" and len(given) > 2 else len(text)
        looked = len(given[0]) if name == "startswith" else max(0, stop - start)
        if name == "find" and found >= 0:
            looked = found - start + 1
        text.work[0] += looked
        return found

    return counted


for _name in ("find", "index", "startswith", "partition", "split", "replace", "encode", "strip", "rstrip"):
    setattr(Touched, _name, _counting(_name))


def work_of(read: Callable[[str], object], text: str) -> int:
    """Interpreter's steps within the room plus characters touched, while `read` takes `text` apart."""
    touched = Touched(text)
    touched.work = [0]
    steps = 0

    def trace(frame: FrameType, event: str, _: object) -> Any:
        nonlocal steps
        if not frame.f_code.co_filename.startswith((ROOM, __file__)):
            return None
        frame.f_trace_opcodes = True
        steps += event == "opcode"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        read(touched)
    except CodeError:
        pass
    finally:
        sys.settrace(before)
    return steps + touched.work[0]


def code(text: str) -> object:
    return read_code(str(text).encode(), SITE)


HOSTILE: dict[str, tuple[Callable[[str], object], str, str]] = {
    "elements without end": (read_elements, "", "91A\x1d"),
    "elements that repeat": (read_elements, "", "10A\x1d"),
    "one long value": (read_elements, "10", "A"),
    "no separator": (read_elements, "", "3103000195"),
    "unknown identifiers": (read_elements, "", "89\x1d"),
    "separators only": (read_elements, "", "\x1d"),
    "zeros": (read_elements, "", "0"),
    "brackets": (parse_bracketed, "", "(91)A"),
    "open brackets": (parse_bracketed, "", "("),
    "escaped brackets": (parse_bracketed, "(91)", "\\("),
    "backslashes": (parse_bracketed, "(91)", "\\"),
    "spaces in brackets": (parse_bracketed, "(91)", " "),
    "a long path": (parse_link, "https://a", "/a"),
    "a path of keys": (parse_link, "https://a", f"/01/{GTIN}"),
    "a path of qualifiers": (parse_link, f"https://a/01/{GTIN}", "/10/A"),
    "slashes": (parse_link, "https://a", "/"),
    "percents": (parse_link, f"https://a/01/{GTIN}/10/", "%41"),
    "broken percents": (parse_link, f"https://a/01/{GTIN}/10/", "%4"),
    "a long host": (parse_link, "https://", "a"),
    "a long query": (parse_link, f"https://a/01/{GTIN}?", "&99=A"),
    "a query of strangers": (parse_link, f"https://a/01/{GTIN}?", "x=1&"),
    "question marks": (parse_link, f"https://a/01/{GTIN}?", "?"),
    "fragments": (parse_link, f"https://a/01/{GTIN}#", "#"),
    "may be compressed": (parse_link, "https://a/", "aA"),
    "data identifiers": (read_envelope, "[)>\x1e06", "\x1dPA"),
    "formats": (read_envelope, "[)>\x1e", "06\x1dPA\x1e"),
    "empty formats": (read_envelope, "[)>\x1e", "06\x1e"),
    "formats of bytes": (read_envelope, "[)>\x1e", "09\x1da\x1db\x1d1\x1dA\x1e"),
    "record separators": (read_envelope, "[)>", "\x1e"),
    "group separators": (read_envelope, "[)>\x1e06", "\x1d"),
    "spelled separators": (read_envelope, "[)>\x1e06", "<GS>PA"),
    "an envelope of elements": (read_envelope, "[)>\x1e05\x1d", "91A\x1d"),
    "one data identifier": (parse_identifier, "P", "A"),
    "digits before a letter": (parse_identifier, "", "1"),
    "a parcel's digits": (tracking, "", "9"),
    "an order's hyphens": (parse_order, "ZG1:J:", "-"),
    "an order's colons": (parse_order, "ZG1", ":"),
    "any code: elements": (code, "]C1", "91A\x1d"),
    "any code: composite": (code, "]E02112345678900", "|]e0"),
    "any code: digits": (code, "", "0"),
    "any code: carets": (code, "", "^"),
    "any code: letters": (code, "", "A"),
    "any code: a site's": (code, "WH-", "A."),
}


@pytest.mark.parametrize("family", HOSTILE)
def test_twice_the_text_takes_at_most_twice_the_work(family: str) -> None:
    read, start, unit = HOSTILE[family]
    times = 1500 // len(unit)
    once, twice = (work_of(read, start + unit * count) for count in (times, 2 * times))
    assert twice <= 2.1 * once + 2_000, f"{once} steps, then {twice}"


def test_a_reader_that_is_not_linear_is_found() -> None:
    def slicing(text: str) -> None:
        for position in range(len(text)):
            if text[position:].startswith("x"):
                return

    def stepping(text: str) -> None:
        for _ in str(text):
            for _ in str(text):
                pass

    for read in (slicing, stepping):
        once, twice = (work_of(read, "a" * length) for length in (300, 600))
        assert twice > 2.1 * once + 2_000


def patterns_of_the_room() -> Iterator[tuple[str, re.Pattern[Any]]]:
    for found in pkgutil.walk_packages([ROOM], "gs1."):
        module = importlib.import_module(found.name)
        waiting = list(vars(module).values())
        while waiting:
            value = waiting.pop()
            if isinstance(value, re.Pattern):
                yield found.name, value
            elif isinstance(value, tuple | list):
                waiting += value
            elif isinstance(value, dict):
                waiting += value.values()


def backtracks(tokens: Any, *, repeated: bool = False) -> bool:
    """Whether something without bound is repeated without bound: how a match becomes worse than linear."""
    for token, given_ in tokens:
        inside = repeated
        if str(token) in ("MAX_REPEAT", "MIN_REPEAT"):
            unbounded = given_[1] is parser.MAXREPEAT
            if unbounded and repeated:
                return True
            inside = repeated or unbounded
        for part in given_ if isinstance(given_, list | tuple) else (given_,):
            parts = part if isinstance(part, list) else [part]
            if any(isinstance(one, parser.SubPattern) and backtracks(one, repeated=inside) for one in parts):
                return True
    return False


OWN_TABLES = {"gs1.dictionary": "reads its own rows, when it is imported"}


def test_no_pattern_of_the_room_repeats_a_repetition() -> None:
    found = dict.fromkeys(
        (name, pattern.pattern) for name, pattern in patterns_of_the_room() if name not in OWN_TABLES
    )
    assert len(found) > 10
    assert [each for each in found if isinstance(each[1], str) and backtracks(parser.parse(each[1]))] == []
    for bad in ("(a+)+b", "(?:a|b*)*c", "((x+)y?)*"):
        assert backtracks(parser.parse(bad)), "the control"


starts = st.sampled_from(
    ["", "]C1", "]d2", "]Q1", "]E0", "]e0", "]A0", "]d1[)>\x1e06\x1d", "[)>\x1e05\x1d", "(01)",
     f"]C101{GTIN}",
     f"https://a/01/{GTIN}/10/", f"https://a/01/{GTIN}?", "ZG1:J:", "1Z", "WH-", "^", "\x1d", "]C1420", "1J"]
)  # fmt: skip
pieces = st.lists(
    st.binary(max_size=12)
    | st.sampled_from(
        [b"\x1d", b"\x1e", b"\x04", b"91A", b"10", b"(10)A", b"%41", b"%", b"/21/1", b"&99=A", b"|]e0",
         b"\xc3\xa4", b"<b>", b"0" * 40, b"1726", b"8030", b"\\(", b"PA", b"Q1"]
    ),
    max_size=12,
)  # fmt: skip


@given(starts, pieces)
def test_the_parser_of_codes_answers_to_anything(start: str, rest: list[bytes]) -> None:
    code = start.encode() + b"".join(rest)
    strict = answer_code(code, TODAY, patterns=SITE)
    lenient = answer_code(code, TODAY, patterns=SITE, lenient=True, short_names=True, short_gtins=True)
    assert strict["ok"] == (strict["errors"] == [])
    assert len(strict["errors"]) <= 9
    assert not strict["ok"] or lenient["identity"] == strict["identity"]
    assert sum(len(told["message"]) for told in strict["errors"]) < 4_000


headers = st.sampled_from(range(256)).map(lambda value: bytes((value,)))


@given(headers, st.binary(max_size=70), st.none() | st.integers(0, 0xFFFF))
def test_the_parser_of_tags_answers_to_anything(header: bytes, rest: bytes, pc: int | None) -> None:
    answer = answer_tag(TagRead(header + rest, pc), TODAY)
    assert answer["ok"] == (answer["errors"] == [])
    assert answer["ok"] or answer["identity"] is None


@given(st.binary(max_size=40), st.integers(CODE_LENGTH_MAX + 1, 20_000))
def test_what_is_longer_than_any_barcode_is_refused_unread(start: bytes, length: int) -> None:
    answer = answer_code((start + b"0" * length), TODAY)
    assert [told["code"] for told in answer["errors"]] == ["too_long"]


@given(st.text(max_size=60))
def test_strict_parsers_raise_only_what_is_ours(text: str) -> None:
    for parse in (parse_elements, parse_bracketed, parse_link, parse_order, parse_identifier):
        with suppress(CodeError):
            parse(text)
