# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from simulators.grader.evidence import Fact
from simulators.grader.record import record_hash
from sync.entry import Clock, Draft, record_bytes
from sync.entry import record_hash as service_hash
from tests.simulators.world import Log, World, day_facts


@pytest.fixture
def world() -> World:
    return World(day_facts())


def test_a_day_without_a_fault_has_no_findings(world: World) -> None:
    result = world.grade()
    assert result.findings == ()
    facts = [fact["type"] for _, fact in world.truth.facts]
    for figure, kind in (("admissions", "admission"), ("withdrawals", "withdrawal"), ("stops", "stop")):
        assert result.figures[figure] == facts.count(kind) > 0
    assert result.figures["holds"] == facts.count("hold") > 0
    assert result.figures["journal_entries"] == result.figures["central_entries"] == len(facts) + 2
    assert result.figures["mqtt_received"] == len(facts)
    assert (result.figures["lost"], result.figures["duplicates"], result.figures["wrong"]) == (0, 0, 0)
    assert result.figures["chain_ok"] is True


def test_an_event_delivered_again_under_its_own_id_is_no_duplicate(world: World) -> None:
    world.events.append(world.events[3])
    world.tell(world.journal_rows[2], replay=True)
    assert world.grade().ok


def test_the_digest_knows_no_ids_and_no_times() -> None:
    digests = {World(day_facts(), seed).grade().figures["decisions_digest"] for seed in (1, 2)}
    assert len(digests) == 1
    assert World(_changed(quantity="126")).grade().figures["decisions_digest"] not in digests


@pytest.mark.parametrize("name", ["reason", "quantity", "line", "owner", "verdict", "direction"])
def test_an_entry_that_says_something_else_is_wrong(name: str) -> None:
    values = {"quantity": "126", "line": "06-OTHER/1", "direction": "out", "verdict": "hold"}
    facts = _changed(**{"type": "hold"} if name == "verdict" else {name: values.get(name, "other")})
    world = World(facts)
    world.truth = replace(world.truth, facts=tuple(day_facts()))
    _finds(world, "wrong")


@pytest.mark.parametrize("kind", ["admission", "withdrawal", "hold", "stop", "correction", "job"])
def test_what_was_done_and_stands_nowhere_is_lost(kind: str) -> None:
    facts = day_facts()
    place = next(place for place, (_, fact) in enumerate(facts) if fact["type"] == kind)
    world = World(facts[:place] + facts[place + 1 :])
    world.truth = replace(world.truth, facts=tuple(facts))
    _finds(world, "lost")


def test_an_admission_of_a_load_that_nobody_scanned_is_wrong(world: World) -> None:
    facts = day_facts()
    invented: Fact = next(fact for _, fact in facts if fact["type"] == "admission") | {"load": "0" * 18}
    spoiled = World([*facts, (999, invented)])
    spoiled.truth = world.truth
    assert any("explained by nothing" in finding.text for finding in _finds(spoiled, "wrong"))


def test_the_same_load_counted_twice_in_a_job_is_a_duplicate(world: World) -> None:
    facts = day_facts()
    again = next((step, fact) for step, fact in facts if fact["type"] == "admission")
    spoiled = World([*facts, again])
    spoiled.truth = world.truth
    assert spoiled.grade().figures["duplicates"] == 1


def _drop_at_center(world: World) -> None:
    row = world.center_rows.pop(world.place_of("admission"))
    del world.movements[row.entry_id]


def _forge(world: World) -> None:
    place = world.place_of("admission")
    row = world.center_rows[place]
    entry = json.loads(row.record)
    entry["body"]["quantity"] = "9999"
    record = json.dumps(entry, separators=(",", ":")).encode()
    world.center_rows[place] = replace(row, record=record, hash=record_hash(record))
    world.movements[row.entry_id] = Decimal(9999), world.movements[row.entry_id][1]


def _publish_twice(world: World) -> None:
    row = world.journal_rows[world.place_of("admission")]
    world.tell(row, id="0198f000-0000-7000-8000-000000000001")


def _publish_invented(world: World) -> None:
    row = world.journal_rows[world.place_of("admission")]
    world.tell(row, id="0198f000-0000-7000-8000-000000000001", data={"load": "other"})


def _change_event(world: World) -> None:
    world.events[5] = replace(
        world.events[5], payload=world.events[5].payload.replace('"recordhash": "', '"recordhash": "0')
    )


def _tell_other_quantity(world: World) -> None:
    place = next(place for place, event in enumerate(world.events) if event.topic.endswith("/admission"))
    event = world.events[place]
    world.events[place] = replace(event, payload=event.payload.replace('"quantity": ', '"quantity": 9'))


def _tell_other_reason(world: World) -> None:
    place = next(place for place, event in enumerate(world.events) if event.topic.endswith("/stop"))
    event = world.events[place]
    world.events[place] = replace(event, payload=event.payload.replace("not-on-permit", "wrong-owner"))


def _contradict_event(world: World) -> None:
    payload = world.events[5].payload.replace('"data": {', '"data": {"more": 1, ')
    world.events.append(replace(world.events[5], payload=payload))


