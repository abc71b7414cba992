# SPDX-License-Identifier: Apache-2.0
"""A small world in which all went well, made from expected facts with a chain builder of its own.

Tests spoil it in one place and see that the grader finds it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import sqlite3
import uuid
from collections import defaultdict
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import asyncpg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from simulators.grader.compare import Grade, grade
from simulators.grader.evidence import Center, Event, Fact, Journal, Passage, Subscriber, Trip, Truth
from simulators.grader.record import Head, Row
from simulators.yard.scenario import build
from simulators.yard.story import Step

TENANT, ZONE, NODE = "example", "999001001", "dock-1"
MIGRATIONS = Path(__file__).parents[2] / "central" / "migrations"

Steps = list[tuple[int, Fact]]

_DAY_S = 1_780_000_000.0


def day_facts(script: str = "day") -> Steps:
    """What a script expects, in order."""
    return [(step.number, fact) for step in _steps(script) for fact in step.expect]


def day_trips() -> list[Trip]:
    """What a day drives through its gate, and what its drivers saw."""
    trips = []
    for step in _steps("day"):
        if step.drive is None:
            continue
        drive = step.drive
        said: dict[str, Any] = {
            "manner": drive.manner,
            "kinds": list(drive.kinds),
            "direction": drive.direction,
            "unit": drive.unit.hex(),
            "tags": [epc.hex() for epc in (drive.unit, *drive.items) if epc],
        }
        if step.answer == "stop":
            said["stop"] = {"screen_ms": 900, "lamp_ms": 800}
        from_s = _DAY_S + 10.0 * step.number
        trips.append(Trip(step.number, step.door, from_s, from_s + 6, said))
    return trips


def passage_of(trip: Trip, **changed: Any) -> Passage:
    """What a gate finds of a trip, as a node keeps it."""
    said = trip.said
    moved = said["tags"] if said["kinds"] == ["crossed"] else []
    finding = {
        "kind": said["kinds"][0],
        "direction": said["direction"],
        "crossings": [said["direction"]] if said["direction"] else [],
        "tags": [{"epc": _base64(epc), "moved": True} for epc in moved],
    }
    name = f"{trip.door}-{trip.step}"
    return Passage(name, trip.door, trip.from_s + 1, {"passage": name, **finding, **changed})


def _steps(script: str) -> tuple[Step, ...]:
    return build(script, 1, date(2026, 6, 3), gate=True).steps


@dataclass
class Log:
    """One epoch of a log, chained and signed."""

    node: str
    chance: Random
    rows: list[Row] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.epoch = self.chance.randbytes(16).hex()
        self.key = Ed25519PrivateKey.from_private_bytes(self.chance.randbytes(32))
        public = self.key.public_key().public_bytes_raw().hex()
        self.add("begin", None, {"key": public, "node": self.node})

    def add(self, kind: str, door: str | None, body: dict[str, Any], entry_id: str = "") -> Row:
        entry_id = entry_id or str(uuid.UUID(bytes=self.chance.randbytes(16)))
        record = {
            "v": 1,
            "entry_id": entry_id,
            "epoch": self.epoch,
            "seq": len(self.rows) + 1,
            "type": kind,
            "schema": f"zonegate.{kind}.v1",
            "occurred_at": f"2026-06-03T08:00:00.{self.chance.randrange(10**6):06d}Z",
            "recorded_at": "2026-06-03T08:00:00.000000Z",
            "door": door,
            "body": body,
            "prev": self.rows[-1].hash if self.rows else "0" * 64,
        }
        data = json.dumps(record, separators=(",", ":")).encode()
        digest = hashlib.sha256(b"zonegate/entry/1\x00" + data).hexdigest()
        row = Row(self.epoch, len(self.rows) + 1, entry_id, kind, digest, data)
        self.rows.append(row)
        return row

    def head(self, seq: int = 0) -> Head:
        row = self.rows[seq - 1]
        message = f"zonegate/head/1\x00{row.epoch}:{row.seq}:{row.hash}".encode()
        return Head(row.epoch, row.seq, row.hash, self.key.sign(message).hex())


class World:
    """Everything the grader looks at. Built whole; lists and dictionaries may be changed by a test."""

    def __init__(self, happened: Steps, seed: int = 1, trips: Sequence[Trip] = ()) -> None:
        chance = Random(seed)
        self.log, self.own = Log(NODE, chance), Log("center", chance)
        self.holdings: dict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
        self.used: dict[str, Decimal] = defaultdict(Decimal)
        self.movements: dict[str, tuple[Decimal, bool]] = {}
        self.events: list[Event] = []
        self.truth = Truth(len(happened), tuple(happened), tuple(trips))
        self.passages = [passage_of(trip) for trip in trips]
        self._ids: dict[tuple[int, str], str] = {}
        for step, fact in happened:
            self.happens(step, fact)
        self.log.add("settings", None, {})
        upto = self.log.rows[-1]
        self.own.add(
            "center-saw",
            None,
            {
                "node": NODE,
                "epoch": upto.epoch,
                "upto": {"epoch": upto.epoch, "seq": upto.seq, "hash": upto.hash},
            },
        )
        self.journal_rows, self.center_rows = list(self.log.rows), list(self.log.rows)
        self.heads = [self.log.head()]
        self.published_heads = [self.log.head(2), self.log.head()]

    def happens(self, step: int, fact: Fact) -> None:
        row = self.log.add(fact["type"], fact["door"], self._body(fact))
        self._ids[step, fact["type"]] = row.entry_id
        self.tell(row)
        if fact["type"] not in ("admission", "withdrawal", "correction"):
            return
        quantity, sign = Decimal(fact["quantity"]), -1 if fact["type"] == "correction" else 1
        came = sign * quantity if fact["direction"] == "in" else -sign * quantity
        self.holdings[_key(fact["load"]), fact["owner"], fact["status"]] += came
        if fact["line"]:
            self.used[fact["line"]] += sign * quantity
        if fact["type"] != "correction":
            self.movements[row.entry_id] = quantity, False

    def tell(self, row: Row, **changed: Any) -> None:
        entry = json.loads(row.record)
        message = {
            "id": row.entry_id,
            "type": f"zonegate.{row.type}.recorded.v1",
            "time": entry["occurred_at"],
            "sequence": f"{row.seq:012d}",
            "epoch": row.epoch,
            "recordhash": row.hash,
            "data": {"entry": row.entry_id, **_told(row.type, entry["body"])},
        }
        topic = f"zonegate/v1/{TENANT}/{ZONE}/{NODE}/{entry['door']}/event/{row.type}"
        message |= changed
        self.events.append(Event(topic, message["id"], json.dumps(message)))

    def grade(self) -> Grade:
        return grade(
            self.truth,
            Journal(self.journal_rows, self.heads, passages=self.passages, reads=len(self.truth.facts)),
            Center(
                self.center_rows,
                self.heads,
                self.own.rows,
                [self.own.head()],
                {key: quantity for key, quantity in self.holdings.items() if quantity},
                dict(self.used),
                self.movements,
            ),
            Subscriber(self.events, self.published_heads),
        )

    def place_of(self, kind: str, nth: int = -1) -> int:
        """Where in the center's copy the nth entry of a type stands."""
        return [place for place, row in enumerate(self.center_rows) if row.type == kind][nth]

    def _body(self, fact: Fact) -> dict[str, Any]:
        load = fact["load"]
        known = fact["type"] in ("admission", "withdrawal", "correction") or "quantity" in fact
        line = fact.get("line")
        permit = dict(zip(("permit", "line"), line.rsplit("/", 1), strict=True)) if line else None
        body = {
            "job": fact["job"],
            "reason": fact["reason"],
            "read": {"code": load},
            "have": 1,
            "load": {
                "key": _key(load),
                "sscc": load if load.isdigit() and len(load) == 18 else None,
                "gtin": fact.get("gtin"),
                "lot": None,
                "quantity": fact["quantity"] if known else None,
                "unit": "EA",
                "owner": fact.get("owner", "Example Brackets"),
                "status": fact.get("status", "PF"),
            }
            if load
            else None,
        }
        if fact["type"] == "job":
            return body | {"event": fact["reason"], **{name: fact.get(name) for name in _JOB}}
        if fact["type"] in ("hold", "stop"):
            unread = fact["reason"] in ("no-read", "unreadable", "no-tag")
            body |= {"line": permit, "left": fact.get("left"), "crossed": fact.get("crossed")}
            return body | ({"load": None} if unread else {})
        body |= {name: fact[name] for name in ("quantity", "direction", "owner", "status")}
        body |= {"unit": "EA", "use": permit and permit | {"quantity": fact["quantity"]}}
        if fact["type"] == "correction":
            undone = next(
                row
                for row in reversed(self.log.rows)
                if row.type == fact["movement"]
                and json.loads(row.record)["body"]["load"]["key"] == _key(load)
            )
            self.movements[undone.entry_id] = self.movements[undone.entry_id][0], True
            return body | {"movement": fact["movement"], "corrects": undone.entry_id}
        return body | {"clears": self._ids.get((fact.get("clears", 0), "hold"))}

    # -- as files and tables ----------------------------------------------------------------------

    def write_files(self, folder: Path) -> dict[str, Path]:
        """The truth file, the journal and the listener's log in `folder`."""
        paths = {name: folder / name for name in ("truth.jsonl", "journal.sqlite3", "events.jsonl")}
        truth = [{"kind": "script"}] + [
            {"kind": "step", "step": step, "scans": 1, "expect": [fact]} for step, fact in self.truth.facts
        ]
        truth += [
            {
                "kind": "step",
                "step": trip.step,
                "door": trip.door,
                "scans": 0,
                "expect": [],
                "passage": {"from": _moment(trip.from_s), "until": _moment(trip.until_s), **trip.said},
            }
            for trip in self.truth.trips
        ]
        _write_lines(paths["truth.jsonl"], truth)
        heads = [
            {"topic": f"zonegate/v1/{TENANT}/{ZONE}/{NODE}/head", "payload": json.dumps(_head_dict(head))}
            for head in self.published_heads
        ]
        events = [{"topic": event.topic, "payload": event.payload} for event in self.events]
        _write_lines(paths["events.jsonl"], heads + events)
        with closing(sqlite3.connect(paths["journal.sqlite3"])) as connection, connection:
            connection.execute(
                "CREATE TABLE entry (position INTEGER PRIMARY KEY, epoch, seq, entry_id, type, hash, record)"
            )
            connection.execute(
                "CREATE TABLE signed_head (position INTEGER PRIMARY KEY, epoch, seq, hash, signature)"
            )
            connection.execute("CREATE TABLE read_evidence (position INTEGER PRIMARY KEY)")
            connection.execute(
                "CREATE TABLE passage_evidence (position INTEGER PRIMARY KEY, passage, door, at, finding)"
            )
            connection.executemany(
                "INSERT INTO passage_evidence (passage, door, at, finding) VALUES (?, ?, ?, ?)",
                [(p.name, p.door, _moment(p.at_s), json.dumps(p.finding).encode()) for p in self.passages],
            )
            connection.executemany(
                "INSERT INTO entry (epoch, seq, entry_id, type, hash, record) VALUES (?, ?, ?, ?, ?, ?)",
                [(r.epoch, r.seq, r.entry_id, r.type, r.hash, r.record) for r in self.journal_rows],
            )
            connection.executemany(
                "INSERT INTO signed_head (epoch, seq, hash, signature) VALUES (?, ?, ?, ?)",
                [(h.epoch, h.seq, h.hash, h.signature) for h in self.heads],
            )
        return paths

    async def write_tables(self, dsn: str) -> None:
        """The center's tables, made by its own migrations and filled by hand."""
        connection = await asyncpg.connect(dsn)
        try:
            for migration in sorted(MIGRATIONS.glob("*.sql")):
                await connection.execute(migration.read_text())
            for log, rows in ((self.log, self.center_rows), (self.own, self.own.rows)):
                await self._write_log(connection, log, rows)
            for (key, owner, status), quantity in self.holdings.items():
                await connection.execute(
                    "INSERT INTO holding (tenant, zone, key, owner, status, unit, quantity) "
                    "VALUES ($1, $2, $3, $4, $5, 'EA', $6)",
                    TENANT,
                    ZONE,
                    key,
                    owner,
                    status,
                    quantity,
                )
            for line, quantity in self.used.items():
                await connection.execute(
                    "INSERT INTO permit_line (tenant, zone, permit, line, used) VALUES ($1, $2, $3, $4, $5)",
                    TENANT,
                    ZONE,
                    *line.rsplit("/", 1),
                    quantity,
                )
            for place, (entry_id, (quantity, undone)) in enumerate(self.movements.items()):
                await connection.execute(
                    "INSERT INTO movement (tenant, zone, entry_id, node, epoch, seq, type, key, owner, "
                    "status, quantity, unit, reason, occurred_at, reversed_by) VALUES "
                    "($1, $2, $3, $4, 'e', $5, '', '', '', '', $6, 'EA', '', now(), $7)",
                    TENANT,
                    ZONE,
                    entry_id,
                    NODE,
                    place,
                    quantity,
                    entry_id if undone else None,
                )
        finally:
            await connection.close()

    async def _write_log(self, connection: asyncpg.Connection, log: Log, rows: list[Row]) -> None:
        head = log.head()
        await connection.execute(
            "INSERT INTO log_head (tenant, zone, node, epoch, place, seq, hash, signed_seq, signed_hash, "
            "signature) VALUES ($1, $2, $3, $4, 1, $5, $6, $5, $6, $7)",
            TENANT,
            ZONE,
            log.node,
            log.epoch,
            head.seq,
            head.hash,
            head.signature,
        )
        await connection.executemany(
            "INSERT INTO entry (tenant, zone, node, epoch, seq, entry_id, type, occurred_at, received_at, "
            "hash, record) VALUES ($1, $2, $3, $4, $5, $6, $7, now(), now(), $8, $9)",
            [(TENANT, ZONE, log.node, r.epoch, r.seq, r.entry_id, r.type, r.hash, r.record) for r in rows],
        )


