# SPDX-License-Identifier: Apache-2.0
"""Right values and right element strings, drawn from the dictionary's own rows by any source of chance."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from gs1 import check_digit
from gs1.check import check_pair
from gs1.codelists import COUNTRIES, COUNTRIES_ALPHA2, CURRENCIES, MEDIA_TYPES, PACKAGE_TYPES
from gs1.dictionary import IDENTIFIERS, Component, pattern_matches
from gs1.findings import CHARSETS

SETS = {name: "".join(sorted(characters - {"="})) for name, characters in CHARSETS.items()}
ALNUM = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"

Draw = Callable[[Random, str], str]


def right_value(ai: str, chance: Random) -> str:
    """A value of `ai` that breaks no rule."""
    parts = []
    for component in IDENTIFIERS[ai].components:
        if component.optional and chance.random() < 0.5:
            break
        parts.append(_part(component, chance))
    return "".join(parts)


def right_elements(chance: Random, wanted_max: int = 6) -> tuple[tuple[str, str], ...]:
    """Some elements that may stand together, in any order."""
    kept: list[str] = []
    for ai in chance.sample(AIS, chance.randint(1, wanted_max)):
        add_with_partners(ai, kept, chance)
    if not kept:
        kept = ["00"]
    chance.shuffle(kept)
    return tuple((ai, _signed(ai, kept, chance)) for ai in kept)


def add_with_partners(ai: str, kept: list[str], chance: Random) -> None:
    """Adds `ai` and what it needs to `kept`, or leaves `kept` as it is where something excludes it."""
    together = list(kept)
    open_ais = [ai]
    while open_ais:
        each = open_ais.pop()
        if each in together:
            continue
        if any(_excludes(each, other) or _excludes(other, each) for other in together):
            return
        together.append(each)
        for ways in IDENTIFIERS[each].requires:
            if not any(all(_named(together, pattern) for pattern in way) for way in ways):
                way = chance.choice(ways)
                open_ais += [chance.choice(_members(pattern)) for pattern in way]
    kept[:] = together


AIS = sorted(IDENTIFIERS)


def _named(together: list[str], pattern: str) -> bool:
    return any(pattern_matches(pattern, ai) for ai in together)


def _members(pattern: str) -> list[str]:
    return [ai for ai in AIS if pattern_matches(pattern, ai)]


def _excludes(ai: str, other: str) -> bool:
    return any(pattern_matches(pattern, other) for pattern in IDENTIFIERS[ai].excludes if ai != other)


def _signed(ai: str, kept: list[str], chance: Random) -> str:
    """A signed key has its serial."""
    value = right_value(ai, chance)
    if "8030" in kept and ai in ("253", "255", "8003") and len(value) == IDENTIFIERS[ai].length_min:
        return value + chance.choice("123456789")
    return value


def _part(component: Component, chance: Random) -> str:
    length = chance.randint(component.length_min, component.length_max)
    text = "".join(chance.choices(SETS[component.charset], k=length))
    for check in component.checks:
        if check in _WHOLE:
            return _WHOLE[check](chance, text)
    if "gcppos1" in component.checks:
        text = "9520" + text[4:]
    if "gcppos2" in component.checks:
        text = text[0] + "9520" + text[5:]
    if "hasnondigit" in component.checks:
        text = text[:4] + "M" + text[5:]
    if "csum" in component.checks:
        text = text[:-1] + check_digit(text[:-1])
    if "csumalpha" in component.checks:
        text = text[: component.length_max - 2]
        text += check_pair(text)
    return text


def _date(form: str) -> Draw:
    def draw(chance: Random, text: str) -> str:
        year, month = chance.randrange(100), chance.randint(1, 12)
        day = chance.randint(1, 28)
        return f"{'20' if form == 'YYYYMMDD' else ''}{year:02}{month:02}{day:02}"

    return draw


def _one_of(values: frozenset[str] | str) -> Draw:
    ordered = sorted(values)
    return lambda chance, text: chance.choice(ordered)


def _number(width: int, largest: int, least: int = 0) -> Draw:
    return lambda chance, text: str(chance.randint(least, largest)).zfill(width)


def _iban(chance: Random, text: str) -> str:
    country, account = chance.choice(sorted(COUNTRIES_ALPHA2)), "".join(chance.choices(ALNUM, k=18))
    digits = "".join(str(ALNUM.index(character)) for character in f"{account}{country}00")
    return f"{country}{98 - int(digits) % 97:02}{account}"


def _piece(chance: Random, text: str) -> str:
    total = chance.randint(1, 99)
    return f"{chance.randint(1, total):02}{total:02}"


def _place(chance: Random, text: str) -> str:
    end = chance.randint(1, 9)
    return f"{chance.randint(1, end)}/{end}"


def _percent(chance: Random, text: str) -> str:
    plain = text.replace("%", "") or "A"
    return plain if len(plain) < 5 else plain[:-3] + "%2F"


_WHOLE: dict[str, Draw] = {
    "couponcode": lambda chance, text: "0952000123456" + "1" + "5" + "2" + "10" + "0" + "123",
    "couponposoffer": lambda chance, text: "00952000123456" + "0" + "123456",
    "hh": _number(2, 23),
    "hhmi": lambda chance, text: f"{chance.randrange(24):02}{chance.randrange(60):02}",
    "hyphen": lambda chance, text: "-" * len(text),
    "iban": _iban,
    "importeridx": _one_of("Az9-_"),
    "iso3166": _one_of(COUNTRIES),
    "iso3166999": _one_of(COUNTRIES | {"999"}),
    "iso3166alpha2": _one_of(COUNTRIES_ALPHA2),
    "iso4217": _one_of(CURRENCIES),
    "iso5218": _one_of("0129"),
    "latitude": _number(10, 1_800_000_000),
    "longitude": _number(10, 3_600_000_000),
    "mediatype": _one_of(MEDIA_TYPES),
    "mi": _number(2, 59),
    "nonzero": lambda chance, text: text[:-1] + "1",
    "nozeroprefix": lambda chance, text: "1" + text[1:],
    "packagetype": _one_of(PACKAGE_TYPES),
    "pcenc": _percent,
    "pieceoftotal": _piece,
    "posinseqslash": _place,
    "ss": _number(2, 59),
    "winding": _one_of("019"),
    "yesno": _one_of("01"),
    "yymmd0": _date("YYMMDD"),
    "yymmdd": _date("YYMMDD"),
    "yyyymmdd": _date("YYYYMMDD"),
    "zero": lambda chance, text: "0" * len(text),
}
