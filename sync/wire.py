# SPDX-License-Identifier: Apache-2.0
"""The exchange: one request and its answer, the only way that logs travel between node and center.

Messages are JSON; records inside them are verbatim, so a receiver hashes the very bytes that came.
Every length is bounded here; what is over a bound is refused before it is looked at.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

import msgspec

from sync.bodies import is_count
from sync.entry import MALFORMED, Head, Place, Seq
from sync.errors import WireError

ASK_ENTRIES_MAX: Final = 500
"""Entries in one ask: a day's backlog drains in few round trips, one transaction stays short."""

ASK_BYTES_MAX: Final = 2 * 1024 * 1024
"""Bounds one ask; 500 usual entries are 0.5 MiB, and one of full size always fits."""

ANSWER_ENTRY_BYTES_MAX: Final = 192 * 1024
"""Center entries in one answer end here, so that the Saw that takes them fits one body."""

WANTS_MAX: Final = 64
"""Permit lines that one ask may want: more than all doors of a node have on their trucks."""

PARTS_MAX: Final = 16
"""Logs in one ask: the own epoch and parents that the center has not stored to their end."""


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A run of one log: `entries` follow `after`, whose hash is `prev`.

    `head` is the writer's signed head; None for a parent log whose key was lost with its anchor.
    """

    epoch: str
    after: Seq
    prev: str
    entries: tuple[msgspec.Raw, ...]
    head: Head | None = None


class Want(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """So much of a permit line a node would need beyond what it holds: advice to the center, no debit."""

    permit: str
    line: str
    quantity: Decimal


class Ask(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A node's request. `ask_id` ties the answer to it; `cursor` is its place in the center's log.

    `doors` are the door ids that this node serves; `code` is the one-time enrolment code, sent until
    the center knows the node's key. `witness` is the last signed head of the center's own log that this
    node was given.
    """

    ask_id: str
    tenant: str
    zone: str
    node: str
    epoch: str
    doors: tuple[str, ...]
    parts: tuple[Part, ...]
    cursor: Place | None = None
    code: str | None = None
    witness: Head | None = None
    wants: tuple[Want, ...] = ()


class Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The center's answer.

    `have` is the head of each asked log as the center stores it (after its commit). The center's
    entries that concern the node in (`after`, `upto`] of its log are in `entries`; `after` is None
    when the node's cursor is not in the center's chain and all is sent from the beginning.
    `refused` says in one sentence why a part was not stored, by epoch. `head` is the center's own signed
    head, which the node shows it at its next ask; `releasable` are places of this node's logs up to which
    it may forget: contained in every backup that may still be restored (S5).
    """

    ask_id: str
    have: tuple[Place, ...]
    center_epoch: str
    after: Place | None
    upto: Place | None
    entries: tuple[msgspec.Raw, ...]
    refused: dict[str, str]
    head: Head | None = None
    releasable: tuple[Place, ...] = ()


_ask_decoder = msgspec.json.Decoder(Ask)
_answer_decoder = msgspec.json.Decoder(Answer)
_encoder = msgspec.json.Encoder()

_REQUEST_DOMAIN: Final = b"zonegate/ask/1\x00"


def encode(message: Ask | Answer) -> bytes:
    """Wire bytes of a message."""
    return _encoder.encode(message)


def request_message(body: bytes) -> bytes:
    """The bytes that the signature of a request covers."""
    return _REQUEST_DOMAIN + body


def read_ask(body: bytes) -> Ask:
    """An ask from its bytes; WireError names what is wrong or over its bound."""
    if len(body) > ASK_BYTES_MAX:
        raise WireError(
            f"an ask has {len(body)} bytes, at most {ASK_BYTES_MAX} are taken; send fewer entries"
        )
    try:
        ask = _ask_decoder.decode(body)
    except MALFORMED as error:
        raise WireError(f"the ask cannot be read: {error}") from error
    if len(ask.parts) > PARTS_MAX:
        raise WireError(f"the ask has {len(ask.parts)} logs, at most {PARTS_MAX} are taken")
    if len({part.epoch for part in ask.parts}) < len(ask.parts):
        raise WireError("the ask has one log twice; send each log as one run")
    if len(ask.wants) > WANTS_MAX:
        raise WireError(f"the ask wants {len(ask.wants)} permit lines, at most {WANTS_MAX} are looked at")
    if not all(is_count(want.quantity) for want in ask.wants):
        raise WireError("the ask wants what is no count of goods")
    entries = sum(len(part.entries) for part in ask.parts)
    if entries > ASK_ENTRIES_MAX:
        raise WireError(f"the ask has {entries} entries, at most {ASK_ENTRIES_MAX} are taken")
    return ask


def read_answer(body: bytes) -> Answer:
    """An answer from its bytes; WireError when it is malformed."""
    try:
        return _answer_decoder.decode(body)
    except MALFORMED as error:
        raise WireError(f"the answer cannot be read: {error}") from error


def fill(
    run: Iterable[tuple[Place, bytes | None]], after: Place | None, end: Place
) -> tuple[tuple[msgspec.Raw, ...], Place]:
    """The entries of an answer, as many as one Saw can carry, and the place that they reach.

    `run` are own entries after the place `after`, in order, with their records where they concern the node;
    `end` is the last of them, or the head that they lead to.
    """
    entries: list[msgspec.Raw] = []
    size, at = 0, after
    for place, record in run:
        if record is not None:
            if entries and size + len(record) > ANSWER_ENTRY_BYTES_MAX:
                return tuple(entries), at or place
            entries.append(msgspec.Raw(record))
            size += len(record)
        at = place
    return tuple(entries), end
