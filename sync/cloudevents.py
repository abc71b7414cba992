# SPDX-License-Identifier: Apache-2.0
"""An entry of a door as the bytes that are published: a CloudEvents 1.0 envelope, structured JSON.

Its data is an EPCIS 2.0 event for goods (`sync.epcis`, checked by `sync.profile`), and a small flat
object for holds, stops, releases, jobs and alarms. The same entry always gives the same bytes, but for
`replay`. Pure: knows no journal and no broker.

Source: CloudEvents 1.0.2, sections 3.1 (attributes) and 4.2 (JSON format: structured mode).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from sync.bodies import (
    CROSSINGS_MAX,
    Correction,
    DeviceAlarm,
    JobEvent,
    LoadFacts,
    Movement,
    PassageFacts,
    Refusal,
    Release,
    read_body,
)
from sync.entry import Entry, utc_text
from sync.epcis import Site, correction_event, load_link, movement_event
from sync.errors import EventError
from sync.profile import correction_faults, event_faults

CONTENT_TYPE: Final = "application/cloudevents+json"

EVENT_BYTES_MAX: Final = 16 * 1024
"""Bounds a published event: brokers and consumers with small buffers take it; the whole record is named by
its hash, and by an address where the node knows one."""

GOODS: Final = ("admission", "withdrawal", "correction")
"""Entry types whose data is an EPCIS event."""


def event_type(kind: str) -> str:
    """The CloudEvents type of an entry type."""
    return f"zonegate.{kind}.recorded.v1"


def event_bytes(
    entry: Entry,
    record_hash: str,
    door_sequence: int,
    site: Site,
    *,
    original: Entry | None = None,
    replay: bool = False,
    records: str | None = None,
) -> bytes:
    """The event of an entry that happened at a door.

    `door_sequence` numbers the door's events within the epoch, from 1 without gaps. `original` is the
    movement that a correction undoes. `records` is the address below which whole records are served, the
    entry id is added. Raises EventError when no valid event of at most EVENT_BYTES_MAX comes of it, and
    EntryError when the body cannot be read.
    """
    body = read_body(entry)
    if entry.type in GOODS:
        data, subject, schema = _goods(entry, body, original, site)
    else:
        flatten = _FLAT.get(entry.type)
        if flatten is None:
            raise EventError(f"{entry.type} entries are not told as events")
        data, subject = flatten(body)
        data = {"entry": entry.entry_id, "door": entry.door, **data}
        schema = entry.type
    event: dict[str, Any] = {
        "specversion": "1.0",
        "id": entry.entry_id,
        "source": site.uri,
        "type": event_type(entry.type),
        "time": utc_text(entry.occurred_at),
        "datacontenttype": "application/json",
        "dataschema": site.term("schema", f"{schema}.v1"),
        "sequence": f"{entry.seq:012d}",
        "epoch": entry.epoch,
        "doorsequence": f"{door_sequence:012d}",
        "recordhash": record_hash,
    }
    if subject is not None:
        event["subject"] = subject
    if records is not None:
        event["recordurl"] = f"{records.rstrip('/')}/{entry.entry_id}"
    if replay:
        event["replay"] = True
    event["data"] = data
    payload = _encoder.encode(event)
    if len(payload) > EVENT_BYTES_MAX:
        raise EventError(
            f"the event of {entry.type} {entry.entry_id} has {len(payload)} bytes, "
            f"at most {EVENT_BYTES_MAX} fit"
        )
    return payload


_encoder = msgspec.json.Encoder(decimal_format="number")
_text_encoder = msgspec.json.Encoder()

_Flat = tuple[dict[str, Any], str | None]

# Bytes of one text in JSON: 20 of the longest texts of a body still leave room under EVENT_BYTES_MAX.
_TEXT_BYTES_MAX = 240
# Loads or seals listed by name; more are counted, and the record has them all.
_LISTED_MAX = 80


def _goods(
    entry: Entry, body: Any, original: Entry | None, site: Site
) -> tuple[dict[str, Any], str | None, str]:
    if isinstance(body, Movement):
        data = movement_event(entry, body, site)
        faults = event_faults(data)
    elif isinstance(body, Correction) and original is not None:
        movement = read_body(original)
        if not isinstance(movement, Movement):
            raise EventError(f"correction {entry.entry_id} undoes {original.entry_id}, which is no movement")
        data = correction_event(entry, body, original, movement, site)
        faults = event_faults(data) + correction_faults(data, movement_event(original, movement, site))
    else:
        raise EventError(f"{entry.type} {entry.entry_id} came without the movement it undoes")
    if faults:
        told = "; ".join(fault.message for fault in faults)
        raise EventError(f"the event of {entry.type} {entry.entry_id}: {told}")
    return data, load_link(body.load), "goods"


def _refusal(body: Refusal) -> _Flat:
    read = body.read
    data = {
        "job": _text(body.job),
        "direction": body.direction,
        "reason": _text(body.reason),
        **_load(body.load),
        "permit": _text(body.line.permit if body.line else None),
        "line": _text(body.line.line if body.line else None),
        "left": None if body.left is None else format(body.left, "f"),
        "device": _text(read.device),
        "carrier": _text(read.carrier),
        "code": _text(read.code),
        "read_at": utc_text(read.at),
        "crossed": body.crossed,
        "restraint": _text(body.restraint),
        "passage": _passage(read.passage),
    }
    return data, None if body.load is None else load_link(body.load)


def _passage(passage: PassageFacts | None) -> dict[str, Any] | None:
    """What a gate found; None for a scan."""
    if passage is None:
        return None
    return {
        "id": _text(passage.passage),
        "kind": _text(passage.kind),
        "direction": passage.direction,
        "confidence": passage.confidence,
        "crossings": list(passage.crossings[:CROSSINGS_MAX]),
        "loads": passage.loads,
        "tags": passage.tags,
        "items": passage.items,
        "eyes": passage.eyes,
        "evidence": _text(passage.evidence),
    }


def _release(body: Release) -> _Flat:
    data = {
        "hold": _text(body.hold),
        "decision": _text(body.decision),
        "by": _text(body.by),
        "note": _text(body.note),
    }
    return data, None


def _job(body: JobEvent) -> _Flat:
    data = {
        "event": _text(body.event),
        "job": _text(body.job),
        "conveyance": _text(body.conveyance),
        "direction": body.direction,
        "by": _text(body.by),
        "seals_seen": None if body.seals_seen is None else _listed(body.seals_seen),
        "seals_expected": _listed(body.seals_expected),
        "counted": body.counted,
        "planned": body.planned,
        "missing": _listed(body.missing),
        "missing_count": len(body.missing),
    }
    return data, None


def _alarm(body: DeviceAlarm) -> _Flat:
    data = {
        "device": _text(body.device),
        "kind": _text(body.kind),
        "detail": _text(body.detail),
        "count": body.count,
    }
    return data, None


_FLAT: Mapping[str, Callable[[Any], _Flat]] = {
    "hold": _refusal,
    "stop": _refusal,
    "release": _release,
    "job": _job,
    "alarm": _alarm,
}


def _load(load: LoadFacts | None) -> dict[str, Any]:
    """A load's facts side by side, each None when there is no load: consumers want flat keys."""
    facts = {name: getattr(load, name, None) for name in LoadFacts.__struct_fields__}
    if facts["quantity"] is not None:
        facts["quantity"] = format(facts["quantity"], "f")
    return {name: _text(value) if isinstance(value, str) else value for name, value in facts.items()}


def _listed(names: tuple[str, ...]) -> list[str | None]:
    # A seal or an SSCC is short; 40 bytes keep three lists of hostile ones within the event's bound.
    return [_text(name, 40) for name in names[:_LISTED_MAX]]


def _text(text: str | None, bytes_max: int = _TEXT_BYTES_MAX) -> str | None:
    """The text, cut to so many bytes of JSON; control characters take six each there."""
    if text is None or len(text) * 6 <= bytes_max:
        return text
    kept = text[:bytes_max]
    if len(_text_encoder.encode(kept)) - 2 <= bytes_max and kept == text:
        return text
    while len(_text_encoder.encode(kept)) - 2 > bytes_max - 3:
        kept = kept[: len(kept) * 9 // 10]
    return kept + "…"
