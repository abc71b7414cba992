# SPDX-License-Identifier: Apache-2.0
"""The application identifiers we hold, as data: format, checks, partners. Knows no code and no value.

Each row is written in the notation of the GS1 Barcode Syntax Dictionary, so that more rows need no more
program: identifier or range, flags (`*` predefined length, needs no separator behind it; `?` may stand in the
query of a Digital Link), components (`N` digits, `X` character set 82; `N6`, `N..8`, `[...]` optional; then
the checks), `req=` alternatives of which one must be there (`+` joins), `ex=` what must not be there (`n`
stands for any digit), `dlpkey` a Digital Link's primary key with its qualifiers in order. Facts: GS1 General
Specifications, sections 3 and 4; the dictionary's own release for the notation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

__all__ = ["IDENTIFIERS", "Component", "Identifier", "find_identifier", "pattern_matches"]

_ROWS = """
00         *?  N18,csum,gcppos2         dlpkey                              # SSCC
01         *?  N14,csum,gcppos2         ex=255,37 dlpkey=22,10,21|235       # GTIN
02         *?  N14,csum,gcppos2         ex=01,03 req=37                     # GTIN of contained units
10         ?   X..20                    req=01,02,03,8006,8026              # batch or lot
11         *?  N6,yymmd0                req=01,02,03,8006,8026              # production date
13         *?  N6,yymmd0                req=01,02,03,8006,8026              # packaging date
15         *?  N6,yymmd0                req=01,02,03,8006,8026              # best before date
16         *?  N6,yymmd0                req=01,02,03,8006,8026              # sell by date
17         *?  N6,yymmd0                req=01,02,03,255,8006,8026          # expiry date
20         *?  N2                       req=01,02,03,8006,8026              # internal variant
21             X..20                    req=01,03,8006 ex=235               # serial
22             X..20                    req=01                              # consumer variant
235            X..28                    req=01                              # third-party serial
240        ?   X..30                    req=01,02,03,8006,8026              # additional product id
241        ?   X..30                    req=01,02,03,8006,8026              # customer part number
242        ?   N..6                     req=01,02,8006,8026                 # made-to-order variant
30         ?   N..8                     req=01,02                           # count of items
3100-3105  *?  N6                       req=01,02 ex=310n                   # net weight, kg
3110-3115  *?  N6                       req=01,02 ex=311n                   # length, m
3120-3125  *?  N6                       req=01,02 ex=312n                   # width, m
3130-3135  *?  N6                       req=01,02 ex=313n                   # height, m
3140-3145  *?  N6                       req=01,02 ex=314n                   # area, m2
3150-3155  *?  N6                       req=01,02 ex=315n                   # net volume, l
3160-3165  *?  N6                       req=01,02 ex=316n                   # net volume, m3
3300-3305  *?  N6                       req=00,01 ex=330n                   # gross weight, kg
3310-3315  *?  N6                       req=00,01 ex=331n                   # logistic length, m
3320-3325  *?  N6                       req=00,01 ex=332n                   # logistic width, m
3330-3335  *?  N6                       req=00,01 ex=333n                   # logistic height, m
3340-3345  *?  N6                       req=00,01 ex=334n                   # logistic area, m2
3350-3355  *?  N6                       req=00,01 ex=335n                   # logistic volume, l
3360-3365  *?  N6                       req=00,01 ex=336n                   # logistic volume, m3
37         ?   N..8                     req=00+02,00+8026                   # count of contained units
400        ?   X..30                                                        # customer's order number
401        ?   X..30,gcppos1            dlpkey                              # GINC, consignment
402        ?   N17,csum,gcppos1         dlpkey                              # GSIN, shipment
403        ?   X..30                    req=00                              # routing code
410        *?  N13,csum,gcppos1                                             # ship to
411        *?  N13,csum,gcppos1                                             # bill to
412        *?  N13,csum,gcppos1                                             # purchased from
413        *?  N13,csum,gcppos1                                             # ship for
414        *?  N13,csum,gcppos1         dlpkey=254|7040                     # location
415        *?  N13,csum,gcppos1         req=8020 dlpkey=8020                # invoicing party
416        *?  N13,csum,gcppos1                                             # production location
417        *?  N13,csum,gcppos1         dlpkey=7040                         # party
420        ?   X..20                    ex=421                              # ship-to postal code
421        ?   N3,iso3166 X..9          ex=4307                             # ship-to country and postal code
422        ?   N3,iso3166               req=01,02,03,8006,8026 ex=426       # country of origin
423        ?   N3,iso3166 [N3],iso3166 [N3],iso3166 [N3],iso3166 [N3],iso3166 req=01,02,03 ex=426 # processing
424        ?   N3,iso3166               req=01,02,03 ex=426                 # country of processing
425        ?   N3,iso3166 [N3],iso3166 [N3],iso3166 [N3],iso3166 [N3],iso3166 req=01,02,03 ex=426 # disjoining
426        ?   N3,iso3166               req=01,02,03                        # country of full processing
427        ?   X..3                     req=01+422,02+422,03+422            # origin subdivision
8003       ?   N1,zero N13,csum,gcppos1 [X..16]  dlpkey                     # GRAI, returnable asset
8004       ?   X..30,gcppos1            dlpkey=7040                         # GIAI, individual asset
90         ?   X..30                                                        # agreed between partners
91-99      ?   X..90                                                        # company internal
"""


@dataclass(frozen=True, slots=True)
class Component:
    """One part of a value: its characters ("N" digits, "X" character set 82), lengths and checks by name."""

    charset: str
    length_min: int
    length_max: int
    checks: tuple[str, ...]
    optional: bool


@dataclass(frozen=True, slots=True)
class Identifier:
    """One application identifier.

    `requires`: every group must be met; a group is met when all members of one of its alternatives are there.
    `qualifiers`: for a primary key the sequences of qualifiers a Digital Link's path may hold, None for
    others.
    """

    ai: str
    title: str
    predefined: bool
    in_query: bool
    components: tuple[Component, ...]
    requires: tuple[tuple[tuple[str, ...], ...], ...]
    excludes: tuple[str, ...]
    qualifiers: tuple[tuple[str, ...], ...] | None

    @property
    def length_max(self) -> int:
        """The longest value, in characters."""
        return sum(component.length_max for component in self.components)


def pattern_matches(pattern: str, ai: str) -> bool:
    """Whether `ai` is what `pattern` names; `n` in the pattern stands for any one digit."""
    return len(pattern) == len(ai) and all(p in ("n", c) for p, c in zip(pattern, ai, strict=True))


def find_identifier(text: str, position: int) -> Identifier | None:
    """The application identifier that starts at `position` of `text`, None when we hold none such."""
    for length in (2, 3, 4):
        found = IDENTIFIERS.get(text[position : position + length])
        if found is not None:
            return found
    return None


_COMPONENT = re.compile(r"(\[)?([NX])(\.\.)?(\d+)\]?((?:,[a-z0-9]+)*)")


def _read_rows(rows: str) -> Iterator[Identifier]:
    for row in filter(None, map(str.strip, rows.splitlines())):
        specification, _, title = row.partition("#")
        first, *words = specification.split()
        flags = words.pop(0) if words[0][0] in "*?" else ""
        components = tuple(filter(None, map(_component, words)))
        attributes = [word.partition("=") for word in words if _component(word) is None]
        low, _, high = first.partition("-")
        for number in range(int(low), int(high or low) + 1):
            yield Identifier(
                ai=str(number).zfill(len(low)),
                title=title.strip(),
                predefined="*" in flags,
                in_query="?" in flags,
                components=components,
                requires=tuple(
                    tuple(tuple(way.split("+")) for way in value.split(","))
                    for name, _, value in attributes
                    if name == "req"
                ),
                excludes=tuple(
                    ai for name, _, value in attributes if name == "ex" for ai in value.split(",")
                ),
                qualifiers=next(
                    (
                        tuple(tuple(filter(None, way.split(","))) for way in value.split("|"))
                        for name, _, value in attributes
                        if name == "dlpkey"
                    ),
                    None,
                ),
            )


def _component(word: str) -> Component | None:
    match = _COMPONENT.fullmatch(word)
    if match is None:
        return None
    optional, charset, ranged, length, checks = match.groups()
    length_min = 1 if ranged else int(length)
    named = tuple(filter(None, checks.split(",")))
    return Component(charset, length_min, int(length), named, optional is not None)


IDENTIFIERS: Mapping[str, Identifier] = MappingProxyType({row.ai: row for row in _read_rows(_ROWS)})
