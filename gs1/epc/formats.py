# SPDX-License-Identifier: Apache-2.0
"""How the value of each application identifier is put into bits behind TDS 2.0: the methods, and which
method for which identifier.

May not know in which scheme, or whether behind an EPC, a value stands. Lengths and characters of a value are
the dictionary's to judge; here only bits are refused that stand for no value. Source: GS1 EPC Tag Data
Standard 2.3, sections 14.5.2 to 14.5.15, and tables B, E and F of section 15.3.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from gs1.printable import shown

from .bits import BitReader, BitWriter, refuse

__all__ = ["FORMATS", "Format", "code40_text", "number_bits", "put_code40"]

# Table F: identifiers, then the method of each component. N<n> n digits of four bits; B<n> n digits as one
# number; I<n> up to n digits, their count before them; V<n> up to n characters in the alphabet that suits
# them; T<n> digits of four bits, then the rest as V; D a date; the others once each.
_ROWS = """
00 8006 8017 8018 8026                      N18
01 02                                       N14
10 21 22 243 254 420 4318 7020-7022 710-716 7240 8002 8012  V20
11-13 15-17 4326 7006                       D
20                                          B2
235                                         V28
240 241 250 251 400 401 403 4308 4319 7002 7230-7239 90     V30
242                                         I6
253                                         N13 V17
255                                         N13 I12
30 37                                       I8
3100-3105 3110-3115 3120-3125 3130-3135 3140-3145 3150-3155 3160-3165  B6
3200-3205 3210-3215 3220-3225 3230-3235 3240-3245 3250-3255 3260-3265 3270-3275 3280-3285 3290-3295  B6
3300-3305 3310-3315 3320-3325 3330-3335 3340-3345 3350-3355 3360-3365 3370-3375  B6
3400-3405 3410-3415 3420-3425 3430-3435 3440-3445 3450-3455 3460-3465 3470-3475 3480-3485 3490-3495  B6
3500-3505 3510-3515 3520-3525 3530-3535 3540-3545 3550-3555 3560-3565 3570-3575  B6
3600-3605 3610-3615 3620-3625 3630-3635 3640-3645 3650-3655 3660-3665 3670-3675 3680-3685 3690-3695  B6
3900-3909 3920-3929 423 425                 I15
3910-3919 3930-3939                         B3 I15
3940-3943 8111                              B4
3950-3953 8005                              B6
402                                         B17
410-417                                     N13
421                                         B3 V9
422 424 426                                 B3
427 7008                                    V3
4300 4301 4310 4311 4320                    V35
4302-4306 4312-4316 7257 8110 8112 8200     V70
4307 4317                                   COUNTRY
4309                                        B20
4321-4323                                   FLAG
4324 4325 7003                              MINUTE
4330-4333                                   B6 MINUS
7001                                        B13
7004                                        I4
7005                                        V12
7007                                        SPAN
7009 7255                                   V10
7010                                        V2
7011 8008                                   MOMENT
7023 8004 8010                              T30
7030-7039                                   B3 V27
7040 7041                                   V4
7241                                        N2
7242 8013 8020                              V25
7250                                        B8
7251                                        B12
7252                                        B1
7253 7254 7259                              V40
7256 8030 91-99                             V90
7258                                        SEQUENCE
8001                                        B14
8003                                        N14 V16
8007                                        V24
8009                                        V50
8011                                        I12
8019                                        I10
"""


@dataclass(frozen=True, slots=True)
class Method:
    """One component: `take` reads its text, `put` writes it and refuses what the method cannot hold. `length`
    characters belong to it when another component follows.
    """

    length: int
    take: Callable[[BitReader], str]
    put: Callable[[str, BitWriter], None]


@dataclass(frozen=True, slots=True)
class Format:
    """How an identifier's value stands in bits: one component after the other."""

    methods: tuple[Method, ...]

    def take(self, bits: BitReader) -> str:
        """The value. Raises CodeError when the bits stand for none."""
        return "".join([method.take(bits) for method in self.methods])

    def put(self, value: str, bits: BitWriter) -> None:
        """Put `value`, which is right by the dictionary, in the fewest bits. Raises CodeError when its method
        cannot hold it.
        """
        *fixed, last = self.methods
        for method in fixed:
            method.put(value[: method.length], bits)
            value = value[method.length :]
        last.put(value, bits)


