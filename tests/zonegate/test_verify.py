# SPDX-License-Identifier: Apache-2.0
"""Verify finds each kind of tampering, names the first bad entry, and finds nothing in a whole journal."""

from __future__ import annotations

import argparse
import json
import re
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from edge.errors import StoreError
from edge.store import JOURNAL_FILE, JournalReader
from sync.entry import Head, Place, canonical, read_record, record_hash
from sync.keys import Signer
from tests.edge.journals import Site
from tests.faults.tampering import Store
from tests.source import ROOT, modules, strings
from zonegate.findings import KINDS, PROMISES, Finding
from zonegate.progress import Progress
from zonegate.verify import add_arguments, run, verify_lines, verify_store

ENTRIES = 12
"""Entries of the journal that is tampered with, its Begin among them; one epoch."""


@pytest.fixture
async def site(tmp_path: Path) -> Site:
    site = Site.make(tmp_path / "site")
    await site.grow(ENTRIES - 1)
    return site


def tamper(site: Site, *statements: str) -> None:
    """What somebody does who can write to the file and knows SQL."""
    with Store(site.store) as store:
        for statement in statements:
            store.sql.execute(statement)


def finding(site: Site, **known: object) -> Finding:
    found = verify_store(site.store, **known).finding  # type: ignore[arg-type]
    assert found is not None
    return found


def head_of(site: Site) -> Head:
    """The head a witness keeps."""
    with JournalReader(site.store) as reader:
        place = reader.head(reader.epochs()[-1])
    assert place is not None
    return Signer((site.anchor / "epoch.key").read_bytes()).head(place)


def lines(site: Site) -> list[bytes]:
    with JournalReader(site.store) as reader:
        return [record for _, record in reader.page(0, 1000)]


def rechain(site: Site, change: int) -> None:
    """Change one entry and give all after it new hashes, as somebody without the key can."""
    with Store(site.store) as store:
        record = store.records()[change - 1]
        store.chain_anew(change, record.replace(b'"detail":"x"', b'"detail":"y"'))


async def test_a_whole_journal_is_found_whole(site: Site) -> None:
    head = head_of(site)
    public = Signer((site.anchor / "epoch.key").read_bytes()).public
    verified = verify_store(site.store, head=head, key=public)
    assert verified.finding is None
    assert (verified.entries, verified.epochs, verified.end) == (ENTRIES, 1, head.place)
    assert verified.heads == 3  # of the Begin, at close, and the one given
    assert verify_lines(lines(site), head=head, key=public).finding is None


async def test_a_live_journal_is_verified_while_it_grows(tmp_path: Path) -> None:
    site = Site.make(tmp_path / "live")
    journal = site.open()
    await journal.append(site.draft())
    assert verify_store(site.store).entries == 2
    await journal.append(site.draft())
    assert verify_store(site.store, head=journal.head()).entries == 3
    await journal.close()


@pytest.mark.parametrize(
    ("column", "value", "problem"),
    [
        ("epoch", "'" + "f" * 32 + "'", "column"),
        ("seq", "99", "column"),
        ("entry_id", "'01900000-0000-7000-8000-000000000000'", "column"),
        ("hash", "'" + "0" * 64 + "'", "hash"),
    ],
)
async def test_a_column_that_disagrees_with_its_record_is_found(
    site: Site, column: str, value: str, problem: str
) -> None:
    tamper(site, f"UPDATE entry SET {column} = {value} WHERE position = 7")
    found = finding(site)
    assert found.problem == problem
    assert found.entry_id == (
        "01900000-0000-7000-8000-000000000000" if column == "entry_id" else read_id(site, 7)
    )


def read_id(site: Site, seq: int) -> str:
    return read_record(lines(site)[seq - 1]).entry_id


TAMPERED: list[tuple[str, list[str], str, int]] = [
    ("deleted", ["DELETE FROM entry WHERE seq = 7"], "missing", 7),
    (
        "two swapped",
        [
            "UPDATE entry SET position = -1 WHERE position = 7",
            "UPDATE entry SET position = 7 WHERE position = 8",
            "UPDATE entry SET position = 8 WHERE position = -1",
        ],
        "order",
        8,
    ),
    ("Begin deleted", ["DELETE FROM entry WHERE seq = 1"], "missing", 1),
    ("tail cut, heads kept", ["DELETE FROM entry WHERE seq > 9"], "tail", 10),
    ("head of another hash", [f"UPDATE signed_head SET hash = '{'0' * 64}'"], "signature", 1),
    (
        "head forged",
        [f"UPDATE signed_head SET signature = '{'0' * 128}' WHERE seq > 1"],
        "signature",
        ENTRIES,
    ),
    ("head of an unknown epoch", ["UPDATE signed_head SET epoch = 'x' WHERE seq > 1"], "epochs", 0),
    ("epoch unlisted", ["DELETE FROM own_epoch"], "epochs", ENTRIES),
]


