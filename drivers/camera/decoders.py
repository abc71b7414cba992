# SPDX-License-Identifier: Apache-2.0
"""Codes in a picture: zxing-cpp first, pyzbar where that is missing. Both tell a code as a scanner that sends
symbology identifiers would.

May not know what a code means. Imports a decoder only where one is loaded. Symbology identifiers:
ISO/IEC 15424.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from drivers.errors import PartMissing
from gs1 import check_digit

from .evidence import Corners

if TYPE_CHECKING:
    from .shots import Pixels

__all__ = ["INSTALL", "LIBZBAR", "Decoder", "Symbol", "load_decoder"]

INSTALL = "pip install 'zonegate[camera]'"
"""The line that brings OpenCV, numpy and both decoders."""

LIBZBAR = "apt-get install libzbar0"
"""The line that brings the system library below pyzbar."""


@dataclass(frozen=True, slots=True)
class Symbol:
    """One code in one picture: as Read has it, `aim` None where the decoder cannot tell."""

    aim: str | None
    code: bytes
    corners: Corners


class Decoder(Protocol):
    """Finds codes in gray pictures. One thread at a time; the interpreter is free meanwhile."""

    name: str
    lacks: tuple[str, ...]
    """Formats that were asked for and that it cannot read."""

    def read(self, gray: Pixels) -> list[Symbol]:
        """All codes of a picture of 8 bits a pixel, in no order."""
        ...


def load_decoder(formats: Sequence[str], wish: str = "auto") -> Decoder:
    """The decoder for `formats`: "zxing", "pyzbar", or by "auto" the first of them that is there.

    Raises PartMissing with the line that brings it. Takes a tenth of a second the first time.
    """
    missing = []
    for name, load in (("zxing", _Zxing), ("pyzbar", _Zbar)):
        if wish in ("auto", name):
            try:
                return load(formats)
            except ImportError as error:
                missing.append(_missing(name, error))
    raise PartMissing("; ".join(missing))


def _missing(name: str, error: ImportError) -> str:
    wheel, module = {"zxing": ("zxing-cpp", "zxingcpp"), "pyzbar": ("pyzbar", "pyzbar")}[name]
    if error.name == module:
        return f"{wheel} is not installed: {INSTALL}"
    if name == "pyzbar" and error.name is None:
        return f"pyzbar is there, its library libzbar is not: {LIBZBAR}"
    return f"{wheel} does not load ({error}): {INSTALL}"


class _Zxing:
    name = "zxing-cpp"
    lacks: tuple[str, ...] = ()

    def __init__(self, formats: Sequence[str]) -> None:
        import cv2
        import zxingcpp

        known = zxingcpp.BarcodeFormat
        table: dict[str, tuple[Any, ...]] = {
            "code-128": (known.Code128,),
            "itf-14": (known.ITF14,),
            "data-matrix": (known.DataMatrix,),
            "qr": (known.QRCode,),
            "ean-13": (known.EAN13, known.UPCA),
            "ean-8": (known.EAN8,),
            "databar": (known.DataBarOmni, known.DataBarStk, known.DataBarExp, known.DataBarExpStk),
            "code-39": (known.Code39,),
            "pdf417": (known.PDF417,),
            "aztec": (known.Aztec,),
        }
        self._cv2, self._read = cv2, zxingcpp.read_barcodes
        # Dark is what is darker than its neighborhood, or darker than most of its line.
        self._local, self._lines = zxingcpp.Binarizer.LocalAverage, zxingcpp.Binarizer.GlobalHistogram
        self._formats = zxingcpp.BarcodeFormats([each for name in formats for each in table[name]])

    def read(self, gray: Pixels) -> list[Symbol]:
        # Softened, the grain of the picture no longer looks like bars: three times as fast. What that blurs,
        # lines in the picture as it is still show.
        soft = self._cv2.GaussianBlur(gray, (0, 0), _SOFT)
        found = {}
        for picture, binarizer in ((gray, self._lines), (soft, self._local)):
            # Never made smaller: thin bars run together, and one label in some thousands reads as another
            # one whose check character happens to be right.
            for code in self._read(
                picture, formats=self._formats, binarizer=binarizer, try_downscale=False, try_invert=False
            ):
                aim = code.symbology_identifier
                if not aim.startswith("]I") or _is_itf_14(code.bytes):
                    found[aim, code.bytes] = Symbol(aim or None, code.bytes, _around(code.position))
        return list(found.values())


# Standard deviation of the softening, in pixels.
_SOFT = 0.7


def _around(position: Any) -> Corners:
    corners = (position.top_left, position.top_right, position.bottom_right, position.bottom_left)
    return tuple((corner.x, corner.y) for corner in corners)


def _is_itf_14(code: bytes) -> bool:
    """Both decoders tell any even number of digits: a part of a longer code reads as a shorter one."""
    return len(code) == 14 and code.isdigit() and check_digit(code[:-1].decode()) == chr(code[-1])


class _Zbar:
    name = "pyzbar"

    def __init__(self, formats: Sequence[str]) -> None:
        from pyzbar import wrapper  # type: ignore[import-untyped]

        kinds = wrapper.ZBarSymbol
        table: dict[str, tuple[Any, ...]] = {
            "code-128": (kinds.CODE128,),
            "itf-14": (kinds.I25,),
            "qr": (kinds.QRCODE,),
            "ean-13": (kinds.EAN13,),
            "ean-8": (kinds.EAN8,),
            "databar": (kinds.DATABAR, kinds.DATABAR_EXP),
            "code-39": (kinds.CODE39,),
        }
        self.lacks = tuple(name for name in formats if name not in table)
        self._wanted = {int(kind) for name in formats for kind in table.get(name, ())}
        self._zbar = wrapper
        self._modifiers = _modifiers(wrapper)

    def read(self, gray: Pixels) -> list[Symbol]:
        # pyzbar's own decode() leaves out what tells a GS1-128 from a plain Code 128.
        zbar = self._zbar
        data = gray.tobytes()
        scanner, image = zbar.zbar_image_scanner_create(), zbar.zbar_image_create()
        try:
            for kind in zbar.ZBarSymbol:
                wanted = int(kind) in self._wanted
                zbar.zbar_image_scanner_set_config(scanner, kind, zbar.ZBarConfig.CFG_ENABLE, int(wanted))
            zbar.zbar_image_set_format(image, _Y800)
            zbar.zbar_image_set_size(image, gray.shape[1], gray.shape[0])
            zbar.zbar_image_set_data(
                image, ctypes.cast(ctypes.c_char_p(data), ctypes.c_void_p), len(data), None
            )
            zbar.zbar_scan_image(scanner, image)
            found = []
            symbol = zbar.zbar_image_first_symbol(image)
            while symbol:
                found.append(self._symbol(symbol))
                symbol = zbar.zbar_symbol_next(symbol)
        finally:
            zbar.zbar_image_destroy(image)
            zbar.zbar_image_scanner_destroy(scanner)
        return [each for each in found if each is not None]

    def _symbol(self, symbol: Any) -> Symbol | None:
        zbar = self._zbar
        length = zbar.zbar_symbol_get_data_length(symbol)
        code = ctypes.string_at(zbar.zbar_symbol_get_data(symbol), length)
        kind = symbol.contents.type
        if kind == _I25 and not _is_itf_14(code):
            return None
        marked = self._modifiers is not None and bool(self._modifiers(symbol) & _GS1)
        points = [
            (zbar.zbar_symbol_get_loc_x(symbol, number), zbar.zbar_symbol_get_loc_y(symbol, number))
            for number in range(min(zbar.zbar_symbol_get_loc_size(symbol), _POINTS_MAX))
        ]
        return Symbol(_identifier(kind, marked, self._modifiers is not None), code, _box(points))


def _identifier(kind: int, marked: bool, tells: bool) -> str | None:
    """The symbology identifier of a zbar symbol; None where zbar does not tell enough of it."""
    if kind in _FNC1:
        return _FNC1[kind][marked] if tells else None
    return _PLAIN.get(kind)


# zbar.h: zbar_symbol_type_t, zbar_modifier_t (ZBAR_MOD_GS1 is bit 0), and the pixel format.
_I25 = 25
_GS1 = 1 << 0
_Y800 = 0x30303859
_POINTS_MAX = 1000
_FNC1 = {128: ("]C0", "]C1"), 64: ("]Q1", "]Q3")}
_PLAIN = {8: "]E4", 13: "]E0", 25: "]I1", 34: "]e0", 35: "]e0", 39: "]A0"}


def _modifiers(wrapper: Any) -> Any:
    """What tells a symbol's modifiers, None where this zbar is older than that (0.20)."""
    try:
        return wrapper.zbar_function(
            "zbar_symbol_get_modifiers", ctypes.c_uint, ctypes.POINTER(wrapper.zbar_symbol)
        )
    except AttributeError:
        return None


def _box(points: Sequence[tuple[int, int]]) -> Corners:
    if not points:
        return ()
    left, right = min(x for x, _ in points), max(x for x, _ in points)
    top, bottom = min(y for _, y in points), max(y for _, y in points)
    return ((left, top), (right, top), (right, bottom), (left, bottom))
