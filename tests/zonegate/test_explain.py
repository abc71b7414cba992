# SPDX-License-Identifier: Apache-2.0
"""A day on a real journal, judged again: every judgment comes out as it was recorded, and a lie does not."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from edge.anchor import Anchor
from edge.books import NodeBooks
from edge.clock import Clocks
from edge.journal import Identity, Journal
from edge.reads import RULES
from edge.store import JOURNAL_FILE, JournalReader
from sync.bodies import read_body
from sync.entry import Entry, read_record, record_hash
from sync.restraints import HoldLifted
from tests.edge.situations import SUSPENSION, held_back, in_stock
from tests.edge.yard import (
    BRACKET,
    CANCEL,
    CLOSE,
    GONE,
    HELD,
    NOTICED,
    SETTINGS,
    TOOL,
    UNDO,
    UNKNOWN,
    Clockwork,
    Papers,
    Yard,
    label,
    load_number,
    order,
    pallet,
)
from zonegate.cli import main
from zonegate.explain import Explanation, explain

JUDGED = ("admission", "withdrawal", "hold", "stop")


def opened(folder: Path, clockwork: Clockwork) -> tuple[Journal, NodeBooks]:
    (folder / "anchor").mkdir(parents=True, exist_ok=True)
    journal = Journal.open(
        folder / "store",
        Anchor(folder / "anchor"),
        clocks=clockwork.clocks(),
        identity=Identity("example", "zone-999", "dock-1"),
        reserve_bytes=0,
    )
    books = NodeBooks()
    with JournalReader(folder / "store") as reader:
        books.fold_records(record for _, record in reader.page(0, 1000))
    return journal, books


def dock_over(folder: Path, papers: Papers, clockwork: Clockwork | None = None) -> Yard:
    clockwork = clockwork or Clockwork()
    journal, books = opened(folder, clockwork)
    return Yard(papers, recorder=journal, books=books, clockwork=clockwork)


async def a_day(folder: Path) -> Path:
    """Trucks in and out, with every kind of trouble; the store's folder."""
    yard = dock_over(folder, Papers(line=400))
    yard.read("in", load_number("in", 1))  # no job
    yard.read("in", order("OUT-1"))
    yard.read("in", order("NOBODYS"))
    yard.open("in")
    yard.open("out")
    for way in ("in", "out"):
        for code in (b"NOREAD", load_number(way, 1), load_number(way, 1), load_number(way, 2), UNDO):
            yard.read(way, code, no_read=code == b"NOREAD")
        for number in (2, 3, 4, 5, 6, 10):
            yard.read(way, load_number(way, number))
        for number in (HELD, GONE, NOTICED, UNKNOWN):
            yard.read(way, pallet(number))
        for code in (b"]C100095219990000000014", b"<script>", b"7" * 9000, b"=1+1", CANCEL, order("IN-2")):
            yard.read(way, code)
        await with_quantity(yard, way)
    yard.time.synchronized = False
    yard.read("out", pallet(HELD))
    yard.time.synchronized = True
    yard.dock.have = 0
    yard.read("out", pallet(HELD))
    yard.confirm()
    yard.read("out", pallet(HELD))
    for more in (held_back(gtin=TOOL), held_back("quality", name="q", gtin=BRACKET)):
        yard.send(list(more.more))
    yard.send([in_stock(50, expiry=date(2026, 6, 2))])
    for code in (load_number("out", 10), load_number("out", 6)):
        yard.read("out", code)
    yard.send([("hold-lifted", HoldLifted("h-1", "Dana", "released", yard.time.at))])
    yard.read("out", pallet(50))
    yard.send([("zone", SUSPENSION)])
    for code in (load_number("out", 10), order("OUT-2"), b"NOREAD", b"<script>"):
        yard.read("out", code, no_read=code == b"NOREAD")
    yard.send([("zone", msgspec.structs.replace(SUSPENSION, event="resumed"))])
    await deposit(yard)
    yard.send(Papers(line=900, rules=("of-next-year",)).entries(yard.recorder.epoch))
    yard.read("out", load_number("out", 10))
    yard.read("in", CLOSE)
    yard.read("in", order("IN-1"))
    yard.time.tick(7 * 86_400)
    yard.read("out", load_number("out", 2))
    await yard.recorder.close()
    return folder / "store"


async def with_quantity(yard: Yard, way: str) -> None:
    for quantity in ("20", "5000"):
        view = yard.read(way, label())
        if view.prompt is not None:
            await yard.dock.quantity(way, view.prompt.hold, quantity, f"{way}-{quantity}", "worker")


