# SPDX-License-Identifier: Apache-2.0
"""The coding methods of the schemes older than TDS 2.0: bits to the fields of an EPC URI and back.

A column stands for one or two fields, unescaped. Each refuses, as CodeError, what its method's validity test
refuses. Source: GS1 EPC Tag Data Standard 2.3, sections 14.3 (to bits) and 14.4 (from bits).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Protocol

from gs1.printable import shown

from .bits import BitReader, BitWriter, refuse

__all__ = [
    "PREFIXES",
    "AsciiCage",
    "Cage",
    "Column",
    "FixedDigits",
    "Integer",
    "NumericString",
    "Partition",
    "SixBitString",
    "String",
    "Zeros",
]

Fields = tuple[str, ...]


class Column(Protocol):
    """One column of a coding table; `fields` is how many fields of the URI it stands for."""

    @property
    def fields(self) -> int:
        """How many fields."""

    def decode(self, bits: BitReader) -> Fields:
        """The fields that the next bits stand for."""

    def encode(self, texts: Fields, bits: BitWriter) -> None:
        """Put the fields, as many as `fields` says."""


@dataclass(frozen=True, slots=True)
class Integer:
    """A number without leading zeros (14.3.1, 14.4.1)."""

    width: int
    fields: int = 1

    def decode(self, bits: BitReader) -> Fields:
        """One decimal number."""
        return (str(bits.take(self.width)),)

    def encode(self, texts: Fields, bits: BitWriter) -> None:
        """Put one decimal number."""
        (text,) = texts
        if not _NUMBER.fullmatch(text) or int(text) >> self.width:
            expected = f"a number below {1 << self.width} without leading zeros"
            refuse("epc_value", f"{shown(text)}, expected {expected}: a longer scheme holds other values")
        bits.put(int(text), self.width)


@dataclass(frozen=True, slots=True)
class FixedDigits:
    """A number of two digits in seven bits, zeros kept (14.3.10, 14.4.10)."""

    fields: int = 1

    def decode(self, bits: BitReader) -> Fields:
        """Two digits."""
        number = bits.take(7)
        if number > 99:
            refuse("epc_value", f"{number}, expected at most 99 in a field of two digits")
        return (f"{number:02}",)

    def encode(self, texts: Fields, bits: BitWriter) -> None:
        """Put two digits."""
        (text,) = texts
        if not re.fullmatch("[0-9]{2}", text):
            refuse("epc_value", f"{shown(text)}, expected two digits")
        bits.put(int(text), 7)


@dataclass(frozen=True, slots=True)
class NumericString:
    """Digits with their leading zeros, a 1 put before them (14.3.6, 14.4.6)."""

    width: int
    fields: int = 1

    def decode(self, bits: BitReader) -> Fields:
        """One string of digits."""
        text = str(bits.take(self.width))
        if text[0] != "1" or len(text) == 1:
            refuse("epc_value", f"number {text}, expected a 1 and the serial's digits behind it")
        return (text[1:],)

    def encode(self, texts: Fields, bits: BitWriter) -> None:
        """Put one string of digits."""
        (text,) = texts
        if not _DIGITS.fullmatch(text) or 2 * 10 ** len(text) >= 1 << self.width:
            refuse("epc_value", f"{shown(text)}, expected digits that fit into {self.width} bits")
        bits.put(int("1" + text), self.width)


@dataclass(frozen=True, slots=True)
class String:
    """Characters of GS1 character set 82 in seven bits each, then zeros (14.3.2, 14.4.2)."""

    width: int
    fields: int = 1

    def decode(self, bits: BitReader) -> Fields:
        """One string of at least one character."""
        return (_characters(bits.take(self.width), self.width, self.width // 7),)

    def encode(self, texts: Fields, bits: BitWriter) -> None:
        """Put one string."""
        _put_characters(texts[0], self.width, self.width // 7, bits)


# Bits of the company prefix by partition value, and its digits: the same in every scheme (table 14-16 on).
PREFIXES = ((40, 12), (37, 11), (34, 10), (30, 9), (27, 8), (24, 7), (20, 6))


@dataclass(frozen=True, slots=True)
class Partition:
    """A company prefix of 6 to 12 digits and what its owner numbers; the partition value parts their bits.

    `width`: bits of both together. `references`: by partition value 0 to 6, the digits or the most characters
    of the second. `kind`: "padded" digits in full (14.3.3), "number" without leading zeros
    (14.3.4), "string" of seven bits a character (14.3.5), "six" of six bits, ended by zeros (14.3.9).
    """

    width: int
    references: tuple[int, ...]
    kind: str = "padded"
    fields: int = 2

    def decode(self, bits: BitReader) -> Fields:
        """The company prefix and the reference."""
        value = bits.take(3)
        if value == 7:
            refuse("epc_partition", "partition value 7, expected 0 to 6")
        prefix_bits, digits = PREFIXES[value]
        prefix = str(bits.take(prefix_bits))
        if len(prefix) > digits:
            refuse("epc_value", f"company prefix {prefix}, expected at most {digits} digits")
        return prefix.zfill(digits), self._reference(bits, self.width - prefix_bits, self.references[value])

    def _reference(self, bits: BitReader, width: int, length: int) -> str:
        if self.kind == "string":
            return _characters(bits.take(width), width, length)
        if self.kind == "six":
            return _six_bit_text(bits, 1, length)
        text = str(bits.take(width))
        if not length and text == "0":
            return ""
        if len(text) > length:
            refuse("epc_value", f"reference {text}, expected at most {length} digits")
        return text.zfill(length) if self.kind == "padded" else text

    def encode(self, texts: Fields, bits: BitWriter) -> None:
        """Put the company prefix and the reference."""
        prefix, reference = texts
        value = next((i for i, (_, digits) in enumerate(PREFIXES) if digits == len(prefix)), None)
        if value is None or not _DIGITS.fullmatch(prefix):
            refuse("company_prefix", f"company prefix {shown(prefix)}, expected 6 to 12 digits")
        bits.put(value, 3)
        prefix_bits, _ = PREFIXES[value]
        bits.put(int(prefix), prefix_bits)
        width, length = self.width - prefix_bits, self.references[value]
        match self.kind:
            case "string":
                _put_characters(reference, width, length, bits)
            case "six":
                _put_six_bit_text(reference, 1, length, bits)
            case "number" if not _NUMBER.fullmatch(reference) or len(reference) > length:
                refuse("epc_value", f"{shown(reference)}, expected a number without leading zeros")
            case "padded" if len(reference) != length or not _PERHAPS_DIGITS.fullmatch(reference):
                refuse("epc_value", f"{shown(reference)}, expected {length} digits behind this prefix")
            case _:
                if int(reference or "0") >> width:
                    refuse("epc_value", f"{reference}, expected a number below {1 << width}")
                bits.put(int(reference or "0"), width)


@dataclass(frozen=True, slots=True)
class Zeros:
    """Bits reserved as zero."""

    width: int
    fields: int = 0

    def decode(self, bits: BitReader) -> Fields:
        """No field."""
        if bits.take(self.width):
            refuse("epc_reserved", f"ones in the {self.width} reserved bits, expected zeros")
        return ()

    def encode(self, texts: Fields, bits: BitWriter) -> None:
        """Put zeros."""
        assert not texts
        bits.put(0, self.width)


@dataclass(frozen=True, slots=True)
class Cage:
    """A CAGE code of five or a DoDAAC of six characters, six bits each (14.3.7, 14.4.7)."""

    fields: int = 1

    def decode(self, bits: BitReader) -> Fields:
        """One code."""
        text = "".join(chr(_SIX_BIT_CODES[bits.take(6)]) for _ in range(6))
        return (_checked_cage(text.removeprefix(" ")),)

    def encode(self, texts: Fields, bits: BitWriter) -> None:
        """Put one code."""
        for character in _checked_cage(texts[0]).rjust(6):
            bits.put(ord(character) & 0x3F, 6)


@dataclass(frozen=True, slots=True)
class AsciiCage:
    """The same in ASCII, eight bits each (United States Department of Defense Suppliers' Passive RFID
    Information Guide).
    """

    fields: int = 1

    def decode(self, bits: BitReader) -> Fields:
        """One code."""
        text = "".join(chr(bits.take(8)) for _ in range(6))
        return (_checked_cage(text.removeprefix(" ")),)

    def encode(self, texts: Fields, bits: BitWriter) -> None:
        """Put one code."""
        bits.put(int.from_bytes(_checked_cage(texts[0]).rjust(6).encode("ascii"), "big"), 48)


@dataclass(frozen=True, slots=True)
class SixBitString:
    """Characters of six bits, ended by six zeros (14.3.8, 14.4.8); `marked`: a # may come first."""

    length_min: int
    length_max: int
    marked: bool = False
    fields: int = 1

    def decode(self, bits: BitReader) -> Fields:
        """One string."""
        return (self._checked(_six_bit_text(bits, self.length_min, self.length_max)),)

    def encode(self, texts: Fields, bits: BitWriter) -> None:
        """Put one string."""
        _put_six_bit_text(self._checked(texts[0]), self.length_min, self.length_max, bits)

    def _checked(self, text: str) -> str:
        unmarked = text.removeprefix("#") if self.marked else text
        if "#" in unmarked or (text and not unmarked):
            refuse("epc_character", f"{shown(text)}, expected # only before a serial")
        return text


