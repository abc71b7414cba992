# SPDX-License-Identifier: Apache-2.0
"""What one door says now. Knows the books for its count; writes nothing and decides nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Final

from customs.documents import Direction, Product
from edge import words
from edge.adjudicate import Verdict, barred_from, suspended
from edge.books import NodeBooks
from edge.show import job_view
from edge.view import DoorView, Prompt, Refused
from sync.bodies import LoadFacts


@dataclass(frozen=True, slots=True)
class Shown:
    """What stands on a door's screen. `told` is False while an accepted load is being recorded."""

    state: str
    reason: str
    sentence: str
    step: str
    code: str = ""
    load: LoadFacts | None = None
    quantity: Decimal | None = None
    entry_id: str = ""
    told: bool = True
    at: datetime | None = None
    remark: str = ""


class Door:
    """One opening; `turn` counts what was shown, so that a late word cannot replace a newer one; `judged` is
    what was shown of the last read that made an entry, with the read's bytes in hex and its monotonic time;
    `gated` says that goods which pass are read without a scan.
    """

    def __init__(self, door: str, name: str) -> None:
        self.id = door
        self.name = name
        self.turn = 0
        self.judged: Shown | None = None
        self.judged_raw = ""
        self.judged_ns = 0
        self.gated = False
        self.barred: Shown | None = None
        """What stands here whatever else is said, but that nothing can be recorded: the zone is suspended."""
        self.moving: Shown | None = None
        """The STOP of a load that still moves in the door; see `stand`."""
        self.said = self.shown = Shown("READY", "ready-no-job", *words.say("ready-no-job"))

    def say(self, shown: Shown) -> int:
        """Put this on the screen, beneath what has to stand there."""
        self.turn += 1
        self.said = shown
        self.shown = self._before(shown)
        return self.turn

    def stand(self, moving: Shown | None) -> None:
        """A STOP that stays, whatever else is said here, while its load moves in the door; None when none
        does any more.
        """
        self.moving = moving
        self.shown = self._before(self.said)

    def _before(self, said: Shown) -> Shown:
        """What is shown when this is said."""
        if said.reason == "cannot-record":
            return said
        if self.barred is not None:
            return replace(self.barred, code=said.code, load=said.load, quantity=None, entry_id=said.entry_id)
        if self.moving is None or (said.told and said.state == words.STOP):
            return said
        if not (said.told and said.code):
            return self.moving
        beside = words.say("beside", code=said.code, sentence=said.sentence)[0]
        return replace(self.moving, remark=" ".join(part for part in (self.moving.remark, beside) if part))

    def bar(self, books: NodeBooks, at: datetime) -> bool:
        """Say STOP from now on while the zone is suspended, and make ready when it no longer is; whether that
        changed anything.
        """
        verdict = suspended(books, self.id)
        before = self.barred
        if verdict is None:
            self.barred = None
        else:
            sentence, step = words.say(verdict.reason)
            remark = verdict.remark or ""
            self.barred = Shown(words.STOP, verdict.reason, sentence, step, at=at, remark=remark)
        if (before and before.remark) == (self.barred and self.barred.remark):
            self.barred = before
            return False
        self.judged = None
        if self.shown.reason != "cannot-record":
            self.ready(books)
        return True

    def judge(self, raw: str, mono_ns: int) -> None:
        """What was said last was said of a read of these bytes."""
        self.judged, self.judged_raw, self.judged_ns = self.said, raw, mono_ns

    def ready(self, books: NodeBooks) -> None:
        """Nothing waits: ready for a load, or for a work order."""
        word = "ready" if books.job_at(self.id) else "ready-no-job"
        self.say(Shown("READY", word, *self.chrome(word)))

    def chrome(self, word: str) -> tuple[str, str]:
        """Sentence and step of a word of `words.CHROME`, as they are at a gate where there is one."""
        at_gate = f"{word}-gate"
        return words.say(at_gate if self.gated and at_gate in words.CHROME else word)

    def show(
        self,
        verdict: Verdict,
        code: str,
        books: NodeBooks,
        at: datetime,
        *,
        told: bool,
        entry_id: str = "",
        among: Sequence[Verdict] = (),
    ) -> int:
        """Show a verdict; an accepted one says "checking" until `tell`. Of several, `among` them it is the
        worst: then all are told by number, and what it says itself stands beside.
        """
        state = {"NOTICE": "ACCEPTED" if verdict.reason in _GOOD else "READY"}.get(verdict.kind, verdict.kind)
        sentence, step = words.say(
            verdict.reason,
            left=verdict.left,
            quantity=verdict.quantity,
            unit=verdict.load.unit if verdict.load else "",
            date=verdict.date,
            door=_planned_door(books, verdict),
            holder=verdict.holder,
            status=verdict.load.status if verdict.load else "",
        )
        shown = Shown(
            state,
            verdict.reason,
            sentence,
            step,
            code,
            verdict.load,
            verdict.quantity,
            entry_id,
            told,
            at,
            verdict.remark or "",
        )
        return self.say(_of_several(shown, among) if len(among) > 1 else shown)

    def tell(self, turn: int) -> None:
        """The entry behind this turn is recorded: say so, unless something newer stands there."""
        if turn == self.turn:
            self.said = replace(self.said, told=True)
            self.shown = self._before(self.said)

    def view(self, books: NodeBooks, have: int) -> DoorView:
        """The door as a screen shows it."""
        shown = self.shown
        opened = books.job_at(self.id)
        job = job_view(books, opened[1], have) if opened else None
        checking = words.say("checking") if not shown.told else None
        load = shown.load
        product = books.state.products.get(load.gtin) if load and load.gtin else None
        done = books.state.done.get(self.id)
        return DoorView(
            door=self.id,
            name=self.name,
            state=shown.state if shown.told else "READY",
            reason=shown.reason if shown.told else "checking",
            sentence=checking[0] if checking else shown.sentence,
            step=checking[1] if checking else shown.step,
            code=shown.code,
            quantity=shown.quantity or _usual(shown, product),
            unit=load.unit if load else None,
            product_name=product.name if product else None,
            counted=job.counted if job else 0,
            planned=job.planned if job else 0,
            job=job,
            prompt=_prompt(shown),
            can_undo=bool(done),
            position=f"{books.state.epoch}:{books.state.seq}",
            at=shown.at,
            identity=printed(load) if load else "",
            remark=shown.remark,
        )


