# SPDX-License-Identifier: Apache-2.0
"""What a passage was judged from, as bytes: the raw feed, what was known before it, layout and settings.

A passage is judged again from these bytes alone. They lie beside the journal, named by their hash; the form
is versioned, and what one version wrote is read by all later ones. Judges nothing.

The form: four bytes of magic with the version, then a zlib stream of one MessagePack map. Reads stand in
columns, since neighbors in a column are alike and pack well; times are differences to the read before.
"""

from __future__ import annotations

import hashlib
import sys
import zlib
from array import array
from collections.abc import Iterable, Sequence
from itertools import repeat
from operator import sub
from typing import Final, TypeVar

import msgspec
from msgspec.structs import astuple

from drivers.read import InputChange, TagRead
from edge.errors import EvidenceError
from edge.passage import GateSettings, Layout

__all__ = ["Evidence", "Known", "Loaded", "decode", "decoded", "encode", "name"]

EVIDENCE_BYTES_MAX: Final = 64 * 1024 * 1024
"""Of unpacked evidence: the longest passage at the rate of the quickest reader, twice over."""

_MAGIC: Final = b"ZGP\x01"
_NAMED: Final = b"zonegate/passage-evidence/1\0"


class Known(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A tag that was at rest before: by antenna (its index in the layout), its mean level in 1/100 dBm and
    the cells of time it was heard in; since when, and until when. `phases`: by antenna, the channels on which
    it told a phase while it rested, each with the last one; empty where it did not rest.
    """

    epc: bytes
    antennas: tuple[int, ...]
    levels_cdbm: tuple[int, ...]
    cells: tuple[int, ...]
    since_us: int
    until_us: int
    phases: tuple[tuple[tuple[int, int], ...], ...] = ()


class Loaded(msgspec.Struct, frozen=True, gc=False):
    """The last load that crossed this door before: which way and when."""

    direction: str
    at_us: int


class Evidence(msgspec.Struct, frozen=True):
    """All that a finding rests on. `reads` in the order in which they came, `inputs` likewise, with those
    known at the opening first; `lost` names readers that went away, and when. `left_out` counts reads that
    were too many to keep. `final` is false for a passage that was cut for its length. `blind` are the eyes,
    by device and port, that saw nothing of what crossed last before.
    """

    passage: str
    door: str
    opened_us: int
    closed_us: int
    layout: Layout
    settings: GateSettings
    reads: tuple[TagRead, ...]
    inputs: tuple[InputChange, ...] = ()
    known: tuple[Known, ...] = ()
    loaded: Loaded | None = None
    lost: tuple[tuple[str, int], ...] = ()
    left_out: int = 0
    final: bool = True
    blind: tuple[tuple[str, int], ...] = ()


def name(data: bytes) -> str:
    """The name under which evidence is kept: SHA-256 in 64 hex digits, of a label and the bytes."""
    return hashlib.sha256(_NAMED + data).hexdigest()


def encode(evidence: Evidence) -> bytes:
    """The evidence as bytes."""
    first = evidence.opened_us
    rest = {field: getattr(evidence, field) for field in evidence.__struct_fields__ if field != "reads"}
    if not evidence.blind:
        del rest["blind"]  # earlier evidence has none, and keeps its bytes
    body = {**rest, "columns": _columns(evidence.reads, first)}
    return _MAGIC + zlib.compress(msgspec.msgpack.encode(body), 1)


def decode(data: bytes) -> Evidence:
    """The evidence that `data` holds. Raises EvidenceError when it is none, or of a newer version."""
    if data[:3] != _MAGIC[:3]:
        raise EvidenceError("these bytes are no evidence of a passage: they begin otherwise")
    if data[3:4] != _MAGIC[3:]:
        raise EvidenceError(
            f"this evidence is of version {data[3:4].hex() or 'none'}, expected 01; update the program"
        )
    unpacking = zlib.decompressobj()
    try:
        packed = unpacking.decompress(data[4:], EVIDENCE_BYTES_MAX)
        if not unpacking.eof:
            raise EvidenceError(f"this evidence is cut off, or longer than {EVIDENCE_BYTES_MAX} bytes")
        body = msgspec.msgpack.decode(packed, type=_Body)
        reads = _reads(body.columns, body.opened_us)
    except (zlib.error, msgspec.MsgspecError, ValueError, IndexError, OverflowError) as error:
        raise EvidenceError(f"this evidence is damaged: {error}; restore it from a backup") from error
    fields = {field: getattr(body, field) for field in Evidence.__struct_fields__ if field != "reads"}
    return Evidence(reads=reads, **fields)


def decoded(data: bytes) -> Evidence | None:
    """The evidence that `data` holds; None where `decode` would raise."""
    try:
        return decode(data)
    except EvidenceError:
        return None


# --- columns --------------------------------------------------------------------------------------

_NUMBERS: Final = ("antenna", "rssi_cdbm", "count", "pc", "phase", "doppler", "channel")
_LOWEST: Final = -(2**63)
"""Stands for None in a column of numbers."""

_Value = TypeVar("_Value")


class _Columns(msgspec.Struct, frozen=True):
    """Reads by columns. Texts and numbers are indexes into tables, or numbers in little-endian 64 bits."""

    count: int
    devices: tuple[str, ...]
    epcs: tuple[bytes, ...]
    tids: tuple[bytes, ...]
    tables: dict[str, bytes]


class _Body(Evidence, frozen=True, kw_only=True):
    columns: _Columns
    reads: tuple[TagRead, ...] = ()


def _packed(values: Iterable[int]) -> bytes:
    column = array("q", values)
    if sys.byteorder == "big":
        column.byteswap()
    return column.tobytes()


def _unpacked(data: bytes, count: int) -> array[int]:
    column = array("q")
    column.frombytes(data)
    if len(column) != count:
        raise ValueError(f"a column of {len(column)} numbers, expected {count}")
    if sys.byteorder == "big":
        column.byteswap()
    return column


def _table(values: Sequence[_Value]) -> tuple[tuple[_Value, ...], bytes]:
    """What the values are, in the order of their first coming, and the place of each among them."""
    places = {value: place for place, value in enumerate(dict.fromkeys(values))}
    return tuple(places), _packed([places[value] for value in values])


def _numbers(values: Sequence[int | None]) -> bytes | None:
    """Nothing where no read has the number."""
    unknown = values.count(None)
    if unknown == len(values):
        return None
    return _packed([_LOWEST if value is None else value for value in values] if unknown else values)  # type: ignore[arg-type]


def _columns(reads: Sequence[TagRead], start_us: int) -> _Columns:
    values = zip(*map(astuple, reads), strict=True) if reads else repeat(())
    column = dict(zip(TagRead.__struct_fields__, values, strict=False))
    devices, device = _table(column["device"])
    epcs, epc = _table(column["epc"])
    tids, tid = _table([value for value in column["tid"] if value is not None])
    tables = {"device": device, "epc": epc, "tid": tid}
    tables["with_tid"] = _packed([value is not None for value in column["tid"]])
    for field in _NUMBERS:
        packed = _numbers(column[field])
        if packed is not None:
            tables[field] = packed
    firsts = column["first_us"]
    tables["first"] = _packed(list(map(sub, firsts, (start_us, *firsts))))
    tables["lasted"] = _packed(list(map(sub, column["last_us"], firsts)))
    return _Columns(len(reads), devices, epcs, tids, tables)


def _reads(columns: _Columns, start_us: int) -> tuple[TagRead, ...]:
    count, tables = columns.count, columns.tables
    numbers: dict[str, list[int | None]] = {}
    for field in _NUMBERS:
        if field in tables:
            numbers[field] = [None if v == _LOWEST else v for v in _unpacked(tables[field], count)]
        else:
            numbers[field] = [None] * count
    devices = [columns.devices[at] for at in _unpacked(tables["device"], count)]
    epcs = [columns.epcs[at] for at in _unpacked(tables["epc"], count)]
    with_tid = _unpacked(tables["with_tid"], count)
    tid_places = iter(_unpacked(tables["tid"], sum(with_tid)))
    tids = [columns.tids[next(tid_places)] if has else None for has in with_tid]
    reads, at = [], start_us
    steps, lasted = _unpacked(tables["first"], count), _unpacked(tables["lasted"], count)
    for i in range(count):
        at += steps[i]
        reads.append(
            msgspec.convert(
                {
                    "device": devices[i],
                    "epc": epcs[i],
                    "tid": tids[i],
                    "first_us": at,
                    "last_us": at + lasted[i],
                    **{field: values[i] for field, values in numbers.items()},
                },
                TagRead,
            )
        )
    return tuple(reads)
