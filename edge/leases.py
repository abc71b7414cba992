# SPDX-License-Identifier: Apache-2.0
"""What a node wants of permit lines, and what of its leases it gives back. Pure, over the node's books.

Wants are advice that rides on each ask; giving back is an entry. Only what the center has confirmed is ever
given back, for only that can be spent (S4).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from decimal import Decimal

from customs.documents import Conveyance, LineRef
from edge.books import NodeBooks
from gs1 import sscc_link
from sync.bodies import Returned
from sync.wire import Want

_ZERO = Decimal(0)


def wants(books: NodeBooks, doors: Collection[str]) -> list[Want]:
    """What the trucks at these doors need of each line beyond what this epoch was lent."""
    found = []
    for ref in sorted(_planned(books, doors)):
        account = books.account(ref)
        held = account.pending - account.returned - account.used
        need = max(_firm(books, doors, ref), books.state.short.get(str(ref), _ZERO))
        if need > held:
            found.append(Want(ref.permit, ref.line, need - held))
    return found


def returns(books: NodeBooks, doors: Collection[str], have: int) -> Iterator[Returned]:
    """What goes back now: all of a line that no truck here names any more, and what the center asked back
    as far as no load in front of a door needs it.
    """
    planned = _planned(books, doors)
    for name, account in books.state.accounts.items():
        left = books.left(ref := _ref(name), have)
        back = left
        if ref in planned:
            back = min(account.recalled, left - _firm(books, doors, ref))
        if back > _ZERO:
            yield Returned(ref.permit, ref.line, back)


def _planned(books: NodeBooks, doors: Collection[str]) -> set[LineRef]:
    return {ref for truck in _trucks(books, doors) for ref in truck.permit_lines}


def _trucks(books: NodeBooks, doors: Collection[str]) -> Iterator[Conveyance]:
    """Trucks that are planned or open at these doors."""
    for truck in books.state.conveyances.values():
        job = books.state.jobs.get(truck.job)
        if truck.door in doors and (job is None or job.state != "closed"):
            yield truck


def _firm(books: NodeBooks, doors: Collection[str], ref: LineRef) -> Decimal:
    """What loads that are still to come need of a line: those of the notices, else one usual load."""
    found = books.line(ref)
    if found is None:
        return _ZERO
    line = found[1]
    firm = _ZERO
    for truck in _trucks(books, doors):
        if ref not in truck.permit_lines:
            continue
        job = books.state.jobs.get(truck.job)
        counted = job.counted if job else {}
        noticed = [load for load in truck.loads if (load.gtin, load.status) == (line.product, line.status)]
        firm += sum((load.quantity for load in noticed if sscc_link(load.sscc) not in counted), _ZERO)
        product = books.state.products.get(line.product)
        if not noticed and job is not None and product is not None and product.per_pallet:
            firm += product.per_pallet
    return firm


def _ref(name: str) -> LineRef:
    permit, _, line = name.rpartition("/")
    return LineRef(permit, line)
