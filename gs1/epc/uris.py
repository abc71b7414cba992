# SPDX-License-Identifier: Apache-2.0
"""EPC URIs: how a GS1 key is taken apart into the fields of `urn:epc:id` and put together again.

The fields part the company prefix from what its owner numbered, which the key itself does not tell: its
length has to be known. Knows no bits. Source: GS1 EPC Tag Data Standard 2.3, sections 6.3, 6.4 and 7.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from gs1.check import check_digit
from gs1.elements import Elements, check_elements
from gs1.printable import shown

from .bits import refuse

__all__ = ["KEYS", "Key", "epc_uri", "escaped", "unescaped"]


@dataclass(frozen=True, slots=True)
class Key:
    """How the key in AI `ai` and its serial stand in a URI.

    `digits`: length of the key with its check digit, behind `lead`; 0 when it ends open and has none.
    `turned`: its first digit, an indicator or extension digit, moves behind the company prefix.
    `pieces`: fields of two digits behind the key. `serial`: the AI of its serial, `ai` itself when the serial
    follows in the same value, None when it has none. `unserial`: the serial that stands for none.
    """

    name: str
    ai: str
    digits: int
    turned: bool
    serial: str | None
    lead: str = ""
    pieces: int = 0
    unserial: str | None = None
    kind: str = "id"

    def named_in(self, values: Mapping[str, str]) -> bool:
        """Whether `values` hold this key with the serial it needs."""
        if self.ai not in values:
            return False
        if self.serial == self.ai:
            return len(values[self.ai]) > len(self.lead) + self.digits
        return self.serial is None or self.unserial is not None or self.serial in values

    def fields(self, values: Mapping[str, str], prefix_digits: int | None) -> tuple[str, ...]:
        """The fields of the URI, unescaped. Raises CodeError `company_prefix` when the prefix's length is not
        known or cannot be; `values` are right and hold what the key needs.
        """
        value = values[self.ai].removeprefix(self.lead)
        end = self.digits + 2 * self.pieces if self.digits else len(value)
        whole, tail = value[:end], value[end:]
        key = whole[: self.digits - 1] if self.digits else whole
        length = self._prefix_length(value, prefix_digits)
        first, key = (key[0], key[1:]) if self.turned else ("", key)
        prefix, reference = key[:length], first + key[length:]
        if not (prefix.isdigit() and len(prefix) == length and (self.digits or reference)):
            refuse("company_prefix", f"no company prefix of {length} digits in {shown(value)}", self.ai)
        pieces = [whole[self.digits + 2 * n : self.digits + 2 * n + 2] for n in range(self.pieces)]
        if self.serial is None:
            return prefix, reference, *pieces
        serial = tail if self.serial == self.ai else values.get(self.serial, self.unserial or "")
        return prefix, reference, *pieces, serial

    def elements(self, fields: tuple[str, ...]) -> Elements:
        """The elements that `fields` stand for, the check digit put in."""
        prefix, reference = fields[0], fields[1]
        key = reference[0] + prefix + reference[1:] if self.turned else prefix + reference
        if self.digits:
            key = self.lead + key + check_digit(key)
        if self.pieces:
            key += "".join(fields[2 : 2 + self.pieces])
        if self.serial is None:
            return ((self.ai, key),)
        serial = fields[-1]
        if self.serial == self.ai:
            return ((self.ai, key + serial),)
        if serial == self.unserial:
            return ((self.ai, key),)
        return (self.ai, key), (self.serial, serial)

    def _prefix_length(self, value: str, prefix_digits: int | None) -> int:
        if self.digits == 14 and value.startswith("000000"):
            # Section 7.3.2: of a GTIN-8 the first three digits, zeros before them, stand for the prefix;
            # 7.2.1: of one assigned alone, all of it.
            if prefix_digits not in (None, 8, 12):
                refuse(
                    "company_prefix",
                    f"company prefix of {prefix_digits} digits for the GTIN-8 {value[6:14]}, "
                    "expected 8, or 12 when it was assigned alone",
                    self.ai,
                )
            return prefix_digits or 8
        if prefix_digits is None:
            refuse(
                "company_prefix",
                f"AI {self.ai} without the length of its company prefix, expected 6 to 12 digits as "
                "its owner tells: a URI that guesses it would name something else",
                self.ai,
            )
        if not PREFIX_DIGITS_MIN <= prefix_digits <= 12:
            refuse("company_prefix", f"company prefix of {prefix_digits} digits, expected 4 to 12", self.ai)
        # Section 7.1: a shorter prefix is encoded as the block of six digit ones that it is.
        return max(prefix_digits, 6)


PREFIX_DIGITS_MIN = 4

# In the order in which they name a thing: a serial before the class it belongs to.
_KEYS = (
    Key("sscc", "00", 18, True, None),
    Key("sgtin", "01", 14, True, "21"),
    Key("upui", "01", 14, True, "235"),
    Key("itip", "8006", 14, True, "21", pieces=2),
    Key("grai", "8003", 13, False, "8003", lead="0"),
    Key("giai", "8004", 0, False, None),
    Key("cpi", "8010", 0, False, "8011"),
    Key("gdti", "253", 13, False, "253"),
    Key("sgcn", "255", 13, False, "255"),
    Key("gsrnp", "8017", 18, False, None),
    Key("gsrn", "8018", 18, False, None),
    Key("sgln", "414", 13, False, "254", unserial="0"),
    Key("pgln", "417", 13, False, None),
    Key("ginc", "401", 0, False, None),
    Key("gsin", "402", 17, False, None),
    Key("lgtin", "01", 14, True, "10", kind="class"),
)
KEYS: Mapping[str, Key] = MappingProxyType({key.name: key for key in _KEYS})


def epc_uri(elements: Elements, company_prefix_digits: int | None) -> str:
    """The pure identity URI `urn:epc:id:...` of `elements`; for a GTIN with a lot but no serial its class URI
    `urn:epc:class:lgtin:...`. Elements that identify nothing further are left out.

    `company_prefix_digits`: the length of the GS1 company prefix, 4 to 12, None when it is not known (only a
    GTIN-8 has a URI then). Raises CodeError when the elements are not right, with code `no_epc` when they
    name no single thing, with code `company_prefix` when the length is not known or cannot be.
    """
    values = dict(check_elements(elements))
    key = next((key for key in _KEYS if key.named_in(values)), None)
    if key is None:
        expected = "an SSCC, or a GTIN or other key together with its serial"
        refuse("no_epc", f"AI {', '.join(values)}, expected {expected}: a class of things has no EPC")
    body = ".".join(map(escaped, key.fields(values, company_prefix_digits)))
    return f"urn:epc:{key.kind}:{key.name}:{body}"


def escaped(text: str) -> str:
    """`text` as a field of a URI (tables A-1 and G-1)."""
    return text if text.isalnum() else text.translate(_ESCAPES)


def unescaped(text: str) -> str:
    """The text that a field of a URI stands for. Raises CodeError when it has a stray escape."""
    if _STRAY.search(text):
        refuse("epc_uri", f"{shown(text)}, expected % only before the two hex digits of a character")
    return _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text)


_ESCAPES = str.maketrans({character: f"%{ord(character):02X}" for character in '"#%&/<>?'})
_ESCAPE = re.compile("%([0-7][0-9A-Fa-f])")
_STRAY = re.compile("%(?![0-7][0-9A-Fa-f])")
