# SPDX-License-Identifier: Apache-2.0
"""One look at one picture: the labels that came into view, with the picture as evidence, and whether a label
could be seen in such a picture at all. Runs in a camera's own thread; knows no clock.
"""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

from .decoders import Symbol
from .evidence import Corners, FrameEvidence
from .eyes import Eyes
from .in_view import InView, raw
from .settings import CameraSettings, Region
from .shots import Broken, Shot

if TYPE_CHECKING:
    from .shots import Pixels

__all__ = ["CODES_MAX", "EVIDENCE_BYTES_MAX", "Look", "Scan"]

CODES_MAX = 64
"""Codes of one picture that are looked into; a wall of cartons has fewer, a hostile poster more."""

EVIDENCE_BYTES_MAX = 2 * 1024 * 1024
"""What a picture may have that is kept as it is; a larger one is made smaller."""


@dataclass(frozen=True, slots=True)
class Scan:
    """A label that came into view; `at` and `at_ns` are those of its picture."""

    symbol: Symbol
    at: datetime
    at_ns: int
    evidence: FrameEvidence


class _Since:
    """For how long something has been the same."""

    def __init__(self) -> None:
        self._what: object = None
        self._since_ns = 0

    def seconds(self, what: object, now_ns: int) -> float:
        """Seconds that `what` lasts; 0 for None."""
        if what is None or what != self._what:
            self._what, self._since_ns = what, now_ns
        return 0.0 if what is None else (now_ns - self._since_ns) / 1e9


@dataclass(slots=True)
class Look:
    """Looks at pictures one after the other. `codes`, `others`, `surplus`, `doubtful` count as CameraCounts
    tells; `blind` is the sentence why no label can be seen now, None while one could.
    """

    eyes: Eyes
    settings: CameraSettings
    view: InView
    live: bool
    codes: int = 0
    others: int = 0
    surplus: int = 0
    doubtful: int = 0
    blind: str | None = None
    _same: _Since = field(default_factory=_Since)
    _dark: _Since = field(default_factory=_Since)

    def at(self, shot: Shot) -> list[Scan]:
        """The labels that came into view with this picture. Raises Broken when it is none."""
        try:
            gray = self._gray(shot.picture)
            self._judge(gray, shot.view_ns)
            wanted = self._wanted(self._symbols(gray))
            fresh = self.view.fresh(
                wanted, shot.view_ns, shot.at.date(), lambda each: self._is_sure(gray, each)
            )
            if not fresh:
                return []
            evidence = self._evidence(shot)
        except (self.eyes.cv2.error, MemoryError, RuntimeError, ValueError) as error:
            raise Broken(f"a picture that cannot be used: {str(error)[:_SAID_MAX]}") from error
        return [
            Scan(symbol, shot.at, shot.at_ns, replace(evidence, corners=_in(symbol.corners, evidence, gray)))
            for symbol in fresh
        ]

    def _gray(self, picture: Pixels) -> Pixels:
        if picture.ndim == 2:
            return picture
        gray: Pixels = self.eyes.cv2.cvtColor(picture, self.eyes.cv2.COLOR_BGR2GRAY)
        return gray

    def _symbols(self, gray: Pixels) -> list[Symbol]:
        if not self.settings.regions:
            return self.eyes.decoder.read(gray)
        found: list[Symbol] = []
        for region in self.settings.regions:
            left, top, right, bottom = _pixels(region, gray)
            part = self.eyes.decoder.read(gray[top:bottom, left:right].copy())
            found += [
                replace(each, corners=tuple((x + left, y + top) for x, y in each.corners)) for each in part
            ]
        return found

    def _wanted(self, symbols: list[Symbol]) -> list[Symbol]:
        self.codes += len(symbols)
        self.surplus += max(0, len(symbols) - CODES_MAX)
        symbols = symbols[:CODES_MAX]
        if not self.settings.prefixes:
            return symbols
        prefixes = tuple(prefix.encode() for prefix in self.settings.prefixes)
        wanted = [symbol for symbol in symbols if raw(symbol).startswith(prefixes)]
        self.others += len(symbols) - len(wanted)
        return wanted

    def _is_sure(self, gray: Pixels, symbol: Symbol) -> bool:
        """Whether a bar code reads the same at a second look.

        Fine bars fall between the pixels, and about one bar code in a hundred of those reads as another whose
        check character happens to be right; sampled otherwise it reads otherwise. A matrix corrects itself.
        """
        if symbol.aim is not None and symbol.aim[1] not in _LINEAR:
            return True
        part = _part(gray, symbol.corners)
        again = self.eyes.cv2.resize(
            part, None, fx=_AGAIN, fy=_AGAIN, interpolation=self.eyes.cv2.INTER_CUBIC
        )
        if any(raw(each) == raw(symbol) for each in self.eyes.decoder.read(again)):
            return True
        self.doubtful += 1
        return False

    def _judge(self, gray: Pixels, view_ns: int) -> None:
        if not self.live:
            return
        small = gray[::_STEP, ::_STEP]
        light, contrast = float(small.mean()), float(small.std())
        flat = contrast < _CONTRAST_MIN
        dark_s = self._dark.seconds("flat" if flat else None, view_ns)
        same_s = self._same.seconds(zlib.crc32(small.tobytes()), view_ns)
        if dark_s >= self.settings.dark_s:
            what = "black" if light < _MIDDLE else "white"
            self.blind = f"the picture is all {what}: look at lens, cover and light"
        elif same_s >= self.settings.frozen_s:
            self.blind = f"the very same picture for {same_s:.0f} s: the camera is frozen, restart it"
        else:
            self.blind = None

    def _evidence(self, shot: Shot) -> FrameEvidence:
        cv2, picture = self.eyes.cv2, shot.picture
        jpeg = shot.jpeg
        while jpeg is None or len(jpeg) > EVIDENCE_BYTES_MAX:
            if jpeg is not None:
                picture = cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
            made, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
            if not made:
                raise ValueError("it cannot be kept as JPEG")
            jpeg = data.tobytes()
        height, width = picture.shape[:2]
        return FrameEvidence(jpeg, hashlib.sha256(jpeg).hexdigest(), width, height, (), shot.name)


