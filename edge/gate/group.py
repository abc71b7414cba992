# SPDX-License-Identifier: Apache-2.0
"""Tags that went together through the door."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from .claims import UNITS
from .hearing import Heard
from .own import Own
from .way import Way

__all__ = ["LIKELY", "Group"]

LIKELY: Final = 0.99
"""Only what is surer than this to have gone with the others is told."""


@dataclass(slots=True, eq=False)
class Group:
    """Tags that went together, their way, how surely each of them went it, the bodies that went with them."""

    tags: list[Heard]
    bodies: tuple[int, ...]
    way: Way
    sureness: dict[bytes, float]
    belief: float = 0.0
    """How surely it crossed, by what its tags tell each by itself."""
    doubts: dict[bytes, float] = field(default_factory=dict)
    """How surely a tag crossed, of those that go by what they tell alone."""
    went: dict[bytes, float] = field(init=False)
    """How surely each tag went with the others by its levels, before anything is doubted."""
    opinion: float | None = None
    """How surely its cases went, by all that is known of them; None where they were not asked so."""
    surest: Own | None = None
    """What the surest of its tags tells; None where none tells by itself that it crossed."""

    def __post_init__(self) -> None:
        self.went = dict(self.sureness)

    @property
    def sense(self) -> int:
        """1 out, -1 in, whichever is likelier."""
        if self.surest is not None and self.surest.body is not None:
            return self.surest.sense
        return 1 if self.way.out >= self.way.back_in else -1

    @property
    def crossings(self) -> Sequence[int]:
        """Each time it crossed: 1 outwards, -1 inwards."""
        if self.surest is not None and self.surest.body is not None:
            return self.surest.crossings
        return self.way.crossings()

    @property
    def back(self) -> bool:
        """Whether it ended where it began."""
        if self.surest is not None and self.surest.body is not None:
            return len(self.surest.crossings) % 2 == 0
        return self.way.stayed > max(self.way.out, self.way.back_in)

    def moved(self) -> list[Heard]:
        """The tags that surely went that way."""
        return [tag for tag in self.tags if self.sureness[tag.epc] > LIKELY]

    def crossed_at(self) -> float | None:
        """The moment of its last crossing."""
        if self.surest is not None and self.surest.body is not None:
            return self.surest.at
        return self.way.crossed_at()

    @property
    def has_unit(self) -> bool:
        """Whether the label of a whole pallet is among those that went."""
        return any(tag.epc[0] in UNITS for tag in self.moved())