async def deposit(yard: Yard) -> None:
    for hold in list(yard.dock.books.state.holds.values()):
        load, held = hold.load, yard.dock.books.state.holdings
        if load and load.sscc and hold.reason == "unknown-load" and load.key not in held:
            await yard.dock.decide(hold.hold, "deposit", "papers follow", "supervisor", "40")


def entries(store: Path) -> list[Entry]:
    with JournalReader(store) as reader:
        return [read_record(record) for _, record in reader.page(0, 1000)]


@pytest.fixture
async def store(tmp_path: Path) -> Path:
    return await a_day(tmp_path)


async def test_every_judgment_of_a_day_comes_out_as_it_was_recorded(store: Path) -> None:
    told = {entry.entry_id: explain(store, entry.entry_id) for entry in entries(store)}
    differing = [answer.lines for answer in told.values() if not answer.agrees]
    assert differing == []
    judged = [answer for answer in told.values() if answer.recorded]
    assert all(answer.recorded == answer.again for answer in judged)
    assert {answer.type for answer in judged} == set(JUDGED)
    reasons = {read_body(entry).reason for entry in entries(store) if entry.type in JUDGED}
    assert len(reasons) >= 20, "the day had most of what the table knows"
    assert {"zone-suspended", "agency-hold", "quality-hold", "expired"} <= reasons
    acts = [answer for answer in told.values() if not answer.recorded]
    assert {"begin", "settings", "saw", "job", "release", "correction"} <= {answer.type for answer in acts}


async def test_entries_of_earlier_rules_are_judged_as_they_were(tmp_path: Path) -> None:
    """The same labels before and after the program learned to read them, in one log."""
    yard = dock_over(tmp_path, Papers(line=400))
    crate, item = b"]C18003095211411234545678", label(serial="S9")
    reasons = {}
    for rules in (2, RULES):
        yard.dock.write("settings", msgspec.structs.replace(SETTINGS, rules=rules))
        for code in (crate, item, b"]C1400ORDER", b"1Z999AA10123456784", load_number("in", rules)):
            yard.read("in", code)
            reasons[rules, code] = yard.dock.door("in").reason
    await yard.recorder.close()
    assert (reasons[2, crate], reasons[RULES, crate]) == ("unreadable", "asset")
    store = tmp_path / "store"
    told = {entry.entry_id: explain(store, entry.entry_id) for entry in entries(store)}
    assert [answer.lines for answer in told.values() if not answer.agrees] == []
    assert {answer.type for answer in told.values()} >= {"settings", "hold"}
    assert any("grai (8003)095211411234545678" in line for answer in told.values() for line in answer.lines)


async def test_an_entry_is_found_by_its_position_too(store: Path) -> None:
    entry = next(entry for entry in entries(store) if entry.type == "stop")
    assert explain(store, f"{entry.epoch}:{entry.seq}") == explain(store, entry.entry_id)
    for wanted in ("nobodys", f"{entry.epoch}:999999", "", ":", f"{entry.epoch}:x"):
        with pytest.raises(LookupError, match="zonegate db"):
            explain(store, wanted)


def with_a_lie(store: Path, number: int, lie: Callable[[dict[str, Any]], None]) -> Path:
    """A copy of the store in which one entry's body was changed and all hashes after it made to fit."""
    copy = store.parent / "forged"
    shutil.copytree(store, copy)
    database = sqlite3.connect(copy / JOURNAL_FILE, isolation_level=None)
    for (trigger,) in database.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall():
        database.execute(f"DROP TRIGGER {trigger}")
    rows = database.execute("SELECT position, hash, record FROM entry ORDER BY position").fetchall()
    changed: dict[str, str] = {}
    for position, digest, stored in rows:
        record = stored
        for before, after in changed.items():
            record = record.replace(before.encode(), after.encode())
        if position == number:
            entry = msgspec.json.decode(record)
            lie(entry["body"])
            record = msgspec.json.encode(entry)
        changed = {digest: record_hash(record)}
        database.execute(
            "UPDATE entry SET hash = ?, record = ? WHERE position = ?", (changed[digest], record, position)
        )
    database.close()
    return copy


