# SPDX-License-Identifier: Apache-2.0
"""`[[reader]]`, `[[camera]]` and `[gate]` of a node's configuration. Opens nothing, imports no OpenCV."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import msgspec

from drivers.camera import DOCK_FORMATS, FORMATS, CameraSettings, Region, parse_camera_url
from drivers.llrp.settings import Profile, ReaderSettings, Tls, parse_reader_url
from edge.passage import Antenna, Eye, GateSettings
from edge.tables import Table


@dataclass(frozen=True, slots=True)
class OutputConfig:
    """`[[reader.output]]`: a lamp or horn. `shows` is "stop", "go" or "horn", `safe` whether it is on while
    nobody watches it.
    """

    port: int
    door: str
    shows: str
    safe: bool


@dataclass(frozen=True, slots=True)
class ReaderConfig:
    """`[[reader]]`: one RFID reader with its antennas, photo eyes and outputs, of one door or several."""

    name: str
    url: str
    settings: ReaderSettings
    antennas: tuple[Antenna, ...]
    eyes: tuple[Eye, ...] = ()
    outputs: tuple[OutputConfig, ...] = ()

    @property
    def doors(self) -> tuple[str, ...]:
        """The doors that it serves, in the order of its antennas."""
        doors = [part.door for part in self.antennas] + [part.door for part in self.eyes]
        return tuple(dict.fromkeys([*doors, *(part.door for part in self.outputs)]))


@dataclass(frozen=True, slots=True)
class CameraConfig:
    """`[[camera]]`: a camera whose labels are scans at a door."""

    name: str
    url: str
    door: str
    settings: CameraSettings


def reader_of(table: Table) -> ReaderConfig:
    """A `[[reader]]`; its faults are the table's."""
    name = table.name("name")
    url = table.device("url", parse_reader_url)
    antennas, eyes, outputs = _antennas(table, name), _eyes(table, name), _outputs(table)
    ports = [antenna.port for antenna in antennas]
    for key, numbers in (("antenna", ports), ("eye", [eye.port for eye in eyes])):
        for number in sorted({number for number in numbers if numbers.count(number) > 1}):
            table.fault(f"reader.{key}.port", f"{number} twice at {name}", "every port once")
    for number in sorted({o.port for o in outputs if sum(o.port == each.port for each in outputs) > 1}):
        table.fault("reader.output.port", f"{number} twice at {name}", "every port once")
    if not antennas:
        table.fault("reader.antenna", f"none at {name}", "at least one [[reader.antenna]]")
    settings = ReaderSettings(
        profile=Profile(table.choice("profile", ("direction", "count"))),
        pallets_first=table.flag("pallets_first", default=True),
        antennas=tuple(sorted(set(ports))),
        power_dbm=table.number("power_dbm", *_POWER_DBM),
        antenna_power_dbm=_antenna_powers(table),
        session=table.maybe_whole("session", 0, 3),
        mode=table.maybe_whole("mode", 0, 65_535),
        tag_population=table.whole("tag_population", 32, 1, 10_000),
        tid=table.flag("tid"),
        inputs=tuple(sorted({eye.port for eye in eyes})),
        debounce_s=table.whole("debounce_ms", 20, 0, 1_000) / 1000,
        outputs={output.port: output.safe for output in outputs},
        keepalive_s=float(table.whole("keepalive_s", 5, 1, 60)),
        tls=_tls(table, url),
    )
    table.done()
    return ReaderConfig(name, url, settings, antennas, eyes, outputs)


_POWER_DBM: Final = (-10, 36)
"""What readers can send, and a little more: 36 dBm is already above what any country allows to leave one."""

_PORT_MAX: Final = 255


def _antennas(reader: Table, name: str) -> tuple[Antenna, ...]:
    found = []
    for table in reader.tables("antenna"):
        table.number("power_dbm", *_POWER_DBM)
        port = table.whole("port", None, 1, _PORT_MAX)
        found.append(
            Antenna(name, port, table.name("door"), table.choice("side", ("outer", "inner", "middle"), None))
        )
        table.done()
    return tuple(found)


