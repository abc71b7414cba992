# SPDX-License-Identifier: Apache-2.0
"""An entry that concerns goods as an EPCIS 2.0 event (JSON binding): admission, withdrawal, correction.

What a booked movement says is `receiving` or `departing`; `unloading` and `loading` are left to bare
crossings, because CBV does not let one process say both. Identities are GS1 Digital Links on id.gs1.org,
customs' own terms are URIs under one configurable base. Pure: knows no journal, no clock, no broker.

Source: EPCIS 2.0 and its JSON Schema; CBV 2.0 and its ontology.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from urllib.parse import quote
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from customs.documents import Direction
from gs1 import Gs1Error, gtin_link, sscc_link
from sync.bodies import CROSSINGS_MAX, Correction, LoadFacts, Movement
from sync.entry import Entry, utc_text
from sync.errors import EventError, SettingsError

EPCIS_CONTEXT: Final = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"
PREFIX: Final = "zg"
VOCABULARY: Final = "https://zonegate.example/ns/"
"""The default base of our terms. `.example` can be registered by nobody (RFC 2606), so no stranger can give
the terms another meaning; a zone that owns a domain names its own base."""

_BASE = re.compile(r"https://[a-z0-9.-]{1,100}(:[0-9]{1,5})?(/[A-Za-z0-9._~-]{1,60}){0,4}/")
_UOM = re.compile("[A-Z0-9]{2,3}")
# Units that count pieces; EPCIS leaves `uom` out for those.
_COUNTED = frozenset({"EA", "C62", "H87", "PCE"})


def is_vocabulary(base: str) -> bool:
    """Whether `base` can be the base of our terms: an https address that ends in "/", nothing odd in it."""
    return _BASE.fullmatch(base) is not None


@dataclass(frozen=True, slots=True)
class Site:
    """Who speaks: the node's ids, its zone's IANA time zone, and the base URI of our vocabulary.

    Raises SettingsError for an unknown time zone, or a base that is no https address ending in "/".
    """

    tenant: str
    zone: str
    node: str
    timezone: str
    base: str = VOCABULARY

    def __post_init__(self) -> None:
        if not is_vocabulary(self.base):
            raise SettingsError(
                f"vocabulary {self.base[:80]!r} cannot be a base of terms, expected an https address of up "
                'to four plain path steps that ends in "/", such as https://customs.example.com/zonegate/'
            )
        try:
            ZoneInfo(self.timezone)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise SettingsError(
                f"time zone {self.timezone[:60]!r} is not known here, "
                "expected an IANA name such as America/Chicago"
            ) from error

    @property
    def uri(self) -> str:
        """The node's own URI."""
        return f"{self.base}loc/{self.tenant}/{self.zone}/{self.node}"

    def term(self, *steps: str) -> str:
        """A URI below the base; each step is percent-encoded."""
        return self.base + "/".join(quote(step, safe="") for step in steps)

    def offset(self, moment: datetime) -> str:
        """The zone's offset from UTC at `moment`, as EPCIS writes it: +05:30."""
        shift = moment.astimezone(ZoneInfo(self.timezone)).utcoffset() or timedelta()
        minutes = round(shift.total_seconds() / 60)
        return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"


def event_id(entry_id: str) -> str:
    """The EPCIS event id of a movement. A correction of it has the same one, as EPCIS wants."""
    return f"urn:uuid:{entry_id}"


def movement_event(entry: Entry, movement: Movement, site: Site) -> dict[str, Any]:
    """The event of an `admission` or `withdrawal`, with its own @context, ready for POST /events.

    Quantities are Decimals: encode them verbatim as JSON numbers. Raises EventError when the load has no
    identity that EPCIS can carry.
    """
    if entry.door is None:
        raise EventError(f"{entry.type} {entry.entry_id} names no door, expected the door that was crossed")
    into = movement.direction is Direction.IN
    status = {"set" if into else "unset": [site.term("disp", movement.status.value)]}
    event: dict[str, Any] = {
        "@context": [EPCIS_CONTEXT, {PREFIX: site.base}],
        "type": "ObjectEvent",
        "eventID": event_id(entry.entry_id),
        "eventTime": utc_text(entry.occurred_at),
        "eventTimeZoneOffset": site.offset(entry.occurred_at),
        **_goods(entry, movement),
        "action": "OBSERVE",
        "bizStep": "receiving" if into else "departing",
        "disposition": "sellable_not_accessible" if into else "in_transit",
        "persistentDisposition": status,
        "readPoint": {"id": site.term("loc", site.tenant, site.zone, site.node, entry.door)},
    }
    if into:
        event["bizLocation"] = {"id": site.term("loc", site.tenant, site.zone)}
    papers = _papers(movement, site)
    if papers:
        event["bizTransactionList"] = papers
    event |= {
        f"{PREFIX}:owner": _short(movement.owner),
        f"{PREFIX}:quantity": format(movement.quantity, "f"),
        f"{PREFIX}:unit": _short(movement.unit),
        f"{PREFIX}:reason": _short(movement.reason),
    }
    passage = movement.read.passage
    if passage is not None:
        event |= {
            f"{PREFIX}:passage": _short(passage.passage),
            f"{PREFIX}:confidence": passage.confidence,
            f"{PREFIX}:crossings": [way.value for way in passage.crossings[:CROSSINGS_MAX]],
            f"{PREFIX}:evidence": _short(passage.evidence),
        }
    if movement.load.lot is not None:
        event[f"{PREFIX}:lot"] = _short(movement.load.lot)
    return event