@pytest.mark.parametrize(
    ("statements", "problem", "seq"), [case[1:] for case in TAMPERED], ids=[case[0] for case in TAMPERED]
)
async def test_tampering_is_found_and_placed(
    site: Site, statements: list[str], problem: str, seq: int
) -> None:
    tamper(site, *statements)
    found = finding(site)
    assert (found.problem, found.seq or 0) == (problem, seq)


async def test_an_entry_written_twice_is_found(site: Site) -> None:
    record = lines(site)[-1]
    again = record.replace(b'"seq":12', b'"seq":13')
    again = again[: again.rindex(b'"prev":"')] + b'"prev":"' + record_hash(record).encode() + b'"}'
    found = verify_lines([*lines(site), again]).finding
    assert found is not None
    assert (found.problem, found.seq) == ("duplicate", 13)


async def test_a_cut_tail_is_found_with_a_head_and_counted(site: Site) -> None:
    head = head_of(site)
    tamper(site, "DELETE FROM entry WHERE seq > 9", "DELETE FROM signed_head WHERE seq > 9")
    assert verify_store(site.store).finding is None  # nothing inside can show it
    found = finding(site, head=head)
    assert found.problem == "tail"
    assert found.sentence == "the log ends at 9, the head names 12: 3 entries are missing"
    cut = verify_lines(lines(site), head=head).finding
    assert cut is not None
    assert cut.sentence == found.sentence


async def test_a_log_chained_anew_is_found_by_its_own_heads_and_by_one_from_elsewhere(site: Site) -> None:
    head = head_of(site)
    rechain(site, change=7)
    found = finding(site)
    assert (found.problem, found.seq, found.last) == ("head", 2, ENTRIES)
    tamper(site, "DELETE FROM signed_head WHERE seq > 1")
    assert verify_store(site.store).finding is None
    assert finding(site, head=head).problem == "head"


async def test_a_head_or_key_of_somebody_else_is_found(site: Site) -> None:
    stranger = Signer(bytes(32))
    place = head_of(site).place
    assert finding(site, head=stranger.head(place)).problem == "signature"
    assert finding(site, key=stranger.public).problem == "key"
    assert finding(site, head=stranger.head(Place("e" * 32, 1, place.hash))).problem == "epochs"
    assert finding(site, head=head_of(site), key=stranger.public).problem == "signature"


@pytest.mark.parametrize("victim", [1, 2, 3])
async def test_epochs_are_held_together_by_their_begins(tmp_path: Path, victim: int) -> None:
    site = Site.make(tmp_path / "epochs")
    journal = site.open()
    for _ in range(2):
        await journal.append(site.draft())
        journal = await site.begin_anew(journal)
    await journal.append(site.draft())
    await journal.close()
    assert verify_store(site.store).epochs == 3
    with JournalReader(site.store) as reader:
        epoch = reader.epochs()[victim - 1]
    for table in ("entry", "own_epoch", "signed_head"):
        tamper(site, f"DELETE FROM {table} WHERE epoch = '{epoch}'")
    found = verify_store(site.store).finding
    if victim == 3:
        assert found is None  # a tail: only a head from elsewhere shows it
    else:
        assert found is not None
        assert found.problem == "parent"


async def test_the_end_of_an_epoch_that_another_follows_cannot_be_cut(tmp_path: Path) -> None:
    site = Site.make(tmp_path / "epochs")
    journal = site.open()
    await journal.append(site.draft())
    last = await journal.append(site.draft())
    journal = await site.begin_anew(journal)
    await journal.close()
    with JournalReader(site.store) as reader:
        begin = reader.record_at(journal.epoch, 1)
    assert begin is not None
    tamper(site, f"DELETE FROM entry WHERE entry_id = '{last.entry_id}'")
    found = finding(site)
    assert (found.problem, found.entry_id) == ("parent", read_record(begin).entry_id)


async def test_a_changed_line_of_an_export_is_found_at_the_next_or_by_the_head(site: Site) -> None:
    exported = lines(site)
    head = head_of(site)
    for at in range(1, len(exported)):
        changed = list(exported)
        changed[at] = changed[at].replace(b'"count":1', b'"count":2')
        found = verify_lines(changed, head=head).finding
        assert found is not None
        last = at == len(exported) - 1
        assert found.promise == 5
        if last:
            assert (found.problem, found.seq, found.last) == ("head", 1, at + 1)
        elif at == len(exported) - 2:
            assert (found.problem, found.seq, found.last) == ("changed", at + 1, at + 2)
        else:
            assert (found.problem, found.seq) == ("changed", at + 1)


