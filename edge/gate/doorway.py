# SPDX-License-Identifier: Apache-2.0
"""What is open at a door while things move: its eyes, the session from quiet to quiet, when that is over.

Knows neither reads nor how they are judged.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from drivers.read import InputChange
from edge.evidence import Known, Loaded
from edge.passage import GateSettings, Layout, Passage

from .eyes import BLIND_AFTER, EyeState
from .tracks import Track

__all__ = ["Door", "Session"]


@dataclass(slots=True)
class Session:
    """From quiet to quiet at one door. Told of only when something is on the move or an eye is touched."""

    passage: str
    door: str
    opened_us: int
    inputs: list[InputChange]
    known: dict[bytes, Known]
    told: bool = False
    active_us: int = 0
    moving_us: int | None = None
    tracks: dict[bytes, Track] = field(default_factory=dict)
    sighted: set[bytes] = field(default_factory=set)
    lost: list[tuple[str, int]] = field(default_factory=list)
    left_out: int = 0

    def heard(self, track: Track, at: int) -> None:
        """A tag that does not rest is about; `moving_us` is of those that were seen to move. Neither makes
        the session end sooner than it would have, whenever `at` was.
        """
        self.active_us = max(self.active_us, at)
        if track.moves:
            if self.moving_us is None:
                self.moving_us = self.active_us
            elif at > self.moving_us:
                self.moving_us = at


class Door:
    """One door: its eyes, the session that is open, the load that crossed last, and when a read of something
    that does not rest there was last left out.
    """

    __slots__ = ("eyes", "loaded", "missed_us", "name", "opened_us", "session", "spots")

    def __init__(self, name: str, layout: Layout) -> None:
        self.name = name
        self.eyes = {(eye.device, eye.port): EyeState(eye) for eye in layout.eyes if eye.door == name}
        self.spots = [at for at, antenna in enumerate(layout.antennas) if antenna.door == name]
        self.session: Session | None = None
        self.loaded: Loaded | None = None
        self.opened_us = -1
        self.missed_us = -1

    def crossed(self, passage: Passage, confidence_min: int) -> None:
        """A load was found to have crossed: it is remembered, and which eyes missed it. A low load crosses
        under that at load height, and a doubtful one may not have been there.
        """
        assert passage.direction is not None
        self.loaded = Loaded(passage.direction.value, passage.closed_us)
        sure = passage.eyes and passage.confidence >= confidence_min
        for eye in self.eyes.values():
            if sure or eye.eye.place != "height":
                eye.passed(passage.opened_us)

    def blind(self) -> tuple[tuple[str, int], ...]:
        """The eyes, by device and port, that saw nothing of the last loads."""
        return tuple(key for key, eye in self.eyes.items() if eye.missed >= BLIND_AFTER)

    def ill(self) -> Iterator[tuple[str, str]]:
        """The eyes that are left out of account, by device, each as a sentence for a supervisor."""
        for (device, port), eye in self.eyes.items():
            if eye.ill:
                what = "eye at load height" if eye.eye.place == "height" else f"{eye.eye.place} eye"
                yield device, f"The {what} of {self.name} (input {port}) {eye.ill}: clean it or align it."

    def cut_us(self, settings: GateSettings) -> int:
        """When the session is cut, whatever comes: not while something stands before an eye, nor before what
        passed there could go on, unless it stands for as long as an eye that hangs.
        """
        session = self.session
        assert session is not None
        last = session.opened_us + settings.passage_s_max * 1_000_000
        at_most = last + settings.eye_stuck_s * 1_000_000
        eyes = [eye for eye in self.eyes.values() if not eye.broken and eye.since_us >= session.opened_us]
        if any(eye.blocked for eye in eyes):
            return at_most
        freed = max((eye.since_us for eye in eyes), default=0)
        return max(last, min(freed + (settings.linger_ms + settings.settle_ms) * 1000, at_most))

    def due_us(self, settings: GateSettings) -> int:
        """When the session is over, if nothing more comes."""
        session = self.session
        assert session is not None
        last = self.cut_us(settings)
        eyes = [eye for eye in self.eyes.values() if not eye.broken]
        silent = session.active_us + settings.silence_ms * 1000
        if session.moving_us is not None:
            # What moved is gone or rests: others that are only about are not waited for.
            silent = min(silent, session.moving_us + (settings.silence_ms + settings.rest_ms) * 1000)
        if any(eye.blocked for eye in eyes):
            since = max(eye.since_us for eye in eyes if eye.blocked)
            return min(last, max(since, session.active_us) + settings.eye_stuck_s * 1_000_000)
        freed = max((eye.since_us for eye in eyes if eye.since_us >= session.opened_us), default=None)
        if freed is None:
            return min(last, silent)
        settled = freed + settings.settle_ms * 1000
        return min(last, max(settled, min(silent, freed + settings.linger_ms * 1000)))