def correction_event(
    entry: Entry, correction: Correction, original: Entry, movement: Movement, site: Site
) -> dict[str, Any]:
    """The event of a movement that was undone: the original's, with an error declaration added.

    `original` and `movement` are the entry that is corrected and its body. The reason is did_not_occur, so
    no corrective events are named. Raises EventError when they do not belong together.
    """
    if original.entry_id != correction.corrects:
        raise EventError(
            f"correction {entry.entry_id} undoes {correction.corrects}, "
            f"it cannot be told with {original.entry_id}"
        )
    declaration = {"declarationTime": utc_text(entry.occurred_at), "reason": "did_not_occur"}
    return {**movement_event(original, movement, site), "errorDeclaration": declaration}


def load_link(load: LoadFacts) -> str | None:
    """The Digital Link that names a load, or None when its facts name nothing that GS1 knows."""
    try:
        if load.sscc is not None:
            return sscc_link(load.sscc)
        return None if load.gtin is None else gtin_link(load.gtin, load.lot, load.serial)
    except Gs1Error:
        return None


def _goods(entry: Entry, movement: Movement) -> dict[str, Any]:
    """What moved: instances in epcList, a class with its quantity in quantityList."""
    load = movement.load
    goods: dict[str, Any] = {}
    try:
        if load.sscc is not None:
            goods["epcList"] = [sscc_link(load.sscc)]
        elif load.gtin is not None and load.serial is not None:
            # An instance is named without its lot: GTIN and serial are the whole identity.
            return {"epcList": [gtin_link(load.gtin, serial=load.serial)]}
        if load.gtin is not None:
            goods["quantityList"] = [_class_quantity(gtin_link(load.gtin, load.lot), movement)]
    except Gs1Error as error:
        raise EventError(f"the load of {entry.type} {entry.entry_id} has no GS1 identity: {error}") from error
    if not goods:
        raise EventError(f"the load of {entry.type} {entry.entry_id} has neither an SSCC nor a GTIN")
    return goods


def _class_quantity(link: str, movement: Movement) -> dict[str, Any]:
    element: dict[str, Any] = {"epcClass": link}
    # All digits as they were booked, 1000 and not 1E+3: an exponent is not what a person wrote.
    quantity = Decimal(format(movement.quantity, "f"))
    if movement.unit in _COUNTED:
        element["quantity"] = quantity
    elif _UOM.fullmatch(movement.unit):
        element |= {"quantity": quantity, "uom": movement.unit}
    # A unit that UN/ECE Rec 20 cannot name stays in zg:quantity and zg:unit only.
    return element


def _papers(movement: Movement, site: Site) -> list[dict[str, str]]:
    """The permit line and the job, always as URIs: bare numbers of two papers can be alike."""
    papers = []
    if movement.use is not None:
        number, line = movement.use.permit, movement.use.line
        papers.append(
            {
                "type": site.term("btt", "permit"),
                "bizTransaction": site.term("bt", site.tenant, site.zone, "permit", number, line),
            }
        )
    if movement.job is not None:
        papers.append(
            {
                "type": site.term("btt", "job"),
                "bizTransaction": site.term("bt", site.tenant, site.zone, "job", movement.job),
            }
        )
    return papers


# Long enough for every honest owner, unit or lot; keeps a hostile one from filling the event.
_TEXT_CHARACTERS_MAX = 120


def _short(text: str) -> str:
    return text if len(text) <= _TEXT_CHARACTERS_MAX else text[: _TEXT_CHARACTERS_MAX - 1] + "…"
