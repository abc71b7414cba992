# SPDX-License-Identifier: Apache-2.0
"""Element strings: application identifiers and their values, read strictly and written.

Knows the dictionary; may not know which carrier a string came in nor what a load is.
Source: GS1 General Specifications, section 7.8 (processing of element strings) and section 4 (which
elements go together).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from .dictionary import IDENTIFIERS, Component, Identifier, find_identifier, pattern_matches
from .errors import CodeError, Fault
from .linters import CHARSETS, LINTERS
from .printable import shown

__all__ = ["FAULTS_MAX", "Elements", "check_elements", "element_string", "parse_bracketed", "parse_elements"]

Elements = tuple[tuple[str, str], ...]

GS = "\x1d"

# Enough to mend a label by; a hostile code of thousands of one-digit faults must not fill a log.
FAULTS_MAX = 8


def parse_elements(text: str) -> Elements:
    """The elements of a GS1 element string, in the order read, GS (0x1D) as separator.

    An element that stands twice with the same value is kept once. Raises CodeError with every fault found, at
    most eight: unknown identifier, separator missing or out of place, length, characters, check digit, date,
    country, and the partners an element needs or must not have.
    """
    faults: list[Fault] = []
    placed: list[tuple[str, str, int]] = []
    position = 0
    while position < len(text) and len(faults) < FAULTS_MAX:
        identifier = find_identifier(text, position)
        if identifier is None:
            faults.append(_unknown_identifier(text[position : position + 4], position))
            break
        start = position + len(identifier.ai)
        end, position = _value_end(text, start, identifier)
        placed.append((identifier.ai, text[start:end], start))
        faults += _value_faults(identifier, text[start:end], start)
    return _checked(placed, faults)


def parse_bracketed(text: str) -> Elements:
    r"""The elements of a string in human readable form, `(00)0952...(10)AB`, as a person types what a label
    shows.

    Spaces are passed over (no element can hold one). A `(` within a value is written `\(`.
    Raises CodeError as parse_elements does.
    """
    faults: list[Fault] = []
    placed: list[tuple[str, str, int]] = []
    position = 0
    while position < len(text) and len(faults) < FAULTS_MAX:
        match = _BRACKETED.match(text, position)
        if match is None:
            came = shown(text[position : position + 12])
            message = f"{came} at position {position}, expected an application identifier such as (00)"
            faults.append(Fault("bracket", message, None, position))
            break
        start = match.start(2)
        value = match[2].replace(" ", "").replace("\\(", "(")
        identifier = IDENTIFIERS.get(match[1])
        if identifier is None:
            faults.append(_unknown_identifier(match[1], position))
        else:
            placed.append((identifier.ai, value, start))
            faults += _value_faults(identifier, value, start)
        position = match.end()
    return _checked(placed, faults)


def check_elements(elements: Elements) -> Elements:
    """`elements` themselves when every value and every association is right.

    Raises CodeError with every fault found, at most eight; positions are not known here and None.
    """
    faults: list[Fault] = []
    for ai, value in elements:
        identifier = IDENTIFIERS.get(ai)
        if identifier is None:
            faults.append(_unknown_identifier(ai, None))
        else:
            faults += _value_faults(identifier, value, None)
        if len(faults) >= FAULTS_MAX:
            break
    return _checked([(ai, value, None) for ai, value in elements], faults)


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


# Each value ends at the next "(" that is not escaped, so that the match is one pass.
_BRACKETED = re.compile(r"\((\d{2,4})\)((?:[^(\\]|\\\(|\\(?!\())*)", re.ASCII)


def _value_end(text: str, start: int, identifier: Identifier) -> tuple[int, int]:
    """Where the value ends, and where the next element starts."""
    limit = start + identifier.length_max if identifier.predefined else len(text)
    separator = text.find(GS, start, limit)
    end = min(limit, len(text)) if separator < 0 else separator
    # A separator behind a predefined length is needless but harmless.
    return end, end + (text[end : end + 1] == GS)


def _value_faults(identifier: Identifier, value: str, start: int | None) -> list[Fault]:
    ai, offset, faults = identifier.ai, 0, []
    for component in identifier.components:
        part = value[offset : offset + component.length_max]
        if not part and component.optional:
            break
        at = None if start is None else start + offset
        wrong = _component_fault(component, part)
        if wrong is not None:
            return [_fault(*wrong, ai, at)]
        for name in component.checks:
            told = LINTERS[name](part)
            if told is not None:
                faults.append(_fault(name, told, ai, at))
                break
        offset += len(part)
    if offset < len(value):
        at = None if start is None else start + offset
        faults.append(_fault("too_long", f"{len(value)} characters, expected at most {offset}", ai, at))
    return faults


def _component_fault(component: Component, part: str) -> tuple[str, str] | None:
    allowed = CHARSETS[component.charset]
    wrong = next((character for character in part if character not in allowed), None)
    if wrong is not None:
        expected = "a digit" if component.charset == "N" else "a character of GS1 character set 82"
        return "character", f"character {shown(wrong)}, expected {expected}"
    if len(part) < component.length_min:
        unit = "digits" if component.charset == "N" else "characters"
        least = "at least " if component.length_min < component.length_max else ""
        return "too_short", f"{len(part)} {unit}, expected {least}{component.length_min}"
    return None


def _fault(code: str, told: str, ai: str, position: int | None) -> Fault:
    where = "" if position is None else f" at position {position}"
    return Fault(code, f"{told}, of AI {ai}{where}", ai, position)


def _unknown_identifier(came: str, position: int | None) -> Fault:
    where = "" if position is None else f" at position {position}"
    return Fault(
        "unknown_ai", f"{shown(came)}{where}, expected an application identifier we hold", None, position
    )


def _checked(placed: Sequence[tuple[str, str, int | None]], faults: list[Fault]) -> Elements:
    if not (placed or faults):
        raise CodeError(Fault("empty", "nothing came, expected application identifiers and their values"))
    values: dict[str, str] = {}
    for ai, value, start in placed:
        if values.setdefault(ai, value) != value:
            told = f"value {shown(value)} and before {shown(values[ai])}, expected one value"
            faults.append(_fault("repeated", told, ai, start))
    if not faults:
        # Only once each element is right: a misread one would drag its partners into the list.
        faults += _association_faults(values)
    if faults:
        raise CodeError(*faults[:FAULTS_MAX])
    return tuple(values.items())


def _association_faults(values: dict[str, str]) -> list[Fault]:
    faults = []
    for ai in values:
        identifier = IDENTIFIERS[ai]
        for alternatives in identifier.requires:
            if not any(all(_present(pattern, ai, values) for pattern in way) for way in alternatives):
                expected = " or ".join(" with ".join(way) for way in alternatives)
                message = f"AI {ai} alone, expected AI {expected} in the same code"
                faults.append(Fault("missing_partner", message, ai))
        faults += [
            Fault("excluded_partner", f"AI {ai} with AI {pattern}, expected one of the two", ai)
            for pattern in identifier.excludes
            if _present(pattern, ai, values)
        ]
    return faults


def _present(pattern: str, but: str, values: dict[str, str]) -> bool:
    return any(ai != but and pattern_matches(pattern, ai) for ai in values)
