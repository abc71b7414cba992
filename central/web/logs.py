# SPDX-License-Identifier: Apache-2.0
"""The center as a witness of its logs: which epochs of a node it stores, and what stands at a place.

`zonegate verify --center` compares a journal with these answers. The own log is that of node `center`.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

import msgspec
from aiohttp import web

from central.database import Database
from central.errors import Denied
from central.queries import query
from sync.bodies import Begin, Close, read_body
from sync.entry import Head, Place, read_record
from sync.errors import EntryError

_NAME: Final = re.compile(r"[a-z0-9_-]{1,40}\Z")
_EPOCH: Final = re.compile(r"[0-9a-f]{32}\Z")
_SEQ: Final = re.compile(r"[1-9][0-9]{0,17}\Z")


class StoredEpoch(msgspec.Struct, frozen=True):
    """One epoch as it is stored: its last place, the key and parent that its Begin names, the latest head
    its writer signed (a claim, which may be ahead of what is stored), and whether it was closed.
    """

    epoch: str
    seq: int
    hash: str
    key: str
    closed: bool
    parent: Place | None = None
    end: Place | None = None
    signed: Head | None = None


class StoredLog(msgspec.Struct, frozen=True):
    """The epochs of a node's log in the order they came."""

    node: str
    epochs: tuple[StoredEpoch, ...]


class StoredPlace(msgspec.Struct, frozen=True):
    """What is stored at one place; `record` is the bytes that were hashed, in base64."""

    node: str
    epoch: str
    seq: int
    hash: str
    entry_id: str
    received_at: datetime
    record: bytes


class Logs:
    """The handlers of /api/v1/logs for one tenant and zone."""

    def __init__(self, database: Database, tenant: str, zone: str) -> None:
        self._database = database
        self._who = (tenant, zone)

    def routes(self) -> list[web.RouteDef]:
        """The routes of the logs."""
        return [
            web.get("/api/v1/logs/{node}", self._log),
            web.get("/api/v1/logs/{node}/{epoch}/{seq}", self._place),
        ]

    async def _log(self, request: web.Request) -> web.Response:
        node = _node(request)
        async with self._database.session() as connection:
            rows = await connection.fetch(query("epochs_of"), *self._who, node)
            if not rows:
                raise Denied(404, f"no log of {node} is stored", "Look up the nodes in /api/v1/nodes.")
            closings = await connection.fetch(query("closings"), *self._who)
        closed = {epoch for row in closings for epoch in _closed(row["record"])}
        epochs = []
        for row in rows:
            begin = _begin(row["record"])
            epochs.append(
                StoredEpoch(
                    row["epoch"],
                    row["seq"],
                    row["hash"],
                    begin.key if begin else "",
                    row["epoch"] in closed,
                    begin.parent if begin else None,
                    begin.end if begin else None,
                    Head(row["epoch"], row["signed_seq"], row["signed_hash"], row["signature"])
                    if row["signature"]
                    else None,
                )
            )
        return _json(StoredLog(node, tuple(epochs)))

    async def _place(self, request: web.Request) -> web.Response:
        node = _node(request)
        epoch, seq = request.match_info["epoch"], request.match_info["seq"]
        if not _EPOCH.match(epoch) or not _SEQ.match(seq):
            raise Denied(400, "the place is not an epoch's 32 hex digits and a number", "Use /api/v1/logs.")
        async with self._database.session() as connection:
            row = await connection.fetchrow(query("at_place"), *self._who, node, epoch, int(seq))
        if row is None:
            raise Denied(404, f"no entry {seq} of that epoch of {node} is stored", "Use /api/v1/logs.")
        return _json(
            StoredPlace(
                node, epoch, int(seq), row["hash"], row["entry_id"], row["received_at"], row["record"]
            )
        )


def _node(request: web.Request) -> str:
    node = request.match_info["node"]
    if not _NAME.match(node):
        raise Denied(400, "the node is no name of a-z, 0-9, _ and -", "Use a name from /api/v1/nodes.")
    return node


def _begin(record: bytes | None) -> Begin | None:
    """The Begin in a record; None when it cannot be read, as only a changed one cannot."""
    try:
        body = read_body(read_record(record)) if record is not None else None
    except EntryError:
        return None
    return body if isinstance(body, Begin) else None


def _closed(record: bytes) -> tuple[str, ...]:
    """The epochs that a close entry names; none when it cannot be read."""
    try:
        body = read_body(read_record(record))
    except EntryError:
        return ()
    return body.epochs if isinstance(body, Close) else ()


def _json(value: StoredLog | StoredPlace) -> web.Response:
    return web.Response(body=msgspec.json.encode(value), content_type="application/json")