@pytest.mark.parametrize(
    "line", [b"", b"{}", b"\xff" * 50, b"[" * 5000, b'{"v":1}', b"x" * 400_000, b"\x00"], ids=range(7)
)
async def test_lines_that_are_no_entries_are_findings(site: Site, line: bytes) -> None:
    found = verify_lines([*lines(site)[:3], line]).finding
    assert found is not None
    assert (found.problem, found.seq) == ("record", 3)
    first = verify_lines([line]).finding
    assert first is not None
    assert first.problem == "record"


async def test_a_damaged_file_is_a_finding_after_the_last_good_entry(tmp_path: Path) -> None:
    site = Site.make(tmp_path / "site")
    await site.grow(400)
    file = site.store / JOURNAL_FILE
    data = bytearray(file.read_bytes())
    for start in range(len(data) // 2, len(data), 4096):
        data[start : start + 4096] = b"\xee" * len(data[start : start + 4096])
    file.write_bytes(data)
    assert finding(site).problem in {"file", "hash", "record"}


def command(*arguments: object) -> int:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return run(parser.parse_args([str(argument) for argument in arguments]))


async def test_the_command_says_in_one_paragraph_what_it_found(
    site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    head = tmp_path / "head.json"
    head.write_bytes(canonical(head_of(site)))
    assert command(site.store, "--head", head) == 0
    assert "is whole: 12 entries in 1 epoch and 3 signed heads" in capsys.readouterr().out
    export = tmp_path / "export.jsonl"
    export.write_bytes(b"\n".join(lines(site)) + b"\n")
    assert command(export, "--head", head, "--json") == 0
    assert json.loads(capsys.readouterr().out)["entries"] == ENTRIES
    tamper(site, "DELETE FROM entry WHERE seq > 9")
    assert command(site.store, "--head", head) == 1
    said = capsys.readouterr().out
    assert "NOT whole" in said
    assert "the log ends at 9" in said
    assert "This breaks promise 3, nothing is lost and nothing counts twice. Next: " in said
    assert command(site.store, "--head", head, "--json") == 1
    assert json.loads(capsys.readouterr().out)["finding"]["problem"] == "tail"


@pytest.mark.parametrize(
    "prepare", [lambda p: None, lambda p: p.write_text("{}"), lambda p: p.write_text("[")]
)
async def test_a_head_that_cannot_be_read_is_a_wrong_use(
    site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str], prepare: Callable[[Path], None]
) -> None:
    prepare(tmp_path / "head.json")
    assert command(site.store, "--head", tmp_path / "head.json") == 2
    assert "Nothing was verified" in capsys.readouterr().out


def test_a_store_that_is_not_there_is_a_wrong_use(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(tmp_path, "--json") == 2
    assert "there is no journal" in json.loads(capsys.readouterr().out)["error"]
    assert command(tmp_path / "nothing") == 2
    assert "Nothing was verified" in capsys.readouterr().out
    with pytest.raises(StoreError):
        verify_store(tmp_path)


def test_every_finding_is_documented_with_its_promise() -> None:
    text = (ROOT / "docs" / "operate" / "verify.md").read_text()
    table = text.split("<!-- findings -->")[1]
    told = {row[0]: int(row[1]) for row in re.findall(r"^\| `([a-z]+)` \| ([1-6]) \|", table, re.MULTILINE)}
    assert told == {problem: promise for problem, (promise, _) in KINDS.items()}
    for number, words in PROMISES.items():
        assert f"{number}, {words}" in text


def test_every_kind_of_finding_can_be_made() -> None:
    """Each is raised somewhere in the verifier: the table lists nothing that cannot be found."""
    named = {
        text
        for name, path in modules().items()
        if name.startswith("zonegate.") and name != "zonegate.findings"
        for text in strings(path)
    }
    assert KINDS.keys() <= named


async def test_a_journal_that_is_pruned_under_the_walk_is_walked_again(tmp_path: Path) -> None:
    whole = Site.make(tmp_path / "long")
    await whole.grow(200)

    class PrunesAfterTen(Progress):
        steps = 0

        def step(self) -> None:
            self.steps += 1
            if self.steps == 10:
                connection = sqlite3.connect(whole.store / JOURNAL_FILE)
                with connection:
                    connection.execute(
                        "INSERT INTO pruned SELECT epoch, seq, hash, position FROM entry WHERE seq = 150"
                    )
                    connection.execute("DELETE FROM entry WHERE seq BETWEEN 2 AND 150")
                connection.close()

    verified = verify_store(whole.store, progress=PrunesAfterTen(None))
    assert verified.finding is None
    assert verified.pruned[0].startswith("entries 2 to 150 of epoch")
