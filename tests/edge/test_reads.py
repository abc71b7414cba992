# SPDX-License-Identifier: Apache-2.0
"""A read is read again as it was read: by the rules, the day and the site's own codes of its time."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from customs.documents import Holding, Status
from edge.adjudicate import inputs_hash
from edge.reads import RULES, answer_at, identity_at, local_day, reason_in
from gs1 import Load, Unknown, gtin_link
from tests.edge.yard import OWNER, SETTINGS, START, TOOL, Papers, Yard, label, settled

FIRST = Path(__file__).with_name("first_readings.jsonl")
"""What the first version's program made of codes, written down by that program."""

ITEM = label(serial="S1")
SITE = (("bin", "WH7-{part:digits 6}"),)


def yard_of(**settings: Any) -> Yard:
    yard = Yard(Papers())
    yard.dock.write("settings", msgspec.structs.replace(SETTINGS, **settings))
    return yard


def told(identity: object) -> list[object]:
    kind = type(identity).__name__
    match identity:
        case Load():
            facts = (identity.kind, identity.key, identity.gtin, identity.sscc)
            return [kind, *facts, identity.lot, identity.serial, identity.count]
        case Unknown():
            return [kind]
        case _:
            return [kind, *(getattr(identity, name) for name in identity.__dataclass_fields__)]  # type: ignore[attr-defined]


@pytest.mark.parametrize("rules", [1, 2])
async def test_a_code_read_by_earlier_rules_is_what_they_made_of_it(rules: int) -> None:
    books = yard_of(rules=rules).dock.books
    cases = [json.loads(line) for line in FIRST.read_text().splitlines()]
    assert len(cases) >= 100
    again = [told(identity_at(books, bytes.fromhex(case["raw"]), START)) for case in cases]
    assert again == [case["is"] for case in cases]
    now = yard_of().dock.books
    later = [told(identity_at(now, bytes.fromhex(case["raw"]), START)) for case in cases]
    assert later != again, "the control: the rules of today read more"


async def test_the_rules_of_today_are_in_force_until_settings_say_otherwise() -> None:
    yard = Yard(Papers())
    assert identity_at(yard.dock.books, b"]C18003095211411234545678", START).__class__ is Load
    assert SETTINGS.rules == RULES
    assert inputs_hash(yard.dock.books, "in") != inputs_hash(yard_of(rules=2).dock.books, "in")


async def test_settings_without_codes_hash_as_they_did_before_there_were_any() -> None:
    assert "codes" not in msgspec.to_builtins(SETTINGS)
    assert msgspec.to_builtins(msgspec.structs.replace(SETTINGS, codes=SITE))["codes"] == SITE


@pytest.mark.parametrize(
    ("at", "day", "expiry"),
    [
        (datetime(2027, 1, 1, 5, 59, tzinfo=UTC), date(2026, 12, 31), date(2076, 1, 1)),
        (datetime(2025, 12, 31, 23, 0, tzinfo=UTC), date(2025, 12, 31), date(1976, 1, 1)),
    ],
)
async def test_the_day_is_the_moment_s_own_in_the_zone(at: datetime, day: date, expiry: date) -> None:
    books = Yard(Papers()).dock.books
    assert local_day(books, at) == day
    load = identity_at(books, f"]C101{TOOL}17760101".encode(), at)
    assert isinstance(load, Load)
    assert load.expiry == expiry


async def test_the_site_s_own_codes_are_those_of_the_settings_then() -> None:
    load = identity_at(yard_of(codes=SITE).dock.books, b"WH7-004711", START)
    assert isinstance(load, Load)
    assert load.key == "zg:part/-/004711"
    assert isinstance(identity_at(Yard(Papers()).dock.books, b"WH7-004711", START), Unknown)


async def test_a_site_s_own_label_is_an_unknown_load_at_the_door() -> None:
    yard = yard_of(codes=SITE)
    for way in ("in", "out"):
        yard.open(way)
        view = await yard.told(way, b"WH7-004711")
        assert (view.state, view.reason, view.identity) == ("HOLD", "unknown-load", "zg:part/-/004711")


async def test_an_item_that_was_admitted_by_its_lot_and_serial_still_goes_out() -> None:
    yard = Yard(Papers())
    older = gtin_link(TOOL, "L7", "S1")
    held = Holding(older, None, TOOL, 1, "EA", OWNER, Status("NPF"), "L7")  # type: ignore[arg-type]
    yard.open("out")
    yard.dock.books.state.holdings[older] = held
    view = await yard.told("out", ITEM)
    await settled()
    assert view.state == "ACCEPTED", view
    assert yard.recorder.last()[1].load.key == older
    again = await yard.told("out", ITEM)
    assert again.reason == "already-counted"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (b"]C100095219990000000014", "check digit 4, expected"),
        (b"]C1400ORDER-1", "AI 400, expected a key"),
        (b"]C01Z999AA10123456784", "UPS number 1Z999AA10123456784"),
    ],
)
async def test_the_door_and_the_supervisor_hear_what_is_wrong_with_a_label(code: bytes, words: str) -> None:
    yard = Yard(Papers())
    yard.open("in")
    view = await yard.told("in", code)
    assert view.state == "HOLD"
    assert words in view.remark
    answer = answer_at(yard.dock.books, code, START)
    assert answer["ok"] or reason_in(answer) == view.remark


async def test_a_date_that_has_passed_is_told_and_stops_nothing() -> None:
    yard = Yard(Papers())
    yard.open("in")
    view = await yard.told("in", f"]C101{TOOL}1726060210L7\x1d3040".encode())
    assert view.reason in ("admitted", "quantity-needed")
    assert view.remark == "The label's expiry date has passed: 2026-06-02."
    fresh = await yard.told("in", f"]C101{TOOL}1726060310L8\x1d3040".encode())
    assert fresh.remark == ""
