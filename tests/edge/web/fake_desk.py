# SPDX-License-Identifier: Apache-2.0
"""A dock in memory with two doors: what it says to a code is written in the code itself."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from customs.documents import Direction, Holding, Status
from edge.view import (
    DeviceView,
    DoorView,
    EntryView,
    EpochView,
    HoldView,
    JobView,
    LeaseView,
    LineView,
    LinkView,
    Prompt,
    RecordView,
    Refused,
    SkippedFrame,
    SkippedView,
    StatusView,
)
from gs1 import answer_code
from gs1.printable import printable

EPOCH = "00112233445566778899aabbccddeeff"
STARTED = datetime(2026, 6, 2, 9, 14, 5, tzinfo=UTC)
STANDS = timedelta(minutes=1)
"""A screen shows ACCEPTED for some seconds; what is dated so far ahead is still shown by a busy machine."""
SAID = {
    "ACCEPTED": ("withdrawn", "Withdrawn.", "Load it. Bring the next one."),
    "HOLD": ("unknown-load", "This load is not known.", "Set it aside. Call the supervisor."),
    "STOP": ("not-on-permit", "Not on this truck's permits.", "Take it back."),
    "ASK": ("quantity-needed", "How many are there?", "Enter the quantity."),
    "SEALS": ("seals", "The seals do not match the papers.", "Do not unload. Call the supervisor."),
}
LINES = (
    LineView(
        "06-0609-1",
        "1",
        "09521999001058",
        "TOOL-12 cordless drill",
        "NPF",
        "EA",
        Decimal(2500),
        Decimal(1500),
        Decimal(1000),
    ),
    LineView(
        "06-0609-1",
        "2",
        "09521999001065",
        "BRKT-9 steel bracket",
        "PF",
        "EA",
        Decimal(1250),
        Decimal(1250),
        Decimal(0),
    ),
)
RECORD = RecordView(
    (
        EpochView(EPOCH, 102, 100, "key changed", STARTED, "cd" * 32),
        EpochView("f" * 32, 40, 40, "first start", STARTED, "ab" * 32),
    ),
    (
        LeaseView("06-0609-1", "1", "TOOL-12 cordless drill", "EA", Decimal(2500), Decimal(1500),
                  Decimal(100), Decimal(250), Decimal(900), {"dock-b": Decimal(125)}),
        LeaseView("06-0609-1", "2", "BRKT-9 steel bracket", "EA", Decimal(1250), Decimal(1250), Decimal(0),
                  Decimal(0), Decimal(0), {}),
    ),
    3, False, "lies ready", 2048 * 1024 * 1024,
)  # fmt: skip
ASKED = Prompt("quantity", "hold-1", "TOOL-12 cordless drill: how many EA?")
JOBS = (
    JobView("OUT-0609", "TRAILER 4711", "Example Carrier", "out1", Direction.OUT, "open", ("S-90017",), False,
            24, 11, ("095219990000000709", "095219990000000716"), LINES),
    JobView("IN-0609", "TRAILER 0815", "Example Carrier", "in1", Direction.IN, "planned", (), False,
            25, 0, ()),
)  # fmt: skip


class FakeDesk:
    """Implements `edge.view.Desk`. A code STOP... is a STOP, HOLD... a Hold, ASK... asks for a quantity."""

    def __init__(self) -> None:
        self.seq = 100
        self.scans: list[tuple[str, bytes, str, str]] = []
        self.scanned = asyncio.Event()
        self.acts: list[tuple[Any, ...]] = []
        self.answered: dict[str, DoorView] = {}
        self.queues: set[asyncio.Queue[str | None]] = set()
        self.jobs = list(JOBS)
        self.holds: list[HoldView] = []
        self.links = [LinkView("center", "Up", 0, "Everything has been taken.", None)]
        self.devices: tuple[DeviceView, ...] = (
            DeviceView("serial-out1", "out1", "Up", "Reads.", 1204, 0, 1, STARTED),
            DeviceView("serial-in1", "in1", "Down", "Unplugged: plug it in again.", 88, 3, 2, STARTED),
        )
        self.recording = ""
        self.code_in_story = "095219990000000013"
        self.doors = {
            "out1": self._ready("out1", "Outbound 1", self.jobs[0]),
            "in1": self._ready("in1", "Inbound 1", None),
        }

    # what the tests arrange

    def say(self, door: str, state: str, code: str = "(00)095219990000000709", **more: Any) -> DoorView:
        """Set a door's state as if it had just come about, and tell everybody."""
        self.seq += 1
        reason, sentence, step = SAID.get(state, ("ready", "Ready.", "Scan the next load."))
        verdict = "HOLD" if state in ("ASK", "SEALS") else state
        values: dict[str, Any] = {
            "state": verdict, "reason": reason, "sentence": sentence, "step": step, "code": code,
            "position": self.position, "at": datetime.now(UTC) + STANDS,
            "quantity": None, "unit": None, "product_name": None,
            "prompt": ASKED if state == "ASK" else None,
        } | more  # fmt: skip
        view = self.doors[door] = msgspec.structs.replace(self.doors[door], **values)
        self.tell(door)
        return view

    def tell(self, name: str | None) -> None:
        for queue in list(self.queues):
            queue.put_nowait(name)

    def hold(self, hold: str = "hold-1", code: str = "(00)095219990000009999") -> None:
        reason, sentence, step = SAID["HOLD"]
        self.holds.append(
            HoldView(
                hold,
                "out1",
                "OUT-0609",
                code,
                reason,
                sentence,
                step,
                STARTED,
                ("deposit", "refused", "cleared"),
            )
        )
        self.tell("")

    @property
    def position(self) -> str:
        return f"{EPOCH}:{self.seq}"

    # edge.view.Desk

    def status(self) -> StatusView:
        return StatusView(
            "example", "zone-999", "dock-a", "America/New_York", "0.1.0", self.position, self.recording, True,
            tuple(self.doors.values()), self.devices, tuple(self.holds), tuple(self.jobs), tuple(self.links),
            tuple(self._story()), RECORD,
        )  # fmt: skip

    async def rotate_key(self, by: str) -> str:
        self.acts.append(("rotate", by))
        return "ab" * 32

    def door(self, door: str) -> DoorView:
        return self.doors[door]

    def inventory(self, text: str = "", limit: int = 500) -> list[Holding]:
        rows = [
            Holding("/00/095219990000000709", "095219990000000709", "09521999001058", Decimal(125), "EA",
                    "Example Tools", Status.NPF, "T2601"),
            Holding("/00/095219990000000716", "095219990000000716", "09521999001065", Decimal("250.5"), "EA",
                    "Example Brackets", Status.PF, "B17"),
        ]  # fmt: skip
        return [row for row in rows if text in f"{row.key} {row.lot} {row.owner}"][:limit]

    def decode(self, code: bytes) -> dict[str, Any]:
        return answer_code(code, date(2026, 6, 3))

    def skipped(self, device: str) -> SkippedView:
        if device != "gate-1":
            raise Refused(f"This node has no reader {device!r}.")
        return SkippedView(device, 3, (SkippedFrame(STARTED, "cut off", 12, "043d0000000c000000010000"),))

    async def entries(self, after: str | None, limit: int) -> list[EntryView]:
        return self._story()[:limit]

    async def story(self, text: str) -> list[EntryView]:
        return self._story() if text in self.code_in_story else []

    def subscribe(self) -> asyncio.Queue[str | None]:
        queue: asyncio.Queue[str | None] = asyncio.Queue(64)
        self.queues.add(queue)
        return queue

    def unsubscribe(self, queue: asyncio.Queue[str | None]) -> None:
        self.queues.discard(queue)

    async def scan(self, door: str, code: bytes, client_id: str, by: str) -> DoorView:
        if client_id in self.answered:
            return self.answered[client_id]
        self.scans.append((door, code, client_id, by))
        self.scanned.set()
        text = printable(code)
        state = next((word for word in ("STOP", "HOLD", "ASK") if text.startswith(word)), "ACCEPTED")
        counted = self.doors[door].counted + (state == "ACCEPTED")
        goods = {"quantity": Decimal(125), "unit": "EA", "product_name": "TOOL-12 cordless drill"}
        view = self.say(
            door, state, text, counted=counted, can_undo=counted > 0, **(goods if state != "HOLD" else {})
        )
        self.answered[client_id] = view
        return view

    async def quantity(self, door: str, hold: str, quantity: str, client_id: str, by: str) -> DoorView:
        self.acts.append(("quantity", door, hold, quantity, client_id, by))
        if Decimal(quantity) > 1000:
            raise Refused(f"{quantity} came, at most 1000 are left: count again")
        return self.say(
            door, "ACCEPTED", counted=self.doors[door].counted + 1, can_undo=True, quantity=Decimal(quantity),
            unit="EA", product_name="TOOL-12 cordless drill",
        )  # fmt: skip

    async def undo(self, door: str, client_id: str, by: str) -> DoorView:
        self.acts.append(("undo", door, client_id, by))
        return self.say(
            door, "READY", counted=self.doors[door].counted - 1, can_undo=False, reason="undone",
            sentence="Undone.", step="Scan it again, or bring the next load.",
        )  # fmt: skip

    async def open_job(self, door: str, job: str, seals: tuple[str, ...] | None, by: str) -> JobView:
        self.acts.append(("open", door, job, seals, by))
        return self._set_job(door, job, "open")

    async def close_job(self, door: str, by: str) -> JobView:
        self.acts.append(("close", door, by))
        job = next((job.job for job in self.jobs if job.door == door and job.state == "open"), None)
        if job is None:
            raise Refused(f"no truck is open at door {door}")
        return self._set_job(door, job, "closed")

    async def decide(
        self, hold: str, decision: str, note: str, by: str, quantity: str | None = None
    ) -> HoldView:
        found = next((view for view in self.holds if view.hold == hold), None)
        if found is None:
            raise Refused(f"hold {hold} does not wait for a decision")
        if decision not in found.choices:
            raise Refused(f"{decision!r} is no decision for this hold; it may be {', '.join(found.choices)}")
        if decision == "deposit" and quantity is None:
            raise Refused("how many are there? Enter the quantity")
        self.holds.remove(found)
        self.acts.append(("decide", hold, decision, note, by, quantity))
        self.tell("")
        return found

    def metrics(self) -> dict[str, Any]:
        return {
            "zonegate_journal_entries": 42,
            "zonegate_reads_total": [({"device": 'a"b'}, 7), ({"device": "c"}, 2)],
        }

    def _ready(self, door: str, name: str, job: JobView | None) -> DoorView:
        step = "Scan the next load." if job else "Scan the work order."
        return DoorView(
            door, name, "READY", "ready", "Ready." if job else "No truck is open.", step, "", None, None,
            None,
            job.counted if job else 0, job.planned if job else 0, job, None, False, self.position, STARTED,
        )  # fmt: skip

    def _set_job(self, door: str, job: str, state: str) -> JobView:
        for index, view in enumerate(self.jobs):
            if view.job == job:
                self.jobs[index] = msgspec.structs.replace(view, state=state)
                self.tell("")
                return self.jobs[index]
        raise Refused(f"{job} is not planned for door {door}")

    def _story(self) -> list[EntryView]:
        return [
            EntryView(
                f"{EPOCH}:100",
                "e-100",
                "withdrawal",
                "out1",
                STARTED,
                f"125 EA TOOL-12 left: {self.code_in_story}",
            ),
            EntryView(f"{EPOCH}:99", "e-99", "hold", "out1", STARTED, "unknown load"),
        ]
