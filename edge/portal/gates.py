# SPDX-License-Identifier: Apache-2.0
"""The node's RFID readers and the one gate that judges what all of them say. Knows no protocol and no rule.

What readers hand on goes through the gate at once, on the loop, and what the gate says goes to whoever asked
for it. What is over is judged in a thread of its own, one after the other, so that no door waits. A reader
that is away is told to the gate; nothing that one reader sends stops another.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict
from functools import partial
from typing import Final

from drivers.read import InputChange, TagRead
from drivers.scanner import Health, State
from edge.evidence import Evidence, encode
from edge.gate import Ended, Gate, find
from edge.passage import Closed, GateSettings, Layout, Opened, Sighted

Event = Opened | Sighted | Closed

KEPT_GAP_US: Final = 60_000_000

_log = logging.getLogger("zonegate.service")


class Gates:
    """One gate over all antennas and eyes of `layout`.

    `now_us` is the machine's monotonic clock, `run` names this run of the machine, `on_events` takes what the
    gate says and returns at once. `on_lost` is told of what a fault of the program left unjudged: the door,
    the passage's name and its evidence.
    """

    def __init__(
        self,
        layout: Layout,
        settings: GateSettings,
        now_us: Callable[[], int],
        run: str,
        on_events: Callable[[Sequence[Event]], None],
        on_lost: Callable[[str, str, bytes], None],
    ) -> None:
        self.gate = Gate(layout, settings, run=run, apart=True)
        self.faults = 0
        self._layout, self._settings, self._run = layout, settings, run
        self._kept_us: dict[str, int] = {}
        self._now_us = now_us
        self._on_events = on_events
        self._on_lost = on_lost
        self._timer: asyncio.TimerHandle | None = None
        self._due_us: int | None = None
        self._judges = ThreadPoolExecutor(1, "gate")
        self._judging: set[asyncio.Future[list[Opened | Closed]]] = set()

    def left_out(self) -> dict[str, int]:
        """What the gate could not take since start, by reason; `faults` are the program's own."""
        return {"faults": self.faults, **asdict(self.gate.counts)}

    def take_tags(self, reads: list[TagRead]) -> None:
        """Reads of any reader, in the order in which they came."""
        self._tell(lambda: self.gate.take_tags(reads, self._now_us()), reads=reads)

    def take_input(self, change: InputChange) -> None:
        """An input of any reader changed."""
        self._tell(lambda: self.gate.take_input(change), inputs=[change])

    def take_health(self, health: Health) -> None:
        """A reader's health; without its link nothing is known of its antennas and eyes."""
        if health.state in (State.LOST, State.CLOSED):
            self._tell(lambda: self.gate.reader_lost(health.device, self._now_us()))

    async def finish(self) -> None:
        """Nothing more comes: what is on its way through a door is judged by what was seen of it."""
        self._tell(lambda: self.gate.finish(self._now_us()))
        self._unwind()
        while self._judging:
            await asyncio.wait(self._judging)
        self._judges.shutdown(wait=False)

    def _tell(
        self,
        ask: Callable[[], Sequence[Event | Ended]],
        *,
        reads: Sequence[TagRead] = (),
        inputs: Sequence[InputChange] = (),
    ) -> None:
        """Say what the gate answers to `reads` or `inputs`, or to the time where there are none."""
        try:
            events = ask()
        except Exception:  # noqa: BLE001 - whatever a reader sends, the doors and the other readers go on
            self.faults += 1
            _log.exception("the gate could not take what came; this is a fault of the program")
            self._lose(reads, inputs)
            return
        finally:
            self._wind()
        said = [event for event in events if not isinstance(event, Ended)]
        if said:
            self._on_events(said)
        for event in events:
            if isinstance(event, Ended):
                self._judge(event)

    def _lose(self, reads: Sequence[TagRead], inputs: Sequence[InputChange]) -> None:
        """What came was not taken: keep it, tell its doors, and be sure of nothing that is under way there.

        A program that fails does so with every report, so of each door this is kept once in KEPT_GAP_US.
        """
        now_us = self._now_us()
        devices = {read.device for read in reads} | {change.device for change in inputs}
        # Its own time counts: what comes next may be as old.
        lost_us = min([read.first_us for read in reads] + [change.at_us for change in inputs], default=now_us)
        for device in devices:
            with suppress(Exception):  # it may be broken altogether
                self.gate.reader_lost(device, lost_us)
        parts = [(part.device, part.door) for part in self._layout.antennas]
        parts += [(part.device, part.door) for part in self._layout.eyes]
        for door in dict.fromkeys(door for device, door in parts if not devices or device in devices):
            if now_us - self._kept_us.get(door, -KEPT_GAP_US) < KEPT_GAP_US:
                continue
            self._kept_us[door] = now_us
            name = f"{self._run}{door}-lost-{now_us}"
            seen = (self._layout, self._settings, tuple(reads), tuple(inputs))
            self._on_lost(door, name, _encoded(Evidence(name, door, now_us, now_us, *seen, final=False)))

    def _judge(self, ended: Ended) -> None:
        try:
            found = asyncio.get_running_loop().run_in_executor(self._judges, find, ended)
        except RuntimeError:
            return  # the node has stopped
        self._judging.add(found)
        found.add_done_callback(partial(self._judged, ended.evidence))

    def _judged(self, seen: Evidence, found: asyncio.Future[list[Opened | Closed]]) -> None:
        self._judging.discard(found)
        if found.cancelled():
            return
        error = found.exception()
        if error is not None:
            self.faults += 1
            _log.error("a passage could not be judged; this is a fault of the program", exc_info=error)
            self._on_lost(seen.door, seen.passage, _encoded(seen))
            return
        self.gate.learn(found.result())
        if found.result():
            self._on_events(found.result())

    def _unwind(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _wind(self) -> None:
        """Be called when the gate's next deadline has come."""
        due_us = self.gate.deadline_us
        if due_us == self._due_us and self._timer is not None:
            return
        self._unwind()
        self._due_us = due_us
        if due_us is not None:
            wait_s = max(0.0, (due_us - self._now_us()) / 1e6)
            self._timer = asyncio.get_running_loop().call_later(wait_s, self._tick)

    def _tick(self) -> None:
        self._timer = None
        self._tell(lambda: self.gate.tick(self._now_us()))


def _encoded(seen: Evidence) -> bytes:
    """Evidence as bytes; none where packing it is what fails."""
    with suppress(Exception):
        return encode(seen)
    return b""


def sources(layout: Layout) -> Iterator[tuple[str, str]]:
    """Each door with the device whose antenna stands there first."""
    parts = [(antenna.door, antenna.device) for antenna in layout.antennas]
    parts += [(eye.door, eye.device) for eye in layout.eyes]
    seen = set()
    for door, device in parts:
        if door not in seen:
            seen.add(door)
            yield door, device
