# SPDX-License-Identifier: Apache-2.0
"""Bills of material: what one unit of a product takes, in which days, and what of it is lost.

Value types, their faults all at once, and exact explosion. Knows no stock, no order and no clock: the day
comes in as an argument. Zone procedures ask for such a bill with the records of a manufacture
(19 CFR 146.52(b), 146.23(b)).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import ROUND_UP, Decimal, localcontext
from fractions import Fraction
from itertools import pairwise
from typing import Final, NamedTuple

import msgspec

from customs.fields import QUANTITY_DECIMALS_MAX, QUANTITY_MAX, YEAR_MAX, YEAR_MIN
from customs.units import Unconvertible, ratio

INPUTS_MAX: Final = 500
"""Rows of one bill: a machine of more parts has assemblies with bills of their own."""

PER_MAX: Final = Decimal(10) ** 6
"""Of one input per unit made; a larger figure is a slipped column."""

DEPTH_MAX: Final = 16
"""Assemblies within assemblies; a deeper bill is a circle or a mistake."""

_STEP: Final = Decimal(1).scaleb(-QUANTITY_DECIMALS_MAX)


class WorksError(Exception):
    """The root of what this room refuses; the message is for people, `next_step` says what to do."""

    def __init__(self, message: str, next_step: str) -> None:
        super().__init__(message)
        self.next_step = next_step


class NoBom(WorksError):
    """No version of a product's bill is in force on a day."""


