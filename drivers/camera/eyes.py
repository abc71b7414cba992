# SPDX-License-Identifier: Apache-2.0
"""The libraries that a camera needs, loaded when one is run: OpenCV and a decoder."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from drivers.errors import PartMissing

from .decoders import INSTALL, Decoder, load_decoder
from .settings import CameraSettings

__all__ = ["Eyes", "load_eyes"]


@dataclass(frozen=True, slots=True)
class Eyes:
    """`cv2` is OpenCV's module."""

    cv2: Any
    decoder: Decoder


def load_eyes(settings: CameraSettings) -> Eyes:
    """Import what `settings` need; some tenths of a second the first time, so never on an event loop.

    Raises PartMissing: what is not there, and the line that brings it.
    """
    # What FFmpeg says of a bad film goes to standard error, unless the environment says otherwise.
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    try:
        import cv2
        import numpy as np  # noqa: F401 - OpenCV gives its pictures as numpy's
    except ImportError as error:
        what = "is not installed" if error.name in ("cv2", "numpy") else f"does not load ({error})"
        raise PartMissing(f"OpenCV, which takes pictures, {what}: {INSTALL}") from error
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    return Eyes(cv2, load_decoder(settings.formats, settings.decoder))
