# SPDX-License-Identifier: Apache-2.0
"""Spoils a center's books in one of five ways, or what a gate found, so that whoever checks can be checked.

`drop`: an admission vanishes, from the record and from the books. `dup`: a movement is entered and
published a second time, as a new fact. `admit`: a load that was stopped is booked as gone. `forge`: a
quantity is changed in a stored record and in the books alike. `conjure`: the ledger has one more of the last
lot that was made than was made. `turn`: a pallet that crossed at a gate is said
to have turned round, in the node's own evidence. Run as `python -m simulators.saboteur`; says
what it did in one line.

Works on the center's tables with a superuser's rights, past their triggers, as somebody with the disk in
his hands could. Shares no code with the service or with the grader.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import sqlite3
import sys
import uuid
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import asyncpg
import paho.mqtt.publish as mqtt
from paho.mqtt.enums import MQTTProtocolVersion

Entry = dict[str, Any]


class NothingToSpoil(Exception):
    """The books hold nothing that this act could be done to."""


@dataclass(frozen=True, slots=True)
class Target:
    """Whose books: a node's log at a center. `broker` and `log` (a listener's) are where `dup` publishes."""

    tenant: str
    zone: str
    node: str
    broker: str | None = None
    log: Path | None = None


async def spoil(act: str, dsn: str, target: Target) -> str:
    """Do `act` in one transaction; a sentence of what was done. Raises NothingToSpoil."""
    connection = await asyncpg.connect(dsn, timeout=10)
    try:
        async with connection.transaction():
            await connection.execute("SET LOCAL session_replication_role = replica")
            return await _ACTS[act](connection, target)
    finally:
        await connection.close()


def turn(journal: Path) -> str:
    """Say of the last pallet that crossed at a gate that it turned round. Raises NothingToSpoil."""
    with closing(sqlite3.connect(journal, timeout=10)) as connection, connection:
        rows = connection.execute(_PASSAGES).fetchall()
        found = [(position, json.loads(said)) for position, said in rows]
        position, finding = next((row for row in found if row[1]["kind"] == "crossed"), (0, None))
        if finding is None:
            raise NothingToSpoil(f"no crossing is kept in {journal}")
        finding |= {"kind": "turned", "direction": None, "crossings": []}
        connection.execute(_FORGE_PASSAGE, (json.dumps(finding).encode(), position))
    return f"turned passage {finding['passage']} round, which had crossed"


def main(arguments: list[str] | None = None) -> int:
    """Spoil once; exit code 0 when it is done, 1 when there was nothing to do it to."""
    parser = argparse.ArgumentParser(prog="python -m simulators.saboteur", description=__doc__)
    parser.add_argument("act", choices=sorted([*_ACTS, "turn"]))
    parser.add_argument("--dsn", required=True, help="the center's PostgreSQL as a superuser")
    parser.add_argument("--tenant", default="example")
    parser.add_argument("--zone", default="999001001")
    parser.add_argument("--node", default="dock-1")
    parser.add_argument("--broker", help="mqtt://HOST:PORT, where dup publishes the second event")
    parser.add_argument("--log", type=Path, help="the listener's log, from which dup takes the first event")
    parser.add_argument("--journal", type=Path, help="the node's journal.sqlite3, for turn")
    parser.add_argument(
        "--quiet", type=float, default=1.0, help="begin when nothing has arrived for so many seconds"
    )
    options = parser.parse_args(arguments)
    target = Target(options.tenant, options.zone, options.node, options.broker, options.log)
    if options.act == "turn" and options.journal is None:
        parser.error("turn is done to a node's journal: --journal says where that is")
    try:
        if options.act == "turn":
            done = turn(options.journal)
        else:
            done = asyncio.run(_spoil_when_quiet(options.act, options.dsn, target, options.quiet))
    except NothingToSpoil as error:
        print(f"saboteur: {error}", file=sys.stderr)  # noqa: T201 - a program speaks
        return 1
    print(done, flush=True)  # noqa: T201 - the sentence is the result
    return 0


async def _spoil_when_quiet(act: str, dsn: str, target: Target, quiet_s: float) -> str:
    """Spoil finished books: what is still on its way would meet the lie and be refused."""
    connection = await asyncpg.connect(dsn, timeout=10)
    try:
        before = None
        while (now := await connection.fetchval(_STORED, *_names(target))) != before:
            before = now
            await asyncio.sleep(quiet_s)
    finally:
        await connection.close()
    return await spoil(act, dsn, target)


async def _drop(connection: asyncpg.Connection, target: Target) -> str:
    entry = await _last(connection, target, "admission")
    body = entry["body"]
    await connection.execute(_DELETE_ENTRY, *_names(target), entry["entry_id"])
    await connection.execute(_DELETE_MOVEMENT, *_names(target)[:2], entry["entry_id"])
    await _book(connection, target, body, -Decimal(body["quantity"]))
    return f"dropped admission {entry['entry_id']} of {body['quantity']}, load {_load(body)}"


async def _dup(connection: asyncpg.Connection, target: Target) -> str:
    entry = await _last(connection, target, "withdrawal")
    first, body = entry["entry_id"], entry["body"]
    again = str(uuid.uuid4())
    await _append(connection, target, entry | {"entry_id": again})
    await _book(connection, target, body, -Decimal(body["quantity"]))
    if target.broker is not None and target.log is not None:
        _publish_again(target.broker, target.log, first, again)
    return f"entered withdrawal {first} again as {again}, load {_load(body)}"


async def _admit(connection: asyncpg.Connection, target: Target) -> str:
    entry = await _last(connection, target, "stop", lambda body: body["load"] and body["load"]["quantity"])
    stopped = entry["entry_id"]
    refusal = entry["body"]
    load, line = refusal["load"], refusal["line"]
    use = None if line is None else line | {"quantity": load["quantity"]}
    body = {
        "by": None,
        "clears": None,
        "direction": "out",
        "have": refusal["have"],
        "job": refusal["job"],
        "load": load,
        "owner": load["owner"],
        "quantity": load["quantity"],
        "read": refusal["read"],
        "reason": "withdrawn",
        "status": load["status"],
        "unit": load["unit"],
        "use": use,
    }
    changed = {
        "entry_id": str(uuid.uuid4()),
        "type": "withdrawal",
        "schema": "zonegate.movement.v1",
        "body": body,
    }
    await _append(connection, target, entry | changed)
    await _book(connection, target, body, -Decimal(body["quantity"]))
    return f"booked the load of stop {stopped} as withdrawal {changed['entry_id']}, load {_load(body)}"


async def _forge(connection: asyncpg.Connection, target: Target) -> str:
    entry = await _last(connection, target, "admission")
    body = entry["body"]
    before = body["quantity"]
    body["quantity"] = body["load"]["quantity"] = str(Decimal(before) + 1)
    if body["use"]:
        body["use"]["quantity"] = body["quantity"]
    record = _record(entry)
    place = (*_names(target), entry["entry_id"])
    await connection.execute(_FORGE_ENTRY, *place, record, _hash(record))
    await connection.execute(
        _FORGE_MOVEMENT, *_names(target)[:2], entry["entry_id"], Decimal(body["quantity"])
    )
    await _book(connection, target, body, Decimal(1), used=Decimal(1))
    return f"forged admission {entry['entry_id']} from {before} to {body['quantity']}, load {_load(body)}"


async def _conjure(connection: asyncpg.Connection, target: Target) -> str:
    lot = await connection.fetchval(_LAST_MADE, *_names(target)[:2])
    if lot is None:
        raise NothingToSpoil("the ledger has no lot that was made")
    await connection.execute(_CONJURE, *_names(target)[:2], lot)
    return f"put one more on lot {lot} than was made"


_ACTS: Final[dict[str, Callable[[asyncpg.Connection, Target], Awaitable[str]]]] = {
    "conjure": _conjure,
    "drop": _drop,
    "dup": _dup,
    "admit": _admit,
    "forge": _forge,
}


async def _last(
    connection: asyncpg.Connection,
    target: Target,
    kind: str,
    fits: Callable[[dict[str, Any]], Any] = lambda _: True,
) -> Entry:
    """The newest entry of a type that fits, as JSON."""
    for row in await connection.fetch(_ENTRIES, *_names(target), kind):
        entry: Entry = json.loads(row["record"])
        if fits(entry["body"]):
            return entry
    raise NothingToSpoil(
        f"no {kind} of node {target.node} is stored at the center that this could be done to"
    )


async def _append(connection: asyncpg.Connection, target: Target, entry: Entry) -> None:
    """Put an entry at the end of the node's log, chained as it should be, and among the movements."""
    head = await connection.fetchrow(_HEAD, *_names(target))
    assert head is not None, "a log with entries has a head"
    entry |= {"epoch": head["epoch"], "seq": head["seq"] + 1, "prev": head["hash"]}
    record = _record(entry)
    place = (*_names(target), entry["epoch"], entry["seq"])
    await connection.execute(
        _INSERT_ENTRY, *place, entry["entry_id"], entry["type"], entry["door"], _hash(record), record
    )
    await connection.execute(_MOVE_HEAD, *place, _hash(record))
    body, load, use = entry["body"], entry["body"]["load"], entry["body"]["use"] or {}
    await connection.execute(
        _INSERT_MOVEMENT,
        *place,
        entry["entry_id"],
        entry["type"],
        entry["door"],
        body["job"],
        *(load[name] for name in ("key", "sscc", "gtin", "lot")),
        *(body[name] for name in ("owner", "status")),
        Decimal(body["quantity"]),
        body["unit"],
        use.get("permit"),
        use.get("line"),
        body["reason"],
    )


