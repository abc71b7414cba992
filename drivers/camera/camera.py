# SPDX-License-Identifier: Apache-2.0
"""One camera: kept open, its pictures turned into Reads off the event loop, its health told in sentences.

May not know doors, jobs or what a code means.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from random import Random

from drivers.errors import LinkLost, Retryable
from drivers.pauses import pauses
from drivers.read import Read
from drivers.scanner import Clock, Health, State

from .address import parse_camera_url
from .evidence import FrameEvidence
from .eyes import Eyes, load_eyes
from .folder import Seen
from .in_view import InView, raw
from .look import Look, Scan
from .looking import Event, Looking, Opened, Tally, Trouble
from .settings import CameraCounts, CameraSettings
from .shots import Ended
from .sources import Source, open_source

__all__ = ["Camera"]


class Camera:
    """Runs one camera. `chance` spreads the attempts to reopen.

    Raises LinkUrlError when `url` can never mean a camera. `load` and `opener` are what brings the libraries
    and opens a camera; only tests hand in others.
    """

    def __init__(
        self,
        name: str,
        url: str,
        settings: CameraSettings,
        clock: Clock,
        chance: Random | None = None,
        *,
        load: Callable[[CameraSettings], Eyes] = load_eyes,
        opener: Callable[..., Source] = open_source,
    ) -> None:
        self._address = parse_camera_url(url)
        self.name = name
        self._settings = settings
        self._clock = clock
        self._chance = chance or Random()  # noqa: S311 - spreads retries, keeps no secret
        self._load, self._opener = load, opener
        self._tally = Tally(last_ns=clock.monotonic_ns())
        self._look: Look | None = None
        self._seen = Seen(existing=self._address.existing)
        self._handed = CameraCounts()
        self._trouble_ns: int | None = None
        self._told = Health(name, State.CLOSED, "not started", self._handed, clock.now())
        self._on_read: Callable[[Read, FrameEvidence], None] = _nobody
        self._on_health: Callable[[Health], None] = _nobody

    @property
    def counts(self) -> CameraCounts:
        """What passed so far."""
        tally, look = self._tally, self._look
        return replace(
            self._handed,
            pictures=tally.pictures,
            looked=tally.looked,
            stale=tally.passed_over + tally.late,
            broken=tally.unread + tally.unusable,
            codes=look.codes if look else 0,
            others=look.others if look else 0,
            doubtful=look.doubtful if look else 0,
            dropped=look.surplus if look else 0,
        )

    @property
    def health(self) -> Health:
        """The state as last told, with the counts of this moment (CameraCounts)."""
        return replace(self._told, counts=self.counts)

    async def run(
        self, on_read: Callable[[Read, FrameEvidence], None], on_health: Callable[[Health], None]
    ) -> None:
        """Read until cancelled, reopening the camera whenever it is lost; never ends by itself.

        Both functions are called on the event loop and must return at once. A label is read once while it is
        in view. `on_health` is called on each change of state, and for each further finding that a person
        should know.
        """
        self._on_read, self._on_health = on_read, on_health
        waits = self._pauses()
        self._tell(State.OPENING, f"opening {self._address.shown}")
        try:
            while True:
                before = self._tally.pictures
                try:
                    await self._use()
                except Retryable as error:
                    seconds = f"{self._settings.retry_s_max:g} s"
                    self._tell(State.LOST, f"{error}; trying again at least every {seconds}")
                except Ended as over:
                    self._tell(State.READY, str(over))
                    if not self._address.repeat:
                        await asyncio.Event().wait()
                    if self._look is not None:
                        self._look.view.clear()
                if self._tally.pictures > before:
                    waits = self._pauses()
                # What opens and dies at once waits longer each time.
                await asyncio.sleep(next(waits))
        finally:
            self._tell(State.CLOSED, "stopped")

    def _pauses(self) -> Iterator[float]:
        return pauses(self._settings.retry_s_min, self._settings.retry_s_max, self._chance)

    async def _use(self) -> None:
        """One opening of the camera, until it is lost. Raises Retryable or Ended."""
        if self._look is None:
            eyes = await asyncio.to_thread(self._load, self._settings)
            view = InView(int(self._settings.gone_s * 1e9))
            self._look = Look(eyes, self._settings, view, self._address.live)
        cv2 = self._look.eyes.cv2
        looking = Looking(
            lambda wait: self._opener(cv2, self._address, self._clock, wait, self._seen),
            self._look,
            self._take,
            self._clock,
            self._settings,
            self._tally,
        )
        self._tally.last_ns = self._clock.monotonic_ns()
        looking.start()
        try:
            while not await looking.ended(_BEAT_S):
                if self._address.live and self._silent_s() > self._settings.silent_s:
                    await self._give_up(looking)
            looking.result()
        finally:
            looking.stop()
            await looking.ended(_CLOSE_S)

    def _silent_s(self) -> float:
        return (self._clock.monotonic_ns() - self._tally.last_ns) / 1e9

    async def _give_up(self, looking: Looking) -> None:
        """End a camera that sends nothing. Raises LinkLost once it was given back, for no two may have it."""
        sentence = f"{self._address.shown} sent no picture for {self._silent_s():.0f} s"
        self._tell(State.LOST, f"{sentence}; it is being closed")
        looking.stop()
        while not await looking.ended(_BEAT_S):
            pass
        raise LinkLost(sentence)

    def _take(self, event: Event) -> None:
        match event:
            case Opened():
                if self._told.state is State.LOST:
                    self._handed = replace(self._handed, reconnects=self._handed.reconnects + 1)
                self._tell(State.READY, self._ready())
            case Scan(symbol, at, at_ns, evidence):
                handed = self._handed
                self._handed = replace(
                    handed, frames=handed.frames + 1, bytes=handed.bytes + len(raw(symbol))
                )
                self._on_read(Read(self.name, symbol.code, symbol.aim, at, at_ns, "camera"), evidence)
            case Trouble(detail):
                self._tell_trouble(detail)
            case None:
                self._tell_sight()

    def _ready(self) -> str:
        assert self._look is not None
        decoder = self._look.eyes.decoder
        lacks = f"; it cannot read {', '.join(decoder.lacks)}" if decoder.lacks else ""
        return f"ready, codes are read by {decoder.name}{lacks}"

    def _tell_sight(self) -> None:
        blind = None if self._look is None else self._look.blind
        if blind is not None and self._told.state is not State.BLIND:
            self._tell(State.BLIND, blind)
        elif blind is None and self._told.state is State.BLIND:
            self._tell(State.READY, self._ready())

    def _tell_trouble(self, detail: str) -> None:
        # One sentence a second is enough to say it; the counts say the rest.
        now_ns = self._clock.monotonic_ns()
        if self._trouble_ns is None or now_ns - self._trouble_ns >= _SECOND_NS:
            self._trouble_ns = now_ns
            self._tell(self._told.state, detail)

    def _tell(self, state: State, detail: str) -> None:
        if state is State.LOST and (state, detail) == (self._told.state, self._told.detail):
            return  # one more attempt with the same end is no news
        since = self._told.since if state is self._told.state else self._clock.now()
        self._told = Health(self.name, state, detail, self.counts, since)
        self._on_health(self._told)


_BEAT_S = 1.0
"""How often a camera's silence is looked at."""

_CLOSE_S = 2.0
"""How long a camera that is not wanted any more is waited for; its thread gives it back in any case."""

_SECOND_NS = 1_000_000_000


def _nobody(*_: object) -> None:
    return None