def need_open_zone(books: NodeBooks, door: str, load: LoadFacts | None = None) -> None:
    """Raises Refused while the zone is suspended, or a hold keeps this load from coming in."""
    barred = suspended(books, door) if load is None else barred_from(books, door, load, Direction.IN)
    if barred is not None:
        said = words.say(barred.reason, holder=barred.holder)
        raise Refused(f"{' '.join(said)} ({barred.remark})")


_GOOD = ("already-counted", "repeat-scan")


_TELLS: Final = {words.STOP: "STOP", words.HOLD: "HOLD", words.ACCEPTED: "may pass", words.NOTICE: "counted"}
"""How loads of one passage are counted on the screen, the worst first."""


def _of_several(shown: Shown, among: Sequence[Verdict]) -> Shown:
    """What is said of several loads at once: all of them pass, or the screen says how many do not."""
    counts = {kind: sum(verdict.kind == kind for verdict in among) for kind in _TELLS}
    told = ", ".join(f"{count} {_TELLS[kind]}" for kind, count in counts.items() if count)
    sentence, step = words.say("several", loads=len(among), told=told, step=shown.step)
    if shown.state in (words.STOP, words.HOLD):
        remark = " ".join(part for part in (shown.sentence, shown.remark) if part)
        return replace(shown, sentence=sentence, step=step, remark=remark)
    return replace(shown, sentence=sentence, step=step, load=None, quantity=None)


def _prompt(shown: Shown) -> Prompt | None:
    if shown.reason != "quantity-needed":
        return None
    return Prompt("quantity", shown.entry_id, shown.sentence)


def _planned_door(books: NodeBooks, verdict: Verdict) -> str:
    conveyance = books.state.conveyances.get(verdict.job or "")
    return conveyance.door if conveyance else ""


def _usual(shown: Shown, product: Product | None) -> Decimal | None:
    """What a full pallet has, where the worker is asked how many there are."""
    return product.per_pallet if product and shown.reason == "quantity-needed" else None


def printed(load: LoadFacts) -> str:
    """A load as its label prints it: application identifiers in brackets (GS1 General Specifications)."""
    if load.sscc is not None:
        return f"(00){load.sscc}"
    if load.gtin is None:
        return load.key  # a licence plate or a part of its supplier
    parts = (("01", load.gtin), ("10", load.lot), ("21", load.serial))
    return "".join(f"({ai}){value}" for ai, value in parts if value)
