# SPDX-License-Identifier: Apache-2.0
"""Element strings: application identifiers and their values, read, checked and written.

Knows the dictionary; may not know which carrier a string came in nor what a load is.
Source: GS1 General Specifications, section 7.8 (processing of element strings) and section 4 (which
elements go together).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from .dictionary import IDENTIFIER_LENGTHS, IDENTIFIERS, Component, Identifier, pattern_matches
from .errors import CodeError, Fault
from .findings import Linter, charset_finding
from .linters import LINTERS
from .printable import shown

__all__ = [
    "FAULTS_MAX",
    "Elements",
    "check_elements",
    "element_string",
    "hri",
    "parse_bracketed",
    "parse_elements",
    "read_bracketed",
    "read_elements",
]

Elements = tuple[tuple[str, str], ...]

GS = "\x1d"

# Enough to mend a label by; a hostile code of thousands of one-digit faults must not fill a log. Reading
# stops at the last one.
FAULTS_MAX = 8


def parse_elements(text: str, *, lenient: bool = False) -> Elements:
    """The elements of a GS1 element string, in the order read, GS (0x1D) as separator.

    An element that stands twice with the same value is kept once. Raises CodeError with every fault found, at
    most eight: unknown identifier, separator missing or out of place, length, characters, any check that the
    dictionary names, and the partners an element needs or must not have. `lenient` keeps what can be kept, as
    read_elements does, and raises only when that is nothing.
    """
    elements, faults = read_elements(text)
    if faults and not (lenient and elements):
        raise CodeError(*faults)
    return elements


def read_elements(text: str, start: int = 0, *, before: Elements = ()) -> tuple[Elements, tuple[Fault, ...]]:
    """What can be kept of an element string, and all that is wrong with it, at most eight faults.

    Kept is every value of right length and characters, even when a check or a partner fails; of an identifier
    that comes twice, the first value. What an unknown identifier may say is passed over up to the next
    separator. `start` is where in `text` the element string begins (positions count from the text's own
    beginning), `before` are right elements of another symbol of the same label; they come first.
    """
    faults: list[Fault] = []
    values = dict(before)
    position, end = start, len(text)
    while position < end and (not faults or len(faults) < FAULTS_MAX):
        rules = _RULES.get(text[position : position + 2]) or _longer_rules(text, position)
        if rules is None:
            faults.append(_unknown_identifier(text[position : position + 4], position))
            position = _behind_separator(text, position)
            continue
        begin = position + rules.width
        match = rules.match(text, begin)
        if match is None:
            value, position = _broken_value(text, begin, rules.identifier)
            faults.append(_format_fault(rules.identifier, value, begin))
            continue
        _keep(values, rules, match[1], begin, faults)
        position = match.end()
    return _judged(values, faults)


def parse_bracketed(text: str) -> Elements:
    r"""The elements of a string in human readable form, `(00)0952...(10)AB`, as a person types what a label
    shows.

    Spaces are passed over (no element can hold one). A `(` that could be taken for the next identifier's is
    written `\(`; others may be.
    Raises CodeError as parse_elements does.
    """
    elements, faults = read_bracketed(text)
    if faults:
        raise CodeError(*faults)
    return elements


def read_bracketed(text: str) -> tuple[Elements, tuple[Fault, ...]]:
    """What can be kept of a string in human readable form, and what is wrong with it, as read_elements."""
    faults: list[Fault] = []
    values: dict[str, str] = {}
    position = 0
    while position < len(text) and len(faults) < FAULTS_MAX:
        match = _BRACKETED.match(text, position)
        if match is None:
            came = shown(text[position : position + 12])
            message = f"{came} at position {position}, expected an application identifier such as (00)"
            faults.append(Fault("bracket", message, None, position))
            break
        value = match[2].replace(" ", "").replace("\\(", "(")
        rules = _RULES.get(match[1])
        if rules is None:
            faults.append(_unknown_identifier(match[1], position))
        else:
            _keep_alone(values, rules, value, match.start(2), faults)
        position = match.end()
    return _judged(values, faults)


def check_elements(elements: Elements) -> Elements:
    """`elements` themselves when every value and every association is right.

    Raises CodeError with every fault found, at most eight; positions are not known here and None.
    """
    faults: list[Fault] = []
    values: dict[str, str] = {}
    for ai, value in elements:
        rules = _RULES.get(ai)
        if rules is None:
            faults.append(_unknown_identifier(ai, None))
        else:
            _keep_alone(values, rules, value, None, faults)
        if len(faults) >= FAULTS_MAX:
            break
    return _strict(values, faults)


def element_string(elements: Elements) -> str:
    """The element string that parse_elements reads back as `elements`; GS behind each value that needs one.

    Raises CodeError when `elements` are not right.
    """
    check_elements(elements)
    last = len(elements) - 1
    return "".join(
        f"{ai}{value}" + (GS if index < last and not IDENTIFIERS[ai].predefined else "")
        for index, (ai, value) in enumerate(elements)
    )


def hri(elements: Elements) -> str:
    r"""`elements` in human readable form, `(00)0952...(10)AB`, which parse_bracketed reads back.

    Values stand as they are, but that a `(` which could be taken for the next identifier's is written `\(`.
    Checks nothing.
    """
    return "".join(f"({ai})" + _IDENTIFIER_LIKE.sub(r"\\(", value) for ai, value in elements)


_IDENTIFIER_LIKE = re.compile(r"\((?=\d{2,4}\))", re.ASCII)
# Each value ends at the next bracketed identifier that is not escaped, so that the match is one pass.
_BRACKETED = re.compile(r"\((\d{2,4})\)((?:[^(\\]|\\\(|\\(?!\()|\((?!\d{2,4}\)))*)", re.ASCII)


class _Check(NamedTuple):
    part: slice  # of the value
    name: str
    linter: Linter


@dataclass(frozen=True, slots=True)
class _Rules:
    """A dictionary row, ready to be applied to one value after another.

    `match` finds the value at a place in a string as its first group, and takes the separator behind it.
    """

    ai: str
    width: int
    identifier: Identifier
    match: Callable[..., re.Match[str] | None]
    checks: tuple[_Check, ...]


def _rules(identifier: Identifier) -> _Rules:
    components = identifier.components
    # A separator behind a predefined length is needless but harmless.
    behind = "\\x1d?" if identifier.predefined else "(?:\\x1d|\\Z)"
    pattern = re.compile(f"({_pattern(components)}){behind}")
    checks = tuple(_checks(components))
    return _Rules(identifier.ai, len(identifier.ai), identifier, pattern.match, checks)


def _checks(components: Sequence[Component]) -> list[_Check]:
    checks, offset = [], 0
    for component in components:
        part = slice(offset, offset + component.length_max)
        # Base64url is the one set of characters with a rule on their order.
        names = ("cset64", *component.checks) if component.charset == "Z" else component.checks
        # Digits by their form, and longer than the shortest prefix, cannot fail this one.
        needless = ("gcppos1", "gcppos2") if component.charset == "N" else ()
        checks += [_Check(part, name, LINTERS[name]) for name in names if name not in needless]
        offset += component.length_max
    return checks


def _pattern(components: Sequence[Component]) -> str:
    pattern = ""
    for component in reversed(components):
        characters = _CHARACTERS[component.charset]
        lengths = {component.length_min, component.length_max}
        part = f"{characters}{{{','.join(map(str, sorted(lengths)))}}}"
        # A component may only be left out with all that follow it.
        pattern = f"(?:{part}{pattern})?" if component.optional else part + pattern
    return pattern


_CHARACTERS = {
    "N": "[0-9]",
    "X": "[!\"%&'()*+,\\-./0-9:;<=>?A-Z_a-z]",
    "Y": "[#\\-/0-9A-Z]",
    "Z": "[\\-0-9=A-Z_a-z]",
}
_RULES = {ai: _rules(identifier) for ai, identifier in IDENTIFIERS.items()}


def _longer_rules(text: str, position: int) -> _Rules | None:
    """Those of the identifier of three or four digits that stands at `position`."""
    length = IDENTIFIER_LENGTHS.get(text[position : position + 2])
    return None if length is None else _RULES.get(text[position : position + length])


def _behind_separator(text: str, position: int) -> int:
    separator = text.find(GS, position)
    return len(text) if separator < 0 else separator + 1


def _broken_value(text: str, begin: int, identifier: Identifier) -> tuple[str, int]:
    """What stands where the value should, and where the next element starts."""
    limit = min(begin + identifier.length_max, len(text)) if identifier.predefined else len(text)
    separator = text.find(GS, begin, limit)
    if separator >= 0:
        return text[begin:separator], separator + 1
    return text[begin:limit], limit + text.startswith(GS, limit)


def _keep_alone(
    values: dict[str, str], rules: _Rules, value: str, begin: int | None, faults: list[Fault]
) -> None:
    """As _keep, when the whole of `value` is to be the value."""
    match = rules.match(value)
    if match is None or match[1] != value:
        faults.append(_format_fault(rules.identifier, value, begin))
    else:
        _keep(values, rules, value, begin, faults)


def _keep(values: dict[str, str], rules: _Rules, value: str, begin: int | None, faults: list[Fault]) -> None:
    """Adds a value of right length and characters to `values`, what its checks find to `faults`."""
    for part, name, linter in rules.checks:
        text = value[part]
        # An optional component that is left out has nothing to check.
        finding = linter(text) if text else None
        if finding is not None:
            at = None if begin is None else begin + part.start + finding[0]
            faults.append(_fault(name, finding[1], rules.ai, at))
            break
    if values.setdefault(rules.ai, value) != value:
        told = f"value {shown(value)} and before {shown(values[rules.ai])}, expected one value"
        faults.append(_fault("repeated", told, rules.ai, begin))


def _format_fault(identifier: Identifier, value: str, start: int | None) -> Fault:
    offset = 0
    for component in identifier.components:
        part = value[offset : offset + component.length_max]
        if not part and component.optional:
            break
        finding = charset_finding(part, component.charset)
        if finding is not None:
            at = None if start is None else start + offset + finding[0]
            return _fault("character", finding[1], identifier.ai, at)
        if len(part) < component.length_min:
            unit = "digits" if component.charset == "N" else "characters"
            least = "at least " if component.length_min < component.length_max else ""
            told = f"{len(part)} {unit}, expected {least}{component.length_min}"
            at = None if start is None else start + offset
            return _fault("too_short", told, identifier.ai, at)
        offset += len(part)
    told = f"{len(value)} characters, expected at most {offset}"
    return _fault("too_long", told, identifier.ai, None if start is None else start + offset)


def _fault(code: str, told: str, ai: str, position: int | None) -> Fault:
    where = "" if position is None else f" at position {position}"
    return Fault(code, f"{told}, of AI {ai}{where}", ai, position)


def _unknown_identifier(came: str, position: int | None) -> Fault:
    where = "" if position is None else f" at position {position}"
    message = f"{shown(came)}{where}, expected an application identifier of GS1"
    return Fault("unknown_ai", message, None, position)


def _strict(values: dict[str, str], faults: list[Fault]) -> Elements:
    elements, found = _judged(values, faults)
    if found:
        raise CodeError(*found)
    return elements


def _judged(values: dict[str, str], faults: list[Fault]) -> tuple[Elements, tuple[Fault, ...]]:
    """The elements and all that is wrong with them, what only all of them together show included."""
    elements = tuple(values.items())
    if faults:
        # A misread element would drag its partners into the list, so they are not looked for.
        return elements, tuple(faults[:FAULTS_MAX])
    if not values:
        return (), (Fault("empty", "nothing came, expected application identifiers and their values"),)
    apart = _association_faults(tuple(values))
    return elements, apart + _unsigned_faults(values) if "8030" in values else apart


# A dock's labels are of a few kinds, so a few sets of identifiers come again and again.
@lru_cache(maxsize=1024)
def _association_faults(ais: tuple[str, ...]) -> tuple[Fault, ...]:
    faults = []
    for ai in ais:
        identifier = IDENTIFIERS[ai]
        others = [other for other in ais if other != ai]
        faults += [
            _missing_partner(ai, ways)
            for ways in identifier.requires
            if not any(all(_first(pattern, others) for pattern in way) for way in ways)
        ]
        for other in filter(None, (_first(pattern, others) for pattern in identifier.excludes)):
            message = f"AI {ai} with AI {other}, expected one of the two"
            faults.append(Fault("excluded_partner", message, ai))
    return tuple(faults[:FAULTS_MAX])


def _first(pattern: str, ais: Sequence[str]) -> str | None:
    return next((ai for ai in ais if pattern_matches(pattern, ai)), None)


def _missing_partner(ai: str, ways: Sequence[Sequence[str]]) -> Fault:
    expected = " or ".join(" with ".join(way) for way in ways)
    message = f"AI {ai} alone, expected AI {expected} in the same code"
    return Fault("missing_partner", message, ai)


def _unsigned_faults(values: dict[str, str]) -> tuple[Fault, ...]:
    """A digital signature, AI (8030), signs one thing, so a key whose serial is optional must have it."""
    return tuple(
        Fault("missing_serial", f"AI {ai} without its serial, expected one beside AI 8030", ai)
        for ai in ("253", "255", "8003")
        if ai in values and len(values[ai]) == IDENTIFIERS[ai].length_min
    )
