# SPDX-License-Identifier: Apache-2.0
"""Camera URLs and settings: what they say, and what is refused with a sentence."""

from __future__ import annotations

import pytest

from drivers.camera import CameraAddress, CameraSettings, Region, parse_camera_url
from drivers.errors import LinkUrlError


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("camera:///dev/video0", CameraAddress("device", "/dev/video0")),
        (
            "camera:///dev/v4l/by-id/usb-A_1-video-index0?width=1280&height=720&fps=15",
            CameraAddress("device", "/dev/v4l/by-id/usb-A_1-video-index0", 1280, 720, 15),
        ),
        (
            "camera+rtsp://anna:se%20cret@192.0.2.7:554/live?channel=1&subtype=0",
            CameraAddress("rtsp", "rtsp://anna:se%20cret@192.0.2.7:554/live?channel=1&subtype=0"),
        ),
        ("camera+file:///srv/a%20b.mp4", CameraAddress("file", "/srv/a b.mp4")),
        (
            "camera+file:///srv/a.mp4?pace=none&repeat=yes",
            CameraAddress("file", "/srv/a.mp4", paced=False, repeat=True),
        ),
        ("camera+folder:///srv/%25d%3F%23", CameraAddress("folder", "/srv/%d?#")),
        ("camera+folder:///srv/in?existing=read", CameraAddress("folder", "/srv/in", existing=True)),
    ],
)
def test_an_address_is_taken_apart(url: str, address: CameraAddress) -> None:
    assert parse_camera_url(url) == address


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("", "camera ''"),
        ("rtsp://192.0.2.7/live", "expected camera:///dev/video0"),
        ("camera://dev/video0", "expected camera:///dev/video0"),
        ("camera:///dev/video0#1", "expected camera:///dev/video0"),
        ("camera:///dev/video0?width=1280", "width or height alone"),
        ("camera:///dev/video0?width=0&height=720", "width=0"),
        ("camera:///dev/video0?width=99999&height=720", "expected 1 to 7680"),
        ("camera:///dev/video0?width=١٢&height=720", "expected 1 to 7680"),
        ("camera:///dev/video0?fps=9e9", "fps=9e9"),
        ("camera:///dev/video0?baud=9600", "setting 'baud'"),
        ("camera+file:///a.mp4?pace=fast", "expected one of real, none"),
        ("camera+folder:///in?existing=", "expected one of skip, read"),
        ("camera+folder:///in%00", "NUL"),
        ("camera+rtsp:///live", "without a host"),
        ("camera+rtsp://h:0/live", "without a host"),
        ("camera+rtsp://h:99999/live", "a camera's address that is none"),
        ("camera+rtsp://[::1/live", "a camera's address that is none"),
    ],
)
def test_an_address_that_is_none_is_refused_with_what_was_expected(url: str, said: str) -> None:
    with pytest.raises(LinkUrlError, match=r".") as refused:
        parse_camera_url(url)
    assert said in str(refused.value)


def test_no_password_is_shown() -> None:
    address = parse_camera_url("camera+rtsp://anna:secret@cam.example:554/live?key=secret")
    assert address.shown == "rtsp://cam.example:554/live"
    for url in ("camera+rtsp://anna:secret@:554/", "camera+rtsp://anna:secret@h:99999/"):
        with pytest.raises(LinkUrlError) as refused:
            parse_camera_url(url)
        assert "secret" not in str(refused.value)


@pytest.mark.parametrize("sides", [(0, 0, 0, 10), (10, 0, 5, 10), (0, 0, 101, 10), (-1, 0, 10, 10)])
def test_a_region_that_is_none_is_refused(sides: tuple[int, int, int, int]) -> None:
    with pytest.raises(ValueError, match="expected 0 to 100"):
        Region(*sides)


def test_unknown_formats_and_decoders_are_refused() -> None:
    with pytest.raises(ValueError, match="formats maxicode, expected of code-128"):
        CameraSettings(formats=("qr", "maxicode"))
    with pytest.raises(ValueError, match="formats none"):
        CameraSettings(formats=())
    with pytest.raises(ValueError, match="expected one of auto, zxing, pyzbar"):
        CameraSettings(decoder="zbar")
