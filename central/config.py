# SPDX-License-Identifier: Apache-2.0
"""The center's part of zonegate.toml: the first syntax error, or all faults of meaning at once."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from central.errors import ConfigError

LISTEN: Final = "127.0.0.1:8430"

_NAME: Final = re.compile(r"[a-z0-9_-]{1,40}\Z")
_HOST: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?\Z")
_LISTEN: Final = re.compile(r"(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9.-]{1,253}):([0-9]{1,5})\Z")


class Tls(msgspec.Struct, frozen=True):
    """`[central.tls]`: certificate chain and key in PEM."""

    cert: Path
    key: Path


class CentralConfig(msgspec.Struct, frozen=True):
    """`[central]`: `data` is the folder of the center's key, anchor and token, on another medium than
    the database and in none of its backups; `hosts` the names by which browsers call the
    center, `timezone` the zone's, for the pages.
    """

    tenant: str
    zone: str
    database: str
    data: Path
    listen: str = LISTEN
    timezone: str = "UTC"
    hosts: tuple[str, ...] = ()
    tls: Tls | None = None


def read_config(path: Path) -> CentralConfig:
    """The center's configuration. ConfigError with the file's first syntax error, or with all its faults:
    key path, what came, what was expected.
    """
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}; make it, or name another with --config") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is no TOML: {error}") from error
    faults: list[str] = []
    section = table.get("central")
    if not isinstance(section, dict):
        raise ConfigError(f"{path}: central: nothing; expected a table [central]")
    found = {name: _take(section, name, faults) for name in _FIELDS}
    tls = _tls(section.get("tls"), faults)
    faults += [
        f"central.{name}: this key; expected one of {', '.join([*_FIELDS, 'tls'])}"
        for name in section.keys() - _FIELDS.keys() - {"tls"}
    ]
    if faults:
        raise ConfigError("\n".join(f"{path}: {fault}" for fault in faults))
    given = {name: value for name, value in found.items() if value is not None}
    base = path.resolve().parent
    given["data"] = base / given["data"]
    if tls is not None:
        tls = Tls(base / tls.cert, base / tls.key)
    return CentralConfig(tls=tls, **given)


def _name(value: Any) -> str | None:
    return value if isinstance(value, str) and _NAME.match(value) else None


def _database(value: Any) -> str | None:
    if not isinstance(value, str):
        return None
    try:
        scheme = urlsplit(value).scheme
    except ValueError:
        return None
    return value if scheme in ("postgresql", "postgres") else None


def _folder(value: Any) -> Path | None:
    return Path(value) if isinstance(value, str) and value and "\x00" not in value else None


def _listen(value: Any) -> str | None:
    match = _LISTEN.match(value) if isinstance(value, str) else None
    return value if match and int(match[2]) < 65_536 else None


def _hosts(value: Any) -> tuple[str, ...] | None:
    if not isinstance(value, list) or not all(isinstance(host, str) and _HOST.match(host) for host in value):
        return None
    return tuple(value)


def _timezone(value: Any) -> str | None:
    try:
        return str(ZoneInfo(value).key) if isinstance(value, str) else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


_FIELDS: Final[dict[str, tuple[Callable[[Any], Any], str, bool]]] = {
    "tenant": (_name, "1 to 40 of a-z, 0-9, _ and -", True),
    "zone": (_name, "1 to 40 of a-z, 0-9, _ and -", True),
    "database": (_database, 'an address such as "postgresql://user@host/database"', True),
    "data": (_folder, "a folder's path", True),
    "listen": (_listen, f'an address and port such as "{LISTEN}"', False),
    "timezone": (_timezone, 'a name of the time zone database such as "America/Chicago"', False),
    "hosts": (_hosts, 'a list of host names such as ["center.example"]', False),
}


def _take(section: dict[str, Any], name: str, faults: list[str]) -> Any:
    check, expected, required = _FIELDS[name]
    if name not in section:
        if required:
            faults.append(f"central.{name}: nothing; expected {expected}")
        return None
    value = check(section[name])
    if value is None:
        # The database's address may hold a password: it is never repeated.
        came = "this value" if name == "database" else repr(section[name])[:80]
        faults.append(f"central.{name}: {came}; expected {expected}")
    return value


def _tls(section: Any, faults: list[str]) -> Tls | None:
    if section is None:
        return None
    if not isinstance(section, dict):
        faults.append("central.tls: this value; expected a table [central.tls] with cert and key")
        return None
    paths: dict[str, Path] = {}
    for name in ("cert", "key"):
        path = _folder(section.get(name))
        if path is None:
            faults.append(f"central.tls.{name}: {section.get(name)!r}; expected the path of a PEM file")
        else:
            paths[name] = path
    faults += [
        f"central.tls.{name}: this key; expected cert or key" for name in section.keys() - {"cert", "key"}
    ]
    return Tls(**paths) if len(paths) == 2 else None
