# SPDX-License-Identifier: Apache-2.0
"""Dock labels of automotive, electronics and aerospace: messages of ISO/IEC 15434, single data identifiers.

A message is `[)>` RS, then formats, each with its two digits and an RS at its end, then EOT. Read into
elements are format 05 (application identifiers), 06 (data identifiers of ASC MH10) and 12 (text element
identifiers); formats 02 to 04, 07, 08 and 09 hold documents, free text or bytes, and are passed over. Macro
05 and Macro 06 of Data Matrix and PDF417 arrive from a scanner as this same text.

Strict, a message that is damaged is refused with what is wrong with it; lenient, what can be kept without a
guess is kept. A lost GS can never be mended: where a value ends would be a guess.

May not know which carrier a text came in; whether it may be a label at all is decided there.
Sources: ISO/IEC 15434 (formats 01 to 09 and 12), ANSI MH10.8.2, Air Transport Association Spec 2000 for
text element identifiers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from .data_identifiers import DATA_IDENTIFIERS, DataIdentifier, split_identifier
from .di_checks import CHECKS
from .elements import FAULTS_MAX, Elements, read_elements
from .errors import CodeError, Fault
from .printable import shown

__all__ = ["MESSAGE_START", "Message", "parse_envelope", "parse_identifier", "read_envelope"]

MESSAGE_START = "[)>"

MESSAGE_LENGTH_MAX = 7089
"""The most characters that any barcode holds (digits in a QR Code of version 40)."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message of ISO/IEC 15434.

    `elements` are those of formats 05, 06 and 12 in the order read; the keys cannot be mistaken for one
    another: application identifiers are digits, data identifiers end in a letter, text element identifiers
    are three characters that begin with one. `transport` are the fields of format 01 behind its version,
    and `formats` the two digits of every format in the message.
    """

    elements: Elements
    transport: tuple[str, ...]
    formats: tuple[str, ...]


def parse_envelope(text: str) -> Elements:
    """The elements of a message without a fault; see `Message`.

    Raises CodeError with every fault found, at most eight. A message that holds no element at all, such as
    one of free text, is refused with `no_elements`.
    """
    message, faults = read_envelope(text)
    if faults:
        raise CodeError(*faults)
    if not message.elements:
        came = ", ".join(message.formats)
        raise CodeError(Fault("no_elements", f"a message of format {came}, expected format 05, 06 or 12"))
    return message.elements


def read_envelope(text: str) -> tuple[Message, tuple[Fault, ...]]:
    """What can be kept of a message, and every fault of it, at most eight. Never raises.

    Mended and told: `header_damaged` (characters before `[)>`, or the RS behind it lost or replaced),
    `format_trailer_missing` (RS), `trailer_missing` (EOT), `separator_replaced` (GS sent as another
    character, known because the same character stands behind the format's digits and is no letter or
    digit), `empty_element`. Kept as it came and told: an unknown data identifier, a value that breaks its
    format.
    """
    reading = _Reading()
    if len(text) > MESSAGE_LENGTH_MAX:
        reading.tell("too_long", f"{len(text)} characters, expected at most {MESSAGE_LENGTH_MAX}", None)
        return reading.message(), tuple(reading.faults)
    start = _header_end(text, reading)
    if start is not None:
        position: int | None = start
        while position is not None and position < len(text):
            position = _take_format(text, position, reading)
        if not (reading.formats or reading.faults):
            reading.tell("format_missing", "a message without a format, expected its two digits", start)
    return reading.message(), tuple(reading.faults)


def parse_identifier(text: str) -> Elements:
    """The one element of a label that holds a single data identifier and its value, as `Q100` or `1T4711`.

    Only for a carrier that is known to hold such labels: `S123` in a plain Code 39 may be anything else.
    Raises CodeError for an identifier that is not held, and for a value that breaks its format.
    """
    reading = _Reading()
    _take_identifier(text, 0, reading)
    if reading.faults:
        raise CodeError(*reading.faults)
    return tuple(reading.elements)


EOT, FS, GS, RS, US = "\x04", "\x1c", "\x1d", "\x1e", "\x1f"

# How the group separator looks where a scanner or a keyboard wedge has replaced it by something visible.
_SPELLED = re.compile(r"<GS>|\{GS\}|\[GS\]|\^\]|\\x1d|\\u001d", re.IGNORECASE)
_SPELLED_RS = re.compile(r"<RS>|\{RS\}|\[RS\]|\^\^|\\x1e|\\u001e", re.IGNORECASE)
_SPELLED_EOT = re.compile(r"<EOT>|\{EOT\}|\[EOT\]|\^D|\\x04|\\u0004", re.IGNORECASE)
_TEI = re.compile("([A-Z][A-Z0-9]{2}) ", re.ASCII)
_ELEMENT_FORMATS = ("05", "06", "12")
_PASSED_OVER = ("02", "03", "04", "07", "08")


class _Reading:
    """What was found so far."""

    def __init__(self) -> None:
        self.elements: dict[tuple[str, str], None] = {}
        self.transport: list[str] = []
        self.formats: list[str] = []
        self.faults: list[Fault] = []

    def tell(self, code: str, message: str, position: int | None, di: str | None = None) -> None:
        of = "" if di is None else f", of identifier {di}"
        where = "" if position is None else f" at position {position}"
        self.take(Fault(code, f"{message}{of}{where}", di, position))

    def take(self, fault: Fault) -> None:
        if len(self.faults) < FAULTS_MAX:
            self.faults.append(fault)

    def keep(self, key: str, value: str) -> None:
        self.elements[key, value] = None  # what stands twice is kept once

    def message(self) -> Message:
        return Message(tuple(self.elements), tuple(self.transport), tuple(self.formats))


def _header_end(text: str, reading: _Reading) -> int | None:
    """Where the first format begins; None when this is no message."""
    start = text.find(MESSAGE_START, 0, len(MESSAGE_START) + 2)
    if start < 0:
        reading.tell("no_message", f"{shown(text[:8])}, expected a message that begins with [)> and RS", 0)
        return None
    end = start + len(MESSAGE_START)
    if start > 0:
        reading.tell("header_damaged", f"{shown(text[:start])} before [)>, expected nothing", 0)
    if text.startswith(RS, end):
        return end + 1
    spelled = _SPELLED_RS.match(text, end)
    behind = end if spelled is None else spelled.end()
    if spelled is None and not text[end : end + 2].isdigit():
        behind += 1
    reading.tell("header_damaged", f"{shown(text[end:behind])} behind [)>, expected RS", end)
    return behind


def _take_format(text: str, position: int, reading: _Reading) -> int | None:
    """Read the format at `position`; where the next begins, or None at the end of the message."""
    if text[position] == EOT:
        _nothing_behind(text, position + 1, reading)
        return None
    indicator = text[position : position + 2]
    if not (len(indicator) == 2 and indicator.isascii() and indicator.isdigit()):
        reading.tell(
            "format_unknown", f"{shown(indicator)}, expected two digits of a format or EOT", position
        )
        return None
    reading.formats.append(indicator)
    if indicator == "09":
        return _pass_bytes(text, position, reading)
    if indicator not in (*_ELEMENT_FORMATS, *_PASSED_OVER, "01"):
        reading.tell("format_unknown", f"format {indicator}, expected one of 01 to 09 or 12", position)
    separator = GS if indicator in _PASSED_OVER else _separator(text, position + 2, reading)
    end, following = _format_end(text, position, separator, reading)
    if separator is None:
        return following
    data = (text[position + 2 : end], position + 2, separator)
    if indicator in _ELEMENT_FORMATS or indicator == "01":
        _READERS[indicator](data, reading)
    return following


def _nothing_behind(text: str, position: int, reading: _Reading) -> None:
    if position < len(text):
        message = f"{shown(text[position:])} behind EOT, expected nothing"
        reading.tell("trailer_damaged", message, position)


def _separator(text: str, position: int, reading: _Reading) -> str | None:
    """What stands for GS in a format; None when nothing can."""
    if text.startswith(GS, position):
        return GS
    spelled = _SPELLED.match(text, position)
    came = spelled[0] if spelled else text[position : position + 1]
    if came and (spelled or not (came.isalnum() or came in " -./+" or came in (RS, EOT))):
        message = f"{shown(came)} in place of GS: set the scanner to send the group separator (0x1D)"
        reading.tell("separator_replaced", message, position)
        return came
    reading.tell("separator_missing", f"{shown(came)}, expected GS: where values end is lost", position)
    return None


def _format_end(text: str, position: int, separator: str | None, reading: _Reading) -> tuple[int, int]:
    """Where the data of a format end, and where the next one or the message's EOT begins."""
    end = text.find(RS, position)
    if end >= 0:
        following = end + 1
        if following == len(text):
            reading.tell("trailer_missing", "the message ends without EOT", following)
        return end, following
    if separator not in (None, GS):
        # Where GS was replaced RS and EOT were as well, and look no better.
        spelled = _SPELLED_RS.search(text, position)
        if spelled is not None:
            behind = _SPELLED_EOT.match(text, spelled.end())
            return spelled.start(), spelled.end() if behind is None else len(text)
    end = text.find(EOT, position)
    if end >= 0:
        reading.tell("format_trailer_missing", "the last format ends without RS", end)
        return end, end
    reading.tell("trailer_missing", "the message ends without RS and EOT", len(text))
    return len(text), len(text)


