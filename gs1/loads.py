# SPDX-License-Identifier: Apache-2.0
"""From elements to what they identify: the key, and what else the label says of the goods.

Knows no carrier and no form of a code. Sources: GS1 General Specifications, section 3 (what each application
identifier means) and 7.12 (the century of a date); UN/CEFACT Recommendation 20 (units); ANSI MH10.8.2.
"""

from __future__ import annotations

import calendar
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

from .dictionary import IDENTIFIERS
from .elements import Elements, check_elements
from .epc import Tag
from .errors import CodeError, Fault
from .links import identity_link
from .load import Load, Measure
from .part_label import PartLabel, part_label, unique_item

__all__ = ["full_date", "label_load", "load_of", "site_load", "tag_load"]


def load_of(elements: Elements, today: date, faults: tuple[Fault, ...] = ()) -> Load:
    """What GS1 elements identify, by the first of: SSCC, GTIN, piece, component, asset, place, document.

    Dates have two digits of their year; `today` gives the century. Raises CodeError `no_identity` when there
    is no key among `elements`.
    """
    values = dict(elements)
    kind, ai = next(((kind, ai) for ai, kind in _KEYS.items() if ai in values), (None, ""))
    if kind is None:
        came = ", ".join(list(values)[:8]) or "none"
        message = f"AI {came}, expected a key such as an SSCC (AI 00) or a GTIN (AI 01)"
        raise CodeError(Fault("no_identity", message))
    path = _path(ai, values)
    identity = identity_link(path)
    serial = values.get("8011" if kind == "cpid" else "21")
    count = values.get("37", values.get("30"))
    more = _more(values, today) if len(values) > len(path) else {}
    return Load(
        kind=kind,
        key=identity_link((path[0], ("21", serial))) if kind == "gtin" and serial else identity,
        elements=elements,
        sscc=values.get("00"),
        gtin=values.get("01", values.get("02")),
        lot=values.get("10"),
        serial=serial,
        count=None if count is None else int(count),
        identity=identity,
        faults=faults,
        **more,
    )


def label_load(elements: Elements, today: date, faults: tuple[Fault, ...] = ()) -> Load:
    """What a label of data identifiers identifies: its SSCC, GTIN, licence plate, unique item or part.

    Application identifiers among `elements` (format 05 of an envelope) go first. Raises CodeError
    `no_identity`, or `conflict` when the label contradicts itself.
    """
    if any(ai in _KEYS for ai, _ in elements):
        return load_of(elements, today, faults)
    label = part_label(elements)
    facts: dict[str, Any] = {
        "elements": elements,
        "lot": label.lot,
        "serial": label.serials[0] if len(label.serials) == 1 else None,
        "count": _whole(label),
        "expiry": label.expires,
        "best_before": label.best_before,
        "produced": label.produced,
        "origin": label.origin,
        "part": label.part or label.supplier_part,
        "supplier": next((value for _, value in label.fields.get("supplier", ())), None),
        "faults": faults,
    }
    if label.sscc is not None or label.gtin is not None:
        return _gs1_load(label.sscc, label.gtin, facts)
    return Load(**_named_by(label, facts), **facts)


def site_load(fields: Elements, today: date) -> Load:
    """What a site's own label identifies; its `sscc` or `gtin` is checked as GS1's own would be.

    Raises CodeError when that check fails.
    """
    values = dict(fields)
    if "sscc" in values or "gtin" in values:
        pairs = (("00", "sscc"), ("01", "gtin"), ("10", "lot"), ("21", "serial"), ("30", "count"))
        elements = tuple((ai, values[name]) for ai, name in pairs if name in values)
        elements = tuple((ai, value.zfill(14) if ai == "01" else value) for ai, value in elements)
        return load_of(check_elements(elements), today)
    facts: dict[str, Any] = {name: values.get(name) for name in ("lot", "serial", "part", "supplier")}
    facts["elements"] = fields
    facts["count"] = int(values["count"]) if "count" in values else None
    if "plate" in values:
        return Load(kind="plate", key=_own_key("plate", values["plate"]), **facts)
    return Load(kind="part", key=_part_key(facts), **facts)


def tag_load(tag: Tag, today: date) -> Load:
    """What a tag identifies: its GS1 key, or for a scheme of another owner its EPC URI."""
    if tag.elements:
        return load_of(tag.elements, today)
    assert tag.epc_uri is not None, "a scheme without elements has a URI"
    return Load(kind="epc", key=tag.epc_uri, elements=())


def full_date(value: str, today: date) -> date | None:
    """The day that YYMMDD (what follows is passed over) means when it is read on `today`.

    General Specifications, section 7.12: a year 51 or more ahead of this one is of the century before, one 50
    or more behind it of the next. Day 00 is the month's last. None for a day that its century does not have.
    """
    if not (len(value) >= 6 and value[:6].isascii() and value[:6].isdigit()):
        return None
    year, month, day = int(value[:2]), int(value[2:4]), int(value[4:6])
    ahead = year - today.year % 100
    century = today.year // 100 - (ahead >= 51) + (ahead <= -50)
    try:
        last = calendar.monthrange(century * 100 + year, month)[1]
        return date(century * 100 + year, month, day or last)
    except ValueError:
        return None


