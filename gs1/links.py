# SPDX-License-Identifier: Apache-2.0
"""GS1 Digital Link: reading any host's, writing the canonical one. Knows the dictionary, opens no address.

Source: GS1 Digital Link Standard, URI Syntax: path of a primary key and its qualifiers, other elements in
the query. The short names `gtin`, `sscc`, `cpv`, `lot`, `ser` of its early releases are read, never written.
"""

from __future__ import annotations

import re
from urllib.parse import quote, unquote_to_bytes

from .dictionary import IDENTIFIERS
from .elements import Elements, check_elements
from .errors import CodeError, Fault
from .printable import shown

__all__ = ["LINK_ROOT", "gtin_link", "parse_link", "sscc_link"]

LINK_ROOT = "https://id.gs1.org"


def sscc_link(sscc: str) -> str:
    """The canonical link of a logistic unit, `sscc` 18 digits. Raises CodeError when it is not one."""
    check_elements((("00", sscc),))
    return f"{LINK_ROOT}/00/{sscc}"


def gtin_link(gtin: str, lot: str | None = None, serial: str | None = None) -> str:
    """The canonical link of goods: `gtin` 14 digits, lot and serial percent-encoded where a path needs it.

    Raises CodeError when one of the values is not what GS1 allows.
    """
    given = (("01", gtin), ("10", lot), ("21", serial))
    elements = tuple((ai, value) for ai, value in given if value is not None)
    check_elements(elements)
    return LINK_ROOT + "".join(f"/{ai}/{quote(value, safe='')}" for ai, value in elements)


def parse_link(text: str) -> Elements:
    """The elements of a Digital Link, path first, then query.

    Query keys that are not all digits belong to somebody else and are passed over. Raises CodeError when
    `text` is no web address in ASCII, names no primary key that we hold, has qualifiers out of order, an
    element in the query that belongs in the path, an element twice, or a value that breaks a rule.
    """
    match = _LINK.fullmatch(text)
    if match is None:
        raise _refused("link", f"{shown(text)}, expected a web address: http(s)://, a host and a path")
    path, query = match[1].split("/")[1:], match[2] or ""
    start = _key_position(path)
    if start is None:
        raise _refused("link_key", "no key in the path, expected one such as /01/<GTIN> or /00/<SSCC>")
    ais = tuple(_SHORT_NAMES.get(ai, ai) for ai in path[start::2])
    elements = [(ai, _decoded(value)) for ai, value in zip(ais, path[start + 1 :: 2], strict=True)]
    _check_path(ais)
    for pair in filter(None, re.split("[&;]", query)):
        ai, _, value = pair.partition("=")
        if _NUMERIC.fullmatch(ai):
            elements.append((ai, _decoded(value)))
            _check_query(ai, ais[0])
    seen: set[str] = set()
    for ai, _ in elements:
        if ai in seen:
            raise _refused("repeated", f"AI {ai} twice, expected once in a link", ai)
        seen.add(ai)
    return check_elements(tuple(elements))


# What RFC 3986 lets stand in an address (section 2), percent signs only before two hex digits. A fragment
# says nothing of the goods.
_PATH_CHARACTERS = r"(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/]|%[0-9A-Fa-f]{2})"
_LINK = re.compile(
    rf"(?:https?|HTTPS?)://[A-Za-z0-9\-._~:\[\]@%]+(/{_PATH_CHARACTERS}*)"
    rf"(?:\?((?:{_PATH_CHARACTERS}|\?)*))?(?:\#(?:{_PATH_CHARACTERS}|\?)*)?"
)
_NUMERIC = re.compile("[0-9]+")
_SHORT_NAMES = {"gtin": "01", "sscc": "00", "cpv": "22", "lot": "10", "ser": "21"}


def _key_position(path: list[str]) -> int | None:
    """Where the primary key stands: the last one that leaves only pairs behind it."""
    for position in range(len(path) - 2, -1, -2):
        identifier = IDENTIFIERS.get(_SHORT_NAMES.get(path[position], path[position]))
        if identifier is not None and identifier.qualifiers is not None:
            return position
    return None


def _check_path(ais: tuple[str, ...]) -> None:
    key, *qualifiers = ais
    sequences = IDENTIFIERS[key].qualifiers or ()
    if qualifiers and not any(_in_order(qualifiers, sequence) for sequence in sequences):
        expected = " or ".join(", ".join(sequence) for sequence in sequences if sequence) or "none"
        came = ", ".join(shown(ai) for ai in qualifiers[:8])
        message = f"{came} behind AI {key} in the path, expected {expected} in this order"
        raise _refused("link_path", message, key)


def _in_order(qualifiers: list[str], sequence: tuple[str, ...]) -> bool:
    remaining = iter(sequence)
    return all(ai in remaining for ai in qualifiers)


def _check_query(ai: str, key: str) -> None:
    identifier = IDENTIFIERS.get(ai)
    if identifier is None:
        raise _refused("unknown_ai", f"{shown(ai)} in the query, expected an application identifier we hold")
    qualifies = any(ai in sequence for sequence in IDENTIFIERS[key].qualifiers or ())
    if qualifies or not identifier.in_query:
        raise _refused("link_query", f"AI {ai} in the query, expected it in the path behind AI {key}", ai)


def _decoded(value: str) -> str:
    # Latin-1 keeps one character per byte; what is not of character set 82 is refused with the value's other
    # faults.
    return unquote_to_bytes(value).decode("latin-1")


def _refused(code: str, message: str, ai: str | None = None) -> CodeError:
    return CodeError(Fault(code, message, ai))
