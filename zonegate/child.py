# SPDX-License-Identifier: Apache-2.0
"""A server as a child process: who it runs as, where its files stand, how it starts, stops and dies.

Knows no particular server; those are in ``zonegate.children``.

A child stands in a session of its own, so Ctrl-C reaches it only through its parent; the kernel ends it
when its parent dies, even by SIGKILL. A parent that runs as root starts it as an unprivileged user, with its
files in a folder which that user alone may enter.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType

START_SECONDS_MAX = 60.0
STOP_SECONDS_MAX = 15.0

_POLL_SECONDS = 0.02
_PORTS_TRIED_MAX = 3
_PORTS = range(20_000, 32_768)
"""Whoever connects is given a port above these by Linux: a server that starts again finds its own free."""
_PORTS_PROBED_MAX = 200


class ChildError(Exception):
    """A server could not be found, started or stopped; the message says which and shows its last words."""


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on now, and that the kernel gives to nobody by itself."""
    for _ in range(_PORTS_PROBED_MAX):
        port = secrets.choice(_PORTS)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise ChildError(f"{_PORTS_PROBED_MAX} ports from {_PORTS[0]} to {_PORTS[-1]} are all taken")


def unprivileged_user(*names: str) -> pwd.struct_passwd | None:
    """Who root becomes for a server; None for everybody else, who stays who he is."""
    if os.geteuid() != 0:
        return None
    for name in names:
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise ChildError(f"root needs one of the users {', '.join(names)} to run a server as, and none exists")


def may_enter(folder: Path, user: pwd.struct_passwd) -> bool:
    """Whether ``user`` may pass through ``folder`` and all above it."""
    real = folder.resolve()
    for step in [real, *real.parents]:
        try:
            status = step.stat()
        except OSError:
            return False
        if status.st_uid == user.pw_uid:
            passable = status.st_mode & 0o100
        elif status.st_gid == user.pw_gid:
            passable = status.st_mode & 0o010
        else:
            passable = status.st_mode & 0o001
        if not passable:
            return False
    return True