_JOB = ("direction", "planned", "counted", "missing")


def _key(load: str | None) -> str:
    if load and load.isdigit() and len(load) == 18:
        return f"https://id.gs1.org/00/{load}"
    return load or ""


def _told(kind: str, body: dict[str, Any]) -> dict[str, Any]:
    """An event's data as the service writes it, as far as the grader looks."""
    if kind in ("admission", "withdrawal"):
        item = {"epcClass": body["load"]["key"], "quantity": int(body["quantity"])}
        return {"quantityList": [item], "zg:quantity": body["quantity"], "zg:reason": body["reason"]}
    if kind in ("hold", "stop"):
        line = body["line"] or {"permit": None, "line": None}
        quantity = (body["load"] or {}).get("quantity")
        return {"job": body["job"], "reason": body["reason"], "quantity": quantity, **line}
    return {name: body.get(name) for name in ("job", "event", "missing")}


def _moment(at_s: float) -> str:
    return datetime.fromtimestamp(at_s, UTC).isoformat()


def _base64(digits: str) -> str:
    return base64.b64encode(bytes.fromhex(digits)).decode()


def _head_dict(head: Head) -> dict[str, Any]:
    return {"epoch": head.epoch, "seq": head.seq, "hash": head.hash, "signature": head.signature}


def _write_lines(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
