# SPDX-License-Identifier: Apache-2.0
"""The running center as a witness: asks it what it stores of a node's log, and compares.

Where both differ, halving the range finds the first entry that does; its fields are then laid side by
side. Blocks; one connection; sends nothing but questions.
"""

from __future__ import annotations

import hashlib
import http.client
import ssl
from collections.abc import Callable
from typing import Any, Final, Self, TypeVar
from urllib.parse import quote, urlsplit

import msgspec

from central.web.logs import StoredEpoch, StoredLog, StoredPlace
from sync.entry import Entry, Place, read_record, record_hash
from sync.errors import EntryError
from zonegate.chainwalk import Walk
from zonegate.findings import Bad, Finding, count
from zonegate.witnesses import Witness, WitnessError

_TIMEOUT_S: Final = 30.0
_ANSWER_BYTES_MAX: Final = 16 * 1024 * 1024
"""A log of some ten thousand epochs; one record is a quarter megabyte."""

_SHOWN_MAX: Final = 60
"""Characters of a value in a sentence."""

_Stored = Callable[[str, int], tuple[str, bytes] | None]
"""Hash and record at (epoch, seq) of the log at hand."""

_Answer = TypeVar("_Answer", StoredLog, StoredPlace)


class CenterLogs:
    """One center. Use as a context manager. Every question raises WitnessError when it is not answered."""

    def __init__(self, url: str, token: str | None = None, pin: str | None = None) -> None:
        """`url` is http(s)://host:port, `pin` the SHA-256 of the center's certificate in hex."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise WitnessError(f"{url} is no address of a center; expected http(s)://host:port")
        self._url = url
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        if parts.scheme == "https":
            self._connection: http.client.HTTPConnection = _Pinned(parts.hostname, parts.port, pin)
        else:
            self._connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=_TIMEOUT_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def log(self, node: str) -> StoredLog | None:
        """What is stored of a node's log; None when the center knows no such node."""
        return self._get(f"/api/v1/logs/{quote(node, safe='')}", StoredLog)

    def place(self, node: str, epoch: str, seq: int) -> StoredPlace | None:
        """What is stored at one place; None when nothing is."""
        return self._get(f"/api/v1/logs/{quote(node, safe='')}/{quote(epoch, safe='')}/{seq}", StoredPlace)

    def _get(self, path: str, answer: type[_Answer]) -> _Answer | None:
        try:
            self._connection.request("GET", path, headers=self._headers)
            response = self._connection.getresponse()
            body = response.read(_ANSWER_BYTES_MAX)
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            raise WitnessError(f"the center at {self._url} is silent: {error}") from error
        if response.status == 404 and b'"error"' in body:
            return None
        if response.status != 200:
            raise WitnessError(f"the center at {self._url} answers {response.status}: {_said(body)}")
        try:
            return msgspec.json.decode(body, type=answer)
        except msgspec.MsgspecError as error:
            raise WitnessError(f"the answer of {self._url} cannot be read: {error}") from error


def compare(
    walk: Walk,
    asked: StoredLog | None,
    node: str,
    center: CenterLogs,
    stored: _Stored,
) -> list[str]:
    """Lay a walked log beside what the center stores of it: `asked` before the walk, places as needed.

    `stored` gives hash and record at a place of the walked log. Gives sentences for people about what
    only one of both has and may have; raises Bad with the first difference.
    """
    if asked is None:
        raise Bad(Finding("forged", f"the center knows no node {node}", node=node))
    known = {epoch.epoch: epoch for epoch in asked.epochs}
    notes: list[str] = []
    for epoch, begin in walk.begins.items():
        there = known.get(epoch)
        if there is None:
            sentence = f"the center, which has a log of {node}, has never seen this epoch"
            raise Bad(Finding("forged", sentence, epoch, 1))
        if there.key != begin.key:
            sentence = f"names the key {begin.key}, the center knows {there.key} for this epoch"
            raise Bad(Finding("key", sentence, epoch, 1))
        _compare_epoch(walk, node, there, center, stored)
        more = walk.ends[epoch].seq - there.seq
        if more > 0:
            notes.append(
                f"the center has not stored the last {count(more, 'entry', 'entries')} of epoch {epoch} yet"
            )
    for there in asked.epochs:
        if there.epoch not in walk.begins:
            notes += _not_here(walk, there)
    return notes


def _compare_epoch(walk: Walk, node: str, there: StoredEpoch, center: CenterLogs, stored: _Stored) -> None:
    epoch = there.epoch
    end = walk.ends[epoch].seq
    common = min(end, there.seq)
    theirs = there.hash if common == there.seq else _hash(center, node, epoch, common)
    if _held(stored, epoch, common) != theirs:
        raise _first_difference(walk, node, epoch, common, center, stored)
    claims = [Witness("the center", Place(epoch, there.seq, there.hash))]
    base = walk.bases.get(epoch)
    if there.signed is not None and (base is None or there.signed.seq >= base.seq):
        claims.append(Witness("a signed head at the center", there.signed.place, there.signed.signature))
    for claim in claims:
        seq = claim.place.seq
        claim.check(walk, _held(stored, epoch, seq) if seq <= end else None, None)


