# SPDX-License-Identifier: Apache-2.0
"""What people decide: each act an entry, refused with a reason where it contradicts the book; and cases."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from central.alarms import _pause
from central.errors import Denied
from central.people import (
    Decide,
    File,
    Object,
    Retire,
    Revoke,
    Settle,
    WriteOff,
    attestation,
)
from central.service import Central
from customs.imports import Upload
from sync.bodies import Adopt, Amount, Use
from sync.cases import Case
from sync.entry import Head
from tests.central.conftest import Opener
from tests.central.dock import Dock


async def cases(center: Central) -> dict[str, Case]:
    return {case.name: case for case in (await center.people.open_cases()).cases}


async def own_types(center: Central) -> list[str]:
    async with center.database.session() as connection:
        rows = await connection.fetch(
            "SELECT type FROM entry WHERE tenant = 'example' AND node = 'center' ORDER BY entry_id"
        )
    return [row["type"] for row in rows]


async def lent(center: Central, dock: Dock, papers: bytes) -> None:
    """The dock holds its permits and has let 125 of W24 out."""
    await center.import_files([Upload("week.json", papers)], "compliance")
    await dock.talk(center)
    dock.move("withdrawal", "125", Use("W24", "1", Decimal(125)))
    await dock.talk(center)


NONE_OF_A214 = Amount("A214", "1", Decimal(0))


def count(dock: Dock, quantity: str, **changes: Any) -> WriteOff:
    order: dict[str, Any] = {
        "node": dock.node,
        "counted": (Amount("W24", "1", Decimal(quantity)), NONE_OF_A214),
        "by": "Dana",
        "note": "disk burnt",
        "attest": attestation(dock.node),
        "epochs": (dock.epoch,),
    }
    return WriteOff(**{**order, **changes})


async def test_an_enrolment_is_an_entry_before_its_code_is_shown(center: Central) -> None:
    assert await center.enrol("dock-1")
    assert await center.enrol("dock-1"), "another code for the same node"
    assert (await own_types(center)).count("enrol") == 1


async def test_a_re_imaged_dock_is_a_gap_with_its_stake_until_it_is_counted(
    center: Central, dock: Dock, papers: bytes
) -> None:
    await lent(center, dock, papers)
    again = Dock(dock.node)
    again.code = await center.enrol(dock.node)
    await again.talk(center)
    gap = (await cases(center))[f"gap:{again.epoch}"]
    assert f"--epoch {dock.epoch} --gap {again.epoch}" in gap.next_step
    stake = {(one.permit, one.line): one.quantity for one in gap.stake}
    assert stake["W24", "1"] == 675, "lent 800, used 125"
    assert all(one.unit == "EA" for one in gap.stake)

    order = count(dock, "200", gaps=(again.epoch,))
    await center.people.write_off(order)
    assert f"gap:{again.epoch}" not in await cases(center)
    standing = await center.people.node(dock.node)
    assert [(log.epoch, log.closed, log.gap) for log in standing.logs] == [
        (dock.epoch, "count", False),
        (again.epoch, "", False),
    ]
    await again.talk(center)
    leases = {lease.permit: lease for lease in (await center.people.node(dock.node)).logs[1].leases}
    assert leases["W24"].granted == 600, "what the count left is lent again"
    assert standing.revoked == (dock.signer.public,)

    dock.move("withdrawal", "125", Use("W24", "1", Decimal(125)), sscc="095219990000000020")
    with pytest.raises(Denied, match="revoked"):
        await dock.talk(center)


async def test_another_count_must_name_what_the_one_before_named(
    center: Central, dock: Dock, papers: bytes
) -> None:
    """Else a line that only the first count spoke of would be free again, and nobody would have said so."""
    await center.import_files([Upload("week.json", papers)], "compliance")
    by_mistake = (Amount("W24", "1", Decimal(125)), NONE_OF_A214)
    await center.people.write_off(count(dock, "0", counted=by_mistake))
    with pytest.raises(Denied, match="nothing is counted of A214/1, W24/1"):
        await center.people.write_off(count(dock, "0", counted=()))
    async with center._own.lock:
        charged = (await center._own.book()).charged(by_mistake[0].ref)
    assert charged == 125
    await center.people.write_off(count(dock, "130"))
    async with center._own.lock:
        charged = (await center._own.book()).charged(by_mistake[0].ref)
    assert charged == 130, "the control: the whole count takes its place"


async def test_a_late_return_after_a_count_is_stored_and_is_an_alarm_until_it_is_settled(
    center: Central, dock: Dock, papers: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    await lent(center, dock, papers)
    await center.people.write_off(count(dock, "125"))
    dock.code = await center.enrol(dock.node)
    dock.move("withdrawal", "125", Use("W24", "1", Decimal(125)), sscc="095219990000000020")
    answer = await dock.talk(center)
    assert answer.have == (dock.place(),)
    name = f"late:{dock.epoch}"
    late = (await cases(center))[name]
    assert (late.kind, late.stake[0].quantity) == ("alarm", Decimal(250))
    async with asyncio.timeout(30):
        while f"ALARM {name}" not in caplog.text:  # noqa: ASYNC110 - the log is what is watched
            await asyncio.sleep(0.05)
    assert [record.levelno for record in caplog.records if name in record.message] == [logging.ERROR]
    await center.people.settle(Settle(name, "the count was right, it came back", "Dana"))
    assert name not in await cases(center)
    with pytest.raises(Denied, match="no case"):
        await center.people.settle(Settle(name, "again", "Dana"))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"attest": "yes"}, "not attested"),
        ({"epochs": ("f" * 32,)}, "not one of node"),
        ({"epochs": ()}, "at least one"),
        ({"counted": (Amount("W99", "1", Decimal(1)),)}, "no line"),
        ({"counted": (Amount("W24", "1", Decimal(-1)),)}, "negative"),
        ({"counted": (Amount("W24", "1", Decimal("1e30")),)}, "no count"),
        ({"counted": ()}, "nothing is counted of A214/1, W24/1"),
        ({"counted": (NONE_OF_A214,)}, "nothing is counted of W24/1"),
    ],
)
async def test_a_count_that_says_no_sense_is_refused_and_writes_nothing(
    center: Central, dock: Dock, papers: bytes, changes: dict[str, Any], reason: str
) -> None:
    await lent(center, dock, papers)
    before = center.head
    with pytest.raises(Denied, match=reason):
        await center.people.write_off(count(dock, "125", **changes))
    assert center.head == before


@pytest.mark.parametrize("act", ["retire", "revoke"])
async def test_a_code_that_waits_lets_nobody_in_once_its_node_is_gone(
    center: Central, dock: Dock, act: str
) -> None:
    waiting = await center.enrol(dock.node)
    if act == "retire":
        await center.people.retire(Retire(dock.node, (), "Dana", "sold", attestation(dock.node)))
    else:
        await center.people.revoke(Revoke(dock.node, "stolen", "Dana"))
    stranger = Dock(dock.node)
    stranger.code = waiting
    with pytest.raises(Denied, match="not enrolled with this key"):
        await stranger.talk(center)
    stranger.code = await center.enrol(dock.node)
    await stranger.talk(center)


async def test_a_revoked_key_is_refused_until_a_code_comes_with_it(center: Central, dock: Dock) -> None:
    await center.people.revoke(Revoke(dock.node, "stolen", "Dana"))
    dock.code = None
    dock.move()
    with pytest.raises(Denied, match=r"revoked: stolen; run `zonegate central enrol dock-1`"):
        await dock.talk(center)
    dock.code = await center.enrol(dock.node)
    assert (await dock.talk(center)).have == (dock.place(),)
    with pytest.raises(Denied, match="no key"):
        await center.people.revoke(Revoke("dock-9", "lost", "Dana"))


async def test_a_dispute_goes_down_and_ends_by_a_decision(center: Central, dock: Dock, papers: bytes) -> None:
    await lent(center, dock, papers)
    movement = dock.ids[-1]
    written = await center.people.dispute(Object(movement, "the seal differs", "Dana"))
    with pytest.raises(Denied, match="already"):
        await center.people.dispute(Object(movement, "again", "Dana"))
    answer = await dock.talk(center)
    assert b'"type":"dispute"' in bytes(answer.entries[-1])
    name = written[0].entry_id
    assert f"disputed:{name}" in await cases(center)
    with pytest.raises(Denied, match="does not end by a person's word"):
        await center.people.settle(Settle(f"disputed:{name}", "fine", "Dana"))
    await center.people.decide(Decide(name, "stands", "looked at it", "Dana"))
    # The books may have a case of the same load by now: it left without being admitted.
    assert f"disputed:{name}" not in await cases(center)
    with pytest.raises(Denied, match="no movement"):
        await center.people.dispute(Object(dock.ids[0], "a begin", "Dana"))


async def test_a_filing_recomputes_from_its_place_whatever_came_since(
    open_center: Opener, center: Central, dock: Dock, papers: bytes
) -> None:
    await lent(center, dock, papers)
    filing = await center.people.file(File("2026-07", "Dana"))
    figures = {(one.permit, one.line): one.quantity for one in filing.figures}
    assert figures["W24", "1"] == 125
    dock.move("withdrawal", "125", Use("W24", "1", Decimal(125)), sscc="095219990000000020")
    await dock.talk(center)
    with pytest.raises(Denied, match="filed before"):
        await center.people.file(File("2026-07", "Dana"))
    await center.people.file(File("2026-08", "Dana"))
    await center.close()
    again = await open_center("elsewhere")
    for number, used in (("2026-07", 125), ("2026-08", 250)):
        found = await again.filings.recompute(number)
        assert found.equal
        assert {(one.permit, one.line): one.quantity for one in found.recomputed}["W24", "1"] == used
    with pytest.raises(Denied, match="no filing"):
        await again.filings.recompute("2026-09")


async def test_figures_that_the_record_does_not_say_are_found(
    center: Central, dock: Dock, papers: bytes
) -> None:
    from sync.bodies import Filing

    await lent(center, dock, papers)
    wrong = Filing("2026-07", (Amount("W24", "1", Decimal(124)),), "Dana")
    async with center._own.lock:
        await center._own.book()
        await center._own.commit(lambda: [("filing", wrong)])
    assert not (await center.filings.recompute("2026-07")).equal


async def test_a_dock_from_the_future_is_stored_and_is_an_alarm_also_after_a_restart(
    open_center: Opener, center: Central, dock: Dock
) -> None:
    now = datetime.now(UTC)
    dock.add_bytes("alarm", "zonegate.alarm.v1", b"{}", occurred_at=now + timedelta(hours=20))
    await dock.talk(center)
    assert await cases(center) == {}
    dock.add_bytes("alarm", "zonegate.alarm.v1", b"{}", occurred_at=now + timedelta(days=400))
    answer = await dock.talk(center)
    assert answer.have == (dock.place(),)
    name = f"clock-ahead:{dock.epoch}"
    assert f"first entry {len(dock.records)}" in (await cases(center))[name].what
    await center.close()
    again = await open_center()
    assert name in await cases(again)
    await again.people.settle(Settle(name, "clock set", "Dana"))
    await again.close()
    assert await cases(await open_center()) == {}


async def test_a_stop_that_was_crossed_all_the_same_is_a_case_until_somebody_has_looked(
    open_center: Opener, center: Central, dock: Dock
) -> None:
    dock.refuse("stop")
    dock.stop(crossed=False, kind="turned")
    quiet = await dock.talk(center)
    assert quiet.have == (dock.place(),)
    assert await cases(center) == {}, "a STOP that was obeyed, and one that nobody watched, are no case"
    crossed, unsure = dock.stop(crossed=True), dock.stop(crossed=None, load='"kind":"crossed"' * 100)
    await dock.talk(center)
    found = await cases(center)
    assert set(found) == {f"crossed:{crossed}", f"crossed:{unsure}"}
    case = found[f"crossed:{crossed}"]
    assert case.kind == "case"
    assert "was stopped at door dock-1-out of dock-1 (not-on-permit) and went through" in case.what
    assert "may have gone through" in found[f"crossed:{unsure}"].what
    await center.close()
    again = await open_center()
    assert set(await cases(again)) == set(found)
    await again.people.settle(Settle(f"crossed:{crossed}", "brought back", "Dana"))
    assert set(await cases(again)) == {f"crossed:{unsure}"}
    await again.close()


async def test_a_crossed_stop_stays_a_case_however_many_were_settled_since(
    open_center: Opener, center: Central, dock: Dock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("ownlog", "record"):
        monkeypatch.setattr(f"central.{module}.CROSSED_MAX", 2)
    oldest, *others = (dock.stop(crossed=True) for _ in range(2))
    await dock.talk(center)
    for _ in range(3):
        for other in others:
            await center.people.settle(Settle(f"crossed:{other}", "brought back", "Dana"))
        others = [dock.stop(crossed=True)]
        await dock.talk(center)
    expected = {f"crossed:{oldest}", f"crossed:{others[0]}"}
    assert set(await cases(center)) == expected
    await center.close()
    again = await open_center()
    assert set(await cases(again)) == expected
    newest = dock.stop(crossed=True)
    await dock.talk(again)
    assert set(await cases(again)) == {f"crossed:{others[0]}", f"crossed:{newest}"}, "the bound holds"
    await again.close()


async def test_a_crossed_stop_that_is_told_again_is_one_case(
    open_center: Opener, center: Central, dock: Dock
) -> None:
    await dock.talk(center)
    fork = dock.place()
    dock.refuse("stop")
    await dock.talk(center)
    lost = Dock(signer=dock.signer)  # another writer of the same log: its branch the center never takes
    lost.epoch, lost.records, lost.hashes = dock.epoch, dock.records[: fork.seq], dock.hashes[: fork.seq]
    obeyed, crossed = lost.stop(crossed=False, kind="turned"), lost.stop(crossed=True)
    lost.move()
    child = Dock(signer=dock.signer, parent=lost.place())
    for record in (*lost.records[fork.seq :], *lost.records[fork.seq :]):
        child.add("adopt", Adopt(msgspec.Raw(record)))
    child.add_bytes("adopt", "zonegate.adopt.v1", b'{"record":{"v":1}}')
    await child.talk(center)

    async def told(at: Central) -> set[str]:
        return {name for name in await cases(at) if name.startswith("crossed:")}

    assert await told(center) == {f"crossed:{crossed}"}, f"not {obeyed}, which was obeyed"
    await center.close()
    again = await open_center()
    assert await told(again) == {f"crossed:{crossed}"}
    await again.people.settle(Settle(f"crossed:{crossed}", "brought back", "Dana"))
    assert await told(again) == set()
    await again.close()


async def test_a_code_that_spells_a_crossing_is_no_crossing(
    open_center: Opener, center: Central, dock: Dock
) -> None:
    dock.stop(crossed=False, kind="turned", load='{"kind":"crossed"}')
    await dock.talk(center)
    await center.close()
    assert await cases(await open_center()) == {}


async def test_two_branches_of_one_log_are_an_alarm(center: Central, dock: Dock) -> None:
    dock.move()
    await dock.talk(center)
    dock.records.pop(), dock.hashes.pop()
    dock.move(quantity="126")
    await dock.talk(center, dock.ask(dock.part(after=1)))
    fork = (await cases(center))[f"fork:{dock.epoch}:2"]
    assert fork.kind == "alarm"
    assert "two machines wrote as one" in fork.what


async def test_an_overdrawn_line_is_an_alarm_with_what_is_too_much(
    center: Central, dock: Dock, papers: bytes
) -> None:
    await lent(center, dock, papers)
    dock.move("withdrawal", "900", Use("W24", "1", Decimal(900)), sscc="095219990000000020")
    await dock.talk(center)
    found = await cases(center)
    assert found["overdrawn:W24/1"].stake[0].quantity == 225
    assert found[f"overdrawn:W24/1:{dock.epoch}"].stake[0].quantity == 225


async def test_a_replayed_ask_moves_no_doors_back_and_lends_nothing(
    center: Central, dock: Dock, papers: bytes
) -> None:
    old = dock.signed(dock.ask(doors=("old-door",)))
    await center.exchange(*old)
    dock.move()
    await dock.talk(center)
    await center.import_files([Upload("week.json", papers)], "compliance")
    head = center.head
    for _ in range(3):
        await center.exchange(*old)
    assert center.head == head, "nothing was lent to it"
    assert (await center.people.node(dock.node)).doors == dock.doors
    async with center.database.session() as connection:
        doors = await connection.fetchval("SELECT doors FROM node WHERE tenant = 'example'")
    assert tuple(doors) == dock.doors
    await dock.talk(center)
    assert center.head != head, "the control: its own ask is lent what its trucks need"


async def test_a_dock_with_the_key_of_another_cannot_wait_in_its_place(center: Central, dock: Dock) -> None:
    """Asks with made-up codes in a dock's name take the strangers' turn, never the dock's."""
    liars = [Dock(dock.node) for _ in range(12)]
    for liar in liars:
        liar.code = "AAAA-BBBB-CCCC-DDDD-EEEE"
    dock.move()
    *refused, answer = await asyncio.gather(
        *(liar.talk(center) for liar in liars), dock.talk(center), return_exceptions=True
    )
    assert all(isinstance(one, Exception) for one in refused)
    assert not isinstance(answer, BaseException)
    assert answer.have == (dock.place(),)


