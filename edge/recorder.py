# SPDX-License-Identifier: Apache-2.0
"""The journal as the dock writes it. Knows no file; `edge.journal.Journal` is one, a test's fake another."""

from __future__ import annotations

import asyncio
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Protocol

from edge.batch import PassageNote, UnderwayNote
from sync.entry import Draft


class Recorder(Protocol):
    """The journal as the dock writes it; see `edge.journal.Journal`."""

    @property
    def epoch(self) -> str:
        """The epoch that entries are written in."""
        ...

    def append(self, draft: Draft) -> asyncio.Future[Any]:
        """Queue an entry; the future resolves when it is told."""
        ...

    def note_read(
        self,
        *,
        device: str,
        door: str,
        at: datetime,
        code: str,
        raw: bytes,
        verdict: str,
        entry_id: str | None,
    ) -> None:
        """Keep one read as evidence, in the same transaction as what is queued."""
        ...

    def note_passage(self, note: PassageNote) -> None:
        """Keep what a gate found and what it was judged from, in the same transaction as what is queued."""
        ...

    def note_underway(self, note: UnderwayNote) -> None:
        """Keep that a passage is under way, so that a program that is killed meanwhile knows of it."""
        ...

    def note_over(self, passage: str) -> None:
        """A passage is under way no more, though none was judged by that name."""
        ...

    def together(self) -> AbstractContextManager[None]:
        """Whatever is queued inside is one transaction."""
        ...
