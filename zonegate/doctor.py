# SPDX-License-Identifier: Apache-2.0
"""`zonegate doctor`: looks at a node's machine and configuration, and says what to mend.

Each check is one line: ok, a warning, or a fault with the next step. It changes nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import socket
import sqlite3
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs, urlsplit

import msgspec

from gs1.printable import printable
from zonegate import __version__

if TYPE_CHECKING:
    from edge.config import NodeConfig

OK: Final = "ok"
WARN: Final = "warn"
FAULT: Final = "FAULT"

_READS: Final = 500
"""Scans that are looked through for labels that could not be used: a day's at a busy door."""

_NODE_S: Final = 2.0
_SKIPPED_BYTES_MAX: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: how bad, about what, and what to do."""

    level: str
    about: str
    text: str


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `zonegate doctor`."""
    parser.add_argument(
        "--config", type=Path, default=Path("/etc/zonegate/zonegate.toml"), help="zonegate.toml"
    )


def run(args: argparse.Namespace) -> int:
    """0 when nothing is at fault, 1 when something is."""
    faults = 0
    for finding in examine(args.config):
        print(f"{finding.level:<6} {finding.about:<12} {finding.text}")
        faults += finding.level == FAULT
    return 1 if faults else 0


def examine(path: Path) -> Iterator[Finding]:
    """All findings, in the order a person would mend them."""
    from edge.config import read_config
    from edge.errors import ConfigError

    yield from _program()
    try:
        config = read_config(path)
    except ConfigError as error:
        yield Finding(FAULT, "config", str(error))
        return
    yield Finding(OK, "config", f"{path}: node {config.node} of {config.tenant}/{config.zone}")
    yield from _clock(config)
    yield from _folders(config)
    yield from _journal(config)
    yield from _labels(config)
    yield from _devices(config)
    yield from _readers(config)
    yield from _cameras(config)
    yield from _reach(config)


def _program() -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding(OK, "program", f"zonegate {__version__}, Python {version}, SQLite {sqlite3.sqlite_version}")
    if sqlite3.sqlite_version_info < (3, 40):
        yield Finding(FAULT, "program", f"SQLite {sqlite3.sqlite_version} is too old; 3.40 is the least")


def _clock(config: NodeConfig) -> Iterator[Finding]:
    from edge.clock import system_clocks

    if system_clocks().synchronized():
        yield Finding(OK, "clock", "the kernel says that its clock is in step")
    elif config.clock == "host":
        yield Finding(
            WARN, "clock", 'not in step by the kernel; node.clock = "host" believes it all the same'
        )
    else:
        yield Finding(
            FAULT, "clock", "not in step: permits with dates will be Holds; run chrony or systemd-timesyncd"
        )


def _folders(config: NodeConfig) -> Iterator[Finding]:
    anchor, store = config.anchor, config.store
    if not anchor.is_dir():
        yield Finding(FAULT, "anchor", f"{anchor} is no folder; mount the second medium there")
        return
    if not os.access(anchor, os.W_OK):
        yield Finding(FAULT, "anchor", f"{anchor} cannot be written by this user")
    beside = store if store.exists() else next(parent for parent in store.parents if parent.exists())
    if beside.stat().st_dev == anchor.stat().st_dev:
        yield Finding(
            WARN,
            "anchor",
            f"{anchor} is on the same medium as {store}: one lost disk loses both; use another",
        )
    else:
        yield Finding(OK, "anchor", f"{anchor} is on a medium of its own")
    if store.exists() and store.stat().st_mode & 0o077:
        yield Finding(WARN, "store", f"{store} may be entered by others; chmod 700 it")
    free_mb = shutil.disk_usage(beside).free // 1_048_576
    level = OK if free_mb > 4 * config.reserve_mb else FAULT
    yield Finding(
        level, "store", f"{free_mb} MB free at {beside}, the reserve of the doors is {config.reserve_mb} MB"
    )


def _journal(config: NodeConfig) -> Iterator[Finding]:
    from edge.errors import EdgeError
    from edge.store import JournalReader

    if not config.store.exists():
        yield Finding(OK, "journal", "none yet: the first start makes it")
        return
    try:
        with JournalReader(config.store) as reader:
            epochs = reader.epochs()
            yield Finding(
                OK,
                "journal",
                f"{reader.entries()} entries in {len(epochs)} epochs; check with zonegate verify",
            )
    except EdgeError as error:
        yield Finding(FAULT, "journal", str(error))


def _labels(config: NodeConfig) -> Iterator[Finding]:
    """Of each door's last scans those that named no load, and why the newest of them did not."""
    from edge.books import BLIND_LABELS
    from edge.errors import EdgeError
    from edge.reads import reason_in
    from edge.store import JournalReader
    from gs1.answer import answer_code
    from gs1.patterns import compile_patterns

    if not config.store.exists():
        return
    try:
        with JournalReader(config.store) as reader:
            reads = reader.last_reads(_READS)
    except EdgeError:
        return  # said above
    patterns = compile_patterns(config.codes)
    for door in config.doors:
        own = [read for read in reads if read[0] == door.id]
        blind = [read for read in own if read[3] in BLIND_LABELS]
        if not blind:
            continue
        _, at, raw, _ = blind[0]
        answer = answer_code(raw, date.fromisoformat(at[:10]), patterns=patterns)
        why = reason_in(answer) or f"{answer['kind']}, no goods"
        yield Finding(
            WARN,
            f"door {door.id}",
            f"{len(blind)} of the last {len(own)} scans named no load; the newest, "
            f"{printable(raw, 60)}: {why}",
        )