_KEYS: Mapping[str, str] = MappingProxyType(
    {
        "00": "sscc",
        "01": "gtin",
        "8006": "itip",
        "8010": "cpid",
        "8003": "grai",
        "8004": "giai",
        "414": "gln",
        "417": "pgln",
        "253": "gdti",
        "255": "gcn",
        "8018": "gsrn",
        "8017": "gsrnp",
        "401": "ginc",
        "402": "gsin",
        "8013": "gmn",
        "415": "refno",
    }
)
"""What a label names goes before what travels with it, and both before places and papers."""

# Three digits of the identifier name what is measured and its unit; the fourth is the number of decimals.
# UN/CEFACT Recommendation 20: 28 is kg/m2, APZ the troy ounce, QTL and GLL US liquid measures.
_UNITS: Mapping[str, str] = MappingProxyType(
    {
        prefix: unit
        for unit, prefixes in {
            "KGM": "310 330",
            "MTR": "311 312 313 331 332 333",
            "MTK": "314 334",
            "LTR": "315 335",
            "MTQ": "316 336",
            "28": "337",
            "LBR": "320 340",
            "INH": "321 324 327 341 344 347",
            "FOT": "322 325 328 342 345 348",
            "YRD": "323 326 329 343 346 349",
            "INK": "350 353",
            "FTK": "351 354",
            "YDK": "352 355",
            "APZ": "356",
            "ONZ": "357",
            "QTL": "360 362",
            "GLL": "361 363",
            "INQ": "364 367",
            "FTQ": "365 368",
            "YDQ": "366 369",
        }.items()
        for prefix in prefixes.split()
    }
)


def _path(ai: str, values: Mapping[str, str]) -> Elements:
    """The key and all that may qualify it; which of these its link holds is the link's rule."""
    sequences = IDENTIFIERS[ai].qualifiers or ()
    names = dict.fromkeys(name for sequence in sequences for name in sequence if name in values)
    return tuple((name, values[name]) for name in (ai, *names))


def _more(values: Mapping[str, str], today: date) -> dict[str, Any]:
    """What else GS1 elements say of the goods."""
    return {
        "expiry": full_date(values.get("17", values.get("7003", "")), today),
        "best_before": full_date(values.get("15", ""), today),
        "produced": full_date(values.get("11", values.get("8008", "")), today),
        "packed": full_date(values.get("13", ""), today),
        "measures": tuple(
            Measure(ai, Decimal(value).scaleb(-int(ai[3])), _UNITS[ai[:3]])
            for ai, value in values.items()
            if len(ai) == 4 and ai[:3] in _UNITS
        ),
        "origin": values.get("422", values.get("426")),
        "subdivision": values.get("427"),
        "processed": tuple(
            value[at : at + 3]
            for value in (values.get(ai, "") for ai in ("423", "424", "425"))
            for at in range(0, len(value), 3)
        ),
    }


def _whole(label: PartLabel) -> int | None:
    """The number of pieces, where the label counts and does not measure."""
    quantity = label.quantity
    if quantity is None or label.unit not in (None, "EA", "PC", "C6") or quantity != int(quantity):
        return None
    return int(quantity)


def _gs1_load(sscc: str | None, gtin: str | None, facts: dict[str, Any]) -> Load:
    """A label of data identifiers that holds a GS1 key: the same key as GS1's own label gives."""
    given = (
        (("00", sscc),) if sscc is not None else (("01", gtin), ("10", facts["lot"]), ("21", facts["serial"]))
    )
    path = tuple((ai, value) for ai, value in given if value is not None)
    identity = identity_link(path)
    instance = path[0], ("21", facts["serial"])
    key = identity_link(instance) if sscc is None and facts["serial"] is not None else identity
    return Load(
        kind="gtin" if sscc is None else "sscc", key=key, sscc=sscc, gtin=gtin, identity=identity, **facts
    )


def _named_by(label: PartLabel, facts: Mapping[str, Any]) -> dict[str, Any]:
    if label.licence_plate is not None:
        return {"kind": "plate", "key": _own_key("plate", label.licence_plate)}
    item = unique_item(facts["elements"])
    if item is not None:
        return {"kind": "part", "key": _own_key("item", item)}
    if facts["part"] is not None:
        return {"kind": "part", "key": _part_key(facts)}
    came = ", ".join(dict.fromkeys(di for di, _ in facts["elements"]))
    message = f"identifiers {came[:60]}, expected a licence plate (J), a part (P, 1P) or a GS1 key (8S, 8P)"
    raise CodeError(Fault("no_identity", message))


def _part_key(facts: Mapping[str, Any]) -> str:
    """A part of its supplier; one of them by serial, as with GTINs, without its lot."""
    steps = [facts["supplier"] or "-", facts["part"]]
    if facts["serial"] is not None:
        steps += ["serial", facts["serial"]]
    elif facts["lot"] is not None:
        steps += ["lot", facts["lot"]]
    return _own_key("part", *steps)


def _own_key(kind: str, *steps: str) -> str:
    return "/".join((f"zg:{kind}", *(quote(step, safe="") for step in steps)))
