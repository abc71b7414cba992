# SPDX-License-Identifier: Apache-2.0
"""All application identifiers, as data: format, checks, partners, place in a link. Knows no code, no value.

A row is: identifiers or ranges of them, split by commas; `n=0-5` when each stands for the family of a measure
whose last digit n counts decimals; flags (`*` predefined length, needs no separator behind it; `?` may stand
in the query of a Digital Link; `-` none); components (`N` digits, `X` character set 82, `Y` 39, `Z`
base64url; `N6`, `N..8`, `[...]` optional; then the names of the checks); `req=` alternatives of which one
must be there (`+` joins), `ex=` what must not be there (`n` any digit, `self` its own family), `dlpkey` a
Digital Link's primary key with its sequences of qualifiers. Facts: GS1 General Specifications, sections 3 and
4, as the GS1 Barcode Syntax Dictionary of July 2026 states them; the checks carry that dictionary's names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

__all__ = ["IDENTIFIERS", "IDENTIFIER_LENGTHS", "Component", "Identifier", "pattern_matches"]

_ROWS = """
00 *? N18,csum,gcppos2 dlpkey                                      # sscc
01 *? N14,csum,gcppos2 ex=255,37 dlpkey=22,10,21|235               # gtin
02 *? N14,csum,gcppos2 ex=01,03 req=37                             # content
03 * N14,csum,gcppos2 ex=01,02,37,235                              # mto gtin
10 ? X..20 req=01,02,03,8006,8026                                  # batch/lot
11,13,15-16 *? N6,yymmd0 req=01,02,03,8006,8026                    # prod date ... sell by
12 *? N6,yymmd0 req=8020                                           # due date
17 *? N6,yymmd0 req=01,02,03,255,8006,8026                         # use by or expiry
20 *? N2 req=01,02,03,8006,8026                                    # variant
21 - X..20 req=01,03,8006 ex=235                                   # serial
22 - X..20 req=01                                                  # cpv
235 - X..28 req=01                                                 # tpx
240-241 ? X..30 req=01,02,03,8006,8026                             # additional id, cust. part no.
242 ? N..6 req=01,02,8006,8026                                     # mto variant
243 ? X..20 req=01,03                                              # pcn
250 ? X..30 req=01+21,03+21,8006+21                                # secondary serial
251 ? X..30 req=01,03,8006                                         # ref. to source
253 ? N13,csum,gcppos1 [X..17] dlpkey                              # gdti
254 - X..20 req=414                                                # gln extension component
255 ? N13,csum,gcppos1 [N..12] dlpkey ex=01,02,415,8006,8020,8026  # gcn
30 ? N..8 req=01,02                                                # var. count
310-316,320-329,350-352,356-357,360-361,364-366 n=0-5 *? N6 req=01,02 ex=self
330-336,340-349,353-355,362-363,367-369 n=0-5 *? N6 req=00,01 ex=self # logistic measures, one family a unit
337 n=0-5 *? N6 req=01 ex=self                                     # kg per m²
37 ? N..8 req=00+02,00+8026                                        # count
390 n=0-9 ? N..15 req=255,8020 ex=self,391n,394n,8111              # amount
391 n=0-9 ? N3,iso4217 N..15 req=8020 ex=self                      # amount
392 n=0-9 ? N..15 req=01+30,01+31nn,01+32nn,01+35nn,01+36nn ex=self,393n # price
393 n=0-9 ? N3,iso4217 N..15 req=30,31nn,32nn,35nn,36nn ex=self    # price
394 n=0-3 ? N4 req=255 ex=self,8111                                # prcnt off
395 n=0-5 ? N6 req=30,31nn,32nn,35nn,36nn ex=392n,393n,self,8005   # price/uom
400,90 ? X..30                                                     # order number, internal
401 ? X..30,gcppos1 dlpkey                                         # ginc
402 ? N17,csum,gcppos1 dlpkey                                      # gsin
403,4308,4319 ? X..30 req=00                                       # route ... rtn to phone
410-413,416 *? N13,csum,gcppos1                                    # ship to loc ... prod/serv loc
414 *? N13,csum,gcppos1 dlpkey=254|7040                            # loc no.
415 *? N13,csum,gcppos1 req=8020 dlpkey=8020                       # pay to
417 *? N13,csum,gcppos1 dlpkey=7040                                # party
420 ? X..20 ex=421                                                 # ship to post
421 ? N3,iso3166 X..9 ex=4307                                      # ship to post
422 ? N3,iso3166 req=01,02,03,8006,8026 ex=426                     # origin
423,425 ? N3,iso3166 [N3],iso3166 [N3],iso3166 [N3],iso3166 [N3],iso3166 req=01,02,03 ex=426
424 ? N3,iso3166 req=01,02,03 ex=426                               # country - process
426 ? N3,iso3166 req=01,02,03                                      # country - full process
427 ? X..3 req=01+422,02+422,03+422                                # origin subdivision
4300-4301,4310-4311,4320 ? X..35,pcenc req=00                      # ship to comp ... srv description
4302,4304-4306,4312,4314-4316 ? X..70,pcenc req=00                 # ship to add1 ... rtn to reg
4303 ? X..70,pcenc req=4302                                        # ship to add2
4307,4317 ? X2,iso3166alpha2 req=00                                # ship to country, rtn to country
4309 ? N10,latitude N10,longitude req=00                           # ship to geo
4313 ? X..70,pcenc req=4312                                        # rtn to add2
4318 ? X..20 req=00                                                # rtn to post
4321-4323 ? N1,yesno req=00                                        # dangerous goods ... sig required
4324-4325 ? N6,yymmd0 N4,hhmi req=00                               # not bef del dt, not aft del dt
4326 ? N6,yymmdd req=00                                            # rel date
4330 ? N6 [X1],hyphen req=00 ex=4331                               # max temp f.
4331 ? N6 [X1],hyphen req=00 ex=4330                               # max temp c.
4332 ? N6 [X1],hyphen req=00 ex=4333                               # min temp f.
4333 ? N6 [X1],hyphen req=00 ex=4332                               # min temp c.
7001 ? N13 req=01,02,8006,8026                                     # nsn
7002 ? X..30 req=01,02                                             # meat cut
7003 ? N6,yymmdd N4,hhmi req=01,02,03                              # expiry time
7004 ? N..4 req=01+10,03+10                                        # active potency
7005 ? X..12 req=01,02                                             # catch area
7006 ? N6,yymmdd req=01,02                                         # first freeze date
7007 ? N6,yymmdd [N6],yymmdd req=01,02                             # harvest date
7008 ? X..3 req=01,02                                              # aquatic species
7009 ? X..10 req=01,02                                             # fishing gear type
7010 ? X..2 req=01,02,03                                           # prod method
7011 ? N6,yymmdd [N4],hhmi req=01,02,03                            # test by date
7020 ? X..20 req=01+416,03+416,8006+416                            # refurb lot
7021,8012 ? X..20 req=01,03,8006                                   # func stat, version
7022 ? X..20 req=01+7021,03+7021,8006+7021                         # rev stat
7023 ? X..30,gcppos1                                               # giai - assembly
7030-7039 ? N3,iso3166999 X..27 req=01,02                          # processor # 0 ... processor # 9
7040 - N1 X1 X1 X1,importeridx                                     # uic+ext
7041 - X..4,packagetype req=00                                     # ufrgt unit type
710-717 ? X..20 req=01                                             # nhrn pzn ... nhrn srn
7230-7239 ? X2 X..28 req=01,8004                                   # cert # 1 ... cert # 10
7240 ? X..20 req=01,8006 ex=03                                     # protocol
7241 ? N2,mediatype req=8017,8018                                  # aidc media type
7242 ? X..25 req=8017,8018                                         # vcn
7250 ? N8,yyyymmdd req=8018 ex=7251                                # dob
7251 ? N8,yyyymmdd N4,hhmi req=8018 ex=7250                        # dob time
7252 ? N1,iso5218 req=8018                                         # bio sex
7253-7254 ? X..40,pcenc req=8017,8018 ex=7256,7259                 # family name, given name
7255 ? X..10 req=8017,8018 ex=7256,7259                            # suffix
7256 ? X..90,pcenc req=8017,8018                                   # full name
7257 ? X..70,pcenc req=8018                                        # person addr
7258 ? X3,posinseqslash req=8018+7259                              # birth sequence
7259 ? X..40,pcenc req=8018 ex=7256                                # baby
8001 ? N4,nonzero N5,nonzero N3,nonzero N1,winding N1 req=01       # dimensions
8002 ? X..20                                                       # cmt no.
8003 ? N1,zero N13,csum,gcppos1 [X..16] dlpkey                     # grai
8004 ? X..30,gcppos1 dlpkey=7040                                   # giai
8005 ? N6 req=01,02                                                # price per unit
8006 ? N14,csum,gcppos2 N4,pieceoftotal ex=01,03,37 dlpkey=22,10,21 # itip
8007 ? X..34,iban req=415                                          # iban
8008 ? N6,yymmdd N2,hh [N2],mi [N2],ss req=01,02,03                # prod time
8009 ? X..50 req=00,01,03                                          # optsen
8010 ? Y..30,gcppos1 dlpkey=8011                                   # cpid
8011 - N..12,nozeroprefix req=8010                                 # cpid serial
8013 ? X..25,csumalpha,gcppos1 dlpkey                              # gmn
8014 - X..25,csumalpha,gcppos1,hasnondigit req=01                  # mudi
8017 ? N18,csum,gcppos1 ex=8018 dlpkey=8019                        # gsrn - provider
8018 ? N18,csum,gcppos1 ex=8017 dlpkey=8019                        # gsrn - recipient
8019 - N..10 req=8017,8018                                         # srin
8020 - X..25 req=415                                               # ref no.
8026 ? N14,csum,gcppos2 N4,pieceoftotal req=37 ex=02,03,8006       # itip content
8030 ? Z..90 req=00,01+21,03+21,253,255,8003,8004,8006+21,8010+8011,8017,8018 # digsig
8040 - N15 req=01+21                                               # imei
8041 - N15 req=01+21+8040                                          # imei2
8042 - N32 req=01+21+8040                                          # esim
8043 - N18 [N..2] req=01+21+8040                                   # psim
8110 ? X..70,couponcode
8111 ? N4 req=255                                                  # points
8112 ? X..70,couponposoffer
8200 - X..70 req=01                                                # product url
91-99 ? X..90                                                      # internal
"""


@dataclass(frozen=True, slots=True)
class Component:
    """One part of a value: its characters ("N", "X", "Y" or "Z"), lengths in characters, checks by name."""

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
    predefined: bool
    in_query: bool
    components: tuple[Component, ...]
    requires: tuple[tuple[tuple[str, ...], ...], ...]
    excludes: tuple[str, ...]
    qualifiers: tuple[tuple[str, ...], ...] | None

    @property
    def length_min(self) -> int:
        """The shortest value, in characters."""
        return sum(part.length_min for part in self.components if not part.optional)

    @property
    def length_max(self) -> int:
        """The longest value, in characters."""
        return sum(part.length_max for part in self.components)


def pattern_matches(pattern: str, ai: str) -> bool:
    """Whether `ai` is what `pattern` names; `n` in the pattern stands for any one digit."""
    return len(pattern) == len(ai) and all(p in ("n", c) for p, c in zip(pattern, ai, strict=True))


_COMPONENT = re.compile(r"(\[)?([NXYZ])(\.\.)?(\d+)\]?((?:,[a-z0-9]+)*)")


def _read_rows(rows: str) -> Iterator[Identifier]:
    for row in filter(None, rows.splitlines()):
        identifiers, *words = row.partition("#")[0].split()
        digits = words.pop(0).removeprefix("n=") if words[0].startswith("n=") else ""
        flags = words.pop(0)
        components = tuple(filter(None, map(_component, words)))
        attributes = [word.partition("=")[::2] for word in words if _component(word) is None]
        for base in _range(identifiers):
            for ai in (base + n for n in _range(digits)) if digits else (base,):
                yield Identifier(
                    ai=ai,
                    predefined="*" in flags,
                    in_query="?" in flags,
                    components=components,
                    requires=tuple(
                        tuple(tuple(way.split("+")) for way in value.split(","))
                        for name, value in attributes
                        if name == "req"
                    ),
                    excludes=tuple(
                        f"{base}n" if other == "self" else other
                        for name, value in attributes
                        if name == "ex"
                        for other in value.split(",")
                    ),
                    qualifiers=_sequences(attributes),
                )


def _range(listed: str) -> Iterator[str]:
    for item in listed.split(","):
        low, _, high = item.partition("-")
        yield from (str(number).zfill(len(low)) for number in range(int(low), int(high or low) + 1))


def _component(word: str) -> Component | None:
    match = _COMPONENT.fullmatch(word)
    if match is None:
        return None
    optional, charset, ranged, length, checks = match.groups()
    length_min = 1 if ranged else int(length)
    named = tuple(filter(None, checks.split(",")))
    return Component(charset, length_min, int(length), named, optional is not None)


def _sequences(attributes: list[tuple[str, str]]) -> tuple[tuple[str, ...], ...] | None:
    for name, value in attributes:
        if name == "dlpkey":
            return tuple(tuple(filter(None, way.split(","))) for way in value.split("|"))
    return None


IDENTIFIERS: Mapping[str, Identifier] = MappingProxyType({row.ai: row for row in _read_rows(_ROWS)})
# The first two digits of an identifier tell how long it is.
IDENTIFIER_LENGTHS: Mapping[str, int] = MappingProxyType({ai[:2]: len(ai) for ai in IDENTIFIERS})
