# SPDX-License-Identifier: Apache-2.0
"""The schemes older than TDS 2.0, from SGTIN-96 to ADI-var: tables, and how they are read and written.

Source: GS1 EPC Tag Data Standard 2.3, sections 14.2 (headers) and 14.6 (coding tables); for USDOD-96 the
United States Department of Defense Suppliers' Passive RFID Information Guide.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from gs1.elements import Elements, check_elements
from gs1.printable import shown

from .bits import BitReader, BitWriter, refuse
from .columns import (
    AsciiCage,
    Cage,
    Column,
    FixedDigits,
    Integer,
    NumericString,
    Partition,
    SixBitString,
    String,
    Zeros,
)
from .tag import Tag
from .uris import KEYS, escaped, unescaped

__all__ = ["SCHEMES", "Scheme", "decode_legacy", "encode_legacy", "encode_tag_uri"]


@dataclass(frozen=True, slots=True)
class Scheme:
    """One coding table. `filter_bits` 0: it has no filter. `by_form`: whatever its columns let through is a
    right element, so that the dictionary need not be asked again.
    """

    name: str
    header: int
    columns: tuple[Column, ...]
    filter_bits: int = 3
    by_form: bool = False

    @property
    def identity(self) -> str:
        """The name in the pure identity URI."""
        return self.name.partition("-")[0]


# The other field of the partition tables by partition value, and the bits both fields share.
_ITEM = Partition(44, (1, 2, 3, 4, 5, 6, 7))
_UNIT = Partition(58, (5, 6, 7, 8, 9, 10, 11))
_PLACE = Partition(41, (0, 1, 2, 3, 4, 5, 6))
_ASSET_TYPE = Partition(44, (0, 1, 2, 3, 4, 5, 6))
_ASSET_NUMBER = Partition(82, (13, 14, 15, 16, 17, 18, 19), "number")
_ASSET_TEXT = Partition(188, (18, 19, 20, 21, 22, 23, 24), "string")
_PART_NUMBER = Partition(51, (3, 4, 5, 6, 7, 8, 9), "number")
_PART_TEXT = Partition(0, (18, 19, 20, 21, 22, 23, 24), "six")

_SCHEMES = (
    Scheme("gdti-96", 0x2C, (_PLACE, Integer(41)), by_form=True),
    Scheme("gsrn-96", 0x2D, (_UNIT, Zeros(24)), by_form=True),
    Scheme("gsrnp-96", 0x2E, (_UNIT, Zeros(24)), by_form=True),
    Scheme("usdod-96", 0x2F, (AsciiCage(), Integer(36)), filter_bits=4),
    Scheme("sgtin-96", 0x30, (_ITEM, Integer(38)), by_form=True),
    Scheme("sscc-96", 0x31, (_UNIT, Zeros(24)), by_form=True),
    Scheme("sgln-96", 0x32, (_PLACE, Integer(41)), by_form=True),
    Scheme("grai-96", 0x33, (_ASSET_TYPE, Integer(38)), by_form=True),
    Scheme("giai-96", 0x34, (_ASSET_NUMBER,), by_form=True),
    Scheme("gid-96", 0x35, (Integer(28), Integer(24), Integer(36)), filter_bits=0),
    Scheme("sgtin-198", 0x36, (_ITEM, String(140))),
    Scheme("grai-170", 0x37, (_ASSET_TYPE, String(112))),
    Scheme("giai-202", 0x38, (_ASSET_TEXT,)),
    Scheme("sgln-195", 0x39, (_PLACE, String(140))),
    Scheme("gdti-113", 0x3A, (_PLACE, NumericString(58))),
    Scheme("adi-var", 0x3B, (Cage(), SixBitString(0, 32), SixBitString(1, 30, marked=True)), filter_bits=6),
    Scheme("cpi-96", 0x3C, (_PART_NUMBER, Integer(31))),
    Scheme("cpi-var", 0x3D, (_PART_TEXT, Integer(40))),
    Scheme("gdti-174", 0x3E, (_PLACE, String(119))),
    Scheme("sgcn-96", 0x3F, (_PLACE, NumericString(41))),
    Scheme("itip-110", 0x40, (_ITEM, FixedDigits(), FixedDigits(), Integer(38))),
    Scheme("itip-212", 0x41, (_ITEM, FixedDigits(), FixedDigits(), String(140))),
)
SCHEMES: Mapping[str, Scheme] = MappingProxyType({scheme.name: scheme for scheme in _SCHEMES})


def decode_legacy(scheme: Scheme, epc: bytes) -> Tag:
    """The tag whose memory `epc` begins with the header of `scheme`. Raises CodeError."""
    bits = BitReader(epc)
    bits.take(8)
    filter_value = bits.take(scheme.filter_bits) if scheme.filter_bits else None
    fields: tuple[str, ...] = ()
    for column in scheme.columns:
        fields += column.decode(bits)
    bits.finish()
    elements: Elements = ()
    digits = None
    identity = scheme.identity
    key = KEYS.get(identity)
    if key is not None:
        digits = len(fields[0])
        elements = key.elements(fields)
        if not scheme.by_form:
            check_elements(elements)
    body = ".".join(map(escaped, fields))
    return Tag(scheme.name, filter_value, elements, digits, None, f"urn:epc:id:{identity}:{body}")


def encode_legacy(scheme: Scheme, elements: Elements, filter_value: int, prefix_digits: int | None) -> bytes:
    """The memory of a tag of `scheme`. `elements` are right by the dictionary. Raises CodeError."""
    key = KEYS.get(scheme.identity)
    values = dict(elements)
    if key is None:
        refuse("epc_scheme", f"elements for {scheme.name}, expected its tag URI: it holds no GS1 elements")
    if not key.named_in(values) or not set(values) <= {key.ai, key.serial}:
        expected = f"AI {key.ai}" if key.serial in (None, key.ai) else f"AI {key.ai} and {key.serial}"
        expected += " with a serial in it" if key.serial == key.ai else ""
        refuse("epc_scheme", f"AI {', '.join(values)} for {scheme.name}, expected {expected} and no other")
    return _encoded(scheme, key.fields(values, prefix_digits), filter_value)


def encode_tag_uri(uri: str) -> bytes:
    """The memory of the tag that `uri` describes, `urn:epc:tag:SCHEME:FILTER.FIELDS`, of whole words.

    Raises CodeError when the scheme has no such URI or a field breaks a rule of the scheme.
    """
    if len(uri) > TAG_URI_LENGTH_MAX:
        refuse(
            "epc_uri", f"{len(uri)} characters, expected at most {TAG_URI_LENGTH_MAX}: no tag URI is longer"
        )
    start, _, rest = uri.partition("urn:epc:tag:")
    name, _, body = rest.partition(":")
    scheme = SCHEMES.get(name)
    if start or scheme is None:
        refuse("epc_uri", f"{shown(uri)}, expected urn:epc:tag: and a scheme such as sgtin-96")
    count = (scheme.filter_bits > 0) + sum(column.fields for column in scheme.columns)
    # The last field may hold dots of its own.
    fields = tuple(map(unescaped, body.split(".", count - 1)))
    if len(fields) != count:
        refuse("epc_uri", f"{len(fields)} fields in {shown(body)}, expected {count} in {scheme.name}")
    filter_value = 0
    if scheme.filter_bits:
        if not _FILTER.fullmatch(fields[0]):
            refuse("epc_uri", f"{shown(fields[0])}, expected the filter value behind the scheme")
        filter_value, fields = int(fields[0]), fields[1:]
    key = KEYS.get(scheme.identity)
    if key is not None:
        if not _DIGITS.fullmatch(fields[0]) or (key.digits and not _DIGITS.fullmatch(fields[0] + fields[1])):
            refuse("epc_uri", f"{shown(body)}, expected digits in its company prefix and reference")
        if key.turned and not fields[1]:
            refuse("epc_uri", f"{shown(body)}, expected a digit at least behind the company prefix")
        check_elements(key.elements(fields))
    return _encoded(scheme, fields, filter_value)


# 62 characters of an ADI, each escaped, and what stands around them.
TAG_URI_LENGTH_MAX = 256

_DIGITS = re.compile("[0-9]+")
_FILTER = re.compile("0|[1-9][0-9]?")


def _encoded(scheme: Scheme, fields: tuple[str, ...], filter_value: int) -> bytes:
    if filter_value >> scheme.filter_bits:
        refuse("epc_value", f"filter {filter_value}, expected below {1 << scheme.filter_bits}")
    bits = BitWriter()
    bits.put(scheme.header, 8)
    bits.put(filter_value, scheme.filter_bits)
    for column in scheme.columns:
        column.encode(fields[: column.fields], bits)
        fields = fields[column.fields :]
    return bits.words()
