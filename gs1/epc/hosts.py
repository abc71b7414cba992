# SPDX-License-Identifier: Apache-2.0
"""The host name in a "++" scheme, with the short codes for what most host names begin and end with.

Source: GS1 EPC Tag Data Standard 2.3, section 14.5.16, tables 14-11 to 14-15.
"""

from __future__ import annotations

import re

from gs1.printable import shown

from .bits import BitReader, BitWriter, refuse
from .formats import code40_text, put_code40

__all__ = ["put_host", "take_host"]

HOST_LENGTH_MAX = 63  # section 14.5.16.1

# Table A: codes of seven bits that stand for more than a character.
_SHORT = {
    0x1E: "qr.",
    0x1F: "www.",
    0x20: "id.",
    0x5B: ".com",
    0x5C: ".org",
    0x5D: ".net",
    0x5E: ".int",
    0x60: ".edu",
    0x7B: ".gov",
    0x7C: ".mil",
    0x7D: ".biz",
    0x7E: ".eco",
    0x7F: ".med",
}

# Tables B1 to B4: seven bits name the table, the next seven the place in it. Table 14-14 prints .org.cn and
# .net.cn under B1; by their places, and since those of B1 are taken, they belong to B3.
_LONG = (
    """
    ac ad ae af ag ai al am ao aq ar as at au aw ax az ba bb bd be bf bg bh bi bj bm bn bo bq br bs bt
    bw by bz ca cc cd cf cg ch ci ck cl cm cn co cr cu cv cw cx cy cz de dj dk dm do dz ec ee eg eh er
    es et eu fi fj fk fm fo fr ga gd ge gf gg gh gi gl gm gn gp gq gr gs gt gu gw gy hk hm hn hr ht hu
    id ie il im in io iq ir is it je jm jo jp ke kg kh ki km kn kp kr kw ky kz la lb lc li
    """,
    """
    lk lr ls lt lu lv ly ma mc md me mg mh mk ml mm mn mo mp mq mr ms mt mu mv mw mx my mz na nc ne nf
    ng ni nl no np nr nu nz om pa pe pf pg ph pk pl pm pn pr ps pt pw py qa re ro rs ru rw sa sb sc sd
    se sg sh si sk sl sm sn sr ss st su sv sx sy sz tc td tf tg th tj tk tl tm tn to tr tt tv tw tz ua
    ug us uy uz va vc ve vg vi vn vu wf ws ye yt za zm zw
    """,
    """
    com.au net.au org.au co.at com.bd co.bd com.br net.br co.nz com.ng com.pk co.in com.in co.il co.jp
    co.za co.kr com.es com.lk co.th co.tt com.tt com.tr biz.tr com.ua co.uk co.zm com.zm com.cn org.cn
    net.cn gov.cn
    """,
    "tech",
)
_TABLES = tuple(tuple(f".{name}" for name in table.split()) for table in _LONG)

# What a host name is made of, a port allowed; the standard lets through any character of its set 82, of which
# the others would make the Digital Link another address.
_HOST = re.compile(r"[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*(?::[0-9]{1,5})?")
_CODE40_HOST = re.compile("[0-9A-Z.:-]+")

# What each text costs in units of seven bits, and its code; single characters stand for themselves.
_SEQUENCES = {text: (1, code) for code, text in _SHORT.items()}
_SEQUENCES |= {
    text: (2, table << 7 | place) for table, texts in enumerate(_TABLES) for place, text in enumerate(texts)
}
_SEQUENCE_LENGTH_MAX = max(map(len, _SEQUENCES))


def take_host(bits: BitReader) -> str:
    """The host name, as encoded. Raises CodeError when the bits stand for none."""
    in_ascii = bits.take(1)
    length = bits.take(6)
    return _checked(_ascii_text(bits, length) if in_ascii else code40_text(bits, length))


def put_host(host: str, bits: BitWriter) -> None:
    """Put `host`, such as id.example.com, in the fewest bits. Raises CodeError when it is no host name."""
    units = _shortest(_checked(host))
    length = sum(cost for cost, _ in units)
    if _CODE40_HOST.fullmatch(host) and -(-len(host) // 3) * 16 < 7 * length:
        bits.put(len(host), 7)
        put_code40(host, bits)
        return
    bits.put(1, 1)
    bits.put(length, 6)
    for cost, code in units:
        bits.put(code, 7 * cost)


def _ascii_text(bits: BitReader, length: int) -> str:
    text = ""
    while length > 0:
        code = bits.take(7)
        length -= 1
        if code < len(_TABLES):
            place = bits.take(7)
            length -= 1
            if place >= len(_TABLES[code]):
                refuse("epc_value", f"place {place} of host table B{code + 1}, which is reserved")
            text += _TABLES[code][place]
        else:
            text += _SHORT.get(code, chr(code))
    if length < 0:
        refuse("epc_value", f"{shown(text)}, longer than its length says")
    return text


def _shortest(host: str) -> list[tuple[int, int]]:
    """The cost and code of each unit, of the fewest units that spell `host`."""
    best: list[tuple[int, list[tuple[int, int]]]] = [(0, [])]
    for end in range(1, len(host) + 1):
        total, units = best[end - 1]
        choice = (total + 1, [*units, (1, ord(host[end - 1]))])
        for start in range(max(0, end - _SEQUENCE_LENGTH_MAX), end - 1):
            sequence = _SEQUENCES.get(host[start:end])
            if sequence is not None and best[start][0] + sequence[0] < choice[0]:
                choice = (best[start][0] + sequence[0], [*best[start][1], sequence])
        best.append(choice)
    return best[-1][1]


def _checked(host: str) -> str:
    if len(host) > HOST_LENGTH_MAX or not _HOST.fullmatch(host):
        refuse("epc_host", f"{shown(host)}, expected a host name of at most {HOST_LENGTH_MAX} characters")
    return host
