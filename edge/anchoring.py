# SPDX-License-Identifier: Apache-2.0
"""Between commit and telling: a thread that anchors what is committed, while the next batch commits.

An anchor covers every place before it. So one anchor is written for all that has been committed since the
one before, and a slow medium holds nobody up for longer than two of its writes. Knows no event loop, and
not what an anchor is.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from edge.batch import Batch

AHEAD_MAX: Final = 8
"""Batches that may be committed and not anchored: bounds the memory, and what a hung medium lets pass."""


class _Committed(NamedTuple):
    batch: Batch
    tell: Callable[[], None]


class Anchoring:
    """Calls `anchor` with batches in the order in which they were put, and then tells each of them.

    After an error of `anchor` nothing is anchored or told any more: `put` and `settle` raise it, and `broke`
    is called once, on the thread, for an owner that waits elsewhere. `put`, `settle` and `close` are called
    by one thread.
    """

    def __init__(self, anchor: Callable[[Sequence[Batch]], None], broke: Callable[[], None]) -> None:
        self._anchor = anchor
        self._broke = broke
        self._changed = threading.Condition()
        self._waiting: list[_Committed] = []
        self._at_work: list[_Committed] = []
        self._error: Exception | None = None
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="anchor", daemon=True)
        self._thread.start()

    def put(self, batch: Batch, tell: Callable[[], None]) -> None:
        """Have a batch that is committed anchored, and `tell` called then, on the thread.

        Waits while AHEAD_MAX others are not anchored. A batch that is refused with an error is not kept.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._error is not None or self._ahead() < AHEAD_MAX)
            self._raise_error()
            self._waiting.append(_Committed(batch, tell))
            self._changed.notify_all()

    def settle(self) -> None:
        """Wait until all that was put is told."""
        with self._changed:
            self._changed.wait_for(lambda: self._error is not None or not self._ahead())
            self._raise_error()

    def untold(self) -> list[Batch]:
        """What was put and is not told: after an error, what never will be."""
        with self._changed:
            return [committed.batch for committed in self._at_work + self._waiting]

    def close(self) -> None:
        """End the thread, once what was put is told or an error has come."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join()

    def _ahead(self) -> int:
        return len(self._waiting) + len(self._at_work)

    def _raise_error(self) -> None:
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        while self._take():
            try:
                self._anchor([committed.batch for committed in self._at_work])
                for committed in self._at_work:
                    committed.tell()
            except Exception as error:  # noqa: BLE001 - it is raised where the next batch is put
                self._end(error)
                self._broke()
                return
            self._end(None)

    def _take(self) -> bool:
        """Take all that waits to work; waits for the first. False: closed, and nothing waits."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closing)
            self._at_work, self._waiting = self._waiting, []
            return bool(self._at_work)

    def _end(self, error: Exception | None) -> None:
        with self._changed:
            self._error = error
            if error is None:
                self._at_work = []
            self._changed.notify_all()
