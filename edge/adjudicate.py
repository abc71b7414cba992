# SPDX-License-Identifier: Apache-2.0
"""May this load pass? Pure: the same inputs give the same verdict, at the door and in an audit.

`challenge` is asked while goods are still this side, `find` once they have crossed; at a scanner door
both happen with the scan. Rules are asked in the order of the code below, the first that speaks wins;
what each says stands in `edge.words.TABLE`. Knows no clock: the moment comes in.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Final

import msgspec

from customs.documents import (
    PERMIT_KINDS,
    Conveyance,
    Direction,
    LineRef,
    Permit,
    PermitLine,
    Status,
    earliest,
)
from edge import words
from edge.books import Done, Job, NodeBooks, is_single
from edge.given import CODE_BYTES_MAX
from edge.leaving import destroys, has_expired, status_forbids, trouble_on
from edge.reads import GOODS_RULES, identity_at, local_day, rules_in_force
from gs1.identify import Identity
from gs1.load import ASSETS, PLACES, Load, Unknown, WorkOrder
from gs1.parcels import Tracking
from sync.bodies import LoadFacts, Use
from sync.entry import canonical
from sync.restraints import AGENCY, Goods

OPENS: Final = "opens"
"""Reason of a work order that opens its job: an act, not a row of the table."""

REPEAT_NS: Final = 2_000_000_000
"""The same bytes of a label without serial within this time are one scan."""

_KNOWN_RULES: Final[frozenset[str]] = frozenset()
_ZERO: Final = Decimal(0)


@dataclass(frozen=True, slots=True)
class Moment:
    """When and how sure: UTC, the kernel's word on its clock, and the seq of the own log that the
    center had confirmed. `spoken` is what loads that move through a door now will take of permit lines.
    """

    at: datetime
    synchronized: bool
    have: int
    spoken: Mapping[LineRef, Decimal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a load may do, by reason code, with the numbers its sentence needs. `remark` is what the label
    itself says beside that: why it cannot be used, or that a date on it has passed; or why goods are held.
    `restraint` is the id of the suspension or hold that forbids it.
    """

    reason: str
    direction: Direction | None = None
    job: str | None = None
    load: LoadFacts | None = None
    quantity: Decimal | None = None
    line: LineRef | None = None
    left: Decimal | None = None
    date: str | None = None
    clears: str | None = None
    holder: str | None = None
    remark: str | None = None
    restraint: str | None = None

    @property
    def kind(self) -> str:
        """ACCEPTED, HOLD, STOP or NOTICE; OPENS for a work order that opens its job."""
        return words.row(self.reason).verdict if self.reason != OPENS else OPENS

    @property
    def use(self) -> Use | None:
        """What an accepted movement debits."""
        if self.kind != words.ACCEPTED or self.line is None or self.quantity is None:
            return None
        return Use(self.line.permit, self.line.line, self.quantity)


def challenge(
    books: NodeBooks, door: str, load: Load, moment: Moment, typed: Decimal | None = None
) -> Verdict:
    """Judge a load at a door while it is still this side. `typed` is a quantity a person gave."""
    opened = books.job_at(door)
    if (barred := suspended(books, door)) is not None:
        return replace(barred, load=bare(load))
    if books.state.cursor is None:
        return Verdict("never-synced", load=bare(load))
    if opened is None:
        return Verdict("no-job", load=bare(load))
    job, conveyance = opened
    load = _as_held(books, job, load)
    base = Verdict("seals", job.direction, job.job, bare(load))
    if job.seals_held:
        return base
    if load.key in books.state.disputed:
        return replace(base, reason="disputed")
    single = load.sscc is not None or load.serial is not None
    if single and load.key in job.counted:
        counted = _facts_of(books, door, job.counted[load.key])
        held = _held(books, base, load, counted) if counted is not None else None
        return held or replace(base, reason="already-counted")
    inbound = job.direction is Direction.IN
    told = _told_inbound(books, conveyance, load) if inbound else _told_outbound(books, load)
    if isinstance(told, str):
        return replace(base, reason=told)
    if (held := _held(books, base, load, told)) is not None:
        return held
    quantity = told.quantity if is_single(told) and told.quantity is not None else typed
    if quantity is None and load.count:
        quantity = Decimal(load.count)
    if quantity is None:
        return replace(base, reason="quantity-needed", load=told)
    return _by_papers(books, base, job, conveyance, msgspec.structs.replace(told, quantity=quantity), moment)


