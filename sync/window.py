# SPDX-License-Identifier: Apache-2.0
"""What has been sent and not yet answered, in the log's order, so that a cursor moves in order only.

Pure: the publisher tells what was sent and what the broker answered, and asks how far all is answered.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from sync.entry import Entry, Place


@dataclass(slots=True, eq=False)
class Flight:
    """One entry on its way. `mid` is set while an answer is awaited, `refusal` says why it was refused.

    A refusal stays until a later attempt is answered well, so that an alarm does not flicker.
    """

    place: Place
    entry: Entry
    door_sequence: int = 0
    mid: int | None = None
    refusal: str | None = None
    done: bool = False


class Window:
    """Flights in the order of their places. Several may be unanswered; `advance` passes none of them."""

    def __init__(self) -> None:
        self._flights: deque[Flight] = deque()
        self._by_mid: dict[int, Flight] = {}

    def __len__(self) -> int:
        return len(self._flights)

    @property
    def unanswered(self) -> int:
        """How many await an answer: what counts against the broker's Receive Maximum."""
        return len(self._by_mid)

    @property
    def first(self) -> Flight | None:
        """The oldest flight that is not done."""
        return next((flight for flight in self._flights if not flight.done), None)

    @property
    def refused(self) -> Flight | None:
        """The oldest flight that was refused."""
        return next((flight for flight in self._flights if flight.refusal is not None), None)

    def add(self, flight: Flight) -> None:
        """Take the entry that follows all taken before."""
        self._flights.append(flight)

    def sent(self, flight: Flight, mid: int) -> None:
        """The flight was sent under this message id."""
        flight.mid = mid
        self._by_mid[mid] = flight

    def answered(self, mid: int, refusal: str | None) -> Flight | None:
        """The broker answered; the flight of this message id, None when there is none."""
        flight = self._by_mid.pop(mid, None)
        if flight is not None:
            flight.mid, flight.refusal, flight.done = None, refusal, refusal is None
        return flight

    def leave_out(self, place: Place) -> None:
        """The entry at `place` is not to be sent any more."""
        for flight in self._flights:
            if flight.place == place:
                flight.refusal, flight.done = None, True

    def advance(self) -> Place | None:
        """Forget the oldest flights that are done; the place of the last of them, None without any."""
        place = None
        while self._flights and self._flights[0].done:
            place = self._flights.popleft().place
        return place

    def clear(self) -> None:
        """Forget all: the connection is gone, what was not answered is sent again."""
        self._flights.clear()
        self._by_mid.clear()