async def _book(
    connection: asyncpg.Connection,
    target: Target,
    body: dict[str, Any],
    came: Decimal,
    used: Decimal | None = None,
) -> None:
    """Make the books agree with the lie: so much came to the load, so much of the line is used."""
    owner = (body["load"]["key"], body["owner"], body["status"])
    await connection.execute(_ADD_HOLDING, *_names(target)[:2], *owner, came)
    if body["use"]:
        line = (body["use"]["permit"], body["use"]["line"])
        quantity = Decimal(body["quantity"]) if body["direction"] == "out" else came
        await connection.execute(_ADD_USED, *_names(target)[:2], *line, quantity if used is None else used)


def _publish_again(broker: str, log: Path, first: str, again: str) -> None:
    """Publish the event of entry `first` once more, under the new id."""
    for line in log.read_text(encoding="utf-8").splitlines():
        message = json.loads(line)
        if "/event/" not in message["topic"]:
            continue
        if json.loads(message["payload"]).get("id") == first:
            url = urlsplit(broker)
            mqtt.single(
                message["topic"],
                message["payload"].replace(first, again),
                qos=1,
                hostname=url.hostname or "127.0.0.1",
                port=url.port or 1883,
                protocol=MQTTProtocolVersion.MQTTv5,
            )
            return
    raise NothingToSpoil(f"the listener's log {log} has no event of entry {first}")


