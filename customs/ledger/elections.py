# SPDX-License-Identifier: Apache-2.0
"""Which goods are taken to have left: first in first out, or the lot that was named, by a dated election.

A zone uses one method consistently and says so beforehand (19 CFR 146.23(a)(2)): an election holds from its
own day on, for an owner's goods or one product of them, and is never backdated. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Final

import msgspec

DEFAULT_AUTHORITY: Final = "the zone's procedures manual"


class Method(StrEnum):
    """How goods that left are attributed to those that came."""

    FIFO = "fifo"
    SPECIFIC = "specific"


class Election(msgspec.Struct, frozen=True):
    """From `since` on this owner's goods, or this product of them, are attributed by `method`. `authority`
    names what allows it: a ruling, a page of the manual that the port director has.
    """

    owner: str
    method: Method
    since: datetime
    authority: str
    product: str | None = None


def elected(elections: Iterable[Election], owner: str, product: str, at: datetime) -> Method:
    """The method for goods that left then: the latest election for the product, else for the owner, else
    first in first out.
    """
    found = [
        one for one in elections if one.owner == owner and one.product in (None, product) and one.since <= at
    ]
    latest = max(found, key=lambda one: (one.product is not None, one.since), default=None)
    return latest.method if latest else Method.FIFO


def why_refused(election: Election, now: datetime, elections: Iterable[Election]) -> str | None:
    """Why this election cannot be made now, as a sentence with the next step; None when it can."""
    if election.since < now:
        return (
            f"It would hold from {election.since:%Y-%m-%d %H:%M} UTC, which has passed: goods may have left "
            "under the method before. Choose an instant that is still to come."
        )
    if not election.authority.strip():
        return "It names no authority. Name the ruling or the page of the procedures manual that allows it."
    for other in elections:
        if (other.owner, other.product, other.since) == (election.owner, election.product, election.since):
            return f"There is an election for the same goods from the same instant: {other.method}."
    return None


def named_lot(method: Method, picked: str | None) -> str | None:
    """The lot that goods are bound to: none under FIFO; under SPECIFIC the one that was physically taken, and
    one that no layer has where nobody knows it, so that they are overdrawn and a person names it.
    """
    if method is Method.FIFO:
        return None
    return picked or ""
