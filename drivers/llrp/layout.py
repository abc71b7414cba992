# SPDX-License-Identifier: Apache-2.0
"""How the fields of one message or parameter lie on the wire, from a row of `drivers.llrp.tables`.

Reading and writing are each other's inverse to the bit: reserved bits that are set come as the fields
Reserved, Reserved2, ..., counted within the row. May not know parameters inside parameters.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from drivers.llrp.errors import LlrpError

__all__ = ["COUNT_SUFFIX", "Child", "Fields", "Layout", "Value", "read_rows"]

Value: TypeAlias = int | str | bytes | list[int]
Fields: TypeAlias = dict[str, Value]

# A field of bits says how many in a field of its name with this behind it.
COUNT_SUFFIX: Final = "NumBits"

_NUMBERS: Final = {"u8": "B", "u16": "H", "u32": "I", "u64": "Q", "s8": "b", "s16": "h", "s32": "i"}
_GROUPS: Final = {8: "B", 16: "H", 32: "I"}
_ROW: Final = re.compile(r"(\d+) (\w+):([^|]*)(?:\|(.*))?")
_COUNT_MAX: Final = 0xFFFF


@dataclass(frozen=True, slots=True)
class Child:
    """A parameter inside another: what it is called there, and whether there may be several."""

    key: str
    many: bool


@dataclass(frozen=True, slots=True)
class Layout:
    """The fields of one message or parameter, in order, and what else belongs inside it.

    `number` is its type, or the vendor's subtype. `only` names the field when it is a single number, so that
    the parameter is as good as its value. `size` is the length of the fields where it is always the same.
    """

    number: int
    name: str
    steps: tuple[_Step, ...]
    children: Mapping[str, Child]
    known: frozenset[str]
    only: str | None
    size: int | None

    def read(self, data: bytes, at: int, end: int) -> tuple[Fields, int]:
        """The fields from byte `at` on, and the byte behind them. Raises LlrpError where they pass `end`."""
        fields: Fields = {}
        for step in self.steps:
            at = step.read(data, at, end, fields)
        return fields, at

    def write(self, fields: Mapping[str, Value]) -> bytes:
        """Their bytes; a field left out is zero or empty. Raises LlrpError for one that is not of this
        layout or does not fit.
        """
        if not self.known.issuperset(fields):
            strange = ", ".join(sorted(fields.keys() - self.known))
            raise LlrpError(f"no field {strange}, there are: {', '.join(sorted(self.known)) or 'none'}")
        return b"".join([step.write(fields) for step in self.steps])


def read_rows(rows: str) -> Iterator[Layout]:
    """The layouts of a table's rows; a row goes on where the next line is indented."""
    for row in re.split(r"\n(?=\d)", rows.strip()):
        match = _ROW.fullmatch(" ".join(row.split()))
        if match is None:
            raise ValueError(f"no row of a table: {row!r}")
        number, name, fields, children = match.groups()
        yield _layout(int(number), name, _words(fields), _words(children or ""))


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _layout(number: int, name: str, fields: list[str], children: list[str]) -> Layout:
    steps = tuple(_steps(fields))
    known = frozenset(name for step in steps for name in step.names)
    plain = [field.split() for field in fields if not field.startswith("-")]
    scalar = len(plain) == 1 and (plain[0][1] in _NUMBERS or plain[0][1] == "flag")
    sizes = [step.size for step in steps]
    return Layout(
        number,
        name,
        steps,
        dict(map(_child, children)),
        known,
        plain[0][0] if scalar else None,
        None if None in sizes else sum(size for size in sizes if size is not None),
    )


def _child(word: str) -> tuple[str, Child]:
    key, _, name = word.rstrip("*").rpartition("=")
    return name, Child(key or name, word.endswith("*"))


def _steps(fields: list[str]) -> Iterator[_Step]:
    reserved = _reserved_names()
    run: list[_Part] = []
    bits: list[tuple[str, str, int]] = []
    for place, field in enumerate(fields):
        name, _, kind = ("", "", field) if field.startswith("-") else field.partition(" ")
        if kind == "flag" or kind[0] in "-n":
            width = 1 if kind == "flag" else int(kind[1:])
            bits.append((name or next(reserved), kind, width))
            if sum(width for *_, width in bits) in _GROUPS and not _bits_next(fields[place + 1 :]):
                run.append(_bit_group(bits))
                bits = []
        elif kind in _NUMBERS:
            run.append(_Part(_NUMBERS[kind], name))
        elif kind == "bytes12":
            run.append(_Part("12s", name))
        else:
            if run:
                yield _run(run)
                run = []
            yield _VARIABLE[kind](name)
    if bits:
        raise ValueError(f"bits that fill no byte: {bits}")
    if run:
        yield _run(run)


def _bits_next(rest: list[str]) -> bool:
    return bool(rest) and (rest[0].startswith("-") or rest[0].split()[1][0] in "fn")


def _reserved_names() -> Iterator[str]:
    yield "Reserved"
    number = 2
    while True:
        yield f"Reserved{number}"
        number += 1