async def test_a_signed_head_alone_is_no_case(center: Central, dock: Dock) -> None:
    for _ in range(3):
        dock.move()
    head: Head = dock.head()
    assert head.seq == 4
    await dock.talk(center, dock.ask(dock.part(after=1, upto=1)))
    assert await cases(center) == {}


async def test_entries_that_a_proven_end_names_and_nobody_has_sent_are_a_case(
    center: Central, dock: Dock, papers: bytes
) -> None:
    await lent(center, dock, papers)
    stored = len(dock.records)
    dock.move("withdrawal", "125", Use("W24", "1", Decimal(125)), sscc="095219990000000020")
    end = dock.place()
    child = Dock(dock.node, signer=dock.signer, parent=dock.place(stored), end=end, reason="an older store")
    await child.talk(center)
    case = (await cases(center))[f"missing:{dock.epoch}"]
    assert f"Entries {stored + 1} to {end.seq}" in case.what
    assert {(one.permit, one.quantity) for one in case.stake} >= {("W24", Decimal(675))}
    await child.talk(center, child.ask(dock.part(), child.part()))
    assert case.name not in await cases(center), "they came by themselves, and closed their log"


async def test_what_this_center_cannot_read_is_a_case_until_it_is_counted(
    center: Central, dock: Dock, papers: bytes
) -> None:
    await lent(center, dock, papers)
    dock.add_bytes("withdrawal", "zonegate.movement.v9", b"{}")
    answer = await dock.talk(center)
    assert answer.have == (dock.place(),), "stored like any other"
    case = (await cases(center))[f"unread:{dock.epoch}"]
    with pytest.raises(Denied, match="does not end by a person's word"):
        await center.people.settle(Settle(case.name, "fine", "Dana"))
    await center.people.write_off(count(dock, "200"))
    assert case.name not in await cases(center)


def test_a_long_look_at_the_cases_is_followed_by_a_longer_rest() -> None:
    """A dock that lies can make the list of cases long; the others' asks need the book meanwhile."""
    assert _pause(0.001) == 1.0
    assert _pause(2.0) >= 20.0
