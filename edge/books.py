# SPDX-License-Identifier: Apache-2.0
"""A node's state: a fold of its own log, nothing else.

Whatever a door judges by stands here, and all of it comes from entries: the center's papers through
`saw`, what doors did through movements, jobs and Holds. Knows no store and no clock. A snapshot is a
cache of the fold; losing it costs time only.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import msgspec

from customs.documents import (
    Conveyance,
    Direction,
    Holding,
    LineRef,
    Permit,
    PermitLine,
    PlannedLoad,
    Product,
    earliest,
)
from edge import restatus
from sync.bodies import (
    UNDO_MAX,
    Begin,
    Close,
    Correction,
    Decision,
    Dispute,
    Grant,
    Holdings,
    JobEvent,
    Lent,
    LoadFacts,
    Moved,
    Movement,
    Recall,
    Refusal,
    Saw,
    Settings,
    read_body,
)
from sync.entry import Entry, Head, Place, read_record
from sync.restraints import HoldLifted, HoldPut, Restraints, ZoneEvent

_ZERO: Final = Decimal(0)

DEPARTED_MAX: Final = 10_000
"""Loads remembered as gone, to say "already withdrawn"; older ones are "unknown load", a refusal too."""

CLIENTS_MAX: Final = 2_000
"""Scans of screens remembered by the screens' own ids: hours of one door's resends."""


SNAPSHOT_VERSION: Final = 5
"""Another number with every change of the fold: `zonegate verify` folds again and compares."""

_SHORT: Final = ("permit-exhausted", "leased-elsewhere", "straddles-limit", "grant-pending")
"""Refusals of a load for which this node lacks quantity that the center may find elsewhere."""


class Fact(msgspec.Struct, frozen=True):
    """An entry as the fold takes it: its place in the own log, and its typed body."""

    entry_id: str
    epoch: str
    seq: int
    type: str
    door: str | None
    at: datetime
    body: Any

    @classmethod
    def of(cls, entry: Entry) -> Fact:
        """The fact in a stored entry."""
        return cls(
            entry.entry_id,
            entry.epoch,
            entry.seq,
            entry.type,
            entry.door,
            entry.occurred_at,
            read_body(entry),
        )


class Account(msgspec.Struct):
    """This epoch's account of one permit line. `grants` are (seq of the Saw that brought it, quantity),
    `returned` what went back to the center, `recalled` what it asked back and has not got.
    """

    grants: list[tuple[int, Decimal]] = []
    used: Decimal = _ZERO
    returned: Decimal = _ZERO
    recalled: Decimal = _ZERO

    def granted(self, have: int) -> Decimal:
        """What may be spent: grants whose Saw the center has confirmed (rule S4)."""
        return sum((quantity for seq, quantity in self.grants if seq <= have), _ZERO)

    def left(self, have: int) -> Decimal:
        """What may still be spent or given back."""
        return self.granted(have) - self.used - self.returned

    @property
    def pending(self) -> Decimal:
        """All grants, confirmed or not."""
        return sum((quantity for _, quantity in self.grants), _ZERO)


class Job(msgspec.Struct):
    """A door job that was opened here. `counted` maps load keys to the entries that counted them."""

    job: str
    door: str
    direction: Direction
    state: str
    seals_held: bool = False
    counted: dict[str, str] = {}
    missing: tuple[str, ...] = ()


class OpenHold(msgspec.Struct, frozen=True):
    """A Hold that nobody has settled yet."""

    hold: str
    door: str
    job: str | None
    reason: str
    load: LoadFacts | None
    code: str
    raw: str
    at: datetime

    @property
    def is_blind(self) -> bool:
        """Whether it knows no load, so that the next good scan at its door settles it."""
        return self.load is None and self.reason in BLIND


class Done(msgspec.Struct, frozen=True):
    """A movement that can still be undone; `cleared` is the Hold that it settled, which an undo opens again,
    `departed` the entry by which the same load had left before.
    """

    entry_id: str
    type: str
    door: str
    body: Movement
    cleared: OpenHold | None = None
    departed: str | None = None


class Books(msgspec.Struct):
    """The state itself; every field is msgspec-encodable, for snapshots."""

    version: int = SNAPSHOT_VERSION
    tenant: str = ""
    zone: str = ""
    node: str = ""
    epoch: str = ""
    seq: int = 0
    own_epochs: dict[str, int] = {}
    settings: Settings | None = None
    cursor: Place | None = None
    center_ids: set[str] = set()
    products: dict[str, Product] = {}
    permits: dict[str, Permit] = {}
    papers: dict[str, str] = {}
    conveyances: dict[str, Conveyance] = {}
    accounts: dict[str, Account] = {}
    holdings: dict[str, Holding] = {}
    departed: dict[str, str] = {}
    became: dict[str, list[restatus.Change]] = {}
    jobs: dict[str, Job] = {}
    open_jobs: dict[str, str] = {}
    holds: dict[str, OpenHold] = {}
    done: dict[str, list[Done]] = {}
    clients: dict[str, str] = {}
    door_seq: dict[str, int] = {}
    witness: Head | None = None
    closed: str | None = None
    adopted: dict[str, dict[str, int]] = {}
    lent: dict[str, dict[str, Decimal]] = {}
    short: dict[str, Decimal] = {}
    disputed: dict[str, str] = {}
    restraints: Restraints = msgspec.field(default_factory=Restraints)


_encoder = msgspec.json.Encoder(decimal_format="string")
_decoder = msgspec.json.Decoder(Books)


class NodeBooks:
    """Folds a node's log into `state`, and answers what judging asks of it."""

    def __init__(self, state: Books | None = None) -> None:
        self.state = state or Books()
        self._planned: dict[str, dict[str, PlannedLoad]] = {}
        for conveyance in self.state.conveyances.values():
            self._plan(conveyance)

    # -- snapshot ---------------------------------------------------------------------------------

    def snapshot(self) -> bytes:
        """The state as bytes."""
        return _encoder.encode(self.state)

    @classmethod
    def restore(cls, data: bytes) -> NodeBooks | None:
        """The state from a snapshot; None when it is of another version or broken (fold again then)."""
        try:
            state = _decoder.decode(data)
        except msgspec.MsgspecError:
            return None
        return cls(state) if state.version == SNAPSHOT_VERSION else None

    # -- the fold ---------------------------------------------------------------------------------

    def fold(self, fact: Fact) -> None:
        """Take in the next entry of the own log."""
        state = self.state
        body = fact.body
        if fact.type == "begin":
            self._begin(body)
        state.epoch, state.seq = fact.epoch, fact.seq
        state.own_epochs[fact.epoch] = fact.seq
        if fact.door is not None:
            state.door_seq[fact.door] = state.door_seq.get(fact.door, 0) + 1
        if fact.type == "settings":
            state.settings = body
        elif fact.type == "saw":
            self._saw(fact, body)
        elif fact.type in ("admission", "withdrawal"):
            self._movement(fact, body)
        elif fact.type in ("hold", "stop"):
            self._refusal(fact, body)
        elif fact.type == "release":
            state.holds.pop(body.hold, None)
        elif fact.type == "job":
            self._job(fact, body)
        elif fact.type == "correction":
            self._correction(fact, body)
        elif fact.type == "return":
            account = self.account_of(body.ref)
            account.returned += body.quantity
            account.recalled = max(account.recalled - body.quantity, _ZERO)
        elif fact.type == "adopt":
            # The fact itself was folded when it happened; only that it was told again is news.
            told = read_record(bytes(body.record))
            state.adopted.setdefault(told.epoch, {})[told.entry_id] = told.seq

    def fold_records(self, records: Iterable[bytes]) -> None:
        """Take in stored records in order."""
        for record in records:
            self.fold(Fact.of(read_record(record)))

    def _begin(self, body: Begin) -> None:
        state = self.state
        state.tenant, state.zone, state.node = body.tenant, body.zone, body.node
        state.accounts.clear()  # a new epoch owns no account
        state.lent.clear()  # and what was said to the one before may be about what that one itself held
        # Nor may it take back what another debited: the part of that log that was lost may have done so.
        state.done.clear()

    def _saw(self, fact: Fact, saw: Saw) -> None:
        state = self.state
        state.cursor = saw.upto
        state.witness = saw.head or state.witness
        for raw in saw.entries:
            entry = read_record(bytes(raw))
            if entry.entry_id in state.center_ids:
                continue
            state.center_ids.add(entry.entry_id)
            self._paper(fact.seq, entry)

    def _paper(self, seq: int, entry: Entry) -> None:
        body = read_body(entry)
        if isinstance(body, Conveyance):
            self._conveyance(body)
        elif isinstance(body, Grant | Recall | Lent | Close):
            self._lease(seq, body)
        elif isinstance(body, ZoneEvent | HoldPut | HoldLifted):
            self.state.restraints.take(body)
        elif isinstance(body, Holdings):
            for moved in body.moves:
                if self._is_news(body.origin, moved):
                    self._moved(moved, entry.entry_id)
        else:
            self._document(entry.entry_id, body)

    def _document(self, entry_id: str, body: Product | Permit | Dispute | Decision | Begin) -> None:
        state = self.state
        if isinstance(body, Product):
            state.products[body.gtin] = body
        elif isinstance(body, Permit):
            state.permits[body.number] = body
            state.papers[body.number] = entry_id
        elif isinstance(body, Dispute):
            state.disputed[body.load] = entry_id
        elif isinstance(body, Decision) and state.disputed.get(body.load) == body.dispute:
            del state.disputed[body.load]

    def _conveyance(self, body: Conveyance) -> None:
        before = self.state.conveyances.pop(body.job, None)  # so that the last sent stands last
        for load in before.loads if before else ():
            del self._planned[load.sscc][body.job]
        self.state.conveyances[body.job] = body
        self._plan(body)

    def _lease(self, seq: int, body: Grant | Recall | Lent | Close) -> None:
        state = self.state
        if isinstance(body, Close):
            if state.epoch in body.epochs:
                state.closed = state.epoch
        elif isinstance(body, Lent):
            others = {node: idle for node, idle in body.holders.items() if node != state.node}
            state.lent[str(body.ref)] = others
        elif body.epoch != state.epoch:
            return
        elif isinstance(body, Recall):
            self.account_of(body.ref).recalled += body.quantity
        else:
            self.account_of(body.ref).grants.append((seq, body.quantity))
            state.lent.pop(str(body.ref), None)

    def _is_news(self, origin: str, moved: Moved) -> bool:
        """Whether a movement is unknown to this log.

        Of an own epoch only what this store has lost, an older copy of it having been restored; and what
        another writer of it did where this store has another branch.
        """
        known = self.state.own_epochs.get(origin)
        if known is None or moved.seq > known:
            return True
        adopted = self.state.adopted.get(origin)
        return adopted is not None and moved.seq >= min(adopted.values()) and moved.fact not in adopted

    def _plan(self, conveyance: Conveyance) -> None:
        for load in conveyance.loads:
            self._planned.setdefault(load.sscc, {})[conveyance.job] = load

    def _moved(self, moved: Moved, entry_id: str) -> None:
        state = self.state
        key, holding = moved.holding.key, moved.holding
        held = state.holdings.get(key)
        if moved.becomes is not None:
            restatus.remember(state.became, key, holding.status, moved.becomes)
            if held is not None:  # what left here meanwhile stays gone
                state.holdings[key] = msgspec.structs.replace(held, status=moved.becomes)
            return
        if moved.back:
            holding = msgspec.structs.replace(
                holding, status=restatus.status_now(state.became.get(key, ()), holding.status)
            )
        elif moved.came:
            state.became.pop(key, None)  # goods that come have the status that their paper says
        quantity = (held.quantity if held else _ZERO) + (
            holding.quantity if moved.came else -holding.quantity
        )
        if quantity > 0:
            known = held or holding
            state.holdings[key] = msgspec.structs.replace(
                known,
                quantity=quantity,
                expiry=earliest(known.expiry, holding.expiry),
                imported=earliest(known.imported, holding.imported),
            )
            state.departed.pop(key, None)
        else:
            state.holdings.pop(key, None)
            state.departed[key] = entry_id
            while len(state.departed) > DEPARTED_MAX:
                del state.departed[next(iter(state.departed))]

    def _movement(self, fact: Fact, body: Movement) -> None:
        state = self.state
        assert fact.door is not None, "a movement happens at a door"
        departed = state.departed.get(body.load.key)
        self._moved(Moved(fact.type == "admission", holding_of(body)), fact.entry_id)
        if body.use is not None:
            self.account_of(body.use.ref).used += body.use.quantity
            state.short.pop(str(body.use.ref), None)  # it goes on: what is still to come is on the notice
        job = state.jobs.get(body.job or "")
        if job is not None:
            job.counted[_counted_key(body.load, fact.entry_id)] = fact.entry_id
        cleared = state.holds.pop(body.clears, None) if body.clears is not None else None
        done = state.done.setdefault(fact.door, [])
        done.append(Done(fact.entry_id, fact.type, fact.door, body, cleared, departed))
        del done[:-UNDO_MAX]
        self._remember_client(fact, body.read.client_id)

    def _refusal(self, fact: Fact, body: Refusal) -> None:
        state = self.state
        assert fact.door is not None, "a refusal happens at a door"
        if fact.type == "hold":
            state.holds[fact.entry_id] = OpenHold(
                fact.entry_id,
                fact.door,
                body.job,
                body.reason,
                body.load,
                body.read.code,
                body.read.raw,
                fact.at,
            )
        if body.reason in _SHORT and body.line is not None and body.load is not None:
            state.short[str(body.line)] = body.load.quantity or _ZERO
        self._remember_client(fact, body.read.client_id)

    def _remember_client(self, fact: Fact, client_id: str | None) -> None:
        clients = self.state.clients
        if client_id is not None:
            clients[client_id] = fact.entry_id
            while len(clients) > CLIENTS_MAX:
                del clients[next(iter(clients))]

    def _job(self, fact: Fact, body: JobEvent) -> None:
        state = self.state
        assert fact.door is not None, "a job is at a door"
        if body.event == "opened":
            held = body.seals_seen is not None and set(body.seals_seen) != set(body.seals_expected)
            known = state.jobs.get(body.job)
            counted = known.counted if known else {}
            state.jobs[body.job] = Job(body.job, fact.door, body.direction, "open", held, counted)
            state.open_jobs[fact.door] = body.job
        elif body.event == "seals_accepted":
            state.jobs[body.job].seals_held = False
            for hold in [h for h in state.holds.values() if h.reason == "seals" and h.job == body.job]:
                del state.holds[hold.hold]
        else:
            job = state.jobs[body.job]
            job.state, job.missing = "closed", body.missing
            for ref in state.conveyances[body.job].permit_lines:
                state.short.pop(str(ref), None)
            state.open_jobs.pop(fact.door, None)
        state.done.pop(fact.door, None)

    def _correction(self, fact: Fact, body: Correction) -> None:
        state = self.state
        assert fact.door is not None, "a correction happens at a door"
        load = body.load
        assert load.gtin is not None and load.owner is not None, "a movement's load is known"
        assert load.status and load.unit, "a movement's load is known"
        back = Holding(
            load.key, load.sscc, load.gtin, body.quantity, load.unit, load.owner, load.status, load.lot,
            load.expiry, load.imported,
        )  # fmt: skip
        came = body.movement == "withdrawal"
        self._moved(Moved(came, back, back=came), fact.entry_id)
        done = state.done.get(fact.door, [])
        undone = next((item for item in done if item.entry_id == body.corrects), None)
        if body.movement == "admission":
            state.departed.pop(load.key, None)  # it never came: it may still be admitted
        if undone is not None and undone.departed is not None:
            state.departed[load.key] = undone.departed
        if undone is not None and undone.cleared is not None:
            state.holds[undone.cleared.hold] = undone.cleared
        if body.use is not None:
            self.account_of(body.use.ref).used -= body.use.quantity
        job = state.jobs.get(body.job or "")
        if job is not None:
            for key in [key for key, entry in job.counted.items() if entry == body.corrects]:
                del job.counted[key]
        state.done[fact.door] = [item for item in done if item.entry_id != body.corrects]
        self._remember_client(fact, body.client_id)

    # -- questions --------------------------------------------------------------------------------

    def line(self, ref: LineRef) -> tuple[Permit, PermitLine] | None:
        """A permit and its line, or None when the center sent no such paper."""
        permit = self.state.permits.get(ref.permit)
        if permit is None:
            return None
        return next(((permit, line) for line in permit.lines if line.line == ref.line), None)

    def left(self, ref: LineRef, have: int) -> Decimal:
        """What may be spent of a line now; nothing any more in an epoch that the center has closed."""
        return _ZERO if self.is_closed else self.account(ref).left(have)

    @property
    def is_closed(self) -> bool:
        """Whether the center has closed the epoch at hand: another one must begin."""
        return bool(self.state.epoch) and self.state.closed == self.state.epoch

    def account_of(self, ref: LineRef) -> Account:
        """This epoch's account of a line, opened when it is not there."""
        return self.state.accounts.setdefault(str(ref), Account())

    def account(self, ref: LineRef) -> Account:
        """This epoch's account of a line; an empty one when nothing was ever lent."""
        return self.state.accounts.get(str(ref)) or Account()

    def planned(self, sscc: str, job: str = "", direction: Direction | None = None) -> PlannedLoad | None:
        """The notice that names an SSCC, of trucks that go in `direction` (None: any): that of `job` if it
        does, else the last one that came.
        """
        found = {
            name: load
            for name, load in self._planned.get(sscc, {}).items()
            if direction in (None, self.state.conveyances[name].direction)
        }
        return found.get(job) or (found[next(reversed(found))] if found else None)

    def job_at(self, door: str) -> tuple[Job, Conveyance] | None:
        """The open job at a door and its conveyance."""
        name = self.state.open_jobs.get(door)
        if name is None:
            return None
        return self.state.jobs[name], self.state.conveyances[name]

    def hold_like(self, door: str, reason: str, code: str, key: str | None = None) -> OpenHold | None:
        """An open Hold at this door for the same reason and code, or load `key`; blind reads are alike."""
        any_code = reason in ("unreadable", "no-read", "seals")
        for hold in self.state.holds.values():
            if hold.door == door and hold.reason == reason:
                load = hold.load.key if hold.load is not None else None
                if any_code or hold.code == code or (key is not None and load == key):
                    return hold
        return None

    def sides(self, key: str) -> list[OpenHold]:
        """The open Holds that ask on which side of the door load `key` stands."""
        return [
            hold
            for hold in self.state.holds.values()
            if hold.reason in SIDE and hold.load is not None and hold.load.key == key
        ]

    def clears(self, door: str, key: str, *, blind: bool = True) -> str | None:
        """The open Hold that a good read of load `key` at this door settles: the load's own, else, with
        `blind`, one that knows no load.
        """
        own = unknown = None
        for hold in self.state.holds.values():
            if hold.load is not None and hold.load.key == key:
                own = own or hold.hold
            elif blind and hold.door == door and hold.is_blind:
                unknown = unknown or hold.hold
        return own or unknown