_NUMBER = re.compile("0|[1-9][0-9]*")
_DIGITS = re.compile("[0-9]+")
_PERHAPS_DIGITS = re.compile("[0-9]*")
_CAGE = re.compile("[0-9A-HJ-NP-Z]{5,6}")

# Table A-1: GS1 character set 82.
_CHARACTERS = frozenset(
    b"!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
)
# Table G-1: what six bits stand for, their own ASCII code or the one 64 above.
_SIX_BIT = frozenset(b"#-/0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")
_SIX_BIT_CODES = tuple(code if code >= 32 else code + 64 for code in range(64))


def _characters(value: int, width: int, length_max: int) -> str:
    codes = bytes((value >> place) & 0x7F for place in range(width - 7, -1, -7)).rstrip(b"\0")
    if not 0 < len(codes) <= length_max or value & ((1 << width % 7) - 1):
        refuse("epc_value", f"{len(codes)} characters, expected 1 to {length_max} and zeros behind them")
    if not _CHARACTERS.issuperset(codes):
        wrong = next(code for code in codes if code not in _CHARACTERS)
        refuse("epc_character", f"character {wrong:02X}, expected one of GS1 character set 82")
    return codes.decode("ascii")


def _put_characters(text: str, width: int, length_max: int, bits: BitWriter) -> None:
    codes = text.encode("ascii", "replace")
    if not 0 < len(codes) <= length_max:
        refuse("epc_value", f"{len(text)} characters, expected 1 to {length_max}")
    if not (text.isascii() and _CHARACTERS.issuperset(codes)):
        refuse("epc_character", f"{shown(text)}, expected characters of GS1 character set 82")
    for code in codes:
        bits.put(code, 7)
    bits.put(0, width - 7 * len(codes))


