# SPDX-License-Identifier: Apache-2.0
"""`zonegate verify`: is this journal, or export of one, the unbroken record that it claims to be?

Reads a store read-only, live or not, or the lines of an export, and names the first bad entry. With a
signed head from elsewhere (the center, the broker) it also finds a tail that was cut off, or a log
that was chained anew. Memory stays bounded however long the journal is.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from edge.errors import StoreError
from edge.store import JournalReader, Row
from sync.bodies import Begin, read_body
from sync.entry import GENESIS, RECORD_BYTES_MAX, Entry, Head, Place, read_record, record_hash
from sync.errors import EntryError, SignatureError
from sync.keys import check_head

_PAGE_ENTRIES: Final = 64
"""Entries read at once: at most 17 MiB when each has the largest record there can be."""

_PAGE_HEADS: Final = 500

_HEAD_BYTES_MAX: Final = 4096
"""A head as JSON has under 300 bytes."""


class Finding(msgspec.Struct, frozen=True):
    """The first thing that is wrong. `problem` is a short fixed word, `sentence` is for a person."""

    problem: str
    sentence: str
    epoch: str | None = None
    seq: int | None = None
    entry_id: str | None = None


class Verified(msgspec.Struct, frozen=True):
    """What a walk found. `finding` is None when all is well.

    `missing` says in sentences which entries a Begin itself names as lost with an older store, `pruned`
    which ones the journal says were pruned: of those only the hash of the last one was there to verify.
    """

    entries: int
    epochs: int
    heads: int
    end: Place | None
    finding: Finding | None
    missing: tuple[str, ...] = ()
    pruned: tuple[str, ...] = ()


def verify_store(store: Path, *, head: Head | None = None, key: str | None = None) -> Verified:
    """Verify a store's journal: every entry, its columns, and every signed head in it.

    `head` is a head kept by a witness, `key` the node's public key in hex from a trusted place.
    Raises StoreError when there is no journal to read, StoreNewer when a newer version wrote it.
    """
    with JournalReader(store) as reader, closing(_Walk(reader.bases())) as walk:
        try:
            for row in _rows(reader):
                walk.take(row.record, row)
            walk.check_epochs(reader.epochs())
            for signed in _signed_heads(reader):
                walk.take_head(
                    signed, reader.hash_at(signed.epoch, signed.seq), "a head signed by this journal"
                )
            if head is not None:
                walk.take_head(head, reader.hash_at(head.epoch, head.seq), "the head", key)
            walk.check_key(key)
        except _Bad as bad:
            return walk.result(bad.finding)
        except StoreError as error:
            return walk.result(walk.here("file", f"after this entry the file is damaged: {error}"))
        return walk.result(None)


def verify_lines(lines: Iterable[bytes], *, head: Head | None = None, key: str | None = None) -> Verified:
    """Verify an export: one record a line, verbatim, in the order of the log.

    An export holds no hashes beside the records, so a changed entry shows at the one after it, and
    the last entry only with `head`.
    """
    hash_of_head: str | None = None
    with closing(_Walk()) as walk:
        try:
            for line in lines:
                place = walk.take(line.rstrip(b"\r\n"), None)
                if head is not None and (place.epoch, place.seq) == (head.epoch, head.seq):
                    hash_of_head = place.hash
            if head is not None:
                walk.take_head(head, hash_of_head, "the head", key)
            walk.check_key(key)
        except _Bad as bad:
            return walk.result(bad.finding)
        return walk.result(None)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `zonegate verify`."""
    parser.add_argument("path", type=Path, help="a store's folder, or an export (.jsonl, one record a line)")
    parser.add_argument("--head", type=Path, metavar="FILE", help="a signed head kept elsewhere, as JSON")
    parser.add_argument("--key", metavar="HEX", help="the node's public key, from a trusted place")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(arguments: argparse.Namespace) -> int:
    """Verify and print: 0 when all is well, 1 with a finding, 2 when there is nothing to verify."""
    try:
        head = None if arguments.head is None else _read_head(arguments.head)
        if arguments.path.is_dir():
            verified = verify_store(arguments.path, head=head, key=arguments.key)
        else:
            with arguments.path.open("rb") as file:
                verified = verify_lines(_bounded_lines(file), head=head, key=arguments.key)
    except (OSError, StoreError, msgspec.MsgspecError) as error:
        said = str(error)
        if isinstance(error, FileNotFoundError):
            said = f"there is no {error.filename}; name a node's store folder, or an export"
        print(json.dumps({"error": said}) if arguments.json else f"Nothing was verified: {said}")
        return 2
    print(msgspec.json.encode(verified).decode() if arguments.json else _paragraph(arguments.path, verified))
    return 1 if verified.finding else 0


