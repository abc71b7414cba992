# SPDX-License-Identifier: Apache-2.0
"""What a dock label of data identifiers says of the goods: part, quantity, lot, serial numbers, plate,
origin.

Maps identifiers to fields and refuses what contradicts itself; knows nothing of envelopes and carriers.
Sources: ANSI MH10.8.2 for the meanings, MIL-STD-130 for the identity that is put together from several.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from .agencies import agency_of
from .data_identifiers import DATA_IDENTIFIERS
from .di_checks import split_quantity
from .elements import Elements
from .errors import CodeError, Fault
from .printable import shown

__all__ = ["PartLabel", "part_label", "unique_item"]


@dataclass(frozen=True, slots=True)
class PartLabel:
    """The fields of a dock label. Text is as on the label.

    `part` is the customer's part number (P), `supplier_part` the supplier's (1P). `quantity` is without its
    unit, `unit` two characters of ANSI X12.3 element 355, None where the label does not say. `lot` is the
    supplier's (1T), `customer_lot` the customer's (T). A box may list the serial numbers of all it holds.
    `origin` is a country of ISO 3166-1 in two letters, or AA for mixed. `licence_plate` is without its
    identifier: agency, company, number; `plate_agency` names the agency where we know its code. `fields`
    holds every field the label fills, each with the identifiers and values it came from: a supplier can be
    named in several ways that are all right.
    """

    part: str | None
    supplier_part: str | None
    revision: str | None
    quantity: Decimal | None
    unit: str | None
    serials: tuple[str, ...]
    lot: str | None
    customer_lot: str | None
    order: str | None
    order_line: str | None
    origin: str | None
    licence_plate: str | None
    plate_agency: str | None
    sscc: str | None
    gtin: str | None
    produced: date | None
    expires: date | None
    best_before: date | None
    fields: Mapping[str, tuple[tuple[str, str], ...]]


def part_label(elements: Elements) -> PartLabel:
    """The fields of the data identifiers among `elements`; others are passed over.

    Raises CodeError `conflict` when two values claim one field: two parts, two quantities, two plates. Which
    of them holds for the goods would be a guess.
    """
    fields: dict[str, tuple[tuple[str, str], ...]] = {}
    for di, value in elements:
        identifier = DATA_IDENTIFIERS.get(di)
        if identifier is not None and identifier.field is not None:
            fields[identifier.field] = (*fields.get(identifier.field, ()), (di, value))
    faults: list[Fault] = []

    def one(field: str) -> str | None:
        return _one(field, {value for _, value in fields.get(field, ())}, faults)

    def day(field: str) -> date | None:
        days = {_day(di, value) for di, value in fields.get(field, ())}
        found = _one(field, {day.isoformat() for day in days if day is not None}, faults)
        return None if found is None else date.fromisoformat(found)

    quantity, unit = _quantity(fields, faults)
    order, order_line = _order(fields, faults)
    plate = one("licence_plate")
    label = PartLabel(
        part=one("part"),
        supplier_part=one("supplier_part"),
        revision=one("revision"),
        quantity=quantity,
        unit=unit,
        serials=tuple(dict.fromkeys(value for di, value in fields.get("serial", ()) if di == "S")),
        lot=one("lot"),
        customer_lot=one("customer_lot"),
        order=order,
        order_line=order_line,
        origin=one("origin"),
        licence_plate=plate,
        plate_agency=None if plate is None else agency_of(plate),
        sscc=one("sscc"),
        gtin=one("gtin"),
        produced=day("produced"),
        expires=day("expires"),
        best_before=day("best_before"),
        fields=fields,
    )
    if faults:
        raise CodeError(*faults)
    return label


def unique_item(elements: Elements) -> str | None:
    """The unique item identifier of MIL-STD-130 that the elements make together; None when they make none.

    Whole in one element (25S, 22S, I), else the company with its agency, and behind it a serial number unique
    within the company (18S, SER, UCN), or the part or lot (1P, 1T, PNO) and its serial number (S, SEQ). Two
    values of one kind that are not the same make none.
    """
    found: dict[str, set[str]] = {}
    for key, value in elements:
        for kind, prefix in _ITEM_PARTS.get(key, ()):
            found.setdefault(kind, set()).add(prefix + value)
    if any(len(values) > 1 for values in found.values()):
        return None
    parts = {kind: next(iter(values)) for kind, values in found.items()}
    for kinds in (("whole",), ("company", "serial"), ("company", "part", "part serial")):
        if all(kind in parts for kind in kinds):
            return "".join(parts[kind] for kind in kinds)
    return None


# CAGE codes are those of NATO (D), DUNS numbers those of Dun and Bradstreet (UN), DoDAACs those of LD; 18V,
# 3V and EUC name their agency by themselves.
_ITEM_PARTS: Mapping[str, tuple[tuple[str, str], ...]] = {
    **dict.fromkeys(("25S", "22S", "I"), (("whole", ""),)),
    "18S": (("whole", "D"),),
    **dict.fromkeys(("17V", "MFR", "SPL", "CAG"), (("company", "D"),)),
    **dict.fromkeys(("12V", "DUN"), (("company", "UN"),)),
    "7L": (("company", "LD"),),
    **dict.fromkeys(("18V", "3V", "EUC"), (("company", ""),)),
    **dict.fromkeys(("SER", "UCN"), (("serial", ""),)),
    **dict.fromkeys(("1P", "1T", "PNO"), (("part", ""),)),
    **dict.fromkeys(("S", "SEQ"), (("part serial", ""),)),
}


def _one(field: str, values: set[str], faults: list[Fault]) -> str | None:
    if len(values) > 1:
        came = " and ".join(map(shown, sorted(values)[:2]))
        message = f"{came}, expected one {field.replace('_', ' ')} on a label"
        faults.append(Fault("conflict", message))
    return next(iter(values), None)


def _quantity(
    fields: Mapping[str, tuple[tuple[str, str], ...]], faults: list[Fault]
) -> tuple[Decimal | None, str | None]:
    """Identifier Q with the unit of 3Q, else 7Q.

    Beside Q a 7Q may be a weight (AIAG prints the gross weight so); it is the same quantity when its number
    is the same, and then gives the unit.
    """
    bare = {Decimal(value) for _, value in fields.get("quantity", ()) if split_quantity(value + "EA")}
    pairs = [split_quantity(value) for _, value in fields.get("quantity_unit", ())]
    measured = [(Decimal(number), unit) for number, unit in filter(None, pairs)]
    stated = _one("unit", {value for _, value in fields.get("unit", ())}, faults)
    _one("quantity", {f"{value:f}" for value in bare or {number for number, _ in measured}}, faults)
    if not bare:
        _one("unit", {unit for _, unit in measured} | ({stated} if stated else set()), faults)
        return measured[0] if measured else (None, stated)
    quantity = next(iter(bare))
    units = {unit for number, unit in measured if number == quantity}
    return quantity, _one("unit", units | ({stated} if stated else set()), faults)


def _order(
    fields: Mapping[str, tuple[tuple[str, str], ...]], faults: list[Fault]
) -> tuple[str | None, str | None]:
    orders = {value for _, value in fields.get("order", ())}
    lines = {value for _, value in fields.get("order_line", ())}
    for _, value in fields.get("order_and_line", ()):
        order, _, line = value.rpartition("+")
        orders.add(order or value)
        lines |= {line} if order else set()
    return _one("order", orders, faults), _one("order_line", lines, faults)


def _day(di: str, value: str) -> date | None:
    """The day of an identifier with four digits of the year; None for a value that lenient reading kept."""
    digits = value if di not in ("15D", "17D") else value[4:] + value[2:4] + value[:2]
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:8]))
    except ValueError:
        return None
