# SPDX-License-Identifier: Apache-2.0
"""Heads of a log that are kept outside of it: in an anchor's folder, in a file, in words.

Reads only: an anchor is neither held nor made here.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import msgspec

from edge.anchor import Anchor
from sync.entry import Head, Place
from sync.keys import Signer
from zonegate.chainwalk import Walk
from zonegate.findings import Bad, Finding

_HEAD_BYTES_MAX: Final = 4096
"""A head as JSON has under 300 bytes."""

_TEXT: Final = re.compile(r"([0-9a-f]{32}):([0-9]{1,18}):([0-9a-f]{64})(?::([0-9a-f]{128}))?\Z")

_KEYS: Final = ("epoch.key", "epoch.key.next")
"""The node's key, and while it is being changed the one that takes its place."""

_KEY_BYTES: Final = 32


class WitnessError(Exception):
    """A witness cannot be asked; the sentence says what to do."""


class Witness(msgspec.Struct, frozen=True):
    """A head kept elsewhere: `name` for people, its place, its signature where it has one."""

    name: str
    place: Place
    signature: str = ""

    def check(self, walk: Walk, stored: str | None, key: str | None) -> None:
        """Compare it with the log that was walked, which has the hash `stored` there. Raises Bad."""
        if self.signature:
            head = Head(self.place.epoch, self.place.seq, self.place.hash, self.signature)
            walk.take_head(head, stored, self.name, key)
        else:
            walk.take_place(self.place, stored, self.name)


def head_given(text: str) -> Witness:
    """The head that `--head` names: epoch:seq:hash[:signature], or a file that holds it as JSON.

    Raises WitnessError, or the OSError of a file that cannot be read.
    """
    if match := _TEXT.match(text):
        return Witness("the head given", Place(match[1], int(match[2]), match[3]), match[4] or "")
    data = Path(text).read_bytes()[:_HEAD_BYTES_MAX]
    try:
        head = msgspec.json.decode(data, type=Head)
    except msgspec.MsgspecError as error:
        raise WitnessError(
            f"{text} holds no head: {error}; expected JSON with epoch, seq, hash and signature"
        ) from error
    return Witness("the head given", head.place, head.signature)


class AnchorSeen(msgspec.Struct, frozen=True):
    """What an anchor's folder holds: the last told head, and the public halves of its keys."""

    witness: Witness | None
    keys: tuple[str, ...]

    def check_newest(self, walk: Walk) -> None:
        """The newest epoch must be the anchor's, begun with a key that lies beside it. Raises Bad."""
        if self.witness is None or walk.place is None:
            return
        newest, anchored = walk.place.epoch, self.witness.place.epoch
        begin = walk.begins[newest]
        if newest == anchored:
            if self.keys and begin.key not in self.keys:
                walk.check_key(self.keys[0], "the anchor's")
        # A crash between the commit of a Begin and its anchor leaves the anchor in the parent.
        elif walk.place.seq > 1 or begin.parent is None or begin.parent.epoch != anchored:
            sentence = f"was begun without the anchor, which stands in epoch {anchored}"
            raise Bad(Finding("forged", sentence, newest, 1))


def anchor_seen(folder: Path) -> AnchorSeen:
    """What is kept in an anchor's folder. WitnessError when there is neither head nor key, AnchorError
    when they cannot be read.
    """
    place = Anchor(folder).read()
    keys = tuple(public for name in _KEYS if (public := _public(folder / name)) is not None)
    if place is None and not keys:
        raise WitnessError(f"there is no anchor in {folder}; name the folder of [node] anchor")
    return AnchorSeen(Witness("the anchor", place) if place else None, keys)


def _public(key: Path) -> str | None:
    try:
        secret = key.read_bytes() if key.exists() else b""
    except OSError as error:
        raise WitnessError(f"the key {key} cannot be read: {error.strerror}; run as its owner") from error
    return Signer(secret).public if len(secret) == _KEY_BYTES else None
