# SPDX-License-Identifier: Apache-2.0
"""Whatever is changed in a journal is found, with the entry and the promise named; a whole one is whole.

Every value of every kind of entry is changed in three ways: past the triggers, with a hash that fits, and
with all later hashes computed anew.
"""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from central.web.logs import StoredEpoch, StoredLog, StoredPlace
from edge.books import NodeBooks
from edge.store import JOURNAL_FILE, JournalReader
from sync.bodies import Begin, read_body
from sync.entry import read_record, record_hash
from sync.keys import Signer
from tests.edge.journals import START, Site
from tests.edge.yard import UNDO, UNKNOWN, Papers, Yard, label, pallet
from tests.faults.tampering import ORDER, Path_, Store, all_kinds, changed, frame_fields, leaves, written
from zonegate.centerlogs import CenterLogs
from zonegate.findings import Finding
from zonegate.verify import Verified, Witnesses, verify_lines, verify_store
from zonegate.witnesses import Witness, anchor_seen

KINDS = ORDER
PLAIN = 12
"""Entries of the journal of one epoch."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A journal that nobody has touched."""
    return asyncio.run(all_kinds(tmp_path_factory.mktemp("whole")))


@pytest.fixture
def site(whole: Site, tmp_path: Path) -> Site:
    return whole.copy(tmp_path / "copy")


@pytest.fixture
def plain(tmp_path: Path) -> Site:
    """A journal of one epoch."""
    site = Site.make(tmp_path / "plain")
    asyncio.run(site.grow(PLAIN - 1))
    return site


class Remembered(CenterLogs):
    """A center that has stored what a journal held before it was tampered with; no network."""

    def __init__(self, store: Path) -> None:
        with JournalReader(store) as reader:
            kept = [record for _, record in reader.page(0, 1000)]
        entries = map(read_record, kept)
        self._records = {
            (entry.epoch, entry.seq): record for entry, record in zip(entries, kept, strict=True)
        }
        self.asked = 0

    def log(self, node: str) -> StoredLog | None:
        epochs = {}
        for (epoch, seq), record in self._records.items():
            begin = read_body(read_record(self._records[epoch, 1]))
            assert isinstance(begin, Begin)
            epochs[epoch] = StoredEpoch(epoch, seq, record_hash(record), begin.key, False, begin.parent)
        return StoredLog(node, tuple(epochs.values()))

    def place(self, node: str, epoch: str, seq: int) -> StoredPlace | None:
        self.asked += 1
        record = self._records.get((epoch, seq))
        if record is None:
            return None
        entry_id = read_record(record).entry_id
        return StoredPlace(node, epoch, seq, record_hash(record), entry_id, START, record)


def records(site: Site) -> list[bytes]:
    with JournalReader(site.store) as reader:
        return [record for _, record in reader.page(0, 1000)]


def cases(record: bytes) -> Iterator[Path_]:
    """Every value of a record."""
    yield from leaves(json.loads(record))


WAYS: dict[str, Callable[[Store, int, bytes], None]] = {
    "past the triggers": Store.put,
    "with a hash that fits": Store.put_fitting,
    "chained anew": Store.chain_anew,
}


def missed(site: Site, way: str, kind: str, center: CenterLogs | None = None) -> list[str]:
    """Which values of an entry can be changed without verify naming that entry and promise 5."""
    position = KINDS.index(kind) + 1
    original = records(site)[position - 1]
    unfound = []
    exactly = center is not None
    victim = site.copy(site.store.parent / "victim")
    for path in cases(original):
        if path == ("prev",) and way == "chained anew":
            continue  # it is computed anew there
        shutil.copyfile(site.store / JOURNAL_FILE, victim.store / JOURNAL_FILE)
        with Store(victim.store) as store:
            WAYS[way](store, position, changed(original, path))
            if exactly:
                store.drop_heads()
        finding = verify_store(victim.store, center=center).finding
        if finding is None or finding.promise != 5 or not names(finding, position, exactly=exactly):
            unfound.append(f"{'.'.join(map(str, path))}: {finding}")
    shutil.rmtree(victim.store.parent)
    return unfound


