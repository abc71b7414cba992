# SPDX-License-Identifier: Apache-2.0
"""A node's books are the fold of its log, whatever happened and however they were kept meanwhile."""

from __future__ import annotations

import asyncio
import hashlib
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from customs.documents import Conveyance, Direction, Holding, LineRef, Status
from edge import books as books_module
from edge import restatus
from edge.books import Books, Fact, NodeBooks
from edge.view import Refused
from gs1 import sscc_link
from sync.bodies import Begin, Grant, Holdings, Moved, Saw, body_bytes, schema_of
from sync.entry import Clock, Draft, Place, new_entry_id, read_record, record_bytes
from tests.edge.yard import (
    CANCEL,
    CLOSE,
    GONE,
    HELD,
    LOADS,
    NOTICED,
    OWNER,
    START,
    TOOL,
    UNDO,
    UNKNOWN,
    FakeRecorder,
    Papers,
    Yard,
    holding,
    label,
    load_number,
    order,
    pallet,
    planned,
    sscc,
)

OUT = LineRef("P-OUT", "1")
PINNED_FORM = (5, "3323f7deedc18d91")

doors = st.sampled_from(["in", "out"])
passing = st.builds(
    lambda door, number: ("read", door, load_number(door, number)), doors, st.sampled_from(list(LOADS))
)
labels = st.sampled_from([label(), label(lot="L8"), label(serial="S-1")])
controls = st.sampled_from(
    [UNDO, UNDO, CLOSE, CANCEL, *(order(job) for job in ("IN-1", "IN-2", "OUT-1", "X"))]
)
odd = st.sampled_from(
    [*(pallet(number) for number in (1, HELD, GONE, NOTICED, UNKNOWN)), b"NOREAD", b"]C100095219990000000014"]
)
reads = [st.tuples(st.just("read"), doors, codes) for codes in (labels, controls, odd)]
typed = st.tuples(st.just("quantity"), doors, st.sampled_from(["1", "20", "0.5", "300", "9999"]))
decisions = st.tuples(
    st.just("decide"), st.sampled_from(["deposit", "refused", "cleared"]), st.integers(0, 3)
)
others = st.tuples(st.sampled_from(["papers", "confirm", "unconfirm", "clock"]), st.just(""), st.just(""))
acts = st.lists(st.one_of(passing, passing, *reads, typed, typed, decisions, others), min_size=4, max_size=25)

DEPOSIT = [
    ("read", "in", pallet(UNKNOWN)),
    ("decide", "deposit", 0),
    ("read", "in", UNDO),
    ("decide", "deposit", 0),
    ("read", "out", b"NOREAD"),
    ("read", "out", load_number("out", 2)),
    ("read", "out", UNDO),
]

QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def play(sequence: list[tuple[Any, Any, Any]], books: type[NodeBooks] = NodeBooks) -> Yard:
    """A dock with both trucks open, and then whatever comes."""

    async def run() -> Yard:
        recorder = FakeRecorder(at_once=True)
        living = books()
        living.fold_records(recorder.records)
        yard = Yard(Papers(line=400), recorder=recorder, books=living)
        yard.open("in")
        yard.open("out")
        yard.read("in", load_number("in", 1))
        yard.read("out", load_number("out", 1))
        for what, where, with_what in sequence:
            await act(yard, what, where, with_what)
        return yard

    return asyncio.run(run())


async def act(yard: Yard, what: str, where: str, with_what: Any) -> None:
    """One act; a refused one is an act too."""
    try:
        if what == "read":
            yard.read(where, with_what, no_read=with_what == b"NOREAD")
        elif what == "quantity":
            prompt = yard.dock.door(where).prompt
            hold = prompt.hold if prompt else "none"
            yard.time.tick()
            await yard.dock.quantity(where, hold, with_what, yard.time.at.isoformat(), "worker")
        elif what == "decide":
            holds = list(yard.dock.books.state.holds)
            if with_what < len(holds):
                await yard.dock.decide(holds[with_what], where, "", "supervisor", "30")
        elif what == "papers":
            yard.send(Papers(line=500).entries(yard.recorder.epoch))
        elif what == "clock":
            yard.time.synchronized = not yard.time.synchronized
        else:
            yard.dock.have = yard.dock.books.state.seq if what == "confirm" else 0
    except Refused:
        pass


