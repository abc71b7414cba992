# SPDX-License-Identifier: Apache-2.0
"""What somebody does who can write to a journal's file, and entries of every kind to do it to.

The entries and the fields that are changed are made from the types themselves: a new kind of entry, or a
new field, is tampered with from its first day.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, Self

import msgspec
from msgspec import inspect

from edge.store import JOURNAL_FILE
from sync import bodies
from sync.entry import GENESIS, Clock, Draft, Entry, Place, canonical, record_bytes, record_hash
from sync.keys import Signer
from tests.edge.journals import START, Site

BODIES: Final = bodies._BODIES
"""Each entry type with its schema and its body's type."""

ORDER: Final = ("begin", *(kind for kind in BODIES if kind not in ("begin", "rotate")), "rotate")
"""The types as they stand in the journal's first epoch, which a `rotate` ends."""

Path_ = tuple[str | int, ...]
"""Where a value stands in a record: names of fields and indexes of lists."""

_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d")


_PLAIN: Final[dict[type[inspect.Type], Any]] = {
    inspect.BoolType: True,
    inspect.IntType: 1,
    inspect.DecimalType: "12.5",
    inspect.DateTimeType: "2026-11-16T08:00:00.250000Z",
    inspect.DateType: "2026-11-16",
    inspect.StrType: "x1",
}


def sample(kind: inspect.Type) -> Any:
    """A JSON value of a type, with every field of every struct in it filled."""
    match kind:
        case inspect.UnionType():
            return sample(next(t for t in kind.types if not isinstance(t, inspect.NoneType)))
        case inspect.StructType():
            return {field.encode_name: sample(field.type) for field in kind.fields}
        case inspect.EnumType():
            return next(iter(kind.cls)).value
        case inspect.ListType() | inspect.VarTupleType() | inspect.SetType() | inspect.FrozenSetType():
            return [sample(kind.item_type)]
        case inspect.TupleType():
            return [sample(one) for one in kind.item_types]
        case inspect.DictType():
            return {"d1": sample(kind.value_type)}
        case inspect.RawType():
            return msgspec.Raw(carried())
    return _PLAIN[type(kind)]


def carried() -> bytes:
    """A record of the center's as a `saw` carries it."""
    body = canonical({"number": "W24"})
    draft = Draft("01900000-0000-7000-8000-00000000000c", "permit", "x", START, Clock(True, "b", 1), body)
    return record_bytes(draft, "c" * 32, 9, START, "d" * 64)


def body_of(entry_type: str) -> bytes:
    """The canonical body of an entry of a type, every field filled."""
    kind = BODIES[entry_type][1]
    typed = msgspec.json.decode(msgspec.json.encode(sample(inspect.type_info(kind))), type=kind)
    return canonical(typed)


async def all_kinds(folder: Path) -> Site:
    """A journal with an entry of every kind in its first epoch, and a second epoch of three entries."""
    site = Site.make(folder)
    journal = site.open()
    clocks = site.time.clocks()
    for kind in ORDER[1:]:
        stamp, schema = clocks.stamp(), BODIES[kind][0]
        draft = Draft(clocks.entry_id(), kind, schema, clocks.utc(), stamp, body_of(kind), "d1", "ab" * 32)
        await journal.append(draft)
    await journal.close()
    await site.grow(2)
    # Without a log beside it, so that a copy is one file.
    sql = sqlite3.connect(site.store / JOURNAL_FILE, isolation_level=None)
    sql.execute("PRAGMA journal_mode = DELETE")
    sql.close()
    return site


def leaves(value: Any, path: Path_ = ()) -> Iterator[Path_]:
    """Every value in a record that is no struct and no list."""
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            yield from leaves(inner, (*path, name))
    elif isinstance(value, list) and value:
        for index, inner in enumerate(value):
            yield from leaves(inner, (*path, index))
    else:
        yield path


def frame_fields() -> set[str]:
    """The names of an entry's fields."""
    return {field.encode_name for field in msgspec.structs.fields(Entry)}


def changed(record: bytes, path: Path_) -> bytes:
    """The record with another value at `path`, all other bytes as they were."""
    told = json.loads(record)
    assert written(told) == record, "the form of records has changed: write them here as it is now"
    inner = told
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = _another(inner[path[-1]])
    return written(told)


def written(told: Any) -> bytes:
    """A record from its JSON values."""
    return json.dumps(told, separators=(",", ":"), ensure_ascii=False).encode()


def _another(value: Any) -> Any:
    """A value like it."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1000
    if isinstance(value, str) and value:
        at = 9 if _TIME.match(value) else len(value) - 1
        return value[:at] + ("1" if value[at] != "1" else "2") + value[at + 1 :]
    return "x"


class Store:
    """A journal's file in the hands of somebody who knows SQL. The triggers are put back at the end."""

    def __init__(self, store: Path) -> None:
        self.sql = sqlite3.connect(store / JOURNAL_FILE, isolation_level=None)
        for setting in ("PRAGMA synchronous = OFF", "PRAGMA journal_mode = MEMORY", "BEGIN"):
            self.sql.execute(setting).fetchall()
        found = self.sql.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'")
        self._triggers = found.fetchall()
        for name, _ in self._triggers:
            self.sql.execute(f"DROP TRIGGER {name}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for _, statement in self._triggers:
            self.sql.execute(statement)
        self.leave()

    def leave(self) -> None:
        """Leave the file as it is now, its triggers gone."""
        self.sql.execute("COMMIT")
        self.sql.close()

    def records(self) -> list[bytes]:
        """All records in their order."""
        return [row[0] for row in self.sql.execute("SELECT record FROM entry ORDER BY position")]

    def put(self, position: int, record: bytes) -> None:
        """Write a record's bytes alone."""
        self.sql.execute("UPDATE entry SET record = ? WHERE position = ?", (record, position))

    def put_fitting(self, position: int, record: bytes) -> None:
        """Write a record with a hash and columns that fit it."""
        told = json.loads(record)
        self.sql.execute(
            "UPDATE entry SET record = ?, hash = ?, epoch = ?, seq = ?, entry_id = ? WHERE position = ?",
            (record, record_hash(record), told["epoch"], told["seq"], told["entry_id"], position),
        )

    def chain_anew(self, position: int, record: bytes) -> None:
        """Write a record and give it and all after it hashes that fit, as somebody without the key can."""
        last = Place("", 0, GENESIS)
        for at, kept in enumerate(self.records(), start=1):
            told = json.loads(record if at == position else kept)
            if at >= position:
                told["prev"] = last.hash if told["seq"] != 1 else GENESIS
                for name in ("parent", "end") if told["type"] == "begin" and at > position else ():
                    told["body"][name] = msgspec.to_builtins(last)
                self.put_fitting(at, written(told))
            last = Place(told["epoch"], told["seq"], record_hash(written(told)))

    def drop_heads(self) -> None:
        """Leave the signed head of the Begin alone."""
        self.sql.execute("DELETE FROM signed_head WHERE position > 1")

    def sign_anew(self, signer: Signer) -> None:
        """Sign the heads that are kept with another key, for the hashes that stand there now."""
        rows = self.sql.execute(
            "SELECT h.position, e.epoch, e.seq, e.hash FROM signed_head h JOIN entry e"
            " ON e.epoch = h.epoch AND e.seq = h.seq"
        ).fetchall()
        for position, epoch, seq, digest in rows:
            head = signer.head(Place(epoch, seq, digest))
            self.sql.execute(
                "UPDATE signed_head SET hash = ?, signature = ? WHERE position = ?",
                (digest, head.signature, position),
            )
