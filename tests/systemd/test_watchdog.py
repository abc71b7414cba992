# SPDX-License-Identifier: Apache-2.0
"""What a node says to systemd: ready when it records, alive only while its writer is, stopping at the end."""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from edge.store import JournalReader
from zonegate.child import free_port

WATCHDOG_S = 1.6
WAIT_S = 60.0
FED_MAX = 6
"""So often a hung node may still be fed: what was on its way, and the window in which a hang shows."""


class Manager:
    """Listens where systemd would."""

    def __init__(self, folder: Path) -> None:
        self.address = str(folder / "notify")
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.address)

    def word(self, seconds: float = WAIT_S) -> str | None:
        """The next word; None when nothing is said for so long."""
        self._socket.settimeout(seconds)
        try:
            return self._socket.recv(4096).decode()
        except TimeoutError:
            return None

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    with closing(Manager(tmp_path)) as listening:
        yield listening


@contextmanager
def node(folder: Path, manager: Manager, program: str = "zonegate") -> Iterator[subprocess.Popen[bytes]]:
    """A node as its unit starts it."""
    (folder / "anchor").mkdir()
    config = folder / "zonegate.toml"
    config.write_text(
        f"""
[node]
tenant = "example"
zone = "999001001"
id = "dock-1"
timezone = "UTC"
store = "{folder / "store"}"
anchor = "{folder / "anchor"}"
clock = "host"
[web]
listen = "127.0.0.1:{free_port()}"
[[door]]
id = "d1"
"""
    )
    told = {"NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": str(int(WATCHDOG_S * 1e6))}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", program, "node", "--config", str(config)],
            env={**os.environ, **told, "ZONEGATE_HANG": str(folder / "hang")},
            stdout=log,
            stderr=log,
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait(WAIT_S)


def test_a_node_is_ready_when_it_records_and_says_that_it_stops(tmp_path: Path, manager: Manager) -> None:
    (tmp_path / "store").mkdir()
    lock = os.open(tmp_path / "store" / "journal.lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(lock, fcntl.LOCK_EX)
    with node(tmp_path, manager) as process:
        # Somebody else has the journal: trying again is a life, but nothing is ready.
        assert manager.word() == "WATCHDOG=1"
        os.close(lock)
        while (said := manager.word()) == "WATCHDOG=1":
            pass
        assert said == "READY=1"
        with JournalReader(tmp_path / "store") as reader:
            assert len(reader.epochs()) == 1
        assert manager.word() == "WATCHDOG=1"
        process.send_signal(signal.SIGTERM)
        while (said := manager.word()) == "WATCHDOG=1":
            pass
        assert said == "STOPPING=1"
        assert process.wait(WAIT_S) == 0


def test_the_watchdog_is_fed_while_the_writer_lives_and_starves_when_it_hangs(
    tmp_path: Path, manager: Manager
) -> None:
    with node(tmp_path, manager, "tests.systemd.hung_node") as process:
        assert manager.word() == "READY=1"
        for _ in range(3):
            assert manager.word() == "WATCHDOG=1"
        (tmp_path / "hang").touch()
        fed = 0
        while (said := manager.word(2 * WATCHDOG_S)) is not None:
            assert said == "WATCHDOG=1"
            fed += 1
            assert fed <= FED_MAX
        # It still runs and would answer: only the watchdog can tell.
        assert process.poll() is None
