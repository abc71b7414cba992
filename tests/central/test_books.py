# SPDX-License-Identifier: Apache-2.0
"""The books: what entries mean, that a rebuild comes to the same, that nothing unreadable blocks them."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from central.queries import queries
from central.service import Central
from central.web.reading import Reading
from customs.imports import Upload
from sync.bodies import Adopt, Returned, Use
from tests.central.dock import SSCC, Dock

BOOKS = [name.removeprefix("forget_") for name in queries() if name.startswith("forget_")]


@pytest.fixture
def reading(center: Central) -> Reading:
    return Reading(center.database, "example", "zone-999")


async def books(center: Central) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every projection, and the cursor."""
    async with center.database.session() as connection:
        return {
            table: sorted((tuple(row) for row in await connection.fetch(f"SELECT * FROM {table}")), key=repr)
            for table in [*BOOKS, "projection_cursor"]
        }


async def a_day(center: Central, dock: Dock, papers: bytes) -> dict[str, str]:
    """A truck in, a truck out, one of each refusal, an undo; the ids by what they are."""
    await center.import_files([Upload("week.json", papers)], "compliance")
    await dock.talk(center)
    ids = {
        "opened": dock.job("opened"),
        "admitted": dock.move(use=Use("A214", "1", Decimal(125))),
        "hold": dock.refuse("hold"),
        "other hold": dock.refuse("hold"),
        "stop": dock.refuse("stop"),
    }
    await dock.talk(center)
    ids["out"] = dock.move("withdrawal", "125", Use("W24", "1", Decimal(125)), clears=ids["hold"])
    ids["undo"] = dock.correct(ids["out"], "withdrawal", "125", Use("W24", "1", Decimal(125)))
    ids["closed"] = dock.job("closed", counted=1, planned=2, missing=(SSCC,))
    await dock.talk(center)
    await center.projector.catch_up()
    return ids


async def test_an_admission_is_in_the_inventory_and_uses_its_line(
    center: Central, dock: Dock, papers: bytes, reading: Reading
) -> None:
    await a_day(center, dock, papers)
    inventory = (await reading.inventory(10, None)).items
    assert [(row["product"], row["lot"], row["status"], row["quantity"]) for row in inventory] == [
        ("TOOL-12", "L1", "NPF", Decimal(125))
    ]
    permits = {permit["number"]: permit["lines"][0] for permit in (await reading.permits(10, None)).items}
    assert (permits["A214"]["used"], permits["A214"]["left"]) == (125, 2375)
    assert (permits["W24"]["granted"], permits["W24"]["used"]) == (800, 0)


async def test_a_correction_takes_a_movement_back_and_both_stay(
    center: Central, dock: Dock, papers: bytes, reading: Reading
) -> None:
    ids = await a_day(center, dock, papers)
    moves = {move["entry_id"]: move for move in (await reading.movements(10, None)).items}
    assert moves[ids["out"]]["reversed_by"] == ids["undo"]
    assert moves[ids["admitted"]]["reversed_by"] is None
    again = dock.correct(ids["out"], "withdrawal", "125", Use("W24", "1", Decimal(125)))
    await dock.talk(center)
    await center.projector.catch_up()
    assert [entry["entry_id"] for entry in await reading.unreadable()] == [again]
    assert (await reading.inventory(10, None)).items[0]["quantity"] == 125


async def test_holds_stay_open_until_a_movement_or_a_release_settles_them(
    center: Central, dock: Dock, papers: bytes, reading: Reading
) -> None:
    ids = await a_day(center, dock, papers)
    assert [hold["entry_id"] for hold in (await reading.holds(10, None)).items] == [ids["other hold"]]
    dock.release(ids["other hold"])
    await dock.talk(center)
    await center.projector.catch_up()
    assert (await reading.holds(10, None)).items == []
    decisions = {
        hold["entry_id"]: hold["decision"] for hold in (await reading.holds(10, None, settled=True)).items
    }
    assert decisions == {ids["hold"]: "passed", ids["other hold"]: "cleared", ids["stop"]: None}