def lies_in(field: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def lie(body: dict[str, Any]) -> None:
        *path, last = field.split(".")
        for key in path:
            body = body[key]
        assert body[last] != value, "a lie changes something"
        body[last] = value

    return lie


@pytest.mark.parametrize(
    ("kind", "reason", "field", "value"),
    [
        ("stop", "not-on-permit", "reason", "wrong-owner"),
        ("hold", "unknown-load", "reason", "no-read"),
        ("hold", "unreadable", "reason", "unknown-load"),
        ("withdrawal", "withdrawn", "reason", "domestic"),
        ("withdrawal", "withdrawn", "quantity", "100"),
        ("withdrawal", "withdrawn", "use.line", "2"),
        ("withdrawal", "withdrawn", "job", "OUT-2"),
        ("admission", "admitted", "load.owner", "Example One"),
        ("admission", "admitted", "load.lot", "L2"),
        ("admission", "admitted", "read.raw", pallet(UNKNOWN).hex()),
        ("admission", "admitted", "have", 0),
    ],
)
async def test_a_lie_in_an_entry_is_told(store: Path, kind: str, reason: str, field: str, value: Any) -> None:
    number, entry = next(
        (number, entry)
        for number, entry in enumerate(entries(store), start=1)
        if entry.type == kind and getattr(read_body(entry), "reason", "") == reason
    )
    assert explain(store, entry.entry_id).agrees
    forged = with_a_lie(store, number, lies_in(field, value))
    told = explain(forged, entry.entry_id)
    assert not told.agrees
    assert told.recorded != told.again
    assert "THEY DIFFER" in told.lines[-1]


async def test_papers_that_were_changed_afterwards_are_told(store: Path) -> None:
    """The permit came in a Saw; a Saw that says something else leads to other verdicts."""
    number = next(n for n, entry in enumerate(entries(store), start=1) if entry.type == "saw")
    entry = next(e for e in entries(store) if e.type == "withdrawal" and read_body(e).reason == "withdrawn")

    def lie(body: dict[str, Any]) -> None:
        permits = [record for record in body["entries"] if record["type"] == "permit"]
        for permit in permits:
            permit["entry_id"] = permit["entry_id"][:-1] + ("0" if permit["entry_id"][-1] != "0" else "1")

    forged = with_a_lie(store, number, lie)
    told = explain(forged, entry.entry_id)
    assert not told.agrees
    assert any("DIFFER from those recorded" in line for line in told.lines)


class LateClockwork(Clockwork):
    """Every look at the clock is a second later."""

    def clocks(self) -> Clocks:
        def utc() -> datetime:
            self.at += timedelta(seconds=1)
            return self.at

        return with_time(super().clocks(), utc)


def with_time(clocks: Clocks, utc: Callable[[], datetime]) -> Clocks:
    return Clocks(utc, clocks.mono_ns, clocks.boot, clocks.synchronized, clocks.random)


@pytest.mark.parametrize("seconds", range(1, 13))
async def test_a_load_judged_at_midnight_is_judged_again_at_the_same_instant(
    tmp_path: Path, seconds: int
) -> None:
    clockwork = LateClockwork()
    yard = dock_over(tmp_path, Papers(), clockwork)
    yard.open("out")
    clockwork.at = datetime(2026, 6, 8, 5, 0, tzinfo=UTC) - timedelta(seconds=seconds)
    yard.read("out", load_number("out", 1), seconds=0)
    yard.read("out", load_number("out", 2), seconds=0)
    await yard.recorder.close()
    judged = [entry for entry in entries(tmp_path / "store") if entry.type in JUDGED]
    assert len(judged) == 2
    told: list[Explanation] = [explain(tmp_path / "store", entry.entry_id) for entry in judged]
    assert [answer.agrees for answer in told] == [True, True], [answer.lines for answer in told]


async def test_the_command_says_it_and_its_exit_code_too(
    store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    number, entry = next(
        (number, entry) for number, entry in enumerate(entries(store), start=1) if entry.type == "stop"
    )
    assert main(["explain", entry.entry_id, "--store", str(store)]) == 0
    out = capsys.readouterr().out
    assert entry.entry_id in out
    assert "both agree" in out
    forged = with_a_lie(store, number, lies_in("reason", "permit-exhausted"))
    assert main(["explain", entry.entry_id, "--store", str(forged)]) == 1
    assert "THEY DIFFER" in capsys.readouterr().out
    place = f"{entry.epoch}:{entry.seq}"
    assert main(["explain", place, "--store", str(store)]) == 0
    capsys.readouterr()
    for other in (place.translate({ord("0") + n: 0x0660 + n for n in range(10)}), f"{entry.epoch}:\u00b2"):
        assert main(["explain", other, "--store", str(store)]) == 1
        assert "there is no entry" in capsys.readouterr().err
    assert main(["explain", f"{entry.epoch}:{'9' * 5000}", "--store", str(store)]) == 1
    capsys.readouterr()
    assert main(["explain", "nobodys", "--store", str(store)]) == 1
    assert "there is no entry 'nobodys'" in capsys.readouterr().err
    assert main(["explain", entry.entry_id, "--store", str(store / "missing")]) == 1
    assert "no journal" in capsys.readouterr().err
