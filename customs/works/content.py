# SPDX-License-Identifier: Apache-2.0
"""What a lot that was made contains: which lots went into it, how much of each, and where they went on to.

An order draws layers of lots from its owner's stock in line (the ledger says which). What was lost as scrap
or waste is borne by all layers of an input alike, in proportion; what is left is in the product, the first
units made of the first layers. Duty on privileged goods is on what is in the product: recoverable and
irrecoverable waste is allowed for (19 USC 81c(a)). Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import ROUND_HALF_EVEN, Context, Decimal, DivisionByZero, InvalidOperation, Overflow
from typing import Final, NamedTuple

import msgspec

from customs.documents import Status
from customs.fields import QUANTITY_DECIMALS_MAX
from customs.ledger.quantities import EXACT, NOTHING, Pair
from customs.works.boms import DEPTH_MAX, WorksError

LINES_MAX: Final = 10_000
"""Lots that one answer names; a lot with more is told as far as that."""

_ROUNDED: Final = Context(prec=60, traps=[InvalidOperation, Overflow, DivisionByZero])
_STEP: Final = Decimal(1).scaleb(-QUANTITY_DECIMALS_MAX)
_ZERO: Final = Decimal(0)


class Part(msgspec.Struct, frozen=True, gc=False):
    """So much of a lot of one product in one status, in both units."""

    lot: str
    product: str
    status: Status
    pair: Pair


class Lost(NamedTuple):
    """What an order lost of an input: scrap and waste together, in its unit."""

    product: str
    quantity: Decimal


class Use(NamedTuple):
    """One lot's relation to another: `depth` steps away, 1 for what went in directly."""

    lot: str
    depth: int


def content(drawn: Sequence[Part], lost: Iterable[Lost]) -> tuple[Part, ...]:
    """What of the layers that an order drew is in what it made. `drawn` are in line, without what went back.

    Each layer of an input bears of its loss what it was of all that was drawn; the parts sum exactly to what
    was drawn less what was lost. Raises WorksError where more was lost than drawn.
    """
    losses: dict[str, Decimal] = {}
    for product, quantity in lost:
        losses[product] = EXACT.add(losses.get(product, _ZERO), quantity)
    found: list[Part] = []
    for product in dict.fromkeys(part.product for part in drawn):
        layers = [part for part in drawn if part.product == product]
        found += _net(layers, losses.pop(product, _ZERO))
    if any(losses.values()):
        raise WorksError(f"{', '.join(losses)}: waste of goods that were not drawn", "Look at the order.")
    return tuple(found)


def without_returned(drawn: Sequence[Part], returned: Mapping[tuple[str, Status], Decimal]) -> list[Part]:
    """Layers in line, without what went back to stock: the last drawn went back first."""
    left = dict(returned)
    kept: list[Part] = []
    for part in reversed(drawn):
        back = min(left.get((part.product, part.status), _ZERO), part.pair.commercial)
        if back:
            left[part.product, part.status] = EXACT.subtract(left[part.product, part.status], back)
        rest = EXACT.subtract(part.pair.commercial, back)
        if rest:
            kept.append(msgspec.structs.replace(part, pair=_share(part.pair, _ZERO, rest)))
    return kept[::-1]


def between(parts: Sequence[Part], whole: Decimal, first: Decimal, last: Decimal) -> tuple[Part, ...]:
    """The content of the units from `first` to `last` of a lot of `whole` units whose content is `parts`.

    The units take each input in line: the first units made contain the first layers. However a lot is cut
    into units, the contents sum to the whole in both units. Raises WorksError for units that it has not.
    """
    if not 0 <= first <= last <= whole or not whole:
        raise WorksError(f"units {first} to {last} of a lot of {whole}", "Ask for units that were made.")
    found: list[Part] = []
    for product in dict.fromkeys(part.product for part in parts):
        layers = [part for part in parts if part.product == product]
        total = _sum(part.pair.commercial for part in layers)
        start, end = (_proportion(total, units, whole) for units in (first, last))
        before = _ZERO
        for part in layers:
            after = EXACT.add(before, part.pair.commercial)
            low, high = max(start, before), min(end, after)
            if low < high:
                share = _share(part.pair, EXACT.subtract(low, before), EXACT.subtract(high, before))
                found.append(msgspec.structs.replace(part, pair=share))
            before = after
    return tuple(found)


