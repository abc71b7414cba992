# SPDX-License-Identifier: Apache-2.0
"""Acts of people that were refused: each is an entry of the center's own log, as a refused import is. Who
tried, when, what came, and why it was refused; the books stay as they were.

Who shows no token is no person here, and is not recorded. Knows no HTTP.
"""

from __future__ import annotations

import hashlib
from typing import Annotated, Final

import msgspec

from central.errors import Denied
from central.ownlog import OwnLog
from sync.customs_bodies import ActRefused
from sync.entry import MALFORMED

SAID_CHARACTERS_MAX: Final = 2_000
"""Of what came: an act with some twenty loads. All of it is known by its hash."""

_WHY_CHARACTERS_MAX: Final = 1_000
_NAME_CHARACTERS_MAX: Final = 80

_NOBODY: Final = "token"
"""Who tried where an act does not say it: somebody who has the center's token."""


class _Signed(msgspec.Struct):
    """Of any act, who does it."""

    by: Annotated[str, msgspec.Meta(min_length=1)] = _NOBODY


_signed = msgspec.json.Decoder(_Signed)


class Refusals:
    """The refused acts of one center."""

    def __init__(self, own: OwnLog) -> None:
        self._own = own

    async def note(self, act: str, came: bytes, denied: Denied) -> None:
        """Record that an act was refused; `came` is its JSON, or what stood in its place."""
        body = ActRefused(
            act,
            visible(came[: 4 * SAID_CHARACTERS_MAX].decode("utf-8", "replace"), SAID_CHARACTERS_MAX),
            hashlib.sha256(came).hexdigest(),
            len(came),
            denied.status,
            visible(str(denied), _WHY_CHARACTERS_MAX),
            visible(denied.next_step, _WHY_CHARACTERS_MAX),
            visible(_by(came), _NAME_CHARACTERS_MAX),
        )
        async with self._own.lock:
            await self._own.book()
            await self._own.commit(lambda: [("act-refused", body)])


def visible(text: str, characters_max: int) -> str:
    """A text from outside as people may safely see it: signs that cannot be printed as their numbers."""
    safe = "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in text[:characters_max])
    return safe + ("..." if len(text) > characters_max else "")


def _by(came: bytes) -> str:
    try:
        return _signed.decode(came).by
    except MALFORMED:
        return _NOBODY