def _six_bit_text(bits: BitReader, length_min: int, length_max: int) -> str:
    text = ""
    while six := bits.take(6):
        code = _SIX_BIT_CODES[six]
        if code not in _SIX_BIT:
            refuse("epc_character", f"six bits {six:06b}, expected 0-9, A-Z, -, / or #")
        text += chr(code)
        if len(text) > length_max:
            refuse("epc_value", f"more than {length_max} characters, expected six zero bits behind them")
    if len(text) < length_min:
        refuse("epc_value", f"{len(text)} characters, expected at least {length_min}")
    return text


def _put_six_bit_text(text: str, length_min: int, length_max: int, bits: BitWriter) -> None:
    if not length_min <= len(text) <= length_max:
        refuse("epc_value", f"{len(text)} characters, expected {length_min} to {length_max}")
    for character in text:
        if ord(character) not in _SIX_BIT:
            refuse("epc_character", f"{shown(character)}, expected 0-9, A-Z, -, / or #")
        bits.put(ord(character) & 0x3F, 6)
    bits.put(0, 6)


def _checked_cage(text: str) -> str:
    if not _CAGE.fullmatch(text):
        refuse("epc_value", f"{shown(text)}, expected a CAGE code of 5 or a DoDAAC of 6 of 0-9, A-Z but I, O")
    return text
