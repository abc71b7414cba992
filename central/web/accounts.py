# SPDX-License-Identifier: Apache-2.0
"""The ledger's accounts and places in people's words, and a lot's balance over its days as a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Final
from urllib.parse import quote

from markupsafe import Markup

from central.ledger_queries import Amount
from central.web.shapes import quantity
from customs.ledger.facts import (
    ABROAD,
    ADJUSTED,
    ARRIVED,
    CONSTRUCTIVE,
    CONSUMED,
    DESTROYED,
    EXPORTED,
    IN_TRANSIT,
    MADE,
    OPENING,
    OTHER_ZONE,
    OVERDRAWN,
    RESTATUS,
    STOCK,
    SUPPLIES,
    TERRITORY,
    WAREHOUSE,
    WORK,
    holds_goods,
)
from customs.ledger.locations import MISSING, OUTSIDE, UNPLACED

WORDS: Final = {
    STOCK: "in stock",
    ABROAD: "admitted",
    ARRIVED: "admitted as they arrived",
    TERRITORY: "entered commerce",
    EXPORTED: "exported",
    OTHER_ZONE: "went to another zone",
    WAREHOUSE: "went to a warehouse",
    SUPPLIES: "left as supplies",
    DESTROYED: "destroyed",
    CONSUMED: "used up in work",
    MADE: "made here",
    OPENING: "opening balance",
    ADJUSTED: "adjusted by count",
    RESTATUS: "changed status",
    OVERDRAWN: "left, but of no lot",
}

PLACES: Final = {
    OUTSIDE: "outside the zone",
    UNPLACED: "not put away yet",
    MISSING: "not on its load",
}
"""Places that are none, as people call them."""

_WIDTH: Final = 720
_HEIGHT: Final = 120
_LEFT: Final = 70
_BOTTOM: Final = 20


def account(name: str) -> str:
    """An account as people call it."""
    if name.startswith(CONSTRUCTIVE):
        return f"entered on {name[len(CONSTRUCTIVE) :]}, still here"
    if name == CONSTRUCTIVE.rstrip(":"):
        return "entered"
    if name.startswith(IN_TRANSIT):
        return f"picked up on {name[len(IN_TRANSIT) :]}, on the way"
    if name.startswith(WORK):
        return f"in work, order {name[len(WORK) :]}"
    return WORDS.get(name, name)


def in_hand(accounts: Mapping[str, Amount]) -> Decimal:
    """Commercial units in the zone's hands: in stock, in work, on the way, and entered but still here."""
    return sum((amount.quantity for name, amount in accounts.items() if holds_goods(name)), Decimal(0))


def in_customs(accounts: Mapping[str, Amount]) -> Decimal:
    """The same in customs units."""
    return sum((amount.customs for name, amount in accounts.items() if holds_goods(name)), Decimal(0))


def lot_path(lot: str) -> str:
    """The address of a lot's story."""
    return "/lots/" + quote(lot, safe="/")


def trace_path(lot: str) -> str:
    """The address of all that a lot went into and is made of."""
    return "/trace/" + quote(lot, safe="/")


def place_words(name: str) -> str:
    """A place as people call it."""
    return PLACES.get(name, name)


def location_path(name: str) -> str:
    """The address of a location's page."""
    return "/locations/" + quote(name, safe="")


def load_path(name: str) -> str:
    """The address of a load's page."""
    return "/loads/" + quote(name, safe="")


def stair(days: Sequence[tuple[date, Decimal]]) -> Markup:
    """What stood of a lot at the end of each day on which it moved, as stairs from its first day to its last.

    Empty when there are less than two days: one figure needs no picture.
    """
    if len(days) < 2:
        return Markup("")
    first, last = days[0][0], days[-1][0]
    span = (last - first).days + 1
    most = max(*(amount for _, amount in days), Decimal(1))

    def x(day: date) -> str:
        return f"{_LEFT + (day - first).days * (_WIDTH - _LEFT - 10) / span:.1f}"

    def y(amount: Decimal) -> str:
        return f"{10 + (1 - amount / most) * (_HEIGHT - _BOTTOM - 10):.1f}"

    path = f"M{x(first)} {y(Decimal(0))}"
    for day, amount in days:
        path += f"H{x(day)}V{y(amount)}"
    path += f"H{_WIDTH - 10}"
    told = "; ".join(f"{day}: {quantity(amount)}" for day, amount in days[:40])
    return Markup(
        '<svg class="stair" role="img" viewBox="0 0 {w} {h}" width="{w}" height="{h}"><title>{told}</title>'
        '<path class="area" d="{path}V{zero}H{left}Z"/><path class="edge" d="{path}"/>'
        '<text x="{text}" y="16" text-anchor="end">{most}</text>'
        '<text x="{text}" y="{zero}" text-anchor="end">0</text>'
        '<text x="{left}" y="{low}">{first}</text><text x="{right}" y="{low}" text-anchor="end">{last}</text>'
        "</svg>"
    ).format(
        w=_WIDTH,
        h=_HEIGHT,
        told=told,
        path=path,
        zero=y(Decimal(0)),
        left=_LEFT,
        text=_LEFT - 8,
        most=quantity(most),
        low=_HEIGHT - 4,
        first=first.isoformat(),
        last=last.isoformat(),
        right=_WIDTH - 10,
    )
