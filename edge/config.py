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

from edge.errors import ConfigError
from edge.passage import GateSettings, Layout
from edge.portal.config import CameraConfig, ReaderConfig, camera_of, gate_of, reader_of
from edge.sscc import SsccRange
from edge.tables import Table, is_url
from gs1.patterns import PatternError, compile_patterns
from sync.epcis import is_vocabulary

GATE_DEFAULTS: Final = GateSettings()

STORE_RESERVES_MIN: Final = 4
"""A store holds its ballast, and is told to leave out evidence below two reserves of room."""

_PREFIX: Final = re.compile("[0-9]{4,12}")
_PIN: Final = re.compile(r"[0-9a-fA-F]{64}")


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
    """The whole file. `gate` are the settings of the gate that judges what all readers say, `frames_mb_max`
    what the pictures of cameras may take. `clock` is "kernel" (believe adjtimex) or "host"
    (the host keeps the time), `store_mb_max` what the store may take on its disk (0 is all there is),
    `retention_days` how long entries are kept that the center says may be forgotten (0 is for ever), `codes`
    name and pattern of the site's own codes.
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
    readers: tuple[ReaderConfig, ...] = ()
    cameras: tuple[CameraConfig, ...] = ()
    gate: GateSettings = GATE_DEFAULTS
    frames_mb_max: int = 1_000

    @property
    def layout(self) -> Layout:
        """All antennas and eyes."""
        return Layout(
            tuple(antenna for reader in self.readers for antenna in reader.antennas),
            tuple(eye for reader in self.readers for eye in reader.eyes),
        )


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
    top = Table(data, "", [])
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
        frames_mb_max=node.whole("frames_mb_max", 1_000, 1, 10_000_000),
        doors=_doors(top),
        listen=top.table("web", optional=True).listen("listen", "127.0.0.1:8420"),
        hosts=top.table("web", optional=True).texts("hosts"),
        mqtt=_mqtt(top),
        center=_center(top),
        labels=_labels(top),
        codes=_codes(top),
        readers=tuple(reader_of(table) for table in top.tables("reader")),
        cameras=tuple(camera_of(table) for table in top.tables("camera")),
        gate=gate_of(top),
    )
    _check_devices(top, config)
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


def _doors(top: Table) -> tuple[DoorConfig, ...]:
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


def _check_devices(top: Table, config: NodeConfig) -> None:
    """Each device has a name of its own, and stands at a door that there is."""
    doors = {door.id for door in config.doors}
    taken = {
        f"scanner-{door.id}-{number}" for door in config.doors for number in range(1, len(door.devices) + 1)
    }
    devices: list[tuple[str, str, tuple[str, ...]]]
    devices = [("reader", reader.name, reader.doors) for reader in config.readers]
    devices += [("camera", camera.name, (camera.door,)) for camera in config.cameras]
    for kind, name, at in devices:
        if name and name in taken:
            top.fault(f"{kind}.name", f"{name!r} twice", "every device's name once")
        taken.add(name)
        for door in at:
            if door and door not in doors:
                top.fault(
                    f"{kind}.door", f"{door!r} at {name}", f"one of {', '.join(sorted(doors)) or 'none'}"
                )


def _mqtt(top: Table) -> MqttConfig | None:
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
        if not is_url(url, (scheme,)):
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


def _center(top: Table) -> CenterConfig | None:
    if not top.has("center"):
        return None
    table = top.table("center")
    center = CenterConfig(table.url("url", ("http", "https")), table.maybe("pin"), table.maybe("code"))
    if center.pin and not _PIN.fullmatch(center.pin.replace(":", "")):
        table.fault("center.pin", repr(center.pin), "the certificate's SHA-256, 64 hex digits")
    return center


def _labels(top: Table) -> SsccRange | None:
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


def _codes(top: Table) -> tuple[tuple[str, str], ...]:
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
