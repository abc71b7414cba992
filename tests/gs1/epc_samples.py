# SPDX-License-Identifier: Apache-2.0
"""What tags of every scheme may hold, drawn by any source of chance."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from gs1 import check_digit, check_elements
from gs1.dictionary import IDENTIFIERS
from gs1.elements import Elements
from gs1.epc import SCHEMES, encode_tag, encode_tag_uri
from gs1.epc.formats import FORMATS
from gs1.errors import CodeError
from tests.gs1.samples import right_value

SET_82 = "!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
SET_39 = "#-/0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
HEX = "0123456789ABCDEF"
CAGE = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ"
WITHOUT_ELEMENTS = ("gid-96", "usdod-96", "adi-var")
DATES = ("11", "13", "15", "16", "17", "7006", "7007")
HOSTS = ("id.gs1.org", "example.com", "qr.loja.com.br", "ID.EXAMPLE", "a", "x-1.tech:8080", "www.idcom.co.uk")

# Which serials the schemes of a fixed length hold: a number below, or so many characters of which set.
_NUMBERS = {"sgtin-96": 38, "sgln-96": 41, "grai-96": 38, "gdti-96": 41, "itip-110": 38}
_DIGITS = {"gdti-113": 17, "sgcn-96": 12, "sgcn+": 12, "sgcn++": 12}
_LENGTHS = {"sgtin": 20, "sgln": 20, "grai": 16, "gdti": 17, "itip": 20}


@dataclass(frozen=True)
class Content:
    """What to write into a tag: elements, or the tag URI of a scheme that has none."""

    scheme: str
    filter: int
    elements: Elements
    company_prefix_digits: int | None
    host: str | None
    uri: str | None

    def encoded(self) -> bytes:
        if self.uri is not None:
            return encode_tag_uri(self.uri)
        return encode_tag(
            self.scheme,
            self.elements,
            filter=self.filter,
            company_prefix_digits=self.company_prefix_digits,
            host=self.host,
        )


def content(scheme: str, chance: Random, behind_max: int = 2) -> Content:
    """What a tag of `scheme` may hold, with a plus at most `behind_max` elements behind the EPC."""
    if scheme in WITHOUT_ELEMENTS:
        return Content(scheme, 0, (), None, None, _uri(scheme, chance))
    plus = scheme.endswith("+")
    digits = chance.randint(6, 12)
    elements = _key(scheme, digits, chance)
    if scheme.startswith("dsgtin"):
        ai = chance.choice(DATES)
        elements += ((ai, right_value("11", chance)),)
    host = chance.choice(HOSTS) if scheme.endswith("++") else None
    if plus:
        for _ in range(chance.randint(0, behind_max)):
            elements = _with_another(elements, chance)
    return Content(scheme, chance.randrange(8), elements, None if plus else digits, host, None)


def written(content: Content) -> bytes | None:
    """The tag with `content`; None when host and data add up to more than a tag holds."""
    try:
        return content.encoded()
    except CodeError as refused:
        if [fault.code for fault in refused.faults] != ["epc_length"]:
            raise
        return None


def tag(chance: Random) -> bytes:
    """A right tag of any scheme."""
    epc = None
    while epc is None:
        epc = written(content(chance.choice(SCHEMES), chance))
    return epc


def _key(scheme: str, digits: int, chance: Random) -> Elements:
    name = scheme.partition("-")[0].rstrip("+").removeprefix("d")
    # No leading zeros: those of a GTIN-8 would ask for another company prefix.
    number = chance.choice("123456789") + _text(chance, "0123456789", 16)
    serial = _serial(scheme, name, chance)
    match name:
        case "sscc" | "gsrn" | "gsrnp":
            return (({"sscc": "00", "gsrn": "8018", "gsrnp": "8017"}[name], number + check_digit(number)),)
        case "sgtin" | "itip":
            gtin = number[:13] + check_digit(number[:13])
            if name == "sgtin":
                return ("01", gtin), ("21", serial)
            return ("8006", gtin + right_value("8006", chance)[14:]), ("21", serial)
        case "sgln":
            gln = number[:12] + check_digit(number[:12])
            return (("414", gln),) if serial == "0" else (("414", gln), ("254", serial))
        case "grai":
            return (("8003", "0" + number[:12] + check_digit(number[:12]) + serial),)
        case "gdti" | "sgcn":
            return (({"gdti": "253", "sgcn": "255"}[name], number[:12] + check_digit(number[:12]) + serial),)
        case "giai" if scheme == "giai-96":
            return (("8004", number[:digits] + str(chance.randrange(1 << 42))),)
        case "giai":
            return (("8004", number[:digits] + _text(chance, SET_82, chance.randint(1, 30 - digits))),)
        case _:
            part = str(chance.randrange(10 ** (15 - digits)))
            if scheme != "cpi-96":
                part = _text(chance, SET_39, chance.randint(1, 30 - digits))
            return ("8010", number[:digits] + part), ("8011", serial)


def _serial(scheme: str, name: str, chance: Random) -> str:
    if name == "cpi":  # AI 8011 has no leading zero, not even alone
        return str(chance.randrange(1, 1 << 31 if scheme == "cpi-96" else 10**12))
    if scheme in _NUMBERS:
        return str(chance.choice((0, chance.randrange(1 << _NUMBERS[scheme]))))
    if scheme in _DIGITS:
        return _text(chance, "0123456789", chance.randint(1, _DIGITS[scheme]))
    if name not in _LENGTHS:
        return ""
    letters = chance.choice(
        (SET_82, SET_82, "0123456789", "0123456789ABCDEF", "0123456789abcdef", SET_39[3:])
    )
    return _text(chance, letters, chance.randint(1, _LENGTHS[name]))


def _with_another(elements: Elements, chance: Random) -> Elements:
    """`elements` and one more that may stand behind them, or they themselves."""
    ai = chance.choice(sorted(FORMATS))
    more = (*elements, (ai, right_value(ai, chance)))
    if ai in dict(elements) or ai not in IDENTIFIERS:
        return elements
    try:
        return check_elements(more)
    except CodeError:
        return elements


def _uri(scheme: str, chance: Random) -> str:
    cage = _text(chance, CAGE, chance.randint(5, 6))
    match scheme:
        case "gid-96":
            fields: list[int | str] = [chance.randrange(1 << width) for width in (28, 24, 36)]
        case "usdod-96":
            fields = [chance.randrange(16), cage, chance.randrange(1 << 36)]
        case _:
            part, serial = (
                _text(chance, SET_39[1:], chance.randint(low, high)) for low, high in ((0, 32), (1, 29))
            )
            fields = [chance.randrange(64), cage, part, chance.choice(("", "#")) + serial]
    body = ".".join(map(str, fields)).replace("/", "%2F").replace("#", "%23")
    return f"urn:epc:tag:{scheme}:{body}"


def _text(chance: Random, letters: str, length: int) -> str:
    return "".join(chance.choices(letters, k=length))
