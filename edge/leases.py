# SPDX-License-Identifier: Apache-2.0
"""What a node wants of permit lines, and what of its leases it gives back. Pure, over the node's books.

Wants are advice that rides on each ask; giving back is an entry. Only what the center has confirmed is ever
given back, for only that can be spent (S4).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from decimal import Decimal

from customs.documents import Conveyance, LineRef
from edge.books import NodeBooks
from gs1 import sscc_link
from sync.bodies import Returned
from sync.wire import Want

_ZERO = Decimal(0)


def wants(books: NodeBooks, doors: Collection[str]) -> list[Want]:
    """What loads in front of these doors need of each line beyond what this epoch was lent.

    Trucks that are planned only are the center's to care for: it knows their notices. A truck that never
    comes must not keep from others what they need now.
    """
    found = []
    opened = {ref for truck in _open(books, doors) for ref in truck.permit_lines}
    for ref in sorted(opened):
        account = books.account(ref)
        held = account.pending - account.returned - account.used
        need = sum(_to_come(books, doors, ref), _ZERO)
        if need > held:
            found.append(Want(ref.permit, ref.line, need - held))
    return found


def returns(books: NodeBooks, doors: Collection[str], have: int) -> Iterator[Returned]:
    """What goes back now: all of a line that no truck here names any more, and what the center asked back
    as far as no load in front of a door needs it and still fits.
    """
    planned = {
        ref
        for truck in books.state.conveyances.values()
        if truck.door in doors and not _is_closed(books, truck)
        for ref in truck.permit_lines
    }
    for name, account in books.state.accounts.items():
        left = books.left(ref := _ref(name), have)
        back = left
        if ref in planned:
            back = min(account.recalled, left - _fitting(_to_come(books, doors, ref), left))
        if back > _ZERO:
            yield Returned(ref.permit, ref.line, back)


def _is_closed(books: NodeBooks, truck: Conveyance) -> bool:
    job = books.state.jobs.get(truck.job)
    return job is not None and job.state == "closed"


def _open(books: NodeBooks, doors: Collection[str]) -> Iterator[Conveyance]:
    """The trucks that stand open at these doors."""
    for door in doors:
        opened = books.job_at(door)
        if opened is not None:
            yield opened[1]


def _to_come(books: NodeBooks, doors: Collection[str], ref: LineRef) -> list[Decimal]:
    """The loads that open trucks still need of a line: those of the notices and the one refused last;
    where nothing is known, a usual one.
    """
    found = books.line(ref)
    opened = [truck for truck in _open(books, doors) if ref in truck.permit_lines]
    if found is None or not opened:
        return []
    asked = (found[1].product, found[1].status)
    loads = [
        load.quantity
        for truck in opened
        for load in truck.loads
        if (load.gtin, load.status) == asked
        and sscc_link(load.sscc) not in books.state.jobs[truck.job].counted
    ]
    refused = books.state.short.get(str(ref))
    if refused is not None and refused not in loads:
        loads.append(refused)
    product = books.state.products.get(asked[0])
    if not loads and product is not None and product.per_pallet:
        loads.append(product.per_pallet)
    return loads


def _fitting(loads: Sequence[Decimal], left: Decimal) -> Decimal:
    """What the loads need that are whole within `left`, the large ones first."""
    needed = _ZERO
    for load in sorted(loads, reverse=True):
        if needed + load <= left:
            needed += load
    return needed


def _ref(name: str) -> LineRef:
    permit, _, line = name.rpartition("/")
    return LineRef(permit, line)
