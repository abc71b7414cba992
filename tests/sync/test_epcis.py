# SPDX-License-Identifier: Apache-2.0
"""An entry's EPCIS event: what it says, exactly, and that both judges accept it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import fastjsonschema
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from customs.documents import Direction, Status
from sync.bodies import Movement
from sync.cloudevents import event_bytes
from sync.entry import Entry
from sync.epcis import Site, correction_event, event_id, load_link, movement_event
from sync.errors import EventError, SettingsError
from sync.profile import correction_faults, event_faults
from tests.sync.door_log import GTIN, SITE, DoorLog, correction, movement, pallet, sscc

if TYPE_CHECKING:
    from pathlib import Path

encode = msgspec.json.Encoder(decimal_format="number").encode


def told(body: Movement) -> Entry:
    return DoorLog().append("admission" if body.direction is Direction.IN else "withdrawal", body)


def event_of(body: Movement, site: Site = SITE) -> dict[str, Any]:
    return movement_event(told(body), body, site)


def variations() -> list[Movement]:
    """Movements of every shape a door books."""
    replace = msgspec.structs.replace
    goods = movement(1)
    bare = replace(pallet(1), sscc=None)
    return [
        movement(1, Direction.IN),
        movement(2, Direction.OUT),
        *(replace(goods, status=status) for status in Status),
        replace(goods, use=None),
        replace(goods, job=None, use=None),
        replace(goods, load=bare),
        replace(goods, load=replace(bare, lot=None)),
        replace(goods, load=replace(bare, serial="A/1&"), quantity=Decimal(1)),
        replace(goods, load=replace(pallet(3), gtin=None)),
        replace(goods, quantity=Decimal("12.50"), unit="KGM"),
        replace(goods, unit="pallet of 4"),
        replace(goods, owner='<b>"ex\u0001ample"</b>' + "x" * 500),
    ]


def test_an_admission_says_what_was_booked() -> None:
    body = movement(1, Direction.IN)
    entry = told(body)
    base = "https://zonegate.example/ns/"
    assert movement_event(entry, body, SITE) == {
        "@context": ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld", {"zg": base}],
        "type": "ObjectEvent",
        "eventID": f"urn:uuid:{entry.entry_id}",
        "eventTime": "2026-06-01T14:00:00.010000Z",
        "eventTimeZoneOffset": "-05:00",
        "epcList": [f"https://id.gs1.org/00/{sscc(1)}"],
        "quantityList": [{"epcClass": f"https://id.gs1.org/01/{GTIN}/10/L1", "quantity": Decimal(125)}],
        "action": "OBSERVE",
        "bizStep": "receiving",
        "disposition": "sellable_not_accessible",
        "persistentDisposition": {"set": [f"{base}disp/NPF"]},
        "readPoint": {"id": f"{base}loc/example/zone999/dock1/d1"},
        "bizLocation": {"id": f"{base}loc/example/zone999"},
        "bizTransactionList": [
            {"type": f"{base}btt/permit", "bizTransaction": f"{base}bt/example/zone999/permit/EX-06-23/1"},
            {"type": f"{base}btt/job", "bizTransaction": f"{base}bt/example/zone999/job/TRUCK-7"},
        ],
        "zg:owner": "Example Two",
        "zg:quantity": "125",
        "zg:unit": "EA",
        "zg:reason": "ok",
        "zg:lot": "L1",
    }


def test_a_withdrawal_departs_leaves_no_location_and_ends_the_status() -> None:
    event = event_of(movement(1))
    assert event["bizStep"] == "departing"
    assert event["disposition"] == "in_transit"
    assert "bizLocation" not in event
    assert list(event["persistentDisposition"]) == ["unset"]


def test_a_correction_is_the_original_with_a_declaration() -> None:
    log, body = DoorLog(), movement(1)
    original = log.append("withdrawal", body)
    entry = log.append("correction", correction(original, body))
    event = correction_event(entry, correction(original, body), original, body, SITE)
    declaration = event.pop("errorDeclaration")
    assert event == movement_event(original, body, SITE)
    assert declaration == {"declarationTime": "2026-06-01T14:00:00.020000Z", "reason": "did_not_occur"}
    assert event["eventID"] == event_id(original.entry_id)


def test_a_correction_with_another_movement_is_refused() -> None:
    log, body = DoorLog(), movement(1)
    original, other = log.append("withdrawal", body), log.append("withdrawal", body)
    entry = log.append("correction", correction(original, body))
    with pytest.raises(EventError, match="cannot be told with"):
        correction_event(entry, correction(original, body), other, body, SITE)


@given(st.decimals(0, 10**12, allow_nan=False, allow_infinity=False, places=None))
def test_a_quantity_keeps_every_digit(quantity: Decimal) -> None:
    body = msgspec.structs.replace(movement(1), quantity=quantity)
    payload = encode(event_of(body))
    found = json.loads(payload, parse_float=Decimal, parse_int=Decimal)["quantityList"][0]["quantity"]
    assert found == quantity


def test_a_quantity_beyond_a_float_is_not_rounded() -> None:
    body = msgspec.structs.replace(movement(1), quantity=Decimal("90071992547409930.10"))
    assert b'"quantity":90071992547409930.10' in encode(event_of(body))


def test_a_unit_that_counts_is_left_out_and_one_that_measures_is_named() -> None:
    replace = msgspec.structs.replace
    assert "uom" not in event_of(movement(1))["quantityList"][0]
    weighed = event_of(replace(movement(1), unit="KGM"))["quantityList"][0]
    assert weighed["uom"] == "KGM"
    odd = event_of(replace(movement(1), unit="pallet of 4"))
    assert set(odd["quantityList"][0]) == {"epcClass"}
    assert (odd["zg:quantity"], odd["zg:unit"]) == ("125", "pallet of 4")


def test_a_serialized_item_is_an_instance_without_its_lot() -> None:
    load = msgspec.structs.replace(pallet(1), sscc=None, serial="A/1")
    event = event_of(msgspec.structs.replace(movement(1), load=load, quantity=Decimal(1)))
    assert event["epcList"] == [f"https://id.gs1.org/01/{GTIN}/21/A%2F1"]
    assert "quantityList" not in event


@pytest.mark.parametrize(
    "change", [{"sscc": None, "gtin": None}, {"sscc": "095219990000000014"}, {"lot": "x" * 21}]
)
def test_a_load_without_a_right_identity_is_refused(change: dict[str, Any]) -> None:
    load = msgspec.structs.replace(pallet(1), **change)
    with pytest.raises(EventError, match=r"neither an SSCC nor a GTIN|no GS1 identity"):
        event_of(msgspec.structs.replace(movement(1), load=load))


def test_a_load_is_named_by_its_link() -> None:
    assert load_link(pallet(1)) == f"https://id.gs1.org/00/{sscc(1)}"
    assert load_link(msgspec.structs.replace(pallet(1), sscc=None)) == f"https://id.gs1.org/01/{GTIN}/10/L1"
    assert load_link(msgspec.structs.replace(pallet(1), sscc="1")) is None


@pytest.mark.parametrize(
    ("timezone", "moment", "offset"),
    [
        ("America/Chicago", datetime(2026, 6, 1, tzinfo=UTC), "-05:00"),
        ("America/Chicago", datetime(2026, 12, 1, tzinfo=UTC), "-06:00"),
        ("America/St_Johns", datetime(2026, 12, 1, tzinfo=UTC), "-03:30"),
        ("Asia/Kolkata", datetime(2026, 6, 1, tzinfo=UTC), "+05:30"),
        ("UTC", datetime(2026, 6, 1, tzinfo=UTC), "+00:00"),
    ],
)
def test_the_offset_is_the_zones_at_that_moment(timezone: str, moment: datetime, offset: str) -> None:
    assert Site("t", "z", "n", timezone).offset(moment) == offset


@pytest.mark.parametrize(
    "change",
    [
        {"base": "http://a.example/"},
        {"base": "https://a.example/ns"},
        {"base": "https://a.example/a b/"},
        {"base": "urn:zonegate:"},
        {"timezone": "Mars/Olympus"},
        {"timezone": ""},
        {"timezone": "../../etc/passwd"},
    ],
)
def test_a_site_that_cannot_work_is_refused(change: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match="expected an"):
        Site(**{"tenant": "t", "zone": "z", "node": "n", "timezone": "UTC", **change})


@pytest.mark.parametrize("number", range(len(variations())))
def test_every_event_passes_our_profile(number: int) -> None:
    event = event_of(variations()[number])
    assert event_faults(event) == []


def official_schema(conformance_data: Path) -> Callable[[Any], Any]:
    text = (conformance_data / "epcis" / "EPCIS-JSON-Schema.json").read_text()
    compiled: Callable[[Any], Any] = fastjsonschema.compile(json.loads(text))
    return compiled


def as_document(events: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "@context": events[0]["@context"],
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": "2026-06-01T00:00:00Z",
        "epcisBody": {"eventList": [json.loads(encode(event)) for event in events]},
    }


def test_every_event_passes_the_official_schema(conformance_data: Path) -> None:
    validate = official_schema(conformance_data)
    log, events = DoorLog(), []
    for body in variations():
        original = log.append("withdrawal", body)
        undo = correction(original, body)
        events.append(movement_event(original, body, SITE))
        declared = correction_event(log.append("correction", undo), undo, original, body, SITE)
        assert correction_faults(declared, events[-1]) == []
        events.append(declared)
    for event in events:
        validate(as_document([event]))
    print(f"{len(events)} EPCIS events of ours validated by the official JSON Schema")


@pytest.mark.parametrize(
    "change",
    [
        {"bizStep": "vanishing"},
        {"quantityList": [{"epcClass": f"https://id.gs1.org/01/{GTIN}", "quantity": "125"}]},
        {"eventTime": "2026-06-01T14:00:00"},
        {"owner": "bare key"},
        {"eventTimeZoneOffset": "-5"},
    ],
)
def test_the_official_schema_refuses_a_planted_wrong_event(
    change: dict[str, Any], conformance_data: Path
) -> None:
    document = as_document([{**event_of(movement(1)), **change}])
    with pytest.raises(fastjsonschema.JsonSchemaValueException):
        official_schema(conformance_data)(document)


def test_the_data_of_a_published_event_is_the_epcis_event() -> None:
    log, body = DoorLog(), movement(1)
    entry = log.append("withdrawal", body)
    payload = event_bytes(entry, log.told[0].place.hash, 1, SITE)
    assert encode(movement_event(entry, body, SITE)) in payload
