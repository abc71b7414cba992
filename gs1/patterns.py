# SPDX-License-Identifier: Apache-2.0
"""A site's own codes, by patterns that its configuration names. Knows no configuration file.

A pattern is plain text with fields in braces: `WH7-{serial:digits 6}/{lot:alnum 1-10}`. It is no regular
expression, so that reading is one pass whatever comes: a field of varying length takes all it can, and the
character behind it must be one that it cannot hold. A pattern that some code of GS1, of a parcel carrier or
of Zonegate itself could match as well, or two patterns that one code could match, are refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType

from .errors import Gs1Error
from .findings import CHARSETS
from .printable import shown

__all__ = ["FIELDS", "PATTERNS_MAX", "PatternError", "SitePattern", "compile_patterns"]

FIELDS = ("sscc", "gtin", "plate", "part", "lot", "serial", "count", "supplier", "order", "skip")
"""What a field may be called; `skip` is read and passed over."""

PATTERNS_MAX = 32
"""More kinds of label than a dock sees; each is tried on each code that is not GS1's."""

_PATTERN_LENGTH_MAX = 200
_CODE_LENGTH_MAX = 128
_NAME = re.compile("[a-z0-9_-]{1,40}")
_FIELD = re.compile(r"\{(\w{1,20}): ?(digits|letters|alnum|any) ([0-9]{1,3})(?:-([0-9]{1,3}))?\}", re.ASCII)
_LITERAL = re.compile("[A-Za-z0-9 !\"%&',./:;<=>@_#~-]")

_DIGITS = frozenset("0123456789")
_CAPITALS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
_ALNUM = _DIGITS | _CAPITALS
_CLASSES: Mapping[str, frozenset[str]] = MappingProxyType(
    {"digits": _DIGITS, "letters": _CAPITALS, "alnum": _ALNUM, "any": frozenset(CHARSETS["X"])}
)

# What each field may be, for its element's sake: a class, its lengths.
_IDENTITIES = ("sscc", "gtin", "plate", "part")
_EXACT = MappingProxyType({"sscc": (18,), "gtin": (8, 12, 13, 14)})
_LENGTH_MAX = MappingProxyType(
    {"lot": 20, "serial": 20, "count": 8, "plate": 50, "part": 50, "supplier": 20, "order": 30}
)
_OF_DIGITS = ("sscc", "gtin", "count")


class PatternError(Gs1Error):
    """A pattern that cannot be used: what it is, what was expected."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """A run of `least` to `most` characters of one set; `field` None for the pattern's own text."""

    characters: frozenset[str]
    least: int
    most: int
    field: str | None = None


@dataclass(frozen=True, slots=True)
class SitePattern:
    """One kind of a site's own labels, ready to read codes with."""

    name: str
    text: str
    pieces: tuple[_Piece, ...]

    def read(self, code: str) -> dict[str, str] | None:
        """The fields of `code` by name, None when it is no such label. One pass over `code`."""
        fields: dict[str, str] = {}
        position = 0
        for piece in self.pieces:
            end = position
            limit = min(len(code), position + piece.most)
            while end < limit and code[end] in piece.characters:
                end += 1
            if end - position < piece.least:
                return None
            if piece.field is not None and piece.field != "skip":
                fields[piece.field] = code[position:end]
            position = end
        return fields if position == len(code) else None


def compile_patterns(patterns: Sequence[tuple[str, str]]) -> tuple[SitePattern, ...]:
    """The patterns of a site, given as (name, text) in the order in which they are asked.

    Raises PatternError, with one line for each pattern that cannot be used.
    """
    faults: list[str] = []
    compiled: list[SitePattern] = []
    if len(patterns) > PATTERNS_MAX:
        raise PatternError(f"{len(patterns)} patterns, expected at most {PATTERNS_MAX}")
    for name, text in patterns:
        try:
            compiled.append(_compiled(name, text, compiled))
        except PatternError as error:
            faults.append(f"{shown(name)}: {error}")
    if faults:
        raise PatternError("\n".join(faults))
    return tuple(compiled)


def _compiled(name: str, text: str, others: Sequence[SitePattern]) -> SitePattern:
    if not _NAME.fullmatch(name):
        raise PatternError(f"name {shown(name)}, expected 1 to 40 of a-z, 0-9, - and _")
    if not 0 < len(text) <= _PATTERN_LENGTH_MAX:
        raise PatternError(f"{len(text)} characters, expected 1 to {_PATTERN_LENGTH_MAX}")
    pieces = tuple(_pieces(text))
    _check_fields(pieces)
    _check_one_reading(pieces)
    for told, form in _TAKEN:
        if _share_a_code(pieces, form):
            raise PatternError(f"{shown(text)} could be {told} as well, expected text or lengths that cannot")
    for other in others:
        if other.name == name:
            raise PatternError("a name that another pattern has, expected one of its own")
        if _share_a_code(pieces, other.pieces):
            raise PatternError(f"some codes would match {other.name} as well, expected only one pattern each")
    return SitePattern(name, text, pieces)


def _pieces(text: str) -> Iterator[_Piece]:
    position = 0
    while position < len(text):
        field = _FIELD.match(text, position)
        if field is not None:
            least = int(field[3])
            yield _Piece(_CLASSES[field[2]], least, int(field[4] or least), field[1])
            position = field.end()
            continue
        if not _LITERAL.match(text, position):
            raise PatternError(
                f"{shown(text[position])} at position {position}, expected plain text and fields such as "
                "{serial:digits 6} or {lot:alnum 1-10}; this is no regular expression"
            )
        yield _Piece(frozenset(text[position]), 1, 1)
        position += 1


