# SPDX-License-Identifier: Apache-2.0
"""Makes what is driven: pallets with their goods and tags, trucks with their own."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, log
from random import Random
from typing import Final

from simulators.yard.radio.bodies import Pallet, Path, Tag, Truck, draw_goods, draw_high, mount, truck_tag
from simulators.yard.radio.codes import Codes, is_unit
from simulators.yard.radio.parameters import GOODS, Goods
from simulators.yard.radio.scene import Hall

Place = tuple[float, float]

_TAGS: Final = ((0.50, 1, 2), (0.30, 3, 20), (0.14, 20, 60), (0.06, 60, 200))
"""Share of pallets, least and most tags, drawn evenly on the logarithm [ours]."""
_OWN_TAG: Final = 0.5
_SECOND_LABEL: Final = 0.3
"""Share of logistic labels that stick on two faces [GS1 advises two; ours]."""
_NO_UNIT: Final = 0.1
"""Share of pallets with cases' tags that have no tag of their own [ours]."""


class Loads:
    """Makes pallets and trucks with their tags."""

    def __init__(self, hall: Hall, chance: Random, codes: Codes, prefix: str) -> None:
        self._hall = hall
        self._chance = chance
        self._codes = codes
        self._prefix = prefix
        self._made = 0

    def pallet(self, at_s: float, at: Place, trailer: str | None = None, *, dead: bool = False) -> Pallet:
        """A load at a place from a time on."""
        chance = self._chance
        goods, high = draw_goods(chance), draw_high(chance)
        tags = self._tags(goods, high)
        if dead:
            for tag in tags:
                tag.truth = "dead"
        self._made += 1
        pallet = Pallet(
            f"{self._prefix}p{self._made}", goods, high, Path(at_s, *at), tags, at_s, trailer=trailer
        )
        self._hall.pallets.append(pallet)
        return pallet

    def given(self, at_s: float, at: Place, codes: Sequence[tuple[int, bytes]]) -> Pallet:
        """A load of dry goods with these tags (protocol control bits and EPC), every one of them sound."""
        self._made += 1
        goods, high = GOODS[0], 1.4
        tags = [
            mount(self._chance, goods, high, "sscc" if is_unit(code[1]) else "item", code) for code in codes
        ]
        for tag in tags:
            tag.truth, tag.loss_db = "fine", goods.penalty_db
        pallet = Pallet(f"{self._prefix}p{self._made}", goods, high, Path(at_s, *at), tags, at_s)
        self._hall.pallets.append(pallet)
        return pallet

    def truck(self, at_s: float, at: Place, *, side: int = 1, jack: bool = False) -> Truck:
        """A forklift or a pallet jack."""
        self._made += 1
        truck = Truck(f"{self._prefix}t{self._made}", Path(at_s, *at), at_s, side=side, jack=jack)
        self._hall.trucks.append(truck)
        if not jack and self._chance.random() < _OWN_TAG:
            tag = truck_tag(self._chance, self._codes.truck())
            tag.spot = (side * tag.spot[0], *tag.spot[1:])
            own = Pallet(
                f"{truck.name}-tag", draw_goods(self._chance), 0.0, truck.path, [tag], at_s, solid=False
            )
            self._hall.pallets.append(own)
        return truck

    def _tags(self, goods: Goods, high: float) -> list[Tag]:
        chance = self._chance
        _, few, many = chance.choices(_TAGS, [row[0] for row in _TAGS])[0]
        number = round(exp(chance.uniform(log(few), log(many + 0.49))))
        tags: list[Tag] = []
        if number < 3 or chance.random() >= _NO_UNIT:
            unit = self._codes.unit()
            labels = 2 if chance.random() < _SECOND_LABEL else 1
            tags = [mount(chance, goods, high, "sscc", unit) for _ in range(labels)]
        reference = chance.randrange(1000)
        while len(tags) < number:
            tags.append(mount(chance, goods, high, "item", self._codes.item(reference)))
        return tags
