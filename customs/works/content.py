# SPDX-License-Identifier: Apache-2.0
"""What a lot that was made contains: which lots went into it, how much of each, and where they went on to.

An order draws layers of lots from its owner's stock in line (the ledger says which). What was lost as scrap
or waste is borne by all layers of an input alike, in proportion; what is left is in the product, the first
units made of the first layers. Duty on privileged goods is on what is in the product: recoverable and
irrecoverable waste is allowed for (19 USC 81c(a)). Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import ROUND_HALF_EVEN, Context, Decimal, DivisionByZero, InvalidOperation, Overflow
from typing import Final, NamedTuple

import msgspec

from customs.documents import Status
from customs.fields import QUANTITY_DECIMALS_MAX
from customs.ledger.quantities import EXACT, NOTHING, Pair
from customs.tariff import rounding
from customs.tariff.rates import Measure
from customs.us.lines import ContentLine, GoodsDates
from customs.works.boms import DEPTH_MAX, WorksError
from customs.works.orders import Order
from customs.zone import AdmissionLine, Values

LINES_MAX: Final = 10_000
"""Lots that one answer names; a lot with more is told as far as that."""

_ROUNDED: Final = Context(prec=60, traps=[InvalidOperation, Overflow, DivisionByZero])
_STEP: Final = Decimal(1).scaleb(-QUANTITY_DECIMALS_MAX)
_MONEY_STEP: Final = Decimal(1).scaleb(-9)
_ZERO: Final = Decimal(0)


class Part(msgspec.Struct, frozen=True, gc=False):
    """So much of a lot of one product in one status, in both units; `first` is how much of the lot was taken
    before it, which only a lot that was made here asks for.
    """

    lot: str
    product: str
    status: Status
    pair: Pair
    first: Decimal = Decimal(0)


class Lost(NamedTuple):
    """What an order lost of an input: scrap and waste together, in its unit."""

    product: str
    quantity: Decimal


class Use(NamedTuple):
    """One lot's relation to another: `depth` steps away, 1 for what went in directly."""

    lot: str
    depth: int


def content(drawn: Sequence[Part], lost: Iterable[Lost]) -> tuple[Part, ...]:
    """What of the layers that an order drew is in what it made. `drawn` are in line, without what
    went back.

    Each layer of an input bears of its loss what it was of all that was drawn; the parts sum exactly to what
    was drawn less what was lost. Raises WorksError where more was lost than drawn.
    """
    return _parted(drawn, lost)[0]


def lots_content(order: Order, used: Sequence[Part]) -> dict[str, tuple[Part, ...]]:
    """The content of every lot that a reported order made: the product, co-products by relative value, scrap.

    `used` are the layers that it used up, in line, as the ledger attributes them: without what went back.
    With what was not recovered the contents sum to `used` in both units. Raises WorksError where the ledger
    knows of less than the order used.
    """
    event = order.reported
    if event is None:
        raise WorksError(f"order {order.planned.order} is {order.state}", "Report it first.")
    lost = [Lost(row.input, row.taken) for row in event.scrap]
    lost += [Lost(row.input, row.quantity) for row in event.waste]
    inside, outside = _parted(used, lost)
    found: dict[str, tuple[Part, ...]] = {}
    for made, share in zip(event.made, _shared(order, inside), strict=True):
        found[made.lot] = share
    for product in dict.fromkeys(row.product for row in lost):
        layers = [part for part in outside if part.product == product]
        shares = split(layers, [row.quantity for row in lost if row.product == product])
        named = [row.made.lot for row in event.scrap if row.input == product]
        found |= dict(zip(named, shares, strict=False))  # waste that was not recovered is no lot
    return found


def entered(parts: Sequence[Part], lines: Mapping[str, AdmissionLine]) -> tuple[ContentLine, ...]:
    """Content as an entry for consumption names it, each lot with its part of what its admission declared.

    `lines` are admission lines by lot. Domestic goods need none: they owe nothing. Raises WorksError for
    foreign goods without one: what they are worth is not known.
    """
    return tuple(_entered(part, lines.get(part.lot)) for part in parts)


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
        total = rounding.total(*(part.pair.commercial for part in layers))
        start, end = (_proportion(total, units, whole) for units in (first, last))
        before = _ZERO
        for part in layers:
            after = EXACT.add(before, part.pair.commercial)
            low, high = max(start, before), min(end, after)
            if low < high:
                found.append(_cut(part, EXACT.subtract(low, before), EXACT.subtract(high, before)))
            before = after
    return tuple(found)


def split(parts: Sequence[Part], values: Sequence[Decimal]) -> tuple[tuple[Part, ...], ...]:
    """The content of products that came out together, by the relative value of each at separation: what one
    of them made is worth in all (19 USC 81c(a)). They sum to `parts` in both units.
    """
    total = rounding.total(*values)
    if not total or any(value < 0 for value in values):
        raise WorksError("products without a relative value", "Give each its value in the bill of material.")
    shares: list[list[Part]] = [[] for _ in values]
    for part in parts:
        low, worth = _ZERO, _ZERO
        for share, value in zip(shares, values, strict=True):
            worth = EXACT.add(worth, value)
            high = _proportion(part.pair.commercial, worth, total)
            if high > low:
                share.append(_cut(part, low, high))
            low = high
    return tuple(tuple(share) for share in shares)


Contains = Callable[[str], Sequence[Part]]
"""What a lot contains directly; nothing for a lot that was not made here."""


