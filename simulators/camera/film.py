# SPDX-License-Identifier: Apache-2.0
"""A lane seen by a camera: one label after the other comes into view, passes and goes, with pauses between.

The truth tells each passage by its pictures. All chance comes from the generator handed in.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import cv2

from simulators.camera.scene import Conditions, Pose, Shown, Size, picture, pose
from simulators.camera.symbols import Pixels

__all__ = ["Lane", "Picture", "lane_pictures", "lay_down"]


@dataclass(frozen=True, slots=True)
class Lane:
    """How labels pass: each is in `pictures` pictures, then `pause` pictures show none; `together` labels
    pass side by side. A label moves by `drift` (share of the picture's width) from its first picture to its
    last; at 0 it stands still.
    """

    pictures: int = 8
    pause: int = 4
    together: int = 1
    drift: float = 0.1


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture and the labels in it."""

    pixels: Pixels
    labels: tuple[Shown, ...]


def lane_pictures(
    codes: Sequence[bytes], lane: Lane, conditions: Conditions, size: Size, chance: Random
) -> Iterator[Picture]:
    """The pictures of all `codes` passing in their order, `lane.together` at a time."""
    for first in range(0, len(codes), lane.together):
        group = codes[first : first + lane.together]
        poses = _side_by_side(group, conditions, size, chance)
        for number in range(lane.pictures):
            step = (number / max(lane.pictures - 1, 1) - 0.5) * lane.drift * size[0]
            placed = [
                (code, replace(where, x=where.x + step)) for code, where in zip(group, poses, strict=True)
            ]
            yield Picture(*_taken(placed, conditions, size, chance))
        for _ in range(lane.pause):
            yield Picture(*_taken([], conditions, size, chance))


def lay_down(path: Path, taken: Picture) -> None:
    """Write a picture as a careful camera does: it appears under its name when it is whole."""
    made, data = cv2.imencode(".jpg", taken.pixels, [cv2.IMWRITE_JPEG_QUALITY, 90])
    assert made
    growing = path.with_name(f".{path.name}.part")
    growing.write_bytes(data.tobytes())
    growing.rename(path)


def _taken(
    placed: list[tuple[bytes, Pose]], conditions: Conditions, size: Size, chance: Random
) -> tuple[Pixels, tuple[Shown, ...]]:
    pixels, shown = picture(placed, conditions, size, chance)
    return pixels, tuple(shown)


def _side_by_side(codes: Sequence[bytes], conditions: Conditions, size: Size, chance: Random) -> list[Pose]:
    """One above the other in stripes of their own, so that no label hides another."""
    high = size[1] // max(len(codes), 1)
    poses = [pose(code, conditions, (size[0], high), chance) for code in codes]
    return [replace(where, y=where.y + number * high) for number, where in enumerate(poses)]