def folded(records: list[bytes]) -> NodeBooks:
    books = NodeBooks()
    books.fold_records(records)
    return books


def notices(books: NodeBooks) -> dict[str, object]:
    numbers = [*LOADS, *(n + 100 for n in LOADS), HELD, NOTICED, UNKNOWN]
    return {sscc(number): books.planned(sscc(number)) for number in numbers}


@QUICK
@given(acts)
@example(DEPOSIT)
def test_what_the_dock_lives_by_is_the_fold_of_what_it_wrote(sequence: list[tuple[Any, Any, Any]]) -> None:
    yard = play(sequence)
    assert folded(yard.recorder.records).state == yard.dock.books.state


@QUICK
@given(acts, st.floats(0, 1))
@example(DEPOSIT, 0.8)
def test_a_snapshot_and_the_tail_are_the_whole(sequence: list[tuple[Any, Any, Any]], where: float) -> None:
    records = play(sequence).recorder.records
    cut = round(where * len(records))
    kept = NodeBooks.restore(folded(records[:cut]).snapshot())
    assert kept is not None
    kept.fold_records(records[cut:])
    whole = folded(records)
    assert kept.state == whole.state
    assert notices(kept) == notices(whole)


def proven(books: NodeBooks) -> None:
    """No holding is empty, no account is overdrawn, what left is not held."""
    state = books.state
    assert all(held.quantity > 0 for held in state.holdings.values())
    for account in state.accounts.values():
        assert 0 <= account.used <= account.pending, "no lease is overdrawn in its own log"
    assert not state.departed.keys() & state.holdings.keys()
    for door, name in state.open_jobs.items():
        assert (state.jobs[name].state, state.jobs[name].door) == ("open", door)
    tools = state.holdings.values()
    assert all(held.owner or held.status is Status.SUSPENSE for held in tools)


def test_another_form_of_the_snapshot_has_another_version() -> None:
    """A snapshot that is read wrong would be believed; one of another version is folded again."""
    parts = msgspec.json.schema(Books)["$defs"]
    fields = sorted((name, *sorted(part.get("properties", ()))) for name, part in parts.items())
    digest = hashlib.sha256(repr(fields).encode()).hexdigest()[:16]
    assert (books_module.SNAPSHOT_VERSION, digest) == PINNED_FORM, "raise SNAPSHOT_VERSION, and pin anew"


@QUICK
@given(acts)
@example(DEPOSIT)
def test_no_account_is_overdrawn_and_no_holding_is_below_zero(sequence: list[tuple[Any, Any, Any]]) -> None:
    recorder = play(sequence).recorder
    books = NodeBooks()
    for record in recorder.records:
        books.fold_records([record])
        proven(books)


class Forgetful(NodeBooks):
    """Planted: a withdrawal is not debited."""

    def _movement(self, fact: Fact, body: Any) -> None:
        super()._movement(fact, msgspec.structs.replace(body, use=None))


def test_books_that_forget_a_debit_are_caught() -> None:
    @settings(QUICK, database=None, derandomize=True, phases=[Phase.generate], report_multiple_bugs=False)
    @given(acts)
    def prove(sequence: list[tuple[Any, Any, Any]]) -> None:
        yard = play(sequence, Forgetful)
        assert folded(yard.recorder.records).state == yard.dock.books.state
        proven(folded(yard.recorder.records))

    with pytest.raises(AssertionError):
        prove()


def substance(books: NodeBooks) -> Books:
    """A copy of the state without its place and without what it remembers of scans; `short` is such a memory,
    of the load refused last, which the next movement of its line ends.
    """
    copy = NodeBooks.restore(books.snapshot())
    assert copy is not None
    state = copy.state
    state.seq = 0
    for memory in (state.clients, state.door_seq, state.own_epochs, state.short):
        memory.clear()
    state.done = {door: done for door, done in state.done.items() if done}
    return state


@QUICK
@given(acts)
@example(DEPOSIT)
def test_an_undo_restores_exactly(sequence: list[tuple[Any, Any, Any]]) -> None:
    """After any movement, at once undone, nothing but the memory of the scan is left."""
    yard = play(sequence)
    records = yard.recorder.records
    moves = [n for n, record in enumerate(records) if read_record(record).type in ("admission", "withdrawal")]
    for number in moves:
        entry = read_record(records[number])
        books = folded(records[:number])
        before = substance(books)
        books.fold(Fact.of(entry))

        async def undo(books: NodeBooks, at: str) -> None:
            recorder = FakeRecorder(at_once=True)
            undoing = Yard(recorder=recorder, books=books)
            undoing.read(at, UNDO)

        assert entry.door is not None
        asyncio.run(undo(books, entry.door))
        assert substance(books) == before