class Input(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """So much of a product goes into one unit begun: `per` is gross, in `unit`, with what will be scrap."""

    gtin: str
    per: Decimal
    unit: str


class Scrap(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What of an input does not go into the product: `per` unit begun, in the input's unit.

    Recoverable waste is goods of its own, named by `gtin` (empty where it has none) and `description`;
    irrecoverable waste (smoke, evaporation) is gone. Waste recovered from manufacture is non-privileged
    foreign whatever the input was (19 CFR 146.42(b)).
    """

    input: str
    per: Decimal
    recoverable: bool
    description: str
    gtin: str = ""


class CoProduct(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What else comes out with each unit made: `per` of it, in `unit`, worth `value` each at separation."""

    gtin: str
    per: Decimal
    unit: str
    value: Decimal


class Bom(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One version of the bill of material of a product.

    In force from `valid_from` to `valid_to`, both included; without an end until another version begins.
    `yield_` is the share of the units begun that come out good. `value` is the product's own relative value
    each at separation, which only the split over co-products asks for (19 USC 81c(a)).
    """

    product: str
    version: str
    unit: str
    valid_from: date
    inputs: tuple[Input, ...]
    valid_to: date | None = None
    yield_: Decimal = Decimal(1)
    scrap: tuple[Scrap, ...] = ()
    coproducts: tuple[CoProduct, ...] = ()
    value: Decimal | None = None
    source: str = ""

    def wasted(self, gtin: str, *, recoverable: bool | None = None) -> Decimal:
        """What of an input is lost per unit begun; all of it, or one kind."""
        rows = (row for row in self.scrap if row.input == gtin)
        return sum((row.per for row in rows if recoverable in (None, row.recoverable)), Decimal(0))


class Problem(NamedTuple):
    """One fault of a bill: which of those given, its field, what came, what was expected, what to do."""

    bom: int
    field: str
    got: str
    expected: str
    next_step: str


class Need(NamedTuple):
    """What an explosion asks for: an input, how much in its unit, and how deep below the product."""

    gtin: str
    quantity: Decimal
    unit: str
    level: int


def problems(
    boms: Sequence[Bom], on_file: Sequence[Bom] = (), units: Mapping[str, str] | None = None
) -> list[Problem]:
    """Every fault of `boms`, each alone and together with those `on_file`; a bill that is on file just so has
    none. `units` has each known product's unit by GTIN: with it, a product that is not known, or whose unit
    does not convert, is a fault.
    """
    known = set(on_file)
    found = [problem for place, bom in enumerate(boms) for problem in _own_problems(place, bom)]
    if units is not None:
        found += [problem for place, bom in enumerate(boms) for problem in _unit_problems(place, bom, units)]
    found += _overlaps(boms, [*on_file])
    found += _circles(boms, [bom for bom in on_file if bom not in set(boms)])
    return [problem for problem in found if boms[problem.bom] not in known]


def version_on(boms: Iterable[Bom], product: str, day: date) -> Bom:
    """The version of a product's bill that is in force on a day. Raises NoBom."""
    found = _on(_versions(bom for bom in boms if bom.product == product).get(product, ()), day)
    if found is None:
        raise NoBom(
            f"{product} has no bill of material for {day}",
            "Import the version that was in force on that day.",
        )
    return found


def needs(bom: Bom, made: Decimal, units: Mapping[str, str] | None = None) -> tuple[Need, ...]:
    """What `made` good units take of each input, gross; in its own unit where `units` has that by GTIN.

    Exact; where a yield or a unit leaves no finite decimal it is rounded up at the sixth. Raises
    Unconvertible.
    """
    found = []
    for row in bom.inputs:
        unit = (units or {}).get(row.gtin, row.unit)
        gross = _begun(bom, Fraction(made)) * Fraction(row.per) * ratio(row.unit, unit)
        found.append(Need(row.gtin, _decimal(gross), unit, 1))
    return tuple(found)


def explode(boms: Sequence[Bom], product: str, made: Decimal, day: date) -> tuple[Need, ...]:
    """What `made` units of a product take of everything that has no bill of its own on that day, assemblies
    opened; each once, with its greatest depth. Exact: nothing is rounded between the levels, and the end only
    as `needs` does. Raises NoBom, and WorksError for a circle.
    """
    in_force = _versions(boms)
    total: dict[tuple[str, str], tuple[Fraction, int]] = {}
    begun = {(version_on(boms, product, day)): Fraction(made)}
    for level in range(1, DEPTH_MAX + 1):
        deeper: dict[Bom, Fraction] = {}
        for bom, units_made in begun.items():
            for row in bom.inputs:
                quantity = _begun(bom, units_made) * Fraction(row.per)
                part = _on(in_force.get(row.gtin, ()), day)
                if part is not None:
                    taken = quantity * ratio(row.unit, part.unit)
                    deeper[part] = deeper.get(part, Fraction(0)) + taken
                else:
                    before = total.get((row.gtin, row.unit), (Fraction(0), level))[0]
                    total[row.gtin, row.unit] = (before + quantity, level)
        if not deeper:
            return tuple(
                Need(gtin, _decimal(quantity), unit, depth)
                for (gtin, unit), (quantity, depth) in sorted(total.items())
            )
        begun = deeper
    raise WorksError(
        f"the bill of {product} is deeper than {DEPTH_MAX} assemblies on {day}",
        "Look for a part that contains itself.",
    )


def _versions(boms: Iterable[Bom]) -> dict[str, list[Bom]]:
    """The versions of each product's bill, in the order in which they begin."""
    by_product: dict[str, list[Bom]] = {}
    for bom in boms:
        by_product.setdefault(bom.product, []).append(bom)
    for versions in by_product.values():
        versions.sort(key=lambda bom: bom.valid_from)
    return by_product


def _on(versions: Sequence[Bom], day: date) -> Bom | None:
    """The last that has begun by a day, unless it has ended."""
    begun = [bom for bom in versions if bom.valid_from <= day]
    if not begun or ((end := begun[-1].valid_to) is not None and end < day):
        return None
    return begun[-1]


def _begun(bom: Bom, made: Fraction) -> Fraction:
    return made / Fraction(bom.yield_)


def _decimal(value: Fraction) -> Decimal:
    """A fraction as a decimal of six places, rounded up: never too little is asked for."""
    with localcontext() as context:
        context.prec = 60
        return (Decimal(value.numerator) / Decimal(value.denominator)).quantize(_STEP, ROUND_UP).normalize()


# -- faults ----------------------------------------------------------------------------------------


def _own_problems(place: int, bom: Bom) -> Iterator[Problem]:
    for field, got, expected, next_step in (*_head_problems(bom), *_row_problems(bom), *_scrap_problems(bom)):
        yield Problem(place, field, str(got), expected, next_step)


_Bad = tuple[str, object, str, str]
_CORRECT: Final = "Correct the figure."


def _head_problems(bom: Bom) -> Iterator[_Bad]:
    end = bom.valid_to
    if not YEAR_MIN <= bom.valid_from.year <= YEAR_MAX:
        yield "valid_from", bom.valid_from, f"a year from {YEAR_MIN} to {YEAR_MAX}", "Correct the year."
    if end is not None and not bom.valid_from <= end <= date(YEAR_MAX, 12, 31):
        yield "valid_to", end, f"a day from {bom.valid_from} on", "Correct one of the two dates."
    if not _within(bom.yield_, Decimal(1)):
        yield "yield", bom.yield_, "a share above 0 and at most 1, with up to 6 decimals", _CORRECT
    if not 1 <= len(bom.inputs) <= INPUTS_MAX:
        yield "inputs", len(bom.inputs), f"1 to {INPUTS_MAX} inputs", "Add or split the rows."
    if bom.coproducts and (bom.value is None or not _within(bom.value, QUANTITY_MAX)):
        yield "value", bom.value, "the product's own relative value, as it has co-products", _CORRECT


def _row_problems(bom: Bom) -> Iterator[_Bad]:
    seen = {bom.product}
    for number, row in enumerate(bom.inputs):
        if not _fits(row.per):
            yield f"inputs[{number}].per", row.per, _FIT, _CORRECT
        if row.gtin in seen:
            got = "the product itself" if row.gtin == bom.product else "an input that stands there already"
            yield f"inputs[{number}].gtin", f"{row.gtin}, {got}", "each input once", "Take it out."
        seen.add(row.gtin)
    for number, more in enumerate(bom.coproducts):
        if not _fits(more.per):
            yield f"coproducts[{number}].per", more.per, _FIT, _CORRECT
        if not _within(more.value, QUANTITY_MAX):
            yield f"coproducts[{number}].value", more.value, "a value above 0", _CORRECT
        if more.gtin in seen:
            yield f"coproducts[{number}].gtin", more.gtin, "a product named nowhere else here", "Take it out."
        seen.add(more.gtin)


def _scrap_problems(bom: Bom) -> Iterator[_Bad]:
    gross = {row.gtin: row.per for row in bom.inputs}
    for number, row in enumerate(bom.scrap):
        field = f"scrap[{number}]"
        if row.input not in gross:
            yield f"{field}.input", row.input, "one of the inputs", "Name the input it is of."
        elif not _fits(row.per) or bom.wasted(row.input) > gross[row.input]:
            expected = f"above 0, and together at most {gross[row.input]} per unit, which is all that goes in"
            yield f"{field}.per", row.per, expected, _CORRECT
        if not row.recoverable and row.gtin:
            yield f"{field}.gtin", row.gtin, "none, as this waste is not recovered", "Leave it empty."


_FIT: Final = f"a quantity above 0, at most {PER_MAX:f}, with up to {QUANTITY_DECIMALS_MAX} decimals"


def _fits(per: Decimal) -> bool:
    return _within(per, PER_MAX)


def _within(value: Decimal, most: Decimal) -> bool:
    exponent = value.as_tuple().exponent  # a letter where it is no number
    return isinstance(exponent, int) and exponent >= -QUANTITY_DECIMALS_MAX and 0 < value <= most


def _unit_problems(place: int, bom: Bom, units: Mapping[str, str]) -> Iterator[Problem]:
    rows = [("product", bom.product, bom.unit)]
    rows += [(f"inputs[{number}]", row.gtin, row.unit) for number, row in enumerate(bom.inputs)]
    rows += [(f"coproducts[{number}]", row.gtin, row.unit) for number, row in enumerate(bom.coproducts)]
    for field, gtin, unit in rows:
        if gtin not in units:
            yield Problem(place, field, gtin, "a product on file", "Import the product first.")
            continue
        try:
            ratio(unit, units[gtin])
        except Unconvertible as error:
            yield Problem(place, f"{field}.unit", unit, f"a unit that converts to {units[gtin]}", str(error))


def _overlaps(boms: Sequence[Bom], on_file: list[Bom]) -> Iterator[Problem]:
    """Two versions of one name, two that begin on one day, or one that ends after the next has begun."""
    by_product: dict[str, list[tuple[Bom, int | None]]] = {}
    given = set(boms)
    for bom in on_file:
        if bom not in given:
            by_product.setdefault(bom.product, []).append((bom, None))
    for place, bom in enumerate(boms):
        by_product.setdefault(bom.product, []).append((bom, place))
    for versions in by_product.values():
        yield from _same_names(versions)
        ordered = sorted(versions, key=lambda one: one[0].valid_from)
        for (earlier, before), (later, after) in pairwise(ordered):
            newest = before if after is None else after
            if newest is None:
                continue
            if earlier.valid_from == later.valid_from or (
                earlier.valid_to is not None and earlier.valid_to >= later.valid_from
            ):
                got = f"{earlier.version} from {earlier.valid_from} to {earlier.valid_to or 'the next'}"
                expected = f"no day in common with {later.version}, which begins on {later.valid_from}"
                next_step = "End the earlier version before the later one."
                yield Problem(newest, "valid_from", got, expected, next_step)


def _same_names(versions: list[tuple[Bom, int | None]]) -> Iterator[Problem]:
    seen: set[str] = set()
    for bom, place in versions:
        if bom.version in seen and place is not None:
            yield Problem(
                place, "version", bom.version, "a name no other version of the product has", "Rename it."
            )
        seen.add(bom.version)


# -- circles ---------------------------------------------------------------------------------------


def _circles(boms: Sequence[Bom], on_file: Sequence[Bom]) -> Iterator[Problem]:
    """Products that contain themselves on some day, all versions of that day together.

    Only what hangs together in a ring when dates are left aside is looked at day by day, and only on days on
    which a version begins: between two of them no edge is new.
    """
    by_product = _versions([*on_file, *boms])
    places = {id(bom): place for place, bom in enumerate(boms)}
    parts = {name: {row.gtin for bom in found for row in bom.inputs} for name, found in by_product.items()}
    for ring in _rings(parts):
        for day in sorted({bom.valid_from for product in ring for bom in by_product[product]}):
            in_force = [bom for product in ring if (bom := _on(by_product[product], day)) is not None]
            graph = {bom.product: {row.gtin for row in bom.inputs} & ring for bom in in_force}
            tight = next(iter(_rings(graph)), set())
            new = [places[id(bom)] for bom in in_force if bom.product in tight and id(bom) in places]
            if new:
                yield Problem(
                    min(new),
                    "inputs",
                    " contains ".join(_around(graph, tight)),
                    f"no product that contains itself, as on {day}",
                    "Take the part out that closes the circle.",
                )
                break


def _around(graph: Mapping[str, set[str]], ring: set[str]) -> list[str]:
    """One way round a ring, its first product named again at the end."""
    way = [min(ring)]
    while way[-1] not in way[:-1]:
        way.append(min(graph[way[-1]] & ring))
    return way[way.index(way[-1]) :]


def _rings(graph: Mapping[str, set[str]]) -> Iterator[set[str]]:
    """The strongly connected parts of more than one node, or of one that names itself (Tarjan, without
    recursion: a hostile chain is long).
    """
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    held: set[str] = set()
    for root in graph:
        if root in index:
            continue
        index[root] = low[root] = len(index)
        stack.append(root)
        held.add(root)
        work = [(root, iter(sorted(graph.get(root, ()))))]
        while work:
            node, parts = work[-1]
            part = next(parts, None)
            if part is None:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    ring = set(stack[stack.index(node) :])
                    del stack[stack.index(node) :]
                    held -= ring
                    if len(ring) > 1 or node in graph.get(node, ()):
                        yield ring
            elif part not in index:
                index[part] = low[part] = len(index)
                stack.append(part)
                held.add(part)
                work.append((part, iter(sorted(graph.get(part, ())))))
            elif part in held:
                low[node] = min(low[node], index[part])
