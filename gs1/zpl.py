# SPDX-License-Identifier: Apache-2.0
"""A label's drawing as ZPL II, the language that label printers speak.

The printer draws the codes from the same values that the SVG shows, so that both are the same symbols. What a
value holds can end no field and begin no command: every character that ZPL gives a meaning goes in hex.
Source: Zebra's ZPL II programming guide (^BC with its invocation codes, ^BX with quality 200, ^FH, ^CI).
"""

from __future__ import annotations

from .code128 import CODE_B, CODE_C, FNC1, START_B, START_C
from .label import Bars, Drawing, Matrix, Text

__all__ = ["label_zpl"]


def label_zpl(drawing: Drawing, copies: int = 1) -> str:
    """The label as one ZPL format, `copies` times (1 to 99); ASCII only."""
    if not 1 <= copies <= 99:
        raise ValueError(f"{copies} copies, expected 1 to 99")
    parts = ["^XA", "^CI28", f"^PW{drawing.width}", f"^LL{drawing.height}", "^LH0,0"]
    parts += map(_text, drawing.texts)
    parts += [_matrix(drawing.matrix), _bars(drawing.bars), f"^PQ{copies}", "^XZ", ""]
    return "\n".join(parts)


_INVOCATIONS = {START_B: ">:", START_C: ">;", CODE_B: ">6", CODE_C: ">5", FNC1: ">8"}


def _bars(code: Bars) -> str:
    data, in_c = [], False
    for place, value in enumerate(code.values):
        # In code set C 0 to 99 are pairs of digits; in B 0 to 94 are characters, and 99 calls C.
        if place == 0 or value >= (100 if in_c else CODE_C):
            data.append(_INVOCATIONS[value])
            in_c = in_c if value == FNC1 else value in (START_C, CODE_C)
        elif in_c:
            data.append(f"{value:02d}")
        else:
            character = chr(value + 32)
            # `>` begins an invocation code, of which `>0` is the character itself.
            data.append(">0" if character == ">" else _hex(character))
    # No check digit of the printer's own, no line below, no mode: the symbol is the one that the values are.
    return f"^FO{code.x},{code.y}^BY{code.module}^BCN,{code.height},N,N,N,N^FH_^FD{''.join(data)}^FS"


def _matrix(matrix: Matrix) -> str:
    # `$1` is FNC1 in the symbol. The sign of its escapes is one that no element can hold, so that nothing
    # in a value begins one.
    data = "".join("$1" if character == "\x1d" else _hex(character) for character in matrix.text)
    height, width = len(matrix.rows), len(matrix.rows[0])
    shape = "" if height == width else ",2"
    command = f"^BXN,{matrix.module},200,{width},{height},,${shape}"
    return f"^FO{matrix.x},{matrix.y}{command}^FH_^FD$1{data}^FS"


def _text(text: Text) -> str:
    block = f"^FB{text.width},1,0,C" if text.width else ""
    data = "".join(map(_hex, text.text))
    return f"^FO{text.x},{text.y}^A0N,{text.height}{block}^FH_^FD{data}^FS"


# What means nothing to ZPL in any place; the rest is written in hex.
_PLAIN = frozenset("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz ().,:;/-+*?!=%'&\"<")


def _hex(character: str) -> str:
    """`character` as field data behind ^FH_."""
    return character if character in _PLAIN else "".join(f"_{byte:02X}" for byte in character.encode())
