# SPDX-License-Identifier: Apache-2.0
"""Our profile: every planted fault is found, and published examples of others are not blamed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import fastjsonschema
import pytest

from sync.epcis import EPCIS_CONTEXT
from sync.profile import correction_faults, event_faults, sequence_faults
from tests.sync.door_log import GTIN, sscc

if TYPE_CHECKING:
    from pathlib import Path

Event = dict[str, Any]

PALLET = f"https://id.gs1.org/00/{sscc(1)}"
ITEM = f"https://id.gs1.org/01/{GTIN}/21/77"
CLASS = f"https://id.gs1.org/01/{GTIN}/10/L1"


def event(step: str = "receiving", hour: int = 8, changes: Event | None = None, **more: Any) -> Event:
    return {
        "@context": [EPCIS_CONTEXT, {"ex": "https://ex.example/"}],
        "type": "ObjectEvent",
        "eventID": f"urn:uuid:{step}-{hour}",
        "eventTime": f"2026-06-01T{hour:02d}:00:00.000Z",
        "eventTimeZoneOffset": "+00:00",
        "action": "OBSERVE",
        "bizStep": step,
        "epcList": [PALLET],
        **(changes or {}),
        **more,
    }


def codes(event: Event) -> list[str]:
    return [fault.code for fault in event_faults(event)]


def sequence_codes(*events: Event) -> list[str]:
    return [fault.code for fault in sequence_faults(events)]


def with_digit_changed(link: str) -> str:
    return link[:-1] + str((int(link[-1]) + 1) % 10)


def test_a_right_event_has_no_fault() -> None:
    quantities = [{"epcClass": CLASS, "quantity": Decimal("12.5"), "uom": "KGM"}]
    assert (
        codes(event(quantityList=quantities, epcList=[PALLET, ITEM], changes={"ex:note": {"ex:deep": 1}}))
        == []
    )


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"epcList": [with_digit_changed(PALLET)]}, "check_digit"),
        (
            {"epcList": [with_digit_changed(PALLET).replace("id.gs1.org", "dock.example.com/a")]},
            "check_digit",
        ),
        ({"childEPCs": [with_digit_changed(PALLET)]}, "check_digit"),
        ({"parentID": with_digit_changed(PALLET)}, "check_digit"),
        ({"quantityList": [{"epcClass": f"https://id.gs1.org/01/{GTIN[:-1]}9"}]}, "check_digit"),
        ({"epcList": ["https://id.gs1.org/00/123"]}, "identity"),
        ({"epcList": [CLASS]}, "class_in_epcs"),
        ({"epcList": [f"https://id.gs1.org/01/{GTIN}"]}, "class_in_epcs"),
        ({"epcList": ["urn:epc:class:lgtin:9521999.000105.L1"]}, "class_in_epcs"),
        ({"outputEPCList": ["urn:epc:idpat:sgtin:9521999.000105.*"]}, "class_in_epcs"),
        ({"quantityList": [{"epcClass": CLASS, "quantity": -1}]}, "negative_quantity"),
        ({"quantityList": [{"epcClass": CLASS, "quantity": Decimal("-0.01")}]}, "negative_quantity"),
        ({"inputQuantityList": [{"epcClass": CLASS, "quantity": float("nan")}]}, "negative_quantity"),
        ({"zg:owner": "Example"}, "undeclared_prefix"),
        ({"ex:note": [{"zz:deep": 1}]}, "undeclared_prefix"),
        (
            {"errorDeclaration": {"reason": "did_not_occur", "correctiveEventIDs": ["urn:uuid:1"]}},
            "corrective_ids",
        ),
        (
            {
                "errorDeclaration": {
                    "reason": "urn:epcglobal:cbv:er:did_not_occur",
                    "correctiveEventIDs": ["x"],
                }
            },
            "corrective_ids",
        ),
    ],
)
def test_a_planted_fault_is_found(change: Event, code: str) -> None:
    assert codes(event(changes=change)) == [code]


@pytest.mark.parametrize(
    "change",
    [
        {"epcList": ["urn:epc:id:sscc:9521999.0000000001"]},
        {"epcList": ["https://example.com/objects/00/123"]},
        {"epcList": ["urn:uuid:374d95fc-9457-4a51-bd6a-0bba133845a8"]},
        {"quantityList": [{"epcClass": CLASS}]},
        {"errorDeclaration": {"reason": "did_not_occur", "correctiveEventIDs": []}},
        {"errorDeclaration": {"reason": "incorrect_data", "correctiveEventIDs": ["urn:uuid:1"]}},
        {"gs1:note": 1, "https://ex.example/x": 2},
    ],
)
def test_what_is_right_is_not_blamed(change: Event) -> None:
    assert codes(event(changes=change)) == []


def test_a_prefix_may_be_declared_by_the_document() -> None:
    assert (
        event_faults(event(changes={"zg:a": 1}), ["https://c.example/", {"zg": "https://z.example/"}]) == []
    )


def test_a_declaration_that_changes_its_event_is_found() -> None:
    original = event()
    declared = {
        **original,
        "errorDeclaration": {"reason": "did_not_occur"},
        "recordTime": "2026-06-02T00:00:00Z",
    }
    assert correction_faults(declared, original) == []
    assert [fault.where for fault in correction_faults({**declared, "bizStep": "departing"}, original)] == [
        "bizStep"
    ]
    assert sequence_codes({**declared, "epcList": [ITEM]}, original) == ["differs"]
    missing = {name: value for name, value in declared.items() if name != "action"}
    assert sequence_codes(original, missing) == ["differs"]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("arriving", "receiving"),
        ("receiving", "accepting"),
        ("shipping", "departing"),
        ("loading", "shipping"),
        ("shipping", "staging_outbound"),
        ("consigning", "departing"),
        ("consigning", "accepting"),
        ("https://ref.gs1.org/cbv/BizStep-receiving", "urn:epcglobal:cbv:bizstep:arriving"),
    ],
)
def test_steps_that_exclude_each_other_are_found(first: str, second: str) -> None:
    assert sequence_codes(event(first, 8), event(second, 9)) == ["excluded_step"]
    assert sequence_codes(event(second, 9), event(first, 8)) == ["excluded_step"]


def test_steps_of_different_objects_or_stays_do_not_exclude_each_other() -> None:
    assert sequence_codes(event("arriving", 8), event("receiving", 9, epcList=[ITEM])) == []
    stays = [event("receiving", 8), event("departing", 9), event("arriving", 10), event("accepting", 11)]
    assert sequence_codes(*stays) == []


def test_our_own_steps_go_together() -> None:
    assert (
        sequence_codes(
            event("unloading", 8), event("receiving", 9), event("loading", 10), event("departing", 11)
        )
        == []
    )


def test_an_event_that_did_not_occur_excludes_nothing() -> None:
    wrong = event("arriving", 8)
    declared = {**wrong, "errorDeclaration": {"reason": "did_not_occur"}}
    assert sequence_codes(wrong, event("receiving", 9)) == ["excluded_step"]
    assert sequence_codes(wrong, event("receiving", 9), declared) == []


def test_a_sampled_object_may_only_end() -> None:
    sampled = event("sampling", 8)
    assert sequence_codes(sampled, event("storing", 9)) == ["sampled"]
    assert sequence_codes(sampled, event("destroying", 9, action="DELETE")) == []


def test_nothing_follows_destruction() -> None:
    destroyed = event("destroying", 8, action="DELETE")
    assert sequence_codes(destroyed, event("departing", 9)) == ["destroyed"]
    assert sequence_codes(event("departing", 7), destroyed) == []


def test_times_with_zones_are_put_in_order() -> None:
    late = event("destroying", 8, action="DELETE", eventTime="2026-06-01T23:00:00-05:00")
    assert sequence_codes(late, event("storing", 23)) == []


def examples(folder: Path) -> Iterator[tuple[str, Any, list[Event]]]:
    for path in sorted((folder / "epcis" / "examples").rglob("*.jsonld")):
        document = json.loads(path.read_text(), parse_float=Decimal)
        body = document["epcisBody"]
        events = body.get("eventList") or body["queryResults"]["resultsBody"]["eventList"]
        yield path.name, document["@context"], events


def test_our_profile_agrees_with_every_official_example(conformance_data: Path) -> None:
    validate = fastjsonschema.compile(
        json.loads((conformance_data / "epcis" / "EPCIS-JSON-Schema.json").read_text())
    )
    documents = events_seen = 0
    blamed = []
    for name, context, events in examples(conformance_data):
        validate(json.loads(next((conformance_data / "epcis" / "examples").rglob(name)).read_text()))
        faults = [fault for one in events for fault in event_faults(one, context)]
        blamed += [(name, fault) for fault in faults + sequence_faults(events)]
        documents += 1
        events_seen += len(events)
    assert blamed == []
    assert documents >= 30
    print(f"{documents} official examples with {events_seen} events agree with our profile")


SEEN_BY_US_ALONE: list[Event] = [
    {"epcList": [with_digit_changed(PALLET)]},
    {"epcList": [CLASS]},
    {"quantityList": [{"epcClass": CLASS, "quantity": -1}]},
    {"zg:owner": "Example"},
    {
        "errorDeclaration": {
            "declarationTime": "2026-06-01T09:00:00Z",
            "reason": "did_not_occur",
            "correctiveEventIDs": ["urn:uuid:374d95fc-9457-4a51-bd6a-0bba133845a8"],
        }
    },
]


@pytest.mark.parametrize("number", range(len(SEEN_BY_US_ALONE)))
def test_the_schema_lets_through_what_our_profile_finds(number: int, conformance_data: Path) -> None:
    schema = json.loads((conformance_data / "epcis" / "EPCIS-JSON-Schema.json").read_text())
    wrong = event(eventID="urn:uuid:374d95fc-9457-4a51-bd6a-0bba133845a9", **SEEN_BY_US_ALONE[number])
    fastjsonschema.compile(schema)(
        {
            "@context": [EPCIS_CONTEXT],
            "type": "EPCISDocument",
            "schemaVersion": "2.0",
            "creationDate": "2026-06-01T00:00:00Z",
            "epcisBody": {"eventList": [wrong]},
        }
    )
    assert event_faults(wrong)
