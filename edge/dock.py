# SPDX-License-Identifier: Apache-2.0
"""The dock: reads and people's acts in, entries out, and what each door says meanwhile.

Judging and queueing an entry happen without an await between them, so that no other door can spend
the same quantity. ACCEPTED is shown only when the journal has told the entry. Knows the journal by
the small `edge.recorder.Recorder` and no network.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Any, Final

import msgspec

from customs.documents import Conveyance, Direction, Holding, LineRef, Status
from drivers.read import Read
from edge import words
from edge.adjudicate import (
    OPENS,
    REPEAT_NS,
    Moment,
    Verdict,
    find,
    inputs_hash,
    job_trouble,
    judge_read,
    undo_trouble,
    unit_of,
)
from edge.books import Done, Fact, NodeBooks, OpenHold
from edge.clock import Clocks
from edge.doors import Door, Shown, need_open_zone
from edge.entries import closing_of, movement_of, opening_of, refusal_of, undoing_of
from edge.errors import JournalError
from edge.given import CODE_BYTES_MAX, summary_of, typed_quantity
from edge.passing import Passing
from edge.reads import identity_at
from edge.recorder import Recorder
from edge.show import choices, hold_view, job_view, missing_loads
from edge.view import DoorView, HoldView, JobView, Refused
from gs1.load import Control, Load
from gs1.printable import printable
from sync.bodies import (
    DeviceAlarm,
    JobEvent,
    LoadFacts,
    Movement,
    ReadSummary,
    Refusal,
    Release,
    Settings,
    body_bytes,
    schema_of,
)
from sync.entry import Draft

CHECKING_S: Final = 0.15
"""A commit takes milliseconds; from here on a screen says that it is waited for."""

_log = logging.getLogger("zonegate.dock")


class Dock:
    """All doors of a node over one journal and its books."""

    def __init__(self, doors: dict[str, str], clocks: Clocks, *, trust_clock: bool = False) -> None:
        """`doors` maps ids to names. `trust_clock` takes the host's word where the kernel has none."""
        self.doors: dict[str, Door] = {door: Door(door, name) for door, name in doors.items()}
        self.clocks = clocks
        self.books = NodeBooks()
        self.have = 0
        self.counts: dict[str, int] = {}
        self._trust_clock = trust_clock
        self.written = ""
        self._untold: dict[str, asyncio.Future[Any]] = {}
        self._recorder: Recorder | None = None
        self._listeners: list[Callable[[str], None]] = []
        self.passing = Passing(self)

    # -- life -------------------------------------------------------------------------------------

    def attach(self, recorder: Recorder, books: NodeBooks, settings: Settings, have: int = 0) -> None:
        """Record with this journal from now on; writes `settings` when they differ from before.

        `have` is the last seq that the center had confirmed before: what it lent until then may be spent.
        """
        self._recorder, self.books, self.have = recorder, books, have
        for door in self.doors.values():
            door.judged = None
            door.ready(books)
            door.bar(books, self.clocks.utc())
        if books.state.settings != settings:
            self.write("settings", settings)
        for name in (*self.doors, ""):
            self.changed(name)
        self.passing.attached()

    def detach(self, *, quiet: bool = False) -> None:
        """The journal cannot write: every door says STOP until another is attached, but at a quiet end."""
        self._recorder = None
        if quiet:
            return
        for door in self.doors.values():
            self.show(door, Verdict("cannot-record"), "", told=True)

    @property
    def recorder(self) -> Recorder | None:
        """The journal, while entries can be written."""
        return self._recorder

    @property
    def recording(self) -> bool:
        """Whether entries can be written now."""
        return self._recorder is not None

    def on_change(self, listener: Callable[[str], None]) -> None:
        """Call `listener` with the id of each door that changed, and "" when anything else did."""
        self._listeners.append(listener)

    def changed(self, door: str) -> None:
        """Tell the listeners."""
        for listener in self._listeners:
            listener(door)

    # -- what comes in ----------------------------------------------------------------------------

    def take_read(self, door_id: str, read: Read, frame: str | None = None) -> None:
        """A read of a scanner or camera at a door; `frame` is the SHA-256 of the camera's picture."""
        summary = summary_of(read.device, read.carrier, read.raw, read.at)
        if frame is not None:
            summary = msgspec.structs.replace(summary, frame=frame)
        self._take(self.door_at(door_id), read.raw, summary, no_read=read.no_read)

    async def scan(self, door: str, code: bytes, client_id: str, by: str) -> DoorView:
        """A scan typed or wedged into a screen; counted once for each `client_id`."""
        at = self.door_at(door)
        if client_id not in self.books.state.clients:
            summary = summary_of(by, "keyboard", code, self.clocks.utc(), client_id)
            await self._settle(self._take(at, code, summary))
        return self.door(door)

    def _take(
        self, door: Door, raw: bytes, summary: ReadSummary, *, no_read: bool = False
    ) -> asyncio.Future[Any] | None:
        """Judge one read; the future of its entry, or None when it wrote none."""
        if self._recorder is None:
            self.show(door, Verdict("cannot-record"), summary.code, told=True)
            return None
        try:
            return self._take_recorded(door, raw, summary, self._recorder, no_read=no_read)
        except JournalError:  # nothing was queued: too much waits, or the journal has just been closed
            self.show(door, Verdict("cannot-record"), summary.code, told=True)
            return None
        except Exception:  # noqa: BLE001 - one label must not end the service, nor leave what was said before it
            _log.exception("a read at door %s could not be judged", door.id)
            self.show(door, Verdict("cannot-record"), summary.code, told=True)
            return None

    def _take_recorded(
        self, door: Door, raw: bytes, summary: ReadSummary, recorder: Recorder, *, no_read: bool
    ) -> asyncio.Future[Any] | None:
        before = self.books.state.seq
        told = self._dispatch(door, raw, summary, no_read=no_read)
        wrote = self.books.state.seq != before
        recorder.note_read(
            device=summary.device,
            door=door.id,
            at=summary.at,
            code=summary.code,
            raw=raw[:CODE_BYTES_MAX],
            verdict=door.said.reason,
            entry_id=self.written if wrote else None,
        )
        self.count("scans")
        return told

    def _dispatch(
        self, door: Door, raw: bytes, summary: ReadSummary, *, no_read: bool
    ) -> asyncio.Future[Any] | None:
        moment = self.moment()
        identity = identity_at(self.books, raw, moment.at)
        if not no_read and isinstance(identity, Control):
            return self._control(door, identity.command, summary)
        if isinstance(identity, Load) and self._is_repeat(door, identity, summary):
            return self._repeat(door, summary)
        verdict = judge_read(self.books, door.id, raw, moment, None, no_read=no_read, identity=identity)
        return self._act_on(door, verdict, summary, moment)

    def _act_on(
        self, door: Door, verdict: Verdict, summary: ReadSummary, moment: Moment
    ) -> asyncio.Future[Any] | None:
        """Write what a verdict asks for; the future of the entry, or None for a notice."""
        if verdict.reason == OPENS and verdict.job is not None:
            return self._open(door, self.books.state.conveyances[verdict.job], None, summary.device)
        if verdict.reason == "already-counted":
            return self._counted(door, verdict, summary)
        if verdict.kind == words.NOTICE:
            self.show(door, verdict, summary.code, told=True)
            return None
        if verdict.kind != words.ACCEPTED:
            return self._refuse(door, verdict, summary, moment)
        body = movement_of(verdict, summary, moment)
        kind = "admission" if body.direction is Direction.IN else "withdrawal"
        return self.record(door, kind, body, verdict, summary.code, moment)

    def _counted(self, door: Door, verdict: Verdict, summary: ReadSummary) -> asyncio.Future[Any] | None:
        job = self.books.state.jobs[verdict.job or ""]
        assert verdict.load is not None, "only a load is counted"
        self.passing.scanned(door, verdict.load.key, summary.device)
        return self._once_told(door, verdict, summary.code, job.counted[verdict.load.key])

    def _repeat(self, door: Door, summary: ReadSummary) -> asyncio.Future[Any] | None:
        """A scanner that fired twice: what was said of the first scan is said again."""
        judged = door.judged
        assert judged is not None, "a repeat repeats what was judged"
        if judged.state != words.ACCEPTED:
            door.say(judged)
            self.changed(door.id)
            return None
        return self._once_told(door, Verdict("repeat-scan"), summary.code, judged.entry_id)

    def _once_told(
        self, door: Door, verdict: Verdict, code: str, entry_id: str
    ) -> asyncio.Future[Any] | None:
        """Show a notice that speaks of an accepted load, but not before its entry is told."""
        future = self._untold.get(entry_id)
        turn = self.show(door, verdict, code, told=future is None, entry_id=entry_id)
        if future is not None:
            future.add_done_callback(lambda told: self._told(door, turn, told))
        return future

    def _is_repeat(self, door: Door, load: Load, summary: ReadSummary) -> bool:
        """The same bytes of a label that names no single thing, within two seconds."""
        if door.judged is None or load.sscc is not None or load.serial is not None:
            return False
        # By the monotonic clock: one that is set back must not make the next pallet a repeat.
        return door.judged_raw == summary.raw and self.clocks.mono_ns() - door.judged_ns < REPEAT_NS

    def _refuse(
        self, door: Door, verdict: Verdict, summary: ReadSummary, moment: Moment, by: str | None = None
    ) -> asyncio.Future[Any] | None:
        """Show a HOLD or STOP at once, and write it - the same open Hold only once."""
        if verdict.kind == words.HOLD:
            open_hold = self.books.hold_like(door.id, verdict.reason, summary.code)
            if open_hold is not None:
                self.show(door, verdict, summary.code, told=True, entry_id=open_hold.hold)
                return None
        body = refusal_of(verdict, summary, moment, by)
        kind = "hold" if verdict.kind == words.HOLD else "stop"
        return self.record(door, kind, body, verdict, summary.code, moment)

    # -- jobs -------------------------------------------------------------------------------------

    def _open(
        self, door: Door, conveyance: Conveyance, seals: tuple[str, ...] | None, by: str
    ) -> asyncio.Future[Any]:
        body = opening_of(conveyance, seals, by)
        future = self.write("job", body, door.id)
        self._say(door, future, "READY", "opened", *door.chrome("opened"), conveyance.job)
        job = self.books.state.jobs[conveyance.job]
        if job.seals_held:
            summary = summary_of(by, "keyboard", conveyance.job.encode(), self.clocks.utc())
            verdict = Verdict("seals", conveyance.direction, conveyance.job)
            self._refuse(door, verdict, summary, self.moment(), by)
        return future

    def _close(self, door: Door, by: str) -> asyncio.Future[Any] | None:
        opened = self.books.job_at(door.id)
        if opened is None:
            self.show(door, Verdict("nothing-to-close"), "", told=True)
            return None
        job, conveyance = opened
        missing = missing_loads(job, conveyance)
        body = closing_of(job, conveyance, missing, by)
        future = self.write("job", body, door.id)
        reason = "closed-short" if missing else "closed"
        state = "HOLD" if missing else "READY"
        self._say(door, future, state, reason, *words.say(reason, missing=len(missing)), job.job)
        return future

    def _control(self, door: Door, command: str, summary: ReadSummary) -> asyncio.Future[Any] | None:
        if command == "UNDO":
            return self._undo(door, summary.device, summary.client_id)
        if command == "CLOSE":
            return self._close(door, summary.device)
        door.ready(self.books)
        self.changed(door.id)
        return None

    def _undo(self, door: Door, by: str, client_id: str | None) -> asyncio.Future[Any] | None:
        done = self.last_done(door.id)
        if done is None:
            self.show(door, Verdict("nothing-to-undo"), "", told=True)
            return None
        if (trouble := undo_trouble(self.books, done)) is not None:
            self.show(door, trouble, done.body.read.code, told=True)
            return None
        moved = done.body
        body = undoing_of(done, by, client_id)
        future = self.write("correction", body, door.id)
        door.judged = None  # the same label may be scanned again at once
        self._say(door, future, "READY", "undone", *words.say("undone"), moved.read.code)
        return future

    def last_done(self, door: str) -> Done | None:
        """The movement that an undo at this door would take back."""
        done = self.books.state.done.get(door)
        return done[-1] if done else None

    # -- people's acts ----------------------------------------------------------------------------

    async def quantity(self, door: str, hold: str, quantity: str, client_id: str, by: str) -> DoorView:
        """A quantity for the Hold that asked for it."""
        at = self.door_at(door)
        if client_id in self.books.state.clients:
            return self.door(door)
        held = self.books.state.holds.get(hold)
        if held is None or held.reason != "quantity-needed" or held.door != door:
            raise Refused("No label at this door waits for a quantity. Scan the label again.")
        amount = typed_quantity(quantity)
        raw = bytes.fromhex(held.raw)
        moment = self.moment()
        identity = identity_at(self.books, raw, moment.at)
        if not isinstance(identity, Load):
            raise Refused("The label that asked for a quantity cannot be read again. Scan it again.")
        summary = summary_of(by, "keyboard", raw, self.clocks.utc(), client_id, str(amount))
        self._need_recorder()
        told = self._act_on(at, find(self.books, at.id, identity, moment, amount), summary, moment)
        if hold in self.books.state.holds and at.said.reason != "quantity-needed":
            self.write("release", Release(hold, "cleared", by, f"judged: {at.said.reason}"), door)
        await self._settle(told)
        return self.door(door)

    async def undo(self, door: str, client_id: str, by: str) -> DoorView:
        """Take back the last movement of the open job at this door."""
        if client_id not in self.books.state.clients:
            self._need_recorder()
            await self._settle(self._undo(self.door_at(door), by, client_id))
        return self.door(door)

    async def open_job(self, door: str, job: str, seals: tuple[str, ...] | None, by: str) -> JobView:
        """Open a planned conveyance at a door, a closed one again; `seals` are those seen, if looked at."""
        at = self.door_at(door)
        need_open_zone(self.books, door)
        trouble = job_trouble(self.books, door, job)
        conveyance = self.books.state.conveyances.get(job)
        if conveyance is None or trouble not in (None, "job-closed"):
            sentence, step = words.say(trouble or "job-unknown", door=conveyance.door if conveyance else "")
            raise Refused(f"{job}: {sentence} {step}")
        self._need_recorder()
        await self._settle(self._open(at, conveyance, seals, by))
        return job_view(self.books, conveyance, self.have)

    async def close_job(self, door: str, by: str) -> JobView:
        """Close the open job of a door, and name what was not seen."""
        opened = self.books.job_at(door)
        if opened is None:
            raise Refused("No truck is open at this door. Open one first.")
        self._need_recorder()
        await self._settle(self._close(self.door_at(door), by))
        return job_view(self.books, opened[1], self.have)

    async def decide(
        self, hold: str, decision: str, note: str, by: str, quantity: str | None = None
    ) -> HoldView:
        """A supervisor's decision on a Hold; see `edge.show.choices`."""
        held = self.books.state.holds.get(hold)
        if held is None:
            raise Refused("This Hold is not open any more. Reload the page.")
        if decision not in choices(held):
            raise Refused(
                f"{decision!r} is no decision for this Hold; it may be {', '.join(choices(held))}. "
                "Choose one."
            )
        self._need_recorder()
        view = hold_view(self.books, held)
        door = self.door_at(held.door)
        if decision == "deposit":
            amount = typed_quantity(quantity or "")
            await self._settle(self._deposit(door, held, amount, by))
        elif decision == "accepted" and held.job is not None:
            await self._settle(self._accept_seals(door, held.job, by))
        else:
            future = self.write("release", Release(hold, decision, by, note[:500]), held.door)
            door.ready(self.books)
            self.changed(held.door)
            await self._settle(future)
        return view

    def _deposit(self, door: Door, held: OpenHold, quantity: Decimal, by: str) -> asyncio.Future[Any]:
        """Goods whose papers are incomplete go to suspense (19 CFR 146.22)."""
        load = held.load
        assert load is not None, "only a load can be deposited"
        if load.key in self.books.state.holdings:
            raise Refused(
                "This lot or load is in the zone already. Give it a label of its own, and scan that."
            )
        plan = self.books.planned(load.sscc, held.job or "", Direction.IN) if load.sscc else None
        gtin, owner = (load.gtin or plan.gtin, plan.owner) if plan else (load.gtin or "", "")
        facts = LoadFacts(
            load.key, load.sscc, gtin, load.lot, load.serial, quantity, unit_of(self.books, gtin), owner,
            Status.SUSPENSE,
        )  # fmt: skip
        need_open_zone(self.books, door.id, facts)
        raw = bytes.fromhex(held.raw)
        moment = self.moment()
        summary = summary_of(by, "keyboard", raw, self.clocks.utc(), None, str(quantity))
        summary = msgspec.structs.replace(summary, code=held.code)  # a tag's bytes are not to be printed
        verdict = Verdict("temporary-deposit", Direction.IN, held.job, facts, quantity, clears=held.hold)
        body = movement_of(verdict, summary, moment, by)
        return self.record(door, "admission", body, verdict, held.code, moment)

    def _accept_seals(self, door: Door, job: str, by: str) -> asyncio.Future[Any]:
        conveyance = self.books.state.conveyances[job]
        body = JobEvent("seals_accepted", job, conveyance.conveyance, conveyance.direction, by)
        future = self.write("job", body, door.id)
        door.ready(self.books)
        self.changed(door.id)
        return future

    def alarm(self, door: str, device: str, kind: str, detail: str, count: int) -> None:
        """Record what a device did that a person must know of."""
        if self._recorder is not None:
            with contextlib.suppress(JournalError):  # what a device did stops nobody
                self.write("alarm", DeviceAlarm(device, kind, detail, count), door)

    # -- writing ----------------------------------------------------------------------------------

    def write(
        self, kind: str, body: msgspec.Struct, door: str | None = None, moment: Moment | None = None
    ) -> asyncio.Future[Any]:
        """Queue an entry and fold it into the books at once: nothing else is judged in between.

        `moment` is the one that was judged by: an audit judges by what the entry says.
        """
        recorder = self._need_recorder()
        moment = moment or self.moment()
        at = moment.at
        draft = Draft(
            entry_id=self.clocks.entry_id(),
            type=kind,
            schema=schema_of(kind),
            occurred_at=at,
            clock=msgspec.structs.replace(self.clocks.stamp(), synchronized=moment.synchronized),
            body=body_bytes(body),
            door=door,
            inputs_hash=inputs_hash(self.books, door, body.rules if isinstance(body, Settings) else None),
        )
        future = recorder.append(draft)
        state = self.books.state
        seq = state.seq + 1 if state.epoch == recorder.epoch else 1
        self.passing.writes(kind, door)
        self.books.fold(Fact(draft.entry_id, recorder.epoch, seq, kind, door, at, body))
        self.written = draft.entry_id
        self.count(kind)
        if kind == "saw":  # the center may have suspended the zone: no door waits for a scan to say so
            for each in self.doors.values():
                if each.bar(self.books, at):
                    self.changed(each.id)
        return future

    def record(
        self, door: Door, kind: str, body: Movement | Refusal, verdict: Verdict, code: str, moment: Moment
    ) -> asyncio.Future[Any]:
        """Write what was judged of a read, and show it: ACCEPTED only when its entry is told."""
        future = self.write(kind, body, door.id, moment)
        told = verdict.kind != words.ACCEPTED
        entry_id = self.written
        turn = self.show(door, verdict, code, told=told, entry_id=entry_id)
        door.judge(body.read.raw, self.clocks.mono_ns())
        if verdict.kind == words.ACCEPTED:
            self.tell_later(door, turn, {entry_id: future})
        return future

    def untold(self, entry_id: str) -> asyncio.Future[Any] | None:
        """What resolves when the entry of an accepted load is told; None when it was, or is no such one."""
        return self._untold.get(entry_id)

    def tell_later(self, door: Door, turn: int, accepted: Mapping[str, asyncio.Future[Any]]) -> None:
        """Say ACCEPTED, which is shown as this turn, once all these entries are told."""
        self._untold |= accepted
        waiting = set(accepted)

        def told_one(entry_id: str, told: asyncio.Future[Any]) -> None:
            self._untold.pop(entry_id, None)
            waiting.discard(entry_id)
            if not waiting:
                self._told(door, turn, told)

        for entry_id, future in accepted.items():
            future.add_done_callback(partial(told_one, entry_id))

    def _told(self, door: Door, turn: int, told: asyncio.Future[Any]) -> None:
        # The journal tells in its order: of several entries the last one tells of all.
        if told.cancelled() or told.exception() is not None:
            return  # the journal failed: `detach` has put STOP on every door
        door.tell(turn)
        self.changed(door.id)

    def _need_recorder(self) -> Recorder:
        if self._recorder is None:
            raise Refused("This dock cannot record now. Nothing may pass. Call the supervisor.")
        return self._recorder

    async def _settle(self, told: asyncio.Future[Any] | None) -> None:
        """Wait until an entry is told; a journal that fails meanwhile is a refusal."""
        if told is None:
            return
        try:
            await asyncio.shield(told)
        except Exception as error:
            raise Refused(
                "The entry could not be recorded. Nothing may pass. Call the supervisor."
            ) from error

    # -- saying -----------------------------------------------------------------------------------

    def show(
        self,
        door: Door,
        verdict: Verdict,
        code: str,
        *,
        told: bool,
        entry_id: str = "",
        among: Sequence[Verdict] = (),
    ) -> int:
        """Put a verdict on a door's screen, the worst of those `among` which it stands."""
        at = self.clocks.utc()
        turn = door.show(verdict, code, self.books, at, told=told, entry_id=entry_id, among=among)
        self._show_soon(door, told=told)
        return turn

    def _show_soon(self, door: Door, *, told: bool) -> None:
        """What is told is shown at once; "checking" only when the commit takes longer than people notice."""
        if told:
            self.changed(door.id)
        else:
            asyncio.get_running_loop().call_later(CHECKING_S, self._show_checking, door, door.turn)

    def _show_checking(self, door: Door, turn: int) -> None:
        if door.turn == turn and not door.shown.told:
            self.changed(door.id)

    def _say(
        self,
        door: Door,
        future: asyncio.Future[Any],
        state: str,
        reason: str,
        sentence: str,
        step: str,
        code: str,
    ) -> None:
        """Say what an act led to once its entry is told; "checking" until then."""
        turn = door.say(Shown(state, reason, sentence, step, code, told=False, at=self.clocks.utc()))
        future.add_done_callback(lambda told: self._told(door, turn, told))
        self._show_soon(door, told=False)

    def door(self, door: str) -> DoorView:
        """One door now."""
        return self.door_at(door).view(self.books, self.have)

    def inventory(self, text: str = "", limit: int = 500) -> list[Holding]:
        """Loads in the zone whose key, product, lot or owner contains `text`."""
        wanted = text.strip().lower()
        found = []
        for holding in self.books.state.holdings.values():
            words_of = f"{holding.key} {holding.gtin} {holding.lot or ''} {holding.owner} {holding.status}"
            if wanted in words_of.lower():
                found.append(holding)
                if len(found) == limit:
                    break
        return found

    def moment(self, spoken: Mapping[LineRef, Decimal] | None = None) -> Moment:
        """Now, as judging takes it; `spoken` as there."""
        return Moment(self.clocks.utc(), self._synchronized(), self.have, spoken or {})

    def _synchronized(self) -> bool:
        return self._trust_clock or self.clocks.synchronized()

    def door_at(self, door: str) -> Door:
        """One of this node's doors; raises Refused for another."""
        found = self.doors.get(door)
        if found is None:
            raise Refused(
                f"There is no door {printable(door.encode(), 40)!r} here; doors are {', '.join(self.doors)}."
            )
        return found

    def count(self, name: str) -> None:
        """Count something since start, for /metrics."""
        self.counts[name] = self.counts.get(name, 0) + 1