def find(
    books: NodeBooks,
    door: str,
    load: Load,
    moment: Moment,
    typed: Decimal | None = None,
    *,
    scanned: bool = True,
) -> Verdict:
    """The decision after the crossing: the challenge's verdict, and the Hold that a load settles. Only a scan
    settles one that knows no load: what a gate reads next may be the pallet behind.
    """
    verdict = challenge(books, door, load, moment, typed)
    if verdict.kind == words.ACCEPTED and verdict.load is not None:
        return replace(verdict, clears=books.clears(door, verdict.load.key, blind=scanned))
    return verdict


def judge_read(
    books: NodeBooks,
    door: str,
    raw: bytes,
    moment: Moment,
    typed: Decimal | None,
    *,
    no_read: bool,
    identity: Identity | None = None,
) -> Verdict:
    """The decision on one read, whatever its code turns out to be; a control code is judged as unreadable.

    `identity` is what `edge.reads.identity_at` says of `raw` where that was asked before. The dock asks this
    at the door, `zonegate explain` asks it again of the bytes that the entry kept; so what is too long to be
    kept whole is unreadable both times.
    """
    identity = identity or identity_at(books, raw, moment.at)
    if (barred := suspended(books, door)) is not None:
        if isinstance(identity, Load) and identity.is_goods and len(raw) < CODE_BYTES_MAX:
            return replace(barred, load=bare(identity))
        return barred
    if len(raw) >= CODE_BYTES_MAX:
        return of_job(books, door, Verdict("unreadable"))
    if no_read:
        return of_job(books, door, Verdict("no-read"))
    if isinstance(identity, WorkOrder):
        trouble = job_trouble(books, door, identity.job)
        return Verdict(trouble or OPENS, job=identity.job)
    if isinstance(identity, Load) and identity.is_goods:
        found = find(books, door, identity, moment, typed)
        return replace(found, remark=found.remark or _remark(books, found, identity, moment))
    return of_job(books, door, _no_goods(identity))


def _no_goods(identity: Identity) -> Verdict:
    """The verdict on a code that is no goods' label."""
    if isinstance(identity, Tracking):
        return Verdict("parcel", remark=f"{identity.carrier} number {identity.number}")
    if isinstance(identity, Load):
        return Verdict(
            "asset" if identity.kind in ASSETS else "place" if identity.kind in PLACES else "no-goods"
        )
    if isinstance(identity, Unknown) and identity.faults:
        names_nothing = [fault.code for fault in identity.faults] == ["no_identity"]
        remark = identity.faults[0].message
        return Verdict("no-goods" if names_nothing else "unreadable", remark=remark)
    return Verdict("unreadable")


def _remark(books: NodeBooks, verdict: Verdict, load: Load, moment: Moment) -> str | None:
    """What the label says that a person at the door should know; it decides nothing."""
    if verdict.reason == "expired":
        return None
    if load.expiry is not None and load.expiry < local_day(books, moment.at):
        return f"The label's expiry date has passed: {load.expiry.isoformat()}."
    return None


def inputs_hash(books: NodeBooks, door: str | None, rules: int | None = None) -> str:
    """SHA-256 of what a judgment at a door rests on: papers of the open job, rules, settings.

    `rules` are those of a settings entry that is itself the one hashed for, else those in force.
    """
    opened = books.job_at(door) if door is not None else None
    permits = sorted({ref.permit for ref in opened[1].permit_lines}) if opened else []
    papers = [books.state.papers.get(number, "") for number in permits]
    settings = books.state.settings
    inputs = {
        "papers": papers,
        "rules": rules or rules_in_force(books),
        "settings": msgspec.to_builtins(settings),
    }
    restraints = books.state.restraints
    if restraints.suspended or restraints.holds:
        inputs["restraints"] = sorted((*restraints.suspended, *restraints.holds))
    return hashlib.sha256(canonical(inputs)).hexdigest()


