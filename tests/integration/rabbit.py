# SPDX-License-Identifier: Apache-2.0
"""A RabbitMQ cluster of one's own on 127.0.0.1: own ports, folders, cookie and port mapper.

The system's RabbitMQ, its data and its Erlang port mapper are never touched. Knows nothing of doors or logs.
"""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import signal
import time
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from zonegate.child import STOP_SECONDS_MAX, Child, ChildError, free_port, unprivileged_user
from zonegate.children import answers

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

NODES: Final = 3
MISSING: Final = (
    "RabbitMQ is missing: sudo apt-get install -y --no-install-recommends rabbitmq-server, "
    "or ./dev test --long, which brings it"
)

# The script itself: Debian's wrapper on PATH changes user and folder.
_PROGRAM = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")

# Three nodes, on a machine that does other things: two schedulers each that do not spin while they wait.
_ERLANG = "-noinput -start_epmd false -kernel inet_dist_use_interface {127,0,0,1} +S 2:2 +sbwt none"


def installed() -> bool:
    """Whether Debian's RabbitMQ is there."""
    return _PROGRAM.exists()


def version() -> tuple[int, ...]:
    """Its version, such as (3, 10, 8)."""
    found = re.search(r"rabbitmq_server-([0-9.]+)", str(_PROGRAM.resolve()))
    assert found is not None
    return tuple(map(int, found[1].split(".")))


class PortMapper(Child):
    """Erlang's epmd, in the foreground: a node would start one that outlives it."""

    name = "epmd"
    _stop_signal = signal.SIGTERM
    _death_signal = signal.SIGKILL

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, unprivileged_user("rabbitmq", "nobody"))

    def _prepare(self) -> None:
        self._give_folder()

    def _command(self) -> list[str]:
        return ["/usr/bin/epmd", "-address", "127.0.0.1", "-port", str(self.port)]

    def _ready(self) -> bool:
        return answers(self.port)


class RabbitNode(Child):
    """One node of the cluster; `port` speaks MQTT. It is only ever ended by SIGKILL."""

    name = "RabbitMQ"
    start_seconds_max = 240.0
    _stop_signal = signal.SIGKILL
    _death_signal = signal.SIGKILL

    def __init__(self, folder: Path, number: int, mapper: PortMapper, cookie: str, queue_type: str) -> None:
        super().__init__(folder, unprivileged_user("rabbitmq", "nobody"))
        self._number, self._mapper, self._cookie, self._queue_type = number, mapper, cookie, queue_type
        self._between_nodes = free_port()

    async def kill(self) -> None:
        """SIGKILL, and wait until its helpers are gone too: they end by themselves when they notice."""
        helpers = _descendants(self.pid) if self.running else {}
        await super().kill()
        deadline = time.monotonic() + STOP_SECONDS_MAX
        while left := {pid for pid, began in helpers.items() if _parent_and_start(pid)[1:] == (began,)}:
            if time.monotonic() > deadline:
                for pid in left:
                    os.kill(pid, signal.SIGKILL)
                raise ChildError(f"helpers of RabbitMQ outlived it and were killed: {sorted(left)}")
            await asyncio.sleep(0.02)

    async def stop(self) -> None:
        """As `kill`."""
        await self.kill()

    def _prepare(self) -> None:
        cookie = self.folder / ".erlang.cookie"
        if not cookie.exists():
            cookie.touch(mode=0o600)
            cookie.write_text(self._cookie)
            (self.folder / "rabbitmq-env.conf").touch()
            (self.folder / "enabled_plugins").write_text("[rabbitmq_mqtt].\n")
            self._give_folder()

    def _settings(self) -> Path:
        lines = [
            "listeners.tcp = none",
            f"mqtt.listeners.tcp.1 = 127.0.0.1:{self.port}",
            "mqtt.allow_anonymous = true",
            f"mqtt.durable_queue_type = {self._queue_type}",
            "cluster_formation.peer_discovery_backend = classic_config",
        ]
        lines += [
            f"cluster_formation.classic_config.nodes.{number} = {_node_name(number)}"
            for number in range(1, NODES + 1)
        ]
        settings = self._base / "rabbitmq.conf"
        settings.write_text("\n".join([*lines, ""]))
        settings.chmod(0o644)  # the node may run as another user, whatever root's umask is
        return settings

    def _command(self) -> list[str]:
        variables = {
            "HOME": self.folder,
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": self._mapper.port,
            "RABBITMQ_USE_LONGNAME": "true",
            "RABBITMQ_NODENAME": _node_name(self._number),
            "RABBITMQ_DIST_PORT": self._between_nodes,
            "RABBITMQ_CONF_ENV_FILE": self.folder / "rabbitmq-env.conf",
            "RABBITMQ_CONFIG_FILE": self._settings(),
            "RABBITMQ_ADVANCED_CONFIG_FILE": self.folder / "advanced.config",
            "RABBITMQ_ENABLED_PLUGINS_FILE": self.folder / "enabled_plugins",
            "RABBITMQ_FEATURE_FLAGS_FILE": self.folder / "feature_flags",
            "RABBITMQ_GENERATED_CONFIG_DIR": self.folder / "generated",
            "RABBITMQ_MNESIA_BASE": self.folder / "mnesia",
            "RABBITMQ_LOG_BASE": self.folder / "log",
            "RABBITMQ_LOGS": "-",
            # The script becomes the node instead of waiting for it, so that its process id is the node's.
            "RABBITMQ_ALLOW_INPUT": "1",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": _ERLANG,
        }
        return ["/usr/bin/env", *(f"{name}={value}" for name, value in variables.items()), str(_PROGRAM)]

    def _ready(self) -> bool:
        return answers(self.port)


@asynccontextmanager
async def rabbit_cluster(folder: Path, queue_type: str) -> AsyncIterator[list[RabbitNode]]:
    """Three nodes that keep sessions in queues of `queue_type`: "quorum" or "classic"."""
    cookie = secrets.token_hex(10).upper()
    async with AsyncExitStack() as stack:
        mapper = await stack.enter_async_context(PortMapper(folder))
        nodes = []
        # One after the other: the first founds the cluster, the others find it and join.
        for number in range(1, NODES + 1):
            node = RabbitNode(folder / str(number), number, mapper, cookie, queue_type)
            nodes.append(await stack.enter_async_context(node))
        yield nodes


def _node_name(number: int) -> str:
    return f"zonegate{number}@127.0.0.1"


def _parent_and_start(pid: int) -> tuple[int, ...]:
    """Parent and start time of a process, which together tell it from a later one of the same id."""
    with suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        if fields[0] != "Z":
            return int(fields[1]), int(fields[19])
    return ()


def _descendants(pid: int) -> dict[int, int]:
    """Process ids below `pid`, with their start times."""
    running = {int(entry.name): _parent_and_start(int(entry.name)) for entry in Path("/proc").glob("[0-9]*")}
    found: dict[int, int] = {}
    parents = {pid}
    while parents:
        below = {child for child, stat in running.items() if stat and stat[0] in parents} - found.keys()
        found |= {child: running[child][1] for child in below}
        parents = below
    return found