def number_bits(digits: int) -> int:
    """The bits of a number of that many decimal digits (table B, second column)."""
    largest: int = 10**digits - 1
    return largest.bit_length()


def _digits_of_four_bits(length: int) -> Method:
    def take(bits: BitReader) -> str:
        text = f"{bits.take(4 * length):0{length}X}"
        if not text.isdigit():
            refuse("epc_value", f"{text}, expected {length} decimal digits of four bits")
        return text

    def put(text: str, bits: BitWriter) -> None:
        _check(_DIGITS, text, f"{length} digits", len(text) == length)
        bits.put(int(text, 16), 4 * length)

    return Method(length, take, put)


def _one_number(length: int) -> Method:
    def take(bits: BitReader) -> str:
        return _number_text(bits, length, number_bits(length))

    def put(text: str, bits: BitWriter) -> None:
        _check(_DIGITS, text, f"{length} digits", len(text) == length)
        bits.put(int(text), number_bits(length))

    return Method(length, take, put)


def _counted_digits(length_max: int) -> Method:
    count_bits = length_max.bit_length()

    def take(bits: BitReader) -> str:
        length = bits.take(count_bits)
        return _number_text(bits, length, number_bits(length))

    def put(text: str, bits: BitWriter) -> None:
        _check(_PERHAPS_DIGITS, text, f"at most {length_max} digits", len(text) <= length_max)
        bits.put(len(text), count_bits)
        bits.put(int(text or "0"), number_bits(len(text)))

    return Method(length_max, take, put)


def _number_text(bits: BitReader, length: int, width: int) -> str:
    text = str(bits.take(width)).zfill(length) if length else ""
    if len(text) > length:
        refuse("epc_value", f"number {text}, expected at most {length} digits")
    return text


# Table E: the alphabets by encoding indicator, the characters of each in the order of their codes; 0 is a
# number, 4 ASCII, 5 three characters in 16 bits.
_HEX_UPPER = "0123456789ABCDEF"
_HEX_LOWER = "0123456789abcdef"
_BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_ALPHABETS = {1: (_HEX_UPPER, 4), 2: (_HEX_LOWER, 4), 3: (_BASE64, 6)}
# Table 14-8, the first character fills up.
_CODE40 = "\0ABCDEFGHIJKLMNOPQRSTUVWXYZ-.:0123456789"


def _characters(length_max: int) -> Method:
    count_bits = length_max.bit_length()

    def take(bits: BitReader) -> str:
        indicator = bits.take(3)
        length = bits.take(count_bits)
        if indicator == 0:
            return _number_text(bits, length, number_bits(length))
        if indicator == 4:
            return "".join([chr(bits.take(7)) for _ in range(length)])
        if indicator == 5:
            return code40_text(bits, length)
        if indicator > 5:
            refuse("epc_value", f"encoding indicator {indicator}, expected 0 to 5")
        alphabet, width = _ALPHABETS[indicator]
        return "".join([alphabet[bits.take(width)] for _ in range(length)])

    def put(text: str, bits: BitWriter) -> None:
        _check(_ASCII, text, f"at most {length_max} characters of ASCII", len(text) <= length_max)
        indicator = _fewest_bits(text)
        bits.put(indicator, 3)
        bits.put(len(text), count_bits)
        if indicator == 0:
            bits.put(int(text or "0"), number_bits(len(text)))
        elif indicator == 5:
            put_code40(text, bits)
        elif indicator == 4:
            for character in text:
                bits.put(ord(character), 7)
        else:
            alphabet, width = _ALPHABETS[indicator]
            for character in text:
                bits.put(alphabet.index(character), width)

    return Method(length_max, take, put)


