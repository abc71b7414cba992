# SPDX-License-Identifier: Apache-2.0
"""Telling a script: what people do at the doors, step by step, and what each step must come to.

The storyteller says the outcome; nothing here judges. A *fact* is what one entry in the books must say;
a field that a fact does not state is not part of the truth (a Hold says nothing of a quantity, for one).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from simulators.yard.labels import (
    control,
    digital_link,
    gs1_128,
    gs1_data_matrix,
    item_tag,
    qr_link,
    unit_tag,
    work_order,
)
from simulators.yard.papers import Pallet, Papers, Truck
from simulators.yard.works import WorkOrder

Fact = dict[str, Any]

NO_TAG: Final = "no tag"
"""Stands for the load of a crossing of which no tag was read."""

_ITEM_TAGS: Final = 3


@dataclass(frozen=True, slots=True)
class Until:
    """What a dock must know before its people go on: these `loads` are in the zone, at least so much is left
    of each of these lines, and for `lent`, a line that has nothing left here: whether others hold it.
    """

    loads: tuple[str, ...] = ()
    left: tuple[tuple[str, int], ...] = ()
    lent: tuple[str, bool] | None = None


@dataclass(frozen=True, slots=True)
class Drive:
    """A trip through the RFID gate: how it is driven (see `simulators.yard.drive`), the unit's EPC and those
    of the goods on it, and what the gate may call it in the end.
    """

    manner: str
    unit: bytes
    items: tuple[bytes, ...]
    kinds: tuple[str, ...]
    direction: str | None


@dataclass(frozen=True, slots=True)
class Step:
    """One thing done. Steps of one door are done in order; a phase begins when the one before is over.

    `act`: "scan" (`code` reaches the wire `times` times at once, `manner` "whole" or "split"), "type"
    (`text`, a quantity, at the door's screen), "unplug", "plug", or "call" (`text` names what the world
    does to the service: kill-node, stop-center, start-center, kill-broker, cut-node, join-node), "make" (the
    work order `order` is told to the center), "wait" until the door's dock knows what `until` says, "drive"
    (`drive`, through the RFID gate), or "show" (the label with `code` is held before the door's camera).
    `pause_s` is what the
    people need before it, at real pace. `answer`: what the worker looks for on the screen: "load",
    "opened", "closed", "changed" or "" (does not look). `insist`: scans again until the screen answers.
    `shows` is how the screen may name what was scanned.
    """

    number: int
    phase: int
    door: str
    act: str
    note: str
    code: bytes = b""
    text: str = ""
    times: int = 1
    manner: str = "whole"
    pause_s: float = 0.0
    answer: str = ""
    insist: bool = False
    shows: str = ""
    expect: tuple[Fact, ...] = ()
    until: Until | None = None
    drive: Drive | None = None
    order: WorkOrder | None = None


@dataclass(slots=True)
class _Job:
    """What the storyteller remembers of an open truck, to say what its closing must tell."""

    truck: Truck
    counted: list[str] = field(default_factory=list)


class Story:
    """Collects papers and steps. `chance` gives the people their pace."""

    def __init__(self, papers: Papers, chance: Random) -> None:
        self.papers = papers
        self.steps: list[Step] = []
        self._chance = chance
        self._phase = 1
        self._jobs: dict[str, _Job] = {}

    def next_phase(self) -> None:
        """What follows begins when everything told so far is done."""
        self._phase += 1

    def call(self, text: str, note: str) -> None:
        """The world acts on the service, between two phases."""
        self.next_phase()
        self._add("", "call", note, text=text)
        self.next_phase()

    def makes(self, door: str, order: WorkOrder) -> None:
        """A work order is planned, started, reported and closed, at the center, when the door has come so
        far.
        """
        pumps = sum(pallet.quantity for pallet in order.made)
        self._add(door, "make", f"makes {pumps} of work order {order.name}", text="make", order=order)

    def open(self, truck: Truck) -> None:
        """The worker scans the truck's work order."""
        self._jobs[truck.door] = _Job(truck)
        fact = self._job_fact(truck, "opened")
        self._scan(
            truck.door, work_order(truck.job), f"opens {truck.job}", "opened", truck.job, fact, slow=True
        )

    def close(self, door: str, insist: bool = False) -> None:
        """The worker scans CLOSE: loads of the notice that were not counted are told missing."""
        job = self._jobs.pop(door)
        planned = [pallet.sscc for pallet in job.truck.loads]
        fact = self._job_fact(job.truck, "closed") | {
            "planned": len(planned),
            "counted": len(job.counted),
            "missing": sorted(set(planned) - set(job.counted)),
        }
        note = f"closes {job.truck.job}"
        self._scan(door, control("CLOSE"), note, "closed", job.truck.job, fact, insist=insist)

    def moves(
        self,
        door: str,
        pallet: Pallet,
        *,
        code: bytes = b"",
        manner: str = "whole",
        times: int = 1,
        insist: bool = False,
        looks: bool = True,
        clears: int | None = None,
    ) -> None:
        """The pallet passes and is booked; `clears` is the step whose Hold that settles.

        `looks` False: the worker scans and does not wait for the screen; what the scan must come to is
        told with a later scan of the same pallet.
        """
        if not looks:
            self._scan(door, code or label(pallet), f"scans {_named(pallet)} and looks away", "", "")
            return
        self._count(door, pallet)
        fact = self._movement(door, pallet)
        if clears is not None:
            fact["clears"] = clears
        note = f"{'admits' if fact['type'] == 'admission' else 'withdraws'} {_named(pallet)}"
        self._scan(
            door,
            code or label(pallet),
            note,
            "load",
            _shown(pallet),
            fact,
            manner=manner,
            times=times,
            insist=insist,
        )

    def again(self, door: str, pallet: Pallet, insist: bool = False) -> None:
        """A pallet that is counted is scanned again: the screen says so, the books say nothing."""
        note = f"scans {_named(pallet)} again"
        self._scan(door, label(pallet), note, "load", _shown(pallet), insist=insist)

    def floods(self, door: str, pallet: Pallet, times: int) -> None:
        """The trigger sticks on a pallet that is counted."""
        note = f"the trigger sticks on {_named(pallet)}"
        self._scan(door, label(pallet), note, "", _shown(pallet), times=times)

    def undoes(self, door: str, pallet: Pallet) -> None:
        """The worker takes the last movement back with the UNDO label."""
        movement = self._movement(door, pallet)
        self._jobs[door].counted.remove(_shown(pallet))
        fact = movement | {
            "type": "correction",
            "verdict": "UNDONE",
            "reason": "undo",
            "movement": movement["type"],
        }
        self._scan(door, control("UNDO"), f"takes {_named(pallet)} back", "changed", "", fact)

    def holds(self, door: str, reason: str, code: bytes, shows: str) -> int:
        """A scan that comes to a Hold; returns its step, for whoever clears it."""
        fact = self._refusal(door, "hold", reason, shows)
        return self._scan(door, code, f"holds for {reason}", "load", shows, fact)

    def stops(self, door: str, reason: str, pallet: Pallet, *, left: int | None = None) -> None:
        """A pallet that must not pass; `left` is what its line has left, where a line's limit says so."""
        fact = self._refusal(door, "stop", reason, _shown(pallet))
        if left is not None:
            line = self._jobs[door].truck.line_of(pallet.item)
            fact |= {"quantity": str(pallet.quantity), "line": str(line), "left": str(left)}
        self._scan(door, label(pallet), f"stops {_named(pallet)}: {reason}", "load", _shown(pallet), fact)

    def drives(self, door: str, pallet: Pallet) -> None:
        """The pallet is driven through the gate into the trailer, and booked by its tags."""
        self._count(door, pallet)
        drive = _drive("through", pallet, ("crossed",), self._jobs[door].truck.direction)
        note = f"drives {_named(pallet)} through the gate"
        self._pass(door, note, drive, "load", drive.unit.hex(), self._movement(door, pallet))

    def drives_back(self, door: str, pallet: Pallet) -> None:
        """The pallet comes into the gate and goes back: nothing has moved."""
        drive = _drive("turned", pallet, ("turned",), None)
        self._pass(door, f"turns {_named(pallet)} round in the gate", drive, "", "")

    def drives_unread(self, door: str, pallet: Pallet) -> int:
        """The pallet crosses and none of its tags is read; the step's number, for whoever clears it."""
        drive = _drive("unreadable", pallet, ("unread",), self._jobs[door].truck.direction)
        note = f"drives {_named(pallet)} through the gate, its tags are dead"
        return self._pass(door, note, drive, "changed", "", self._refusal(door, "hold", "no-tag", NO_TAG))

    def drives_empty(self, door: str) -> None:
        """A forklift without a load comes back out of the trailer."""
        drive = Drive(
            "empty", b"", (), ("empty",), "in" if self._jobs[door].truck.direction == "out" else "out"
        )
        self._pass(door, "drives an empty forklift back", drive, "", "")

    def is_stopped(self, door: str, reason: str, pallet: Pallet) -> None:
        """The gate says STOP while the pallet comes, and its driver turns round before it has crossed."""
        drive = _drive("stopped", pallet, ("turned",), None)
        fact = self._refusal(door, "stop", reason, _shown(pallet)) | {"crossed": False}
        note = f"is stopped with {_named(pallet)} at the gate: {reason}"
        self._pass(door, note, drive, "stop", drive.unit.hex(), fact)

    def shows(self, door: str, pallet: Pallet) -> None:
        """The pallet's label is held before the camera, and the pallet booked by it."""
        self._count(door, pallet)
        code = gs1_128(("00", pallet.sscc))
        note = f"shows {_named(pallet)} to the camera"
        fact = self._movement(door, pallet)
        self._add(
            door,
            "show",
            note,
            code=code,
            answer="load",
            shows=pallet.sscc,
            pause_s=self._pace(5),
            expect=(fact,),
        )

    def counts_by_hand(self, door: str, pallet: Pallet) -> None:
        """A label without a count: the Hold asks, the worker types the quantity at the screen."""
        hold = self.holds(door, "quantity-needed", label(pallet, counted=False), _shown(pallet))
        self._count(door, pallet)
        fact = self._movement(door, pallet) | {"clears": hold}
        self._add(
            door,
            "type",
            f"types {pallet.quantity}",
            text=str(pallet.quantity),
            pause_s=self._pace(4),
            answer="changed",
            expect=(fact,),
        )

    def unplugs(self, door: str) -> None:
        """The scanner's cable comes out, and goes in again."""
        self._add(door, "unplug", "pulls the scanner's cable", pause_s=self._pace(2))
        self._add(door, "plug", "plugs the scanner in again", pause_s=self._pace(2))

    def waits(self, door: str, note: str, until: Until) -> None:
        """Nobody goes on at this door before its dock knows."""
        self._add(door, "wait", f"waits: {note}", until=until)

    def ready_to_load(self, door: str) -> None:
        """The loads of the open truck have come into the zone, and its dock is lent what they need."""
        truck = self._jobs[door].truck
        needs: dict[str, int] = {}
        for pallet in truck.loads:
            line = truck.line_of(pallet.item)
            if line is not None:
                needs[str(line)] = needs.get(str(line), 0) + pallet.quantity
        loads = tuple(pallet.sscc for pallet in truck.loads)
        self.waits(door, f"the loads and lines of {truck.job}", Until(loads, tuple(sorted(needs.items()))))

    def _pass(self, door: str, note: str, drive: Drive, answer: str, shows: str, *expect: Fact) -> int:
        pause_s = self._pace(5)
        return self._add(
            door, "drive", note, drive=drive, answer=answer, shows=shows, pause_s=pause_s, expect=expect
        )

    def _movement(self, door: str, pallet: Pallet) -> Fact:
        truck = self._jobs[door].truck
        line = truck.line_of(pallet.item)
        inbound = truck.direction == "in"
        return {
            "type": "admission" if inbound else "withdrawal",
            "door": door,
            "job": truck.job,
            "load": _shown(pallet),
            "verdict": "ACCEPTED",
            "reason": "domestic" if line is None else "admitted" if inbound else "withdrawn",
            "quantity": str(pallet.quantity),
            "line": str(line) if line else None,
            "direction": truck.direction,
            "gtin": pallet.item.gtin,
            "owner": pallet.item.owner,
            "status": pallet.item.status,
        }

    def _refusal(self, door: str, kind: str, reason: str, load: str) -> Fact:
        job = self._jobs.get(door)
        return {
            "type": kind,
            "door": door,
            "job": job.truck.job if job else None,
            "load": load,
            "verdict": kind.upper(),
            "reason": reason,
        }

    def _job_fact(self, truck: Truck, event: str) -> Fact:
        return {
            "type": "job",
            "door": truck.door,
            "job": truck.job,
            "load": None,
            "verdict": "JOB",
            "reason": event,
            "direction": truck.direction,
        }

    def _count(self, door: str, pallet: Pallet) -> None:
        self._jobs[door].counted.append(_shown(pallet))

    def _scan(
        self,
        door: str,
        code: bytes,
        note: str,
        answer: str,
        shows: str,
        *expect: Fact,
        slow: bool = False,
        **how: Any,
    ) -> int:
        pause_s = self._pace(12 if slow else 5)
        return self._add(
            door, "scan", note, code=code, answer=answer, shows=shows, pause_s=pause_s, expect=expect, **how
        )

    def _add(self, door: str, act: str, note: str, **more: Any) -> int:
        number = len(self.steps) + 1
        self.steps.append(Step(number, self._phase, door, act, note, **more))
        return number

    def _pace(self, usual_s: float) -> float:
        return round(usual_s * self._chance.uniform(0.6, 1.4), 2)


def label(pallet: Pallet, counted: bool = True) -> bytes:
    """What the scanner reads from the pallet. The kinds of label alternate with the serial number.

    A GTIN with a lot carries its count in AI 30, for AI 37 belongs to a logistic unit's label only.
    """
    lot = ("10", pallet.lot)
    if not pallet.sscc:
        count = (("30", str(pallet.quantity)),) if counted else ()
        return gs1_data_matrix(("01", pallet.item.gtin), lot, *count)
    unit = ("00", pallet.sscc)
    kind = int(pallet.sscc[8:-1]) % 4
    if kind == 0:
        return gs1_128(unit, ("02", pallet.item.gtin), ("37", str(pallet.quantity)), lot)
    if kind == 1:
        return qr_link(unit)
    if kind == 2:
        return pallet.sscc.encode()
    return gs1_128(unit)


def _drive(manner: str, pallet: Pallet, kinds: tuple[str, ...], direction: str | None) -> Drive:
    """A trip with a pallet: its own tag, and those of some of the goods on it."""
    first = int(pallet.sscc[8:17]) * 1_000
    items = tuple(item_tag(pallet.item.gtin, first + number) for number in range(_ITEM_TAGS))
    return Drive(manner, unit_tag(pallet.sscc), items, kinds, direction)


def damaged(pallet: Pallet, digit: int) -> str:
    """The SSCC of a pallet with one digit misread: its check digit cannot be right any more."""
    wrong = str((int(pallet.sscc[digit]) + 1) % 10)
    return pallet.sscc[:digit] + wrong + pallet.sscc[digit + 1 :]


def _shown(pallet: Pallet) -> str:
    return pallet.sscc or digital_link(("01", pallet.item.gtin), ("10", pallet.lot))


def _named(pallet: Pallet) -> str:
    return f"{pallet.quantity} {pallet.item.name} {pallet.sscc or pallet.lot}"
