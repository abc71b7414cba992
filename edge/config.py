# SPDX-License-Identifier: Apache-2.0
"""`zonegate.toml` of a node. Either it is whole, or every fault of it is told at once.

Unknown keys are faults: a misspelled setting that is silently ignored loses goods. Knows no files but
the one it reads.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from drivers.errors import LinkUrlError
from drivers.link import parse_link_url
from edge.errors import ConfigError
from edge.sscc import SsccRange
from gs1.patterns import PatternError, compile_patterns
from sync.epcis import is_vocabulary

ID: Final = re.compile(r"[a-z0-9_-]{1,40}")
"""Names that become MQTT levels and parts of URLs."""

STORE_RESERVES_MIN: Final = 4
"""A store holds its ballast, and is told to leave out evidence below two reserves of room."""

_PREFIX: Final = re.compile("[0-9]{4,12}")
_PIN: Final = re.compile(r"[0-9a-fA-F]{64}")
_LISTEN: Final = re.compile(r"(?:\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+):([0-9]{1,5})")


@dataclass(frozen=True, slots=True)
class DoorConfig:
    """`[[door]]`: one opening and the scanners at it. `reads_per_second` throttles a flood."""

    id: str
    name: str
    devices: tuple[str, ...] = ()
    no_read: str = "NOREAD"
    reads_per_second: int = 20


@dataclass(frozen=True, slots=True)
class MqttConfig:
    """`[mqtt]`: the broker. Certificates are paths; user and password where the broker wants them.

    `further` are more addresses of the same broker, taken in turn; all are mqtt:// or all mqtts://.
    `vocabulary` is the base URI of our EPCIS terms, `records` the address below which records are served.
    """

    url: str
    username: str | None = None
    password: str | None = None
    ca: str | None = None
    certificate: str | None = None
    key: str | None = None
    skip_older_than_days: int | None = None
    vocabulary: str | None = None
    records: str | None = None
    further: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CenterConfig:
    """`[center]`: where the center is, its certificate's SHA-256 (https only), the enrolment code."""

    url: str
    pin: str | None = None
    code: str | None = None


@dataclass(frozen=True, slots=True)
class NodeConfig:
    """The whole file. `clock` is "kernel" (believe adjtimex) or "host" (the host keeps the time),
    `store_mb_max` what the store may take on its disk (0 is all there is), `retention_days` how long entries
    are kept that the center says may be forgotten (0 is for ever), `codes` name and pattern of the site's own
    codes.
    """

    tenant: str
    zone: str
    node: str
    store: Path
    anchor: Path
    timezone: str
    doors: tuple[DoorConfig, ...]
    listen: str = "127.0.0.1:8420"
    hosts: tuple[str, ...] = ()
    clock: str = "kernel"
    reserve_mb: int = 64
    store_mb_max: int = 0
    retention_days: int = 0
    mqtt: MqttConfig | None = None
    center: CenterConfig | None = None
    labels: SsccRange | None = None
    codes: tuple[tuple[str, str], ...] = ()


