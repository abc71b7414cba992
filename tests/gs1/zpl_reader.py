# SPDX-License-Identifier: Apache-2.0
"""Reads a ZPL format as a printer would, as far as our labels go: which fields, and what their codes hold.

Written from Zebra's programming guide, apart from what writes the labels.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

KNOWN = ("XA", "XZ", "CI", "PW", "LL", "LH", "FO", "A0", "FB", "FH", "FD", "FS", "BY", "BC", "BX", "PQ")
GS = "\x1d"


@dataclass(frozen=True)
class Field:
    """One field: its kind ("BC", "BX" or "A0"), place, and what is printed or encoded."""

    kind: str
    x: int
    y: int
    text: str


def commands(zpl: str) -> list[tuple[str, str]]:
    """Every command and its parameters; a tilde begins one too. Lines are no part of them."""
    parts = re.split(r"([\^~])", zpl.replace("\n", ""))
    assert parts[0] == ""
    found = [(parameters[:2], parameters[2:]) for parameters in parts[2::2]]
    assert all(sign == "^" for sign in parts[1::2])
    assert {name for name, _ in found} <= set(KNOWN)
    return found


def fields(zpl: str) -> list[Field]:
    """The fields of a format."""
    found, place, kind, hex_sign, escape = [], (0, 0), "", "", ""
    for name, parameters in commands(zpl):
        if name == "FO":
            x, y = parameters.split(",")
            place, kind, hex_sign = (int(x), int(y)), "", ""
        elif name in ("A0", "BC", "BX"):
            kind = name
            escape = parameters.split(",")[6] if name == "BX" else ""
        elif name == "FH":
            hex_sign = parameters or "_"
        elif name == "FD":
            text = _plain(parameters, hex_sign)
            if kind == "BC":
                text = _code_128(text)
            elif kind == "BX":
                text = _data_matrix(text, escape)
            found.append(Field(kind, *place, text))
    return found


def _plain(data: str, sign: str) -> str:
    if not sign:
        return data
    return re.sub(
        f"(?:{re.escape(sign)}[0-9A-F]{{2}})+",
        lambda found: bytes.fromhex(found[0].replace(sign, "")).decode(),
        data,
    )


def _code_128(data: str) -> str:
    """What a reader says of ^BC in mode N: the code set is called by `>` and a character."""
    assert data[:4] in (">;>8", ">:>8"), "a start character and FNC1"
    in_c, text, place = data[1] == ";", "", 4
    while place < len(data):
        if data[place] == ">" and data[place + 1] in "568":
            text += GS if data[place + 1] == "8" else ""
            in_c = in_c if data[place + 1] == "8" else data[place + 1] == "5"
            place += 2
        elif in_c:
            assert data[place : place + 2].isdigit()
            text += data[place : place + 2]
            place += 2
        elif data[place] == ">":
            assert data[place + 1] == "0"
            text += ">"
            place += 2
        else:
            text += data[place]
            place += 1
    return text


def _data_matrix(data: str, escape: str) -> str:
    assert data.startswith(escape + "1"), "FNC1 in first place"
    body = data[2:]
    assert set(re.findall(f"{re.escape(escape)}(.)", body)) <= {"1"}
    return body.replace(escape + "1", GS)
