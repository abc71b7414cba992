# SPDX-License-Identifier: Apache-2.0
"""LLRP frames as messages and back (EPCglobal LLRP 1.0.1 and 1.1, binary encoding), to the byte.

What no table names is kept raw, so that every frame that can be read is written again as it came. May not
know what a message means, nor links.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from drivers.llrp.errors import LlrpError
from drivers.llrp.impinj import IMPINJ, IMPINJ_MESSAGES, IMPINJ_PARAMETERS
from drivers.llrp.layout import Fields, Layout, Value, read_rows
from drivers.llrp.tables import CUSTOM_TYPE, MESSAGES, PARAMETERS

__all__ = [
    "FRAME_LENGTH_MAX",
    "HEADER_LENGTH",
    "Fields",
    "LlrpError",
    "Message",
    "Parameter",
    "Value",
    "decode",
    "decode_body",
    "encode",
    "is_custom",
    "layout_of",
    "message_name",
    "message_names",
]

HEADER_LENGTH: Final = 10

# The largest message on record holds 10,000 tags in 1.4 MB; a reader's buffer after hours without us may be
# several times that, and what claims more is not a report.
FRAME_LENGTH_MAX: Final = 8 * 1024 * 1024

# A report of 10,000 tags with everything switched on has 160,000; each costs memory many times its bytes.
_PARAMETERS_MAX: Final = 250_000
# The deepest known, a filter's mask in an ADD_ROSPEC, lies 8 deep; errors repeat such a chain.
_DEPTH_MAX: Final = 24
_VERSION_MAX: Final = 7


@dataclass(slots=True)
class Parameter:
    """A parameter: its fields and the parameters inside it, in the order of the wire.

    `name` is a name of the tables. "Unknown" has `Type` and `Data`, "Custom" of a vendor or subtype that is
    not known has `VendorID`, `Subtype` and `Data`. "UnknownTV" has no length on the wire: its `Data` is all
    that is left of what surrounds it.
    """

    name: str
    fields: Fields = field(default_factory=dict)
    parameters: list[Parameter] = field(default_factory=list)

    def first(self, name: str) -> Parameter | None:
        """The first parameter inside this one with that name."""
        return next((each for each in self.parameters if each.name == name), None)

    def every(self, name: str) -> Iterator[Parameter]:
        """All parameters inside this one with that name."""
        return (each for each in self.parameters if each.name == name)


@dataclass(slots=True)
class Message:
    """A message; `version` is 1 for LLRP 1.0.1 and 2 for 1.1, `id` pairs a request with its response.

    "Unknown" has `Type` and `Data`; "CUSTOM_MESSAGE" `VendorID`, `MessageSubtype` and `Data`.
    """

    name: str
    id: int = 0
    fields: Fields = field(default_factory=dict)
    parameters: list[Parameter] = field(default_factory=list)
    version: int = 1

    def first(self, name: str) -> Parameter | None:
        """The first parameter of the message itself with that name."""
        return next((each for each in self.parameters if each.name == name), None)

    def every(self, name: str) -> Iterator[Parameter]:
        """All parameters of the message itself with that name."""
        return (each for each in self.parameters if each.name == name)


def message_names() -> tuple[str, ...]:
    """The names of all messages that the tables know, vendors' among them."""
    return tuple(_MESSAGE_NAMES)


def message_name(kind: int) -> str | None:
    """The name of the standard's message of that type, None where there is none."""
    return _MESSAGES[kind].name if kind in _MESSAGES else None


def layout_of(name: str) -> Layout | None:
    """The layout of a message or parameter, None for what is kept raw under a name of no table."""
    known = _MESSAGE_NAMES.get(name) or _PARAMETER_NAMES.get(name)
    return known[1] if known else None


def is_custom(name: str) -> bool:
    """Whether a message or parameter of that name is a vendor's own that the tables know."""
    known = _MESSAGE_NAMES.get(name) or _PARAMETER_NAMES.get(name)
    return known is not None and known[0] is not None


def encode(message: Message) -> bytes:
    """The whole frame.

    Raises LlrpError naming message, parameters and field, what came and what fits.
    """
    try:
        kind, body = _message_body(message)
        length = HEADER_LENGTH + len(body)
        if length > FRAME_LENGTH_MAX:
            raise LlrpError(f"{length} bytes, expected at most {FRAME_LENGTH_MAX}")
        if not 0 <= message.id <= 0xFFFFFFFF:
            raise LlrpError(f"id is {message.id}, expected a number of 32 bits")
        if not 0 <= message.version <= _VERSION_MAX:
            raise LlrpError(f"version is {message.version}, expected a number of 3 bits")
        return struct.pack(">HII", message.version << 10 | kind, length, message.id) + body
    except LlrpError as error:
        raise error.within(message.name) from None


