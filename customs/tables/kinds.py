# SPDX-License-Identifier: Apache-2.0
"""The kinds of tables: the columns of each, and the typed row that a line of it becomes.

docs/integrate/customs-tables.md describes every column, and a test compares. Knows no file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from typing import Any, Final

import msgspec

from customs import fields, law
from customs.documents import Status
from customs.fields import CheckDigit
from customs.ledger import locations
from customs.tables.columns import (
    ANY_COUNTRY,
    CASE,
    COLUMN,
    COUNTRY,
    MONEY,
    PORT,
    RATE,
    SPECIFIC,
    SPI,
    Column,
    heading,
    hts,
    many,
    whole,
    yes,
)
from customs.tariff.text import printed_rate
from customs.works.boms import Bom
from customs.works.permits import Activity, ActivityPermit, Authority
from customs.zone import ZERO, AdmissionLine, CustomsProduct, Location, Mode, OpeningBalance, Values

Row = msgspec.Struct
Named = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of table. `make` gives the typed row of checked values; None where several lines of a file make
    one row. `key` names what a row is about, `row_type` is what it is stored as.
    """

    name: str
    what: str
    columns: tuple[Column, ...]
    row_type: Any
    make: Callable[[Named], Row] | None
    key: Callable[[Any], str]

    @property
    def names(self) -> tuple[str, ...]:
        """The columns' names."""
        return tuple(column.name for column in self.columns)

    @property
    def is_law(self) -> bool:
        """Whether its rows are law: dated, with their source and mark."""
        return self.name in law.KINDS


STATUSES: Final = tuple(status for status in Status if status is not Status.SUSPENSE)
"""Statuses that goods are admitted in."""

_DATED: Final = (
    Column("valid_from", fields.day, "the first day that the row holds"),
    Column("valid_to", fields.day, "the last day that it holds; empty: it goes on", None),
)
_VOUCHED: Final = (
    Column("source", fields.text(300), "where the row was read: law, notice, page"),
    Column(
        "mark",
        fields.choice([mark.value for mark in law.Mark], law.Mark),
        "`read` in its source, from `memory`, or an `example`",
    ),
)
_LAW: Final = (*_DATED, *_VOUCHED)
_RATED: Final = (
    Column(
        "code",
        fields.choice([*law.SERVED, *law.UNSERVED]),
        "the rate's code: 0 free; 1 `specific`; 2 `specific` on the second unit; 3 `specific` and `other`; 4 "
        "`specific` and `advalorem`; 5 `specific` on the second unit and `advalorem`; 6 all three; 7 "
        "`advalorem`. Rows of 9, K, X, T and `see` are kept and never computed",
    ),
    Column("specific", SPECIFIC, "US dollars for one unit", None),
    Column("advalorem", RATE, "a fraction of the value: 5 % is 0.05", None),
    Column("other", SPECIFIC, "US dollars for one second unit", None),
    Column("unit1", fields.UNIT, "the unit that `specific` is for", None),
    Column("unit2", fields.UNIT, "the second unit", None),
)
_QUOTA_RATED: Final = (
    replace(_RATED[0], what="the rate's code, as in a tariff; required for `tariff-rate`", default=None),
    *_RATED[1:],
)
_TARIFF_RATED: Final = (
    replace(
        _RATED[0],
        what=f"{_RATED[0].what}. Left out with all parts of the rate, it is read from `text`",
        default=None,
    ),
    *_RATED[1:],
)
RATE_NAMES: Final = tuple(column.name for column in _RATED)
"""Columns of a rate."""

_SCOPED: Final = (
    many("headings", heading, "headings", "tariff numbers that it covers, by their first digits"),
    many("origins", ANY_COUNTRY, "countries", "countries of origin; `*` for all", (law.ANY,)),
    many("except_headings", heading, "headings", "tariff numbers that it leaves out", ()),
    many("except_origins", COUNTRY, "countries", "countries that it leaves out", ()),
)
_ID: Final = Column("id", fields.NUMBER, "its name; a row of the same name from a later day changes it")


def _law(name: str, what: str, columns: tuple[Column, ...], key: Callable[[Any], str] | None = None) -> Kind:
    row_type: Any = law.KINDS[name]
    rated = "specific" in (column.name for column in columns)

    def make(values: Named) -> Row:
        if rated:
            parts = {part: values.pop(part) for part in RATE_NAMES}
            values["rate"] = _rate(parts, values.get("text", ""))
        made: Row = row_type(**values)
        return made

    return Kind(name, what, columns, row_type, make, key or _first_key)


def _rate(parts: Named, text: str) -> law.Rate | None:
    if parts["code"] is None and not any(value is not None for value in parts.values()):
        return printed_rate(text) if text else None
    return law.Rate(**{**parts, "code": parts["code"] or ""})


