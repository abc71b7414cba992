# SPDX-License-Identifier: Apache-2.0
"""The "+" schemes of TDS 2.0 and the "++" schemes of TDS 2.3, with the data encoded behind the EPC.

Source: GS1 EPC Tag Data Standard 2.3, sections 14.2 (headers), 14.5.3 (date of DSGTIN+), 14.6 (coding tables)
and 15.3 (data behind the EPC).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from gs1.elements import Elements, check_elements

from .bits import BitReader, BitWriter, refuse
from .formats import FORMATS
from .hosts import put_host, take_host
from .tag import Tag
from .uris import KEYS, Key

__all__ = ["SCHEMES", "Scheme", "decode_plus", "encode_plus"]

_SSCC_BITS = 8 + 72

# By date type indicator.
_DATES = ("11", "13", "15", "16", "17", "7006", "7007")


@dataclass(frozen=True, slots=True)
class Scheme:
    """One coding table: the key and its serial as in a barcode, `dated` a date before them, `hosted` a host
    name behind them.
    """

    name: str
    header: int
    key: Key
    dated: bool
    hosted: bool

    @property
    def identifiers(self) -> tuple[str, ...]:
        """The AIs of the key and of a serial of its own."""
        return tuple(dict.fromkeys(filter(None, (self.key.ai, self.key.serial))))


# Identity, header of its "+" and of its "++" scheme (table 14-1).
_HEADERS = (
    ("cpi", 0xF0, 0xE6),
    ("grai", 0xF1, 0xEB),
    ("sgln", 0xF2, 0xE9),
    ("itip", 0xF3, 0xED),
    ("gsrn", 0xF4, 0xE7),
    ("gsrnp", 0xF5, 0xE8),
    ("gdti", 0xF6, 0xEA),
    ("sgtin", 0xF7, 0xFD),
    ("sgcn", 0xF8, 0xEC),
    ("sscc", 0xF9, 0xEF),
    ("giai", 0xFA, 0xEE),
    ("dsgtin", 0xFB, 0xFC),
)
_SCHEMES = tuple(
    Scheme(name + sign, header, KEYS[name.removeprefix("d")], name == "dsgtin", sign == "++")
    for name, *headers in _HEADERS
    for sign, header in zip(("+", "++"), headers, strict=True)
)
SCHEMES: Mapping[str, Scheme] = MappingProxyType({scheme.name: scheme for scheme in _SCHEMES})


def decode_plus(scheme: Scheme, epc: bytes) -> Tag:
    """The tag whose memory `epc` begins with the header of `scheme`. Raises CodeError.

    The bit that announces data behind the EPC serves selection over the air; what there is, is told by the
    memory itself (section 15.3).
    """
    bits = BitReader(epc)
    bits.take(9)
    filter_value = bits.take(3)
    date = _take_date(bits) if scheme.dated else ()
    elements = [(ai, FORMATS[ai].take(bits)) for ai in scheme.identifiers]
    if scheme.key.serial is not None and elements[-1] == (scheme.key.serial, scheme.key.unserial):
        elements.pop()
    elements += date
    host = take_host(bits) if scheme.hosted else None
    while bits.left >= 8 and bits.rest():
        # Zeros with no room for an SSCC behind them are no AI 00.
        if bits.left < _SSCC_BITS and not bits.rest() >> (bits.left - 8):
            break
        ai = _take_identifier(bits)
        elements.append((ai, FORMATS[ai].take(bits)))
    bits.finish()
    return Tag(scheme.name, filter_value, _checked(scheme, tuple(elements)), None, host, None)


def encode_plus(scheme: Scheme, elements: Elements, filter_value: int, host: str | None) -> bytes:
    """The memory of a tag of `scheme`: the elements of its key and date, and behind it the other elements in
    their order. `elements` are right by the dictionary. Raises CodeError.
    """
    values = dict(_checked(scheme, elements))
    if (host is None) == scheme.hosted:
        refuse("epc_host", f"host {host} for {scheme.name}, expected one in the ++ schemes only")
    if filter_value >> 3:
        refuse("epc_value", f"filter {filter_value}, expected below 8")
    date = next((ai for ai in values if ai in _DATES), None) if scheme.dated else None
    used = {*scheme.identifiers, *filter(None, (date,))}
    behind = [(ai, value) for ai, value in elements if ai not in used]
    bits = BitWriter()
    bits.put(scheme.header, 8)
    bits.put(bool(behind), 1)
    bits.put(filter_value, 3)
    if scheme.dated:
        _put_date(date, values, bits)
    for ai in scheme.identifiers:
        FORMATS[ai].put(values.get(ai, scheme.key.unserial or ""), bits)
    if host is not None:
        put_host(host, bits)
    for ai, value in behind:
        _put_identifier(ai, bits)
        FORMATS[ai].put(value, bits)
    return bits.words()


def _checked(scheme: Scheme, elements: Elements) -> Elements:
    if len(dict(elements)) < len(elements):
        ai = next(ai for place, (ai, _) in enumerate(elements) if ai in dict(elements[:place]))
        refuse("repeated", f"AI {ai} twice in one tag, expected once", ai)
    check_elements(elements)
    if not scheme.key.named_in(dict(elements)):
        expected = " and ".join(scheme.identifiers)
        refuse("no_epc", f"{scheme.name} without a serial, expected AI {expected} with one", scheme.key.ai)
    return elements


def _take_date(bits: BitReader) -> Elements:
    kind = bits.take(4)
    if kind >= len(_DATES):
        refuse("epc_value", f"date type {kind}, expected 0 to {len(_DATES) - 1}")
    return ((_DATES[kind], FORMATS["11"].take(bits)),)


def _put_date(ai: str | None, values: Mapping[str, str], bits: BitWriter) -> None:
    if ai is None:
        refuse("epc_scheme", f"no date, expected one of AI {', '.join(_DATES)} in a DSGTIN")
    bits.put(_DATES.index(ai), 4)
    FORMATS["11"].put(values[ai], bits)


def _take_identifier(bits: BitReader) -> str:
    ai = ""
    for digits in (2, 1, 1):
        text = f"{bits.take(4 * digits):0{digits}X}"
        if not text.isdigit():
            refuse("epc_value", f"{ai}{text} behind the EPC, expected the digits of an identifier")
        ai += text
        if ai in FORMATS:
            break
    else:
        refuse("unknown_ai", f"AI {ai} behind the EPC, expected one that TDS 2.3 can encode", ai)
    return ai


def _put_identifier(ai: str, bits: BitWriter) -> None:
    if ai not in FORMATS:
        refuse("unknown_ai", f"AI {ai}, expected one that TDS 2.3 can encode", ai)
    bits.put(int(ai, 16), 4 * len(ai))
