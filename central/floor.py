# SPDX-License-Identifier: Apache-2.0
"""Loads that an act on the books names: judged by what stands on the floor, and told to the docks.

Docks judge by loads, the ledger by quantities of goods. So an act that concerns loads names them, and doors
go by it from the moment they hear of it. Pure; `central.bookkeeping` brings what is on the floor.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Final, NamedTuple

import msgspec

from central.errors import Denied
from customs.documents import Holding, Status
from customs.works.events import ROWS_MAX, Load, Piece, load_key
from gs1 import check_digit
from sync.bodies import Moved, is_count

_ZERO: Final = Decimal(0)


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """So much of a load, by its SSCC or the key that docks know it under; without a quantity all of it."""

    load: Load
    quantity: Decimal | None = None


class Relabeled(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """As `Part`, of goods that get another status. A label names goods of one status, so what is only a part
    of a load goes `onto` a label of its own.
    """

    load: Load
    quantity: Decimal | None = None
    onto: Load | None = None


Parts = Annotated[tuple[Part, ...], msgspec.Meta(max_length=ROWS_MAX)]
Relabels = Annotated[tuple[Relabeled, ...], msgspec.Meta(max_length=ROWS_MAX)]


class Goods(NamedTuple):
    """One owner's product in one status, and how much of it; below zero what is missing."""

    owner: str
    product: str
    status: Status
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class Shift:
    """What an act does to loads: what is `off` them in the status that the goods had, what is `on` them in
    the one that they have then. A whole load that stays where it is stands in both.
    """

    unit: str = ""
    off: tuple[Piece, ...] = ()
    on: tuple[Piece, ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        """The loads by the keys that docks know them under."""
        return tuple({piece.key: None for piece in (*self.off, *self.on)})


def unnamed(goods: Goods, loads: Sequence[Holding], free: Decimal) -> tuple[Relabeled, ...]:
    """The loads that an act means which names none: all `loads` of its goods where that is just what it
    speaks of, none where it may be of the goods on no load, of which there are `free`. Denied (409) where it
    may be either, or only some of them.
    """
    there = sum((load.quantity for load in loads), _ZERO)
    if there == goods.quantity > free:
        return tuple(Relabeled(load.key) for load in loads)
    if goods.quantity <= free and there != goods.quantity:
        return ()
    raise Denied(
        409,
        f"{there:f} of these goods are on {len(loads)} loads and {free:f} on none; {goods.quantity:f} may be "
        "some of either",
        "Name the loads, each whole or with a quantity and the label that it gets.",
    )


def restatus(
    goods: Goods, becomes: Goods, said: Sequence[Relabeled], floor: Mapping[str, Sequence[Holding]]
) -> Shift:
    """What it does to loads that their goods become others: of another status, and where they came without
    papers of the owner and product that their paper names. Denied (409, 422) where they do not fit.
    """
    off, on = [], []
    unit = ""
    for one in said:
        load = _fitting(goods, one.load, floor)
        unit = _same_unit(unit, load)
        quantity = _of(load, one.quantity, one.load)
        off.append(Piece(load.key, quantity, load.sscc, load.lot))
        if one.onto is None and quantity < load.quantity:
            raise Denied(
                409,
                f"{quantity:f} are only a part of load {one.load[:60]}, which has {load.quantity:f}",
                "Put a label of its own on that part and name it, or name the whole load.",
            )
        onto = load_key(one.onto) if one.onto is not None else load.key
        if onto != load.key:
            _check_label(becomes, unit, one.onto or "", floor)
            on.append(Piece(onto, quantity, one.onto if onto != one.onto else None, load.lot))
        else:
            on.append(off[-1])
    _check_once(off)
    _check_once([piece for piece in on if piece not in off], {piece.key for piece in off})
    return Shift(unit, tuple(off), tuple(on))


def counted(goods: Goods, said: Sequence[Part], unit: str, floor: Mapping[str, Sequence[Holding]]) -> Shift:
    """What a count does to the loads that it names: goods that are missing leave them; goods that were found,
    which count in `unit`, are on them. Denied (409, 422) where they do not fit.
    """
    pieces: list[Piece] = []
    for one in said:
        key = load_key(one.load)
        if goods.quantity < 0:
            load = _fitting(goods, one.load, floor)
            unit = _same_unit("", load) if not pieces else _same_unit(unit, load)
            pieces.append(Piece(key, _of(load, one.quantity, one.load), load.sscc, load.lot))
            continue
        if one.quantity is None or not is_count(one.quantity):
            raise Denied(409, f"how much was found on load {one.load[:60]} is not said", "Say its quantity.")
        _check_label(goods, unit, one.load, floor)
        pieces.append(Piece(key, one.quantity, one.load if key != one.load else None))
    _check_once(pieces)
    total = sum((piece.quantity for piece in pieces), _ZERO)
    if pieces and total != abs(goods.quantity):
        raise Denied(
            409,
            f"the loads have {total:f} of it, the act says {abs(goods.quantity):f}",
            "Correct one of them.",
        )
    return Shift(unit, tuple(pieces)) if goods.quantity < 0 else Shift(unit, (), tuple(pieces))


def moves(goods: Goods, becomes: Goods, shift: Shift) -> Iterator[Moved]:
    """What docks must know of it, load by load."""

    def held(piece: Piece, of: Goods) -> Holding:
        return Holding(
            piece.key, piece.sscc, of.product, piece.quantity, shift.unit, of.owner, of.status, piece.lot
        )

    stay = {piece.key for piece in shift.on} & {piece.key for piece in shift.off}
    if (goods.owner, goods.product) != (becomes.owner, becomes.product):
        stay = set()  # they are told as goods that left, and others that came
    for piece in shift.off:
        yield Moved(False, held(piece, goods), becomes=becomes.status if piece.key in stay else None)
    yield from (Moved(True, held(piece, becomes)) for piece in shift.on if piece.key not in stay)


def _fitting(goods: Goods, name: str, floor: Mapping[str, Sequence[Holding]]) -> Holding:
    # What the load was before it got its status has a row, too, of which nothing is left.
    loads = [load for load in floor.get(load_key(name), ()) if load.quantity]
    if not loads:
        raise Denied(409, f"no load {name[:60]!r} is in the zone", "Compare it with the label.")
    if len(loads) > 1:
        raise Denied(
            409,
            f"load {name[:60]} is on the books for several owners or in several statuses",
            "Look into its movements first.",
        )
    (load,) = loads
    said = (goods.owner, goods.product, goods.status)
    if (load.owner, load.gtin, load.status) != said:
        raise Denied(
            409,
            f"load {name[:60]} has {load.gtin[:14]} of {load.owner[:80]} in {load.status}, not "
            f"{goods.product} of {goods.owner} in {goods.status}",
            "Compare it with the label.",
        )
    return load


def _of(load: Holding, quantity: Decimal | None, name: str) -> Decimal:
    if quantity is None:
        return load.quantity
    if not is_count(quantity) or quantity > load.quantity:
        raise Denied(
            409, f"load {name[:60]} has {load.quantity:f}, not {str(quantity)[:40]}", "Correct the quantity."
        )
    return quantity


def _same_unit(unit: str, load: Holding) -> str:
    if unit and unit != load.unit:
        raise Denied(409, f"some loads count in {unit}, some in {load.unit}", "Say them in two acts.")
    return load.unit


def _check_label(goods: Goods, unit: str, name: str, floor: Mapping[str, Sequence[Holding]]) -> None:
    """A label names one kind of goods, and a door can read it."""
    key = load_key(name)
    if key != name and check_digit(name[:-1]) != name[-1]:
        raise Denied(
            422,
            f"{name} is no SSCC: its check digit would be {check_digit(name[:-1])}",
            "Compare it with the label.",
        )
    wanted = (goods.owner, goods.product, goods.status, unit)
    if any((load.owner, load.gtin, load.status, load.unit) != wanted for load in floor.get(key, ())):
        raise Denied(
            409,
            f"load {name[:60]} holds other goods in the zone already",
            "Put them on a label of their own.",
        )


def _check_once(pieces: Sequence[Piece], taken: set[str] | None = None) -> None:
    seen = set(taken or ())
    for piece in pieces:
        if piece.key in seen:
            raise Denied(409, f"load {piece.key[:60]} is named twice", "Name each load once.")
        seen.add(piece.key)
