# SPDX-License-Identifier: Apache-2.0
"""Who may act: one supervisor's token for the node, one token for each door's screen.

A token is made once, shown once and stored as an argon2 hash; a screen then carries a signed cookie.
Knows no request and no page.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import hmac
import os
import re
import secrets
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

import argon2
import msgspec

from edge.errors import EdgeError

SUPERVISOR: Final = "supervisor"

SUPERVISOR_COOKIE_S: Final = 12 * 3600
"""A long shift. A supervisor's machine is left signed in no longer than that."""

SCREEN_COOKIE_S: Final = 400 * 24 * 3600
"""Browsers keep no cookie longer; a mounted screen should not ask anybody for its token within a year."""

TOKEN_CHARS_MAX: Final = 128
"""Door id of 40, a dot, "door", 32 characters of chance, and room."""

_SECRET_BYTES: Final = 20
"""160 bits of chance, 32 characters in base32: nobody guesses it, a person can still type it."""

_WAITING_MAX: Final = 8
"""Tokens that may wait to be checked. One is checked at a time, so that a flood of false tokens takes one
core at most; people signing in are never that many."""

_TOKEN = re.compile(r"(supervisor|door\.[a-z0-9_-]{1,40})\.([a-z2-7]{32})")


class AccessError(EdgeError):
    """The access file cannot be used, or an unknown holder was named."""


class TooManyTries(AccessError):
    """More tokens are being checked than people could type; try again in a moment."""


class Grant(msgspec.Struct, frozen=True):
    """What a token or cookie allows. `door` is None for the supervisor, who may act everywhere."""

    door: str | None
    person: str = ""

    @property
    def supervises(self) -> bool:
        """Whether this is the supervisor."""
        return self.door is None

    @property
    def by(self) -> str:
        """Who acts, as the journal names it."""
        if self.door is not None:
            return f"screen {self.door}"
        return f"{SUPERVISOR} {self.person}".rstrip()

    def may_act_at(self, door: str) -> bool:
        """Whether scans, quantities and undo are allowed at `door`."""
        return self.door is None or self.door == door


class NewToken(msgspec.Struct, frozen=True):
    """A token just made: `holder` is "supervisor" or "door.<id>". It can be shown now and never again."""

    holder: str
    token: str


class _Stored(msgspec.Struct):
    key: str
    hashes: dict[str, str]