def _pixels(region: Region, gray: Pixels) -> tuple[int, int, int, int]:
    height, width = gray.shape[:2]
    return (
        region.left * width // 100,
        region.top * height // 100,
        max(region.right * width // 100, region.left * width // 100 + 1),
        max(region.bottom * height // 100, region.top * height // 100 + 1),
    )


def _part(gray: Pixels, corners: Corners) -> Pixels:
    """What lies around a code, its quiet zones included."""
    if not corners:
        return gray
    left, right = min(x for x, _ in corners), max(x for x, _ in corners)
    top, bottom = min(y for _, y in corners), max(y for _, y in corners)
    edge = max(16, max(right - left, bottom - top) // 8)
    return gray[max(0, top - edge) : bottom + edge, max(0, left - edge) : right + edge]


def _in(corners: Corners, evidence: FrameEvidence, gray: Pixels) -> Corners:
    """Corners in the picture as it is kept, which may be smaller than the one that was looked at."""
    height, width = gray.shape[:2]
    return tuple((x * evidence.width // width, y * evidence.height // height) for x, y in corners)


_STEP = 4
# Symbology identifiers' letters of bar codes: Code 39, Code 128, EAN, Codabar, Code 93, ITF, DataBar.
_LINEAR = "ACEFGIe"
# Pixels of the second look to one of the first: no simple fraction, so that each falls elsewhere.
_AGAIN = 1.37
# Gray levels, of 255: the noise of a covered lens stays below, the palest label on a wall above.
_CONTRAST_MIN = 4.0
_MIDDLE = 128
_QUALITY = 85
_SAID_MAX = 200
