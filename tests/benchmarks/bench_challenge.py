# SPDX-License-Identifier: Apache-2.0
"""A tag that must not pass, on a reader's wire, to STOP on the door's screen and red on the wire back.

Ours: a simulated reader sends LLRP over TCP to `zonegate node`, which decodes, follows the tag, judges the
load by its papers, tells the door's streams and sets the lamp's output with SET_READER_CONFIG. The peer, a
process of its own, too: the same bytes by the same kind of socket, of which it sends back as many as the
lamp's message has, and hands the EPC to a page. Both take turns in shuffled order.

Time begins when the report goes to the socket. It ends when the lamp's message has come in whole, when a
subscriber of the door's events has read STOP, and, in rounds of their own with Chromium, when the page has
changed, which a MutationObserver in it tells. An eye is broken before the report, and the tag was read once,
so that this report is the one that decides. All moments are of this machine's wall clock.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from drivers.llrp.framing import BadHeader
from gs1 import control_code
from gs1.check import check_digit
from gs1.epc import encode_tag
from simulators.reader.faults import WireFaults
from simulators.reader.server import Reader, monotonic_us
from simulators.reader.sightings import Sighting
from tests.benchmarks.echo_peer import EPC
from tests.browser.conftest import ARGUMENTS, CHROMIUM
from tests.faults.dockyard import DOOR, Dockyard, dockyard, papers
from zonegate.children import OwnPostgres
from zonegate.own import OwnGate

if TYPE_CHECKING:
    from playwright.async_api import Page

_STOP_LAMP: Final = 1
_OUTER_EYE: Final = 1
_OUTER_ANTENNA: Final = 1
"""As `zonegate.own.OwnGate` has them."""

_WAIT_S: Final = 20.0
_SETTLED_S: Final = 0.1
"""The eye's input is debounced for 20 ms; several times that."""
_AGAIN_S: Final = 0.15
"""Each tenth of a second is one observation of an antenna."""
_GATE: Final = "settle_ms = 50\nsilence_ms = 200\nlinger_ms = 500"
"""A gate that is done with one load soon, so that the next may come. It says STOP no sooner by that."""
_WARM: Final = 10
"""Loads of a series that are not counted."""

_LOADS_MAX: Final = 1_000
"""On one truck's notice, which is one document of at most 128 KiB."""

_BRACKET: Final = "09521999001065"
"""Goods that are on the truck's notice and on none of its permits."""

_WATCH: Final = """([ours]) => {
  window.shown = {}
  const look = () => {
    const code = document.getElementById("code").textContent.replace("(00)", "")
    if (code && !(code in shown) && (!ours || document.body.dataset.state === "STOP"))
      shown[code] = performance.timeOrigin + performance.now()
  }
  new MutationObserver(look).observe(document.documentElement,
    {subtree: true, childList: true, characterData: true, attributes: true})
}"""

Took = dict[str, list[float]]
"""Milliseconds by what was waited for."""


@dataclass(frozen=True, slots=True)
class _Load:
    """A pallet that must not pass: its SSCC and its tag."""

    sscc: str
    tag: bytes

    @classmethod
    def of(cls, number: int) -> _Load:
        body = f"09521999{number:09d}"
        sscc = body + check_digit(body)
        return cls(sscc, encode_tag("sscc-96", (("00", sscc),), filter=2, company_prefix_digits=7))


@dataclass(slots=True)
class _Stamps(WireFaults):
    """No faults: when the first report since `sent` was 0 went to the socket, and the last one's bytes."""

    sent: float = 0.0
    frame: bytes = b""

    def spoil(self, name: str, frame: bytes) -> bytes:
        if name == "RO_ACCESS_REPORT":
            self.frame, self.sent = frame, self.sent or time.time()
        return frame


class _Lamp(Reader):
    """A reader that knows when the message that lit its lamp had come, and how long that was."""

    def __init__(self, stamps: _Stamps) -> None:
        super().__init__(faults=stamps)
        self.lit = asyncio.Event()
        self.lit_at = 0.0
        self.length = 0

    def _take(self, frame: bytes | BadHeader) -> bool:
        came, before = time.time(), len(self.writes)
        taken = super()._take(frame)
        if (_STOP_LAMP, True) in self.writes[before:]:
            assert isinstance(frame, bytes), "only a message lights a lamp"
            self.lit_at, self.length = came, len(frame)
            self.lit.set()
        return taken


