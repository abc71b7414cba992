# SPDX-License-Identifier: Apache-2.0
"""What an entry means for the books: pure, from an entry to the rows it writes.

Sums are deltas, so the order in which two docks' logs arrive does not matter. Knows no connection.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from central import dataset_projection
from central.errors import UnreadableEntry
from central.instants import with_bookable
from customs.documents import Conveyance, Permit, Product, Status
from customs.works.events import Made, OrderEvent, Piece, pieces
from sync.bodies import (
    Correction,
    Grant,
    JobEvent,
    LoadFacts,
    Movement,
    Refusal,
    Release,
    Returned,
    is_count,
    read_body,
)
from sync.entry import Entry, read_record
from sync.errors import EntryError
from sync.ledger_bodies import Adjustment, AdmissionUndone, Admitted, StatusChange

ORDER: Final = (
    *dataset_projection.ORDER,
    "put_product",
    "put_permit",
    "put_permit_line",
    "put_conveyance",
    "put_planned_load",
    "put_job",
    "movement",
    "act_load",
    "made_load",
    "put_refusal",
    "settle_refusal",
    "add_granted",
    "add_used",
    "add_holding",
)
"""What a batch of entries writes, in order: queries of central/sql/books.sql, and the tables of COPIED."""

COPIED: Final[dict[str, tuple[str, ...]]] = {
    **dataset_projection.COPIED,
    "movement": (
        "entry_id",
        "node",
        "epoch",
        "seq",
        "type",
        "door",
        "job",
        "key",
        "sscc",
        "gtin",
        "lot",
        "owner",
        "status",
        "quantity",
        "unit",
        "permit",
        "line",
        "used",
        "reason",
        "occurred_at",
    ),
    "made_load": ("entry_id", "key", "lot"),
    "act_load": ("entry_id", "key", "owner", "status", "product", "lot", "quantity"),
}
"""Tables that rows are only added to, with the columns that follow tenant and zone."""

AT_ONCE: Final = frozenset(
    {
        "put_refusal",
        "settle_refusal",
        "add_granted",
        "add_used",
        "add_holding",
    }
)
"""Queries that take all rows of a batch in one statement, a column an argument."""

FACTS: Final = frozenset(
    {"admission", "withdrawal", "hold", "stop", "release", "job", "correction", "return"}
)
"""Node entries that the books contain; an `adopt` carries one, the others concern the record alone."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where an entry stands: whose log, and its place in it. `adopting` is the entry that tells it again,
    when it comes out of a log that the center cannot take.
    """

    node: str
    entry: Entry
    adopting: Entry | None = None

    @property
    def place(self) -> tuple[str, str, int, str]:
        """Node, epoch, seq, entry id."""
        at = self.adopting or self.entry
        return self.node, at.epoch, at.seq, self.entry.entry_id


@dataclass(frozen=True, slots=True)
class Reversal:
    """A correction: it takes effect only if its movement is there and was not taken back before."""

    source: Source
    corrects: str
    by: str
    at: datetime


@dataclass(slots=True)
class Batch:
    """Rows that entries write, by query; arguments follow tenant and zone."""

    rows: dict[str, list[tuple[Any, ...]]] = field(default_factory=lambda: defaultdict(list))
    reversals: list[Reversal] = field(default_factory=list)

    def add(self, name: str, *arguments: Any) -> None:
        """One row."""
        self.rows[name].append(arguments)


def adopted(source: Source) -> Source | None:
    """The fact in an `adopt` entry; None when it is none that the books contain. UnreadableEntry."""
    try:
        entry = read_record(bytes(read_body(source.entry).record))
    except EntryError as error:
        raise UnreadableEntry(str(error)) from error
    # What the loser of a fork gave back stays charged, as in the accounts.
    if entry.type not in FACTS or entry.type == "return":
        return None
    return Source(source.node, entry, source.entry)


def project(source: Source, batch: Batch) -> None:
    """Add to `batch` what an entry means. UnreadableEntry, and nothing added, when it cannot be taken."""
    project_one = _PROJECT.get(source.entry.type)
    if project_one is None:
        return
    try:
        body = with_bookable(source.entry, read_body(source.entry))
    except EntryError as error:
        raise UnreadableEntry(str(error)) from error
    own = Batch()
    try:
        project_one(source, body, own)
    except AttributeError as error:
        raise UnreadableEntry(
            f"a {source.entry.type} entry carries a body of {source.entry.schema}"
        ) from error
    for name, rows in own.rows.items():
        batch.rows[name].extend(rows)
    batch.reversals.extend(own.reversals)


def add_reversal(batch: Batch, movement: dict[str, Any]) -> None:
    """The counter-entries of a movement that a correction has taken back."""
    quantity = movement["quantity"]
    back = -quantity if movement["type"] == "admission" else quantity
    batch.add(
        "add_holding",
        *(movement[name] for name in ("key", "owner", "status", "unit", "sscc", "gtin", "lot")),
        back,
    )
    if movement["permit"] is not None:
        batch.add("add_used", movement["permit"], movement["line"], -movement["used"])


def _product(_: Source, body: Product, batch: Batch) -> None:
    batch.add("put_product", body.gtin, body.name, body.unit, body.per_pallet)


def _permit(_: Source, body: Permit, batch: Batch) -> None:
    batch.add(
        "put_permit", body.number, body.kind, body.owner, body.valid_from, body.valid_to, list(body.rules)
    )
    for ordinal, line in enumerate(body.lines, start=1):
        batch.add(
            "put_permit_line",
            body.number,
            line.line,
            ordinal,
            line.product,
            line.status.value,
            line.unit,
            line.direction.value,
            line.quantity,
        )


def _conveyance(_: Source, body: Conveyance, batch: Batch) -> None:
    batch.add(
        "put_conveyance",
        body.job,
        body.conveyance,
        body.carrier,
        body.door,
        body.direction.value,
        list(body.seals),
        [str(ref) for ref in body.permit_lines],
        body.in_bond,
    )
    for load in body.loads:
        batch.add(
            "put_planned_load",
            body.job,
            load.sscc,
            load.gtin,
            load.quantity,
            load.lot,
            load.owner,
            load.status.value,
        )


def _grant(_: Source, body: Grant, batch: Batch) -> None:
    batch.add("add_granted", body.permit, body.line, _quantity(body.quantity))


def _returned(_: Source, body: Returned, batch: Batch) -> None:
    batch.add("add_granted", body.permit, body.line, -_quantity(body.quantity))


def _movement(source: Source, body: Movement, batch: Batch) -> None:
    load = body.load
    quantity = _quantity(body.quantity)
    use = body.use
    permit, line, used = (use.permit, use.line, _quantity(use.quantity)) if use else (None, None, None)
    node, epoch, seq, entry_id = source.place
    batch.add(
        "movement",
        entry_id,
        node,
        epoch,
        seq,
        source.entry.type,
        source.entry.door,
        body.job,
        load.key,
        load.sscc,
        load.gtin,
        load.lot,
        body.owner,
        body.status.value,
        quantity,
        body.unit,
        permit,
        line,
        used,
        body.reason,
        source.entry.occurred_at,
    )
    sign = 1 if source.entry.type == "admission" else -1
    batch.add(
        "add_holding",
        load.key,
        body.owner,
        body.status.value,
        body.unit,
        load.sscc,
        load.gtin,
        load.lot,
        sign * quantity,
    )
    if permit is not None:
        batch.add("add_used", permit, line, used)
    if body.clears is not None:
        batch.add("settle_refusal", body.clears, "passed", entry_id, source.entry.occurred_at)


def _correction(source: Source, body: Correction, batch: Batch) -> None:
    batch.reversals.append(Reversal(source, body.corrects, source.entry.entry_id, source.entry.occurred_at))


def _refusal(source: Source, body: Refusal, batch: Batch) -> None:
    load = body.load or LoadFacts("")
    node, epoch, seq, entry_id = source.place
    batch.add(
        "put_refusal",
        entry_id,
        source.entry.type,
        node,
        epoch,
        seq,
        source.entry.door,
        body.job,
        load.key or None,
        load.gtin,
        body.read.code,
        body.reason,
        source.entry.occurred_at,
    )


def _release(source: Source, body: Release, batch: Batch) -> None:
    batch.add("settle_refusal", body.hold, body.decision, source.entry.entry_id, source.entry.occurred_at)


def _job(source: Source, body: JobEvent, batch: Batch) -> None:
    entry = source.entry
    closed = body.event == "closed"
    batch.add(
        "put_job",
        body.job,
        "closed" if closed else "open",
        source.node,
        entry.door,
        entry.occurred_at if body.event == "opened" else None,
        entry.occurred_at if closed else None,
        list(body.seals_seen) if body.seals_seen is not None else None,
        body.counted if closed else None,
        list(body.missing) if closed else [],
    )


def _order(source: Source, body: OrderEvent, batch: Batch) -> None:
    for came, goods, piece in pieces(body):
        quantity = _quantity(piece.quantity)
        lot = goods.lot if isinstance(goods, Made) else piece.lot
        batch.add(
            "add_holding",
            piece.key,
            body.owner,
            goods.status.value,
            goods.unit,
            piece.sscc,
            goods.product,
            lot,
            quantity if came else -quantity,
        )
        if came and isinstance(goods, Made):
            batch.add("made_load", source.entry.entry_id, piece.key, goods.lot)


def _act(source: Source, body: StatusChange | Adjustment, batch: Batch) -> None:
    """What people put on the books is on the floor too, where it names loads."""
    became = body.becomes if isinstance(body, StatusChange) else body.status
    made = body.made if isinstance(body, StatusChange) else body.lot or f"{body.number}/1"
    whose = (body.owner, body.product, body.unit)
    _pieces(source, batch, body.off, body.status, *whose)
    _pieces(source, batch, body.on, became, *whose, made)


def _admitted(source: Source, body: Admitted, batch: Batch) -> None:
    """The floor is moved as by other acts, and the permit's line is used: out of what is lent to nobody, so
    no dock holds less of it.
    """
    _pieces(source, batch, body.off, Status.SUSPENSE, body.from_owner, body.from_product, body.unit)
    _pieces(source, batch, body.on, body.status, body.owner, body.product, body.unit, str(body.ref))
    quantity = _quantity(body.quantity)
    batch.add("add_granted", body.document, body.line, quantity)
    batch.add("add_used", body.document, body.line, quantity)


def _admission_undone(source: Source, body: AdmissionUndone, batch: Batch) -> None:
    """Its goods stay on their loads, in suspense, and the line has what they used of it."""
    _pieces(source, batch, body.loads, body.status, body.owner, body.product, body.unit)
    whose = (body.from_owner, body.from_product, body.unit)
    for piece, lot in zip(body.loads, body.lots, strict=True):
        _pieces(source, batch, [piece], Status.SUSPENSE, *whose, lot)
    quantity = _quantity(body.quantity)
    batch.add("add_granted", body.document, body.line, -quantity)
    batch.add("add_used", body.document, body.line, -quantity)


def _pieces(
    source: Source,
    batch: Batch,
    pieces: Sequence[Piece],
    status: Status,
    owner: str,
    product: str,
    unit: str,
    made: str | None = None,
) -> None:
    """Goods that an act puts on loads as the lot `made`, or takes off them where there is none."""
    for piece in pieces:
        quantity = _quantity(piece.quantity) if made is not None else -_quantity(piece.quantity)
        whose = (piece.key, owner, status.value)
        batch.add("act_load", source.entry.entry_id, *whose, product or piece.key, made, quantity)
        batch.add("add_holding", *whose, unit, piece.sscc, product, piece.lot, quantity)


_PROJECT: Final[dict[str, Callable[[Source, Any, Batch], None]]] = {
    **dataset_projection.PROJECT,
    "order": _order,
    "admitted": _admitted,
    "admission-undone": _admission_undone,
    "status-change": _act,
    "adjustment": _act,
    "product": _product,
    "permit": _permit,
    "conveyance": _conveyance,
    "grant": _grant,
    "admission": _movement,
    "withdrawal": _movement,
    "correction": _correction,
    "hold": _refusal,
    "stop": _refusal,
    "release": _release,
    "job": _job,
    "return": _returned,
}


def _quantity(value: Decimal) -> Decimal:
    if not is_count(value):
        raise UnreadableEntry(f"the quantity {str(value)[:40]} is no count of goods")
    return value