def _antenna_powers(reader: Table) -> dict[int, float]:
    """What single antennas may send; their other keys, and all faults, are `_antennas`'s."""
    return {
        table.whole("port", 0, 0, _PORT_MAX): power
        for table in reader.again("antenna")
        if (power := table.number("power_dbm", *_POWER_DBM)) is not None
    }


def _eyes(reader: Table, name: str) -> tuple[Eye, ...]:
    found = []
    for table in reader.tables("eye"):
        port = table.whole("port", None, 1, _PORT_MAX)
        door, place = table.name("door"), table.choice("place", ("outer", "inner", "height"), None)
        blocked = table.choice("blocked_when", ("high", "low"))
        found.append(Eye(name, port, door, place, blocked == "high"))
        table.done()
    return tuple(found)


def _outputs(reader: Table) -> tuple[OutputConfig, ...]:
    found = []
    for table in reader.tables("output"):
        port = table.whole("port", None, 1, _PORT_MAX)
        door, shows = table.name("door"), table.choice("shows", ("stop", "go", "horn"), None)
        # While nobody watches the door nothing may pass: red is lit, green is never.
        safe = table.choice("safe", ("on", "off") if shows == "stop" else ("off", "on"))
        if shows == "go" and safe == "on":
            table.fault("reader.output.safe", "'on' for a lamp that shows go", "off, as nobody watches then")
        found.append(OutputConfig(port, door, shows, safe == "on"))
        table.done()
    return tuple(found)


def _tls(table: Table, url: str) -> Tls | None:
    given = {
        "ca": table.maybe("ca"),
        "certificate": table.maybe("certificate"),
        "key": table.maybe("key"),
        "pin": table.maybe("pin"),
        "server_name": table.maybe("server_name"),
    }
    if all(value is None for value in given.values()):
        return None
    if url.startswith("llrp:"):
        table.fault("reader.url", repr(url), "llrps://host, since there are certificates")
    try:
        return Tls(**given)
    except ValueError as error:
        table.fault("reader.pin" if given["pin"] else "reader.certificate", str(error), "as told")
        return None


def camera_of(table: Table) -> CameraConfig:
    """A `[[camera]]`; its faults are the table's."""
    name, url = table.name("name"), table.device("url", parse_camera_url)
    door = table.name("door")
    formats = table.texts("formats") or DOCK_FORMATS
    regions = []
    for part in table.tables("region"):
        sides = [part.whole(side, None, 0, 100) for side in ("left", "top", "right", "bottom")]
        part.done()
        try:
            regions.append(Region(*sides))
        except ValueError as error:
            table.fault(
                "camera.region", str(error).split(", expected")[0], "left before right, top before bottom"
            )
    for unknown in (each for each in formats if each not in FORMATS):
        table.fault("camera.formats", repr(unknown), f"of {', '.join(FORMATS)}")
    settings = CameraSettings(
        formats=tuple(each for each in formats if each in FORMATS) or DOCK_FORMATS,
        regions=tuple(regions),
        prefixes=table.texts("prefixes"),
        gone_s=float(table.whole("gone_s", 4, 1, 3_600)),
        looks_per_second_max=float(table.whole("looks_per_second", 10, 1, 60)),
        decoder=table.choice("decoder", ("auto", "zxing", "pyzbar")),
    )
    table.done()
    return CameraConfig(name, url, door, settings)


def gate_of(top: Table) -> GateSettings:
    """`[gate]`: whole numbers by the names that GateSettings has for them."""
    table = top.table("gate", optional=True)
    known = GateSettings()
    given: dict[str, int] = {}
    for field in GateSettings.__struct_fields__:
        value = table.whole(field, getattr(known, field), -1_000_000, 1_000_000)
        try:
            msgspec.convert({field: value}, GateSettings)
            given[field] = value
        except msgspec.ValidationError as error:
            table.fault(f"gate.{field}", str(value), str(error).split(" - at")[0].removeprefix("Expected "))
    return GateSettings(**given)