# -- told one by one -------------------------------------------------------------------------------


def a_fact(kind: str, body: msgspec.Struct, seq: int, epoch: str = "e" * 32, door: str | None = None) -> Fact:
    return Fact(new_entry_id(seq, bytes(10)), epoch, seq, kind, door, START, body)


def papers(*bodies: tuple[str, msgspec.Struct], first: int = 1) -> Saw:
    """A Saw of the center's entries; ids go on from `first`."""
    records = []
    for number, (kind, body) in enumerate(bodies, start=first):
        draft = Draft(
            new_entry_id(number, bytes(10)),
            kind,
            schema_of(kind),
            START,
            Clock(True, "b", 0),
            body_bytes(body),
        )
        records.append(msgspec.Raw(record_bytes(draft, "c" * 32, number, START, "0" * 64)))
    return Saw("c" * 32, Place("c" * 32, first, "0" * 64), tuple(records))


def begun(epoch: str = "e" * 32) -> NodeBooks:
    books = NodeBooks()
    books.fold(a_fact("begin", Begin("example", "zone-999", "dock-1", "00", "first start"), 1, epoch))
    return books


def grant(epoch: str, quantity: int) -> tuple[str, Grant]:
    return "grant", Grant(OUT.permit, OUT.line, "dock-1", epoch, Decimal(quantity))


def test_a_new_epoch_owns_no_account() -> None:
    books = begun()
    books.fold(a_fact("saw", papers(grant("e" * 32, 800)), 2))
    assert books.account(OUT).pending == 800
    books.fold(a_fact("begin", Begin("example", "zone-999", "dock-1", "00", "no anchor"), 1, "f" * 32))
    assert books.account(OUT).pending == 0
    books.fold(a_fact("saw", papers(grant("e" * 32, 500), first=5), 2, "f" * 32))
    assert books.account(OUT).pending == 0, "a grant to another epoch is not ours"


def test_a_paper_counts_once_however_often_it_comes() -> None:
    books = begun()
    for seq in (2, 3):
        books.fold(a_fact("saw", papers(grant("e" * 32, 800)), seq))
    assert books.account(OUT).pending == 800


def test_a_grant_is_spendable_from_the_confirmation_of_its_own_saw() -> None:
    books = begun()
    books.fold(a_fact("saw", papers(grant("e" * 32, 500)), 2))
    books.fold(a_fact("saw", papers(grant("e" * 32, 300), first=2), 7))
    assert [books.account(OUT).granted(have) for have in (1, 2, 6, 7)] == [0, 500, 500, 800]


def test_holdings_of_an_own_epoch_are_not_taken_twice() -> None:
    books = begun()
    moves = (Moved(True, holding(1)),)
    books.fold(a_fact("saw", papers(("holdings", Holdings("e" * 32, moves))), 2))
    assert books.state.holdings == {}
    books.fold(a_fact("saw", papers(("holdings", Holdings("d" * 32, moves)), first=2), 3))
    assert list(books.state.holdings) == [sscc_link(sscc(1))]


def test_goods_of_one_label_stay_what_they_were_when_more_come() -> None:
    books = begun()
    mine = Holding("key", None, TOOL, Decimal(10), "EA", OWNER, Status.NPF, "L7")
    more = msgspec.structs.replace(mine, quantity=Decimal(5))
    moves = (Moved(True, mine), Moved(True, more), Moved(False, more))
    books.fold(a_fact("saw", papers(("holdings", Holdings("d" * 32, moves))), 2))
    assert books.state.holdings == {"key": mine}


def test_a_load_that_stays_gets_another_status_and_one_that_has_left_stays_gone() -> None:
    books = begun()
    here, gone = holding(1), holding(2)
    changed = tuple(Moved(False, load, becomes=Status.PF) for load in (here, gone))
    moves = (Moved(True, here), Moved(True, gone), Moved(False, gone), *changed)
    books.fold(a_fact("saw", papers(("holdings", Holdings("d" * 32, moves))), 2))
    assert books.state.holdings == {here.key: msgspec.structs.replace(here, status=Status.PF)}
    assert list(books.state.departed) == [gone.key]
    as_work_orders_tell = (Moved(True, holding(3)), Moved(False, holding(3)))
    books.fold(a_fact("saw", papers(("holdings", Holdings("d" * 32, as_work_orders_tell)), first=2), 3))
    assert holding(3).key not in books.state.holdings, "the control: without a status it leaves"


