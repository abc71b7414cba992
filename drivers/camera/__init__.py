# SPDX-License-Identifier: Apache-2.0
"""Cameras: pictures in, Reads out, each with the picture it was seen in. One URL names a camera, a video file
or a folder of pictures.

May not know doors, jobs or what a code is for. OpenCV, numpy and the decoders are imported where a camera is
run, never with this package.
"""

from __future__ import annotations

from .address import CameraAddress, parse_camera_url
from .camera import Camera
from .evidence import FrameEvidence
from .settings import DOCK_FORMATS, FORMATS, CameraCounts, CameraSettings, Region

__all__ = [
    "DOCK_FORMATS",
    "FORMATS",
    "Camera",
    "CameraAddress",
    "CameraCounts",
    "CameraSettings",
    "FrameEvidence",
    "Region",
    "parse_camera_url",
]
