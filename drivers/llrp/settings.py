# SPDX-License-Identifier: Apache-2.0
"""How a reader is set up, and what its address means. Values, checked when they are made; opens nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import urlsplit

from drivers.errors import LinkUrlError

__all__ = ["PORT", "TLS_PORT", "Profile", "ReaderAddress", "ReaderSettings", "Tls", "parse_reader_url"]

PORT = 5084
TLS_PORT = 5085
"""The ports that LLRP has of its own (1.0.1 section 18.1), plain and by TLS."""


class Profile(StrEnum):
    """What the inventory is for.

    DIRECTION: every read of a tag is reported, again and again while it is in the field, so that its course
    can be seen. COUNT: each tag speaks once and then stays silent for seconds, so that many can be counted.
    """

    DIRECTION = "direction"
    COUNT = "count"


@dataclass(frozen=True, slots=True)
class Tls:
    """How a reader on `llrps://` is known. Paths of PEM files.

    `ca` are the authorities that may have signed the reader's certificate, in place of the system's. `pin` is
    the SHA-256 of that certificate in hex and then the only thing that is asked. `certificate` and `key` are
    our own, where the reader asks. `server_name` is what the certificate says when that is not the host.
    """

    ca: str | None = None
    certificate: str | None = None
    key: str | None = None
    pin: str | None = None
    server_name: str | None = None

    def __post_init__(self) -> None:
        """Raises ValueError for a pin that is no SHA-256, a certificate without key, or no server's name."""
        if self.pin is not None and not _SHA256.fullmatch(self.pin.replace(":", "")):
            raise ValueError(f"pin {self.pin!r}, expected the certificate's SHA-256, 64 hex digits")
        if (self.certificate is None) != (self.key is None):
            raise ValueError("a certificate without its key, or the key alone; expected both or neither")
        try:
            named = self.server_name is None or bool(self.server_name.encode("idna"))
        except UnicodeError:
            named = False
        if not named:
            raise ValueError(f"server_name {self.server_name!r}, expected the name that the certificate says")


@dataclass(frozen=True, slots=True)
class ReaderSettings:
    """Seconds, dBm, port numbers from 1.

    `pallets_first` lets each antenna hear the labels of whole pallets and of assets alone before it hears
    everybody; it means nothing where tags are counted. `antennas` are those in use, none means all that are
    connected. `power_dbm` is the strongest that may be sent, `antenna_power_dbm` the same for single
    antennas; None is the reader's strongest. `session` (0 to 3) and `mode` (of the reader's table) are for
    those who know better than the profile. `inputs` are watched after `debounce_s` of rest, `outputs` maps
    each lamp's or horn's port to its safe level. A reader that misses three keepalives is dead; one that
    reports nothing for `quiet_s` is told. Reconnecting starts at `retry_s_min` and is never rarer than
    `retry_s_max`, for goods pass meanwhile.
    """

    profile: Profile = Profile.DIRECTION
    pallets_first: bool = True
    antennas: tuple[int, ...] = ()
    power_dbm: float | None = None
    antenna_power_dbm: Mapping[int, float] = field(default_factory=dict)
    session: int | None = None
    mode: int | None = None
    tag_population: int = 32
    tid: bool = False
    inputs: tuple[int, ...] = ()
    debounce_s: float = 0.02
    outputs: Mapping[int, bool] = field(default_factory=dict)
    keepalive_s: float = 5.0
    answer_s: float = 10.0
    probe_s: float = 30.0
    quiet_s: float = 600.0
    retry_s_min: float = 0.5
    retry_s_max: float = 30.0
    tls: Tls | None = None


@dataclass(frozen=True, slots=True)
class ReaderAddress:
    """A reader's URL taken apart. `null_modem` is a cable's name within this process, for trials."""

    host: str
    port: int
    tls: bool
    null_modem: str | None = None

    def __str__(self) -> str:
        """As a person reads it."""
        return self.null_modem or f"{self.host}:{self.port}"


def parse_reader_url(url: str) -> ReaderAddress:
    """Take `llrp://host[:5084]`, `llrps://host[:5085]` or `null-modem://name` apart. Raises LinkUrlError."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise LinkUrlError(f"{url!r} is no address ({error}), expected {_EXAMPLE}") from error
    extra = parts.path.strip("/") or parts.query or parts.fragment or parts.username
    if parts.scheme == "null-modem" and parts.netloc and not parts.path and not extra:
        return ReaderAddress("", 0, tls=False, null_modem=parts.netloc)
    if parts.scheme not in ("llrp", "llrps") or not parts.hostname or port == 0 or extra:
        raise LinkUrlError(f"reader {url!r}, expected {_EXAMPLE}")
    tls = parts.scheme == "llrps"
    return ReaderAddress(parts.hostname, port or (TLS_PORT if tls else PORT), tls)


_EXAMPLE = "llrp://host, llrp://host:5084 or llrps://host:5085"
_SHA256 = re.compile("[0-9a-fA-F]{64}")