def decode(frame: bytes | bytearray | memoryview) -> Message:
    """The message of one whole frame.

    Raises LlrpError naming message, parameters and byte, what came and what was expected.
    """
    data = bytes(frame)
    if len(data) < HEADER_LENGTH:
        raise LlrpError(f"{len(data)} bytes, expected a header of {HEADER_LENGTH}", len(data))
    head, length, message_id = struct.unpack_from(">HII", data)
    if head >> 13:
        raise LlrpError(f"the reserved bits of the header are {head >> 13:03b}, expected 000", 0)
    if length != len(data):
        raise LlrpError(f"the header says {length} bytes, {len(data)} came", 2)
    return _read_message(head & 0x3FF, head >> 10 & 7, message_id, data, HEADER_LENGTH)


def decode_body(name: str, body: bytes) -> Message:
    """The message of a body that lacks its header, with id 0. Raises LlrpError as `decode` does."""
    known = _MESSAGE_NAMES.get(name)
    if known is None:
        raise LlrpError(f"no message is called {name!r}")
    vendor, layout = known
    if len(body) > FRAME_LENGTH_MAX:
        raise LlrpError(f"{len(body)} bytes, expected at most {FRAME_LENGTH_MAX}", chain=(name,))
    return _read_message(layout.number if vendor is None else CUSTOM_TYPE, 1, 0, bytes(body), 0)


def _tables(rows: str, vendor: int | None) -> dict[str, tuple[int | None, Layout]]:
    return {layout.name: (vendor, layout) for layout in read_rows(rows)}


# By name: the vendor, None for the standard's own, and the layout.
_MESSAGE_NAMES: Final = _tables(MESSAGES, None) | _tables(IMPINJ_MESSAGES, IMPINJ)
_PARAMETER_NAMES: Final = _tables(PARAMETERS, None) | _tables(IMPINJ_PARAMETERS, IMPINJ)
_CUSTOM: Final = _PARAMETER_NAMES["Custom"][1]
_MESSAGES: Final = {layout.number: layout for vendor, layout in _MESSAGE_NAMES.values() if vendor is None}
_MESSAGE_CUSTOMS: Final = {
    (vendor, layout.number): layout for vendor, layout in _MESSAGE_NAMES.values() if vendor is not None
}
_TV: Final = {
    layout.number: layout
    for vendor, layout in _PARAMETER_NAMES.values()
    if vendor is None and layout.number < 128
}
_TLV: Final = {
    layout.number: layout
    for vendor, layout in _PARAMETER_NAMES.values()
    if vendor is None and layout.number >= 128 and layout is not _CUSTOM
}
_CUSTOMS: Final = {
    (vendor, layout.number): layout for vendor, layout in _PARAMETER_NAMES.values() if vendor is not None
}


def _read_message(kind: int, version: int, message_id: int, data: bytes, at: int) -> Message:
    layout = _MESSAGES.get(kind)
    if layout is None:
        return Message("Unknown", message_id, {"Type": kind, "Data": data[at:]}, [], version)
    reader = _Reader(data)
    if kind == CUSTOM_TYPE and len(data) >= at + 5:
        vendor, subtype = struct.unpack_from(">IB", data, at)
        known = _MESSAGE_CUSTOMS.get((vendor, subtype))
        read = known and reader.attempt(known, at + 5, len(data), 1)
        if known and read:
            return Message(known.name, message_id, *read, version)
    try:
        fields, behind = layout.read(data, at, len(data))
        return Message(layout.name, message_id, fields, reader.parameters(behind, len(data), 1), version)
    except LlrpError as error:
        raise error.within(layout.name) from None