def _record(entry: Entry) -> bytes:
    """JSON in the order the entry was read in, as the service writes it."""
    return json.dumps(entry, separators=(",", ":"), ensure_ascii=False).encode()


def _hash(record: bytes) -> str:
    return hashlib.sha256(b"zonegate/entry/1\0" + record).hexdigest()


def _load(body: dict[str, Any]) -> str:
    return str(body["load"]["sscc"] or body["load"]["key"])


def _names(target: Target) -> tuple[str, str, str]:
    return target.tenant, target.zone, target.node


_STORED: Final = """
SELECT count(*) FROM entry WHERE tenant = $1 AND zone = $2 AND node = $3
"""
_ENTRIES: Final = """
SELECT record FROM entry WHERE tenant = $1 AND zone = $2 AND node = $3 AND type = $4
ORDER BY received_at DESC, seq DESC
"""
_HEAD: Final = """
SELECT epoch, seq, hash FROM log_head WHERE tenant = $1 AND zone = $2 AND node = $3
ORDER BY place DESC LIMIT 1
"""
_MOVE_HEAD: Final = """
UPDATE log_head SET seq = $5, hash = $6 WHERE tenant = $1 AND zone = $2 AND node = $3 AND epoch = $4
"""
_INSERT_ENTRY: Final = """
INSERT INTO entry (tenant, zone, node, epoch, seq, entry_id, type, door, occurred_at, received_at, hash,
    record)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, now(), now(), $9, $10)
"""
_DELETE_ENTRY: Final = """
DELETE FROM entry WHERE tenant = $1 AND zone = $2 AND node = $3 AND entry_id = $4
"""
_FORGE_ENTRY: Final = """
UPDATE entry SET record = $5, hash = $6 WHERE tenant = $1 AND zone = $2 AND node = $3 AND entry_id = $4
"""
_INSERT_MOVEMENT: Final = """
INSERT INTO movement (tenant, zone, node, epoch, seq, entry_id, type, door, job, key, sscc, gtin, lot, owner,
    status, quantity, unit, permit, line, reason, occurred_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, now())
"""
_DELETE_MOVEMENT: Final = """
DELETE FROM movement WHERE tenant = $1 AND zone = $2 AND entry_id = $3
"""
_FORGE_MOVEMENT: Final = """
UPDATE movement SET quantity = $4 WHERE tenant = $1 AND zone = $2 AND entry_id = $3
"""
_ADD_HOLDING: Final = """
UPDATE holding SET quantity = quantity + $6
WHERE tenant = $1 AND zone = $2 AND key = $3 AND owner = $4 AND status = $5
"""
_LAST_MADE: Final = """
SELECT lot FROM posting WHERE tenant = $1 AND zone = $2 AND account_from = 'made' AND lot NOT LIKE '%-S'
ORDER BY known_place DESC, known_seq DESC LIMIT 1
"""
_CONJURE: Final = """
UPDATE posting SET quantity = quantity + 1
WHERE tenant = $1 AND zone = $2 AND lot = $3 AND account_from = 'made'
"""
_PASSAGES: Final = "SELECT position, finding FROM passage_evidence ORDER BY position DESC"
_GUARDS: Final = (
    "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'passage_evidence'"
)
_FORGE_PASSAGE: Final = "UPDATE passage_evidence SET finding = ? WHERE position = ?"
_ADD_USED: Final = """
UPDATE permit_line SET used = used + $5 WHERE tenant = $1 AND zone = $2 AND permit = $3 AND line = $4
"""

if __name__ == "__main__":
    sys.exit(main())