@dataclass(frozen=True, slots=True)
class _Bits:
    """Bits of a number: `value >> shift & mask`. `optional`: reserved ones, told only when set."""

    name: str
    shift: int
    mask: int
    flag: bool
    optional: bool


@dataclass(frozen=True, slots=True)
class _Part:
    """One number or byte string on the wire: a field of its own, or several fields of bits."""

    code: str
    name: str
    bits: tuple[_Bits, ...] = ()


def _bit_group(fields: list[tuple[str, str, int]]) -> _Part:
    left = total = sum(width for *_, width in fields)
    made = []
    for name, kind, width in fields:
        left -= width
        made.append(_Bits(name, left, (1 << width) - 1, kind == "flag", kind.startswith("-")))
    return _Part(_GROUPS[total], "", tuple(made))


class _Step:
    """Fields that are read and written in one go."""

    __slots__ = ("names", "size")

    names: tuple[str, ...]
    size: int | None

    def read(self, data: bytes, at: int, end: int, fields: Fields) -> int:
        """Put the fields that begin at byte `at` into `fields`; the byte behind them."""
        raise NotImplementedError

    def write(self, fields: Mapping[str, Value]) -> bytes:
        """The bytes of the fields."""
        raise NotImplementedError


def _run(parts: list[_Part]) -> _Step:
    return _Plain(parts) if not any(part.bits for part in parts) else _Mixed(parts)


class _Plain(_Step):
    """Numbers and byte strings of fixed length, one a field."""

    __slots__ = ("_numbers", "_struct")

    def __init__(self, parts: list[_Part]) -> None:
        self._struct = struct.Struct(">" + "".join(part.code for part in parts))
        # Byte strings that do not fit are filled or cut silently by struct.
        self._numbers = not any(part.code == "12s" for part in parts)
        self.names = tuple(part.name for part in parts)
        self.size = self._struct.size

    def read(self, data: bytes, at: int, end: int, fields: Fields) -> int:
        behind = at + self._struct.size
        if behind > end:
            raise _too_short(self.names, self._struct.size, end - at, at)
        fields.update(zip(self.names, self._struct.unpack_from(data, at), strict=True))
        return behind

    def write(self, fields: Mapping[str, Value]) -> bytes:
        if self._numbers:
            try:
                return self._struct.pack(*[fields.get(name, 0) for name in self.names])
            except struct.error:
                pass
        # One by one, to say which one it is that does not fit.
        pieces = zip(self.names, self._struct.format[1:].replace("12s", "x"), strict=True)
        return b"".join([_number(name, code, fields.get(name)) for name, code in pieces])


class _Mixed(_Step):
    """Numbers of fixed length, some of them made of bits."""

    __slots__ = ("_parts", "_struct")

    def __init__(self, parts: list[_Part]) -> None:
        self._parts = tuple(parts)
        self._struct = struct.Struct(">" + "".join(part.code for part in parts))
        self.names = tuple(
            name for part in parts for name in ([bit.name for bit in part.bits] or [part.name])
        )
        self.size = self._struct.size

    def read(self, data: bytes, at: int, end: int, fields: Fields) -> int:
        behind = at + self._struct.size
        if behind > end:
            raise _too_short(self.names, self._struct.size, end - at, at)
        for part, value in zip(self._parts, self._struct.unpack_from(data, at), strict=True):
            if not part.bits:
                fields[part.name] = value
                continue
            for bit in part.bits:
                taken = value >> bit.shift & bit.mask
                if taken or not bit.optional:
                    fields[bit.name] = bool(taken) if bit.flag else taken
        return behind

    def write(self, fields: Mapping[str, Value]) -> bytes:
        return b"".join([self._write(part, fields) for part in self._parts])

    @staticmethod
    def _write(part: _Part, fields: Mapping[str, Value]) -> bytes:
        if not part.bits:
            return _number(part.name, part.code, fields.get(part.name))
        whole = 0
        for bit in part.bits:
            value = fields.get(bit.name, 0)
            if not isinstance(value, int) or not 0 <= value <= bit.mask:
                fits = "true or false" if bit.flag else f"a number from 0 to {bit.mask}"
                raise LlrpError(f"{bit.name} is {value!r}, expected {fits}")
            whole |= value << bit.shift
        return struct.pack(">" + part.code, whole)


class _Text(_Step):
    """UTF-8 behind a count of bytes; what is not UTF-8 survives as lone surrogates."""

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name
        self.names = (name,)
        self.size = None

    def read(self, data: bytes, at: int, end: int, fields: Fields) -> int:
        count = _count(data, at, end, self._name)
        behind = at + 2 + count
        if behind > end:
            raise _too_short(self.names, count, end - at - 2, at)
        fields[self._name] = data[at + 2 : behind].decode("utf-8", "surrogateescape")
        return behind

    def write(self, fields: Mapping[str, Value]) -> bytes:
        text = fields.get(self._name, "")
        if not isinstance(text, str):
            raise LlrpError(f"{self._name} is {text!r}, expected a text")
        try:
            said = text.encode("utf-8", "surrogateescape")
        except UnicodeEncodeError as error:
            raise LlrpError(f"{self._name} is no text that UTF-8 can carry: {error.reason}") from None
        return _counted(self._name, len(said)) + said


