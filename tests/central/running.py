# SPDX-License-Identifier: Apache-2.0
"""A center as its own process, commands beside it, and a dock's exchange with it over HTTP."""

from __future__ import annotations

import asyncio
import re
import signal
import sys
import urllib.request
from pathlib import Path

RUN = [sys.executable, "-m", "zonegate"]


class Running:
    """A center that runs as its own process, and commands beside it."""

    def __init__(self, config: Path) -> None:
        self.config = config
        self.url = self.token = ""
        self.process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        self.process = await asyncio.create_subprocess_exec(
            *RUN, "central", "--config", str(self.config), stdout=asyncio.subprocess.PIPE
        )
        assert self.process.stdout is not None
        async with asyncio.timeout(60):
            first = (await self.process.stdout.readline()).decode()
            self.url = re.findall(r"http://\S+", first)[0]
            if not self.token:
                await self.process.stdout.readline()
                self.token = (await self.process.stdout.readline()).decode().split(": ")[1].strip()

    async def stop(self) -> int:
        assert self.process is not None
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(30):
            return await self.process.wait()

    async def command(self, *words: str, token: str | None = None) -> tuple[int, str, str]:
        process = await asyncio.create_subprocess_exec(
            *RUN,
            *words,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={"ZONEGATE_TOKEN": token} if token else {},
        )
        async with asyncio.timeout(60):
            said, wrong = await process.communicate()
        assert process.returncode is not None
        return process.returncode, said.decode(), wrong.decode()


class Wire:
    """A dock's exchange over HTTP."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def exchange(self, body: bytes, signature: str) -> bytes:
        request = urllib.request.Request(
            f"{self._url}/api/v1/exchange", body, {"Zonegate-Signature": signature}, method="POST"
        )
        answer: bytes = (await asyncio.to_thread(urllib.request.urlopen, request)).read()
        return answer
