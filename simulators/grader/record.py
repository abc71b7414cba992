# SPDX-License-Identifier: Apache-2.0
"""The record, read and verified by its description: hash chain, epochs, signed heads.

ARCHITECTURE.md, "The record". An entry's hash is SHA-256 of `zonegate/entry/1`, a zero byte and the record's
bytes; a head is signed with Ed25519 over `zonegate/head/1`, a zero byte and `epoch:seq:hash`.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


@dataclass(frozen=True, slots=True)
class Row:
    """A stored entry: what its table says of it, and its bytes."""

    epoch: str
    seq: int
    entry_id: str
    type: str
    hash: str
    record: bytes

    def read(self) -> dict[str, Any]:
        """The record as JSON; empty when it is none."""
        try:
            value = json.loads(self.record)
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}


@dataclass(frozen=True, slots=True)
class Head:
    """A signed head as some witness holds it."""

    epoch: str
    seq: int
    hash: str
    signature: str


def record_hash(record: bytes) -> str:
    """The hash of an entry's bytes, 64 hex digits."""
    return hashlib.sha256(b"zonegate/entry/1\0" + record).hexdigest()


def chain_faults(rows: list[Row]) -> list[str]:
    """What is wrong with a log: a sentence for the first bad place of each epoch."""
    faults = []
    ordered = sorted(rows, key=lambda row: (row.epoch, row.seq))
    for epoch, group in groupby(ordered, key=lambda row: row.epoch):
        fault = _epoch_fault(list(group))
        if fault:
            faults.append(f"epoch {epoch}: {fault}")
    return faults


def head_faults(rows: list[Row], heads: list[Head], *, needed: bool) -> list[str]:
    """What is wrong with the signed heads of a log; `needed`: each epoch must have one."""
    faults = []
    hashes = {(row.epoch, row.seq): row.hash for row in rows}
    keys = {row.epoch: str(_body(row).get("key", "")) for row in rows if row.seq == 1}
    for head in heads:
        place = f"{head.epoch}:{head.seq}"
        if hashes.get((head.epoch, head.seq)) != head.hash:
            faults.append(f"the signed head {place} is not in the chain")
        elif not _signed(keys.get(head.epoch, ""), head):
            faults.append(f"the signature of head {place} does not hold for its epoch's key")
    if needed:
        missing = keys.keys() - {head.epoch for head in heads}
        faults += [f"epoch {epoch} has no signed head" for epoch in sorted(missing)]
    return faults


def copy_faults(own: list[Row], copy: list[Row]) -> list[str]:
    """Where a copy of a log is not the log itself: the first place of each epoch."""
    faults = []
    for epoch in sorted({row.epoch for row in own} | {row.epoch for row in copy}):
        ours = {row.seq: row.record for row in own if row.epoch == epoch}
        theirs = {row.seq: row.record for row in copy if row.epoch == epoch}
        differ = next((seq for seq in sorted(ours | theirs) if ours.get(seq) != theirs.get(seq)), None)
        if differ is not None:
            here = "has" if differ in ours else "does not have"
            there = "another" if differ in ours and differ in theirs else "it" if differ in theirs else "none"
            faults.append(f"epoch {epoch}, entry {differ}: the journal {here} it, the center has {there}")
    return faults


def _epoch_fault(rows: list[Row]) -> str | None:
    before = "0" * 64
    for expected, row in enumerate(rows, start=1):
        if row.seq != expected:
            return f"entry {expected} is missing, the next is {row.seq}"
        said = row.read()
        if (said.get("epoch"), said.get("seq"), said.get("entry_id"), said.get("type")) != (
            row.epoch,
            row.seq,
            row.entry_id,
            row.type,
        ):
            return f"entry {row.seq}: its bytes and its row name different entries"
        if said.get("prev") != before:
            return f"entry {row.seq} does not follow the entry before it"
        before = record_hash(row.record)
        if row.hash != before:
            return f"entry {row.seq}: its bytes do not have its hash"
    if rows[0].type != "begin":
        return f"entry 1 is {rows[0].type}, expected begin"
    return None


def _body(row: Row) -> dict[str, Any]:
    body = row.read().get("body", {})
    return body if isinstance(body, dict) else {}


def _signed(key: str, head: Head) -> bool:
    message = b"zonegate/head/1\0" + f"{head.epoch}:{head.seq}:{head.hash}".encode()
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)).verify(bytes.fromhex(head.signature), message)
    except (InvalidSignature, ValueError):
        return False
    return True
