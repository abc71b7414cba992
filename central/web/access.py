# SPDX-License-Identifier: Apache-2.0
"""Who may act at the center: one token, made at the first start, shown once, stored as an argon2 hash.

Knows no request; a browser that has shown the token carries a session's name for twelve hours.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import secrets
import time
from pathlib import Path
from typing import Final

import argon2

from central.errors import Denied

SESSION_SECONDS: Final = 12 * 3600
"""A long working day."""

_SESSIONS_MAX: Final = 200
"""People signed in at once; the oldest session ends for the next."""

_WAITING_MAX: Final = 8
"""Tokens waiting to be checked: one at a time, so a flood of false ones takes one core at most."""

_TOKEN: Final = re.compile(r"zgc_[A-Za-z0-9_-]{32}\Z")


class Access:
    """The token's hash in `folder`, and the sessions of this run."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "token.argon2"
        self.made: str | None = None
        """The token, only in the run that made it: to be shown once."""
        self._argon2 = argon2.PasswordHasher()
        if not self._file.exists():
            self.made = "zgc_" + secrets.token_urlsafe(24)
            _write_private(self._file, self._argon2.hash(self.made))
        self._hash = self._file.read_text("ascii").strip()
        self._checked: bytes | None = None
        self._sessions: dict[str, float] = {}
        self._one_at_a_time = asyncio.Lock()
        self._waiting = 0

    async def check(self, token: str) -> bool:
        """Whether this is the token. Denied (429) when too many wait to be checked."""
        if not _TOKEN.match(token):
            return False
        digest = hashlib.sha256(token.encode()).digest()
        if self._checked is not None and secrets.compare_digest(digest, self._checked):
            return True
        if self._waiting >= _WAITING_MAX:
            raise Denied(429, "too many tokens are being checked", "Try again in a moment.")
        self._waiting += 1
        try:
            async with self._one_at_a_time:
                sound = await asyncio.to_thread(self._verify, token)
        finally:
            self._waiting -= 1
        if sound:
            self._checked = digest
        return sound

    def begin_session(self) -> str:
        """A new session's name for a cookie."""
        while len(self._sessions) >= _SESSIONS_MAX:
            del self._sessions[next(iter(self._sessions))]
        name = secrets.token_urlsafe(32)
        self._sessions[_digest(name)] = time.monotonic() + SESSION_SECONDS
        return name

    def in_session(self, name: str) -> bool:
        """Whether a cookie names a session that has not ended."""
        until = self._sessions.get(_digest(name))
        return until is not None and time.monotonic() < until

    def end_session(self, name: str) -> None:
        """Sign out."""
        self._sessions.pop(_digest(name), None)

    def _verify(self, token: str) -> bool:
        try:
            return self._argon2.verify(self._hash, token)
        except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
            return False


def _digest(name: str) -> str:
    return hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()


def _write_private(path: Path, text: str) -> None:
    """Write a file that only its owner reads, whole or not at all."""
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
    fresh.rename(path)