class Child(ABC):
    """One child process: started, stopped, killed and started again on the same port and folder."""

    name: str
    start_seconds_max = START_SECONDS_MAX
    _stop_signal: signal.Signals
    _death_signal: signal.Signals

    def __init__(self, folder: Path, user: pwd.struct_passwd | None) -> None:
        self._user = user
        """Lay out its place: ``folder`` of this object is the server's own, for files it reads and writes."""
        self._base, self._borrowed = _own_base(folder, self.name.lower(), user)
        self.folder = self._base / "files"
        self.folder.mkdir(mode=0o700, exist_ok=True)
        self.log = self._base / "log"
        self._port: int | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def port(self) -> int:
        """The port of 127.0.0.1 it listens on; the same again after a restart."""
        if self._port is None:
            raise ChildError(f"{self.name} has no port before its first start: call start()")
        return self._port

    @property
    def pid(self) -> int:
        """The process id of the running server."""
        if self._process is None:
            raise ChildError(f"{self.name} is not running: call start()")
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the process lives."""
        return self._process is not None and self._process.poll() is None

    async def start(self) -> None:
        """Start it and return when it takes connections.

        Must be called from a thread that outlives the server: the kernel counts a child's parent by thread.
        """
        if self.running:
            raise ChildError(f"{self.name} runs already, on port {self.port}")
        await asyncio.to_thread(self._prepare)
        tries = 1 if self._port is not None else _PORTS_TRIED_MAX
        for left in reversed(range(tries)):
            self._port = self._port or free_port()
            try:
                await self._launch()
            except ChildError:
                # Between the look and the start another process may have taken the port.
                if left == 0:
                    raise
                self._port = None
            else:
                return

    async def stop(self) -> None:
        """End it in good order; by force when it does not obey. Nothing to do when it is not running."""
        process = self._process
        if process is None:
            return
        process.send_signal(self._stop_signal)
        try:
            await asyncio.to_thread(process.wait, STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            process.kill()
            await asyncio.to_thread(process.wait, STOP_SECONDS_MAX)
        self._process = None

    async def kill(self) -> None:
        """SIGKILL, as a power cut would, and wait until the process is gone."""
        if self._process is None:
            return
        self._process.kill()
        await asyncio.to_thread(self._process.wait, STOP_SECONDS_MAX)
        self._process = None

    async def __aenter__(self) -> Self:
        """Start it."""
        try:
            await self.start()
        except BaseException:
            await self._leave()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it and, where its folder could not stand in the caller's, remove that."""
        await self._leave()

    @abstractmethod
    def _prepare(self) -> None:
        """Lay out the files it needs; runs before every start."""

    @abstractmethod
    def _command(self) -> list[str]: ...

    @abstractmethod
    def _ready(self) -> bool: ...

    async def _leave(self) -> None:
        await self.stop()
        if self._borrowed:
            await asyncio.to_thread(shutil.rmtree, self._base, True)

    async def _launch(self) -> None:
        self._process = self._spawn(self._command())
        deadline = time.monotonic() + self.start_seconds_max
        while True:
            code = self._process.poll()
            if code is not None:
                self._process = None
                raise ChildError(f"{self.name} ended with code {code} while starting; {self._last_words()}")
            if await asyncio.to_thread(self._ready):
                return
            if time.monotonic() > deadline:
                await self.kill()
                waited = f"{self.start_seconds_max:.0f} s"
                raise ChildError(f"{self.name} took no connection within {waited}; {self._last_words()}")
            await asyncio.sleep(_POLL_SECONDS)

    def _spawn(self, command: list[str]) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            return subprocess.Popen(
                _guarded(command, self._user, self._death_signal),
                cwd=self.folder if self._user is None else "/",
                env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _give_folder(self) -> None:
        """Hand the files to the server's user, once: afterwards they are his, and root leaves them alone."""
        if self._user is not None and self.folder.stat().st_uid != self._user.pw_uid:
            for path in [*self.folder.rglob("*"), self.folder]:
                os.chown(path, self._user.pw_uid, self._user.pw_gid, follow_symlinks=False)

    def _last_words(self) -> str:
        with contextlib.suppress(OSError):
            lines = self.log.read_text(errors="replace").splitlines()[-5:]
            if lines:
                return "its last words: " + " | ".join(lines)
        return "it said nothing"


# Runs in the child, before it becomes the server: give up root, ask the kernel for the signal at the
# parent's death (giving up root would take that wish back, so in this order), see that the parent did
# not die meanwhile, and go over.
_GUARD = """\
import ctypes, os, sys
parent, death, uid, gid = map(int, sys.argv[1:5])
os.umask(0o077)
if uid >= 0:
    os.setgroups([gid])
    os.setgid(gid)
    os.setuid(uid)
if ctypes.CDLL(None).prctl(1, death, 0, 0, 0) != 0 or os.getppid() != parent:
    sys.exit("the parent is gone")
os.execv(sys.argv[5], sys.argv[5:])
"""


def _guarded(command: list[str], user: pwd.struct_passwd | None, death: signal.Signals) -> list[str]:
    uid, gid = (user.pw_uid, user.pw_gid) if user else (-1, -1)
    guard = [sys.executable, "-I", "-S", "-c", _GUARD]
    return [*guard, str(os.getpid()), str(int(death)), str(uid), str(gid), *command]


def _own_base(folder: Path, name: str, user: pwd.struct_passwd | None) -> tuple[Path, bool]:
    """The folder for a server's log, settings and files, and whether it stands outside ``folder``.

    Where ``user`` could not pass through the caller's folder, no folder is opened to him: the base is
    made in the system's place for temporary files. It stays root's own, passable but not readable, so
    that the server cannot put anything in the place of what root writes there.
    """
    borrowed = user is not None and not may_enter(folder, user)
    if borrowed:
        base = Path(tempfile.mkdtemp(prefix=f"zonegate-{name}-"))
    else:
        base = folder / name
        base.mkdir(mode=0o700, parents=True, exist_ok=True)
    if user is not None:
        base.chmod(0o711)
        if not may_enter(base, user):
            raise ChildError(
                f"{user.pw_name} cannot reach {base}: set TMPDIR to a folder all may pass through"
            )
    return base, borrowed