class _Reader:
    """Reads the parameters of one message; `left` bounds how many."""

    __slots__ = ("_data", "_left")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._left = _PARAMETERS_MAX

    def parameters(self, at: int, end: int, depth: int) -> list[Parameter]:
        """The parameters from byte `at` to `end`."""
        found: list[Parameter] = []
        if at < end and depth > _DEPTH_MAX:
            raise LlrpError(f"parameters {depth} deep in each other, expected at most {_DEPTH_MAX}", at)
        while at < end:
            self._left -= 1
            if self._left < 0:
                raise LlrpError(f"expected at most {_PARAMETERS_MAX} parameters in a message", at)
            parameter, at = (self._tv if self._data[at] & 0x80 else self._tlv)(at, end, depth)
            found.append(parameter)
        return found

    def attempt(self, layout: Layout, at: int, end: int, depth: int) -> tuple[Fields, list[Parameter]] | None:
        """Fields and parameters of a vendor's, None where its bytes are not as we know them: vendors add
        to theirs without telling.
        """
        left = self._left
        try:
            fields, behind = layout.read(self._data, at, end)
            return fields, self.parameters(behind, end, depth)
        except LlrpError:
            self._left = left
            return None

    def _tv(self, at: int, end: int, depth: int) -> tuple[Parameter, int]:  # noqa: ARG002 - as _tlv
        kind = self._data[at] & 0x7F
        layout = _TV.get(kind)
        if layout is None:
            # Without a length nobody knows where the next one begins.
            return Parameter("UnknownTV", {"Type": kind, "Data": self._data[at + 1 : end]}), end
        try:
            fields, behind = layout.read(self._data, at + 1, end)
        except LlrpError as error:
            raise error.within(layout.name) from None
        return Parameter(layout.name, fields), behind

    def _tlv(self, at: int, end: int, depth: int) -> tuple[Parameter, int]:
        if end - at < 4:
            raise LlrpError(f"{end - at} bytes are left, expected a parameter of at least 4", at)
        kind, length = struct.unpack_from(">HH", self._data, at)
        layout = _TLV.get(kind)
        name = layout.name if layout else "Custom" if kind == CUSTOM_TYPE else f"parameter {kind}"
        behind = at + length
        if length < 4 or behind > end:
            problem = f"says that it is {length} bytes long, expected 4 to {end - at}"
            raise LlrpError(problem, at + 2, (name,))
        try:
            if kind == CUSTOM_TYPE:
                return self._custom(at + 4, behind, depth), behind
            if layout is None:
                return Parameter("Unknown", {"Type": kind, "Data": self._data[at + 4 : behind]}), behind
            fields, inside = layout.read(self._data, at + 4, behind)
            inner = self.parameters(inside, behind, depth + 1) if inside < behind else []
            return Parameter(layout.name, fields, inner), behind
        except LlrpError as error:
            raise error.within(name) from None

    def _custom(self, at: int, end: int, depth: int) -> Parameter:
        if end - at >= 8:
            known = _CUSTOMS.get(struct.unpack_from(">II", self._data, at))
            read = known and self.attempt(known, at + 8, end, depth + 1)
            if known and read:
                return Parameter(known.name, *read)
        return Parameter("Custom", _CUSTOM.read(self._data, at, end)[0])


def _message_body(message: Message) -> tuple[int, bytes]:
    inner = b"".join(map(_parameter_bytes, message.parameters))
    if message.name == "Unknown":
        kind, data = _raw(message.fields, 0x3FF)
        return kind, data + inner
    known = _MESSAGE_NAMES.get(message.name)
    if known is None:
        raise LlrpError(f"no message is called {message.name!r}")
    vendor, layout = known
    own = layout.write(message.fields)
    if vendor is None:
        return layout.number, own + inner
    return CUSTOM_TYPE, struct.pack(">IB", vendor, layout.number) + own + inner


def _parameter_bytes(parameter: Parameter) -> bytes:
    try:
        inner = b"".join(map(_parameter_bytes, parameter.parameters)) if parameter.parameters else b""
        kind, own = _parameter_body(parameter)
        if kind is None:
            return own + inner
        length = 4 + len(own) + len(inner)
        if length > 0xFFFF:
            raise LlrpError(f"{length} bytes, expected at most {0xFFFF} in one parameter")
        return struct.pack(">HH", kind, length) + own + inner
    except LlrpError as error:
        raise error.within(parameter.name) from None


def _parameter_body(parameter: Parameter) -> tuple[int | None, bytes]:
    """Type, None for a TV whose bytes are then whole, and bytes."""
    name = parameter.name
    if name == "Unknown":
        return _raw(parameter.fields, 0x7FFF)
    if name == "UnknownTV":
        kind, data = _raw(parameter.fields, 0x7F)
        return None, bytes([0x80 | kind]) + data
    known = _PARAMETER_NAMES.get(name)
    if known is None:
        raise LlrpError("no parameter has this name")
    vendor, layout = known
    own = layout.write(parameter.fields)
    if vendor is not None:
        return CUSTOM_TYPE, struct.pack(">II", vendor, layout.number) + own
    if layout.number < 128:
        return None, bytes([0x80 | layout.number]) + own
    return layout.number, own


def _raw(fields: Fields, kind_max: int) -> tuple[int, bytes]:
    kind, data = fields.get("Type"), fields.get("Data", b"")
    if not isinstance(kind, int) or not 0 <= kind <= kind_max:
        raise LlrpError(f"Type is {kind!r}, expected a number from 0 to {kind_max}")
    if not isinstance(data, bytes):
        raise LlrpError(f"Data is {data!r}, expected bytes")
    return kind, data
