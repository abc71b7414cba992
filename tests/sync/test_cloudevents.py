# SPDX-License-Identifier: Apache-2.0
"""The envelope: its attributes, its bound, its sameness."""

from __future__ import annotations

import json
import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from customs.documents import Direction, LineRef
from sync.bodies import DeviceAlarm, JobEvent, LoadFacts, Refusal, Release, Settings
from sync.cloudevents import EVENT_BYTES_MAX, event_bytes
from sync.errors import EventError
from tests.sync.asyncapi import judge
from tests.sync.door_log import SITE, START, DoorLog, correction, movement, read_of, sscc

HOSTILE = st.text(max_size=1_500)


def publish(kind: str, body: msgspec.Struct, **options: str) -> bytes:
    log = DoorLog()
    entry = log.append(kind, body)
    payload = event_bytes(entry, log.told[0].place.hash, 1, SITE, records=options.get("records"))
    judge(f"zonegate/v1/example/zone999/dock1/d1/event/{kind}", payload)
    return payload


def test_the_attributes_place_the_entry() -> None:
    log = DoorLog()
    log.settings()
    entry = log.append("withdrawal", movement(1))
    place = log.told[1].place
    event = json.loads(event_bytes(entry, place.hash, 1, SITE, records="https://center.example.com/entries/"))
    event.pop("data")
    assert event == {
        "specversion": "1.0",
        "id": entry.entry_id,
        "source": "https://zonegate.example/ns/loc/example/zone999/dock1",
        "type": "zonegate.withdrawal.recorded.v1",
        "subject": f"https://id.gs1.org/00/{sscc(1)}",
        "time": "2026-06-01T14:00:00.020000Z",
        "datacontenttype": "application/json",
        "dataschema": "https://zonegate.example/ns/schema/goods.v1",
        "sequence": "000000000002",
        "epoch": "a" * 32,
        "doorsequence": "000000000001",
        "recordhash": place.hash,
        "recordurl": f"https://center.example.com/entries/{entry.entry_id}",
    }


def test_attribute_names_are_what_cloudevents_allows() -> None:
    for name in json.loads(publish("withdrawal", movement(1), records="https://c.example.com")):
        assert re.fullmatch("[a-z0-9]{1,20}", name)


def test_the_same_entry_gives_the_same_bytes_but_for_replay() -> None:
    log = DoorLog()
    entry = log.append("withdrawal", movement(1))
    first, again = (event_bytes(entry, "f" * 64, 1, SITE) for _ in range(2))
    late = json.loads(event_bytes(entry, "f" * 64, 1, SITE, replay=True))
    assert first == again
    assert late.pop("replay") is True
    assert late == json.loads(first)


def test_a_correction_has_its_own_id_and_the_originals_event_id() -> None:
    log = DoorLog()
    original = log.append("withdrawal", movement(1))
    entry = log.append("correction", correction(original, movement(1)))
    event = json.loads(event_bytes(entry, "f" * 64, 2, SITE, original=original))
    assert event["id"] == entry.entry_id
    assert event["data"]["eventID"] == f"urn:uuid:{original.entry_id}"


def test_a_correction_of_what_is_no_movement_is_refused() -> None:
    log = DoorLog()
    hold = log.append("hold", Refusal(None, None, None, "unknown-code", read_of("?"), 0))
    entry = log.append("correction", correction(hold, movement(1)))
    with pytest.raises(EventError, match="which is no movement"):
        event_bytes(entry, "f" * 64, 2, SITE, original=hold)


def test_an_entry_that_is_no_door_event_is_refused() -> None:
    log = DoorLog()
    entry = log.append("settings", Settings("0", 1, {}, "UTC"))
    with pytest.raises(EventError, match="settings entries are not told as events"):
        event_bytes(entry, "f" * 64, 1, SITE)


def test_an_event_that_breaks_the_profile_is_never_made() -> None:
    log = DoorLog()
    wrong = msgspec.structs.replace(movement(1), quantity=-movement(1).quantity)
    with pytest.raises(EventError, match="quantity -125, expected zero or more"):
        event_bytes(log.append("withdrawal", wrong), "f" * 64, 1, SITE)


def test_a_paper_with_an_endless_number_is_refused_by_its_size() -> None:
    log = DoorLog()
    long = msgspec.structs.replace(movement(1), job="x" * 20_000)
    with pytest.raises(EventError, match="at most 16384 fit"):
        event_bytes(log.append("withdrawal", long), "f" * 64, 1, SITE)


@given(HOSTILE, HOSTILE)
def test_a_hostile_code_stays_under_the_bound(code: str, text: str) -> None:
    load = LoadFacts(text, text, text, text, text, None, text, text, None)
    body = Refusal(text, Direction.OUT, load, text, read_of(code[:2_000]), 0, LineRef(text[:90], code[:90]))
    payload = publish("stop", body)
    assert len(payload) <= EVENT_BYTES_MAX


@given(HOSTILE)
def test_hostile_words_of_people_and_devices_stay_under_the_bound(text: str) -> None:
    assert len(publish("release", Release(text, text, text, text))) <= EVENT_BYTES_MAX
    assert len(publish("alarm", DeviceAlarm(text, text, text, 1))) <= EVENT_BYTES_MAX


def test_a_truck_with_hundreds_of_hostile_seals_stays_under_the_bound() -> None:
    names = tuple("\x01" * 45 + str(number) for number in range(250))
    text = "\x02" * 1_500
    body = JobEvent(text, text, text, Direction.IN, text, names, names, 0, 250, names)
    payload = publish("job", body)
    data = json.loads(payload)["data"]
    assert len(payload) <= EVENT_BYTES_MAX
    assert (len(data["missing"]), data["missing_count"]) == (80, 250)


def test_a_short_text_is_not_cut() -> None:
    data = json.loads(publish("release", Release("h", "refused", "Ana Ö", "x" * 240)))["data"]
    assert (data["by"], data["note"]) == ("Ana Ö", "x" * 240)
    data = json.loads(publish("release", Release("h", "refused", "Ana Ö", "x" * 241)))["data"]
    assert data["note"].endswith("x…")


def test_times_are_utc() -> None:
    body = Refusal(None, None, None, "unknown-code", read_of("?", START), 0)
    assert json.loads(publish("hold", body))["data"]["read_at"] == "2026-06-01T14:00:00.000000Z"
