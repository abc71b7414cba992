# SPDX-License-Identifier: Apache-2.0
"""The entry's wire form: what a log of a node or of the center is made of.

An entry is stored as the exact bytes that were hashed (its *record*) and is never serialized
again. This module builds and reads those bytes; it knows no store, no clock and no transport.
"""

from __future__ import annotations

import hashlib
import uuid
from datetime import UTC, datetime
from typing import Annotated, Any, Final

import msgspec

from sync.errors import EntryError

GENESIS: Final = "0" * 64
"""The `prev` of an epoch's first entry."""

BODY_BYTES_MAX: Final = 256 * 1024
"""Bounds one body. The largest honest one is a Saw that carries a truck with some hundred loads."""

FRAME_BYTES_MAX: Final = 4 * 1024
"""A record is its body and a frame of fixed fields; this is several times that frame."""

ADOPTED_BYTES_MAX: Final = BODY_BYTES_MAX + 2 * FRAME_BYTES_MAX
"""Bounds the body of an `adopt` entry, which carries a whole record of any other type."""

RECORD_BYTES_MAX: Final = ADOPTED_BYTES_MAX + FRAME_BYTES_MAX
"""The longest record: an `adopt` of the longest other one."""

MALFORMED: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What decoding of other people's bytes raises; the last for arrays that are nested without end."""

Seq = Annotated[int, msgspec.Meta(ge=0, le=2**62)]
"""A place's number as the wire may say it: stores count with 64 bits. 0 stands before the first entry."""

_HASH_DOMAIN: Final = b"zonegate/entry/1\x00"
_HEAD_DOMAIN: Final = b"zonegate/head/1\x00"


# gc=False, here and in the bodies of which there are many: values of text and numbers cannot form a cycle,
# so the garbage collector need not walk through thousands of them.
class Clock(msgspec.Struct, frozen=True, gc=False):
    """What is known of the clock that stamped an entry.

    `synchronized` is the kernel's word (adjtimex), `boot` the boot id, `mono_ns` nanoseconds of
    the monotonic clock since that boot.
    """

    synchronized: bool
    boot: str
    mono_ns: int


class Place(msgspec.Struct, frozen=True, gc=False):
    """Where an entry stands: (epoch, seq, hash). The place of an epoch's last entry is its head."""

    epoch: str
    seq: Seq
    hash: str


class Head(msgspec.Struct, frozen=True):
    """A place signed with its epoch's Ed25519 key; `signature` is lower-case hex of 64 bytes."""

    epoch: str
    seq: Seq
    hash: str
    signature: str

    @property
    def place(self) -> Place:
        """The place that was signed."""
        return Place(self.epoch, self.seq, self.hash)


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One record of a log, as read back from its bytes. `body` keeps its bytes verbatim.

    `entry_id` (UUIDv7) names the fact; (epoch, seq, hash) names the place.
    """

    v: int
    entry_id: str
    epoch: str
    seq: Seq
    type: str
    schema: str
    occurred_at: datetime
    recorded_at: datetime
    clock: Clock
    door: str | None
    inputs_hash: str | None
    body: msgspec.Raw
    prev: str


class Draft(msgspec.Struct, frozen=True):
    """An entry before the writer has given it its place. `body` is canonical JSON (see `canonical`)."""

    entry_id: str
    type: str
    schema: str
    occurred_at: datetime
    clock: Clock
    body: bytes
    door: str | None = None
    inputs_hash: str | None = None


# Copied for each record: OpenSSL looks its algorithms up anew for every fresh one.
_hasher = hashlib.sha256(_HASH_DOMAIN)
_decoder = msgspec.json.Decoder(Entry)
_canonical = msgspec.json.Encoder(order="deterministic", decimal_format="string")


def canonical(value: Any) -> bytes:
    """Canonical JSON of a body: keys sorted, no blanks, Decimals as strings, times as RFC 3339."""
    return _canonical.encode(value)


def new_entry_id(unix_ms: int, random: bytes) -> str:
    """A UUIDv7 (RFC 9562, section 5.7) from milliseconds since 1970 and 10 random bytes."""
    if len(random) != 10:
        raise EntryError(f"a UUIDv7 needs 10 random bytes, got {len(random)}")
    value = (unix_ms & 0xFFFF_FFFF_FFFF) << 80 | int.from_bytes(random, "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return str(uuid.UUID(int=value))


def record_bytes(draft: Draft, epoch: str, seq: int, recorded_at: datetime, prev: str) -> bytes:
    """The exact bytes of an entry at its place; their hash is `record_hash` of them.

    Raises EntryError when the body is over `body_bytes_max`.
    """
    if len(draft.body) > BODY_BYTES_MAX and len(draft.body) > body_bytes_max(draft.type):
        raise EntryError(
            f"the body of a {draft.type} entry has {len(draft.body)} bytes, "
            f"at most {body_bytes_max(draft.type)} fit; split what it carries"
        )
    clock = draft.clock
    frame = (
        f'{{"v":1,"entry_id":"{draft.entry_id}","epoch":"{epoch}","seq":{seq},"type":"{draft.type}",'
        f'"schema":"{draft.schema}","occurred_at":"{utc_text(draft.occurred_at)}",'
        f'"recorded_at":"{utc_text(recorded_at)}",'
        f'"clock":{{"synchronized":{"true" if clock.synchronized else "false"},'
        f'"boot":"{clock.boot}","mono_ns":{clock.mono_ns}}},'
        f'"door":{_quoted(draft.door)},"inputs_hash":{_quoted(draft.inputs_hash)},"body":'
    )
    return b"".join((frame.encode(), draft.body, b',"prev":"', prev.encode(), b'"}'))


def body_bytes_max(entry_type: str) -> int:
    """How long the body of an entry may be."""
    return ADOPTED_BYTES_MAX if entry_type == "adopt" else BODY_BYTES_MAX


def record_hash(record: bytes) -> str:
    """SHA-256 of a record's bytes behind a domain prefix, as lower-case hex."""
    hasher = _hasher.copy()
    hasher.update(record)
    return hasher.hexdigest()


def read_record(record: bytes) -> Entry:
    """An entry from its bytes; says what is wrong with bytes that are no entry (EntryError)."""
    if len(record) > RECORD_BYTES_MAX:
        raise EntryError(f"a record has {len(record)} bytes, at most {RECORD_BYTES_MAX} are taken")
    try:
        entry = _decoder.decode(record)
    except MALFORMED as error:
        raise EntryError(f"a record of {len(record)} bytes is not an entry: {error}") from error
    if entry.v != 1:
        raise EntryError(f"a record has form {entry.v}, this program reads form 1; update it")
    return entry


def head_message(place: Place) -> bytes:
    """The bytes that a head's signature covers."""
    return _HEAD_DOMAIN + f"{place.epoch}:{place.seq}:{place.hash}".encode()


def utc_text(moment: datetime) -> str:
    """RFC 3339 with microseconds and Z; `moment` must be aware."""
    # Twenty times as fast as strftime, which was a third of the writer's time.
    text: str = msgspec.to_builtins(moment if moment.tzinfo is UTC else moment.astimezone(UTC))
    return text if moment.microsecond else f"{text[:-1]}.000000Z"


def _quoted(text: str | None) -> str:
    """JSON of a short text that config validation has already bound to [a-z0-9_-] or hex."""
    return "null" if text is None else f'"{text}"'