def suspended(books: NodeBooks, door: str) -> Verdict | None:
    """The verdict on everything at a door while the zone is suspended; None while it is not."""
    suspension = books.state.restraints.suspension
    if suspension is None:
        return None
    return of_job(books, door, Verdict("zone-suspended", remark=suspension.reason, restraint=suspension.id))


def barred_from(books: NodeBooks, door: str, load: LoadFacts, direction: Direction) -> Verdict | None:
    """Why known goods may not cross a door this way, whatever their papers say; None when they may."""
    if (barred := suspended(books, door)) is not None:
        return replace(barred, load=load)
    return _restrained(books, of_job(books, door, Verdict("agency-hold")), load, direction)


def undo_trouble(books: NodeBooks, done: Done) -> Verdict | None:
    """Why a movement may not be taken back; None when it may.

    Undoing an admission takes goods out, which a suspended zone and a hold forbid; undoing a withdrawal
    brings them back, which nothing forbids.
    """
    if done.type != "admission":
        return None
    return barred_from(books, done.door, done.body.load, Direction.OUT)


def job_trouble(books: NodeBooks, door: str, name: str) -> str | None:
    """Why a work order cannot be opened at a door by scan; None when it can."""
    state = books.state
    conveyance = state.conveyances.get(name)
    if conveyance is None:
        return "never-synced" if state.cursor is None else "job-unknown"
    if conveyance.door != door:
        return "job-wrong-door"
    current = state.open_jobs.get(door)
    if current is not None:
        return "job-already-open" if current == name else "job-open"
    job = state.jobs.get(name)
    return "job-closed" if job is not None and job.state == "closed" else None


def of_job(books: NodeBooks, door: str, verdict: Verdict) -> Verdict:
    """A verdict on no load, in the open job of its door if there is one."""
    opened = books.job_at(door)
    return replace(verdict, direction=opened[0].direction, job=opened[0].job) if opened else verdict


def _held(books: NodeBooks, base: Verdict, load: Load, told: LoadFacts) -> Verdict | None:
    """The verdict on goods that a hold stands on; None when none does."""
    direction = base.direction
    assert direction is not None, "a load is judged at an open job"
    return _restrained(books, base, told, direction, load.lot)


def _restrained(
    books: NodeBooks, base: Verdict, load: LoadFacts, direction: Direction, labeled: str | None = None
) -> Verdict | None:
    """`labeled` is the lot that the label names, beside that of the papers."""
    restraints = books.state.restraints
    if not restraints.holds:
        return None
    lots = frozenset(lot for lot in (load.lot, labeled) if lot is not None)
    hold = restraints.on(Goods(load.key, load.gtin, load.owner, lots), direction)
    if hold is None:
        return None
    reason = "agency-hold" if hold.kind == AGENCY else "quality-hold"
    return replace(base, reason=reason, load=load, holder=hold.agency, remark=hold.reason, restraint=hold.id)


def _facts_of(books: NodeBooks, door: str, entry_id: str) -> LoadFacts | None:
    """What a counted load was judged to be; None when that is too long ago to be undone."""
    done = books.state.done.get(door, ())
    return next((one.body.load for one in done if one.entry_id == entry_id), None)


def _as_held(books: NodeBooks, job: Job, load: Load) -> Load:
    """An item by the key that the books have it under: before rules 3 that named its lot as well."""
    state, older = books.state, load.identity
    if older is None or older == load.key:
        return load
    known = (state.holdings, state.departed, state.disputed, job.counted)
    return replace(load, key=older) if any(older in place for place in known) else load