def names(finding: Finding, seq: int, *, exactly: bool = False) -> bool:
    """Whether a finding says that this entry was changed, alone or, by a head's word, among others."""
    if exactly or finding.problem != "head":
        return finding.seq == seq and finding.last in (None, seq)
    return finding.seq is not None and finding.last is not None and finding.seq <= seq <= finding.last


def test_the_matrix_has_every_field_of_an_entry_and_every_kind(whole: Site) -> None:
    kept = records(whole)
    assert [read_record(record).type for record in kept[: len(KINDS)]] == list(KINDS)
    for record in kept:
        assert {path[0] for path in cases(record)} == frame_fields()


def test_an_untouched_journal_is_whole(whole: Site) -> None:
    seen = anchor_seen(whole.anchor)
    verified = verify_store(whole.store, center=Remembered(whole.store), witnesses=Witnesses(anchor=seen))
    assert verified.finding is None
    assert verified.notes == ()
    assert verified.entries == len(KINDS) + 3


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("way", WAYS)
def test_every_value_of_every_kind_that_is_changed_is_found(site: Site, way: str, kind: str) -> None:
    assert missed(site, way, kind) == []


@pytest.mark.parametrize("kind", KINDS)
def test_with_the_center_the_very_entry_is_named_where_all_heads_were_removed(site: Site, kind: str) -> None:
    assert missed(site, "chained anew", kind, Remembered(site.store)) == []