def opened(
    parts: Sequence[Part], contains: Contains, made: Callable[[str], Decimal], depth_max: int = DEPTH_MAX
) -> tuple[Part, ...]:
    """Content with lots that were made here opened in turn, down to lots that were admitted. `made` says how
    many units a made lot has; those that a part names are opened.

    Raises WorksError for content that is deeper than `depth_max`, as one that contains itself would be.
    """
    found: dict[tuple[str, str, Status], Pair] = {}
    for one in levels(parts, contains, made, depth_max):
        if one.whole:
            key = (one.part.lot, one.part.product, one.part.status)
            found[key] = found.get(key, NOTHING) + one.part.pair
    return tuple(Part(*key, pair) for key, pair in found.items())


class Level(NamedTuple):
    """A part of a lot's content, `depth` steps inside; `whole` where it is not opened further."""

    depth: int
    part: Part
    whole: bool


def levels(
    parts: Sequence[Part], contains: Contains, made: Callable[[str], Decimal], depth_max: int = DEPTH_MAX
) -> Iterator[Level]:
    """All that content is on the way down, as `opened` opens it: each part before what is in it."""
    todo = [(part, 1) for part in reversed(parts)]
    while todo:
        part, depth = todo.pop()
        below = contains(part.lot)
        yield Level(depth, part, not below)
        if not below:
            continue
        if depth >= depth_max:
            raise WorksError(
                f"lot {part.lot} is more than {depth_max} steps deep", "Look for a lot that contains itself."
            )
        last = EXACT.add(part.first, part.pair.commercial)
        todo += [(one, depth + 1) for one in reversed(between(below, made(part.lot), part.first, last))]


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


def _parted(drawn: Sequence[Part], lost: Iterable[Lost]) -> tuple[tuple[Part, ...], tuple[Part, ...]]:
    """What of the layers is in the product, and what was lost of them."""
    losses: dict[str, Decimal] = {}
    for product, quantity in lost:
        losses[product] = EXACT.add(losses.get(product, _ZERO), quantity)
    inside: list[Part] = []
    outside: list[Part] = []
    for product in dict.fromkeys((*(part.product for part in drawn), *losses)):
        layers = [part for part in drawn if part.product == product]
        total = rounding.total(*(part.pair.commercial for part in layers))
        net = EXACT.subtract(total, losses.get(product, _ZERO))
        if net < 0:
            raise WorksError(
                f"{losses[product]} of {product} were lost, {total} were drawn", "Look at the order's goods."
            )
        upto, given = _ZERO, _ZERO
        for part in layers:
            upto = EXACT.add(upto, part.pair.commercial)
            through = _proportion(net, upto, total)
            kept = EXACT.subtract(through, given)
            given = through
            for where, first, last in ((inside, _ZERO, kept), (outside, kept, part.pair.commercial)):
                if first < last:
                    where.append(_cut(part, first, last))
    return tuple(inside), tuple(outside)


def _shared(order: Order, inside: tuple[Part, ...]) -> Sequence[tuple[Part, ...]]:
    """What is in the products, apart for each."""
    assert order.reported is not None, "it was asked before"
    made, bom = order.reported.made, order.bom
    if len(made) < 2:
        return [inside] * len(made)
    each = {row.gtin: row.value for row in bom.coproducts}
    if bom.value is not None:
        each[bom.product] = bom.value
    return split(inside, [EXACT.multiply(one.quantity, each.get(one.product, _ZERO)) for one in made])


def _entered(part: Part, line: AdmissionLine | None) -> ContentLine:
    quantity, customs = part.pair.commercial, part.pair.customs
    if line is None:
        if part.status is not Status.DOMESTIC:
            raise WorksError(
                f"lot {part.lot} has no admission line on file",
                "Import the line of its 214, with its values.",
            )
        return ContentLine(part.lot, part.product, part.status, quantity, "", None, "US", Values(_ZERO))
    of = (line.values.price, line.values.additions, line.values.intl_freight, line.values.intl_insurance)
    shares = [_money(value, quantity, line.quantity) for value in (*of, line.values.us_inland)]
    return ContentLine(
        part.lot,
        part.product,
        part.status,
        quantity,
        line.unit,
        line.hts,
        line.origin,
        Values(*shares),
        (Measure(customs, line.customs_unit),),
        GoodsDates(line.import_date, line.admitted, line.pf_filed),
        producer=line.producer,
        adcvd=line.adcvd,
        spi=line.spi,
    )


def _money(value: Decimal, part: Decimal, whole: Decimal) -> Decimal:
    """A value's part, to the ten-millionth of a cent: what is computed of it is rounded by its own rule."""
    exact = _ROUNDED.divide(_ROUNDED.multiply(value, part), whole)
    return exact.quantize(_MONEY_STEP, ROUND_HALF_EVEN, _ROUNDED).normalize()


def _cut(part: Part, first: Decimal, last: Decimal) -> Part:
    """The commercial units from `first` to `last` of a part, with their customs units by cumulative
    rounding, so that neighboring cuts sum to the whole.
    """
    whole = part.pair
    low, high = (_proportion(whole.customs, upto, whole.commercial) for upto in (first, last))
    pair = Pair(EXACT.subtract(last, first), EXACT.subtract(high, low))
    return msgspec.structs.replace(part, pair=pair, first=EXACT.add(part.first, first))


def _proportion(total: Decimal, part: Decimal, whole: Decimal) -> Decimal:
    """`total` times `part` of `whole`, to six decimals half to even; all of it where `part` is the whole."""
    if part == whole:
        return total
    exact = _ROUNDED.divide(_ROUNDED.multiply(total, part), whole)
    return exact.quantize(_STEP, ROUND_HALF_EVEN, _ROUNDED)
