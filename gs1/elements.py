# SPDX-License-Identifier: Apache-2.0
"""Element strings: application identifiers and their values, read, checked and written.

Knows the dictionary; may not know which carrier a string came in nor what a load is.
Source: GS1 General Specifications, section 7.8 (processing of element strings) and section 4 (which
elements go together).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from .dictionary import IDENTIFIERS, Component, Identifier, find_identifier, pattern_matches
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
    placed: list[_Placed] = [(ai, value, None) for ai, value in before]
    position, end = start, len(text)
    while position < end and len(faults) < FAULTS_MAX:
        identifier = find_identifier(text, position)
        if identifier is None:
            faults.append(_unknown_identifier(text[position : position + 4], position))
            separator = text.find(GS, position)
            position = end if separator < 0 else separator + 1
            continue
        begin = position + len(identifier.ai)
        value_end, position = _value_end(text, begin, end, identifier)
        value = text[begin:value_end]
        if _is_kept(identifier, value, begin, faults):
            placed.append((identifier.ai, value, begin))
    return _joined(placed, faults)


def parse_bracketed(text: str) -> Elements:
    r"""The elements of a string in human readable form, `(00)0952...(10)AB`, as a person types what a label
    shows.

    Spaces are passed over (no element can hold one). A `(` within a value is written `\(`.
    Raises CodeError as parse_elements does.
    """
    faults: list[Fault] = []
    placed: list[_Placed] = []
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
        elif _is_kept(identifier, value, start, faults):
            placed.append((identifier.ai, value, start))
        position = match.end()
    return _strict(placed, faults)


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
            _is_kept(identifier, value, None, faults)
        if len(faults) >= FAULTS_MAX:
            break
    return _strict([(ai, value, None) for ai, value in elements], faults)


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

    A `(` within a value is written `\(`, or the value could pass for two elements. Checks nothing.
    """
    return "".join(f"({ai})" + value.replace("(", "\\(") for ai, value in elements)


_Placed = tuple[str, str, int | None]

# Each value ends at the next "(" that is not escaped, so that the match is one pass.
_BRACKETED = re.compile(r"\((\d{2,4})\)((?:[^(\\]|\\\(|\\(?!\())*)", re.ASCII)


class _Check(NamedTuple):
    part: slice
    name: str
    linter: Linter


class _Rules(NamedTuple):
    """What a dictionary row says, ready to be applied to one value after another."""

    fits: Callable[[str], object]
    checks: tuple[_Check, ...]
    requires: tuple[tuple[tuple[frozenset[str], ...], ...], ...]
    excludes: frozenset[str]


def _rules(identifier: Identifier) -> _Rules:
    return _Rules(
        fits=_PATTERNS[identifier.components].fullmatch,
        checks=tuple(_checks(identifier.components)),
        requires=tuple(
            tuple(tuple(_named(pattern, identifier.ai) for pattern in way) for way in ways)
            for ways in identifier.requires
        ),
        excludes=frozenset().union(*(_named(pattern, identifier.ai) for pattern in identifier.excludes)),
    )


def _named(pattern: str, but: str) -> frozenset[str]:
    if "n" not in pattern:
        return frozenset((pattern,))
    return frozenset(ai for ai in IDENTIFIERS if ai != but and pattern_matches(pattern, ai))


def _checks(components: Sequence[Component]) -> list[_Check]:
    checks, offset = [], 0
    for component in components:
        part = slice(offset, offset + component.length_max)
        # Base64url is the one set of characters with a rule on their order.
        names = ("cset64", *component.checks) if component.charset == "Z" else component.checks
        checks += [_Check(part, name, LINTERS[name]) for name in names]
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
_PATTERNS = {
    components: re.compile(_pattern(components))
    for components in {identifier.components for identifier in IDENTIFIERS.values()}
}
_RULES = {ai: _rules(identifier) for ai, identifier in IDENTIFIERS.items()}


def _value_end(text: str, start: int, end: int, identifier: Identifier) -> tuple[int, int]:
    """Where the value ends, and where the next element starts."""
    limit = min(start + identifier.length_max, end) if identifier.predefined else end
    separator = text.find(GS, start, limit)
    if separator >= 0:
        return separator, separator + 1
    # A separator behind a predefined length is needless but harmless.
    return limit, limit + text.startswith(GS, limit)


def _is_kept(identifier: Identifier, value: str, start: int | None, faults: list[Fault]) -> bool:
    """Whether `value` has the right length and characters; what is wrong with it is added to `faults`."""
    rules = _RULES[identifier.ai]
    if rules.fits(value) is None:
        faults.append(_format_fault(identifier, value, start))
        return False
    for part, name, linter in rules.checks:
        text = value[part]
        # An optional component that is left out has nothing to check.
        finding = linter(text) if text else None
        if finding is not None:
            at = None if start is None else start + part.start + finding[0]
            faults.append(_fault(name, finding[1], identifier.ai, at))
            break
    return True


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


def _strict(placed: Sequence[_Placed], faults: list[Fault]) -> Elements:
    elements, found = _joined(placed, faults)
    if found:
        raise CodeError(*found)
    return elements


def _joined(placed: Sequence[_Placed], faults: list[Fault]) -> tuple[Elements, tuple[Fault, ...]]:
    """The elements placed, each once, and `faults` with those that only all of them together show."""
    if not (placed or faults):
        faults.append(Fault("empty", "nothing came, expected application identifiers and their values"))
    values: dict[str, str] = {}
    for ai, value, start in placed:
        if values.setdefault(ai, value) != value:
            told = f"value {shown(value)} and before {shown(values[ai])}, expected one value"
            faults.append(_fault("repeated", told, ai, start))
    if not faults:
        # Only once each element is right: a misread one would drag its partners into the list.
        faults += _association_faults(values)
    return tuple(values.items()), tuple(faults[:FAULTS_MAX])


def _association_faults(values: dict[str, str]) -> list[Fault]:
    faults = []
    present = values.keys()
    for ai in values:
        rules = _RULES[ai]
        faults += [
            _missing_partner(ai, group)
            for group, ways in enumerate(rules.requires)
            if not any(all(not present.isdisjoint(named) for named in way) for way in ways)
        ]
        if rules.excludes and not present.isdisjoint(rules.excludes):
            other = next(other for other in values if other in rules.excludes)
            message = f"AI {ai} with AI {other}, expected one of the two"
            faults.append(Fault("excluded_partner", message, ai))
    if "8030" in values:
        faults += _unsigned_faults(values)
    return faults


def _missing_partner(ai: str, group: int) -> Fault:
    expected = " or ".join(" with ".join(way) for way in IDENTIFIERS[ai].requires[group])
    message = f"AI {ai} alone, expected AI {expected} in the same code"
    return Fault("missing_partner", message, ai)


def _unsigned_faults(values: dict[str, str]) -> list[Fault]:
    """A digital signature, AI (8030), signs one thing, so a key whose serial is optional must have it."""
    return [
        Fault("missing_serial", f"AI {ai} without its serial, expected one beside AI 8030", ai)
        for ai in ("253", "255", "8003")
        if ai in values and len(values[ai]) == IDENTIFIERS[ai].length_min
    ]
