# SPDX-License-Identifier: Apache-2.0
"""What the values of one row must be together, and with the papers on file.

Pure: each check yields every fault it finds, in words. Rows against other rows are judged elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final, NamedTuple

from customs.documents import Direction, Permit, PermitLine, Product, Status
from customs.units import Unconvertible, ratio
from customs.works.permits import BLANKET_DAYS_MAX, ActivityPermit, Authority
from customs.zone import AdmissionLine, CustomsProduct, Mode, OpeningBalance


class Bad(NamedTuple):
    """A fault of a row: its column, what came, what was expected, what to do."""

    column: str
    got: str
    expected: str
    next_step: str


@dataclass(frozen=True, slots=True)
class Papers:
    """The papers that rows name, and `today`: the latest day that any clock on earth shows, after which
    nothing can have happened.
    """

    today: date
    products: Mapping[str, Product] = field(default_factory=dict)
    permits: Mapping[str, Permit] = field(default_factory=dict)


HOME: Final = "US"
"""Whose goods were not imported."""

STEP: Final = Decimal("0.000001")
"""Customs quantities are kept to six decimals."""


def row_faults(row: Any, papers: Papers) -> Iterator[Bad]:
    """Every fault of one row; rows of law are judged by `customs.law_faults`."""
    for kind, check in _CHECKS.items():
        if isinstance(row, kind):
            yield from check(row, papers)


def _days(first: date, last: date | None) -> Iterator[Bad]:
    if last is not None and last < first:
        yield Bad("valid_to", str(last), f"a day not before valid_from {first}", "Correct one of them.")


def _product(row: CustomsProduct, papers: Papers) -> Iterator[Bad]:
    yield from _days(row.valid_from, row.valid_to)
    yield from _classified(row.hts, row.origin == HOME, "goods of the US")
    product = papers.products.get(row.gtin)
    if product is None:
        yield Bad("gtin", row.gtin, "a product that is on file", "Import the product first.")
    else:
        try:
            ratio(row.unit, product.unit)
        except Unconvertible as error:
            yield Bad("unit", row.unit, f"a unit that converts to {product.unit} of the product", str(error))
    yield from _converted("factor", Decimal(1), row.unit, row.factor, row.customs_unit)


def _activity(row: ActivityPermit, _: Papers) -> Iterator[Bad]:
    yield from _days(row.valid_from, row.valid_to)
    if (row.valid_to - row.valid_from).days > BLANKET_DAYS_MAX:
        yield Bad(
            "valid_to",
            str(row.valid_to),
            f"a day at most a year after {row.valid_from} (19 CFR 146.52(b))",
            "Correct one of them.",
        )


def _authority(row: Authority, _: Papers) -> Iterator[Bad]:
    yield from _days(row.valid_from, row.valid_to)


def _admission(row: AdmissionLine, papers: Papers) -> Iterator[Bad]:
    yield from _on_permit(row, papers.permits.get(row.document))
    yield from _declared(row, papers.today)


def _opening(row: OpeningBalance, papers: Papers) -> Iterator[Bad]:
    line = row.admission
    yield from _declared(line, papers.today)
    if line.product not in papers.products:
        yield Bad("product", line.product, "a product that is on file", "Import the product first.")
    document, _, number = row.lot.rpartition("/")
    permit = papers.permits.get(document)
    if permit is not None and any(number == one.line for one in permit.lines):
        expected = "a lot of before these books; what a permit on file lets in counts when it comes"
        yield Bad("lot", row.lot, expected, "Take it out, or let it come through a door.")
    if line.admitted is None:
        yield Bad("admitted", "nothing", "the day of admission, which is the lot's place in FIFO", "Add it.")
    elif row.as_of < line.admitted:
        yield Bad("as_of", str(row.as_of), f"a day not before admitted {line.admitted}", "Correct one.")
    if row.as_of > papers.today:
        yield _late("as_of", row.as_of)
    for column, rest, whole in (
        ("on_hand", row.on_hand, line.quantity),
        ("customs_on_hand", row.customs_on_hand, line.customs_quantity),
    ):
        if rest > whole:
            yield Bad(column, f"{rest:f}", f"at most the {whole:f} that were admitted", "Correct one.")
    if (row.on_hand == line.quantity) != (row.customs_on_hand == line.customs_quantity):
        expected = "all in both units, or a part in both"
        yield Bad("customs_on_hand", f"{row.customs_on_hand:f}", expected, "Correct one of them.")


def _declared(row: AdmissionLine, today: date) -> Iterator[Bad]:
    """What an admission's line says by itself."""
    yield from _classified(row.hts, row.status is Status.DOMESTIC, "status D")
    yield from _converted("customs_quantity", row.quantity, row.unit, row.customs_quantity, row.customs_unit)
    yield from _dates(row, today)
    value = row.values
    if value.dutiable() < 0:
        yield Bad(
            "price",
            f"{value.price:f}",
            "a price that its freights and insurance do not exceed",
            "Name freights only as far as the price includes them.",
        )
    if row.mode is Mode.VESSEL and row.port_unlading is None:
        yield Bad(
            "port_unlading",
            "nothing",
            "the port of unlading, on which the harbor fee depends (19 CFR 24.24)",
            "Add its Schedule D code.",
        )
    if row.status is Status.PF and row.pf_filed is None:
        yield Bad("pf_filed", "nothing", "the day on which PF status was asked for", "Add it.")
    if row.status is not Status.PF and row.pf_filed is not None:
        yield Bad("pf_filed", str(row.pf_filed), f"nothing in status {row.status.value}", "Take it out.")