def split(parts: Sequence[Part], values: Sequence[Decimal]) -> tuple[tuple[Part, ...], ...]:
    """The content of products that came out together, by the relative value of each at separation: what one
    of them made is worth in all (19 USC 81c(a)). They sum to `parts` in both units.
    """
    total = _sum(values)
    if not total or any(value < 0 for value in values):
        raise WorksError("products without a relative value", "Give each its value in the bill of material.")
    shares: list[list[Part]] = [[] for _ in values]
    for part in parts:
        low, worth = _ZERO, _ZERO
        for share, value in zip(shares, values, strict=True):
            worth = EXACT.add(worth, value)
            high = _proportion(part.pair.commercial, worth, total)
            if high > low:
                share.append(msgspec.structs.replace(part, pair=_share(part.pair, low, high)))
            low = high
    return tuple(tuple(share) for share in shares)


Contains = Callable[[str], Sequence[Part]]
"""What a lot contains directly; nothing for a lot that was not made here."""


def opened(
    parts: Sequence[Part], contains: Contains, made: Callable[[str], Decimal], depth_max: int = DEPTH_MAX
) -> tuple[Part, ...]:
    """Content with lots that were made here opened in turn, down to lots that were admitted. `made` says how
    many units a made lot has. Of an assembly the units are taken as they come: its first ones.

    Raises WorksError for content that is deeper than `depth_max`, as one that contains itself would be.
    """
    taken: dict[str, Decimal] = {}
    found: dict[tuple[str, str, Status], Pair] = {}
    todo = [(part, 1) for part in reversed(parts)]
    while todo:
        part, depth = todo.pop()
        below = contains(part.lot)
        if not below:
            key = (part.lot, part.product, part.status)
            found[key] = found.get(key, NOTHING) + part.pair
            continue
        if depth >= depth_max:
            raise WorksError(
                f"lot {part.lot} is more than {depth_max} steps deep", "Look for a lot that contains itself."
            )
        first = taken.get(part.lot, _ZERO)
        last = taken[part.lot] = EXACT.add(first, part.pair.commercial)
        todo += [(one, depth + 1) for one in reversed(between(below, made(part.lot), first, last))]
    return tuple(Part(*key, pair) for key, pair in found.items())


def reach(lot: str, step: Callable[[str], Iterable[str]], depth_max: int = DEPTH_MAX) -> tuple[Use, ...]:
    """Every lot that `step` leads to from a lot, nearest first, each once with its least depth: what it is
    made of, or what it went into, as `step` says. Ends at `depth_max` and at LINES_MAX; a circle ends itself.
    """
    found: dict[str, int] = {lot: 0}
    level = [lot]
    for depth in range(1, depth_max + 1):
        level = list(dict.fromkeys(other for one in level for other in step(one) if other not in found))
        found.update(dict.fromkeys(level, depth))
        if not level or len(found) > LINES_MAX:
            break
    return tuple(Use(other, depth) for other, depth in found.items() if depth)[:LINES_MAX]


def _net(layers: Sequence[Part], lost: Decimal) -> list[Part]:
    total = _sum(part.pair.commercial for part in layers)
    net = EXACT.subtract(total, lost)
    if net < 0:
        raise WorksError(f"{lost} of {layers[0].product} were lost, {total} were drawn", "Look at the order.")
    found, upto, given = [], _ZERO, _ZERO
    for part in layers:
        upto = EXACT.add(upto, part.pair.commercial)
        through = _proportion(net, upto, total)
        rest = EXACT.subtract(through, given)
        given = through
        if rest:
            found.append(msgspec.structs.replace(part, pair=_share(part.pair, _ZERO, rest)))
    return found


def _share(whole: Pair, first: Decimal, last: Decimal) -> Pair:
    """The commercial units from `first` to `last` of a layer, with their customs units by cumulative
    rounding, so that neighboring shares sum to the whole.
    """
    low, high = (_proportion(whole.customs, upto, whole.commercial) for upto in (first, last))
    return Pair(EXACT.subtract(last, first), EXACT.subtract(high, low))


def _proportion(total: Decimal, part: Decimal, whole: Decimal) -> Decimal:
    """`total` times `part` of `whole`, to six decimals half to even; all of it where `part` is the whole."""
    if part == whole:
        return total
    exact = _ROUNDED.divide(_ROUNDED.multiply(total, part), whole)
    return exact.quantize(_STEP, ROUND_HALF_EVEN, _ROUNDED)


def _sum(quantities: Iterable[Decimal]) -> Decimal:
    total = _ZERO
    for quantity in quantities:
        total = EXACT.add(total, quantity)
    return total
