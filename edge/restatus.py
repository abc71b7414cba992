# SPDX-License-Identifier: Apache-2.0
"""Changes of status that a dock has heard of: by them goods whose leaving is undone are back in the status
that they have by then, not in the one that they left in. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from customs.documents import Status

LOADS_MAX: Final = 10_000
"""Loads whose changes are remembered; goods of older ones come back in the status that they left in."""

CHANGES_MAX: Final = 8
"""Changes of one load, from one status to another and on: several times what law allows."""

Change = tuple[Status, Status]
"""From one status to another."""


def remember(changes: dict[str, list[Change]], load: str, was: Status, becomes: Status) -> None:
    """Note that a load, by its key, has changed."""
    changes[load] = [*changes.pop(load, ()), (was, becomes)][-CHANGES_MAX:]
    while len(changes) > LOADS_MAX:
        del changes[next(iter(changes))]


def status_now(changes: Iterable[Change], left_in: Status) -> Status:
    """The status that goods have after changes of their load which were in `left_in` before them."""
    for was, becomes in changes:
        if was == left_in:
            left_in = becomes
    return left_in
