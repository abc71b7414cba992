# SPDX-License-Identifier: Apache-2.0
"""Camera URLs taken apart:

    camera:///dev/v4l/by-id/usb-Acme_Camera_123-video-index0?width=1280&height=720&fps=15
    camera+rtsp://user:password@192.0.2.7:554/stream1        (all behind the host belongs to the camera)
    camera+file:///srv/dock/lane2.mp4?pace=none&repeat=yes
    camera+folder:///srv/dock/pictures?existing=read

Opens nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from drivers.errors import LinkUrlError

__all__ = ["CameraAddress", "parse_camera_url"]

SIDE_MAX = 7680
"""Pixels of a picture's side that a camera may be asked for: 8K."""


@dataclass(frozen=True, slots=True)
class CameraAddress:
    """A camera URL taken apart. `kind` is "device", "rtsp", "file" or "folder"; `target` a path, or the RTSP
    URL as the camera knows it.

    `width`, `height` and `fps` are asked of a device, 0 leaves them to it. A file is shown at its own pace as
    a camera would (`paced`), or every frame of it as fast as it is read, once or (`repeat`) for ever. Of a
    folder only pictures that come are read, or (`existing`) those that lie there as well.
    """

    kind: str
    target: str
    width: int = 0
    height: int = 0
    fps: int = 0
    paced: bool = True
    repeat: bool = False
    existing: bool = False

    @property
    def shown(self) -> str:
        """The target for a person's eyes: without a password."""
        if self.kind != "rtsp":
            return self.target
        parts = urlsplit(self.target)
        host = parts.netloc.rpartition("@")[2]
        return f"rtsp://{host}{parts.path}"

    @property
    def live(self) -> bool:
        """Whether what is not looked at now is gone: a camera, or a file that plays as one."""
        return self.kind in ("device", "rtsp") or (self.kind == "file" and self.paced)


def parse_camera_url(url: str) -> CameraAddress:
    """Take a camera URL apart. Raises LinkUrlError: what came, what was expected; it shows no password."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise LinkUrlError(f"a camera's address that is none ({error}), expected {_EXAMPLE}") from error
    if parts.scheme == "camera+rtsp":
        if not parts.hostname or port == 0 or not url.isprintable():
            raise LinkUrlError("a camera+rtsp address without a host, expected camera+rtsp://HOST:554/PATH")
        return CameraAddress("rtsp", url.removeprefix("camera+"))
    if parts.scheme not in _KINDS or parts.netloc or not parts.path.startswith("/") or parts.fragment:
        raise LinkUrlError(f"camera {url!r}, expected {_EXAMPLE}")
    path = unquote(parts.path)
    if "\0" in path:
        raise LinkUrlError(f"camera {url!r} has a NUL in its path, expected {_EXAMPLE}")
    return _KINDS[parts.scheme](path, parts, url)


_EXAMPLE = "camera:///dev/video0, camera+rtsp://HOST:554/PATH, camera+file:///PATH or camera+folder:///PATH"


def _device(path: str, parts: SplitResult, url: str) -> CameraAddress:
    given = _settings(parts, url, ("width", "height", "fps"))
    numbers = {}
    for name, text in given.items():
        most = 240 if name == "fps" else SIDE_MAX
        if not (text.isascii() and text.isdigit() and len(text) <= 4 and 0 < int(text) <= most):
            raise LinkUrlError(f"{name}={text} in {url!r}, expected 1 to {most}")
        numbers[name] = int(text)
    if ("width" in numbers) != ("height" in numbers):
        raise LinkUrlError(f"width or height alone in {url!r}, expected both or none")
    width, height, fps = (numbers.get(name, 0) for name in ("width", "height", "fps"))
    return CameraAddress("device", path, width, height, fps)


def _file(path: str, parts: SplitResult, url: str) -> CameraAddress:
    given = _settings(parts, url, ("pace", "repeat"))
    paced = _choice(given, "pace", ("real", "none"), url) == "real"
    return CameraAddress(
        "file", path, paced=paced, repeat=_choice(given, "repeat", ("no", "yes"), url) == "yes"
    )


def _folder(path: str, parts: SplitResult, url: str) -> CameraAddress:
    given = _settings(parts, url, ("existing",))
    return CameraAddress("folder", path, existing=_choice(given, "existing", ("skip", "read"), url) == "read")


_KINDS: dict[str, Callable[[str, SplitResult, str], CameraAddress]] = {
    "camera": _device,
    "camera+file": _file,
    "camera+folder": _folder,
}


def _settings(parts: SplitResult, url: str, known: tuple[str, ...]) -> dict[str, str]:
    given = dict(parse_qsl(parts.query, keep_blank_values=True))
    for name in given:
        if name not in known:
            raise LinkUrlError(f"setting {name!r} in {url!r}, expected one of {', '.join(known)}")
    return given


def _choice(given: dict[str, str], name: str, choices: tuple[str, ...], url: str) -> str:
    value = given.get(name, choices[0])
    if value not in choices:
        raise LinkUrlError(f"{name}={value} in {url!r}, expected one of {', '.join(choices)}")
    return value
