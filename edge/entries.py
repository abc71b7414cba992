# SPDX-License-Identifier: Apache-2.0
"""Bodies of entries, made from verdicts and acts. Pure: decides nothing, writes nothing."""

from __future__ import annotations

from customs.documents import Conveyance, Status
from edge.adjudicate import Moment, Verdict
from edge.books import Done, Job
from sync.bodies import Correction, JobEvent, Movement, ReadSummary, Refusal


def movement_of(verdict: Verdict, read: ReadSummary, moment: Moment, by: str | None = None) -> Movement:
    """Goods that crossed by an accepting verdict; `by` names the person who let them."""
    load = verdict.load
    assert load is not None and verdict.quantity is not None, "only a known load is accepted"
    assert verdict.direction is not None, "an accepted load crosses one way"
    return Movement(
        job=verdict.job,
        direction=verdict.direction,
        load=load,
        quantity=verdict.quantity,
        unit=load.unit or "EA",
        owner=load.owner or "",
        status=load.status or Status.SUSPENSE,
        reason=verdict.reason,
        read=read,
        have=moment.have,
        use=verdict.use,
        clears=verdict.clears,
        by=by,
    )


def refusal_of(
    verdict: Verdict, read: ReadSummary, moment: Moment, by: str | None, *, crossed: bool | None = None
) -> Refusal:
    """A HOLD or STOP; `by` names the person whose act led to it, `crossed` as in its body."""
    return Refusal(
        job=verdict.job,
        direction=verdict.direction,
        load=verdict.load,
        reason=verdict.reason,
        read=read,
        have=moment.have,
        line=verdict.line,
        left=verdict.left,
        by=by,
        crossed=crossed,
        restraint=verdict.restraint,
    )


def opening_of(conveyance: Conveyance, seals: tuple[str, ...] | None, by: str) -> JobEvent:
    """A truck opened; `seals` are those seen, None when nobody looked."""
    return JobEvent(
        event="opened",
        job=conveyance.job,
        conveyance=conveyance.conveyance,
        direction=conveyance.direction,
        by=by,
        seals_seen=seals,
        seals_expected=conveyance.seals,
        planned=len(conveyance.loads),
    )


def closing_of(job: Job, conveyance: Conveyance, missing: tuple[str, ...], by: str) -> JobEvent:
    """A truck closed; `missing` are the loads of its notice that were not seen."""
    return JobEvent(
        event="closed",
        job=job.job,
        conveyance=conveyance.conveyance,
        direction=job.direction,
        by=by,
        seals_expected=conveyance.seals,
        counted=len(job.counted),
        planned=len(conveyance.loads),
        missing=missing,
    )


def undoing_of(done: Done, by: str, client_id: str | None) -> Correction:
    """The entry that compensates a movement."""
    moved = done.body
    return Correction(
        corrects=done.entry_id,
        movement=done.type,
        job=moved.job,
        direction=moved.direction,
        load=moved.load,
        quantity=moved.quantity,
        reason="undo",
        by=by,
        use=moved.use,
        client_id=client_id,
    )