def test_a_verifier_that_skips_the_door_is_caught(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control of the matrix: a planted bug that leaves one field out of the hash."""

    def without_door(record: bytes) -> str:
        door = b'"door":'
        if door not in record:
            return record_hash(record)
        before, _, rest = record.partition(door)
        return known.get(before + rest.partition(b",")[2], record_hash(record))

    known = {}
    for record in records(site):
        before, _, rest = record.partition(b'"door":')
        known[before + rest.partition(b",")[2]] = record_hash(record)
    monkeypatch.setattr("zonegate.chainwalk.record_hash", without_door)
    unfound = missed(site, "past the triggers", "hold")
    assert [case.partition(":")[0] for case in unfound] == ["door"]


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_single_bit_that_flips_in_any_record_is_found(whole: Site, data: st.DataObject) -> None:
    kept = records(whole)
    seq = data.draw(st.integers(1, len(kept)))
    bit = data.draw(st.integers(0, len(kept[seq - 1]) * 8 - 1))
    victim = whole.copy(whole.store.parent / "flipped")
    try:
        file = victim.store / JOURNAL_FILE
        image = bytearray(file.read_bytes())
        at = image.index(kept[seq - 1])
        image[at + bit // 8] ^= 1 << bit % 8
        file.write_bytes(image)
        finding = verify_store(victim.store).finding
        assert finding is not None
        entry = read_record(kept[seq - 1])
        assert (finding.epoch, finding.seq, finding.promise) == (entry.epoch, entry.seq, 5)
        lines = [*kept[: seq - 1], bytes(image[at : at + len(kept[seq - 1])]), *kept[seq:]]
        assert verify_lines(lines, witnesses=Witnesses((end_of(whole),))).finding is not None
    finally:
        shutil.rmtree(victim.store.parent)


def end_of(site: Site) -> Witness:
    """The journal's end, as a witness keeps it."""
    with JournalReader(site.store) as reader:
        place = reader.head(reader.epochs()[-1])
    assert place is not None
    return Witness("the head", place)


def both(site: Site, center: CenterLogs) -> tuple[Verified, Verified]:
    """Verified with the anchor, and with the center."""
    known = Witnesses(anchor=anchor_seen(site.anchor))
    return verify_store(site.store, witnesses=known), verify_store(site.store, center=center)


def test_a_cut_tail_needs_a_witness_and_is_counted(plain: Site) -> None:
    center = Remembered(plain.store)
    with Store(plain.store) as store:
        store.sql.execute("DELETE FROM entry WHERE seq > 9")
        store.drop_heads()
    alone = verify_store(plain.store)
    assert alone.finding is None
    assert any("cannot be seen whether the end was cut off" in note for note in alone.notes)
    assert any("no signed head vouches for entries 2 to 9" in note for note in alone.notes)
    for verified in both(plain, center):
        assert verified.finding is not None
        assert (verified.finding.problem, verified.finding.promise, verified.finding.seq) == ("tail", 3, 10)
        assert f"{PLAIN - 9} entries are missing" in verified.finding.sentence


def test_a_log_chained_anew_and_signed_with_another_key_is_found(plain: Site) -> None:
    center = Remembered(plain.store)
    thief = Signer(bytes(32))
    begin = records(plain)[0]
    told = json.loads(begin)
    told["body"]["key"] = thief.public
    with Store(plain.store) as store:
        store.chain_anew(1, written(told))
        store.sign_anew(thief)
    assert verify_store(plain.store).finding is None, "by itself it is a whole journal of somebody else"
    anchored, compared = both(plain, center)
    assert anchored.finding is not None
    assert anchored.finding.problem == "head"
    assert compared.finding is not None
    assert (compared.finding.problem, compared.finding.promise, compared.finding.seq) == ("key", 5, 1)
    trusted = Signer((plain.anchor / "epoch.key").read_bytes()).public
    keyed = verify_store(plain.store, key=trusted).finding
    assert keyed is not None
    assert (keyed.problem, keyed.seq) == ("key", 1)


def test_a_forged_node_is_found(site: Site, whole: Site, tmp_path: Path) -> None:
    center = Remembered(whole.store)
    forged = Site.make(tmp_path / "forged")
    asyncio.run(forged.grow(3))
    verified = verify_store(forged.store, center=center)
    assert verified.finding is not None
    assert (verified.finding.problem, verified.finding.promise) == ("forged", 5)
    strange = verify_store(forged.store, witnesses=Witnesses(anchor=anchor_seen(site.anchor))).finding
    assert strange is not None
    assert strange.problem == "epochs"
    center.log = lambda node: None  # type: ignore[method-assign]
    unknown = verify_store(forged.store, center=center).finding
    assert unknown is not None
    assert unknown.sentence == "the center knows no node dock-a"


def test_two_writers_of_one_epoch_are_a_fork(tmp_path: Path) -> None:
    site = Site.make(tmp_path / "site")
    asyncio.run(site.grow(4))
    twin = site.copy(tmp_path / "twin")
    asyncio.run(site.grow(2))
    asyncio.run(twin.grow(3))
    finding = verify_store(twin.store, center=Remembered(site.store)).finding
    assert finding is not None
    assert (finding.problem, finding.promise, finding.seq) == ("fork", 4, 6)


def test_an_older_copy_is_found_by_the_epoch_that_follows_it(tmp_path: Path) -> None:
    async def two_epochs(site: Site) -> None:
        journal = site.open()
        await journal.append(site.draft())
        await (await site.begin_anew(journal)).close()

    site = Site.make(tmp_path / "site")
    asyncio.run(site.grow(4))
    older = site.copy(tmp_path / "older")
    asyncio.run(two_epochs(site))
    center = Remembered(site.store)
    assert verify_store(site.store, center=center).finding is None
    finding = verify_store(older.store, center=center).finding
    assert finding is not None
    assert (finding.problem, finding.promise, finding.seq) == ("tail", 3, 6)


def test_the_first_difference_is_found_with_few_questions(tmp_path: Path) -> None:
    site = Site.make(tmp_path / "site")
    asyncio.run(site.grow(300))
    center = Remembered(site.store)
    with Store(site.store) as store:
        record = store.records()[122]
        store.chain_anew(123, record.replace(b'"door":"d1"', b'"door":"d2"'))
        store.drop_heads()
    finding = verify_store(site.store, center=center).finding
    assert finding is not None
    assert (finding.problem, finding.seq) == ("head", 123)
    assert "door: here d2, there d1" in finding.sentence
    assert center.asked < 12


POINTERS = [
    ("a cursor", "INSERT INTO cursor VALUES ('mqtt', 'e', 3, 'h')", "cursor", 3),
    ("a snapshot", "INSERT INTO snapshot VALUES (1, 'e', 3, 'h', x'00')", "snapshot", 4),
    (
        "a raw read",
        "INSERT INTO read_evidence VALUES (1, 's', 'd1', 't', 'c', x'00', 1, 'admitted', 'gone')",
        "evidence",
        1,
    ),
    ("a head of no entry", "UPDATE signed_head SET seq = 99 WHERE seq > 1", "signature", 5),
    ("a position", "UPDATE entry SET position = 999 WHERE seq = (SELECT max(seq) FROM entry)", "order", 5),
]


@pytest.mark.parametrize(
    ("statement", "problem", "promise"), [case[1:] for case in POINTERS], ids=[case[0] for case in POINTERS]
)
def test_what_points_nowhere_is_found(plain: Site, statement: str, problem: str, promise: int) -> None:
    with Store(plain.store) as store:
        store.sql.execute(statement)
    finding = verify_store(plain.store).finding
    assert finding is not None
    assert (finding.problem, finding.promise) == (problem, promise)


async def lived(folder: Path) -> Site:
    """A journal of a dock at work, with the books as it left them at its end."""
    site = Site.make(folder)
    journal = site.open()
    books = NodeBooks()
    books.fold_records(records(site))
    yard = Yard(Papers(), recorder=journal, books=books)
    yard.open("out")
    for number in (1, 2, 4, 5, 1):
        yard.read("out", pallet(number))
    yard.read("in", pallet(UNKNOWN))
    yard.read("out", UNDO)
    yard.read("out", label())
    journal.put_snapshot(yard.dock.books.snapshot())
    await journal.close()
    return site


def kept(store: Store) -> dict[str, Any]:
    state: dict[str, Any] = json.loads(store.sql.execute("SELECT state FROM snapshot").fetchone()[0])
    return state


FORGETS: dict[str, Callable[[dict[str, Any]], object]] = {
    "accounts": lambda state: state["accounts"]["P-OUT/1"].update(used="0"),
    "holds": lambda state: state["holds"].popitem(),
    "holdings": lambda state: state["holdings"].popitem(),
    "departed": lambda state: state["departed"].clear(),
    "cursor": lambda state: state["cursor"].update(seq=1),
    "done": lambda state: state["done"].clear(),
}


@pytest.mark.parametrize("field", FORGETS)
async def test_a_state_that_the_entries_do_not_come_to_is_found(tmp_path: Path, field: str) -> None:
    site = await lived(tmp_path)
    assert verify_store(site.store).finding is None, "the control: as the dock left it"
    last = read_record(records(site)[-1])
    with Store(site.store) as store:
        state = kept(store)
        FORGETS[field](state)
        store.sql.execute("UPDATE snapshot SET state = ?", (json.dumps(state).encode(),))
    finding = verify_store(site.store).finding
    assert finding is not None
    assert (finding.problem, finding.promise) == ("snapshot", 4)
    assert (finding.seq, finding.entry_id) == (last.seq, last.entry_id)
    assert finding.sentence.endswith(f"it differs in {field}")


async def test_a_state_that_this_version_cannot_read_is_said_and_is_no_finding(tmp_path: Path) -> None:
    site = await lived(tmp_path)
    with Store(site.store) as store:
        state = {**kept(store), "version": 999}
        store.sql.execute("UPDATE snapshot SET state = ?", (json.dumps(state).encode(),))
    verified = verify_store(site.store)
    assert verified.finding is None
    assert any("was not compared" in note for note in verified.notes)


def test_a_journal_without_its_triggers_is_found(site: Site) -> None:
    Store(site.store).leave()
    finding = verify_store(site.store).finding
    assert finding is not None
    assert finding.problem == "tables"
    assert "entry_no_update" in finding.sentence