def _devices(config: NodeConfig) -> Iterator[Finding]:
    from drivers import list_ports

    named = set()
    for door in config.doors:
        if not door.devices:
            yield Finding(
                WARN, f"door {door.id}", "no scanner: codes can only be typed or wedged into its screen"
            )
        for url in door.devices:
            path = Path(urlsplit(url).path)
            named.add(path.resolve())
            if "null-modem" in url:
                continue
            if not path.exists():
                yield Finding(
                    FAULT, f"door {door.id}", f"{path} is not there; plug the scanner in, or correct the path"
                )
            elif not os.access(path, os.R_OK | os.W_OK):
                yield Finding(
                    FAULT, f"door {door.id}", f"{path} may not be opened; add the user to its group (dialout)"
                )
            else:
                baud = parse_qs(urlsplit(url).query).get("baud", ["9600"])[0]
                yield Finding(OK, f"door {door.id}", f"{path} at {baud} baud")
    for port in list_ports():
        if Path(port.path).resolve() not in named:
            yield Finding(
                WARN, "devices", f"{port.path} is plugged in and used by no door: {port.description}"
            )


def _readers(config: NodeConfig) -> Iterator[Finding]:
    """Each RFID reader in turn; nothing is changed on it."""
    if not config.readers:
        return
    from drivers.llrp.examination import Grade
    from drivers.llrp.examination import examine as examine_reader

    levels = {Grade.OK: OK, Grade.WARN: WARN, Grade.FAULT: FAULT}
    for reader in config.readers:
        for remark in asyncio.run(examine_reader(reader.url, reader.settings, lambda: datetime.now(UTC))):
            yield Finding(levels[remark.grade], f"reader {reader.name}", remark.text)
        yield from _skipped(config, reader.name)


def _skipped(config: NodeConfig, name: str) -> Iterator[Finding]:
    """What the node, if it runs, could not understand of a reader."""
    from edge.view import SkippedView

    host, _, port = config.listen.rpartition(":")
    local = "127.0.0.1" if host in ("", "0.0.0.0", "[::]") else host  # noqa: S104 - nothing listens here
    url = f"http://{local}:{port}/api/v1/devices/{name}/skipped"
    try:
        with urllib.request.urlopen(url, timeout=_NODE_S) as answer:
            told = msgspec.json.decode(answer.read(_SKIPPED_BYTES_MAX), type=SkippedView)
    except (OSError, ValueError, msgspec.MsgspecError):
        return  # the node does not run, or is an older one
    if told.count and told.frames:
        last = told.frames[-1]
        yield Finding(
            WARN,
            f"reader {name}",
            f"{told.count} of its messages could not be understood since the node was started, the last one "
            f"at {last.at:%Y-%m-%d %H:%M:%S} UTC: {printable(last.reason.encode(), 200)}; "
            f"look at them: curl -s {url} | zonegate llrp dump -",
        )


def _cameras(config: NodeConfig) -> Iterator[Finding]:
    """One picture of each camera in turn."""
    if not config.cameras:
        return
    from drivers.camera.examination import examine as examine_camera
    from drivers.camera.examination import second_decoder
    from drivers.errors import DriverError

    for camera in config.cameras:
        about = f"camera {camera.name}"
        try:
            sight = examine_camera(camera.url, camera.settings, _Now())
        except DriverError as error:
            yield Finding(FAULT, about, str(error))
            continue
        if sight is None:
            yield Finding(OK, about, "the folder can be read, no picture lies in it")
            continue
        codes = ", ".join(printable(code, 60) for code in sight.codes) or "no code in view"
        yield Finding(OK, about, f"{sight.width} x {sight.height} pixels, by {sight.decoder}: {codes}")
        if sight.lacks:
            text = f"{sight.decoder} cannot read {', '.join(sight.lacks)}: pip install 'zonegate[camera]'"
            yield Finding(FAULT, about, text)
    missing = second_decoder(config.cameras[0].settings)
    if missing is not None:
        yield Finding(WARN, "cameras", f"no second decoder: {missing}")


class _Now:
    """The machine's clocks, as the drivers take them."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic_ns(self) -> int:
        return time.monotonic_ns()


def _reach(config: NodeConfig) -> Iterator[Finding]:
    if config.center is None:
        yield Finding(WARN, "center", "none configured: entries stay here")
    else:
        yield _connects("center", config.center.url, {"http": 80, "https": 443})
        host = urlsplit(config.center.url).hostname
        if config.center.url.startswith("http:") and host not in ("127.0.0.1", "localhost", "::1"):
            yield Finding(FAULT, "center", "plain http beyond this machine: use https and [center] pin")
    if config.mqtt is None:
        yield Finding(WARN, "mqtt", "none configured: no events are published")
    else:
        for url in (config.mqtt.url, *config.mqtt.further):
            yield _connects("mqtt", url, {"mqtt": 1883, "mqtts": 8883})


def _connects(about: str, url: str, ports: dict[str, int]) -> Finding:
    parts = urlsplit(url)
    port = parts.port or ports[parts.scheme]
    try:
        socket.create_connection((parts.hostname or "", port), timeout=3).close()
    except OSError as error:
        return Finding(
            FAULT,
            about,
            f"{parts.hostname}:{port} does not answer ({error}); is it running, is a wall between?",
        )
    return Finding(OK, about, f"{parts.hostname}:{port} answers")
