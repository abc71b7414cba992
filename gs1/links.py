# SPDX-License-Identifier: Apache-2.0
"""GS1 Digital Link: reading any host's, writing the canonical one. Knows the dictionary, opens no address.

Source: GS1 Digital Link Standard: URI Syntax, release 1.3: path of a primary key and its qualifiers, other
elements in the query. Compressed links are refused by name: nothing at a dock needs them, and what is
compressed cannot be told from any other path.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import quote, unquote_to_bytes

from .dictionary import IDENTIFIERS, Identifier
from .elements import FAULTS_MAX, Elements, check_elements
from .errors import CodeError, Fault
from .printable import shown

__all__ = ["LINK_ROOT", "gtin_link", "identity_link", "link_of", "parse_link", "sscc_link"]

LINK_ROOT = "https://id.gs1.org"


def sscc_link(sscc: str) -> str:
    """The canonical link of a logistic unit, `sscc` 18 digits. Raises CodeError when it is not one."""
    return identity_link((("00", sscc),))


def gtin_link(gtin: str, lot: str | None = None, serial: str | None = None) -> str:
    """The canonical link of goods: `gtin` 14 digits, lot and serial percent-encoded where a path needs it.

    Raises CodeError when one of the values is not what GS1 allows.
    """
    given = (("01", gtin), ("10", lot), ("21", serial))
    return identity_link(tuple((ai, value) for ai, value in given if value is not None))


def link_of(elements: Elements) -> str:
    """The canonical link of `elements`: key and qualifiers in the path, all others in the query.

    The key is the SSCC when there is one, else the first primary key in the order of `elements`; its
    qualifiers are those of the sequence of which most are there. The query is in the order of its
    identifiers, so that two labels that say the same have one link. Raises CodeError when a value or an
    association is wrong, there is no primary key, or an element may not stand in a query.
    """
    path, others = _split(check_elements(elements))
    faults = [_query_fault(ai, path[0][0]) for ai, _ in others if not IDENTIFIERS[ai].in_query]
    if faults:
        raise CodeError(*faults[:FAULTS_MAX])
    query = "&".join(f"{ai}={_encoded(value)}" for ai, value in sorted(set(others)))
    return _address(path) + (f"?{query}" if query else "")


def identity_link(elements: Elements) -> str:
    """The canonical link of what `elements` identify: as link_of, without the query. Raises CodeError as it
    does, but takes any other elements, for it leaves them out.

    A third party's serial (235) goes before a lot or variant, for it names the one thing.
    """
    return _address(_split(check_elements(elements), first="235")[0])


def parse_link(text: str, *, short_names: bool = False, short_gtins: bool = False) -> Elements:
    """The elements of a Digital Link, path first, then query.

    Query keys that are not all digits belong to somebody else and are passed over. `short_names` also reads
    the names that early releases allowed for path keys, such as `gtin` and `lot`; `short_gtins` fills GTINs
    of 8, 12 or 13 digits up to 14. Raises CodeError when `text` is no web address in ASCII, is compressed,
    names no primary key, has qualifiers out of order, an element in the query that belongs in the path, an
    element twice, or a value that breaks a rule.
    """
    match = _LINK.fullmatch(text)
    if match is None:
        raise _refused("link", f"{shown(text)}, expected a web address: http(s)://, a host and a path")
    path, query = match[1].split("/")[1:], match[2] or ""
    names = _SHORT_NAMES if short_names else {}
    start = _key_position(path, names)
    if start is None:
        raise _no_key(path)
    ais = tuple(names.get(ai, ai) for ai in path[start::2])
    elements = [(ai, _decoded(value)) for ai, value in zip(ais, path[start + 1 :: 2], strict=True)]
    _check_path(ais)
    for pair in re.split("[&;]", query):
        ai, equals, value = pair.partition("=")
        if equals and _NUMERIC.fullmatch(ai):
            # A form's query writes a space as "+" (no element can hold one, so it will be refused).
            elements.append((ai, _decoded(value.replace("+", " "))))
            _check_query(ai, ais)
    seen: set[str] = set()
    for ai, _ in elements:
        if ai in seen:
            raise _refused("repeated", f"AI {ai} twice, expected once in a link", ai)
        seen.add(ai)
    if short_gtins:
        elements = [(ai, _filled(value) if ai == "01" else value) for ai, value in elements]
    return check_elements(tuple(elements))


# What RFC 3986 lets stand in an address (section 2), percent signs only before two hex digits. A fragment
# says nothing of the goods.
_CHARACTERS = r"(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/]|%[0-9A-Fa-f]{2})"
_LINK = re.compile(
    rf"(?:https?|HTTPS?)://[A-Za-z0-9\-.:\[\]]+(/{_CHARACTERS}*)"
    rf"(?:\?((?:{_CHARACTERS}|\?)*))?(?:\#(?:{_CHARACTERS}|\?)*)?"
)
_NUMERIC = re.compile("[0-9]+")
# A compressed link's last part is the binary form in base64url; shorter than this it holds no key.
_COMPRESSED = re.compile("(?=.*[A-Z])(?=.*[a-z0-9_-])[A-Za-z0-9_-]{11,}")

_SHORT_NAMES = {
    "cpid": "8010",
    "cpsn": "8011",
    "cpv": "22",
    "gcn": "255",
    "gdti": "253",
    "giai": "8004",
    "ginc": "401",
    "gln": "414",
    "glnx": "254",
    "gmn": "8013",
    "grai": "8003",
    "gsin": "402",
    "gsrn": "8018",
    "gsrnp": "8017",
    "gtin": "01",
    "itip": "8006",
    "lot": "10",
    "party": "417",
    "refno": "8020",
    "ser": "21",
    "srin": "8019",
    "sscc": "00",
}


def _split(elements: Elements, first: str | None = None) -> tuple[Elements, Elements]:
    """Primary key and qualifiers in their order, and all other elements in theirs."""
    values = dict(elements)
    keys = [ai for ai in values if IDENTIFIERS[ai].qualifiers is not None]
    if not keys:
        came = ", ".join(list(values)[:FAULTS_MAX])
        raise _refused("no_identity", f"AI {came}, expected a key such as AI 00 (SSCC) or AI 01 (GTIN)")
    key = "00" if "00" in values else keys[0]
    sequences = [[ai for ai in sequence if ai in values] for sequence in IDENTIFIERS[key].qualifiers or ((),)]
    ais = [key, *max(sequences, key=lambda sequence: (first in sequence, len(sequence)))]
    others = tuple((ai, value) for ai, value in elements if ai not in ais)
    return tuple((ai, values[ai]) for ai in ais), others


def _address(path: Elements) -> str:
    return LINK_ROOT + "".join(f"/{ai}/{_encoded(value)}" for ai, value in path)


def _encoded(value: str) -> str:
    return quote(value, safe="")


def _key_position(path: list[str], names: dict[str, str]) -> int | None:
    """Where the primary key stands: the last one that only pairs of identifier and value follow."""
    for position in range(len(path) - 2, -1, -2):
        identifier = IDENTIFIERS.get(names.get(path[position], path[position]))
        if identifier is None:
            return None
        if identifier.qualifiers is not None:
            return position
    return None


def _no_key(path: list[str]) -> CodeError:
    if _COMPRESSED.fullmatch(path[-1]):
        words = "expected an uncompressed one such as https://id.gs1.org/01/<GTIN>"
        return _refused("link_compressed", f"{shown(path[-1])} may be a compressed Digital Link, {words}")
    return _refused("link_key", "no key in the path, expected one such as /01/<GTIN> or /00/<SSCC>")


def _check_path(ais: tuple[str, ...]) -> None:
    key, *qualifiers = ais
    sequences = IDENTIFIERS[key].qualifiers or ()
    if qualifiers and not any(_in_order(qualifiers, sequence) for sequence in sequences):
        expected = " or ".join(", ".join(sequence) for sequence in sequences if sequence) or "none"
        came = ", ".join(shown(ai) for ai in qualifiers[:FAULTS_MAX])
        message = f"{came} behind AI {key} in the path, expected {expected} in this order"
        raise _refused("link_path", message, key)


def _in_order(qualifiers: Sequence[str], sequence: Sequence[str]) -> bool:
    remaining = iter(sequence)
    return all(ai in remaining for ai in qualifiers)


def _check_query(ai: str, path: tuple[str, ...]) -> None:
    identifier = IDENTIFIERS.get(ai)
    if identifier is None:
        words = "expected an application identifier of GS1"
        raise _refused("unknown_ai", f"{shown(ai)} in the query, {words}")
    key, *qualifiers = path
    if not identifier.in_query or _fits_path(identifier, key, qualifiers):
        raise CodeError(_query_fault(ai, key))


def _fits_path(identifier: Identifier, key: str, qualifiers: list[str]) -> bool:
    """Whether the path could hold it beside the qualifiers that it has."""
    return any(
        identifier.ai in sequence and identifier.ai not in qualifiers and {*qualifiers} <= {*sequence}
        for sequence in IDENTIFIERS[key].qualifiers or ()
    )


def _query_fault(ai: str, key: str) -> Fault:
    if any(ai in sequence for sequence in IDENTIFIERS[key].qualifiers or ()):
        return Fault("link_query", f"AI {ai} in the query, expected it in the path behind AI {key}", ai)
    return Fault("link_query", f"AI {ai} beside AI {key}, expected none: a link's query may not hold it", ai)


def _filled(gtin: str) -> str:
    return gtin.zfill(14) if len(gtin) in (8, 12, 13) else gtin


def _decoded(value: str) -> str:
    # Latin-1 keeps one character per byte; what is not of character set 82 is refused with the value's other
    # faults.
    return unquote_to_bytes(value).decode("latin-1")


def _refused(code: str, message: str, ai: str | None = None) -> CodeError:
    return CodeError(Fault(code, message, ai))
