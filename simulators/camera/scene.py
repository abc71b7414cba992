# SPDX-License-Identifier: Apache-2.0
"""Labels in a picture, and the truth of where they are and what they say.

All chance comes from the generator handed in, so that one seed makes the same pictures again.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import cv2
import numpy as np

from simulators.camera.symbols import Pixels, symbol_pixels

__all__ = ["CLEAN", "CONDITIONS", "DOCK", "HARD", "Conditions", "Pose", "Shown", "Size", "picture", "pose"]

Size = tuple[int, int]
"""Width and height in pixels."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """How bad it is at a door; each pair is the least and the most.

    `module` pixels of the narrowest bar (a matrix' cell is half as large again, as on printed labels), `tilt`
    degrees either way, `perspective` how far a corner is pushed (share of the label's side), `blur` the
    lens's (standard deviation in pixels), `motion` the smear of a moving label (pixels), `noise` of the
    sensor (gray levels), `light` the brightness of white paper, `glare` how often a lamp is mirrored in the
    label, `cut` how often it is partly out of view.
    """

    module: tuple[float, float]
    tilt: float
    perspective: float
    blur: tuple[float, float]
    motion: tuple[float, float]
    noise: tuple[float, float]
    light: tuple[float, float]
    glare: float = 0.0
    cut: float = 0.0


CLEAN = Conditions((2.5, 3.5), 4, 0.01, (0.2, 0.5), (0, 0), (1, 3), (190, 240))
DOCK = Conditions((1.8, 2.8), 15, 0.05, (0.4, 0.9), (0, 2), (3, 9), (110, 230), 0.15)
HARD = Conditions((1.4, 2.2), 30, 0.1, (0.5, 1.0), (0, 2.5), (5, 12), (80, 210), 0.3, 0.1)
CONDITIONS = {"clean": CLEAN, "dock": DOCK, "hard": HARD}


@dataclass(frozen=True, slots=True)
class Pose:
    """Where a label is: its middle in pixels of the picture, the size of a module, and how it is turned and
    warped (each corner's shift as a share of the label's sides, clockwise from the top left).
    """

    x: float
    y: float
    module: float
    tilt: float
    warp: tuple[tuple[float, float], ...] = ((0.0, 0.0),) * 4


@dataclass(frozen=True, slots=True)
class Shown:
    """The truth of one label in one picture. `whole` when all of its symbol is in the picture."""

    code: bytes
    corners: tuple[tuple[float, float], ...]
    whole: bool

    def as_json(self) -> dict[str, Any]:
        """As it stands in a truth file: identifier and text apart, the text's GS as it is."""
        return {
            "aim": self.code[:3].decode("ascii"),
            "code": self.code[3:].decode("ascii"),
            "corners": [[round(x, 1), round(y, 1)] for x, y in self.corners],
            "whole": self.whole,
        }


def pose(code: bytes, conditions: Conditions, size: Size, chance: Random) -> Pose:
    """A place and a turn for a label, wholly in a picture of `size` unless the conditions cut it."""
    high, wide = symbol_pixels(code).shape
    tilt = chance.uniform(-conditions.tilt, conditions.tilt)
    turned = math.radians(abs(tilt))
    span_x = wide * math.cos(turned) + high * math.sin(turned)
    span_y = wide * math.sin(turned) + high * math.cos(turned)
    room = min((size[0] - 2 * _EDGE) / span_x, (size[1] - 2 * _EDGE) / span_y)
    cell = 1.0 if code.startswith(_BARS) else _CELL
    module = min(chance.uniform(*conditions.module) * cell, room)
    half_x, half_y = span_x * module / 2 + _EDGE, span_y * module / 2 + _EDGE
    x, y = chance.uniform(half_x, size[0] - half_x), chance.uniform(half_y, size[1] - half_y)
    if chance.random() < conditions.cut:
        x = chance.choice((0.0, float(size[0]))) + chance.uniform(-0.3, 0.3) * half_x
    most = conditions.perspective
    warp = tuple((chance.uniform(-most, most), chance.uniform(-most, most)) for _ in range(4))
    return Pose(x, y, module, tilt, warp)


def picture(
    labels: Sequence[tuple[bytes, Pose]], conditions: Conditions, size: Size, chance: Random
) -> tuple[Pixels, list[Shown]]:
    """A picture in colors (blue, green, red) with `labels` in it, and what of them is to be seen."""
    wide, high = size
    noise = np.random.default_rng(chance.getrandbits(64))
    paper = chance.uniform(*conditions.light)
    canvas = _carton(size, paper, noise)
    truth = []
    for code, where in labels:
        corners = _corners(symbol_pixels(code), where)
        _stick(canvas, symbol_pixels(code), corners, paper)
        inside = all(0 <= x < wide and 0 <= y < high for x, y in corners)
        truth.append(Shown(code, tuple((float(x), float(y)) for x, y in corners), inside))
    for shown in truth:
        if chance.random() < conditions.glare:
            _mirror_lamp(canvas, shown.corners, chance)
    canvas = _smear(canvas, chance.uniform(*conditions.motion), chance)
    soft = cv2.GaussianBlur(canvas, (0, 0), max(chance.uniform(*conditions.blur), 0.05))
    grain = noise.normal(0, chance.uniform(*conditions.noise), soft.shape)
    gray = np.clip(soft + grain, 0, 255).astype(np.uint8)
    return np.asarray(cv2.cvtColor(gray, cv2.COLOR_GRAY2BGR), np.uint8), truth


_BARS = (b"]C", b"]I")
# A matrix' cell to a bar code's module, GS1 General Specifications, symbol specification table 5.
_CELL = 1.5
# Pixels between a whole label and the picture's edge.
_EDGE = 12
# A label is drawn this many times larger and made smaller again, as a lens does it to paper.
_FINE = 3
# White paper around a symbol, in modules, and the light that black ink throws back.
_MARGIN = 8
_INK = 0.12

# Edges of cartons, tape, straps.
_EDGES = 12

_Canvas = np.ndarray[Any, np.dtype[np.float32]]


def _carton(size: Size, paper: float, noise: np.random.Generator) -> _Canvas:
    """A wall of cartons out of focus: darker than paper, uneven."""
    coarse = noise.uniform(0.35, 0.75, (9, 16)).astype(np.float32) * paper
    canvas = np.asarray(cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC), np.float32)
    for _ in range(_EDGES):
        start, end = noise.integers(0, size, (2, 2)).tolist()
        shade, thick = float(noise.uniform(0.1, 0.9) * paper), int(noise.integers(1, 12))
        cv2.line(canvas, start, end, shade, thick)
    return canvas


def _corners(symbol: Pixels, where: Pose) -> np.ndarray[Any, np.dtype[np.float32]]:
    high, wide = symbol.shape
    turn = math.radians(where.tilt)
    corners = []
    for (right, down), (push_x, push_y) in zip(_SQUARE, where.warp, strict=True):
        x, y = (right - 0.5 + push_x) * wide * where.module, (down - 0.5 + push_y) * high * where.module
        corners.append(
            (
                where.x + x * math.cos(turn) - y * math.sin(turn),
                where.y + x * math.sin(turn) + y * math.cos(turn),
            )
        )
    return np.array(corners, np.float32)


_SQUARE = ((0, 0), (1, 0), (1, 1), (0, 1))


def _stick(
    canvas: _Canvas, symbol: Pixels, corners: np.ndarray[Any, np.dtype[np.float32]], paper: float
) -> None:
    """Draw a symbol on its white paper into the canvas, its corners where they are told."""
    label = np.pad(symbol, _MARGIN, constant_values=255)
    high, wide = label.shape
    left, top = _MARGIN, _MARGIN
    right, bottom = wide - _MARGIN, high - _MARGIN
    # The part of the picture that the label touches, drawn finer and averaged.
    edge = np.array([(0, 0), (wide, 0), (wide, high), (0, high)], np.float32)
    inner = np.array([(left, top), (right, top), (right, bottom), (left, bottom)], np.float32)
    whole = cv2.perspectiveTransform(edge[None], cv2.getPerspectiveTransform(inner, corners))[0]
    x0, y0 = (max(0, int(v) - 1) for v in whole.min(axis=0))
    x1 = min(canvas.shape[1], int(whole[:, 0].max()) + 2)
    y1 = min(canvas.shape[0], int(whole[:, 1].max()) + 2)
    if x0 >= x1 or y0 >= y1:
        return
    box = ((x1 - x0) * _FINE, (y1 - y0) * _FINE)
    finer = (corners - np.array([x0, y0], np.float32)) * _FINE
    # Modules are areas, pixels points in their middle.
    way = cv2.getPerspectiveTransform(inner - 0.5, finer - 0.5)
    big = label.astype(np.float32)
    ink = cv2.warpPerspective(big, way, box, flags=cv2.INTER_NEAREST, borderValue=0)
    there = cv2.warpPerspective(np.ones_like(big), way, box, flags=cv2.INTER_NEAREST, borderValue=0)
    small = ((x1 - x0), (y1 - y0))
    ink = cv2.resize(ink, small, interpolation=cv2.INTER_AREA) / 255
    there = cv2.resize(there, small, interpolation=cv2.INTER_AREA)
    shade = (ink * (1 - _INK) + there * _INK) * paper
    part = canvas[y0:y1, x0:x1]
    canvas[y0:y1, x0:x1] = part * (1 - there) + shade


def _mirror_lamp(canvas: _Canvas, corners: Sequence[tuple[float, float]], chance: Random) -> None:
    """A lamp's mirror image somewhere on a label: a soft spot that washes everything out."""
    x0, x1 = min(x for x, _ in corners), max(x for x, _ in corners)
    y0, y1 = min(y for _, y in corners), max(y for _, y in corners)
    x, y = chance.uniform(x0, x1), chance.uniform(y0, y1)
    radius = chance.uniform(0.08, 0.25) * max(x1 - x0, y1 - y0)
    across = (np.arange(canvas.shape[1], dtype=np.float32) - x) / radius
    down = (np.arange(canvas.shape[0], dtype=np.float32) - y) / radius
    canvas += chance.uniform(60, 220) * np.exp(-(across[None, :] ** 2 + down[:, None] ** 2))


def _smear(canvas: _Canvas, length: float, chance: Random) -> _Canvas:
    if length < 1:
        return canvas
    across = chance.random() < 0.8  # forklifts move sideways more than up and down
    steps = round(length) + 1
    kernel = np.full((1, steps) if across else (steps, 1), 1 / steps, np.float32)
    return np.asarray(cv2.filter2D(canvas, -1, kernel), np.float32)
