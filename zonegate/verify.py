# SPDX-License-Identifier: Apache-2.0
"""`zonegate verify`: is this journal, or export of one, the unbroken record that it claims to be?

Reads a store read-only, live or not, or the lines of an export, and names the first bad entry and the
promise that it breaks. With a witness from elsewhere (an anchor, a signed head, the running center) it
also finds a tail that was cut off, and a log that was chained anew. `zonegate.zonelogs` does the same for
the center's database.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final, TypeVar

import msgspec

from edge.books import Books, Fact, NodeBooks
from edge.errors import EdgeError, StoreError
from edge.store import JournalReader, Row
from sync.bodies import Begin, read_body
from sync.entry import RECORD_BYTES_MAX, Head, Place, read_record
from sync.errors import EntryError
from zonegate.chainwalk import Kept, Walk
from zonegate.findings import Bad, Finding, count
from zonegate.progress import Progress
from zonegate.witnesses import AnchorSeen, Witness, WitnessError, anchor_seen, head_given

if TYPE_CHECKING:
    from central.web.logs import StoredLog
    from zonegate.centerlogs import CenterLogs

_Item = TypeVar("_Item", Row, bytes)

_PAGE_ENTRIES: Final = 64
"""Entries read at once: at most 17 MiB when each has the largest record there can be."""

_PAGE_HEADS: Final = 500

_PAGE_FOLDED: Final = 500
"""Entries folded at once."""

_BEFORE_ALL: Final = -(2**63)
"""Before every position that a table can hold: a row below the first is a finding, not overlooked."""

_UNSEEN: Final = (
    "without a witness it cannot be seen whether the end was cut off, or the log was chained anew after its "
    "last signed head; give --center, --anchor or --head"
)

_TRIGGERS: Final = frozenset(
    f"{table}_no_{act}" for table in ("entry", "own_epoch", "signed_head") for act in ("update", "delete")
)
"""Those that keep the journal's tables append-only; whoever changes a row must take them away first."""


_PRUNING_TRIGGERS: Final = frozenset(("pruned_no_delete", "pruned_only_grows"))


class Verified(msgspec.Struct, frozen=True):
    """What a walk found. `finding` is None when all is well.

    `missing` says in sentences which entries a Begin itself names as lost with an older store, `notes` what
    else a person should know: what no witness vouched for, what this version could not read, `pruned` what
    the node has forgotten since, so that it cannot be verified here.
    """

    entries: int
    epochs: int
    heads: int
    end: Place | None
    finding: Finding | None
    missing: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    pruned: tuple[str, ...] = ()


class Witnesses(msgspec.Struct, frozen=True):
    """What is asked beside the log itself. `key` is the node's public key in hex from a trusted place."""

    heads: tuple[Witness, ...] = ()
    anchor: AnchorSeen | None = None
    key: str | None = None

    @property
    def all_heads(self) -> tuple[Witness, ...]:
        """The heads, that of the anchor among them."""
        anchored = self.anchor.witness if self.anchor is not None else None
        return self.heads if anchored is None else (*self.heads, anchored)


def verify_store(
    store: Path,
    *,
    head: Head | None = None,
    key: str | None = None,
    witnesses: Witnesses | None = None,
    center: CenterLogs | None = None,
    progress: Progress | None = None,
) -> Verified:
    """Verify a store's journal: every entry, its columns, its signed heads, and all that points into it.

    `head` is a head kept by a witness, `key` the node's public key in hex from a trusted place; `witnesses`
    are more of both, `center` a center that is asked. Witnesses must have been read before: a live journal
    is then at least as long as they say. Raises StoreError when there is no journal to read, StoreNewer when
    a newer version wrote it, WitnessError when the center does not answer.
    """
    known = _with_head(witnesses or Witnesses(key=key), head)
    ticks = progress or Progress(None)
    with JournalReader(store) as reader, closing(Walk(bases=reader.bases())) as walk:
        notes: list[str] = []
        try:
            asked = _ask_center(reader, center)
            ticks.begin(reader.entries())
            _walk_store(reader, walk, ticks)
            _check_pointers(reader, walk)
            notes += _check_snapshot(reader)
            _ask(walk, known, reader.hash_at)
            if center is not None:
                notes += _compare(walk, reader, center, asked)
            _check_store_itself(reader)
        except Bad as bad:
            if reader.bases() != [*walk.bases.values()]:  # the node has pruned its journal meanwhile
                return verify_store(store, head=head, key=key, witnesses=witnesses, center=center)
            return _result(walk, bad.finding, notes)
        except StoreError as error:
            return _result(walk, walk.here("file", f"after this entry the file is damaged: {error}"), notes)
        finally:
            ticks.end()
        if not known.all_heads and center is None:
            notes.append(_UNSEEN)
        return _result(walk, None, notes)


