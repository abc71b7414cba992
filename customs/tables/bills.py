# SPDX-License-Identifier: Apache-2.0
"""Bills of material out of a table's lines: one line a part, the bill's own columns repeated on each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from customs.faults import Faults, shown
from customs.tables.forms import Cells
from customs.works.boms import Bom, CoProduct, Input, Scrap

OWN: Final = ("product", "version", "unit", "valid_from", "valid_to", "yield", "value", "source")
"""Columns of the bill itself, which its lines repeat."""

_NEEDS: Final = {
    "input": ("gtin", "part_unit"),
    "scrap": ("of",),
    "coproduct": ("gtin", "part_unit", "part_value"),
}
"""What each part must name."""

_BARS: Final = {
    "input": ("of", "part_value"),
    "scrap": ("part_unit", "part_value"),
    "coproduct": ("of",),
}
"""What each part must leave empty."""


@dataclass(slots=True)
class _Bill:
    """A bill that grows by lines; `cells` are its first one."""

    cells: Cells
    own: dict[str, Any]
    parts: list[tuple[Cells, dict[str, Any]]] = field(default_factory=list)
    sound: bool = True


class Bills:
    """The bills of one file."""

    def __init__(self, file: str, faults: Faults) -> None:
        self._file = file
        self._faults = faults
        self._bills: dict[tuple[str, str], _Bill] = {}

    def take(self, cells: Cells, values: dict[str, Any] | None) -> None:
        """One line; without values it was faulty, and so is its bill."""
        raw = cells.values.get("product"), cells.values.get("version")
        key = (str(raw[0]), str(raw[1]))
        if values is None:
            bill = self._bills.setdefault(key, _Bill(cells, {}, sound=False))
            bill.sound = False
            return
        own = {name: values[name] for name in OWN}
        bill = self._bills.setdefault(key, _Bill(cells, own))
        if bill.own and bill.own != own:
            self._differ(cells, bill, own)
        bill.own = bill.own or own
        before = self._faults.total
        self._check_part(cells, values)
        bill.sound = bill.sound and self._faults.total == before
        bill.parts.append((cells, values))

    def whole(self) -> Iterator[tuple[Cells, Bom, Mapping[str, Cells]]]:
        """The bills all of whose lines were sound, with their first lines, and the lines of their parts by
        the fields of the bill.
        """
        for bill in self._bills.values():
            if bill.sound:
                yield bill.cells, *_bom(bill)

    def _differ(self, cells: Cells, bill: _Bill, own: dict[str, Any]) -> None:
        bill.sound = False
        for name in OWN:
            if own[name] != bill.own[name]:
                self._fault(
                    cells,
                    name,
                    shown(own[name]),
                    f"as in {bill.cells.at('')}: {shown(bill.own[name])}",
                    "All lines of one version repeat its own columns.",
                )

    def _check_part(self, cells: Cells, values: dict[str, Any]) -> None:
        part = values["part"]
        for name in _NEEDS[part]:
            if values[name] is None:
                self._fault(cells, name, "nothing", f"a value, which each {part} has", "Add it.")
        for name in _BARS[part]:
            if values[name] is not None:
                self._fault(cells, name, shown(values[name]), f"nothing for {part}", "Take it out.")

    def _fault(self, cells: Cells, column: str, got: str, expected: str, next_step: str) -> None:
        self._faults.add(self._file, cells.at(column), got, expected, next_step)


def _bom(bill: _Bill) -> tuple[Bom, Mapping[str, Cells]]:
    own = dict(bill.own)
    inputs: list[Input] = []
    scrap: list[Scrap] = []
    coproducts: list[CoProduct] = []
    places: dict[str, Cells] = {}
    for cells, part in bill.parts:
        gtin, per = part["gtin"], part["per"]
        if part["part"] == "input":
            places[f"inputs[{len(inputs)}]"] = cells
            inputs.append(Input(gtin, per, part["part_unit"]))
        elif part["part"] == "scrap":
            places[f"scrap[{len(scrap)}]"] = cells
            scrap.append(Scrap(part["of"], per, part["recoverable"], part["description"], gtin or ""))
        else:
            places[f"coproducts[{len(coproducts)}]"] = cells
            coproducts.append(CoProduct(gtin, per, part["part_unit"], part["part_value"]))
    bom = Bom(
        yield_=own.pop("yield"),
        inputs=tuple(inputs),
        scrap=tuple(scrap),
        coproducts=tuple(coproducts),
        **own,
    )
    return bom, places


def column_of(field_: str) -> tuple[str, str]:
    """Where a field of a bill stands in its table: the part, empty for the bill itself, and the column."""
    part, _, name = field_.partition(".")
    if "[" not in part:
        return "", "gtin" if part in ("inputs", "scrap", "coproducts") else part
    return part, {"": "gtin", "unit": "part_unit", "value": "part_value", "input": "of"}.get(name, name)
