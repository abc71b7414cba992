# SPDX-License-Identifier: Apache-2.0
"""The size that a picture's file states is known before anything is unpacked."""

from __future__ import annotations

import struct
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.camera.pictures import SEGMENTS_MAX, picture_size


def encoded(suffix: str, width: int, height: int, *settings: int) -> bytes:
    made, data = cv2.imencode(suffix, np.zeros((height, width, 3), np.uint8), settings)
    assert made
    return data.tobytes()


def png_bomb(width: int, height: int) -> bytes:
    """A PNG of a few bytes that states a giant size."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = b"IDAT" + zlib.compress(bytes(100_000))
    chunks = [struct.pack(">I", len(c) - 4) + c + struct.pack(">I", zlib.crc32(c)) for c in (header, body)]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


@pytest.mark.parametrize(
    ("suffix", "settings"),
    [
        (".jpg", ()),
        (".jpg", (cv2.IMWRITE_JPEG_PROGRESSIVE, 1)),
        (".jpg", (cv2.IMWRITE_JPEG_RST_INTERVAL, 1)),
        (".png", ()),
    ],
)
def test_the_stated_size_is_the_pictures(suffix: str, settings: tuple[int, ...]) -> None:
    for width, height in ((1, 1), (640, 3), (1280, 720)):
        assert picture_size(encoded(suffix, width, height, *settings)) == (width, height)


def test_fill_bytes_and_other_segments_are_passed() -> None:
    jpeg = encoded(".jpg", 40, 30)
    filled = jpeg[:2] + b"\xff\xfe\x00\x06note" + b"\xff\xff\xff\x01" + jpeg[2:]
    assert picture_size(filled) == (40, 30)


def test_a_bomb_states_its_size() -> None:
    assert picture_size(png_bomb(60_000, 60_000)) == (60_000, 60_000)


@given(st.binary(max_size=300), st.sampled_from([b"", b"\xff\xd8", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"]))
def test_any_bytes_are_answered(data: bytes, start: bytes) -> None:
    size = picture_size(start + data)
    assert size is None or (size[0] >= 0 and size[1] >= 0)


@given(st.integers(0, 400))
def test_a_cut_file_states_its_size_or_none(length: int) -> None:
    assert picture_size(encoded(".jpg", 50, 20)[:length]) in (None, (50, 20))


@pytest.mark.parametrize("filling", [b"\xff", b"\xff\xe1\0\2", b"\xff\xd0"])
def test_a_file_of_nothing_but_filling_is_given_up_early(filling: bytes) -> None:
    whole = encoded(".jpg", 40, 30)
    few, many = filling * 50, filling * SEGMENTS_MAX
    assert picture_size(whole[:2] + few + whole[2:]) == (40, 30)
    assert picture_size(whole[:2] + many + whole[2:]) is None