def bare(load: Load) -> LoadFacts:
    """A load by what its own code says, before any paper speaks."""
    return LoadFacts(load.key, load.sscc, load.gtin, load.lot, load.serial)


def _told_inbound(books: NodeBooks, conveyance: Conveyance, load: Load) -> LoadFacts | str:
    """What the notices say of a load that comes in, or the reason that nothing can be said."""
    if load.key in books.state.holdings and (load.sscc or load.serial):
        return "already-in-zone"
    if load.key in books.state.departed and all(plan.sscc != load.sscc for plan in conveyance.loads):
        return "returned-load"
    if load.sscc is not None:
        plan = books.planned(load.sscc, conveyance.job, Direction.IN)
        if plan is None:
            return "unknown-load"
        unit = unit_of(books, plan.gtin)
        return LoadFacts(
            load.key, load.sscc, plan.gtin, plan.lot, None, plan.quantity, unit, plan.owner, plan.status,
            earliest(plan.expiry, load.expiry), plan.imported,
        )  # fmt: skip
    if load.gtin is None:
        return "unknown-load"  # papers name goods by SSCC or GTIN
    named = [
        found
        for ref in conveyance.permit_lines
        if (found := books.line(ref)) and found[1].product == load.gtin
    ]
    if not named:
        return "not-on-permit" if load.gtin in books.state.products else "unknown-load"
    permit, line = named[0]
    held = books.state.holdings.get(load.key)
    if held is not None and (held.owner, held.status, held.unit) != (permit.owner, line.status, line.unit):
        return "mixed-lot"
    quantity = Decimal(1) if load.serial is not None else None
    return LoadFacts(
        load.key, None, load.gtin, load.lot, load.serial, quantity, line.unit, permit.owner, line.status,
        load.expiry,
    )  # fmt: skip


def _told_outbound(books: NodeBooks, load: Load) -> LoadFacts | str:
    """What the holdings say of a load that goes out, or the reason that it may not."""
    holding = books.state.holdings.get(load.key)
    if holding is None and load.key in books.state.departed:
        return "already-withdrawn"
    if holding is None:
        noticed = load.sscc is not None and books.planned(load.sscc) is not None
        return "not-in-zone" if noticed else "unknown-load"
    quantity = holding.quantity if load.sscc or load.serial else None
    return LoadFacts(
        load.key,
        load.sscc,
        holding.gtin,
        holding.lot,
        load.serial,
        quantity,
        holding.unit,
        holding.owner,
        holding.status,
        earliest(holding.expiry, load.expiry),
        holding.imported,
    )


def _by_papers(
    books: NodeBooks, base: Verdict, job: Job, conveyance: Conveyance, load: LoadFacts, moment: Moment
) -> Verdict:
    """The permit lines of the job, in their order; the last refusal that came closest is told."""
    assert load.quantity is not None, "a quantity is known here"
    verdict = replace(base, load=load, quantity=load.quantity)
    if job.direction is Direction.OUT:
        held = books.state.holdings[load.key].quantity
        if held < load.quantity:
            return replace(verdict, reason="not-in-zone", left=held)
    if load.status is Status.DOMESTIC:
        return _domestic(books, verdict, conveyance, moment)
    closest = replace(verdict, reason="not-on-permit")
    for ref in conveyance.permit_lines:
        found = books.line(ref)
        if found is None:
            continue
        answer = _by_line(books, verdict, ref, *found, moment)
        if answer.kind == words.ACCEPTED:
            return answer
        if _CLOSENESS[answer.reason] > _CLOSENESS[closest.reason]:
            closest = answer
    return closest


_CLOSENESS: Final = {
    reason: rank
    for rank, reason in enumerate(
        (
            "not-on-permit",
            "wrong-owner",
            "status-forbids",
            "over-five-years",
            "import-date-missing",
            "expired",
            "permit-expired",
            "permit-not-yet-valid",
            "quota-closed",
            "permit-exhausted",
            "leased-elsewhere",
            "grant-pending",
            "straddles-limit",
            "clock-unsure",
            "update-dock",
        )
    )
}
"""Of several lines that refuse, the one that a person can do most about is told."""


