# SPDX-License-Identifier: Apache-2.0
"""The example zone's law and goods as tests use them. The rates are example rows, not the HTSUS."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from customs.documents import Status
from customs.known import Known
from customs.law import (
    ANY,
    Dataset,
    FeeLimits,
    HarborPort,
    HarborRate,
    Law,
    LawBook,
    Mark,
    Program,
    Rate,
    TariffRow,
)
from customs.tariff.rates import Measure
from customs.us.lines import ContentLine, CustomsEntry, EntryLine, GoodsDates
from customs.zone import AdmissionLine, Mode, Values

D = Decimal
MONDAY = date(2026, 6, 1)
FILED = date(2026, 5, 20)
S301_FALLS = date(2026, 6, 8)

EXAMPLE: dict[str, Any] = {"source": "example row", "mark": Mark.EXAMPLE}
YEAR: dict[str, Any] = {**EXAMPLE, "valid_from": date(2025, 1, 1)}


def advalorem(fraction: str) -> Rate:
    return Rate("7", advalorem=D(fraction))


def tariff_row(hts: str, rate: Rate, column: str = "general", **more: Any) -> TariffRow:
    return TariffRow(**{**YEAR, "hts": hts, "column": column, "rate": rate, **more})


def program(name: str, heading: str, origin: str, fraction: str, **more: Any) -> Program:
    values = {
        **YEAR,
        "id": name,
        "name": name,
        "headings": (heading,),
        "origins": (origin,),
        "rate": advalorem(fraction),
        "pf_required": True,
        "drawback": name.startswith("S301"),
        **more,
    }
    return Program(**values)


def fee_limits(year: int, minimum: str, maximum: str, **more: Any) -> FeeLimits:
    values = {
        **EXAMPLE,
        "fiscal_year": year,
        "valid_from": date(year - 1, 10, 1),
        "rate": D("0.003464"),
        "minimum": D(minimum),
        "maximum": D(maximum),
        **more,
    }
    return FeeLimits(**values)


TARIFF = Dataset(
    "a" * 64,
    Known(0, 1),
    (
        tariff_row("8501", advalorem("0.04")),
        tariff_row("8482", advalorem("0.09")),
        tariff_row("7616", advalorem("0.025")),
        tariff_row("8413", Rate("0")),
        tariff_row("8205", Rate("4", specific=D("0.03"), advalorem=D("0.05"), unit1="No.")),
        tariff_row("7326", advalorem("0.029")),
        tariff_row("7602", Rate("0")),
    ),
)
PROGRAMS = Dataset(
    "b" * 64,
    Known(0, 2),
    (
        program("S301-X", "7616", "CN", "0.25", valid_to=date(2026, 6, 7)),
        program("S301-X", "7616", "CN", "0.10", valid_from=S301_FALLS),
        program("S232-X", "7326", ANY, "0.50"),
    ),
)
FEES = Dataset(
    "c" * 64,
    Known(0, 3),
    (
        fee_limits(2026, "33.58", "651.50"),
        fee_limits(2025, "32.71", "634.62"),
        HarborRate(**YEAR, rate=D("0.00125")),
        HarborPort(**YEAR, code="2704", name="Los Angeles"),
    ),
)

BOOK = LawBook((TARIFF, PROGRAMS, FEES))
LAW: Law = BOOK.at()

PRICES = {"MOT-24": "40", "BRG-62": "5", "HSG-7": "20", "KIT-D": "5", "TOOL-12": "12", "BRKT-9": "8"}
ORIGINS = {"MOT-24": "JP", "BRG-62": "TH", "HSG-7": "CN", "KIT-D": "US", "TOOL-12": "TW", "BRKT-9": "KR"}
NUMBERS = {"MOT-24": "8501", "BRG-62": "8482", "HSG-7": "7616", "TOOL-12": "8205", "BRKT-9": "7326"}
STATUSES = {"HSG-7": Status.PF, "BRKT-9": Status.PF, "KIT-D": Status.DOMESTIC}


def goods(product: str, quantity: int | str, *, filed: date = FILED, **more: Any) -> ContentLine:
    """So many of a product of the story, as it came into the zone."""
    status = STATUSES.get(product, Status.NPF)
    count = D(quantity)
    values: dict[str, Any] = {
        "lot": f"{product}-1",
        "product": product,
        "status": status,
        "quantity": count,
        "unit": "EA",
        "hts": NUMBERS.get(product),
        "origin": ORIGINS[product],
        "values": Values(count * D(PRICES[product])),
        "measures": (Measure(count, "No."),),
        "dates": GoodsDates(FILED, filed, filed if status is Status.PF else None),
        **more,
    }
    return ContentLine(**values)


def leaving(line: str, content: ContentLine, **more: Any) -> EntryLine:
    """Goods that leave as they came."""
    owner = "Example Tools"
    return EntryLine(
        line, owner, content.product, content.quantity, content.unit, content.hts, goods=content, **more
    )


def pumps(line: str, count: int, *housings: ContentLine) -> EntryLine:
    """So many pumps: a motor, two bearings, a housing net of waste, a domestic kit each."""
    content = (
        goods("MOT-24", count),
        goods("BRG-62", 2 * count),
        *(housings or (goods("HSG-7", count),)),
        goods("KIT-D", count),
    )
    measures = (Measure(D(count), "No."),)
    return EntryLine(
        line, "Example Motors", "PUMP-100", D(count), "EA", "8413", content=content, measures=measures
    )


def scrap(line: str = "4") -> EntryLine:
    """A week's aluminum scrap: waste of privileged housings, hence non-privileged."""
    waste = ContentLine(
        "WO-1-S",
        "SCRAP",
        Status.NPF,
        D(20),
        "EA",
        "7602",
        "CN",
        Values(D(20)),
        dates=GoodsDates(FILED, FILED),
    )
    return leaving(line, waste)


def weekly(*lines: EntryLine, **more: Any) -> CustomsEntry:
    """The week's entry of type 06; the whole story's unless lines are given."""
    story = (
        pumps("1", 750),
        leaving("2", goods("TOOL-12", 2500)),
        leaving("3", goods("BRKT-9", 1250)),
        scrap(),
    )
    values: dict[str, Any] = {
        "number": "W-1",
        "kind": "06",
        "entry_date": MONDAY,
        "lines": lines or story,
        **more,
    }
    return CustomsEntry(**values)


def admission(product: str, count: int, mode: Mode = Mode.VESSEL, **more: Any) -> AdmissionLine:
    """A line of the week's 214."""
    values: dict[str, Any] = {
        "document": "214-1",
        "line": product,
        "owner": "Example Motors",
        "product": product,
        "status": STATUSES.get(product, Status.NPF),
        "quantity": D(count),
        "unit": "EA",
        "customs_quantity": D(count),
        "customs_unit": "No.",
        "hts": NUMBERS.get(product),
        "origin": ORIGINS[product],
        "import_date": FILED,
        "values": Values(D(PRICES[product]) * count),
        "mode": mode,
        "port_unlading": "2704" if mode is Mode.VESSEL else None,
        **more,
    }
    return AdmissionLine(**values)