def verify_lines(
    lines: Iterable[bytes],
    *,
    head: Head | None = None,
    key: str | None = None,
    witnesses: Witnesses | None = None,
) -> Verified:
    """Verify an export: one record a line, verbatim, in the order of the log.

    An export holds no hashes beside the records, so that a changed entry shows by the one after it, and
    the last entry only by a witness.
    """
    known = _with_head(witnesses or Witnesses(key=key), head)
    wanted = {(witness.place.epoch, witness.place.seq): "" for witness in known.all_heads}
    with closing(Walk()) as walk:
        try:
            for line, following in _pairs(line.rstrip(b"\r\n") for line in lines):
                entry = walk.take(line, None, following)
                if (entry.epoch, entry.seq) in wanted and walk.place is not None:
                    wanted[entry.epoch, entry.seq] = walk.place.hash
            _ask(walk, known, lambda epoch, seq: wanted[epoch, seq])
        except Bad as bad:
            return _result(walk, bad.finding, [])
        return _result(walk, None, [] if known.all_heads else [_UNSEEN])


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `zonegate verify`."""
    what = parser.add_argument_group("what to verify, one of these")
    what.add_argument(
        "path", type=Path, nargs="?", help="a store's folder, or an export (.jsonl, one record a line)"
    )
    what.add_argument("--database", metavar="DSN", help="the center's PostgreSQL, with --zone")
    what.add_argument("--config", type=Path, metavar="FILE", help="the center's configuration")
    parser.add_argument("--zone", metavar="TENANT/ZONE", help="whose logs in --database")
    parser.add_argument("--anchor", type=Path, metavar="FOLDER", help="the anchor's folder")
    parser.add_argument(
        "--head",
        metavar="HEAD",
        help="a head kept elsewhere: epoch:seq:hash[:signature], or a JSON file",
    )
    parser.add_argument("--key", metavar="HEX", help="the node's public key, from a trusted place")
    parser.add_argument("--center", metavar="URL", help="a running center: compare with what it stores")
    parser.add_argument("--token-file", type=Path, metavar="FILE", help="a file with the center's token")
    parser.add_argument("--pin", metavar="SHA256", help="SHA-256 of the center's certificate")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(arguments: argparse.Namespace) -> int:
    """Verify and print: 0 when all is well, 1 with a finding, 2 when there is nothing to verify."""
    try:
        if (arguments.path is None) == (arguments.database is None and arguments.config is None):
            raise WitnessError("name one thing to verify: a store, an export, --database or --config")
        if arguments.path is None:
            from zonegate.zonelogs import run_database

            return run_database(arguments)
        verified = _verify(arguments)
    except (OSError, EdgeError, WitnessError) as error:
        said = str(error)
        if isinstance(error, FileNotFoundError):
            said = f"there is no {error.filename}; name a node's store folder, or an export"
        print(json.dumps({"error": said}) if arguments.json else f"Nothing was verified: {said}")
        return 2
    if arguments.json:
        told = msgspec.to_builtins(verified)
        told["finding"] = verified.finding.as_json() if verified.finding else None
        print(json.dumps(told))
    else:
        print(_paragraph(arguments.path, verified))
    return 1 if verified.finding else 0


def witnesses_given(arguments: argparse.Namespace) -> Witnesses:
    """The witnesses that the arguments name, read now. Raises WitnessError, EdgeError or OSError."""
    return Witnesses(
        (head_given(arguments.head),) if arguments.head else (),
        anchor_seen(arguments.anchor) if arguments.anchor else None,
        arguments.key,
    )


def _verify(arguments: argparse.Namespace) -> Verified:
    known = witnesses_given(arguments)
    if not arguments.path.is_dir():
        if arguments.center:
            raise WitnessError("an export is verified with --head or --anchor; --center takes a store")
        with arguments.path.open("rb") as file:
            return verify_lines(_bounded_lines(file), witnesses=known)
    if not arguments.center:
        return verify_store(arguments.path, witnesses=known, progress=Progress(sys.stderr))
    from zonegate.centerlogs import CenterLogs

    token = arguments.token_file.read_text("ascii").strip() if arguments.token_file else None
    with CenterLogs(arguments.center, token, arguments.pin) as center:
        return verify_store(arguments.path, witnesses=known, center=center, progress=Progress(sys.stderr))


def _with_head(known: Witnesses, head: Head | None) -> Witnesses:
    if head is None:
        return known
    witness = Witness("the head", head.place, head.signature)
    return msgspec.structs.replace(known, heads=(*known.heads, witness))


def _ask(walk: Walk, known: Witnesses, hash_at: Callable[[str, int], str | None]) -> None:
    for witness in known.all_heads:
        witness.check(walk, hash_at(witness.place.epoch, witness.place.seq), known.key)
    if known.anchor is not None:
        known.anchor.check_newest(walk)
    walk.check_key(known.key)


def _walk_store(reader: JournalReader, walk: Walk, ticks: Progress) -> None:
    position = 0
    for row, following in _pairs(_rows(reader)):
        kept = Kept(row.record, row.hash, {"epoch": row.epoch, "seq": row.seq, "entry_id": row.entry_id})
        entry = walk.take(
            row.record,
            kept,
            following.record if following is not None else None,
            lambda epoch, seq: reader.hash_at(epoch, seq) is not None,
        )
        if row.position != position + 1:
            sentence = f"stands at position {row.position} of the table, {position + 1} was expected"
            raise Bad(Finding("order", sentence, entry.epoch, entry.seq, entry.entry_id))
        base = walk.bases.get(entry.epoch) if entry.seq == 1 else None
        position = (reader.position(base.epoch, base.seq) or 0) if base is not None else row.position
        ticks.step()


def _check_pointers(reader: JournalReader, walk: Walk) -> None:
    """Signed heads, the list of epochs and cursors must name what is there. Raises Bad."""
    for signed in _signed_heads(reader):
        end = walk.ends.get(signed.epoch)
        if (end is None or signed.seq > end.seq) and reader.hash_at(signed.epoch, signed.seq) is not None:
            continue  # of a live journal, written since the walk
        stored = reader.hash_at(signed.epoch, signed.seq)
        walk.take_head(signed, stored, "a head signed by this journal")
    listed = reader.epochs()
    grown = [epoch for epoch in listed[len(walk.begins) :] if reader.head(epoch) is not None]
    if listed != [*walk.begins, *grown]:
        raise Bad(walk.here("epochs", "the table own_epoch does not list the epochs of the log"))
    for sink, place in reader.cursors():
        base = walk.bases.get(place.epoch)
        pruned = base is not None and place.seq < base.seq
        if not pruned and reader.hash_at(place.epoch, place.seq) != place.hash:
            sentence = f"the cursor of {sink} points to an entry that is not in this journal"
            raise Bad(Finding("cursor", sentence, place.epoch, place.seq))


def _check_snapshot(reader: JournalReader) -> list[str]:
    """The books kept in the snapshot must be what the entries up to it come to. Raises Bad; gives a note
    where that cannot be seen.
    """
    snapshot = reader.snapshot()
    if snapshot is None:
        return []
    place, state = snapshot
    if reader.hash_at(place.epoch, place.seq) != place.hash:
        sentence = "the snapshot of the state is of an entry that is not in this journal"
        raise Bad(Finding("snapshot", sentence, place.epoch, place.seq))
    kept = NodeBooks.restore(state)
    if kept is None:
        return ["the snapshot of the books is not one that this version reads: what it says was not compared"]
    if reader.start():
        return ["entries before the snapshot of the books were pruned: what it says cannot be compared"]
    try:
        folded, entry_id = _folded(reader, place)
    except StoreError:
        if not reader.start():
            raise
        return []  # the node has pruned its journal meanwhile
    if folded is None:
        return ["this version cannot fold the log: what the snapshot of the books says was not compared"]
    wrong = [name for name in Books.__struct_fields__ if getattr(kept.state, name) != getattr(folded, name)]
    if wrong:
        sentence = (
            "the snapshot of the state that stands for this entry is not what the entries come to, it "
            f"differs in {', '.join(wrong)}"
        )
        raise Bad(Finding("snapshot", sentence, place.epoch, place.seq, entry_id))
    return []


def _folded(reader: JournalReader, upto: Place) -> tuple[Books | None, str]:
    """The state that the entries up to a place come to, and that entry's id; None where an entry is of a kind
    that this version does not know.
    """
    books, entry_id = NodeBooks(), ""
    stop = reader.position(upto.epoch, upto.seq) or 0
    position = 0
    while position < stop:
        for at, record in reader.page(position, min(_PAGE_FOLDED, stop - position)):
            entry = read_record(record)
            try:
                books.fold(Fact.of(entry))
            except EntryError:
                return None, ""
            except (LookupError, AssertionError, AttributeError, TypeError) as error:
                sentence = (
                    f"contradicts the entries before it, so that no node could start with it: {error!r}"
                )
                raise Bad(Finding("body", sentence, entry.epoch, entry.seq, entry.entry_id)) from error
            position, entry_id = at, entry.entry_id
    return books.state, entry_id


def _check_store_itself(reader: JournalReader) -> None:
    """What a person leaves behind who writes to the tables by hand. Raises Bad."""
    for kind, stray in (("raw read", reader.stray_read()), ("passage", reader.stray_passage())):
        if stray is not None and not reader.bases():  # what it had led to may have been pruned before it
            position, entry_id = stray
            sentence = f"{kind} {position} names the entry {entry_id}, which is not in this journal"
            raise Bad(Finding("evidence", sentence))
    kept = reader.schema_names()
    gone = sorted((_TRIGGERS | _PRUNING_TRIGGERS if "pruned" in kept else _TRIGGERS) - kept)
    if gone:
        sentence = f"the triggers that keep the tables append-only were taken away: {', '.join(gone)}"
        raise Bad(Finding("tables", sentence))


def _ask_center(reader: JournalReader, center: CenterLogs | None) -> StoredLog | None:
    """The center's list of this node's epochs, asked before the walk."""
    node = _node_of(reader)
    return center.log(node) if center is not None and node is not None else None


def _node_of(reader: JournalReader) -> str | None:
    """Whose journal this is, by its first entry; None when that says nothing."""
    try:
        begin = read_body(read_record(reader.rows(_BEFORE_ALL, 1)[0].record))
    except (EntryError, IndexError):
        return None
    return begin.node if isinstance(begin, Begin) else None


def _compare(walk: Walk, reader: JournalReader, center: CenterLogs, asked: StoredLog | None) -> list[str]:
    from zonegate.centerlogs import compare

    def stored(epoch: str, seq: int) -> tuple[str, bytes] | None:
        digest = reader.hash_at(epoch, seq)
        return (digest, reader.record_at(epoch, seq) or b"") if digest is not None else None

    node = next(iter(walk.begins.values())).node if walk.begins else ""
    return compare(walk, asked, node, center, stored)


def _result(walk: Walk, finding: Finding | None, notes: Sequence[str]) -> Verified:
    said = list(notes)
    if walk.unread:
        said.append(
            f"{count(walk.unread, 'entry is', 'entries are')} of a kind that this version does not know: "
            "their chain is verified, what they say is not"
        )
    place = walk.place
    if finding is None and place is not None and walk.signed(place.epoch) < place.seq:
        first = walk.signed(place.epoch) + 1
        said.append(f"no signed head vouches for entries {first} to {place.seq} of epoch {place.epoch}")
    pruned = tuple(
        f"entries 2 to {base.seq} of epoch {epoch}, the last one with the hash {base.hash}"
        for epoch, base in walk.bases.items()
        if epoch in walk.begins
    )
    return Verified(
        walk.entries,
        len(walk.begins),
        walk.heads,
        place,
        finding,
        tuple(walk.missing),
        tuple(said),
        pruned,
    )


def _rows(reader: JournalReader) -> Iterator[Row]:
    after = _BEFORE_ALL
    while page := reader.rows(after, _PAGE_ENTRIES):
        yield from page
        after = page[-1].position


def _signed_heads(reader: JournalReader) -> Iterator[Head]:
    after = _BEFORE_ALL
    while page := reader.signed_heads(after, _PAGE_HEADS):
        yield from (head for _, head in page)
        after = page[-1][0]


def _pairs(items: Iterable[_Item]) -> Iterator[tuple[_Item, _Item | None]]:
    """Each item with the one after it; the last with None."""
    earlier: _Item | None = None
    for item in items:
        if earlier is not None:
            yield earlier, item
        earlier = item
    if earlier is not None:
        yield earlier, None


def _bounded_lines(file: BinaryIO) -> Iterator[bytes]:
    """Lines of a file; one that is too long for a record comes cut, and is then no entry."""
    while line := file.readline(RECORD_BYTES_MAX + 2):
        yield line


def _paragraph(path: Path, verified: Verified) -> str:
    counted = (
        f"{count(verified.entries, 'entry', 'entries')} in {count(verified.epochs, 'epoch', 'epochs')} "
        f"and {count(verified.heads, 'signed head', 'signed heads')}"
    )
    notes = "".join(f" Note: {sentence}." for sentence in verified.notes)
    if verified.finding is not None:
        return f"{path} is NOT whole. {verified.finding.told()} Good before it: {counted}.{notes}"
    end = verified.end
    where = f" It ends at entry {end.seq} of epoch {end.epoch}, hash {end.hash}." if end else ""
    known = "".join(f" Known to be missing: {sentence}." for sentence in verified.missing)
    gone = "".join(f" Pruned, and so not verified: {sentence}." for sentence in verified.pruned)
    return f"{path} is whole: {counted}.{where}{known}{gone}{notes}"
