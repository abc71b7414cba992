# SPDX-License-Identifier: Apache-2.0
"""Pruning takes what may go and nothing else: the chain goes on from its base, and whoever asks for what is
gone is told so."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

import edge.prune
from edge.errors import JournalFailed, StoreError
from edge.journal import Journal, Placed
from edge.prune import prunable
from edge.service import prune
from edge.store import JOURNAL_FILE, JournalReader
from sync.bodies import DOOR_EVENTS
from sync.entry import Place, read_record
from tests.edge.journals import START, FailingConnection, Site, connect_failing
from zonegate.verify import verify_store

DAY_NS = 86_400 * 10**9


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site.make(tmp_path / "first")


def note_scan(site: Site, journal: Journal) -> None:
    at = site.time.clocks().utc()
    journal.note_read(device="s1", door="d1", at=at, code="1", raw=b"1", verdict="STOP", entry_id=None)
    journal.note_passage(site.passage())


async def lived(site: Site, days: int = 10, **changed: object) -> tuple[Journal, list[Placed]]:
    """An open journal with an entry, a scan and a signed head for each day, all of them in its snapshot."""
    journal = site.open(**changed)
    placed = []
    for _ in range(days):
        site.time.ns += DAY_NS
        note_scan(site, journal)
        placed.append(await journal.append(site.draft()))
    journal.put_snapshot(b"state")
    await journal.append(site.draft("newest"))
    return journal, placed


async def test_what_was_pruned_is_gone_and_the_chain_goes_on_from_its_base(site: Site) -> None:
    journal, placed = await lived(site)
    base = placed[5].place
    done = await journal.prune(base)
    assert (done.base, done.entries, done.reads, done.passages) == (base, base.seq - 1, 6, 6)
    assert done.heads > 0
    after = await journal.append(site.draft())
    await journal.close()
    with JournalReader(site.store) as reader:
        assert reader.base(base.epoch) == base
        assert reader.bases() == [base]
        assert reader.record_at(base.epoch, 1) is not None, "the Begin stays, with its key"
        assert reader.record_at(base.epoch, base.seq) is None
        assert reader.hash_at(base.epoch, base.seq) == base.hash
        assert reader.hash_at(base.epoch, base.seq - 1) is None
        assert reader.head(base.epoch) == after.place
        first = read_record(reader.after(base.epoch, base.seq, 1, 1)[0])
        assert (first.seq, first.prev) == (base.seq + 1, base.hash)
        for seq in (0, base.seq - 1):
            with pytest.raises(StoreError, match="were pruned"):
                reader.after(base.epoch, seq, 1, 1)
        assert reader.start() == base.seq
        assert [reader.position(base.epoch, seq) for seq in (1, 3, base.seq, base.seq + 1)] == [
            *[base.seq] * 3,
            base.seq + 1,
        ]
        assert reader.page(reader.start(), 1) == [(base.seq + 1, placed[6].record)]
        with pytest.raises(StoreError, match="were pruned"):
            reader.page(base.seq - 1, 10)
        assert len(reader.reads(0, 100)) == 4
        assert len(reader.passages(0, 100, None, None)) == 4
        assert reader.entries() == after.place.seq
    again = site.open()
    assert (again.begun, again.told) == (None, after.place)
    await again.close()


async def test_door_counts_do_not_change_by_pruning(site: Site) -> None:
    journal, placed = await lived(site)
    last = placed[-1].place

    def count() -> int:
        with JournalReader(site.store) as reader:
            return reader.door_count(last.epoch, "d1", last.seq, DOOR_EVENTS)

    assert count() == 10
    for number in (3, 5):
        await journal.prune(placed[number].place)
        assert count() == 10
    await journal.close()


async def test_verify_starts_at_the_base_and_says_so(site: Site) -> None:
    journal, placed = await lived(site)
    base = placed[5].place
    early = journal.signer.head(placed[2].place)
    await journal.prune(base)
    head = journal.head()
    await journal.close()
    verified = verify_store(site.store, head=head, key=journal.signer.public)
    assert (verified.finding, verified.end) == (None, head.place)
    assert verified.pruned == (
        f"entries 2 to {base.seq} of epoch {base.epoch}, the last one with the hash {base.hash}",
    )
    finding = verify_store(site.store, head=early).finding
    assert finding is not None
    assert (finding.problem, finding.seq) == ("pruned", placed[2].place.seq)
    finding = verify_store(site.store, head=journal.signer.head(base)).finding
    assert finding is None


@pytest.mark.parametrize(
    ("forgery", "problem"),
    [
        ("UPDATE pruned SET hash = '" + "0" * 64 + "'", "changed"),
        ("UPDATE pruned SET seq = seq + 1", "changed"),
        ("DELETE FROM entry WHERE seq = (SELECT seq + 1 FROM pruned)", "missing"),
    ],
)
async def test_a_base_that_does_not_fit_is_found(site: Site, forgery: str, problem: str) -> None:
    journal, placed = await lived(site)
    await journal.prune(placed[5].place)
    await journal.close()
    connection = sqlite3.connect(site.store / JOURNAL_FILE, isolation_level=None)
    connection.execute("DROP TRIGGER entry_no_delete")
    connection.execute(forgery)
    connection.close()
    finding = verify_store(site.store).finding
    assert finding is not None
    assert finding.problem == problem


async def test_only_what_a_base_covers_can_be_deleted(site: Site) -> None:
    journal, placed = await lived(site)
    base = placed[5].place
    await journal.prune(base)
    await journal.close()
    connection = sqlite3.connect(site.store / JOURNAL_FILE, isolation_level=None)
    for act in (
        f"DELETE FROM entry WHERE seq = {base.seq + 1}",
        "DELETE FROM entry WHERE seq = 1",
        f"DELETE FROM signed_head WHERE seq >= {base.seq}",
        "DELETE FROM pruned",
    ):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            connection.execute(act)
    with pytest.raises(sqlite3.IntegrityError, match="only grows"):
        connection.execute("UPDATE pruned SET seq = seq - 1")
    connection.close()


def other_hash(placed: list[Placed], journal: Journal) -> Place:
    return msgspec.structs.replace(placed[2].place, hash="0" * 64)


def behind_the_snapshot(placed: list[Placed], journal: Journal) -> Place:
    return journal.told


def of_nobody(placed: list[Placed], journal: Journal) -> Place:
    return Place("f" * 32, 2, "0" * 64)


@pytest.mark.parametrize(
    ("wanted", "why"),
    [
        (other_hash, "does not stand in this journal"),
        (of_nobody, "does not stand in this journal"),
        (behind_the_snapshot, "newer than the snapshot"),
    ],
)
async def test_what_may_not_go_stays_and_the_journal_goes_on(
    site: Site, wanted: Callable[[list[Placed], Journal], Place], why: str
) -> None:
    journal, placed = await lived(site)
    with pytest.raises(StoreError, match=why):
        await journal.prune(wanted(placed, journal))
    await journal.append(site.draft())
    await journal.close()
    with JournalReader(site.store) as reader:
        assert (reader.bases(), reader.start()) == ([], 0)
        assert len(reader.reads(0, 100)) == 10


async def test_the_newest_entry_stays(site: Site) -> None:
    journal, placed = await lived(site)
    journal.put_snapshot(b"state")
    with pytest.raises(StoreError, match="is the newest"):
        await journal.prune(journal.told)
    done = await journal.prune(placed[-1].place)
    assert done.base == placed[-1].place
    await journal.close()


async def test_an_epoch_that_ended_can_go_wholly_but_for_its_begin(site: Site) -> None:
    first, placed = await lived(site)
    second = await site.begin_anew(first)
    await second.append(site.draft())
    second.put_snapshot(b"state")
    await second.append(site.draft())
    last = first.told
    await second.prune(placed[1].place)
    done = await second.prune(last)
    assert done.entries == last.seq - placed[1].place.seq
    await second.close()
    with JournalReader(site.store) as reader:
        assert reader.head(first.epoch) == last
        assert reader.after(first.epoch, last.seq, 10, 1000) == []
    assert verify_store(site.store).finding is None
    again = site.open()
    assert again.begun is None
    await again.close()


async def test_a_lot_goes_in_slices_between_what_others_wait_for(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edge.prune, "PRUNE_ENTRIES_MAX", 4)
    journal, placed = await lived(site)
    epoch = journal.epoch
    first = await journal.prune(placed[-1].place)
    assert (first.base.seq, first.entries) == (5, 4)
    now = site.time.clocks().utc() + timedelta(days=30)
    releasable = {epoch: placed[-1].place}
    waiting = journal.append(site.draft())
    await prune(journal, site.store, releasable, now, 20, [])
    assert waiting.done()
    with JournalReader(site.store) as reader:
        assert reader.base(epoch) == placed[-1].place
    done = await journal.prune(placed[0].place)
    assert (done.base, done.entries) == (placed[-1].place, 0)
    await journal.close()
    assert verify_store(site.store).finding is None


async def test_a_crash_while_pruning_leaves_all_or_nothing(site: Site) -> None:
    connections: list[FailingConnection] = []

    def connect(path: Path) -> FailingConnection:
        connections.append(connect_failing(path))
        return connections[-1]

    journal, placed = await lived(site, connect=connect)
    connections[-1].fails = "COMMIT"
    with pytest.raises(JournalFailed):
        await journal.prune(placed[5].place)
    await journal.close()
    with JournalReader(site.store) as reader:
        assert reader.bases() == []
        assert reader.record_at(journal.epoch, 3) is not None
    verified = verify_store(site.store)
    assert (verified.finding, verified.pruned) == (None, ())


async def test_only_what_is_releasable_old_folded_and_taken_by_all_is_chosen(site: Site) -> None:
    journal, placed = await lived(site)
    epoch, last = journal.epoch, placed[-1].place
    places = [item.place for item in placed]

    def chosen(releasable: Place, days: int, sinks: tuple[str, ...] = ()) -> list[Place]:
        now = START + timedelta(days=12)
        with JournalReader(site.store) as reader:
            return prunable({epoch: releasable}, reader, now, days, sinks)

    assert chosen(last, 0) == []
    assert chosen(last, 1) == [last]
    assert chosen(journal.told, 1) == [last], "what the snapshot does not hold stays"
    assert chosen(places[3], 1) == [places[3]], "what is not releasable stays"
    assert chosen(last, 5) == [places[5]], "what is younger stays"
    assert chosen(last, 100) == []
    assert chosen(last, 1, ("mqtt",)) == [], "what a sink has not taken stays"
    journal.set_cursor("mqtt", places[4])
    await journal.append(site.draft())
    assert chosen(last, 1, ("mqtt",)) == [places[4]]
    await journal.prune(places[4])
    assert chosen(last, 1, ("mqtt",)) == []
    assert chosen(last, 5) == [places[5]]
    with JournalReader(site.store) as reader:
        assert prunable({}, reader, START, 1) == []
    await journal.close()


async def test_an_entry_that_cannot_be_read_ends_the_pruning_with_a_sentence(site: Site) -> None:
    """Else the service, which prunes beside its doors, would end by it."""
    journal, placed = await lived(site)
    await journal.close()
    connection = sqlite3.connect(site.store / JOURNAL_FILE, isolation_level=None)
    connection.execute("DROP TRIGGER entry_no_update")
    connection.execute("UPDATE entry SET record = CAST('{}' AS BLOB) WHERE seq > 1")
    connection.close()
    now = START + timedelta(days=12)
    with JournalReader(site.store) as reader, pytest.raises(StoreError, match="cannot be read"):
        prunable({journal.epoch: placed[-1].place}, reader, now, 1)


async def test_a_journal_of_the_version_before_is_read_as_it_is_and_migrated_by_its_writer(
    site: Site,
) -> None:
    places = await site.grow(3)
    connection = sqlite3.connect(site.store / JOURNAL_FILE, isolation_level=None)
    for name in ("entry_no_delete", "signed_head_no_delete", "pruned_no_delete", "pruned_only_grows"):
        connection.execute(f"DROP TRIGGER {name}")
    for table in ("entry", "signed_head"):
        connection.execute(
            f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table}"
            f" BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        )
    for table in ("pruned", "pruned_count", "passage_evidence"):
        connection.execute(f"DROP TABLE {table}")
    connection.execute("DELETE FROM _sqlite_migrations WHERE name IN ('m002_pruned', 'm003_passages')")
    connection.execute("PRAGMA user_version = 1")
    connection.close()
    with JournalReader(site.store) as reader:
        assert reader.head(places[0].epoch) == places[-1]
        assert (reader.bases(), reader.door_count(places[0].epoch, "d1", 9, DOOR_EVENTS)) == ([], 3)
    assert verify_store(site.store).finding is None
    journal, placed = await lived(site)
    assert journal.begun is None
    await journal.prune(placed[0].place)
    await journal.close()
    assert verify_store(site.store).finding is None


async def test_a_journal_from_before_there_were_gates_is_read_as_it_is_and_migrated_by_its_writer(
    site: Site,
) -> None:
    await site.grow(3)
    connection = sqlite3.connect(site.store / JOURNAL_FILE, isolation_level=None)
    connection.execute("DROP TABLE passage_evidence")
    connection.execute("DELETE FROM _sqlite_migrations WHERE name = 'm003_passages'")
    connection.execute("PRAGMA user_version = 2")
    connection.close()
    with JournalReader(site.store) as reader:
        assert reader.passages(0, 10, None, None) == []
        assert (reader.passage("d1-1", "e" * 64), reader.stray_passage()) == (None, None)
    assert verify_store(site.store).finding is None
    journal = site.open()
    journal.note_passage(site.passage())
    await journal.close()
    with JournalReader(site.store) as reader:
        assert len(reader.passages(0, 10, None, None)) == 1
    assert verify_store(site.store).finding is None


async def test_pruning_waits_for_nobody_when_the_journal_is_closed(site: Site) -> None:
    journal, placed = await lived(site)
    pending = journal.prune(placed[3].place)
    await journal.close()
    assert (await asyncio.wait_for(pending, 20)).base == placed[3].place
