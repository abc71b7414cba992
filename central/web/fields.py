# SPDX-License-Identifier: Apache-2.0
"""What a form of the center is made of: its fields, and what it says of itself. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import msgspec

NAME_LENGTH_MAX: Final = 80
NOTE_LENGTH_MAX: Final = 500


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a form. `kind` is text, note, choice or told (carried along, shown as text)."""

    name: str
    label: str
    kind: str = "text"
    hint: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    length_max: int = NAME_LENGTH_MAX
    may_be_empty: bool = False


@dataclass(frozen=True, slots=True)
class Form:
    """One act: its address, what it says of itself, and the order that its fields make."""

    path: str
    title: str
    lead: str
    follows: str
    button: str
    order: type[msgspec.Struct]
    fields: tuple[Field, ...]


BY: Final = Field("by", "Your name", hint="It stands in the record with what you decide.")