class _Bad(Exception):
    """Carries the first finding out of the walk."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.sentence)
        self.finding = finding


class _Walk:
    """The chain so far. Epochs follow one another, since one writer writes one log.

    `bases` are the places up to which epochs were pruned: behind its Begin such an epoch goes on there.
    """

    def __init__(self, bases: Iterable[Place] = ()) -> None:
        self._bases = {base.epoch: base for base in bases}
        self._place: Place | None = None
        self._last_id: str | None = None
        self._entries = 0
        self._heads = 0
        self._begins: dict[str, Begin] = {}
        self._ends: dict[str, Place] = {}
        self._missing: list[str] = []
        self._seen = _SeenIds()

    def take(self, record: bytes, row: Row | None) -> Place:
        """The place of the next record, which must follow the one before; raises _Bad."""
        try:
            entry = read_record(record)
        except EntryError as error:
            if row is not None:
                raise _Bad(
                    Finding("record", f"is no entry: {error}", row.epoch, row.seq, row.entry_id)
                ) from error
            raise _Bad(self.here("record", f"the entry after this one cannot be read: {error}")) from error
        digest = record_hash(record)
        if row is not None:
            _check_columns(entry, row, digest)
        self._check_follows(entry)
        if entry.seq == 1:
            self._take_begin(entry)
        elif entry.type == "begin":
            raise _bad(entry, "begin", "is a Begin in the middle of an epoch")
        if not self._seen.add(entry.entry_id):
            raise _bad(entry, "duplicate", "has an id that an entry before it has, too")
        self._entries += 1
        self._last_id = entry.entry_id
        place = Place(entry.epoch, entry.seq, digest)
        end = self._bases.get(entry.epoch, place) if entry.seq == 1 else place
        self._place = self._ends[entry.epoch] = end
        return place

    def take_head(self, head: Head, stored: str | None, what: str, key: str | None = None) -> None:
        """Check a signed head against the chain; `stored` is the hash at its place. Raises _Bad."""
        end = self._ends.get(head.epoch)
        begin = self._begins.get(head.epoch)
        if end is None or begin is None:
            raise _Bad(Finding("head", f"{what} is of epoch {head.epoch}, which is not here", head.epoch))
        try:
            check_head(key or begin.key, head)
        except SignatureError as error:
            whose = "the key given" if key else "the key that its epoch's Begin names"
            raise _Bad(
                Finding("signature", f"{what} at this entry is not signed with {whose}", head.epoch, head.seq)
            ) from error
        if head.seq > end.seq:
            missing = _count(head.seq - end.seq, "entry is", "entries are")
            sentence = f"the journal ends at {end.seq}, {what} names {head.seq}: {missing} missing"
            raise _Bad(Finding("tail", sentence, head.epoch, end.seq + 1))
        base = self._bases.get(head.epoch)
        if stored is None and base is not None and head.seq < base.seq:
            sentence = f"{what} cannot be compared: entries up to {base.seq} were pruned"
            raise _Bad(Finding("pruned", sentence, head.epoch, head.seq))
        if stored != head.hash:
            sentence = f"{what} was signed for another hash here: this entry, or one before it, was changed"
            raise _Bad(Finding("head", sentence, head.epoch, head.seq))
        self._heads += 1

    def check_epochs(self, listed: list[str]) -> None:
        """The store's list of epochs, by which the node finds its head, must be the log's. Raises _Bad."""
        if listed != list(self._begins):
            raise _Bad(self.here("epochs", "the table own_epoch does not list the epochs of the log"))

    def check_key(self, key: str | None) -> None:
        """The newest epoch must name the key that is trusted. Raises _Bad."""
        if key is None or self._place is None:
            return
        named = self._begins[self._place.epoch].key
        if named != key:
            raise _Bad(Finding("key", f"names the key {named}, the key given is {key}", self._place.epoch, 1))

    def close(self) -> None:
        """Remove what was kept aside."""
        self._seen.close()

    def here(self, problem: str, sentence: str) -> Finding:
        """A finding at the last good entry."""
        if self._place is None:
            return Finding(problem, sentence)
        return Finding(problem, sentence, self._place.epoch, self._place.seq, self._last_id)

    def result(self, finding: Finding | None) -> Verified:
        """What was found up to here."""
        pruned = [
            f"entries 2 to {base.seq} of epoch {epoch}, the last one with the hash {base.hash}"
            for epoch, base in self._bases.items()
            if epoch in self._begins
        ]
        return Verified(
            self._entries,
            len(self._begins),
            self._heads,
            self._place,
            finding,
            tuple(self._missing),
            tuple(pruned),
        )

    def _check_follows(self, entry: Entry) -> None:
        last = self._place
        same = last is not None and entry.epoch == last.epoch
        expected = last.seq + 1 if last is not None and same else 1
        if not same and entry.epoch in self._begins:
            raise _bad(entry, "order", "stands after another epoch had begun")
        if entry.seq != expected:
            gone = entry.seq - expected
            lost = f": {_count(gone, 'entry is', 'entries are')} missing before it" if gone > 0 else ""
            raise _bad(entry, "gap", f"stands where entry {expected} was expected{lost}")
        prev = last.hash if last is not None and same else GENESIS
        if entry.prev != prev:
            raise _bad(entry, "prev", "does not follow the entry before it: one of the two was changed")

    def _take_begin(self, entry: Entry) -> None:
        if entry.type != "begin":
            raise _bad(entry, "begin", f"is the first of its epoch and no Begin but {entry.type!r}")
        try:
            begin = read_body(entry)
        except EntryError as error:
            raise _bad(entry, "begin", f"is no Begin that can be read: {error}") from error
        if not isinstance(begin, Begin):
            raise _bad(entry, "begin", f"is a Begin with the schema {entry.schema!r}")
        first = next(iter(self._begins.values()), begin)
        if (begin.tenant, begin.zone, begin.node) != (first.tenant, first.zone, first.node):
            raise _bad(entry, "begin", f"is of node {begin.node}, the journal began as node {first.node}")
        if begin.parent is not None:
            self._check_parent(entry, begin.parent, begin.end)
        self._begins[entry.epoch] = begin

    def _check_parent(self, entry: Entry, parent: Place, end: Place | None) -> None:
        stored = self._ends.get(parent.epoch)
        if stored is not None and stored != parent:
            raise _bad(
                entry,
                "parent",
                f"continues from entry {parent.seq} of epoch {parent.epoch}, which ends otherwise here",
            )
        if stored is None and end is None:
            raise _bad(entry, "parent", f"continues from epoch {parent.epoch}, which is not here")
        have = stored.seq if stored else 0
        if end is not None and end.seq > have:
            self._missing.append(
                f"entries {have + 1} to {end.seq} of epoch {end.epoch} were lost with an older store, "
                f"as the Begin of epoch {entry.epoch} says"
            )


class _SeenIds:
    """The ids met so far, in a temporary file that SQLite keeps small in memory."""

    def __init__(self) -> None:
        self._file = sqlite3.connect("", isolation_level=None)
        self._file.execute("CREATE TABLE seen (id TEXT PRIMARY KEY) WITHOUT ROWID")
        self._file.execute("BEGIN")

    def close(self) -> None:
        self._file.close()

    def add(self, entry_id: str) -> bool:
        """Remember an id; False when it was met before."""
        return self._file.execute("INSERT OR IGNORE INTO seen VALUES (?)", (entry_id,)).rowcount == 1


def _check_columns(entry: Entry, row: Row, digest: str) -> None:
    if digest != row.hash:
        sentence = (
            f"is stored with the hash {row.hash[:16]}..., its bytes give {digest[:16]}...: "
            "the record or the hash was changed"
        )
        raise _Bad(Finding("hash", sentence, row.epoch, row.seq, row.entry_id))
    said = (entry.epoch, entry.seq, entry.entry_id)
    stored = (row.epoch, row.seq, row.entry_id)
    for name, ours, theirs in zip(_COLUMNS, said, stored, strict=True):
        if ours != theirs:
            sentence = f"has {theirs!r} in the column {name}, its record says {ours!r}"
            raise _Bad(Finding("column", sentence, row.epoch, row.seq, row.entry_id))


_COLUMNS: Final = ("epoch", "seq", "entry_id")


def _rows(reader: JournalReader) -> Iterator[Row]:
    after = 0
    while page := reader.rows(after, _PAGE_ENTRIES):
        yield from page
        after = page[-1].position


def _signed_heads(reader: JournalReader) -> Iterator[Head]:
    after = 0
    while page := reader.signed_heads(after, _PAGE_HEADS):
        yield from (head for _, head in page)
        after = page[-1][0]


def _bounded_lines(file: BinaryIO) -> Iterator[bytes]:
    """Lines of a file; one that is too long for a record comes cut, and is then no entry."""
    while line := file.readline(RECORD_BYTES_MAX + 2):
        yield line


def _read_head(path: Path) -> Head:
    data = path.read_bytes()[:_HEAD_BYTES_MAX]
    return msgspec.json.decode(data, type=Head)


def _paragraph(path: Path, verified: Verified) -> str:
    counted = (
        f"{_count(verified.entries, 'entry', 'entries')} in {_count(verified.epochs, 'epoch', 'epochs')} "
        f"and {_count(verified.heads, 'signed head', 'signed heads')}"
    )
    finding = verified.finding
    if finding is None:
        end = verified.end
        where = f" It ends at entry {end.seq} of epoch {end.epoch}, hash {end.hash}." if end else ""
        known = "".join(f" Known to be missing: {sentence}." for sentence in verified.missing)
        gone = "".join(f" Pruned, and so not verified: {sentence}." for sentence in verified.pruned)
        return f"{path} is whole: {counted}.{where}{known}{gone}"
    place = f"entry {finding.seq} of epoch {finding.epoch}" if finding.seq else "the journal"
    if finding.entry_id:
        place += f" ({finding.entry_id})"
    return f"{path} is NOT whole. First at {place}: {finding.sentence}. Good before it: {counted}."


def _bad(entry: Entry, problem: str, sentence: str) -> _Bad:
    return _Bad(Finding(problem, sentence, entry.epoch, entry.seq, entry.entry_id))


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
