# SPDX-License-Identifier: Apache-2.0
"""What a camera at a door would see: labels drawn into pictures, tilted, blurred, noisy, half out of view,
with the truth of what stands in them. Writes a folder of pictures or a film, or sends them as an RTSP camera.

Needs OpenCV and numpy, so import it only where pictures are made. May not know what reads them.
"""

from __future__ import annotations
