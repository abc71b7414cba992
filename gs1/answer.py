# SPDX-License-Identifier: Apache-2.0
"""What a code is, as one JSON object: the answer that the command line, the screens and the tools give.

The one place that makes it. Values are text, whole numbers, booleans, None, lists and objects of these.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from .elements import Elements, hri
from .epc import epc_uri
from .errors import CodeError, Fault
from .identify import Identity, identity_of
from .load import Control, Load, TagRead, Unknown, WorkOrder
from .loads import full_date
from .parcels import Tracking
from .patterns import SitePattern
from .reading import Reading, read_code, read_link, read_tag

__all__ = ["answer_code", "answer_link", "answer_tag", "refusal"]

Answer = dict[str, Any]


def answer_code(
    code: bytes,
    today: date,
    *,
    patterns: Sequence[SitePattern] = (),
    company_prefix_digits: int | None = None,
    lenient: bool = False,
    partners: bool = True,
    short_names: bool = False,
    short_gtins: bool = False,
) -> Answer:
    """The answer for a scan, with or without its symbology identifier. Never raises.

    `ok` is whether no rule is broken; `carrier`, `kind`; `identity` the canonical Digital Link or None, `key`
    what the books know it by or None; `elements` identifier to value, also what could be read of a wrong
    code; `hri`; `epc_uri` (needs `company_prefix_digits`, which no barcode tells) and `tag_uri`, None where
    there is none; `dates` identifier to full date; `errors` what is wrong and `notes` what is only missing,
    both lists of code, ai, position and message. Without `partners` what an element lacks beside it is noted
    and no error. See docs/integrate/codes.md for all of them.
    """
    reading = read_code(code, patterns, short_names=short_names, short_gtins=short_gtins)
    notes: tuple[Fault, ...] = ()
    if not partners:
        # One of several barcodes of a label: what it lacks may stand in another.
        notes = tuple(fault for fault in reading.faults if fault.code in _PARTNERS)
        reading = replace(reading, faults=tuple(fault for fault in reading.faults if fault not in notes))
    identity = identity_of(reading, code, today, lenient=lenient)
    return _answer(reading, identity, today, company_prefix_digits, notes)


def answer_link(
    link: str,
    today: date,
    *,
    company_prefix_digits: int | None = None,
    lenient: bool = False,
    short_names: bool = False,
    short_gtins: bool = False,
) -> Answer:
    """The answer for a Digital Link; see answer_code."""
    reading = read_link(link, short_names=short_names, short_gtins=short_gtins)
    identity = identity_of(reading, link.encode("utf-8", "surrogatepass"), today, lenient=lenient)
    return _answer(reading, identity, today, company_prefix_digits)


def answer_tag(
    tag: TagRead, today: date, *, company_prefix_digits: int | None = None, lenient: bool = False
) -> Answer:
    """The answer for a tag; see answer_code. `scheme`, `filter` and `host` are the tag's own, and so is its
    EPC URI; a tag of a scheme that does not tell the length of the prefix needs it as a barcode does.
    """
    reading = read_tag(tag)
    identity = identity_of(reading, tag, today, lenient=lenient)
    return _answer(reading, identity, today, company_prefix_digits)


def refusal(fault: Fault) -> Answer:
    """The answer for what is no code at all, such as a line that is not JSON."""
    return {**_EMPTY, "elements": {}, "dates": {}, "errors": [_told(fault)], "notes": []}


_EMPTY: Answer = {
    "ok": False,
    "carrier": None,
    "symbology": None,
    "kind": "unknown",
    "identity": None,
    "key": None,
    "elements": {},
    "hri": None,
    "epc_uri": None,
    "tag_uri": None,
    "dates": {},
    "errors": [],
    "notes": [],
}


def _answer(
    reading: Reading,
    identity: Identity,
    today: date,
    company_prefix_digits: int | None,
    notes: tuple[Fault, ...] = (),
) -> Answer:
    elements = reading.elements
    gs1 = tuple((ai, value) for ai, value in elements if ai.isdigit())
    answer = {
        **_EMPTY,
        "carrier": reading.carrier,
        "symbology": reading.aim,
        "elements": _values(elements or reading.fields),
        "hri": hri(gs1) if gs1 else None,
        "dates": {
            ai: day.isoformat() for ai, value in gs1 if ai in _DATES and (day := full_date(value, today))
        },
    }
    faults = reading.faults
    match identity:
        case Load():
            answer |= {"kind": identity.kind, "identity": identity.identity, "key": identity.key}
        case WorkOrder(job):
            answer |= {"kind": "work-order", "job": job}
        case Control(command):
            answer |= {"kind": "control", "command": command}
        case Tracking(carrier, service, number):
            answer |= {"kind": "parcel", "parcel": {"carrier": carrier, "service": service, "number": number}}
        case Unknown(text, found, _):
            # A right code that names nothing breaks no rule.
            names_nothing = [fault.code for fault in found] == ["no_identity"]
            answer |= {"kind": "nothing" if names_nothing else "unknown", "text": text}
            faults, notes = ((), notes + found) if names_nothing else (found, notes)
    if reading.tag is not None:
        tag = reading.tag
        answer |= {"epc_uri": tag.epc_uri, "tag_uri": tag.tag_uri}
        answer |= {"scheme": tag.scheme, "filter": tag.filter, "host": tag.host}
        if tag.scheme.startswith("dsgtin") and answer["identity"] is not None:
            ai, value = tag.elements[2]  # the date is a part of this EPC and of its link (TDS 2.3, 14.5)
            answer["identity"] += f"?{ai}={value}"
    if company_prefix_digits is not None and gs1 and answer["epc_uri"] is None:
        answer["epc_uri"], refused = _uri(gs1, company_prefix_digits)
        notes += refused
    return {
        **answer,
        "ok": not faults,
        "errors": [_told(fault) for fault in faults],
        "notes": [_told(fault) for fault in notes],
    }


# Identifiers whose value begins with YYMMDD.
_DATES = frozenset(("11", "12", "13", "15", "16", "17", "7003", "8008"))


_PARTNERS = frozenset(("missing_partner", "excluded_partner", "missing_serial"))


def _values(elements: Elements) -> dict[str, Any]:
    """Identifier to value; a data identifier that stands more than once has a list of its values."""
    values: dict[str, Any] = {}
    for ai, value in elements:
        if ai not in values:
            values[ai] = value
        elif isinstance(values[ai], list):
            values[ai].append(value)
        else:
            values[ai] = [values[ai], value]
    return values


def _uri(elements: Elements, digits: int) -> tuple[str | None, tuple[Fault, ...]]:
    try:
        return epc_uri(elements, digits), ()
    except CodeError as error:
        return None, error.faults


def _told(fault: Fault) -> Answer:
    return {
        "code": fault.code,
        "ai": fault.ai,
        "position": fault.position,
        "message": fault.message,
    }
