# SPDX-License-Identifier: Apache-2.0
"""What stands at a door with an RFID gate: its reader with antennas, photo eyes and lamp, and a camera.

Plays tapes in real time into a simulated reader; what the dock learns of them goes over LLRP. Lays labels
before the camera as pictures in its folder.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Final, Self

from simulators.reader.kinds import IMPINJ
from simulators.reader.server import Reader, monotonic_us
from simulators.reader.sightings import Sighting
from simulators.yard.drive import Tape
from simulators.yard.radio.eyes import EyeChange

__all__ = ["HORN", "LAMP_GO", "LAMP_STOP", "Rig"]

LAMP_STOP, LAMP_GO, HORN = 1, 2, 3
"""The reader's outputs, as the demo's configuration has them."""

_APART_S: Final = 2.0
"""Between what the gate heard of one trip and the next one: nobody drives closer behind another here."""

_PICTURES: Final = 3
_SIZE: Final = (1280, 720)


class Rig:
    """The gate at `door`, its reader on `port`; an async context manager. `pictures` is the camera's folder,
    None where there is no camera.
    """

    def __init__(self, door: str, port: int, pictures: Path | None) -> None:
        self.door = door
        self.pictures = pictures
        self.reader = Reader(IMPINJ, port=port)
        self._shown = 0
        self._heard = 0.0

    async def __aenter__(self) -> Self:
        await self.reader.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.reader.__aexit__(kind, error, trace)

    async def ready(self, within_s: float) -> bool:
        """Whether the dock has set its reader up to read, and watches its eyes, waited for."""
        try:
            await self.reader.until(
                lambda it: it.reading and any(it.device.settings.listening.values()), within_s
            )
        except TimeoutError:
            return False
        return True

    async def clear(self) -> None:
        """Wait until the trip before is well away."""
        await asyncio.sleep(max(0.0, self._heard + _APART_S - time.monotonic()))

    async def dark(self, within_s: float) -> bool:
        """Whether nothing says STOP at this door, waited for: nobody drives before that."""
        return await self._until_lamp(on=False, within_s=within_s)

    async def lit(self, within_s: float) -> float | None:
        """When (time.monotonic) the lamp says STOP; None when it never does."""
        return time.monotonic() if await self._until_lamp(on=True, within_s=within_s) else None

    async def play(self, tape: Tape) -> None:
        """Drive the trip: every read and every eye at its moment."""
        began_us = monotonic_us()
        for told in tape.told:
            at_us = began_us + told.at_us
            ahead_us = at_us - monotonic_us()
            if ahead_us > 0:
                await asyncio.sleep(ahead_us / 1e6)
            if isinstance(told, EyeChange):
                self.reader.set_input(told.port, told.high)
            else:
                seen = Sighting(
                    told.epc,
                    told.antenna,
                    told.rssi_cdbm,
                    at_us=at_us,
                    pc=told.pc,
                    phase=told.phase or 0,
                    channel=told.channel,
                    paced=True,
                )
                self.reader.see(seen)
                self._heard = time.monotonic()
        rest_us = began_us + tape.ends_us - monotonic_us()
        await asyncio.sleep(max(0, rest_us) / 1e6)

    async def show(self, code: bytes) -> None:
        """Hold a label before the camera for a moment."""
        assert self.pictures is not None, "there is a camera"
        self._shown += 1
        await asyncio.to_thread(_take, self.pictures, code, self._shown)

    async def _until_lamp(self, *, on: bool, within_s: float) -> bool:
        try:
            await self.reader.until(lambda it: it.outputs[LAMP_STOP] is on, within_s)
        except TimeoutError:
            return False
        return True


def _take(folder: Path, code: bytes, number: int) -> None:
    """Pictures of a label that passes, as a camera lays them down."""
    # It draws with OpenCV, which a yard without a camera does not need.
    from simulators.camera.film import Lane, lane_pictures, lay_down
    from simulators.camera.scene import CONDITIONS

    lane = Lane(_PICTURES, 1)
    pictures = lane_pictures([code], lane, CONDITIONS["clean"], _SIZE, Random(number))
    for place, picture in enumerate(pictures):
        lay_down(folder / f"{number:03d}-{place}.jpg", picture)
