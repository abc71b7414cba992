# SPDX-License-Identifier: Apache-2.0
"""Last byte of a scan on the pty to the changed page in Chromium, against a bare SSE echo page.

Ours: scanner driver, gs1, judging, a committed and anchored entry, the door's feed, the door screen. The
peer: aiohttp reads lines from a pty and echoes each as a server-sent event into a page of ten lines. Both
pages are open in one Chromium, and scans take turns in shuffled order. The moment of the change is taken
in the page by a MutationObserver and compared with the moment after the last byte was written; both are
this machine's wall clock.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import statistics
import tempfile
import time
import tty
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

from tests.browser.conftest import ARGUMENTS, CHROMIUM
from tests.faults.dockyard import Dockyard, dockyard, pallets, papers
from zonegate.children import OwnPostgres

if TYPE_CHECKING:
    from playwright.async_api import Page

GOAL: Final = 3.0

_PAUSE_S: Final = 0.06
"""Between two scans at one door: a fast worker, below the flood limit of 20 reads a second."""

_ECHO_PAGE: Final = """<!doctype html><title>echo</title><p id="code"></p><script>
new EventSource("/events").onmessage = e => { document.getElementById("code").textContent = e.data }
</script>"""

_WATCH: Final = """([accepted]) => {
  window.shown = {}
  const look = () => {
    const code = document.getElementById("code").textContent
    if (code && !(code.slice(-8) in shown) && (!accepted || document.body.dataset.state === "ACCEPTED"))
      shown[code.slice(-8)] = performance.timeOrigin + performance.now()
  }
  new MutationObserver(look).observe(document.documentElement,
    {subtree: true, childList: true, characterData: true, attributes: true})
}"""


class _Echo:
    """The peer: a pty, a page, and nothing between."""

    def __init__(self) -> None:
        self.master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._slave, False)
        self._streams: list[web.StreamResponse] = []
        self._writing: set[asyncio.Task[None]] = set()
        self._rest = b""

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/", self._page)
        app.router.add_get("/events", self._events)
        asyncio.get_running_loop().add_reader(self._slave, self._read)
        return app

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._slave)
        os.close(self.master)
        os.close(self._slave)

    async def _page(self, _: web.Request) -> web.Response:
        return web.Response(text=_ECHO_PAGE, content_type="text/html")

    async def _events(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        self._streams.append(response)
        await asyncio.Event().wait()
        return response

    def _read(self) -> None:
        *lines, self._rest = (self._rest + os.read(self._slave, 4096)).split(b"\r")
        for line in lines:
            for stream in self._streams:
                task = asyncio.ensure_future(stream.write(b"data: " + line + b"\n\n"))
                self._writing.add(task)
                task.add_done_callback(self._writing.discard)


@asynccontextmanager
async def _echo() -> AsyncIterator[tuple[_Echo, str]]:
    echo = _Echo()
    runner = web.AppRunner(echo.app(), access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield echo, f"http://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()
        echo.close()


def main(argv: Sequence[str]) -> int:
    """Measure and print; 0 when the goal holds at p50 and p99, else 1."""
    parser = argparse.ArgumentParser(prog="bench screen", description="Scan to screen against a bare echo.")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--rounds", type=int, default=5, help="rounds (default 5)")
    parser.add_argument("--scans", type=int, default=120, help="scans of each in a round (default 120)")
    options = parser.parse_args(argv)
    if CHROMIUM is None:
        print("bench screen needs Chromium: apt-get install --no-install-recommends chromium")
        return 2
    result = asyncio.run(measure(options.rounds, options.scans))
    print(json.dumps(result) if options.json else _table(result))
    return 0 if result["goal_met"] else 1


async def measure(rounds: int, scans: int) -> dict[str, Any]:
    """Milliseconds at p50 and p99 of both, the median over the rounds, and their ratio in each round."""
    from playwright.async_api import async_playwright

    with tempfile.TemporaryDirectory(prefix="zonegate-bench-") as name:
        folder = Path(name)
        async with (
            OwnPostgres(folder) as postgres,
            dockyard(folder, await postgres.create_database("bench"), papers()) as yard,
            _echo() as (echo, url),
            async_playwright() as playwright,
        ):
            await yard.screen.close()  # one page watches each, as the echo's does
            assert CHROMIUM is not None, "looked at by main"
            browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
            ours, peer = await browser.new_page(), await browser.new_page()
            await ours.goto(f"{yard.node.url}/door/d1")
            await ours.wait_for_selector("body[data-state=READY]")
            await peer.goto(url)
            await ours.evaluate(_WATCH, [True])
            await peer.evaluate(_WATCH, [False])
            labels = (label.decode() for label in pallets())
            shots = [
                await _round(yard, echo, ours, peer, [next(labels) for _ in range(scans)])
                for _ in range(rounds + 1)
            ]
            await browser.close()
    return _result(shots[1:])


async def _round(
    yard: Dockyard, echo: _Echo, ours: Page, peer: Page, labels: list[str]
) -> dict[str, list[float]]:
    """Each label once to both, in turns; milliseconds from last byte to changed page."""
    pages = {"ours": ours, "echo": peer}
    took: dict[str, list[float]] = {"ours": [], "echo": []}
    for who, label in [(who, label) for label in labels for who in random.sample(("ours", "echo"), 2)]:
        data = label.encode() + b"\r"
        if who == "ours":
            await yard.scanner.send(data)
        else:
            os.write(echo.master, data)
        sent = time.time() * 1000
        # As a worker would: the next scan follows when the screen has answered this one.
        shown = await pages[who].wait_for_function("code => shown[code.slice(-8)]", arg=label, timeout=10_000)
        took[who].append(float(await shown.json_value()) - sent)
        await asyncio.sleep(_PAUSE_S)
    return took


def _result(rounds: list[dict[str, list[float]]]) -> dict[str, Any]:
    def at(share: int, values: list[float]) -> float:
        return statistics.quantiles(values, n=100)[share - 1]

    told: dict[str, Any] = {"bench": "screen", "rounds": len(rounds), "scans": len(rounds[0]["ours"])}
    for share in (50, 99):
        ratios = [at(share, one["ours"]) / at(share, one["echo"]) for one in rounds]
        told[f"p{share}"] = {
            "ours_ms": round(statistics.median(at(share, one["ours"]) for one in rounds), 2),
            "echo_ms": round(statistics.median(at(share, one["echo"]) for one in rounds), 2),
            "ratio": round(statistics.median(ratios), 2),
            "ratios": [round(ratio, 2) for ratio in ratios],
        }
    told["goal"] = GOAL
    told["goal_met"] = all(told[f"p{share}"]["ratio"] <= GOAL for share in (50, 99))
    return told


def _table(result: dict[str, Any]) -> str:
    lines = [f"scan to screen, {result['rounds']} rounds of {result['scans']} scans (goal: at most {GOAL}x)"]
    for share in ("p50", "p99"):
        row = result[share]
        both = f"{row['ours_ms']:8.2f} ms  echo {row['echo_ms']:8.2f} ms"
        lines.append(f"{share}  {both}  {row['ratio']:.2f}x  by round {row['ratios']}")
    return "\n".join(lines)
