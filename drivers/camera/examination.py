# SPDX-License-Identifier: Apache-2.0
"""One picture of a camera, looked at once: what an integrator wants to know before the service runs. Changes
nothing; a device that another program has open cannot be looked at.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from drivers.errors import LinkUnavailable, PartMissing
from drivers.scanner import Clock

from .address import parse_camera_url
from .decoders import load_decoder
from .eyes import load_eyes
from .folder import Seen
from .in_view import InView, raw
from .look import Look
from .settings import CameraSettings
from .shots import Broken, Ended, Shot
from .sources import Source, open_source

__all__ = ["Sight", "examine", "second_decoder"]


@dataclass(frozen=True, slots=True)
class Sight:
    """What a camera shows now. `codes` are those that the service would hand on, identifier in front."""

    width: int
    height: int
    codes: tuple[bytes, ...]
    decoder: str
    lacks: tuple[str, ...]


def examine(url: str, settings: CameraSettings, clock: Clock, patience_s: float = 5.0) -> Sight | None:
    """Take one picture and look at it; None where a folder holds no picture. Takes seconds.

    Raises LinkUrlError, PartMissing or LinkUnavailable, each with what to do.
    """
    address = parse_camera_url(url)
    eyes = load_eyes(settings)
    source = open_source(eyes.cv2, address, clock, time.sleep, Seen(existing=True))
    try:
        shot = _first(source, _FOLDER_S if address.kind == "folder" else patience_s)
    except (Broken, Ended) as error:
        raise LinkUnavailable(f"{address.shown}: {error}") from error
    finally:
        source.close()
    if shot is None:
        if address.kind == "folder":
            return None
        raise LinkUnavailable(f"{address.shown} sent no picture for {patience_s:g} s")
    look = Look(eyes, settings, InView(0), live=False)
    try:
        codes = tuple(raw(scan.symbol) for scan in look.at(shot))
    except Broken as error:
        raise LinkUnavailable(f"{address.shown}: {error}") from error
    height, width = shot.picture.shape[:2]
    return Sight(width, height, codes, eyes.decoder.name, eyes.decoder.lacks)


def second_decoder(settings: CameraSettings) -> str | None:
    """Why there is none should zxing-cpp fail to load; None when there is one."""
    try:
        load_decoder(settings.formats, "pyzbar")
    except PartMissing as error:
        return str(error)
    return None


# Time to see that a picture in a folder does not grow.
_FOLDER_S = 0.5


def _first(source: Source, patience_s: float) -> Shot | None:
    until = time.monotonic() + patience_s
    while time.monotonic() < until:
        shot = source.shot()
        if shot is not None:
            return shot
    return None