def _first_key(row: law.LawRow) -> str:
    return row.named()[0]


def _holiday(values: Named) -> law.Holiday:
    day: date = values.pop("day")
    return law.Holiday(valid_from=day, valid_to=day, **values)


_LAWS: Final = (
    _law(
        "tariff",
        "rates of the tariff schedule",
        (
            Column("hts", hts, "the tariff number, 4 to 10 digits, with or without points"),
            Column("column", COLUMN, "`general`, `2`, or the symbol of a preference such as `KR`"),
            *_TARIFF_RATED,
            Column(
                "text",
                fields.text(200),
                "the rate as the tariff prints it, such as `Free` or `2.8¢/kg + 5%`; the same rate",
                "",
            ),
            Column("description", fields.text(300), "the article", ""),
            *_LAW,
        ),
    ),
    _law(
        "program",
        "additional duties, such as those of Sections 232 and 301",
        (
            _ID,
            Column("name", fields.text(120), "what people call it"),
            *_SCOPED,
            *_RATED,
            Column("pf_required", yes, "whether foreign goods are admitted in privileged status alone"),
            Column("drawback", yes, "whether it is refunded on export"),
            Column(
                "rate_date",
                fields.choice([day.value for day in law.RateDate], law.RateDate),
                "which day's rate privileged goods owe: `pf-filing`, `entry` or `admission`",
                law.RateDate.PF_FILING,
            ),
            Column("order", whole(0, 1000, "its place"), "programs apply in this order", 0),
            many("excludes", fields.NUMBER, "programs", "programs that do not apply where this one does", ()),
            *_LAW,
        ),
    ),
    _law(
        "relief",
        "retroactive relief from a program for goods that are in privileged status since before a day",
        (
            _ID,
            Column("program", fields.NUMBER, "the program's id"),
            Column(
                "pf_before", fields.day, "for goods whose privileged status was asked for before this day"
            ),
            *_SCOPED,
            *_RATED,
            *_LAW,
        ),
    ),
    _law(
        "adcvd",
        "antidumping and countervailing duty cases",
        (
            Column("number", CASE, "the case, such as A-570-967"),
            Column("remedy", fields.choice(["AD", "CVD"]), "`AD` or `CVD`"),
            many(
                "producers",
                fields.text(120),
                "producers",
                "whose goods; `*` for all others; separated by semicolons",
                (law.ANY,),
                ";",
            ),
            *_SCOPED,
            *_RATED,
            Column("pf_required", yes, "whether privileged status is required (15 CFR 400.14(e))", True),
            *_LAW,
        ),
        lambda row: str(row.number),
    ),
    _law(
        "quota",
        "quotas and their periods",
        (
            _ID,
            Column(
                "limit",
                fields.choice(["absolute", "tariff-rate"]),
                "`absolute`, or `tariff-rate`, whose row has the higher rate",
            ),
            Column("opens", fields.day, "the day it opens"),
            Column("closed_on", fields.day, "the day it was filled", None),
            *_SCOPED,
            *_QUOTA_RATED,
            *_LAW,
        ),
    ),
    _law(
        "fee-limits",
        "the merchandise processing fee by fiscal year",
        (
            Column(
                "fiscal_year", whole(2000, 2100, "a year"), "1 October of the year before to 30 September"
            ),
            Column("rate", RATE, "a fraction of the value, such as 0.003464"),
            Column("minimum", MONEY, "least fee of an entry"),
            Column("maximum", MONEY, "most fee of an entry"),
            Column("manual_surcharge", MONEY, "added to an entry that is filed on paper", None),
            *_LAW,
        ),
    ),
    _law(
        "harbor-rate",
        "the harbor maintenance fee",
        (Column("rate", RATE, "a fraction of the value, such as 0.00125"), *_LAW),
    ),
    _law(
        "harbor-port",
        "ports where unlading owes the harbor maintenance fee",
        (
            Column("code", PORT, "the port's Schedule D code, four digits"),
            Column("name", fields.text(120), "the port"),
            *_LAW,
        ),
    ),
    _law(
        "preference",
        "whose goods may claim a preference by its symbol",
        (
            Column("spi", SPI, "the symbol, such as `KR`"),
            many("origins", COUNTRY, "countries", "countries of origin"),
            Column("mpf_exempt", yes, "whether such goods owe no merchandise processing fee", False),
            Column(
                "same_condition",
                yes,
                "whether goods must leave the zone in the condition they came in",
                False,
            ),
            *_LAW,
        ),
    ),
    _law(
        "column-2",
        "countries whose goods owe the rates of column 2",
        (
            Column("origin", COUNTRY, "the country"),
            Column("name", fields.text(120), "its name", ""),
            *_LAW,
        ),
    ),
    Kind(
        "holiday",
        "days on which customs does not work",
        (Column("day", fields.day, "the day"), Column("name", fields.text(120), "its name"), *_VOUCHED),
        law.Holiday,
        _holiday,
        lambda row: str(row.valid_from),
    ),
    _law(
        "weekly-excluded",
        "goods that no weekly entry may cover",
        (_ID, *_SCOPED, Column("reason", fields.text(300), "why"), *_LAW),
    ),
)