class _Events:
    """A subscriber of the door's events: when it read STOP, by the tag, and what it read last."""

    def __init__(self) -> None:
        self.stopped: dict[str, float] = {}
        self.state = self.position = ""
        self._news = asyncio.Condition()

    async def watch(self, port: int) -> None:
        """Until cancelled."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"GET /events?door={DOOR} HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n".encode())
        try:
            while line := await reader.readline():
                at = time.time()
                if line.startswith(b"data: ") and b'"state"' in line:
                    await self._take(json.loads(line[6:]), at)
        finally:
            writer.close()

    async def until(self, holds: Callable[[_Events], bool]) -> None:
        """Raises TimeoutError."""
        async with asyncio.timeout(_WAIT_S), self._news:
            await self._news.wait_for(lambda: holds(self))

    async def _take(self, door: dict[str, Any], at: float) -> None:
        async with self._news:
            self.state, self.position = door["state"], door["position"]
            if self.state == "STOP":
                self.stopped.setdefault(door["code"], at)
            self._news.notify_all()


class _Echo:
    """Our end of the bare echo, and the address of its page."""

    def __init__(self, streams: tuple[asyncio.StreamReader, asyncio.StreamWriter], page: str) -> None:
        self._reader, self._writer = streams
        self.page = page

    async def send(self, frame: bytes, back: int) -> tuple[float, float]:
        """When the frame went to the socket, and when so many bytes were back."""
        sent = time.time()
        self._writer.write(frame)
        await self._reader.readexactly(back)
        return sent, time.time()


@asynccontextmanager
async def _echo(back: int) -> AsyncIterator[_Echo]:
    """The peer, connected."""
    streams: asyncio.Future[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Future()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        streams.set_result((reader, writer))

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    peer = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.benchmarks.echo_peer", str(port), str(back)),
        stdout=subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(_WAIT_S):
            both = await streams
            assert peer.stdout is not None, "it is a pipe"
            page = f"http://127.0.0.1:{int(await peer.stdout.readline())}/"
        yield _Echo(both, page)
    finally:
        if streams.done():
            streams.result()[1].close()
        server.close()
        await peer.wait()


@dataclass(slots=True)
class _Floor:
    """A node, its reader, who watches its door, the peer; `pages` "ours" and "echo" where a browser is."""

    yard: Dockyard
    reader: _Lamp
    stamps: _Stamps
    events: _Events
    loads: Iterator[_Load]
    others: Iterator[_Load] = field(default_factory=lambda: map(_Load.of, count(600_000_000)))
    echo: _Echo | None = None
    pages: dict[str, Page] = field(default_factory=dict)
    again: int = 0
    """Loads whose first report did not tell enough."""

    async def stop(self) -> Took:
        """A load comes, is told to stop and goes back."""
        load = await self._approach()
        self.stamps.sent = 0.0
        await self._until_lit(load)
        code = load.tag.hex().upper()
        await self.events.until(lambda events: code in events.stopped)
        sent = self.stamps.sent
        took = {"lamp": [self.reader.lit_at - sent], "event": [self.events.stopped[code] - sent]}
        if "ours" in self.pages:
            took["page"] = [await _shown(self.pages["ours"], load.sscc) - sent]
        await self._go_back()
        return _milliseconds(took)

    async def _until_lit(self, load: _Load) -> None:
        """The load is read, as a tag in the door is: again, should the first report not have told enough.
        Raises AssertionError with what the door says where no STOP comes: then the dock broke its promise.
        """
        reads = 0
        try:
            async with asyncio.timeout(_WAIT_S):
                while not self.reader.lit.is_set():
                    reads += 1
                    self.reader.see(Sighting(load.tag, _OUTER_ANTENNA, -3_900, paced=True))
                    with suppress(TimeoutError):
                        await asyncio.wait_for(self.reader.lit.wait(), _AGAIN_S)
        except TimeoutError:
            door = f"the door says {self.events.state} at {self.events.position}"
            lamp = f"the reader has {self.reader.outputs}, its last messages {self.reader.received[-3:]}"
            raise AssertionError(f"no STOP for {load.sscc}, read {reads} times: {door}; {lamp}") from None
        self.again += reads > 1

    async def hear_back(self) -> Took:
        """The same bytes, but for the tag's, to the peer."""
        assert self.echo is not None, "there is a peer"
        tag = next(self.others).tag
        frame = self.stamps.frame
        sent, back = await self.echo.send(frame[: EPC.start] + tag + frame[EPC.stop :], self.reader.length)
        took = {"echo": [back - sent]}
        if "echo" in self.pages:
            took["echo page"] = [await _shown(self.pages["echo"], tag.hex()) - sent]
        return _milliseconds(took)

    async def _approach(self) -> _Load:
        """A load breaks the eye, and its tag is read once."""
        load = next(self.loads)
        self.reader.lit.clear()
        self.reader.set_input(_OUTER_EYE, high=True)
        self.reader.see(
            Sighting(load.tag, _OUTER_ANTENNA, -4_000, at_us=monotonic_us() - 250_000, paced=True)
        )
        await asyncio.sleep(_SETTLED_S)
        assert not self.reader.lit.is_set(), "one read says nothing yet"
        return load

    async def _go_back(self) -> None:
        """The load goes back, which is written; then the worker takes the word away."""
        written = self.events.position
        self.reader.set_input(_OUTER_EYE, high=False)
        await self.events.until(lambda events: events.position != written)
        await self.yard.scanner.send(control_code("CANCEL").encode() + b"\r")
        await self.events.until(lambda events: events.state == "READY")
        await self.reader.until(lambda reader: not reader.outputs[_STOP_LAMP], _WAIT_S)