# Separators, file type and method of up to 30 characters each, number of bytes of up to 15.
_BYTES_HEAD_MAX = 80


def _pass_bytes(text: str, position: int, reading: _Reading) -> int | None:
    """Format 09 tells how many bytes it holds, for they may be any."""
    # Cut to what its head can be, or a message of many such formats would be split to its end each time.
    head = text[position + 2 : position + 2 + _BYTES_HEAD_MAX].split(GS, 4)
    if len(head) < 5 or head[0] or not (head[3].isascii() and head[3].isdigit()) or len(head[3]) > 4:
        reading.tell("format_09", "format 09 without its type, method and number of bytes", position)
        return None
    begin = position + 2 + sum(len(part) + 1 for part in head[:4])
    end = begin + int(head[3])
    if not text.startswith(RS, end):
        reading.tell("format_09", f"format 09 of {head[3]} bytes, expected RS behind them", end)
        return None
    if end + 1 == len(text):
        reading.tell("trailer_missing", "the message ends without EOT", end + 1)
    return end + 1


_Data = tuple[str, int, str]


def _pieces(data: _Data, reading: _Reading) -> Iterator[tuple[str, int]]:
    """The values between the separators of a format, each with its position."""
    text, start, separator = data
    position = start
    for number, piece in enumerate(text.split(separator)):
        if piece:
            yield piece, position
        elif number > 0:  # the first is what stands before the separator behind the format's digits
            reading.tell("empty_element", "nothing between two separators, expected an element", position)
        position += len(piece) + len(separator)


