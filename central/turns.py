# SPDX-License-Identifier: Apache-2.0
"""Acts on goods, one after the other: what an act was checked against is so until it is written.

Docks are not waited for: what they tell has happened, whatever was decided meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Protocol, TypeVar


class TakesTurns(Protocol):
    """Who does acts on goods. All of a center have one and the same `turn`."""

    @property
    def turn(self) -> asyncio.Lock:
        """Held from an act's first check until it is written; the own log's lock is taken within."""


Actor = TypeVar("Actor", bound=TakesTurns)
Order = TypeVar("Order")
Done = TypeVar("Done")


def in_turn(act: Callable[[Actor, Order], Awaitable[Done]]) -> Callable[[Actor, Order], Awaitable[Done]]:
    """An act that waits for those before it."""

    @wraps(act)
    async def taken(self: Actor, order: Order) -> Done:
        async with self.turn:
            return await act(self, order)

    return taken
