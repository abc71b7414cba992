# SPDX-License-Identifier: Apache-2.0
"""The numbers of this node's own logistic units: a counter that never tells a number twice within its range.

Where it stands is written beside the anchor, on the second medium that is in no backup, before a number is
told: a kill between the two loses numbers and repeats none, and a store that was restored from a backup is
behind and does not matter. A copy in the store shows when the anchor is gone; then nothing is told until a
person says where to go on. Knows no labels and no journal.

The stated limit is the record's own: a whole machine that is copied or rolled back, anchor and all, tells the
same numbers again. Two nodes with one company prefix need two ranges.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from edge.anchor import write_whole
from edge.errors import LabelsError
from gs1 import sscc_of

__all__ = ["SERIALS_MAX", "SsccCounter", "SsccRange"]

SERIALS_MAX: Final = 1000
"""The most numbers told at once: a roll of labels. A typing error must not burn a whole range."""

_LOCK: Final = "sscc.lock"


@dataclass(frozen=True, slots=True)
class SsccRange:
    """`[labels]`: the GS1 company prefix, the extension digit, and the serial references from first to
    last.
    """

    company_prefix: str
    extension: int
    first: int
    last: int

    @property
    def name(self) -> str:
        """The file that a counter of this prefix and extension is kept in; its range may grow."""
        return f"sscc-{self.extension}-{self.company_prefix}"


class SsccCounter:
    """The counter of one range, kept in the store's and in the anchor's folder, both of which must exist.

    Every method raises LabelsError, with the next step, when the counter cannot be used. It is held only
    while a method runs, so that a service and a command may take turns; two at one time are refused.
    """

    def __init__(self, store: Path, anchor: Path, numbers: SsccRange) -> None:
        self._store = store
        self._anchor = anchor
        self._range = numbers

    def begin(self, at: int | None = None) -> int:
        """Start counting at `at` (the range's first if None), once for a range; the number it stands at then.

        For a new range, and after the anchor was lost: then `at` must be above every label that was printed.
        Refused while a counter stands, and below what the store knows of.
        """
        with self._held():
            told = self._read(self._anchor)
            if told is not None:
                raise LabelsError(
                    f"the counter of {self._range.name} stands at {told} already; "
                    "print labels, or set another range in [labels]"
                )
            known = self._read(self._store)
            start = self._range.first if at is None else at
            if known is not None and (at is None or start < known):
                raise LabelsError(
                    f"numbers below {known} were told from this range; begin with --from {known}, or with a "
                    "higher one if labels above it were printed"
                )
            if not self._range.first <= start <= self._range.last:
                first, last = self._range.first, self._range.last
                raise LabelsError(f"{start} is outside the range in [labels], expected {first} to {last}")
            self._write(start)
            return start

    def take(self, count: int = 1) -> tuple[str, ...]:
        """The next `count` SSCCs (1 to 1,000), told to nobody before and never again; all, or none."""
        if not 1 <= count <= SERIALS_MAX:
            raise LabelsError(f"{count} numbers at once, expected 1 to {SERIALS_MAX}")
        with self._held():
            start = self._next()
            left = self._range.last - start + 1
            if left < count:
                raise LabelsError(
                    f"{max(left, 0)} numbers are left of {self._range.first} to {self._range.last}, {count} "
                    "are needed: set a new range in [labels], which no other node has"
                )
            self._write(start + count)
        numbers = self._range
        return tuple(
            sscc_of(numbers.company_prefix, numbers.extension, serial)
            for serial in range(start, start + count)
        )

    def left(self) -> int:
        """How many numbers are left of the range."""
        with self._held():
            return max(self._range.last - self._next() + 1, 0)

    def _next(self) -> int:
        """The first number that was told to nobody."""
        anchored, stored = self._read(self._anchor), self._read(self._store)
        if anchored is None:
            start = "" if stored is None else f" --from {stored}"
            why = (
                "was never begun here"
                if stored is None
                else f"is gone from {self._anchor}, the store knows of numbers up to {stored - 1}"
            )
            raise LabelsError(
                f"the counter of {self._range.name} {why}: look for the highest label printed, then begin "
                f"above it with `zonegate label begin{start}`"
            )
        return max(anchored, stored or 0, self._range.first)

    def _write(self, following: int) -> None:
        """Both places, the anchor first: what it says binds."""
        try:
            for folder in (self._anchor, self._store):
                write_whole(folder / self._range.name, _line(self._range.name, following))
        except OSError as error:
            raise LabelsError(
                f"the counter {self._range.name} cannot be written: {error.strerror}; no number was told"
            ) from error

    def _read(self, folder: Path) -> int | None:
        path = folder / self._range.name
        try:
            line = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise LabelsError(f"the counter {path} cannot be read: {error.strerror}") from error
        following = _following(self._range.name, line)
        if following is None:
            raise LabelsError(
                f"the counter {path} is damaged: move it away, and begin above the highest label printed"
            )
        return following

    @contextmanager
    def _held(self) -> Iterator[None]:
        path = self._anchor / _LOCK
        try:
            owner = self._anchor.stat().st_uid
            if os.geteuid() == 0 and owner != 0:
                # What root wrote, the node could not read again.
                raise LabelsError(f"{self._anchor} is user {owner}'s: run this as that user, not as root")
            file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise LabelsError(
                f"{path} cannot be opened: {error.strerror}; the counter needs the anchor's folder"
            ) from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        except BlockingIOError as error:
            raise LabelsError("another process takes numbers right now; try again") from error
        finally:
            os.close(file)


def _line(name: str, following: int) -> bytes:
    fields = json.dumps({"v": 1, "counter": name, "next": following})
    return f"{fields} {_check(fields)}\n".encode()


def _following(name: str, line: bytes) -> int | None:
    """The number that a line says comes next; None when it is not whole, or of another counter."""
    fields, _, check = line.decode("utf-8", "replace").removesuffix("\n").rpartition(" ")
    if check != _check(fields):
        return None
    told = json.loads(fields)
    return told["next"] if told["counter"] == name and isinstance(told["next"], int) else None


def _check(fields: str) -> str:
    return hashlib.sha256(fields.encode()).hexdigest()
