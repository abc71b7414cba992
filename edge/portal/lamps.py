# SPDX-License-Identifier: Apache-2.0
"""Lamps and horns at the doors: what a door says, as levels on readers' outputs. Knows no reader's protocol.

Red stands while the door says STOP or HOLD. Green is a pulse that ends by itself, so that nothing is lit
green when nobody watches.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from edge import words
from edge.doors import Door

GO_S: Final = 3.0
"""As long as a driver at walking pace needs to look up and go."""

HORN_S: Final = 1.5

STOP, GO, HORN = "stop", "go", "horn"

_log = logging.getLogger("zonegate.service")


class Switch(Protocol):
    """Switches one output; see `drivers.llrp.client.Reader.set_output`."""

    def __call__(self, port: int, on: bool, /, *, for_s: float | None = None) -> None:
        """Set a level, for so long, or until it is set again."""
        ...


@dataclass(frozen=True, slots=True)
class Lamp:
    """One output: what it `shows`, and how it is switched."""

    port: int
    shows: str
    switch: Switch


class Lamps:
    """All outputs of a node, by door. `door_of` gives a door as it is now."""

    def __init__(self, lamps: Mapping[str, Iterable[Lamp]], door_of: Callable[[str], Door]) -> None:
        self._lamps = {door: tuple(these) for door, these in lamps.items()}
        self._door_of = door_of
        self._red: dict[str, bool] = {}
        self._turn: dict[str, int] = {}

    def show(self, door: str) -> None:
        """What the door says has changed; "" is no door."""
        lamps = self._lamps.get(door)
        if not lamps:
            return
        at = self._door_of(door)
        shown = at.shown
        red = shown.told and shown.state in (words.STOP, words.HOLD)
        news = shown.told and self._turn.get(door) != at.turn
        for lamp in lamps:
            if lamp.shows == STOP and self._red.get(door) != red:
                self._set(lamp, red, None)
            elif lamp.shows == GO and red:
                self._set(lamp, False, None)
            elif lamp.shows == GO and news and shown.state == words.ACCEPTED:
                self._set(lamp, True, GO_S)
            elif lamp.shows == HORN and news and shown.state == words.STOP:
                self._set(lamp, True, HORN_S)
        self._red[door] = red
        if shown.told:
            self._turn[door] = at.turn

    def _set(self, lamp: Lamp, on: bool, for_s: float | None) -> None:
        try:
            lamp.switch(lamp.port, on, for_s=for_s)
        except ValueError as error:  # a fault of ours; a lamp stops no door
            _log.error("output %d: %s", lamp.port, error)