async def _shown(page: Page, code: str) -> float:
    """When the page showed it."""
    shown = await page.wait_for_function("code => shown[code]", arg=code, timeout=_WAIT_S * 1000)
    return float(await shown.json_value()) / 1000


def _milliseconds(took: Took) -> Took:
    return {name: [seconds * 1000 for seconds in each] for name, each in took.items()}


def main(argv: Sequence[str]) -> int:
    """Measure and print; 0, since no goal is set."""
    parser = argparse.ArgumentParser(
        prog="bench challenge", description="A tag on the wire to STOP, against a bare echo."
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each kind (default 3)")
    parser.add_argument("--loads", type=int, default=100, help="loads of each in a round (default 100)")
    options = parser.parse_args(argv)
    if _needed(options.rounds, options.loads) > _LOADS_MAX:
        parser.error(f"expected at most {_LOADS_MAX} loads in all rounds of both kinds")
    result = asyncio.run(measure(options.rounds, options.loads))
    print(json.dumps(result) if options.json else _table(result))
    return 0


async def measure(rounds: int, loads: int) -> dict[str, Any]:
    """Milliseconds at p50 and p99 of each, the median over the rounds, and the ratios to the echo."""
    async with _floor(_needed(rounds, loads)) as floor:
        await _series(floor, _WARM)
        wire = [await _series(floor, loads) for _ in range(rounds)]
        told = {
            "bench": "challenge",
            "rounds": rounds,
            "loads": loads,
            "bytes": {"report": len(floor.stamps.frame), "lamp": floor.reader.length},
            "again": floor.again,
            "lamp": _against(wire, "lamp", "echo"),
            "event": _against(wire, "event", "echo"),
        }
        if CHROMIUM is None:
            return told
        async with _browser(floor):
            await _series(floor, _WARM)
            seen = [await _series(floor, loads) for _ in range(rounds)]
    told["again"] = floor.again
    told["page"] = _against(seen, "page", "echo page")
    told["lamp_beside_browser"] = _against(seen, "lamp", "echo")
    return told


def _needed(rounds: int, loads: int) -> int:
    """Loads that are stopped in all: a first one, and two kinds of rounds after some to warm up."""
    return 1 + 2 * (_WARM + rounds * loads)


async def _series(floor: _Floor, loads: int) -> Took:
    """So many of each, in turns."""
    took: Took = {}
    turns = [turn for _ in range(loads) for turn in random.sample((floor.stop, floor.hear_back), 2)]
    for turn in turns:
        for name, each in (await turn()).items():
            took.setdefault(name, []).extend(each)
    return took


@asynccontextmanager
async def _floor(stopped: int) -> AsyncIterator[_Floor]:
    """Everything started, the truck open, the reader reading, one load stopped, the peer there."""
    loads = [_Load.of(500_000_000 + number) for number in range(stopped)]
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="zonegate-bench-")))
        postgres = await stack.enter_async_context(OwnPostgres(folder))
        stamps = _Stamps()
        reader = await stack.enter_async_context(_Lamp(stamps))
        dsn = await postgres.create_database("bench")
        gates, settings = [OwnGate(DOOR, reader.port, None)], {"[gate]": _GATE}
        documents = _papers([load.sscc for load in loads])
        yard = await stack.enter_async_context(
            dockyard(folder, dsn, documents, gates=gates, settings=settings)
        )
        await yard.screen.close()  # our own subscriber watches
        await reader.until(lambda it: it.reading and any(it.device.settings.listening.values()), _WAIT_S)
        events = _Events()
        watching = asyncio.create_task(events.watch(yard.node.port))
        try:
            await events.until(lambda it: it.state == "READY")
            floor = _Floor(yard, reader, stamps, events, iter(loads))
            await floor.stop()
            assert len(floor.stamps.frame) >= EPC.stop
            floor.echo = await stack.enter_async_context(_echo(reader.length))
            yield floor
        finally:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching


def _papers(ssccs: Sequence[str]) -> dict[str, Any]:
    """An inbound truck whose loads are of goods that its permits do not name."""
    documents = papers()
    documents["products"].append({"gtin": _BRACKET, "name": "BRACKET-9", "unit": "EA", "per_pallet": "10"})
    load = {"gtin": _BRACKET, "quantity": "10", "lot": "L1", "owner": "Example Tools", "status": "NPF"}
    documents["trucks"][0]["loads"] = [{"sscc": sscc, **load} for sscc in ssccs]
    return documents


@asynccontextmanager
async def _browser(floor: _Floor) -> AsyncIterator[None]:
    """Both pages open in one Chromium."""
    from playwright.async_api import async_playwright

    assert CHROMIUM is not None and floor.echo is not None, "looked at by measure"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        for name, url in (("ours", f"{floor.yard.node.url}/door/{DOOR}"), ("echo", floor.echo.page)):
            page = floor.pages[name] = await browser.new_page()
            await page.goto(url)
        await floor.pages["ours"].wait_for_selector("body[data-state=READY]")
        for name, page in floor.pages.items():
            await page.evaluate(_WATCH, [name == "ours"])
        try:
            yield
        finally:
            floor.pages.clear()
            await browser.close()


def _against(rounds: Sequence[Took], ours: str, echo: str) -> dict[str, Any]:
    def at(share: int, values: Sequence[float]) -> float:
        return statistics.quantiles(values, n=100)[share - 1]

    told: dict[str, Any] = {}
    for share in (50, 99):
        ratios = [at(share, one[ours]) / at(share, one[echo]) for one in rounds]
        told[f"p{share}"] = {
            "ours_ms": round(statistics.median(at(share, one[ours]) for one in rounds), 2),
            "echo_ms": round(statistics.median(at(share, one[echo]) for one in rounds), 2),
            "ratio": round(statistics.median(ratios), 1),
            "ratios": [round(ratio, 1) for ratio in ratios],
        }
    return told


_TOLD: Final = {
    "lamp": "the lamp's message on the wire, to the echo's bytes",
    "event": "STOP read by a subscriber, to the echo's bytes",
    "page": "STOP in Chromium, to the echo's page",
    "lamp_beside_browser": "the lamp's message while Chromium draws, to the echo's bytes",
}


def _table(result: dict[str, Any]) -> str:
    sizes = "a report of {report} bytes, {lamp} back".format(**result["bytes"])
    lines = [f"a tag on the wire to STOP, {result['rounds']} rounds of {result['loads']} loads; {sizes}"]
    lines.append(f"stopped by a second report or later, the first not having told enough: {result['again']}")
    for name, sentence in _TOLD.items():
        if name not in result:
            lines.append(f"{sentence}: left out, it needs Chromium")
            continue
        lines.append(f"{sentence}:")
        for share in ("p50", "p99"):
            row = result[name][share]
            both = f"{row['ours_ms']:8.2f} ms  echo {row['echo_ms']:8.2f} ms"
            lines.append(f"  {share}  {both}  {row['ratio']:.1f}x  by round {row['ratios']}")
    return "\n".join(lines)
