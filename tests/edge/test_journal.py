# SPDX-License-Identifier: Apache-2.0
"""Entries are told in call order, and only after their commit and their anchor."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import tempfile
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.batch import UnderwayNote
from edge.errors import Backlogged, DiskFull, JournalClosed, JournalFailed
from edge.journal import Journal, Placed
from edge.rows import EVIDENCE_BYTES_MAX
from edge.store import JournalReader, UnderwayRow
from edge.writer import connect_writer
from sync.bodies import Adopt, body_bytes, schema_of
from sync.entry import BODY_BYTES_MAX, Draft, Head, Place, record_hash, utc_text
from sync.errors import EntryError
from sync.keys import check_head
from tests.edge.journals import (
    WAIT_S,
    FailingAnchor,
    FailingConnection,
    Gate,
    Site,
    TellsBeforeAnchor,
    TellsBeforeCommit,
    connect_failing,
    full_disk,
    gated_connect,
)
from zonegate.verify import verify_store


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site.make(tmp_path)


async def told_while_held(site: Site, journal_type: type[Journal], held: str) -> bool:
    """Whether an entry is told while its commit, or its anchor, has not happened yet."""
    gate = Gate()
    anchor = FailingAnchor(site.anchor, gate if held == "anchor" else Gate())
    journal = site.open(
        journal=journal_type, anchor=anchor, connect=gated_connect(gate if held == "commit" else Gate())
    )
    called: list[Place] = []
    journal.on_told(lambda placed, place: called.append(place))
    gate.armed = True
    future = journal.append(site.draft())
    assert await asyncio.to_thread(gate.reached.wait, WAIT_S)
    await asyncio.sleep(0)  # what was posted to the loop before the gate runs in this turn
    await asyncio.sleep(0)
    early = future.done() or bool(called) or journal.told.seq > 1
    gate.armed = False
    gate.opened.set()
    assert (await asyncio.wait_for(future, WAIT_S)).place == journal.told == called[0]
    await journal.close()
    return early


@pytest.mark.parametrize("held", ["commit", "anchor"])
async def test_nothing_is_told_before_commit_and_anchor(site: Site, held: str) -> None:
    assert not await told_while_held(site, Journal, held)


@pytest.mark.parametrize(
    ("planted", "held"),
    [(TellsBeforeCommit, "commit"), (TellsBeforeCommit, "anchor"), (TellsBeforeAnchor, "anchor")],
)
async def test_a_planted_journal_that_tells_early_is_caught(
    site: Site, planted: type[Journal], held: str
) -> None:
    assert await told_while_held(site, planted, held)


ACTS = st.lists(
    st.sampled_from(["append", "append", "append", "read", "cursor", "snapshot", "begin", "wait"]),
    max_size=40,
)


@settings(max_examples=25, deadline=None)
@given(acts=ACTS)
def test_call_order_is_log_order_whatever_is_queued_between(acts: Sequence[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_act(Site.make(Path(folder)), acts))


async def _act(site: Site, acts: Sequence[str]) -> None:
    told: list[Placed] = []
    batches: list[Place] = []

    def take(placed: Sequence[Placed], place: Place) -> None:
        told.extend(placed)
        batches.append(place)

    journal = site.open()
    journal.on_told(take)
    drafts: list[Draft] = []
    futures: list[asyncio.Future[Placed]] = []
    epochs = [journal.epoch]
    last_epoch_of: list[str] = []
    snapshot_at: int | None = None
    for act in acts:
        if act == "append":
            draft = site.draft()
            drafts.append(draft)
            futures.append(journal.append(draft))
            last_epoch_of.append(journal.epoch)
        elif act == "read":
            journal.note_read(
                device="s1",
                door="d1",
                at=site.time.clocks().utc(),
                code="1",
                raw=b"1",
                verdict="STOP",
                entry_id=None,
            )
        elif act == "cursor":
            journal.set_cursor("center", journal.told)
        elif act == "snapshot":
            journal.put_snapshot(b"state")
            snapshot_at = len(futures) + len(epochs)  # the Begins stand before
        elif act == "begin":
            journal = await site.begin_anew(journal)
            journal.on_told(take)
            epochs.append(journal.epoch)
            batches.clear()
        elif futures:
            await asyncio.wait_for(futures[-1], WAIT_S)
    placed = await asyncio.wait_for(asyncio.gather(*futures), WAIT_S)
    await journal.close()
    assert list(placed) == told
    assert [item.entry_id for item in told] == [draft.entry_id for draft in drafts]
    assert [item.place.epoch for item in told] == last_epoch_of
    assert all(record_hash(item.record) == item.place.hash for item in told)
    with JournalReader(site.store) as reader:
        assert reader.epochs() == epochs
        assert [reader.entry(item.entry_id) for item in told] == [item.record for item in told]
        assert reader.head(journal.epoch) == journal.told == (batches[-1] if batches else journal.told)
        assert len(reader.reads(0, 100)) == list(acts).count("read")
        if snapshot_at is not None:
            stored = reader.snapshot()
            assert stored is not None
            position = reader.position(stored[0].epoch, stored[0].seq)
            assert position == snapshot_at
    verified = verify_store(site.store)
    assert verified.finding is None
    assert verified.entries == len(told) + len(epochs)


async def test_what_waits_goes_into_one_transaction(site: Site) -> None:
    gate = Gate()
    journal = site.open(connect=gated_connect(gate))
    sizes: list[int] = []
    journal.on_told(lambda placed, place: sizes.append(len(placed)))
    gate.armed = True
    first = journal.append(site.draft())
    assert await asyncio.to_thread(gate.reached.wait, WAIT_S)
    rest = [journal.append(site.draft()) for _ in range(120)]
    gate.opened.set()
    await asyncio.wait_for(asyncio.gather(first, *rest), WAIT_S)
    await journal.close()
    assert sizes[1:] == [120]
    counters = journal.counters()
    assert (counters.entries, counters.batch_items_max, counters.queued) == (121, 120, 0)


async def test_a_batch_is_bounded_by_items_and_bytes(site: Site) -> None:
    gate = Gate()
    journal = site.open(connect=gated_connect(gate))
    sizes: list[int] = []
    journal.on_told(lambda placed, place: sizes.append(len(placed)))
    gate.armed = True
    futures = [journal.append(site.draft())]
    assert await asyncio.to_thread(gate.reached.wait, WAIT_S)
    futures += [journal.append(site.draft()) for _ in range(600)]
    futures += [journal.append(site.draft("x" * (BODY_BYTES_MAX - 200))) for _ in range(20)]
    gate.opened.set()
    await asyncio.wait_for(asyncio.gather(*futures), WAIT_S)
    await journal.close()
    assert sizes[1] == 500
    assert sizes[2] < 120


async def test_a_body_too_large_is_refused_alone(site: Site) -> None:
    journal = site.open()
    with pytest.raises(EntryError, match="split"):
        journal.append(site.draft("x" * BODY_BYTES_MAX))
    assert (await journal.append(site.draft())).place.seq == 2
    await journal.close()


async def test_an_entry_of_full_size_can_be_told_again_in_another_epoch(site: Site) -> None:
    journal = site.open()
    frame = len(site.draft("").body)
    largest = await journal.append(site.draft("x" * (BODY_BYTES_MAX - frame)))
    again = Adopt(msgspec.Raw(largest.record))
    assert len(body_bytes(again)) > BODY_BYTES_MAX, "it is the longest there can be"
    clocks = site.time.clocks()
    when = clocks.utc()
    draft = Draft(clocks.entry_id(), "adopt", schema_of("adopt"), when, clocks.stamp(), body_bytes(again))
    assert (await journal.append(draft)).place.seq == 3
    await journal.close()
    assert verify_store(site.store).finding is None


async def test_too_much_waiting_is_refused(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.journal.QUEUE_ITEMS_MAX", 3)
    gate = Gate()
    journal = site.open(connect=gated_connect(gate))
    gate.armed = True
    futures = [journal.append(site.draft())]
    assert await asyncio.to_thread(gate.reached.wait, WAIT_S)
    futures += [journal.append(site.draft()) for _ in range(3)]
    with pytest.raises(Backlogged):
        journal.append(site.draft())
    gate.opened.set()
    await asyncio.wait_for(asyncio.gather(*futures), WAIT_S)
    await journal.close()


async def test_a_closed_journal_takes_nothing(site: Site) -> None:
    journal = site.open()
    last = journal.append(site.draft())
    await journal.close()
    assert last.done()
    assert last.result().place.seq == 2
    with pytest.raises(JournalClosed):
        journal.append(site.draft())
    await journal.close()


async def test_a_head_is_signed_once_a_second_while_there_is_news_and_at_close(site: Site) -> None:
    journal = site.open()
    heads: list[Head] = []
    journal.on_head(heads.append)
    await journal.append(site.draft())
    await journal.append(site.draft())
    assert heads == []
    site.time.ns += 1_000_000_000
    await journal.append(site.draft())
    await journal.append(site.draft())
    await journal.close()
    assert [head.seq for head in heads] == [4, 5]
    for head in heads:
        check_head(journal.signer.public, head)
    assert journal.head() == heads[-1]
    with JournalReader(site.store) as reader:
        assert [head.seq for _, head in reader.signed_heads(0, 10)] == [1, 4, 5]


async def test_an_idle_journal_signs_its_news_and_shows_that_it_lives(site: Site) -> None:
    journal = site.open()
    signed: asyncio.Future[Head] = asyncio.get_running_loop().create_future()
    journal.on_head(signed.set_result)
    await journal.append(site.draft())
    site.time.ns += 1_500_000_000
    assert (await asyncio.wait_for(signed, WAIT_S)).seq == 2
    assert journal.heartbeat_ns <= site.time.ns
    await journal.close()
    assert journal.heartbeat_ns == site.time.ns


@pytest.mark.parametrize("statement", ["BEGIN", "INSERT INTO entry", "COMMIT"])
async def test_after_a_failed_write_nothing_is_told_and_the_next_opening_goes_on(
    site: Site, statement: str
) -> None:
    journal = site.open(connect=connect_failing)
    told: list[Placed] = []
    journal.on_told(lambda placed, place: told.extend(placed))
    good = await journal.append(site.draft())
    connection = journal._writer.connection
    assert isinstance(connection, FailingConnection)
    connection.fails = statement
    futures = [journal.append(site.draft()) for _ in range(3)]
    error = await asyncio.wait_for(journal.failed, WAIT_S)
    assert isinstance(error, JournalFailed)
    late = journal.append(site.draft())
    journal.set_cursor("center", good.place)
    for future in [*futures, late]:
        with pytest.raises(JournalFailed):
            await asyncio.wait_for(future, WAIT_S)
    await journal.close()
    assert told == [good]
    again = site.open()
    assert again.begun is None
    assert again.told == good.place
    assert (await again.append(site.draft())).place.seq == 3
    await again.close()
    assert verify_store(site.store).finding is None


async def test_an_anchor_that_fails_stops_telling_and_what_was_committed_is_kept(site: Site) -> None:
    anchor = FailingAnchor(site.anchor)
    journal = site.open(anchor=anchor)
    anchor.broken = True
    future = journal.append(site.draft())
    assert isinstance(await asyncio.wait_for(journal.failed, WAIT_S), JournalFailed)
    with pytest.raises(JournalFailed):
        await future
    assert journal.told.seq == 1
    await journal.close()
    again = site.open()
    assert (again.begun, again.told.seq, again.epoch) == (None, 2, journal.epoch)
    await again.close()


async def test_sqlites_own_word_for_a_full_disk_is_told_as_such(site: Site) -> None:
    journal = site.open(connect=connect_failing)
    connection = journal._writer.connection
    assert isinstance(connection, FailingConnection)
    connection.error = full_disk()
    connection.fails = "COMMIT"
    future = journal.append(site.draft())
    with pytest.raises(DiskFull, match="free some room"):
        await asyncio.wait_for(future, WAIT_S)
    assert isinstance(await journal.failed, DiskFull)
    await journal.close()


async def test_a_waiter_that_gave_up_disturbs_nobody(site: Site) -> None:
    journal = site.open()
    given_up = journal.append(site.draft())
    given_up.cancel()
    assert (await journal.append(site.draft())).place.seq == 3
    await journal.close()


async def test_raw_bytes_of_a_scan_are_bounded_and_their_number_kept(site: Site) -> None:
    journal = site.open()
    journal.note_read(
        device="s1",
        door="d1",
        at=site.time.clocks().utc(),
        code="<?>",
        raw=b"\x00" * 40_000,
        verdict="HOLD",
        entry_id="x",
    )
    await journal.close()
    with JournalReader(site.store) as reader:
        rows = reader._all("SELECT code, length(raw), raw_bytes, entry_id FROM read_evidence")
    assert rows == [("<?>", 16 * 1024, 40_000, "x")]


async def test_a_passage_is_kept_with_what_it_was_judged_from(site: Site) -> None:
    journal = site.open()
    told = await journal.append(site.draft())
    journal.note_passage(site.passage(b"heard", told.entry_id))
    journal.note_passage(site.passage(bytes(EVIDENCE_BYTES_MAX + 1)))
    await journal.close()
    with JournalReader(site.store) as reader:
        first, second = reader.passages(0, 10, None, None)
        assert (first.passage, first.door, first.evidence) == ("d1-1", "d1", b"heard")
        assert reader.passages(0, 10, "d2", None) == []
        assert reader.passage("d1-1", "e" * 64) == first
        assert reader.passage("d1-1", "f" * 64) is None
        assert second.evidence is None, "what is too large is known by its name and size"
        assert reader._all("SELECT evidence_bytes FROM passage_evidence")[1] == (EVIDENCE_BYTES_MAX + 1,)
    assert verify_store(site.store).finding is None


async def test_a_passage_under_way_is_kept_until_it_is_judged(site: Site) -> None:
    at = site.time.clocks().utc()
    journal = site.open()
    for name in ("d1-1", "d1-2", "d1-3"):
        journal.note_underway(UnderwayNote(name, "d1", at))
        for _ in range(2):  # said again after a journal that failed
            journal.note_underway(UnderwayNote(name, "d1", at, b"tag", 0x3000))
    journal.note_passage(site.passage())
    journal.note_over("d1-2")
    await journal.close()
    with JournalReader(site.store) as reader:
        assert reader.underway() == [
            UnderwayRow("d1-3", "d1", utc_text(at), b"", None),
            UnderwayRow("d1-3", "d1", utc_text(at), b"tag", 0x3000),
        ]
    assert verify_store(site.store).finding is None


async def test_what_is_queued_together_is_one_transaction(site: Site) -> None:
    journal = site.open()
    with contextlib.suppress(RuntimeError), journal.together():
        told = [journal.append(site.draft()) for _ in range(1_000)]
        journal.note_passage(site.passage())
        with journal.together():
            told.append(journal.append(site.draft()))
        assert journal.counters().queued == 0
        raise RuntimeError("what was queued by then is written all the same")
    await asyncio.gather(*told)
    assert journal.counters().batch_items_last == 1_002
    await journal.close()


async def test_a_passage_that_names_a_foreign_entry_is_found(site: Site) -> None:
    journal = site.open()
    journal.note_passage(site.passage(b"heard", "no-such-entry"))
    await journal.close()
    finding = verify_store(site.store).finding
    assert finding is not None
    assert finding.problem == "evidence"
    assert "passage 1 names the entry no-such-entry" in finding.sentence


def test_a_loop_that_vanishes_ends_the_writing_thread(site: Site) -> None:
    async def abandon() -> Journal:
        journal = site.open()
        journal.append(site.draft())
        return journal

    journal = asyncio.run(abandon())
    journal._thread.join(WAIT_S)
    assert not journal._thread.is_alive()
    assert verify_store(site.store).entries == 2


async def test_the_writers_own_connection_flushes_every_commit_to_the_medium(site: Site) -> None:
    """Asked of that very connection, for the setting stands in no file; one that comes laxer is corrected."""
    made: list[sqlite3.Connection] = []

    def lax(path: Path) -> sqlite3.Connection:
        connection = connect_writer(path)
        connection.execute("PRAGMA journal_mode = WAL").fetchall()
        connection.execute("PRAGMA synchronous = NORMAL").fetchall()
        assert how_it_writes(connection) == ("wal", NORMAL), "the control: the question tells a laxer one"
        made.append(connection)
        return connection

    for _ in range(2):  # a store that is made, and one that is there
        journal = site.open(connect=lax)
        assert how_it_writes(made[-1]) == ("wal", FULL)
        await journal.append(site.draft())
        assert how_it_writes(made[-1]) == ("wal", FULL)
        await journal.close()


NORMAL, FULL = 1, 2


def how_it_writes(connection: sqlite3.Connection) -> tuple[str, int]:
    mode, level = (
        connection.execute(f"PRAGMA {ask}").fetchone()[0] for ask in ("journal_mode", "synchronous")
    )
    return mode, level