def _zone_kinds(check_digit: CheckDigit) -> tuple[Kind, ...]:
    gtin = fields.digits(14, "GTIN", check_digit)
    goods = _admission_columns(gtin)
    return (
        Kind(
            "customs-product",
            "what an owner's product is to customs, from a day on",
            (
                Column("gtin", gtin, "a product on file"),
                Column("owner", fields.text(80), "the zone user"),
                Column("hts", hts, "its tariff number; may be empty only for goods of the US", None),
                Column("origin", COUNTRY, "country of origin"),
                Column("unit", fields.UNIT, "the unit on the product's file, or one that converts to it"),
                Column("customs_unit", fields.UNIT, "the unit that the tariff counts in"),
                Column("factor", fields.quantity, "customs units of one unit"),
                Column("description", fields.text(300), "as customs is told"),
                Column(
                    "expiry_days",
                    whole(1, 36_500, "days"),
                    "days from admission to expiry where the admission names no date",
                    None,
                ),
                *_DATED,
            ),
            CustomsProduct,
            lambda values: CustomsProduct(**values),
            lambda row: f"{row.gtin}/{row.owner}",
        ),
        Kind(
            "admission-line",
            "lines of 214s, as they were declared",
            goods,
            AdmissionLine,
            admission,
            lambda row: str(row.lot),
        ),
        Kind(
            "opening-balance",
            "lots that were in the zone before these books began",
            (
                Column("lot", _LOT, "the zone lot number that the goods carry"),
                Column("as_of", fields.day, "what is left at the start of this day"),
                Column("on_hand", fields.quantity, "what is left, in `unit`"),
                Column("customs_on_hand", fields.quantity, "what is left, in `customs_unit`"),
                *goods,
            ),
            OpeningBalance,
            _opening,
            lambda row: str(row.lot),
        ),
        Kind(
            "location",
            "places in the zone where goods are stored",
            (
                Column("location", _PLACE, "its name, as on its label"),
                Column("description", fields.text(300), "what people call it", ""),
            ),
            Location,
            lambda values: Location(values["location"], values["description"]),
            lambda row: str(row.name),
        ),
        Kind("bom", "bills of material", _bom_columns(gtin), Bom, None, bom_key),
        Kind(
            "activity-permit",
            "approved permits to manipulate, manufacture, exhibit or destroy (customs form 216)",
            (
                Column("number", fields.NUMBER, "the permit's number"),
                Column(
                    "activity",
                    fields.choice([activity.value for activity in Activity], Activity),
                    "`manipulate`, `manufacture`, `exhibit` or `destroy`",
                ),
                Column("owner", fields.text(80), "whose goods"),
                Column("zone", fields.NUMBER, "the zone that it is for, by the center's own name of it"),
                _DATED[0],
                Column("valid_to", fields.day, "the last day that it holds, at most a year on"),
            ),
            ActivityPermit,
            lambda values: ActivityPermit(**values),
            lambda row: str(row.number),
        ),
        Kind(
            "production-authority",
            "what the FTZ Board authorized a producer to make, and of which foreign materials",
            (
                Column("number", fields.NUMBER, "the Board's number"),
                Column("owner", fields.text(80), "the producer"),
                Column("zone", fields.NUMBER, "the zone that it is for, by the center's own name of it"),
                many("materials", _SIX, "headings", "foreign materials, by six digits of the tariff"),
                many("products", _SIX, "headings", "products, by six digits of the tariff"),
                *_DATED,
            ),
            Authority,
            lambda values: Authority(**values),
            lambda row: str(row.number),
        ),
    )


def bom_key(row: Bom) -> str:
    """What a bill is about: the product and the version."""
    return f"{row.product}/{row.version}"


_SIX: Final = fields.coded(
    "[0-9]{6}", "six digits of the tariff, such as 841370", "Write them without points."
)
_LOT: Final = fields.coded(
    "[A-Za-z0-9][A-Za-z0-9._/-]{0,59}",
    "a lot of 1 to 60 letters, digits, points, hyphens and slashes",
    "Correct its spelling.",
)
_PLACE: Final = fields.coded(
    locations.NAME.removeprefix("^").removesuffix(r"\Z"),
    "a location of 1 to 40 letters, digits, points, hyphens, underscores and slashes",
    "Correct its spelling.",
)
_VALUES: Final = ("price", "additions", "intl_freight", "intl_insurance", "us_inland")


