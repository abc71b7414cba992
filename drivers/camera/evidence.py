# SPDX-License-Identifier: Apache-2.0
"""The picture that a Read was seen in, as it is kept. Values only."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Corners", "FrameEvidence"]

Corners = tuple[tuple[int, int], ...]
"""Pixels (x from the left, y from the top) around a code; empty where the decoder does not tell."""


@dataclass(frozen=True, slots=True)
class FrameEvidence:
    """One picture: `jpeg` is what is kept, `sha256` its hash (64 hex digits), `corners` where in it the code
    stood. `name` is the picture's file name where it came from a folder, else empty.
    """

    jpeg: bytes
    sha256: str
    width: int
    height: int
    corners: Corners
    name: str = ""