def _dates(row: AdmissionLine, today: date) -> Iterator[Bad]:
    if row.import_date is None and not (row.origin == HOME and row.status is Status.DOMESTIC):
        yield Bad("import_date", "nothing", "the day of importation of foreign goods", "Add it.")
    imported = row.import_date
    for column, day in (("admitted", row.admitted), ("pf_filed", row.pf_filed), ("expiry", row.expiry)):
        if day is not None and imported is not None and day < imported:
            yield Bad(column, str(day), f"a day not before import_date {imported}", "Correct one of them.")
    for column, day in (("admitted", row.admitted), ("pf_filed", row.pf_filed)):
        if day is not None and day > today:
            yield _late(column, day)


def _late(column: str, day: date) -> Bad:
    return Bad(
        column,
        str(day),
        "a day that has come",
        "Correct it; if it is right, the center's clock is behind: set it.",
    )


def _classified(hts: str | None, home: bool, whose: str) -> Iterator[Bad]:
    if hts is None and not home:
        yield Bad("hts", "nothing", f"a tariff number, which only {whose} may lack", "Classify the goods.")


def _converted(column: str, quantity: Decimal, unit: str, customs: Decimal, to: str) -> Iterator[Bad]:
    """Where two units measure the same, what one is of the other is not free to choose."""
    try:
        exact = Fraction(quantity) * ratio(unit, to)
    except Unconvertible:
        return
    if abs(Fraction(customs) - exact) > Fraction(STEP) / 2:
        rounded = (Decimal(exact.numerator) / Decimal(exact.denominator)).quantize(STEP).normalize()
        yield Bad(column, f"{customs:f}", f"{rounded:f}: so much {to} are {quantity:f} {unit}", "Correct it.")


def _on_permit(row: AdmissionLine, permit: Permit | None) -> Iterator[Bad]:
    if permit is None:
        yield Bad("document", row.document, "a permit that is on file", "Import the permit first.")
        return
    line = next((line for line in permit.lines if line.line == row.line), None)
    if line is None:
        lines = ", ".join(line.line for line in permit.lines[:40])
        yield Bad("line", row.line, f"a line of {row.document}: {lines}", "Correct the line.")
        return
    yield from _as_on(row, permit, line)


def _as_on(row: AdmissionLine, permit: Permit, line: PermitLine) -> Iterator[Bad]:
    if line.direction is not Direction.IN:
        yield Bad("line", row.line, "a line for goods going in", "Admissions have lines of 214s alone.")
    where = f"as on line {row.document}/{row.line} of the permit"
    for column, got, expected in (
        ("owner", row.owner, permit.owner),
        ("product", row.product, line.product),
        ("status", row.status.value, line.status.value),
        ("unit", row.unit, line.unit),
    ):
        if got != expected:
            yield Bad(column, got, f"{expected}, {where}", "Correct it, or the permit.")
    if row.unit == line.unit and row.quantity != line.quantity:
        yield Bad("quantity", f"{row.quantity:f}", f"{line.quantity:f}, {where}", "Correct it.")


_CHECKS: Final[dict[type, Callable[[Any, Papers], Iterator[Bad]]]] = {
    CustomsProduct: _product,
    ActivityPermit: _activity,
    Authority: _authority,
    AdmissionLine: _admission,
    OpeningBalance: _opening,
}
