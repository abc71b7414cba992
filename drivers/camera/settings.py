# SPDX-License-Identifier: Apache-2.0
"""What can be set on a camera, and what is counted while it runs. Values only."""

from __future__ import annotations

from dataclasses import dataclass

from drivers.scanner import Counts

__all__ = ["DOCK_FORMATS", "FORMATS", "CameraCounts", "CameraSettings", "Region"]

FORMATS = (
    "code-128",
    "itf-14",
    "data-matrix",
    "qr",
    "ean-13",
    "ean-8",
    "databar",
    "code-39",
    "pdf417",
    "aztec",
)
"""Symbologies that may be looked for; GS1-128 is code-128, GS1 DataMatrix data-matrix, a UPC-A an ean-13."""

DOCK_FORMATS = ("code-128", "itf-14", "data-matrix", "qr")
"""What labels at a dock carry. Each further one costs time with every picture."""


@dataclass(frozen=True, slots=True)
class Region:
    """A part of the picture, in hundredths of its width and height from the left and the top."""

    left: int
    top: int
    right: int
    bottom: int

    def __post_init__(self) -> None:
        """Raises ValueError for an empty region or one that is not in the picture."""
        if not (0 <= self.left < self.right <= 100 and 0 <= self.top < self.bottom <= 100):
            came = f"left {self.left}, top {self.top}, right {self.right}, bottom {self.bottom}"
            raise ValueError(f"region {came}, expected 0 to 100, left before right, top before bottom")


@dataclass(frozen=True, slots=True)
class CameraSettings:
    """How a camera is set up. Seconds.

    `formats` are names of FORMATS. Codes are looked for in `regions`, in the whole picture if there are none,
    and read if they begin with one of `prefixes` (symbology identifier and code, such as "]C100" for an
    SSCC), all of them if there are none. A label that was out of view for `gone_s` and comes back is another
    scan.

    `looks_per_second_max` bounds the processor time of a camera; a picture older than `stale_s` is not looked
    at. A live camera without a picture for `silent_s` is reopened; one that shows the very same picture for
    `frozen_s`, or an all but black or white one for `dark_s`, is told as blind. `decoder` is "auto"
    (zxing-cpp, where it is missing pyzbar), "zxing" or "pyzbar".
    """

    formats: tuple[str, ...] = DOCK_FORMATS
    regions: tuple[Region, ...] = ()
    prefixes: tuple[str, ...] = ()
    gone_s: float = 4.0
    looks_per_second_max: float = 10.0
    stale_s: float = 0.5
    silent_s: float = 15.0
    frozen_s: float = 60.0
    dark_s: float = 5.0
    decoder: str = "auto"
    retry_s_min: float = 0.5
    retry_s_max: float = 10.0

    def __post_init__(self) -> None:
        """Raises ValueError for a format or decoder that is none."""
        unknown = [name for name in self.formats if name not in FORMATS]
        if unknown or not self.formats:
            raise ValueError(f"formats {', '.join(unknown) or 'none'}, expected of {', '.join(FORMATS)}")
        if self.decoder not in _DECODERS:
            raise ValueError(f"decoder {self.decoder!r}, expected one of {', '.join(_DECODERS)}")


_DECODERS = ("auto", "zxing", "pyzbar")


@dataclass(frozen=True, slots=True)
class CameraCounts(Counts):
    """What passed since the program's start. Of Counts, `frames` are Reads handed on, `bytes` those of their
    codes, `dropped` codes that were one too many in a picture, `reconnects` reopenings.

    `pictures` came from the camera; of them `looked` were searched for codes, `stale` were dropped because a
    newer one was there or they were too old, `broken` could not be decoded. `codes` were found in pictures,
    the same label in each picture anew; `others` of them began with no prefix that is looked for, `doubtful`
    ones were read otherwise at a second look and dropped.
    """

    pictures: int = 0
    looked: int = 0
    stale: int = 0
    broken: int = 0
    codes: int = 0
    others: int = 0
    doubtful: int = 0