def _first_difference(
    walk: Walk, node: str, epoch: str, common: int, center: CenterLogs, stored: _Stored
) -> Bad:
    """The first entry that both have and that differs, by halving: after it all differ, being chained."""
    same, differs = 0, common
    base = walk.bases.get(epoch)
    if base is not None and base.seq <= common:
        if _held(stored, epoch, base.seq) != _hash(center, node, epoch, base.seq):
            sentence = "was changed, and then pruned up to there: the center has another entry there"
            return Bad(Finding("head", sentence, epoch, 1, last=base.seq))
        same = base.seq
    while differs - same > 1:
        middle = (same + differs) // 2
        if _held(stored, epoch, middle) == _hash(center, node, epoch, middle):
            same = middle
        else:
            differs = middle
    ours, theirs = stored(epoch, differs), center.place(node, epoch, differs)
    if ours is None or theirs is None:
        raise WitnessError(f"entry {differs} of epoch {epoch} went away while it was compared; try again")
    entry, other = _read(ours[1]), _read(theirs.record)
    what = _difference(entry, other)
    if walk.signed(epoch) >= differs:
        sentence = (
            f"is another one at the center ({what}), and a head signed with the same key vouches for this "
            "one: two machines wrote this epoch, or its key was taken"
        )
        return Bad(Finding("fork", sentence, epoch, differs, entry.entry_id if entry else None))
    sentence = f"was changed after it was written, and the log chained anew: the center has another ({what})"
    return Bad(Finding("head", sentence, epoch, differs, entry.entry_id if entry else None))


def _not_here(walk: Walk, there: StoredEpoch) -> list[str]:
    """An epoch of this node that the center has and this log has not. Raises Bad when it follows this log."""
    end = walk.ends.get(there.parent.epoch) if there.parent else None
    if there.parent is not None and end is not None and there.parent.seq >= end.seq:
        sentence = (
            f"the log ends at {end.seq}, the center has the epoch {there.epoch} that follows it, "
            f"with {count(there.seq, 'entry', 'entries')}: the end is missing, or this is an older copy"
        )
        raise Bad(Finding("tail", sentence, end.epoch, end.seq + 1))
    held = count(there.seq, "entry", "entries")
    return [f"the center also keeps {held} of epoch {there.epoch} of this node, which are not in this log"]


def _held(stored: _Stored, epoch: str, seq: int) -> str | None:
    found = stored(epoch, seq)
    return found[0] if found else None


def _hash(center: CenterLogs, node: str, epoch: str, seq: int) -> str | None:
    """What the center's record hashes to: its stored hash is not taken on trust."""
    found = center.place(node, epoch, seq)
    return record_hash(found.record) if found else None


def _read(record: bytes) -> Entry | None:
    try:
        return read_record(record)
    except EntryError:
        return None


def _difference(ours: Entry | None, theirs: Entry | None) -> str:
    """Which fields of two entries differ, and how, in few words."""
    if ours is None or theirs is None:
        return "one of both cannot be read"
    named = [
        f"{name}: here {_short(getattr(ours, name))}, there {_short(getattr(theirs, name))}"
        for name in ours.__struct_fields__
        if name != "body" and getattr(ours, name) != getattr(theirs, name)
    ]
    if bytes(ours.body) != bytes(theirs.body):
        named += _in_bodies(bytes(ours.body), bytes(theirs.body))
    return "; ".join(named) or "the same fields, written differently"


def _in_bodies(ours: bytes, theirs: bytes) -> list[str]:
    try:
        here, there = (msgspec.json.decode(body, type=dict[str, Any]) for body in (ours, theirs))
    except msgspec.MsgspecError:
        return ["the body"]
    return [
        f"body.{name}: here {_short(here.get(name))}, there {_short(there.get(name))}"
        for name in sorted(here.keys() | there.keys())
        if here.get(name) != there.get(name)
    ]


def _short(value: object) -> str:
    text = str(value)
    shown = text if len(text) <= _SHOWN_MAX else f"{text[:_SHOWN_MAX]}..."
    return shown if shown.isprintable() else ascii(shown)


def _said(body: bytes) -> str:
    """The center's own words, bounded."""
    try:
        told = msgspec.json.decode(body[:4096], type=dict[str, str])
    except msgspec.MsgspecError:
        return "no reason"
    return f"{told.get('error', '')}. {told.get('next', '')}".strip()


class _Pinned(http.client.HTTPSConnection):
    """Trusts the certificate with one SHA-256 alone, or those that this machine trusts."""

    def __init__(self, host: str, port: int | None, pin: str | None) -> None:
        self._pin = pin.replace(":", "").lower() if pin else None
        context = ssl.create_default_context()
        if pin:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        super().__init__(host, port, timeout=_TIMEOUT_S, context=context)

    def connect(self) -> None:
        super().connect()
        if self._pin is None:
            return
        shown = hashlib.sha256(self.sock.getpeercert(binary_form=True) or b"").hexdigest()
        if shown != self._pin:
            self.close()
            raise WitnessError(f"the center's certificate has the SHA-256 {shown}, expected {self._pin}")
