# SPDX-License-Identifier: Apache-2.0
"""The exchange against a real PostgreSQL: what is stored, what is refused, what is answered."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from central.errors import Denied
from central.intake import ImportSummary
from central.service import Central
from customs.imports import Upload
from sync import wire
from sync.bodies import Grant, read_body
from sync.entry import RECORD_BYTES_MAX, Place, read_record
from tests.central.conftest import Opener
from tests.central.dock import Dock

Count = "SELECT count(*) FROM entry WHERE tenant = 'example' AND node <> 'center'"


async def stored(center: Central) -> int:
    async with center.database.session() as connection:
        count: int = await connection.fetchval(Count)
        return count


async def test_a_dock_enrols_once_with_its_code_and_is_told_what_is_stored(center: Central) -> None:
    dock = Dock()
    dock.code = await center.enrol("dock-1")
    answer = await dock.talk(center)
    assert answer.have == (dock.place(),)
    assert answer.refused == {}
    other = Dock()
    other.code = dock.code
    with pytest.raises(Denied, match="not enrolled"):
        await other.talk(center)


async def test_papers_flow_down_and_the_lines_of_its_trucks_are_lent(
    center: Central, dock: Dock, papers: bytes
) -> None:
    summary = await center.import_files([Upload("week.json", papers)], "compliance")
    assert summary == ImportSummary(1, 2, 2, 0)
    dock.move()
    answer = await dock.talk(center)
    answer2 = await dock.talk(center)
    entries = [read_record(bytes(raw)) for raw in (*answer.entries, *answer2.entries)]
    types = [entry.type for entry in entries]
    assert types == ["product", "permit", "permit", "conveyance", "conveyance", "grant", "grant"]
    grants = [read_body(entry) for entry in entries if entry.type == "grant"]
    assert [(grant.permit, str(grant.quantity)) for grant in grants if isinstance(grant, Grant)] == [
        ("A214", "2500"),
        ("W24", "800"),
    ]


async def test_the_same_ask_again_stores_nothing_twice(center: Central, dock: Dock) -> None:
    dock.move()
    ask = dock.ask()
    first = await dock.talk(center, ask)
    again = await dock.talk(center, ask)
    assert first.have == again.have
    assert await stored(center) == 2


async def test_a_lost_answer_is_mended_by_the_next_ask(center: Central, dock: Dock) -> None:
    dock.move()
    body, signature = dock.signed()
    await center.exchange(body, signature)
    dock.move("withdrawal")
    answer = await dock.talk(center)
    assert answer.have == (dock.place(),)
    assert await stored(center) == 3


async def test_an_overlap_with_another_hash_is_refused_and_none_of_it_is_stored(
    center: Central, dock: Dock
) -> None:
    dock.move()
    await dock.talk(center)
    dock.records.pop(), dock.hashes.pop()
    dock.move(quantity="126")
    dock.move(quantity="127")
    answer = await dock.talk(center, dock.ask(dock.part(after=1)))
    assert "another hash" in answer.refused[dock.epoch]
    assert answer.have[0].seq == 2
    assert await stored(center) == 2


async def test_another_tenant_or_zone_is_refused(center: Central, dock: Dock) -> None:
    dock.move()
    for change in ({"tenant": "other"}, {"zone": "zone-1"}):
        with pytest.raises(Denied, match="this center keeps zone"):
            await dock.talk(center, dock.ask(**change))
    assert await stored(center) == 1


async def test_a_signature_of_another_key_is_refused(center: Central, dock: Dock) -> None:
    dock.move()
    body, signature = dock.signed()
    with pytest.raises(Denied) as caught:
        await center.exchange(body, signature[:-2] + ("00" if signature[-2:] != "00" else "11"))
    assert caught.value.status == 403
    with pytest.raises(Denied):
        await center.exchange(body, "no hex")
    assert await stored(center) == 1


async def test_an_ask_over_its_bound_is_refused(center: Central, dock: Dock) -> None:
    with pytest.raises(Denied, match="bytes"):
        await center.exchange(b" " * (wire.ASK_BYTES_MAX + 1), "00")
    dock.records[-1] = dock.records[-1].replace(b'"reason":"', b'"reason":"' + b"x" * 300_000)
    answer = await dock.talk(center, dock.ask(dock.part(after=0)))
    assert str(RECORD_BYTES_MAX) in answer.refused[dock.epoch]


async def test_hostile_frames_are_refused_and_store_nothing(center: Central, dock: Dock) -> None:
    frames: list[dict[str, str]] = [{"entry_id": "' OR 1=1"}, {"door": "<b>"}, {"door": "a\\u0000b"}]
    for frame in frames:
        dock.add_bytes("alarm", "zonegate.alarm.v1", b"{}", **frame)
        with pytest.raises(Denied):
            await dock.talk(center)
        dock.records.pop()
        dock.hashes.pop()
    assert await stored(center) == 1


async def test_two_docks_at_once_are_both_stored_once(center: Central) -> None:
    docks = [Dock(f"dock-{number}") for number in (1, 2)]
    for dock in docks:
        dock.code = await center.enrol(dock.node)
        for _ in range(20):
            dock.move()
    for _ in range(5):
        await asyncio.gather(*(dock.talk(center, dock.ask(dock.part(after=0))) for dock in docks))
    assert await stored(center) == 42


async def test_a_center_goes_on_in_its_epoch_after_a_restart(open_center: Opener) -> None:
    first = await open_center()
    head = first.head
    await first.close()
    second = await open_center()
    assert second.head == head


async def test_a_center_that_lost_its_anchor_begins_anew_and_the_dock_goes_on(
    open_center: Opener, papers: bytes
) -> None:
    first = await open_center()
    dock = Dock()
    dock.code = await first.enrol("dock-1")
    await dock.talk(first)
    await first.import_files([Upload("week.json", papers)], "compliance")
    await first.close()
    second = await open_center("elsewhere")
    assert first.head is not None
    assert second.head is not None
    assert second.head.epoch != first.head.epoch
    answer = await dock.talk(second)
    assert [read_record(bytes(raw)).type for raw in answer.entries][:1] == ["product"]
    assert answer.upto == second.head


async def test_a_long_answer_arrives_in_parts_of_bounded_size(
    center: Central, dock: Dock, papers: bytes
) -> None:
    await center.import_files([Upload("week.json", papers)], "compliance")
    trucks = [
        {
            "job": f"L-{number}",
            "conveyance": "TR",
            "carrier": "C",
            "door": "dock-1-in",
            "direction": "in",
            "loads": [
                {
                    "sscc": _sscc(number * 1000 + load),
                    "gtin": "09521999001058",
                    "quantity": "1",
                    "owner": "Example User",
                    "status": "NPF",
                }
                for load in range(300)
            ],
        }
        for number in range(10)
    ]
    await center.import_files([Upload("many.json", msgspec.json.encode({"trucks": trucks}))], "compliance")
    jobs = []
    while dock.cursor != center.head:
        answer = await dock.talk(center)
        assert sum(map(len, map(bytes, answer.entries))) <= wire.ANSWER_ENTRY_BYTES_MAX
        jobs += [
            read_body(read_record(bytes(raw))).job
            for raw in answer.entries
            if b'"conveyance"' in bytes(raw)[:200]
        ]
    assert jobs == ["T-1", "T-2", *(f"L-{number}" for number in range(10))]


def _sscc(number: int) -> str:
    from gs1 import check_digit

    body = f"09521999{number:09d}"
    return body + check_digit(body)


async def test_a_node_that_sends_a_long_backlog_lets_the_other_docks_ask_in_between(
    center: Central, dock: Dock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("central.exchange._REST", 1e9)
    monkeypatch.setattr("central.exchange._REST_S_MAX", 3600.0)
    for _ in range(300):
        dock.move()
    await asyncio.wait_for(dock.talk(center), 30)  # the control: nobody else is there
    other = Dock("dock-2")
    other.code = await center.enrol("dock-2")
    await asyncio.wait_for(other.talk(center), 30)
    arrived = asyncio.Event()
    center.on_stored(arrived.set)
    for _ in range(300):
        dock.move()
    backlog = asyncio.create_task(dock.talk(center))
    async with asyncio.timeout(30):
        await arrived.wait()
        for _ in range(3):
            other.move()
            await other.talk(center)
    assert not backlog.done()
    backlog.cancel()
    dock.move()
    await asyncio.wait_for(dock.talk(center), 30)  # it was stored, and a short one is answered at once
    assert dock.have == len(dock.records)


async def test_a_log_that_is_shown_another_end_is_kept_as_far_as_it_is_stored(
    open_center: Opener, center: Central, dock: Dock
) -> None:
    """A copy of a machine still writes a log whose end the machine itself has proven in its next one."""
    dock.move()
    await dock.talk(center)
    proven = Place(dock.epoch, 7, "7" * 64)
    later = Dock(dock.node, signer=dock.signer, parent=dock.place(), end=proven)
    await later.talk(center)
    dock.move("withdrawal")
    answer = await dock.talk(center)
    assert answer.have == (proven,), "the copy learns that it is one"
    async with center.database.session() as connection:
        heads = await center._own.record.heads(connection)
    assert dock.place(3) in [head.place for head in heads]
    await center.close()
    again = await open_center()
    book = await again._own.book()
    assert book.epochs[dock.epoch].head == dock.place(3)


async def test_a_begin_that_names_nonsense_as_its_end_is_refused_or_stored_and_no_fault(
    center: Central, dock: Dock
) -> None:
    for end in (Place("\x00", 5, "5" * 64), Place("x" * 5000, 2**62, "5" * 64)):
        later = Dock(dock.node, signer=dock.signer, parent=dock.place(), end=end)
        assert (await later.talk(center)).have == (later.place(),)