BLIND_LABELS: Final = ("unreadable", "no-read", "no-goods", "parcel", "asset", "place")
"""Reasons of Holds on a label that names no load."""

BLIND: Final = (
    *BLIND_LABELS,
    *("no-tag", "unknown-tags", "interrupted", "unjudged"),
)
"""Reasons of Holds that may know no load: then the next good scan at their door settles them."""

SIDE: Final = ("wrong-way", "not-sure", "interrupted", "unjudged")
"""Reasons of Holds that ask on which side of the door a load stands; the first knows it, the wrong one."""


def holding_of(body: Movement) -> Holding:
    """What a movement moves."""
    load = body.load
    return Holding(
        load.key, load.sscc, load.gtin or "", body.quantity, body.unit, body.owner, body.status, load.lot,
        load.expiry, load.imported,
    )  # fmt: skip


def is_single(load: LoadFacts) -> bool:
    """Whether the load's identity names one thing (SSCC or serial), so that it counts once."""
    return load.sscc is not None or load.serial is not None


def _counted_key(load: LoadFacts, entry_id: str) -> str:
    return load.key if is_single(load) else f"{load.key}#{entry_id}"


__all__ = [
    "BLIND",
    "Account",
    "Books",
    "Done",
    "Fact",
    "Job",
    "NodeBooks",
    "OpenHold",
    "holding_of",
    "is_single",
]
