# SPDX-License-Identifier: Apache-2.0
"""Views for people, made from the books: jobs, Holds, entries in one line. Decides nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC
from typing import Final

from customs.documents import Conveyance, LineRef
from edge import words
from edge.books import Job, NodeBooks, OpenHold
from edge.reads import answer_at, reason_in
from edge.view import EntryView, HoldView, JobView, LeaseView, LineView
from gs1.printable import printable
from sync.bodies import (
    Adopt,
    Begin,
    Correction,
    DeviceAlarm,
    JobEvent,
    Movement,
    Refusal,
    Release,
    Returned,
    Rotate,
    Saw,
    Settings,
    Skipped,
    read_body,
)
from sync.entry import read_record
from sync.errors import EntryError

_CHOICES: Final[dict[str, tuple[str, ...]]] = {
    "no-job": ("deposit", "refused", "cleared"),
    "unknown-load": ("deposit", "refused", "cleared"),
    "returned-load": ("deposit", "refused", "cleared"),
    "quantity-needed": ("refused",),
    "seals": ("accepted",),
}


def choices(hold: OpenHold) -> tuple[str, ...]:
    """The decisions a supervisor may take on a Hold: `deposit` takes a load into suspense, `refused` says
    it did not pass, `cleared` that nothing more is to be done, `accepted` that the seals are in order.
    """
    offered = _CHOICES.get(hold.reason, ("refused", "cleared"))
    return offered if hold.load is not None else tuple(c for c in offered if c != "deposit")


def hold_view(books: NodeBooks, hold: OpenHold) -> HoldView:
    """A Hold as the supervisor sees it."""
    sentence, step = words.say(hold.reason, left="", quantity="", unit="", date="", door=hold.door, holder="")
    return HoldView(
        hold.hold,
        hold.door,
        hold.job,
        hold.code,
        hold.reason,
        sentence,
        step,
        hold.at,
        choices(hold),
        _remark(books, hold),
    )


def _remark(books: NodeBooks, hold: OpenHold) -> str:
    """What is wrong with the label that was scanned; nothing where a gate read none."""
    if not hold.raw or not hold.is_blind:
        return ""
    return reason_in(answer_at(books, bytes.fromhex(hold.raw), hold.at))


def job_view(books: NodeBooks, conveyance: Conveyance, have: int) -> JobView:
    """A conveyance with what was done of it here."""
    job = books.state.jobs.get(conveyance.job) or Job(
        conveyance.job, conveyance.door, conveyance.direction, "planned"
    )
    missing = missing_loads(job, conveyance) if job.state == "open" else job.missing
    return JobView(
        job=conveyance.job,
        conveyance=conveyance.conveyance,
        carrier=conveyance.carrier,
        door=conveyance.door,
        direction=conveyance.direction,
        state=job.state,
        seals=conveyance.seals,
        seals_held=job.seals_held,
        planned=len(conveyance.loads),
        counted=len(job.counted),
        missing=missing,
        lines=tuple(_lines(books, conveyance, have)),
    )


def missing_loads(job: Job, conveyance: Conveyance) -> tuple[str, ...]:
    """SSCCs of the notice that were not counted in this job."""
    seen = {key.rsplit("/", 1)[-1] for key in job.counted}
    return tuple(load.sscc for load in conveyance.loads if load.sscc not in seen)


def _lines(books: NodeBooks, conveyance: Conveyance, have: int) -> list[LineView]:
    views = []
    for ref in conveyance.permit_lines:
        found = books.line(ref)
        if found is None:
            continue
        _, line = found
        account = books.account(ref)
        product = books.state.products.get(line.product)
        granted = account.granted(have) - account.returned
        views.append(
            LineView(
                ref.permit,
                ref.line,
                line.product,
                product.name if product else line.product,
                line.status,
                line.unit,
                granted,
                account.used,
                books.left(ref, have),
            )
        )
    return views


def lease_views(books: NodeBooks, have: int) -> Iterator[LeaseView]:
    """Every line of which something was lent to this epoch, or said about."""
    state = books.state
    for name in sorted({*state.accounts, *state.lent}):
        permit, _, line = name.rpartition("/")
        ref = LineRef(permit, line)
        found = books.line(ref)
        product = state.products.get(found[1].product) if found else None
        account = books.account(ref)
        yield LeaseView(
            permit=permit,
            line=line,
            product_name=product.name if product else "",
            unit=found[1].unit if found else "",
            lent=account.pending,
            used=account.used,
            returned=account.returned,
            asked_back=account.recalled,
            left=books.left(ref, have),
            holders=state.lent.get(name),
        )


def entry_view(record: bytes) -> EntryView:
    """A stored record in one line."""
    entry = read_record(record)
    try:
        summary = _summary(read_body(entry))
    except EntryError as error:
        summary = str(error)
    return EntryView(
        f"{entry.epoch}:{entry.seq}",
        entry.entry_id,
        entry.type,
        entry.door,
        entry.occurred_at.astimezone(UTC),
        summary,
    )


def _summary(body: object) -> str:
    match body:
        case Movement():
            line = f" on {body.use.ref}" if body.use else ""
            job = f", truck {body.job}" if body.job else ""
            return (
                f"{_load(body.load.key)}: {body.quantity} {body.unit} {body.status}{line}{job}{_gate(body)}"
            )
        case Refusal():
            what = _load(body.load.key) if body.load else body.read.code
            return f"{what}: {body.reason}{_gate(body)}"
        case JobEvent():
            short = f", missing {len(body.missing)}" if body.missing else ""
            return f"{body.job} {body.event} by {body.by}, {body.counted} of {body.planned}{short}"
        case Correction():
            return f"{_load(body.load.key)}: {body.movement} of {body.quantity} undone by {body.by}"
        case Release():
            return f"hold {body.decision} by {body.by}: {printable(body.note.encode(), 80)}"
        case DeviceAlarm():
            return f"{body.device}: {body.detail}"
        case _:
            return _own_summary(body)


def _gate(body: Movement | Refusal) -> str:
    """What a gate saw of it."""
    passage = body.read.passage
    if passage is None:
        return ""
    if isinstance(body, Refusal) and body.crossed is not None:
        return ", crossed all the same" if body.crossed else ", turned back"
    to_and_fro = f", crossed {len(passage.crossings)} times" if len(passage.crossings) > 1 else ""
    return f", through the gate{to_and_fro}"


def _own_summary(body: object) -> str:
    """What the log says of itself and of the other logs."""
    match body:
        case Saw():
            return f"{len(body.entries)} papers from the center"
        case Begin():
            return f"epoch begun: {body.reason}"
        case Settings():
            return f"version {body.build}, rules {body.rules}"
        case Skipped():
            return f"{body.sink}: entries {body.first} to {body.last} left out: {body.reason}"
        case Returned():
            return f"{body.quantity} of {body.ref} given back to the center"
        case Adopt():
            told = read_record(bytes(body.record))
            return f"{told.type} of epoch {told.epoch} told again"
        case Rotate():
            return f"key changed for {body.key[:16]}..."
        case _:
            return type(body).__name__


def _load(key: str) -> str:
    return key.removeprefix("https://id.gs1.org/")