def _check_fields(pieces: Sequence[_Piece]) -> None:
    named = [piece for piece in pieces if piece.field is not None]
    names = [piece.field for piece in named if piece.field != "skip"]
    for piece in named:
        field = piece.field or ""
        if field not in FIELDS:
            raise PatternError(f"field {shown(field)}, expected one of {', '.join(FIELDS)}")
        if not 1 <= piece.least <= piece.most:
            raise PatternError(f"{field} of {piece.least} to {piece.most}, expected 1 or more, ascending")
        if field in _OF_DIGITS and piece.characters != _DIGITS:
            raise PatternError(f"{field} of other characters, expected digits")
        if field in _EXACT and (piece.least != piece.most or piece.most not in _EXACT[field]):
            lengths = " or ".join(map(str, _EXACT[field]))
            raise PatternError(f"{field} of {piece.least} to {piece.most}, expected exactly {lengths}")
        if piece.most > _LENGTH_MAX.get(field, _CODE_LENGTH_MAX):
            raise PatternError(f"{field} of up to {piece.most}, expected at most {_LENGTH_MAX[field]}")
    if len(names) != len(set(names)):
        raise PatternError("a field twice, expected each once (skip may stand more often)")
    if sum(name in _IDENTITIES for name in names) != 1:
        raise PatternError(f"fields {', '.join(map(str, names)) or 'none'}, expected one of {_IDENTITIES}")
    if "sscc" in names and {"lot", "serial", "count"} & set(names):
        raise PatternError("an sscc with lot, serial or count, expected the sscc alone: papers say the rest")
    if sum(piece.most for piece in pieces) > _CODE_LENGTH_MAX:
        raise PatternError(f"codes of more than {_CODE_LENGTH_MAX} characters, expected fewer")


def _check_one_reading(pieces: Sequence[_Piece]) -> None:
    """A field of varying length ends where a character comes that it cannot hold, or with the code."""
    for piece, follower in pairwise(pieces):
        if piece.least < piece.most and piece.characters & follower.characters:
            what = follower.field or shown("".join(follower.characters))
            raise PatternError(
                f"{piece.field} of {piece.least} to {piece.most} before {what}: where it ends would be a "
                "guess, expected a fixed length, or a character behind it that it cannot hold"
            )


def _share_a_code(ours: Sequence[_Piece], theirs: Sequence[_Piece]) -> bool:
    """Whether some code matches both: a walk over the pairs of places that one text can lead to."""
    first, second = _steps(ours), _steps(theirs)
    ends = (len(first), len(second))
    waiting = [(0, 0)]
    seen = {(0, 0)}
    while waiting:
        place = waiting.pop()
        for near in _next_places(first, second, *place):
            if near not in seen:
                seen.add(near)
                waiting.append(near)
    return ends in seen


def _next_places(first: _Steps, second: _Steps, at: int, beside: int) -> Iterator[tuple[int, int]]:
    if at < len(first) and first[at][1]:
        yield at + 1, beside
    if beside < len(second) and second[beside][1]:
        yield at, beside + 1
    if at < len(first) and beside < len(second) and first[at][0] & second[beside][0]:
        yield at + 1, beside + 1


_Steps = list[tuple[frozenset[str], bool]]


def _steps(pieces: Sequence[_Piece]) -> _Steps:
    """One step a character: its set, and whether it may be left out."""
    return [
        (piece.characters, index >= piece.least)
        for piece in pieces
        for index in range(min(piece.most, _CODE_LENGTH_MAX + 1))
    ]


def _form(*parts: str | tuple[frozenset[str], int, int]) -> tuple[_Piece, ...]:
    pieces: list[_Piece] = []
    for part in parts:
        if isinstance(part, str):
            pieces += [_Piece(frozenset((letter, letter.lower())), 1, 1) for letter in part]
        else:
            pieces.append(_Piece(*part))
    return tuple(pieces)


_ANY = frozenset(map(chr, range(128)))
_REST = (_ANY, 0, _CODE_LENGTH_MAX)

# What codes mean without any pattern, in the notation above; a pattern must share no code with them.
_TAKEN: tuple[tuple[str, tuple[_Piece, ...]], ...] = (
    ("a dock label of Zonegate", _form("ZG", (_DIGITS, 1, 1), ":", _REST)),
    ("a web address", _form("HTTP", (frozenset("Ss"), 0, 1), "://", _REST)),
    ("a symbology identifier", _form("]", _REST)),
    ("bracketed text", _form("(", _REST)),
    ("an ISO 15434 envelope", _form("[)>", _REST)),
    ("an SSCC", _form((_DIGITS, 18, 18))),
    ("an element string that begins with an SSCC", _form("00", (_DIGITS, 18, 18), _REST)),
    ("an element string that begins with a GTIN", _form("01", (_DIGITS, 14, 14), _REST)),
    *((f"a GTIN of {length} digits", _form((_DIGITS, length, length))) for length in (8, 12, 13, 14)),
    ("a parcel number of UPS", _form("1Z", (_ALNUM, 16, 16))),
    ("a parcel number of USPS or FedEx", _form((_DIGITS, 22, 38))),
)
