# SPDX-License-Identifier: Apache-2.0
"""Walking a log entry by entry: what can be found in it from within, and against heads kept elsewhere.

Takes records in the order of the log, from whatever store they come. Memory stays bounded however long
the log is. Knows no store, no file and no network.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from sync.bodies import Begin, read_body, schema_of
from sync.entry import GENESIS, Entry, Head, Place, read_record, record_hash
from sync.errors import EntryError, SignatureError
from sync.keys import check_head
from zonegate.findings import Bad, Finding, at, count


class Kept(msgspec.Struct, frozen=True):
    """A record with what its store keeps beside it; `columns` repeat fields of the entry by their names."""

    record: bytes
    hash: str
    columns: Mapping[str, Any]


class Walk:
    """The chain so far, epoch after epoch. `owner` is (tenant, zone, node) when it is known from outside.

    `bases` are the places up to which epochs were pruned: behind its Begin such an epoch goes on there.
    """

    def __init__(self, owner: tuple[str, str, str] | None = None, bases: Iterable[Place] = ()) -> None:
        self.bases = {base.epoch: base for base in bases}
        self.entries = 0
        self.heads = 0
        self.place: Place | None = None
        self.begins: dict[str, Begin] = {}
        self.ends: dict[str, Place] = {}
        self.missing: list[str] = []
        self.unread = 0
        self._owner = owner
        self._sound: dict[str, int] = {}
        self._signed: dict[str, int] = {}
        self._lost: dict[str, int] = {}
        self._last_id: str | None = None
        self._seen = _SeenIds()

    def close(self) -> None:
        """Remove what was kept aside."""
        self._seen.close()

    def take(
        self,
        record: bytes,
        kept: Kept | None = None,
        following: bytes | None = None,
        stands: Callable[[str, int], bool] | None = None,
    ) -> Entry:
        """Check the next record, which must follow the one before; raises Bad.

        `following` is the record after it: where two entries do not fit together, it tells which of the
        two is as it was written. `stands` says whether a place is stored anywhere in this log.
        """
        try:
            entry = read_record(record)
        except EntryError as error:
            raise self._unreadable(kept, error) from error
        digest = record_hash(record)
        if kept is not None:
            _check_kept(entry, kept, digest, following)
        self._check_follows(entry, digest, following, stands)
        try:
            self._check_meaning(entry)
        except Bad as bad:
            if _prev_of(following) in (digest, None):
                raise
            # Nobody wrote it so: the entry after it names another hash.
            raise at(
                entry, "changed", f"was changed after it was written: it {bad.finding.sentence}"
            ) from bad
        self.entries += 1
        self._last_id = entry.entry_id
        place = Place(entry.epoch, entry.seq, digest)
        end = self.bases.get(entry.epoch, place) if entry.seq == 1 else place
        self.place = self.ends[entry.epoch] = end
        return entry

    def take_head(self, head: Head, stored: str | None, what: str, key: str | None = None) -> None:
        """Check a signed head against the chain; `stored` is the hash at its place. Raises Bad."""
        begin = self.begins.get(head.epoch)
        if begin is None:
            raise self._not_here(head.place, what)
        try:
            check_head(key or begin.key, head)
        except SignatureError as error:
            whose = "the key given" if key else "the key that its epoch's Begin names"
            sentence = f"{what} at this entry is not signed with {whose}"
            raise Bad(Finding("signature", sentence, head.epoch, head.seq)) from error
        self.take_place(head.place, stored, what)
        self._signed[head.epoch] = max(self.signed(head.epoch), head.seq)
        self.heads += 1

    def take_place(self, place: Place, stored: str | None, what: str) -> None:
        """Check a place that a witness keeps against the chain. Raises Bad."""
        end = self.ends.get(place.epoch)
        if end is None:
            raise self._not_here(place, what)
        if place.seq == 0:
            return  # an anchor before its epoch's first entry
        if place.seq > end.seq:
            if place.seq <= self._lost.get(place.epoch, 0):
                return  # a Begin says itself that these were lost, and how many
            missing = count(place.seq - end.seq, "entry is", "entries are")
            sentence = f"the log ends at {end.seq}, {what} names {place.seq}: {missing} missing"
            raise Bad(Finding("tail", sentence, place.epoch, end.seq + 1))
        base = self.bases.get(place.epoch)
        if stored is None and base is not None and place.seq < base.seq:
            sentence = f"{what} cannot be compared: entries up to {base.seq} were pruned"
            raise Bad(Finding("pruned", sentence, place.epoch, place.seq))
        if stored != place.hash:
            first = min(self._sound.get(place.epoch, 0) + 1, place.seq)
            which = "this entry" if first == place.seq else "one of these entries"
            sentence = f"{which} was changed and the log chained anew: {what} names another at {place.seq}"
            raise Bad(Finding("head", sentence, place.epoch, first, last=place.seq))
        self._sound[place.epoch] = max(self._sound.get(place.epoch, 0), place.seq)

    def check_key(self, key: str | None, whose: str = "the key given") -> None:
        """The newest epoch must name the key that is trusted. Raises Bad."""
        if key is None or self.place is None:
            return
        named = self.begins[self.place.epoch].key
        if named != key:
            raise Bad(Finding("key", f"names the key {named}, {whose} is {key}", self.place.epoch, 1))

    def here(self, problem: str, sentence: str) -> Finding:
        """A finding at the last good entry."""
        if self.place is None:
            return Finding(problem, sentence)
        return Finding(problem, sentence, self.place.epoch, self.place.seq, self._last_id)

    def signed(self, epoch: str) -> int:
        """The last entry of an epoch that a signed head vouches for."""
        return self._signed.get(epoch, 0)

    def _check_meaning(self, entry: Entry) -> None:
        if entry.seq == 1:
            self._take_begin(entry)
        elif entry.type == "begin":
            raise at(entry, "begin", "is a Begin in the middle of an epoch")
        self._check_body(entry)
        if not self._seen.add(entry.entry_id):
            raise at(entry, "duplicate", "has an id that an entry before it has, too")

    def _unreadable(self, kept: Kept | None, error: EntryError) -> Bad:
        if kept is None:
            return Bad(self.here("record", f"the entry after this one cannot be read: {error}"))
        said = kept.columns
        return Bad(Finding("record", f"is no entry: {error}", said["epoch"], said["seq"], said["entry_id"]))

    def _not_here(self, place: Place, what: str) -> Bad:
        return Bad(
            Finding("epochs", f"{what} is of epoch {place.epoch}, which is not in this log", place.epoch)
        )

    def _check_follows(
        self, entry: Entry, digest: str, following: bytes | None, stands: Callable[[str, int], bool] | None
    ) -> None:
        last = self.place
        same = last is not None and entry.epoch == last.epoch
        expected = last.seq + 1 if last is not None and same else 1
        if not same and entry.epoch in self.begins:
            raise at(entry, "order", "stands after another epoch had begun")
        self._check_belongs(entry, expected, following, same=same)
        if entry.seq != expected:
            if entry.seq < expected or (stands is not None and stands(entry.epoch, expected)):
                raise at(entry, "order", f"stands where entry {expected} was expected: entries were moved")
            gone = entry.seq - expected
            sentence = f"{'is' if gone == 1 else 'are'} missing: entry {entry.seq} stands there"
            raise Bad(Finding("missing", sentence, entry.epoch, expected, last=entry.seq - 1))
        if last is None or not same:
            if entry.prev != GENESIS:
                raise at(entry, "changed", "was changed after it was written: an epoch's first follows none")
        elif entry.prev != last.hash:
            vouched = _prev_of(following)
            if vouched == digest:
                sentence = "was changed after it was written: the entry after it names another hash"
                raise Bad(self.here("changed", sentence))
            if vouched is not None:
                raise at(entry, "changed", "was changed after it was written: it names another one before it")
            sentence = "do not follow one another: one of both was changed after it was written"
            raise Bad(Finding("changed", sentence, entry.epoch, last.seq, last=entry.seq))

    def _check_belongs(self, entry: Entry, expected: int, following: bytes | None, *, same: bool) -> None:
        """Two entries that are chained but say they are not, or the other way round: one was changed."""
        last = self.place
        said = f"it says it is entry {entry.seq} of epoch {entry.epoch}"
        if last is None or entry.prev == GENESIS:
            if entry.prev == GENESIS and entry.seq != 1:
                sentence = f"was changed after it was written: it follows none, but {said}"
                raise Bad(Finding("changed", sentence, entry.epoch, 1, entry.entry_id))
        elif (
            not same
            and entry.seq == last.seq + 1
            and (entry.prev != last.hash or (last.seq == 1 and _epoch_of(following) == entry.epoch))
        ):
            sentence = f"was changed after it was written: the entry after it is of epoch {entry.epoch}"
            raise Bad(self.here("changed", sentence))
        elif entry.prev == last.hash and (not same or entry.seq != expected):
            sentence = f"was changed after it was written: it follows the entry before it, but {said}"
            raise Bad(Finding("changed", sentence, last.epoch, last.seq + 1, entry.entry_id))

    def _check_body(self, entry: Entry) -> None:
        try:
            known = schema_of(entry.type) == entry.schema
        except KeyError:
            known = False
        if not known:
            self.unread += 1
            return
        try:
            read_body(entry)
        except EntryError as error:
            raise at(entry, "body", f"has a body that no node writes: {error}") from error

    def _take_begin(self, entry: Entry) -> None:
        if entry.type != "begin":
            raise at(entry, "begin", f"is the first of its epoch and no Begin but {entry.type!r}")
        try:
            begin = read_body(entry)
        except EntryError as error:
            raise at(entry, "begin", f"is no Begin that can be read: {error}") from error
        if not isinstance(begin, Begin):
            raise at(entry, "begin", f"is a Begin with the schema {entry.schema!r}")
        said = (begin.tenant, begin.zone, begin.node)
        owner = self._owner or said
        if said != owner:
            raise at(entry, "begin", f"was begun by {'/'.join(said)}, the log is of {'/'.join(owner)}")
        self._owner = owner
        if begin.parent is not None:
            self._check_parent(entry, begin.parent, begin.end)
        elif self.begins:
            raise at(entry, "parent", "begins an epoch after another and names none that it continues")
        self.begins[entry.epoch] = begin

    def _check_parent(self, entry: Entry, parent: Place, end: Place | None) -> None:
        stored = self.ends.get(parent.epoch)
        if stored is not None and stored.seq == parent.seq and stored != parent:
            sentence = (
                f"was changed after it was written: the epoch after it, {entry.epoch}, names another hash"
            )
            raise Bad(self.here("changed", sentence))
        if stored is not None and stored != parent:
            sentence = f"continues from entry {parent.seq} of epoch {parent.epoch}, which ends otherwise here"
            raise at(entry, "parent", sentence)
        if stored is None and (end is None or self.begins):
            raise at(entry, "parent", f"continues from epoch {parent.epoch}, which is not here")
        if end is None:
            return
        if end.epoch != parent.epoch or end.seq < parent.seq:
            raise at(entry, "begin", f"names an end at entry {end.seq} that is not after its parent's")
        have = stored.seq if stored else 0
        if end.seq > have:
            self._lost[end.epoch] = end.seq
            self.missing.append(
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


def _prev_of(following: bytes | None) -> str | None:
    """What the next record says was before it; None when there is none, or it says nothing.

    Asked only where something does not fit: it reads the record a second time.
    """
    after = _entry(following)
    if after is None or after.seq > 1:
        return after.prev if after is not None else None
    try:
        begin = read_body(after)
    except EntryError:
        return None
    return begin.parent.hash if isinstance(begin, Begin) and begin.parent is not None else None


def _epoch_of(following: bytes | None) -> str | None:
    after = _entry(following)
    return after.epoch if after is not None else None


def _entry(record: bytes | None) -> Entry | None:
    try:
        return read_record(record) if record is not None else None
    except EntryError:
        return None


def _check_kept(entry: Entry, kept: Kept, digest: str, following: bytes | None) -> None:
    """The hash and the columns beside a record must be its own; names what of both was changed."""
    said = kept.columns
    where = (said["epoch"], said["seq"], said["entry_id"])
    if digest != kept.hash:
        numbers = f"it is stored with the hash {kept.hash[:16]}..., its bytes have {digest[:16]}..."
        if _prev_of(following) == digest:
            sentence = f"is as it was written, its stored hash was changed: {numbers}"
            raise Bad(Finding("hash", sentence, *where))
        raise Bad(Finding("changed", f"was changed after it was written: {numbers}", *where))
    for name, stored in said.items():
        ours = getattr(entry, name)
        if ours == stored:
            continue
        if _prev_of(following) in (digest, None):
            sentence = f"has {stored!r} in the column {name}, its record says {ours!r}"
            raise Bad(Finding("column", sentence, *where))
        sentence = f"was changed after it was written: it says {name} {ours!r}, its column {stored!r}"
        raise Bad(Finding("changed", sentence, *where))
