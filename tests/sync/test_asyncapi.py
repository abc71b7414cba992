# SPDX-License-Identifier: Apache-2.0
"""The AsyncAPI document and the code say the same: channels both ways, and every payload."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import fastjsonschema
import pytest

from sync.bodies import DOOR_EVENTS
from sync.cloudevents import event_bytes
from sync.entry import Head
from sync.topics import (
    CHANNELS,
    OFFLINE,
    ONLINE,
    DeviceState,
    DoorState,
    JobState,
    TopicTree,
    payload_of,
)
from tests.sync.asyncapi import channel_of, document, judge
from tests.sync.door_log import SITE, START, DoorLog, bodies_of_every_kind, correction, movement

TOPICS = TopicTree(SITE.tenant, SITE.zone, SITE.node)
Event = dict[str, Any]


def published() -> dict[str, tuple[str, bytes]]:
    """One event of every kind, as topic and payload, by kind."""
    log = DoorLog()
    entries = [log.append(kind, body) for kind, body in bodies_of_every_kind()]
    first = log.append("withdrawal", movement(5))
    entries.append(log.append("correction", correction(first, movement(5))))
    events = {}
    for number, entry in enumerate(entries, 1):
        payload = event_bytes(
            entry,
            log.told[entry.seq - 1].place.hash,
            number,
            SITE,
            original=first,
            replay=True,
            records="https://center.example.com/api/v1/entries",
        )
        events[entry.type] = (TOPICS.event("d1", entry.type), payload)
    return events


def test_every_channel_of_the_code_is_in_the_document_and_the_other_way() -> None:
    described = {name: channel["address"] for name, channel in document()["channels"].items()}
    assert described == CHANNELS


def test_every_parameter_of_an_address_is_described() -> None:
    for channel in document()["channels"].values():
        for name in channel["parameters"]:
            assert "{" + name + "}" in channel["address"]
        assert channel["address"].count("{") == len(channel["parameters"])


def test_every_channel_has_one_operation_and_states_are_retained() -> None:
    operations = document()["operations"].values()
    channels = [operation["channel"]["$ref"].rsplit("/", 1)[1] for operation in operations]
    assert sorted(channels) == sorted(CHANNELS)
    for name, operation in zip(channels, operations, strict=True):
        assert operation["action"] == "send"
        assert operation["bindings"]["mqtt"].get("retain", False) is not name.endswith("Event")


def test_every_reference_in_the_document_leads_somewhere() -> None:
    def references(value: Any) -> list[str]:
        if isinstance(value, dict):
            own = [value["$ref"]] if "$ref" in value else []
            return own + [found for item in value.values() for found in references(item)]
        return [found for item in value for found in references(item)] if isinstance(value, list) else []

    assert references(document())
    for reference in references(document()):
        target: Any = document()
        for step in reference.removeprefix("#/").split("/"):
            target = target[step]


def test_one_event_of_every_kind_is_as_described() -> None:
    events = published()
    assert set(events) == set(DOOR_EVENTS)
    for topic, payload in events.values():
        judge(topic, payload)


def test_every_state_is_as_described() -> None:
    at = datetime(2026, 6, 1, 14, 0, 0, 5, tzinfo=UTC)
    for topic, state in (
        (TOPICS.door("d1"), DoorState("HOLD", "unknown-code", None, 0, 0, "a" * 32 + ":7", at)),
        (TOPICS.job("d1"), JobState("open", "TRUCK-7", "TR-7", "Example", "out", 1, 20, START)),
        (TOPICS.job("d1"), JobState("none", None, None, None, None, 0, 0, None)),
        (TOPICS.device("d1", "scan1"), DeviceState("Up", "reading", at)),
        (TOPICS.status, ONLINE),
        (TOPICS.status, OFFLINE),
        (TOPICS.head, Head("a" * 32, 7, "b" * 64, "c" * 128)),
    ):
        judge(topic, payload_of(state))


def _changed(change: Callable[[Event], object], kind: str = "withdrawal") -> tuple[str, bytes]:
    topic, payload = published()[kind]
    event = json.loads(payload)
    change(event)
    return topic, json.dumps(event).encode()


WRONG: list[Callable[[Event], object]] = [
    lambda event: event.pop("id"),
    lambda event: event.update(id="00000000-0000-4000-8000-000000000000"),
    lambda event: event.update(type="zonegate.admission.recorded.v1"),
    lambda event: event.update(sequence=7),
    lambda event: event.update(doorSequence="000000000007"),
    lambda event: event.update(replay=False),
    lambda event: event["data"].update(bizStep="shipping"),
    lambda event: event["data"].pop("readPoint"),
    lambda event: event["data"].update(errorDeclaration={"declarationTime": event["time"]}),
    lambda event: event["data"]["quantityList"][0].update(quantity="125"),
    lambda event: event["data"]["quantityList"][0].update(quantity=-1),
    lambda event: event["data"].update({"epcList": ["https://id.gs1.org/01/09521999001058"]}),
    lambda event: event["data"].update({"zg:new": "field"}),
]


@pytest.mark.parametrize("number", range(len(WRONG)))
def test_a_planted_wrong_payload_is_found(number: int) -> None:
    with pytest.raises(fastjsonschema.JsonSchemaValueException):
        judge(*_changed(WRONG[number]))


def test_a_correction_without_its_declaration_is_found() -> None:
    with pytest.raises(fastjsonschema.JsonSchemaValueException):
        judge(*_changed(lambda event: event["data"].pop("errorDeclaration"), "correction"))


def test_an_unchanged_copy_passes() -> None:
    judge(*_changed(lambda event: None))


@pytest.mark.parametrize(
    "topic",
    [
        "zonegate/v1/example/zone999/dock1/d1/event/sale",
        "zonegate/v1/example/zone999/dock1/d1/state/mood",
        "zonegate/v1/example/zone999/dock1",
        "zonegate/v1/example/Zone/dock1/status",
        "zonegate/v2/example/zone999/dock1/status",
    ],
)
def test_a_topic_of_no_channel_is_found(topic: str) -> None:
    with pytest.raises(AssertionError, match="no channel"):
        channel_of(topic)