class _Bytes(_Step):
    """Bytes behind their count."""

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name
        self.names = (name,)
        self.size = None

    def read(self, data: bytes, at: int, end: int, fields: Fields) -> int:
        count = _count(data, at, end, self._name)
        behind = at + 2 + count
        if behind > end:
            raise _too_short(self.names, count, end - at - 2, at)
        fields[self._name] = data[at + 2 : behind]
        return behind

    def write(self, fields: Mapping[str, Value]) -> bytes:
        kept = _bytes(self._name, fields.get(self._name, b""))
        return _counted(self._name, len(kept)) + kept


class _Numbers(_Step):
    """Numbers of one size behind their count."""

    __slots__ = ("_code", "_name", "_width")

    def __init__(self, name: str, code: str) -> None:
        self._name = name
        self._code = code
        self._width = struct.calcsize(">" + code)
        self.names = (name,)
        self.size = None

    def read(self, data: bytes, at: int, end: int, fields: Fields) -> int:
        count = _count(data, at, end, self._name)
        behind = at + 2 + count * self._width
        if behind > end:
            raise _too_short(self.names, count * self._width, end - at - 2, at)
        fields[self._name] = list(struct.unpack_from(f">{count}{self._code}", data, at + 2))
        return behind

    def write(self, fields: Mapping[str, Value]) -> bytes:
        numbers = fields.get(self._name, [])
        if not isinstance(numbers, list | tuple):
            raise LlrpError(f"{self._name} is {numbers!r}, expected a list of numbers")
        head = _counted(self._name, len(numbers))
        return head + b"".join([_number(self._name, self._code, number) for number in numbers])


class _BitString(_Step):
    """Bits behind their count, in so many bytes as they need; bits that fill the last byte are kept."""

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name
        self.names = (name + COUNT_SUFFIX, name)
        self.size = None

    def read(self, data: bytes, at: int, end: int, fields: Fields) -> int:
        count = _count(data, at, end, self._name)
        behind = at + 2 + (count + 7) // 8
        if behind > end:
            raise _too_short(self.names, (count + 7) // 8, end - at - 2, at)
        fields[self.names[0]] = count
        fields[self._name] = data[at + 2 : behind]
        return behind

    def write(self, fields: Mapping[str, Value]) -> bytes:
        kept = _bytes(self._name, fields.get(self._name, b""))
        count = fields.get(self.names[0], len(kept) * 8)
        if not isinstance(count, int) or not 0 <= count <= _COUNT_MAX or (count + 7) // 8 != len(kept):
            fits = f"a number of bits that fills {len(kept)} bytes"
            raise LlrpError(f"{self.names[0]} is {count!r}, expected {fits}")
        return struct.pack(">H", count) + kept


class _Rest(_Step):
    """All bytes that are left."""

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name
        self.names = (name,)
        self.size = None

    def read(self, data: bytes, at: int, end: int, fields: Fields) -> int:
        fields[self._name] = data[at:end]
        return end

    def write(self, fields: Mapping[str, Value]) -> bytes:
        return _bytes(self._name, fields.get(self._name, b""))


_VARIABLE: Final[dict[str, Callable[[str], _Step]]] = {
    "text": _Text,
    "bits": _BitString,
    "rest": _Rest,
    "u8[]": _Bytes,
    "u16[]": lambda name: _Numbers(name, "H"),
    "u32[]": lambda name: _Numbers(name, "I"),
}


def _count(data: bytes, at: int, end: int, name: str) -> int:
    if at + 2 > end:
        raise _too_short((name,), 2, end - at, at)
    return data[at] << 8 | data[at + 1]


def _counted(name: str, count: int) -> bytes:
    if count > _COUNT_MAX:
        raise LlrpError(f"{name} has {count} elements, expected at most {_COUNT_MAX}")
    return struct.pack(">H", count)


def _bytes(name: str, value: Value) -> bytes:
    if not isinstance(value, bytes | bytearray | memoryview):
        raise LlrpError(f"{name} is {value!r}, expected bytes")
    return bytes(value)


def _number(name: str, code: str, value: Value | None) -> bytes:
    if code == "x":
        kept = _bytes(name, value if value is not None else bytes(12))
        if len(kept) != 12:
            raise LlrpError(f"{name} has {len(kept)} bytes, expected 12")
        return kept
    if value is None:
        value = 0
    if not isinstance(value, int):
        raise LlrpError(f"{name} is {value!r}, expected a number")
    try:
        return struct.pack(">" + code, value)
    except struct.error:
        width = struct.calcsize(">" + code) * 8
        low, high = (-(1 << width - 1), (1 << width - 1) - 1) if code.islower() else (0, (1 << width) - 1)
        raise LlrpError(f"{name} is {value}, expected a number from {low} to {high}") from None


def _too_short(names: tuple[str, ...], expected: int, came: int, at: int) -> LlrpError:
    return LlrpError(f"{max(came, 0)} bytes are left for {', '.join(names)}, expected {expected}", at)