def _misplace_event(world: World) -> None:
    world.events[5] = replace(world.events[5], topic=world.events[5].topic.replace("/d1/", "/d9/"))


def _lose_event(world: World) -> None:
    del world.events[7]


def _hold_more(world: World) -> None:
    world.holdings[next(iter(world.holdings))] += 1


def _hold_unknown(world: World) -> None:
    world.holdings["https://id.gs1.org/00/" + "0" * 18, "Example Tools", "NPF"] = Decimal(5)


def _use_less(world: World) -> None:
    world.used[next(iter(world.used))] -= 1


def _book_other_quantity(world: World) -> None:
    entry_id, (quantity, undone) = next(iter(world.movements.items()))
    world.movements[entry_id] = quantity + 1, undone


def _take_back(world: World) -> None:
    entry_id, (quantity, undone) = next(iter(world.movements.items()))
    world.movements[entry_id] = quantity, not undone


def _book_nothing(world: World) -> None:
    world.movements["0198f000-0000-7000-8000-000000000001"] = Decimal(1), False


def _lose_movement(world: World) -> None:
    del world.movements[next(iter(world.movements))]


def _never_see(world: World) -> None:
    world.own = Log("center", world.log.chance)


def _cut_journal(world: World) -> None:
    del world.journal_rows[-3:]


def _cut_center(world: World) -> None:
    world.center_rows.pop()


def _change_journal_row(world: World) -> None:
    row = world.journal_rows[4]
    world.journal_rows[4] = replace(row, record=row.record.replace(b'"v":1', b'"v":2'))


def _change_column(world: World) -> None:
    world.center_rows[4] = replace(world.center_rows[4], type="settings")


def _swap(world: World) -> None:
    rows = world.own.rows
    rows[1] = replace(rows[1], record=rows[1].record.replace(rows[0].hash.encode(), b"0" * 64))


def _sign_falsely(world: World) -> None:
    world.heads[0] = replace(world.heads[0], signature="00" * 64)


def _sign_nothing(world: World) -> None:
    world.heads.clear()


def _show_foreign_head(world: World) -> None:
    world.published_heads.append(replace(world.heads[0], hash="ab" * 32))


@pytest.mark.parametrize(
    ("lie", "kind"),
    [
        (_drop_at_center, "lost"),
        (_drop_at_center, "chain"),
        (_forge, "wrong"),
        (_forge, "chain"),
        (_publish_twice, "duplicate"),
        (_publish_invented, "wrong"),
        (_change_event, "wrong"),
        (_tell_other_quantity, "wrong"),
        (_tell_other_reason, "wrong"),
        (_contradict_event, "wrong"),
        (_misplace_event, "wrong"),
        (_lose_event, "lost"),
        (_hold_more, "wrong"),
        (_hold_unknown, "wrong"),
        (_use_less, "wrong"),
        (_book_other_quantity, "wrong"),
        (_take_back, "wrong"),
        (_book_nothing, "wrong"),
        (_lose_movement, "lost"),
        (_never_see, "lost"),
        (_cut_journal, "chain"),
        (_cut_center, "chain"),
        (_change_journal_row, "chain"),
        (_change_column, "chain"),
        (_swap, "chain"),
        (_sign_falsely, "chain"),
        (_sign_nothing, "chain"),
        (_show_foreign_head, "chain"),
    ],
)
def test_a_lie_is_found_and_told(world: World, lie: Callable[[World], None], kind: str) -> None:
    lie(world)
    _finds(world, kind)


def test_a_hold_settled_by_the_wrong_movement_is_wrong() -> None:
    facts = day_facts()
    step, fact = next((step, fact) for step, fact in facts if "clears" in fact)
    world = World(
        [(step, fact | {"clears": 0}) if number == step else (number, other) for number, other in facts]
    )
    world.truth = replace(world.truth, facts=tuple(facts))
    assert any("does not settle" in finding.text for finding in _finds(world, "wrong"))


def test_the_grader_and_the_service_hash_the_same_bytes_alike() -> None:
    now = datetime(2026, 6, 3, tzinfo=UTC)
    draft = Draft("0198f000-0000-7000-8000-000000000001", "begin", "x", now, Clock(True, "b", 1), b"{}")
    record = record_bytes(draft, "ab" * 16, 1, now, "0" * 64)
    assert record_hash(record) == service_hash(record)


def _changed(**fields: Any) -> list[tuple[int, Fact]]:
    """The day with its first permitted admission changed."""
    facts = day_facts()
    place = next(
        place for place, (_, fact) in enumerate(facts) if fact["type"] == "admission" and fact["line"]
    )
    step, fact = facts[place]
    facts[place] = step, fact | fields
    return facts


def _finds(world: World, kind: str) -> list[Any]:
    result = world.grade()
    found = [finding for finding in result.findings if finding.kind == kind]
    assert found, [finding.text for finding in result.findings]
    assert all(len(finding.text) > 20 for finding in found)
    figure = {"duplicate": "duplicates", "chain": "chain_ok"}.get(kind, kind)
    assert result.figures[figure] is False if kind == "chain" else result.figures[figure] >= 1
    assert not result.ok
    return found