def read_config(path: Path) -> NodeConfig:
    """The configuration in a file. ConfigError tells the first syntax error, or all other faults."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}; give the path with --config") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not UTF-8 (byte {error.start}); save it as UTF-8") from error
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is no TOML: {error}") from error
    return parse_config(data, str(path))


def parse_config(data: Mapping[str, Any], where: str) -> NodeConfig:
    """The configuration in a parsed file; ConfigError lists every fault, one a line."""
    top = _Table(data, "", [])
    node = top.table("node")
    config = NodeConfig(
        tenant=node.name("tenant"),
        zone=node.name("zone"),
        node=node.name("id"),
        store=Path(node.text("store")),
        anchor=Path(node.text("anchor")),
        timezone=node.timezone("timezone"),
        clock=node.choice("clock", ("kernel", "host")),
        reserve_mb=node.whole("reserve_mb", 64, 1, 1_000_000),
        store_mb_max=node.whole("store_mb_max", 0, 0, 100_000_000),
        retention_days=node.whole("retention_days", 0, 0, 36_500),
        doors=_doors(top),
        listen=top.table("web", optional=True).listen("listen", "127.0.0.1:8420"),
        hosts=top.table("web", optional=True).texts("hosts"),
        mqtt=_mqtt(top),
        center=_center(top),
        labels=_labels(top),
        codes=_codes(top),
    )
    top.leave("central")
    top.done()
    if not top.faults and config.store.resolve() == config.anchor.resolve():
        top.fault(
            "node.anchor", f"the same folder as node.store, {config.store}", "a folder on another medium"
        )
    if 0 < config.store_mb_max < STORE_RESERVES_MIN * config.reserve_mb:
        few = STORE_RESERVES_MIN * config.reserve_mb
        top.fault("node.store_mb_max", str(config.store_mb_max), f"0, or at least {few}: some reserves")
    if top.faults:
        raise ConfigError("\n".join([f"{where} has {len(top.faults)} faults:", *top.faults]))
    return config


def _doors(top: _Table) -> tuple[DoorConfig, ...]:
    doors = []
    for table in top.tables("door"):
        doors.append(
            DoorConfig(
                id=table.name("id"),
                name=table.text("name", table.peek("id")),
                devices=table.devices("devices"),
                no_read=table.text("no_read", "NOREAD"),
                reads_per_second=table.whole("reads_per_second", 20, 1, 1_000),
            )
        )
        table.done()
    seen: set[str] = set()
    for door in doors:
        if door.id in seen:
            top.fault("door.id", f"{door.id!r} twice", "every door once")
        seen.add(door.id)
    if not doors:
        top.fault("door", "none", "at least one [[door]] with id and name")
    return tuple(doors)


def _mqtt(top: _Table) -> MqttConfig | None:
    if not top.has("mqtt"):
        return None
    table = top.table("mqtt")
    mqtt = MqttConfig(
        url=table.url("url", ("mqtt", "mqtts")),
        username=table.maybe("username"),
        password=table.maybe("password"),
        ca=table.maybe("ca"),
        certificate=table.maybe("certificate"),
        key=table.maybe("key"),
        skip_older_than_days=table.whole("skip_older_than_days", 0, 0, 10_000) or None,
        vocabulary=table.maybe("vocabulary"),
        records=table.maybe("records"),
        further=table.texts("further"),
    )
    scheme = "mqtts" if mqtt.url.startswith("mqtts:") else "mqtt"
    for url in mqtt.further:
        if not _is_url(url, (scheme,)):
            table.fault("mqtt.further", repr(url), f"{scheme}://host:port, as mqtt.url has it")
    if mqtt.vocabulary is not None and not is_vocabulary(mqtt.vocabulary):
        table.fault("mqtt.vocabulary", repr(mqtt.vocabulary), 'an https address that ends in "/"')
    if (mqtt.certificate is None) != (mqtt.key is None):
        table.fault("mqtt.certificate", "without mqtt.key, or the key alone", "both or neither")
    if (mqtt.ca or mqtt.certificate) and mqtt.url.startswith("mqtt:"):
        table.fault("mqtt.url", repr(mqtt.url), "mqtts://host:port, since there are certificates")
    if mqtt.password is not None and mqtt.username is None:
        table.fault("mqtt.username", "nothing, but a password", "both or neither")
    return mqtt


def _center(top: _Table) -> CenterConfig | None:
    if not top.has("center"):
        return None
    table = top.table("center")
    center = CenterConfig(table.url("url", ("http", "https")), table.maybe("pin"), table.maybe("code"))
    if center.pin and not _PIN.fullmatch(center.pin.replace(":", "")):
        table.fault("center.pin", repr(center.pin), "the certificate's SHA-256, 64 hex digits")
    return center


def _labels(top: _Table) -> SsccRange | None:
    if not top.has("labels"):
        return None
    table = top.table("labels")
    prefix = table.text("company_prefix")
    if prefix and not _PREFIX.fullmatch(prefix):
        table.fault("labels.company_prefix", repr(prefix), "the 4 to 12 digits of a GS1 company prefix")
    # The check digit aside an SSCC has 17 digits, one of them the extension.
    most = 10 ** max(16 - len(prefix), 4) - 1
    extension, first = table.whole("extension", 0, 0, 9), table.whole("first", 0, 0, most)
    return SsccRange(prefix, extension, first, table.whole("last", most, min(first, most), most))


def _codes(top: _Table) -> tuple[tuple[str, str], ...]:
    codes: list[tuple[str, str]] = []
    for table in top.tables("code"):
        codes.append((table.text("name"), table.text("pattern")))
        table.done()
    try:
        compile_patterns(codes)
    except PatternError as error:
        for line in str(error).splitlines():
            top.fault("code", line, "a pattern as docs/operate/configuration.md tells")
    return tuple(codes)


def _is_url(text: str, schemes: tuple[str, ...]) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:  # brackets that do not close, a port that is no number
        return False


class _Table:
    """One table of the file: takes its keys, collects its faults in a list shared with its parents."""

    def __init__(self, data: Mapping[str, Any], path: str, faults: list[str]) -> None:
        self._data = data
        self._path = path
        self._taken: set[str] = set()
        self._children: dict[str, _Table] = {}
        self.faults = faults

    def fault(self, key: str, came: str, expected: str) -> None:
        self.faults.append(f"  {key}: came {came}, expected {expected}")

    def has(self, key: str) -> bool:
        return key in self._data

    def peek(self, key: str) -> str:
        return str(self._data.get(key, ""))

    def leave(self, key: str) -> None:
        """A table of somebody else's."""
        self._taken.add(key)

    def done(self) -> None:
        for child in self._children.values():
            child.done()
        for key in sorted(self._data.keys() - self._taken):
            known = ", ".join(sorted(self._taken)) or "none"
            self.fault(self._full(key), "a key that is not known here", f"one of {known}")

    def table(self, key: str, *, optional: bool = False) -> _Table:
        if key in self._children:
            return self._children[key]
        value = self._take(key, {} if optional else None, dict, "a table")
        self._children[key] = _Table(value or {}, self._full(key), self.faults)
        return self._children[key]

    def tables(self, key: str) -> list[_Table]:
        values = self._take(key, [], list, "tables such as [[door]]") or []
        tables = []
        for number, value in enumerate(values, start=1):
            if isinstance(value, dict):
                tables.append(_Table(value, f"{self._full(key)}[{number}]", self.faults))
            else:
                self.fault(f"{self._full(key)}[{number}]", repr(value), "a table")
        return tables

    def text(self, key: str, default: str | None = None) -> str:
        value = self._take(key, default, str, "a text")
        if value == "" and default is None and self._data.get(key) == "":
            self.fault(self._full(key), "an empty text", "a text")
        return value or ""

    def maybe(self, key: str) -> str | None:
        self._taken.add(key)
        return self.text(key) if key in self._data else None

    def texts(self, key: str) -> tuple[str, ...]:
        values = self._take(key, [], list, "a list of texts") or []
        for number, value in enumerate(values):
            if not isinstance(value, str):
                self.fault(f"{self._full(key)}[{number}]", repr(value), "a text")
        return tuple(str(value) for value in values)

    def name(self, key: str) -> str:
        value = self.text(key)
        if value and not ID.fullmatch(value):
            self.fault(self._full(key), repr(value), "1 to 40 of a-z, 0-9, - and _")
        return value

    def whole(self, key: str, default: int, low: int, high: int) -> int:
        value: int = self._take(key, default, int, "a whole number")
        if not low <= value <= high:
            self.fault(self._full(key), str(value), f"{low} to {high}")
        return value

    def choice(self, key: str, words: tuple[str, ...]) -> str:
        value = self.text(key, words[0])
        if value not in words:
            self.fault(self._full(key), repr(value), " or ".join(words))
        return value

    def timezone(self, key: str) -> str:
        value = self.text(key)
        try:
            ZoneInfo(value or "UTC")
        except (ZoneInfoNotFoundError, ValueError, OSError):
            self.fault(self._full(key), repr(value), "a time zone such as America/Chicago")
        return value

    def listen(self, key: str, default: str) -> str:
        value = self.text(key, default)
        match = _LISTEN.fullmatch(value)
        if match is None or int(match[1]) > 65_535:
            self.fault(self._full(key), repr(value), "address:port, such as 127.0.0.1:8420")
        return value

    def url(self, key: str, schemes: tuple[str, ...]) -> str:
        value = self.text(key)
        if value and not _is_url(value, schemes):
            self.fault(self._full(key), repr(value), f"a URL such as {schemes[0]}://host:port")
        return value

    def devices(self, key: str) -> tuple[str, ...]:
        urls = self.texts(key)
        for number, url in enumerate(urls):
            try:
                parse_link_url(url)
            except LinkUrlError as error:
                self.fault(f"{self._full(key)}[{number}]", repr(url), f"a device's URL ({error})")
        return urls

    def _take(self, key: str, default: Any, kind: type, expected: str) -> Any:
        self._taken.add(key)
        if key not in self._data:
            if default is None:
                self.fault(self._full(key), "nothing", expected)
                return kind()
            return default
        value = self._data[key]
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            self.fault(self._full(key), repr(value), expected)
            return default if default is not None else kind()
        return value

    def _full(self, key: str) -> str:
        return f"{self._path}.{key}" if self._path else key
