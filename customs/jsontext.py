# SPDX-License-Identifier: Apache-2.0
"""JSON that people wrote: numbers keep their digits, fields that stand twice are known. Judges no value."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from customs.faults import Faults, shown


class Object(dict[str, Any]):
    """A JSON object that remembers which keys came twice."""

    twice: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Number:
    """A JSON number, kept as it was written: it is refused with its own digits."""

    text: str

    def __str__(self) -> str:
        return f"the number {self.text}"


def decode(content: str) -> Any:
    """The value of a whole text. Raises json.JSONDecodeError, and RecursionError for lists without end."""
    return DECODER.decode(content)


def _object(pairs: list[tuple[str, Any]]) -> Object:
    made = Object(pairs)
    if len(made) != len(pairs):
        keys = [key for key, _ in pairs]
        made.twice = tuple(sorted({key for key in keys if keys.count(key) > 1}))
    return made


DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=Number, parse_float=Number, parse_constant=Number
)
"""For whole texts and, by `raw_decode`, for values within one."""


def named(value: Any) -> str:
    """A value in words, for a fault."""
    if value is None:
        return "null"
    if isinstance(value, str):
        return f"the text {shown(value)!r}"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    return "an object" if isinstance(value, dict) else shown(value).lower()


def joined(path: str, name: str) -> str:
    """The path of a field below another path."""
    return f"{path}.{name}" if path and name else path or name


def report_twice(file: str, path: str, item: Object, faults: Faults) -> None:
    """Note every field that stands twice in an object."""
    for key in item.twice:
        faults.add(
            file, joined(path, shown(key)), "this field twice", "each field once", "Take one of them out."
        )