def _take_application(data: _Data, reading: _Reading) -> None:
    text, start, separator = data
    body = text[len(separator) :].replace(separator, GS)
    found, faults = read_elements(body)
    for fault in faults:
        place = None if fault.position is None else fault.position + start + len(separator)
        reading.take(Fault(fault.code, fault.message, fault.ai, place))
    for ai, value in found:
        reading.keep(ai, value)


def _take_data(data: _Data, reading: _Reading) -> None:
    for piece, position in _pieces(data, reading):
        _take_identifier(piece, position, reading)


def _take_text(data: _Data, reading: _Reading) -> None:
    for piece, position in _pieces(data, reading):
        match = _TEI.match(piece)
        value = piece[4:].rstrip(" ")
        if match is None or not value:
            message = f"{shown(piece)}, expected a text element identifier, a blank and a value"
            reading.tell("unknown_tei", message, position)
        elif wrong := _bad_character(value, "X"):
            reading.tell("character", wrong, position + 4, match[1])
        else:
            reading.keep(match[1], value)


def _take_transport(data: _Data, reading: _Reading) -> None:
    text, _, separator = data
    # Two digits of the version stand before the first field, without a separator between.
    reading.transport += text[len(separator) + 2 :].split(separator)


_READERS = {"01": _take_transport, "05": _take_application, "06": _take_data, "12": _take_text}


def _take_identifier(text: str, position: int, reading: _Reading) -> None:
    parts = split_identifier(text)
    if parts is None:
        message = f"{shown(text[:8])}, expected a data identifier such as P, 1T or 7Q"
        reading.tell("unknown_di", message, position)
        return
    di, value = parts
    identifier = DATA_IDENTIFIERS.get(di)
    start = position + len(di)
    wrong = ("unknown_di", "a data identifier that MH10.8.2 does not assign") if identifier is None else None
    if identifier is not None:
        wrong = _value_fault(identifier, value)
    if wrong is not None:
        reading.tell(*wrong, start, di)
    if value and _bad_character(value, "X") is None:
        reading.keep(di, value)


def _value_fault(identifier: DataIdentifier, value: str) -> tuple[str, str] | None:
    bad = _bad_character(value, identifier.charset)
    if bad is not None:
        return "character", bad
    low, high = identifier.length_min, identifier.length_max
    if not low <= len(value) <= high:
        expected = f"{low}" if low == high else f"{low} to {high}"
        return "too_short" if len(
            value
        ) < low else "too_long", f"{len(value)} characters, expected {expected}"
    wrong = None if identifier.check is None else CHECKS[identifier.check](value)
    return None if wrong is None else (str(identifier.check), wrong)


_CLASSES = {
    "N": (re.compile("[^0-9]"), "a digit"),
    "A": (re.compile("[^A-Z]"), "a capital letter"),
    "C": (re.compile("[^0-9A-Z]"), "a digit or a capital letter"),
    "D": (re.compile(r"[^0-9.\-]"), "a digit or a point"),
    "X": (re.compile("[^ -~]"), "a visible character or a blank"),
}


def _bad_character(value: str, charset: str) -> str | None:
    pattern, expected = _CLASSES[charset]
    match = pattern.search(value)
    return None if match is None else f"character {shown(match[0])}, expected {expected}"