def _by_line(
    books: NodeBooks, verdict: Verdict, ref: LineRef, permit: Permit, line: PermitLine, moment: Moment
) -> Verdict:
    load = verdict.load
    assert load is not None and verdict.quantity is not None, "only a known load is judged by a line"
    asked = (load.gtin, verdict.direction, load.unit)
    if (line.product, line.direction, line.unit) != asked:
        return replace(verdict, reason="not-on-permit")
    leaves = verdict.direction is Direction.OUT and rules_in_force(books) >= GOODS_RULES
    forbidden = status_forbids(load, permit) if leaves and permit.owner == load.owner else None
    if line.status != load.status and forbidden is None:
        return replace(verdict, reason="not-on-permit")
    verdict = replace(verdict, line=ref)
    if permit.owner != load.owner:
        return replace(verdict, reason="wrong-owner")
    if permit.kind not in PERMIT_KINDS or not _KNOWN_RULES.issuperset(permit.rules):
        return replace(verdict, reason="update-dock")
    if forbidden is not None:
        return replace(verdict, reason="status-forbids", remark=forbidden.words)
    if not moment.synchronized:
        return replace(verdict, reason="clock-unsure")
    today = local_day(books, moment.at)
    if leaves and (trouble := trouble_on(load, permit, line, today)) is not None:
        return replace(verdict, reason=trouble[0], date=trouble[1].isoformat() if trouble[1] else None)
    if today < permit.valid_from:
        return replace(verdict, reason="permit-not-yet-valid", date=permit.valid_from.isoformat())
    if today > permit.valid_to:
        return replace(verdict, reason="permit-expired", date=permit.valid_to.isoformat())
    return _by_account(books, verdict, ref, line, moment)


def _domestic(books: NodeBooks, verdict: Verdict, conveyance: Conveyance, moment: Moment) -> Verdict:
    """Domestic goods need no permit; expired ones leave only beside goods that are to be destroyed."""
    load = verdict.load
    passes = replace(verdict, reason="domestic")
    asked = verdict.direction is Direction.OUT and rules_in_force(books) >= GOODS_RULES
    if not asked or load is None or load.expiry is None:
        return passes
    permits = (books.line(ref) for ref in conveyance.permit_lines)
    if any(found is not None and destroys(found[0]) for found in permits):
        return passes
    if not moment.synchronized:
        return replace(verdict, reason="clock-unsure")
    if has_expired(load, local_day(books, moment.at)):
        return replace(verdict, reason="expired", date=load.expiry.isoformat())
    return passes


def _by_account(
    books: NodeBooks, verdict: Verdict, ref: LineRef, line: PermitLine, moment: Moment
) -> Verdict:
    assert verdict.quantity is not None
    account = books.account(ref)
    spoken = moment.spoken.get(ref, _ZERO)
    left = books.left(ref, moment.have) - spoken
    if verdict.quantity <= left:
        passing = "admitted" if verdict.direction is Direction.IN else "withdrawn"
        return replace(verdict, reason=passing, left=left - verdict.quantity)
    pending = account.pending - account.used - account.returned - spoken
    if verdict.quantity <= pending or books.is_closed:
        return replace(verdict, reason="grant-pending", left=left)
    holders = books.state.lent.get(str(ref))
    if holders and sum(holders.values()) + pending >= verdict.quantity:
        return replace(verdict, reason="leased-elsewhere", left=left, holder=", ".join(sorted(holders)))
    if left > _ZERO:
        return replace(verdict, reason="straddles-limit", left=left)
    if holders is not None or account.pending - account.returned >= line.quantity:
        return replace(verdict, reason="permit-exhausted", left=left)
    return replace(verdict, reason="grant-pending", left=left)


def unit_of(books: NodeBooks, gtin: str) -> str:
    """What a product is counted in; pieces where nobody says."""
    product = books.state.products.get(gtin)
    return product.unit if product else "EA"
