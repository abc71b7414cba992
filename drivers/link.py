# SPDX-License-Identifier: Apache-2.0
"""One address opens one link: bytes both ways, an error when the device has gone.

Knows no device's language. Addresses:

    serial:///dev/serial/by-id/usb-Acme_Scanner_123-if00?baud=9600
    serial:///dev/ttyS0?baud=115200&parity=even&backend=pyserial
    null-modem://name                                         (drivers.null_modem, in this process)
"""

from __future__ import annotations

import errno
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import parse_qsl, unquote, urlsplit

from .errors import LinkUnavailable, LinkUrlError
from .null_modem import open_null_modem

__all__ = ["BY_ID", "Link", "LinkAddress", "Port", "list_ports", "open_link", "parse_link_url"]

BY_ID = Path("/dev/serial/by-id")

# What one read returns at most; bounds what a link holds for a reader that is slow.
CHUNK_BYTES_MAX = 65_536


class Link(Protocol):
    """An open connection to one device. One task reads; any may close."""

    async def read(self) -> bytes:
        """At least one byte, waiting for it; being cancelled loses none. Raises LinkLost."""
        ...

    async def write(self, data: bytes) -> None:
        """Hand all of `data` to the device. Raises LinkLost."""
        ...

    async def close(self) -> None:
        """Give the device back; a second call does nothing. Never raises for a device that has gone."""
        ...


@dataclass(frozen=True, slots=True)
class LinkAddress:
    """A link URL taken apart. `target` is the device's path, or the null modem's name."""

    scheme: str
    target: str
    baud: int = 9600
    parity: str = "none"
    backend: str = "serialx"


@dataclass(frozen=True, slots=True)
class Port:
    """A serial port of this machine: the URL to configure, by its lasting name where it has one."""

    url: str
    path: str
    description: str


def parse_link_url(url: str) -> LinkAddress:
    """Take a link URL apart, open nothing. Raises LinkUrlError: what came, what was expected."""
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise LinkUrlError(f"{url!r} is no address ({error}), expected {_EXAMPLE}") from error
    if parts.scheme == "null-modem" and parts.netloc and not (parts.path or parts.query):
        return LinkAddress("null-modem", parts.netloc)
    if parts.scheme != "serial" or parts.netloc or not parts.path.startswith("/"):
        raise LinkUrlError(f"link {url!r}, expected {_EXAMPLE}")
    given = dict(parse_qsl(parts.query, keep_blank_values=True))
    for name, value in given.items():
        if name not in _CHOICES:
            raise LinkUrlError(f"setting {name!r} in {url!r}, expected one of {', '.join(_CHOICES)}")
        if value not in _CHOICES[name]:
            raise LinkUrlError(f"{name}={value} in {url!r}, expected one of {', '.join(_CHOICES[name])}")
    return LinkAddress(
        "serial",
        unquote(parts.path),
        int(given.get("baud", "9600")),
        given.get("parity", "none"),
        given.get("backend", "serialx"),
    )


async def open_link(url: str) -> Link:
    """Open what `url` names. Raises LinkUrlError if that can never work, LinkUnavailable if not now."""
    address = parse_link_url(url)
    if address.scheme == "null-modem":
        return open_null_modem(address.target)
    from . import serial_links  # the serial libraries load only where a serial port is used

    try:
        return await serial_links.open_serial(address)
    except OSError as error:
        raise LinkUnavailable(_unavailable(address.target, error)) from error


def list_ports() -> tuple[Port, ...]:
    """This machine's serial ports by pyserial's search, under their /dev/serial/by-id name if they have one.

    Reads /sys and /dev; takes milliseconds.
    """
    from serial.tools import list_ports as search

    lasting = {link.resolve(): link for link in sorted(BY_ID.glob("*"))} if BY_ID.is_dir() else {}
    ports = []
    for found in sorted(search.comports(), key=lambda port: port.device):
        name = str(lasting.get(Path(found.device).resolve(), found.device))
        ports.append(Port(f"serial://{name}?baud=9600", found.device, found.description))
    return tuple(ports)


_EXAMPLE = "serial:///dev/serial/by-id/NAME?baud=9600"
_CHOICES = {
    "baud": ("1200", "2400", "4800", "9600", "19200", "38400", "57600", "115200"),
    "parity": ("none", "even", "odd"),
    "backend": ("serialx", "pyserial"),
}


def _unavailable(path: str, error: OSError) -> str:
    if error.errno in (errno.ENOENT, errno.ENXIO, errno.ENODEV):
        return f"{path} is not there: plug the device in"
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"{path} may not be opened by this user: add it to the group that owns it (often dialout)"
    if error.errno in (errno.EBUSY, errno.EAGAIN):
        return f"{path} is in use by another program: close that program"
    if error.errno in (errno.ENOTTY, errno.EINVAL):
        return f"{path} is no serial device: check the path"
    return f"{path} cannot be opened: {error}"