def _admission_columns(gtin: fields.Check) -> tuple[Column, ...]:
    return (
        Column("document", fields.NUMBER, "the 214: a permit on file with goods going in"),
        Column("line", fields.LINE, "its line"),
        Column("owner", fields.text(80), "as on the permit"),
        Column("product", gtin, "as on the permit's line"),
        Column(
            "status",
            fields.choice([status.value for status in STATUSES], Status),
            "as on the permit's line: `NPF`, `PF`, `D` or `ZR`",
        ),
        Column("quantity", fields.quantity, "as on the permit's line"),
        Column("unit", fields.UNIT, "as on the permit's line"),
        Column("customs_quantity", fields.quantity, "all of it in customs units"),
        Column("customs_unit", fields.UNIT, "the unit that the tariff counts in"),
        Column("hts", hts, "tariff number; may be empty only in status `D`", None),
        Column("origin", COUNTRY, "country of origin"),
        Column(
            "import_date",
            fields.day,
            "when the goods were imported; may be empty only for goods of the US",
            None,
        ),
        Column("admitted", fields.day, "day of admission, once known", None),
        Column("pf_filed", fields.day, "for `PF`, and only there: when it was asked for", None),
        Column(
            "mode",
            fields.choice([mode.value for mode in Mode], Mode),
            "how they came to the US: `vessel`, `air`, `truck`, `rail`",
        ),
        Column("port_unlading", PORT, "required for `vessel`: Schedule D code", None),
        Column("price", MONEY, "price paid or payable for the whole line"),
        Column("additions", MONEY, "statutory additions to it", ZERO),
        Column("intl_freight", MONEY, "international freight, as far as the price includes it", ZERO),
        Column("intl_insurance", MONEY, "international insurance, as far as the price includes it", ZERO),
        Column("us_inland", MONEY, "freight within the US, as far as the price includes it", ZERO),
        Column("expiry", fields.day, "day after which the goods may not leave for consumption", None),
        many("adcvd", CASE, "cases", "antidumping and countervailing duty cases", ()),
        Column("producer", fields.text(120), "whose deposit rate counts in a case; empty: all others'", None),
        Column("spi", SPI, "the symbol of a preference that is claimed, such as `KR`", None),
    )


def admission(values: Named) -> AdmissionLine:
    """An admission's line from its columns."""
    elements = {name: values.pop(name) for name in _VALUES}
    return AdmissionLine(values=Values(**elements), **values)


def _opening(values: Named) -> OpeningBalance:
    own = {name: values.pop(name) for name in ("lot", "as_of", "on_hand", "customs_on_hand")}
    return OpeningBalance(admission=admission(values), **own)


PARTS: Final = ("input", "scrap", "coproduct")
"""What a line of a bill of material may be."""


def _bom_columns(gtin: fields.Check) -> tuple[Column, ...]:
    return (
        Column("product", gtin, "what is made; a product on file"),
        Column("version", fields.NUMBER, "the bill's version; its own columns repeat on each of its lines"),
        Column("unit", fields.UNIT, "unit of the product"),
        *_DATED,
        Column("yield", fields.quantity, "good units of one begun, at most 1", fields.quantity("1")),
        Column("value", MONEY, "relative value of the product; required where there are co-products", None),
        Column("source", fields.text(300), "where the bill comes from", ""),
        Column("part", fields.choice(PARTS), "`input`, `scrap` of an input, or `coproduct`"),
        Column("gtin", gtin, "of the part; may be empty only for scrap that is not recovered", None),
        Column("of", gtin, "for `scrap`: the input that it is of", None),
        Column("per", fields.quantity, "how much for one unit begun; of an input with what becomes scrap"),
        Column("part_unit", fields.UNIT, "unit of the part; scrap is in its input's unit", None),
        Column("recoverable", yes, "for `scrap`: whether it is recovered", True),
        Column("description", fields.text(120), "for `scrap`: what it is", ""),
        Column("part_value", MONEY, "for a `coproduct`: its relative value each", None),
    )


def kinds(check_digit: CheckDigit) -> Mapping[str, Kind]:
    """All kinds by name. `check_digit` gives the GS1 check digit of a run of digits."""
    return _kinds(check_digit)


@cache
def _kinds(check_digit: CheckDigit) -> dict[str, Kind]:
    return {kind.name: kind for kind in (*_zone_kinds(check_digit), *_LAWS)}