async def test_goods_whose_leaving_is_undone_come_back_in_the_status_that_the_center_says() -> None:
    yard = Yard(Papers())
    yard.open("out")
    yard.read("out", pallet(1))
    load = holding(1)
    assert load.key not in yard.dock.books.state.holdings
    changes = ((Status.NPF, Status.PF), (Status.PF, Status.RESTRICTED))
    moves = tuple(
        Moved(False, msgspec.structs.replace(load, status=was), becomes=becomes) for was, becomes in changes
    )
    yard.send([("holdings", Holdings("c" * 32, moves))])
    yard.read("out", UNDO)
    assert yard.dock.books.state.holdings[load.key].status is Status.RESTRICTED
    kept = NodeBooks.restore(yard.dock.books.snapshot())
    assert kept is not None and kept.state == yard.dock.books.state


def test_goods_that_come_anew_have_the_status_of_their_paper_and_the_memory_is_bounded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    books = begun()
    load = holding(1)
    changed = Moved(False, load, becomes=Status.PF)
    told = (Moved(True, load), changed, Moved(False, load), Moved(True, load, back=True))
    books.fold(a_fact("saw", papers(("holdings", Holdings("d" * 32, told))), 2))
    assert books.state.holdings[load.key].status is Status.PF
    anew = (Moved(False, load), Moved(True, load), Moved(False, load), Moved(True, load, back=True))
    books.fold(a_fact("saw", papers(("holdings", Holdings("d" * 32, anew)), first=2), 3))
    assert books.state.holdings[load.key].status is Status.NPF, "the control: it came on another paper"
    monkeypatch.setattr(restatus, "LOADS_MAX", 3)
    many = tuple(Moved(False, holding(number), becomes=Status.PF) for number in range(6))
    books.fold(a_fact("saw", papers(("holdings", Holdings("d" * 32, many)), first=3), 4))
    assert list(books.state.became) == [holding(number).key for number in (3, 4, 5)]


def truck(job: str, *numbers: int) -> tuple[str, Conveyance]:
    loads = tuple(planned(number) for number in numbers)
    return "conveyance", Conveyance(job, "Trailer", "Carrier", "in", Direction.IN, loads=loads)


def test_a_truck_sent_again_replaces_its_notices_also_after_a_snapshot() -> None:
    books = begun()
    books.fold(a_fact("saw", papers(truck("A", 1, 2), truck("B", 1)), 2))
    books.fold(a_fact("saw", papers(truck("A", 1), first=3), 3))
    kept = NodeBooks.restore(books.snapshot())
    assert kept is not None
    for either in (books, kept):
        assert either.planned(sscc(2)) is None, "it is on no notice any more"
        assert either.planned(sscc(1)) is not None
    assert notices(books) == notices(kept)
    assert list(books.state.conveyances) == list(kept.state.conveyances) == ["B", "A"]


def test_a_trucks_own_notice_goes_before_anothers() -> None:
    books = begun()
    half = msgspec.structs.replace(planned(1), quantity=Decimal(60))
    other = Conveyance("B", "Trailer", "Carrier", "in", Direction.IN, loads=(half,))
    books.fold(a_fact("saw", papers(truck("A", 1), ("conveyance", other)), 2))
    assert [books.planned(sscc(1), job) for job in ("A", "B", "C")] == [planned(1), half, half]


def test_a_snapshot_of_another_version_or_a_broken_one_is_not_taken() -> None:
    books = begun()
    books.state.version = 99
    assert NodeBooks.restore(books.snapshot()) is None
    assert NodeBooks.restore(b'{"version":1,"seq":"x"}') is None
    assert NodeBooks.restore(b"") is None


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(books_module, "DEPARTED_MAX", 3)
    books = begun()
    moves = tuple(move for n in range(6) for move in (Moved(True, holding(n)), Moved(False, holding(n))))
    books.fold(a_fact("saw", papers(("holdings", Holdings("d" * 32, moves))), 2))
    assert list(books.state.departed) == [sscc_link(sscc(number)) for number in (3, 4, 5)]