def _fewest_bits(text: str) -> int:
    """The encoding indicator under which `text` is shortest."""
    if _PERHAPS_DIGITS.fullmatch(text):
        return 0
    for indicator in (1, 2):
        if set(text) <= set(_ALPHABETS[indicator][0]):
            return indicator
    of_base64 = set(text) <= set(_BASE64)
    of_code40 = set(text) <= set(_CODE40[1:])
    code40_bits = -(-len(text) // 3) * 16
    if of_code40 and code40_bits < (6 if of_base64 else 7) * len(text):
        return 5
    return 3 if of_base64 else 4


def code40_text(bits: BitReader, length: int) -> str:
    """`length` characters of URN Code 40, three in 16 bits (14.5.6.5). Raises CodeError."""
    text = ""
    for _ in range(-(-length // 3)):
        number = bits.take(16) - 1
        if not 0 <= number < 40**3:
            refuse("epc_value", f"{number + 1}, expected 1 to 64000 for three characters of URN Code 40")
        text += _CODE40[number // 1600] + _CODE40[number // 40 % 40] + _CODE40[number % 40]
    kept, filled = text[:length], text[length:]
    if "\0" in kept or filled.strip("\0"):
        refuse("epc_value", f"{shown(text)}, expected {length} characters of URN Code 40")
    return kept


def put_code40(text: str, bits: BitWriter) -> None:
    """Put `text` of 0-9, A-Z, - . : in URN Code 40."""
    text += "\0" * (-len(text) % 3)
    codes = [_CODE40.index(character) for character in text]
    for first, second, third in zip(codes[::3], codes[1::3], codes[2::3], strict=True):
        bits.put(1600 * first + 40 * second + third + 1, 16)


def _digits_then_characters(length_max: int) -> Method:
    remainder = _characters(length_max)

    def take(bits: BitReader) -> str:
        text = ""
        while (digit := bits.take(4)) < 10:
            text += str(digit)
        if digit == 0xF:
            return text
        if digit != 0xE:
            refuse("epc_value", f"four bits {digit:X}, expected a digit, E or F")
        rest = remainder.take(bits)
        if not rest or rest[0].isdigit():
            refuse("epc_value", f"{shown(rest)} behind the digits {text}, expected a character that is none")
        return text + rest

    def put(text: str, bits: BitWriter) -> None:
        match = _LEADING_DIGITS.match(text)
        digits = match[0] if match else ""
        for digit in digits:
            bits.put(int(digit), 4)
        bits.put(0xF if digits == text else 0xE, 4)
        if digits != text:
            remainder.put(text[len(digits) :], bits)

    return Method(length_max, take, put)


# Year, month and day, then hour, minute and second.
_TIME_BITS = (7, 4, 5, 5, 6, 6)


def _take_times(bits: BitReader, count: int) -> str:
    numbers = [bits.take(width) for width in _TIME_BITS[:count]]
    if numbers[0] > 99:
        refuse("epc_value", f"year {numbers[0]}, expected 00 to 99")
    return "".join([f"{number:02}" for number in numbers])


def _put_times(text: str, bits: BitWriter, count: int) -> None:
    _check(_DIGITS, text, f"{2 * count} digits of a date", len(text) == 2 * count)
    for place, width in enumerate(_TIME_BITS[:count]):
        number = int(text[2 * place : 2 * place + 2])
        if number >> width:
            refuse("epc_value", f"{shown(text)}, expected a date YYMMDD and a time hhmmss")
        bits.put(number, width)


def _time(count: int) -> Method:
    return Method(
        2 * count, lambda bits: _take_times(bits, count), lambda text, bits: _put_times(text, bits, count)
    )


def _take_span(bits: BitReader) -> str:
    return "".join([_take_times(bits, 3) for _ in range(1 + bits.take(1))])


def _put_span(text: str, bits: BitWriter) -> None:
    bits.put(len(text) > 6, 1)
    _put_times(text[:6], bits, 3)
    if len(text) > 6:
        _put_times(text[6:], bits, 3)


# How many of the numbers of a time stand under each format indicator (14.5.11).
_MOMENTS = (4, 5, 6, 3)


def _take_moment(bits: BitReader) -> str:
    return _take_times(bits, _MOMENTS[bits.take(2)])


def _put_moment(text: str, bits: BitWriter) -> None:
    _check(_DIGITS, text, "6, 8, 10 or 12 digits of a time", len(text) in (6, 8, 10, 12))
    bits.put(_MOMENTS.index(len(text) // 2), 2)
    _put_times(text, bits, len(text) // 2)


def _take_country(bits: BitReader) -> str:
    codes = [bits.take(6), bits.take(6)]
    if max(codes) > 25:
        refuse("epc_value", "a country's letter above Z, expected two letters A to Z")
    return "".join([_BASE64[code] for code in codes])


def _put_country(text: str, bits: BitWriter) -> None:
    _check(_COUNTRY, text, "two letters A to Z")
    for letter in text:
        bits.put(_BASE64.index(letter), 6)


def _put_flag(text: str, bits: BitWriter) -> None:
    _check(_FLAG, text, "0 or 1")
    bits.put(int(text), 1)


def _put_minus(text: str, bits: BitWriter) -> None:
    _check(_MINUS, text, "a minus sign or nothing")
    bits.put(len(text), 1)


def _take_sequence(bits: BitReader) -> str:
    place, count = bits.take(4), bits.take(4)
    if not (1 <= place <= 9 and 1 <= count <= 9):
        refuse("epc_value", f"{place} of {count}, expected 1 to 9 each")
    return f"{place}/{count}"


def _put_sequence(text: str, bits: BitWriter) -> None:
    _check(_SEQUENCE, text, "a form like 1/3")
    bits.put(int(text[0]), 4)
    bits.put(int(text[2]), 4)


_ASCII = re.compile("[!-~]*")
_DIGITS = re.compile("[0-9]+")
_PERHAPS_DIGITS = re.compile("[0-9]*")
_LEADING_DIGITS = re.compile("[0-9]+")
_COUNTRY = re.compile("[A-Z]{2}")
_FLAG = re.compile("[01]")
_MINUS = re.compile("-?")
_SEQUENCE = re.compile("[1-9]/[1-9]")


def _check(pattern: re.Pattern[str], text: str, expected: str, fits: bool = True) -> None:
    if not (fits and pattern.fullmatch(text)):
        refuse("epc_value", f"{shown(text)}, expected {expected}")


_SIZED: dict[str, Callable[[int], Method]] = {
    "N": _digits_of_four_bits,
    "B": _one_number,
    "I": _counted_digits,
    "V": _characters,
    "T": _digits_then_characters,
}
_SINGLE = {
    "D": _time(3),
    "MINUTE": _time(5),
    "SPAN": Method(12, _take_span, _put_span),
    "MOMENT": Method(12, _take_moment, _put_moment),
    "COUNTRY": Method(2, _take_country, _put_country),
    "FLAG": Method(1, lambda bits: str(bits.take(1)), _put_flag),
    "MINUS": Method(1, lambda bits: "-" * bits.take(1), _put_minus),
    "SEQUENCE": Method(3, _take_sequence, _put_sequence),
}


def _read_rows(rows: str) -> Iterator[tuple[str, Format]]:
    methods = dict(_SINGLE)
    for row in filter(None, map(str.strip, rows.splitlines())):
        identifiers = [word for word in row.split() if word[0].isdigit()]
        names = row.split()[len(identifiers) :]
        for name in names:
            if name not in methods:
                methods[name] = _SIZED[name[0]](int(name[1:]))
        described = Format(tuple(methods[name] for name in names))
        for identifier in identifiers:
            low, _, high = identifier.partition("-")
            for number in range(int(low), int(high or low) + 1):
                yield str(number).zfill(len(low)), described


FORMATS: Mapping[str, Format] = MappingProxyType(dict(_read_rows(_ROWS)))