async def test_a_job_tells_its_state_its_count_and_what_was_missing(
    center: Central, dock: Dock, papers: bytes, reading: Reading
) -> None:
    await a_day(center, dock, papers)
    jobs = {job["job"]: job for job in (await reading.jobs(10, None)).items}
    assert (jobs["T-1"]["state"], jobs["T-1"]["counted"], jobs["T-1"]["missing"]) == ("closed", 1, [SSCC])
    assert jobs["T-1"]["opened_at"] < jobs["T-1"]["closed_at"]
    assert (jobs["T-2"]["state"], jobs["T-2"]["counted"]) == ("planned", 0)


async def test_a_rebuild_comes_to_the_same_books(center: Central, dock: Dock, papers: bytes) -> None:
    await a_day(center, dock, papers)
    other = Dock("dock-2")
    other.code = await center.enrol("dock-2")
    await other.talk(center)
    other.move(quantity="2")
    await other.talk(center)
    await center.projector.catch_up()
    before = await books(center)
    assert before["movement"]
    await center.projector.rebuild()
    assert await books(center) == before
    # The control: books that miss something are told apart.
    async with center.database.session() as connection:
        await connection.execute("UPDATE holding SET quantity = quantity + 1")
    assert await books(center) != before
    await center.projector.rebuild()
    assert await books(center) == before