class Access:
    """The node's tokens and the cookies made from them.

    `now` gives seconds since 1970 for the cookies' end, `chance` makes n random bytes.
    """

    def __init__(
        self,
        path: Path,
        now: Callable[[], float] = time.time,
        chance: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self._path = path
        self._now = now
        self._chance = chance
        self._stored = _read(path) or _Stored(chance(32).hex(), {})
        # 8 MiB a hash: tokens are chance, not words, so that the usual 64 MiB would only cost memory that a
        # small dock computer does not have.
        self._hasher = argon2.PasswordHasher(time_cost=2, memory_cost=8 * 1024, parallelism=1)
        self._checked: dict[bytes, Grant] = {}
        self._checking = asyncio.Lock()
        self._waiting = 0

    @property
    def cookie_name(self) -> str:
        """Differs from node to node: browsers keep cookies by host name and ignore the port."""
        return "zonegate-" + hashlib.sha256(self._stored.key.encode()).hexdigest()[:8]

    def provide(self, doors: Iterable[str]) -> list[NewToken]:
        """Make the tokens that are missing for the supervisor and `doors`; forget doors that are gone.

        Returns only what was made now. Raises AccessError when the file cannot be written.
        """
        holders = [SUPERVISOR, *(f"door.{door}" for door in doors)]
        kept = {holder: self._stored.hashes[holder] for holder in holders if holder in self._stored.hashes}
        made = [self._made(holder) for holder in holders if holder not in kept]
        if made or kept != self._stored.hashes:
            self._store(kept | {new.holder: self._hasher.hash(new.token) for new in made})
        return made

    def renew(self, holder: str) -> NewToken:
        """Replace the token of "supervisor" or "door.<id>"; the old one and its cookies end now.

        Raises AccessError for a holder this node does not have.
        """
        if holder not in self._stored.hashes:
            known = ", ".join(sorted(self._stored.hashes)) or "none yet, its first start makes them"
            raise AccessError(f"there is no token for {holder!r}; {self._path.parent} has: {known}")
        new = self._made(holder)
        self._store(self._stored.hashes | {holder: self._hasher.hash(new.token)})
        return new

    async def verify(self, token: str) -> Grant | None:
        """The grant of a token, None when it is not one of ours. Raises TooManyTries under a flood."""
        match = _TOKEN.fullmatch(token[: TOKEN_CHARS_MAX + 1].strip())
        stored = self._stored.hashes.get(match[1]) if match else None
        if match is None or stored is None:
            return None
        digest = hashlib.sha256(f"{stored}\0{match[0]}".encode()).digest()
        if digest in self._checked:
            return self._checked[digest]
        if self._waiting >= _WAITING_MAX:
            raise TooManyTries("too many tokens are being checked at once; wait a moment and sign in again")
        self._waiting += 1
        try:
            async with self._checking:
                right = await asyncio.to_thread(self._right, stored, match[0])
        finally:
            self._waiting -= 1
        if not right:
            return None
        door = match[1].removeprefix("door.")
        grant = Grant(None if match[1] == SUPERVISOR else door)
        # Bounded by the number of right tokens, since wrong ones are not kept.
        self._checked[digest] = grant
        return grant

    def cookie(self, grant: Grant) -> tuple[str, int]:
        """A cookie's value for `grant`, and the seconds it is good for."""
        lasts = SUPERVISOR_COOKIE_S if grant.supervises else SCREEN_COOKIE_S
        claim = msgspec.json.encode([grant.door, grant.person, int(self._now()) + lasts])
        text = base64.urlsafe_b64encode(claim).decode().rstrip("=")
        return f"{text}.{self._mac(grant.door, text)}", lasts

    def read_cookie(self, value: str) -> Grant | None:
        """The grant a cookie carries; None when it is forged, has ended, or its token was replaced."""
        text, _, mac = value[:1024].partition(".")
        try:
            claim = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
            door, person, until = msgspec.json.decode(claim, type=tuple[str | None, str, int])
        except (ValueError, msgspec.MsgspecError):
            return None
        expected = self._mac(door, text)
        if not hmac.compare_digest(mac.encode(), expected.encode()) or until <= self._now():
            return None
        return Grant(door, person) if _holder(door) in self._stored.hashes else None

    def _mac(self, door: str | None, text: str) -> str:
        # The token's hash is part of what is signed: a replaced token ends its cookies.
        signed = f"{self._stored.hashes.get(_holder(door), '')}\0{text}"
        return hmac.new(bytes.fromhex(self._stored.key), signed.encode(), hashlib.sha256).hexdigest()

    def _made(self, holder: str) -> NewToken:
        chance = base64.b32encode(self._chance(_SECRET_BYTES)).decode().lower()
        return NewToken(holder, f"{holder}.{chance}")

    def _right(self, stored: str, token: str) -> bool:
        try:
            return self._hasher.verify(stored, token)
        except argon2.exceptions.VerificationError:
            return False
        except argon2.exceptions.InvalidHashError as error:
            raise AccessError(f"{self._path}: a stored hash is damaged; make the token anew") from error

    def _store(self, hashes: dict[str, str]) -> None:
        stored = _Stored(self._stored.key, hashes)
        beside = self._path.with_name(self._path.name + ".new")
        try:
            descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                os.fchmod(file.fileno(), 0o600)
                self._keep_owner(file.fileno())
                file.write(msgspec.json.format(msgspec.json.encode(stored)) + b"\n")
                file.flush()
                os.fsync(file.fileno())
            beside.replace(self._path)
        except OSError as error:
            raise AccessError(f"cannot write the access file {self._path}: {error.strerror}") from error
        self._stored = stored
        self._checked.clear()

    def _keep_owner(self, descriptor: int) -> None:
        """Root may renew a token; the file stays the node's, which could not read it otherwise."""
        with contextlib.suppress(FileNotFoundError, PermissionError):
            owned = self._path.stat()
            os.fchown(descriptor, owned.st_uid, owned.st_gid)


def _holder(door: str | None) -> str:
    return SUPERVISOR if door is None else f"door.{door}"


def _read(path: Path) -> _Stored | None:
    try:
        stored = msgspec.json.decode(path.read_bytes(), type=_Stored)
        bytes.fromhex(stored.key)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, msgspec.MsgspecError) as error:
        raise AccessError(
            f"cannot read the access file {path}: {error}. Restore it, or remove it to make new tokens"
        ) from error
    return stored