async def test_a_rebuild_tells_how_far_it_is(
    center: Central, dock: Dock, papers: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    await a_day(center, dock, papers)
    monkeypatch.setattr("central.projector.REBUILD_PAGES", (1, 1))
    told: list[tuple[int, int]] = []
    await center.projector.rebuild(lambda done, total: told.append((done, total)))
    total = told[0][1]
    assert told == [(done, total) for done in range(1, total + 1)]


@pytest.mark.parametrize("refused", [0, 1])
async def test_books_made_an_entry_at_a_time_are_those_made_a_page_at_a_time(
    center: Central, dock: Dock, papers: bytes, monkeypatch: pytest.MonkeyPatch, refused: int
) -> None:
    """What one statement writes for many entries is what each would have written after the other."""
    ids = await a_day(center, dock, papers)
    use = Use("A214", "1", Decimal("0.5"))
    for again in ("L2", "L3"):
        dock.move(quantity="0.5", use=use, lot=again)
        await dock.talk(center)
    dock.release(ids["other hold"])
    await dock.talk(center)
    dock.move("withdrawal", "0.5", clears=ids["other hold"], lot="L4")
    twice = dock.correct(ids["admitted"], "admission", "125", Use("A214", "1", Decimal(125)))
    dock.correct(ids["admitted"], "admission", "125", Use("A214", "1", Decimal(125)))
    if refused:  # by the database, which then gets the page in halves
        dock.move(quantity="2", lot="\0")
    await dock.talk(center)
    child = Dock(signer=dock.signer, parent=dock.place(), end=dock.place())
    child.move_again(dock.records[dock.ids.index(ids["out"])], ids["out"])
    await child.talk(center)
    await center.projector.rebuild()
    at_once = await books(center)
    assert twice in repr(at_once["movement"])
    assert len(at_once["unreadable"]) == 1 + refused
    for own, seen in ((1, 1), (100, 1), (2, 10_000)):
        monkeypatch.setattr("central.projector.REBUILD_PAGES", (own, seen))
        await center.projector.rebuild()
        assert await books(center) == at_once


async def test_an_entry_that_cannot_be_read_is_stored_and_blocks_nothing(
    center: Central, dock: Dock, reading: Reading
) -> None:
    strange = [
        dock.add_bytes("inspection", "zonegate.inspection.v7", b'{"anything":[1]}'),
        dock.add_bytes("hold", "zonegate.refusal.v9", b"{}", door="dock-1-in"),
        dock.add_bytes(
            "release", "zonegate.release.v1", b'{"hold":"no id","decision":"x","by":"y","note":""}'
        ),
        dock.add_bytes("admission", "zonegate.movement.v9", b'{"from":"the future"}'),
        dock.add_bytes("withdrawal", "zonegate.job.v1", b"{}"),
        dock.move(quantity="NaN"),
        dock.move(quantity="1", use=Use("A214", "1", Decimal("Infinity"))),
        dock.move(quantity="1E+40"),
        dock.move(lot="\0"),
        dock.add_bytes("job", "zonegate.release.v1", b'{"hold":"h","decision":"x","by":"y","note":""}'),
    ]
    dock.move()
    answer = await dock.talk(center)
    assert answer.refused == {}
    await center.projector.catch_up()
    assert {entry["entry_id"] for entry in await reading.unreadable()} == set(strange[1:])
    assert (await reading.inventory(10, None)).items[0]["quantity"] == 125


async def test_the_same_fact_in_two_epochs_counts_once(center: Central, dock: Dock, reading: Reading) -> None:
    moved = dock.move()
    await dock.talk(center)
    child = Dock(signer=dock.signer, parent=dock.place(), end=dock.place())
    child.move_again(dock.records[-1], moved)
    answer = await child.talk(center)
    assert answer.refused == {}
    await center.projector.catch_up()
    assert (await reading.inventory(10, None)).items[0]["quantity"] == 125


async def test_facts_of_a_log_that_lost_against_another_writer_enter_the_books_once(
    center: Central, dock: Dock, papers: bytes, reading: Reading
) -> None:
    await center.import_files([Upload("papers.json", papers)], "test")
    await dock.talk(center)
    fork = dock.place()
    known = dock.move()
    await dock.talk(center)
    lost = Dock(signer=dock.signer)  # another writer of the same log: its branch the center never takes
    lost.epoch, lost.records, lost.hashes = dock.epoch, dock.records[: fork.seq], dock.hashes[: fork.seq]
    lost.move(sscc="095219990000000020", use=Use("A214", "1", Decimal(125)))
    lost.add("return", Returned("A214", "1", Decimal(7)))
    child = Dock(signer=dock.signer, parent=lost.place())
    for record in (dock.records[-1], *lost.records[fork.seq :], *lost.records[fork.seq :]):
        child.add("adopt", Adopt(msgspec.Raw(record)))
    broken = child.add_bytes("adopt", "zonegate.adopt.v1", b'{"record":{"v":1}}')
    await child.talk(center)
    await center.projector.catch_up()
    moves = (await reading.movements(10, None)).items
    assert sorted(str(move["entry_id"]) for move in moves) == sorted([known, lost.ids[-2]])
    assert {move["epoch"] for move in moves} == {dock.epoch, child.epoch}, "each where it can be looked up"
    permits = {permit["number"]: permit["lines"][0] for permit in (await reading.permits(10, None)).items}
    assert permits["A214"]["used"] == 125
    assert permits["A214"]["granted"] == 2500, "what the loser gave back frees nothing"
    assert [entry["entry_id"] for entry in await reading.unreadable()] == [broken]


async def test_goods_that_left_but_never_came_show_below_zero(
    center: Central, dock: Dock, reading: Reading
) -> None:
    dock.move("withdrawal", "3", Use("NONE", "9", Decimal(3)))
    await dock.talk(center)
    await center.projector.catch_up()
    assert (await reading.inventory(10, None)).items[0]["quantity"] == -3
    assert await reading.stray_lines() == [{"permit": "NONE", "line": "9", "used": Decimal(3)}]


async def test_two_projectors_do_not_fold_an_entry_twice(
    center: Central, dock: Dock, papers: bytes, reading: Reading
) -> None:
    await a_day(center, dock, papers)
    from central.projector import Projector

    other = Projector(center.database, "example", "zone-999")
    dock.move(quantity="5", sscc="095219990000000020")
    await dock.talk(center)
    await other.catch_up()
    await center.projector.catch_up()
    assert sum(row["quantity"] for row in (await reading.inventory(10, None)).items) == 130


async def test_the_books_follow_on_after_a_fault_that_nobody_foresaw(
    center: Central, dock: Dock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("central.projector._RETRY_SECONDS", 0.0)
    step, faults, moved = center.projector._step, 0, asyncio.Event()

    async def failing() -> bool:
        nonlocal faults
        faults += 1
        if faults < 3:
            raise OverflowError("planted")
        return await step()

    monkeypatch.setattr(center.projector, "_step", failing)
    center.projector.on_moved(moved.set)
    dock.move("withdrawal", "3", Use("NONE", "9", Decimal(3)))
    await dock.talk(center)
    await asyncio.wait_for(moved.wait(), 20)
    assert faults >= 3
